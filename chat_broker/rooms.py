"""Rooms: finding, describing and listing them; making one, open, private or direct."""

from itertools import islice
from typing import cast

from chat_broker import access, limits, memberships, reach, users
from chat_broker.access import no_room
from chat_broker.desk import Connection
from chat_broker.tables import NO_EVENTS, RoomRecord
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core import names, wire
from chat_core.errors import RefusedError

# As many as fit well into one reply of 256 KiB.
ROOMS_IN_A_REPLY = 1000
# In a direct room, whoever begins it included.
DIRECT_PEOPLE = 8


def id_of(turn: Turn, typed: str) -> str:
    """The id that a spelling of it or of the room's name stands for, whether there is such a room or not."""
    if typed in turn.tables.rooms:
        return typed
    name = folded(typed)
    return name if name in turn.tables.rooms else turn.tables.titles.get(name, name)


def folded(typed: str) -> str:
    """A spelling of a room in its normal form, whatever room that is, if any."""
    return names.fold(typed.removeprefix("#"))


def find(turn: Turn, typed: str, user: str) -> RoomRecord:
    """The room of that id or name, in any spelling. Raises RefusedError("no_room"), also if this user may not know of
    it, and then in the same words: they repeat what was asked and nothing else."""
    record = turn.tables.rooms.get(id_of(turn, typed))
    if record is None or not _is_seen(turn, record, user):
        raise missing(typed)
    return record


def seen(turn: Turn, typed: str, user: str, act: access.Act) -> RoomRecord:
    """The same, if they may do that in it. Raises RefusedError, as `access.check`."""
    record = find(turn, typed, user)
    access.check(turn, user, act, record)
    return record


def missing(typed: str) -> RefusedError:
    """There is no such room, as far as whoever asks is concerned."""
    return no_room(folded(typed))


def invited_to(turn: Turn, typed: str, user: str) -> RoomRecord | None:
    """The room, if this user was invited to it and may be there."""
    room = id_of(turn, typed)
    if room not in turn.tables.invited_to.get(user, ()):
        return None
    scope = turn.tables.users[user].rooms
    return turn.tables.rooms[room] if scope is None or room in scope else None


def is_in(turn: Turn, record: RoomRecord, user: str) -> bool:
    """Is this user a member, and the room in their scope?"""
    return bool(access.standing(turn.tables, user, record, turn.time).room_role)


# ---- what is told of a room ------------------------------------------------------------------------------------


def info(turn: Turn, record: RoomRecord, user: str) -> m.RoomInfo:
    """What this user may know of a room: of one to which they are only invited, not how much is said there."""
    tables, key = turn.tables, f"{record.id} {user}"
    nothing = (NO_EVENTS.seq, NO_EVENTS.chain)
    about = m.RoomInfo(record.id, record.name, nothing, time=record.time, kind=record.kind)
    about.invited = key in tables.invited
    about.read_only, about.slow, about.archived = record.read_only, record.slow, record.archived
    readable = reach.spans(tables, user, record, turn.time)
    if not readable:
        return about
    head, members = tables.heads[record.id], tables.members_of.get(record.id, set())
    about.head, about.first = (head.seq, head.chain), max(head.first, readable[0][0])
    about.members, about.mine = len(members), user in members
    if about.mine:
        standing = access.standing(tables, user, record, turn.time)
        about.role = standing.room_role
        about.until = tables.members[key].until if about.role == "muted" else 0
    if record.kind == "direct":
        about.people = _named(turn, members)
    return about


def ids_of_mine(turn: Turn, user: str) -> list[str]:
    """The rooms that this user is in and has in their scope, in the order of their ids."""
    tables = turn.tables
    return [room for room in sorted(tables.rooms_of.get(user, ())) if is_in(turn, tables.rooms[room], user)]


def mine(turn: Turn, user: str) -> list[m.RoomInfo]:
    """The same, described."""
    return [info(turn, turn.tables.rooms[room], user) for room in ids_of_mine(turn, user)]


def invitations(turn: Turn, user: str) -> list[m.RoomInfo]:
    """The rooms to which this user was invited, in the order of their ids."""
    return [info(turn, turn.tables.rooms[room], user) for room in sorted(turn.tables.invited_to.get(user, ()))]


def rooms(turn: Turn, peer: bytes, request: m.Rooms) -> None:
    """List the rooms that one may know of: the open ones, one's own, and those to which one is invited."""
    tables, user = turn.tables, turn.desk.connections[peer].user
    own = tables.rooms_of.get(user, set()) | tables.invited_to.get(user, set())
    following = (room for room in sorted(tables.open_rooms | own) if room > request.after)
    visible = (tables.rooms[room] for room in following if _is_visible(turn, room, user))
    some = list(islice(visible, ROOMS_IN_A_REPLY + 1))
    listed = [info(turn, record, user) for record in some[:ROOMS_IN_A_REPLY]]
    turn.answer(peer, m.RoomList_(request.id, listed, len(some) > ROOMS_IN_A_REPLY))


def room(turn: Turn, peer: bytes, request: m.Room) -> None:
    """Describe one room, and to whom may know, who is in it."""
    user = turn.desk.connections[peer].user
    record = invited_to(turn, request.room, user)
    if record is not None and not _is_seen(turn, record, user):
        turn.answer(peer, m.RoomState(request.id, info(turn, record, user)))
        return
    record = find(turn, request.room, user)
    members = turn.tables.members_of.get(record.id, set())
    standings = {one: access.standing(turn.tables, one, record, turn.time).room_role for one in members}
    roles: dict[str, m.RoomRole] = {
        one: cast(m.RoomRole, role) for one, role in sorted(standings.items()) if role not in ("", "member")
    }
    chat_roles = _chat_roles(turn, members, user)
    turn.answer(peer, m.RoomState(request.id, info(turn, record, user), _named(turn, members), roles, chat_roles))


def _is_visible(turn: Turn, room: str, user: str) -> bool:
    return f"{room} {user}" in turn.tables.invited or _is_seen(turn, turn.tables.rooms[room], user)


def _is_seen(turn: Turn, record: RoomRecord, user: str) -> bool:
    return access.may("see", access.standing(turn.tables, user, record, turn.time))


def _chat_roles(turn: Turn, members: set[str], asking: str) -> dict[str, m.ChatRole]:
    """What those are in the chat who are not just members of it, for whoever may find that out by listing people."""
    if not access.may("people", access.standing(turn.tables, asking)):
        return {}
    roles = ((one, turn.tables.users[one].role) for one in sorted(members))
    return {one: role for one, role in roles if role != "member"}


def _named(turn: Turn, members: set[str]) -> list[m.Pair]:
    pairs = ((one, turn.tables.users[one].name) for one in members)
    return sorted(pairs, key=lambda pair: (pair[1].casefold(), pair[0]))


# ---- making one ------------------------------------------------------------------------------------------------


def create(turn: Turn, peer: bytes, request: m.Create) -> None:
    """Make a room. Its name becomes its id for ever, so that a link to it stays true when it is shown otherwise."""
    connection = turn.desk.connections[peer]
    access.check_person(connection.user)
    access.check(turn, connection.user, "create_private" if request.kind == "private" else "create")
    name = names.room_name(request.room)
    record = turn.tables.rooms.get(name)
    if record is not None or name in turn.tables.titles:
        if record is None or not _is_repeated(turn, record, request, connection.user):
            raise RefusedError("room_taken", f"The room {name} is there already: join it.")
    else:
        limits.check_rooms(turn, connection.user)
        record = RoomRecord(
            name, name, connection.user, turn.time, request.once, kind=request.kind, history=request.history
        )
        _make(turn, record, connection)
        memberships.enter(turn, name, connection.user, connection.name, first=1)
    turn.acknowledge(peer, m.Created(request.id, info(turn, record, connection.user)))


def direct(turn: Turn, peer: bytes, request: m.Direct) -> None:
    """Find or make the room of these people. Its id is made of theirs: whoever begins it, it is the same one."""
    connection = turn.desk.connections[peer]
    access.check_person(connection.user)
    access.check(turn, connection.user, "direct")
    people = {user.id: user for user in (users.find(turn, typed) for typed in request.people)}
    people[connection.user] = turn.tables.users[connection.user]
    if len(people) > DIRECT_PEOPLE:
        raise RefusedError("limit", f"At most {DIRECT_PEOPLE} talk in a direct room: create a private one.")
    room = "@" + "+".join(sorted(people))
    record = turn.tables.rooms.get(room)
    if record is None:
        for user in people.values():
            if user.rooms is not None:
                raise RefusedError(
                    "not_allowed", f"{user.name} may only be in certain rooms, and this is none of them."
                )
        record = RoomRecord(room, room, connection.user, turn.time, kind="direct", history="all")
        pairs = _named(turn, set(people))
        seq = _make(turn, record, connection, pairs)
        for user_id in sorted(people):
            memberships.admit(turn, record, user_id, seq, seq)
    turn.acknowledge(peer, m.Created(request.id, info(turn, record, connection.user)))


def _make(turn: Turn, record: RoomRecord, by: Connection, people: list[m.Pair] | None = None) -> int:
    """Enter a room and begin its log; others hear of it only if it is open."""
    turn.tables.put(turn.batch, "rooms", record.id, record)
    body = wire.encode(m.Made(record.kind, record.history if record.kind == "private" else "joined", people or []))
    seq = turn.append(record.id, by.user, by.name, "created", body)
    if record.kind == "open":
        turn.desk.rooms_changed(1)
        turn.undos.append(lambda: turn.desk.rooms_changed(-1))
    turn.notes.append(f"{by.name} created {record.kind} room {record.id}")
    return seq


def _is_repeated(turn: Turn, record: RoomRecord, request: m.Create, user: str) -> bool:
    same = (record.once, record.by, record.kind) == (request.once, user, request.kind)
    return bool(request.once) and same and _is_seen(turn, record, user)
