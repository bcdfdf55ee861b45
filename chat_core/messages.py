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
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z", max_length=32)]  # keys.token_digest of a secret
PeopleNamed = Annotated[list[Short], Meta(max_length=20)]
Pair = tuple[str, str]  # (user, name)

# What somebody is in the chat, and in a room ("": not in it). chat_core/rights.py says who may do what.
ChatRole = Literal["owner", "admin", "member", "guest", "bot"]
RoomRole = Literal["owner", "moderator", "member", "muted"]
RoomKind = Literal["open", "private", "direct", "audit"]


# ---- events ----------------------------------------------------------------------------------------------------


class Event(Struct, omit_defaults=True, gc=False):
    """One thing said or done in a room: the envelope, which is additive for ever, and a body that its kind explains.

    ``target`` is the number of the event that this one is about. ``thread`` and ``expires`` are reserved: no kind uses
    them yet, the chain already covers them.
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
    """The body of kind "message". ``me``: the text says what its author does, "waves" (docs/protocol.md, section 6).
    ``deleted``: there was a text here, and it was deleted."""

    text: str
    me: bool = False
    deleted: bool = False


class Made(Struct, omit_defaults=True):
    """The body of "created": what kind of room it is, what newcomers of a private one see, who is in a direct one."""

    kind: RoomKind = "open"
    history: str = "joined"
    people: list[Pair] = []


class About(Struct, omit_defaults=True):
    """The body of "invited", "removed" and "role": whom it was done to, what they are now, until when (ms), and why."""

    user: str
    name: str
    role: str = ""
    until: Millis = 0
    reason: str = ""


class Changed(Struct, omit_defaults=True):
    """The body of "changed": what is another than before."""

    name: str | None = None
    read_only: bool | None = None
    slow: Count | None = None
    archived: bool | None = None


class Deleted(Struct, omit_defaults=True):
    """The body of "deleted", whose ``target`` is the message."""

    reason: str = ""


class Act(Struct, omit_defaults=True):
    """The body of "audit": which request was done (its type), to whom or what, in which room, and why."""

    act: str
    user: str = ""
    name: str = ""
    room: str = ""
    what: str = ""
    until: Millis = 0
    reason: str = ""


class RoomInfo(Struct, omit_defaults=True):
    """A room as I may know it. ``first`` is the oldest event that I can have; ``mine``: I am a member."""

    id: str
    name: str
    head: Head
    first: Count = 1
    members: Count = 0
    mine: bool = False
    time: Millis = 0  # of its creation
    kind: RoomKind = "open"
    role: str = ""  # mine in it: a RoomRole, or "" if I am not in it
    until: Millis = 0  # when it ends that I am muted; 0: nobody knows
    invited: bool = False  # I may join it, though it is private
    read_only: bool = False
    slow: Count = 0  # seconds between two posts of one member
    archived: bool = False
    people: list[Pair] = []  # of a direct room: who talks there, me too


class Somebody(Struct, omit_defaults=True):
    """A user as others may know them. ``keys`` and ``address`` are told to admins only."""

    user: str
    name: str
    role: ChatRole = "member"
    here: bool = False
    waiting: bool = False  # for an admin's yes
    rooms: list[str] | None = None  # their scope: these rooms only
    post: bool = True  # may write where they are
    time: Millis = 0
    keys: list[str] = []
    address: str = ""


class Machine(Struct, omit_defaults=True):
    """One of my keys: since when it is mine, what it said it was, and whether this connection has it."""

    key: str
    time: Millis = 0
    client: str = ""
    this: bool = False


class BanInfo(Struct, omit_defaults=True):
    """A ban: of a user, a key or an address; from a room ("": from the chat); until when (ms; 0: for good)."""

    id: str
    user: str = ""
    name: str = ""
    key: str = ""
    address: str = ""
    room: str = ""
    until: Millis = 0
    reason: str = ""
    by: str = ""
    time: Millis = 0


class InvitationInfo(Struct, omit_defaults=True):
    """An invitation to the chat, of which only a digest is kept."""

    id: str
    uses: Count = 1  # how often it may be used; 0: any number
    used: Count = 0
    until: Millis = 0
    role: ChatRole = "member"
    rooms: list[str] | None = None
    post: bool = True
    note: str = ""
    by: str = ""
    time: Millis = 0


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
    invite: Short = ""  # the token of an invitation
    link: Short = ""  # the one-time code that another machine of mine showed


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
    """Make a room and join it. The same ``once`` again (a retry) is answered as the first time.

    ``history``: what a newcomer of a private room sees, from "joined" on or "all".
    """

    room: Short = ""
    once: Sender = ""
    kind: Literal["open", "private"] = "open"
    history: Literal["joined", "all"] = "joined"


class Direct(Request):
    """The room in which I talk with these ``people`` (ids or names) and nobody else; made if there is none yet."""

    people: PeopleNamed = msgspec.field(default_factory=list)


class Join(Request):
    """Become a member of an open room, or of a private one to which I was invited."""

    room: Short = ""


class Leave(Request):
    """Cease to be a member, or decline an invitation."""

    room: Short = ""


class Bye(Request):
    """I am leaving now; spares the others the wait for my silence."""


# ---- requests: who I am


class Nick(Request):
    """Be called otherwise from now on."""

    name: Short = ""


class Link(Request):
    """Whoever says hello with the ``code`` of this digest within ten minutes is another machine of mine."""

    digest: Digest = "0" * 32


class Machines(Request):
    """My keys."""


class Unlink(Request):
    """That key is no longer mine. ``key``: a whole one or its fingerprint."""

    key: Short = ""


# ---- requests: in a room


class Invite(Request):
    """Let somebody join a room: ``user`` is an id or a name, here and below."""

    room: Short = ""
    user: Short = ""


class Remove(Request):
    """Put somebody out of a room."""

    room: Short = ""
    user: Short = ""
    reason: Short = ""


class Appoint(Request):
    """Make somebody owner, moderator, member or muted in a room; muted may end at ``until`` (ms)."""

    room: Short = ""
    user: Short = ""
    role: RoomRole = "member"
    until: Millis = 0
    reason: Short = ""


class Change(Request):
    """Change a room: its shown name, whether only moderators post, seconds between two posts, whether it is over."""

    room: Short = ""
    name: Short | None = None
    read_only: bool | None = None
    slow: Annotated[int, Meta(ge=0, le=86400)] | None = None
    archived: bool | None = None


class Delete(Request):
    """Blank the message number ``seq`` for everybody."""

    room: Short = ""
    seq: Count = 0
    reason: Short = ""


class Report(Request):
    """Tell those who moderate the room of the message number ``seq``."""

    room: Short = ""
    seq: Count = 0
    reason: Short = ""


# ---- requests: in the chat


class People(Request):
    """Everybody who has been let in, or waits, in the order of their ids, those after ``after``."""

    after: Short = ""


class Role(Request):
    """What somebody is in the chat. ``rooms`` (not for owners and admins): only there; ``post``: not only read."""

    user: Short = ""
    role: ChatRole = "member"
    rooms: RoomList | None = None
    post: bool = True


class Ban(Request):
    """Shut out a user, a key or an address (one of the three), from a room or from the chat, until then or for good."""

    user: Short = ""
    key: Short = ""
    address: Short = ""
    room: Short = ""
    until: Millis = 0
    reason: Short = ""


class Unban(Request):
    """Lift a ban, by its id."""

    ban: Short = ""


class Bans(Request):
    """The bans: of a room, or with "" of the chat."""

    room: Short = ""


class Invitation(Request):
    """Make an invitation of a secret token that only its maker knows; the ``digest`` of it is kept."""

    digest: Digest = "0" * 32
    uses: Count = 1
    until: Millis = 0
    role: ChatRole = "member"
    rooms: RoomList | None = None
    post: bool = True
    note: Short = ""


class Invitations(Request):
    """The invitations that can still be used."""


class Revoke(Request):
    """An invitation is not to be used any more."""

    invitation: Short = ""


class Approve(Request):
    """Let somebody in who waits."""

    user: Short = ""


class Reject(Request):
    """Do not let somebody in who waits; their key is banned."""

    user: Short = ""
    reason: Short = ""


class Release(Request):
    """Take a name from its user, who is called by their id until they choose another."""

    name: Short = ""


class Rekey(Request):
    """The user has this key from now on, and none of those they had."""

    user: Short = ""
    key: Short = ""


AnyRequest = (
    Hello | Marker | Ping | Post | Page | Fork | Rooms | Room | Who | Create | Direct | Join | Leave | Bye
    | Nick | Link | Machines | Unlink
    | Invite | Remove | Appoint | Change | Delete | Report
    | People | Role | Ban | Unban | Bans | Invitation | Invitations | Revoke | Approve | Reject | Release | Rekey
)  # fmt: skip


# ---- replies ---------------------------------------------------------------------------------------------------


class Reply(Struct, tag_field="type", tag=str.lower, omit_defaults=True):
    """Anything the broker answers; ``re`` is the request's ``id``."""

    re: Count


class Welcome(Reply):
    """The hello is accepted. ``home`` is the broker's own id for ever, ``boot`` this start of it, ``epoch`` its log.

    ``feed`` 0: the feed is not for this user; all that they may read comes on the posts line.
    """

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
    invited: list[RoomInfo] = []  # those I may join, though they are private
    role: ChatRole = "member"


class Waiting(Reply):
    """The hello is noted, and an admin has to say yes. Then comes a notice "admitted": say hello again."""

    user: str
    name: str
    text: str


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
    """A room and its members: (user, name), and the roles, in it and in the chat, of those who are not just members."""

    room: RoomInfo
    members: list[Pair] = []
    roles: dict[str, RoomRole] = {}
    chat_roles: dict[str, ChatRole] = {}


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


class Done(Reply):
    """It is done. ``seq``: of the event that says so, if a room has one; ``of``: the id or name of what was made."""

    seq: Count = 0
    of: str = ""


class MachineList(Reply, tag="machines"):
    """My keys."""

    machines: list[Machine]


class Crowd(Reply, tag="people"):
    """Users; ``more``: ask again after the last of them."""

    people: list[Somebody]
    more: bool = False


class BanList(Reply, tag="bans"):
    """Bans that have not run out."""

    bans: list[BanInfo]


class InvitationList(Reply, tag="invitations"):
    """Invitations that can be used."""

    invitations: list[InvitationInfo]


# ---- what comes unasked on the posts line; ``re`` is 0


class Events(Reply):
    """The next events of a room that is not on the feed, or not for me."""

    room: str
    epoch: str
    events: list[msgspec.Raw]


class Notice(Reply):
    """Something that concerns me was done. ``kind``: "admitted", "invited", "removed", "role", "reported", "waiting",
    "banned", "rejected".

    ``by``: the name of who did it; ``user`` and ``name``: whom it is about if not me; ``seq``: a message of the room.
    """

    kind: Short
    room: str = ""
    by: str = ""
    user: str = ""
    name: str = ""
    seq: Count = 0
    role: str = ""
    until: Millis = 0
    reason: str = ""


class Refused(Reply):
    """The request was not done, and why: ``code`` for programs, ``text`` for people, ``verdict`` for the outbox."""

    code: str
    text: str
    verdict: Literal["later", "final"]
    expected: Count = 0  # with code "expected": the sender's next number
    retry: Millis = 0  # with "rate", "slow" and "crowded": how many ms to wait


AnyReply = (
    Welcome | Waiting | Marked | Pong | Posted | Paged | Forked | RoomList_ | RoomState | Here | Created | Joined | Left
    | Goodbye | Done | MachineList | Crowd | BanList | InvitationList | Events | Notice | Refused
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
    """Who came, who went and who is called otherwise since the version before: (user, name)."""

    version: Count
    boot: str
    came: list[Pair] = []
    went: list[Pair] = []
    named: list[Pair] = []


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
