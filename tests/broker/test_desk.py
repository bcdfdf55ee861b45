"""Volatile state: connections and presence."""

import pytest

from chat_broker.desk import Connection, Desk
from chat_core.messages import Person, Presence


def by(user: str, name: str = "", since: int = 0, heard: float = 0.0) -> Connection:
    """A connection of a user."""
    return Connection(user, name or user, "", since, heard)


@pytest.fixture
def desk() -> Desk:
    """Nobody is connected."""
    return Desk()


def test_the_first_connection_of_a_user_is_a_coming(desk: Desk) -> None:
    assert desk.connect(b"1", by("ann"))


def test_the_second_connection_of_a_user_is_none(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    assert not desk.connect(b"2", by("ann"))


def test_the_connections_of_a_user_are_known(desk: Desk) -> None:
    for peer, user in ((b"1", "ann"), (b"2", "bob"), (b"3", "ann")):
        desk.connect(peer, by(user))
    assert desk.peers_of == {"ann": {b"1", b"3"}, "bob": {b"2"}}


def test_the_last_connection_of_a_user_is_a_going(desk: Desk) -> None:
    ann = by("ann")
    desk.connect(b"1", ann)
    assert desk.disconnect(b"1") is ann
    assert (desk.connections, desk.peers_of) == ({}, {})


def test_one_of_several_connections_is_no_going(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.connect(b"2", by("ann"))
    assert desk.disconnect(b"1") is None
    assert desk.peers_of == {"ann": {b"2"}}


def test_an_unknown_connection_is_no_going(desk: Desk) -> None:
    assert desk.disconnect(b"1") is None
    assert desk.delta("boot") is None


def test_a_connection_that_is_entered_again_has_one_user(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.connect(b"1", by("bob"))
    assert desk.peers_of == {"bob": {b"1"}}
    assert desk.connections[b"1"].user == "bob"


def test_a_connection_is_silent_if_it_was_last_heard_before(desk: Desk) -> None:
    for peer, heard in ((b"1", 1.0), (b"2", 2.0), (b"3", 3.0)):
        desk.connect(peer, by(f"u{heard}", heard=heard))
    assert desk.silent(2.0) == [b"1"]


def test_without_changes_there_is_no_delta(desk: Desk) -> None:
    assert desk.delta("boot") is None
    assert desk.version == 0


def test_a_delta_tells_who_came_and_went_in_the_order_of_their_ids(desk: Desk) -> None:
    for peer, user, name in ((b"2", "u2", "bob"), (b"1", "u1", "ann"), (b"3", "u3", "cid")):
        desk.connect(peer, by(user, name))
    assert desk.delta("boot") == Presence(1, "boot", [("u1", "ann"), ("u2", "bob"), ("u3", "cid")], [])
    desk.disconnect(b"3")
    desk.disconnect(b"2")
    desk.connect(b"4", by("u4", "dan"))
    assert desk.delta("boot") == Presence(2, "boot", [("u4", "dan")], [("u2", "bob"), ("u3", "cid")])


def test_a_delta_is_told_once(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    assert [desk.delta("boot") is None for _ in range(2)] == [False, True]
    desk.disconnect(b"1")
    assert [desk.delta("boot") is None for _ in range(2)] == [False, True]


def test_coming_and_going_cancel_out(desk: Desk) -> None:
    for _ in range(3):
        desk.connect(b"1", by("ann"))
        desk.disconnect(b"1")
    assert desk.delta("boot") is None


def test_going_and_coming_cancel_out(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.delta("boot")
    for _ in range(3):
        desk.disconnect(b"1")
        desk.connect(b"1", by("ann"))
    assert desk.delta("boot") is None


def test_a_coming_stays_one_after_a_short_absence(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.disconnect(b"1")
    desk.connect(b"1", by("ann"))
    assert desk.delta("boot") == Presence(1, "boot", [("ann", "ann")], [])


def test_who_goes_after_they_were_shown_is_told_to_have_gone(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.people(0.0)
    desk.disconnect(b"1")
    assert desk.delta("boot") == Presence(1, "boot", [], [("ann", "ann")])


def test_who_is_back_after_they_were_not_shown_is_told_to_have_come(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.delta("boot")
    desk.disconnect(b"1")
    desk.people(0.0)
    desk.connect(b"1", by("ann"))
    assert desk.delta("boot") == Presence(2, "boot", [("ann", "ann")], [])


def test_who_takes_a_name_back_that_was_shown_is_told_by_it(desk: Desk) -> None:
    desk.connect(b"1", by("ann"))
    desk.delta("boot")
    desk.rename("ann", "anna")
    desk.people(0.0)
    desk.rename("ann", "ann")
    assert desk.delta("boot") == Presence(2, "boot", named=[("ann", "ann")])


def test_what_was_shown_before_the_last_delta_counts_no_more(desk: Desk) -> None:
    desk.people(0.0)
    assert desk.delta("boot") is None
    desk.connect(b"1", by("ann"))
    desk.disconnect(b"1")
    assert desk.delta("boot") is None


def test_people_are_sorted_by_name(desk: Desk) -> None:
    for peer, user, name in ((b"1", "u1", "cid"), (b"2", "u2", "ann"), (b"3", "u3", "Bob")):
        desk.connect(peer, by(user, name))
    assert [person.name for person in desk.people(0.0)] == ["ann", "Bob", "cid"]


def test_people_are_told_since_when_and_how_long_they_are_idle(desk: Desk) -> None:
    desk.connect(b"1", by("u1", "ann", since=5000, heard=10.0))
    assert desk.people(12.5) == [Person("u1", "ann", 5000, 2500)]


def test_nobody_is_idle_for_less_than_nothing(desk: Desk) -> None:
    desk.connect(b"1", by("u1", "ann", heard=10.0))
    assert desk.people(9.0)[0].idle == 0


def test_of_several_connections_the_first_since_and_the_last_heard_count(desk: Desk) -> None:
    desk.connect(b"1", by("u1", "ann", since=7000, heard=30.0))
    desk.connect(b"2", by("u1", "ann", since=5000, heard=10.0))
    desk.connect(b"3", by("u1", "ann", since=9000, heard=20.0))
    assert desk.people(31.0) == [Person("u1", "ann", 5000, 1000)]


def test_only_some_people_can_be_asked_for(desk: Desk) -> None:
    desk.connect(b"1", by("u1", "ann"))
    desk.connect(b"2", by("u2", "bob"))
    assert [person.user for person in desk.people(0.0, {"u2", "u3"})] == ["u2"]
    assert desk.people(0.0, set()) == []


def test_the_admins_own_connection_is_not_counted_with_those_of_an_address(desk: Desk) -> None:
    desk.seat_admin(b"admin:1", 0, 0.0)
    desk.disconnect(b"admin:1")
    assert not desk.from_address
