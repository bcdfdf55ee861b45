"""What the tests of the views do with a window: wait for it, press keys in it, click it, look at it."""

import time
import tkinter as tk
from collections.abc import Callable, Iterator

_SECONDS = 10.0
_NAMES = {" ": "space", "\n": "Return", "/": "slash", "-": "minus", ".": "period", "@": "at", "#": "numbersign"}


def settle(root: tk.Misc) -> None:
    """Let Tk do all that it has to do now."""
    for _ in range(4):
        root.update()


def until(root: tk.Misc, true: Callable[[], object]) -> None:
    """Let Tk work until this is true; what depends on the window manager takes a moment."""
    end = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < end, "it does not become true"
        root.update()


def window(root: tk.Tk, width: int = 800, height: int = 500) -> None:
    """Have the window be there, of this size, with the keys going to it."""
    root.geometry(f"{width}x{height}+0+0")
    until(root, lambda: root.winfo_viewable() and root.winfo_width() == width and root.winfo_height() == height)
    root.focus_force()
    until(root, lambda: root.focus_get() is not None)
    settle(root)


def press(root: tk.Misc, *keys: str) -> None:
    """Press keys one after the other where the focus is: "a", "Return", "Shift-Tab", "Control-k"."""
    for key in keys:
        *modifiers, name = key.split("-") if len(key) > 1 else [key]
        focus = root.focus_get()
        assert focus is not None, "nothing has the focus"
        combined = "-".join([*modifiers, "KeyPress", _NAMES.get(name, name)])
        focus.event_generate(f"<{combined}>")
        settle(root)
        after = root.focus_get()
        if after is not None:
            after.event_generate(f"<{combined.replace('KeyPress', 'KeyRelease')}>")
        settle(root)


def type_text(root: tk.Misc, text: str) -> None:
    """Press the keys of a text of plain letters."""
    press(root, *text)


def click(widget: tk.Misc, x: int = 3, y: int = 3, times: int = 1) -> None:
    """Click with the left button, so many times in a row."""
    widget.event_generate("<Motion>", x=x, y=y)
    for _ in range(times):
        widget.event_generate("<ButtonPress-1>", x=x, y=y)
        widget.event_generate("<ButtonRelease-1>", x=x, y=y)
    settle(widget)


def copy(root: tk.Misc, text: str) -> None:
    """Have a text in the clipboard."""
    root.clipboard_clear()
    root.clipboard_append(text)


def below(widget: tk.Misc) -> Iterator[tk.Misc]:
    """A widget and all in it that can be seen."""
    yield widget
    for child in widget.winfo_children():
        if child.winfo_viewable():
            yield from below(child)


def not_whole(widget: tk.Misc) -> list[str]:
    """Which labels, buttons and fields in a widget have less room than they need, or stand out of what they are in."""
    wrong = []
    for part in below(widget):
        if part.winfo_class() in ("TLabel", "TButton", "TCheckbutton", "TEntry", "TCombobox"):
            sized = part.winfo_class() in ("TLabel", "TEntry", "TCombobox") and int(part.cget("width") or 0) != 0
            if part.winfo_height() < part.winfo_reqheight() or (
                not sized and part.winfo_width() < part.winfo_reqwidth()
            ):
                wrong.append(f"{part} has {part.winfo_width()}x{part.winfo_height()}")
        holder = part.master
        if part is not widget and holder is not None:
            right, bottom = part.winfo_x() + part.winfo_width(), part.winfo_y() + part.winfo_height()
            if (
                part.winfo_x() < 0
                or part.winfo_y() < 0
                or right > holder.winfo_width()
                or bottom > holder.winfo_height()
            ):
                wrong.append(f"{part} is not inside {holder}")
    return wrong
