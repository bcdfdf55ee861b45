"""Who is here: the list on the right, and those who pass by."""

import pytest

from chat_client import effects
from tests.model.desk import Desk
from tests.model.hall import BOB, CAROL, ME


@pytest.fixture
def desk() -> Desk:
    """Ann is in the lobby with Bob, who is here, and Carol, who is not; Dan is here and in no room of hers."""
    desk = Desk("lobby", "plan")
    desk.broker.here |= {BOB: "Bob", "u4": "Dan"}
    del desk.halls["plan"].members[CAROL]
    desk.start()
    desk.connect()
    desk.wait(60)
    return desk


def people(desk: Desk) -> list[tuple[str, bool]]:
    """Who is shown, and who of them is here."""
    return [(item.name, item.here) for item in desk.chat.people()[1]]


def came(desk: Desk, user: str, name: str) -> None:
    """Somebody comes."""
    desk.tell(effects.Moved([(user, name)], []))


def went(desk: Desk, user: str, name: str) -> None:
    """Somebody goes."""
    desk.tell(effects.Moved([], [(user, name)]))


# ---- the list ------------------------------------------------------------------------------------------------------


def test_the_members_are_shown_those_who_are_here_first(desk: Desk) -> None:
    assert desk.chat.people()[0] == "MEMBERS — 2 online"
    assert people(desk) == [("Ann", True), ("Bob", True), ("Carol", False)]
    assert [item.name for item in desk.chat.people()[1] if item.me] == ["Ann"]


def test_who_comes_and_goes_changes_the_list(desk: Desk) -> None:
    came(desk, CAROL, "Carol")
    assert desk.changes.people
    went(desk, BOB, "Bob")
    assert people(desk) == [("Ann", True), ("Carol", True), ("Bob", False)]


def test_each_room_has_its_members(desk: Desk) -> None:
    desk.open("plan")
    desk.settle()
    assert people(desk) == [("Ann", True), ("Bob", True)]
    assert desk.chat.header() == ("# plan", "2 members")


def test_what_members_are_in_the_chat_is_as_it_was_told_last(desk: Desk) -> None:
    desk.broker.chat_roles = {BOB: "admin", "u4": "bot"}
    desk.open("plan")
    desk.settle()
    assert [item.chat_role for item in desk.chat.people()[1]] == ["", "admin"]
    assert desk.chat.chat_role_of("u4") == ""
    desk.broker.chat_roles = {}
    desk.tell(effects.Rewound("plan", 0, "e1"))
    desk.settle()
    assert [item.chat_role for item in desk.chat.people()[1]] == ["", ""]


def test_whoever_had_to_wait_is_told_the_members_once_they_are_in() -> None:
    desk = Desk("lobby")
    desk.start()
    desk.tell(effects.Status("waiting", "An admin has to let you in."), effects.Welcomed(desk.broker.welcome()))
    assert desk.room.members is None
    desk.connected = True
    desk.tell(effects.Status("syncing", "syncing"))
    desk.settle()
    assert desk.room.members is not None


def test_until_the_members_are_known_all_who_are_here_are_shown(desk: Desk) -> None:
    desk.open("plan")
    assert [name for name, _ in people(desk)] == ["Ann", "Bob", "Dan"]
    assert desk.chat.header() == ("# plan", "")


def test_who_becomes_a_member_is_in_the_list(desk: Desk) -> None:
    desk.open("plan")
    desk.settle()
    desk.halls["plan"].add(CAROL, "", 5, "joined")
    desk.deliver("plan")
    assert ("Carol", False) in people(desk)
    assert desk.changes.people
    assert desk.changes.header
    desk.halls["plan"].add(CAROL, "", 5, "left")
    desk.deliver("plan")
    assert ("Carol", False) not in people(desk)


def test_without_a_broker_nobody_is_known_to_be_here(desk: Desk) -> None:
    desk.disconnect()
    assert desk.changes.people
    assert desk.chat.people()[0] == "MEMBERS"
    assert not any(here for _, here in people(desk))


# ---- passing by ----------------------------------------------------------------------------------------------------


def test_who_comes_is_told(desk: Desk) -> None:
    came(desk, CAROL, "Carol")
    assert desk.texts() == ["Carol has joined"]
    assert desk.rows[-1].line.kind == "passing"


def test_who_goes_is_told_when_they_do_not_come_back(desk: Desk) -> None:
    went(desk, BOB, "Bob")
    assert desk.texts() == []
    assert desk.chat.deadline() == desk.at.mono + 3
    desk.wait(3)
    assert desk.texts() == ["Bob has left"]
    assert desk.chat.deadline() == float("inf")


def test_a_connection_that_breaks_for_a_moment_is_not_told(desk: Desk) -> None:
    went(desk, BOB, "Bob")
    desk.wait(2)
    came(desk, BOB, "Bob")
    desk.wait(10)
    assert desk.texts() == []


def test_several_are_told_in_one_line(desk: Desk) -> None:
    went(desk, BOB, "Bob")
    desk.wait(3)
    came(desk, CAROL, "Carol")
    came(desk, BOB, "Bob")
    assert desk.texts() == ["Bob has left · Carol has joined · Bob has joined"]


def test_nobody_is_told_of_those_who_are_no_members_or_of_oneself(desk: Desk) -> None:
    went(desk, "u4", "Dan")
    desk.wait(4)
    came(desk, "u4", "Dan")
    came(desk, ME, "Ann")
    assert desk.texts() == []


def test_who_joined_the_room_just_now_is_not_told_twice(desk: Desk) -> None:
    desk.halls["lobby"].members["u4"] = "Dan"
    desk.halls["lobby"].add(CAROL, "", 5, "joined")
    desk.deliver("lobby")
    came(desk, CAROL, "Carol")
    assert desk.texts() == ["Carol joined the room"]


def test_a_newcomer_who_becomes_a_member_of_several_rooms_is_not_told_as_well(desk: Desk) -> None:
    desk.halls["lobby"].members["u4"] = "Dan"
    desk.halls["plan"].add(CAROL, "", 5, "joined")
    desk.deliver("plan")
    came(desk, CAROL, "Carol")
    assert desk.texts() == []
    went(desk, CAROL, "Carol")
    desk.wait(10)
    came(desk, CAROL, "Carol")
    assert desk.texts() == ["Carol has left · Carol has joined"]


def test_after_a_break_those_who_come_back_are_not_told(desk: Desk) -> None:
    desk.disconnect()
    desk.broker.here.pop(BOB)
    desk.connect()
    came(desk, BOB, "Bob")
    assert desk.texts() == []
    desk.wait(60)
    came(desk, CAROL, "Carol")
    assert desk.texts() == ["Carol has joined"]


def test_who_moves_before_it_is_known_who_is_here_is_not_told(desk: Desk) -> None:
    desk.disconnect()
    came(desk, CAROL, "Carol")
    assert desk.texts() == []
    assert desk.chat.here is None


def test_in_no_room_nobody_is_told_of() -> None:
    desk = Desk()
    desk.start()
    desk.tell(effects.People({BOB: "Bob"}))
    came(desk, CAROL, "Carol")
    assert desk.rows == []
    assert desk.chat.people() == ("MEMBERS — 2 online", desk.chat.people()[1])
