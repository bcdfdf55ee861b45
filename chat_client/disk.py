"""What the window keeps on disk, and tells of it: the outbox, the copy of the rooms, and what goes wrong with them."""

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import cast

from chat_client import effects, replica
from chat_client.client import Renumbered
from chat_client.flight import Renumber, Row, Settled
from chat_client.identity import Identity
from chat_client.model import orders
from chat_client.model.chat import News
from chat_client.outbox import Outbox
from chat_core import messages as m
from chat_core.address import Address
from chat_core.errors import IdentityError

log = logging.getLogger("chat.disk")

# While another process of this user has unsent posts, it is looked so often whether it is gone.
GONE_SECONDS = 0.5


class Disk:
    """Outbox and replica of one user at one address. Belongs to one thread."""

    def __init__(
        self, address: Address, identity: Identity, tell: Callable[[News], None], post: Callable[[list[Row]], None]
    ) -> None:
        """Open the files. Raises IdentityError if there can be no outbox."""
        self._tell, self._post = tell, post
        self._outbox = Outbox(identity.folder, address.text)
        self._replica: replica.Replica | None = None
        with self.excused():  # it is only a copy
            self._replica = replica.Replica(identity.folder)
        self.home = self._outbox.home
        self._welcome = False  # a broker has let us in
        self._adopted = False  # and what earlier processes left for it is ours
        self._mine: dict[tuple[str, int], Row] = {}  # this process's unsent posts, in order
        self._waiting: list[Row] = []  # those of them that were kept before a broker let us in
        self._misnumbered: deque[Renumber] = deque()  # still to be done
        self._others = False  # other processes have unsent posts for this broker
        self._followed: set[str] = set()

    def close(self) -> None:
        """Release the files."""
        if self._replica is not None:
            self._replica.close()
        self._outbox.close()

    @contextlib.contextmanager
    def excused(self) -> Iterator[None]:
        """What goes wrong in here is told, and the chat goes on."""
        try:
            yield
        except IdentityError as problem:
            self._tell(orders.DiskTrouble(str(problem)))
        except Exception as problem:
            log.exception("something broke in the disk's thread")
            self._tell(orders.DiskTrouble(f"Something cannot be kept on this computer ({problem})."))

    def do(self, job: object) -> None:
        """Do one thing. Raises IdentityError if the disk does not let it."""
        if isinstance(job, orders.Keep):
            self._keep(job)
        elif isinstance(job, Renumber):
            self._misnumbered.append(job)
            self._renumber()
        elif isinstance(job, Settled):
            self._mine.pop((job.row.sender, job.row.n), None)
            self._outbox.settle(job.row)
        elif isinstance(job, orders.Look):
            self._look(job)
        elif self._replica is not None:
            self._copy(self._replica, job)

    def follow(self, order: orders.Follow) -> list[tuple[int, str]]:
        """A room is followed from now on; returns the chains of what is here of it."""
        self._followed.add(order.room)
        if self._replica is None:
            return []
        self._replica.enter(self.home, order.room, order.name, True, order.kind)
        return self._replica.points(self.home, order.room)

    def unfollow(self, order: orders.Unfollow) -> None:
        """A room is followed no longer."""
        self._followed.discard(order.room)
        if self._replica is not None and order.forget:
            self._replica.forget(self.home, order.room)

    def welcomed(self, news: effects.Welcomed) -> None:
        """A broker has let us in. Tells that, whatever the disk says."""
        welcome = news.welcome
        another = welcome.home != self.home
        self.home, self._welcome = welcome.home, True
        if another:
            self._adopted = self._others = False
            self._followed.clear()
        learned = False
        with self.excused():
            self._outbox.learn(welcome.home)
            learned = True
        with self.excused():
            if self._replica is not None:
                self._replica.learn(welcome.home, welcome.user, welcome.name, welcome.broker)
        if another:
            self.tell_opened()
        self._tell(news)
        if learned:
            with self.excused():
                if self._adopted:
                    self.look_for_others()
                else:
                    self._adopt()
        self._post_waiting()  # if nothing could be adopted, it is done when the next one is kept

    def patience(self) -> float | None:
        """When to call `look_for_others`, if there is nothing else to do: in so many seconds."""
        return GONE_SECONDS if self._others else None

    def look_for_others(self) -> None:
        """Take over what a process has left that has ended since."""
        self._others = False  # and stays so, if the disk does not let us
        adopted = self._outbox.adopt()
        self._mine |= {(row.sender, row.n): row for row in adopted}
        self._others = self._outbox.waiting() > len(self._mine)
        if adopted:
            self._tell(orders.Adopted(adopted))
            self._post(adopted)

    def tell_opened(self) -> None:
        """Tell what is on this disk about the broker, as far as it is known which one answers here."""
        about: replica.About | None = None
        rooms: list[orders.Known] = []
        unsent: list[Row] = []
        with self.excused():
            # If it could not be noted that another broker is here, what was for the first one is not for it.
            unsent = self._outbox.unsent() if self._outbox.home in ("", self.home) else list(self._mine.values())
        with self.excused():
            if self._replica is not None and (about := self._replica.about(self.home)) is not None:
                rooms = self._known_rooms(self._replica, about.user)
        user, name, broker = (about.user, about.name, about.broker) if about is not None else ("", "", "")
        self._tell(orders.Opened(self.home, user, name, broker, rooms, unsent))

    def _known_rooms(self, copy: replica.Replica, me: str) -> list[orders.Known]:
        return [
            orders.Known(
                kept.room, kept.name, kept.first, kept.have, kept.chain, kept.read,
                copy.unread(self.home, kept.room, me), kept.draft, kept.kind, kept.closed, kept.walls,
            )
            for kept in copy.rooms(self.home) if kept.mine
        ]  # fmt: skip

    def _copy(self, copy: replica.Replica, job: object) -> None:
        if isinstance(job, effects.Arrived):
            if job.room in self._followed:  # else it was on its way when the room was left
                copy.append(self.home, job.room, job.events)
        elif isinstance(job, effects.Rewound):
            if job.room in self._followed:
                copy.rewind(self.home, job.room, job.seq)
        elif isinstance(job, effects.Walled):
            if job.room in self._followed:
                copy.wall(self.home, job.room, job.after, job.first)
        elif isinstance(job, orders.Close):
            self._followed.discard(job.room)
            copy.close_room(self.home, job.room, job.why)
        elif isinstance(job, orders.Store):
            copy.prepend(self.home, job.room, job.events, job.walls)
        elif isinstance(job, orders.MarkRead):
            copy.set_read(self.home, job.room, job.seq)
        else:
            draft = cast(orders.KeepDraft, job)
            copy.set_draft(self.home, draft.room, draft.text)

    def _look(self, order: orders.Look) -> None:
        found: list[m.Event] | None = None
        with self.excused():
            if self._replica is not None:
                found = self._replica.read_range(self.home, order.room, order.after, order.upto)
        self._tell(orders.Found(order.token, found))

    def _keep(self, order: orders.Keep) -> None:
        with self.excused():  # what could not be done while the disk was full
            self._renumber()
            if self._welcome and not self._adopted:
                self._outbox.learn(self.home)
                self._adopt()
        try:
            row = self._outbox.add(order.room, order.kind, order.body)
        except IdentityError as problem:
            self._tell(orders.NotKept(order.key, str(problem)))
            return
        except Exception as problem:
            self._tell(orders.NotKept(order.key, f"It cannot be kept on this computer ({problem})."))
            raise
        self._mine[row.sender, row.n] = row
        self._tell(orders.Kept(order.key, row))
        self._waiting.append(row)
        if self._welcome:
            self._post_waiting()

    def _adopt(self) -> None:
        """What earlier processes left for this broker was said before what this one says."""
        adopted = self._outbox.adopt()
        self._adopted = True
        self._mine = {(row.sender, row.n): row for row in (*adopted, *self._mine.values())}
        self._others = self._outbox.waiting() > len(self._mine)
        self._waiting[:0] = adopted
        self._tell(orders.Adopted(list(self._mine.values())))
        self._post_waiting()

    def _post_waiting(self) -> None:
        rows, self._waiting = self._waiting, []
        self._post(rows)

    def _renumber(self) -> None:
        while self._misnumbered:
            job = self._misnumbered[0]
            moved = self._outbox.renumber(job.sender, job.first)
            self._misnumbered.popleft()
            for old, new in moved.items():
                self._mine.pop((old.sender, old.n), None)
                self._mine[new.sender, new.n] = new
            self._tell(Renumbered(moved))
            self._post(list(moved.values()))
