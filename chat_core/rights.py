"""Who may do what: one table, from which docs/access.md is made, and of which a test tries every cell.

Somebody's standing is what they are in the chat, what kind of room it is about, and what they are in it. A rule says
for an act which chat roles may do it by themselves (where a room is concerned: in open rooms, whether they are in it or
not), and which room roles may, whatever else they are. So nobody has any power over a private room by their role in
the chat: who is not in it is not even told that it is there.
"""

from dataclasses import dataclass
from typing import Literal

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
