"""The session: what a client does to miss nothing and to say everything once. A pure state machine (SESSION.md).

It is told what happened (`tick`, `heard`, `replied`, `lost`, `post` ...), always with ``now``, in seconds of a clock
that nobody can set; it answers with effects, fetched by `take`: orders for the link, news for the application.

There are two independent lines, posts and feed, each with its own generation, silence timer and back-off. (Two more,
with which it finds out whom it talks to, are `meeting`'s: nothing is sent to a broker that is not trusted.) **A
generation is one connection**: when it breaks, the line is closed and opened anew, so nothing of an earlier connection
can be taken for news of this one. The barrier ties the lines together:

    posts line    closed, until there is a pin -> opened (hello) -> accepted: posts, pages, pings flow
    feed line     closed -> opened, once the hello is accepted -> marker heard: the subscriptions are live
    barrier       open -> the marker is heard on the feed, and a reply to a marker request that is as new told the heads
    a room        has less than was told -> asks for the range, one request out in all -> has all

Rules that are easy to lose:

* Nothing but hello goes out before it is accepted, else DEALER stores pings for the whole outage.
* A reply counts only while its request is pending; request numbers are never used twice.
* The barrier's heads are those of the marker's publication. A hello's heads are older.
* The beat is counted: a missing one means that something was lost, perhaps the last message.
* A head in a reply below what was there when it was asked for means another history, as does another chain, or a room
  that is not there any more. But of a room that is not on the feed (`private`) that only means that it is closed to us.
"""

import contextlib
import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from chat_client.attendance import Attendance
from chat_client.effects import (
    Answered,
    Arrived,
    Directory,
    Effect,
    Held,
    MyRooms,
    Noticed,
    Removed,
    Rewound,
    RoundTrip,
    Send,
    Status,
    Subscribe,
    TurnedAway,
    Waits,
    Walled,
    Welcomed,
)
from chat_client.flight import Flight, Holding, Row, hold_seconds
from chat_client.following import DivergedError, Following
from chat_client.lines import Line
from chat_client.meeting import BANNED, CROWDED, OPEN, Meeting, Patience
from chat_client.private import CLOSED, OffFeed
from chat_client.troubles import LAST_WORDS, last_word
from chat_core import VERSION, wire
from chat_core import messages as m
from chat_core.chain import START
from chat_core.errors import WireError


@dataclass(frozen=True)
class Intervals:
    """Every interval of a session, in seconds; tests scale them."""

    marker_first: float = 0.004
    marker_most: float = 0.1
    ping: float = 5.0
    ping_unfed: float = 1.0  # while the feed says nothing: follow by asking
    patience: float = 3.0  # for a reply, and for a line that was opened
    posts_silence: float = 8.0
    feed_silence: float = 6.0
    hold: float = 0.5  # after a refusal "later"
    back_off_first: float = 0.1
    back_off_most: float = 1.0
    banned: float = 5.0  # after the broker's own refusal of the connection: only its admin can help
    crowded: float = 2.0
    meeting: Patience = field(default_factory=Patience)


# ---- the machine -----------------------------------------------------------------------------------------------


@dataclass
class Barrier:
    """One attempt to prove that the subscriptions are live."""

    nonce: str
    due: float
    wait: float
    heard: int | None = None  # the request whose publication was heard
    replied: int = -1  # the newest request that was answered
    heads: dict[str, m.Head] = field(default_factory=dict)
    had: dict[str, int] = field(default_factory=dict)  # when that request was sent


@dataclass
class _Pending:
    kind: str
    at: float  # when it was sent
    deadline: float
    what: object
    had: dict[str, int]  # how far each room reached when it was sent


class Session:
    """See the module. Belongs to one thread at a time; does no I/O."""

    def __init__(
        self,
        key: str,
        name: str = "",
        fallback_name: str = "",
        *,
        dice: random.Random,
        every: Intervals | None = None,
        watch: bool = False,
        invite: str = "",
        link: str = "",
        pin: str = "",
        where: str = "this address",
    ) -> None:
        """``key``: the public key that the hello carries. ``fallback_name``: used if the broker does not know the key
        and no name was given. ``dice``: where nonces and jitter come from. ``watch``: tell who is here, when the list
        of rooms changes, and round trips. ``invite``, ``link``: the token of an invitation, the one-time code of
        another machine; said until we are let in. ``pin``: the broker's key, `meeting.OPEN`, or "": whoever is met
        there is told, and nothing more is done until `trust` is called. ``where``: the address, for people."""
        self.every = every or Intervals()
        self.watch = watch
        self.attendance = Attendance()
        self.key, self.name, self.fallback_name = key, name, fallback_name
        self.home = self.epoch = ""
        self.invite, self.link = invite, link
        self.rooms: dict[str, Following] = {}
        self.off_feed = OffFeed()
        self.flight = Flight(hold_seconds=self.every.hold, patience_seconds=self.every.patience)
        self.accepted = False
        self.refused = False
        self.waiting: m.Waiting | None = None  # for an admin's yes
        self.barrier: Barrier | None = None
        self.posts = Line("posts", self.every.patience, self.every.posts_silence)
        self.feed = Line("feed", self.every.patience, self.every.feed_silence)
        self._dice = dice
        self._effects: list[Effect] = []
        self.meeting = Meeting(pin, where, lambda effect: self._effects.append(effect), self.every.meeting)
        self._ids = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._asks: dict[int, m.Request] = {}  # by token, until answered
        self._asked: set[int] = set()  # tokens that are pending
        self._held = 0.0  # until when nothing is asked, after a refusal "later"
        self._put_off = 0.0  # until when we do not ask to be let in, after such a refusal of the hello
        self._history: int | None = None
        self._beat: tuple[str, int] | None = None  # (boot, k) last heard
        self._commit = 0
        self._directory = -1  # the list of rooms that was told of; -1: none in this connection
        self._who: int | None = None  # the request for a snapshot of presence
        self._feed_port = 0
        self._ping_due = 0.0
        self._hello_due = 0.0  # while we wait to be let in
        self._status = Status("offline", "not connected yet")

    def take(self) -> list[Effect]:
        """The effects since the last call, in order."""
        self._note_status()
        effects, self._effects = self._effects, []
        return effects

    # What the application wants.

    def start(self, now: float) -> None:
        """Begin."""
        self._look(now)

    def trust(self, pin: str, now: float) -> None:
        """Have this be the broker's key (or `meeting.OPEN`: it has none) from now on. "": trust nobody, and ask again
        who is there."""
        self._drop(self.posts, now)
        self._drop(self.feed, now)
        self.posts.retry, self.refused = now, False
        self.meeting.trust(pin, now)
        self.tick(now)

    def follow(self, room: str, have: int = 0, chain: str | None = START, now: float = 0.0) -> None:
        """Read a room from behind ``have`` on, which had this chain (None: not known)."""
        if room in self.rooms:
            return
        self.rooms[room] = Following(room, have, chain)
        if room in self.off_feed:
            self._ping_due = now
        elif self.feed.up:
            self._effects.append(Subscribe(wire.ROOM_TOPIC + room))
            self._open_barrier(now)

    def unfollow(self, room: str) -> None:
        """Read a room no longer."""
        if self.rooms.pop(room, None) is not None and self.feed.up:
            self._effects.append(Subscribe(wire.ROOM_TOPIC + room, on=False))

    def post(self, rows: Iterable[Row], now: float) -> None:
        """Send rows that are on disk; each ends in a `Settled` or a `Renumber`."""
        self.flight.add(rows)
        self._send_posts(now)

    def ask(self, token: int, request: m.Request, now: float) -> None:
        """Ask something that may be asked twice; ``token``, never used before, comes back with its `Answered`."""
        self._asks[token] = request
        if self.accepted:
            self._send_asks(now)

    def forget(self, token: int) -> None:
        """The answer is no longer of interest."""
        self._asks.pop(token, None)

    def leave(self) -> None:
        """Say bye."""
        if self.accepted:
            self._send(m.Bye())

    def reopen(self, now: float) -> None:
        """Both lines anew, as after the machine slept: what came in since is stale."""
        self._drop(self.posts, now)
        self._drop(self.feed, now)
        self.posts.retry = now

    # What happened.

    def reached(self, line: str, generation: int, now: float) -> None:
        """Somebody took the connection of a line."""
        if line != self.posts.name:
            self.meeting.reached(line, generation, now)
        elif self.posts.is_now(generation):
            self.posts.reached = True
            self.meeting.reached(line, generation, now)

    def lost(self, line: str, generation: int, now: float, why: str = "") -> None:
        """The connection of a line broke, or could not be made. ``why``: "handshake" (it failed), "protocol" (they do
        not speak the same one), "auth:400" and the like (refused by the other side, with this status of ZAP),
        "identity" (there is no secret key to encrypt with); "": nothing more is known."""
        which = {self.posts.name: self.posts, self.feed.name: self.feed}.get(line)
        if which is None:
            self.meeting.lost(line, generation, now)
        elif which.is_now(generation):
            self._drop(which, now, why)

    def answered(self, generation: int, frame: bytes, now: float) -> None:
        """An answer of the door."""
        self.meeting.answered(generation, frame, now)

    def replied(self, generation: int, frame: bytes, now: float) -> None:
        """A reply on the posts line."""
        if generation != self.posts.generation or not self.posts.up:
            return
        self.posts.heard = now
        try:
            reply = wire.decode_reply(frame)
        except WireError:
            return  # a newer broker's, or junk: its request will be asked again
        pending = self._pending.pop(reply.re, None)
        if isinstance(reply, m.Refused) and reply.code in ("hello_first", "waiting") and self.accepted:
            self._say_hello(now)
        elif isinstance(reply, m.Events):
            self._on_events(reply, now)
        elif isinstance(reply, m.Notice):
            self._on_notice(reply, now)
        elif isinstance(reply, m.Posted | m.Refused) and pending is None:
            self._settle(reply, now)
        elif pending is not None:
            try:
                self._answer(pending, reply, now)
            except WireError:
                self._drop(self.posts, now)  # a page of junk: asking on at once would be a storm
        self.tick(now)

    def heard(self, generation: int, frame: bytes, now: float) -> None:
        """A message on the feed."""
        if generation != self.feed.generation or not self.feed.up:
            return
        self.feed.heard = now
        self.feed.failures = 0
        try:
            topic, payload = wire.split_feed(frame)
            if topic.startswith(wire.ROOM_TOPIC):
                self._take(topic.removeprefix(wire.ROOM_TOPIC), wire.decode_events(payload))
            elif topic == wire.BEAT_TOPIC:
                self._on_beat(wire.decode(payload, m.Beat), now)
            elif topic == wire.PRESENCE_TOPIC:
                if (moved := self.attendance.delta(wire.decode(payload, m.Presence))) is not None:
                    self._effects.append(moved)
            elif self.barrier is not None and topic == wire.MARKER_TOPIC + self.barrier.nonce:
                mark = wire.decode(payload, m.Mark)
                if self.barrier.heard is None:
                    self.barrier.heard = mark.re
                    self._beat = mark.boot, mark.k
                self._try_barrier(now)
        except WireError:
            return  # not of this protocol: whatever it was, a gap would show it
        self._ask_who(now)
        self._ask_history(now)

    def tick(self, now: float) -> None:
        """Time has passed."""
        for line in (self.posts, self.feed):
            if line.up and now >= line.silent_at():
                self._drop(line, now)
        if self.waiting is not None and now >= self._hello_due:
            self._say_hello(now)
        if not self.accepted:
            self._look(now)
            return
        if not self.feed.up and self._wants_feed and now >= self.feed.retry:
            self._open_feed(now)
        self._expire(now)
        self._send_marker(now)
        if now >= self._ping_due:
            self._ping(now)
        self._ask_who(now)
        self._send_asks(now)
        self._ask_history(now)
        self._send_posts(now)

    def deadline(self, now: float) -> float:
        """When to call `tick` again at the latest."""
        if self.refused:
            return now + self.every.ping
        times = [line.silent_at() if line.up else line.retry for line in (self.posts, self.feed)]
        if self.waiting is not None:
            return min(times[0], self._hello_due)
        if not self.accepted:
            posts = times[0] if self.posts.up or self.meeting.pin else now + self.every.ping
            return min(posts, self.meeting.deadline(), times[1] if self.feed.up else posts)
        if not self._wants_feed:
            del times[1]
        times += [self._ping_due, self.flight.deadline()]
        times += [pending.deadline for pending in self._pending.values()]
        if self.barrier is not None and self.feed.up:
            times.append(self.barrier.due)
        if self._held > now:
            times.append(self._held)
        return min(times)

    # The lines.

    def _look(self, now: float) -> None:
        """Try to be let in, by a broker that is trusted; find out who is there, and what is wrong."""
        if self.refused or self.waiting is not None or now < self._put_off:
            return
        self.meeting.look(now)
        if self.meeting.pin and not self.posts.up and now >= self.posts.retry:
            self._open_posts(now)
        self.meeting.tick(now)

    def _open_posts(self, now: float) -> None:
        self._open(self.posts, now)
        self._say_hello(now)

    def _open_feed(self, now: float) -> None:
        self._open(self.feed, now, self._feed_port)
        for topic in (*(wire.ROOM_TOPIC + room for room in self._on_feed()), wire.BEAT_TOPIC):
            self._effects.append(Subscribe(topic))
        if self.watch:
            self._effects.append(Subscribe(wire.PRESENCE_TOPIC))
        self.barrier = None  # its topic went with the connection
        self._open_barrier(now)

    def _open(self, line: Line, now: float, port: int = 0) -> None:
        key = "" if self.meeting.pin == OPEN else self.meeting.pin
        self._effects.append(line.open(now, port, key))

    def _drop(self, line: Line, now: float, why: str = "") -> None:
        if not line.up:
            return
        self._effects.append(line.close())
        line.back_off(now, self.every.back_off_first, self.every.back_off_most, self._dice)
        if why in (BANNED, CROWDED):
            line.retry = now + (self.every.banned if why == BANNED else self.every.crowded)
        if line is self.posts:
            self.waiting = None
            if not self.accepted:
                self.meeting.tried(why, line.reached, now)
            self._forget_requests()
        else:
            self._beat = None
            self._ping_due = min(self._ping_due, now + self.every.ping_unfed)

    def _forget_requests(self) -> None:
        self.accepted = False
        self.off_feed.begin()
        self._pending.clear()
        self._asked.clear()
        self._history = self._who = None
        self.flight.rewind()

    # Requests.

    def _send(self, request: m.Request, kind: str = "", now: float = 0.0, what: object = None) -> int:
        request.id = next(self._ids)
        if kind:
            had = {room: following.reach for room, following in self.rooms.items()}
            # A page of 256 KiB takes its time on a thin line; if nothing at all comes, the line's silence will tell.
            patience = self.every.posts_silence if kind == "page" else self.every.patience
            self._pending[request.id] = _Pending(kind, now, now + patience, what, had)
        self._effects.append(Send(wire.encode(request)))
        return request.id

    def _say_hello(self, now: float, name: str | None = None) -> None:
        self._forget_requests()
        hello = m.Hello(name=self.name if name is None else name, key=self.key, client=f"zmq-chat {VERSION}")
        hello.invite, hello.link = self.invite, self.link
        self._send(hello, "hello", now)
        self._hello_due = now + self.every.ping

    def _ping(self, now: float) -> None:
        unfed = self._wants_feed and self._unfed()
        asked = {room: one for room, one in self.rooms.items() if unfed or room in self.off_feed}
        self._send(m.Ping(commit=self._commit, rooms=list(asked)), "ping", now, asked)
        self._ping_due = now + (self.every.ping_unfed if unfed and asked else self.every.ping)

    def _ask_who(self, now: float) -> None:
        if not self.watch or self.off_feed.closed:
            return
        if self.accepted and not self.attendance.known and self._who is None and now >= self._held:
            self._who = self._send(m.Who(), "who", now)

    def _send_asks(self, now: float) -> None:
        if self.accepted and now >= self._held:
            for token, request in self._asks.items():
                if token not in self._asked:
                    self._asked.add(token)
                    self._send(request, "ask", now, token)

    def _send_posts(self, now: float) -> None:
        while self.accepted and (row := self.flight.next(now)) is not None:
            request = next(self._ids)
            self._effects.append(Send(wire.encode(self.flight.sent(request, row, now))))

    def _ask_history(self, now: float) -> None:
        if not self.accepted or self._history is not None or now < self._held:
            return
        for following in self.rooms.values():
            if following.forking:
                self._history = self._send(
                    m.Fork(room=following.room, points=following.points()), "fork", now, following
                )
                return
            if (gap := following.gap()) is not None:
                following.told_since = 0
                page = m.Page(room=following.room, after=gap[0], upto=gap[1])
                self._history = self._send(page, "page", now, following)
                return

    def _expire(self, now: float) -> None:
        self.flight.tick(now)
        for request in [request for request, pending in self._pending.items() if pending.deadline <= now]:
            self._forget_one(self._pending.pop(request))

    def _forget_one(self, pending: _Pending) -> None:
        """No answer in time, or a refusal "later": it may be asked again."""
        if pending.kind in ("page", "fork"):
            self._history = None
        elif pending.kind == "who":
            self._who = None
        elif pending.kind == "ask":
            self._asked.discard(pending.what)

    # Replies.

    def _answer(self, pending: _Pending, reply: m.AnyReply, now: float) -> None:
        if isinstance(reply, m.Refused):
            if reply.verdict == "later" and reply.code not in ("hello_first", "expected"):
                self._effects.append(Held(reply))
            self._on_refused(pending, reply, now)
        elif isinstance(reply, m.Waiting):
            self._on_waiting(reply, now)
        elif pending.kind == "ask":
            self._tell(pending, reply)
        elif isinstance(reply, m.Welcome):
            self._on_welcome(reply, pending.had, now)
        elif isinstance(reply, m.Marked):
            self._on_marked(reply, pending.had, now)
        elif isinstance(reply, m.Pong):
            self._on_pong(reply, pending, now)
        elif isinstance(reply, m.Paged):
            self._on_page(reply, pending)
        elif isinstance(reply, m.Forked):
            self._on_forked(reply, pending.what)
        elif isinstance(reply, m.Here):
            self._who = None
            self._effects += self.attendance.snapshot(reply.version, reply.people)

    def _on_refused(self, pending: _Pending, reply: m.Refused, now: float) -> None:
        if pending.kind == "hello":
            if reply.code == "name_needed" and self.fallback_name:
                self._say_hello(now, self.fallback_name)
            elif reply.verdict == "later":
                self._drop(self.posts, now)
                self._put_off = self.posts.retry = max(self.posts.retry, now + hold_seconds(reply, 0.0))
                self.meeting.found()
            else:
                self.refused = True
                self.meeting.found()
                self._effects.append(TurnedAway(reply))
                self._drop(self.posts, now)
                self._drop(self.feed, now)
        elif reply.verdict == "later":
            self._forget_one(pending)
            self._held = now + hold_seconds(reply, self.every.hold)  # asking again at once would be a storm
        elif pending.kind == "ask":
            self._tell(pending, reply)
        elif pending.kind in ("page", "fork"):
            self._history = None
            following = pending.what
            assert isinstance(following, Following)
            # Who stopped following and began anew meanwhile is not meant.
            meant = self.rooms.get(following.room) is following
            if meant and (reply.code == "not_allowed" or (following.room in self.off_feed and reply.code in CLOSED)):
                self._remove(following.room)
            elif meant and following.have:
                # The room is gone, which the log of this broker never does: another history without it.
                self._rewind(following, 0)
            else:
                following.rewind(0)

    def _tell(self, pending: _Pending, reply: m.Reply) -> None:
        """Give the application the answer to what it asked, unless it has lost interest."""
        token = pending.what
        assert isinstance(token, int)
        self._asked.discard(token)
        self.off_feed.learn(reply)
        if self._asks.pop(token, None) is not None:
            self._effects.append(Answered(token, reply))

    def _on_welcome(self, welcome: m.Welcome, had: dict[str, int], now: float) -> None:
        self.accepted, self.waiting = True, None
        self.meeting.found()
        self.posts.failures = 0
        self.off_feed.welcome(welcome, self.home != welcome.home)
        self._commit = welcome.commit
        self._feed_port = welcome.feed
        another = bool(self.epoch) and self.epoch != welcome.epoch
        self.home, self.epoch = welcome.home, welcome.epoch
        self.invite = self.link = ""  # they count once, and our key is known now
        self.attendance.begin(welcome.boot)
        self._directory = -1
        self._effects.append(Welcomed(welcome, self.meeting.pin != OPEN))
        self._remove_but(self.off_feed.mine, self.rooms)
        if another:
            self._another_history()
        for room in welcome.rooms:
            self._on_head(room.id, room.head, had)
        if self.off_feed.closed:
            self._drop(self.feed, now)
        elif self.feed.up:
            self._open_barrier(now)
        self._ping_due = now
        self.tick(now)

    def _on_marked(self, reply: m.Marked, had: dict[str, int], now: float) -> None:
        if reply.epoch != self.epoch:
            self._drop(self.posts, now)
            return
        barrier = self.barrier
        if barrier is not None and reply.re > barrier.replied:
            barrier.replied, barrier.heads, barrier.had = reply.re, reply.heads, had
            self._try_barrier(now)

    def _on_pong(self, reply: m.Pong, pending: _Pending, now: float) -> None:
        if reply.epoch != self.epoch:
            self._drop(self.posts, now)  # the welcome of a new hello says what that means
            return
        self._commit = max(self._commit, reply.commit)
        assert isinstance(pending.what, dict)
        asked = [room for room, following in pending.what.items() if self.rooms.get(room) is following]
        if reply.rooms is not None:
            self.off_feed.mine = set(reply.rooms)
            self._remove_but(reply.rooms, asked)
        for room, head in reply.heads.items():
            self._on_head(room, head, pending.had)
        self._on_missing([room for room in asked if room in self.rooms], reply.heads, pending.had)
        if reply.rooms is not None:
            self._effects.append(MyRooms(reply.rooms))
        if self.watch:
            self._effects.append(RoundTrip(now - pending.at))
            self._on_directory(reply.directory)
            if self._unfed():  # else the feed is still to say it, and the beat tells if it does not
                self.attendance.told(reply.boot, reply.presence)

    def _on_page(self, reply: m.Paged, pending: _Pending) -> None:
        self._history = None
        following = self.rooms.get(reply.room)
        if following is None or following is not pending.what:
            return  # where the page begins says nothing of one that was begun anew
        following.doubted = False
        events = [wire.decode_event(event) for event in reply.events]
        if following.prove(reply.first):
            return
        after = following.have
        if following.skip(reply.first):
            self._effects.append(Walled(reply.room, after, reply.first))
        if not events:
            following.empty(reply.head[0])
        self._take(reply.room, events)
        self._on_head(reply.room, reply.head, pending.had)

    def _on_forked(self, reply: m.Forked, asked_for: object) -> None:
        self._history = None
        following = self.rooms.get(reply.room)
        # Who stopped following and began anew meanwhile has nothing to do with the points that were compared.
        if following is not None and following is asked_for and following.narrow(reply.seq):
            if following.proving and following.common == following.have:
                following.proving = following.forking = False
                following.proved = following.have
                return
            self._rewind(following, following.common)
            # The heads are told again by the page that is asked for next.
            following.told = following.have + 1

    def _settle(self, reply: m.Posted | m.Refused, now: float) -> None:
        outcome = self.flight.answered(reply, now)
        if isinstance(outcome, Holding):
            self._effects.append(Held(outcome.reply))
        elif outcome is not None:
            self._effects.append(outcome)

    # What comes unasked, and rooms that are not on the feed.

    def _on_waiting(self, reply: m.Waiting, now: float) -> None:
        known, self.waiting = self.waiting, reply
        self.posts.failures = 0
        self.meeting.found()
        self._drop(self.feed, now)
        if known is None:
            self._effects.append(Waits(reply))

    def _on_events(self, reply: m.Events, now: float) -> None:
        if not self.accepted:
            return  # the welcome tells the head
        if reply.epoch != self.epoch:
            self._drop(self.posts, now)  # as with a pong
            return
        if reply.room not in self.rooms and reply.room not in self.off_feed.mine:
            self.off_feed.mine.add(reply.room)
            self._ping_due = now  # somebody talks to me in a room that I do not know: the pong tells of it
        self.off_feed.note_heard(reply.room)
        with contextlib.suppress(WireError):  # what cannot be read leaves a gap, and is asked for
            self._take(reply.room, [wire.decode_event(event) for event in reply.events])

    def _on_notice(self, notice: m.Notice, now: float) -> None:
        if notice.kind in LAST_WORDS and not notice.room:
            self.meeting.shut_out(last_word(notice, self.meeting.where), now)
            self._drop(self.feed, now)
            self._drop(self.posts, now, BANNED)
            return
        if notice.kind == "admitted" or (notice.kind == "role" and not notice.room):
            self._say_hello(now)  # the welcome tells what we may do now
        if notice.kind == "removed" and notice.room in self.rooms and notice.room in self.off_feed:
            self._remove(notice.room, notice.by, notice.reason)
        else:
            self._effects.append(Noticed(notice))

    def _remove_but(self, mine: Iterable[str], rooms: Iterable[str]) -> None:
        """Of these rooms, those that are not on the feed can be read only if they are mine."""
        for room in self.off_feed.lost(rooms, mine):
            self._remove(room)

    def _remove(self, room: str, by: str = "", reason: str = "") -> None:
        if self.rooms.pop(room, None) is not None:
            self.off_feed.mine.discard(room)
            self._effects.append(Removed(room, by, reason))

    def _on_feed(self) -> list[str]:
        """The rooms that are followed there."""
        return [room for room in self.rooms if room not in self.off_feed]

    # The feed and the barrier.

    def _on_beat(self, beat: m.Beat, now: float) -> None:
        if beat.epoch != self.epoch:
            self._drop(self.posts, now)
            return
        last = self._beat
        if last is not None and last[0] == beat.boot and beat.k <= last[1]:
            return  # an old one
        if last is not None:  # the count begins with the marker; until that is heard, the barrier is open anyway
            self._beat = beat.boot, beat.k
            if self._beat != (last[0], last[1] + 1):
                self._open_barrier(now)
        for room, head in beat.heads.items():
            self._on_head(room, head)
        if self.watch:
            self._on_directory(beat.directory)
            self.attendance.told(beat.boot, beat.presence)

    def _on_directory(self, number: int) -> None:
        if number != self._directory:
            self._directory = number
            self._effects.append(Directory())

    def _open_barrier(self, now: float) -> None:
        """Prove anew that the subscriptions are live; whatever an earlier proof is still to bring is ignored."""
        if self.barrier is not None:
            self._effects.append(Subscribe(wire.MARKER_TOPIC + self.barrier.nonce, on=False))
        nonce = f"{self._dice.getrandbits(128):032x}"
        self.barrier = Barrier(nonce, now, self.every.marker_first)
        self._effects.append(Subscribe(wire.MARKER_TOPIC + nonce))
        self._send_marker(now)

    def _send_marker(self, now: float) -> None:
        barrier = self.barrier
        if barrier is None or not self.accepted or not self.feed.up or now < barrier.due:
            return
        self._send(m.Marker(nonce=barrier.nonce, rooms=self._on_feed()), "marker", now)
        barrier.due = now + barrier.wait
        barrier.wait = min(barrier.wait * 2, self.every.marker_most)

    def _try_barrier(self, now: float) -> None:
        barrier = self.barrier
        if barrier is None or barrier.heard is None or barrier.replied < barrier.heard:
            return
        self.barrier = None
        self._effects.append(Subscribe(wire.MARKER_TOPIC + barrier.nonce, on=False))
        for room, head in barrier.heads.items():
            self._on_head(room, head, barrier.had)
        self._on_missing([room for room in barrier.had if room not in self.off_feed], barrier.heads, barrier.had)

    # Rooms.

    def _take(self, room: str, events: Iterable[m.Event]) -> None:
        following = self.rooms.get(room)
        if following is None or following.forking:
            return
        try:
            applied = following.take(events)
        except DivergedError as problem:
            applied = problem.applied
            following.diverge()
        if applied:
            self._effects.append(Arrived(room, applied))

    def _on_missing(self, asked: Iterable[str], heads: dict[str, m.Head], had: dict[str, int]) -> None:
        """Of these rooms the heads were asked for: one that is not told is not there (any more), or closed to us."""
        for room in asked:
            if room in self.off_feed:
                self.off_feed.note_told(room)
                if room not in heads:
                    self.rooms[room].doubted = True  # a page is asked for, and its refusal says it
            elif room not in heads:
                self._on_head(room, (0, START), had)

    def _on_head(self, room: str, head: m.Head, had: dict[str, int] | None = None) -> None:
        following = self.rooms.get(room)
        if following is None or following.forking:
            return
        try:
            following.head(*head, had.get(room, 0) if had is not None else 0)
        except DivergedError:
            following.diverge()

    def _another_history(self) -> None:
        for following in self.rooms.values():
            if following.chains:
                following.diverge()
            else:  # nothing of it was read: say so, and go on
                self._rewind(following, following.have)

    def _rewind(self, following: Following, seq: int) -> None:
        """Go back to a point that both histories have, and say so."""
        following.rewind(seq)
        # What was asked before and is still to be answered says nothing of what is read from here on.
        asked = [pending.had for pending in self._pending.values()]
        if self.barrier is not None:
            asked.append(self.barrier.had)
        for had in asked:
            if following.room in had:
                had[following.room] = min(had[following.room], seq)
        self._effects.append(Rewound(following.room, seq, self.epoch))

    @property
    def _wants_feed(self) -> bool:
        return not self.off_feed.closed and (self.watch or bool(self._on_feed()))

    def _unfed(self) -> bool:
        """Is the feed not known to be live?"""
        return self.barrier is not None or not self.feed.up

    # What people see.

    def _note_status(self) -> None:
        status = self._derived_status()
        if status != self._status:
            self._status = status
            self._effects.append(status)

    def _derived_status(self) -> Status:
        if self.refused:
            return Status("refused", "the broker does not let us in")
        if self.waiting is not None:
            return Status("waiting", self.waiting.text)
        if not self.accepted:
            trouble = self.meeting.trouble
            if trouble is not None:
                return Status("offline", trouble.text, trouble.code)
            if self.meeting.asking:
                return Status("offline", "met a broker that nobody has confirmed yet")
            return Status("offline", "looking for the broker")
        behind = any(following.gap() or following.forking for following in self.rooms.values())
        if self._wants_feed and self._unfed():
            if self.feed.failures > 1:
                return Status("syncing" if behind else "joining", "the feed is blocked: following by asking")
            return Status("joining", "joining")
        if self.off_feed.untold(self.rooms):
            return Status("joining", "joining")
        return Status("syncing", "catching up") if behind else Status("live", "connected")
