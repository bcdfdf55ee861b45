"""A question over the window, with a few buttons to answer it: asked where something would be lost."""

import contextlib
import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk
from typing import NamedTuple

from chat_client.gui.keys import guard, select_all
from chat_client.gui.look import Look

_WIDTH = 360


class Field(NamedTuple):
    """A line to fill in. ``fixed``: it holds something to copy, and cannot be changed; ``large``: to read out."""

    label: str
    value: str = ""
    fixed: bool = False
    large: bool = False


class Question(ttk.Frame):
    """A card over the window, until it is answered. The keys go to it alone; Esc is the last answer."""

    def __init__(self, root: tk.Tk, look: Look) -> None:
        super().__init__(root, style="Field.TFrame")
        self._window, self._look = root, look
        self._veil = ttk.Frame(root)  # over everything else, where that would only confuse
        self._back_to: tk.Misc | None = None
        self._answers: list[Callable[[], None]] = []
        self._label = ttk.Label(self, style="Question.TLabel")
        self._field = ttk.Entry(self, font=look.font("text"))
        self._title = ttk.Label(self, style="Question.TLabel", font=look.font("title"))
        self._text = ttk.Label(self, style="Question.TLabel", justify="left")
        self._buttons = ttk.Frame(self, style="Question.TFrame")
        self._title.grid(row=0, column=0, sticky="w")
        self._text.grid(row=1, column=0, sticky="w")
        self._label.grid(row=2, column=0, sticky="w")
        self._field.grid(row=3, column=0, sticky="ew")
        self._buttons.grid(row=4, column=0, sticky="e")
        self.columnconfigure(0, weight=1)
        self.bind("<Escape>", lambda event: self._answer(len(self._answers) - 1))
        guard(self._field, look)
        self._bind_keys(self._field, 0)
        look.watch(self._dress)
        self._dress()

    @property
    def is_open(self) -> bool:
        """Is something being asked?"""
        return bool(self.place_info())

    @property
    def typed(self) -> str:
        """What stands in the field, or stood there when the last question was answered."""
        return self._field.get().strip()

    def ask(
        self,
        title: str,
        text: str,
        answers: Sequence[tuple[str, Callable[[], None]]],
        *,
        field: Field | None = None,
        harms: bool = False,
        alone: bool = False,
    ) -> None:
        """Ask. Each answer is a button's text and what is called; the first one is what Enter takes, the last one
        changes nothing. ``harms``: the first one cannot be undone; ``alone``: nothing else is to be seen meanwhile."""
        if not self.is_open:
            self._back_to = self._window.focus_get()
        self._title.configure(text=self._look.emoji.safe(title))
        self._text.configure(text=self._look.emoji.safe(text))
        self._answers = [call for _, call in answers]
        for button in self._buttons.winfo_children():
            button.destroy()
        for number, (label, _) in reversed(list(enumerate(answers))):
            style = "TButton" if number else "Danger.TButton" if harms else "Accent.TButton"
            button = ttk.Button(self._buttons, text=label, style=style, command=partial(self._answer, number))
            button.pack(side="left", padx=(self._look.px(8), 0))
            self._bind_keys(button, number)
        self._show_field(field)
        if alone:
            self._veil.place(relwidth=1, relheight=1)
            self._veil.lift()
        self.place(relx=0.5, rely=0.4, anchor="center")
        self.lift()
        self._window.update_idletasks()
        (self._field if field else self._buttons.winfo_children()[-1]).focus_set()
        self.grab_set()

    def _show_field(self, field: Field | None) -> None:
        self._field.state(["!readonly"])
        self._field.delete(0, "end")
        for widget in (self._label, self._field):
            if field:
                widget.grid()
            else:
                widget.grid_remove()
        if field:
            self._label.configure(text=field.label)
            self._field.configure(
                font=self._look.font("code" if field.large else "text"), justify="center" if field.large else "left"
            )
            self._field.insert(0, field.value)
            select_all(self._field)
            self._field.state(["readonly" if field.fixed else "!readonly"])
        self._dress()

    def _bind_keys(self, button: ttk.Button | ttk.Entry, number: int) -> None:
        # The window's own keys rest until this is answered.
        button.bindtags((str(button), button.winfo_class(), "all"))
        for key in ("<Return>", "<KP_Enter>"):
            button.bind(key, lambda event: self._answer(number))
        button.bind("<Escape>", lambda event: self._answer(len(self._answers) - 1))
        arrows = button.winfo_class() == "TButton"  # in a field they move the cursor
        for key in ("<Tab>", "<Right>")[: 1 + arrows]:
            button.bind(key, lambda event: self._move(button, 1))
        for key in ("<Shift-Tab>", "<Left>")[: 1 + arrows]:
            button.bind(key, lambda event: self._move(button, -1))
        with contextlib.suppress(tk.TclError):  # X11's name for Shift+Tab, which others do not know
            button.bind("<ISO_Left_Tab>", lambda event: self._move(button, -1))

    def _move(self, button: tk.Widget, step: int) -> str:
        stops = [*([self._field] if self._field.grid_info() else []), *self._buttons.winfo_children()]
        stops[(stops.index(button) + step) % len(stops)].focus_set()
        return "break"

    def _answer(self, number: int) -> None:
        if not self.is_open:
            return
        self.grab_release()
        self._veil.place_forget()
        self.place_forget()
        if self._back_to is not None and self._back_to.winfo_exists():
            self._back_to.focus_set()
        self._answers[number]()

    def _dress(self) -> None:
        px, colours = self._look.px, self._look.palette
        style = ttk.Style(self._window)
        style.configure("Question.TFrame", background=colours.field_bg)
        style.configure("Question.TLabel", background=colours.field_bg, foreground=colours.fg)
        self.configure(padding=px(18))
        self._text.configure(wraplength=px(_WIDTH))
        self._text.grid_configure(pady=(px(8), px(16)))
        self._label.configure(font=self._look.font("small"), foreground=colours.dim)
        if self._field.grid_info():
            self._field.grid_configure(pady=(px(3), px(16)))
