"""The status bar."""

import tkinter as tk

import pytest

from chat_client.gui.look import Look
from chat_client.gui.statusbar import StatusBar
from chat_client.model.shown import StatusLine
from tests.gui.hands import not_whole, settle, window

LONG = StatusLine(
    "bad", "Not connected to chat://192.168.1.20: trying again in 3 s, 2 messages wait", "Priya is typing…"
)


def bar_in(root: tk.Tk, look: Look, width: int) -> StatusBar:
    bar = StatusBar(root, look)
    bar.pack(side="bottom", fill="x")
    window(root, width, 200)
    return bar


def test_it_shows_mood_and_texts(root: tk.Tk) -> None:
    look = Look(root, scale=1.0)
    bar = bar_in(root, look, 900)
    bar.show_status(LONG)
    settle(root)
    assert bar.texts == (LONG.text, LONG.right)
    assert str(look.mood_dot("bad")) in str(bar.winfo_children()[0].cget("image"))


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_where_it_is_narrow_the_left_text_is_cut(root: tk.Tk, scale: float) -> None:
    look = Look(root, scale=scale)
    bar = bar_in(root, look, round(400 * scale))
    bar.show_status(LONG)
    settle(root)
    left, right = bar.texts
    assert right == LONG.right
    assert left.endswith("…")
    assert LONG.text.startswith(left[:-1])
    assert not_whole(bar) == []
    window(root, round(1000 * scale), 200)
    assert bar.texts == (LONG.text, LONG.right)


def test_a_long_right_text_leaves_room_for_the_left_one(root: tk.Tk) -> None:
    bar = bar_in(root, Look(root, scale=1.0), 480)
    bar.show_status(StatusLine("good", "Connected to somewhere or other", "somebody is typing, " * 20))
    settle(root)
    assert len(bar.texts[0]) > 10
    assert bar.texts[1].endswith("…")
    assert not_whole(bar) == []
