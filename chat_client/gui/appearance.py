"""How the program's window stands on the screen and looks: size, theme, zoom, title; and that it is remembered."""

import logging
import tkinter as tk
from pathlib import Path
from typing import Literal

from msgspec import structs

from chat_client import preferences
from chat_client.gui.look import Look
from chat_client.gui.palette import Theme
from chat_client.gui.system import ThemeWatch
from chat_client.gui.window import SMALLEST, USUAL

log = logging.getLogger("chat.window")

ThemeWish = Literal["system", "light", "dark"]

# The system's theme is looked for in another thread; so often it is seen what that has found.
_LOOK_MS = 1000


class Appearance:
    """The window around the views, and the file of preferences."""

    def __init__(
        self, root: tk.Tk, theme: Literal["", "system", "light", "dark"], scale: float | None, file: Path | None
    ):
        """``theme`` and ``scale``: as wished this time, "" and None: as remembered, and as the display says."""
        self._root, self._file = root, file
        self.preferences = preferences.load(file)
        self.theme: ThemeWish = theme or self.preferences.theme
        self.look = Look(root, "dark" if self.theme == "dark" else "light", scale, self.preferences.zoom)
        self._watch = ThemeWatch()
        self._looking = ""  # Tk's id
        self._unread = -1

    def start(self) -> None:
        """Give the window its size, and follow the system's theme where that is wished."""
        self.look.set_icon(False)
        self._place()
        if self.theme == "system":
            self._watch.start()
        self._look_at_theme()

    def stop(self) -> None:
        """Remember the size; follow nothing any more."""
        size = self._root.geometry().partition("+")[0]  # where it stands is the window manager's business
        self._change(geometry=size)
        if self._looking:
            self._root.after_cancel(self._looking)
        self._watch.stop()

    def remember(self, name: str, address: str) -> None:
        """Somebody joined there by this name: it is offered first, the next time."""
        self.preferences = preferences.used(self.preferences, name, address)
        self._save()

    def last(self) -> tuple[str, str]:
        """The name and the address that were used last."""
        recent = self.preferences.recent
        return (recent[0].name, recent[0].address) if recent else ("", "")

    def known(self) -> tuple[list[str], list[str]]:
        """All names and all addresses that were used, newest first."""
        recent = self.preferences.recent
        return list(dict.fromkeys(one.name for one in recent)), list(dict.fromkeys(one.address for one in recent))

    def show_title(self, title: str, unread: int) -> None:
        """The window's title; and its icon tells whether something is ``unread``."""
        self._root.title(title)
        if unread != self._unread:
            if (unread > 0) != (self._unread > 0):
                self.look.set_icon(unread > 0)
            self._unread = unread

    def zoom(self, steps: int) -> None:
        """Show everything larger, or smaller; 0: as usual. And remember that."""
        self.look.set_zoom(self.look.zoom + steps if steps else 0)
        self._change(zoom=self.look.zoom)

    def set_theme(self, theme: ThemeWish) -> None:
        """Show everything light, dark, or as the system has it. And remember that."""
        self.theme = theme
        self._change(theme=theme)
        self._watch.stop()
        if theme == "system":
            self._watch = ThemeWatch()
            self._watch.start()
        else:
            self.look.set_theme(theme)

    def _look_at_theme(self) -> None:
        found: Theme | None = self._watch.last
        if self.theme == "system" and found is not None:
            self.look.set_theme(found)
        self._looking = self._root.after(_LOOK_MS, self._look_at_theme)

    def _place(self) -> None:
        px, root = self.look.px, self._root
        root.minsize(px(SMALLEST[0]), px(SMALLEST[1]))
        wide, high = min(px(USUAL[0]), root.winfo_screenwidth()), min(px(USUAL[1]), root.winfo_screenheight())
        root.geometry(f"{wide}x{high}")
        if self.preferences.geometry:
            try:
                root.geometry(self.preferences.geometry)
            except tk.TclError:  # written by something else
                log.info("the saved size %r is none", self.preferences.geometry)

    def _change(self, **changes: object) -> None:
        self.preferences = structs.replace(self.preferences, **changes)
        self._save()

    def _save(self) -> None:
        if problem := preferences.save(self.preferences, self._file):
            log.warning("%s", problem)
