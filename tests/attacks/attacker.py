"""Somebody on the network with pyzmq and json, and no program of ours: what they send, and every byte they receive."""

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

from tests.hostile.peers import PATIENCE_SECONDS, Context

# What is not there by then does not come: others have been answered meanwhile.
GRACE_MS = 25
QUICK_MS = 20  # between two tries to connect; a ban closes the feed's port for a moment

# What comes of a connection, in words of the matrix.
UP, NOT_LET_IN, TRY_LATER, CLOSED, SILENCE = "up", "not let in", "later", "closed", "silence"
_STATES = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: UP,
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: CLOSED,
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: CLOSED,
    zmq.EVENT_DISCONNECTED: CLOSED,
}
# What comes without a question, also under number 0, under which a frame that is none is refused.
_UNASKED = ("events", "notice")
_FINAL = 400  # ZAP's status for those who are never let in


@dataclass(frozen=True)
class Keys:
    """A pair of CURVE keys."""

    public: str
    secret: str


def make_keys() -> Keys:
    """A pair that nobody knows."""
    public, secret = zmq.curve_keypair()
    return Keys(public.decode(), secret.decode())


@dataclass(frozen=True)
class Place:
    """A port of a broker, and the key that is expected of it ("": not encrypted)."""

    port: int
    key: str = ""
    host: str = "127.0.0.1"


@dataclass
class Ear:
    """Every byte that somebody received, on whatever connection."""

    heard: list[bytes] = field(default_factory=list)
    checked: int = 0  # how many of them were looked at


class Plug:
    """A socket at a port, with a key or without; it notes what it hears, and how its connections end."""

    def __init__(
        self,
        context: Context,
        kind: int,
        place: Place,
        keys: Keys | None,
        ear: Ear,
        source: str = "",
        name: bytes = b"",
    ) -> None:
        """``source``: the address of this machine to come from. ``name``: a routing id of one's own choice."""
        self._ear = ear
        self.socket = context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, QUICK_MS)
        if name:
            self.socket.setsockopt(zmq.ROUTING_ID, name)
        if place.key and keys is not None:
            self.socket.setsockopt(zmq.CURVE_SERVERKEY, place.key.encode())
            self.socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public.encode())
            self.socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret.encode())
        self._events = self.socket.get_monitor_socket(sum(_STATES) | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self._state = ""
        self.socket.connect(f"tcp://{f'{source}:0;' if source else ''}{place.host}:{place.port}")

    def receive(self, wait_ms: int = 0) -> bytes | None:
        """The next message's first frame, None if none comes."""
        if not self.socket.poll(wait_ms):
            return None
        frames = self.socket.recv_multipart()
        self._ear.heard += frames
        return frames[0]

    def hears(self, text: str, wait_ms: int) -> bool:
        """Does a message come in that time that has this in it? (Others may come all the time.)"""
        deadline = time.monotonic() + wait_ms / 1000
        while (left := deadline - time.monotonic()) > 0:
            if text.encode() in (self.receive(int(left * 1000) + 1) or b""):
                return True
        return False

    def drain(self) -> None:
        """Take what has come."""
        while self.receive() is not None:
            pass

    def state(self) -> str:
        """What came of the connection, or of the last one if there were more; "" as long as nothing did."""
        while self._events.poll(0):
            event = parse_monitor_message(self._events.recv_multipart())
            if event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._state = NOT_LET_IN if event["value"] == _FINAL else TRY_LATER
            elif self._state not in (NOT_LET_IN, TRY_LATER):  # after which there is no other one
                self._state = _STATES[zmq.Event(event["event"])]
        return self._state

    def met(self) -> str:
        """Wait until the connection is there, or known not to be."""
        while not self.state():
            assert self._events.poll(int(PATIENCE_SECONDS * 1000)), "nothing comes of the connection"
        return self._state

    def close(self) -> None:
        """Leave without a word; what had arrived was heard."""
        with contextlib.suppress(zmq.ZMQError):
            self.drain()
        self.socket.disable_monitor()
        self._events.close()
        self.socket.close()


class Line(Plug):
    """A DEALER."""

    def __init__(
        self, context: Context, place: Place, keys: Keys | None, ear: Ear, source: str = "", name: bytes = b""
    ) -> None:
        super().__init__(context, zmq.DEALER, place, keys, ear, source, name)
        self._number = 0

    def send(self, *frames: bytes) -> None:
        """Send a message as it is."""
        self.socket.send_multipart(frames)

    def request(self, request: dict[str, Any]) -> int:
        """Send a request; returns its number."""
        self._number += 1
        self.send(json.dumps({**request, "id": self._number}).encode())
        return self._number

    def answer(self, number: int, wait_ms: int = 0) -> dict[str, Any] | None:
        """The answer to a request, None if none is there by then."""
        deadline = time.monotonic() + wait_ms / 1000
        while (frame := self.receive(max(0, int((deadline - time.monotonic()) * 1000)))) is not None:
            reply: dict[str, Any] = json.loads(frame)
            if reply["re"] == number and reply["type"] not in _UNASKED:
                return reply
        return None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request that must be answered, whatever it says."""
        reply = self.answer(self.request(request), int(PATIENCE_SECONDS * 1000))
        assert reply is not None, f"no answer to {request} ({self.state()})"
        return reply

    def granted(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request that must be granted."""
        reply = self.ask(request)
        assert reply["type"] != "refused", f"{request}: {reply}"
        return reply


class Listener(Plug):
    """A SUB; ``junk``: an XSUB, which has sent these messages before it subscribes."""

    def __init__(
        self,
        context: Context,
        place: Place,
        keys: Keys | None,
        ear: Ear,
        topics: list[bytes],
        junk: list[bytes] | None = None,
    ) -> None:
        super().__init__(context, zmq.SUB if junk is None else zmq.XSUB, place, keys, ear)
        if junk is None:
            self.socket.setsockopt(zmq.SNDHWM, 0)
        for message in junk or ():
            self.socket.send(message)
        for topic in topics:
            self.subscribe(topic)

    def subscribe(self, topic: bytes) -> None:
        """Want to hear what begins like this."""
        if self.socket.type == zmq.XSUB:
            self.socket.send(b"\1" + topic)
        else:
            self.socket.setsockopt(zmq.SUBSCRIBE, topic)
