"""Drafts: what stands in the composer of each room, unsent, is there again when one comes back."""

import pytest

from chat_client import effects
from chat_client.model import choosing, orders
from tests.model.desk import Desk
from tests.model.hall import ME


@pytest.fixture
def desk() -> Desk:
    """Ann is in the lobby and in the plan; there is a garden too."""
    desk = Desk("lobby", "plan", "garden")
    del desk.halls["garden"].members[ME]
    desk.start()
    desk.connect()
    return desk


def drafts(desk: Desk) -> dict[str, str]:
    """What is kept on disk."""
    desk.disk()
    return {room: kept.draft for room, kept in desk.copy.items() if kept.draft}


def test_a_draft_stays_with_its_room(desk: Desk) -> None:
    desk.open("plan", "for the lobby")
    assert desk.room.draft == ""
    desk.open("lobby", "for the plan")
    assert desk.room.draft == "for the lobby"
    assert desk.changes.composer
    assert drafts(desk) == {"lobby": "for the lobby", "plan": "for the plan"}
    assert [item.draft for item in desk.chat.room_items()] == [True, True]


def test_a_draft_is_there_after_a_restart(desk: Desk) -> None:
    desk.chat.keep_draft("half a mess")
    desk.flush()
    desk.disk()
    desk.start()
    assert desk.room.draft == "half a mess"


def test_a_draft_is_written_when_it_changes(desk: Desk) -> None:
    desk.disk()
    desk.chat.keep_draft("one")
    desk.chat.keep_draft("one")
    desk.flush()
    assert list(desk.jobs) == [orders.KeepDraft("lobby", "one")]


def test_what_was_sent_is_no_draft(desk: Desk) -> None:
    desk.chat.keep_draft("hello")
    desk.type("hello")
    assert drafts(desk) == {}
    desk.chat.keep_draft("")
    desk.flush()
    assert not desk.jobs


def test_what_could_not_be_sent_stays(desk: Desk) -> None:
    desk.chat.keep_draft("/jion")
    assert desk.type("/jion")
    assert drafts(desk) == {"lobby": "/jion"}


def test_a_command_that_opens_a_room_is_no_draft_of_either(desk: Desk) -> None:
    desk.open("plan", "")
    desk.open("lobby", "for the plan")
    desk.chat.keep_draft("/join plan")
    desk.type("/join plan")
    assert desk.room.draft == "for the plan"
    assert drafts(desk) == {"plan": "for the plan"}


def test_a_room_that_is_joined_by_the_switcher_leaves_the_draft_alone(desk: Desk) -> None:
    desk.tell(effects.Directory())
    desk.settle()
    choosing.go(desk.chat, "join:garden", "half a mess", desk.at)
    desk.settle()
    assert desk.chat.current == "garden"
    assert drafts(desk) == {"lobby": "half a mess"}


def test_what_is_typed_while_a_room_is_being_joined_stays(desk: Desk) -> None:
    desk.type("/join garden")
    desk.chat.keep_draft("meanwhile")
    desk.settle()
    assert desk.chat.current == "garden"
    assert drafts(desk) == {"lobby": "meanwhile"}


def test_the_join_strings_room_leaves_the_draft_of_the_first_room_alone(desk: Desk) -> None:
    desk.chat.keep_draft("half a mess")
    desk.flush()
    desk.disk()
    desk.start()
    desk.chat.wanted = "plan"
    desk.connect()
    assert desk.chat.current == "plan"
    assert drafts(desk) == {"lobby": "half a mess"}


def test_in_no_room_there_is_no_draft() -> None:
    desk = Desk()
    desk.start()
    desk.chat.keep_draft("hello")
    desk.flush()
    assert not desk.jobs
