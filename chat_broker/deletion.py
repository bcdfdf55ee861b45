"""Messages that should not stand as they are: deleted by their author or a moderator, reported by a reader."""

from chat_broker import access, audit, reach, rooms, users
from chat_broker.desk import Connection
from chat_broker.tables import RoomRecord
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core import names, wire
from chat_core.errors import RefusedError


def delete(turn: Turn, peer: bytes, request: m.Delete) -> None:
    """Blank a message for everybody. Its number, its author and its place in the chain stay."""
    connection = turn.desk.connections[peer]
    record = rooms.find(turn, request.room, connection.user)
    message = _message(turn, connection, record, request.seq)
    own = message.author == connection.user
    access.check(turn, connection.user, "delete_own" if own else "delete", record)
    reason = names.one_line(request.reason)
    key = f"{record.id} {message.seq}"
    seq = turn.tables.deleted.get(key, 0)
    if not seq:
        body = wire.encode(m.Deleted(reason))
        seq = turn.append(record.id, connection.user, connection.name, "deleted", body, target=message.seq)
        turn.tables.put(turn.batch, "deleted", key, seq)
        turn.batch.blank(record.id, message.seq)
        if not own:
            user = turn.tables.users.get(message.author)
            audit.note(turn, connection, "delete", user, record=record, what=str(message.seq), reason=reason)
    turn.acknowledge(peer, m.Done(request.id, seq))


def report(turn: Turn, peer: bytes, request: m.Report) -> None:
    """Tell a message to those who moderate the room; in an open one also to those who look after the chat."""
    connection = turn.desk.connections[peer]
    record = rooms.seen(turn, request.room, connection.user, "report")
    message = _message(turn, connection, record, request.seq)
    reason = names.one_line(request.reason)
    notice = m.Notice(
        0, "reported", record.id, connection.name, message.author, message.name, message.seq, reason=reason
    )
    for user in sorted(_keepers(turn, record)):
        turn.tell(user, notice)
    about = turn.tables.users.get(message.author)
    audit.note(turn, connection, "report", about, record=record, what=str(message.seq), reason=reason)
    turn.acknowledge(peer, m.Done(request.id))


def _message(turn: Turn, connection: Connection, record: RoomRecord, seq: int) -> m.Event:
    """A message that whoever asks may read. Raises RefusedError("no_event")."""
    readable = reach.spans(turn.tables, connection.user, record, turn.time)
    event = turn.event(record.id, seq) if reach.has(readable, seq) else None
    if event is None or event.kind != "message":
        raise RefusedError("no_event", f"There is no message number {seq} in {record.name}.")
    return event


def _keepers(turn: Turn, record: RoomRecord) -> set[str]:
    """Who is to hear of what is reported there."""
    tables = turn.tables
    members = tables.members_of.get(record.id, set())
    found = {one for one in members if tables.members[f"{record.id} {one}"].role in ("owner", "moderator")}
    if record.kind == "open":
        found |= set(users.admins_here(turn))
    return found
