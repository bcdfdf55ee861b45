"""People at desks without a window: a `Backend` and a `Chat` in front of it; and places where brokers are."""

import contextlib
import queue
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chat_broker.serving.keyfiles import BROKER_KEY, open_keyring
from chat_client import session as s
from chat_client.backend import Backend, now
from chat_client.link import Context
from chat_client.model import orders
from chat_client.model.chat import Chat, News
from chat_client.outbox import Outbox
from chat_client.replica import Replica
from chat_core import messages as m
from chat_core.address import Address
from chat_core.chain import START
from chat_core.errors import IdentityError
from tests.system.inproc import PATIENCE_SECONDS, Served, log_of, message
from tests.system.processes import quiet_ports

T = TypeVar("T")

# As a session's usual ones, but a broker that is back is found sooner.
EVERY = s.Intervals(back_off_first=0.02, back_off_most=0.1)
_TURN_SECONDS = 0.05


class Desk:
    """``chat`` works while the test waits in `until`; ``news`` is all that it was told. `close` it in the end."""

    def __init__(
        self,
        address: Address,
        folder: Path,
        name: str = "",
        *,
        every: s.Intervals = EVERY,
        context: Context | None = None,
    ) -> None:
        """``folder``: of the identity. The backend is started."""
        self.chat = Chat(address.text, name, address.room)
        self.backend = Backend(address, folder, name, every, context)
        self.news: list[News] = []
        self.backend.start()

    def close(self) -> None:
        """Go home: what was typed is written, and everything is closed."""
        self.backend.stop()

    # What the test waits for.

    def turn(self, seconds: float = _TURN_SECONDS) -> bool:
        """Take the next piece of news, if one comes within so long, and have done what follows from it."""
        try:
            news: News | None = self.backend.news.get(timeout=seconds)
        except queue.Empty:
            news = None
        if news is not None:
            self.news.append(news)
            self.chat.apply(news, now())
        self.flush()
        return news is not None

    def flush(self) -> None:
        """Have done what the chat wants."""
        self.chat.tick(now())
        wanted, _ = self.chat.take()
        for order in wanted:
            self.backend.carry_out(order)

    def until(self, true: Callable[[], object], what: str = "") -> None:
        """Work until this is so; the test fails if it does not come about. ``what``: in words, for that case."""
        end = time.monotonic() + PATIENCE_SECONDS
        self.flush()
        while not true():
            if time.monotonic() > end:
                pytest.fail(f"it does not come about: {what}\n{self.state()}")
            self.turn()

    def told(self, kind: type[T]) -> list[T]:
        """All news of a kind so far."""
        return [news for news in self.news if isinstance(news, kind)]

    def next(self, kind: type[T], count: int = 1) -> list[T]:
        """Wait until there are so many news of a kind, those included that were there before; returns them all."""
        self.until(lambda: len(self.told(kind)) >= count, f"{count} {kind.__name__}")
        return self.told(kind)

    def live(self) -> "Desk":
        """Wait until the chat is connected and has everything; returns the desk."""
        self.until(lambda: self.chat.status.state == "live", "it is connected")
        return self

    # What one does, and sees.

    def say(self, *texts: str) -> None:
        """Type something and send it, whether the broker is there or not."""
        for text in texts:
            problem = self.chat.say(text, now())
            assert problem == "", problem
        self.flush()

    def open(self, room: str) -> None:
        """Go to a room that one is in."""
        self.chat.open(room)
        self.flush()

    def said(self, room: str = "lobby") -> list[str]:
        """The messages of a room as they are shown, own ones on their way included."""
        lines = self.chat.rooms[room].shown() if room in self.chat.rooms else []
        return [line.text for line in lines if line.kind in ("message", "me")]

    def notes(self, room: str = "lobby") -> list[str]:
        """What the program told its user in a room."""
        return [line.text for line in self.chat.rooms[room].shown() if line.kind == "note"]

    def states(self, room: str = "lobby") -> dict[str, str]:
        """What became of the own messages of a room that are not yet among its events, by text."""
        return {line.text: line.state for line in self.chat.rooms[room].pending.values()}

    @property
    def settled(self) -> bool:
        """Is everything that was typed among the events?"""
        return not any(room.pending for room in self.chat.rooms.values())

    def state(self) -> str:
        """For people who have to find out why a test failed."""
        rooms = {room.id: f"{room.have} read, {len(room.pending)} pending" for room in self.chat.rooms.values()}
        kinds = [type(news).__name__ for news in self.news[-20:]]
        return f"{self.chat.status}, {rooms}, {self.chat.status_line()}\n    the last news: {kinds}"


class Bare:
    """A `Backend` without a chat in front of it: the test gives the orders itself."""

    def __init__(
        self,
        address: Address,
        folder: Path,
        name: str = "",
        *,
        every: s.Intervals = EVERY,
        context: Context | None = None,
    ) -> None:
        """``folder``: of the identity. The backend is not started."""
        self.backend = Backend(address, folder, name, every, context)
        self.news: list[News] = []
        self._keys = 0

    def start(self) -> "Bare":
        """Begin."""
        self.backend.start()
        return self

    def close(self) -> None:
        """End; all is done when this returns."""
        self.backend.stop()

    def next(self, kind: type[T], count: int = 1) -> list[T]:
        """Wait until there are so many news of a kind, those included that were there before; returns them all."""
        end = time.monotonic() + PATIENCE_SECONDS
        while len(found := [news for news in self.news if isinstance(news, kind)]) < count:
            try:
                self.news.append(self.backend.news.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                kinds = [type(news).__name__ for news in self.news]
                pytest.fail(f"{len(found)} of {count} {kind.__name__} in time, of {kinds}")
        return found

    def order(self, *wanted: orders.Order) -> None:
        """Have something done."""
        for order in wanted:
            self.backend.carry_out(order)

    def post(self, *texts: str, room: str = "lobby") -> list[str]:
        """Have messages sent; returns the keys under which it is told what became of them."""
        keys = []
        for text in texts:
            self._keys += 1
            keys.append(f"k{self._keys}")
            self.order(orders.Keep(keys[-1], room, "message", message(text)))
        return keys

    def follow(self, room: str = "lobby", have: int = 0, chain: str | None = START) -> None:
        """Have a room read."""
        self.order(orders.Follow(room, room, have, chain))

    def look(self, after: int, upto: int, room: str = "lobby") -> list[m.Event] | None:
        """What the copy has of a room."""
        count = sum(isinstance(news, orders.Found) for news in self.news)
        self.order(orders.Look(1000 + count, room, after, upto))
        return self.next(orders.Found, count + 1)[-1].events


Maker = Callable[..., Desk]


class Place:
    """An address, and the brokers that are started there one after the other. ``folder``: of the data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key_file = folder / BROKER_KEY  # one key for all of them: it is the address that has it
        key = open_keyring(folder, True).broker.public
        self.address = Address("127.0.0.1", quiet_ports(), key=key)
        self.broker: Served | None = None

    def data(self, name: str = "a") -> Path:
        """The folder of a broker."""
        return self._folder / f"broker {name}"

    def open(self, name: str = "a") -> Served:
        """Start a broker with the data of that name, made if there is none."""
        self.data(name).mkdir(exist_ok=True)
        shutil.copy(self._key_file, self.data(name))
        self.broker = Served(self.data(name), self.address.port)
        return self.broker

    def close(self) -> None:
        """Stop it."""
        if self.broker is not None:
            self.broker.close()
            self.broker = None

    def log(self, name: str = "a", room: str = "lobby") -> list[m.Event]:
        """The log of a room, from the disk."""
        return log_of(self.data(name) / "chat.db", room)


class Full:
    """While ``on``, nothing can be written to files of these kinds. (They can be opened, as they can in truth.)"""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *kinds: type[Outbox] | type[Replica]) -> None:
        self.on = True
        for kind in kinds:
            monkeypatch.setattr(kind, "_transaction", self._instead_of(kind._transaction))

    def _instead_of(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @contextlib.contextmanager
        def transaction(file: Any, mode: str = "IMMEDIATE") -> Iterator[None]:
            if self.on and mode == "IMMEDIATE" and (isinstance(file, Replica) or hasattr(file, "_next")):
                full()
            with real(file, mode) if isinstance(file, Replica) else real(file):
                yield

        return transaction


def full(*_: object) -> Any:
    """What a full disk does."""
    raise IdentityError("It cannot be written: is the disk full?")


def kinds(told: list[Any], *wanted: type) -> list[type]:
    """In which order news of these kinds came."""
    return [type(news) for news in told if isinstance(news, wanted)]


def bodies(rows: Any) -> list[bytes]:
    """What posts say."""
    return [row.body for row in rows]


def copy_of(folder: Path, home: str, room: str = "lobby") -> list[m.Event]:
    """What the copy in an identity's folder holds of a room."""
    copy = Replica(folder)
    try:
        return copy.tail(home, room, 100_000)
    finally:
        copy.close()
