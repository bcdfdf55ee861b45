"""Kept state in memory (users, names, keys, rooms, members), the logs' heads, and the journal that undoes a batch.

Everything here changes through `put`, `remove` and `note`, which write down what was there before. So a batch whose
commit failed is undone exactly (DESIGN.md, section 2), whatever the handlers did.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from chat_broker.batch import Batch
from chat_core import chain, names, wire
from chat_core.messages import ChatRole, RoomKind, RoomRole

LOBBY = "lobby"


class User(Struct, omit_defaults=True):
    """A person or bot: ``id`` ("u17") for ever, one name, since when (ms), and what they may do (`access`)."""

    id: str
    name: str
    time: int
    role: ChatRole = "member"
    rooms: list[str] | None = None  # the scope: these rooms only; None: all
    post: bool = True  # False: they may read only, wherever they are
    waiting: bool = False  # for an admin's yes
    former: list[str] = []  # folded names that were this user's
    invitation: str = ""  # by which they came

    @property
    def fed(self) -> bool:
        """May they hear the feed, which has all open rooms?"""
        return not self.waiting and self.role != "guest" and self.rooms is None


class RoomRecord(Struct, omit_defaults=True):
    """A room: ``id`` for ever, its shown name, who made it and when (ms), and the token that makes a retry harmless."""

    id: str
    name: str
    by: str
    time: int
    once: str = ""
    kind: RoomKind = "open"
    history: str = "joined"  # what a newcomer of a private room sees: from "joined" on, or "all"
    read_only: bool = False
    slow: int = 0  # seconds between two posts of one member
    archived: bool = False


class Member(Struct, omit_defaults=True):
    """A membership: since when (ms), the number of the event that says so, and the role in the room."""

    time: int
    seq: int
    role: RoomRole = "member"
    until: int = 0  # when being muted ends (ms); 0: never


class Ranges(Struct):
    """What somebody may read of a private room: (from, to) of each time they were in it; to 0: still."""

    spans: list[tuple[int, int]]


class Invited(Struct, omit_defaults=True):
    """Somebody may join a private room: by whom, since when (ms)."""

    by: str
    time: int


class KeyRecord(Struct, omit_defaults=True):
    """A key of a user: since when (ms), and the program that it first came with."""

    time: int
    client: str = ""


class BanRecord(Struct, omit_defaults=True):
    """Who is shut out: a user, a key or an address; from a room or ("") from the chat; until when (ms, 0: for good)."""

    id: str
    by: str
    time: int
    user: str = ""
    key: str = ""
    address: str = ""
    room: str = ""
    until: int = 0
    reason: str = ""


class InvitationRecord(Struct, omit_defaults=True):
    """An invitation to the chat: the digest of its token, what those become who use it, and how often it was used."""

    id: str
    digest: str
    by: str
    time: int
    uses: int = 1  # 0: any number
    used: int = 0
    until: int = 0
    role: ChatRole = "member"
    rooms: list[str] | None = None
    post: bool = True
    note: str = ""


class Head(Struct, frozen=True, gc=False):
    """How far a room's log reaches: the first event that is still there, the last one, and its chain."""

    first: int = 1
    seq: int = 0
    chain: str = chain.START


NO_EVENTS = Head()


class SenderState(Struct, frozen=True, gc=False):
    """Whose a sender is, and the last number that it spent."""

    user: str
    last: int


# table -> the type of its values; these are stored.
KEPT: dict[str, type] = {
    "users": User,
    "names": str,
    "keys": str,
    "rooms": RoomRecord,
    "members": Member,
    "counters": int,
    "ranges": Ranges,
    "invited": Invited,
    "machines": KeyRecord,
    "bans": BanRecord,
    "invitations": InvitationRecord,
    "deleted": int,
}

# More senders than this are forgotten, oldest first; the store knows them all.
SENDERS_IN_MEMORY = 50_000

_MISSING = object()


class Tables:
    """All kept state, mirrored in memory."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.names: dict[str, str] = {}  # folded name -> user id
        self.keys: dict[str, str] = {}  # public key -> user id
        self.rooms: dict[str, RoomRecord] = {}
        self.members: dict[str, Member] = {}  # "room user"
        self.counters: dict[str, int] = {}  # "users": the number of the last user id, which is never given again
        self.ranges: dict[str, Ranges] = {}  # "room user", of private rooms; they outlive the membership
        self.invited: dict[str, Invited] = {}  # "room user"
        self.machines: dict[str, KeyRecord] = {}  # public key -> more about it
        self.bans: dict[str, BanRecord] = {}  # by id, "b1"
        self.invitations: dict[str, InvitationRecord] = {}  # by id, "i1"
        self.deleted: dict[str, int] = {}  # "room seq" of a message -> number of the event that deleted it
        self.heads: dict[str, Head] = {}
        self.senders: dict[str, SenderState] = {}
        # Derived from the above, kept in step by `_set`.
        self.members_of: dict[str, set[str]] = {}
        self.rooms_of: dict[str, set[str]] = {}
        self.invited_to: dict[str, set[str]] = {}  # user -> rooms
        self.open_rooms: set[str] = set()  # whose events are on the feed
        self.titles: dict[str, str] = {}  # folded shown name -> the room that is called so otherwise than by its id
        self.unfed: set[str] = set()  # users
        self.writers: set[str] = set()  # "room user" of those found to be free to post there; any change forgets them
        self.keys_of: dict[str, set[str]] = {}
        self.waiting: set[str] = set()  # users whom nobody has let in yet
        self.bans_on: dict[str, set[str]] = {}  # user, key or address -> ids of bans
        self._derived: dict[str, Callable[[str, Any, Any], None]] = {
            "members": self._derive_members,
            "invited": self._derive_invited,
            "users": self._derive_users,
            "rooms": self._derive_rooms,
            "keys": self._derive_keys,
            "bans": self._derive_bans,
        }
        self._journal: list[tuple[str, str, Any]] = []

    def put(self, batch: Batch, table: str, key: str, value: Struct | str | int) -> None:
        """Set a row of a kept table, in memory and in the batch."""
        batch.puts[table, key] = wire.encode(value)
        self.note(table, key, value)

    def remove(self, batch: Batch, table: str, key: str) -> None:
        """Remove a row of a kept table, in memory and from the store with the batch."""
        batch.puts[table, key] = None
        self.note(table, key, _MISSING)

    def note(self, table: str, key: str, value: Any) -> None:
        """Set a row that is not stored as such (a head, a sender), or one that `put` stores."""
        self._journal.append((table, key, getattr(self, table).get(key, _MISSING)))
        self._set(table, key, value)

    def load(self, table: str, key: str, value: bytes) -> None:
        """Take a stored row at start."""
        self._set(table, key, wire.decode(value, KEPT[table]))

    def commit(self) -> None:
        """The batch is on disk: what was there before is no longer needed."""
        self._journal.clear()
        if len(self.senders) > SENDERS_IN_MEMORY:
            for sender in list(self.senders)[: SENDERS_IN_MEMORY // 10]:
                del self.senders[sender]

    def undo(self) -> None:
        """The batch is not on disk: everything is as it was before it."""
        for table, key, old in reversed(self._journal):
            self._set(table, key, old)
        self._journal.clear()

    def is_member(self, room: str, user: str) -> bool:
        """May this user write in this room?"""
        return user in self.members_of.get(room, ())

    def _set(self, table: str, key: str, value: Any) -> None:
        rows = getattr(self, table)
        old = rows.get(key, _MISSING)
        if value is _MISSING:
            rows.pop(key, None)
        else:
            rows[key] = value
        derive = self._derived.get(table)
        if derive is not None:
            derive(key, old, value)

    def _derive_members(self, key: str, _: Any, member: Any) -> None:
        room, user = key.split(" ")
        _index(self.members_of, room, user, member is not _MISSING)
        _index(self.rooms_of, user, room, member is not _MISSING)
        self.writers.clear()

    def _derive_invited(self, key: str, _: Any, invited: Any) -> None:
        room, user = key.split(" ")
        _index(self.invited_to, user, room, invited is not _MISSING)

    def _derive_users(self, user: str, _: Any, record: Any) -> None:
        _keep(self.unfed, user, record is not _MISSING and not record.fed)
        _keep(self.waiting, user, record is not _MISSING and record.waiting)
        self.writers.clear()

    def _derive_rooms(self, room: str, old: Any, record: Any) -> None:
        _keep(self.open_rooms, room, record is not _MISSING and record.kind == "open")
        if old is not _MISSING and self.titles.get(names.fold(old.name)) == room:
            del self.titles[names.fold(old.name)]
        if record is not _MISSING and names.fold(record.name) != room:
            self.titles[names.fold(record.name)] = room
        self.writers.clear()

    def _derive_keys(self, key: str, old: Any, user: Any) -> None:
        if old is not _MISSING:
            _index(self.keys_of, old, key, False)
        if user is not _MISSING:
            _index(self.keys_of, user, key, True)

    def _derive_bans(self, ban: str, old: Any, record: Any) -> None:
        if old is not _MISSING:
            _index(self.bans_on, _on(old), ban, False)
        if record is not _MISSING:
            _index(self.bans_on, _on(record), ban, True)


def _on(ban: BanRecord) -> str:
    return ban.user or ban.key or ban.address


def _index(index: dict[str, set[str]], one: str, other: str, there: bool) -> None:
    """Enter a pair in an index, or take it out; nothing is left of what is empty."""
    if there:
        index.setdefault(one, set()).add(other)
    elif one in index:
        index[one].discard(other)
        if not index[one]:
            del index[one]


def _keep(rows: set[str], key: str, there: bool) -> None:
    if there:
        rows.add(key)
    else:
        rows.discard(key)
