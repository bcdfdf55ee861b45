"""Bans from the chat and from rooms: by user, key or address, until then or for good; they take effect at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

from chat_broker import access, audit, memberships, rooms, users
from chat_broker.desk import Connection
from chat_broker.tables import BanRecord, RoomRecord, User
from chat_broker.turn import Turn
from chat_core import keys, names
from chat_core import messages as m
from chat_core.errors import RefusedError

# A reply holds them all.
BANS_MOST = 1000


@dataclass(frozen=True)
class _Target:
    """Whom a ban is for: one of the three fields is set; ``users``: whom it concerns now."""

    users: tuple[User, ...]
    user: str = ""
    key: str = ""
    address: str = ""

    @property
    def what(self) -> str:
        """For the audit log, beside a user."""
        return keys.fingerprint(self.key) if self.key else self.address


# ---- is somebody banned? ---------------------------------------------------------------------------------------


def refuse_banned(turn: Turn, room: str, user: str, key: str, address: str) -> None:
    """Raises RefusedError("banned") if one of these is, from the room or ("") from the chat."""
    if not turn.tables.bans:
        return
    found = [ban for what in (user, key, address) if what for ban in _on(turn, what) if ban.room == room]
    if found:
        ban = max(found, key=lambda ban: (not ban.until, ban.until))  # the one that lasts longest
        where = f"from {turn.tables.rooms[room].name}" if room else "here"
        why = f": {ban.reason}" if ban.reason else "."
        raise RefusedError("banned", f"You are banned {where}{_until(ban.until)}{why}")


def is_banned(turn: Turn, room: str, user: str) -> bool:
    """Is this user, whatever their keys and addresses?"""
    return any(ban.room == room for ban in _on(turn, user))


def _on(turn: Turn, what: str) -> list[BanRecord]:
    ids = turn.tables.bans_on.get(what, ())
    return [ban for ban in (turn.tables.bans[one] for one in ids) if is_on(ban, turn.time)]


def is_on(ban: BanRecord, now: int) -> bool:
    """Has it not run out?"""
    return not ban.until or ban.until > now


def _until(until: int) -> str:
    if not until:
        return ""
    try:
        return f" until {datetime.fromtimestamp(until / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):  # when there are no such years any more
        return ""


# ---- ban, unban, bans ------------------------------------------------------------------------------------------


def ban(turn: Turn, peer: bytes, request: m.Ban) -> None:
    """Shut somebody out. The same target again: the ban lasts until then, and for that reason."""
    connection = turn.desk.connections[peer]
    record = _where(turn, connection, request.room)
    check_until(turn, request.until)
    target = _target(turn, connection, request)
    for user in target.users:
        if user.id == connection.user:
            raise RefusedError("not_allowed", "You cannot ban yourself.")
        access.check_above(turn, connection.user, user, record)
    _drop_those_over(turn)
    room = record.id if record is not None else ""
    made = put(turn, connection, target.user, target.key, target.address, room, request.until, request.reason)
    if record is None:
        _shut_out(turn, connection, made)
    else:
        _put_out(turn, connection, record, made)
    for whom in target.users or (None,):
        audit.note(turn, connection, "ban", whom, record=record, what=target.what, until=made.until, reason=made.reason)
    turn.notes.append(f"{connection.name} banned {request.user or target.what} from {room or 'the chat'}")
    turn.acknowledge(peer, m.Done(request.id, of=made.id))


def unban(turn: Turn, peer: bytes, request: m.Unban) -> None:
    """Lift a ban."""
    connection = turn.desk.connections[peer]
    ban = turn.tables.bans.get(request.ban)
    if ban is None:
        raise _no_such(request.ban)
    try:
        record = _where(turn, connection, ban.room)
    except RefusedError as error:  # nothing is told of the bans of rooms that one may not see
        raise _no_such(request.ban) if error.code == "no_room" else error from None
    turn.tables.remove(turn.batch, "bans", ban.id)
    what = ban.address or (keys.fingerprint(ban.key) if ban.key else "")
    audit.note(turn, connection, "unban", turn.tables.users.get(ban.user), record=record, what=what)
    turn.acknowledge(peer, m.Done(request.id, of=ban.id))


def bans(turn: Turn, peer: bytes, request: m.Bans) -> None:
    """List the bans of a room, or of the chat."""
    record = _where(turn, turn.desk.connections[peer], request.room)
    room = record.id if record is not None else ""
    found = [ban for ban in turn.tables.bans.values() if ban.room == room and is_on(ban, turn.time)]
    found.sort(key=lambda ban: users.number(ban.id))
    turn.answer(peer, m.BanList(request.id, [_info(turn, ban) for ban in found]))


def put(
    turn: Turn, by: Connection, user: str = "", key: str = "", address: str = "",
    room: str = "", until: int = 0, reason: str = "",
) -> BanRecord:  # fmt: skip
    """Keep a ban of a user, a key or an address: a new one, or the one there is with other words."""
    of_the_target = (turn.tables.bans[one] for one in turn.tables.bans_on.get(user or key or address, ()))
    known = next((ban.id for ban in of_the_target if ban.room == room), "")
    if not known:
        if sum(ban.room == room for ban in turn.tables.bans.values()) >= BANS_MOST:
            raise RefusedError("limit", f"There are {BANS_MOST} bans, which are the most: lift some.")
        count = turn.tables.counters.get("bans", 0) + 1
        turn.tables.put(turn.batch, "counters", "bans", count)
        known = f"b{count}"
    made = BanRecord(known, by.user, turn.time, user, key, address, room, until, names.one_line(reason))
    turn.tables.put(turn.batch, "bans", known, made)
    return made


def check_until(turn: Turn, until: int) -> None:
    """A time that is given has to be in the future."""
    if until and until <= turn.time:
        raise RefusedError("bad_request", "That time is over already: give a later one, or none.")


def _where(turn: Turn, connection: Connection, room: str) -> RoomRecord | None:
    """The room that a ban is about, if the asker may ban there."""
    if not room:
        access.check(turn, connection.user, "ban")
        return None
    return rooms.seen(turn, room, connection.user, "ban_from_room")


def _info(turn: Turn, ban: BanRecord) -> m.BanInfo:
    name = users.name_of(turn, ban.user) if ban.user else ""
    by = users.name_of(turn, ban.by)
    return m.BanInfo(ban.id, ban.user, name, ban.key, ban.address, ban.room, ban.until, ban.reason, by, ban.time)


def _no_such(ban: str) -> RefusedError:
    return RefusedError("no_such", f"There is no ban {names.shown(ban)}: `bans` lists them.")


def _drop_those_over(turn: Turn) -> None:
    for ban in list(turn.tables.bans.values()):
        if not is_on(ban, turn.time):
            turn.tables.remove(turn.batch, "bans", ban.id)


# ---- whom ------------------------------------------------------------------------------------------------------


def _target(turn: Turn, connection: Connection, request: m.Ban) -> _Target:
    if sum(map(bool, (request.user, request.key, request.address))) != 1:
        raise RefusedError("bad_request", "Name one of the three: a user, a key or an address.")
    if request.user:
        user = users.find(turn, request.user, waiting=True)
        return _Target((user,), user=user.id)
    if request.key:
        key = _known_key(turn, request.key)
        owner = turn.tables.users.get(turn.tables.keys.get(key, ""))
        return _Target((owner,) if owner is not None else (), key=key)
    address = _address(turn, request.address)
    if address == connection.address:
        raise RefusedError("not_allowed", "You cannot ban the address from which you come.")
    there = {one.user for one in _connections(turn).values() if one.address == address}
    return _Target(tuple(turn.tables.users[one] for one in sorted(there)), address=address)


def _known_key(turn: Turn, typed: str) -> str:
    """A whole key, whosever it is, or one that somebody has, by its fingerprint."""
    if keys.is_key(typed):
        return typed
    for key in turn.tables.keys:
        if keys.same_fingerprint(keys.fingerprint(key), typed):
            return key
    raise RefusedError("no_such", f"Nobody here has a key {names.shown(typed)}: give a whole key.")


def _address(turn: Turn, typed: str) -> str:
    if typed in turn.desk.from_address:
        return typed
    try:
        address = ip_address(typed)
    except ValueError:
        raise RefusedError("no_such", f"{names.shown(typed)} is no address from which anybody comes.") from None
    return str(getattr(address, "ipv4_mapped", None) or address)


# ---- at once ---------------------------------------------------------------------------------------------------


def _shut_out(turn: Turn, by: Connection, ban: BanRecord) -> None:
    turn.shut_out = True
    concerned = _concerned(ban)
    # libzmq will refuse their handshakes, which have no room for a reason.
    why = m.Notice(0, "banned", by=by.name, until=ban.until, reason=ban.reason)
    for peer, connection in _connections(turn).items():
        if concerned(connection):
            users.shut_out(turn, peer, why)


def _put_out(turn: Turn, by: Connection, record: RoomRecord, ban: BanRecord) -> None:
    concerned = _concerned(ban)
    there = {one.user for one in turn.desk.connections.values() if concerned(one)}
    owner = turn.tables.keys.get(ban.key, "")
    for user in sorted((there | {ban.user, owner}) & turn.tables.users.keys()):
        memberships.withdraw(turn, record.id, user)
        if turn.tables.is_member(record.id, user):
            memberships.put_out(turn, by, record, turn.tables.users[user], ban.reason, ban.until)


def _concerned(ban: BanRecord) -> Callable[[Connection], bool]:
    if ban.user:
        return lambda one: one.user == ban.user
    if ban.key:
        return lambda one: one.key == ban.key
    return lambda one: one.address == ban.address


def _connections(turn: Turn) -> dict[bytes, Connection]:
    both = turn.desk.connections | turn.desk.waiting
    return {peer: one for peer, one in both.items() if one.user in turn.tables.users}  # not the broker's own
