"""Every message of the protocol as a struct: requests, replies, feed messages, events. docs/protocol.md explains them.

A request or reply is a JSON object whose ``type`` is its class's name in lower case. Fields that are absent have the
default given here; unknown fields are ignored, so that a newer peer may send more.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

# JSON numbers past 2^53 do not survive every parser.
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Millis = Count
Short = Annotated[str, Meta(max_length=200)]
SENDER = r"\A([0-9a-f]{16,32})?\Z"
Sender = Annotated[str, Meta(pattern=SENDER, max_length=32)]
Nonce = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", max_length=32)]
Chain = Annotated[str, Meta(pattern=r"\A[0-9a-f]{16}\Z", max_length=16)]
RoomList = Annotated[list[Short], Meta(max_length=1000)]
Head = tuple[Count, Chain]  # a room's last sequence number and its chain


# ---- events ----------------------------------------------------------------------------------------------------


class Event(Struct, omit_defaults=True, gc=False):
    """One thing said or done in a room: the envelope, which is additive for ever, and a body that its kind explains.

    ``target``, ``thread`` and ``expires`` are reserved: no kind uses them yet, the chain already covers them.
    """

    room: str
    seq: Count
    time: Millis
    author: str
    name: str
    kind: str
    chain: str
    sender: str = ""
    n: Count = 0
    target: Count = 0
    thread: Count = 0
    expires: Millis = 0
    body: msgspec.Raw = msgspec.Raw(b"{}")


class Message(Struct, omit_defaults=True, gc=False):
    """The body of kind "message". ``me``: the text says what its author does, "waves" (docs/protocol.md, section 6)."""

    text: str
    me: bool = False


class RoomInfo(Struct, omit_defaults=True):
    """A room as others may know it. ``first`` is the oldest event that is still there; ``mine``: I am a member."""

    id: str
    name: str
    head: Head
    first: Count = 1
    members: Count = 0
    mine: bool = False
    time: Millis = 0  # of its creation


class Person(Struct, omit_defaults=True):
    """Somebody who is connected: since when, and how many milliseconds ago the broker last heard from them."""

    user: str
    name: str
    since: Millis = 0
    idle: Millis = 0


# ---- requests --------------------------------------------------------------------------------------------------


class Request(Struct, tag_field="type", tag=str.lower, omit_defaults=True, gc=False):
    """Anything a client asks. ``id`` is the client's own number for it; the reply repeats it as ``re``."""

    id: Count = 0


class Hello(Request):
    """Who I am: the first request on every connection."""

    versions: Annotated[list[Count], Meta(max_length=20)] = msgspec.field(default_factory=lambda: [1])
    name: Short = ""
    key: Short = ""
    client: Short = ""


class Marker(Request):
    """Publish ``~nonce`` on the feed, and tell the heads of ``rooms`` as of that moment."""

    nonce: Nonce = "0" * 32
    rooms: RoomList = msgspec.field(default_factory=list)


class Ping(Request):
    """I am here. Tells the heads of ``rooms``, and my rooms if they changed after commit number ``commit``."""

    commit: Count = 0
    rooms: RoomList = msgspec.field(default_factory=list)


class Post(Request):
    """Append an event. With ``sender`` and ``n`` it counts once, however often it is sent."""

    room: Short = ""
    kind: Short = "message"
    body: msgspec.Raw = msgspec.Raw(b"{}")
    sender: Annotated[str, Meta(max_length=32)] = ""  # a Sender, which `wire` checks faster
    n: Count = 0


class Page(Request):
    """The events of a room after ``after`` up to ``upto`` (0: the head), at most ``limit`` of them (0: any number)."""

    room: Short = ""
    after: Count = 0
    upto: Count = 0
    limit: Count = 0


class Fork(Request):
    """Which of these ``points`` (seq, chain) of my copy of a room is the last that your log has as well?"""

    room: Short = ""
    points: Annotated[list[Head], Meta(max_length=128)] = msgspec.field(default_factory=list)


class Rooms(Request):
    """The open rooms in the order of their ids, those after ``after``."""

    after: Short = ""


class Room(Request):
    """One room, with its members."""

    room: Short = ""


class Who(Request):
    """Who is connected; with ``room``: those of its members who are."""

    room: Short = ""


class Create(Request):
    """Make an open room and join it. The same ``once`` again (a retry) is answered as the first time."""

    room: Short = ""
    once: Sender = ""


class Join(Request):
    """Become a member of an open room."""

    room: Short = ""


class Leave(Request):
    """Cease to be a member."""

    room: Short = ""


class Bye(Request):
    """I am leaving now; spares the others the wait for my silence."""


AnyRequest = Hello | Marker | Ping | Post | Page | Fork | Rooms | Room | Who | Create | Join | Leave | Bye


# ---- replies ---------------------------------------------------------------------------------------------------


class Reply(Struct, tag_field="type", tag=str.lower, omit_defaults=True):
    """Anything the broker answers; ``re`` is the request's ``id``."""

    re: Count


class Welcome(Reply):
    """The hello is accepted. ``home`` is the broker's own id for ever, ``boot`` this start of it, ``epoch`` its log."""

    version: Count
    user: str
    name: str
    home: str
    boot: str
    epoch: str
    feed: Count  # the feed's port
    broker: str = ""  # the broker's name, for people
    commit: Count = 0
    time: Millis = 0
    rooms: list[RoomInfo] = []  # those I am a member of


class Marked(Reply):
    """The marker was published as beat number ``k`` stood; ``heads`` are of that moment."""

    boot: str
    k: Count
    epoch: str
    heads: dict[str, Head] = {}


class Pong(Reply):
    """``rooms`` is given if they changed since the commit number asked about; ``directory`` counts changes of rooms."""

    boot: str
    epoch: str
    commit: Count
    heads: dict[str, Head] = {}
    rooms: list[str] | None = None
    presence: Count = 0
    directory: Count = 0


class Posted(Reply, gc=False):
    """The event is on disk, as number ``seq`` of its room."""

    room: str
    seq: Count
    time: Millis


class Paged(Reply):
    """A range of history; ``head`` as of the answer. Shorter than asked when it would be over 256 KiB."""

    room: str
    epoch: str
    first: Count
    head: Head
    events: list[msgspec.Raw] = []


class Forked(Reply):
    """The last of the points that the log has, or 0."""

    room: str
    epoch: str
    seq: Count


class RoomList_(Reply, tag="rooms"):
    """Open rooms; ``more``: ask again after the last of them."""

    rooms: list[RoomInfo]
    more: bool = False


class RoomState(Reply, tag="room"):
    """A room and its members: (user, name)."""

    room: RoomInfo
    members: list[tuple[str, str]] = []


class Here(Reply, tag="who"):
    """Who is connected, as of presence number ``version``."""

    version: Count
    people: list[Person]


class Created(Reply):
    """The room is made, and I am in it."""

    room: RoomInfo


class Joined(Reply):
    """I am a member; ``seq`` of the event that says so (0: I was already)."""

    room: RoomInfo
    seq: Count = 0


class Left(Reply):
    """I am no longer a member; ``seq`` of the event that says so (0: I was none)."""

    room: str
    seq: Count = 0


class Goodbye(Reply, tag="bye"):
    """The broker has noted that I left."""


class Refused(Reply):
    """The request was not done, and why: ``code`` for programs, ``text`` for people, ``verdict`` for the outbox."""

    code: str
    text: str
    verdict: Literal["later", "final"]
    expected: Count = 0  # with code "expected": the sender's next number


AnyReply = (
    Welcome | Marked | Pong | Posted | Paged | Forked | RoomList_ | RoomState | Here | Created | Joined | Left | Goodbye
    | Refused
)  # fmt: skip


# ---- the feed --------------------------------------------------------------------------------------------------


class Beat(Struct, omit_defaults=True):
    """The broker's sign of life: number ``k`` of this ``boot``, with the heads that differ from what beat k-1 told."""

    boot: str
    k: Count
    epoch: str
    commit: Count
    heads: dict[str, Head] = {}
    presence: Count = 0
    directory: Count = 0


class Mark(Struct):
    """What is published under a marker: the request that asked for it, and where the count of beats stands."""

    re: Count
    boot: str
    k: Count


class Presence(Struct, omit_defaults=True):
    """Who came and who went since the version before: (user, name)."""

    version: Count
    boot: str
    came: list[tuple[str, str]] = []
    went: list[tuple[str, str]] = []


# ---- the door --------------------------------------------------------------------------------------------------


class Knock(Struct, tag_field="type", tag="who is here?"):
    """The one question that the door answers."""

    id: Count = 0


class Answer(Struct, tag_field="type", tag="broker", omit_defaults=True):
    """What a newcomer has to know before the first hello."""

    re: Count
    name: str
    versions: list[int]
    security: str
    posts: Count
    feed: Count
    home: str
    key: str = ""
