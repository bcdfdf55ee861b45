"""A TCP proxy between one client and its broker, for bad weather: each line and each direction on its own.

    with Proxy("127.0.0.2", broker.port) as proxy:
        proxy.feed.cut()
        ...
        proxy.feed.mend()

It listens on a loopback address of its own, on the broker's port numbers; so the feed's port that the broker tells
leads to the proxy as well. One thread of its own does all the work; the methods of a line may be called from any.
"""

import contextlib
import queue
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from chat_core.address import Address

CHUNK = 65536
# So much is held back in the proxy; more waits in the sender's kernel, which then sends no more.
HELD = 256 * 1024
# As often it is looked what is due, while anything is held back.
TICK_SECONDS = 0.005


@dataclass
class Weather:
    """What becomes of the bytes of one direction."""

    paused: bool = False  # held back, and delivered later
    lost: bool = False  # swallowed: the other end's machine is gone, and nobody says so
    delay: float = 0.0  # seconds
    rate: float = 0.0  # bytes a second; 0: as many as come


@dataclass(eq=False)
class Pipe:
    """One direction of one connection."""

    source: socket.socket
    sink: socket.socket
    weather: Weather
    held: deque[tuple[float, bytes]] = field(default_factory=deque)  # (due, bytes)
    ended: bool = False
    free: float = 0.0  # when the throttle lets the next bytes through

    def size(self) -> int:
        """How much is held back."""
        return sum(len(chunk) for _, chunk in self.held)

    def read(self, now: float) -> None:
        """Take what has come. Raises OSError if the connection broke."""
        chunk = self.source.recv(CHUNK)
        self.ended = not chunk
        if chunk and not self.weather.lost:
            self.held.append((now + self.weather.delay, chunk))

    def write(self, now: float) -> None:
        """Deliver what is due. Raises OSError if the connection broke."""
        while self.held and self.held[0][0] <= now and self.free <= now and not self.weather.paused:
            due, chunk = self.held.popleft()
            portion = chunk[: max(1, int(self.weather.rate * 4 * TICK_SECONDS))] if self.weather.rate else chunk
            try:
                sent = self.sink.send(portion)
            except BlockingIOError:
                sent = 0
            if sent < len(chunk):
                self.held.appendleft((due, chunk[sent:]))
            if self.weather.rate:
                self.free = now + sent / self.weather.rate
            if sent < len(portion):
                return


class Line:
    """One port of the broker, through the proxy. ``up``: from the client to the broker; ``down``: back."""

    def __init__(self, proxy: "Proxy", host: str, target: tuple[str, int]) -> None:
        self._proxy, self._address, self.target = proxy, (host, target[1]), target
        self.broker = target
        self.up, self.down = Weather(), Weather()
        self.connections: list[tuple[Pipe, Pipe]] = []
        self.listener: socket.socket | None = None
        self.listen()

    def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        self._proxy.call(lambda: (self.deafen(), self.drop()))

    def divert(self, target: tuple[str, int]) -> None:
        """Break all connections; new ones lead to another program."""
        self._proxy.call(lambda: (setattr(self, "target", target), self.drop()))

    def forget(self) -> None:
        """The connections that there are never bring anything again, and never break; new ones work."""
        self._proxy.call(self._orphan)

    def spoil(self, up: Weather | None = None, down: Weather | None = None) -> None:
        """Change the weather, for the connections that there are and for new ones."""

        def spoil() -> None:
            for now, then in ((self.up, up), (self.down, down)):
                if then is not None:
                    now.paused, now.lost, now.delay, now.rate = then.paused, then.lost, then.delay, then.rate

        self._proxy.call(spoil)

    def mend(self) -> None:
        """Fine weather again; what was held back is delivered."""

        def mend() -> None:
            if self.target != self.broker:
                self.target = self.broker
                self.drop()
            if self.listener is None:
                self.listen()

        self.spoil(Weather(), Weather())
        self._proxy.call(mend)

    # In the proxy's thread.

    def listen(self) -> None:
        """Take connections."""
        self.listener = socket.create_server(self._address, backlog=64)
        self.listener.setblocking(False)
        self._proxy.watch(self.listener, lambda: self._accept())

    def deafen(self) -> None:
        """Refuse connections."""
        if self.listener is not None:
            self._proxy.forget(self.listener)
            self.listener = None

    def drop(self) -> None:
        """Break all connections."""
        while self.connections:
            self.close(self.connections[-1])

    def close(self, pair: tuple[Pipe, Pipe]) -> None:
        """Break a connection at both ends."""
        self.connections.remove(pair)
        for pipe in pair:
            self._proxy.forget(pipe.source, reset=True)

    def step(self, now: float) -> None:
        """Deliver what is due."""
        for pair in list(self.connections):
            try:
                for pipe in pair:
                    pipe.write(now)
                    self._proxy.watch_reading(pipe.source, not pipe.ended and pipe.size() < HELD)
                if any(pipe.ended and not pipe.held for pipe in pair):
                    self.close(pair)
            except OSError:
                self.close(pair)

    def _accept(self) -> None:
        assert self.listener is not None
        with contextlib.suppress(BlockingIOError):
            near, _ = self.listener.accept()
            far = socket.socket()
            far.setblocking(False)
            far.connect_ex(self.target)
            near.setblocking(False)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pipe(near, far, self.up), Pipe(far, near, self.down)
            self.connections.append(pair)
            for pipe in pair:
                self._proxy.watch(pipe.source, lambda pipe=pipe: self._read(pair, pipe))

    def _read(self, pair: tuple[Pipe, Pipe], pipe: Pipe) -> None:
        try:
            pipe.read(time.monotonic())
        except BlockingIOError:
            pass
        except OSError:
            if pair in self.connections:
                self.close(pair)

    def _orphan(self) -> None:
        gone = Weather(lost=True)
        for pair in self.connections:
            for pipe in pair:
                pipe.weather = gone
                pipe.held.clear()


class Proxy:
    """See the module."""

    def __init__(self, host: str, port: int, key: str = "") -> None:
        """``key``: the broker's, which the address then names."""
        self.host, self._port, self._key = host, port, key
        self._selector = selectors.DefaultSelector()
        self._calls: queue.SimpleQueue[tuple[Callable[[], object], threading.Event]] = queue.SimpleQueue()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self.watch(self._woken, lambda: self._woken.recv(4096))
        self.posts = Line(self, host, ("127.0.0.1", port))
        self.feed = Line(self, host, ("127.0.0.1", port + 1))
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"proxy {host}", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """What a client is given instead of the broker's address."""
        here = Address(self.host, self._port, key=self._key)
        return here.join if self._key else here.text

    def call(self, function: Callable[[], object]) -> None:
        """Have the thread do something; returns when it is done."""
        done = threading.Event()
        self._calls.put((function, done))
        self._waker.send(b"\0")
        assert done.wait(10), "the proxy's thread does not answer"

    def close(self) -> None:
        """End the thread and close everything."""
        self._stopping = True
        self._waker.send(b"\0")
        self._thread.join(10)
        assert not self._thread.is_alive()

    # In its thread.

    def watch(self, sock: socket.socket, ready: Callable[[], object]) -> None:
        """Call this when the socket can be read."""
        self._selector.register(sock, selectors.EVENT_READ, ready)

    def watch_reading(self, sock: socket.socket, wanted: bool) -> None:
        """Read the socket, or leave what comes in the kernel."""
        key, events = self._selector.get_key(sock), selectors.EVENT_READ if wanted else 0
        if key.events != events:
            self._selector.modify(sock, events, key.data)

    def forget(self, sock: socket.socket, reset: bool = False) -> None:
        """Close a socket; ``reset``: with what is under way."""
        self._selector.unregister(sock)
        if reset:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(TICK_SECONDS if self._holding() else 1.0):
                if key.fileobj.fileno() >= 0:  # type: ignore[union-attr]  # else closed by what was ready before it
                    key.data()
            while not self._calls.empty():
                function, done = self._calls.get()
                function()
                done.set()
            for line in (self.posts, self.feed):
                line.step(time.monotonic())
        for line in (self.posts, self.feed):
            line.deafen()
            line.drop()
        self.forget(self._woken)
        self._waker.close()
        self._selector.close()

    def _holding(self) -> bool:
        return any(pipe.held for line in (self.posts, self.feed) for pair in line.connections for pipe in pair)
