"""How much may be written: buckets, and what somebody is told whose bucket is empty."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_broker.limits import BYTES_BURST_SECONDS
from chat_broker.meters import KEPT_MOST, Limits, Meter, Meters
from chat_broker.serving.process import limits_of
from chat_broker.settings import LimitSettings
from chat_core import messages as m
from tests.broker.table import SENDER, Table, hello, key_of, message


def limited(**other: Any) -> Table:
    """A table with limits, of which none counts but those given; Ann and Bob are in the chat."""
    return Table(limits=Limits(**other)).seat("ann", "bob")


def codes(replies: list[Any]) -> list[str]:
    """What became of each."""
    return [reply.code if isinstance(reply, m.Refused) else "" for reply in replies]


def posts(table: Table, who: str, count: int, seconds: float = 0.0, text: str = "hi") -> list[str]:
    """What became of so many posts in one turn."""
    return codes(table.turn(*((who, message(text)) for _ in range(count)), seconds=seconds).replies[who])


def test_a_connection_that_is_somebody_new_with_every_hello_is_held_back() -> None:
    table = Table(limits=Limits(address_posts_per_second=1, address_posts_burst=3))
    told = table.turn(*(("eve", hello(f"eve{n}")) for n in range(5)))
    assert codes(told.replies["eve"]) == ["", "", "", "rate", "rate"]
    assert len(table.tables.users) == 3
    assert isinstance(table.hello("eve", "eve0", key_of("eve0")), m.Welcome)


# ---- posts of a user -----------------------------------------------------------------------------------------------


def test_a_user_posts_a_burst_and_then_so_many_a_second() -> None:
    table = limited(user_posts_per_second=2, user_posts_burst=3)
    assert posts(table, "ann", 5) == ["", "", "", "rate", "rate"]
    assert posts(table, "ann", 3, seconds=1.0) == ["", "", "rate"]
    assert posts(table, "ann", 4, seconds=10.0) == ["", "", "", "rate"]


def test_a_refusal_says_how_long_to_wait() -> None:
    table = limited(user_posts_per_second=2, user_posts_burst=1)
    table.post("ann", "lobby", "hi")
    refused = table.ask("ann", message("hi"), seconds=0.1)
    assert (refused.code, refused.verdict, refused.retry) == ("rate", "later", 400)
    assert table.ask("ann", message("hi"), seconds=refused.retry / 1000).seq


def test_a_refusal_spends_no_number() -> None:
    table = limited(user_posts_per_second=1, user_posts_burst=1)
    assert table.post("ann", "lobby", "1", SENDER, 1).seq
    assert table.post("ann", "lobby", "2", SENDER, 2).code == "rate"
    assert table.ask("ann", message("2", sender=SENDER, n=2), seconds=1.0).seq


def test_to_repeat_a_post_costs_nothing() -> None:
    table = limited(user_posts_per_second=1, user_posts_burst=1)
    first = table.post("ann", "lobby", "1", SENDER, 1)
    assert [table.post("ann", "lobby", "1", SENDER, 1).seq for _ in range(5)] == [first.seq] * 5


def test_a_user_has_one_bucket_for_all_connections() -> None:
    table = limited(user_posts_per_second=1, user_posts_burst=2)
    table.seat("ann/2")
    told = table.turn(("ann", message("1")), ("ann/2", message("2")), ("ann", message("3")), ("bob", message("4")))
    assert [codes(told.replies[who]) for who in ("ann", "ann/2", "bob")] == [["", "rate"], [""], [""]]


def test_coming_again_fills_no_bucket() -> None:
    table = limited(user_posts_per_second=1, user_posts_burst=1)
    table.post("ann", "lobby", "hi")
    table.ask("ann", m.Bye())
    table.seat("ann")
    assert table.post("ann", "lobby", "hi").code == "rate"


@pytest.mark.parametrize(
    "request_",
    [m.Create(room="x"), m.Direct(), m.Join(room="lobby"), m.Leave(room="lobby"), m.Report(room="lobby", seq=1)],
    ids=lambda request: type(request).__name__,
)
def test_whatever_else_is_written_counts_as_a_post(request_: m.AnyRequest) -> None:
    table = limited(user_posts_per_second=1, user_posts_burst=1)
    table.post("ann", "lobby", "hi")
    request_.id = 0
    refused = table.ask("ann", request_)
    assert (refused.code, refused.verdict, refused.retry) == ("rate", "later", 1000)


def test_reading_and_hellos_are_not_counted() -> None:
    table = limited(user_posts_per_second=1, user_posts_burst=1)
    table.post("ann", "lobby", "hi")
    for request in (m.Ping(), m.Rooms(), m.Room(room="lobby"), m.Who(), hello("ann"), m.Bye()):
        assert not isinstance(table.ask("ann", request), m.Refused)


# ---- bytes ---------------------------------------------------------------------------------------------------------


def test_long_messages_empty_the_bucket_of_bytes() -> None:
    table = limited(user_bytes_per_second=1000)
    sent = 0
    while posts(table, "ann", 1, text="x" * 988) == [""]:  # a body of 999 bytes
        sent += 1
    assert sent == BYTES_BURST_SECONDS
    assert posts(table, "ann", 2, seconds=1.0, text="x" * 900) == ["", "rate"]


def test_what_is_longer_than_a_burst_passes_when_the_bucket_is_full() -> None:
    table = limited(user_bytes_per_second=10)
    assert posts(table, "ann", 2, text="x" * 1000) == ["", "rate"]
    refused = table.ask("ann", message("x" * 1000))
    assert table.ask("ann", message("x" * 1000), seconds=refused.retry / 1000 - 1).code == "rate"
    assert table.ask("ann", message("x" * 1000), seconds=1.001).seq


# ---- addresses -----------------------------------------------------------------------------------------------------


def test_those_at_one_address_share_a_bucket() -> None:
    table = limited(address_posts_per_second=1, address_posts_burst=3)
    for who in ("ann", "bob"):
        table.hub.desk.connections[who.encode()].address = "10.0.0.7"
    table.seat("cid")
    told = table.turn(*((who, message("hi")) for who in ("ann", "bob", "ann", "bob", "cid")))
    assert [codes(told.replies[who]) for who in ("ann", "bob", "cid")] == [["", ""], ["", "rate"], [""]]


def test_what_the_address_refuses_costs_the_user_nothing() -> None:
    table = limited(address_posts_per_second=1, address_posts_burst=1, user_posts_per_second=0.001, user_posts_burst=2)
    assert posts(table, "ann", 5, seconds=1.0) == ["", "rate", "rate", "rate", "rate"]  # to come has cost one, too
    assert posts(table, "ann", 1, seconds=1.0) == [""]


# ---- rooms ---------------------------------------------------------------------------------------------------------


def test_a_user_makes_so_many_rooms() -> None:
    table = limited(user_rooms=2)
    table.ask("ann", m.Create(room="a"))
    table.ask("ann", m.Create(room="b", kind="private"))
    refused = table.ask("ann", m.Create(room="c"))
    assert (refused.code, refused.verdict) == ("limit", "final")
    assert table.ask("bob", m.Create(room="c")).room.mine
    assert table.ask("ann", m.Direct(people=["bob"])).room.mine


def test_without_limits_there_are_none() -> None:
    table = Table().seat("ann")
    assert set(posts(table, "ann", 2000)) == {""}


# ---- slow mode -----------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(table: Table) -> Table:
    """Ann owns a room "books" in which others post every ten seconds; Bob and Cid are in it."""
    table.seat("ann", "bob", "cid")
    table.ask("ann", m.Create(room="books"))
    for who in ("bob", "cid"):
        table.ask(who, m.Join(room="books"))
    table.ask("ann", m.Change(room="books", slow=10))
    return table


def test_in_slow_mode_one_waits_between_two_posts(slow: Table) -> None:
    assert slow.post("bob", "books", "1").seq
    refused = slow.ask("bob", message("2", "books"), seconds=4.0)
    assert (refused.code, refused.verdict, refused.retry) == ("slow", "later", 6000)
    assert slow.ask("bob", message("2", "books"), seconds=6.0).seq


def test_in_slow_mode_everybody_waits_for_themselves(slow: Table) -> None:
    assert slow.post("bob", "books", "1").seq
    assert slow.post("cid", "books", "1").seq
    assert slow.post("bob", "lobby", "1").seq
    assert slow.post("bob", "books", "2").code == "slow"


def test_who_moderates_does_not_wait(slow: Table) -> None:
    slow.ask("ann", m.Appoint(room="books", user="bob", role="moderator"))
    assert [slow.post(who, "books", "hm").seq for who in ("ann", "ann", "bob", "bob")] == [7, 8, 9, 10]


def test_what_is_refused_for_another_reason_does_not_make_one_wait(slow: Table) -> None:
    assert slow.post("bob", "books", " ").code == "text_empty"
    assert slow.post("bob", "books", "1").seq


def test_a_refusal_in_slow_mode_spends_no_number(slow: Table) -> None:
    assert slow.post("bob", "books", "1", SENDER, 1).seq
    assert slow.post("bob", "books", "2", SENDER, 2).code == "slow"
    assert slow.ask("bob", message("2", "books", SENDER, 2), seconds=10.0).seq


def test_a_post_that_was_not_written_makes_nobody_wait(slow: Table) -> None:
    slow.turn(("bob", message("1", "books")), fails=True)
    assert slow.post("bob", "books", "1").seq


def test_slow_mode_ends(slow: Table) -> None:
    assert slow.post("bob", "books", "1").seq
    slow.ask("ann", m.Change(room="books", slow=0))
    assert slow.post("bob", "books", "2").seq


# ---- buckets -------------------------------------------------------------------------------------------------------


STEPS = st.lists(st.tuples(st.floats(0, 10), st.integers(1, 5)), max_size=40)


@given(STEPS, st.integers(1, 9), st.integers(1, 20))
def test_never_more_passes_than_a_burst_and_the_rate(steps: list[tuple[float, int]], rate: int, burst: int) -> None:
    meter, now, taken = Meter(rate, burst, 0.0), 0.0, []
    for seconds, amount in steps:
        now += seconds
        meter.fill(now)
        if meter.level >= amount:
            meter.level -= amount
            taken.append((now, amount))
        elif amount <= burst:
            meter.fill(now + meter.wait(amount) + 1e-6)
            assert meter.level >= amount
            now = meter.at
    for start, (since, _) in enumerate(taken):
        for until, _ in taken[start:]:
            passed = sum(amount for at, amount in taken if since <= at <= until)
            assert passed <= burst + rate * (until - since) + 1e-6


def test_a_bucket_without_a_rate_is_never_empty() -> None:
    meter = Meter(0, 5, 0.0)
    meter.level -= 1e9
    meter.fill(1.0)
    assert (meter.level, meter.wait(1e9)) == (inf, 0.0)


def test_of_many_buckets_those_that_are_full_are_forgotten() -> None:
    meters: Meters[tuple[Meter]] = Meters()
    for number in range(KEPT_MOST):
        meters.enter(f"u{number}", (Meter(1, 1, 0.0),))[0].level = number % 2
    meters.enter("one more", (Meter(1, 1, 0.0),))
    assert len(meters.kept) == KEPT_MOST // 2 + 1
    meters.enter("and one", (Meter(1, 1, 0.5),))
    assert len(meters.kept) == KEPT_MOST // 2 + 2


def test_the_limits_are_those_of_the_settings() -> None:
    assert limits_of(LimitSettings()) == Limits(50, 500, 65536, 200, 2000, 100)
