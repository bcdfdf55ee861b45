"""The list that rooms and people are shown in: one row each, with a picture, in the colours of the sides."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import font as tkfont
from tkinter import ttk
from typing import Any, NamedTuple

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import cut
from chat_client.gui.keys import bind_menu, bind_plain
from chat_client.gui.look import Look

# Design pixels that a picture before a text takes, with what is between them.
_BEFORE = 20


OnMenu = Callable[[str, int, int], None]


class SideRow(NamedTuple):
    """A row: ``left`` and ``image`` are the names of pictures of Tk before the text and at the right, or ""; ``tag`` is
    "", "strong", "dim" or "heading": what cannot be opened."""

    id: str
    text: str
    left: str = ""
    image: str = ""
    tag: str = ""


class SideList(ttk.Frame):
    """Rows to choose from. One of them may be *chosen* (a bar behind it); the keys move another mark, the *cursor* (a
    ring, seen while the list has the focus).

    ``on_open(id)`` is called when somebody opens a row: by Enter, or by one click (two, if ``double``). It is never
    called by `show`. ``on_menu(id, x, y)``: what can be done with a row is asked for, at this place of the screen: by
    the right button, or by the menu key or Shift+F10.
    """

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        style: str,
        on_open: Callable[[str], None],
        on_menu: OnMenu | None = None,
        double: bool = False,
    ) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._look, self._on_open, self._double = look, on_open, double
        self._on_menu = on_menu
        self._rows: dict[str, SideRow] = {}
        self._order: list[str] = []
        self._wide: dict[tuple[str, str], int] = {}  # (text, tag) -> pixels
        # A row has but one picture: those before and behind the text in one, as wide as the row, the text over it.
        self._pictures: dict[tuple[str, str], tk.PhotoImage] = {}
        self._indent = ""  # blanks as wide as what is before a text
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

    def destroy(self) -> None:
        """Go, with the pictures: later, the garbage collector might find them in a thread that is not Tk's."""
        super().destroy()
        self._pictures.clear()

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
        used = {(row.left, row.image) for row in rows}
        self._pictures = {key: picture for key, picture in self._pictures.items() if key in used}
        self._choose(chosen if chosen in self._rows else "")

    def ids(self) -> list[str]:
        """The rows from top to bottom, without headings."""
        return [row for row in self._order if self._rows[row].tag != "heading"]

    def row(self, row: str) -> SideRow:
        """What is to be shown of a row."""
        return self._rows[row]

    def shown(self, row: str) -> str:
        """The text of a row as it is shown, cut or not."""
        return str(self._tree.item(row, "text")).removeprefix(self._indent)

    def focus(self) -> None:
        """Have the keys go to the list."""
        if not self.cursor and (rows := self.ids()):
            self._tree.focus(rows[0])
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
        around = self._order[at:] + self._order[:at][::-1]
        staying = (other for other in around if other in there and self._rows[other].tag != "heading")
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
        indent = self._indent if row.left else ""
        taken = self._font("text").measure(indent) if indent else 0
        taken += self._image_width(row.image) + self._look.px(8) if row.image else 0
        tags = [row.tag] if row.tag else []
        return {"text": indent + self._cut(row, self._room - taken), "image": self._picture(row), "tags": tags}

    def _picture(self, row: SideRow) -> str:
        """The picture of a row, as its text stands over it; "": none."""
        key = row.left, row.image
        if key == ("", "") or self._room <= 0:
            return ""
        if key not in self._pictures:
            high = self._look.px(28)
            both = self._pictures[key] = tk.PhotoImage(master=self, width=self._room, height=high)
            for part, x in ((row.left, 0), (row.image, self._room - self._image_width(row.image))):
                if part:
                    place = max(0, x), (high - int(self.tk.call("image", "height", part))) // 2
                    self.tk.call(both, "copy", part, "-to", *place)
        return str(self._pictures[key])

    def _font(self, tag: str) -> tkfont.Font:
        return self._look.font({"strong": "bold", "heading": "small_bold"}.get(tag, "text"))

    def _cut(self, row: SideRow, room: int) -> str:
        font = self._font(row.tag)
        text = self._look.emoji.safe(row.text)
        wide = self._wide.get((text, row.tag))
        if wide is None:
            wide = self._wide[text, row.tag] = font.measure(text)
        return text if wide <= room or self._room <= 0 else cut(text, room, font.measure)

    def _image_width(self, name: str) -> int:
        return int(self.tk.call("image", "width", name)) if name else 0

    def _dress(self) -> None:
        self._tree.tag_configure("strong", font=self._look.font("bold"))
        self._tree.tag_configure("dim", foreground=self._look.palette.dim)
        self._tree.tag_configure("heading", foreground=self._look.palette.dim, font=self._look.font("small_bold"))
        self._wide.clear()
        self._indent = " " * round(self._look.px(_BEFORE) / max(1, self._font("text").measure(" ")))
        self._fit(self._tree.winfo_width(), anew=True)

    def _fit(self, width: int, *, anew: bool = False) -> None:
        room = width - 2 * self._look.px(10)  # what the style leaves free at both sides
        if width > 1 and (anew or room != self._room):
            self._room = room
            before, self._pictures = self._pictures, {}
            for row in self._rows.values():
                self._write(row)
            before.clear()  # only now: no row shows them any more

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
        if self._on_menu is not None:
            bind_menu(tree, self._ask_menu)
        tree.bind("<FocusIn>", lambda event: self.focus())
        tree.bind("<Configure>", lambda event: self._fit(event.width))

    def _page(self) -> int:
        height = max(1, self._look.px(28))
        return max(1, self._tree.winfo_height() // height - 1)

    def _move(self, step: int) -> str:
        if rows := self.ids():
            at = rows.index(self.cursor) + step if self.cursor else 0
            row = rows[min(max(at, 0), len(rows) - 1)]
            self._tree.focus(row)
            self._tree.see(row)
        return "break"

    def _open(self, row: str) -> str:
        if row:
            self._on_open(row)
        return "break"

    def _row_at(self, y: int) -> str:
        """The row at this height; "": none, or a heading."""
        row = self._tree.identify_row(y)
        return row if row and self._rows[row].tag != "heading" else ""

    def _click(self, y: int, opens: bool) -> str:
        row = self._row_at(y)
        if row:
            self._tree.focus(row)
            if opens:
                self._on_open(row)
        return "break"

    def _ask_menu(self, event: "tk.Event[tk.Misc] | None") -> None:
        tree = self._tree
        row = self.cursor if event is None else self._row_at(event.y)
        if not row or self._on_menu is None:
            return
        tree.focus(row)
        if event is not None:
            self._on_menu(row, event.x_root, event.y_root)
            return
        tree.see(row)
        tree.update_idletasks()
        box = tree.bbox(row)
        below = box[1] + box[3] if box else 0
        self._on_menu(row, tree.winfo_rootx() + self._look.px(24), tree.winfo_rooty() + below)
