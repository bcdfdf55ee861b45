"""Whether the display is one on which real keys can be pressed."""

import functools
import os
import shutil
import subprocess
import tkinter as tk

import pytest


def need_display() -> None:
    """Skip the test where its hands have nothing to touch; fail where CHAT_GUI_TESTS=required says that they must."""
    missing = _missing()
    if missing and os.environ.get("CHAT_GUI_TESTS") == "required":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


@functools.cache
def _missing() -> str:
    """Why these tests cannot or should not touch the display; "": they may."""
    if not os.environ.get("DISPLAY"):
        return "no display"
    if shutil.which("xdotool") is None:
        return "no xdotool, which presses the keys"
    try:
        root = tk.Tk()
    except tk.TclError as problem:
        return f"no display: {problem}"
    try:
        # Without one, nobody would give the keys to another window when it is clicked.
        checked = root.tk.call("winfo", "atomname", root.tk.call("winfo", "atom", "_NET_SUPPORTING_WM_CHECK"))
        managed = subprocess.run(["xdotool", "get_desktop"], capture_output=True).returncode == 0
        if not (checked and managed):
            return "no window manager runs on the display: start openbox there"
    finally:
        root.destroy()
    # Keys go to whatever has the focus: not while somebody works at this display.
    others = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "."], capture_output=True).stdout
    if others and os.environ.get("CHAT_GUI_TESTS") != "required":
        return "these tests take mouse and keyboard, and others use this display: make gui"
    return ""
