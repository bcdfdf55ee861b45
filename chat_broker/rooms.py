"""Rooms: making, joining, leaving and listing them."""

from itertools import islice

from chat_broker.access import no_room
from chat_broker.tables import Member, RoomRecord
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core import names
from chat_core.errors import RefusedError

# As many as fit well into one reply of 256 KiB.
ROOMS_IN_A_REPLY = 1000


def id_of(turn: Turn, typed: str) -> str:
    """The id that a spelling stands for, whether there is such a room or not."""
    return typed if typed in turn.tables.rooms else names.fold(typed.removeprefix("#"))


def find(turn: Turn, typed: str) -> RoomRecord:
    """The room of that id, in any spelling. Raises RefusedError("no_room")."""
    room = id_of(turn, typed)
    record = turn.tables.rooms.get(room)
    if record is None:
        raise no_room(room)
    return record


def info(turn: Turn, record: RoomRecord, user: str) -> m.RoomInfo:
    """What others may know of a room."""
    head = turn.tables.heads[record.id]
    members = turn.tables.members_of.get(record.id, set())
    return m.RoomInfo(
        record.id, record.name, (head.seq, head.chain), head.first, len(members), user in members, record.time
    )


def enter(turn: Turn, room: str, user: str, name: str) -> int:
    """Make somebody a member; returns the number of the event that says so."""
    seq = turn.append(room, user, name, "joined")
    turn.tables.put(turn.batch, "members", f"{room} {user}", Member(turn.time, seq))
    turn.keep(turn.desk.moved, user, turn.batch.number)
    return seq


def rooms(turn: Turn, peer: bytes, request: m.Rooms) -> None:
    """List the open rooms."""
    user = turn.desk.connections[peer].user
    following = (room for room in sorted(turn.tables.rooms) if room > request.after)
    some = list(islice(following, ROOMS_IN_A_REPLY + 1))
    listed = [info(turn, turn.tables.rooms[room], user) for room in some[:ROOMS_IN_A_REPLY]]
    turn.answer(peer, m.RoomList_(request.id, listed, len(some) > ROOMS_IN_A_REPLY))


def room(turn: Turn, peer: bytes, request: m.Room) -> None:
    """Describe one room."""
    record = find(turn, request.room)
    users = turn.tables.members_of.get(record.id, set())
    members = sorted(((one, turn.tables.users[one].name) for one in users), key=lambda pair: pair[1].casefold())
    turn.answer(peer, m.RoomState(request.id, info(turn, record, turn.desk.connections[peer].user), members))


def create(turn: Turn, peer: bytes, request: m.Create) -> None:
    """Make a room. Its name becomes its id for ever, so that a link to it stays true when it is shown otherwise."""
    connection = turn.desk.connections[peer]
    name = names.room_name(request.room)
    record = turn.tables.rooms.get(name)
    if record is not None:
        again = bool(request.once) and record.once == request.once and record.by == connection.user
        if not again:
            raise RefusedError("room_taken", f"The room {name} is there already: join it.")
    else:
        record = RoomRecord(name, name, connection.user, turn.time, request.once)
        turn.tables.put(turn.batch, "rooms", name, record)
        turn.append(name, connection.user, connection.name, "created")
        enter(turn, name, connection.user, connection.name)
        turn.desk.rooms_changed(1)
        turn.undos.append(lambda: turn.desk.rooms_changed(-1))
        turn.notes.append(f"{connection.name} created room {name}")
    turn.acknowledge(peer, m.Created(request.id, info(turn, record, connection.user)))


def join(turn: Turn, peer: bytes, request: m.Join) -> None:
    """Become a member of an open room; nothing happens to somebody who is one."""
    connection = turn.desk.connections[peer]
    record = find(turn, request.room)
    seq = 0
    if not turn.tables.is_member(record.id, connection.user):
        seq = enter(turn, record.id, connection.user, connection.name)
        turn.notes.append(f"{connection.name} joined room {record.id}")
    turn.acknowledge(peer, m.Joined(request.id, info(turn, record, connection.user), seq))


def leave(turn: Turn, peer: bytes, request: m.Leave) -> None:
    """Cease to be a member; nothing happens to somebody who is none."""
    connection = turn.desk.connections[peer]
    record = find(turn, request.room)
    seq = 0
    if turn.tables.is_member(record.id, connection.user):
        seq = turn.append(record.id, connection.user, connection.name, "left")
        turn.tables.remove(turn.batch, "members", f"{record.id} {connection.user}")
        turn.keep(turn.desk.moved, connection.user, turn.batch.number)
        turn.notes.append(f"{connection.name} left room {record.id}")
    turn.acknowledge(peer, m.Left(request.id, record.id, seq))
