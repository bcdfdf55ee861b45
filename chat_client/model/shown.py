"""What views are given to show: plain, frozen data without any meaning left to work out."""

from typing import Literal

from msgspec import Struct

State = Literal["", "sending", "sent", "refused"]
Kind = Literal["message", "me", "event", "passing", "note", "wall"]


class Line(Struct, frozen=True):
    """One line of a transcript.

    ``kind``: "message"; "me" (a message that says what its author does); "event" (the log says that somebody joined or
    left the room, made it ...); "passing" (somebody came or went just now); "note" (this program tells its user
    something); "wall" (what comes above was not for me to read). ``deleted``: of a message of which only that is left.
    ``state`` is that of an own message: "sending" and "refused" (with its ``reason``) are not in the log.
    """

    key: str  # unique within its room, for ever
    kind: Kind
    text: str  # of an event, passing, note or wall: the whole sentence
    time: int  # ms since 1970, UTC
    author: str = ""  # user id
    name: str = ""
    seq: int = 0  # 0: not in the log
    mine: bool = False
    mention: bool = False  # speaks to me
    state: State = ""
    reason: str = ""
    post: tuple[str, int] = ("", 0)  # (sender, n) of a message that has them
    chain: str = ""  # of its event
    deleted: bool = False  # there was a text here


class Row(Struct, frozen=True):
    """A line as it stands among its neighbours. ``day``: the rule above it; ``new``: the "new" rule above it;
    ``head``: it begins a group of its author's, with avatar, name and time."""

    line: Line
    day: str = ""
    new: bool = False
    head: bool = False


class Delete(Struct, frozen=True):
    """Take these rows out, given by their lines' keys."""

    keys: list[str]


class Insert(Struct, frozen=True):
    """Put rows in before the row of this key; "": at the end."""

    before: str
    rows: list[Row]


class Change(Struct, frozen=True):
    """Show this row in the place of the one with the same key."""

    row: Row


Op = Delete | Insert | Change


class RoomItem(Struct, frozen=True):
    """A room in the list on the left. ``unread``: messages of others since I last read; ``mentions``: those for me.

    ``kind``: as in the protocol; ``closed``: it cannot be read any more; ``invited``: I may join it. ``here``: of a
    direct room with one other, that they are; ``group``: it is one with several. ``quiet``: nothing can be written.
    """

    id: str
    name: str
    unread: int = 0
    mentions: int = 0
    draft: bool = False
    kind: str = "open"
    closed: bool = False
    invited: bool = False
    here: bool = False
    group: bool = False
    quiet: bool = False


class PersonItem(Struct, frozen=True):
    """Somebody in the list on the right; what they are in the room and in the chat, if not a member like others."""

    user: str
    name: str
    here: bool
    me: bool = False
    role: str = ""
    chat_role: str = ""


class Choice(Struct, frozen=True):
    """One thing to choose, in the switcher or the completion list. ``value`` is what choosing it gives."""

    value: str
    label: str
    hint: str = ""  # dim, behind it


class StatusLine(Struct, frozen=True):
    """The status bar. ``mood``: "good" (all is well), "busy" (working on it), "bad" (needs attention or waits)."""

    mood: Literal["good", "busy", "bad"]
    text: str
    right: str = ""
