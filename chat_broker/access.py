"""Who may do what, as the broker knows it: everybody's standing from its tables, asked by the handlers.

The table of rights itself is in `chat_core.rights`, so that a client offers nothing that would be refused.
"""

from chat_broker.tables import Member, RoomRecord, Tables, User
from chat_broker.turn import Turn
from chat_core import names
from chat_core.errors import RefusedError
from chat_core.names import BROKER_USER
from chat_core.rights import ADMINS as ADMINS
from chat_core.rights import CHAT_ROLES as CHAT_ROLES
from chat_core.rights import IN_A_ROOM as IN_A_ROOM
from chat_core.rights import IN_THE_CHAT as IN_THE_CHAT
from chat_core.rights import ROOM_KINDS as ROOM_KINDS
from chat_core.rights import ROOM_ROLES as ROOM_ROLES
from chat_core.rights import Act as Act
from chat_core.rights import Rule as Rule
from chat_core.rights import Standing as Standing
from chat_core.rights import may as may
from chat_core.rights import outranks as outranks

# ---- from the tables -------------------------------------------------------------------------------------------


def standing(tables: Tables, user_id: str, record: RoomRecord | None = None, now: int = 0) -> Standing:
    """What somebody is at this time (ms), in the chat or with regard to a room.

    Out of their scope they are guests who are not in the room; who may only read is as if muted everywhere.
    """
    if user_id == BROKER_USER:
        return Standing("owner", record.kind if record else "")
    user = tables.users[user_id]
    if record is None:
        return Standing(user.role)
    if user.rooms is not None and record.id not in user.rooms:
        return Standing("guest", record.kind)
    member = tables.members.get(f"{record.id} {user_id}")
    return Standing(user.role, record.kind, _room_role(user, member, now) if member is not None else "")


def _room_role(user: User, member: Member, now: int) -> str:
    if not user.post:
        return "muted"
    if member.role == "muted" and member.until and member.until <= now:
        return "member"
    return member.role


# ---- asked by the handlers -------------------------------------------------------------------------------------

# What may still be done in a room that is over.
_WHEN_OVER: tuple[Act, ...] = ("see", "read", "leave", "archive", "delete_own", "delete", "report")


def check(turn: Turn, user_id: str, act: Act, record: RoomRecord | None = None) -> Standing:
    """What somebody is who may do that now. Raises RefusedError, "no_room" where they may not know of the room."""
    one = standing(turn.tables, user_id, record, turn.time)
    if record is None:
        if not may(act, one):
            raise _not_allowed(IN_THE_CHAT[act])
        return one
    if not may("see", one):
        raise no_room(record.id)
    if record.archived and act not in _WHEN_OVER:
        raise archived(record)
    if not may(act, one):
        raise _may_not(act, record, one)
    if act == "post" and record.read_only and not may("post_read_only", one):
        raise RefusedError("read_only", f"In {record.name} only those write who moderate it.")
    return one


def check_above(turn: Turn, user_id: str, other: User, record: RoomRecord | None = None) -> None:
    """One may act only on those below oneself. Raises RefusedError("not_allowed")."""
    here = standing(turn.tables, user_id, record, turn.time)
    if not outranks(here, standing(turn.tables, other.id, record, turn.time)):
        raise RefusedError("not_allowed", f"You are not above {other.name}: ask somebody who is.")


def _may_not(act: Act, record: RoomRecord, one: Standing) -> RefusedError:
    if act != "post" or record.kind not in IN_A_ROOM[act].kinds:
        return _not_allowed(IN_A_ROOM[act], record.kind)
    if one.room_role == "muted":
        return RefusedError("muted", f"You may read in {record.name}, but not write.")
    return RefusedError("not_member", f"You are not in room {record.name}: join it first.")


def _not_allowed(rule: Rule, kind: str = "") -> RefusedError:
    if kind and kind not in rule.kinds:
        return RefusedError("not_allowed", f"Nobody may {rule.what} where a room is {kind}.")
    holders = [
        f"{' and '.join(f'{role}s' for role in roles)} of the {where}"
        for roles, where in ((rule.chat, "chat"), (rule.room, "room"))
        if roles
    ]
    return RefusedError("not_allowed", f"You may not {rule.what}: that is for {', or '.join(holders)}.")


def check_person(user_id: str) -> None:
    """The broker itself is in no room. Raises RefusedError("not_allowed")."""
    if user_id == BROKER_USER:
        raise RefusedError("not_allowed", "The broker itself is in no room: use a client of your own.")


def archived(record: RoomRecord) -> RefusedError:
    """What is said to whoever would change a room that is over."""
    return RefusedError("archived", f"The room {record.name} is over: it can be read, and that is all.")


def no_room(room: str) -> RefusedError:
    """What is said of the id of a room that is not there, and of one that is not to be seen: the same."""
    text = f"There is no room {names.shown(room)} here: `rooms` lists them, `create` makes one."
    return RefusedError("no_room", text)
