"""The line above the transcript: which room it is of and what that is about."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import CutLabel, cut
from chat_client.gui.keys import press_by_enter
from chat_client.gui.look import Look


class Header(ttk.Frame):
    """In a narrow window it also has the buttons that show the lists of rooms and people, which are hidden then."""

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        on_rooms: Callable[[], None],
        on_people: Callable[[], None],
        on_menu: Callable[[int, int], None],
    ) -> None:
        """``on_menu``: the menu is wanted, with its right upper corner at this place of the screen."""
        super().__init__(parent)
        self._look = look
        self._full_title = ""
        self._bar = ttk.Frame(self)
        self._rooms = ttk.Button(self._bar, text="Rooms", style="Link.TButton", command=on_rooms)
        self._title = ttk.Label(self._bar, style="Title.TLabel", compound="left")
        self._subtitle = CutLabel(self._bar, look.font("text"), style="Dim.TLabel")
        self._people = ttk.Button(self._bar, text="People", style="Link.TButton", command=on_people)
        self._menu = ttk.Button(self._bar, text="Menu", style="Link.TButton", command=lambda: on_menu(*self._corner()))
        self._menu.grid(row=0, column=4)
        press_by_enter(self._rooms, self._people, self._menu)
        self._title.grid(row=0, column=1)
        self._subtitle.grid(row=0, column=2, sticky="ew")
        self._bar.columnconfigure(2, weight=1)
        self._bar.pack(fill="both", expand=True)
        ttk.Frame(self, style="Rule.TFrame", height=1).pack(fill="x")
        self._bar.bind("<Configure>", lambda event: self._fit())
        follow(self, look, self._dress)

    def show_header(self, title: str, subtitle: str, private: bool = False) -> None:
        """Show these; what there is no room for is cut, the subtitle first. ``private``: a lock instead of a hash."""
        self._title.configure(image=str(self._look.mark("lock", True)) if private else "")
        self._full_title = self._look.emoji.safe(title.removeprefix("# ") if private else title)
        self._subtitle.show(self._look.emoji.safe(subtitle))
        self._fit()

    def show_buttons(self, rooms: bool, people: bool) -> None:
        """Show the button for the list of rooms, and the one for the list of people, or not."""
        for button, wanted, column in ((self._rooms, rooms, 0), (self._people, people, 3)):
            if wanted:
                button.grid(row=0, column=column)
            else:
                button.grid_remove()
        self._fit()

    def show_unread(self, count: int, mention: bool) -> None:
        """On the button of the rooms: what is unread in those that are not open."""
        self._rooms.configure(image=self._look.badge(count, mention) if count else "", compound="right")
        self._fit()

    def open_menu(self) -> None:
        """As the button does."""
        self._menu.invoke()

    @property
    def texts(self) -> tuple[str, str]:
        """What is shown as title and as subtitle, cut or not."""
        return str(self._title.cget("text")).strip(), str(self._subtitle.cget("text"))

    @property
    def shows_lock(self) -> bool:
        """Whether the title has a lock before it."""
        return bool(self._title.cget("image"))

    def _corner(self) -> tuple[int, int]:
        below = self._menu.winfo_rooty() + self._menu.winfo_height()
        return self._menu.winfo_rootx() + self._menu.winfo_width(), below

    def _fit(self) -> None:
        taken = sum(button.winfo_reqwidth() for button in (self._rooms, self._people, self._menu) if button.grid_info())
        room = self._bar.winfo_width() - taken - 4 * self._look.px(12)
        lock = "  " if self._title.cget("image") else ""
        room -= self._look.px(14) if lock else 0
        shown = lock + cut(self._full_title, max(room, 0), self._look.font("title").measure)
        if shown != self._title.cget("text"):
            self._title.configure(text=shown)

    def _dress(self) -> None:
        px = self._look.px
        self._bar.configure(padding=(px(10), px(5)))
        self._title.grid_configure(padx=(px(6), px(12)))
        self._subtitle.grid_configure(padx=(0, px(8)))
        self._bar.rowconfigure(0, minsize=px(32))
        self._subtitle.fit()
        self._fit()
