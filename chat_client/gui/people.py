"""The list of people on the right, and who of them is here."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import CutLabel
from chat_client.gui.look import Look
from chat_client.gui.sidelist import OnMenu, SideList, SideRow
from chat_client.model.shown import PersonItem


class PeopleList(ttk.Frame):
    """``on_person(name)`` is called when somebody is opened, by two clicks or by Enter, ``on_menu(user, x, y)`` when
    one asks what can be done; neither by `show_people`."""

    def __init__(
        self, parent: tk.Misc, look: Look, *, on_person: Callable[[str], None], on_menu: OnMenu | None = None
    ) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._look, self._on_person = look, on_person
        self._names: dict[str, str] = {}
        self._heading = CutLabel(self, look.font("small_bold"), style="SideDim.TLabel")
        self.list = SideList(self, look, style="People.Treeview", on_open=self._open, on_menu=on_menu, double=True)
        self._heading.grid(row=0, column=0, sticky="ew")
        self.list.grid(row=1, column=0, sticky="nsew")
        self._strut = ttk.Frame(self, style="Side.TFrame", height=0)  # as wide as it would like to be
        self._strut.grid(row=2, column=0, sticky="ew")
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        follow(self, look, self._dress)

    def show_people(self, title: str, items: Sequence[PersonItem]) -> None:
        """Show these people, in this order, under this heading."""
        self._heading.show(self._look.emoji.safe(title))
        self._names = {item.user: item.name for item in items}
        self.list.show([self._row(item) for item in items])

    def focus(self) -> None:
        """Have the keys go to the list."""
        self.list.focus()

    def _row(self, item: PersonItem) -> SideRow:
        text = f"{item.name} (you)" if item.me else item.name
        return SideRow(item.user, text, str(self._look.dot(item.here)), self._label(item), "" if item.here else "dim")

    def _label(self, item: PersonItem) -> str:
        """What counts most in the room that is open: the role in it, else that in the chat."""
        if item.role:
            return str(self._look.label(item.role))
        return str(self._look.label(item.chat_role, filled=True)) if item.chat_role else ""

    def _open(self, user: str) -> None:
        self._on_person(self._names[user])

    def _dress(self) -> None:
        px = self._look.px
        self.configure(padding=(px(4), px(16), px(4), px(8)))
        self._heading.grid_configure(padx=(px(12), px(6)), pady=(0, px(6)))
        self._strut.configure(width=px(172))
        self._heading.fit()
