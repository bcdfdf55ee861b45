"""The window's state at one broker: news in, orders and changes out. Plain data; the same calls give the same results.

Nothing here knows tkinter, threads or clocks: every call that needs the time is given a `Moment`. `take` returns what
the threads behind the window are to do, and which views have to be shown anew.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chat_client import effects
from chat_client.client import Renumbered
from chat_client.flight import Settled
from chat_client.model import asking, notices, orders, talk
from chat_client.model.lines import Me
from chat_client.model.moment import Moment
from chat_client.model.own import OwnPosts
from chat_client.model.presence import Presence
from chat_client.model.reading import Reading
from chat_client.model.room import RoomState
from chat_client.model.state import Changes as Changes
from chat_client.model.state import random_hex
from chat_client.model.transcript import day_of
from chat_core import messages as m
from chat_core import names
from chat_core.chain import START
from chat_core.errors import RefusedError

# A room that is new here is read from so far before its end; what is older is fetched when somebody scrolls to it.
FIRST_EVENTS = 200
# What these events say changes who is in a room, or what they are there.
FOLDED = {"joined", "left", "removed", "role", "changed"}
# So long one looks for the broker before one says that it does not answer.
PATIENCE_SECONDS = 5.0
# Trouble with this machine's disk is told for so long; if it goes on, so does the news of it.
TROUBLE_SECONDS = 60.0

News = (
    effects.Effect | Renumbered | orders.Opened | orders.Adopted | orders.Kept | orders.NotKept | orders.Found
    | orders.DiskTrouble | orders.Unusable | orders.Unreachable
)  # fmt: skip


class Chat(Reading):
    """See the module. The window and the rules of `talk` use this, and nothing else of the state."""

    def __init__(self, address: str, name: str = "", wanted: str = "", once: Callable[[], str] = random_hex) -> None:
        """As `State`."""
        super().__init__(address, name, wanted, once)
        self._own = OwnPosts(self)
        self._presence = Presence(self)
        self._trouble_until = 0.0
        self._begun: float | None = None  # the first `tick`

    # What the user does.

    def say(self, text: str, at: Moment) -> str:
        """Send what was typed, or do what it orders. Returns "" if it was taken, else why not: a sentence."""
        room = self.room
        problem = talk.say(self, text, at)
        if not problem and room is not None:
            self.set_draft(room, "")
        return problem

    def post(self, text: str, at: Moment, me: bool = False) -> str:
        """Say something in the room that is open; returns why it cannot be said, or ""."""
        room = self.room
        if room is None:
            return "Open a room first: Ctrl+K shows which there are."
        if room.closed or (slow := asking.slow_problem(room, at.wall)):
            return room.closed or slow
        try:
            names.check_text(text)
        except RefusedError as problem:
            return problem.text
        self._own.say(room, text, me, at)
        room.said = at.wall
        self.jump()
        room.new_from = 0
        if room.mark_read():
            self.changes.rooms = True
        return ""

    def edit(self, key: str) -> str:
        """Take a refused message back into the composer: returns its text."""
        return self._own.take_back(key)

    def edit_last(self) -> str | None:
        """Take the newest refused message of this room back; None if there is none."""
        return self._own.take_last()

    def discard(self, key: str) -> None:
        """Give a refused message up."""
        self._own.take_back(key)

    def quit(self) -> None:
        """Close the window."""
        self.changes.quit = True

    # Time.

    def tick(self, at: Moment) -> None:
        """Time has passed."""
        self.wall = at.wall
        today = day_of(at.wall)
        if today != self.today:
            self.today = today
            self.changes.transcript = True
        self._presence.tick(at)
        if self._begun is None:
            self._begun = at.mono
        if not self.waited and at.mono >= self._begun + PATIENCE_SECONDS:
            self.waited = self.changes.status = True
        if self.trouble and at.mono >= self._trouble_until:
            self.trouble = ""
            self.changes.status = True

    def deadline(self) -> float:
        """When `tick` has something to do, in seconds of `Moment.mono`."""
        return self._presence.deadline()

    # News.

    def apply(self, news: News, at: Moment) -> None:
        """Something happened."""
        handler = _HANDLERS.get(type(news))
        if handler is not None:
            handler(self, news, at)

    def _on_opened(self, news: orders.Opened, at: Moment) -> None:
        for room in self.rooms.values():
            if room.following:
                self.order(orders.Unfollow(room.id, forget=False))
        self.drop_orders()
        self.home, self.broker = news.home, news.broker
        self.me = Me(news.user, news.name or self.me.name)
        self.rooms = {
            known.room: RoomState(
                known.room, known.name, known.have, known.chain, known.first, 1, known.read, known.unread,
                draft=known.draft, kind=known.kind, closed=known.closed, walls=dict(known.walls),
            )
            for known in news.rooms
        }  # fmt: skip
        self.told_read = {known.room: known.read for known in news.rooms}
        self.histories.forget()
        self.current = ""
        self.changes.everything()
        self._own.opened(news.unsent, at)
        self._open_first()

    def _on_welcomed(self, news: effects.Welcomed, at: Moment) -> None:
        welcome, self.encrypted = news.welcome, news.encrypted
        self.home, self.epoch, self.broker = welcome.home, welcome.epoch, welcome.broker
        self.me, self.role = Me(welcome.user, welcome.name), welcome.role
        self.turned_away = ""
        self.invited = {info.id: info for info in welcome.invited}
        self._own.introduced()
        self._own.welcomed()
        self._set_rooms(welcome.rooms, at)
        if welcome.feed == 0:  # guests are not told who is here
            self._presence.unknown(at)
        if self.wanted:
            wanted, self.wanted = self.wanted, ""
            talk.enter(self, wanted, at)
        self.changes.header = self.changes.rooms = self.changes.status = True
        if self.room is not None:
            self.ask_members(self.room)

    def _on_turned_away(self, news: effects.TurnedAway, at: Moment) -> None:
        self.turned_away = news.reply.text
        self.changes.status = True

    def _on_status(self, news: effects.Status, at: Moment) -> None:
        before, self.status = self.status, news
        if self.room is not None and before.state in ("offline", "waiting", "refused"):
            self.ask_members(self.room)
        if news.state == "live" and before.state != "live":
            self.was_live = True
            self._own.caught_up()
            self.caught_up()
        if news.state in ("offline", "refused"):
            self.round_trip = self.held = None
            self._presence.unknown(at)
        self.changes.status = True

    def _on_round_trip(self, news: effects.RoundTrip, at: Moment) -> None:
        self.round_trip = news.seconds
        self.changes.status = True

    def _on_held(self, news: effects.Held, at: Moment) -> None:
        if news.reply.code != "busy":
            self.held = news.reply
            self.changes.status = True

    def _on_arrived(self, news: effects.Arrived, at: Moment) -> None:
        room = self.rooms.get(news.room)
        if room is None or not room.following:
            return
        current = room.id == self.current
        before = (room.unread, room.mentions)
        room.arrived(news.events, self.me, self.own, current and self.looking)
        self._own.arrived(room, news.events)
        self._presence.arrived(news.events, at)
        room.trim(current, self.view_at_end)
        if (room.unread, room.mentions) != before:
            self.changes.rooms = True
        if current:
            self.changes.transcript = True
            if any(event.kind in FOLDED for event in news.events):
                self.changes.people = self.changes.header = True
        if any(event.kind == "changed" for event in news.events):
            self.changes.rooms = True

    def _on_walled(self, news: effects.Walled, at: Moment) -> None:
        room = self.rooms.get(news.room)
        if room is not None and room.following:
            room.walled(news.after, news.first)
            self.changes.transcript = True

    def _on_rewound(self, news: effects.Rewound, at: Moment) -> None:
        room = self.rooms.get(news.room)
        if room is None:
            return
        gone = room.have > news.seq
        room.rewound(news.seq)
        self.histories.forget(room.id)  # it may be of the other history
        self._own.rewound(room)
        self.told_read[room.id] = min(self.told_read.get(room.id, 0), news.seq)
        if room.id == self.current:
            if gone:
                since = f"what came after message {news.seq}" if news.seq else "all of it"
                self.note(f"The broker's history of this room was replaced by a backup: {since} is gone.", at)
            self.load(room)
            self.changes.transcript = True
            self.ask_members(room)
        self.changes.rooms = True

    def _on_found(self, news: orders.Found, at: Moment) -> None:
        fetch = self.histories.found(news)
        if fetch is not None:
            self.show_piece(fetch)

    def _on_answered(self, news: effects.Answered, at: Moment) -> None:
        self._cannot_no_more()
        if self.histories.has(news.token):
            if isinstance(news.reply, m.Paged) and (room := self.rooms.get(news.reply.room)) is not None:
                room.first = self.histories.first_of(news.token, news.reply, room.first)
            fetch = self.histories.answered(news.token, news.reply, self.epoch)
            if fetch is not None:
                self.show_piece(fetch)
            return
        answer = self.asked.pop(news.token, None)
        if answer is not None:
            answer(news.reply, at)

    def _on_my_rooms(self, news: effects.MyRooms, at: Moment) -> None:
        for room_id in news.rooms:
            if room_id not in self.rooms or self.rooms[room_id].closed:
                self.ask(m.Room(room=room_id), lambda reply, at: self._on_other_room(reply))
        self._keep_only(set(news.rooms), at)

    def _on_other_room(self, reply: m.Reply) -> None:
        if isinstance(reply, m.RoomState) and reply.room.mine:
            self.add(reply.room)
            self._open_first()

    def _on_settled(self, news: Settled, at: Moment) -> None:
        self._cannot_no_more()
        self._own.settled(news, at)

    def _on_directory(self, news: effects.Directory, at: Moment) -> None:
        self._ask_directory("", {})

    def _on_disk_trouble(self, news: orders.DiskTrouble, at: Moment) -> None:
        self.trouble, self._trouble_until = news.text, at.mono + TROUBLE_SECONDS
        self.changes.status = True

    # Rooms.

    def add(self, info: m.RoomInfo) -> RoomState:
        """I am a member of this room: read it, from the copy on or from a little before its end."""
        room = self.rooms.get(info.id)
        if room is None:
            room = self.rooms[info.id] = RoomState(info.id, info.name)
            room.read = info.head[0]  # what was said before I came is not news to me
        if room.kept_first > room.have and not room.following:  # nothing of it is here
            room.have = max(info.first - 1, info.head[0] - FIRST_EVENTS)
            room.chain = START if room.have == 0 else None
            room.kept_first = room.have + 1
            room.loaded = True
        room.name, room.first = info.name, max(room.first, info.first)
        room.kind, room.role, room.until = info.kind, info.role, info.until
        room.people, room.closed = info.people, ""
        room.read_only, room.slow, room.archived = info.read_only, info.slow, info.archived
        self.invited.pop(room.id, None)
        if not room.following:
            room.following = True
            self.order(orders.Follow(room.id, room.name, room.have, room.chain, room.kind))
        self.changes.rooms = True
        return room

    def drop(self, room_id: str, at: Moment) -> None:
        """I am not a member of this room any more."""
        room = self.rooms.pop(room_id, None)
        if room is None:
            return
        self.told_read.pop(room_id, None)
        self.order(orders.Unfollow(room_id))
        self.histories.forget(room_id)
        self._own.dropped(room_id)
        self.changes.rooms = self.changes.status = True
        if self.current == room_id:
            self.current = ""
            self.changes.everything()
            self._open_first()
        self._own.tell_refused(room, at)

    def _set_rooms(self, infos: Sequence[m.RoomInfo], at: Moment) -> None:
        self._keep_only({info.id for info in infos}, at)
        for info in infos:
            self.add(info)
        self._open_first()

    def _keep_only(self, mine: set[str], at: Moment) -> None:
        """These are my rooms. Of the others those that are not open stay, closed: nobody could read them again."""
        for room in [room for room in self.rooms.values() if room.id not in mine]:
            if room.kind == "open":
                self.drop(room.id, at)
            elif room.kind != "audit":
                notices.close(self, room, "", "", at)

    def _open_first(self) -> None:
        """Be in some room, if there is one."""
        rooms = self.room_items()
        if rooms and not self.current:
            self.open(rooms[0].id)

    def _ask_directory(self, after: str, found: dict[str, m.RoomInfo]) -> None:
        def answer(reply: m.Reply, at: Moment) -> None:
            if isinstance(reply, m.RoomList_):
                found.update((info.id, info) for info in reply.rooms)
                if reply.more:
                    self._ask_directory(reply.rooms[-1].id, found)
                else:
                    self.directory = found

        self.ask(m.Rooms(after=after), answer)

    def _cannot_no_more(self) -> None:
        if self.held is not None:
            self.held = None
            self.changes.status = True


_HANDLERS: dict[type, Callable[[Chat, Any, Moment], None]] = {
    orders.Opened: Chat._on_opened,
    orders.Adopted: lambda chat, news, at: chat._own.adopted(news.rows, at),
    orders.Kept: lambda chat, news, at: chat._own.kept(news, at),
    orders.NotKept: lambda chat, news, at: chat._own.not_kept(news),
    orders.Found: Chat._on_found,
    orders.DiskTrouble: Chat._on_disk_trouble,
    effects.Welcomed: Chat._on_welcomed,
    effects.TurnedAway: Chat._on_turned_away,
    effects.Status: Chat._on_status,
    effects.RoundTrip: Chat._on_round_trip,
    effects.Held: Chat._on_held,
    effects.Arrived: Chat._on_arrived,
    effects.Walled: Chat._on_walled,
    effects.Removed: notices.removed,
    effects.Noticed: notices.noticed,
    effects.Rewound: Chat._on_rewound,
    effects.Answered: Chat._on_answered,
    effects.MyRooms: Chat._on_my_rooms,
    effects.People: lambda chat, news, at: chat._presence.people(news, at),
    effects.Moved: lambda chat, news, at: chat._presence.moved(news, at),
    effects.Directory: Chat._on_directory,
    Settled: Chat._on_settled,
    Renumbered: lambda chat, news, at: chat._own.renumbered(news, at),
}
