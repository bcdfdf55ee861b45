"""A desk with the whole program on it: a broker, windows, and other people.

The windows work in the test's thread, while it waits in `Desk.until`.
"""

import contextlib
import gc
import logging
import random
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from chat_broker import conversation
from chat_broker.serving.keyfiles import open_keyring
from chat_client.client import Client
from chat_client.flight import Settled
from chat_client.gui.app import ANSWER_MS, App, Wish
from chat_client.hosting import Host
from chat_client.identity import folder_for, open_identity
from chat_core import messages as m
from chat_core import names
from chat_core.address import Address
from chat_core.errors import RefusedError
from tests.gui.seat import Seat
from tests.system.inproc import Served

# Until the window, the broker and the threads between them have done it: only a broken test waits so long.
PATIENCE_SECONDS = 20.0
# So long the windows rest between two looks at whether it has happened.
_REST_SECONDS = 0.004


def no_shouting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have brokers refuse what the window lets pass, as those of another version may: texts in capitals."""

    def check_text(text: str) -> None:
        names.check_text(text)
        if text.isupper():
            raise RefusedError("text_bad", "Nobody shouts here.")

    # No text is so short that it would pass unread.
    stricter = SimpleNamespace(**vars(names) | {"check_text": check_text, "TEXT_BYTES": 0})
    monkeypatch.setattr(conversation, "names", stricter)


class Guest:
    """Somebody else in the chat, without a window."""

    def __init__(self, address: Address, name: str, folder: Path) -> None:
        self.name = name
        self.client = Client(address, open_identity(folder), name)
        self.client.connect(PATIENCE_SECONDS)

    def say(self, *texts: str, room: str = "lobby") -> None:
        """Say something; it is in the log when this returns."""
        waiting = {self.client.post(room, text).n for text in texts}
        while waiting:
            news = self.client.next(PATIENCE_SECONDS)
            assert news is not None, "the broker does not answer"
            if isinstance(news, Settled):
                assert isinstance(news.reply, m.Posted), news.reply
                waiting.discard(news.row.n)

    def ask(self, request: m.Request) -> m.Reply:
        """Ask the broker."""
        return self.client.ask(request)

    def create(self, room: str) -> None:
        """Make a room."""
        self.ask(m.Create(room=room, once=secrets.token_hex(8)))

    def join(self, room: str) -> None:
        """Become a member of a room."""
        self.ask(m.Join(room=room))

    def begin_to_leave(self, room: str) -> None:
        """Ask to be no member of a room any more, and do not wait for the answer."""
        self.client._link.call(lambda session, now: session.ask(10**6, m.Leave(room=room), now))

    def close(self) -> None:
        """Go."""
        self.client.close()


class Desk:
    """See the module. ``folder``: of everything that the programs write; everything else is kept from them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seats: list[Seat] = []
        self.guests: list[Guest] = []
        self.port = _three_ports()
        (folder / "broker").mkdir()
        self.key = open_keyring(folder / "broker", True).broker.public
        self.broker: Served | None = None
        self._pause = threading.Event()
        # What is left of the windows of earlier tests must not be found by a thread of this one: only Tk's own thread
        # can delete its images.
        gc.collect()
        self.errors = _Errors()
        logging.getLogger().addHandler(self.errors)

    # The broker.

    def serve(self) -> Served:
        """Start the broker, or start it again, where it was and with what it had."""
        folder = self.folder / "broker"
        self.broker = Served(folder, self.port)
        self.port = self.broker.port
        return self.broker

    def stop_broker(self) -> None:
        """Stop it."""
        if self.broker is not None:
            self.broker.close()
            self.broker = None

    def backup(self) -> None:
        """Copy what the broker has; it is to be stopped."""
        shutil.copytree(self.folder / "broker", self.folder / "backup")

    def restore(self) -> None:
        """Put the copy in its place."""
        shutil.rmtree(self.folder / "broker")
        shutil.copytree(self.folder / "backup", self.folder / "broker")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The broker does nothing as long as this lasts; what is sent to it waits there."""
        assert self.broker is not None
        loop = self.broker._loop
        step, waiting, free = loop.step, threading.Event(), threading.Event()

        def held(seconds: float) -> int:
            waiting.set()
            free.wait(PATIENCE_SECONDS)
            return step(seconds)

        loop.step = held  # type: ignore[method-assign]
        loop._waker.wake()
        assert waiting.wait(PATIENCE_SECONDS)
        try:
            yield
        finally:
            loop.step = step  # type: ignore[method-assign]
            free.set()

    @property
    def address(self) -> str:
        """What was handed out to join, as a person would paste it."""
        return self._address.join

    @property
    def where(self) -> str:
        """Where that is, as the window says it."""
        return self._address.text

    @property
    def _address(self) -> Address:
        return Address("127.0.0.1", self.port, key=self.key)

    def guest(self, name: str, *, other: bool = False) -> Guest:
        """Somebody comes: whoever has that name at this desk, or an ``other`` one who is called the same."""
        guest = Guest(self._address, name, self.folder / "other" if other else folder_for(name))
        self.guests.append(guest)
        return guest

    # The windows.

    def start(
        self,
        wish: Wish | None = None,
        *,
        settings: str = "window",
        host: Host | None = None,
        answer_ms: int = ANSWER_MS,
    ) -> Seat:
        """Start the program; its windows stand side by side. ``settings``: the name of its file of preferences."""
        app = App(
            wish or Wish(theme="light"), settings=self.folder / f"{settings}.json", host=host, answer_ms=answer_ms
        )
        seat = Seat(self, app)
        self.seats.append(seat)
        app.start()
        place = sum(one.is_open for one in self.seats) - 1
        app.root.geometry(f"+{20 + 1120 * (place % 2)}+{40 + 740 * (place // 2)}")
        self.until(app.root.winfo_viewable, "the window is shown")
        self.work()
        return seat

    def join(self, name: str, address: str = "", *, settings: str = "", scale: float | None = None) -> Seat:
        """Start the program with a name and an address; the chat is open and connected when this returns."""
        wish = Wish(name, address or self.address, theme="light", scale=scale)
        seat = self.start(wish, settings=settings or name)
        self.until(seat.live, f"{name} is connected")
        seat.focus()
        return seat

    def work(self) -> None:
        """Let all windows do what there is to do now."""
        for seat in self.seats:
            if seat.is_open:
                seat.root.update()

    def until(self, true: Callable[[], object], what: str = "") -> None:
        """Let the windows work until this is true. ``what``: in words, for whoever reads why a test failed."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not true():
            if time.monotonic() > end:
                pytest.fail(f"it does not become true: {what}\n{self.state()}")
            self._pause.wait(_REST_SECONDS)
            self.work()

    def state(self) -> str:
        """For people who have to find out why a test failed."""
        lines = []
        for number, seat in enumerate(self.seats):
            if not seat.is_open:
                lines.append(f"window {number}: closed")
            elif seat.is_chat:
                lines.append(f"window {number}: {seat.root.title()!r}, {seat.status()}, focus {seat.focused()}")
                lines.append(f"    composer {seat.window.composer.text()!r}, transcript {seat.said()[-500:]!r}")
            else:
                lines.append(f"window {number}: {seat.labels()}, focus {seat.focused()}")
        return "\n".join(lines + self.errors.found)

    def close(self) -> None:
        """Close everything; what broke in a window breaks this."""
        for seat in self.seats:
            seat.close()
        for guest in self.guests:
            guest.close()
        self.stop_broker()
        self.seats.clear()
        gc.collect()
        logging.getLogger().removeHandler(self.errors)
        assert self.errors.found == []


def _three_ports() -> int:
    """The first of three ports in a row that nobody has, and that nobody is given by chance while a broker is away."""
    while True:
        first = random.randrange(10_000, 32_000, 3)  # below those that Linux gives to connections
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


class _Errors(logging.Handler):
    """Keeps what was logged as an error: there is nothing to be logged when all goes well."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))
