"""How many pixels of this screen a length of the design takes, and the traps on the way to that number."""

import contextlib
import ctypes
import math
import sys
import tkinter as tk

DESIGN_DPI = 96.0
ZOOM_STEP = 1.1
ZOOM_LEAST, ZOOM_MOST = -5, 10
# What a screen says of its size is not always true (a television, a projector, a virtual one).
_SCALE_LEAST, _SCALE_MOST = 0.75, 4.0
_DPI_LEAST, _DPI_MOST = 48.0, 768.0
_AWARE_OF_EACH_MONITOR = 2


def prepare() -> None:
    """To be called before the first Tk is made: Windows is told that we draw sharply ourselves. Never raises."""
    if sys.platform == "win32":
        with contextlib.suppress(AttributeError, OSError):
            ctypes.windll.shcore.SetProcessDpiAwareness(_AWARE_OF_EACH_MONITOR)


def settle_dpi(root: tk.Tk) -> float:
    """The dpi by which text is drawn, set as Tk's scaling, so that a font of -14 is 14 pixels high.

    The trap: desktops on X11 scale by the resource Xft.dpi. Xft heeds it for every font, one given in pixels too; Tk
    8.6 does not look at it. With both at odds, text doubles in a layout that stays as it was. To be called before any
    font is made.
    """
    dpi = root.winfo_fpixels("1i")
    if root.tk.call("tk", "windowingsystem") == "x11":
        dpi = xft_dpi(root) or dpi
        root.tk.call("tk", "scaling", dpi / 72)
    return dpi


def xft_dpi(root: tk.Tk) -> float | None:
    """What the X resource Xft.dpi says; None if it says nothing that can be used."""
    # A resource is found under the application's own name only: one that is called "Xft" has to ask.
    try:
        asker = tk.Tk(screenName=root.winfo_screen(), baseName="Xft", className="Xft", useTk=True)
    except tk.TclError:
        return None
    try:
        asker.withdraw()
        return read_dpi(str(asker.tk.call("option", "get", ".", "dpi", "Dpi")))
    finally:
        asker.destroy()


def read_dpi(text: str) -> float | None:
    """The dpi that a text gives; None if it is no number, or not that of any screen."""
    try:
        dpi = float(text)
    except ValueError:
        return None
    return dpi if _DPI_LEAST <= dpi <= _DPI_MOST else None  # NaN is outside as well


def scale_of(dpi: float, windowing: str) -> float:
    """How many times the design's size things are drawn on a screen of that dpi. ``windowing``: x11, win32 or aqua."""
    if windowing == "aqua":
        return 1.0  # a point of macOS is already right for the screen
    scale = dpi / DESIGN_DPI
    if abs(scale - 1) < 0.08:
        return 1.0  # screens say 95 or 100 and mean 96: everything stays on whole pixels
    return min(max(scale, _SCALE_LEAST), _SCALE_MOST)


def zoom_factor(zoom: int) -> float:
    """What ``zoom`` steps make larger (or, below 0, smaller)."""
    return math.pow(ZOOM_STEP, min(max(zoom, ZOOM_LEAST), ZOOM_MOST))


def pixels(length: float, factor: float) -> int:
    """A length of the design in whole pixels; what is there at all stays at least one pixel."""
    if length == 0:
        return 0
    whole = max(1, math.floor(abs(length) * factor + 0.5))
    return whole if length > 0 else -whole
