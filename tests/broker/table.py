"""A table of people for the broker's tests: a hub, its log and named connections, without sockets and clocks.

A connection is called "ann", or "ann/2" where Ann has several; what stands before the slash is the name and makes the
key. Time stands still unless a test lets ``seconds`` pass. Every request and reply goes through the wire's encoding.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Any, Protocol

import msgspec
from hypothesis import settings
from msgspec import Raw

from chat_broker import users
from chat_broker.batch import Batch, Outcome
from chat_broker.hub import Hub
from chat_broker.tables import KEPT, Head, SenderState, Tables
from chat_broker.turn import Facts, ReadJob, Turn
from chat_core import messages as m
from chat_core import wire
from chat_core.errors import StoreError
from tests.disk import Disk

HOME, BOOT, EPOCH = "40e0", "b001", "e0c4"
START_TIME = 1_700_000_000_000  # ms since 1970
START_MONO = 1000.0
# Of the tables, what follows from the others.
DERIVED = ("members_of", "rooms_of", "keys_of", "waiting", "bans_on", "invited_to", "titles", "open_rooms", "unfed")

# Two senders, as clients would make them.
SENDER, OTHER_SENDER = "5e4de7" * 3, "07e45e" * 3


def examples(enough: int) -> int:
    """How many examples a property is tried with: ``enough`` for every day, more in the thorough profile."""
    return enough * max(1, settings().max_examples // settings.get_profile("default").max_examples)


def key_of(person: str) -> str:
    """A public key as Z85 has it, the same one for the same person."""
    return blake2b(person.encode(), digest_size=20).hexdigest()


def said(text: object) -> Raw:
    """The body of a message."""
    return Raw(wire.encode({"text": text}))


def message(text: str, room: str = "lobby", sender: str = "", n: int = 0) -> m.Post:
    """The request that says a text."""
    return m.Post(room=room, body=said(text), sender=sender, n=n)


def bare(reply: m.Reply) -> m.Reply:
    """The reply without the number of its request, to compare answers to a request and to its repetition."""
    return msgspec.structs.replace(reply, re=0)


class Log(Protocol):
    """What a table asks of a store."""

    def sender(self, sender: str) -> SenderState | None: ...

    def outcome(self, sender: str, n: int) -> Outcome | None: ...

    def event(self, room: str, seq: int) -> Raw | None: ...

    def commit(self, batch: Batch) -> None: ...

    def load(self, tables: Tables) -> tuple[int, int]: ...


class MemoryLog(Disk):
    """The store's part in dicts; ``broken`` makes its reads fail as those of a failing disk."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, list[m.Event]] = {}
        self.broken = False

    def sender(self, sender: str) -> SenderState | None:
        self._check()
        return self.senders.get(sender)

    def outcome(self, sender: str, n: int) -> Outcome | None:
        self._check()
        return self.outcomes.get((sender, n))

    def event(self, room: str, seq: int) -> Raw | None:
        self._check()
        found = [event for event in self.events.get(room, ()) if event.seq == seq]
        return Raw(wire.encode(found[0])) if found else None

    def commit(self, batch: Batch) -> None:
        for room, seq in batch.blanks:
            self.events[room][seq - 1].body = Raw(wire.BLANK)
        for room, chunk in batch.chunks.items():
            self.events.setdefault(room, []).extend(wire.decode_event(event) for event in chunk.events)
        self.keep(batch)

    def load(self, tables: Tables) -> tuple[int, int]:
        for (table, key), value in self.kept.items():
            tables.load(table, key, value)
        for room in tables.rooms:
            last = self.events[room][-1]
            tables.heads[room] = Head(1, last.seq, last.chain)
        return self.clock

    def _check(self) -> None:
        if self.broken:
            raise StoreError("the disk does not answer")


@dataclass
class Told:
    """What came of a turn: replies by connection, the feed in its order, what was stored, reads for the reader."""

    replies: dict[str, list[Any]] = field(default_factory=dict)
    feed: list[tuple[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)  # the feed, encoded
    batch: Batch = field(default_factory=lambda: Batch(0, 0))
    pushed: dict[str, list[m.Events]] = field(default_factory=dict)  # events by the posts line, by connection
    jobs: list[ReadJob] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)  # numbers of requests that were not answered
    shut_out: bool = False  # the feed is to be bound anew

    def to(self, who: str) -> Any:
        """The one reply to a connection."""
        (reply,) = (reply for reply in self.replies[who] if not isinstance(reply, m.Notice))
        return reply

    def on(self, topic: str) -> list[Any]:
        """What was published under a topic."""
        return [content for one, content in self.feed if one == topic]

    def one(self, topic: str) -> Any:
        """The one message under a topic."""
        (content,) = self.on(topic)
        return content

    def events(self, room: str = "lobby") -> list[m.Event]:
        """The room's events, in one list."""
        return [event for events in self.on(wire.ROOM_TOPIC + room) for event in events]

    def heard(self, who: str, room: str) -> list[int]:
        """The numbers of the room's events that came to a connection otherwise than by the feed."""
        some = [pushed.events for pushed in self.pushed.get(who, ()) if pushed.room == room]
        return [event.seq for raws in some for event in decoded(raws)]

    def notices(self, who: str) -> list[m.Notice]:
        """What a connection was told unasked."""
        return [reply for reply in self.replies.get(who, ()) if isinstance(reply, m.Notice)]

    @property
    def topics(self) -> list[str]:
        """The topics, in the order of the feed."""
        return [topic for topic, _ in self.feed]


class Table:
    """A hub over a log, and the people at it."""

    def __init__(self, log: Log | None = None, **facts: Any) -> None:
        self.log: Any = log if log is not None else MemoryLog()
        self.facts = Facts(**({"home": HOME, "boot": BOOT, "epoch": EPOCH} | facts))
        self.tables = Tables()
        self.hub = Hub(self.tables, self.log, self.facts, *self.log.load(self.tables))
        self.clock, self.mono = START_TIME, START_MONO
        self._ids = count(1)
        turn = self.hub.begin(self.clock, self.mono)
        self.hub.open_lobby(turn)
        self.opened = self._close(turn, fails=False)
        self.first = self.turn()  # with the first beat

    def restart(self, **facts: Any) -> "Table":
        """Another process over the same log: nobody is connected to it."""
        again = Table(self.log, **({"boot": self.facts.boot + "+"} | facts))
        again.clock, again.mono = self.clock, self.mono
        return again

    def turn(
        self, *asked: tuple[str, m.AnyRequest], seconds: float = 0.0, fails: bool = False, address: str = ""
    ) -> Told:
        """``seconds`` later, one turn in which these requests of these connections have arrived.

        ``fails``: its commit does, as it does if the log says so.
        """
        self.mono += seconds
        self.clock += int(seconds * 1000)
        turn = self.hub.begin(self.clock, self.mono)
        for who, request in asked:
            if not request.id:
                request.id = next(self._ids)
            self.hub.decide(
                turn, who.encode(), wire.decode_request(wire.encode(request)), address or f"address of {who}"
            )
        self.hub.tick(turn)
        return self._close(turn, fails)

    def ask(self, who: str, request: m.AnyRequest, seconds: float = 0.0) -> Any:
        """The reply to one request in a turn of its own."""
        reply = self.turn((who, request), seconds=seconds).to(who)
        assert reply.re == request.id
        return reply

    def hello(self, who: str, name: str | None = None, key: str | None = None) -> Any:
        """The reply to a hello, by default under the connection's own name and with its key."""
        return self.ask(who, hello(who, name, key))

    def seat(self, *connections: str) -> "Table":
        """Let people in."""
        for who in connections:
            reply = self.hello(who)
            assert isinstance(reply, m.Welcome), reply
        return self

    def page(self, who: str, room: str, after: int = 0, upto: int = 0) -> m.Paged | m.Refused:
        """A page as it leaves for a connection, if nothing changed since it was asked for."""
        told = self.turn((who, m.Page(room=room, after=after, upto=upto)))
        if not told.jobs:
            refused: m.Refused = told.to(who)
            return refused
        (job,) = told.jobs
        events = [Raw(wire.encode(event)) for event in self.log.events[job.room][job.after : job.upto]]
        reply = m.Paged(job.re, job.room, EPOCH, job.head.first, (job.head.seq, job.head.chain), events)
        return wire.decode_reply(self.hub.release(job, wire.encode(reply)) or b"")  # type: ignore[return-value]

    def make(self, who: str, role: str, **fields: Any) -> "Table":
        """Make somebody who was let in owner, admin, guest or bot, as the broker can."""
        turn = self.hub.begin(self.clock, self.mono)
        users.change(turn, self.tables.users[self.user(who)], role=role, **fields)
        self._close(turn, fails=False)
        return self

    def user(self, who: str) -> str:
        """The id of the user of a connection's key."""
        return self.tables.keys[key_of(who.partition("/")[0])]

    def post(self, who: str, room: str, text: str, sender: str = "", n: int = 0) -> Any:
        """The reply to a post."""
        return self.ask(who, message(text, room, sender, n))

    def head(self, room: str = "lobby") -> m.Head:
        """How far the room is."""
        head = self.tables.heads[room]
        return head.seq, head.chain

    def snapshot(self) -> dict[str, Any]:
        """A deep copy of all kept state and what is derived from it."""
        rows = {name: getattr(self.tables, name) for name in (*KEPT, "heads", "senders", *DERIVED)}
        return {name: copy.deepcopy(table) for name, table in rows.items()}

    def _close(self, turn: Turn, fails: bool) -> Told:
        try:
            if turn.batch and not fails:
                self.log.commit(turn.batch)
        except StoreError:
            fails = True
        if fails:
            replies, frames = self.hub.undo(turn)
            assert not turn.batch
        else:
            replies, frames = self.hub.finish(turn)
        told = Told(batch=turn.batch, jobs=turn.jobs, notes=turn.notes, frames=frames, shut_out=turn.shut_out)
        told.dropped = [re for _, re in turn.dropped]
        for peer, payload in turn.pushed:
            pushed = wire.decode_reply(payload)
            assert isinstance(pushed, m.Events)
            assert wire.encode(pushed) == payload
            told.pushed.setdefault(peer.decode(), []).append(pushed)
        told.feed = [_published(frame) for frame in frames]
        for peer, reply in replies:
            frame = wire.encode(reply)
            assert wire.decode_reply(frame) == reply
            told.replies.setdefault(peer.decode(), []).append(reply)
        return told


def hello(who: str, name: str | None = None, key: str | None = None, **more: Any) -> m.Hello:
    """The hello of a connection."""
    person = who.partition("/")[0]
    return m.Hello(name=person if name is None else name, key=key_of(person) if key is None else key, **more)


def decoded(raws: Iterable[Raw]) -> list[m.Event]:
    """The events of a page."""
    return [wire.decode_event(raw) for raw in raws]


def _published(frame: bytes) -> tuple[str, Any]:
    topic, payload = wire.split_feed(frame)
    if topic.startswith(wire.ROOM_TOPIC):
        return topic, wire.decode_events(payload)
    if topic.startswith(wire.MARKER_TOPIC):
        return topic, wire.decode(payload, m.Mark)
    kinds: dict[str, Any] = {wire.BEAT_TOPIC: m.Beat, wire.PRESENCE_TOPIC: m.Presence}
    return topic, wire.decode(payload, kinds[topic])
