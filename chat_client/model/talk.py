"""What is typed into the composer: a message, or a command that is carried out here. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_client.model import asking, commands
from chat_client.model.moment import Moment
from chat_core import messages as m
from chat_core import names
from chat_core.errors import RefusedError

if TYPE_CHECKING:
    from chat_client.model.chat import Chat

_AWAY = "The broker is away: this can be done when it is back."


def say(chat: Chat, text: str, at: Moment) -> str:
    """Do what was typed. Returns "" if it was taken, else why not: a sentence."""
    command = commands.parse(text)
    if isinstance(command, commands.Say):
        return chat.post(command.text, at)
    if isinstance(command, commands.Me):
        return chat.post(command.text, at, me=True)
    if isinstance(command, commands.Problem):
        return command.text
    if isinstance(command, commands.Help):
        chat.tell(command.text, at)
        return ""
    if isinstance(command, commands.Quit):
        chat.quit()
        return ""
    if not chat.connected:
        return _AWAY
    if isinstance(command, commands.Join):
        enter(chat, command.room, at)
    elif isinstance(command, commands.Create):
        _create(chat, command.room)
    elif isinstance(command, commands.Do):
        return asking.ask(chat, command, at)
    elif isinstance(command, commands.Leave):
        return _leave(chat, command.room or chat.current, at)
    elif isinstance(command, commands.Who):
        return _who(chat, command.room or chat.current)
    return ""


def enter(chat: Chat, name: str, at: Moment) -> None:
    """Open a room, becoming a member of it if I am none."""
    try:
        room = names.room_name(name)
    except RefusedError as problem:
        chat.tell(problem.text, at)
        return
    known = chat.rooms.get(room)
    if known is not None:
        chat.open(room)
        if not known.closed:
            return
    there_is_none = f"There is no room #{room}: /create {room} makes it, Ctrl+K shows which there are."
    if known is not None:
        there_is_none = f"You are not in #{room} any more, and not invited to it."
    _come_in(chat, m.Join(room=room), "no_room", there_is_none)


def _create(chat: Chat, room: str) -> None:
    there_is_one = f"There is a room #{room} already: /join {room} takes you there."
    _come_in(chat, m.Create(room=room, once=chat.once()), "room_taken", there_is_one)


def _come_in(chat: Chat, request: m.Request, code: str, text: str) -> None:
    """Ask to be in a room, and go there. ``text``: what to tell of a refusal with this ``code``, which the broker words
    for the command line."""

    def answer(reply: m.Reply, at: Moment) -> None:
        if isinstance(reply, m.Joined | m.Created):
            show(chat, reply.room)
        elif isinstance(reply, m.Refused):
            chat.tell(text if reply.code == code else reply.text, at)

    chat.ask(request, answer)


def _leave(chat: Chat, room: str, at: Moment) -> str:
    if room not in chat.rooms and room not in chat.invited:
        return f"You are not in room {room}." if room else "You are in no room."
    if room in chat.rooms and chat.rooms[room].closed:  # what was read of it is given up now
        chat.drop(room, at)
        return ""

    def answer(reply: m.Reply, at: Moment) -> None:
        if isinstance(reply, m.Left):
            chat.changes.rooms = chat.invited.pop(reply.room, None) is not None or chat.changes.rooms
            chat.drop(reply.room, at)
        elif isinstance(reply, m.Refused):
            chat.tell(reply.text, at)

    chat.ask(m.Leave(room=room), answer)
    return ""


def _who(chat: Chat, room: str) -> str:
    if not room:
        return "You are in no room: say which one, /who ROOM."

    def answer(reply: m.Reply, at: Moment) -> None:
        if isinstance(reply, m.Here):
            people = ", ".join(person.name for person in reply.people)
            count = "1 person is" if len(reply.people) == 1 else f"{len(reply.people)} people are"
            chat.tell(f"{count} here in #{room}: {people}" if people else f"Nobody of #{room} is here.", at)
        elif isinstance(reply, m.Refused):
            chat.tell(reply.text, at)

    chat.ask(m.Who(room=room), answer)
    return ""


def show(chat: Chat, info: m.RoomInfo) -> None:
    """Go to a room that I may read."""
    chat.add(info)
    chat.open(info.id)
