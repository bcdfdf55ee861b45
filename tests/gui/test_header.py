"""The header above the transcript."""

import tkinter as tk
from tkinter import ttk

import pytest

from chat_client.gui.header import Header
from chat_client.gui.look import Look
from tests.gui.hands import below, click, not_whole, press, settle, window


class Desk:
    """A header in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk, width: int = 700, scale: float = 1.0) -> None:
        self.heard: list[str] = []
        self.corners: list[tuple[int, int]] = []
        self.header = Header(
            root,
            Look(root, scale=scale),
            on_rooms=lambda: self.heard.append("rooms"),
            on_people=lambda: self.heard.append("people"),
            on_menu=lambda x, y: self.corners.append((x, y)),
        )
        self.header.pack(fill="x")
        window(root, round(width * scale), round(200 * scale))

    def buttons(self) -> list[ttk.Button]:
        settle(self.header)
        return [part for part in below(self.header) if isinstance(part, ttk.Button)]


def test_it_shows_both_texts(root: tk.Tk) -> None:
    desk = Desk(root)
    desk.header.show_header("# general", "Everyone on the LAN.\nBe kind.")
    settle(root)
    assert desk.header.texts == ("# general", "Everyone on the LAN. Be kind.")
    assert [button.cget("text") for button in desk.buttons()] == ["Menu"]


def test_the_buttons_are_there_when_they_are_wanted(root: tk.Tk) -> None:
    desk = Desk(root)
    desk.header.show_buttons(rooms=True, people=True)
    for button in desk.buttons():
        if button.cget("text") != "Menu":
            click(button)
            button.focus_set()
            settle(root)
            press(root, "space")
    assert desk.heard == ["rooms", "rooms", "people", "people"]
    desk.header.show_buttons(rooms=False, people=True)
    assert [button.cget("text") for button in desk.buttons()] == ["People", "Menu"]


def test_the_menu_is_asked_for_below_its_button(root: tk.Tk) -> None:
    desk = Desk(root)
    menu = desk.buttons()[0]
    click(menu)
    right, bottom = menu.winfo_rootx() + menu.winfo_width(), menu.winfo_rooty() + menu.winfo_height()
    assert desk.corners == [(right, bottom)]


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("title", ["# general", "# a-room-with-the-longest-of-names"])
def test_where_it_is_narrow_texts_are_cut_and_buttons_are_not(root: tk.Tk, scale: float, title: str) -> None:
    desk = Desk(root, 300, scale)
    desk.header.show_buttons(rooms=True, people=True)
    desk.header.show_header(title, "what this room is about, in many words")
    settle(root)
    shown, subtitle = desk.header.texts
    assert shown == title or shown.endswith("…")
    assert subtitle == "" or subtitle.endswith("…")
    assert not_whole(desk.header) == []
