"""What the window's state wants done by the threads behind it, and what the disk answers. Plain data."""

from dataclasses import dataclass, field

from chat_client.flight import Row
from chat_core import messages as m

# ---- orders --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Keep:
    """Write a post to the outbox and send it; ``key`` comes back with `Kept` or `NotKept`."""

    key: str
    room: str
    kind: str
    body: bytes


@dataclass(frozen=True)
class Ask:
    """Ask the broker; ``token`` comes back with `Answered`."""

    token: int
    request: m.Request


@dataclass(frozen=True)
class Follow:
    """Read a room from behind ``have`` on, which had this chain (None: not known), and keep a copy of it."""

    room: str
    name: str
    have: int
    chain: str | None
    kind: str = "open"


@dataclass(frozen=True)
class Close:
    """A room cannot be read any more, and why; what is kept of it stays."""

    room: str
    why: str


@dataclass(frozen=True)
class Unfollow:
    """Read a room no longer. ``forget``: nor keep the copy of it."""

    room: str
    forget: bool = True


@dataclass(frozen=True)
class Look:
    """Look up the events after ``after`` up to ``upto`` in the copy; ``token`` comes back with `Found`."""

    token: int
    room: str
    after: int
    upto: int


@dataclass(frozen=True)
class Store:
    """Keep a copy of these events, which lie before those that are kept. ``walls``: those among them (`walls`)."""

    room: str
    events: list[m.Event]
    walls: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MarkRead:
    """The user has read the room up to this event."""

    room: str
    seq: int


@dataclass(frozen=True)
class KeepDraft:
    """What stands in the composer of a room, unsent; "": nothing."""

    room: str
    text: str


@dataclass(frozen=True)
class Trust:
    """The user has confirmed that this, which came as `effects.Met`, is the right broker."""

    answer: m.Answer


Order = Keep | Ask | Follow | Close | Unfollow | Look | Store | MarkRead | KeepDraft | Trust

# ---- answers of the disk -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """A room as the copy has it: events ``first`` to ``have`` (none if that is less), but for what lies behind
    ``walls``, and so many unread messages. ``closed``: why it cannot be read any more, if so."""

    room: str
    name: str
    first: int
    have: int
    chain: str | None
    read: int
    unread: int
    draft: str
    kind: str = "open"
    closed: str = ""
    walls: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """What is on this disk about a broker; replaces everything that was known. ``home`` "": none is known there."""

    home: str
    user: str
    name: str
    broker: str
    rooms: list[Known]
    unsent: list[Row]


@dataclass(frozen=True)
class Adopted:
    """These unsent posts of earlier processes are this one's now, and on their way."""

    rows: list[Row]


@dataclass(frozen=True)
class Kept:
    """The post is in the outbox, as this row."""

    key: str
    row: Row


@dataclass(frozen=True)
class NotKept:
    """The post could not be written to disk, and why: a sentence."""

    key: str
    text: str


@dataclass(frozen=True)
class Found:
    """The events that were looked up; None: not all of them are in the copy."""

    token: int
    events: list[m.Event] | None


@dataclass(frozen=True)
class DiskTrouble:
    """Something cannot be kept on this disk: a sentence. The chat goes on."""

    text: str


@dataclass(frozen=True)
class Unusable:
    """The identity's folder cannot be used: a sentence. There is no chat without it."""

    text: str


@dataclass(frozen=True)
class Unreachable:
    """Why no broker answers at the address, as far as can be found out: a sentence."""

    text: str
