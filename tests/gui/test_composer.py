"""The composer, with real keys."""

import tkinter as tk
from tkinter import ttk

import pytest

from chat_client.gui import emoji
from chat_client.gui.composer import Composer
from chat_client.gui.field import MOST_LINES, GrowingText
from chat_client.gui.look import Look
from chat_client.gui.popup import ChoiceList
from chat_client.model.shown import Choice
from tests.gui.hands import click, copy, not_whole, press, settle, type_text, until, window

NAMES = ("ann", "anna", "annabel", "bob")
CODER = "\U0001f469\u200d\U0001f4bb"


class Desk:
    """A composer in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk, *, width: int = 800, height: int = 500, scale: float = 1.0) -> None:
        self.root = root
        self.sent: list[str] = []
        self.problem = ""
        self.last: str | None = "the last one"
        self.asked = 0
        self.outside: list[str] = []
        self.look = Look(root, scale=scale)
        self.composer = Composer(
            root, self.look, on_send=self.send, on_complete=self.complete, on_edit_last=self.edit_last
        )
        self.composer.pack(side="bottom", fill="x")
        window(root, width, height)
        self.composer.focus()
        settle(root)
        self.field = next(part for part in parts(self.composer) if isinstance(part, GrowingText))
        self.list = next(part for part in parts(root) if isinstance(part, ChoiceList))

    def send(self, text: str) -> str:
        self.sent.append(text)
        return self.problem

    def complete(self, before: str) -> tuple[int, list[Choice]]:
        word = before.split(" ")[-1]
        return len(word), [Choice(f"{n} ", n, "here") for n in NAMES if word and n.startswith(word)]

    def edit_last(self) -> str | None:
        self.asked += 1
        return self.last

    def lines(self) -> int:
        settle(self.root)
        return round(self.field.winfo_height() / self.look.font("text").metrics("linespace"))

    def labels(self) -> list[str]:
        settle(self.root)
        seen = [part for part in parts(self.composer) if isinstance(part, ttk.Label) and part.winfo_viewable()]
        return [str(label.cget("text")) for label in seen if label.cget("text")]

    def choices(self) -> list[str]:
        return [choice.label for choice in self.list.choices] if self.list.winfo_viewable() else []


def parts(widget: tk.Misc) -> list[tk.Misc]:
    return [widget, *(part for child in widget.winfo_children() for part in parts(child))]


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


# ---- the field


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


def test_a_pasted_book_is_taken(desk: Desk) -> None:
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
