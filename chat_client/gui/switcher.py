"""The switcher: a field over the window in which a few letters of a room's or a person's name are enough."""

import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk
from typing import Final

from chat_client.gui.dressing import follow
from chat_client.gui.keys import bind_plain, guard, select_all
from chat_client.gui.look import Look
from chat_client.gui.popup import ChoiceList
from chat_client.model.shown import Choice

_MOST_ROWS: Final = 9
_WIDTH: Final = 440
_TOP: Final = 44
_PADDING: Final = 8
_GAP: Final = 6
_NOT_AT_ALL: Final = 3
_EDGE: Final = 12  # what of the window stays free at the sides and below


class Switcher(ttk.Frame):
    """Put over the window by `open` and taken away by a choice, by Esc, or when the focus goes elsewhere.

    It is a frame and no window of its own: that would depend on the window manager. ``on_pick(value)`` is called when
    it is gone.
    """

    def __init__(self, root: tk.Tk, look: Look, *, on_pick: Callable[[str], None]) -> None:
        super().__init__(root, style="Field.TFrame")
        self._window, self._look, self._on_pick = root, look, on_pick
        self._choices: list[Choice] = []
        self._picked = on_pick  # what is called for the choices of now
        self._back_to: tk.Misc | None = None
        self._title = ttk.Label(self, style="Card.TLabel", font=look.font("small_bold"))
        self._entry = ttk.Entry(self, style="Card.TEntry", font=look.font("text"))
        self._none = ttk.Label(self, text="Nothing of that name", style="Card.TLabel")
        self._list = ChoiceList(self, look, most_rows=_MOST_ROWS, on_pick=self._pick, style="Card.TFrame", padding=0)
        self._entry.pack(fill="x")
        self._list.pack(fill="both", expand=True)
        edited = self.register(self._filter)
        self._entry.configure(validate="key", validatecommand=(edited, "%P"))
        self._bind_keys()
        follow(self, look, self._dress)

    # ---- what the window tells it

    def open(self, choices: Sequence[Choice], on_pick: Callable[[str], None] | None = None, title: str = "") -> None:
        """Let somebody choose among these, the first of which is what Enter alone takes. ``on_pick``: other than the
        usual; ``title``: what is chosen, if that does not show."""
        self._choices, self._picked = list(choices), on_pick or self._on_pick
        self._title.configure(text=self._look.emoji.safe(title))
        if title:
            self._title.pack(fill="x", before=self._entry)
        else:
            self._title.pack_forget()
        if not self.is_open:
            self._back_to = self._window.focus_get()
        self._entry.delete(0, "end")
        self._list.clear()
        self._filter("")
        self._place()
        self._entry.focus_set()

    def close(self) -> None:
        """Take it away; the focus returns to where it was."""
        if self.is_open:
            self.place_forget()
            back = self._back_to if self._back_to is not None and self._back_to.winfo_exists() else self._window
            back.focus_set()

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.place_info())

    # ---- choosing

    def _filter(self, typed: str) -> bool:
        """Show what fits; True, since as a validation it allows everything."""
        self._list.clear()
        found = matching(self._choices, typed)
        self._list.show(found)
        if found:
            self._none.pack_forget()
            self._list.pack(fill="both", expand=True)
        else:
            self._list.pack_forget()
            self._none.pack(anchor="w")
        if self.is_open:
            self._place()
        return True

    def _pick(self, choice: Choice | None) -> None:
        if choice is not None:
            self.close()
            self._picked(choice.value)

    # ---- keys

    def _bind_keys(self) -> None:
        entry, move = self._entry, self._list.move
        guard(entry, self._look)
        steps = (("Down", 1), ("Tab", 1), ("Up", -1), ("Prior", 1 - _MOST_ROWS), ("Next", _MOST_ROWS - 1))
        for key, step in steps:
            bind_plain(entry, key, _then_break(partial(move, step, around=abs(step) == 1)))
        for key in ("<Shift-Tab>", "<ISO_Left_Tab>"):
            entry.bind(key, _then_break(partial(move, -1)))
        for key in ("<Return>", "<KP_Enter>"):
            entry.bind(key, _then_break(lambda: self._pick(self._list.chosen)))
        for key in ("<Escape>", "<Control-k>"):
            entry.bind(key, _then_break(self.close))
        entry.bind("<Control-a>", lambda event: select_all(entry))
        entry.bind("<FocusOut>", lambda event: self.after_idle(self._check_focus))
        self._window.bind("<Configure>", self._resized, add="+")

    def _check_focus(self) -> None:
        """Who clicks beside it wants something else. (When another program has the focus, Tk knows of none here.)"""
        if self.winfo_exists() and self.is_open:
            focus = self._window.focus_get()
            if focus is not None and focus is not self._entry:
                self.place_forget()

    # ---- how it looks

    def _resized(self, event: "tk.Event[tk.Misc]") -> None:
        if event.widget is self._window and self.winfo_exists() and self.is_open:
            self._place()

    def _place(self) -> None:
        px = self._look.px
        width = min(px(_WIDTH), self._window.winfo_width() - 2 * px(_EDGE))
        top = min(px(_TOP), self._window.winfo_height() // 8)
        above = self._entry.winfo_reqheight() + px(_GAP) + 2 * px(_PADDING)
        above += self._title.winfo_reqheight() if self._title.winfo_manager() else 0
        room = self._window.winfo_height() - top - px(_EDGE) - above
        below = self._list.height_within(room) if self._list.choices else self._none.winfo_reqheight()
        self.place(relx=0.5, y=top, anchor="n", width=max(width, 1), height=above + below)
        self.lift()

    def _dress(self) -> None:
        px, colours = self._look.px, self._look.palette
        style = ttk.Style(self)
        style.configure("Card.TFrame", background=colours.field_bg)
        style.configure("Card.TLabel", background=colours.field_bg, foreground=colours.dim)
        style.configure("Card.TEntry", background=colours.field_bg)
        self.configure(padding=px(_PADDING))
        self._entry.pack_configure(pady=(0, px(_GAP)))
        self._title.configure(padding=(px(4), px(2), 0, px(6)))
        self._none.configure(padding=px(8))
        if self.is_open:
            self._place()


def _then_break(call: Callable[[], None]) -> Callable[["tk.Event[tk.Misc]"], str]:
    """A binding that does this, and lets nobody else have the key."""

    def bound(event: "tk.Event[tk.Misc]") -> str:
        call()
        return "break"

    return bound


def matching(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """The choices whose label holds what is typed, in any case of letters. First those that begin with it, then those
    in which a word does; else in the order in which they came."""
    sought = typed.strip().casefold()
    found = [(_rank(choice.label.casefold(), sought), choice) for choice in choices]
    return [choice for rank, choice in sorted(found, key=lambda pair: pair[0]) if rank < _NOT_AT_ALL]


def _rank(label: str, sought: str) -> int:
    start = label.lstrip("#@ ")
    if start.startswith(sought) or label.startswith(sought):
        return 0
    if any(f"{before}{sought}" in start for before in " -_."):
        return 1
    return 2 if sought in label else _NOT_AT_ALL
