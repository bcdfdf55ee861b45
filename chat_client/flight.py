"""The posts on their way: which are sent, which are next, and what a refusal does to the others. Pure (SESSION.md)."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import Raw, Struct

from chat_core.messages import Post, Posted, Refused

Key = tuple[str, int]
# Whatever a refusal says, by then it is tried again: the limit may have been lifted meanwhile.
LONGEST_HOLD_SECONDS = 60.0


class Row(Struct, frozen=True):
    """A post as the outbox keeps it. (``sender``, ``n``) stay what they were at its first sending, for ever.

    ``fixed``: they were derived from a key of the user's, and may not be replaced by others.
    """

    sender: str
    n: int
    room: str
    kind: str
    body: bytes
    fixed: bool = False


@dataclass(frozen=True)
class Settled:
    """A post is done with: in the log, or refused for good."""

    row: Row
    reply: Posted | Refused


@dataclass(frozen=True)
class Renumber:
    """The sender's rows from ``first`` on need a fresh sender: the broker's count of this one does not fit.

    That means all of them on disk, those too that are still on their way to the session, which will not send them.
    """

    sender: str
    first: int


@dataclass(frozen=True)
class Holding:
    """The broker does not take posts for now, and says why; the flight goes on by itself."""

    reply: Refused


def hold_seconds(reply: Refused, least: float) -> float:
    """For how long to ask nothing after a refusal that is not for good."""
    return min(reply.retry / 1000, LONGEST_HOLD_SECONDS) or least


@dataclass
class Flight:
    """Rows that are on disk, in order; at most ``limit`` of them in flight, of one sender at a time."""

    limit: int = 64
    hold_seconds: float = 0.5
    patience_seconds: float = 3.0
    rows: OrderedDict[Key, Row] = field(
        default_factory=OrderedDict
    )  # a dict is slow to lose its first, again and again
    held_until: float = 0.0
    retired: dict[str, int] = field(default_factory=dict)  # sender -> the first number that it lost to a fresh one
    _unsent: deque[Key] = field(default_factory=deque)
    _pending: dict[int, tuple[Key, float]] = field(default_factory=dict)  # request id -> key, deadline

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows behind the others."""
        for row in rows:
            if row.n < self.retired.get(row.sender, row.n + 1) and (row.sender, row.n) not in self.rows:
                self.rows[row.sender, row.n] = row
                self._unsent.append((row.sender, row.n))

    def next(self, now: float) -> Row | None:
        """The row to send now, if any."""
        while self._unsent and self._unsent[0] not in self.rows:
            self._unsent.popleft()
        if not self._unsent or now < self.held_until or len(self._pending) >= self.limit:
            return None
        key = self._unsent[0]
        first = next(iter(self.rows))
        # One sender's rows are finished before the next one's begin: they were said before.
        return self.rows[key] if key[0] == first[0] else None

    def sent(self, request: int, row: Row, now: float) -> Post:
        """Note that the row goes out as this request; returns the request."""
        self._unsent.popleft()
        self._pending[request] = (row.sender, row.n), now + self.patience_seconds
        return Post(request, row.room, row.kind, Raw(row.body), row.sender, row.n)

    def answered(self, reply: Posted | Refused, now: float) -> Settled | Renumber | Holding | None:
        """A reply; one to a request that is no longer pending says nothing."""
        pending = self._pending.pop(reply.re, None)
        if pending is None or (row := self.rows.get(pending[0])) is None:
            return None
        if isinstance(reply, Posted):
            del self.rows[pending[0]]
            return Settled(row, reply)
        if reply.code in ("expected", "conflict", "foreign_sender"):
            return self._misnumbered(row, reply)
        if reply.verdict == "later":
            self.held_until = now + hold_seconds(reply, self.hold_seconds)
            self.rewind()
            return Holding(reply)
        del self.rows[pending[0]]
        return Settled(row, reply)

    def rewind(self) -> None:
        """Begin again at the first row: replies to what was sent before are no longer pending."""
        self._pending.clear()
        self._unsent = deque(self.rows)

    def tick(self, now: float) -> None:
        """A post that nobody answered in time: begin again."""
        if self._pending and next(iter(self._pending.values()))[1] <= now:
            self.rewind()

    def deadline(self) -> float:
        """When `tick` or `next` has something to do, other than by a call."""
        if self._pending:
            return next(iter(self._pending.values()))[1]
        return self.held_until if self.rows else float("inf")

    def __len__(self) -> int:
        return len(self.rows)

    def _misnumbered(self, row: Row, reply: Refused) -> Settled | Renumber | None:
        first = min(n for sender, n in self.rows if sender == row.sender)
        if reply.code == "expected" and reply.expected >= first:
            self.rewind()
            return None
        if row.fixed:
            del self.rows[row.sender, row.n]
            return Settled(row, reply)
        first = self.retired[row.sender] = row.n if reply.code == "conflict" else first
        for key in [key for key in self.rows if key[0] == row.sender and key[1] >= first]:
            del self.rows[key]
        self.rewind()
        return Renumber(row.sender, first)
