"""The receivers of a feed: every byte that each of them gets is checked, at the cost of a comparison.

All of them get the same bytes once their subscriptions are live. What the first one gets is decoded; whatever another
one gets must be equal to it. So a delivery that is missing, doubled, late for ever or changed is found.
"""

import secrets
import select
import time
from collections.abc import Callable, Sequence

from benchmarks.servers import TOPIC, Said, Server
from benchmarks.zmtp import Peer, split
from chat_core import wire

PATIENCE_SECONDS = 20.0


class Audience:
    """So many receivers of one server."""

    def __init__(self, server: Server, size: int, ask: Callable[[bytes], None], poll: select.epoll) -> None:
        """Returns when all hear the feed. ``ask`` sends a request; the sockets are registered with ``poll``."""
        self._server = server
        self.heard: list[tuple[int, list[Said]]] = []  # what was decoded, with the place in the stream where it ends
        self._stream = bytearray()  # what the first one got
        self._decoded = 0
        nonces = secrets.token_hex(16), secrets.token_hex(16)
        topics = [wire.topic_filter(topic) for topic in (TOPIC, *(wire.MARKER_TOPIC + nonce for nonce in nonces))]
        subscriptions = [b"\x01" + topic for topic in topics]
        # By the key of somebody who was let in: whose it is makes no difference to the feed.
        self._peers = [server.connect(server.feed, "SUB", 0, subscriptions) for _ in range(size)]
        self._meet(nonces, ask)
        self._reads = {peer.fileno(): peer.read for peer in self._peers}
        self._places = dict.fromkeys(self._reads, 0)
        for number in self._reads:
            poll.register(number, select.EPOLLIN)

    def __contains__(self, number: int) -> bool:
        return number in self._reads

    def __len__(self) -> int:
        return len(self._peers)

    def hear(self, number: int) -> int:
        """Something has come in for one of them; returns how far it has come in the stream."""
        data, stream, place = self._reads[number](), self._stream, self._places[number]
        known = len(stream) - place
        if len(data) <= known:
            right = stream.startswith(data, place)
        else:
            right = stream.startswith(data[:known], place)
            stream += data[known:]
            self._decode()
        assert right, "two receivers were told different things"
        self._places[number] = place = place + len(data)
        return place

    @property
    def together(self) -> bool:
        """Have all got the same?"""
        return self._decoded == len(self._stream) and all(place == self._decoded for place in self._places.values())

    def forget(self) -> None:
        """Begin anew, when all have got the same."""
        assert self.together
        self.heard.clear()
        self._stream.clear()
        self._decoded = 0
        self._places = dict.fromkeys(self._places, 0)

    def close(self) -> None:
        """All go home."""
        for peer in self._peers:
            peer.close()

    def _decode(self) -> None:
        messages, self._decoded = split(self._stream, self._decoded)
        self.heard += [(end, self._server.said(message)) for message, end in messages]

    def _meet(self, nonces: Sequence[str], ask: Callable[[bytes], None]) -> None:
        """Have the first nonce published until everybody has heard it, then the second once: what each hears behind
        that is the same."""
        first, second = (wire.feed_frame(wire.MARKER_TOPIC + nonce, b"") for nonce in nonces)
        _gather(self._peers, first, lambda: ask(self._server.probe(nonces[0])), again=0.02)
        _gather(self._peers, second, lambda: ask(self._server.probe(nonces[1])), again=PATIENCE_SECONDS)


def _gather(peers: Sequence[Peer], awaited: bytes, ask: Callable[[], None], again: float) -> None:
    """Ask until each has heard a message that begins so, and read none of them further."""
    missing = {peer.fileno(): peer for peer in peers}
    with select.epoll() as poll:
        for number in missing:
            poll.register(number, select.EPOLLIN)
        deadline, due = time.monotonic() + PATIENCE_SECONDS, 0.0
        while missing:
            now = time.monotonic()
            assert now < deadline, f"{len(missing)} receivers hear nothing"
            if now >= due:
                ask()
                due = now + again
            for number, _ in poll.poll(again):
                if missing[number].seek(awaited):
                    del missing[number]
                    poll.unregister(number)
