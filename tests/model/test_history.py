"""Pieces of a log that are not in memory: which are fetched, from where, and how often they are asked for."""

import itertools

import pytest
from msgspec import Raw

from chat_client.model import orders
from chat_client.model.history import BEFORE_UNREAD, STEP, UNREAD_AT_ONCE, Fetch, Histories, Purpose, first_piece
from chat_client.model.lines import Me, line_of
from chat_client.model.room import RoomState
from chat_core import messages as m
from chat_core import wire
from tests.client.network import history


class Library:
    """Histories whose orders are seen."""

    def __init__(self) -> None:
        self.ordered: list[orders.Order] = []
        self.histories = Histories(self.ordered.append, itertools.count(1).__next__)

    def begin(self, room: RoomState, purpose: Purpose) -> tuple[int, int] | None:
        """What is looked up for a purpose: (after, up to)."""
        if not self.histories.begin(room, purpose):
            return None
        look = self.ordered[-1]
        assert isinstance(look, orders.Look)
        return look.after, look.upto

    def asked(self) -> tuple[int, m.Page]:
        """What the broker was asked last."""
        ask = self.ordered[-1]
        assert isinstance(ask, orders.Ask)
        assert isinstance(ask.request, m.Page)
        return ask.token, ask.request

    def page(self, token: int, events: list[m.Event], epoch: str = "e0", first: int = 1) -> Fetch | None:
        """The broker answers."""
        raws = [Raw(wire.encode(event)) for event in events]
        return self.histories.answered(token, m.Paged(1, "lobby", epoch, first, (1000, "0" * 16), raws), "e0")


def room_at(have: int, lines: tuple[int, int] | None = None, **more: int) -> RoomState:
    """A room of which so much was read, and these lines are in memory."""
    room = RoomState("lobby", "lobby", have)
    if lines is not None:
        room.lines = [line_of(event, Me()) for event in history(lines[1])[lines[0] - 1 :]]
        room.at_end = lines[1] == have
    for name, value in more.items():
        setattr(room, name, value)
    return room


@pytest.fixture
def library() -> Library:
    """One."""
    return Library()


# ---- which piece ---------------------------------------------------------------------------------------------------


def test_a_room_is_opened_at_its_end() -> None:
    assert first_piece(room_at(1000)) == (1000 - STEP, 1000)
    assert first_piece(room_at(7)) == (0, 7)
    assert first_piece(room_at(0)) == (0, 0)


def test_a_room_with_few_unread_messages_is_opened_at_its_end_with_all_of_them() -> None:
    assert first_piece(room_at(1000, read=1000 - STEP, unread=3)) == (1000 - STEP, 1000)


def test_a_room_with_many_unread_messages_is_opened_a_little_above_them() -> None:
    assert first_piece(room_at(1000, read=500, unread=400)) == (500 - BEFORE_UNREAD, 1000)


def test_of_very_many_unread_messages_the_first_are_fetched() -> None:
    have = 500 + 2 * UNREAD_AT_ONCE
    after, upto = first_piece(room_at(have, read=500, unread=400))
    assert after == 500 - BEFORE_UNREAD
    assert 500 < upto < have


@pytest.mark.parametrize("read", [0, 3, 100, 890, 999, 1000])
def test_the_first_piece_is_in_the_log_and_has_the_first_unread_event(read: int) -> None:
    room = room_at(1000, read=read, unread=1000 - read, first=3)
    after, upto = first_piece(room)
    assert 2 <= after < upto <= 1000
    assert after <= max(read, 2)


def test_the_first_piece_is_in_the_copy_if_there_is_one() -> None:
    assert first_piece(room_at(1000, kept_first=950)) == (949, 1000)
    assert first_piece(room_at(1000, kept_first=980, read=970, unread=30)) == (979, 1000)
    assert first_piece(room_at(1000, kept_first=1001)) == (1000 - STEP, 1000)


def test_older_events_end_with_the_first_line(library: Library) -> None:
    assert library.begin(room_at(1000, (500, 1000)), "older") == (499 - STEP, 500)
    assert Library().begin(room_at(1000, (20, 1000)), "older") == (0, 20)
    assert Library().begin(room_at(1000, (20, 1000), first=5), "older") == (4, 20)


def test_older_events_are_taken_from_the_copy_as_far_as_it_goes(library: Library) -> None:
    assert library.begin(room_at(1000, (500, 1000), kept_first=450), "older") == (449, 500)
    assert Library().begin(room_at(1000, (450, 1000), kept_first=450), "older") == (449 - STEP, 450)


def test_newer_events_begin_with_the_last_line(library: Library) -> None:
    assert library.begin(room_at(1000, (1, 500)), "newer") == (499, 500 + STEP)
    assert Library().begin(room_at(520, (1, 500)), "newer") == (499, 520)


def test_the_end_is_a_piece_of_its_own(library: Library) -> None:
    assert library.begin(room_at(1000, (1, 500)), "end") == (1000 - STEP, 1000)


def test_there_is_nothing_before_the_first_event_and_behind_the_last(library: Library) -> None:
    assert library.begin(room_at(50, (1, 50)), "older") is None
    assert library.begin(room_at(50, (5, 50), first=5), "older") is None
    assert library.begin(room_at(50, (5, 50)), "newer") is None
    assert library.begin(room_at(0), "show") is None
    for purpose in ("older", "newer"):
        assert library.begin(room_at(50), purpose) is None
    assert library.ordered == []


# ---- one at a time -------------------------------------------------------------------------------------------------


def test_a_room_has_one_fetch_at_a_time(library: Library) -> None:
    room, other = room_at(1000, (500, 600)), RoomState("plan", "plan", 7)
    assert library.begin(room, "older")
    assert library.begin(room, "older") is None
    assert library.begin(room, "newer") is None
    assert library.begin(other, "show")
    assert (library.histories.loading("lobby"), library.histories.loading("plan")) == ("older", "show")


def test_the_end_comes_before_whatever_else_is_fetched(library: Library) -> None:
    room = room_at(1000, (500, 600))
    library.begin(room, "older")
    assert library.begin(room, "end")
    assert library.histories.loading("lobby") == "end"
    assert library.histories.found(orders.Found(1, history(3))) is None


def test_what_is_forgotten_is_of_no_interest(library: Library) -> None:
    library.begin(room_at(1000, (500, 600)), "older")
    library.begin(RoomState("plan", "plan", 7), "show")
    library.histories.forget("lobby")
    assert library.histories.loading("lobby") is None
    assert library.histories.found(orders.Found(1, history(3))) is None
    library.histories.forget()
    assert not library.histories.has(2)
    assert library.page(2, history(3)) is None


# ---- from the copy, else from the broker ---------------------------------------------------------------------------


def test_what_the_copy_has_is_there(library: Library) -> None:
    library.begin(room_at(7), "show")
    fetch = library.histories.found(orders.Found(1, history(7)))
    assert fetch is not None
    assert (fetch.purpose, fetch.from_broker, len(fetch.events)) == ("show", False, 7)
    assert library.histories.loading("lobby") is None


def test_what_the_copy_has_not_is_asked_of_the_broker(library: Library) -> None:
    library.begin(room_at(1000, (500, 1000)), "older")
    assert library.histories.found(orders.Found(1, None)) is None
    token, page = library.asked()
    assert (page.room, page.after, page.upto) == ("lobby", 499 - STEP, 500)
    assert library.histories.has(token)
    fetch = library.page(token, history(500)[499 - STEP :])
    assert fetch is not None
    assert (fetch.purpose, fetch.from_broker, len(fetch.events)) == ("older", True, STEP + 1)


def test_a_page_that_is_too_short_is_asked_on(library: Library) -> None:
    library.begin(room_at(100), "show")
    library.histories.found(orders.Found(1, None))
    log = history(100)
    assert library.page(library.asked()[0], log[:40]) is None
    token, page = library.asked()
    assert (page.after, page.upto) == (40, 100)
    assert library.page(token, log[40:90]) is None
    fetch = library.page(library.asked()[0], log[90:])
    assert fetch is not None
    assert fetch.events == log
    assert library.histories.loading("lobby") is None


def test_an_empty_page_ends_it(library: Library) -> None:
    library.begin(room_at(100), "show")
    library.histories.found(orders.Found(1, None))
    fetch = library.page(library.asked()[0], [])
    assert fetch is not None
    assert fetch.events == []


def test_a_page_of_another_history_is_thrown_away(library: Library) -> None:
    library.begin(room_at(7), "show")
    library.histories.found(orders.Found(1, None))
    assert library.page(library.asked()[0], history(7), epoch="e1") is None
    assert library.histories.loading("lobby") is None


def test_a_refusal_ends_it(library: Library) -> None:
    library.begin(room_at(7), "show")
    library.histories.found(orders.Found(1, None))
    assert library.histories.answered(1, m.Refused(1, "no_room", "There is no such room.", "final"), "e0") is None
    assert library.histories.loading("lobby") is None


def test_answers_to_something_else_are_not_taken(library: Library) -> None:
    assert library.histories.found(orders.Found(5, history(1))) is None
    assert library.page(5, history(1)) is None
