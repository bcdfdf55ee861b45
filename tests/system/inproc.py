"""Brokers and clients for tests. `Bench`: a broker and its clients in one thread over inproc; the test turns the crank,
and time passes by turns. `Served`: a broker in a thread of its own on free ports of this machine.

Everything is what the programs run, but for the clock and the reader's thread.
"""

import contextlib
import queue
import random
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import zmq
from msgspec import Raw

from chat_broker.admission import Admission
from chat_broker.hub import Hub
from chat_broker.serving.keyfiles import open_keyring
from chat_broker.serving.loop import Loop
from chat_broker.serving.reader import InlineReader, Reader
from chat_broker.serving.sockets import Sockets, open_sockets
from chat_broker.serving.waker import Waker
from chat_broker.serving.zap import Gatekeeper
from chat_broker.settings import LimitSettings, Settings, TimingSettings
from chat_broker.store import LogReader, Store
from chat_broker.tables import Tables
from chat_broker.turn import Facts, ReadJob
from chat_client import effects
from chat_client import session as s
from chat_client.flight import Renumber, Row, Settled
from chat_client.link import Link
from chat_client.meeting import OPEN
from chat_core import PROTOCOL_VERSIONS, wire
from chat_core import messages as m
from chat_core.address import Address

START_TIME = 1_700_000_000.0  # seconds since 1970
# So much time passes in a turn; in the turns of `Bench.pass_seconds`, so much.
TURN_SECONDS, LONG_TURN_SECONDS = 0.01, 0.1
TURNS = 3000
# Until a thread or a socket has done what it was asked: only a broken test waits so long.
PATIENCE_SECONDS = 10.0

NAME = "bench"
T = TypeVar("T", bound=m.Reply)


def message(text: str) -> bytes:
    """The body of a message."""
    return wire.encode(m.Message(text))


def text_of(event: m.Event) -> str:
    """What a message says."""
    return wire.decode(event.body, m.Message).text


def texts(events: list[m.Event]) -> list[str]:
    """What the messages among the events say."""
    return [text_of(event) for event in events if event.kind == "message"]


def log_of(path: Path, room: str) -> list[m.Event]:
    """The whole log of a room, from the disk."""
    reader = LogReader(path)
    events: list[m.Event] = []
    try:
        while page := reader.page(room, len(events), 2**53 - 1):
            events += [wire.decode_event(event) for event in page]
    finally:
        reader.close()
    return events


def _start(
    store: Store,
    sockets: Sockets,
    reader: Reader | InlineReader,
    waker: Waker,
    settings: Settings,
    clocks: "Clock | None" = None,
    gate: Gatekeeper | None = None,
    key: str = "",
) -> tuple[Hub, Loop]:
    """What chat_broker.serving.process does between opening and serving."""
    tables = Tables()
    commit, last = store.load(tables)
    facts = Facts(store.home, secrets.token_hex(8), store.epoch, "test", sockets.ports[1])
    hub = Hub(tables, store, facts, commit, last)
    turn = hub.begin(int(START_TIME * 1000), 0.0)
    hub.open_lobby(turn)
    if turn.batch:
        store.commit(turn.batch)
    hub.finish(turn)
    if gate is not None:
        gate.admission.refresh(tables, turn.time)
    posts, feed, _ = sockets.ports
    security = "curve" if key else "open"
    about = m.Answer(0, "test", list(PROTOCOL_VERSIONS), security, posts, feed, store.home, key)
    if clocks is None:
        return hub, Loop(hub, store, reader, sockets, settings, about, waker, gate=gate)
    return hub, Loop(hub, store, reader, sockets, settings, about, waker, clocks.wall, clocks.mono)


# ---- all in one thread -----------------------------------------------------------------------------------------


class Clock:
    """Time that passes when it is told to, for everybody on the bench."""

    def __init__(self) -> None:
        self.now = 1000.0

    def mono(self) -> float:
        return self.now

    def wall(self) -> float:
        return START_TIME + self.now


class NotingReader(InlineReader):
    """Notes what was read."""

    def __init__(self, path: Path, epoch: str) -> None:
        super().__init__(path, epoch)
        self.jobs: list[ReadJob] = []

    def ask(self, job: ReadJob) -> None:
        self.jobs.append(job)
        super().ask(job)


class Seat:
    """A client on the bench: a session, its link, and what they delivered."""

    def __init__(self, bench: "Bench", name: str, number: int) -> None:
        self.name, self._bench = name, bench
        self.sender, self._n, self._tokens = f"{number:016x}", 0, 0
        self.arrived: dict[str, list[m.Event]] = defaultdict(list)
        self.settled: list[Settled] = []
        self.renumbered: list[Renumber] = []
        self.answers: dict[int, m.Reply] = {}
        self.welcomes: list[m.Welcome] = []
        self.rewound: list[effects.Rewound] = []
        self.turned_away: list[m.Refused] = []
        self.state = "offline"
        key = zmq.curve_keypair()[0].decode()
        self.session = s.Session(key, name, dice=random.Random(number), pin=OPEN)
        self.link = Link(
            self.session,
            Address(NAME, 0, scheme="inproc"),
            self._take,
            bench.context,
            bench.clock.mono,
            bench.clock.wall,
        )
        self.session.start(bench.clock.now)

    def follow(self, *rooms: str) -> None:
        """Read rooms from their first event on."""

        def follow(session: s.Session, now: float) -> None:
            for room in rooms:
                session.follow(room, now=now)

        self.link.call(follow)

    def say(self, room: str, *said: str) -> list[Row]:
        """Post messages."""
        rows = []
        for text in said:
            self._n += 1
            rows.append(Row(self.sender, self._n, room, "message", message(text)))
        self.link.call(lambda session, now: session.post(rows, now))
        return rows

    def ask(self, request: m.Request) -> m.Reply:
        """Ask, and turn the crank until it is answered."""
        token = self.begin(request)
        self._bench.settle_until(lambda: token in self.answers)
        return self.answers[token]

    def begin(self, request: m.Request) -> int:
        """Ask; returns the token under which the answer will be among the answers."""
        self._tokens += 1
        token = self._tokens
        self.link.call(lambda session, now: session.ask(token, request, now))
        return token

    @contextlib.contextmanager
    def deaf(self, *topics: str) -> Iterator[None]:
        """What is published under these topics is lost on its way here, as where a queue is full."""
        feed = self.link._sockets["feed"][1]
        for topic in topics:
            feed.setsockopt(zmq.UNSUBSCRIBE, wire.topic_filter(topic))
        self._bench.turn()
        yield
        for topic in topics if not feed.closed else ():
            feed.setsockopt(zmq.SUBSCRIBE, wire.topic_filter(topic))

    def heard(self, room: str) -> list[str]:
        """The messages of a room that arrived."""
        return texts(self.arrived[room])

    def state_of_things(self) -> str:
        """For people who have to find out why a test failed."""
        rooms = {name: f"has {room.have} of {room.told}" for name, room in self.session.rooms.items()}
        lines = f"posts {self.session.posts}, feed {self.session.feed}, barrier {self.session.barrier}"
        posts = f"{len(self.session.flight)} posts unsettled, {len(self.settled)} settled"
        return f"{self.name}: {self.state}, rooms {rooms}, {posts}\n    {lines}"

    def _take(self, effect: effects.Effect) -> None:
        if isinstance(effect, effects.Arrived):
            self.arrived[effect.room] += effect.events
        elif isinstance(effect, Settled):
            self.settled.append(effect)
        elif isinstance(effect, Renumber):
            self.renumbered.append(effect)
        elif isinstance(effect, effects.Answered):
            self.answers[effect.token] = effect.reply
        elif isinstance(effect, effects.Welcomed):
            self.welcomes.append(effect.welcome)
        elif isinstance(effect, effects.Rewound):
            self.rewound.append(effect)
        elif isinstance(effect, effects.TurnedAway):
            self.turned_away.append(effect.reply)
        elif isinstance(effect, effects.Status):
            self.state = effect.state


class Plain:
    """A bare DEALER, for what no client of ours would send."""

    def __init__(self, bench: "Bench", place: int, routing_id: bytes = b"") -> None:
        self._bench = bench
        self._socket: zmq.Socket[bytes] = bench.socket(zmq.DEALER)
        if routing_id:
            self._socket.setsockopt(zmq.ROUTING_ID, routing_id)
        self._socket.connect(f"inproc://{NAME}-{place}")

    def send(self, *frames: bytes) -> None:
        self._socket.send_multipart(frames)

    def replies(self) -> list[bytes]:
        """What has come."""
        found = []
        with contextlib.suppress(zmq.Again):
            while True:
                found.append(self._socket.recv(zmq.DONTWAIT))
        return found

    def reply_to(self, *frames: bytes) -> Any:
        """Send a request; its reply, decoded. More than one is an error."""
        self.send(*frames)
        self._bench.settle_until(lambda: self._socket.poll(0))
        self._bench.turn(3)
        (reply,) = self.replies()
        return wire.decode_reply(reply)

    def hello(self, name: str) -> m.Welcome:
        """Be let in."""
        key = zmq.curve_keypair()[0].decode()
        welcome = self.reply_to(wire.encode(m.Hello(1, name=name, key=key)))
        assert isinstance(welcome, m.Welcome)
        return welcome


class Bench:
    """A broker and clients in one thread. `open` and `close` the broker as often as needed; its data stays."""

    def __init__(self, folder: Path, limits: LimitSettings | None = None) -> None:
        self.folder = folder
        self.settings = Settings(timing=TimingSettings(linger_ms=0.0), limits=limits or LimitSettings())
        self.clock = Clock()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.seats: list[Seat] = []
        self.path = folder / "chat.db"
        self._sockets: list[zmq.Socket[bytes]] = []
        self._broker: contextlib.ExitStack | None = None
        self.open_broker()

    def open_broker(self) -> None:
        """Start a broker on the data."""
        with contextlib.ExitStack() as stack:
            self.store = Store(self.folder)
            stack.callback(self.store.close)
            waker = Waker()
            stack.callback(waker.close)
            sockets = open_sockets(self.context, f"inproc://{NAME}", 0, self.settings.limits, 0.0)
            stack.callback(sockets.close)
            for place, socket in enumerate((sockets.posts, sockets.feed, sockets.door)):
                # Closing happens in libzmq's own thread: without this the name might not be free yet.
                stack.callback(socket.unbind, f"inproc://{NAME}-{place}")
            self.reader = NotingReader(self.store.path, self.store.epoch)
            stack.callback(self.reader.stop)
            self.hub, self.loop = _start(self.store, sockets, self.reader, waker, self.settings, self.clock)
            self._broker = stack.pop_all()

    def close_broker(self) -> None:
        """Stop the broker, without a word to anybody."""
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def close(self) -> None:
        """Close everything."""
        for seat in self.seats:
            seat.link.stop()
        for socket in self._sockets:
            socket.close(0)
        self.close_broker()
        self.context.term()

    def seat(self, name: str, *rooms: str) -> Seat:
        """A client that looks for the broker and follows rooms."""
        seat = Seat(self, name, len(self.seats) + 1)
        self.seats.append(seat)
        seat.follow(*rooms)
        return seat

    def join(self, name: str, *rooms: str) -> Seat:
        """A client that is let in and has everything."""
        seat = self.seat(name, *rooms)
        self.settle_until(lambda: seat.state == "live")
        return seat

    def socket(self, kind: int) -> "zmq.Socket[bytes]":
        """A bare socket, closed with the bench."""
        socket: zmq.Socket[bytes] = self.context.socket(kind)
        self._sockets.append(socket)
        return socket

    def plain(self, place: int = 0, routing_id: bytes = b"") -> Plain:
        """A bare DEALER at the posts socket, or at the door (2); ``routing_id``: one of its own choice."""
        return Plain(self, place, routing_id)

    def turn(self, turns: int = 1, seconds: float = TURN_SECONDS) -> None:
        """Let everybody do what there is to do, so often; so much time passes each time."""
        for _ in range(turns):
            self.clock.now += seconds
            if self._broker is not None:
                self.loop.step(0.0)
            for seat in self.seats:
                seat.link.step(0.0)

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass while everybody works."""
        self.turn(round(seconds / LONG_TURN_SECONDS), LONG_TURN_SECONDS)

    def settle_until(self, condition: Callable[[], object], turns: int = TURNS) -> None:
        """Turn the crank until the condition holds; the test fails if it does not within so many turns."""
        for _ in range(turns):
            if condition():
                return
            self.turn()
        pytest.fail(f"not so after {turns} turns:\n{self.state_of_things()}")

    def log(self, room: str) -> list[m.Event]:
        """The room's log, from the disk."""
        return log_of(self.path, room)

    def state_of_things(self) -> str:
        """For people who have to find out why a test failed."""
        heads = {room: head.seq for room, head in self.hub.tables.heads.items()}
        kinds = Counter(event.kind for room in heads for event in self.log(room))
        lines = [f"broker: {'up' if self._broker else 'down'} at {self.clock.now:.2f} s, heads {heads}, {dict(kinds)}"]
        lines += [f"    {len(self.hub.desk.connections)} connections, {len(self.reader.jobs)} reads"]
        return "\n".join(lines + [seat.state_of_things() for seat in self.seats])


@contextlib.contextmanager
def bench_in(folder: Path, limits: LimitSettings | None = None) -> Iterator[Bench]:
    """A bench, closed at the end whatever happens."""
    bench = Bench(folder, limits)
    try:
        yield bench
    finally:
        bench.close()


# ---- a thread and TCP ------------------------------------------------------------------------------------------


class Served:
    """A broker on this machine's loopback, in a thread of its own; what breaks in there breaks `close`."""

    def __init__(self, folder: Path, port: int = 0, encrypted: bool = True) -> None:
        self.path = folder / "chat.db"
        self.keyring = open_keyring(folder, encrypted)
        self._folder, self._wanted = folder, port
        self._told: queue.Queue[tuple[Loop, Sockets] | BaseException] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="broker")
        self._thread.start()
        told = self._told.get(timeout=PATIENCE_SECONDS)
        if isinstance(told, BaseException):
            raise told
        self._loop, self.sockets = told
        self.port = self.sockets.ports[0]

    @property
    def key(self) -> str:
        """Its public key, "" if it does not encrypt."""
        return self.keyring.broker.public if self.keyring.encrypted else ""

    @property
    def address(self) -> Address:
        """Where it is, as its join string says it."""
        return Address("127.0.0.1", self.port, key=self.key)

    def log(self, room: str) -> list[m.Event]:
        """The room's log, from the disk."""
        return log_of(self.path, room)

    def close(self) -> None:
        """Stop; what was taken in is answered."""
        self._loop.stop()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the broker's thread does not end"
        with contextlib.suppress(queue.Empty):
            told = self._told.get_nowait()
            if isinstance(told, BaseException):
                raise told

    def _run(self) -> None:
        # A database connection belongs to the thread that made it; so does everything else here.
        try:
            with contextlib.ExitStack() as stack:
                store = Store(self._folder)
                stack.callback(store.close)
                waker = Waker()
                stack.callback(waker.close)
                context: zmq.Context[Any] = zmq.Context()
                stack.callback(context.term)
                settings = Settings()
                gate = Gatekeeper(
                    context, Admission(self.keyring.encrypted, self.keyring.admin.public, 0.0, 1), waker.wake
                )
                stack.callback(gate.stop)
                sockets = open_sockets(
                    context, "127.0.0.1", self._wanted, settings.limits, PATIENCE_SECONDS, self.keyring
                )
                stack.callback(sockets.close, 500)
                reader = Reader(store.path, store.epoch, waker.wake)
                stack.callback(reader.stop)
                _, loop = _start(store, sockets, reader, waker, settings, gate=gate, key=self.key)
                self._told.put((loop, sockets))
                loop.run()
        except BaseException as problem:
            self._told.put(problem)


@contextlib.contextmanager
def served(folder: Path, port: int = 0, encrypted: bool = True) -> Iterator[Served]:
    """A broker on the loopback, stopped at the end whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Served(folder, port, encrypted)
    try:
        yield broker
    finally:
        broker.close()


def post(text: str, room: str = "lobby", number: int = 1) -> bytes:
    """A post without sender and number, as a simple bot would send it."""
    return wire.encode(m.Post(number, room, body=Raw(message(text))))
