"""What people are in the chat: roles and scopes; admins let in who waits, or do not, and take names back."""

from chat_broker import access, audit, bans, invitations, users
from chat_broker.desk import Connection
from chat_broker.tables import User
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core.errors import RefusedError
from chat_core.names import BROKER_USER


def role(turn: Turn, peer: bytes, request: m.Role) -> None:
    """Make somebody owner, admin, member, guest or bot, with a scope."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "role")
    user = users.find(turn, request.user)
    if user.role in access.ADMINS:
        access.check(turn, connection.user, "appoint_admin")
    access.check_above(turn, connection.user, user)
    scope = invitations.checked_scope(turn, connection, request.role, request.rooms, request.post)
    if user.role == "owner" and request.role != "owner" and connection.user != BROKER_USER:
        _check_not_the_last(turn, user)
    changed = users.change(turn, user, role=request.role, rooms=scope, post=request.post)
    _follow(turn, connection, user, changed)
    audit.note(turn, connection, "role", user, what=_described(changed))
    turn.acknowledge(peer, m.Done(request.id, of=user.id))


def _follow(turn: Turn, connection: Connection, user: User, changed: User) -> None:
    """What comes of it that somebody is something else now."""
    if user.fed and not changed.fed:
        turn.shut_out = True
    if changed.rooms is not None:
        invitations.enter_scope(turn, changed, connection.user)
    turn.keep(turn.desk.moved, user.id, turn.batch.number)
    turn.tell(user.id, m.Notice(0, "role", by=connection.name, role=changed.role))


def _check_not_the_last(turn: Turn, user: User) -> None:
    if not any(one.role == "owner" and one.id != user.id for one in turn.tables.users.values()):
        raise RefusedError("not_allowed", f"The last owner is {user.name}: make somebody else one first.")


def _described(user: User) -> str:
    where = "" if user.rooms is None else f" in {len(user.rooms)} rooms"
    return user.role + where + ("" if user.post else ", reading")


# ---- those who wait --------------------------------------------------------------------------------------------


def approve(turn: Turn, peer: bytes, request: m.Approve) -> None:
    """Let in who waits; nothing happens to somebody who is in."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "approve")
    user = users.find(turn, request.user, waiting=True)
    if user.waiting:
        invitations.enter_scope(turn, users.change(turn, user, waiting=False), connection.user)
        turn.tell(user.id, m.Notice(0, "admitted", by=connection.name))
        audit.note(turn, connection, "approve", user)
        turn.notes.append(f"{connection.name} let in {user.name}")
    turn.acknowledge(peer, m.Done(request.id, of=user.id))


def reject(turn: Turn, peer: bytes, request: m.Reject) -> None:
    """Do not let in who waits: their key is banned, and their name is free."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "approve")
    user = users.find(turn, request.user, waiting=True)
    if not user.waiting:
        raise RefusedError("no_user", f"Nobody called {user.name} waits: they were let in.")
    for key in sorted(turn.tables.keys_of[user.id]):
        bans.put(turn, connection, key=key, reason=request.reason)
    audit.note(turn, connection, "reject", user, reason=request.reason)
    for waiting in turn.desk.reach(user.id):
        users.shut_out(turn, waiting, m.Notice(0, "rejected", by=connection.name, reason=request.reason))
    users.forget(turn, user)
    turn.notes.append(f"{connection.name} did not let in {user.name}")
    turn.acknowledge(peer, m.Done(request.id, of=user.id))


# ---- names -----------------------------------------------------------------------------------------------------


def release(turn: Turn, peer: bytes, request: m.Release) -> None:
    """Take a name from its user, who is called by their id until they choose another."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "release")
    user = users.find(turn, request.name, waiting=True)
    access.check_above(turn, connection.user, user)
    if user.name != user.id:
        audit.note(turn, connection, "release", user, what=user.name)
        users.call(turn, user, user.id)
        turn.notes.append(f"{connection.name} took the name {user.name} from {user.id}")
    turn.acknowledge(peer, m.Done(request.id, of=user.id))
