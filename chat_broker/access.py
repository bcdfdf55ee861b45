"""Who may do what: one table, from which docs/access.md is made, and of which a test tries every cell.

Somebody's standing is what they are in the chat, what kind of room it is about, and what they are in it. A rule says
for an act which chat roles may do it by themselves (where a room is concerned: in open rooms, whether they are in it or
not), and which room roles may, whatever else they are. So nobody has any power over a private room by their role in
the chat: who is not in it is not even told that it is there.
"""

from dataclasses import dataclass
from typing import Literal

from chat_broker.tables import Member, RoomRecord, Tables, User
from chat_broker.turn import Turn
from chat_core import names
from chat_core.errors import RefusedError
from chat_core.names import BROKER_USER

CHAT_ROLES = ("owner", "admin", "member", "guest", "bot")
ROOM_ROLES = ("owner", "moderator", "member", "muted", "")
ADMINS = ("owner", "admin")
ROOM_KINDS = ("open", "private", "direct", "audit")

Act = Literal[
    # in the chat
    "nick", "link", "who", "people", "look_closely", "create", "create_private", "direct", "invitation", "approve",
    "ban", "role", "appoint_admin", "release", "rekey",
    # in a room
    "see", "read", "join", "leave", "post", "post_read_only", "invite", "remove", "ban_from_room", "appoint",
    "appoint_moderator", "hand_on", "change", "rename", "archive", "delete_own", "delete", "report",
]  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """``what`` in words; ``chat``: chat roles that may by themselves; ``room``: room roles that may, in ``kinds``."""

    what: str
    chat: tuple[str, ...] = ()
    room: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


_HOME = ("owner", "admin", "member")  # who is at home here, and neither a guest nor a bot
_NO_GUEST = (*_HOME, "bot")
_OWNER = ("owner",)
_NO_BOT = (*_HOME, "guest")
_IN_IT = ("owner", "moderator", "member", "muted")
_WRITERS = ("owner", "moderator", "member")
_MODERATORS = ("owner", "moderator")
_TALK = ("open", "private", "direct")
_ROOMS = ("open", "private")

IN_THE_CHAT: dict[Act, Rule] = {
    "nick": Rule("be called otherwise", _NO_BOT),
    "link": Rule("link and unlink machines of one's own", _NO_BOT),
    "who": Rule("see who is here, outside a room", _NO_GUEST),
    "people": Rule("list everybody who was let in", _HOME),
    "look_closely": Rule("see their keys, addresses, and who waits", ADMINS),
    "create": Rule("make an open room", _HOME),
    "create_private": Rule("make a private room", _HOME),
    "direct": Rule("begin a direct conversation", _HOME),
    "invitation": Rule("make, list and revoke invitations to the chat", ADMINS),
    "approve": Rule("let in or reject who waits", ADMINS),
    "ban": Rule("ban from the chat, lift and list such bans", ADMINS),
    "role": Rule("make somebody member, guest or bot, with a scope", ADMINS),
    "appoint_admin": Rule("make somebody owner or admin, or something less again", _OWNER),
    "release": Rule("take a name from its user", ADMINS),
    "rekey": Rule("give a user another key", ADMINS),
}

IN_A_ROOM: dict[Act, Rule] = {
    "see": Rule("know that it is there, and who is in it", _NO_GUEST, _IN_IT, (*_TALK, "audit")),
    "read": Rule("read what is said", _NO_GUEST, _IN_IT, (*_TALK, "audit")),
    "join": Rule("become a member without an invitation", _NO_GUEST, (), ("open",)),
    "leave": Rule("cease to be a member", (), _IN_IT, _ROOMS),
    "post": Rule("say something", (), _WRITERS, _TALK),
    "post_read_only": Rule("say something while it is read-only", (), _MODERATORS, _TALK),
    "invite": Rule("invite somebody", ADMINS, _MODERATORS, _ROOMS),
    "remove": Rule("put out somebody of lower rank", ADMINS, _MODERATORS, _ROOMS),
    "ban_from_room": Rule("ban somebody of lower rank from it, lift and list such bans", ADMINS, _MODERATORS, _ROOMS),
    "appoint": Rule("mute somebody of lower rank, or make them a member again", ADMINS, _MODERATORS, _ROOMS),
    "appoint_moderator": Rule("make somebody moderator, or a member again", ADMINS, ("owner",), _ROOMS),
    "hand_on": Rule("make somebody owner of it", ADMINS, ("owner",), _ROOMS),
    "change": Rule("make it read-only or slow", ADMINS, _MODERATORS, _ROOMS),
    "rename": Rule("change its shown name", ADMINS, ("owner",), _ROOMS),
    "archive": Rule("archive it, and open it again", ADMINS, ("owner",), _ROOMS),
    "delete_own": Rule("delete a message of one's own", (), _IN_IT, _TALK),
    "delete": Rule("delete a message of others", ADMINS, _MODERATORS, _ROOMS),
    "report": Rule("report a message", _NO_GUEST, _IN_IT, _TALK),
}

# Who is above whom: one may act only on those below oneself. In open rooms the chat's owners and admins are above all.
_IN_CHAT = {"owner": 5, "admin": 4}
_IN_ROOM = {"owner": 3, "moderator": 2}


@dataclass(frozen=True)
class Standing:
    """What somebody is, as far as one act is concerned; without a room ``kind`` and ``room_role`` are ""."""

    chat_role: str
    kind: str = ""
    room_role: str = ""

    @property
    def rank(self) -> int:
        """How high somebody stands."""
        in_chat = _IN_CHAT.get(self.chat_role, 1) if self.kind in ("", "open") else 0
        return max(in_chat, _IN_ROOM.get(self.room_role, 1))


def may(act: Act, standing: Standing) -> bool:
    """The table's word."""
    if not standing.kind:
        return standing.chat_role in IN_THE_CHAT[act].chat
    rule = IN_A_ROOM[act]
    if standing.kind not in rule.kinds:
        return False
    if standing.kind == "audit":  # nobody is in it; those read it who are watched by it
        return standing.chat_role in ADMINS
    return standing.room_role in rule.room or (standing.kind == "open" and standing.chat_role in rule.chat)


def outranks(one: Standing, other: Standing) -> bool:
    """May somebody act on another by their role, in the chat or in this room? An owner of the chat may on everybody."""
    return one.rank > other.rank or one.rank == _IN_CHAT["owner"]


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
        raise _may_not_post(record, one) if act == "post" else _not_allowed(IN_A_ROOM[act], record.kind)
    if act == "post" and record.read_only and not may("post_read_only", one):
        raise RefusedError("read_only", f"In {record.name} only those write who moderate it.")
    return one


def check_above(turn: Turn, user_id: str, other: User, record: RoomRecord | None = None) -> None:
    """One may act only on those below oneself. Raises RefusedError("not_allowed")."""
    here = standing(turn.tables, user_id, record, turn.time)
    if not outranks(here, standing(turn.tables, other.id, record, turn.time)):
        raise RefusedError("not_allowed", f"{other.name} is not below you: ask somebody who is above them.")


def _may_not_post(record: RoomRecord, one: Standing) -> RefusedError:
    if one.room_role == "muted":
        return RefusedError("muted", f"You may read in {record.name}, but not write.")
    return RefusedError("not_member", f"You are not in room {record.name}: join it first.")


def _not_allowed(rule: Rule, kind: str = "") -> RefusedError:
    if kind and kind not in rule.kinds:
        return RefusedError("not_allowed", f"Nobody may {rule.what} where a room is {kind}.")
    holders = [f"{role}s of the chat" for role in rule.chat] + [f"{role}s of the room" for role in rule.room]
    return RefusedError("not_allowed", f"You may not {rule.what}: that is for {', '.join(holders)}.")


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
