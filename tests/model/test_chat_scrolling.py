"""Scrolling: older and newer pieces, back to the first event and to the end, from the copy or from the broker."""

import pytest

from chat_client import effects
from chat_client.model import orders
from chat_client.model import room as rooms
from chat_client.model.history import STEP
from chat_core import messages as m
from tests.model.desk import Desk

# Lines in memory here: few, so that a few steps lead away from the end.
WINDOW, SLACK = 300, 30


@pytest.fixture(autouse=True)
def _a_small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "WINDOW", WINDOW)
    monkeypatch.setattr(rooms, "SLACK", SLACK)


def long_room(count: int = 1000, copied: int = 400) -> Desk:
    """A lobby with so many messages, of which the copy has the last ones; Ann is at its end."""
    desk = Desk("lobby", "plan")
    desk.said(*(str(number) for number in range(1, count + 1)), arrive=False)
    desk.start()
    desk.connect()
    copy = desk.copy["lobby"]
    copy.events = desk.halls["lobby"].log[count - copied :]
    desk.start()
    desk.connect()
    return desk


def shown(desk: Desk) -> tuple[int, int]:
    """The first and the last message."""
    numbers = [int(text) for text in desk.texts()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    return numbers[0], numbers[-1]


def up(desk: Desk, times: int) -> None:
    """Scroll to the top, again and again."""
    for _ in range(times):
        desk.scroll(top=True)
        desk.settle()


def test_at_the_top_older_lines_come_from_the_copy() -> None:
    desk = long_room()
    assert shown(desk) == (1000 - STEP + 1, 1000)
    desk.forget()
    desk.scroll(top=True)
    desk.disk()
    assert shown(desk) == (1000 - 2 * STEP + 1, 1000)
    assert not desk.asks
    assert desk.changes.place is None


def test_where_the_copy_ends_the_broker_is_asked_and_the_copy_grows() -> None:
    desk = long_room(copied=150)
    up(desk, 1)
    assert shown(desk) == (851, 1000)
    desk.scroll(top=True)
    desk.disk()
    (page,) = [ask.request for ask in desk.asks if isinstance(ask.request, m.Page)]
    assert (page.after, page.upto) == (750, 851)
    desk.settle()
    assert shown(desk) == (751, 1000)
    assert desk.copy["lobby"].events[0].seq == 751


def test_one_can_scroll_back_to_the_first_event_and_again_to_the_last() -> None:
    desk = long_room()
    up(desk, 12)
    assert desk.room.lowest == 1
    assert not desk.room.at_end
    assert len(desk.rows) <= WINDOW + SLACK
    up(desk, 1)
    assert not desk.jobs
    assert not desk.asks
    for _ in range(12):
        desk.scroll(end=True)
        desk.settle()
    assert shown(desk)[1] == 1000
    assert desk.room.at_end
    assert len(desk.rows) <= WINDOW + SLACK


def test_while_a_piece_is_on_its_way_no_other_is_fetched() -> None:
    desk = long_room()
    desk.scroll(top=True)
    desk.scroll(top=True)
    desk.scroll(top=True, end=True)
    assert len([job for job in desk.jobs if isinstance(job, orders.Look)]) == 1


def test_without_a_broker_what_the_copy_has_is_shown_to_its_first_line() -> None:
    desk = long_room(copied=130)
    desk.disconnect()
    up(desk, 1)
    assert shown(desk) == (871, 1000)
    up(desk, 1)
    assert shown(desk) == (871, 1000)
    desk.connect()
    desk.settle()
    assert shown(desk) == (771, 1000)


def test_who_scrolls_up_stays_there_while_more_is_said() -> None:
    desk = long_room()
    up(desk, 5)
    assert not desk.room.at_end
    before = desk.texts()
    desk.said("1001", "1002")
    assert desk.texts() == before
    assert desk.chat.jump_text() == "2 new ↓"


def test_the_jump_back_to_the_end_shows_what_was_said_meanwhile() -> None:
    desk = long_room()
    up(desk, 5)
    desk.said("1001")
    desk.forget()
    desk.chat.jump()
    desk.flush()
    desk.said("1002")  # while the end is being fetched
    desk.disk()
    assert desk.changes.place == ""
    assert shown(desk)[1] == 1002
    assert desk.room.at_end
    assert desk.chat.jump_text() == ""
    desk.said("1003")
    assert shown(desk)[1] == 1003


def test_a_jump_while_very_much_is_said_goes_on_until_the_end_is_reached() -> None:
    desk = long_room()
    up(desk, 5)
    desk.chat.jump()
    desk.flush()
    desk.said(*(str(number) for number in range(1001, 2001)))
    desk.disk()
    assert shown(desk)[1] == 2000
    assert desk.room.at_end


def test_who_says_something_further_up_is_taken_to_the_end() -> None:
    desk = long_room()
    up(desk, 5)
    desk.type("1001")
    assert "1001" not in desk.texts(), "it does not follow on what is shown"
    desk.settle()
    assert desk.follows_end
    assert shown(desk)[1] == 1001


def test_an_answer_to_a_command_is_seen_wherever_one_reads() -> None:
    desk = long_room()
    up(desk, 5)
    desk.type("/help")
    desk.settle()
    assert "/join ROOM" in desk.texts()[-1]


def test_a_step_down_follows_on_the_last_line() -> None:
    desk = long_room()
    up(desk, 8)
    last = shown(desk)[1]
    desk.forget()
    desk.scroll(end=True)
    desk.disk()
    assert shown(desk)[1] == last + STEP
    assert desk.changes.place is None


def test_pieces_of_a_room_that_one_has_left_are_of_no_interest() -> None:
    desk = long_room()
    desk.scroll(top=True)
    desk.open("plan")
    desk.disk()
    desk.open("lobby")
    desk.disk()
    assert shown(desk) == (901, 1000)
    desk.scroll(top=True)
    desk.disk()
    assert shown(desk) == (801, 1000)


def test_a_room_that_was_left_further_up_is_opened_at_its_end() -> None:
    desk = long_room()
    up(desk, 5)
    desk.open("plan")
    desk.open("lobby")
    assert desk.chat.empty_text() == "Reading…"
    desk.said("1001")
    desk.disk()
    assert shown(desk) == (901, 1001)


def test_what_the_broker_could_not_answer_is_asked_again_when_it_is_back() -> None:
    desk = long_room()
    up(desk, 5)
    desk.open("plan")
    desk.settle()
    desk.disconnect()
    desk.open("lobby")
    copied, desk.copy["lobby"].events = desk.copy["lobby"].events, []
    desk.disk()
    desk.copy["lobby"].events = copied
    (ask,) = desk.asks
    desk.asks.clear()
    desk.connect(sync=False)
    desk.tell(effects.Answered(ask.token, m.Refused(1, "no_room", "There is no such room.", "final")))
    assert desk.rows == []
    desk.catch_up()
    assert shown(desk)[1] == 1000


def test_an_empty_room_says_so() -> None:
    desk = Desk("lobby")
    desk.start()
    desk.connect()
    assert desk.chat.empty_text() == "Nothing was said here yet. Say hello!"
    desk.disconnect()
    assert desk.chat.empty_text().startswith("Nothing of this room is on this machine yet.")


def test_scrolling_in_no_room_does_nothing() -> None:
    desk = Desk()
    desk.start()
    desk.scroll(top=True, end=True)
    desk.chat.jump()
    desk.chat.escape()
    desk.chat.focus(True)
    desk.flush()
    assert not desk.jobs
