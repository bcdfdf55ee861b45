"""What those do in a room who look after it: inviting, putting out, appointing, changing the room."""

import msgspec

from chat_broker import access, audit, bans, memberships, rooms, users
from chat_broker.desk import Connection
from chat_broker.tables import RoomRecord, User
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core import names, wire
from chat_core.errors import RefusedError


def invite(turn: Turn, peer: bytes, request: m.Invite) -> None:
    """Let somebody join; nothing happens to somebody who is in the room or invited already."""
    connection = turn.desk.connections[peer]
    record = rooms.seen(turn, request.room, connection.user, "invite")
    user = users.find(turn, request.user)
    if user.rooms is not None and record.id not in user.rooms:
        raise RefusedError("not_allowed", f"{user.name} may only be in certain rooms, and this is none of them.")
    if bans.is_banned(turn, record.id, user.id):
        raise RefusedError("banned", f"{user.name} is banned from {record.name}: lift that first.")
    key = f"{record.id} {user.id}"
    if key not in turn.tables.members and key not in turn.tables.invited:
        memberships.invite(turn, record.id, user.id, connection.user)
        seq = turn.append(record.id, connection.user, connection.name, "invited", _about(user))
        turn.tell(user.id, m.Notice(0, "invited", record.id, connection.name))
        audit.note(turn, connection, "invite", user, record=record)
        turn.acknowledge(peer, m.Done(request.id, seq))
    else:
        turn.acknowledge(peer, m.Done(request.id))


def remove(turn: Turn, peer: bytes, request: m.Remove) -> None:
    """Put somebody out, or take their invitation back."""
    connection = turn.desk.connections[peer]
    record = rooms.seen(turn, request.room, connection.user, "remove")
    user = users.find(turn, request.user)
    reason = names.one_line(request.reason)
    seq = 0
    if _is_in(turn, record, user):
        access.check_above(turn, connection.user, user, record)
        seq = memberships.put_out(turn, connection, record, user, reason)
        audit.note(turn, connection, "remove", user, record=record, reason=reason)
    elif not memberships.withdraw(turn, record.id, user.id):
        raise _not_in(record, user)
    turn.acknowledge(peer, m.Done(request.id, seq))


def appoint(turn: Turn, peer: bytes, request: m.Appoint) -> None:
    """Change what somebody is in the room. It has one owner: who hands it on is moderator from then on."""
    connection = turn.desk.connections[peer]
    record = rooms.find(turn, request.room, connection.user)
    user = users.find(turn, request.user)
    if not _is_in(turn, record, user):
        access.check(turn, connection.user, "appoint", record)
        raise _not_in(record, user)
    member = turn.tables.members[f"{record.id} {user.id}"]
    access.check(turn, connection.user, _act_of(member.role, request.role), record)
    reason = names.one_line(request.reason)
    until = request.until if request.role == "muted" else 0
    if (member.role, member.until) == (request.role, until):
        turn.acknowledge(peer, m.Done(request.id))
        return
    access.check_above(turn, connection.user, user, record)
    if member.role == "owner":
        raise RefusedError("not_allowed", f"{user.name} owns the room: make somebody else its owner instead.")
    if request.role == "owner":
        _step_down(turn, connection, record)
    _appoint(turn, connection, record, user, request.role, until, reason)
    seq = turn.tables.heads[record.id].seq
    audit.note(turn, connection, "appoint", user, record=record, what=request.role, until=until, reason=reason)
    turn.acknowledge(peer, m.Done(request.id, seq))


def change(turn: Turn, peer: bytes, request: m.Change) -> None:
    """Change a room as its owner or its moderators may; the event says what is another than before."""
    connection = turn.desk.connections[peer]
    record = rooms.find(turn, request.room, connection.user)
    wanted = {field: getattr(request, field) for field in ("name", "read_only", "slow", "archived")}
    if wanted["name"] is not None:
        wanted["name"] = names.room_title(wanted["name"])
    new = {field: value for field, value in wanted.items() if value is not None and value != getattr(record, field)}
    # What is opened again may be changed in the same breath.
    checked = record if request.archived is not False else msgspec.structs.replace(record, archived=False)
    for field, act in _ACT_OF_FIELD.items():
        if wanted[field] is not None:
            access.check(turn, connection.user, act, checked if field != "archived" else record)
    if not new:
        turn.acknowledge(peer, m.Done(request.id))
        return
    if "name" in new:
        _check_title(turn, record, new["name"])
    turn.tables.put(turn.batch, "rooms", record.id, msgspec.structs.replace(record, **new))
    seq = turn.append(record.id, connection.user, connection.name, "changed", wire.encode(m.Changed(**new)))
    if record.kind == "open":
        turn.desk.rooms_changed(1)
        turn.undos.append(lambda: turn.desk.rooms_changed(-1))
    changes = ", ".join(f"{field}: {value}" for field, value in new.items())
    audit.note(turn, connection, "change", record=record, what=changes)
    turn.acknowledge(peer, m.Done(request.id, seq))


_ACT_OF_FIELD: dict[str, access.Act] = {
    "name": "rename",
    "read_only": "change",
    "slow": "change",
    "archived": "archive",
}


# ---- what they have in common ----------------------------------------------------------------------------------


def _act_of(old: str, new: str) -> access.Act:
    if new == "owner" or old == "owner":
        return "hand_on"
    return "appoint_moderator" if "moderator" in (old, new) else "appoint"


def _step_down(turn: Turn, by: Connection, record: RoomRecord) -> None:
    """Whoever owns the room is moderator from now on."""
    for one in sorted(turn.tables.members_of[record.id]):
        if turn.tables.members[f"{record.id} {one}"].role == "owner":
            _appoint(turn, by, record, turn.tables.users[one], "moderator")


def _appoint(
    turn: Turn, by: Connection, record: RoomRecord, user: User, role: m.RoomRole, until: int = 0, reason: str = ""
) -> None:
    memberships.appoint(turn, record.id, user.id, role, until)
    turn.append(record.id, by.user, by.name, "role", _about(user, role, until, reason))
    if user.id != by.user:
        turn.tell(user.id, m.Notice(0, "role", record.id, by.name, role=role, until=until, reason=reason))


def _check_title(turn: Turn, record: RoomRecord, title: str) -> None:
    tables, folded = turn.tables, names.fold(title)
    if (folded in tables.rooms and folded != record.id) or tables.titles.get(folded, record.id) != record.id:
        raise RefusedError("room_taken", f"There is a room called {title} already.")


def _is_in(turn: Turn, record: RoomRecord, user: User) -> bool:
    return f"{record.id} {user.id}" in turn.tables.members


def _not_in(record: RoomRecord, user: User) -> RefusedError:
    return RefusedError("no_user", f"{user.name} is not in {record.name}.")


def _about(user: User, role: str = "", until: int = 0, reason: str = "") -> bytes:
    return wire.encode(m.About(user.id, user.name, role, until, reason))
