"""The client library: a session, its link and its outbox behind plain calls, for programs without a window.

    with Client(parse_address("chat://192.168.1.20:5555?key=..."), open_identity(folder), name="ann") as client:
        client.connect(10)
        client.follow("lobby")
        client.post("lobby", "hello")
        for news in client.news():
            ...

Everything but the link runs in the caller's thread, in `connect`, `ask` and `next`.
"""

import itertools
import queue
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from chat_client import effects
from chat_client import session as s
from chat_client.flight import Renumber, Row, Settled
from chat_client.identity import Identity
from chat_client.link import Context, Link
from chat_client.outbox import Outbox
from chat_client.pins import Accept, Trust
from chat_client.troubles import LASTING, PASSING
from chat_core import messages as m
from chat_core import names, wire
from chat_core.address import Address
from chat_core.chain import START
from chat_core.errands import find_direct
from chat_core.errors import RefusedError, TroubleError, UnreachableError

# Lines read ahead of their acknowledgement.
LINES_AHEAD = 2000


@dataclass(frozen=True)
class Line:
    """A line of the stream that `Client.read_lines` reads; None at its end."""

    text: str | None


@dataclass(frozen=True)
class Renumbered:
    """These rows have a fresh sender: each as it was and as it is."""

    rows: dict[Row, Row]


News = effects.Effect | Line | Renumbered


def as_error(reply: m.Refused) -> RefusedError:
    """A refusal as an exception."""
    return RefusedError(reply.code, reply.text, reply.expected, reply.verdict, reply.retry)


def why_unreachable(address: Address) -> str:
    """What can be found out about an address at which no broker answers: a sentence. Waits for the name server."""
    text = address.text
    if address.scheme == "tcp":
        try:
            socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # a name that cannot even be looked up, such as "a..b"
            return f"There is no host {address.host!r} on this network: is the name right?"
    return f"No broker answers at {text}: is it running, and are address and port right?"


class Client:
    """One user at one broker. Belongs to the thread that made it."""

    def __init__(
        self,
        address: Address,
        identity: Identity,
        name: str = "",
        fallback_name: str = "",
        every: s.Intervals | None = None,
        context: Context | None = None,
        accept: Accept = "",
        link: str = "",
    ) -> None:
        """``fallback_name`` is used if the broker does not know the identity and no name is given. ``accept``: whom to
        trust where no broker is known yet and the address has no key (see `pins.Accept`); a function is called in this
        thread. ``link``: the one-time code that another machine of this user showed. Raises UntrustedError if the
        address has another key than the one that is known."""
        self.address, self.identity = address, identity
        self._trust = Trust(address, identity.folder, accept)
        self.outbox = Outbox(identity.folder, address.text)
        self.welcome: m.Welcome | None = None
        self.status = effects.Status("offline", "not connected yet")
        self.held: m.Refused | None = None  # why the broker cannot do what was asked last, at the moment
        self.waits: m.Waiting | None = None  # an admin has to let us in
        self._mine: deque[Row] = deque()  # rows to be sent once the broker is known
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._aside: deque[News] = deque()
        self._tokens = itertools.count(1)
        self._ahead = threading.Semaphore(LINES_AHEAD)
        self._session = s.Session(
            identity.public, name, fallback_name, dice=random.SystemRandom(), every=every, pin=self._trust.pin,
            where=address.text, invite=address.invite, link=link,
        )  # fmt: skip
        self._link = Link(self._session, address, self._news.put, context, identity=identity)
        self._started = False
        self._keys: dict[str, str] = {}  # the senders derived from keys

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Look for the broker, in the background."""
        self._started = True
        self._link.call(lambda session, now: session.start(now))
        self._link.start()

    def close(self) -> None:
        """Say bye. What is unsent stays in the outbox."""
        self._link.stop()
        self.outbox.close()

    def connect(self, seconds: float, tell: Callable[[str], object] = lambda text: None) -> m.Welcome:
        """Wait for the broker's welcome. Raises UnreachableError, RefusedError if it does not let us in (with code
        "waiting", an admin may still do so), UntrustedError if nobody has confirmed its key; TroubleError once
        something is wrong that waiting does not mend. ``tell``: gets sentences on what is waited for, for people."""
        if not self._started:
            self.start()
        deadline = time.monotonic() + seconds
        while self.welcome is None:
            news = self._receive(deadline - time.monotonic())
            if isinstance(news, effects.Waits):
                tell(news.reply.text)
            elif isinstance(news, effects.Trouble) and news.code in PASSING:
                # If that goes on, the sentences about it are told at the end.
                nobody = f"The broker at {self.address.text} does not answer yet."
                tell(f"{nobody if news.code == 'nobody' else news.text} Trying on.")
            if news is None:
                self._raise_waiting()
                raise UnreachableError(self._why_unreachable())
            if isinstance(news, effects.TurnedAway):
                raise as_error(news.reply)
            if isinstance(news, effects.Trouble) and news.code in (*LASTING, "stranger"):
                raise TroubleError(news.code, news.text)
            self._put_aside(news)
        return self.welcome

    def ask(self, request: m.Request, seconds: float = 10.0) -> m.Reply:
        """Ask the broker and wait for its answer. Raises RefusedError or UnreachableError."""
        token = next(self._tokens)
        self._link.call(lambda session, now: session.ask(token, request, now))
        deadline = time.monotonic() + seconds
        while True:
            news = self._receive(deadline - time.monotonic())
            if news is None:
                self._link.call(lambda session, now: session.forget(token))
                self._raise_waiting()
                if self.held is not None:
                    raise as_error(self.held)
                raise UnreachableError(f"The broker at {self.address.text} does not answer.")
            if isinstance(news, effects.Answered) and news.token == token:
                if isinstance(news.reply, m.Refused):
                    raise as_error(news.reply)
                return news.reply
            if isinstance(news, effects.TurnedAway):
                raise as_error(news.reply)
            self._put_aside(news)

    def direct(self, people: Sequence[str], seconds: float = 10.0) -> m.RoomInfo:
        """The room in which we talk with these people (names or ids) and nobody else; made if there is none yet. To be
        called when the broker has let us in. Raises as `ask`."""
        assert self.welcome is not None
        return find_direct(lambda request: self.ask(request, seconds), self.welcome.rooms, self.welcome.user, people)

    def follow(self, room: str, have: int = 0, chain: str | None = START) -> None:
        """Have a room's events delivered from behind ``have`` on, which had this chain (None: not known)."""
        self._link.call(lambda session, now: session.follow(room, have, chain, now))

    def remember(self, room: str, points: list[tuple[int, str]]) -> None:
        """Tell what was read in an earlier process, to find the fork after a restored backup."""
        self._link.call(lambda session, now: session.rooms[room].remember(points) if room in session.rooms else None)

    def post(self, room: str, text: str, key: str = "", n: int = 1) -> Row:
        """Keep a message in the outbox and send it; its fate comes as `Settled`. Raises RefusedError for a bad text.

        ``key``: the user's name for this message, with ``n``: however often it is posted, it counts once.
        """
        names.check_text(text)
        body = wire.encode(m.Message(text))
        row = self.outbox.add(room, "message", body, self._derived(key), n)
        self.send([row])
        return row

    def send(self, rows: list[Row]) -> None:
        """Send rows that are in the outbox."""
        if self.welcome is None:
            self._mine += rows
        else:
            self._link.call(lambda session, now: session.post(rows, now))

    def next(self, seconds: float | None = None) -> News | None:
        """The next news, or None if there was none for so long."""
        if self._aside:
            return self._aside.popleft()
        return self._receive(seconds)

    def news(self) -> Iterator[News]:
        """All news, for ever."""
        while True:
            yield self.next()  # type: ignore[misc]

    def read_lines(self, stream: TextIO) -> None:
        """Have the lines of a stream delivered as news, not further ahead than they are settled."""

        def read() -> None:
            try:
                for line in stream:
                    self._ahead.acquire()
                    self._news.put(Line(line.rstrip("\r\n")))
            finally:  # whatever happens to the stream, nobody may wait for more of it
                self._news.put(Line(None))

        threading.Thread(target=read, name="lines", daemon=True).start()

    def line_done(self) -> None:
        """One of the lines needs no more room."""
        self._ahead.release()

    def _raise_waiting(self) -> None:
        if self.waits is not None:
            text = f"No admin has let {self.waits.name} in yet. They are told that you wait: try again later."
            raise RefusedError("waiting", text)

    def _why_unreachable(self) -> str:
        if self.held is not None:
            return self.held.text
        known = self.status.trouble not in ("", "nobody")
        return self.status.text if known else why_unreachable(self.address)

    def _put_aside(self, news: News) -> None:
        """Keep for `next` what came while something else was waited for; `status` has what these would say."""
        if not isinstance(news, effects.Status | effects.Trouble | effects.Met):
            self._aside.append(news)

    def _receive(self, seconds: float | None) -> News | None:
        """The next news as they come, after what has to be done about it."""
        try:
            news = self._news.get(timeout=None if seconds is None else max(0.0, seconds))
        except queue.Empty:
            return None
        if isinstance(news, effects.Met):
            pin = self._trust.met(news.answer)
            self._link.call(lambda session, now: session.trust(pin, now))
        elif isinstance(news, effects.Welcomed):
            self._trust.keep()
            self.outbox.learn(news.welcome.home)
            known, self.welcome, self.waits = self.welcome, news.welcome, None
            if known is None or known.home != news.welcome.home:
                # What an earlier process left for this broker was said before what this one says.
                self.send(self.outbox.adopt() + list(self._mine))
                self._mine.clear()
        elif isinstance(news, Settled):
            self.outbox.settle(news.row)
        elif isinstance(news, Renumber):
            moved = self.outbox.renumber(news.sender, news.first)
            self.send(list(moved.values()))
            return Renumbered(moved)
        elif isinstance(news, effects.Status):
            self.status = news
        elif isinstance(news, effects.Held):
            self.held = news.reply
        elif isinstance(news, effects.Waits):
            self.waits = news.reply
        if isinstance(news, Settled | effects.Answered):
            self.held = None
        return news

    def _derived(self, key: str) -> str:
        """The sender for a key of the user's: the same in every process of this identity, nobody else's."""
        if key and key not in self._keys:
            self._keys[key] = self.identity.derived(key)
        return self._keys[key] if key else ""
