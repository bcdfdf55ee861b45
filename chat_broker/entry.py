"""Whom a hello is from, and whether they are let in: everybody, those with an invitation, or after an admin's yes."""

from chat_broker import bans, invitations, limits, machines, users
from chat_broker.tables import InvitationRecord, User
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core.errors import RefusedError

PLEASE_WAIT = "An admin has to let you in first. You need not do anything: it goes on by itself when they have."


def user_of(turn: Turn, peer: bytes, key: str, request: m.Hello) -> User:
    """The key's user, made if it is new; ``waiting`` if an admin has to say yes first."""
    user = turn.tables.users.get(turn.tables.keys.get(key, ""))
    if request.link and (user is None or not machines.is_linked(turn, key, request.link)):
        return machines.linked(turn, peer, key, request)
    if user is None:
        return _newcomer(turn, key, request)
    if request.name and not request.link and not users.is_called(user, request.name):
        text = f"This identity is known here as {user.name}: give that name with it, or use another one."
        raise RefusedError("name_differs", text)
    if user.waiting and (invitation := _invitation(turn, request)):
        return invitations.use(turn, invitation, user)
    if user.waiting and turn.facts.join == "open":
        return admit(turn, user)
    return user


def admit(turn: Turn, user: User, by: str = "") -> User:
    """Let in who waited, or is new."""
    if user.waiting:
        user = users.change(turn, user, waiting=False)
    invitations.enter_scope(turn, user, by)
    return user


def _newcomer(turn: Turn, key: str, request: m.Hello) -> User:
    if not request.name:
        raise RefusedError("name_needed", "The broker does not know you yet: give a name.")
    invitation = _invitation(turn, request)
    if invitation is None and turn.facts.join == "invite":
        raise RefusedError("invite_needed", "Newcomers need an invitation here: ask an admin for a join string.")
    waits = invitation is None and turn.facts.join == "approve"
    name = users.free_name(turn, request.name)
    limits.charge_newcomer(turn)
    user = users.make(turn, name, key, request.client, waits)
    if invitation is not None:
        return invitations.use(turn, invitation, user)
    if not waits:
        return admit(turn, user)
    _tell_admins(turn, user)
    _drop_oldest(turn)
    return user


def _invitation(turn: Turn, request: m.Hello) -> InvitationRecord | None:
    return invitations.usable(turn, request.invite) if request.invite else None


def _tell_admins(turn: Turn, user: User) -> None:
    turn.notes.append(f"{user.name} waits to be let in")
    for admin in users.admins_here(turn):
        turn.tell(admin, m.Notice(0, "waiting", user=user.id, name=user.name))


def _drop_oldest(turn: Turn) -> None:
    """Nobody may fill the broker with those who wait. Who is banned is kept: forgotten, they would come as new."""
    most = turn.facts.waiting_most
    if most and len(turn.tables.waiting) > most:
        waiting = [user for user in turn.tables.waiting if not bans.is_banned(turn, "", user)]
        if len(waiting) > most:
            users.forget(turn, turn.tables.users[min(waiting, key=users.number)])
