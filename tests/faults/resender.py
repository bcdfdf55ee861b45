"""A user who trusts nobody: posts by plain ZeroMQ and sends everything again and again, in and out of order.

    python -m tests.faults.resender --broker 127.0.0.1:5555 --folder eve --name eve --journal eve.jsonl --rate 60

Of the requests it sends so many a second, about half are repeats of posts that were acknowledged long ago, and some
come before their turn. Whatever the broker says of a number, it has to say again, to whatever process. It takes the
flags and commands of `tests.faults.worker`; a post's sender, number, room and text follow from its label and seed.
"""

import contextlib
import os
import random
import select
import sys
from hashlib import blake2b

import zmq
from msgspec import Raw

from chat_client.identity import open_identity
from chat_core import messages as m
from chat_core import wire
from chat_core.address import parse_address
from chat_core.errors import WireError
from tests.curve import encrypt
from tests.faults import journal as j
from tests.faults.worker import LOOK_SECONDS, Pace, flags, number_of
from tests.telling import tell

# Posts on their way that were never acknowledged.
AHEAD = 32
# A connection on which nothing was heard for so long is made anew.
SILENCE_SECONDS = 2.0


class Resender:
    """See the module."""

    def __init__(self) -> None:
        self._told = flags()
        self._rooms = self._told.rooms.split(",")
        self._sender = blake2b(f"{self._told.seed} {self._told.label}".encode(), digest_size=8).hexdigest()
        before = j.read_journal(self._told.journal)
        self._dice = random.Random(f"{self._told.seed} {self._told.label} {len(j.entries_of(before, j.Started))}")
        self._journal = j.Journal(self._told.journal)
        self._journal.note(j.Started(j.now(), self._told.name, self._told.label, os.getpid()))
        self._last = max((number_of(entry.text) for entry in before if isinstance(entry, j.Kept)), default=0)
        self._open = set(range(1, self._last + 1))  # not acknowledged, as far as this process knows
        self._asked: dict[int, int] = {}  # request -> number
        self._requests = 0
        self._stopping = self._ending = self._said_settled = self._welcome = False
        self._entering: set[str] = set()
        self._deadline = float("inf")
        self._identity = open_identity(self._told.folder)
        self._context = zmq.Context()
        self._pace = Pace(self._told.rate)
        self._connect()

    def run(self) -> None:
        """Until standard input ends and everything is acknowledged; or the patience."""
        while not (self._ending and not self._open):
            if j.now() > self._deadline:
                sys.exit(f"{self._told.label} is not done: {len(self._open)} of {self._last} open")
            self._turn()
        self._journal.note(j.Ended(j.now()))
        self._context.destroy(linger=0)

    def _turn(self) -> None:
        self._wait(max(0.0, min(self._pace.wait(), LOOK_SECONDS)))
        while self._socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            self._take(self._socket.recv())
        if j.now() - self._heard > SILENCE_SECONDS:
            self._connect()
        if self._welcome and not self._entering:
            while self._pace.take():
                self._post(self._choose())
        if self._stopping and not self._open and not self._said_settled:
            self._said_settled = True
            tell("settled")

    def _wait(self, seconds: float) -> None:
        watched = [self._socket.getsockopt(zmq.FD)] if self._ending else [self._socket.getsockopt(zmq.FD), 0]
        if self._socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            return
        ready, _, _ = select.select(watched, [], [], seconds)
        if 0 in ready:
            self._stopping = True
            self._ending = not os.read(0, 4096)
            self._deadline = j.now() + self._told.patience

    # What is sent.

    def _connect(self) -> None:
        if hasattr(self, "_socket"):
            self._socket.close(0)
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        broker, me = parse_address(self._told.broker), self._identity
        encrypt(self._socket, broker.key, (me.public.encode(), me.secret().encode()))
        self._socket.connect(broker.posts)
        self._heard = j.now()
        self._say_hello()

    def _say_hello(self) -> None:
        self._welcome = False
        self._asked.clear()
        self._send(m.Hello(name=self._told.name, key=self._identity.public, client="a resender"))

    def _choose(self) -> int:
        """The number to send: a new one, one that is not acknowledged, one from long ago, or one before its turn."""
        chance = self._dice.random()
        first = min(self._open, default=self._last + 1)
        if chance < 0.45 or not self._last:
            return self._next(first)
        if chance < 0.6 and self._open:
            return self._dice.choice(sorted(self._open))
        return self._dice.randint(1, self._last)

    def _next(self, first: int) -> int:
        """A new number, unless too many are open; then the first of those, or nothing would ever move."""
        if self._stopping or len(self._open) >= AHEAD:
            return min(first, self._last)
        self._last += 1
        self._open.add(self._last)
        self._journal.note(j.Kept(j.now(), self._room(self._last), self._text(self._last)))
        return self._last

    def _post(self, n: int) -> None:
        body = wire.encode(m.Message(self._text(n)))
        post = m.Post(room=self._room(n), body=Raw(body), sender=self._sender, n=n)
        self._asked[self._send(post)] = n

    def _text(self, n: int) -> str:
        return f"{self._told.label} {n}"

    def _room(self, n: int) -> str:
        return random.Random(f"{self._told.seed} {self._text(n)}").choice(self._rooms)

    def _send(self, request: m.Request) -> int:
        self._requests += 1
        request.id = self._requests
        with contextlib.suppress(zmq.Again):  # lost, like so much else
            self._socket.send(wire.encode(request), zmq.DONTWAIT)
        return request.id

    # What is answered.

    def _take(self, frame: bytes) -> None:
        self._heard = j.now()
        try:
            reply = wire.decode_reply(frame)
        except WireError:
            return
        if isinstance(reply, m.Welcome):
            self._on_welcome()
        elif isinstance(reply, m.Joined):
            self._entering.discard(reply.room.id)
        elif isinstance(reply, m.Posted):
            self._on_posted(reply)
        elif isinstance(reply, m.Refused):
            self._on_refused(reply)

    def _on_welcome(self) -> None:
        self._welcome = True
        self._entering = set(self._rooms)
        for room in self._rooms:
            self._send(m.Join(room=room))

    def _on_posted(self, reply: m.Posted) -> None:
        n = self._asked.pop(reply.re, None)
        if n is not None:
            self._open.discard(n)
            self._journal.note(j.Settled(j.now(), reply.room, reply.seq, self._text(n)))

    def _on_refused(self, reply: m.Refused) -> None:
        n = self._asked.pop(reply.re, None)
        if reply.code == "hello_first":
            if self._welcome:
                self._say_hello()
        elif reply.verdict == "final" and n is not None:
            self._open.discard(n)
            self._journal.note(j.Turned(j.now(), self._text(n), reply.code))
        elif n is None:  # of the hello, or of a room that nobody has made yet
            self._welcome = False  # silence then makes a new connection


if __name__ == "__main__":
    Resender().run()
