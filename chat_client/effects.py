"""What a session wants: orders for the link, news for the application. Plain data (session.py explains them)."""

from dataclasses import dataclass, field

from chat_client.flight import Renumber, Settled
from chat_core import messages as m

# ---- effects: orders for the link ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Open:
    """Open a line: "posts", "feed" on the port that the broker told, "door", or "probe", which only looks whether
    anybody is at the posts port. ``key``: encrypted for the broker that has this key; "": not."""

    line: str
    generation: int
    port: int = 0
    key: str = ""


@dataclass(frozen=True)
class Close:
    """Close a line."""

    line: str


@dataclass(frozen=True)
class Subscribe:
    """Subscribe the feed to a topic, or with ``on`` False no longer."""

    topic: str
    on: bool = True


@dataclass(frozen=True)
class Send:
    """Send a request on the posts line, or a knock on the door's."""

    payload: bytes
    line: str = "posts"


# ---- effects: news for the application -------------------------------------------------------------------------


@dataclass(frozen=True)
class Met:
    """What the door of a broker says that nobody has confirmed yet: `Session.trust` is to be called, or not."""

    answer: m.Answer


@dataclass(frozen=True)
class Trouble:
    """Why nobody lets us in: a code of `troubles` and its sentences. The session goes on trying."""

    code: str
    text: str


@dataclass(frozen=True)
class Welcomed:
    """The broker let us in. ``encrypted``: nobody else can read what we say to each other."""

    welcome: m.Welcome
    encrypted: bool = False


@dataclass(frozen=True)
class TurnedAway:
    """The broker does not let us in, and asking again would not help."""

    reply: m.Refused


@dataclass(frozen=True)
class Waits:
    """The broker knows of us, and an admin has to let us in. That is found out without anybody's doing."""

    reply: m.Waiting


@dataclass(frozen=True)
class Arrived:
    """The next events of a room: each once, in order, without holes."""

    room: str
    events: list[m.Event]


@dataclass(frozen=True)
class Walled:
    """What lies between event ``after`` and event ``first`` of a room is not for me; what comes next begins there."""

    room: str
    after: int
    first: int


@dataclass(frozen=True)
class Removed:
    """A room may not be read any more, and is followed no longer; what was read of it stays. ``by`` whom (their name,
    or "": it is not known) and why."""

    room: str
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Rewound:
    """The broker's log of a room is another history from behind ``seq`` on: what was read after it never happened."""

    room: str
    seq: int
    epoch: str


@dataclass(frozen=True)
class Answered:
    """The reply to something that was asked."""

    token: int
    reply: m.Reply


@dataclass(frozen=True)
class Held:
    """The broker cannot do something at the moment; it is asked again until it can. The reply says why."""

    reply: m.Refused


@dataclass(frozen=True)
class MyRooms:
    """The rooms I am a member of have changed, by another of my machines perhaps."""

    rooms: list[str]


@dataclass(frozen=True)
class Noticed:
    """Something was done that concerns me (docs/protocol.md, "notice")."""

    notice: m.Notice


@dataclass(frozen=True)
class People:
    """Who is here: user -> name. Replaces what was told before; only to a session that watches."""

    here: dict[str, str]


@dataclass(frozen=True)
class Moved:
    """Who came, who went and who is called otherwise just now: (user, name). Only to a session that watches."""

    came: list[tuple[str, str]]
    went: list[tuple[str, str]]
    named: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Directory:
    """The list of rooms may be another one than before: ask for it. Only to a session that watches."""


@dataclass(frozen=True)
class RoundTrip:
    """How long a question and its answer took, in seconds. Only to a session that watches."""

    seconds: float


@dataclass(frozen=True)
class Status:
    """How things stand: "offline", "waiting", "joining", "syncing", "live" or "refused", and a sentence for people.
    ``trouble``: the code of the `Trouble` that the sentence tells, if it does."""

    state: str
    text: str
    trouble: str = ""


Effect = (
    Open | Close | Subscribe | Send | Welcomed | TurnedAway | Waits | Arrived | Walled | Removed | Rewound | Answered
    | Held | MyRooms | Noticed | Status | Settled | Renumber | People | Moved | Directory | RoundTrip
    | Met | Trouble
)  # fmt: skip
