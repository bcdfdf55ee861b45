"""A question over the window, with a few buttons to answer it: asked where something would be lost."""

import contextlib
import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk

from chat_client.gui.look import Look

_WIDTH = 360


class Question(ttk.Frame):
    """A card over the window, until it is answered. The keys go to it alone; Esc is the last answer."""

    def __init__(self, root: tk.Tk, look: Look) -> None:
        super().__init__(root, style="Field.TFrame")
        self._window, self._look = root, look
        self._back_to: tk.Misc | None = None
        self._answers: list[Callable[[], None]] = []
        self._title = ttk.Label(self, style="Question.TLabel", font=look.font("title"))
        self._text = ttk.Label(self, style="Question.TLabel", justify="left")
        self._buttons = ttk.Frame(self, style="Question.TFrame")
        self._title.grid(row=0, column=0, sticky="w")
        self._text.grid(row=1, column=0, sticky="w")
        self._buttons.grid(row=2, column=0, sticky="e")
        self.columnconfigure(0, weight=1)
        self.bind("<Escape>", lambda event: self._answer(len(self._answers) - 1))
        look.watch(self._dress)
        self._dress()

    @property
    def is_open(self) -> bool:
        """Is something being asked?"""
        return bool(self.place_info())

    def ask(self, title: str, text: str, answers: Sequence[tuple[str, Callable[[], None]]]) -> None:
        """Ask. Each answer is a button's text and what is called; the first one is what Enter takes, the last one
        changes nothing."""
        if not self.is_open:
            self._back_to = self._window.focus_get()
        self._title.configure(text=self._look.emoji.safe(title))
        self._text.configure(text=self._look.emoji.safe(text))
        self._answers = [call for _, call in answers]
        for button in self._buttons.winfo_children():
            button.destroy()
        for number, (label, _) in reversed(list(enumerate(answers))):
            style = "Accent.TButton" if number == 0 else "TButton"
            button = ttk.Button(self._buttons, text=label, style=style, command=partial(self._answer, number))
            button.pack(side="left", padx=(self._look.px(8), 0))
            self._bind_keys(button, number)
        self.place(relx=0.5, rely=0.4, anchor="center")
        self.lift()
        self._window.update_idletasks()
        self._buttons.winfo_children()[-1].focus_set()
        self.grab_set()

    def _bind_keys(self, button: ttk.Button, number: int) -> None:
        button.bindtags((str(button), "TButton", "all"))  # the window's own keys rest until this is answered
        for key in ("<Return>", "<KP_Enter>"):
            button.bind(key, lambda event: self._answer(number))
        button.bind("<Escape>", lambda event: self._answer(len(self._answers) - 1))
        for key in ("<Tab>", "<Right>"):
            button.bind(key, lambda event: self._move(button, 1))
        for key in ("<Shift-Tab>", "<Left>"):
            button.bind(key, lambda event: self._move(button, -1))
        with contextlib.suppress(tk.TclError):  # X11's name for Shift+Tab, which others do not know
            button.bind("<ISO_Left_Tab>", lambda event: self._move(button, -1))

    def _move(self, button: tk.Widget, step: int) -> str:
        buttons = self._buttons.winfo_children()
        buttons[(buttons.index(button) + step) % len(buttons)].focus_set()
        return "break"

    def _answer(self, number: int) -> None:
        if not self.is_open:
            return
        self.grab_release()
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
