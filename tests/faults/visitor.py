"""A visitor with plain sockets, who asks one thing after the other and believes only answers."""

import time
from types import TracebackType
from typing import TypeVar

import zmq

from chat_core import messages as m
from chat_core import wire
from tests.curve import encrypt
from tests.system.processes import BrokerProcess

# For an answer, or for a message of the feed.
PATIENCE_SECONDS = 10.0
# How often something that was refused is tried again.
AGAIN_SECONDS = 0.01

T = TypeVar("T", bound=m.Reply)


class Visitor:
    """Somebody with a name and a key. `come` makes a new connection and says hello; leaving needs no word."""

    def __init__(self, broker: BrokerProcess, name: str) -> None:
        self.name, self._broker = name, broker
        self._pair = zmq.curve_keypair()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._posts = self._feed = self._open(zmq.DEALER, 0)
        self._id = 0

    def __enter__(self) -> "Visitor":
        self.come()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._context.destroy(0)

    def come(self) -> m.Welcome:
        """Let in on new connections."""
        self._posts.close(0)
        self._feed.close(0)
        self._posts, self._feed = self._open(zmq.DEALER, 0), self._open(zmq.SUB, 1)
        return self.expect(m.Hello(name=self.name, key=self._pair[0].decode()), m.Welcome)

    def ask(self, request: m.Request) -> m.Reply:
        """Ask, and wait for the answer."""
        self._id += 1
        request.id = self._id
        self._posts.send(wire.encode(request))
        while True:
            assert self._posts.poll(int(PATIENCE_SECONDS * 1000)), f"no answer to {request}"
            reply = wire.decode_reply(self._posts.recv())
            if reply.re == self._id:
                return reply

    def expect(self, request: m.Request, kind: type[T]) -> T:
        """Ask for something that may not be refused."""
        reply = self.ask(request)
        assert isinstance(reply, kind), f"{reply} to {request}"
        return reply

    def insist(self, request: m.Request) -> float:
        """Ask again and again while it is refused for the moment; returns how many seconds it took."""
        began = time.monotonic()
        while isinstance(reply := self.ask(request), m.Refused):
            assert (reply.verdict, reply.code) == ("later", "store"), reply
            assert time.monotonic() < began + PATIENCE_SECONDS, reply
            self._posts.poll(int(AGAIN_SECONDS * 1000))
        return time.monotonic() - began

    def hear(self, nonce: str) -> m.Mark:
        """Have a marker published, and hear it: the feed flows."""
        topic = wire.MARKER_TOPIC + nonce
        self._feed.subscribe(wire.topic_filter(topic))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._feed.poll(20):  # the subscription may arrive after the request
            assert time.monotonic() < deadline, "the marker was never published"
            self.expect(m.Marker(nonce=nonce, rooms=["lobby"]), m.Marked)
        self._feed.unsubscribe(wire.topic_filter(topic))
        return wire.decode(wire.split_feed(self._feed.recv())[1], m.Mark)

    def _open(self, kind: int, place: int) -> "zmq.Socket[bytes]":
        socket = self._context.socket(kind)
        encrypt(socket, self._broker.key, self._pair)
        socket.connect(f"tcp://127.0.0.1:{self._broker.port + place}")
        return socket


def read_everything(visitor: Visitor, room: str) -> list[m.Event]:
    """The whole log of a room, by pages."""
    events: list[m.Event] = []
    while True:
        paged = visitor.expect(m.Page(room=room, after=len(events)), m.Paged)
        events += [wire.decode_event(event) for event in paged.events]
        if len(events) >= paged.head[0]:
            return events
