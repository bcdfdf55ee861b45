"""ZMTP byte for byte: connections that no ZeroMQ socket would make, and somebody in the middle of one that it makes."""

import contextlib
import selectors
import socket
import threading

from tests.attacks.attacker import CLOSED, SILENCE
from tests.hostile.garbage import frame, greeting, ready
from tests.hostile.peers import PATIENCE_SECONDS

GREETING_BYTES = 64
_CHUNK = 65536
# Whoever is not hung up on by then is being listened to.
_HANG_UP_SECONDS = 8.0


def without_handshake(mechanism: bytes, socket_type: bytes, said: bytes) -> bytes:
    """What comes over the line of a peer that names a mechanism, but speaks as with NULL: a READY and its message."""
    return greeting(mechanism) + ready(socket_type) + frame(said)


def blurt(port: int, sent: bytes) -> tuple[str, bytes]:
    """Send bytes on a connection of one's own; how it ends ("closed", "silence"), and what was received."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as line:
        line.settimeout(_HANG_UP_SECONDS)
        try:
            line.sendall(sent)
            while chunk := line.recv(_CHUNK):
                received += chunk
        except TimeoutError:
            return SILENCE, received
        except OSError:
            pass  # reset, which closes as well
    return CLOSED, received


def frames_of(sent: bytes) -> list[bytes]:
    """What a peer sent on one connection, cut where its greeting and its frames end."""
    pieces, rest = [sent[:GREETING_BYTES]], sent[GREETING_BYTES:]
    while rest:
        head, size = (9, int.from_bytes(rest[1:9], "big")) if rest[0] & 2 else (2, rest[1])
        pieces.append(rest[: head + size])
        rest = rest[head + size :]
    return pieces


class Middle:
    """Somebody in the middle of one connection to a port: they read what is sent, and may slip in what they like."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._target, self.sent = port, b""
        self._lock = threading.Lock()
        self._far = socket.socket()
        self.broken = threading.Event()  # the broker has hung up
        self._near: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="middle", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Middle":
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._near, self._far, self._listener):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_SECONDS)
        for end in (self._near, self._far, self._listener):
            if end is not None:
                end.close()

    def slip_in(self, data: bytes) -> None:
        """Send bytes to the broker between those of the victim."""
        with self._lock:
            self._far.sendall(data)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            self._near, _ = self._listener.accept()
            self._far.connect(("127.0.0.1", self._target))
            with selectors.DefaultSelector() as selector:
                selector.register(self._near, selectors.EVENT_READ, self._far)
                selector.register(self._far, selectors.EVENT_READ, self._near)
                while self._pass_on(selector):
                    pass
        self.broken.set()

    def _pass_on(self, selector: selectors.BaseSelector) -> bool:
        for key, _ in selector.select():
            chunk = key.fileobj.recv(_CHUNK)  # type: ignore[union-attr]
            if not chunk:
                return False
            if key.fileobj is self._near:
                self.sent += chunk
                self.slip_in(chunk)
            else:
                key.data.sendall(chunk)
        return True
