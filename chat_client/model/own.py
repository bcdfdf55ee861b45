"""Own posts, from the composer to the log: on their way, in the log, or refused."""

from collections.abc import Iterable, Sequence

import msgspec

from chat_client.client import Renumbered
from chat_client.flight import Row as Post
from chat_client.flight import Settled
from chat_client.model import commands, orders
from chat_client.model.moment import Moment
from chat_client.model.room import RoomState
from chat_client.model.shown import Line
from chat_client.model.state import State
from chat_core import messages as m
from chat_core import wire
from chat_core.errors import WireError


class OwnPosts:
    """Keeps `State.own`: which line stands for which post of the outbox. The lines are in `RoomState.pending`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rooms: dict[tuple[str, int], str] = {}
        self._foreign: set[str] = set()  # keys of unsent posts that may be another process's
        self._posted: dict[tuple[str, int], int] = {}  # acknowledged ones that have not come in yet: their numbers
        self._before: set[tuple[str, int]] = set()  # those of them that an earlier connection acknowledged

    def say(self, room: RoomState, text: str, me: bool, at: Moment) -> None:
        """A new one: shown, kept and sent."""
        key = self._pend(room, text, me, at)
        self._state.order(orders.Keep(key, room.id, "message", wire.encode(m.Message(text, me))))

    def opened(self, rows: Iterable[Post], at: Moment) -> None:
        """What is in the outbox, of this and other processes; nothing else is on its way."""
        self._state.own.clear()
        self._rooms.clear()
        self._posted.clear()
        self._foreign.clear()
        self._foreign |= {key for row in rows if (key := self._show(row, at))}

    def adopted(self, rows: Sequence[Post], at: Moment) -> None:
        """These of them are ours; the others another process sends."""
        mine = {(row.sender, row.n) for row in rows}
        for post, key in list(self._state.own.items()):
            if key in self._foreign and post not in mine:
                # Another window of the same user has it, shows it, and will say what became of it.
                self._state.rooms[self._rooms[post]].pending.pop(key, None)
                self._forget(post)
        self._foreign.clear()
        for row in rows:
            self._show(row, at)
        self._changed()

    def kept(self, news: orders.Kept, at: Moment) -> None:
        """It is in the outbox."""
        room = self._state.rooms.get(news.row.room)
        if room is not None and news.key in room.pending:
            self._remember(news.row, news.key)
        else:  # the rooms were opened anew meanwhile
            self._show(news.row, at)

    def not_kept(self, news: orders.NotKept) -> None:
        """It could not be put into the outbox."""
        for room in self._state.rooms.values():
            if news.key in room.pending:
                self._refuse(room, news.key, news.text)

    def renumbered(self, news: Renumbered, at: Moment) -> None:
        """The outbox calls posts by other numbers."""
        for old, new in news.rows.items():
            former = old.sender, old.n
            key, room = self._state.own.get(former, ""), self._state.rooms.get(new.room)
            self._forget(former)
            if room is not None and key in room.pending:
                self._remember(new, key)
            else:
                # It had come in. Either a backup has undone that, or it was not ours but another process's of a copied
                # identity, which had used its number.
                key = self._show(new, at)
            if room is not None and key:
                room.former[former] = key

    def arrived(self, room: RoomState, events: Sequence[m.Event]) -> None:
        """What is in the log is not on its way any more."""
        if not self._state.own:
            return
        for event in events:
            if event.sender and (event.sender, event.n) in self._state.own:
                self._forget((event.sender, event.n))
                self._state.changes.status = True
        for post in [post for post, seq in self._posted.items() if seq <= room.have and self._rooms[post] == room.id]:
            self._lose(room, post)  # its number is another event's

    def settled(self, news: Settled, at: Moment) -> None:
        """The broker has decided."""
        row, reply = news.row, news.reply
        room = self._state.rooms.get(row.room)
        if room is None:
            if isinstance(reply, m.Refused) and (message := _message(row)) is not None:
                self._tell_refused(row.room, reply.text, message.text, at)
            return
        key = self._state.own.get((row.sender, row.n), "")
        if not key and isinstance(reply, m.Refused):  # of an earlier process, and not shown yet
            key = self._show(row, at)
        if key not in room.pending:  # it came in, and this says so once more
            self._forget((row.sender, row.n))
            return
        if isinstance(reply, m.Refused):
            self._forget((row.sender, row.n))
            self._refuse(room, key, reply.text)
        elif reply.seq <= room.have:  # it is in the log, and was there before it was known to be ours
            self._forget((row.sender, row.n))
            del room.pending[key]
        else:
            self._posted[row.sender, row.n] = reply.seq
            room.pending[key] = msgspec.structs.replace(room.pending[key], state="sent")
        self._changed()

    def tell_refused(self, room: RoomState, at: Moment) -> None:
        """This room is not shown any more: what was refused in it is not to be lost without a word."""
        for line in room.pending.values():
            if line.state == "refused":
                self._tell_refused(room.name, line.reason, line.text, at)

    def _tell_refused(self, room: str, why: str, text: str, at: Moment) -> None:
        self._state.note(f"Your message to #{room} was refused: {why} It was: {text}", at)

    def take_back(self, key: str) -> str:
        """A refused line of the room that is open goes: returns what was typed, or "" if there is none."""
        room = self._state.room
        line = room.pending.get(key) if room is not None else None
        if room is None or line is None or line.state != "refused":
            return ""
        del room.pending[key]
        self._changed()
        if line.kind == "me":
            return f"/me {line.text}"
        # As it was typed: a second slash may have kept it from being a command.
        return line.text if commands.parse(line.text) == commands.Say(line.text) else f"/{line.text}"

    def take_last(self) -> str | None:
        """The same with the newest refused one."""
        room = self._state.room
        keys = [key for key, line in room.pending.items() if line.state == "refused"] if room is not None else []
        return self.take_back(keys[-1]) if keys else None

    def rewound(self, room: RoomState) -> None:
        """The broker has lost the room's last events: with them what was acknowledged and has not come in."""
        for post in [post for post in self._posted if self._rooms[post] == room.id]:
            self._lose(room, post)

    def welcomed(self) -> None:
        """A connection begins: what was acknowledged before it is in the log, unless the log is another one."""
        self._before = set(self._posted)

    def caught_up(self) -> None:
        """All that the broker had when this connection began has come in."""
        for post in self._before & self._posted.keys():
            room = self._state.rooms.get(self._rooms[post])
            if room is not None and self._posted[post] > room.have:
                self._lose(room, post)
        self._before.clear()

    def introduced(self) -> None:
        """Who I am is known now."""
        me = self._state.me
        for room in self._state.rooms.values():
            for key, line in room.pending.items():
                if (line.author, line.name) != (me.user, me.name):
                    room.pending[key] = msgspec.structs.replace(line, author=me.user, name=me.name)
                    self._changed()

    def dropped(self, room: str) -> None:
        """That room is not shown any more."""
        for post in [post for post, place in self._rooms.items() if place == room]:
            self._forget(post)

    def _show(self, row: Post, at: Moment) -> str:
        """Have a line for a post that came from the outbox, unless there is one: returns its key, or ""."""
        room = self._state.rooms.get(row.room)
        post = row.sender, row.n
        if room is None or post in self._state.own:
            return ""
        if room.has(post):
            return ""  # it is in the log, and only its acknowledgement was lost
        message = _message(row)
        if message is None:
            return ""
        key = self._pend(room, message.text, message.me, at)
        self._remember(row, key)
        return key

    def _pend(self, room: RoomState, text: str, me: bool, at: Moment) -> str:
        state = self._state
        key = f"p{state.number()}"
        room.pending[key] = Line(
            key, "me" if me else "message", text, at.wall, state.me.user, state.me.name, mine=True, state="sending"
        )
        self._changed()
        return key

    def _refuse(self, room: RoomState, key: str, reason: str) -> None:
        room.pending[key] = msgspec.structs.replace(room.pending[key], state="refused", reason=reason)
        self._changed()

    def _lose(self, room: RoomState, post: tuple[str, int]) -> None:
        """Say so; and should it come in after all, it takes the line's place."""
        del self._posted[post]
        if (key := self._state.own[post]) in room.pending:
            self._refuse(room, key, "The broker's history was replaced by a backup without this message.")

    def _remember(self, row: Post, key: str) -> None:
        self._state.own[row.sender, row.n], self._rooms[row.sender, row.n] = key, row.room

    def _forget(self, post: tuple[str, int]) -> None:
        self._state.own.pop(post, None)
        self._rooms.pop(post, None)
        self._posted.pop(post, None)

    def _changed(self) -> None:
        self._state.changes.transcript = self._state.changes.status = True


def _message(row: Post) -> m.Message | None:
    """What a post says; None: it is of a kind that only a later version knows."""
    try:
        return wire.decode_message(row.body) if row.kind == "message" else None
    except WireError:
        return None
