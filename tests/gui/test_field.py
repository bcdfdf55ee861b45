"""The field that a message is written in, with real keys."""

import tkinter as tk

import pytest

from chat_client.gui import emoji
from chat_client.gui.field import MOST_LINES
from tests.gui.composing import Desk
from tests.gui.hands import copy, press, type_text, window

CODER = "\U0001f469\u200d\U0001f4bb"


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    return Desk(root)


def test_it_grows_with_its_lines_and_shrinks_again(desk: Desk) -> None:
    assert desk.lines() == 1
    for n in range(2, MOST_LINES + 4):
        press(desk.root, "Shift-Return")
        assert desk.lines() == min(n, MOST_LINES)
    for n in range(MOST_LINES + 2, 0, -1):
        press(desk.root, "BackSpace")
        assert desk.lines() == min(n, MOST_LINES)


def test_it_grows_with_lines_that_are_wrapped_and_shows_all(desk: Desk) -> None:
    desk.composer.set_text("several words " * 30)
    lines = desk.lines()
    assert 3 < lines < MOST_LINES
    assert desk.field.yview() == (0.0, 1.0)
    window(desk.root, 1200, 500)
    assert 1 < desk.lines() < lines


def test_of_a_long_text_the_cursor_is_seen(desk: Desk) -> None:
    desk.composer.set_text("line\n" * 60)
    assert desk.lines() == MOST_LINES
    assert desk.field.bbox("insert-1c") is not None


def test_in_a_low_window_it_leaves_room(root: tk.Tk) -> None:
    desk = Desk(root, width=480, height=200)
    desk.composer.set_text("line\n" * 60)
    assert 2 <= desk.lines() <= 5


def test_the_hint_is_there_while_the_field_is_empty(desk: Desk) -> None:
    desk.composer.show_placeholder("Message #general")
    assert desk.labels() == ["Message #general"]
    assert desk.composer.text() == ""
    press(desk.root, "x")
    assert desk.labels() == []
    press(desk.root, "BackSpace")
    assert desk.labels() == ["Message #general"]


def test_the_border_shows_the_focus(desk: Desk) -> None:
    border = desk.field.nametowidget(desk.field.winfo_parent())
    assert border.instate(["focus"])
    press(desk.root, "Shift-Tab")
    assert not border.instate(["focus"])


@pytest.mark.parametrize("text", [CODER, "\U0001f44d\U0001f3fd", "e\u0301", "\U0001f1e9\U0001f1ea", "x"])
def test_one_press_removes_what_a_person_takes_for_one_letter(desk: Desk, text: str) -> None:
    desk.composer.set_text(f"a\U0001f600{text}")
    press(desk.root, "BackSpace")
    assert desk.composer.text() == "a\U0001f600"
    desk.composer.set_text(f"{text}\U0001f600b")
    press(desk.root, "Control-Home", "Delete")
    assert desk.composer.text() == "\U0001f600b"


def test_the_arrows_step_over_whole_letters(desk: Desk) -> None:
    desk.composer.set_text(f"a{CODER}b")
    press(desk.root, "Left", "Left", "x", "Right", "y")
    assert desk.composer.text() == f"ax{CODER}yb"


def test_removing_joins_lines_and_takes_what_is_selected(desk: Desk) -> None:
    desk.composer.set_text("a\nb")
    press(desk.root, "Left", "BackSpace")
    assert desk.composer.text() == "ab"
    press(desk.root, "Control-a", "BackSpace")
    assert desk.composer.text() == ""
    press(desk.root, "BackSpace", "Delete")


def test_a_word_is_removed_with_control(desk: Desk) -> None:
    desk.composer.set_text("one two three")
    press(desk.root, "Control-BackSpace")
    assert desk.composer.text() == "one two "
    press(desk.root, "Control-Home", "Control-Delete")
    assert desk.composer.text() == " two "


def test_undo_and_redo_but_never_beyond_what_was_sent(desk: Desk) -> None:
    type_text(desk.root, "one two")
    press(desk.root, "Control-z")
    assert desk.composer.text() == "one"
    press(desk.root, "Control-y")
    assert desk.composer.text() == "one two"
    press(desk.root, "Return", "Control-z")
    assert desk.composer.text() == ""


def test_a_paste_is_cleaned_and_replaces_what_is_selected(desk: Desk) -> None:
    type_text(desk.root, "old")
    copy(desk.root, "a\r\nb\rc\x1b\td")
    press(desk.root, "Control-a", "Control-v")
    assert desk.composer.text() == "a\nb\nc\td"
    press(desk.root, "Control-z")
    assert desk.composer.text() == "old"


def test_an_empty_clipboard_pastes_nothing(desk: Desk) -> None:
    desk.root.clipboard_clear()
    desk.root.tk.call("clipboard", "clear")
    press(desk.root, "Control-v", "Shift-Insert", "Insert")
    assert desk.composer.text() == ""


@pytest.mark.parametrize(("put", "there"), [("a\0b", "ab"), ("a\ud800b", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600")])
def test_no_text_breaks_it(desk: Desk, put: str, there: str) -> None:
    desk.composer.insert(put)
    assert desk.composer.text() == there
    desk.composer.set_text(put)
    assert desk.composer.text() == there


def test_a_pasted_book_is_refused(desk: Desk) -> None:
    copy(desk.root, "a line of a book\n" * 20_000)
    press(desk.root, "a", "Control-v")
    assert desk.composer.text() == "a"
    assert desk.labels() == ["340,000 characters are too many to paste: a message has up to 8,192 bytes."]
    copy(desk.root, "a word " * 2000)
    press(desk.root, "Control-v")
    assert desk.labels() == ["14,001 / 8,192"]


def test_a_book_that_is_put_in_is_taken(desk: Desk) -> None:
    desk.composer.insert("a line of a book\n" * 20_000)
    assert desk.lines() == MOST_LINES
    press(desk.root, "Return")
    assert len(desk.sent[0]) > 300_000


def test_where_glyphs_are_dangerous_emoji_are_spelled_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "dangerous", lambda: True)
    copy(desk.root, "hi \U0001f600")
    press(desk.root, "Control-v", "Return")
    assert desk.sent == ["hi :grinning_face:"]


def test_the_windows_own_keys_reach_the_window_and_leave_the_text(desk: Desk) -> None:
    heard = []
    for key in ("k", "f", "i", "o", "t", "b", "e"):
        desk.root.bind(f"<Control-{key}>", lambda event: heard.append(event.keysym))
    desk.composer.set_text("one two")
    press(desk.root, "Home")
    press(desk.root, *(f"Control-{key}" for key in "kfiotbe"))
    assert heard == list("kfiotbe")
    assert desk.composer.text() == "one two"
    assert desk.field.index("insert") == "1.0"
