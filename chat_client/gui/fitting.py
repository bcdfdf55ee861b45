"""Texts that must do with less room than they would like: cut between letters, with "…" for what is missing."""

import tkinter as tk
from collections.abc import Callable
from tkinter import font as tkfont
from tkinter import ttk

import regex

ELLIPSIS = "…"
_GRAPHEMES = regex.compile(r"\X")
# More than any screen is wide: what lies behind need not be looked at.
_MOST_CHARACTERS = 2000


def cut(text: str, width: int, measure: Callable[[str], int]) -> str:
    """As much of the text as fits into ``width``, ending in "…" if that is not all; on one line, whatever it holds.

    ``measure`` says how wide a text is. "" if there is not even room for "…".
    """
    line = " ".join(text[:_MOST_CHARACTERS].split("\n"))
    if len(text) <= _MOST_CHARACTERS and measure(line) <= width:
        return line
    letters = _GRAPHEMES.findall(line)
    least, most = 0, len(letters)  # how many letters fit: at least ``least``, fewer than ``most``
    while least + 1 < most:
        middle = (least + most) // 2
        if measure("".join(letters[:middle]).rstrip() + ELLIPSIS) <= width:
            least = middle
        else:
            most = middle
    short = "".join(letters[:least]).rstrip() + ELLIPSIS
    return short if measure(short) <= width else ""


class CutLabel(ttk.Label):
    """A label that takes the width it is given and cuts its text to it; it never asks for more room itself."""

    def __init__(self, parent: tk.Misc, font: tkfont.Font, *, style: str) -> None:
        super().__init__(parent, style=style, font=font, width=1, padding=0, borderwidth=0)
        self._full, self._font = "", font
        self.bind("<Configure>", lambda event: self.fit())

    def show(self, text: str) -> None:
        """Show this text, or as much of it as there is room for."""
        self._full = text
        self.fit()

    def fit(self) -> None:
        """Cut anew: the room or the font has changed."""
        shown = cut(self._full, self.winfo_width(), self._font.measure)
        if shown != self.cget("text"):
            self.configure(text=shown)

    @property
    def full(self) -> str:
        """The whole text, shown or not."""
        return self._full
