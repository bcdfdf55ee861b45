"""The card that stands in for name and address: what is to be decided, or waited for, on the way in."""

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk
from typing import NamedTuple

from chat_client.gui.dressing import follow
from chat_client.gui.keys import press_by_enter
from chat_client.gui.look import Look

_WIDTH = 360


class Asked(NamedTuple):
    """What a step says. Each answer is a button's text and what is called; the last one goes back.

    ``code``: large letters to compare, such as a fingerprint; ``below``: what to do with it. ``warns``: Enter goes
    back, since the first answer may harm. ``waits``: nothing is asked, it goes on by itself.
    """

    title: str
    text: str
    answers: Sequence[tuple[str, Callable[[], None]]]
    code: str = ""
    below: str = ""
    warns: bool = False
    waits: bool = False


class Step(ttk.Frame):
    """Shows one `Asked`, in the middle of what it is in. Esc is the last answer."""

    def __init__(self, parent: tk.Misc, look: Look, asked: Asked) -> None:
        super().__init__(parent)
        self._look, self._asked = look, asked
        safe = look.emoji.safe
        card = self._card = ttk.Frame(self)
        self._title = ttk.Label(card, text=safe(asked.title), style="Title.TLabel", compound="left")
        self._text = ttk.Label(card, text=safe(asked.text), justify="left")
        self._box = ttk.Frame(card, style="Field.TFrame")
        self._code = ttk.Label(self._box, text=asked.code, style="Code.TLabel", anchor="center")
        self._below = ttk.Label(card, text=safe(asked.below), style="Small.TLabel", justify="left")
        self._row = ttk.Frame(card)
        self._code.pack(fill="x")
        shown = [self._title, self._text, *([self._box] if asked.code else []), *([self._below] if asked.below else [])]
        for at, widget in enumerate([*shown, self._row]):
            widget.grid(row=at, column=0, sticky="ew")
        self._buttons = [self._button(at) for at in range(len(asked.answers))]
        self._row.columnconfigure(0, weight=1)
        card.columnconfigure(0, weight=1)
        card.grid(row=1, column=1)
        self.rowconfigure((0, 2), weight=1)
        self.columnconfigure((0, 2), weight=1)
        follow(self, look, self._dress)

    def focus(self) -> None:
        """Have the keys go to the answer that does no harm."""
        self._buttons[-1 if self._asked.warns else 0].focus_set()

    def _button(self, at: int) -> ttk.Button:
        """The answers stand from right to left, as on the card before."""
        label, call = self._asked.answers[at]
        main = at == 0 and not (self._asked.warns or self._asked.waits)
        button = ttk.Button(self._row, text=label, style="Accent.TButton" if main else "TButton", command=call)
        button.grid(row=0, column=len(self._asked.answers) - at, sticky="ns")
        press_by_enter(button)
        button.bind("<Escape>", lambda event: self._asked.answers[-1][1]())
        for key, step in (("<Left>", 1), ("<Right>", -1)):
            button.bind(key, partial(self._move, at + step))
        return button

    def _move(self, to: int, event: "tk.Event[tk.Misc]") -> str:
        self._buttons[to % len(self._buttons)].focus_set()
        return "break"

    def _dress(self) -> None:
        px, asked = self._look.px, self._asked
        self.configure(padding=px(10))
        self._card.columnconfigure(0, minsize=px(_WIDTH))
        if asked.warns or asked.waits:
            image = self._look.mood_dot("bad" if asked.warns else "busy")
            self._title.configure(image=image, text=f" {self._look.emoji.safe(asked.title)}")
        for label in (self._title, self._text, self._below):
            label.configure(wraplength=px(_WIDTH))
        self._text.grid_configure(pady=(px(8), 0))
        self._box.configure(padding=(px(12), px(10)))
        if self._box.grid_info():
            self._box.grid_configure(pady=(px(14), 0))
        if self._below.grid_info():
            self._below.grid_configure(pady=(px(8), 0))
        self._row.grid_configure(pady=(px(18), 0))
        for at, button in enumerate(self._buttons):
            button.grid_configure(padx=(0, px(8) if at else 0))
