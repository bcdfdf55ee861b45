"""Who is in a room: entering and leaving it, what of it that lets one read, and who owns it then."""

import msgspec

from chat_broker.desk import Connection
from chat_broker.reach import kept
from chat_broker.tables import Invited, Member, Ranges, RoomRecord, User
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core import wire
from chat_core.names import BROKER_NAME, BROKER_USER


def enter(turn: Turn, room: str, user: str, name: str, first: int = 0) -> int:
    """Make somebody a member; returns the number of the event that says so. ``first``: what they may read from on.

    In a private room that nobody is in they are its owner: there is no other who could invite anybody.
    """
    record = turn.tables.rooms[room]
    empty = room not in turn.tables.members_of
    seq = turn.append(room, user, name, "joined")
    owns = user == record.by or record.kind == "private"
    admit(turn, record, user, seq, first or seq, "owner" if empty and owns else "member")
    return seq


def admit(turn: Turn, record: RoomRecord, user: str, seq: int, first: int, role: m.RoomRole = "member") -> None:
    """Enter a membership that the event ``seq`` says; of what is not open it lets one read from ``first`` on."""
    tables, key = turn.tables, f"{record.id} {user}"
    tables.put(turn.batch, "members", key, Member(turn.time, seq, role))
    if record.kind != "open":
        spans = [(1, 0)] if record.history == "all" else [*kept(tables, user, record.id), (first, 0)]
        tables.put(turn.batch, "ranges", key, Ranges(spans))
    withdraw(turn, record.id, user)
    note_moved(turn, user)


def end(turn: Turn, record: RoomRecord, user: str, last: int) -> None:
    """End a membership. ``last``: the last number that one may still read, should one come back."""
    tables, key = turn.tables, f"{record.id} {user}"
    was = tables.members[key]
    tables.remove(turn.batch, "members", key)
    if record.kind != "open":
        *closed, (first, _) = tables.ranges[key].spans
        tables.put(turn.batch, "ranges", key, Ranges([*closed, (first, last)]))
    note_moved(turn, user)
    if was.role == "owner":
        _hand_down(turn, record)


def put_out(turn: Turn, by: Connection, record: RoomRecord, user: User, reason: str = "", until: int = 0) -> int:
    """End somebody else's membership; returns the number of the event that says so.

    They get a notice instead: the event is the first one that they can no longer read. ``until``: they are banned.
    """
    body = m.About(user.id, user.name, until=until, reason=reason)
    seq = turn.append(record.id, by.user, by.name, "removed", wire.encode(body))
    end(turn, record, user.id, seq - 1)
    turn.tell(user.id, m.Notice(0, "removed", record.id, by.name, until=until, reason=reason))
    turn.notes.append(f"{by.name} removed {user.name} from room {record.id}")
    return seq


def invite(turn: Turn, room: str, user: str, by: str) -> None:
    """Let somebody join, until they do or decline."""
    turn.tables.put(turn.batch, "invited", f"{room} {user}", Invited(by, turn.time))
    note_moved(turn, user)


def withdraw(turn: Turn, room: str, user: str) -> bool:
    """Take an invitation back; False if there is none."""
    key = f"{room} {user}"
    if key not in turn.tables.invited:
        return False
    turn.tables.remove(turn.batch, "invited", key)
    note_moved(turn, user)
    return True


def appoint(turn: Turn, room: str, user: str, role: m.RoomRole, until: int = 0) -> None:
    """Change what a member is."""
    key = f"{room} {user}"
    member = msgspec.structs.replace(turn.tables.members[key], role=role, until=until)
    turn.tables.put(turn.batch, "members", key, member)


def note_moved(turn: Turn, user: str) -> None:
    """Somebody's rooms or invitations changed: the next pong tells it."""
    turn.keep(turn.desk.moved, user, turn.batch.number)


# Whoever was longest in the highest of these is its owner when there is none.
_HEIRS = ("moderator", "member", "muted")


def _hand_down(turn: Turn, record: RoomRecord) -> None:
    """Find a new owner for a room that has lost its own, and say so in it."""
    tables = turn.tables
    members = {user: tables.members[f"{record.id} {user}"] for user in tables.members_of.get(record.id, ())}
    if not members:
        return
    heir = min(members, key=lambda user: (_HEIRS.index(members[user].role), members[user].seq, user))
    body = m.About(heir, tables.users[heir].name, "owner")
    turn.append(record.id, BROKER_USER, BROKER_NAME, "role", wire.encode(body))
    appoint(turn, record.id, heir, "owner")
