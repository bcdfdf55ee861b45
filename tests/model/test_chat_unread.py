"""What is unread, where the "new" rule stands, and when somebody has seen what came in."""

import pytest

from chat_client import effects
from tests.model.desk import Desk
from tests.model.hall import CAROL, ME


@pytest.fixture
def desk() -> Desk:
    """Ann looks at the lobby, where all is read."""
    desk = Desk("lobby", "plan")
    desk.start()
    desk.connect()
    desk.said("hello")
    desk.settle()
    return desk


def unread(desk: Desk) -> dict[str, int]:
    """What the list of rooms says."""
    return {item.id: item.unread for item in desk.chat.room_items()}


def new(desk: Desk) -> list[str]:
    """Above what the "new" rule stands."""
    return [row.line.text for row in desk.rows if row.new]


# ---- looking -------------------------------------------------------------------------------------------------------


def test_what_one_sees_coming_in_is_read(desk: Desk) -> None:
    desk.said("one", "two")
    assert unread(desk) == {"lobby": 0, "plan": 0}
    assert new(desk) == []
    desk.disk()
    assert desk.copy["lobby"].read == 3


def test_what_comes_into_another_room_is_unread(desk: Desk) -> None:
    desk.said("one", "two @Ann", room="plan")
    assert unread(desk) == {"lobby": 0, "plan": 2}
    assert [item.mentions for item in desk.chat.room_items()] == [0, 1]
    assert desk.chat.title() == "(2) #lobby — Ann's broker"
    assert desk.changes.rooms


def test_what_comes_in_while_one_works_elsewhere_is_unread(desk: Desk) -> None:
    desk.chat.focus(False)
    desk.said("one", "two")
    assert unread(desk)["lobby"] == 2
    assert new(desk) == ["one"]
    desk.chat.focus(True)
    desk.flush()
    assert unread(desk)["lobby"] == 0
    assert new(desk) == ["one"], "it is still to be seen where the new ones begin"
    desk.said("three")
    assert new(desk) == ["one"]


def test_the_rule_moves_on_when_one_looks_away_again(desk: Desk) -> None:
    for text in ("one", "two"):
        desk.chat.focus(False)
        desk.said(text)
        desk.chat.focus(True)
    desk.flush()
    assert new(desk) == ["two"]


def test_what_comes_in_below_what_one_reads_is_unread_and_counted_on_the_button(desk: Desk) -> None:
    assert desk.chat.jump_text() == ""
    desk.scroll()
    assert desk.chat.jump_text() == "Jump to the end ↓"
    desk.said("one", "two")
    assert desk.chat.jump_text() == "2 new ↓"
    assert unread(desk)["lobby"] == 2
    desk.scroll(end=True)
    assert desk.chat.jump_text() == ""
    assert unread(desk)["lobby"] == 0


def test_the_button_leads_to_the_end(desk: Desk) -> None:
    desk.scroll()
    desk.said("one")
    desk.chat.jump()
    assert desk.flush().to_end
    assert unread(desk)["lobby"] == 0


def test_own_messages_and_what_is_no_message_are_never_unread(desk: Desk) -> None:
    desk.chat.focus(False)
    desk.said("from my other machine", who=ME)
    desk.halls["lobby"].add(CAROL, "", 5, "joined")
    desk.deliver("lobby")
    assert unread(desk)["lobby"] == 0
    assert new(desk) == []


def test_escape_reads_all_takes_the_rule_away_and_goes_to_the_end(desk: Desk) -> None:
    desk.chat.focus(False)
    desk.scroll()
    desk.said("one")
    desk.chat.escape()
    assert desk.flush().to_end
    assert new(desk) == []
    assert unread(desk)["lobby"] == 0


def test_who_answers_has_read(desk: Desk) -> None:
    desk.chat.focus(False)
    desk.said("one")
    desk.scroll()
    desk.type("hello")
    assert unread(desk)["lobby"] == 0
    assert new(desk) == []
    assert desk.changes.to_end


def test_the_disk_is_told_once_how_far_was_read(desk: Desk) -> None:
    desk.disk()
    desk.scroll(end=True)
    desk.chat.escape()
    desk.flush()
    assert not desk.jobs


# ---- going to a room with something unread -------------------------------------------------------------------------


def test_a_room_is_begun_at_its_first_unread_message(desk: Desk) -> None:
    desk.said("zero", room="plan")
    desk.open("plan")
    desk.scroll(end=True)
    desk.open("lobby")
    desk.said("one", "two", room="plan")
    desk.open("plan")
    assert desk.changes.place == desk.key("one")
    assert new(desk) == ["one"]
    assert unread(desk)["plan"] == 2
    assert desk.chat.jump_text() == "2 new ↓"
    desk.scroll(end=True)
    assert unread(desk)["plan"] == 0


def test_a_room_in_which_all_is_read_is_begun_at_its_end(desk: Desk) -> None:
    desk.open("plan")
    desk.settle()
    assert desk.changes.place == ""
    desk.said("one", room="plan")
    assert unread(desk)["plan"] == 0


def test_unread_messages_that_are_not_in_memory_are_fetched(desk: Desk) -> None:
    desk.said(*(str(number) for number in range(700)), room="plan")
    desk.disk()
    desk.open("plan")
    assert unread(desk)["plan"] == 700
    desk.disk()
    assert desk.changes.place == desk.key("0")
    assert new(desk) == ["0"]
    assert desk.texts() == [str(number) for number in range(700)]


def test_of_very_many_unread_messages_the_first_are_shown(desk: Desk) -> None:
    desk.said(*(str(number) for number in range(2000)), room="plan")
    desk.disk()
    desk.open("plan")
    desk.disk()
    assert desk.changes.place == desk.key("0")
    assert not desk.room.at_end
    assert desk.chat.jump_text() == "2000 new ↓"
    desk.said("meanwhile", room="plan")
    assert unread(desk)["plan"] == 2001
    desk.chat.jump()
    desk.settle()
    assert desk.texts()[-1] == "meanwhile"
    assert unread(desk)["plan"] == 0


def test_an_unread_message_far_above_is_not_read_before_it_is_fetched(desk: Desk) -> None:
    desk.said("Ann, are you there?", room="plan")
    desk.said(*(str(number) for number in range(700)), room="plan", who=ME)
    desk.disk()
    desk.open("plan")
    assert unread(desk)["plan"] == 1
    desk.disk()
    assert desk.changes.place == desk.key("Ann, are you there?")


def test_what_comes_in_while_unread_messages_are_fetched_is_unread_too(desk: Desk) -> None:
    desk.said(*(str(number) for number in range(700)), room="plan")
    desk.disk()
    desk.open("plan")
    desk.said("meanwhile", room="plan")
    assert unread(desk)["plan"] == 701
    desk.disk()
    assert desk.changes.place == desk.key("0")
    assert desk.texts()[-1] == "meanwhile"


def test_who_goes_to_the_end_first_is_not_led_back(desk: Desk) -> None:
    desk.said(*(str(number) for number in range(700)), room="plan")
    desk.disk()
    desk.open("plan")
    desk.forget()
    desk.chat.escape()
    desk.flush()
    desk.disk()
    assert desk.changes.place is None
    assert desk.texts()[-1] == "699"
    assert unread(desk)["plan"] == 0


def test_the_rule_goes_when_one_leaves_the_room(desk: Desk) -> None:
    desk.said("one", room="plan")
    desk.open("plan")
    desk.settle()
    desk.scroll(end=True)
    desk.open("lobby")
    desk.open("plan")
    assert new(desk) == []


def test_a_view_that_has_not_told_yet_where_it_is_has_not_seen_the_end(desk: Desk) -> None:
    desk.said("one", room="plan")
    desk.settle()
    desk.chat.open("plan")  # and before the view can show it:
    desk.chat.apply(effects.Arrived("plan", [desk.halls["plan"].add(CAROL, "two", 5)]), desk.at)
    desk.followed["plan"].append(desk.halls["plan"].log[-1])
    assert unread(desk)["plan"] == 2


# ---- being away ----------------------------------------------------------------------------------------------------


def test_what_was_missed_is_read_from_its_beginning(desk: Desk) -> None:
    desk.disconnect()
    desk.said(*"abc", arrive=False)
    desk.connect(sync=False)
    desk.settle()
    assert unread(desk)["lobby"] == 3, "it is not seen while it is still coming in"
    desk.tell(effects.Status("live", "connected"))
    assert desk.changes.place == desk.key("a")
    assert new(desk) == ["a"]


def test_who_reads_further_up_stays_there(desk: Desk) -> None:
    desk.disconnect()
    desk.scroll()
    desk.forget()
    desk.said("missed", arrive=False)
    desk.connect()
    assert desk.changes.place is None
    assert desk.chat.jump_text() == "1 new ↓"


def test_a_short_break_in_which_nothing_was_said_moves_nothing(desk: Desk) -> None:
    desk.forget()
    desk.disconnect()
    desk.connect()
    assert desk.changes.place is None
    assert unread(desk)["lobby"] == 0


def test_what_was_missed_in_other_rooms_is_unread(desk: Desk) -> None:
    desk.disconnect()
    desk.said("missed", room="plan", arrive=False)
    desk.connect()
    assert unread(desk) == {"lobby": 0, "plan": 1}
