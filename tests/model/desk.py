"""A chat with everything behind it but threads: a disk, a link and a broker, moved one step at a time by a test.

What the chat orders waits until the test has it done; what the broker decides waits until the test has it told. The
view is there too: after every flush it shows the difference, as the window's does, and tells where it stands.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from chat_client import effects
from chat_client.client import Renumbered
from chat_client.flight import Row as Post
from chat_client.flight import Settled
from chat_client.model import orders
from chat_client.model.chat import Changes, Chat, News
from chat_client.model.moment import Moment
from chat_client.model.room import RoomState
from chat_client.model.shown import Row
from chat_client.model.transcript import applied, diff
from chat_core import messages as m
from tests.model.hall import BOB, ME, NOON, Broker

SENDER = "5e" * 8  # of this machine's outbox


@dataclass
class Kept:
    """A room in the copy on disk: a piece of its log."""

    events: list[m.Event] = field(default_factory=list)
    read: int = 0
    draft: str = ""
    kind: str = "open"
    closed: str = ""


class Desk:
    """Ann's. ``rooms``: those that there are at the broker, all of them hers."""

    def __init__(self, *rooms: str, wanted: str = "") -> None:
        self.at = Moment(1000.0, NOON)
        self.broker = Broker(*rooms or ("lobby",))
        self.halls = self.broker.halls
        self.disk_home = ""
        self.copy: dict[str, Kept] = {}
        self.outbox: list[Post] = []
        self.elsewhere: list[Post] = []  # in the outbox too, but another process sends them
        self.posted = 0
        self.disk_full = False
        self._begin(wanted)

    def _begin(self, wanted: str = "") -> None:
        self.chat = Chat("chat://desk", "Ann", wanted, once=lambda: "0" * 16)
        self.connected = self.adopted = False
        self.jobs: deque[object] = deque()  # of the disk
        self.asks: deque[orders.Ask] = deque()  # of the link
        self.decided: deque[Settled] = deque()  # and not told yet
        self.followed: dict[str, list[m.Event | None]] = {}  # as far as the link has told them; None: was not read
        self.changes = Changes()  # since `forget`
        self.rows: list[Row] = []  # what the view shows
        self.checks: list[Callable[[], None]] = []  # called after every flush
        self.follows_end = True

    # What a test says of the chat.

    @property
    def room(self) -> RoomState:
        """The room that is open."""
        assert self.chat.room is not None
        return self.chat.room

    def texts(self) -> list[str]:
        """What is shown."""
        return [row.line.text for row in self.rows]

    def states(self) -> list[tuple[str, str]]:
        """What is shown of own messages, and what is said of it."""
        return [(row.line.text, row.line.state) for row in self.rows if row.line.mine]

    def key(self, text: str) -> str:
        """The key of the only row with this text."""
        (key,) = [row.line.key for row in self.rows if row.line.text == text]
        return key

    # The window.

    def type(self, text: str) -> str:
        """Send what was typed; returns what is wrong with it."""
        problem = self.chat.say(text, self.at)
        self.flush()
        return problem

    def flush(self) -> Changes:
        """Have the views show what is new, and the orders put where they belong. Returns what was new."""
        chat, told = self.chat, Changes()
        for _ in range(3):  # what the view tells may change something
            chat.tick(self.at)
            wanted, changes = chat.take()
            for order in wanted:
                self.asks.append(order) if isinstance(order, orders.Ask) else self.jobs.append(order)
            for all_changes in (told, self.changes):
                _add(all_changes, changes)
            if not self._show(changes):
                break
        for check in self.checks:
            check()
        return told

    def forget(self) -> None:
        """What has changed until now is of no interest."""
        self.flush()
        self.changes = Changes()

    def _show(self, changes: Changes) -> bool:
        """Returns whether the view tells something."""
        new = self.chat.rows()
        ops = diff(self.rows, new) if changes.place is None else None
        if ops is not None:
            assert applied(self.rows, ops) == new
            assert changes.transcript or not ops, "the transcript has changed, and nobody was told"
        self.rows = new
        assert not changes.place or changes.place in [row.line.key for row in new], "begun at a row that is not there"
        if changes.place is not None or changes.to_end:
            self.follows_end = not changes.place or changes.to_end
            self.chat.scrolled(False, self.follows_end)
            return True
        return False

    def scroll(self, *, top: bool = False, end: bool = False) -> None:
        """Move the view of the transcript."""
        self.follows_end = end
        self.chat.scrolled(top, end)
        self.flush()

    def open(self, room: str, draft: str = "") -> None:
        """Choose a room."""
        self.chat.open(room, draft)
        self.flush()

    def tell(self, *news: News) -> None:
        """Something happened."""
        for one in news:
            self.chat.apply(one, self.at)
        self.flush()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at = Moment(self.at.mono + seconds, self.at.wall + int(seconds * 1000))
        self.flush()

    # The disk.

    def start(self, keep: bool = True) -> None:
        """The program is started, with a new window; without ``keep``: on a new disk."""
        if not keep:
            self.copy, self.outbox, self.disk_home = {}, [], ""
        self._begin()
        self.tell(self._opened())

    def _opened(self) -> orders.Opened:
        rooms = []
        for room, kept in self.copy.items():
            known = [event.seq for event in kept.events]
            unread = sum(e.seq > kept.read and e.author != ME and e.kind == "message" for e in kept.events)
            chain = kept.events[-1].chain if known else None
            first, have = (known[0], known[-1]) if known else (1, 0)
            more = kept.draft, kept.kind, kept.closed
            rooms.append(orders.Known(room, room, first, have, chain, kept.read, unread, *more))
        about = (ME, "Ann", "Ann's broker") if self.disk_home else ("", "", "")
        return orders.Opened(self.disk_home, *about, rooms, [*self.elsewhere, *self.outbox])

    def disk(self, most: int = 10_000) -> bool:
        """Have the disk do what it was ordered; returns whether there was something."""
        done = 0
        while self.jobs and done < most:
            self._do(self.jobs.popleft())
            done += 1
        return done > 0

    def _do(self, job: object) -> None:
        if isinstance(job, orders.Keep):
            if self.disk_full:
                self.tell(orders.NotKept(job.key, "The disk is full."))
                return
            self.posted += 1
            row = Post(SENDER, self.posted, job.room, job.kind, job.body)
            self.outbox.append(row)
            self.tell(orders.Kept(job.key, row))
        elif isinstance(job, orders.Look):
            events = self.copy.get(job.room, Kept()).events
            found = [event for event in events if job.after < event.seq <= job.upto]
            self.tell(orders.Found(job.token, found if len(found) == job.upto - job.after else None))
        elif isinstance(job, orders.Follow):
            kept = self.copy.setdefault(job.room, Kept())
            kept.kind, kept.closed = job.kind, ""
            self._follow(job)
        elif isinstance(job, orders.Unfollow):
            self.followed.pop(job.room, None)
            if job.forget:
                self.copy.pop(job.room, None)
        elif isinstance(job, orders.Close):
            self.copy.setdefault(job.room, Kept()).closed = job.why
        elif isinstance(job, orders.MarkRead):
            kept = self.copy.setdefault(job.room, Kept())
            assert job.seq > kept.read, "it was told before"
            kept.read = job.seq
        elif isinstance(job, orders.KeepDraft):
            self.copy.setdefault(job.room, Kept()).draft = job.text
        elif isinstance(job, orders.Store):
            kept = self.copy[job.room]
            older = [event for event in job.events if kept.events and event.seq < kept.events[0].seq]
            if older and older[-1].seq + 1 == kept.events[0].seq:
                kept.events[:0] = older
        elif isinstance(job, effects.Arrived) and (copied := self.copy.get(job.room)) is not None:
            copied.events += job.events
        elif isinstance(job, effects.Rewound) and (copied := self.copy.get(job.room)) is not None:
            copied.events = [event for event in copied.events if event.seq <= job.seq]
            copied.read = min(copied.read, job.seq)

    # The link.

    def connect(self, sync: bool = True) -> None:
        """The broker lets us in. With ``sync``: and all is caught up with."""
        self.tell(effects.Status("joining", "joining"))
        if self.disk_home != self.broker.home:
            self.disk()
            self.disk_home = self.broker.home
            self.copy.clear()
            self.followed.clear()
            self.adopted = False
            self.tell(self._opened())
        self.tell(effects.Welcomed(self.broker.welcome()))
        if not self.adopted:
            self.adopted = True
            self.tell(orders.Adopted(list(self.outbox)))
        self.connected = True
        self.tell(effects.People(dict(self.broker.here)))
        for room in list(self.followed):
            self._find_fork(room)
        if sync:
            self.catch_up()

    def catch_up(self) -> None:
        """Everything that was ordered is done, all events arrive, and the link is live."""
        self.settle()
        self.tell(effects.Status("live", "connected"))
        self.settle()

    def disconnect(self) -> None:
        """The broker is away. What it has decided and not told is asked again."""
        self.connected = False
        self.decided.clear()
        self.tell(effects.Status("offline", "looking for the broker"))

    def settle(self) -> None:
        """Have everything done that waits, on all sides; own posts are still undecided."""
        busy = True
        while busy:
            self.flush()
            busy = self.disk()
            busy = self.answer() or busy
            busy = any([self.deliver(room) for room in list(self.followed)]) or busy

    def _follow(self, order: orders.Follow) -> None:
        read: list[m.Event | None] = [*self.copy[order.room].events]
        read[:0] = [None] * (order.have - len(read))
        assert len(read) == order.have
        self.followed.setdefault(order.room, read)
        if self.connected:
            self._find_fork(order.room)

    def _find_fork(self, room: str) -> None:
        read, log = self.followed[room], self.halls[room].log
        same = len(read)
        while same and (same > len(log) or ((event := read[same - 1]) is not None and event != log[same - 1])):
            same -= 1
        if same and read[same - 1] is None and same < len(read):
            same = 0  # nothing that was read is in this log
        if same < len(read):
            del read[same:]
            rewound = effects.Rewound(room, same, self.broker.epoch)
            self.jobs.append(rewound)
            self.tell(rewound)

    def deliver(self, room: str, most: int = 10_000) -> bool:
        """The next events of a room arrive; returns whether there were any."""
        if not self.connected or room not in self.followed:
            return False
        read = self.followed[room]
        events = self.halls[room].log[len(read) :][:most]
        if events:
            read += events
            arrived = effects.Arrived(room, events)
            self.jobs.append(arrived)
            self.tell(arrived)
        return bool(events)

    def answer(self, most: int = 10_000) -> bool:
        """The broker answers what it was asked; returns whether there was something."""
        done = 0
        while self.connected and self.asks and done < most:
            ask = self.asks.popleft()
            self.tell(effects.Answered(ask.token, self.broker.reply(ask.request, self.at.wall)))
            done += 1
        return done > 0

    # The broker.

    def said(self, *texts: str, room: str = "lobby", who: str = BOB, arrive: bool = True) -> None:
        """Somebody says something. Without ``arrive``: it is still on its way."""
        for text in texts:
            self.halls[room].add(who, text, self.at.wall)
        if arrive:
            self.deliver(room)

    def accept(self) -> Post:
        """The broker puts the first undecided post into its log; neither told nor delivered yet."""
        row = self._undecided()
        self.decided.append(Settled(row, self.broker.take(row, self.at.wall)))
        return row

    def refuse(self, text: str = "You are not in this room.") -> Post:
        """The broker refuses it, unless it has it already; not told yet."""
        row = self._undecided()
        if (row.sender, row.n) in self.broker.taken:
            return self.accept()
        self.decided.append(Settled(row, m.Refused(1, "not_member", text, "final")))
        return row

    def _undecided(self) -> Post:
        return next(row for row in self.outbox if all(row is not settled.row for settled in self.decided))

    def acknowledge(self) -> None:
        """What was decided first is told."""
        settled = self.decided.popleft()
        self.outbox.remove(settled.row)
        self.tell(settled)

    def renumber(self) -> None:
        """The broker does not know the sender's count any more: what it has not is numbered anew."""
        moved = {}
        for place, row in enumerate(self.outbox):
            if (row.sender, row.n) not in self.broker.taken:
                self.posted += 1
                moved[row] = self.outbox[place] = Post("f" * 16, self.posted, row.room, row.kind, row.body)
        self.tell(Renumbered(moved))


def _add(all_changes: Changes, changes: Changes) -> None:
    for name in ("rooms", "people", "status", "header", "composer", "transcript", "to_end", "quit"):
        setattr(all_changes, name, getattr(all_changes, name) or getattr(changes, name))
    if changes.place is not None:
        all_changes.place = changes.place
