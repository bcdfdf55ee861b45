"""What works behind the window: a thread for the network and one for the disk, told by orders, telling by news.

The window's thread calls `start`, `carry_out` and `stop`, none of which waits for network or disk, and takes `news`.
The disk's thread owns outbox and replica; sockets belong to the link's. They share queues and nothing else.
"""

import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from chat_client import effects, replica
from chat_client import session as s
from chat_client.client import Renumbered, why_unreachable
from chat_client.flight import Renumber, Row, Settled
from chat_client.identity import Identity, open_identity
from chat_client.link import Context, Link
from chat_client.model import orders
from chat_client.model.chat import News
from chat_client.model.moment import Moment
from chat_client.outbox import Outbox
from chat_core.address import Address
from chat_core.errors import ChatError, IdentityError

log = logging.getLogger("chat.backend")

# Events in one piece of news: what takes one turn of the window's loop stays short.
PIECE = 50
_STOP = object()


def now() -> Moment:
    """This moment."""
    return Moment(time.monotonic(), time.time_ns() // 1_000_000)


class Backend:
    """One user at one broker, behind a window. ``news`` is read by the window's thread alone."""

    def __init__(
        self,
        address: Address,
        folder: Path,
        name: str = "",
        every: s.Intervals | None = None,
        context: Context | None = None,
    ) -> None:
        """``folder`` is the identity's, made if it is not there. ``name`` "": the broker must know the identity."""
        self.address = address
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._folder, self._name, self._every, self._context = folder, name, every, context
        self._jobs: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._link: Link | None = None  # made by the disk's thread, before it tells its first news
        self._thread = threading.Thread(target=self._run_disk, name="disk", daemon=True)

    # From the window's thread.

    def start(self) -> None:
        """Open what is on disk, and look for the broker, in the background. What goes wrong comes as news."""
        self._thread.start()

    def carry_out(self, order: orders.Order) -> None:
        """Have something done, soon."""
        if isinstance(order, orders.Ask):
            self._call(lambda session, now: session.ask(order.token, order.request, now))
        else:
            self._jobs.put(order)

    def explain(self) -> None:
        """Find out why nobody answers; comes as `orders.Unreachable`."""
        # In a thread of its own: a name server that is away can take half a minute to say so.
        threading.Thread(
            target=lambda: self.news.put(orders.Unreachable(why_unreachable(self.address))), name="explain", daemon=True
        ).start()

    def stop(self, wait: bool = True) -> None:
        """Say bye, write what is still to be written, and end. With ``wait``: it is all done when this returns."""
        self._jobs.put(_STOP)
        if wait and self._thread.is_alive():
            self._thread.join(10)

    # In the link's thread.

    def _deliver(self, effect: effects.Effect) -> None:
        if isinstance(effect, effects.Welcomed | Renumber):
            self._jobs.put(effect)  # the disk has its part first, and passes it on
            return
        if isinstance(effect, effects.Arrived | effects.Rewound | Settled):
            self._jobs.put(effect)
        if isinstance(effect, effects.Arrived) and len(effect.events) > PIECE:
            for begin in range(0, len(effect.events), PIECE):
                self.news.put(effects.Arrived(effect.room, effect.events[begin : begin + PIECE]))
        else:
            self.news.put(effect)

    # In the disk's thread.

    def _run_disk(self) -> None:
        try:
            identity = open_identity(self._folder)
            disk = _Disk(self.address, identity, self.news.put, self._post)
        except ChatError as problem:
            self.news.put(orders.Unusable(str(problem)))
            return
        try:
            session = s.Session(identity.public, self._name, dice=random.SystemRandom(), every=self._every, watch=True)
            self._link = Link(session, self.address, self._deliver, self._context)
            disk.tell_opened()
            self._link.call(lambda session, now: session.start(now))
            self._link.start()
            while (job := self._jobs.get()) is not _STOP:
                try:
                    self._do(job, disk)
                except IdentityError as problem:
                    self.news.put(orders.DiskTrouble(str(problem)))
        except Exception:
            log.exception("the disk's thread broke")
            self.news.put(orders.DiskTrouble("Something went wrong inside: nothing more is kept on this machine."))
        finally:
            if self._link is not None:
                self._link.stop()
            disk.close()

    def _do(self, job: object, disk: "_Disk") -> None:
        if isinstance(job, orders.Follow):
            # The chains by which a fork is found must be there from the beginning.
            self._follow(job, disk.points(job))
        elif isinstance(job, orders.Unfollow):
            self._call(lambda session, now: session.unfollow(job.room))
            if job.forget:
                disk.forget(job.room)
        else:
            disk.do(job)

    def _follow(self, order: orders.Follow, points: list[tuple[int, str]]) -> None:
        def follow(session: s.Session, now: float) -> None:
            session.follow(order.room, order.have, order.chain, now)
            session.rooms[order.room].remember((seq, chain) for seq, chain in points if seq <= order.have)

        self._call(follow)

    def _post(self, rows: list[Row]) -> None:
        if rows:
            self._call(lambda session, now: session.post(rows, now))

    def _call(self, function: Callable[[s.Session, float], None]) -> None:
        if self._link is not None:
            self._link.call(function)


class _Disk:
    """Outbox and replica, in the thread that owns them."""

    def __init__(
        self, address: Address, identity: Identity, tell: Callable[[News], None], post: Callable[[list[Row]], None]
    ) -> None:
        """Open the files. Raises IdentityError if there can be no outbox."""
        self._tell, self._post = tell, post
        self._outbox = Outbox(identity.folder, address.text)
        self._replica: replica.Replica | None = None
        try:
            self._replica = replica.Replica(identity.folder)
        except IdentityError as problem:  # it is only a copy
            tell(orders.DiskTrouble(str(problem)))
        self._home = self._outbox.home
        self._adopted = False
        self._mine: list[Row] = []  # kept before the broker was known

    def close(self) -> None:
        """Release the files."""
        if self._replica is not None:
            self._replica.close()
        self._outbox.close()

    def do(self, job: object) -> None:
        """Do one thing. Raises IdentityError if the disk does not let it."""
        if isinstance(job, orders.Keep):
            self._keep(job)
        elif isinstance(job, effects.Welcomed):
            self._welcomed(job)
        elif isinstance(job, Renumber):
            moved = self._outbox.renumber(job.sender, job.first)
            self._tell(Renumbered(moved))
            self._post(list(moved.values()))
        elif isinstance(job, Settled):
            self._outbox.settle(job.row)
        elif self._replica is not None:
            self._copy(self._replica, job)
        elif isinstance(job, orders.Look):
            self._tell(orders.Found(job.token, None))

    def points(self, order: orders.Follow) -> list[tuple[int, str]]:
        """The chains of what is there of a room that is to be followed."""
        if self._replica is None:
            return []
        self._replica.enter(self._home, order.room, order.name, True)
        return self._replica.points(self._home, order.room)

    def forget(self, room: str) -> None:
        """Drop the copy of a room."""
        if self._replica is not None:
            self._replica.forget(self._home, room)

    def _copy(self, copy: replica.Replica, job: object) -> None:
        if isinstance(job, effects.Arrived):
            copy.append(self._home, job.room, job.events)
        elif isinstance(job, orders.Store):
            copy.prepend(self._home, job.room, job.events)
        elif isinstance(job, effects.Rewound):
            copy.rewind(self._home, job.room, job.seq)
        elif isinstance(job, orders.MarkRead):
            copy.set_read(self._home, job.room, job.seq)
        elif isinstance(job, orders.KeepDraft):
            copy.set_draft(self._home, job.room, job.text)
        else:
            look = cast(orders.Look, job)
            try:
                found = copy.read_range(self._home, look.room, look.after, look.upto)
            except IdentityError:
                self._tell(orders.Found(look.token, None))
                raise
            self._tell(orders.Found(look.token, found))

    def _keep(self, order: orders.Keep) -> None:
        try:
            row = self._outbox.add(order.room, order.kind, order.body)
        except IdentityError as problem:
            self._tell(orders.NotKept(order.key, str(problem)))
            return
        self._tell(orders.Kept(order.key, row))
        if self._adopted:
            self._post([row])
        else:
            self._mine.append(row)

    def _welcomed(self, news: effects.Welcomed) -> None:
        welcome = news.welcome
        another = welcome.home != self._home
        self._outbox.learn(welcome.home)
        if self._replica is not None:
            self._replica.learn(welcome.home, welcome.user, welcome.name, welcome.broker)
        if another:
            self._home = welcome.home
            self.tell_opened()
        self._tell(news)
        if another or not self._adopted:
            self._adopted = True
            adopted = self._outbox.adopt()
            rows = adopted + self._mine
            self._mine = []
            self._tell(orders.Adopted(rows))
            self._post(rows)

    def tell_opened(self) -> None:
        """Tell what is on this disk about the broker, as far as it is known which one answers here."""
        home, copy = self._home, self._replica
        about = copy.about(home) if copy is not None and home else None
        rooms = []
        if copy is not None and about is not None:
            for kept in copy.rooms(home):
                if kept.mine:
                    unread = copy.unread(home, kept.room, about.user)
                    rooms.append(
                        orders.Known(
                            kept.room, kept.name, kept.first, kept.have, kept.chain, kept.read, unread, kept.draft
                        )
                    )
        user, name, broker = (about.user, about.name, about.broker) if about is not None else ("", "", "")
        self._tell(orders.Opened(home, user, name, broker, rooms, self._outbox.unsent()))
