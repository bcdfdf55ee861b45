"""A world without sockets: one broker, its disk, some clients with theirs, and a network that breaks in every way.

Time is virtual: `World.run` goes from event to event, and nothing happens between them. What is real: `Session` with
its flight and rooms on one side, `Hub` with its tables on the other, and every byte between them. What is modelled:
the disks, the two sockets of a client, the loop, and the application, which here is a replica of each room.

Each client has two wires, posts and feed. A wire is "up", "cut" (what is on it is lost, nobody answers), "paused" (all
is held back and delivered late) or "wrong" (another program has the port: it takes a connection and says nothing).
"""

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from msgspec import Raw, structs

from chat_broker import reach
from chat_broker.batch import Batch, Outcome
from chat_broker.hub import Hub
from chat_broker.tables import Head, SenderState, Tables
from chat_broker.turn import Facts, ReadJob, refusal
from chat_client import effects
from chat_client import session as s
from chat_client.flight import Renumber, Row, Settled
from chat_client.meeting import OPEN
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of
from chat_core.errors import RefusedError, StoreError, WireError
from tests import disk

START_TIME = 1_700_000_000_000  # ms since 1970
LATENCY = 0.0007  # one way, seconds
APART = 0.0002  # two messages of one connection are never delivered at once
PAGE = 7  # events in a page: few, so that catching up takes several
PAGES_WAITING = 4
BATCH = 512
FEED_PORT = 5556
# The names of rooms that are made as private ones.
PRIVATE = {"plan", "plot"}
# Requests other than posts that a client may send in a second; more is a storm.
CALM = 300


def key_of(person: str) -> str:
    """A public key as Z85 has it, the same one for the same person."""
    return blake2b(person.encode(), digest_size=20).hexdigest()


def said(text: str) -> bytes:
    """The body of a message."""
    return wire.encode(m.Message(text))


def history(count: int, room: str = "lobby", after: m.Event | None = None, text: str = "said") -> list[m.Event]:
    """The next ``count`` events of a room's log, rightly chained; another ``text`` makes another history of them."""
    events = []
    seq, chain = (after.seq, after.chain) if after is not None else (0, START)
    for _ in range(count):
        seq += 1
        name = f"ann of {text}"
        chain = chain_of(chain, room, seq, 1000 + seq, "u1", name, "", 0, "message")
        events.append(m.Event(room, seq, 1000 + seq, "u1", name, "message", chain, body=Raw(said(f"{text} {seq}"))))
    return events


# ---- the broker's disk and process -------------------------------------------------------------------------------


class Store(disk.Disk):
    """What the broker has committed. It outlives its processes; `rolled_back` makes the older copy that a backup is."""

    def __init__(self, epoch: str) -> None:
        super().__init__()
        self.epoch = epoch
        self.batches: list[Batch] = []
        self.events: dict[str, list[bytes]] = {}
        self.failing = False
        self.deleted: set[str] = set()  # texts

    def rolled_back(self, batches: int, epoch: str) -> "Store":
        """The store as it was after so many batches."""
        older = Store(epoch)
        for batch in self.batches[:batches]:
            older.commit(batch)
        return older

    def commit(self, batch: Batch) -> None:
        """Write a batch, as one."""
        if self.failing:
            raise StoreError("the disk is full")
        self.batches.append(
            Batch(batch.number, batch.time, dict(batch.chunks), dict(batch.puts), dict(batch.runs), list(batch.blanks))
        )
        for room, seq in batch.blanks:
            self.deleted.add(wire.decode_message(wire.decode_event(self.events[room][seq - 1]).body).text)
            self.events[room][seq - 1] = wire.blanked(self.events[room][seq - 1])
        for room, chunk in batch.chunks.items():
            log = self.events.setdefault(room, [])
            assert chunk.first == len(log) + 1, "the log has a hole"
            log.extend(chunk.events)
        self.keep(batch)

    def load(self, tables: Tables) -> tuple[int, int]:
        """Fill the tables of a new process."""
        for (table, key), value in self.kept.items():
            tables.load(table, key, value)
        for room in tables.rooms:
            last = wire.decode_event(self.events[room][-1])
            tables.heads[room] = Head(1, last.seq, last.chain)
        return self.clock

    def sender(self, sender: str) -> SenderState | None:
        """Whose the sender is, and its last number."""
        return self.senders.get(sender)

    def outcome(self, sender: str, n: int) -> Outcome | None:
        """What became of a number."""
        return self.outcomes.get((sender, n))

    def event(self, room: str, seq: int) -> Raw | None:
        """An event of a room."""
        log = self.events.get(room, [])
        return Raw(log[seq - 1]) if 0 < seq <= len(log) else None

    def log(self, room: str) -> list[m.Event]:
        """All events of a room."""
        return [wire.decode_event(event) for event in self.events.get(room, ())]

    def texts(self) -> list[str]:
        """Every message in the log: room after room, each in its order."""
        logs = (event for room in self.events for event in self.log(room))
        return [wire.decode(event.body, m.Message).text for event in logs if event.kind == "message"]


class Process:
    """One run of the broker: a hub, its connections, and what has arrived and not been decided."""

    def __init__(self, world: "World", store: Store, boot: str) -> None:
        self.world, self.store = world, store
        self.facts = Facts("40e0", boot, store.epoch, feed=FEED_PORT)
        tables = Tables()
        self.hub = Hub(tables, store, self.facts, *store.load(tables))
        self.alive = True
        self.dies_after_commit = False
        self.posts: dict[bytes, Connection] = {}
        self.feeds: list[Connection] = []
        self._inbox: deque[tuple[bytes, bytes]] = deque()
        self._reading: Counter[bytes] = Counter()
        self._woken = float("inf")
        turn = self.hub.begin(self._time(), world.now)
        self.hub.open_lobby(turn)
        if turn.batch:
            store.commit(turn.batch)
        self.hub.finish(turn)
        self._wake(self.hub.deadline())

    def here(self) -> dict[str, str]:
        """Who is here, as its rules see it."""
        return {person.user: person.name for person in self.hub.desk.people(self.world.now)}

    def arrived(self, connection: "Connection", frame: bytes) -> None:
        """A request, or a subscription."""
        if not self.alive:
            return
        if connection.line == "feed":
            topic = frame[1:]
            connection.topics.add(topic) if frame[:1] == b"\1" else connection.topics.discard(topic)
        elif connection.line == "door":
            knock = wire.decode_knock(frame)
            connection.down.push(wire.encode(m.Answer(knock.id, "b", [1], OPEN, 5555, FEED_PORT, self.facts.home)))
        else:
            self._inbox.append((connection.peer, frame))
            self._wake(self.world.now + APART)

    def _wake(self, at: float) -> None:
        if at < self._woken or self._woken < self.world.now:
            self._woken = at
            self.world.at(at, self._turn)

    def _time(self) -> int:
        return START_TIME + int(self.world.now * 1000)

    def _turn(self) -> None:
        if not self.alive:
            return
        self._woken = float("inf")
        hub = self.hub
        turn = hub.begin(self._time(), self.world.now)
        for _ in range(min(BATCH, len(self._inbox))):
            peer, frame = self._inbox.popleft()
            try:
                hub.decide(turn, peer, wire.decode_request(frame), "somewhere")
            except WireError as problem:
                raise AssertionError(f"a session sent what is no request: {frame!r}") from problem
        hub.tick(turn)
        wanted = bool(turn.batch)
        try:
            if wanted:
                self.store.commit(turn.batch)
        except StoreError:
            replies, frames = hub.undo(turn)
        else:
            if wanted and self.dies_after_commit:
                self.world.crash_broker()
                return
            replies, frames = hub.finish(turn)
        for peer, reply in replies:
            self._tell(peer, wire.encode(reply))
        for peer, payload in turn.pushed:
            self._push(peer, payload)
        for job in turn.jobs:
            self._read(job)
        for frame in frames:
            for connection in self.feeds:
                if any(frame.startswith(topic) for topic in connection.topics):
                    connection.publish(frame)
        self._wake(self.world.now if self._inbox else hub.deadline())

    def _tell(self, peer: bytes, payload: bytes) -> None:
        if self.alive and peer in self.posts:
            self.posts[peer].down.push(payload)

    def _push(self, peer: bytes, payload: bytes) -> None:
        """Events on the posts line; a full queue drops them."""
        connection = self.posts.get(peer)
        if connection is not None and connection.wire.to_drop > 0:
            connection.wire.to_drop -= 1
        else:
            self._tell(peer, payload)

    def administer(self, request: m.Request) -> None:
        """Whoever runs the broker asks for something."""
        request.id = 1
        self._inbox.append((b"admin:1", wire.encode(request)))
        self._wake(self.world.now + APART)

    def readable(self, person: str, room: str) -> tuple[bool, Sequence[reach.Span]]:
        """Is somebody in a room that is not open, and what may they read of it, or could when they were in it?"""
        tables = self.hub.tables
        user = tables.keys.get(key_of(person), "")
        record = tables.rooms.get(room)
        if record is None or not user:
            return False, ()
        spans = reach.spans(tables, user, record, self._time())
        return bool(spans), spans or reach.kept(tables, user, room)

    def _read(self, job: ReadJob) -> None:
        """The reader's work: answered later, from what was committed when it was asked."""
        if self._reading[job.peer] >= PAGES_WAITING:
            self._tell(job.peer, wire.encode(refusal(job.re, RefusedError("busy", "wait"))))
            return
        self._reading[job.peer] += 1
        reply: m.Reply
        if job.points is not None:
            log = self.store.log(job.room)
            common = [seq for seq, chain in job.points if seq <= len(log) and log[seq - 1].chain == chain]
            reply = m.Forked(job.re, job.room, self.facts.epoch, max(common, default=0))
        else:
            events = [Raw(event) for event in self.store.events[job.room][job.after : job.upto][:PAGE]]
            reply = m.Paged(job.re, job.room, self.facts.epoch, job.head.first, (job.head.seq, job.head.chain), events)

        def answer() -> None:
            self._reading[job.peer] -= 1
            released = self.hub.release(job, wire.encode(reply))
            if released is not None:
                self._tell(job.peer, released)

        self.world.at(self.world.now + self.world.reader_seconds, answer)


# ---- the network -------------------------------------------------------------------------------------------------


class Pipe:
    """One direction of a connection: what goes in comes out in the same order, later, or not at all."""

    def __init__(self, connection: "Connection", deliver: Callable[[bytes], None]) -> None:
        self._connection, self._deliver = connection, deliver
        self._queue: deque[tuple[float, bytes]] = deque()
        self._last = 0.0

    def push(self, frame: bytes) -> None:
        """Send."""
        connection = self._connection
        if connection.broken:
            return
        world = connection.wire.client.world
        self._last = max(self._last + APART, world.now + LATENCY + connection.wire.delay)
        self._queue.append((self._last, frame))
        world.at(self._last, self.pump)

    def pump(self) -> None:
        """Deliver what is due."""
        connection = self._connection
        while self._queue and not connection.broken and connection.wire.state != "paused":
            due, frame = self._queue[0]
            if due > connection.wire.client.world.now or not connection.connected:
                return
            self._queue.popleft()
            self._deliver(frame)


class Connection:
    """One generation of one line: a connection to one process of the broker, if it ever gets there.

    Closed by its client it is a zombie: what was on its way still arrives, at the broker and at the session.
    """

    def __init__(self, wire_: "Wire", line: str, generation: int, process: "ClientProcess") -> None:
        self.wire, self.line, self.generation, self.client_process = wire_, line, generation, process
        self.peer = f"{wire_.client.name}/{next(wire_.client.world.serials)}".encode()
        self.process: Process | None = None
        self.connected = self.broken = self.closed = False
        self.topics: set[bytes] = set()  # as the broker knows them
        self.wanted: set[bytes] = set()  # as the client's socket does
        self.up = Pipe(self, self._at_broker)
        self.down = Pipe(self, self._at_client)

    def connect(self) -> None:
        """Try to get to the broker."""
        if self.connected or self.broken or self.closed or self.wire.state == "paused":
            return
        process = self.wire.client.world.broker
        if self.wire.state == "cut" or (process is None and self.wire.state != "wrong"):
            self.break_(self.wire.prompt)
            return
        self.connected = True
        self._tell("reached")
        if self.wire.state == "wrong":
            return
        self.process = process
        assert process is not None
        if self.line == "posts":
            process.posts[self.peer] = self
        elif self.line == "feed":
            process.feeds.append(self)
            # libzmq sends what a new connection subscribes to in byte order.
            for topic in sorted(self.wanted):
                self.up.push(b"\1" + topic)
        self.up.pump()

    def subscribe(self, topic: bytes, on: bool) -> None:
        """The client's socket subscribes: at once if connected, else when it will be."""
        self.wanted.add(topic) if on else self.wanted.discard(topic)
        if self.connected:
            self.up.push((b"\1" if on else b"\0") + topic)

    def publish(self, frame: bytes) -> None:
        """A feed message for this subscriber; a full queue drops it."""
        if self.wire.to_drop > 0:
            self.wire.to_drop -= 1
        else:
            self.down.push(frame)

    def break_(self, prompt: bool, lose: bool = True) -> None:
        """It is gone. ``prompt``: the client is told. ``lose`` False: what has left the broker still arrives."""
        self._leave_broker()
        if lose:
            self.broken = True
        if prompt and not self.closed:
            self.wire.client.world.later(LATENCY, lambda: self._tell("lost"))

    def close(self) -> None:
        """The client closes it; the broker learns of that."""
        self.closed = True
        if not self.connected:
            self.broken = True
        if self.process is not None and self in self.process.feeds:
            self.process.feeds.remove(self)

    def _leave_broker(self) -> None:
        if self.process is not None:
            self.process.posts.pop(self.peer, None)
            if self in self.process.feeds:
                self.process.feeds.remove(self)

    def _at_broker(self, frame: bytes) -> None:
        if self.process is not None:
            self.process.arrived(self, frame)

    def _at_client(self, frame: bytes) -> None:
        process, session, generation = self.client_process, self.client_process.session, self.generation
        take = {"posts": session.replied, "feed": session.heard, "door": session.answered}[self.line]
        process.do(lambda: take(generation, frame, process.world.now))

    def _tell(self, what: str) -> None:
        process = self.client_process
        process.do(lambda: getattr(process.session, what)(self.line, self.generation, process.world.now))


class Wire:
    """What lies between a client and the broker's port for one of the lines; that of posts also leads to the door."""

    def __init__(self, client: "Client", line: str) -> None:
        self.client, self.line = client, line
        self.state = "up"
        self.prompt = True  # a break is told at once; else the session has to find out
        self.delay = 0.0
        self.to_drop = 0  # so many feed messages are lost next, or so many `events` on the posts line
        self.connections: list[Connection] = []

    def open(self, line: str, generation: int, process: "ClientProcess") -> Connection:
        """A new connection."""
        connection = Connection(self, line, generation, process)
        self.connections.append(connection)
        self.client.world.later(LATENCY, connection.connect)
        return connection

    def set(self, state: str, prompt: bool = True) -> None:
        """Change what happens on it."""
        self.state, self.prompt = state, prompt
        if state in ("cut", "wrong"):
            for connection in self.connections:
                connection.break_(prompt)
            self.connections.clear()
        elif state == "up":
            for connection in self.connections:
                connection.connect()
                connection.up.pump()
                connection.down.pump()


# ---- clients -----------------------------------------------------------------------------------------------------


@dataclass
class Disk:
    """The outbox of an identity (chat_client/outbox.py): rows, and which process holds which sender."""

    rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    holders: dict[str, "ClientProcess"] = field(default_factory=dict)
    copied: bool = False

    def copy(self) -> "Disk":
        """A copied profile: nobody holds anything of it."""
        self.copied = True
        return Disk(dict(self.rows), copied=True)

    def adopt(self, process: "ClientProcess") -> list[Row]:
        """The rows of processes that are no more."""
        adopted = []
        for row in self.rows.values():
            holder = self.holders.get(row.sender)
            if holder is None or not holder.alive:
                self.holders[row.sender] = process
                adopted.append(row.sender)
        return [row for row in self.rows.values() if row.sender in adopted]


@dataclass
class Replica:
    """A room as the application has it: the events behind ``base``, but for walls. ``closed``: it was removed."""

    base: int = 0
    events: list[m.Event] = field(default_factory=list)
    behind: int = 0  # a wall was told of that ends behind this number
    closed: bool = False

    def take(self, event: m.Event) -> None:
        """The next event; what it deletes is blank then."""
        assert event.seq == self.have + 1, "a hole, or twice, or anew"
        self.events.append(event)
        for other in self.events:
            if event.kind == "deleted" and other.seq == event.target:
                other.body = Raw(wire.BLANK)

    def wall(self, after: int, first: int) -> None:
        """What lies between is not for this user."""
        assert after == self.have, "a wall somewhere else"
        self.behind = first - 1

    def rewind(self, seq: int) -> None:
        """What was read after ``seq`` never happened."""
        assert seq <= self.have, "rewound to what was never read"
        self.base, self.behind = min(self.base, seq), min(self.behind, seq)
        self.events = [event for event in self.events if event.seq <= seq]

    @property
    def have(self) -> int:
        """How far it reaches."""
        return max(self.base, self.behind, self.events[-1].seq if self.events else 0)

    @property
    def last(self) -> tuple[int, str | None]:
        """The same, with the chain if that is known."""
        if self.events and self.events[-1].seq == self.have:
            return self.have, self.events[-1].chain
        return self.have, START if self.have == 0 else None


class ClientProcess:
    """One run of a client: a session, carried out as chat_client/link.py does it, and what was told to the user."""

    def __init__(self, client: "Client", replicas: dict[str, Replica]) -> None:
        self.client, self.world = client, client.world
        self.name = f"{client.name}.{next(self.world.serials)}"
        # Some watch who is here, as the window does, and some do not.
        self.watches = client.watches
        # Some know the broker from before, and some ask at its door.
        pin = OPEN if self.watches else ""
        self.session = s.Session(
            key_of(client.person), client.person, dice=self.world.dice, watch=self.watches, pin=pin
        )
        self.here: dict[str, str] | None = None
        self.alive = True
        self.welcomed = False
        self.state = "offline"
        self.replicas: dict[str, Replica] = {}
        self.mine: list[str] = []
        self.answers: dict[int, m.Reply | None] = {}
        self._fresh_sender()
        self._mine: list[Row] = []
        self._texts = itertools.count(1)
        self._sockets: dict[str, Connection] = {}
        self._sent: Counter[int] = Counter()
        self._wakes = 0
        self._told = 0.0
        self.do(lambda: self.session.start(self.world.now))
        for room, replica in replicas.items():
            if room in PRIVATE:  # followed when it is known that it is still mine
                self.replicas[room], replica.closed = replica, True
            else:
                self.follow(room, replica)

    # What its user does.

    def post(self, room: str) -> str:
        """Say something that nobody said before; returns the text."""
        text = f"{self.name} {next(self._texts)}"
        row = Row(self._sender, self._next, room, "message", said(text))
        self._next += 1
        self.client.disk.rows[row.sender, row.n] = row
        self.world.posts[text] = Said(self.name, room)
        self._send([row])
        return text

    def ask(self, request: m.Request) -> None:
        """Ask something."""
        token = len(self.answers) + 1
        self.answers[token] = None
        self.do(lambda: self.session.ask(token, request, self.world.now))

    def follow(self, room: str, replica: Replica | None = None) -> None:
        """Read a room from the start, or on from where a replica ends."""
        known = self.replicas.get(room)
        if known is not None and not known.closed:
            return
        self.replicas[room] = replica = replica or known or Replica()
        replica.closed = False
        have, chain = replica.last
        self.do(lambda: self.session.follow(room, have, chain, self.world.now))
        points = [(event.seq, event.chain) for event in replica.events]
        if points:
            self.session.rooms[room].remember(points)

    def unfollow(self, room: str) -> None:
        """Read it no longer."""
        if self.replicas.pop(room, None) is not None:
            self.do(lambda: self.session.unfollow(room))

    def wake_up(self) -> None:
        """The machine slept."""
        self.do(lambda: self.session.reopen(self.world.now))

    def die(self) -> None:
        """Without a word."""
        self.alive = False
        for connection in self._sockets.values():
            connection.close()

    # What the link does.

    def do(self, function: Callable[[], None]) -> None:
        """Have the session do something, and carry out what it wants."""
        if not self.alive:
            return
        function()
        self.session.tick(self.world.now)
        self._carry_out()
        self._schedule()

    def _schedule(self) -> None:
        self._wakes += 1
        wake = self._wakes
        # The link's poll rounds up to the next millisecond.
        at = max(self.session.deadline(self.world.now), self.world.now) + 0.0005
        self.world.at(at, lambda: self.do(lambda: None) if wake == self._wakes else None)

    def _carry_out(self) -> None:
        for effect in self.session.take():
            if isinstance(effect, effects.Send):
                if effect.line == "posts":
                    self._count(effect.payload)
                if effect.line in self._sockets:
                    self._sockets[effect.line].up.push(effect.payload)
            elif isinstance(effect, effects.Subscribe):
                if "feed" in self._sockets:
                    self._sockets["feed"].subscribe(wire.topic_filter(effect.topic), effect.on)
            elif isinstance(effect, effects.Open):
                assert effect.line not in self._sockets, "opened twice"
                assert (effect.port == FEED_PORT) == (effect.line == "feed")
                wire_ = self.client.wires["feed" if effect.line == "feed" else "posts"]
                self._sockets[effect.line] = wire_.open(effect.line, effect.generation, self)
            elif isinstance(effect, effects.Close):
                self._sockets.pop(effect.line).close()
            elif isinstance(effect, Settled | Renumber):
                # The outbox belongs to another thread, which may be behind; what it is told stays in order.
                self._told = max(self._told, self.world.now + self.world.outbox_seconds)
                self.world.at(self._told, lambda news=effect: self._news(news) if self.alive else None)
            else:
                self._news(effect)

    def _count(self, payload: bytes) -> None:
        if not isinstance(wire.decode_request(payload), m.Post):
            second = int(self.world.now)
            self._sent[second] += 1
            assert self._sent[second] < CALM, f"{self.name} raises a storm: {payload!r}"

    # What the application does.

    def _news(self, news: effects.Effect) -> None:
        if isinstance(news, effects.Welcomed):
            self.mine = [room.id for room in news.welcome.rooms]
            self._enter()
            if not self.welcomed:
                self.welcomed = True
                # What an earlier process left was said before what this one says.
                rows = self.client.disk.adopt(self)
                mine, self._mine = self._mine, []
                self._send([row for row in rows if row not in mine] + mine)
        elif isinstance(news, Settled):
            self._settled(news)
        elif isinstance(news, Renumber):
            self._renumber(news.sender, news.first)
        elif isinstance(news, effects.Arrived):
            assert news.events, "nothing arrived"
            for event in news.events:
                self.replicas[news.room].take(event)
        elif isinstance(news, effects.Walled):
            self.replicas[news.room].wall(news.after, news.first)
        elif isinstance(news, effects.Removed):
            self.replicas[news.room].closed = True
        elif isinstance(news, effects.MyRooms):
            self.mine = news.rooms
            self._enter()
        elif isinstance(news, effects.Rewound):
            self.replicas[news.room].rewind(news.seq)
        elif isinstance(news, effects.Answered):
            assert self.answers[news.token] is None, "answered twice"
            self.answers[news.token] = news.reply
            if isinstance(news.reply, m.Joined) and news.reply.room.id in PRIVATE:
                self.mine = [*self.mine, news.reply.room.id]
                self._enter()
        elif isinstance(news, effects.Status):
            self.state = news.state
        elif isinstance(news, effects.Met):
            self.do(lambda: self.session.trust(OPEN, self.world.now))
        elif isinstance(news, effects.People):
            self.here = dict(news.here)
        elif isinstance(news, effects.Moved):
            self._moved(news)
        else:
            assert not isinstance(news, effects.TurnedAway), news

    def _enter(self) -> None:
        """Follow the private rooms that are mine."""
        for room in PRIVATE & set(self.mine):
            # The application's thread, which is behind.
            self.world.later(0.0, lambda room=room: self.follow(room) if room in self.mine else None)

    def _moved(self, news: effects.Moved) -> None:
        assert self.here is not None, "somebody moved before it was told who is here"
        assert news.came or news.went, "nobody moved"
        for user, name in news.came:
            assert user not in self.here, f"{name} came twice"
            self.here[user] = name
        for user, name in news.went:
            assert self.here.pop(user) == name

    def _settled(self, news: Settled) -> None:
        self.client.disk.rows.pop((news.row.sender, news.row.n), None)
        text = wire.decode(news.row.body, m.Message).text
        self.world.posts[text].fates.append(news.reply)

    def _renumber(self, sender: str, first: int) -> None:
        self._fresh_sender()
        renewed = []
        rows = [row for row in self.client.disk.rows.values() if row.sender == sender and row.n >= first]
        for row in sorted(rows, key=lambda row: row.n):
            self.client.disk.rows.pop((row.sender, row.n), None)
            new = Row(self._sender, self._next, row.room, row.kind, row.body)
            self._next += 1
            self.client.disk.rows[new.sender, new.n] = new
            renewed.append(new)
        self._send(renewed)

    def _fresh_sender(self) -> None:
        self._sender, self._next = f"{self.world.dice.getrandbits(64):016x}", 1
        self.client.disk.holders[self._sender] = self

    def _send(self, rows: list[Row]) -> None:
        if not self.welcomed:
            self._mine += rows
        else:
            # The application's thread: the session hears of it when it is done with what it was told.
            self.world.later(0.0, lambda: self.do(lambda: self.session.post(rows, self.world.now)))


class Client:
    """A place where a client runs: a disk, two wires, and its process, one after the other."""

    def __init__(self, world: "World", name: str, person: str, disk: Disk | None = None) -> None:
        self.world, self.name, self.person = world, name, person
        self.disk = disk or Disk()
        self.watches = len(world.clients) % 2 == 0
        self.wires = {line: Wire(self, line) for line in ("posts", "feed")}
        self.process = ClientProcess(self, {})

    def crash(self) -> None:
        """The process is killed."""
        self.process.die()

    def restart(self, keep_replicas: bool = True) -> None:
        """Another process on the same disk."""
        self.process.die()
        self.process = ClientProcess(self, dict(self.process.replicas) if keep_replicas else {})


@dataclass
class Said:
    """A post that was stored in an outbox: who said it, and what its user was told of it."""

    process: str
    room: str
    fates: list[m.Posted | m.Refused] = field(default_factory=list)


# ---- the world ---------------------------------------------------------------------------------------------------


class World:
    """Everything there is. ``now`` is in seconds and moves only in `run`."""

    def __init__(self, clients: int = 3, seed: int = 0) -> None:
        self.now = 1000.0
        self.dice = random.Random(seed)
        self.serials = itertools.count(1)
        self.reader_seconds = 0.001
        self.outbox_seconds = 0.0
        self.posts: dict[str, Said] = {}  # by text
        self.erased: set[str] = set()  # texts that a rolled back store no longer has
        self.rolled_back = False
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self.store = Store("e0")
        self.broker: Process | None = None
        self.start_broker()
        self.clients: list[Client] = []
        for number in range(clients):
            self.add_client(f"c{number}")

    # Time.

    def at(self, time: float, function: Callable[[], None]) -> None:
        """Have something happen at a moment."""
        heapq.heappush(self._events, (max(time, self.now), next(self._count), function))

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Have something happen after so long."""
        self.at(self.now + seconds, function)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, function = heapq.heappop(self._events)
            function()
        self.now = end

    # The broker.

    def start_broker(self) -> None:
        """Run a broker on what is on disk, unless one runs."""
        if self.broker is None:
            self.broker = Process(self, self.store, f"b{next(self.serials)}")

    def crash_broker(self, lose: bool = True, prompt: bool = True) -> None:
        """Kill it. ``lose`` False: what it had sent still arrives. ``prompt`` False: nobody is told."""
        process, self.broker = self.broker, None
        if process is None:
            return
        process.alive = False
        for client in self.clients:
            for wire_ in client.wires.values():
                for connection in wire_.connections:
                    if connection.process is process:
                        connection.break_(prompt and wire_.state == "up", lose)

    def roll_back(self, batches: int, new_epoch: bool, lose: bool = True) -> None:
        """Crash, and put back the store as it was so many batches ago; nobody runs afterwards."""
        self.crash_broker(lose)
        before = set(self.store.texts()) | self.store.deleted
        epoch = f"e{next(self.serials)}" if new_epoch else self.store.epoch
        self.store = self.store.rolled_back(max(1, len(self.store.batches) - batches), epoch)
        self.erased |= before - set(self.store.texts())
        self.rolled_back = True

    # Clients.

    def add_client(self, person: str, disk: Disk | None = None) -> Client:
        """Run another client: with a ``disk``, on one that is used by another, or a copy of it."""
        client = Client(self, f"{person}#{len(self.clients)}", person, disk)
        self.clients.append(client)
        return client

    # The end.

    def heal(self) -> None:
        """Everything works again, and everybody runs."""
        self.reader_seconds = 0.001
        self.outbox_seconds = 0.0
        self.store.failing = False
        self.start_broker()
        assert self.broker is not None
        self.broker.dies_after_commit = False
        for client in self.clients:
            for wire_ in client.wires.values():
                wire_.delay, wire_.to_drop = 0.0, 0
                wire_.set("up")
            if not client.process.alive:
                client.restart()

    def settle(self, seconds: float = 60.0) -> None:
        """Heal, and wait until all is as it should be; then check that it stays so."""
        self.heal()
        end = self.now + seconds
        self.run(9.0)  # by then every break was noticed
        while self.unsettled():
            assert self.now < end, self.dump()
            self.run(0.5)
        self.run(5.0)
        assert not self.unsettled(), self.dump()

    def unsettled(self) -> list[str]:
        """What is not as it should be when all works: a sentence for each."""
        found = []
        for client in self.clients:
            process = client.process
            if process.state != "live":
                found.append(f"{process.name} is {process.state}")
            if client.disk.rows:
                found.append(f"{process.name} has unsent rows {list(client.disk.rows)}")
            if any(answer is None for answer in process.answers.values()):
                found.append(f"{process.name} waits for an answer")
            watches = process.watches and not process.session.off_feed.closed  # guests are not told who is here
            if watches and self.broker is not None and process.here != (here := self.broker.here()):
                found.append(f"{process.name} sees {process.here}, and {here} are here")
            for room, replica in process.replicas.items():
                log = self.store.log(room)
                if room in PRIVATE:
                    found += self._unsettled_private(client, room, replica)
                elif replica.base > len(log) or replica.events != log[replica.base :]:
                    had = [event.seq for event in replica.events]
                    found.append(f"{process.name} has {had} of {room}, behind {replica.base}, and not 1..{len(log)}")
        return found

    def _unsettled_private(self, client: Client, room: str, replica: Replica) -> list[str]:
        assert self.broker is not None
        inside, spans = self.broker.readable(client.person, room)
        log = [event for event in self.store.log(room) if event.seq > replica.base and reach.has(spans, event.seq)]
        name, had = client.process.name, [event.seq for event in replica.events]
        if not inside:
            # What it has it may keep; it must not be more than it ever might read, as far as the log remembers.
            leaked = set(had) - {event.seq for event in log} if not self.rolled_back else set()
            return [f"{name} has {sorted(leaked)} of {room}, which it could never read"] if leaked else []
        mine = replica.events
        if self.rolled_back:
            # A backup from before a deletion has the text again; the copy, which is of the same history, need not.
            blank = {event.seq: event.body for event in mine if bytes(event.body) == wire.BLANK}
            log = [structs.replace(event, body=blank.get(event.seq, event.body)) for event in log]
        # Of what was deleted behind a wall nobody told.
        heard = {event.target for event in log if event.kind == "deleted"}
        texts = {event.seq: event.body for event in mine if event.seq not in heard}
        log = [
            structs.replace(event, body=texts.get(event.seq, event.body)) if bytes(event.body) == wire.BLANK else event
            for event in log
        ]
        if replica.closed or mine != log:
            return [f"{name} has {had} of {room}, closed {replica.closed}, and not {[event.seq for event in log]}"]
        return []

    def _deleted(self) -> set[tuple[str, int]]:
        """What was deleted, in the very batch that it came with perhaps."""
        logs = (event for room in PRIVATE for event in self.store.log(room))
        return {(event.room, event.target) for event in logs if event.kind == "deleted"}

    def check(self) -> None:
        """The promises about posts. To be called when all is settled."""
        count = Counter(self.store.texts())
        # A post whose number the broker forgot is numbered anew, by each copy of the outbox that still has it.
        copied = self.rolled_back and any(client.disk.copied for client in self.clients)
        for text, said_ in self.posts.items():
            assert said_.fates, f"{text!r} was lost silently"
            assert copied or count[text] <= 1, f"{text!r} is there {count[text]} times"
            places = {(fate.room, fate.seq) for fate in said_.fates if isinstance(fate, m.Posted)}
            if places and not places & self._deleted():
                known = count[text] >= 1 or text in self.erased or text in self.store.deleted
                assert known, f"{text!r} was acknowledged and is gone"
        for room in self.store.events if not copied else ():
            last: Counter[str] = Counter()
            for event in self.store.log(room):
                if event.kind == "message" and bytes(event.body) != wire.BLANK:
                    process, _, number = wire.decode(event.body, m.Message).text.partition(" ")
                    assert int(number) > last[process], f"{process} said {number} before {last[process]}"
                    last[process] = int(number)

    def dump(self) -> str:
        """Where everything stands, for people."""
        lines = [f"at {self.now:.3f}:", *self.unsettled()]
        for client in self.clients:
            session = client.process.session
            lines.append(
                f"{client.process.name}: accepted {session.accepted}, posts {session.posts}, feed {session.feed}, "
                f"barrier {session.barrier}"
            )
            for following in session.rooms.values():
                lines.append(
                    f"  {following.room}: have {following.have}, told {following.told}, "
                    f"forking {following.forking}, waiting {sorted(following.waiting)}, gap {following.gap()}"
                )
            lines.append(f"  rows {list(session.flight.rows)}, deadline in {session.deadline(self.now) - self.now:.3f}")
        lines += [f"{room}: {len(events)} events" for room, events in self.store.events.items()]
        return "\n".join(lines)
