"""What only the finished pixels tell, on an X server of the tests' own: the Xft.dpi trap, and that focus is seen."""

import os
import select
import shutil
import subprocess
import tkinter as tk
from collections.abc import Iterator
from tkinter import ttk

import pytest
from PIL import Image, ImageChops, ImageGrab

from chat_client.gui.look import Look
from chat_client.gui.palette import PALETTES, Theme, rgb

pytestmark = pytest.mark.real

START_SECONDS = 20


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of an X server on which nothing else is drawn. It lives as long as the tests do: Tk keeps a connection
    that it once had, and ends the process when that breaks."""
    needed = ("Xvfb", "xrdb")
    missing = [program for program in needed if not shutil.which(program)]
    if missing:
        (pytest.fail if os.environ.get("CHAT_GUI_TESTS") == "required" else pytest.skip)(f"not installed: {missing}")
    reader, writer = os.pipe()
    # Without -noreset, what xrdb sets is gone as soon as xrdb is.
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1200x900x24", "-noreset", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with open(reader, encoding="ascii") as lines:
            assert select.select([lines], [], [], START_SECONDS)[0], "Xvfb has not started"
            number = lines.readline().strip()
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


@pytest.fixture
def root(display: str) -> Iterator[tk.Tk]:
    made = tk.Tk(screenName=display)
    yield made
    made.destroy()


def set_resource(display: str, line: str) -> None:
    subprocess.run(["xrdb", "-display", display, "-load"], input=line.encode(), check=True, timeout=START_SECONDS)


def shot(display: str, widget: tk.Misc) -> Image.Image:
    """What is on the screen where the widget is."""
    widget.update()
    left, top = widget.winfo_rootx(), widget.winfo_rooty()
    area = (left, top, left + widget.winfo_width(), top + widget.winfo_height())
    return ImageGrab.grab(area, xdisplay=display).convert("RGB")


@pytest.mark.parametrize(("dpi", "times"), [(96, 1), (144, 1.5), (192, 2)])
def test_text_and_lengths_grow_together_where_the_desktop_scales(display: str, dpi: int, times: float) -> None:
    plain = tk.Tk(screenName=display)
    try:
        wanted = Look(plain, scale=times).font("text").measure("as wide as this")
    finally:
        plain.destroy()
    set_resource(display, f"Xft.dpi: {dpi}\n")
    try:
        scaled = tk.Tk(screenName=display)
        try:
            look = Look(scaled)
            assert look.scale == times
            assert abs(look.font("text").measure("as wide as this") - wanted) <= 2
        finally:
            scaled.destroy()
    finally:
        set_resource(display, "")


FOCUSABLE = [
    (ttk.Button, "TButton"),
    (ttk.Button, "Accent.TButton"),
    (ttk.Button, "Link.TButton"),
    (ttk.Button, "Side.TButton"),
    (ttk.Entry, "TEntry"),
    (ttk.Entry, "Side.TEntry"),
    (ttk.Combobox, "TCombobox"),
    (ttk.Checkbutton, "TCheckbutton"),
    (ttk.Frame, "Field.TFrame"),
    (ttk.Treeview, "Rooms.Treeview"),
    (ttk.Treeview, "People.Treeview"),
]


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("kind", "style"), FOCUSABLE)
def test_focus_is_seen(display: str, root: tk.Tk, theme: Theme, kind: type[ttk.Widget], style: str) -> None:
    look = Look(root, theme, scale=1.5)
    widget = kind(root, style=style)
    if isinstance(widget, ttk.Treeview):
        widget.configure(show="tree", height=3)
        widget.insert("", "end", iid="row", text="row")
        widget.focus("row")
    elif isinstance(widget, ttk.Frame):
        widget.configure(width=200, height=60)
    widget.pack(padx=20, pady=20)
    without = shot(display, widget)
    widget.state(["focus"])
    focused = shot(display, widget)
    changed = ImageChops.difference(without, focused).convert("L").point([0] + [255] * 255)
    assert changed.histogram()[255] >= 60
    colours = {pixel for _, pixel in focused.getcolors(maxcolors=1 << 20) or []}
    assert rgb(look.palette.accent) in colours


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize(("style", "back"), [("TButton", "bg"), ("Side.TButton", "side"), ("Rooms.Treeview", "side")])
def test_rounded_corners_show_what_is_behind(display: str, root: tk.Tk, theme: Theme, style: str, back: str) -> None:
    look = Look(root, theme, scale=2)
    if style.endswith("Treeview"):
        widget: ttk.Widget = (tree := ttk.Treeview(root, style=style, show="tree", height=1))
        tree.insert("", "end", iid="row", text="row")
        tree.selection_set("row")
    else:
        widget = ttk.Button(root, style=style, text="Send")
    widget.pack()
    picture = shot(display, widget)
    corners = [(x, y) for x in (0, picture.width - 1) for y in (0, picture.height - 1)]
    assert {picture.getpixel(corner) for corner in corners} == {rgb(getattr(look.palette, back))}


def test_a_theme_or_zoom_arrived_at_looks_like_one_begun_with(display: str) -> None:
    shots = []
    for changed in (True, False):
        root = tk.Tk(screenName=display)
        try:
            look = Look(root, "light" if changed else "dark", scale=1, zoom=0 if changed else 4)
            buttons = [ttk.Button(root, text="Send", style=f"{kind}TButton") for kind in ("", "Accent.", "Link.")]
            tree = ttk.Treeview(root, style="Rooms.Treeview", show="tree", height=2)
            tree.insert("", "end", iid="row", text="row", image=look.badge(12))
            tree.selection_set("row")
            bar = ttk.Scrollbar(root)
            bar.set(0.2, 0.5)
            for widget in (*buttons, ttk.Entry(root), ttk.Combobox(root), tree, bar):
                widget.pack()
            root.geometry("500x700+0+0")
            root.update()
            if changed:
                look.set_zoom(2)
                look.set_theme("dark")
                look.set_zoom(4)
            shots.append(shot(display, root))
        finally:
            root.destroy()
    assert ImageChops.difference(*shots).getbbox() is None
