"""Selecting and copying in a Text that cannot be written into: by mouse and keyboard."""

import tkinter as tk
from collections.abc import Callable
from typing import Literal

Stop = Literal["break"] | None

_SHIFT = 0x1
_MOVES = {"Left", "Right", "Up", "Down", "Home", "End", "Prior", "Next"}


class Selecting:
    """``selected()`` gives the text of what is selected, as others are to get it; "" if nothing is."""

    def __init__(self, text: tk.Text, selected: Callable[[], str]) -> None:
        self._text, self._selected = text, selected
        self._offered = ""
        # Tk would offer the bare text to others, without the emoji that are shown as images.
        text.configure(exportselection=False)
        for kind in ("STRING", "UTF8_STRING"):
            text.selection_handle(self._offerer(kind), type=kind, format=kind)
        text.bind("<<Selection>>", self._on_selection)
        for event in ("<<Copy>>", "<<Cut>>"):
            text.bind(event, lambda event: self._and_stop(self.copy))
        for event in ("<Control-a>", "<Control-A>", "<<SelectAll>>"):
            text.bind(event, lambda event: self._and_stop(self.select_all))
        for event in ("<<Paste>>", "<<PasteSelection>>", "<<Clear>>"):
            text.bind(event, lambda event: "break")
        text.bind("<Button-1>", lambda event: text.focus_set(), add=True)  # Tk does so only if it can be written into
        text.bind("<Key>", self._on_key, add=True)

    def copy(self) -> None:
        """Put what is selected on the clipboard; if nothing is, leave that as it is."""
        chosen = self._selected()
        if chosen:
            self._text.clipboard_clear()
            self._text.clipboard_append(chosen)

    def select_all(self) -> None:
        """Select everything that is there."""
        self._text.tag_add("sel", "1.0", "end-1c")

    def _and_stop(self, action: Callable[[], None]) -> Stop:
        action()
        return "break"

    def _on_selection(self, event: "tk.Event[tk.Text]") -> None:
        if self._text.tag_ranges("sel"):
            self._text.selection_own()

    def _offerer(self, kind: str) -> Callable[[str, str], str]:
        return lambda offset, length: self._offer(kind, int(offset), int(length))

    def _offer(self, kind: str, offset: int, length: int) -> str:
        """The next part of what is selected, for another program; it is asked for from the beginning on."""
        if offset == 0:
            self._offered = self._selected()
            if kind == "STRING":
                self._offered = self._offered.encode("latin-1", "replace").decode("latin-1")
        if tk.TkVersion >= 9:
            return self._offered[offset : offset + length]
        # Until Tk 9 a character that needs two units in UTF-16 counts as two.
        units = self._offered.encode("utf-16-le", "surrogatepass")[2 * offset : 2 * (offset + length)]
        return units.decode("utf-16-le", "surrogatepass")

    def _on_key(self, event: "tk.Event[tk.Text]") -> None:
        """Selecting begins where Tk's cursor is, which nobody sees here: at least it has to be in view."""
        text = self._text
        moves = int(event.state) & _SHIFT and event.keysym.removeprefix("KP_") in _MOVES
        if moves and not text.tag_ranges("sel") and text.bbox("insert") is None:
            text.mark_set("insert", "@0,0")
