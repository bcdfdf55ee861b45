"""Invitations to the chat: who has the secret token is let in, as what the invitation says. Only a digest is kept."""

from msgspec import structs

from chat_broker import access, audit, bans, memberships, rooms, users
from chat_broker.desk import Connection
from chat_broker.tables import LOBBY, InvitationRecord, User
from chat_broker.turn import Turn
from chat_core import keys, names
from chat_core import messages as m
from chat_core.errors import RefusedError

# A reply holds them all.
INVITATIONS_MOST = 1000


# ---- used ------------------------------------------------------------------------------------------------------


def usable(turn: Turn, token: str) -> InvitationRecord:
    """The invitation of a token. Raises RefusedError("invite_bad")."""
    digest = keys.token_digest(token)
    for invitation in turn.tables.invitations.values():
        if invitation.digest == digest and is_on(invitation, turn.time) and _is_vouched_for(turn, invitation):
            return invitation
    raise RefusedError("invite_bad", "This invitation is unknown, used up, run out or revoked: ask for another one.")


def is_on(invitation: InvitationRecord, now: int) -> bool:
    """Can it be used? (One that is used up is gone.)"""
    return not invitation.until or invitation.until > now


def _is_vouched_for(turn: Turn, invitation: InvitationRecord) -> bool:
    """Could whoever made it make it now? Who was banned, or is no admin any more, lets nobody in."""
    maker = access.standing(turn.tables, invitation.by)
    acts: tuple[access.Act, ...] = (
        ("invitation", "appoint_admin") if invitation.role in access.ADMINS else ("invitation",)
    )
    return all(access.may(act, maker) for act in acts) and not bans.is_banned(turn, "", invitation.by)


def use(turn: Turn, invitation: InvitationRecord, user: User) -> User:
    """Let a newcomer in by an invitation: it is spent, and they are what it says."""
    used = invitation.used + 1
    if used == invitation.uses:
        turn.tables.remove(turn.batch, "invitations", invitation.id)
    else:
        _put(turn, structs.replace(invitation, used=used))
    user = users.change(
        turn, user, waiting=False, role=invitation.role, rooms=invitation.rooms, post=invitation.post,
        invitation=invitation.id,
    )  # fmt: skip
    enter_scope(turn, user, invitation.by)
    return user


def enter_scope(turn: Turn, user: User, by: str) -> None:
    """Make somebody a member of the rooms of their scope, without one of the lobby, where ``by`` may invite them."""
    for room in user.rooms if user.rooms is not None else [LOBBY]:
        record = turn.tables.rooms.get(room)
        if record is None or record.archived or turn.tables.is_member(room, user.id):
            continue
        if user.rooms is None or access.may("invite", access.standing(turn.tables, by, record, turn.time)):
            memberships.enter(turn, room, user.id, user.name)


# ---- made ------------------------------------------------------------------------------------------------------


def invitation(turn: Turn, peer: bytes, request: m.Invitation) -> None:
    """Make an invitation; of a digest that is known (a retry) it is the one there is."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "invitation")
    bans.check_until(turn, request.until)
    scope = checked_scope(turn, connection, request.role, request.rooms, request.post)
    known = next((one.id for one in turn.tables.invitations.values() if one.digest == request.digest), "")
    if not known:
        known = _make(turn, connection, request, scope)
    turn.acknowledge(peer, m.Done(request.id, of=known))


def invitations(turn: Turn, peer: bytes, request: m.Invitations) -> None:
    """List the invitations that can be used."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "invitation")
    found = [one for one in turn.tables.invitations.values() if is_on(one, turn.time)]
    found.sort(key=lambda one: users.number(one.id))
    turn.answer(peer, m.InvitationList(request.id, [_info(turn, connection, one) for one in found]))


def revoke(turn: Turn, peer: bytes, request: m.Revoke) -> None:
    """An invitation lets nobody in any more."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "invitation")
    if request.invitation not in turn.tables.invitations:
        text = f"There is no invitation {names.shown(request.invitation)}: `invitations` lists them."
        raise RefusedError("no_such", text)
    turn.tables.remove(turn.batch, "invitations", request.invitation)
    audit.note(turn, connection, "revoke", what=request.invitation)
    turn.acknowledge(peer, m.Done(request.id, of=request.invitation))


def checked_scope(
    turn: Turn, connection: Connection, role: str, typed: list[str] | None, post: bool
) -> list[str] | None:
    """The ids of the rooms of a scope. Raises RefusedError where the asker may not give that role, or invite there."""
    if role in access.ADMINS:
        access.check(turn, connection.user, "appoint_admin")
        if typed is not None or not post:
            raise RefusedError("bad_request", "Owners and admins are so everywhere: leave `rooms` and `post` out.")
    if typed is None:
        return None
    records = [rooms.seen(turn, one, connection.user, "invite") for one in typed]
    return sorted({record.id for record in records})


def seen_scope(turn: Turn, user_id: str, scope: list[str] | None) -> list[str] | None:
    """Of a scope what this user may know: not the private rooms of others."""
    if scope is None:
        return None
    records = [turn.tables.rooms[one] for one in scope if one in turn.tables.rooms]
    return [one.id for one in records if access.may("see", access.standing(turn.tables, user_id, one, turn.time))]


def _make(turn: Turn, connection: Connection, request: m.Invitation, scope: list[str] | None) -> str:
    for one in list(turn.tables.invitations.values()):
        if not is_on(one, turn.time):
            turn.tables.remove(turn.batch, "invitations", one.id)
    if len(turn.tables.invitations) >= INVITATIONS_MOST:
        raise RefusedError("limit", f"There are {INVITATIONS_MOST} invitations, which are the most: revoke some.")
    count = turn.tables.counters.get("invitations", 0) + 1
    turn.tables.put(turn.batch, "counters", "invitations", count)
    made = InvitationRecord(
        f"i{count}", request.digest, connection.user, turn.time, uses=request.uses, until=request.until,
        role=request.role, rooms=scope, post=request.post, note=names.one_line(request.note),
    )  # fmt: skip
    _put(turn, made)
    audit.note(turn, connection, "invitation", what=made.id, until=made.until, reason=made.note)
    return made.id


def _put(turn: Turn, one: InvitationRecord) -> None:
    turn.tables.put(turn.batch, "invitations", one.id, one)


def _info(turn: Turn, connection: Connection, one: InvitationRecord) -> m.InvitationInfo:
    scope, by = seen_scope(turn, connection.user, one.rooms), users.name_of(turn, one.by)
    return m.InvitationInfo(one.id, one.uses, one.used, one.until, one.role, scope, one.post, one.note, by, one.time)
