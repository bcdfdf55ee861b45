"""Commands that ask the broker for something and tell how it went: what people may do to people and rooms. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chat_client.model import commands
from chat_client.model.moment import Moment
from chat_client.model.room import RoomState
from chat_core import durations
from chat_core import messages as m
from chat_core.said import until_and_why

if TYPE_CHECKING:
    from chat_client.model.chat import Chat

AWAY = "The broker is away: this can be done when it is back."
Do = commands.Do
# A request, and what to say when it was done; "": the room's log says it.
Asked = tuple[m.Request, str]


def ask(chat: Chat, do: Do, at: Moment, room: RoomState | None = None) -> str:
    """Do what a command wants, in this room, or else in the one that is open. Returns "" if it was taken, else why
    not: a sentence."""
    if not chat.connected:
        return AWAY
    if do.name in IN_THE_CHAT:
        _ask(chat, *IN_THE_CHAT[do.name](chat, do, at))
        return ""
    room = room or chat.room
    if room is None:
        return "You are in no room."
    _ask(chat, *IN_A_ROOM[do.name](room, do, at))
    return ""


def _ask(chat: Chat, request: m.Request, done: str) -> None:
    def answer(reply: m.Reply, at: Moment) -> None:
        if isinstance(reply, m.Refused):
            chat.tell(reply.text, at)
        elif isinstance(reply, m.Created):
            chat.add(reply.room)
            chat.open(reply.room.id)
            if isinstance(request, m.Direct) and done:
                chat.post(done, at)
        elif done:
            chat.tell(done, at)

    chat.ask(request, answer)


def _until(do: Do, at: Moment) -> int:
    return at.wall + do.seconds * 1000 if do.seconds else 0


# ---- in the chat ---------------------------------------------------------------------------------------------------


def _msg(chat: Chat, do: Do, at: Moment) -> Asked:
    return m.Direct(people=[name.strip(" @") for name in do.who.split(",") if name.strip(" @")]), do.text


def _private(chat: Chat, do: Do, at: Moment) -> Asked:
    return m.Create(room=do.who, once=chat.once(), kind="private"), ""


def _nick(chat: Chat, do: Do, at: Moment) -> Asked:
    return m.Nick(name=do.who), f"You are called {do.who} now."


def _ban(chat: Chat, do: Do, at: Moment) -> Asked:
    until = _until(do, at)
    return m.Ban(user=do.who, until=until, reason=do.text), f"{do.who} is banned{until_and_why(until, do.text)}."


def _approve(chat: Chat, do: Do, at: Moment) -> Asked:
    return m.Approve(user=do.who), f"{do.who} is let in."


def _reject(chat: Chat, do: Do, at: Moment) -> Asked:
    return m.Reject(user=do.who, reason=do.text), f"{do.who} is not let in."


IN_THE_CHAT: dict[str, Callable[[Chat, Do, Moment], Asked]] = {
    "msg": _msg,
    "private": _private,
    "nick": _nick,
    "ban": _ban,
    "approve": _approve,
    "reject": _reject,
}

# ---- in the room that is open --------------------------------------------------------------------------------------


def _invite(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Invite(room=room.id, user=do.who), f"{do.who} is invited."


def _remove(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Remove(room=room.id, user=do.who, reason=do.text), ""


def _mute(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Appoint(room=room.id, user=do.who, role="muted", until=_until(do, at), reason=do.text), ""


def _unmute(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Appoint(room=room.id, user=do.who), ""


def _moderator(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Appoint(room=room.id, user=do.who, role="moderator"), ""


def _rename(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Change(room=room.id, name=do.who), ""


def _readonly(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Change(room=room.id, read_only=do.who != "off"), ""


def _slow(room: RoomState, do: Do, at: Moment) -> Asked:
    most = 86400
    return m.Change(room=room.id, slow=min(do.seconds, most)), ""


def _archive(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Change(room=room.id, archived=do.who != "off"), ""


def _delete(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Delete(room=room.id, seq=int(do.who), reason=do.text), ""


def _report(room: RoomState, do: Do, at: Moment) -> Asked:
    return m.Report(room=room.id, seq=int(do.who), reason=do.text), "Those who look after this room are told."


IN_A_ROOM: dict[str, Callable[[RoomState, Do, Moment], Asked]] = {
    "invite": _invite,
    "remove": _remove,
    "mute": _mute,
    "unmute": _unmute,
    "moderator": _moderator,
    "rename": _rename,
    "readonly": _readonly,
    "slow": _slow,
    "archive": _archive,
    "delete": _delete,
    "report": _report,
}


def slow_problem(room: RoomState, now: int) -> str:
    """Why nothing can be said in the room at this moment (ms), as far as its slow mode is concerned; "": it can.

    The broker would refuse it, and what is said in other rooms meanwhile would wait with it.
    """
    left = room.said + room.slow * 1000 - now
    if not room.slow or left <= 0 or room.role in ("owner", "moderator"):
        return ""
    return f"This room is in slow mode: you can write in it again in {durations.span(left // 1000 + 1)}."
