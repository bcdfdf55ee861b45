"""Other programs on a broker's port: they take connections and say something else, or nothing."""

import contextlib
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import zmq

HTTP_400 = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request"
# As often as the wrong kind of ZeroMQ socket says something.
CHATTER_SECONDS = 0.05
BIND_SECONDS = 10.0


@dataclass(frozen=True)
class Manner:
    """How a program behaves: what it says to a new connection (None: it hangs up), and what it answers."""

    greeting: Callable[[random.Random], bytes | None] = lambda dice: b""
    answer: Callable[[random.Random, bytes], bytes] = lambda dice, heard: b""
    closes: bool = False  # after its first answer


# What speaks TCP, and what speaks ZeroMQ with the wrong kind of socket.
PLAIN: dict[str, Manner] = {
    "a silent server": Manner(),
    "a server that hangs up": Manner(lambda dice: None),
    "an HTTP server": Manner(answer=lambda dice, heard: HTTP_400, closes=True),
    "a server of garbage": Manner(
        greeting=lambda dice: dice.randbytes(2000), answer=lambda dice, heard: dice.randbytes(200)
    ),
    "an echo": Manner(answer=lambda dice, heard: heard),
}
ZMQ: dict[str, int] = {"a PUB": zmq.PUB, "a REP": zmq.REP, "a ROUTER": zmq.ROUTER}
KINDS = (*PLAIN, *ZMQ)


class Impostor:
    """One of `KINDS` on a port (0: a free one), in a thread of its own, until it is closed."""

    def __init__(self, kind: str, port: int = 0) -> None:
        self.port = port
        self._dice = random.Random(kind)
        self._stop = threading.Event()
        self._ready = threading.Event()
        run = self._speak_plain if kind in PLAIN else self._speak_zmq
        self._thread = threading.Thread(target=run, args=(kind,), name=kind, daemon=True)
        self._thread.start()
        assert self._ready.wait(2 * BIND_SECONDS), f"{kind} does not get port {port}"

    def __enter__(self) -> "Impostor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def target(self) -> tuple[str, int]:
        """Where it is."""
        return "127.0.0.1", self.port

    def close(self) -> None:
        """End it, with all its connections."""
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _speak_plain(self, kind: str) -> None:
        manner, selector = PLAIN[kind], selectors.DefaultSelector()
        listener = socket.create_server(self.target)
        self.port = listener.getsockname()[1]
        selector.register(listener, selectors.EVENT_READ)
        self._ready.set()
        while not self._stop.is_set():
            for key, _ in selector.select(0.05):
                if key.fileobj is listener:
                    self._greet(manner, listener.accept()[0], selector)
                else:
                    self._answer(manner, key.fileobj, selector)  # type: ignore[arg-type]
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        selector.close()

    def _greet(self, manner: Manner, connection: socket.socket, selector: selectors.BaseSelector) -> None:
        connection.setblocking(False)
        greeting = manner.greeting(self._dice)
        if greeting is None:
            connection.close()
            return
        selector.register(connection, selectors.EVENT_READ)
        with contextlib.suppress(OSError):
            connection.send(greeting)

    def _answer(self, manner: Manner, connection: socket.socket, selector: selectors.BaseSelector) -> None:
        heard = b""
        with contextlib.suppress(OSError):
            heard = connection.recv(65536)
            if heard:
                connection.send(manner.answer(self._dice, heard))
        if not heard or manner.closes:
            selector.unregister(connection)
            connection.close()

    def _speak_zmq(self, kind: str) -> None:
        with zmq.Context() as context, context.socket(ZMQ[kind]) as sock:
            sock.setsockopt(zmq.LINGER, 0)
            self._bind(sock)
            self._ready.set()
            while not self._stop.is_set():
                if kind == "a PUB":
                    for topic in (b"beat", b"room/lobby"):
                        sock.send(topic + b"\0junk")
                    self._stop.wait(CHATTER_SECONDS)
                elif sock.poll(CHATTER_SECONDS * 1000):
                    with contextlib.suppress(zmq.Again):  # a REP throws away what has no empty frame
                        heard = sock.recv_multipart(zmq.DONTWAIT)
                        sock.send_multipart([*heard[:-1], b'{"type":"pong","re":1}'], zmq.DONTWAIT)

    def _bind(self, sock: "zmq.Socket[bytes]") -> None:
        until = time.monotonic() + BIND_SECONDS
        while True:
            try:
                sock.bind(f"tcp://127.0.0.1:{self.port or '*'}")
                break
            except zmq.ZMQError:
                assert time.monotonic() < until
                self._stop.wait(0.05)
        self.port = int(sock.getsockopt_string(zmq.LAST_ENDPOINT).rpartition(":")[2])
