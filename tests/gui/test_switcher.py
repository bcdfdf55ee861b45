"""The switcher, with real keys and clicks."""

import time
import tkinter as tk
from tkinter import ttk

import pytest

from chat_client.gui import emoji
from chat_client.gui.look import Look
from chat_client.gui.popup import ChoiceList
from chat_client.gui.switcher import Switcher, matching
from chat_client.model.shown import Choice
from tests.gui.hands import below, click, copy, press, settle, type_text, window

CHOICES = [Choice(name, f"# {name}", "") for name in ("general", "game-night", "random", "ops-general")]


class Desk:
    """A switcher over a window with two fields, and what was picked."""

    def __init__(self, root: tk.Tk, width: int = 700, height: int = 500, scale: float = 1.0) -> None:
        self.root = root
        self.picked: list[str] = []
        self.look = Look(root, scale=scale)
        self.fields = [ttk.Entry(root), ttk.Entry(root)]
        for field in self.fields:
            field.pack(side="bottom")
        self.switcher = Switcher(root, self.look, on_pick=self.picked.append)
        window(root, width, height)
        self.fields[0].focus_set()
        settle(root)
        self.list = next(part for part in self.switcher.winfo_children() if isinstance(part, ChoiceList))

    def open(self, choices: list[Choice] | None = None) -> None:
        self.switcher.open(CHOICES if choices is None else choices)
        settle(self.root)

    def shown(self) -> list[str]:
        settle(self.root)
        return [choice.value for choice in self.list.choices] if self.list.winfo_viewable() else []


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    made = Desk(root)
    made.open()
    return made


def test_enter_takes_the_first_and_the_focus_returns(desk: Desk) -> None:
    assert desk.shown() == ["general", "game-night", "random", "ops-general"]
    press(desk.root, "Return")
    assert (desk.picked, desk.switcher.is_open) == (["general"], False)
    assert desk.root.focus_get() is desk.fields[0]


@pytest.mark.parametrize(
    ("keys", "picked"),
    [
        (["Down"], "game-night"),
        (["Up"], "ops-general"),
        (["Tab", "Tab", "Shift-Tab"], "game-night"),
        (["Down", "Shift-ISO_Left_Tab"], "general"),
        (["Next"], "ops-general"),
        (["Next", "Down"], "general"),
        (["Next", "Prior"], "general"),
    ],
)
def test_keys_choose(desk: Desk, keys: list[str], picked: str) -> None:
    press(desk.root, *keys, "KP_Enter")
    assert desk.picked == [picked]


def test_typing_filters_best_first(desk: Desk) -> None:
    press(desk.root, "Down")
    type_text(desk.root, "gene")
    assert desk.shown() == ["general", "ops-general"]
    press(desk.root, "Return")
    assert desk.picked == ["general"]


def test_what_fits_nothing_picks_nothing(desk: Desk) -> None:
    type_text(desk.root, "zz")
    assert desk.shown() == []
    assert any(part.winfo_class() == "TLabel" for part in below(desk.switcher))
    press(desk.root, "Return", "Down", "Return")
    assert (desk.picked, desk.switcher.is_open) == ([], True)
    press(desk.root, "BackSpace", "BackSpace")
    assert len(desk.shown()) == 4


@pytest.mark.parametrize("key", ["Escape", "Control-k"])
def test_it_can_be_left(desk: Desk, key: str) -> None:
    heard = []
    desk.root.bind("<Escape>", lambda event: heard.append("escape"))
    press(desk.root, key)
    assert (desk.picked, desk.switcher.is_open, heard) == ([], False, [])
    assert desk.root.focus_get() is desk.fields[0]


def test_it_opens_empty_again(desk: Desk) -> None:
    type_text(desk.root, "ran")
    press(desk.root, "Escape")
    desk.open()
    assert len(desk.shown()) == 4
    press(desk.root, "Return")
    assert desk.picked == ["general"]


def test_opening_it_twice_still_returns_the_focus(desk: Desk) -> None:
    desk.open()
    press(desk.root, "Escape")
    assert desk.root.focus_get() is desk.fields[0]


def test_the_focus_returns_though_its_widget_is_gone(desk: Desk) -> None:
    desk.fields[0].destroy()
    press(desk.root, "Escape")
    assert desk.root.focus_get() is desk.root


def test_who_goes_elsewhere_leaves_it(desk: Desk) -> None:
    desk.fields[1].focus_set()
    settle(desk.root)
    assert not desk.switcher.is_open
    assert desk.root.focus_get() is desk.fields[1]


def test_a_row_can_be_clicked(desk: Desk) -> None:
    rows = next(part for part in desk.list.winfo_children() if isinstance(part, tk.Text))
    box = rows.dlineinfo("3.0")
    assert box is not None
    click(rows, 20, box[1] + 3)
    assert desk.picked == ["random"]
    assert desk.root.focus_get() is desk.fields[0]


def test_there_may_be_no_choices(desk: Desk) -> None:
    desk.open([])
    press(desk.root, "Down", "Return", "a", "Escape")
    assert desk.picked == []


def test_a_thousand_choices_are_quick(desk: Desk) -> None:
    many = [Choice(f"v{n}", f"# room number {n}", "3 unread") for n in range(1000)]
    start = time.process_time()
    desk.open(many)
    type_text(desk.root, "7")
    used = time.process_time() - start
    assert len(desk.shown()) == 271
    assert used < 0.5  # measured: 0.05 s


@pytest.mark.parametrize(("width", "height", "scale"), [(480, 360, 1.0), (960, 720, 2.0), (300, 160, 1.0)])
def test_it_stays_inside_the_window(root: tk.Tk, width: int, height: int, scale: float) -> None:
    desk = Desk(root, width, height, scale)
    desk.open([Choice(f"v{n}", f"# a room with a long name {n}", "with a long hint " * 3) for n in range(30)])
    switcher = desk.switcher
    assert switcher.winfo_x() >= 0
    assert switcher.winfo_y() >= 0
    assert switcher.winfo_x() + switcher.winfo_width() <= width
    assert switcher.winfo_y() + switcher.winfo_height() <= height
    press(root, "Up")
    assert desk.list.chosen == Choice("v29", "# a room with a long name 29", "with a long hint " * 3)
    window(root, width - 100, height)
    assert switcher.winfo_x() + switcher.winfo_width() <= width - 100


def test_it_follows_the_theme(desk: Desk) -> None:
    desk.look.set_theme("dark")
    desk.look.set_zoom(3)
    settle(desk.root)
    rows = next(part for part in desk.list.winfo_children() if isinstance(part, tk.Text))
    assert rows.cget("background") == desk.look.palette.field_bg
    assert len(desk.shown()) == 4


def test_a_paste_is_one_line_and_never_dangerous(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "dangerous", lambda: True)
    copy(desk.root, "ran\r\ndom \U0001f600")
    type_text(desk.root, "x")
    press(desk.root, "Control-a", "Control-v")
    entry = next(part for part in desk.switcher.winfo_children() if isinstance(part, ttk.Entry))
    assert entry.get() == "ran dom :grinning_face:"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["general", "game-night", "random", "ops-general"]),
        ("GE", ["general", "ops-general"]),
        ("# ge", ["general"]),
        ("ni", ["game-night"]),
        ("n", ["game-night", "general", "random", "ops-general"]),
        ("z", []),
    ],
)
def test_beginnings_come_before_what_is_inside(typed: str, found: list[str]) -> None:
    assert [choice.value for choice in matching(CHOICES, typed)] == found


def test_a_switcher_that_is_gone_is_left_alone(desk: Desk) -> None:
    desk.switcher.destroy()
    desk.look.set_theme("dark")
    window(desk.root, 500, 400)


def test_a_list_with_a_title_of_its_own_tells_who_was_chosen_and_only_then(desk: Desk) -> None:
    found: list[str] = []
    labels = lambda: [part.cget("text") for part in below(desk.switcher) if isinstance(part, ttk.Label)]  # noqa: E731
    desk.switcher.open([Choice("u2", "Ben"), Choice("u3", "Zoë")], found.append, "Who waits")
    settle(desk.root)
    assert "Who waits" in labels()
    press(desk.root, "Down", "Return")
    assert (found, desk.picked) == (["u3"], [])
    desk.open(CHOICES)
    assert "Who waits" not in labels()
    press(desk.root, "Return")
    assert (found, desk.picked) == (["u3"], ["general"])
