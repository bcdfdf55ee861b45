"""A thousand clients in one process: real sessions over plain sockets, so that they ask what real clients ask."""

import heapq
import math
import random
import select
import time
from collections.abc import Callable
from hashlib import blake2b

from benchmarks.audience import PATIENCE_SECONDS
from benchmarks.newcomer import ROOM
from benchmarks.zmtp import Peer
from chat_client import effects
from chat_client.meeting import OPEN
from chat_client.session import Session
from chat_core import messages as m

TOGETHER = 50


class Guest:
    """One client: comes in, joins the room, and follows it from where it then is."""

    def __init__(self, crowd: "Crowd", place: int) -> None:
        name = f"guest {place}"
        key = blake2b(name.encode(), digest_size=20).hexdigest()
        self.session = Session(key, name, dice=random.Random(place), watch=True, pin=OPEN)
        self.place, self.live = place, False
        self.messages = 0
        self.due = math.inf
        self._crowd = crowd
        self._lines: dict[str, tuple[int, Peer]] = {}

    def come(self, now: float) -> None:
        """Begin."""
        self.session.start(now)
        self.carry_out(now)

    def hear(self, line: str, now: float) -> None:
        """Something has come in."""
        generation, peer = self._lines[line]
        hand_over = self.session.replied if line == "posts" else self.session.heard
        for message in peer.receive():
            hand_over(generation, message, now)
        self.carry_out(now)

    def carry_out(self, now: float) -> None:
        """What the session wants, until it wants nothing more."""
        while wanted := self.session.take():
            for effect in wanted:
                self._do(effect, now)

    def close(self) -> None:
        """Hang up."""
        for _, peer in self._lines.values():
            peer.close()

    def _do(self, effect: effects.Effect, now: float) -> None:
        match effect:
            case effects.Open():
                peer = Peer(effect.port or self._crowd.port, "DEALER" if effect.line == "posts" else "SUB")
                self._lines[effect.line] = effect.generation, peer
                self._crowd.watch(self, effect.line, peer)
            case effects.Close():
                raise AssertionError(f"a line of {self.session.name} was closed")
            case effects.Send():
                self._lines["posts"][1].send(effect.payload)
            case effects.Subscribe():
                self._lines["feed"][1].subscribe(effect.topic.encode() + b"\0", effect.on)
            case effects.Welcomed():
                self.session.ask(1, m.Join(room=ROOM), now)
            case effects.Answered():
                assert isinstance(effect.reply, m.Joined), effect.reply
                self.session.follow(ROOM, *effect.reply.room.head, now=now)
            case effects.Status():
                self.live = effect.state == "live" and bool(self.session.rooms)
            case effects.Arrived():
                self.messages += sum(event.kind == "message" for event in effect.events)
            case _:
                pass


class Crowd:
    """So many guests at a broker."""

    def __init__(self, port: int, size: int) -> None:
        self.port = port
        self.guests = [Guest(self, place) for place in range(size)]
        self._poll = select.epoll()
        self._by_socket: dict[int, tuple[Guest, str]] = {}
        self._due: list[tuple[float, int]] = []

    def watch(self, guest: Guest, line: str, peer: Peer) -> None:
        """A guest has opened a line."""
        self._by_socket[peer.fileno()] = guest, line
        self._poll.register(peer, select.EPOLLIN)

    def come(self) -> None:
        """All of them, some at a time: each hears of all who come later, and that is much for one process."""
        for place, guest in enumerate(self.guests):
            guest.come(time.monotonic())
            self._note_deadline(guest)
            if place % TOGETHER == TOGETHER - 1 or guest is self.guests[-1]:
                here = self.guests[: place + 1]
                assert self.run(lambda here=here: all(guest.live for guest in here)), "not all got in"

    def run(self, done: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
        """Go on until it is so, or for so long; returns whether it is."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._turn(left)
        return True

    def close(self) -> None:
        """All go."""
        for guest in self.guests:
            guest.close()
        self._poll.close()

    def _turn(self, seconds: float) -> None:
        wait = min(seconds, self._due[0][0] - time.monotonic()) if self._due else seconds
        for number, _ in self._poll.poll(max(0.0, wait)):
            guest, line = self._by_socket[number]
            guest.hear(line, time.monotonic())
            self._note_deadline(guest)
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, place = heapq.heappop(self._due)
            guest = self.guests[place]
            if guest.due <= now:
                guest.session.tick(now)
                guest.carry_out(now)
            guest.due = math.inf
            self._note_deadline(guest)

    def _note_deadline(self, guest: Guest) -> None:
        due = guest.session.deadline(time.monotonic())
        if due < guest.due:
            guest.due = due
            heapq.heappush(self._due, (due, guest.place))
