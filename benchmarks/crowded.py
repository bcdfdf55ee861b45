"""1,000 clients: until all are in and have heard the first message; then what they cost while nothing is said."""

import contextlib
import select
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.audience import PATIENCE_SECONDS
from benchmarks.crowd import Crowd
from benchmarks.figures import Figure
from benchmarks.meters import Meter, resident_bytes
from benchmarks.newcomer import ROOM, Newcomer
from benchmarks.scale import Scale
from benchmarks.servers import Broker, Forwarder, hello
from benchmarks.zmtp import Peer

CLIENTS = 1000
ARRIVAL_SECONDS = {"open": 1.0, "curve": 2.5}
REST_PERCENT, REST_SECONDS = 5.0, 10
CLIENT_KB, BASE_BYTES = 60.0, 40e6
FEED_MESSAGES = 600


class Host:
    """Who makes the room and says the first message."""

    def __init__(self, broker: Broker) -> None:
        self._peer = broker.connect(broker.posts, "DEALER", 0, [hello(0)]).opened()
        self._ask(f'{{"type":"create","id":2,"room":"{ROOM}"}}'.encode(), b'"created"')

    def say(self) -> None:
        """Something that all are to hear."""
        self._ask(f'{{"type":"post","id":3,"room":"{ROOM}","body":{{"text":"Welcome!"}}}}'.encode(), b'"posted"')

    def close(self) -> None:
        """Go."""
        self._peer.close()

    def _ask(self, request: bytes, answer: bytes) -> None:
        self._peer.send(request)
        while not any(answer in message for message in self._peer.receive()):
            pass


@contextlib.contextmanager
def hosted(security: str = "open") -> Iterator[tuple[Broker, Host]]:
    """A broker with a room, and who made it."""
    with contextlib.ExitStack() as stack:
        broker = Broker(Path(stack.enter_context(tempfile.TemporaryDirectory())), security)
        stack.callback(broker.close)
        host = Host(broker)
        stack.callback(host.close)
        yield broker, host


def arrive(security: str, scale: Scale) -> list[Figure]:
    """A fresh broker in each round."""
    spent = []
    for _ in range(scale.rounds):
        with hosted(security) as (broker, host), contextlib.closing(Queue(broker)) as queue:
            with Meter(broker.pid) as one:
                queue.come(host)
            spent.append(one)
    return [
        Figure("first connect to message at the last", "s", [one.wall for one in spent], ARRIVAL_SECONDS[security]),
        Figure("CPU for a client", "µs", [one.cpu / CLIENTS * 1e6 for one in spent]),
        Figure("the clients' own CPU, all of them", "s", [one.own for one in spent]),
    ]


class Queue:
    """A thousand newcomers, all at once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._poll = select.epoll()
        self._takers: dict[int, tuple[Peer, Callable[[bytes, float], None]]] = {}
        self._newcomers: list[Newcomer] = []

    def come(self, host: Host) -> None:
        """All come in; the host says something once the last one is live; returns when all have heard it."""
        while len(self._newcomers) < CLIENTS:
            self._newcomers.append(Newcomer(self._broker, len(self._newcomers), self._watch))
            if len(self._newcomers) % 10 == 0:
                self._turn(0.0)
        self._until(lambda one: one.live)
        host.say()
        self._until(lambda one: one.heard)

    def close(self) -> None:
        """All go."""
        for newcomer in self._newcomers:
            newcomer.close()
        self._poll.close()

    def _until(self, done: Callable[[Newcomer], bool]) -> None:
        waiting, deadline = self._newcomers, time.monotonic() + PATIENCE_SECONDS
        while waiting := [one for one in waiting if not done(one)]:
            assert time.monotonic() < deadline, f"{len(waiting)} still wait"
            self._turn(0.002)

    def _turn(self, seconds: float) -> None:
        for number, _ in self._poll.poll(seconds):
            peer, take = self._takers[number]
            for message in peer.receive():
                take(message, time.monotonic())
        now = time.monotonic()
        for newcomer in self._newcomers:
            if newcomer.due <= now:
                newcomer.ask_marker(now)

    def _watch(self, peer: Peer, take: Callable[[bytes, float], None]) -> None:
        self._takers[peer.fileno()] = peer, take
        self._poll.register(peer, select.EPOLLIN)


def rest(scale: Scale) -> list[Figure]:
    """One broker, several stretches of rest."""
    seconds = scale.of(REST_SECONDS)
    with hosted() as (broker, host), contextlib.closing(Crowd(broker.posts, CLIENTS)) as crowd:
        crowd.come()
        host.say()
        assert crowd.run(lambda: all(guest.messages == 1 for guest in crowd.guests)), "not all heard the message"
        crowd.run(lambda: False, seconds=5)  # presence and the pings of those who came in together calm down
        percent = []
        for _ in range(scale.rounds):
            with Meter(broker.pid) as spent:
                crowd.run(lambda: False, seconds)
            percent.append(spent.cpu / spent.wall * 100)
        memory = resident_bytes(broker.pid)
    return [
        Figure(f"{CLIENTS:,} clients at rest", "% of a core", percent, REST_PERCENT),
        Figure("memory", "MB", [memory / 1e6], bare=[forwarder_bytes() / 1e6]),
        Figure("memory for a client, beyond 40 MB", "kB", [(memory - BASE_BYTES) / CLIENTS / 1e3], CLIENT_KB),
    ]


def forwarder_bytes() -> int:
    """What the bare forwarder needs for as many connections once each feed has carried some hundred messages: libzmq's
    queues take their memory as they are first gone through, 32 KiB each."""
    with contextlib.ExitStack() as stack:
        forwarder = Forwarder()
        stack.callback(forwarder.close)
        posts = [Peer(forwarder.posts, "DEALER").opened() for _ in range(CLIENTS)]
        feeds = [Peer(forwarder.feed, "SUB", [b"\x01"]).opened() for _ in range(CLIENTS)]
        for peer in (*posts, *feeds):
            stack.callback(peer.close)
        for number in range(FEED_MESSAGES):
            posts[0].send(b"%d" % number)
            for peer in feeds:
                peer.receive()
        return resident_bytes(forwarder.pid)
