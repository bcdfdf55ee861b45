"""A composer in a window, for the tests of what is written in it."""

import tkinter as tk
from tkinter import ttk

from chat_client.gui.composer import Composer
from chat_client.gui.field import GrowingText
from chat_client.gui.look import Look
from chat_client.gui.popup import ChoiceList
from chat_client.model.shown import Choice
from tests.gui.hands import settle, window

NAMES = ("ann", "anna", "annabel", "bob")


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
