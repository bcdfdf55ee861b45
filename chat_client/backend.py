"""What works behind the window: a thread for the network and one for the disk, told by orders, telling by news.

The window's thread calls `start`, `carry_out` and `stop`, none of which waits for network or disk, and takes `news`.
The disk's thread owns outbox and replica; sockets belong to the link's. They share queues and nothing else.
"""

import contextlib
import logging
import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from chat_client import effects
from chat_client import session as s
from chat_client.client import why_unreachable
from chat_client.disk import Disk
from chat_client.flight import Renumber, Row, Settled
from chat_client.identity import open_identity
from chat_client.link import Context, Link
from chat_client.meeting import OPEN
from chat_client.model import orders
from chat_client.model.chat import News
from chat_client.model.moment import Moment
from chat_client.pins import Pins, Trust
from chat_core import messages as m
from chat_core.address import Address
from chat_core.errors import ChatError, UntrustedError

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
        sure: bool = False,
        anew: bool = False,
        link: str = "",
    ) -> None:
        """``folder`` is the identity's, made if it is not there. ``name`` "": the broker must know the identity.
        ``sure``: the key in the address is the right one, whatever was known there before; ``anew``: what was known
        there is to be forgotten. ``link``: the one-time code that another machine of this user showed."""
        self.address, self._sure, self._anew, self._link_code = address, sure, anew, link
        self._trust: Trust | None = None  # the disk's thread has it
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._folder, self._name, self._every, self._context = folder, name, every, context
        self._jobs: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._session: s.Session | None = None  # the link's thread has it
        self._link: Link | None = None  # made by the disk's thread, before it tells that it has opened anything
        self._held = ""  # why a broker that answers does not let us in for now
        self._home = ""  # of the broker that let us in last; the link's thread has it, too
        # What came behind each welcome that the disk's thread has in hand, and is to be told behind it.
        self._behind: deque[list[News]] = deque()
        self._behind_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run_disk, name="disk", daemon=True)

    # From the window's thread.

    @property
    def known_address(self) -> Address:
        """The address, with the broker's key as far as it is known."""
        pin = self._trust.pin if self._trust is not None else ""
        return replace(self.address, key="" if pin == OPEN else pin)

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
        if self._held:
            self.news.put(orders.Unreachable(self._held))
            return
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
        if isinstance(effect, effects.Welcomed):
            self._let_in(effect)
        elif isinstance(effect, effects.Held):
            self._held = effect.reply.text
            self._tell(effect)
        elif isinstance(effect, Renumber):
            self._jobs.put(effect)  # the disk has its part first, and tells what it has done
        elif isinstance(effect, effects.Arrived | effects.Walled | effects.Rewound):
            if self._session is not None and effect.room in self._session.rooms:
                self._jobs.put(effect)
                self._tell(*_pieces(effect))
        else:
            if isinstance(effect, Settled):
                self._jobs.put(effect)
            self._tell(effect)

    def _let_in(self, effect: effects.Welcomed) -> None:
        home = effect.welcome.home
        if home != self._home and self._session is not None:
            # Another broker: its rooms are others, whatever they are called. The window asks for them anew.
            for room in list(self._session.rooms):
                self._session.unfollow(room)
        self._home, self._held = home, ""
        with self._behind_lock:
            self._behind.append([])
        self._jobs.put(effect)  # the disk has its part first, and passes it on

    def _tell(self, *news: News) -> None:
        with self._behind_lock:
            if self._behind:
                self._behind[-1] += news
                return
            for one in news:
                self.news.put(one)

    # In the disk's thread.

    def _run_disk(self) -> None:
        try:
            with contextlib.ExitStack() as stack:
                identity = open_identity(self._folder)
                disk = Disk(self.address, identity, self.news.put, self._post)
                stack.callback(disk.close)
                self._home = disk.home
                if self._anew:
                    Pins(self._folder).forget(self.address)
                self._trust = Trust(self.address, self._folder, sure=self._sure)
                self._session = s.Session(
                    identity.public, self._name, dice=random.SystemRandom(), every=self._every, watch=True,
                    invite=self.address.invite, link=self._link_code, pin=self._trust.pin, where=self.address.text,
                )  # fmt: skip
                self._link = Link(self._session, self.address, self._deliver, self._context, identity=identity)
                stack.callback(self._link.stop)
                disk.tell_opened()
                self._link.call(lambda session, now: session.start(now))
                self._link.start()
                while (job := self._next_job(disk)) is not _STOP:
                    with disk.excused():
                        self._do(job, disk)
        except UntrustedError as problem:
            self.news.put(effects.Trouble(problem.code, str(problem)))
        except ChatError as problem:
            self.news.put(orders.Unusable(str(problem)))
        except Exception as problem:
            log.exception("the disk's thread broke")
            self.news.put(orders.Unusable(f"The chat cannot go on ({problem})."))

    def _next_job(self, disk: Disk) -> object:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._jobs.get(timeout=disk.patience())
            with disk.excused():
                disk.look_for_others()

    def _do(self, job: object, disk: Disk) -> None:
        if isinstance(job, orders.Follow):
            self._follow(job, disk)
        elif isinstance(job, orders.Unfollow):
            self._call(lambda session, now: session.unfollow(job.room))
            disk.unfollow(job)
        elif isinstance(job, orders.Trust):
            self._confirm(job.answer)
        elif isinstance(job, effects.Welcomed):
            with disk.excused():
                self._keep_pin()
            try:
                disk.welcomed(job)
            finally:
                self._pass_on()
        else:
            disk.do(job)

    def _confirm(self, answer: m.Answer) -> None:
        """The user trusts the broker that says so at its door."""
        assert self._trust is not None
        pin = self._trust.confirm(answer)
        self._call(lambda session, now: session.trust(pin, now))

    def _keep_pin(self) -> None:
        if self._trust is not None:
            self._trust.keep()

    def _pass_on(self) -> None:
        """What came behind a welcome may be told."""
        with self._behind_lock:
            for news in self._behind.popleft():
                self.news.put(news)

    def _follow(self, order: orders.Follow, disk: Disk) -> None:
        # The chains by which a fork is found must be there from the beginning. (Without them it is read anew.)
        points: list[tuple[int, str]] = []
        with disk.excused():
            points = disk.follow(order)

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


def _pieces(effect: effects.Arrived | effects.Walled | effects.Rewound) -> list[News]:
    if not isinstance(effect, effects.Arrived) or len(effect.events) <= PIECE:
        return [effect]
    events = effect.events
    return [effects.Arrived(effect.room, events[begin : begin + PIECE]) for begin in range(0, len(events), PIECE)]
