"""When the broker is away: what the window says, keeps and asks, with real keys and clicks."""

import pytest

from chat_client.gui.app import Wish
from tests.gui.desk import Desk
from tests.gui.seat import Seat
from tests.system.inproc import texts

pytestmark = pytest.mark.real


def alone(desk: Desk, name: str = "ann") -> Seat:
    """Somebody whose broker has just gone away."""
    seat = desk.join(name)
    desk.stop_broker()
    desk.until(lambda: not seat.live(), "the window knows it")
    return seat


def asked(seat: Seat) -> list[str]:
    """What the question says that is asked, once it is."""
    question = seat.app.question
    seat.desk.until(lambda: question.is_open and question.winfo_viewable(), "it asks")
    return seat.labels(question)


def test_the_status_bar_says_that_the_broker_is_away_and_that_it_is_back(desk: Desk) -> None:
    ann = alone(desk)
    assert ann.status().startswith(f"The broker at {desk.where} is away. Trying again every second.")
    assert "What you write is kept." in ann.status()
    desk.until(lambda: ann.here() == [], "nobody is known to be here")
    desk.serve()
    desk.until(ann.live, "it is live by itself")
    desk.until(lambda: ann.here() == ["ann (you)"], "and knows who is here")


def test_what_is_written_meanwhile_is_kept_shown_and_sent_once(desk: Desk) -> None:
    ann = alone(desk)
    ann.send("one")
    ann.send("two")
    ann.sees("one sending…", "two sending…")
    desk.until(lambda: "2 messages not sent yet" in ann.status(), "they are counted")
    broker = desk.serve()
    ann.sees("one ✓", "two ✓")
    desk.until(lambda: "not sent" not in ann.status(), "nothing waits any more")
    assert texts(broker.log("lobby")) == ["one", "two"]


def test_what_others_say_meanwhile_is_there_when_it_is_back(desk: Desk) -> None:
    ann = alone(desk)
    desk.serve()
    desk.guest("bob").say("while you were away")
    ann.sees("while you were away")


def test_what_cannot_be_done_now_is_said(desk: Desk) -> None:
    ann = alone(desk)
    ann.send("/join plans")
    desk.until(lambda: any("The broker is away" in text for text in ann.labels(ann.window.composer)), "it says so")
    assert ann.window.composer.text() == "/join plans"


def test_closing_does_not_ask_when_all_is_sent(desk: Desk) -> None:
    ann = alone(desk)
    ann.press("ctrl+q")
    desk.until(lambda: not ann.is_open, "it closes")


def test_closing_asks_when_something_is_unsent_and_one_can_stay(desk: Desk) -> None:
    ann = alone(desk)
    ann.send("wait for me")
    ann.sees("wait for me sending…")
    ann.press("ctrl+q")
    said = asked(ann)
    assert "Close the chat?" in said
    assert any(text.startswith("1 message is not sent yet.") for text in said)
    ann.press("Right", "Return")  # Stay
    desk.until(lambda: not ann.app.question.is_open, "it is answered")
    assert ann.is_open
    assert ann.focused() is ann.field
    ann.press("ctrl+q")
    asked(ann)
    ann.press("Escape")
    desk.until(lambda: not ann.app.question.is_open, "Esc stays too")
    ann.send("and for me")
    ann.sees("and for me sending…")


def test_while_it_asks_nothing_else_takes_keys_or_clicks(desk: Desk) -> None:
    ann = alone(desk)
    ann.send("wait for me")
    ann.sees("wait for me sending…")
    ann.press("ctrl+q")
    asked(ann)
    ann.click(ann.field)
    ann.press("x", "ctrl+k", "Tab", "Tab", "shift+Tab", "F6", "ctrl+q")
    question = ann.app.question
    assert question.is_open
    assert not ann.window.switcher.is_open
    assert str(ann.focused()).startswith(str(question))
    assert ann.window.composer.text() == ""
    ann.click(ann.button("Stay"))
    desk.until(lambda: not question.is_open, "it is answered")


@pytest.mark.parametrize("by", ["keys", "mouse", "window manager"])
def test_what_is_unsent_when_the_window_closes_is_sent_once_at_the_next_start(desk: Desk, by: str) -> None:
    ann = alone(desk)
    ann.send("wait for me")
    ann.sees("wait for me sending…")
    if by == "window manager":
        desk.until(ann.is_active, "the window manager knows whose the keys are")
        ann.press("alt+F4")
    else:
        ann.press("ctrl+q")
    asked(ann)
    if by == "mouse":
        ann.click(ann.button("Close"))
    else:
        ann.press("Return")
    desk.until(lambda: not ann.is_open, "it closes")
    again = desk.start(Wish("ann", desk.address, theme="light"))
    desk.until(lambda: again.is_chat, "the chat is open without the broker")
    again.sees("wait for me sending…")
    broker = desk.serve()
    again.sees("wait for me ✓")
    desk.until(again.live, "all is well")
    again.send("here I am")
    again.sees("here I am ✓")
    assert texts(broker.log("lobby")) == ["wait for me", "here I am"]
    assert again.said().count("wait for me") == 1


def test_a_broker_that_was_replaced_by_a_backup_is_noticed(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("before the backup")
    ann.sees("before the backup ✓")
    desk.stop_broker()
    desk.backup()
    desk.serve()
    desk.until(ann.live, "it is back")
    ann.send("after the backup")
    ann.sees("after the backup ✓")
    # It has come in as well: what was only acknowledged is no history that could be another one (test_chat_rewinds).
    desk.until(lambda: ann.app.controller is not None and not ann.app.controller.chat.own, "it has come in")
    desk.stop_broker()
    desk.restore()
    desk.serve()
    ann.sees("was replaced by a backup")
    desk.until(ann.live, "it is back")
    assert "before the backup" in ann.said()
    desk.until(lambda: "after the backup" not in ann.said(), "what is gone is gone")
