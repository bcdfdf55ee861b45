"""One window of the whole program, what can be seen in it, and hands before it whose keys and clicks are real.

They go through the X server (XTest, by xdotool) to whatever has the focus or is under the pointer, as those of a person
do.
"""

import subprocess
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Protocol, TypeVar

from chat_client.gui.app import App
from chat_client.gui.sidelist import SideList
from chat_client.gui.signin import SignIn
from chat_client.gui.window import ChatWindow
from tests.gui import hands

T = TypeVar("T")


class Waits(Protocol):
    """What a window stands on: it lets all windows work."""

    def work(self) -> None:
        """Let all windows do what there is to do now."""

    def until(self, true: Callable[[], object], what: str = "") -> None:
        """Let the windows work until this is true. ``what``: in words, for whoever reads why a test failed."""


def do(*words: object) -> None:
    """Have xdotool do something; it has happened when this returns, but not yet arrived in the window."""
    subprocess.run(["xdotool", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


class Seat:
    """One window, and the hands before it."""

    def __init__(self, desk: Waits, app: App) -> None:
        self.desk, self.app, self.root = desk, app, app.root

    @property
    def card(self) -> SignIn:
        """The card that asks for a name and an address."""
        assert self.app.signin is not None, "the card is not shown"
        return self.app.signin

    @property
    def window(self) -> ChatWindow:
        """The views of the chat."""
        assert self.app.controller is not None
        assert self.app.controller.window is not None, "the chat is not shown"
        return self.app.controller.window

    @property
    def is_chat(self) -> bool:
        """Is the chat shown?"""
        return self.app.controller is not None and self.app.controller.window is not None

    @property
    def is_open(self) -> bool:
        """Is there a window still?"""
        try:
            return bool(self.root.winfo_exists())
        except tk.TclError:
            return False

    # What is seen.

    @property
    def text(self) -> tk.Text:
        """The transcript's widget."""
        return self.window.transcript.text

    @property
    def field(self) -> tk.Text:
        """The composer's."""
        return next(part for part in hands.below(self.window.composer) if isinstance(part, tk.Text))

    def said(self) -> str:
        """The transcript, in words."""
        return self.text.get("1.0", "end-1c")

    def sees(self, *texts: str) -> None:
        """Wait until all of this stands in the transcript."""
        for text in texts:
            self.desk.until(lambda text=text: text in self.said(), f"{text!r} is in the transcript")  # type: ignore[misc]

    def box(self, words: str) -> tuple[int, int, int, int]:
        """Where words stand in the transcript, at their last place in view: x, y, width and height."""
        text = self.text
        self.sees(words)

        def find() -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]] | None:
            start = text.search(words, "end", "1.0", backwards=True)
            first, last = text.bbox(start), text.bbox(f"{start}+{len(words) - 1}c")
            return (first, last) if first and last else None

        self.desk.until(find, f"{words!r} can be seen")
        found = find()
        assert found is not None
        (x, y, _, high), (last_x, _, last_wide, _) = found
        return x, y, last_x + last_wide - x, high

    def status(self) -> str:
        """The status bar, in words."""
        return " | ".join(self.window.status.texts)

    def live(self) -> bool:
        """Does the status bar say that all is well?"""
        return self.is_chat and self.status().startswith("Connected to") and "…" not in self.status().split(" · ")[0]

    def rooms(self) -> dict[str, str]:
        """The rooms on the left: what is shown of each, by its id."""
        return {room: self.window.rooms.list.shown(room) for room in self.window.rooms.list.ids()}

    def badge(self, room: str) -> str:
        """The picture beside a room."""
        return self.window.rooms.list.row(room).image

    def unread(self, room: str, count: int, mention: bool = False) -> bool:
        """Does the list say so much is unread in a room?"""
        return room in self.rooms() and self.badge(room) == str(self.app.look.badge(count, mention))

    def people(self) -> list[str]:
        """The people on the right, those who are here first."""
        people = self.window.people.list
        return [people.shown(user) for user in people.ids()]

    def here(self) -> list[str]:
        """Those of them who are here."""
        people, dot = self.window.people.list, str(self.app.look.dot(True))
        return [people.shown(user) for user in people.ids() if people.row(user).left == dot]

    def labels(self, within: tk.Misc | None = None) -> list[str]:
        """What all labels that can be seen say."""
        return [str(part.cget("text")) for part in self.all(ttk.Label, within) if part.cget("text")]

    def all(self, kind: type[T], within: tk.Misc | None = None) -> list[T]:
        """All widgets of a kind that can be seen."""
        return [part for part in hands.below(within or self.root) if isinstance(part, kind)]

    def button(self, text: str, within: tk.Misc | None = None) -> ttk.Button:
        """The button that begins with this text, once it can be seen."""
        found: list[ttk.Button] = []

        def find() -> bool:
            found[:] = [part for part in self.all(ttk.Button, within) if str(part.cget("text")).startswith(text)]
            return bool(found)

        self.desk.until(find, f"there is a button {text!r}")
        return found[0]

    def clipboard(self) -> str:
        """What others would paste."""
        return self.root.clipboard_get()

    # What the hands do.

    def press(self, *keys: str) -> None:
        """Press keys one after the other: "a", "Return", "shift+Tab", "ctrl+k"."""
        self.focus()
        do("key", "--delay", 2, *keys)
        self.desk.work()

    def type(self, text: str) -> None:
        """Type a text of letters that are on an English keyboard."""
        self.focus()
        do("type", "--delay", 2, text)
        self.desk.work()

    def click(
        self, widget: tk.Misc, x: int | None = None, y: int | None = None, *, button: int = 1, times: int = 1
    ) -> None:
        """Click in a widget: in its middle, or there."""
        self.move(widget, x, y)
        do("click", "--repeat", times, "--delay", 20, button)
        self.desk.work()

    def wheel(self, widget: tk.Misc, notches: int) -> None:
        """Turn the wheel over a widget, so many notches down (negative: up)."""
        self.move(widget)
        do("click", "--repeat", abs(notches), "--delay", 1, 5 if notches > 0 else 4)
        self.desk.work()

    def move(self, widget: tk.Misc, x: int | None = None, y: int | None = None) -> None:
        """Have the pointer there."""
        self.desk.until(widget.winfo_viewable, f"{widget} is shown")
        x = widget.winfo_width() // 2 if x is None else x
        y = widget.winfo_height() // 2 if y is None else y
        do("mousemove", widget.winfo_rootx() + x, widget.winfo_rooty() + y)

    def drag(self, widget: tk.Misc, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the left button at one place, and let it go at another."""
        self.move(widget, *start)
        do("mousedown", 1)
        self.desk.work()
        for part in (0.3, 0.7, 1.0):
            self.move(widget, *(round(a + (b - a) * part) for a, b in zip(start, end, strict=True)))
            self.desk.work()
        do("mouseup", 1)
        self.desk.work()

    def click_room(self, room: str) -> None:
        """Click a room on the left."""
        self._click_row(self.window.rooms.list, room, 1)

    def double_click_person(self, name: str) -> None:
        """Click somebody on the right twice."""
        people = self.window.people.list
        self._click_row(people, next(user for user in people.ids() if people.shown(user) == name), 2)

    def _click_row(self, rows: SideList, row: str, times: int, button: int = 1) -> None:
        self.desk.until(lambda: row in rows.ids(), f"{row} is there")
        rows.tree.see(row)
        self.desk.work()
        place = rows.tree.bbox(row)
        assert not isinstance(place, str), f"{row} cannot be seen"
        x, y, wide, high = place
        self.click(rows.tree, x + wide // 3, y + high // 2, times=times, button=button)

    def click_words(self, words: str, *, times: int = 1) -> None:
        """Click on words in the transcript."""
        x, y, wide, high = self.box(words)
        self.click(self.text, x + wide // 2, y + high // 2, times=times)

    def menu(self, label: str) -> None:
        """Open the menu of the window, and click this in it."""
        self.click(self.button("Menu", self.window.header))
        self.choose(label)

    def choose(self, *labels: str) -> None:
        """Click this in the menu that is open, and what follows in the menus that open by that."""
        holder: tk.Misc = self.root
        for label in labels:
            menu = self._open_menu(holder)
            self.click(menu, menu.winfo_width() // 2, menu.yposition(_entry(menu, label)) + 8)
            holder = menu
        self.desk.until(lambda: not _is_shown(menu), "the menu is closed")

    def offers(self) -> list[str]:
        """What the menu that is open has to choose from; it is closed then."""
        menu = self._open_menu(self.root)
        entries = range(int(menu.index("end") or 0) + 1)
        found = [str(menu.entrycget(at, "label")) for at in entries if menu.type(at) != "separator"]
        self.press("Escape")
        self.desk.until(lambda: not _is_shown(menu), "the menu is closed")
        return found

    def _open_menu(self, holder: tk.Misc) -> tk.Menu:
        menus: list[tk.Menu] = []

        def find() -> bool:
            menus[:] = [one for one in holder.winfo_children() if isinstance(one, tk.Menu) and one.winfo_viewable()]
            return bool(menus)

        self.desk.until(find, "the menu is open")
        return menus[0]

    def right_click_room(self, room: str) -> None:
        """Ask what can be done with a room on the left."""
        self._click_row(self.window.rooms.list, room, 1, button=3)

    def right_click_person(self, name: str) -> None:
        """Ask what can be done with somebody on the right."""
        people = self.window.people.list
        self.desk.until(lambda: name in self.people(), f"{name} is there")
        self._click_row(people, next(user for user in people.ids() if people.shown(user) == name), 1, button=3)

    def right_click_words(self, words: str) -> None:
        """Ask what can be done with what is said in the transcript."""
        x, y, wide, high = self.box(words)
        self.click(self.text, x + wide // 2, y + high // 2, button=3)

    def pick(self, steps: int = 0) -> None:
        """Choose from the list over the window: the first, or one so many steps below it."""
        switcher = self.window.switcher
        self.desk.until(lambda: switcher.is_open and self.has_keys, "the list is there")
        self.desk.until(lambda: str(self.focused()).startswith(str(switcher)), "the list has the keys")
        self.press(*["Down"] * steps, "Return")
        self.desk.until(lambda: not switcher.is_open, "it is chosen")

    def answer(self, label: str, text: str = "") -> None:
        """Answer the question that is asked, with this text in its field."""
        question = self.app.question
        self.desk.until(lambda: question.is_open and question.winfo_viewable(), "it asks")
        if text:
            self.type(text)
            self.desk.until(lambda: question.typed == text, f"{text!r} is typed")
        self.click(self.button(label, question))

    def focus(self) -> None:
        """Have the keys go to this window, as a click on its title bar would."""
        if not self.has_keys:
            self.root.lift()
            (self.root.focus_lastfor() or self.root).focus_force()
            self.desk.until(lambda: self.has_keys, "the window has the keys")

    @property
    def has_keys(self) -> bool:
        """Do the keys go to this window?"""
        # (Tkinter's own way stumbles over the lists of comboboxes, which are none of its widgets.)
        return bool(str(self.root.tk.call("focus", "-displayof", ".")))

    def focused(self) -> tk.Misc | None:
        """The widget that the keys go to."""
        return self.root.focus_displayof()

    def is_active(self) -> bool:
        """Does the window manager take this for the window that somebody works in? (It goes by the title here.)"""
        name = subprocess.run(["xdotool", "getactivewindow", "getwindowname"], capture_output=True, text=True)
        return name.stdout.strip() == self.root.title()

    def resize(self, width: int, height: int) -> None:
        """Have the window be so large, in pixels."""
        root = self.root
        root.geometry(f"{width}x{height}")
        self.desk.until(lambda: (root.winfo_width(), root.winfo_height()) == (width, height), f"{width}x{height}")
        self.desk.work()

    def send(self, text: str) -> None:
        """Type a message, and Enter."""
        self.type(text)
        self.desk.until(lambda: self.window.composer.text().endswith(text), f"{text!r} is typed")
        self.press("Return")

    def close(self) -> None:
        """Close the window without asking anybody."""
        if self.is_open:
            self.app.quit()


def _entry(menu: tk.Menu, label: str) -> int:
    """Where this stands in a menu."""
    entries = range(int(menu.index("end") or 0) + 1)
    return next(at for at in entries if menu.type(at) != "separator" and label in menu.entrycget(at, "label"))


def _is_shown(menu: tk.Menu) -> bool:
    return bool(menu.winfo_exists() and menu.winfo_viewable())
