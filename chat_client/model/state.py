"""What is known of a chat, and what the views show of it. Plain data, with no rules of how it changes."""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from chat_client import effects
from chat_client.model import orders
from chat_client.model.history import Histories
from chat_client.model.lines import Me
from chat_client.model.moment import Moment
from chat_client.model.room import RoomState
from chat_client.model.shown import Line, PersonItem, RoomItem, Row, StatusLine
from chat_client.model.shut import shut_text
from chat_client.model.status import status_line
from chat_client.model.transcript import make_rows
from chat_core import messages as m
from chat_core.durations import span

LOBBY = "lobby"

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
        changes = cls()
        changes.everything()
        return changes

    def everything(self) -> None:
        """Add all there is, with the transcript at its end."""
        self.rooms = self.people = self.status = self.header = self.composer = self.transcript = True
        self.place, self.to_end = "", False


def random_hex() -> str:
    """Sixteen hex digits that nobody can guess."""
    return secrets.token_hex(8)


class State:
    """The data of a `Chat`, which makes it public; its other parts read and write it."""

    def __init__(self, address: str, name: str, wanted: str, once: Callable[[], str]) -> None:
        """``address`` and ``name`` as the user gave them, to be shown until the broker says more; ``wanted``: the room
        of the join string, to be opened first. ``once`` makes random hex digits, for requests that have to count
        once."""
        self.once = once
        self.address, self.wanted = address, wanted
        self.me = Me("", name)
        self.home = self.epoch = self.broker = ""
        self.status = effects.Status("offline", "not connected yet")
        self.rooms: dict[str, RoomState] = {}
        self.current = ""
        self.here: dict[str, str] | None = None  # user -> name; None: not known
        self.directory: dict[str, m.RoomInfo] = {}
        self.invited: dict[str, m.RoomInfo] = {}  # private rooms that I may join
        self.role = ""  # mine in the chat
        self.chat_roles: dict[str, str] = {}  # of those who are more or less than a member, as last told with a room
        self.focused = True
        self.view_at_end = True
        self.today, self.wall = date.max, 0  # told by `Chat.tick`
        self.was_live = self.encrypted = False
        self.waited = False  # for a first answer, long enough to say so
        self.round_trip: float | None = None
        self.held: m.Refused | None = None
        self.turned_away = self.trouble = ""
        self.changes = Changes.all()
        self.own: dict[tuple[str, int], str] = {}  # own posts on their way, (sender, n) -> key of the line
        self.nowhere = RoomState("", "")  # takes notes while no room is open
        self.told_read: dict[str, int] = {}  # room -> how far it was read, as the disk was told
        self.asked: dict[int, Answer] = {}
        self._numbers = itertools.count(1)
        self._orders: list[orders.Order] = []
        self.histories = Histories(self.order, self.number)

    # What the threads are to do.

    def take(self) -> tuple[list[orders.Order], Changes]:
        """The orders and changes since the last call."""
        for room in self.rooms.values():
            if room.following and self.told_read.get(room.id, 0) < room.read:
                self.told_read[room.id] = room.read
                self.order(orders.MarkRead(room.id, room.read))
        result = self._orders, self.changes
        self._orders, self.changes = [], Changes()
        return result

    def order(self, order: orders.Order) -> None:
        """Have something done by the threads."""
        self._orders.append(order)

    def drop_orders(self) -> None:
        """Another broker: what was ordered in this turn is about the rooms of the one before; but a post is kept."""
        self._orders = [order for order in self._orders if isinstance(order, orders.Keep | orders.Unfollow)]

    def ask(self, request: m.Request, answer: Answer) -> None:
        """Ask the broker; ``answer`` is called with the reply."""
        token = self.number()
        self.asked[token] = answer
        self.order(orders.Ask(token, request))

    def number(self) -> int:
        """A fresh number."""
        return next(self._numbers)

    def note(self, text: str, at: Moment) -> None:
        """Tell the user something, in the transcript."""
        (self.room or self.nowhere).note(Line(f"n{self.number()}", "note", text, at.wall))
        self.changes.transcript = True

    # What the views need.

    @property
    def room(self) -> RoomState | None:
        """The room that is looked at."""
        return self.rooms.get(self.current)

    @property
    def connected(self) -> bool:
        """Would a question be answered now?"""
        return self.status.state not in ("offline", "waiting", "refused")

    def rows(self) -> list[Row]:
        """The transcript."""
        room = self.room or self.nowhere
        return make_rows(room.shown(), room.new_from, self.today)

    def room_items(self) -> list[RoomItem]:
        """The rooms I am in, the lobby first, those with whom I talk alone last."""
        rooms = [self._item(room) for room in self.rooms.values()]
        return sorted(rooms, key=lambda item: (item.id != LOBBY, item.kind == "direct", item.name.casefold()))

    def _item(self, room: RoomState) -> RoomItem:
        others = [user for user, _ in room.people if user != self.me.user]
        return RoomItem(
            room.id, self.name_of(room), room.unread, room.mentions, bool(room.draft), room.kind, bool(room.closed),
            here=any(user in (self.here or {}) for user in others),
            group=len(others) > 1,
            quiet=bool(shut_text(room, self.wall)),
        )  # fmt: skip

    def invitations(self) -> list[RoomItem]:
        """The private rooms to which I am invited."""
        items = [RoomItem(info.id, info.name, kind=info.kind, invited=True) for info in self.invited.values()]
        return sorted(items, key=lambda item: item.name.casefold())

    def name_of(self, room: RoomState) -> str:
        """What a room is called: a direct one by those with whom I talk there."""
        others = [name for user, name in room.people if user != self.me.user]
        return (", ".join(others) or self.me.name) if room.kind == "direct" else room.name

    def signed(self, room: RoomState) -> str:
        """The same with the sign that stands before it."""
        return f"{'@' if room.kind == 'direct' else '#'}{self.name_of(room)}"

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
            PersonItem(
                user,
                name,
                here is not None and user in here,
                user == self.me.user,
                self.room_role_of(user),
                self.chat_role_of(user),
            )
            for user, name in members.items()
        ]
        return title, sorted(items, key=lambda item: (not item.here, item.name.casefold(), item.user))

    def chat_role_of(self, user: str) -> str:
        """What somebody is in the chat, as far as that was told; "": a member like others."""
        return _more_or_less(self.role if user == self.me.user else self.chat_roles.get(user, ""))

    def room_role_of(self, user: str) -> str:
        """What somebody is in the room that is open; "": a member like others, or not in it."""
        return _more_or_less(self.room.roles.get(user, "")) if self.room is not None else ""

    def status_line(self) -> StatusLine:
        """The status bar."""
        return status_line(
            self.status,
            address=self.address,
            was_live=self.was_live,
            waited=self.waited,
            round_trip=self.round_trip,
            held=self.held,
            turned_away=self.turned_away,
            unsent=self.unsent(),
            trouble=self.trouble,
            encrypted=self.encrypted,
        )

    def header(self) -> tuple[str, str]:
        """The title above the transcript, and what stands beside it."""
        room = self.room
        if room is None:
            return "No room", "Ctrl+K shows the rooms there are"
        title = f"{'@' if room.kind == 'direct' else '#'} {self.name_of(room)}"
        marks = [
            "you are not in it any more" if room.closed else "",
            room.kind if room.kind in ("private", "audit") else "",
            "archived" if room.archived else "read-only" if room.read_only else "",
            f"{span(room.slow)} between two posts" if room.slow else "",
        ]
        if room.members is not None and room.kind != "direct":
            marks.append("1 member" if len(room.members) == 1 else f"{len(room.members)} members")
        return title, " · ".join(filter(None, marks))

    def title(self) -> str:
        """The window's title."""
        unread = sum(room.unread for room in self.rooms.values())
        room = f"{self.signed(self.room)} — " if self.room is not None else ""
        return f"{f'({unread}) ' if unread else ''}{room}{self.broker or self.address}"

    def placeholder(self) -> str:
        """What stands in the empty composer."""
        if self.room is None:
            return "Open a room with Ctrl+K to write"
        if self.room.closed:
            return "You can read what is here, but not write"
        return f"Message {self.signed(self.room)} — Enter sends, Shift+Enter for a new line"

    def shut_text(self) -> str:
        """Why nothing can be written in the room that is open; "": something can."""
        return shut_text(self.room, self.wall) if self.room is not None else ""

    def wait_text(self) -> str:
        """What keeps messages that were sent from being in the log, if that ends by waiting; "": nothing."""
        held = self.held
        return held.text if held is not None and held.code in ("rate", "slow", "crowded") and self.unsent() else ""

    def empty_text(self) -> str:
        """What stands in an empty transcript."""
        if self.room is None:
            return "You are in no room. Ctrl+K shows which there are; /create NAME makes one."
        if self.histories.loading(self.current):
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


def _more_or_less(role: str) -> str:
    """A role that is worth telling; "": that of a member like others."""
    return "" if role == "member" else role
