"""One turn of the broker: the batch being decided, who is to be answered once it is on disk, and what is then told.

Handlers get a Turn and a request. What they append and put goes into the batch; what writes is answered after the
commit or refused together with it; what only reads is computed after the commit, since nobody may be told what is
not on disk (DESIGN.md, section 2).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Protocol

from msgspec import Raw

from chat_broker.batch import Batch, Chunk, Outcome, Run
from chat_broker.desk import Connection, Desk
from chat_broker.meters import Limits
from chat_broker.tables import NO_EVENTS, Head, SenderState, Tables
from chat_core import wire
from chat_core.chain import chain_of
from chat_core.errors import CODES, RefusedError
from chat_core.messages import Event, Person, Refused, Reply


class LogView(Protocol):
    """What the rules ask of the stored log: the fate of post numbers."""

    def sender(self, sender: str) -> SenderState | None:
        """Whose the sender is and its last number, or None if it never posted."""

    def outcome(self, sender: str, n: int) -> Outcome | None:
        """What became of a number."""

    def event(self, room: str, seq: int) -> Raw | None:
        """An event, encoded; None if it is not there."""


@dataclass(frozen=True)
class Facts:
    """What a broker process knows of itself. Random values come in from outside, so that the rules stay pure."""

    home: str  # the broker's id for ever
    boot: str  # this start of it
    epoch: str  # of the log: new in every backup copy
    name: str = "zmq-chat"
    feed: int = 5556
    beat_seconds: float = 2.0
    presence_seconds: float = 1.0
    gone_seconds: float = 15.0
    reads_a_turn: int = 20
    join: str = "open"  # who is let in: everybody, those with an invitation ("invite"), or whom an admin says yes to
    # 0: any number
    waiting_most: int = 0
    user_connections: int = 0
    address_connections: int = 0
    salt: bytes = b""  # the database's secret, for digests
    limits: Limits | None = None  # None: there are none

    @cached_property
    def keyed(self) -> blake2b:
        """Where every digest begins: to copy it is a third faster than to take in the key each time."""
        return blake2b(digest_size=8, key=self.salt)


@dataclass
class ReadJob:
    """A read of the log that leaves the loop: answered by the reader, from what was committed when it was asked."""

    peer: bytes
    re: int
    room: str
    head: Head
    after: int = 0
    upto: int = 0
    limit: int = 0
    points: list[tuple[int, str]] | None = None  # a fork is asked for, not a page
    asker: Connection | None = None  # who had the connection then: another one gets no answer to it
    user: str = ""  # who asked, and the numbers that may be read: looked at again when the answer leaves
    readable: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Turn:
    """See the module. ``time``: ms since 1970, never going back; ``mono``: seconds of a clock that nobody can set."""

    tables: Tables
    desk: Desk
    log: LogView
    facts: Facts
    batch: Batch
    mono: float
    k: int = 0  # the last beat's number
    reads: Counter[bytes] = field(default_factory=Counter)  # how many a connection asked in this turn
    origin: str = ""  # the network address that a hello came from
    key: str = ""  # the key that a hello's connection has proved to have; "": none, in open mode
    shut_out: bool = False  # somebody lost the right to hear the feed: it has to be bound anew
    dropped: list[tuple[bytes, int]] = field(default_factory=list)  # not answered, since who asks was shut out
    replies: list[tuple[bytes, Reply]] = field(default_factory=list)
    writers: list[tuple[bytes, Reply]] = field(default_factory=list)
    told: list[tuple[str, Reply]] = field(default_factory=list)
    last_words: list[tuple[bytes, Reply]] = field(default_factory=list)
    afters: list[Callable[[], None]] = field(default_factory=list)
    undos: list[Callable[[], object]] = field(default_factory=list)
    unsure: set[bytes] = field(default_factory=set)  # connections whose user depends on this batch
    markers: list[tuple[str, bytes]] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    pushed: list[tuple[bytes, bytes]] = field(default_factory=list)  # (peer, frame), to go out behind the replies
    jobs: list[ReadJob] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _everybody: list[Person] | None = None

    @property
    def time(self) -> int:
        """The batch's time: every event of it has this one."""
        return self.batch.time

    @property
    def committed(self) -> int:
        """After the commit: the number of the last batch on disk."""
        return self.batch.number if self.batch else self.batch.number - 1

    # What is stored.

    def append(
        self, room: str, author: str, name: str, kind: str, body: bytes = b"{}", sender: str = "", n: int = 0,
        target: int = 0,
    ) -> int:  # fmt: skip
        """Append an event to a room's log; returns its sequence number."""
        batch, tables = self.batch, self.tables
        head = tables.heads.get(room, NO_EVENTS)
        seq, time = head.seq + 1, batch.time
        chain = chain_of(head.chain, room, seq, time, author, name, sender, n, kind, target)
        new_head = Head(head.first, seq, chain)
        chunk = batch.chunks.get(room)
        if chunk is None:
            chunk = batch.chunks[room] = Chunk(seq)
            tables.note("heads", room, new_head)
        else:
            tables.heads[room] = new_head  # the journal has what was there before the batch
        event = Event(room, seq, time, author, name, kind, chain, sender, n, target, body=Raw(body))
        chunk.events.append(wire.encode(event))
        return seq

    def spend(self, sender: str, user: str, n: int, outcome: Outcome) -> None:
        """The sender's number ``n`` is used, and this became of it."""
        run = self.batch.runs.get(sender)
        if run is None:
            run = self.batch.runs[sender] = Run(user, n)
            self.tables.note("senders", sender, SenderState(user, n))
        else:
            self.tables.senders[sender] = SenderState(user, n)  # as above
        run.outcomes.append(outcome)

    def sender(self, sender: str) -> SenderState | None:
        """Whose the sender is and its last number, the batch included."""
        state = self.tables.senders.get(sender)
        if state is None:
            state = self.log.sender(sender)
            if state is not None:
                self.tables.senders[sender] = state  # what the disk says needs no journal
        return state

    def outcome(self, sender: str, n: int) -> Outcome | None:
        """What became of a number, the batch included."""
        run = self.batch.runs.get(sender)
        if run is not None and n >= run.first:
            return run.outcomes[n - run.first]
        return self.log.outcome(sender, n)

    def event(self, room: str, seq: int) -> Event | None:
        """An event of a room, the batch included."""
        chunk = self.batch.chunks.get(room)
        found = (chunk.event(seq) if chunk is not None else None) or self.log.event(room, seq)
        return wire.decode_event(found) if found is not None else None

    def keep(self, table: dict[str, int], key: str, value: int) -> None:
        """Set a row of volatile state, to be put back if the commit fails."""
        old = table.get(key)
        self.undos.append(lambda: table.pop(key) if old is None else table.update({key: old}))
        table[key] = value

    def everybody(self) -> list[Person]:
        """Who is here, after the commit: found out once, since whole crowds ask for it in the same turn."""
        if self._everybody is None:
            self._everybody = self.desk.people(self.mono)
        return self._everybody

    # Who is told.

    def acknowledge(self, peer: bytes, reply: Reply) -> None:
        """Answer with the commit: if it fails, this becomes a refusal ``later``."""
        self.writers.append((peer, reply))

    def answer(self, peer: bytes, reply: Reply) -> None:
        """Answer whatever becomes of the commit: nothing that was decided in this turn may be in it."""
        self.replies.append((peer, reply))

    def refuse(self, peer: bytes, re: int, error: RefusedError) -> None:
        """Answer that it was not done, and why."""
        self.answer(peer, refusal(re, error))

    def tell(self, user: str, notice: Reply) -> None:
        """Send something unasked to each connection of a user, if the commit succeeds."""
        self.told.append((user, notice))

    def tell_last(self, peer: bytes, notice: Reply) -> None:
        """Send a connection the last that it hears, behind all else, if the commit succeeds."""
        self.last_words.append((peer, notice))

    def forget(self, peer: bytes) -> None:
        """Tell nothing of what was decided so far for this connection: somebody else has it now."""
        for told in (self.writers, self.replies, self.last_words):
            told[:] = [(other, reply) for other, reply in told if other != peer]

    def after_commit(self, function: Callable[[], None]) -> None:
        """Do something when it is known what is committed."""
        self.afters.append(function)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send on the feed after the rooms' events."""
        self.published.append((topic, payload))


def refusal(re: int, error: RefusedError) -> Refused:
    """The reply that carries a refusal."""
    return Refused(re, error.code, error.text, error.verdict, error.expected, error.retry)


def store_refusal(re: int) -> Refused:
    """What everybody gets whose request was in a batch that could not be written."""
    text = "The broker cannot write at the moment (is its disk full?). Nothing is lost: it will be sent again."
    return Refused(re, "store", text, CODES["store"][0])
