"""A stage for the real window without a network: logs of rooms that a script writes, told to a `Chat` as news.

The gallery of screenshots and the benchmark play on it. `Stage` stands where `chat_client.backend.Backend` does:
it answers what the window looks up and asks, and ignores all other orders.
"""

import queue
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chat_client import effects
from chat_client.flight import Row
from chat_client.model import orders
from chat_client.model.chat import News
from chat_core import chain, names, wire
from chat_core import messages as m
from chat_core.address import parse_address

SENDER = "0" * 16


def user_of(name: str) -> str:
    """The user id that a name has on this stage."""
    return f"u-{names.fold(name)}"


def moment(clock: str, days_ago: int = 0) -> int:
    """A time of today ("10:12"), or of so many days before, in ms since 1970."""
    hour, _, minute = clock.partition(":")
    day = datetime.now().replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return int((day - timedelta(days=days_ago)).timestamp() * 1000)


@dataclass
class Room:
    """A room and its log. ``unread``: so many of its messages I have not read. ``roles``: of those members who are more
    or less than one, by name; ``more``: what else the broker tells of it, such as ``kind`` and ``role``."""

    id: str
    members: list[str] = field(default_factory=list)
    unread: int = 0
    draft: str = ""
    name: str = ""
    mine: bool = True
    events: list[m.Event] = field(default_factory=list)
    roles: dict[str, m.RoomRole] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def add(self, author: str, kind: str, body: object, time: int) -> m.Event:
        """Something happens in the room."""
        seq, before = len(self.events) + 1, self.head[1]
        user = user_of(author)
        mark = chain.chain_of(before, self.id, seq, time, user, author, "", 0, kind)
        made = m.Event(self.id, seq, time, user, author, kind, mark, body=msgspec.Raw(wire.encode(body)))
        self.events.append(made)
        return made

    def say(self, author: str, text: str, time: int, me: bool = False) -> m.Event:
        """Somebody says something, at a time in ms since 1970."""
        return self.add(author, "message", m.Message(text, me), time)

    @property
    def head(self) -> tuple[int, str]:
        """Number and chain of the last event."""
        return (self.events[-1].seq, self.events[-1].chain) if self.events else (0, chain.START)

    @property
    def info(self) -> m.RoomInfo:
        """What the broker tells of it."""
        name, count = self.name or self.id, len(self.members)
        return m.RoomInfo(self.id, name, self.head, 1, count, self.mine, **self.more)

    @property
    def known(self) -> orders.Known:
        """What the copy on disk would tell of it."""
        seq, last = self.head
        kind = self.more.get("kind", "open")
        name, read = self.name or self.id, seq - self.unread
        return orders.Known(self.id, name, 1, seq, last, read, self.unread, self.draft, kind=kind)


class Stage:
    """Broker and disk of a window, as its thread sees them."""

    def __init__(
        self, me: str, rooms: Iterable[Room] = (), here: Iterable[str] = (), broker: str = "harbour",
        address: str = "10.0.3.7:5555", role: m.ChatRole = "member",
    ) -> None:  # fmt: skip
        """``me``: my name; ``here``: the names of those who are connected; ``role``: mine in the chat."""
        self.me, self.here, self.broker = me, list(here), broker
        self.rooms = {room.id: room for room in rooms}
        self.address, self.role = parse_address(address), role
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self.kept: list[Row] = []
        self.answers: dict[type[m.Request], m.Reply] = {}  # to what else may be asked
        self.chat_roles: dict[str, m.ChatRole] = {}  # by name, of those who are not just members

    # ---- what the script does

    def open(self) -> None:
        """The copy on disk is there."""
        known = [room.known for room in self.rooms.values() if room.mine]
        self.tell(orders.Opened("home", user_of(self.me), self.me, self.broker, known, []))

    def connect(self, seconds: float = 0.0003) -> None:
        """The broker answers, and all is well. ``seconds``: how long an answer takes."""
        mine = [room.info for room in self.rooms.values() if room.mine]
        invited = [room.info for room in self.rooms.values() if room.more.get("invited")]
        welcome = m.Welcome(
            0,
            1,
            user_of(self.me),
            self.me,
            "home",
            "boot",
            "epoch",
            5556,
            broker=self.broker,
            rooms=mine,
            invited=invited,
            role=self.role,
        )
        self.tell(
            effects.Welcomed(welcome, encrypted=True),
            effects.Status("joining", "joining"),
            effects.People({user_of(name): name for name in self.here}),
            effects.Directory(),
            effects.RoundTrip(seconds),
            effects.Status("live", "connected"),
        )

    def arrive(self, room: str, author: str, text: str, time: int) -> None:
        """Somebody says something just now."""
        self.tell(effects.Arrived(room, [self.rooms[room].say(author, text, time)]))

    def tell(self, *news: News) -> None:
        """Have this news, in this order."""
        for one in news:
            self.news.put(one)

    # ---- what the window does: see `Backend`

    def start(self) -> None:
        """Nothing runs behind a stage."""

    def stop(self, wait: bool = True) -> None:
        """Nothing runs behind a stage."""

    def explain(self) -> None:
        """Nobody asks why a stage does not answer."""

    def carry_out(self, order: orders.Order) -> None:
        """Answer what is looked up and asked; the rest is lost."""
        if isinstance(order, orders.Look):
            self.tell(orders.Found(order.token, self.rooms[order.room].events[order.after : order.upto]))
        elif isinstance(order, orders.Keep):
            self.kept.append(Row(SENDER, len(self.kept) + 1, order.room, order.kind, order.body))
            self.tell(orders.Kept(order.key, self.kept[-1]))
        elif isinstance(order, orders.Ask):
            self._answer(order.token, order.request)

    def _answer(self, token: int, request: m.Request) -> None:
        if isinstance(request, m.Room):
            room = self.rooms[request.room]
            members = [(user_of(name), name) for name in room.members]
            roles = {user_of(name): role for name, role in room.roles.items()}
            chat_roles = {user_of(name): self.chat_roles[name] for name in room.members if name in self.chat_roles}
            self.tell(effects.Answered(token, m.RoomState(0, room.info, members, roles, chat_roles)))
        elif isinstance(request, m.Rooms):
            self.tell(effects.Answered(token, m.RoomList_(0, [room.info for room in self.rooms.values()])))
        elif type(request) in self.answers:
            self.tell(effects.Answered(token, self.answers[type(request)]))
