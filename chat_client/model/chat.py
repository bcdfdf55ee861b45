"""The window's state at one broker: news in, orders and changes out. Plain data; the same calls give the same results.

Nothing here knows tkinter, threads or clocks: every call that needs the time is given a `Moment`. `take` returns what
the threads behind the window are to do, and which views have to be shown anew.
"""

import itertools
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from chat_client import effects
from chat_client.client import Renumbered
from chat_client.flight import Row as Post
from chat_client.flight import Settled
from chat_client.model import orders, talk
from chat_client.model.history import Fetch, Histories
from chat_client.model.moment import Moment
from chat_client.model.passing import Passing
from chat_client.model.room import Me, RoomState
from chat_client.model.shown import Line, PersonItem, RoomItem, Row, StatusLine
from chat_client.model.status import status_line
from chat_client.model.transcript import day_of, make_rows
from chat_core import messages as m
from chat_core import names, wire
from chat_core.chain import START
from chat_core.errors import RefusedError

# A room that is new here is read from so far before its end; what is older is fetched when somebody scrolls to it.
FIRST_EVENTS = 200
LOBBY = "lobby"

News = (
    effects.Effect | Renumbered | orders.Opened | orders.Adopted | orders.Kept | orders.NotKept | orders.Found
    | orders.DiskTrouble | orders.Unusable | orders.Unreachable
)  # fmt: skip
Answer = Callable[[m.Reply, Moment], None]


@dataclass
class Changes:
    """What has to be shown anew. ``place``: the transcript is another one, to be begun at the row of this key, "": at
    its end; None: it is the same one, further on."""

    rooms: bool = False
    people: bool = False
    status: bool = False
    header: bool = False
    composer: bool = False
    transcript: bool = False
    place: str | None = None
    to_end: bool = False  # scroll to the end of what is there
    quit: bool = False

    @classmethod
    def all(cls) -> "Changes":
        """Everything."""
        return cls(True, True, True, True, True, True, "")


@dataclass
class _Place:
    """Where an own post stands: its room, and its key there."""

    room: str
    key: str


class Chat:
    """See the module. ``wanted``: the room of the join string, to be opened first."""

    def __init__(
        self, address: str, name: str = "", wanted: str = "", once: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        """``address`` and ``name`` as the user gave them, to be shown until the broker says more. ``once`` makes random
        hex digits, for requests that have to count once."""
        self.once = once
        self.address, self.wanted = address, wanted
        self.me = Me("", name)
        self.home = self.epoch = self.broker = ""
        self.status = effects.Status("offline", "not connected yet")
        self.rooms: dict[str, RoomState] = {}
        self.current = ""
        self.here: dict[str, str] | None = None
        self.directory: dict[str, m.RoomInfo] = {}
        self.focused = True
        self.view_at_end = True
        self.today = date.max  # told by `tick`
        self._round_trip: float | None = None
        self._held: m.Refused | None = None
        self._turned_away = self._trouble = ""
        self._was_live = False
        self._passing = Passing()
        self._numbers = itertools.count(1)
        self._posts: dict[tuple[str, int], _Place] = {}
        self._keys: dict[tuple[str, int], str] = {}  # the same, as `RoomState.arrived` wants it
        self._foreign: set[str] = set()  # keys of unsent posts that may be another process's
        self._asked: dict[int, Answer] = {}
        self._orders: list[orders.Order] = []
        self._changes = Changes.all()
        self._read: dict[str, int] = {}  # what the disk was told
        self._histories = Histories(self.order, lambda: next(self._numbers))

    # What the views and the threads need.

    def take(self) -> tuple[list[orders.Order], Changes]:
        """The orders and changes since the last call."""
        for room in self.rooms.values():
            if room.following and self._read.get(room.id, 0) < room.read:
                self._read[room.id] = room.read
                self.order(orders.MarkRead(room.id, room.read))
        result = self._orders, self._changes
        self._orders, self._changes = [], Changes()
        return result

    def order(self, order: orders.Order) -> None:
        """Have something done by the threads."""
        self._orders.append(order)

    @property
    def room(self) -> RoomState | None:
        """The room that is looked at."""
        return self.rooms.get(self.current)

    def rows(self) -> list[Row]:
        """The transcript."""
        room = self.room
        return make_rows(room.shown(), room.new_from, self.today) if room is not None else []

    def room_items(self) -> list[RoomItem]:
        """The rooms I am in, the lobby first."""
        rooms = sorted(self.rooms.values(), key=lambda room: (room.id != LOBBY, room.name.casefold()))
        return [RoomItem(room.id, room.name, room.unread, room.mentions, bool(room.draft)) for room in rooms]

    def people(self) -> tuple[str, list[PersonItem]]:
        """A title, and who is in the room: those who are here first."""
        room, here = self.room, self.here
        if here is None:
            members = dict(room.members or {}) if room is not None else {}
            title = "MEMBERS"
        else:
            members = dict(room.members) if room is not None and room.members is not None else dict(here)
            title = f"MEMBERS — {sum(user in here for user in members)} online"
        items = [
            PersonItem(user, name, here is not None and user in here, user == self.me.user)
            for user, name in members.items()
        ]
        return title, sorted(items, key=lambda item: (not item.here, item.name.casefold(), item.user))

    def status_line(self) -> StatusLine:
        """The status bar."""
        return status_line(
            self.status,
            address=self.address,
            was_live=self._was_live,
            round_trip=self._round_trip,
            held=self._held,
            turned_away=self._turned_away,
            unsent=self.unsent(),
            trouble=self._trouble,
        )

    def header(self) -> tuple[str, str]:
        """The title above the transcript, and what stands beside it."""
        room = self.room
        if room is None:
            return "No room", "Ctrl+K shows the rooms there are"
        if room.members is None:
            return f"# {room.name}", ""
        return f"# {room.name}", "1 member" if len(room.members) == 1 else f"{len(room.members)} members"

    def title(self) -> str:
        """The window's title."""
        unread = sum(room.unread for room in self.rooms.values())
        room = f"#{self.room.name} — " if self.room is not None else ""
        return f"{f'({unread}) ' if unread else ''}{room}{self.broker or self.address}"

    def placeholder(self) -> str:
        """What stands in the empty composer."""
        return f"Message #{self.room.name}" if self.room is not None else "Open a room with Ctrl+K to write"

    def empty_text(self) -> str:
        """What stands in an empty transcript."""
        if self.room is None:
            return "You are in no room. Ctrl+K shows which there are; /create NAME makes one."
        if self._histories.loading(self.current):
            return "Reading…"
        if self.status.state == "offline":
            return "Nothing of this room is on this machine yet. It comes when the broker is back."
        return "Nothing was said here yet. Say hello!"

    def jump_text(self) -> str:
        """What stands on the button that leads to the end; "": it is not needed."""
        room = self.room
        if room is None or (self.view_at_end and room.at_end):
            return ""
        return f"{room.below} new ↓" if room.below else "Jump to the end ↓"

    def unsent(self) -> int:
        """How many own messages are on their way."""
        return sum(line.state == "sending" for room in self.rooms.values() for line in room.pending.values())

    def refused(self) -> int:
        """How many own messages were refused, and neither mended nor discarded."""
        return sum(line.state == "refused" for room in self.rooms.values() for line in room.pending.values())

    def closing_question(self) -> str:
        """What to ask before the window is closed; "": nothing would be lost."""
        parts = []
        if unsent := self.unsent():
            what = "1 message is" if unsent == 1 else f"{unsent} messages are"
            parts.append(f"{what} not sent yet. What is kept here is sent when you start the chat again.")
        if refused := self.refused():
            what = "1 message was" if refused == 1 else f"{refused} messages were"
            parts.append(f"{what} refused and will be lost.")
        return "\n\n".join([*parts, "Close all the same?"]) if parts else ""

    # What the user does.

    def say(self, text: str, at: Moment) -> str:
        """Send what was typed, or do what it orders. Returns "" if it was taken, else why not: a sentence."""
        problem = talk.say(self, text, at)
        if not problem and self.room is not None:
            self.room.draft = ""
            self.order(orders.KeepDraft(self.current, ""))
        return problem

    def post(self, text: str, at: Moment, me: bool = False) -> str:
        """Say something in the room that is open; returns why it cannot be said, or ""."""
        room = self.room
        if room is None:
            return "Open a room first: Ctrl+K shows which there are."
        try:
            names.check_text(text)
        except RefusedError as problem:
            return problem.text
        key = self._pend(room, Line(f"p{next(self._numbers)}", "me" if me else "message", text, at.wall))
        self.order(orders.Keep(key, room.id, "message", wire.encode(m.Message(text, me))))
        if not room.at_end:
            self.jump()
        self._changes.to_end = True
        room.new_from = 0
        if room.mark_read():
            self._changes.rooms = True
        return ""

    def note(self, text: str, at: Moment) -> None:
        """Tell the user something, in the transcript."""
        if self.room is not None:
            self.room.note(Line(f"n{next(self._numbers)}", "note", text, at.wall))
            self._changes.transcript = True

    def edit(self, key: str) -> str:
        """Take a refused message back into the composer: returns its text."""
        return self._remove_refused(key)

    def edit_last(self) -> str | None:
        """Take the newest refused message of this room back; None if there is none."""
        room = self.room
        keys = [key for key, line in room.pending.items() if line.state == "refused"] if room is not None else []
        return self._remove_refused(keys[-1]) if keys else None

    def discard(self, key: str) -> None:
        """Give a refused message up."""
        self._remove_refused(key)

    def open(self, room_id: str, draft: str = "") -> None:
        """Look at another room. ``draft``: what stands in the composer of the one before."""
        self.keep_draft(draft)
        room = self.rooms.get(room_id)
        if room is None or room_id == self.current:
            return
        if self.room is not None:
            self.room.put_aside()
            self._histories.forget(self.current)
        self.current = room_id
        self.view_at_end = True
        self._changes = Changes.all()
        self._load(room)
        self._changes.place = self._unread_key(room)
        if not self._changes.place:
            self._seen()
        self._ask_members(room)

    def keep_draft(self, text: str) -> None:
        """Remember what stands in the composer."""
        if self.room is not None and self.room.draft != text:
            self.room.draft = text
            self.order(orders.KeepDraft(self.current, text))
            self._changes.rooms = True

    def scrolled(self, at_top: bool, at_end: bool) -> None:
        """The view of the transcript was moved."""
        room = self.room
        if room is None:
            return
        self.view_at_end = at_end
        self._changes.status = True
        if at_end and not room.at_end:
            self._histories.begin(room, "newer")
        elif at_end:
            self._seen()
        if at_top and room.loaded:
            self._histories.begin(room, "older")

    def focus(self, focused: bool) -> None:
        """The window has the keyboard, or not: what comes in without it is not read."""
        self.focused = focused
        if focused:
            self._seen()

    def jump(self) -> None:
        """Go to the end of the room."""
        room = self.room
        if room is None:
            return
        if room.at_end:
            self._changes.to_end = True
        else:
            self._histories.begin(room, "end")

    def escape(self) -> None:
        """All of this room is read, and the "new" rule may go."""
        if self.room is not None:
            self.room.new_from = 0
            self.room.mark_read()
            self._changes.transcript = self._changes.rooms = True
            self.jump()

    def quit(self) -> None:
        """Close the window."""
        self._changes.quit = True

    def ask(self, request: m.Request, answer: Answer) -> None:
        """Ask the broker; ``answer`` is called with the reply."""
        token = next(self._numbers)
        self._asked[token] = answer
        self.order(orders.Ask(token, request))

    @property
    def connected(self) -> bool:
        """Would a question be answered now?"""
        return self.status.state not in ("offline", "refused")

    # Time.

    def tick(self, at: Moment) -> None:
        """Time has passed."""
        today = day_of(at.wall)
        if today != self.today:
            self.today = today
            self._changes.transcript = True
        for user, name in self._passing.left(at.mono):
            self._tell_passing(user, f"{name} has left", at)

    def deadline(self) -> float:
        """When `tick` has something to do, in seconds of `Moment.mono`."""
        return self._passing.deadline()

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
        self.home, self.broker = news.home, news.broker
        self.me = Me(news.user, news.name or self.me.name)
        self.rooms = {
            known.room: RoomState(
                known.room, known.name, known.have, known.chain, known.first, 1, known.read, known.unread,
                draft=known.draft,
            )
            for known in news.rooms
        }  # fmt: skip
        self._read = {known.room: known.read for known in news.rooms}
        self._posts.clear()
        self._keys.clear()
        self._foreign.clear()
        self._histories.forget()
        self.current = ""
        self.here = None
        self._show_unsent(news.unsent, at, foreign=True)
        self._open_first()
        self._changes = Changes.all()
        if self.room is not None:
            self._changes.place = self._unread_key(self.room)

    def _on_welcomed(self, news: effects.Welcomed, at: Moment) -> None:
        welcome = news.welcome
        self.home, self.epoch, self.broker = welcome.home, welcome.epoch, welcome.broker
        self.me = Me(welcome.user, welcome.name)
        self._turned_away = ""
        self._set_rooms(welcome.rooms)
        if self.wanted:
            wanted, self.wanted = self.wanted, ""
            talk.enter(self, wanted, at)
        self._changes.header = self._changes.rooms = self._changes.status = True
        if self.room is not None:
            self._ask_members(self.room)

    def _on_turned_away(self, news: effects.TurnedAway, at: Moment) -> None:
        self._turned_away = news.reply.text
        self._changes.status = True

    def _on_status(self, news: effects.Status, at: Moment) -> None:
        before, self.status = self.status, news
        if news.state == "live" and before.state != "live":
            self._was_live = True
            self._caught_up()
        if news.state in ("offline", "refused"):
            self._round_trip = self._held = None
            self._passing.snapshot(self.here or {}, {}, at.mono)
            self.here = None
            self._changes.people = True
        self._changes.status = True

    def _on_round_trip(self, news: effects.RoundTrip, at: Moment) -> None:
        self._round_trip = news.seconds
        self._changes.status = True

    def _on_held(self, news: effects.Held, at: Moment) -> None:
        if news.reply.code != "busy":
            self._held = news.reply
            self._changes.status = True

    def _on_arrived(self, news: effects.Arrived, at: Moment) -> None:
        room = self.rooms.get(news.room)
        if room is None or not room.following:
            return
        current = room.id == self.current
        before = (room.unread, room.mentions)
        room.arrived(news.events, self.me, self._keys, current and self._looking)
        for event in news.events:
            if event.sender and self._posts.pop((event.sender, event.n), None) is not None:
                del self._keys[event.sender, event.n]
                self._changes.status = True
        room.trim(current, self.view_at_end)
        if (room.unread, room.mentions) != before:
            self._changes.rooms = True
        if current:
            self._changes.transcript = True
            if any(event.kind in ("joined", "left") for event in news.events):
                self._changes.people = self._changes.header = True

    def _on_rewound(self, news: effects.Rewound, at: Moment) -> None:
        room = self.rooms.get(news.room)
        if room is None:
            return
        gone = room.have > news.seq
        room.rewound(news.seq)
        self._read[room.id] = min(self._read.get(room.id, 0), news.seq)
        if room.id == self.current:
            if gone:
                since = f"what came after message {news.seq}" if news.seq else "all of it"
                self.note(f"The broker's history of this room was replaced by a backup: {since} is gone.", at)
            if not room.loaded:
                self._histories.forget(room.id)
                self._load(room)
            self._changes.transcript = True
            self._ask_members(room)
        self._changes.rooms = True

    def _on_settled(self, news: Settled, at: Moment) -> None:
        self._cannot_no_more()
        place = self._posts.get((news.row.sender, news.row.n))
        room = self.rooms.get(news.row.room)
        if room is None:
            if isinstance(news.reply, m.Refused):
                said = wire.decode_message(news.row.body).text
                self.note(f"Your message to #{news.row.room} was refused: {news.reply.text} It was: {said}", at)
            return
        if place is None:
            if isinstance(news.reply, m.Refused):  # of an earlier process, and not shown yet
                self._show_unsent([news.row], at)
                place = self._posts.get((news.row.sender, news.row.n))
            if place is None:
                return
        line = room.pending.get(place.key)
        if line is None:
            return
        if isinstance(news.reply, m.Posted):
            if news.reply.seq <= room.have:  # it is in the log, and was there before it was known to be ours
                del room.pending[place.key]
                self._forget_post(news.row)
            else:
                room.pending[place.key] = msgspec.structs.replace(line, state="sent")
        else:
            self._forget_post(news.row)
            room.pending[place.key] = msgspec.structs.replace(line, state="refused", reason=news.reply.text)
        self._changes.transcript = self._changes.status = True

    def _on_kept(self, news: orders.Kept, at: Moment) -> None:
        room = self.rooms.get(news.row.room)
        if room is not None and news.key in room.pending:
            self._remember_post(news.row, news.key)

    def _on_not_kept(self, news: orders.NotKept, at: Moment) -> None:
        for room in self.rooms.values():
            if (line := room.pending.get(news.key)) is not None:
                room.pending[news.key] = msgspec.structs.replace(line, state="refused", reason=news.text)
        self._changes.transcript = self._changes.status = True

    def _on_renumbered(self, news: Renumbered, at: Moment) -> None:
        for old, new in news.rows.items():
            place = self._posts.get((old.sender, old.n))
            if place is not None:
                self._forget_post(old)
                self._remember_post(new, place.key)

    def _on_adopted(self, news: orders.Adopted, at: Moment) -> None:
        mine = {(row.sender, row.n) for row in news.rows}
        for (sender, n), place in list(self._posts.items()):
            if place.key in self._foreign and (sender, n) not in mine:
                # Another window of the same user has it, shows it, and will say what became of it.
                self.rooms[place.room].pending.pop(place.key, None)
                del self._posts[sender, n], self._keys[sender, n]
        self._foreign.clear()
        self._show_unsent(news.rows, at)
        self._changes.transcript = self._changes.status = True

    def _on_found(self, news: orders.Found, at: Moment) -> None:
        fetch = self._histories.found(news)
        if fetch is not None:
            self._show_piece(fetch)

    def _on_answered(self, news: effects.Answered, at: Moment) -> None:
        self._cannot_no_more()
        if self._histories.has(news.token):
            if isinstance(news.reply, m.Paged) and (room := self.rooms.get(news.reply.room)) is not None:
                room.first = max(room.first, news.reply.first)
            fetch = self._histories.answered(news.token, news.reply, self.epoch)
            if fetch is not None:
                self._show_piece(fetch)
            return
        answer = self._asked.pop(news.token, None)
        if answer is not None:
            answer(news.reply, at)

    def _on_my_rooms(self, news: effects.MyRooms, at: Moment) -> None:
        for room_id in news.rooms:
            if room_id not in self.rooms:
                self.ask(m.Room(room=room_id), lambda reply, at: self._on_other_room(reply))
        for room_id in self.rooms.keys() - set(news.rooms):
            self.drop(room_id)

    def _on_other_room(self, reply: m.Reply) -> None:
        if isinstance(reply, m.RoomState) and reply.room.mine:
            self.add(reply.room)

    def _on_people(self, news: effects.People, at: Moment) -> None:
        self._passing.snapshot(self.here or {}, news.here, at.mono)
        self.here = dict(news.here)
        self._changes.people = True

    def _on_moved(self, news: effects.Moved, at: Moment) -> None:
        if self.here is None:
            return
        self.here.update(news.came)
        for user, _ in news.went:
            self.here.pop(user, None)
        for user, name in self._passing.moved(news.came, news.went, at.mono):
            self._tell_passing(user, f"{name} has joined", at)
        self._changes.people = True

    def _on_directory(self, news: effects.Directory, at: Moment) -> None:
        self._ask_directory("", {})

    def _on_disk_trouble(self, news: orders.DiskTrouble, at: Moment) -> None:
        self._trouble = news.text
        self._changes.status = True

    # Rooms.

    def add(self, info: m.RoomInfo) -> RoomState:
        """I am a member of this room: read it, from the copy on or from a little before its end."""
        room = self.rooms.get(info.id)
        if room is None:
            room = self.rooms[info.id] = RoomState(info.id, info.name)
            room.read = info.head[0]  # what was said before I came is not news to me
        if room.kept_first > room.have and not room.following:  # nothing of it is here
            room.have = max(0, info.head[0] - FIRST_EVENTS)
            room.chain = START if room.have == 0 else None
            room.kept_first = room.have + 1
            room.loaded = True
        room.name, room.first = info.name, max(room.first, info.first)
        if not room.following:
            room.following = True
            self.order(orders.Follow(room.id, room.name, room.have, room.chain))
        if not self.current:
            self._open_first()
        self._changes.rooms = True
        return room

    def drop(self, room_id: str) -> None:
        """I am not a member of this room any more."""
        if self.rooms.pop(room_id, None) is None:
            return
        self.order(orders.Unfollow(room_id))
        self._histories.forget(room_id)
        for post, place in list(self._posts.items()):
            if place.room == room_id:
                del self._posts[post], self._keys[post]
        if self.current == room_id:
            self.current = ""
            self._open_first()
        self._changes = Changes.all()

    def _set_rooms(self, infos: Sequence[m.RoomInfo]) -> None:
        mine = {info.id for info in infos}
        for room_id in [room_id for room_id in self.rooms if room_id not in mine]:
            self.drop(room_id)
        for info in infos:
            self.add(info)

    def _open_first(self) -> None:
        rooms = self.room_items()
        if rooms:
            self.open(rooms[0].id)

    def _ask_members(self, room: RoomState) -> None:
        if not self.connected:
            return

        def answer(reply: m.Reply, at: Moment) -> None:
            if isinstance(reply, m.RoomState) and reply.room.id in self.rooms:
                self.rooms[reply.room.id].set_members(reply.members, reply.room.head[0])
                self._changes.people = self._changes.header = True

        self.ask(m.Room(room=room.id), answer)

    def _ask_directory(self, after: str, found: dict[str, m.RoomInfo]) -> None:
        def answer(reply: m.Reply, at: Moment) -> None:
            if isinstance(reply, m.RoomList_):
                found.update((info.id, info) for info in reply.rooms)
                if reply.more:
                    self._ask_directory(reply.rooms[-1].id, found)
                else:
                    self.directory = found

        self.ask(m.Rooms(after=after), answer)

    # The transcript.

    @property
    def _looking(self) -> bool:
        """Does the user see what comes in to the room that is open? Not while what was missed is still coming in."""
        live = self.status.state == "live"
        return live and self.focused and self.view_at_end and self.room is not None and self.room.at_end

    def _caught_up(self) -> None:
        """What was said while we were away is there: it is to be read from its beginning."""
        room = self.room
        if room is not None and room.loaded and self.view_at_end and (key := self._unread_key(room)):
            self._changes.place = key
        else:
            self._seen()

    def _seen(self) -> None:
        room = self.room
        if room is not None and self._looking and room.loaded:
            if room.unread or room.below:
                self._changes.rooms = self._changes.status = True
            room.mark_read()

    def _unread_key(self, room: RoomState) -> str:
        """Where to begin to read: the first unread line, or "" for the end; the "new" rule stands there."""
        if room.unread == 0:
            return ""
        for line in room.lines:
            if line.seq > room.read and not line.mine and line.kind in ("message", "me"):
                room.new_from = line.seq
                return line.key
        return ""

    def _load(self, room: RoomState) -> None:
        """Have what one wants to see first of a room, which is at hand or must be fetched."""
        missing = not room.loaded or (room.unread > 0 and room.read + 1 < room.lowest)
        if missing and not self._histories.begin(room, "show"):
            room.loaded = True  # there is nothing

    def _show_piece(self, fetch: Fetch) -> None:
        room = self.rooms.get(fetch.room)
        if room is None:
            return
        if fetch.from_broker and fetch.events:
            self.order(orders.Store(room.id, fetch.events))
        if fetch.purpose == "older":
            shown = room.older(fetch.events, self.me)
        elif fetch.purpose == "newer":
            shown = room.newer(fetch.events, self.me)
        else:
            shown = room.show(fetch.events, self.me)
        if room.id != self.current:
            return
        self._changes.transcript = True
        if shown and fetch.purpose == "show":
            self._changes.place = self._unread_key(room)
            if not self._changes.place:
                self._seen()
        elif shown and fetch.purpose == "end":
            self._changes.place = ""
            self.view_at_end = True
            self._seen()

    def _tell_passing(self, user: str, text: str, at: Moment) -> None:
        room = self.room
        if room is None or user == self.me.user or (room.members is not None and user not in room.members):
            return
        if any(line.author == user and line.kind == "event" for line in room.lines[-5:]):
            return  # the log says it already: they became a member just now, or ceased to be one
        room.passing(text, Line(f"n{next(self._numbers)}", "passing", text, at.wall))
        self._changes.transcript = True

    # Own posts.

    def _pend(self, room: RoomState, line: Line) -> str:
        line = msgspec.structs.replace(line, author=self.me.user, name=self.me.name, mine=True, state="sending")
        room.pending[line.key] = line
        self._changes.transcript = self._changes.status = True
        return line.key

    def _show_unsent(self, rows: Iterable[Post], at: Moment, foreign: bool = False) -> None:
        for row in rows:
            room = self.rooms.get(row.room)
            if room is None or (row.sender, row.n) in self._posts:
                continue
            if any(line.post == (row.sender, row.n) for line in room.lines):
                continue  # it is in the log, and only its acknowledgement was lost
            message = wire.decode_message(row.body)
            line = Line(f"p{next(self._numbers)}", "me" if message.me else "message", message.text, at.wall)
            key = self._pend(room, line)
            self._remember_post(row, key)
            if foreign:
                self._foreign.add(key)

    def _remember_post(self, row: Post, key: str) -> None:
        self._posts[row.sender, row.n] = _Place(row.room, key)
        self._keys[row.sender, row.n] = key

    def _forget_post(self, row: Post) -> None:
        self._posts.pop((row.sender, row.n), None)
        self._keys.pop((row.sender, row.n), None)

    def _remove_refused(self, key: str) -> str:
        room = self.room
        line = room.pending.get(key) if room is not None else None
        if room is None or line is None or line.state != "refused":
            return ""
        del room.pending[key]
        self._changes.transcript = self._changes.status = True
        if line.kind == "me":
            return f"/me {line.text}"
        return f"/{line.text}" if line.text.startswith("/") else line.text  # as it was typed

    def _cannot_no_more(self) -> None:
        if self._held is not None:
            self._held = None
            self._changes.status = True


_HANDLERS: dict[type, Callable[[Chat, Any, Moment], None]] = {
    orders.Opened: Chat._on_opened,
    orders.Adopted: Chat._on_adopted,
    orders.Kept: Chat._on_kept,
    orders.NotKept: Chat._on_not_kept,
    orders.Found: Chat._on_found,
    orders.DiskTrouble: Chat._on_disk_trouble,
    effects.Welcomed: Chat._on_welcomed,
    effects.TurnedAway: Chat._on_turned_away,
    effects.Status: Chat._on_status,
    effects.RoundTrip: Chat._on_round_trip,
    effects.Held: Chat._on_held,
    effects.Arrived: Chat._on_arrived,
    effects.Rewound: Chat._on_rewound,
    effects.Answered: Chat._on_answered,
    effects.MyRooms: Chat._on_my_rooms,
    effects.People: Chat._on_people,
    effects.Moved: Chat._on_moved,
    effects.Directory: Chat._on_directory,
    Settled: Chat._on_settled,
    Renumbered: Chat._on_renumbered,
}
