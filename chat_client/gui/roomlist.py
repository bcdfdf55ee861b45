"""The list of my rooms on the left, with what is unread in each."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Final

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import CutLabel
from chat_client.gui.keys import press_by_enter
from chat_client.gui.look import Look
from chat_client.gui.marks import Kind
from chat_client.gui.sidelist import OnMenu, SideList, SideRow
from chat_client.model.shown import RoomItem

# Rows that are no rooms: what stands above those that follow. (No room has such an id.)
_DIRECT: Final = "?direct"


class RoomList(ttk.Frame):
    """``on_open(room)`` is called when a room is opened by a click or by Enter, ``on_menu(room, x, y)`` when one asks
    what can be done with it, ``on_jump()`` when the switcher is wanted; none of them by `show_rooms`."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        on_open: Callable[[str], None],
        on_jump: Callable[[], None],
        on_menu: OnMenu | None = None,
    ) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._look = look
        self._marks: dict[tuple[int, bool, bool], tk.PhotoImage] = {}
        self._items: list[RoomItem] = []
        self._current = ""
        self._title = CutLabel(self, look.font("title"), style="SideTitle.TLabel")
        self._jump = ttk.Button(self, text="Jump to…  Ctrl+K", style="Search.Side.TButton", command=on_jump)
        press_by_enter(self._jump)
        self._heading = ttk.Label(self, text="ROOMS", style="SideDim.TLabel")
        self.list = SideList(self, look, style="Rooms.Treeview", on_open=on_open, on_menu=on_menu)
        self._title.grid(row=0, column=0, sticky="ew")
        self._jump.grid(row=1, column=0, sticky="ew")
        self._heading.grid(row=2, column=0, sticky="w")
        self.list.grid(row=3, column=0, sticky="nsew")
        self._strut = ttk.Frame(self, style="Side.TFrame", height=0)  # as wide as it would like to be
        self._strut.grid(row=4, column=0, sticky="ew")
        self.columnconfigure(0, weight=1)
        self.rowconfigure(3, weight=1)
        follow(self, look, self._dress)

    def destroy(self) -> None:
        """Go, with the pictures."""
        super().destroy()
        self._marks.clear()

    def show_title(self, text: str) -> None:
        """Whose rooms these are: the broker's name."""
        self._title.show(self._look.emoji.safe(text))

    def show_rooms(self, items: Sequence[RoomItem], current: str) -> None:
        """Show these rooms, in this order: those to which I am invited, the others, and below a heading the direct
        ones. ``current`` is the id of the one that is open, "" if none is."""
        self._items, self._current = list(items), current
        direct = [item for item in items if item.kind == "direct"]
        rooms = sorted((item for item in items if item.kind != "direct"), key=lambda item: not item.invited)
        heading = [SideRow(_DIRECT, "DIRECT", tag="heading")] if direct else []
        rows = [*map(self._row, rooms), *heading, *map(self._row, direct)]
        self._heading.configure(text="ROOMS" if rooms or not direct else "")
        self.list.show(rows, current)

    def focus(self) -> None:
        """Have the keys go to the list."""
        self.list.focus()

    def _row(self, item: RoomItem) -> SideRow:
        tag = "strong" if item.unread or item.invited else "dim" if item.quiet else ""
        return SideRow(item.id, item.name, self._sign(item, tag == "strong"), self._mark(item), tag)

    def _sign(self, item: RoomItem, strong: bool) -> str:
        """The picture before the name: what kind of room it is."""
        if item.kind == "direct" and not item.group:
            return str(self._look.dot(item.here))
        kind: dict[str, Kind] = {"open": "hash", "private": "lock", "direct": "group", "audit": "eye"}
        return str(self._look.mark(kind[item.kind], strong))

    def _mark(self, item: RoomItem) -> str:
        """The picture at the right: what is unread, before it a pencil if I have begun to write."""
        if item.invited:
            return str(self._look.label("invited"))
        if not item.draft:
            return str(self._look.badge(item.unread, item.mentions > 0)) if item.unread else ""
        key = (min(item.unread, 100), item.mentions > 0, True)
        if key not in self._marks:
            self._marks[key] = self._draw_mark(item)
        return str(self._marks[key])

    def _draw_mark(self, item: RoomItem) -> tk.PhotoImage:
        pencil = self._look.mark("pencil")
        if not item.unread:
            return pencil
        badge, gap = self._look.badge(item.unread, item.mentions > 0), self._look.px(4)
        both = tk.PhotoImage(master=self, width=pencil.width() + gap + badge.width(), height=badge.height())
        for part, x in ((pencil, 0), (badge, pencil.width() + gap)):
            self.tk.call(both, "copy", part, "-to", x, (badge.height() - part.height()) // 2)
        return both

    def _dress(self) -> None:
        px = self._look.px
        self.configure(padding=(px(6), px(12), px(6), px(8)))
        self._title.grid_configure(padx=px(9), pady=(0, px(10)))
        self._jump.configure(padding=(px(11), px(9)))
        self._jump.grid_configure(padx=px(4))
        self._heading.grid_configure(padx=px(9), pady=(px(14), px(6)))
        self._strut.configure(width=px(204))
        self._title.fit()
        old, self._marks = self._marks, {}
        self.show_rooms(self._items, self._current)
        old.clear()  # only now: no row shows them any more
