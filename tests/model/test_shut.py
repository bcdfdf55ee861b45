"""Why nothing can be written in a room, as the window's composer says it; and what its lists say of rooms."""

from datetime import datetime

import pytest

from chat_client import effects
from chat_client.model import asking
from chat_client.model.commands import Do
from chat_client.model.room import RoomState
from chat_client.model.shut import shut_text
from chat_core import messages as m
from tests.model.desk import Desk
from tests.model.hall import BOB, CAROL, ME
from tests.model.test_chat_private import asked, info

NOON = int(datetime(2026, 11, 25, 12, 0).timestamp() * 1000)
HOUR = 3_600_000


@pytest.fixture
def desk() -> Desk:
    """Ann is in the lobby, and live."""
    desk = Desk("lobby")
    desk.start()
    desk.connect()
    return desk


def room(**fields: object) -> RoomState:
    """A room in which I am a member."""
    made = RoomState("plan", "plan", kind="private", role="member")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"closed": "Bob removed you."}, "Bob removed you."),
        ({"archived": True}, "archived"),
        ({"archived": True, "role": "owner"}, "archived"),
        ({"read_only": True}, "Only those who look after"),
        ({"role": "muted"}, "muted here:"),
        ({"role": "muted", "until": NOON + HOUR}, "muted here until 13:00:"),
        ({"role": "muted", "until": NOON + 24 * HOUR}, "muted here until 2026-11-26 12:00:"),
        ({"kind": "audit", "role": ""}, "nobody else"),
    ],
)
def test_whoever_may_not_write_is_told_why(fields: dict[str, object], words: str) -> None:
    text = shut_text(room(**fields), NOON)
    assert words in text
    assert bool(text) == bool(words)


@pytest.mark.parametrize("role", ["owner", "moderator"])
def test_those_who_look_after_a_room_write_in_it_while_it_is_read_only(role: str) -> None:
    assert shut_text(room(read_only=True, role=role), NOON) == ""


def test_who_was_muted_writes_again_when_that_is_over() -> None:
    assert shut_text(room(role="muted", until=NOON), NOON) == ""
    assert shut_text(room(role="muted", until=NOON + 1), NOON) != ""


def test_a_direct_room_tells_whether_the_other_one_is_here(desk: Desk) -> None:
    one, two = [(ME, "Ann"), (BOB, "Bob")], [(ME, "Ann"), (BOB, "Bob"), (CAROL, "Carol")]
    desk.chat.add(info("@u1+u2", kind="direct", people=one, role="member"))
    desk.chat.add(info("@u1+u2+u3", kind="direct", people=two, role="member"))
    told = lambda: [(item.here, item.group, item.quiet) for item in desk.chat.room_items()[1:]]  # noqa: E731
    desk.tell(effects.People({ME: "Ann", BOB: "Bob"}))
    assert told() == [(True, False, False), (True, True, False)]
    desk.tell(effects.Moved([], [(BOB, "Bob")]))
    assert told() == [(False, False, False), (False, True, False)]


def test_invitations_are_listed_by_themselves_until_they_are_taken_or_declined(desk: Desk) -> None:
    desk.chat.invited = {"plan": m.RoomInfo("plan", "plan", (0, "0" * 16), kind="private", invited=True)}
    assert [(item.id, item.kind, item.invited) for item in desk.chat.invitations()] == [("plan", "private", True)]
    assert "plan" not in [item.id for item in desk.chat.room_items()]
    desk.chat.add(info("plan"))
    assert desk.chat.invitations() == []


def test_whoever_was_removed_sees_what_they_have_of_the_room_and_may_be_let_in_again(desk: Desk) -> None:
    desk.chat.add(info("plan"))
    desk.tell(effects.Removed("plan", "Bob", ""))
    desk.type("/join plan")
    assert desk.chat.current == "plan"
    assert isinstance(asked(desk), m.Join)
    no = m.Refused(0, "no_room", "There is no such room.", "final")
    desk.tell(effects.Answered(desk.asks[-1].token, no))
    assert "You are not in #plan any more, and not invited to it." in desk.texts()


def test_a_command_may_be_about_another_room_than_the_one_that_is_open(desk: Desk) -> None:
    desk.chat.add(info("plan"))
    assert asking.ask(desk.chat, Do("readonly"), desk.at, desk.chat.rooms["plan"]) == ""
    desk.flush()
    request = asked(desk)
    assert isinstance(request, m.Change)
    assert (request.room, request.read_only) == ("plan", True)


def test_nothing_is_asked_while_the_broker_is_away(desk: Desk) -> None:
    desk.tell(effects.Status("offline", "gone"))
    assert asking.ask(desk.chat, Do("readonly"), desk.at) == asking.AWAY
