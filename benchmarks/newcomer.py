"""A client that comes in: as much of a session as that takes, so light that a thousand of them leave room for a broker.

Real sessions check every event's chain, and of a thousand that join one room each hears of the others: half a million
events, which are a thousand machines' work. These count them instead, by what a batch holds, and none may be missing.
"""

import math
import secrets
from collections.abc import Callable
from functools import lru_cache

from benchmarks.servers import Broker, hello
from benchmarks.zmtp import Peer
from chat_core import messages as m
from chat_core import wire

ROOM = "hall"
# Takes a connection that was opened, and what takes its messages and when they came.
Watch = Callable[[Peer, Callable[[bytes, float], None]], None]
FIRST_WAIT, LONGEST_WAIT = 0.004, 0.1


class Newcomer:
    """Says hello, joins, subscribes with a marker, reads what it missed, and waits for the first message."""

    def __init__(self, broker: Broker, place: int, watch: Watch) -> None:
        """``watch`` is given each connection that is opened, with what takes its messages."""
        self.heard = False
        self._broker, self._place = broker, place + 1
        self.due = math.inf  # when the marker is to be asked for again
        self._watch, self._nonce, self._wait = watch, secrets.token_hex(16), FIRST_WAIT
        self._have = self._told = self._message = self._published = self._marked = self._asked = 0
        self._feed_port, self._paging, self._page_after = 0, False, 0
        self._waiting: dict[int, int] = {}  # batches behind a gap: first and last event
        self._posts = broker.connect(broker.posts, "DEALER", place + 1, [hello(place + 1)])
        self._feed: Peer | None = None
        watch(self._posts, self._answered)

    @property
    def live(self) -> bool:
        """Are the subscriptions proven?"""
        return self._published > 0 and self._marked >= self._published

    def ask_marker(self, now: float) -> None:
        """Have it published, and once more later if it is not heard."""
        self._asked += 1
        self._posts.send(wire.encode(m.Marker(10 + self._asked, self._nonce, [ROOM])))
        self.due = now + self._wait
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def close(self) -> None:
        """Hang up."""
        self._posts.close()
        if self._feed is not None:
            self._feed.close()

    def _answered(self, frame: bytes, now: float) -> None:
        reply = wire.decode_reply(frame)
        match reply:
            case m.Welcome():
                self._feed_port = reply.feed
                self._posts.send(wire.encode(m.Ping(2)), wire.encode(m.Join(3, ROOM)))
            case m.Joined():
                self._have = reply.room.head[0]
                topics = (wire.ROOM_TOPIC + ROOM, wire.BEAT_TOPIC, wire.MARKER_TOPIC + self._nonce)
                subscriptions = [b"\x01" + wire.topic_filter(topic) for topic in topics]
                self._feed = self._broker.connect(self._feed_port, "SUB", self._place, subscriptions)
                self._watch(self._feed, self._told_of)
                self.ask_marker(now)
            case m.Marked():
                self._marked, self._told = reply.re, max(self._told, reply.heads[ROOM][0])
                self._catch_up()
            case m.Paged():
                last = wire.decode_event(reply.events[-1]).seq
                assert last == self._page_after + len(reply.events), "a page has a hole"
                self._paging, self._have = False, max(self._have, last)
                self._catch_up()
            case m.Refused():
                raise AssertionError(reply)

    def _told_of(self, frame: bytes, now: float) -> None:
        topic, payload = wire.split_feed(frame)
        if topic == wire.ROOM_TOPIC + ROOM:
            first, last, message = batch(payload)
            self._waiting[first] = last
            self._told, self._message = max(self._told, last), self._message or message
            self._catch_up()
        elif topic.startswith(wire.MARKER_TOPIC) and not self._published:
            self._published, self.due = wire.decode(payload, m.Mark).re, math.inf
            self._catch_up()

    def _catch_up(self) -> None:
        """Go on with what waits; once the subscription is live, ask for what is missing before it."""
        for first in sorted(self._waiting):
            if first > self._have + 1:
                break
            self._have = max(self._have, self._waiting.pop(first))
        if not self.live:
            return
        if self._have < self._told and not self._paging:
            self._paging, self._page_after = True, self._have
            upto = min(self._waiting) - 1 if self._waiting else 0
            self._posts.send(wire.encode(m.Page(5, ROOM, self._have, upto)))
        self.heard = bool(self._message) and self._have >= self._message


@lru_cache(maxsize=10_000)
def batch(payload: bytes) -> tuple[int, int, int]:
    """The first and the last event of a batch, and the message in it, 0 if there is none; worked out once for all."""
    events = wire.decode_events(payload)
    assert [event.seq for event in events] == list(range(events[0].seq, events[-1].seq + 1))
    return events[0].seq, events[-1].seq, max((event.seq for event in events if event.kind == "message"), default=0)
