"""Joining a room and leaving it, by oneself."""

from chat_broker import access, bans, memberships, rooms
from chat_broker.desk import Connection
from chat_broker.tables import RoomRecord
from chat_broker.turn import Turn
from chat_core import messages as m


def join(turn: Turn, peer: bytes, request: m.Join) -> None:
    """Become a member of an open room, or take an invitation; nothing happens to somebody who is one."""
    connection = turn.desk.connections[peer]
    user = connection.user
    invited = rooms.invited_to(turn, request.room, user)
    record = invited or rooms.find(turn, request.room, user)
    seq = 0
    if not rooms.is_in(turn, record, user):
        _check_join(turn, record, connection, invited is not None)
        seq = memberships.enter(turn, record.id, user, connection.name)
        turn.notes.append(f"{connection.name} joined room {record.id}")
    turn.acknowledge(peer, m.Joined(request.id, rooms.info(turn, record, user), seq))


def leave(turn: Turn, peer: bytes, request: m.Leave) -> None:
    """Cease to be a member, or decline an invitation; nothing happens to somebody who is none."""
    connection = turn.desk.connections[peer]
    user = connection.user
    record = rooms.invited_to(turn, request.room, user) or rooms.find(turn, request.room, user)
    seq = 0
    if rooms.is_in(turn, record, user):
        access.check(turn, user, "leave", record)
        seq = turn.append(record.id, user, connection.name, "left")
        memberships.end(turn, record, user, seq)
        turn.notes.append(f"{connection.name} left room {record.id}")
    else:
        memberships.withdraw(turn, record.id, user)
    turn.acknowledge(peer, m.Left(request.id, record.id, seq))


def _check_join(turn: Turn, record: RoomRecord, connection: Connection, invited: bool) -> None:
    access.check_person(connection.user)
    if not invited:
        access.check(turn, connection.user, "join", record)
    elif record.archived:
        raise access.archived(record)
    bans.refuse_banned(turn, record.id, connection.user, connection.key, connection.address)
