"""What was done that concerns me, as the window tells it: invited, removed, made moderator, reported to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_client import effects
from chat_client.model import orders
from chat_client.model.moment import Moment
from chat_client.model.room import RoomState
from chat_client.model.shown import Line
from chat_core import messages as m
from chat_core.said import until_and_why

if TYPE_CHECKING:
    from chat_client.model.chat import Chat


def removed(chat: Chat, news: effects.Removed, at: Moment) -> None:
    """A room can be read no further; what was read of it stays until I leave it."""
    room = chat.rooms.get(news.room)
    if room is not None:
        close(chat, room, news.by, news.reason, at)


def close(chat: Chat, room: RoomState, by: str, reason: str, at: Moment) -> None:
    """Say so in the room, once."""
    room.following = False
    if room.closed:
        return
    done = f"{by} removed you from this room" if by else "You are not in this room any more"
    room.closed = f"{done}{until_and_why(0, reason)}. What you read of it stays here until you /leave it."
    room.note(Line(f"n{chat.number()}", "note", room.closed, at.wall))
    chat.order(orders.Close(room.id, room.closed))
    chat.changes.rooms = chat.changes.header = chat.changes.composer = chat.changes.transcript = True


def noticed(chat: Chat, news: effects.Noticed, at: Moment) -> None:
    """Tell a notice in the room that it is about, or in the one that is open."""
    notice = news.notice
    words = _TEXTS.get(notice.kind)
    if words is None:  # of a later version, or nothing to tell
        return
    text = words(notice)
    room = chat.rooms.get(notice.room)
    if room is not None and notice.kind != "removed":
        room.note(Line(f"n{chat.number()}", "note", text, at.wall))
        chat.changes.transcript = True
    else:
        chat.note(text, at)
    if notice.kind == "removed":
        chat.drop(notice.room, at)
    elif notice.kind == "role" and room is not None:
        room.role, room.until = notice.role, notice.until
        chat.changes.header = chat.changes.people = True
    elif notice.kind == "invited":
        chat.ask(m.Room(room=notice.room), lambda reply, at: _invited(chat, reply))


def _invited(chat: Chat, reply: m.Reply) -> None:
    if isinstance(reply, m.RoomState) and reply.room.invited:
        chat.invited[reply.room.id] = reply.room
        chat.changes.rooms = True


def _invitation(notice: m.Notice) -> str:
    room = notice.room
    return f"{notice.by} invites you to #{room}: /join {room} takes you there, /leave {room} declines."


def _removal(notice: m.Notice) -> str:
    return f"{notice.by} removed you from #{notice.room}{until_and_why(notice.until, notice.reason)}."


def _role(notice: m.Notice) -> str:
    until = until_and_why(notice.until, notice.reason)
    if not notice.room:
        return f"{notice.by} made you {notice.role} of this chat{until}."
    did = "muted you" if notice.role == "muted" else f"made you {notice.role}"
    return f"{notice.by} {did} in #{notice.room}{until}."


def _report(notice: m.Notice) -> str:
    why = f": {notice.reason}" if notice.reason else "."
    return f"{notice.by} reports message {notice.seq} of {notice.name} in #{notice.room}{why}"


def _waiting(notice: m.Notice) -> str:
    return f"{notice.name} waits to be let in: /approve {notice.name} lets them in, /reject {notice.name} does not."


_TEXTS = {
    "invited": _invitation,
    "removed": _removal,
    "role": _role,
    "reported": _report,
    "waiting": _waiting,
}
