"""What can be done with people, rooms and messages, as far as one may: menus of it, and what is asked before it."""

from collections.abc import Callable
from functools import partial

from chat_client.backend import now
from chat_client.gui.errands import Errands
from chat_client.gui.menus import RULE, Entry
from chat_client.gui.question import Field, Question
from chat_client.model import asking
from chat_client.model.commands import Do
from chat_client.model.room import RoomState
from chat_client.model.shown import Choice, Line
from chat_core import messages as m
from chat_core import rights

_MUTES = (("10 minutes", 600), ("1 hour", 3600), ("1 day", 86400), ("Until lifted", 0))
_SLOW = (("Off", 0), ("10 seconds", 10), ("30 seconds", 30), ("1 minute", 60), ("5 minutes", 300), ("1 hour", 3600))
_REASON = Field("Reason")

Insert = Callable[[str], None]


class Acting:
    """Makes menus for a chat's window. What is chosen in them goes the way of the commands (`asking`)."""

    def __init__(self, errands: Errands, question: Question, *, insert: Insert, bans: Callable[[str], None]) -> None:
        """``insert``: put a text into the composer; ``bans``: show those of a room."""
        self._chat, self._errands = errands.chat, errands
        self._question, self._insert, self._bans = question, insert, bans

    # ---- menus

    def of_person(self, user: str) -> list[Entry]:
        """What can be done with somebody on the right."""
        chat, room = self._chat, self._chat.room
        name = self._name_of(user)
        about = [Entry(self._described(user, name))]
        if user == chat.me.user:
            return _joined([about, [Entry("Mention", partial(self._insert, f"@{name} "))]])
        entries = [Entry("Mention", partial(self._insert, f"@{name} "))]
        if rights.may("direct", self._here(None)):
            entries.insert(0, Entry("Message directly", partial(self._do, Do("msg", name))))
            entries.append(Entry("Invite to a room…", partial(self._invite_somewhere, name)))
        groups = [about, entries]
        if room is not None and not room.closed:
            groups += self._in_the_room(room, user, name)
        above = rights.outranks(self._here(None), rights.Standing(chat.chat_role_of(user)))
        if above and rights.may("ban", self._here(None)):
            groups.append([Entry("Ban from the chat…", partial(self._ban, name, None))])
        return _joined(groups)

    def _described(self, user: str, name: str) -> str:
        """Somebody's whole name, and what they are in the chat and in the room that is open."""
        in_chat, in_room = self._chat.chat_role_of(user), self._chat.room_role_of(user)
        roles = ", ".join(filter(None, (in_chat, in_room and f"{in_room} here")))
        return f"{name} — {roles}" if roles else name

    def _in_the_room(self, room: RoomState, user: str, name: str) -> list[list[Entry]]:
        role = room.roles.get(user, "member" if user in (room.members or {}) else "")
        other = rights.Standing(self._chat.chat_role_of(user), room.kind, role)
        if not rights.outranks(self._here(room), other):
            return []
        may = partial(self._may, room=room)
        roles, out = [], []
        if role and may("appoint"):
            if role == "muted":
                roles.append(Entry("Let write again", partial(self._do, Do("unmute", name))))
            else:
                mutes = [Entry(label, partial(self._mute, name, label, span)) for label, span in _MUTES]
                roles.append(Entry("Mute", more=mutes))
        if role and may("appoint_moderator"):
            moderator = role == "moderator"
            label = "Make an ordinary member" if moderator else "Make moderator"
            roles.append(Entry(label, partial(self._do, Do("unmute" if moderator else "moderator", name))))
        if role and may("remove"):
            out.append(Entry("Remove from the room…", partial(self._remove, name)))
        if may("ban_from_room"):
            out.append(Entry("Ban from the room…", partial(self._ban, name, room)))
        return [roles, out]

    def of_room(self, room_id: str) -> list[Entry]:
        """What can be done with a room on the left."""
        if room_id in self._chat.invited:
            return [
                Entry("Join", partial(self._errands.command, f"/join {room_id}")),
                Entry("Decline", partial(self._errands.command, f"/leave {room_id}")),
            ]
        room = self._chat.rooms.get(room_id)
        if room is None:
            return []
        may = partial(self._may, room=room)
        people, kind = [], []
        if may("invite"):
            people.append(Entry("Invite…", partial(self._invite_here, room)))
        if may("ban_from_room"):
            people.append(Entry("Bans…", partial(self._bans, room_id)))
        if may("rename"):
            kind.append(Entry("Rename…", partial(self._rename, room)))
        if may("change"):
            slow = [
                Entry(_marked(label, room.slow == seconds), partial(self._do, Do("slow", seconds=seconds), room))
                for label, seconds in _SLOW
            ]
            kind.append(Entry("Slow mode", more=slow))
            only = Do("readonly", "off" if room.read_only else "")
            kind.append(Entry("Let everybody write" if room.read_only else "Read-only", partial(self._do, only, room)))
        if may("archive"):
            label = "Open again" if room.archived else "Archive…"
            kind.append(Entry(label, partial(self._archive, room)))
        leave = Entry("Leave", partial(self._errands.command, f"/leave {room_id}"))
        return _joined([people, kind, [leave] if room.closed or may("leave") else []])

    def of_line(self, line: Line, copy: Callable[[], None], select_all: Callable[[], None]) -> list[Entry]:
        """What can be done with a message."""
        groups = [[Entry("Copy", copy, "Ctrl+C"), Entry("Select all", select_all, "Ctrl+A")]]
        room = self._chat.room
        if room is not None and not room.closed and line.seq and line.kind in ("message", "me") and not line.deleted:
            acts = []
            if self._may("delete_own" if line.mine else "delete", room):
                acts.append(Entry("Delete…", partial(self._delete, line)))
            if not line.mine and self._may("report", room):
                acts.append(Entry("Report…", partial(self._report, line)))
            groups.append(acts)
        return _joined(groups)

    def ask_invited(self, room_id: str) -> None:
        """Somebody wants to open a room to which they are invited."""
        self._question.ask(
            f"Join #{self._chat.invited[room_id].name}?",
            "You are invited to this private room. Only those who are in it see what is said there.",
            [
                ("Join", lambda: self._errands.command(f"/join {room_id}")),
                ("Decline", lambda: self._errands.command(f"/leave {room_id}")),
                ("Not now", lambda: self._read(room_id)),
            ],
        )

    def _read(self, room_id: str) -> None:
        """What was read of it before, if there is something."""
        if room_id in self._chat.rooms:
            self._chat.open(room_id)
            self._errands.flush()

    # ---- rights

    def _here(self, room: RoomState | None) -> rights.Standing:
        """What I am, in the chat or with regard to a room."""
        role = self._chat.role or "member"
        return rights.Standing(role) if room is None else rights.Standing(role, room.kind, room.role)

    def _may(self, act: rights.Act, room: RoomState) -> bool:
        return not room.closed and rights.may(act, self._here(room))

    def _name_of(self, user: str) -> str:
        room = self._chat.room
        names = {**(self._chat.here or {}), **((room.members or {}) if room is not None else {})}
        return names.get(user, user)

    # ---- what is chosen

    def _do(self, do: Do, room: RoomState | None = None) -> None:
        if problem := asking.ask(self._chat, do, now(), room):
            self._chat.tell(problem, now())
        self._errands.flush()

    def _ask(self, title: str, text: str, label: str, do: Callable[[str], None]) -> None:
        """Ask for a reason, and whether it is really to be done."""
        answers: list[tuple[str, Callable[[], None]]] = [
            (label, lambda: do(self._question.typed)),
            ("Cancel", lambda: None),
        ]
        self._question.ask(title, text, answers, field=_REASON, harms=True)

    def _mute(self, name: str, label: str, seconds: int) -> None:
        room = self._title()
        self._ask(
            f"Mute {name} in {room}?",
            f"They may read, but not write. For: {label.lower()}. They are told who did it, and why.",
            "Mute",
            lambda reason: self._do(Do("mute", name, seconds, reason)),
        )

    def _remove(self, name: str) -> None:
        self._ask(
            f"Remove {name} from {self._title()}?",
            "They read nothing more of it, and can be invited again. They are told who did it, and why.",
            "Remove",
            lambda reason: self._do(Do("remove", name, text=reason)),
        )

    def _ban(self, name: str, room: RoomState | None) -> None:
        where = f"the room {self._title()}" if room is not None else "the chat"
        what = "They cannot come back" if room is not None else "All their machines are shut out at once"
        lifts = f"“Bans…” in the menu of {'the room' if room is not None else 'the window'} lifts it."

        def ban(reason: str) -> None:
            request = m.Ban(user=name, room=room.id if room is not None else "", reason=reason)
            self._errands.request(request, f"{name} is banned from {where}. {lifts}")

        self._ask(f"Ban {name} from {where}?", f"{what}, until the ban is lifted.", "Ban", ban)

    def _rename(self, room: RoomState) -> None:
        def rename() -> None:
            if self._question.typed:
                self._do(Do("rename", self._question.typed), room)

        self._question.ask(
            "Rename this room",
            "Everybody sees the new name. The first one still finds the room.",
            [("Rename", rename), ("Cancel", lambda: None)],
            field=Field("Name", room.name),
        )

    def _archive(self, room: RoomState) -> None:
        if room.archived:
            self._do(Do("archive", "off"), room)
            return
        self._question.ask(
            f"Archive #{room.name}?",
            "It can be read, but nobody can write in it until it is opened again.",
            [("Archive", lambda: self._do(Do("archive"), room)), ("Cancel", lambda: None)],
        )

    def _delete(self, line: Line) -> None:
        whose = "your message" if line.mine else f"this message of {line.name}"
        text = "Its text is gone for everybody, also from the broker's disk; that it was there can be seen."
        self._ask(f"Delete {whose}?", text, "Delete", lambda reason: self._do(Do("delete", str(line.seq), text=reason)))

    def _report(self, line: Line) -> None:
        answers: list[tuple[str, Callable[[], None]]] = [
            ("Report", lambda: self._do(Do("report", str(line.seq), text=self._question.typed))),
            ("Cancel", lambda: None),
        ]
        text = "Those who look after this room are told of it, and that it was you who told them."
        self._question.ask(f"Report this message of {line.name}?", text, answers, field=Field("What is wrong with it"))

    def _invite_here(self, room: RoomState) -> None:
        """Somebody is to join this room: everybody who is not in it is on offer."""

        def offer(people: list[m.Somebody]) -> None:
            there = {*(room.members or {}), self._chat.me.user}
            others = [one for one in people if one.user not in there and not one.waiting]
            others.sort(key=lambda one: (not one.here, one.name.casefold()))
            choices = [Choice(one.name, one.name, "online" if one.here else "") for one in others]
            invite = lambda name: self._do(Do("invite", name), room)  # noqa: E731
            self._errands.offer(f"Invite to #{room.name}", choices, invite, f"Everybody is in #{room.name}.")

        self._errands.everybody(offer)

    def _invite_somewhere(self, name: str) -> None:
        """One of my rooms is to be joined by somebody."""
        rooms = [room for room in self._chat.rooms.values() if self._may("invite", room)]
        choices = [Choice(room.id, f"# {room.name}", room.kind) for room in rooms]
        invite = lambda room_id: self._do(Do("invite", name), self._chat.rooms[room_id])  # noqa: E731
        self._errands.offer(f"Invite {name} to", choices, invite, "You are in no room to which you may invite.")

    def _title(self) -> str:
        room = self._chat.room
        return self._chat.signed(room) if room is not None else ""


def _joined(groups: list[list[Entry]]) -> list[Entry]:
    """The groups that are not empty, with rules between them."""
    entries: list[Entry] = []
    for group in filter(None, groups):
        entries += [RULE, *group] if entries else group
    return entries


def _marked(label: str, chosen: bool) -> str:
    return f"{'●' if chosen else '○'} {label}"
