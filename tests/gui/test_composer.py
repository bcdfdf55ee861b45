"""The composer, with real keys."""

import tkinter as tk
from tkinter import ttk

import pytest

from chat_client.gui.popup import ChoiceList
from tests.gui.composing import Desk, parts
from tests.gui.hands import click, not_whole, press, settle, type_text, until


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    return Desk(root)


# ---- sending


@pytest.mark.parametrize("key", ["Return", "KP_Enter"])
def test_enter_sends_and_clears(desk: Desk, key: str) -> None:
    type_text(desk.root, "hello")
    press(desk.root, key)
    assert (desk.sent, desk.composer.text()) == (["hello"], "")


def test_shift_enter_breaks_the_line(desk: Desk) -> None:
    type_text(desk.root, "a")
    press(desk.root, "Shift-Return", "b", "Return")
    assert desk.sent == ["a\nb"]


def test_the_button_sends_and_the_focus_stays_in_the_field(desk: Desk) -> None:
    type_text(desk.root, "hello")
    button = next(part for part in parts(desk.composer) if isinstance(part, ttk.Button))
    click(button)
    assert desk.sent == ["hello"]
    assert desk.root.focus_get() is desk.field


def test_nothing_is_not_sent(desk: Desk) -> None:
    press(desk.root, "Return", "space", "Shift-Return", "Return")
    assert desk.sent == []


def test_empty_lines_around_a_message_are_not_sent_but_its_indent_is(desk: Desk) -> None:
    desk.composer.set_text("\n\n    code \n\n")
    press(desk.root, "Return")
    assert desk.sent == ["    code"]


def test_what_is_wrong_is_said_until_something_is_typed(desk: Desk) -> None:
    desk.problem = "No."
    type_text(desk.root, "hello")
    press(desk.root, "Return")
    assert desk.composer.text() == "hello"
    assert desk.labels() == ["No."]
    press(desk.root, "Left")
    assert desk.labels() == ["No."]
    press(desk.root, "x")
    assert desk.labels() == []


def test_an_error_shown_just_after_a_change_stays(desk: Desk) -> None:
    desk.composer.set_text("hello")
    desk.composer.show_error("No.")
    settle(desk.root)
    assert desk.labels() == ["No."]


def test_while_it_is_sent_it_is_no_draft(desk: Desk) -> None:
    drafts = []

    def send(text: str) -> str:
        drafts.append(desk.composer.text())
        desk.composer.set_text("another room's draft")
        return ""

    desk.composer._on_send = send
    desk.composer.set_text("/join other")
    press(desk.root, "Return")
    assert drafts == [""]
    assert desk.composer.text() == "another room's draft"


def test_the_bytes_are_counted_when_they_get_many(desk: Desk) -> None:
    desk.composer.set_text("x" * 6999)
    assert desk.labels() == []
    desk.composer.insert("é")
    assert desk.labels() == ["7,001 / 8,192"]
    desk.composer.insert("x" * 2000)
    assert desk.labels() == ["9,001 / 8,192"]


# ---- editing the last one


def test_up_in_an_empty_field_edits_the_last_message(desk: Desk) -> None:
    press(desk.root, "Up")
    assert desk.composer.text() == "the last one"
    press(desk.root, "Up", "End", "x")
    assert (desk.composer.text(), desk.asked) == ("the last onex", 1)


def test_up_does_nothing_if_there_is_no_last_message(desk: Desk) -> None:
    desk.last = None
    press(desk.root, "Up")
    assert (desk.composer.text(), desk.asked) == ("", 1)


def test_up_with_alt_is_the_windows(desk: Desk) -> None:
    desk.root.bind("<Alt-Up>", lambda event: desk.outside.append("up"))
    press(desk.root, "Alt-Up")
    assert (desk.asked, desk.outside) == (0, ["up"])


# ---- completion


def test_tab_puts_in_what_alone_can_be_meant(desk: Desk) -> None:
    type_text(desk.root, "hi b")
    press(desk.root, "Tab")
    assert desk.composer.text() == "hi bob "
    assert desk.choices() == []


def test_tab_does_nothing_if_there_is_nothing_to_complete(desk: Desk) -> None:
    type_text(desk.root, "zz")
    press(desk.root, "Tab")
    assert desk.composer.text() == "zz"
    assert desk.root.focus_get() is desk.field


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (["Return"], "ann "),
        (["Tab", "KP_Enter"], "anna "),
        (["Down", "Down", "Return"], "annabel "),
        (["Down", "Down", "Down", "Return"], "ann "),
        (["Shift-Tab", "Return"], "annabel "),
        (["Shift-ISO_Left_Tab", "Up", "Return"], "anna "),
        (["Next", "Return"], "annabel "),
    ],
)
def test_several_choices_are_a_list_to_choose_from(desk: Desk, keys: list[str], chosen: str) -> None:
    type_text(desk.root, "hi an")
    press(desk.root, "Tab")
    assert desk.choices() == ["ann", "anna", "annabel"]
    press(desk.root, *keys)
    assert (desk.composer.text(), desk.choices(), desk.sent) == (f"hi {chosen}", [], [])


def test_typing_goes_on_and_filters_the_list(desk: Desk) -> None:
    press(desk.root, "a", "Tab", "n", "n", "a")
    assert desk.choices() == ["anna", "annabel"]
    press(desk.root, "BackSpace")
    assert desk.choices() == ["ann", "anna", "annabel"]
    press(desk.root, "z")
    assert desk.choices() == []
    press(desk.root, "Return")
    assert desk.sent == ["annz"]


def test_keys_that_come_faster_than_the_list_complete_what_was_typed(desk: Desk) -> None:
    press(desk.root, "a", "Tab")
    for key in ("n", "n", "a", "Return"):
        desk.field.event_generate(f"<KeyPress-{key}>")
    settle(desk.root)
    assert (desk.composer.text(), desk.sent) == ("anna ", [])


@pytest.mark.parametrize("key", ["Escape", "Home"])
def test_the_list_goes_away_by_escape_or_with_the_cursor(desk: Desk, key: str) -> None:
    desk.root.bind("<Escape>", lambda event: desk.outside.append("escape"))
    press(desk.root, "a", "Tab", key)
    assert (desk.choices(), desk.composer.text(), desk.outside) == ([], "a", [])
    press(desk.root, "Escape")
    assert desk.outside == ["escape"]


def test_the_list_goes_away_with_the_focus(desk: Desk) -> None:
    press(desk.root, "a", "Tab")
    other = ttk.Entry(desk.root)
    other.pack()
    other.focus_set()
    settle(desk.root)
    assert desk.choices() == []


def test_a_choice_can_be_clicked(desk: Desk) -> None:
    press(desk.root, "a", "Tab")
    rows = next(part for part in parts(desk.list) if isinstance(part, tk.Text))
    box = rows.dlineinfo("2.0")
    assert box is not None
    click(rows, 20, box[1] + 4)
    assert desk.composer.text() == "anna "
    assert desk.root.focus_get() is desk.field


def test_the_list_stands_above_the_field_inside_the_window(desk: Desk) -> None:
    press(desk.root, "a", "Tab")
    bottom = desk.list.winfo_rooty() + desk.list.winfo_height()
    assert desk.root.winfo_rooty() <= desk.list.winfo_rooty() < bottom <= desk.field.winfo_rooty()


# ---- how it looks


@pytest.mark.parametrize(("scale", "zoom"), [(1.0, 0), (1.5, 0), (2.0, 0), (1.0, 5)])
def test_nothing_is_cut_off_in_the_smallest_window(root: tk.Tk, scale: float, zoom: int) -> None:
    desk = Desk(root, width=round(480 * scale), height=round(360 * scale), scale=scale)
    desk.look.set_zoom(zoom)
    desk.composer.show_placeholder("Message #general — Enter sends, Shift+Enter for a new line, and so on and on")
    settle(root)
    assert not_whole(desk.composer) == []
    desk.problem = "The message is longer than 8192 bytes: send it in parts. " * 2
    desk.composer.set_text("word " * 1600)
    press(root, "Return")
    assert not_whole(desk.composer) == []


def test_another_theme_and_zoom_are_followed(desk: Desk) -> None:
    desk.composer.set_text("word " * 40)
    lines = desk.lines()
    desk.look.set_theme("dark")
    desk.look.set_zoom(8)
    until(desk.root, lambda: desk.lines() > lines)
    assert desk.field.cget("background") == desk.look.palette.field_bg


def test_a_composer_that_is_gone_is_left_alone(desk: Desk) -> None:
    press(desk.root, "a", "Tab")
    desk.composer.destroy()
    desk.look.set_theme("dark")
    settle(desk.root)
    assert not any(isinstance(part, ChoiceList) for part in parts(desk.root))
