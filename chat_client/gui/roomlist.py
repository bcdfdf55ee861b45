"""The list of my rooms on the left, with what is unread in each."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk

from PIL import Image, ImageDraw

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import CutLabel
from chat_client.gui.images import FINER, encoded
from chat_client.gui.keys import press_by_enter
from chat_client.gui.look import Look
from chat_client.gui.palette import rgb
from chat_client.gui.sidelist import SideList, SideRow
from chat_client.model.shown import RoomItem


class RoomList(ttk.Frame):
    """``on_open(room)`` is called when a room is opened by a click or by Enter, ``on_jump()`` when the switcher is
    wanted; neither by `show_rooms`."""

    def __init__(
        self, parent: tk.Misc, look: Look, *, on_open: Callable[[str], None], on_jump: Callable[[], None]
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
        self.list = SideList(self, look, style="Rooms.Treeview", on_open=on_open)
        self._title.grid(row=0, column=0, sticky="ew")
        self._jump.grid(row=1, column=0, sticky="ew")
        self._heading.grid(row=2, column=0, sticky="w")
        self.list.grid(row=3, column=0, sticky="nsew")
        self._strut = ttk.Frame(self, style="Side.TFrame", height=0)  # as wide as it would like to be
        self._strut.grid(row=4, column=0, sticky="ew")
        self.columnconfigure(0, weight=1)
        self.rowconfigure(3, weight=1)
        follow(self, look, self._dress)

    def show_title(self, text: str) -> None:
        """Whose rooms these are: the broker's name."""
        self._title.show(self._look.emoji.safe(text))

    def show_rooms(self, items: Sequence[RoomItem], current: str) -> None:
        """Show these rooms, in this order; ``current`` is the id of the one that is open, "" if none is."""
        self._items, self._current = list(items), current
        self.list.show([self._row(item) for item in items], current)

    def focus(self) -> None:
        """Have the keys go to the list."""
        self.list.focus()

    def _row(self, item: RoomItem) -> SideRow:
        return SideRow(item.id, f"#  {item.name}", self._mark(item), "strong" if item.unread else "")

    def _mark(self, item: RoomItem) -> str:
        """The picture at the right: what is unread, before it a pencil if I have begun to write."""
        if not item.draft:
            return str(self._look.badge(item.unread, item.mentions > 0)) if item.unread else ""
        key = (min(item.unread, 100), item.mentions > 0, True)
        if key not in self._marks:
            self._marks[key] = self._draw_mark(item)
        return str(self._marks[key])

    def _draw_mark(self, item: RoomItem) -> tk.PhotoImage:
        pencil = tk.PhotoImage(master=self, data=encoded(_pencil(self._look.px(14), self._look.palette.dim)))
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


def _pencil(side: int, colour: str) -> Image.Image:
    """A pencil on nothing, ``side`` pixels high and wide."""
    large = Image.new("RGBA", (side * FINER, side * FINER), (*rgb(colour), 0))
    pen = ImageDraw.Draw(large)
    unit = side * FINER / 16
    for outline in (
        [(2, 14), (3, 10), (6, 13)],
        [(3.8, 9.2), (10, 3), (13, 6), (6.8, 12.2)],
        [(10.8, 2.2), (12, 1), (15, 4), (13.8, 5.2)],
    ):
        pen.polygon([(x * unit, y * unit) for x, y in outline], fill=colour)
    return large.resize((side, side), Image.Resampling.BOX)
