"""Ties a chat's state to its window and to the threads behind it: what is done goes in, what has changed is shown."""

import tkinter as tk
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from chat_client import effects
from chat_client.backend import Backend, now
from chat_client.gui.acting import Acting
from chat_client.gui.errands import Errands
from chat_client.gui.look import Look
from chat_client.gui.managing import Managing
from chat_client.gui.menus import Entry, Menus
from chat_client.gui.pump import Pump
from chat_client.gui.question import Question
from chat_client.gui.window import Acts, ChatWindow
from chat_client.model import choosing, orders
from chat_client.model.chat import Changes, Chat, News
from chat_client.model.shown import Choice, Row
from chat_client.model.transcript import diff
from chat_core.address import Address

# News that may open another room or shut this one: its draft then takes the place of what is typed.
_OPENING = (
    effects.Answered, effects.MyRooms, effects.Noticed, effects.Removed, effects.Welcomed, orders.Opened,
)  # fmt: skip
# Every so often what stands in the composer is kept, so that a crash costs a few words at most.
DRAFT_MS = 2000


@dataclass(frozen=True)
class Outside:
    """What a chat's window asks of the program around it."""

    quit: Callable[[], None]
    zoom: Callable[[int], None]
    menu: Callable[[int, int], None]
    title: Callable[[str, int], None]  # the window's, and how much is unread
    question: Question
    menus: Menus
    address: Callable[[], Address]  # of the chat, as others can use it


class Controller:
    """One chat, from the moment its files are open. `show` gives it a window; without one it only keeps up."""

    def __init__(self, root: tk.Tk, look: Look, backend: Backend, chat: Chat, outside: Outside) -> None:
        self.chat, self.backend = chat, backend
        self.window: ChatWindow | None = None
        self._root, self._look, self._outside = root, look, outside
        errands = Errands(chat, flush=self.flush, choose=self._choose)
        self._managing = Managing(errands, outside.question, address=outside.address, copy=self._copy)
        self._acting = Acting(errands, outside.question, insert=self._insert, bans=self._managing.show_bans)
        self._rows: list[Row] = []  # what the transcript shows
        self._to_end = True  # and that reaches to the end of the room
        self._heard: Callable[[News], None] | None = None
        self._focused = False
        self._drafting = ""
        self._pump = Pump(
            root, backend.news, apply=self._apply, shown=self.flush, clock=lambda: now().mono, weight=_weight
        )

    def start(self, heard: Callable[[News], None]) -> None:
        """Begin. ``heard`` is told every piece of news after it was applied."""
        self._heard = heard
        self.backend.start()
        self._pump.start()

    def show(self) -> None:
        """Open the window."""
        self.window = window = ChatWindow(self._root, self._look, self._acts())
        window.pack(fill="both", expand=True)
        self._root.update_idletasks()
        self._show(Changes.all())
        window.focus_composer()
        self.chat.focused = False  # until it is known
        self.focus_changed()
        self._keep_draft()

    def stop(self, wait: bool = False) -> None:
        """Close the window, and end. What is unsent is on disk. With ``wait``: all is done when this returns."""
        self._pump.stop()
        if self.window is not None:
            if self._drafting:
                self._root.after_cancel(self._drafting)
            self.chat.keep_draft(self.window.composer.text())
            todo, _ = self.chat.take()
            for order in todo:
                self.backend.carry_out(order)
            self.window.destroy()
            self.window = None
        self.backend.stop(wait)

    def flush(self) -> None:
        """Have done and shown what the last calls have brought."""
        self.chat.tick(now())
        todo, changes = self.chat.take()
        for order in todo:
            self.backend.carry_out(order)
        self._show(changes)

    # ---- news

    def _apply(self, news: News) -> None:
        if self.window is not None and isinstance(news, _OPENING):
            self.chat.keep_draft(self._typed())
        self.chat.apply(news, now())
        if self._heard is not None:
            self._heard(news)

    def _show(self, changes: Changes) -> None:
        window, chat = self.window, self.chat
        if window is None:
            return
        if changes.transcript or changes.place is not None:
            self._show_rows(window, changes.place)
        if changes.to_end:
            window.transcript.scroll_to_end()
        if changes.rooms or changes.header or changes.people:  # those of direct rooms show who is here
            window.rooms.show_title(chat.broker or chat.address)
            rooms = [room for room in chat.room_items() if room.id not in chat.invited]
            window.rooms.show_rooms([*chat.invitations(), *rooms], chat.current)
            others = [room for room in chat.rooms.values() if room.id != chat.current]
            window.header.show_unread(sum(room.unread for room in others), any(room.mentions for room in others))
            self._outside.title(chat.title(), sum(room.unread for room in chat.rooms.values()))
        if changes.people:
            window.people.show_people(*chat.people())
        if changes.header:
            private = chat.room is not None and chat.room.kind == "private"
            window.header.show_header(*chat.header(), private)
            window.composer.show_placeholder(chat.placeholder())
            window.composer.show_shut(chat.shut_text())
        if changes.composer:
            window.composer.set_text(chat.room.draft if chat.room is not None else "")
        if changes.status or changes.transcript or changes.place is not None:
            window.status.show_status(chat.status_line())
            window.composer.show_wait(chat.wait_text())
            window.transcript.show_jump(chat.jump_text())
            window.transcript.show_empty(chat.empty_text())
        if changes.quit:
            self._outside.quit()

    def _show_rows(self, window: ChatWindow, place: str | None) -> None:
        rows = self.chat.rows()
        ops = diff(self._rows, rows) if place is None else None
        self._rows = rows
        if ops is None:
            window.transcript.show_me((self.chat.me.name,) if self.chat.me.name else ())
            window.transcript.show_rows(rows, place or "")
        elif ops:
            window.transcript.show_changes(ops, follow=self._to_end)
        self._to_end = self.chat.room is None or self.chat.room.at_end

    def focus_changed(self) -> None:
        """A widget has got or lost the keys; of interest is whether any of ours has them."""
        focused = self._root.focus_displayof() is not None
        if focused != self._focused:
            self._focused = focused
            self.chat.focus(focused)
            self.flush()

    def _keep_draft(self) -> None:
        if self.window is not None:
            self.chat.keep_draft(self.window.composer.text())
            self.flush()
            self.window.composer.show_shut(self.chat.shut_text())  # being muted may have come to its end
            self._drafting = self._root.after(DRAFT_MS, self._keep_draft)

    # ---- what the user does

    def _acts(self) -> Acts:
        chat = self.chat

        def flushed(act: Callable[..., object]) -> Callable[..., None]:
            def run(*values: object) -> None:
                act(*values)
                self.flush()

            return run

        return Acts(
            send=self._send,
            complete=lambda before: choosing.complete(chat, before),
            edit_last=self._edit_last,
            edit=self._edit,
            discard=flushed(chat.discard),
            room_menu=self._room_menu,
            person_menu=self._person_menu,
            line_menu=self._line_menu,
            open_room=flushed(self._open_room),
            open_neighbour=flushed(self._open_neighbour),
            open_nth=flushed(self._open_nth),
            show_places=self._show_places,
            go=flushed(lambda place: choosing.go(chat, place, self._typed(), now())),
            person=lambda name: self._insert(f"@{name} "),
            link=lambda url: None if not url.startswith(("http:", "https:", "ftp:", "mailto:")) else _browse(url),
            scrolled=flushed(chat.scrolled),
            jump=flushed(chat.jump),
            escape=flushed(chat.escape),
            zoom=self._outside.zoom,
            menu=self._outside.menu,
            help=self.show_help,
            close=self._outside.quit,
        )

    def show_help(self) -> None:
        """Show commands and keys, in the transcript."""
        self.chat.say("/help", now())
        self.flush()

    def note(self, text: str) -> None:
        """Tell the user something, in the transcript."""
        self.chat.tell(text, now())
        self.flush()

    def menu(self) -> list[Entry]:
        """What the menu of the window holds about this chat."""
        return self._managing.entries() if self.window is not None else []

    def _choose(self, choices: list[Choice], then: Callable[[str], None], title: str) -> None:
        if self.window is not None:
            self.window.switcher.open(choices, then, title)

    def _copy(self, text: str) -> None:
        self._root.clipboard_clear()
        self._root.clipboard_append(text)

    def _room_menu(self, room: str, x: int, y: int) -> None:
        self._outside.menus.show(self._acting.of_room(room), x, y)

    def _person_menu(self, user: str, x: int, y: int) -> None:
        self._outside.menus.show(self._acting.of_person(user), x, y)

    def _line_menu(self, key: str, x: int, y: int) -> None:
        line = next((row.line for row in self._rows if row.line.key == key), None)
        if line is not None and self.window is not None:
            view = self.window.transcript
            entries = self._acting.of_line(line, partial(view.copy, key), view.select_all)
            self._outside.menus.show(entries, x, y)

    def _typed(self) -> str:
        return self.window.composer.text() if self.window is not None else ""

    def _insert(self, text: str) -> None:
        if self.window is not None:
            self.window.composer.insert(text)

    def _send(self, text: str) -> str:
        problem = self.chat.say(text, now())
        self.flush()
        return problem

    def _edit(self, key: str) -> None:
        text = self.chat.edit(key)
        self.flush()
        if text and self.window is not None:
            more = self._typed()
            self.window.composer.set_text(f"{text}\n{more}" if more else text)
            self.window.composer.focus()

    def _edit_last(self) -> str | None:
        text = self.chat.edit_last()
        self.flush()
        return text

    def _open_room(self, room: str) -> None:
        if room in self.chat.invited:
            self._acting.ask_invited(room)
        else:
            self.chat.open(room, self._typed())

    def _open_neighbour(self, step: int, unread: bool) -> None:
        room = choosing.neighbour(self.chat, step, unread)
        if room:
            self.chat.open(room, self._typed())

    def _open_nth(self, number: int) -> None:
        items = self.chat.room_items()
        if number <= len(items):
            self.chat.open(items[number - 1].id, self._typed())

    def _show_places(self) -> None:
        if self.window is not None:
            self.window.show_places(choosing.places(self.chat))


def _weight(news: News) -> int:
    return len(news.events) if isinstance(news, effects.Arrived) else 1


def _browse(url: str) -> None:
    webbrowser.open(url)  # starts the browser, and does not wait for it
