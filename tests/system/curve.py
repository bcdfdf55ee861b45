"""Somebody on plain pyzmq at a broker that encrypts: a key, and as many lines as they like."""

import contextlib
from typing import Any

import zmq

from chat_broker.serving.keyfiles import KeyPair
from chat_core import messages as m
from chat_core import wire

# For what has to come; and for what must not, so long is waited for nothing.
PATIENCE_MS, SILENCE_MS = 20_000, 200

_FATES = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)

Context = zmq.Context["zmq.Socket[bytes]"]


def new_key() -> KeyPair:
    """A key that nobody knows yet."""
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


class Line:
    """One socket, and what libzmq says of its connection."""

    def __init__(self, context: Context, kind: int, port: int, routing_id: bytes = b"") -> None:
        self.socket: zmq.Socket[bytes] = context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        if routing_id:
            self.socket.setsockopt(zmq.ROUTING_ID, routing_id)
        if kind == zmq.SUB:
            self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self._port = port
        self._events = self.socket.get_monitor_socket(_FATES)

    def locked(self, key: KeyPair, server: str) -> "Line":
        """Encrypt, for the broker of this key."""
        self.socket.setsockopt(zmq.CURVE_PUBLICKEY, key.public.encode())
        self.socket.setsockopt(zmq.CURVE_SECRETKEY, key.secret.encode())
        self.socket.setsockopt(zmq.CURVE_SERVERKEY, server.encode())
        return self

    def connected(self) -> "Line":
        """Begin."""
        self.socket.connect(f"tcp://127.0.0.1:{self._port}")
        return self

    def fate(self, milliseconds: int = PATIENCE_MS) -> str:
        """What becomes of the connection: "let in", "refused" with a status, "cut", or "" if nothing does."""
        if not self._events.poll(milliseconds):
            return ""
        event = zmq.utils.monitor.recv_monitor_message(self._events)
        if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            return f"refused {event['value']}"
        return "let in" if event["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED else "cut"

    def send(self, request: m.Request | bytes) -> None:
        """Send a request or anything else; to nobody, if the connection was refused by then."""
        with contextlib.suppress(zmq.Again):
            self.socket.send(request if isinstance(request, bytes) else wire.encode(request), zmq.DONTWAIT)

    def receive(self) -> m.Reply:
        """The next reply."""
        assert self.socket.poll(PATIENCE_MS), "no answer"
        return wire.decode_reply(self.socket.recv())

    def ask(self, request: m.Request) -> Any:
        """The reply to a request."""
        self.send(request)
        return self.receive()

    def hears(self, milliseconds: int = PATIENCE_MS) -> bool:
        """Does anything come?"""
        return bool(self.socket.poll(milliseconds))

    def forget(self) -> None:
        """Throw away what has come."""
        with contextlib.suppress(zmq.Again):
            while True:
                self.socket.recv(zmq.DONTWAIT)

    def close(self) -> None:
        """Hang up without a word; harmless if that was done."""
        if self.socket.closed:
            return
        self.socket.disable_monitor()
        self._events.close(0)
        self.socket.close(0)
