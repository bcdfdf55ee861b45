"""The chat window: lists at the sides, transcript and composer between them, the status bar below; and its keys."""

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tkinter import ttk

from chat_client.gui.composer import Composer
from chat_client.gui.header import Header
from chat_client.gui.look import Look
from chat_client.gui.people import PeopleList
from chat_client.gui.roomlist import RoomList
from chat_client.gui.statusbar import StatusBar
from chat_client.gui.switcher import Switcher
from chat_client.gui.transcript import TranscriptView
from chat_client.model.shown import Choice

# Lengths of the design, at 1x.
SMALLEST = (480, 360)
USUAL = (1040, 640)
ROOMS_WIDTH, PEOPLE_WIDTH = 212, 184
# Below these widths of the window a list gives way to what is said, and a button shows it.
WITH_PEOPLE, WITH_ROOMS = 820, 620


@dataclass(frozen=True)
class Acts:
    """What the window's user can do, and who is told."""

    send: Callable[[str], str]
    complete: Callable[[str], tuple[int, list[Choice]]]
    edit_last: Callable[[], str | None]
    edit: Callable[[str], None]
    discard: Callable[[str], None]
    room_menu: Callable[[str, int, int], None]  # of this room, at this place of the screen; so below
    person_menu: Callable[[str, int, int], None]
    line_menu: Callable[[str, int, int], None]
    open_room: Callable[[str], None]
    open_neighbour: Callable[[int, bool], None]  # steps, only unread ones
    open_nth: Callable[[int], None]
    show_places: Callable[[], None]
    go: Callable[[str], None]
    person: Callable[[str], None]
    link: Callable[[str], None]
    scrolled: Callable[[bool, bool], None]
    jump: Callable[[], None]
    escape: Callable[[], None]
    zoom: Callable[[int], None]  # steps; 0: back to the usual
    menu: Callable[[int, int], None]  # where on the screen
    help: Callable[[], None]
    close: Callable[[], None]


class ChatWindow(ttk.Frame):
    """All views of one chat, filling a Tk window. Passive: what somebody does goes to ``acts``."""

    def __init__(self, root: tk.Tk, look: Look, acts: Acts) -> None:
        super().__init__(root)
        self._window, self._look, self._acts = root, look, acts
        self._shown_over = ""  # a list that is shown over the transcript in a narrow window
        self._narrow: tuple[bool, bool] | None = None  # rooms, people: hidden; None: to be arranged anew
        self.rooms = RoomList(self, look, on_open=self._open_room, on_jump=acts.show_places, on_menu=acts.room_menu)
        self._main = ttk.Frame(self)
        self.header = Header(
            self._main,
            look,
            on_rooms=lambda: self._toggle("rooms"),
            on_people=lambda: self._toggle("people"),
            on_menu=acts.menu,
        )
        self.transcript = TranscriptView(
            self._main,
            look,
            on_scrolled=acts.scrolled,
            on_link=acts.link,
            on_edit=acts.edit,
            on_discard=acts.discard,
            on_jump=self._jump,
            on_menu=acts.line_menu,
        )
        self.composer = Composer(
            self._main, look, on_send=acts.send, on_complete=acts.complete, on_edit_last=acts.edit_last
        )
        self.people = PeopleList(self, look, on_person=self._open_person, on_menu=acts.person_menu)
        self._edge = ttk.Frame(self, style="Rule.TFrame")  # of a list that is shown over the transcript
        self.status = StatusBar(self, look)
        self.switcher = Switcher(root, look, on_pick=acts.go)
        self._arrange()
        self._bind_keys()
        self.bind("<Configure>", lambda event: self._fit())
        look.watch(self._dress)
        self._dress()

    def destroy(self) -> None:
        self._look.unwatch(self._dress)
        for key in self._keys():
            self._window.unbind(key)
        self.switcher.destroy()
        super().destroy()

    def show_places(self, choices: Sequence[Choice]) -> None:
        """Have somebody choose where to go."""
        self.switcher.open(choices)

    def focus_composer(self) -> None:
        """Have the keys go to the composer."""
        self.composer.focus()

    # ---- the panes

    def _arrange(self) -> None:
        self.header.grid(in_=self._main, row=0, column=0, sticky="ew")
        self.transcript.grid(in_=self._main, row=1, column=0, sticky="nsew")
        self.composer.grid(in_=self._main, row=2, column=0, sticky="ew")
        self._main.columnconfigure(0, weight=1)
        self._main.rowconfigure(1, weight=1)
        self.rooms.grid(row=0, column=0, sticky="nsew")
        self._main.grid(row=0, column=1, sticky="nsew")
        self.people.grid(row=0, column=2, sticky="nsew")
        self.status.grid(row=1, column=0, columnspan=3, sticky="ew")
        self.columnconfigure(1, weight=1)
        self.rowconfigure(0, weight=1)
        for side in (self.rooms, self.people):
            side.grid_propagate(False)

    def _fit(self) -> None:
        """Give each pane its room, or hide it."""
        width = self.winfo_width() / max(self._look.factor, 0.1)
        narrow = (width < WITH_ROOMS, width < WITH_PEOPLE)
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self._hide_over()
        for side, hidden, column in ((self.rooms, narrow[0], 0), (self.people, narrow[1], 2)):
            if hidden:
                side.grid_remove()
            else:
                side.place_forget()
                side.grid(row=0, column=column, sticky="nsew")
        self.header.show_buttons(*narrow)

    def _toggle(self, which: str) -> None:
        if self._shown_over == which:
            self._hide_over()
            self.composer.focus()
            return
        self._hide_over()
        self._shown_over = which
        side = self.rooms if which == "rooms" else self.people
        top = self.header.winfo_height()
        place = {"x": 0, "anchor": "nw"} if which == "rooms" else {"relx": 1.0, "anchor": "ne"}
        side.place(in_=self._main, y=top, relheight=1.0, height=-top, **place)  # type: ignore[arg-type]
        side.lift()
        inner = {"relx": 1.0, "anchor": "ne"} if which == "rooms" else {"relx": 0.0, "anchor": "nw"}
        self._edge.place(in_=side, bordermode="outside", relheight=1.0, width=self._look.px(1), **inner)  # type: ignore[arg-type]
        self._edge.lift()
        side.focus()

    def _hide_over(self) -> bool:
        shown, self._shown_over = self._shown_over, ""
        if shown:
            (self.rooms if shown == "rooms" else self.people).place_forget()
            self._edge.place_forget()
        return bool(shown)

    def _jump(self) -> None:
        self._acts.jump()
        self.composer.focus()  # the button goes; who has read all may want to answer

    def _open_room(self, room: str) -> None:
        if self._hide_over():
            self.composer.focus()
        self._acts.open_room(room)

    def _open_person(self, name: str) -> None:
        self._hide_over()
        self._acts.person(name)
        self.composer.focus()

    def _dress(self) -> None:
        px = self._look.px
        self.rooms.configure(width=px(ROOMS_WIDTH))
        self.people.configure(width=px(PEOPLE_WIDTH))
        self._window.minsize(px(SMALLEST[0]), px(SMALLEST[1]))
        self._narrow = None
        self._fit()

    # ---- keys

    def _keys(self) -> dict[str, Callable[[], object]]:
        """Every key of the window, and what it does (GUI.md, "Keyboard")."""
        acts = self._acts
        keys: dict[str, Callable[[], object]] = {
            "<Alt-Up>": lambda: acts.open_neighbour(-1, False),
            "<Alt-Down>": lambda: acts.open_neighbour(1, False),
            "<Alt-Shift-Up>": lambda: acts.open_neighbour(-1, True),
            "<Alt-Shift-Down>": lambda: acts.open_neighbour(1, True),
            "<Alt-a>": lambda: acts.open_neighbour(1, True),  # some window managers take Alt+Shift+arrows
            "<Control-Tab>": lambda: acts.open_neighbour(1, False),
            "<Control-Shift-Tab>": lambda: acts.open_neighbour(-1, False),
            "<F6>": lambda: self._walk(1),
            "<Shift-F6>": lambda: self._walk(-1),
            "<F1>": acts.help,
            "<F10>": self.header.open_menu,
            "<Escape>": self._escape,
            "<Prior>": lambda: self.transcript.scroll_pages(-1),
            "<Next>": lambda: self.transcript.scroll_pages(1),
            "<Control-Home>": self.transcript.scroll_to_top,
            "<Control-End>": acts.jump,
        }
        commands: dict[str, Callable[[], object]] = {
            "k": acts.show_places,
            "plus": lambda: acts.zoom(1),
            "equal": lambda: acts.zoom(1),
            "KP_Add": lambda: acts.zoom(1),
            "minus": lambda: acts.zoom(-1),
            "KP_Subtract": lambda: acts.zoom(-1),
            "Key-0": lambda: acts.zoom(0),
            "KP_0": lambda: acts.zoom(0),
            "slash": acts.help,
            "q": acts.close,
        }
        for number in range(1, 10):
            commands[f"Key-{number}"] = lambda number=number: acts.open_nth(number)  # type: ignore[misc]
        mac = self._window.tk.call("tk", "windowingsystem") == "aqua"
        keys |= {f"<{'Command' if mac else 'Control'}-{key}>": act for key, act in commands.items()}
        return keys

    def _bind_keys(self) -> None:
        for key, act in self._keys().items():

            def pressed(event: "tk.Event[tk.Misc]", act: Callable[[], object] = act) -> str | None:
                if self.switcher.is_open and act is not self._escape:
                    return None
                act()
                return "break"

            self._window.bind(key, pressed)
        self.transcript.text.bind("<Key>", self._typed_elsewhere, add=True)

    def _typed_elsewhere(self, event: "tk.Event[tk.Misc]") -> str | None:
        """Who has clicked into the transcript and types, means the composer."""
        held = int(event.state) & (0x4 | 0x8 | 0x20000)  # Control, Alt on X11, Alt on Windows
        if event.char and event.char.isprintable() and event.char != " " and not held:
            self.composer.focus()
            self.composer.insert(event.char)
            return "break"
        return None

    def _escape(self) -> None:
        if self._hide_over():
            self.composer.focus()
        else:
            self._acts.escape()

    def _walk(self, step: int) -> None:
        """The next pane has the keys."""
        panes: list[tuple[ttk.Frame, Callable[[], None]]] = [
            (self.rooms, self.rooms.focus),
            (self.transcript, self.transcript.focus_text),
            (self.composer, self.composer.focus),
            (self.people, self.people.focus),
        ]
        shown = [(pane, focus) for pane, focus in panes if pane.winfo_ismapped()]
        now = str(self._window.focus_get() or "")
        here = next((n for n, (pane, _) in enumerate(shown) if now == str(pane) or now.startswith(f"{pane}.")), 0)
        shown[(here + step) % len(shown)][1]()
