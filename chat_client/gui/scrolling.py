"""Keeps the place in a Text whose content changes: at its end, or the first line in view where it is."""

import contextlib
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Any, Final, Literal

from chat_client.gui.look import Look

Stop = Literal["break"] | None

_TOP: Final = "top"  # the mark of the first place in view, as of `notice`
_SHIFT, _CONTROL, _ALT = 0x1, 0x4, 0x20008  # in an event's state; Alt on X11 and on Windows
_WHEEL, _LINE, _TOUCH = 50, 22, 1.5  # design pixels for a notch, for an arrow key, for a step of a touchpad
_NOTCH = 120  # of a wheel, as Windows and Tk 9 count
_THIRD = 3
_NEARLY = 0.9


class Scrolling:
    """Whoever changes the text calls ``notice`` before and ``settle`` after it.

    ``on_scrolled(at_top, at_end)`` is called when either has changed, from Tk's idle time, and at once at every further
    attempt to scroll up from the very top.
    """

    def __init__(
        self, text: tk.Text, bar: ttk.Scrollbar, look: Look, on_scrolled: Callable[[bool, bool], None]
    ) -> None:
        self._text, self._bar, self._look = text, bar, look
        self._on_scrolled = on_scrolled
        self.following = True
        self.at_top = True
        self._offset = 0  # where the line of _TOP begins, in pixels from the widget's top
        self._to_third = False  # _TOP is still to be brought to a third of the height
        self._told: tuple[bool, bool] | None = (True, True)  # of nothing nobody needs to be told
        self._telling = ""  # Tk's id
        self._watchers: list[Callable[[], None]] = []
        text.mark_set(_TOP, "1.0")
        text.configure(yscrollcommand=self._on_view)  # type: ignore[arg-type]  # it is given texts
        bar.configure(command=self._on_bar)
        text.bind("<Configure>", lambda event: self.settle(), add=True)
        text.bind("<Destroy>", self._on_destroy, add=True)
        text.bind("<Key>", self._on_key, add=True)
        self._bind_wheel()

    def watch(self, callback: Callable[[], None]) -> None:
        """Call this whenever another part of the text has come into view."""
        self._watchers.append(callback)

    def notice(self) -> None:
        """See where the view is, for `settle` to bring it back there."""
        if self._ready():
            self._notice(*self._text.yview())

    def let_go(self) -> None:
        """Stay at the line that is first in view, even at the end: what comes now is read by scrolling on."""
        if self._ready():
            self.following = False
            self._hold_top()

    def settle(self) -> None:
        """Bring the view back to where it was noticed last; text or size have changed."""
        if not self._ready():
            return  # <Configure> will come
        if self.following:
            self._text.see("end")
        else:
            if self._to_third:
                self._to_third, self._offset = False, self._text.winfo_height() // _THIRD
            self._text.yview(_TOP)
            line = self._text.dlineinfo(_TOP)
            if line and line[1] != self._offset:
                self._text.yview_scroll(line[1] - self._offset, "pixels")
            self.notice()

    def go_to_end(self) -> None:
        """Show the end, and follow it."""
        self.following = True
        self.settle()

    def go_to(self, index: str) -> None:
        """Show this place, a third of the height below the top."""
        self.hold_to(index)
        self.following, self._to_third = False, True
        self.settle()

    def by_pages(self, pages: int) -> None:
        """Scroll so many pages down (negative: up), as somebody wants who has the keys elsewhere."""
        self._by_hand(pages < 0, self._text.yview_scroll, pages, "pages")

    def to_top(self) -> None:
        """Scroll to the first line of what is there."""
        self._by_hand(True, self._text.yview_moveto, 0)

    def top(self) -> str:
        """The mark of the first place in view."""
        return _TOP

    def hold_to(self, index: str) -> None:
        """The first place in view is now found here: its own was written anew."""
        self._text.mark_set(_TOP, index)

    def tell_anew(self) -> None:
        """Call ``on_scrolled`` soon, even if nothing is different."""
        self._told = None
        self._tell_soon()

    def _ready(self) -> bool:
        return self._text.winfo_height() > 1  # before it is laid out for the first time, nothing can be measured

    def _notice(self, first: float, last: float) -> None:
        """See where the view is; ``first`` and ``last``: which part of the whole is in view."""
        text = self._text
        self.at_top = first <= 0
        # A pixel or two may be missing, as Tk reckons the heights of what it does not show.
        self.following = last >= 1 or (last > _NEARLY and text.dlineinfo("end-1c") is not None)
        if not self.following:
            self._hold_top()

    def _hold_top(self) -> None:
        top = self._text.index("@0,0")
        line = self._text.dlineinfo(top)
        self._text.mark_set(_TOP, top)
        self._offset = line[1] if line else 0

    def _on_view(self, first: str, last: str) -> None:
        self._bar.set(first, last)
        if self._ready():
            self._notice(float(first), float(last))
        for callback in self._watchers:
            callback()
        self._tell_soon()

    def _tell_soon(self) -> None:
        # Not now: Tk may be in the middle of drawing, and who is told may want to change the text.
        if not self._telling and self._told != (self.at_top, self.following):
            self._telling = self._text.after_idle(self._tell)

    def _tell(self) -> None:
        self._telling = ""
        if self._ready() and self._told != (self.at_top, self.following):
            self._told = (self.at_top, self.following)
            self._on_scrolled(*self._told)

    def _by_hand(self, up: bool, move: Callable[..., Any], *args: Any) -> Stop:
        self.notice()
        stuck = up and self.at_top
        move(*args)
        self.notice()
        if stuck:
            self._told = (self.at_top, self.following)
            self._on_scrolled(*self._told)
        return "break"

    def _on_bar(self, action: str, amount: str, what: str = "") -> None:
        if action == "moveto":
            self._by_hand(float(amount) <= self._text.yview()[0], self._text.yview_moveto, float(amount))
        else:
            self._by_hand(float(amount) < 0, self._text.tk.call, self._text, "yview", action, amount, what)

    def _on_key(self, event: "tk.Event[tk.Text]") -> Stop:
        held = int(event.state) & (_SHIFT | _CONTROL | _ALT)
        key = event.keysym.removeprefix("KP_")
        if key in ("Home", "End") and held in (0, _CONTROL):
            return self._by_hand(key == "Home", self._text.yview_moveto, 0 if key == "Home" else 1)
        if key in ("Prior", "Next") and held == 0:
            return self._by_hand(key == "Prior", self._text.yview_scroll, -1 if key == "Prior" else 1, "pages")
        if key in ("Up", "Down") and held == 0:
            return self._by_pixels(-self._look.px(_LINE) if key == "Up" else self._look.px(_LINE))
        return None

    def _by_pixels(self, pixels: int) -> Stop:
        return self._by_hand(pixels < 0, self._text.yview_scroll, pixels, "pixels")

    def _bind_wheel(self) -> None:
        text, px = self._text, self._look.px
        # Tk 8.6 on X11 knows the wheel as two buttons; Tk 9 tells a touchpad from a wheel.
        with contextlib.suppress(tk.TclError):
            text.bind("<Button-4>", lambda event: self._by_pixels(-px(_WHEEL)))
            text.bind("<Button-5>", lambda event: self._by_pixels(px(_WHEEL)))
        text.bind("<MouseWheel>", self._on_wheel)
        with contextlib.suppress(tk.TclError):
            text.bind("<TouchpadScroll>", self._on_touchpad)

    def _on_wheel(self, event: "tk.Event[tk.Text]") -> Stop:
        # Before Tk 9, macOS counts in lines.
        lines = self._text.tk.call("tk", "windowingsystem") == "aqua" and tk.TkVersion < 8.7
        length = event.delta * _LINE if lines else event.delta * _WHEEL / _NOTCH
        return self._by_pixels(-self._look.px(length))

    def _on_touchpad(self, event: "tk.Event[tk.Text]") -> Stop:
        down = (event.delta & 0xFFFF) - (0x10000 if event.delta & 0x8000 else 0)  # x and y are in one number
        return self._by_pixels(-self._look.px(down * _TOUCH)) if down else "break"

    def _on_destroy(self, event: "tk.Event[tk.Misc]") -> None:
        if event.widget is self._text and self._telling:
            self._text.after_cancel(self._telling)
            self._telling = ""
