"""The list that rooms and people are shown in: one row each, with a picture, in the colours of the sides."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Any, NamedTuple

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import cut
from chat_client.gui.keys import bind_plain
from chat_client.gui.look import Look


class SideRow(NamedTuple):
    """A row: ``image`` is the name of a picture of Tk or "", ``tag`` is "", "strong" or "dim"."""

    id: str
    text: str
    image: str = ""
    tag: str = ""


class SideList(ttk.Frame):
    """Rows to choose from. One of them may be *chosen* (a bar behind it); the keys move another mark, the *cursor* (a
    ring, seen while the list has the focus).

    ``on_open(id)`` is called when somebody opens a row: by Enter, or by one click (two, if ``double``). It is never
    called by `show`.
    """

    def __init__(
        self, parent: tk.Misc, look: Look, *, style: str, on_open: Callable[[str], None], double: bool = False
    ) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._look, self._on_open, self._double = look, on_open, double
        self._rows: dict[str, SideRow] = {}
        self._order: list[str] = []
        self._wide: dict[tuple[str, str], int] = {}  # (text, tag) -> pixels
        self._room = 0
        self._tree = ttk.Treeview(self, style=style, show="tree", selectmode="none", height=1)
        self._tree.column("#0", minwidth=1, width=1, stretch=True)
        self._scrollbar = ttk.Scrollbar(self, style="Side.Vertical.TScrollbar", command=self._tree.yview)
        self._scrollbar.configure(takefocus=False)
        self._tree.configure(yscrollcommand=self._scrolled)
        self._tree.grid(row=0, column=0, sticky="nsew")
        self.rowconfigure(0, weight=1)
        # Tk does not arrange a grid anew that asks for one pixel: the room of a scrollbar that goes would stay empty.
        self.columnconfigure(0, weight=1, minsize=2)
        self._bind_keys()
        follow(self, look, self._dress)

    # ---- what is in it

    def show(self, rows: Sequence[SideRow], chosen: str = "") -> None:
        """Show these rows; what is scrolled to and where the cursor is stay, as long as they are there. When another
        row is chosen, the cursor goes there."""
        wanted = [row.id for row in rows]
        before, self._rows = self._rows, {row.id: row for row in rows}
        if wanted != self._order:
            self._rearrange(wanted)
        for row in rows:
            if row.id in before and before[row.id] != row:
                self._write(row)
        self._choose(chosen if chosen in self._rows else "")

    def ids(self) -> list[str]:
        """The rows from top to bottom."""
        return list(self._order)

    def shown(self, row: str) -> str:
        """The text of a row as it is shown, cut or not."""
        return str(self._tree.item(row, "text"))

    def focus(self) -> None:
        """Have the keys go to the list."""
        if not self.cursor and self._order:
            self._tree.focus(self._order[0])
        self._tree.focus_set()

    @property
    def cursor(self) -> str:
        """The row that Enter would open; "" if there is none."""
        return str(self._tree.focus())

    @property
    def chosen(self) -> str:
        """The row with the bar behind it; "" if there is none."""
        return next(iter(self._tree.selection()), "")

    @property
    def tree(self) -> ttk.Treeview:
        """The widget itself, for the focus ring and for tests."""
        return self._tree

    def _rearrange(self, wanted: list[str]) -> None:
        top = self._tree.identify_row(1) if self._tree.yview()[0] > 0 else ""
        cursor = self.cursor
        there = set(wanted)
        gone = [row for row in self._order if row not in there]
        if gone:
            if cursor not in there:
                self._tree.focus(self._neighbour(cursor, there))
            self._tree.delete(*gone)
        known = set(self._order)
        for row in wanted:
            if row not in known:
                self._tree.insert("", "end", iid=row, **self._content(self._rows[row]))
        self._tree.set_children("", *wanted)
        self._order = wanted
        if top in there:
            self._tree.yview_moveto((wanted.index(top) + 0.01) / len(wanted))

    def _neighbour(self, row: str, there: set[str]) -> str:
        """The next row below this one that stays, else the next above it; "" if none does."""
        at = self._order.index(row) if row in self._order else 0
        staying = (other for other in self._order[at:] + self._order[:at][::-1] if other in there)
        return next(staying, "")

    def _choose(self, row: str) -> None:
        if row != self.chosen:
            self._tree.selection_set([row] if row else [])
            if row:
                self._tree.focus(row)
                self._tree.see(row)

    # ---- how it looks

    def _write(self, row: SideRow) -> None:
        self._tree.item(row.id, **self._content(row))

    def _content(self, row: SideRow) -> dict[str, Any]:
        margin = self._look.px(8)
        room = self._room - (self._image_width(row.image) + margin if row.image else 0)
        tags = [row.tag] if row.tag else []
        return {"text": self._cut(row, room), "image": row.image, "tags": tags}

    def _cut(self, row: SideRow, room: int) -> str:
        font = self._look.font("bold" if row.tag == "strong" else "text")
        text = self._look.emoji.safe(row.text)
        wide = self._wide.get((text, row.tag))
        if wide is None:
            wide = self._wide[text, row.tag] = font.measure(text)
        return text if wide <= room or self._room <= 0 else cut(text, room, font.measure)

    def _image_width(self, name: str) -> int:
        return int(self.tk.call("image", "width", name))

    def _dress(self) -> None:
        self._tree.tag_configure("strong", font=self._look.font("bold"))
        self._tree.tag_configure("dim", foreground=self._look.palette.dim)
        self._wide.clear()
        self._fit(self._tree.winfo_width(), anew=True)

    def _fit(self, width: int, *, anew: bool = False) -> None:
        room = width - 2 * self._look.px(10)  # what the style leaves free at both sides
        if width > 1 and (anew or room != self._room):
            self._room = room
            for row in self._rows.values():
                self._write(row)

    def _scrolled(self, first: float, last: float) -> None:  # Tk gives them as texts
        self._scrollbar.set(first, last)
        if float(first) <= 0 and float(last) >= 1:
            self._scrollbar.grid_remove()
        else:
            self._scrollbar.grid(row=0, column=1, sticky="ns")

    # ---- keys and the pointer

    def _bind_keys(self) -> None:
        tree = self._tree
        bind_plain(tree, "Up", lambda event: self._move(-1))
        bind_plain(tree, "Down", lambda event: self._move(1))
        bind_plain(tree, "Prior", lambda event: self._move(-self._page()))
        bind_plain(tree, "Next", lambda event: self._move(self._page()))
        bind_plain(tree, "Home", lambda event: self._move(-len(self._order)))
        bind_plain(tree, "End", lambda event: self._move(len(self._order)))
        for key in ("Return", "KP_Enter", "space"):
            bind_plain(tree, key, lambda event: self._open(self.cursor))
        # The focus stays where it is: who clicks a room goes on typing.
        tree.bind("<Button-1>", lambda event: self._click(event.y, not self._double))
        tree.bind("<Double-Button-1>", lambda event: self._click(event.y, self._double))
        tree.bind("<Triple-Button-1>", lambda event: "break")
        tree.bind("<FocusIn>", lambda event: self.focus())
        tree.bind("<Configure>", lambda event: self._fit(event.width))

    def _page(self) -> int:
        height = max(1, self._look.px(28))
        return max(1, self._tree.winfo_height() // height - 1)

    def _move(self, step: int) -> str:
        if self._order:
            at = self._order.index(self.cursor) + step if self.cursor else 0
            row = self._order[min(max(at, 0), len(self._order) - 1)]
            self._tree.focus(row)
            self._tree.see(row)
        return "break"

    def _open(self, row: str) -> str:
        if row:
            self._on_open(row)
        return "break"

    def _click(self, y: int, opens: bool) -> str:
        row = self._tree.identify_row(y)
        if row:
            self._tree.focus(row)
            if opens:
                self._on_open(row)
        return "break"
