"""The two that are compared, the broker and the bare forwarder: how one speaks to each, and what it must answer."""

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Protocol

from zmq.utils import z85

from benchmarks.curve import CurvePeer, Key
from benchmarks.zmtp import Peer
from chat_core import wire
from chat_core.messages import Event, Post, Posted
from tests.system.processes import LONG, BrokerProcess, free_ports

TOPIC = "room/lobby"
TEXT_BYTES = 128
# In the broker's environment.
NO_LIMITS = {"CHAT_LIMITS__ADDRESS_CONNECTS_PER_SECOND": "0"}

Said = tuple[str, int]  # sender and number of a post


def sender_of(place: int) -> str:
    """The sender that the post number ``place`` of a row of people uses."""
    return f"{place:016x}"


def text_of(sender: str, n: int) -> str:
    """What this post says: no two say the same."""
    return f"{sender} {n} ".ljust(TEXT_BYTES, "x")


@cache
def key_of(place: int) -> Key:
    """The key of one of a row of people."""
    return Key(f"person {place}")


def hello(place: int) -> bytes:
    """The first request of one of a row of people."""
    key = f"person-{place}-".ljust(40, "0")  # of use in open mode only
    return f'{{"type":"hello","id":1,"name":"person {place}","key":"{key}"}}'.encode()


def post(sender: str, n: int) -> bytes:
    """A post, whose id is its number."""
    body = f'{{"text":"{text_of(sender, n)}"}}'
    return f'{{"type":"post","id":{n},"room":"lobby","sender":"{sender}","n":{n},"body":{body}}}'.encode()


class Server(Protocol):
    """What a load needs to know of either."""

    pid: int
    posts: int
    feed: int

    def connect(self, port: int, kind: str, place: int, messages: Iterable[bytes] = ()) -> Peer:
        """A connection of one of a row of people."""

    def hello(self, place: int) -> list[bytes]:
        """What a sender sends first; each is answered."""

    def probe(self, nonce: str) -> bytes:
        """Has ``~nonce`` published."""

    def post(self, sender: str, n: int) -> bytes:
        """Has a text published."""

    def check_reply(self, frame: bytes, n: int) -> None:
        """This must be the acknowledgement of post ``n``."""

    def said(self, frame: bytes) -> list[Said]:
        """The posts in a message of the feed, which must be whole and in order."""

    def close(self) -> None:
        """End the process."""


class Broker:
    """The real one, in an empty folder, without its limits: so much nobody asks of it."""

    def __init__(self, folder: Path, security: str = "open") -> None:
        self._process = BrokerProcess(folder, "--security", security)
        self._process.environment = os.environ | NO_LIMITS
        self._process.start()
        key = self._process.ready["key"].encode()
        self._key: bytes = z85.decode(key) if key else b""
        self.pid: int = self._process.ready["pid"]
        self.posts: int = self._process.ready["posts"]
        self.feed: int = self._process.ready["feed"]
        self._seq = 0

    def connect(self, port: int, kind: str, place: int, messages: Iterable[bytes] = ()) -> Peer:
        """As the broker's mode wants it."""
        if self._key:
            return CurvePeer(port, kind, self._key, key_of(place), messages)
        return Peer(port, kind, messages)

    def hello(self, place: int) -> list[bytes]:
        """As the protocol has it."""
        return [hello(place)]

    def probe(self, nonce: str) -> bytes:
        """A marker."""
        return f'{{"type":"marker","nonce":"{nonce}"}}'.encode()

    def post(self, sender: str, n: int) -> bytes:
        """A post that counts once."""
        return post(sender, n)

    def check_reply(self, frame: bytes, n: int) -> None:
        """It is on disk."""
        reply = wire.decode_reply(frame)
        assert isinstance(reply, Posted), reply
        assert reply.re == n, f"{reply} instead of the answer to {n}"

    def said(self, frame: bytes) -> list[Said]:
        """A batch of events."""
        topic, payload = wire.split_feed(frame)
        assert topic == TOPIC, topic
        return [self._checked(event) for event in wire.decode_events(payload)]

    def _checked(self, event: Event) -> Said:
        assert event.seq == self._seq + 1 or not self._seq, f"event {event.seq} comes after {self._seq}"
        self._seq = event.seq
        assert wire.decode_message(event.body).text == text_of(event.sender, event.n), event
        return event.sender, event.n

    def close(self) -> None:
        """End the process."""
        self._process.close()


class Forwarder:
    """ROUTER to PUB and nothing between; so the senders write the topic."""

    def __init__(self) -> None:
        self.posts = free_ports()
        self.feed = self.posts + 1
        command = [sys.executable, str(Path(__file__).with_name("forwarder.py")), str(self.posts), str(self.feed)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the forwarder does not start"

    def connect(self, port: int, kind: str, place: int, messages: Iterable[bytes] = ()) -> Peer:
        """Without encryption."""
        return Peer(port, kind, messages)

    def hello(self, place: int) -> list[bytes]:
        """It does not ask who one is."""
        return []

    def probe(self, nonce: str) -> bytes:
        """Any message."""
        return f"~{nonce}\0".encode()

    def post(self, sender: str, n: int) -> bytes:
        """The same bytes as the broker gets, behind a topic."""
        return wire.feed_frame(TOPIC, post(sender, n))

    def check_reply(self, frame: bytes, n: int) -> None:
        """There is but one answer."""
        assert frame == b"ok", frame

    def said(self, frame: bytes) -> list[Said]:
        """One post."""
        said = wire.decode_request(wire.split_feed(frame)[1])
        assert isinstance(said, Post), said
        assert wire.decode_message(said.body).text == text_of(said.sender, said.n), said
        return [(said.sender, said.n)]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate(timeout=LONG)
