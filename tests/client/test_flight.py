"""The posts on their way: how many, in which order, and what each answer does to the others."""

import pytest

from chat_client.flight import LONGEST_HOLD_SECONDS, Flight, Holding, Renumber, Row, Settled
from chat_core import messages as m

OLD, NEW = "01d" * 6, "4e3" * 6


def rows(sender: str = NEW, first: int = 1, last: int = 3, fixed: bool = False) -> list[Row]:
    """Rows of a sender."""
    return [Row(sender, n, "lobby", "message", b'{"text":"x"}', fixed) for n in range(first, last + 1)]


class Sky:
    """A flight whose sent posts get the request numbers 1, 2, 3 ..., over all."""

    def __init__(self, *rows: Row) -> None:
        self.flight = Flight()
        self.flight.add(rows)
        self.request = 0

    def send(self, now: float = 0.0) -> list[tuple[str, int]]:
        """Send what may be sent; returns which."""
        sent = []
        while (row := self.flight.next(now)) is not None:
            self.request += 1
            post = self.flight.sent(self.request, row, now)
            assert (post.id, post.room, post.kind, bytes(post.body)) == (self.request, row.room, row.kind, row.body)
            sent.append((post.sender, post.n))
        return sent

    def numbers(self, now: float = 0.0) -> list[int]:
        """The same, for rows of one sender."""
        return [n for _, n in self.send(now)]

    def posted(self, request: int) -> Settled | Renumber | None:
        """The broker acknowledges."""
        return self.flight.answered(m.Posted(request, "lobby", request, 0), 0.0)

    def refused(self, request: int, code: str, verdict: str, expected: int = 0, now: float = 0.0):  # type: ignore[no-untyped-def]
        """The broker refuses."""
        return self.flight.answered(m.Refused(request, code, "no", verdict, expected), now)


# ---- sending -------------------------------------------------------------------------------------------------------


def test_posts_are_sent_in_their_order_without_waiting_for_answers() -> None:
    assert Sky(*rows()).numbers() == [1, 2, 3]


def test_at_most_64_are_in_flight() -> None:
    sky = Sky(*rows(last=100))
    assert len(sky.send()) == 64
    sky.posted(1)
    assert sky.numbers() == [65]


def test_one_senders_posts_are_finished_before_the_next_ones_begin() -> None:
    sky = Sky(*rows(OLD, 8, 9), *rows(NEW, 1, 2))
    assert sky.send() == [(OLD, 8), (OLD, 9)]
    sky.posted(1)
    assert sky.send() == []
    sky.posted(2)
    assert sky.send() == [(NEW, 1), (NEW, 2)]


def test_a_row_that_is_there_already_is_not_sent_twice() -> None:
    sky = Sky(*rows())
    sky.flight.add(rows())
    assert sky.numbers() == [1, 2, 3]
    assert len(sky.flight) == 3


# ---- answers -------------------------------------------------------------------------------------------------------


def test_an_acknowledged_post_is_settled() -> None:
    sky = Sky(*rows())
    sky.send()
    outcome = sky.posted(2)
    assert isinstance(outcome, Settled)
    assert outcome.row.n == 2
    assert len(sky.flight) == 2


def test_a_post_that_is_refused_for_good_is_settled_and_the_others_go_on() -> None:
    sky = Sky(*rows())
    sky.send()
    outcome = sky.refused(1, "text_long", "final")
    assert isinstance(outcome, Settled)
    assert isinstance(outcome.reply, m.Refused)
    assert isinstance(sky.posted(2), Settled)


def test_an_answer_to_what_is_not_pending_says_nothing() -> None:
    sky = Sky(*rows())
    sky.send()
    sky.flight.rewind()
    assert sky.posted(1) is None
    assert sky.refused(2, "text_long", "final") is None
    assert len(sky.flight) == 3


def test_an_answer_counts_once() -> None:
    sky = Sky(*rows())
    sky.send()
    assert sky.posted(1) is not None
    assert sky.posted(1) is None


def test_after_a_refusal_later_all_posts_wait_half_a_second_and_begin_again() -> None:
    sky = Sky(*rows())
    sky.send()
    assert isinstance(sky.refused(2, "store", "later", now=10.0), Holding)
    assert sky.numbers(10.4) == []
    assert sky.flight.deadline() == 10.5
    assert sky.numbers(10.5) == [1, 2, 3]


@pytest.mark.parametrize("code", ["rate", "slow"])
def test_a_refusal_that_tells_when_to_try_again_is_waited_for_exactly_so_long(code: str) -> None:
    sky = Sky(*rows())
    sky.send()
    holding = sky.flight.answered(m.Refused(1, code, "no", "later", retry=2500), 10.0)
    assert isinstance(holding, Holding)
    assert holding.reply.retry == 2500
    assert sky.numbers(12.4) == []
    assert sky.flight.deadline() == 12.5
    assert sky.numbers(12.5) == [1, 2, 3]


def test_no_refusal_is_waited_for_longer_than_a_minute() -> None:
    sky = Sky(*rows())
    sky.send()
    sky.flight.answered(m.Refused(1, "slow", "no", "later", retry=86_400_000), 10.0)
    assert sky.flight.deadline() == 10.0 + LONGEST_HOLD_SECONDS
    assert sky.numbers(10.0 + LONGEST_HOLD_SECONDS) == [1, 2, 3]


def test_only_the_first_refusal_of_a_flight_is_told() -> None:
    sky = Sky(*rows())
    sky.send()
    assert isinstance(sky.flight.answered(m.Refused(1, "rate", "no", "later", retry=900), 10.0), Holding)
    assert sky.flight.answered(m.Refused(2, "expected", "no", "later", 1), 10.0) is None
    assert sky.flight.answered(m.Refused(3, "rate", "no", "later", retry=900), 10.0) is None
    assert sky.flight.deadline() == 10.9


def test_the_other_refusals_of_the_same_flight_do_not_begin_again_once_more() -> None:
    sky = Sky(*rows())
    sky.send()
    sky.refused(1, "store", "later", now=10.0)
    sky.refused(2, "store", "later", now=10.3)
    sky.refused(3, "expected", "later", 1, now=10.3)
    assert sky.numbers(10.5) == [1, 2, 3]


def test_a_post_that_is_sent_again_has_the_same_number_and_another_request() -> None:
    sky = Sky(*rows(last=1))
    sky.send()
    sky.flight.rewind()
    assert sky.send() == [(NEW, 1)]
    assert sky.request == 2
    assert sky.posted(1) is None
    assert isinstance(sky.posted(2), Settled)


def test_a_post_that_nobody_answers_for_three_seconds_is_sent_again_with_all_behind_it() -> None:
    sky = Sky(*rows())
    sky.send(10.0)
    sky.posted(1)
    assert sky.flight.deadline() == 13.0
    sky.flight.tick(12.9)
    assert sky.numbers(12.9) == []
    sky.flight.tick(13.0)
    assert sky.numbers(13.0) == [2, 3]


def test_a_flight_with_nothing_to_do_wants_no_time() -> None:
    assert Flight().deadline() == float("inf")


# ---- numbers that do not fit ---------------------------------------------------------------------------------------


def test_expected_a_number_that_is_still_here_begins_again_at_once() -> None:
    sky = Sky(*rows())
    sky.send()
    assert sky.refused(2, "expected", "later", 1) is None
    assert sky.numbers() == [1, 2, 3]


def test_expected_a_number_above_all_that_was_settled_begins_again() -> None:
    # The broker has 1 and 2 already, their acknowledgements were lost: it will repeat them.
    sky = Sky(*rows())
    sky.send()
    assert sky.refused(1, "expected", "later", 3) is None
    assert sky.numbers() == [1, 2, 3]


def test_expected_a_number_that_was_settled_needs_a_fresh_sender() -> None:
    # The broker's disk was rolled back: it has forgotten what it acknowledged.
    sky = Sky(*rows(NEW, 5, 7))
    sky.send()
    assert sky.refused(1, "expected", "later", 3) == Renumber(NEW, 5)
    assert (len(sky.flight), sky.send()) == (0, [])


def test_only_the_senders_own_rows_are_looked_at() -> None:
    sky = Sky(*rows(OLD, 5, 6), *rows(NEW, 1, 1))
    sky.send()
    assert sky.refused(1, "expected", "later", 3) == Renumber(OLD, 5)
    assert sky.send() == [(NEW, 1)]


def test_a_number_that_was_used_for_something_else_needs_a_fresh_sender_from_there_on() -> None:
    sky = Sky(*rows(NEW, 1, 4))
    sky.send()
    assert sky.refused(3, "conflict", "final") == Renumber(NEW, 3)
    assert sky.numbers() == [1, 2]


def test_a_sender_that_is_somebody_elses_is_replaced() -> None:
    sky = Sky(*rows())
    sky.send()
    assert sky.refused(1, "foreign_sender", "final") == Renumber(NEW, 1)


@pytest.mark.parametrize(
    ("code", "verdict", "expected"),
    [("conflict", "final", 0), ("foreign_sender", "final", 0), ("expected", "later", 1)],
)
def test_a_row_whose_number_is_derived_from_a_key_is_refused_rather_than_renumbered(
    code: str, verdict: str, expected: int
) -> None:
    sky = Sky(*rows(NEW, 2, 3, fixed=True))
    sky.send()
    outcome = sky.refused(1, code, verdict, expected)
    assert isinstance(outcome, Settled)
    assert outcome.row.n == 2
    assert isinstance(sky.posted(2), Settled)


def test_renumbered_rows_are_sent_behind_the_others() -> None:
    sky = Sky(*rows(OLD, 5, 5), *rows(NEW, 1, 1))
    sky.send()
    sky.refused(1, "foreign_sender", "final")
    sky.flight.add(rows("f4e5" * 4, 1, 1))
    assert sky.send() == [(NEW, 1)]
    sky.posted(2)
    assert sky.send() == [("f4e5" * 4, 1)]


def test_a_row_that_comes_after_its_sender_was_given_up_is_left_to_the_fresh_one() -> None:
    sky = Sky(*rows(NEW, 1, 4))
    sky.send()
    assert sky.refused(3, "conflict", "final") == Renumber(NEW, 3)
    sky.flight.add(rows(NEW, 5, 5))  # it was on its way, and the outbox has renumbered it with the others
    assert sky.send() == [(NEW, 1), (NEW, 2)]
