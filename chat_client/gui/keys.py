"""What is common to everything that takes keys: plain keys, and text that is safe to have typed or pasted."""

import contextlib
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import regex

from chat_client.gui.look import Look

_NEW_LINE = regex.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROL = regex.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """The text as it may be in a message and in Tk: every line ends in a newline, no control characters but that and
    the tab, and "\N{REPLACEMENT CHARACTER}" for halves of characters."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str(_CONTROL.sub("", _NEW_LINE.sub("\n", whole)))


def is_dangerous(typed: str, look: Look) -> bool:
    """Whether the glyph of what a key press gives could kill the process."""
    return typed.isprintable() and look.emoji.safe(typed) != typed


def selected(widget: tk.Misc, selection: str) -> str:
    """The text in the clipboard (``selection`` "CLIPBOARD") or selected anywhere ("PRIMARY"); "" if there is none."""
    for kind in ("UTF8_STRING", "STRING"):
        try:
            return str(widget.tk.call("selection", "get", "-displayof", widget, "-selection", selection, "-type", kind))
        except tk.TclError:
            continue  # there is nothing, or none of this kind
    return ""


def bind_plain(widget: tk.Misc, key: str, call: Callable[["tk.Event[tk.Misc]"], str | None]) -> None:
    """Bind a key that is pressed alone. (To Tk, Alt+Up is an Up as well, unless it has a binding of its own.)"""
    for more in ("Control", "Alt", "Shift", "Control-Shift", "Alt-Shift"):
        if not widget.bind(f"<{more}-{key}>"):
            widget.bind(f"<{more}-{key}>", lambda event: None)
    widget.bind(f"<{key}>", call)


def bind_menu(widget: tk.Misc, call: "Callable[[tk.Event[tk.Misc] | None], None]") -> None:
    """Bind what asks for a menu: the pointer (``call`` is given the event), or the menu key or Shift+F10 (None)."""

    def bound(event: "tk.Event[tk.Misc] | None") -> str:
        call(event)
        return "break"

    widget.bind("<<ContextMenu>>", bound)
    for key in ("<Menu>", "<App>", "<Shift-F10>"):
        with contextlib.suppress(tk.TclError):  # a key's name that this system does not know
            widget.bind(key, lambda event: bound(None))


def press_by_enter(*buttons: ttk.Button) -> None:
    """Have Enter press these buttons as the space bar does, while they have the focus."""
    for button in buttons:
        for key in ("<Return>", "<KP_Enter>"):
            button.bind(key, lambda event, button=button: button.invoke())


def guard(entry: ttk.Entry, look: Look) -> None:
    """Make a field of one line as safe as the composer is, whatever is typed or pasted; pasting replaces what is
    selected."""

    def put(text: str) -> str:
        if entry.instate(["!disabled", "!readonly"]):
            if entry.selection_present():
                entry.delete("sel.first", "sel.last")
            entry.insert("insert", look.emoji.safe(" ".join(clean(text).split())))
        return "break"

    def typed(event: "tk.Event[tk.Misc]") -> str | None:
        return put(event.char) if is_dangerous(event.char, look) else None

    entry.bind("<Key>", typed)
    entry.bind("<<Paste>>", lambda event: put(selected(entry, "CLIPBOARD")))
    entry.bind("<<PasteSelection>>", lambda event: put(selected(entry, "PRIMARY")))
    entry.bind("<Control-a>", lambda event: select_all(entry))


def select_all(entry: ttk.Entry) -> str:
    """Select everything in the field; "break", for bindings."""
    entry.selection_range(0, "end")
    entry.icursor("end")
    return "break"
