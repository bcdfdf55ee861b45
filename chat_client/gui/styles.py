"""The ttk styles of the window: clam, with our colours, lengths and drawn elements."""

import tkinter as tk
from collections.abc import Callable, Mapping
from tkinter import ttk
from tkinter.font import Font
from typing import Any

from chat_client.gui.palette import Palette
from chat_client.gui.patches import FIELD, SIDE, Patches

Px = Callable[[float], int]
_Node = tuple[str, Any]


class Styles:
    """Every style of one Tk: for its thread only."""

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._style = ttk.Style(root)
        self._style.theme_use("clam")
        self._patches = Patches(root, self._style)

    def change(self, colours: Palette, factor: float, px: Px, fonts: Mapping[str, Font]) -> None:
        """Give all styles, and the classic widgets that there are, these colours and sizes."""
        self._patches.change(colours, factor)
        self._layouts()
        self._base(colours, px, fonts)
        self._labels(colours, px, fonts)
        self._buttons(colours, px, fonts)
        self._fields(colours, px, fonts)
        self._lists(colours, px, fonts)
        _classic_defaults(self._root, colours, px)
        _dress(self._root, colours)

    def forget(self) -> None:
        """Nothing is shown any more."""
        self._patches.forget()

    def _layouts(self) -> None:
        element = self._patches.name
        for prefix, style in (("", ""), (SIDE, "Side.")):
            label = _node("Button.padding", _node("Button.label"))
            for name, kind in (("", "quiet"), ("Accent.", "accent"), ("Danger.", "danger"), ("Link.", "link")):
                self._layout(f"{style}{name}TButton", _node(element(f"{prefix}{kind}"), label))
            field = element(f"{prefix}field")
            self._layout(f"{style}TEntry", _node(field, _node("Entry.padding", _node("Entry.textarea"))))
            arrow = _node("Combobox.padding", _node(element("arrow"), sticky=""), side="right", sticky="ns")
            self._layout(
                f"{style}TCombobox", _node(field, arrow, _node("Combobox.padding", _node("Combobox.textarea")))
            )
            self._layout(f"{style}Field.TFrame", _node(field))
        tick = _node(element("tick"), side="left", sticky="")
        label = _node(element("ring"), _node("Checkbutton.label"), side="left", sticky="")
        self._layout("TCheckbutton", _node("Checkbutton.padding", tick, label))
        # The scrollbar finds its parts by the ends of their names.
        for prefix, style in (("", ""), (SIDE, "Side."), (FIELD, "Field.")):
            for way, kind, sticky in (("Vertical", "thumb", "ns"), ("Horizontal", "flat.thumb", "we")):
                thumb = _node(element(f"{prefix}{kind}"), expand="1")
                trough = _node(f"{way}.Scrollbar.trough", thumb, sticky=sticky)
                self._layout(f"{style}{way}.TScrollbar", trough)
        for name in ("Rooms", "People"):
            # The picture is as wide as the row, and the text stands over it (sidelist.py).
            picture = _node("Treeitem.image", _node("Treeitem.text", side="left", sticky="w"))
            self._layout(f"{name}.Treeview", _node("Treeview.treearea"))
            self._layout(f"{name}.Treeview.Item", _node("Treeitem.padding", picture))
            self._layout(f"{name}.Treeview.Row", _node("Treeitem.row"), _node(element("row")))

    def _layout(self, style: str, *nodes: _Node) -> None:
        self._style.layout(style, list(nodes))

    def _base(self, c: Palette, px: Px, fonts: Mapping[str, Font]) -> None:
        style = self._style
        style.configure(
            ".",
            background=c.bg,
            foreground=c.fg,
            font=fonts["text"],
            fieldbackground=c.field_bg,
            troughcolor=c.bg,
            selectbackground=c.marked,
            selectforeground=c.fg,
            insertcolor=c.fg,
            insertwidth=px(1.25),
            bordercolor=c.line,
            lightcolor=c.bg,
            darkcolor=c.bg,
            focuscolor=c.accent,
        )
        style.map(".", foreground=[("disabled", c.dim)], selectbackground=[], selectforeground=[], background=[])
        style.configure("TFrame", background=c.bg)
        style.configure("Side.TFrame", background=c.side)
        style.configure("Rule.TFrame", background=c.line)
        style.configure("TSeparator", background=c.line)
        style.configure("TPanedwindow", background=c.line)
        style.configure("Sash", sashthickness=px(5), gripcount=0, background=c.bg, lightcolor=c.bg, bordercolor=c.line)
        for name, back in (("Vertical.TScrollbar", c.bg), ("Horizontal.TScrollbar", c.bg)):
            style.configure(name, background=back, troughcolor=back, bordercolor=back, width=px(11), arrowsize=px(11))
            style.map(name, background=[])
            style.configure(f"Side.{name}", background=c.side, troughcolor=c.side, bordercolor=c.side)
            style.configure(f"Field.{name}", background=c.field_bg, troughcolor=c.field_bg, bordercolor=c.field_bg)

    def _labels(self, c: Palette, px: Px, fonts: Mapping[str, Font]) -> None:
        configure = self._style.configure
        configure("TLabel", background=c.bg, foreground=c.fg, font=fonts["text"])
        configure("Bold.TLabel", font=fonts["bold"])
        configure("Dim.TLabel", foreground=c.dim, font=fonts["text"])
        configure("Small.TLabel", foreground=c.dim, font=fonts["small"])
        configure("Title.TLabel", font=fonts["title"])
        configure("Error.TLabel", foreground=c.danger, font=fonts["small"])
        configure("Code.TLabel", background=c.field_bg, font=fonts["code"])
        configure("Side.TLabel", background=c.side)
        configure("SideTitle.TLabel", background=c.side, font=fonts["title"])
        configure("SideDim.TLabel", background=c.side, foreground=c.dim, font=fonts["small_bold"])
        configure("SideSmall.TLabel", background=c.side, foreground=c.dim, font=fonts["small"])
        configure("SideError.TLabel", background=c.side, foreground=c.danger, font=fonts["small"])

    def _buttons(self, c: Palette, px: Px, fonts: Mapping[str, Font]) -> None:
        style = self._style
        disabled = ("disabled", c.dim)
        style.configure(
            "TButton", padding=(px(12), px(6)), anchor="center", background=c.bg, font=fonts["text"], width=0
        )
        style.map("TButton", background=[], foreground=[disabled])
        for name in ("Accent.TButton", "Danger.TButton"):
            style.configure(name, foreground=c.accent_fg, font=fonts["bold"], padding=(px(16), px(7)))
            style.map(name, foreground=[disabled])
        style.configure("Link.TButton", foreground=c.link, padding=(px(6), px(3)))
        style.map("Link.TButton", foreground=[disabled])
        style.configure("Small.Link.TButton", font=fonts["small"], padding=(px(2), px(3)))
        for name in ("TButton", "Accent.TButton", "Link.TButton"):
            style.configure(f"Side.{name}", background=c.side)
        style.configure("Search.Side.TButton", anchor="w", foreground=c.dim)
        style.configure("TCheckbutton", background=c.bg, foreground=c.fg, padding=(0, px(2)))
        style.map("TCheckbutton", background=[], foreground=[disabled])
        style.configure("Side.TCheckbutton", background=c.side)

    def _fields(self, c: Palette, px: Px, fonts: Mapping[str, Font]) -> None:
        style = self._style
        padding = (px(10), px(7))
        for name in ("TEntry", "TCombobox"):
            style.configure(name, padding=padding, foreground=c.fg, background=c.bg, fieldbackground=c.field_bg)
            style.map(name, foreground=[("disabled", c.dim)], background=[], fieldbackground=[])
            style.configure(f"Side.{name}", background=c.side)
        style.configure("TCombobox", postoffset=(0, px(2), 0, 0))
        style.configure(
            "ComboboxPopdownFrame", relief="solid", borderwidth=1, background=c.field_bg, bordercolor=c.field_line
        )
        style.configure("Field.TFrame", background=c.bg, padding=px(8))
        style.configure("Side.Field.TFrame", background=c.side)

    def _lists(self, c: Palette, px: Px, fonts: Mapping[str, Font]) -> None:
        style = self._style
        for name, back in (("Treeview", c.bg), ("Rooms.Treeview", c.side), ("People.Treeview", c.side)):
            style.configure(
                name,
                background=back,
                fieldbackground=back,
                foreground=c.fg,
                font=fonts["text"],
                rowheight=px(28),
                borderwidth=0,
                relief="flat",
                padding=0,
                indent=0,
            )
            style.map(name, background=[("selected", c.selection)], foreground=[("selected", c.selection_fg)])
            style.configure(f"{name}.Item", padding=(px(10), 0), indicatorsize=0)


def _node(element: str, *children: _Node, sticky: str = "nswe", **options: str) -> _Node:
    """An element of a layout, filling its place if nothing else is said, with others in it."""
    return element, {"sticky": sticky, **options, **({"children": list(children)} if children else {})}


def _classic_defaults(root: tk.Tk, c: Palette, px: Px) -> None:
    """What classic widgets look like that are made from now on, by Tk's own dialogs too."""
    marked: dict[str, object] = {"selectBackground": c.marked, "selectForeground": c.fg}
    plain: dict[str, object] = {
        "background": c.bg,
        "foreground": c.fg,
        "highlightThickness": 0,
        "borderWidth": 0,
        "font": "TkDefaultFont",
    }
    text = {**plain, **marked, "insertBackground": c.fg, "inactiveSelectBackground": c.marked, "insertWidth": px(1.25)}
    menu: dict[str, object] = {
        **plain,
        "background": c.field_bg,
        "activeBackground": c.selection,
        "activeForeground": c.selection_fg,
        "disabledForeground": c.dim,
        "selectColor": c.fg,
        "activeBorderWidth": 0,
        "borderWidth": 2,
        "relief": "groove",  # the only one whose edge is grey on all four sides
        "tearOff": 0,
    }
    popdown: dict[str, object] = {
        **plain,
        "background": c.field_bg,
        "borderWidth": px(4),
        "relief": "flat",
        "selectBackground": c.selection,
        "selectForeground": c.selection_fg,
    }
    frame = {"background": c.bg}
    defaults: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("*Toplevel", frame),
        ("*Canvas", {**frame, "highlightThickness": 0}),
        ("*Text", text),
        ("*Listbox", {**plain, **marked}),
        ("*Menu", menu),
        ("*TCombobox*Listbox", popdown),
    )
    for pattern, options in defaults:
        for option, value in options.items():
            root.option_add(f"{pattern}.{option}", value, "interactive")


def _dress(root: tk.Tk, c: Palette) -> None:
    """Give the classic widgets that are there, and that no view knows, the colours: windows, menus, popdown lists."""
    call = root.tk.call
    root.configure(background=c.bg)
    waiting = ["."]
    while waiting:
        path = waiting.pop()
        kind = str(call("winfo", "class", path))
        waiting += map(str, root.tk.splitlist(call("winfo", "children", path)))
        if kind == "Toplevel":
            _set(root, path, background=c.bg)
        elif kind == "Menu":
            _set(root, path, background=c.field_bg, foreground=c.fg, disabledforeground=c.dim, selectcolor=c.fg)
            _set(root, path, activebackground=c.selection, activeforeground=c.selection_fg)
        elif kind == "Listbox" and ".popdown." in path:
            _set(root, path, background=c.field_bg, foreground=c.fg)
            _set(root, path, selectbackground=c.selection, selectforeground=c.selection_fg)


def _set(root: tk.Tk, path: str, **options: str) -> None:
    root.tk.call(path, "configure", *(part for name, value in options.items() for part in (f"-{name}", value)))
