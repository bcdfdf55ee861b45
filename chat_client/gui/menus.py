"""Menus as data: what stands in them, what it does, and how they are shown at a place of the screen."""

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chat_client.gui.look import Look


class Entry(NamedTuple):
    """A line of a menu; ``more``: a menu of its own. Without ``do`` and ``more`` it says what the lines below are
    about, or, without a label too, is a rule between two groups."""

    label: str = ""
    do: Callable[[], object] | None = None
    key: str = ""  # that does the same
    more: "Sequence[Entry]" = ()


RULE = Entry()


class Menus:
    """The menu that is open, of which there is one at a time, in one Tk."""

    def __init__(self, root: tk.Tk, look: Look) -> None:
        self._root, self._look = root, look
        self._menu: tk.Menu | None = None  # made anew each time
        self._strut: tk.PhotoImage | None = None  # in its entries

    def show(self, entries: Sequence[Entry], x: int, y: int, *, ends: bool = False) -> None:
        """Open a menu at this place of the screen. ``ends``: its right edge is there, else its left one, if the window
        has the room."""
        self.close()
        if not entries:
            return
        # Tk's own way to give entries some room is a raised edge.
        self._strut = tk.PhotoImage(master=self._root, width=self._look.px(6), height=self._look.px(26))
        menu = self._menu = self._build(self._root, entries)
        self._root.update_idletasks()
        left, right = self._root.winfo_rootx(), self._root.winfo_rootx() + self._root.winfo_width()
        wide = menu.winfo_reqwidth()
        # Beside the window it would cover what others have there.
        menu.tk_popup(x - wide if ends or (left + wide <= x and x + wide > right) else x, y)

    def close(self) -> None:
        """Take away what is open."""
        if self._menu is not None:
            self._menu.destroy()
            self._menu = self._strut = None

    def _build(self, parent: tk.Misc, entries: Sequence[Entry]) -> tk.Menu:
        menu = tk.Menu(parent, tearoff=False)
        for entry in entries:
            label, strut = self._look.emoji.safe(entry.label), str(self._strut)
            if entry.more:
                menu.add_cascade(label=label, image=strut, compound="left", menu=self._build(menu, entry.more))
            elif entry.do is not None:
                key = f"{entry.key}  "
                menu.add_command(label=label, image=strut, compound="left", accelerator=key, command=entry.do)
            elif entry.label:
                menu.add_command(label=label, image=strut, compound="left", state="disabled")
            else:
                menu.add_separator()
        return menu
