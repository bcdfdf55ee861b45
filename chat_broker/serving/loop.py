"""The loop: poll, drain, decide, commit, acknowledge, broadcast. One thread, all sockets (DESIGN.md, section 2)."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

import zmq

from chat_broker.desk import ADMIN_PEER, HERE
from chat_broker.hub import Hub
from chat_broker.serving.complaints import Complaints
from chat_broker.serving.door import answer_door
from chat_broker.serving.openfiles import OpenFiles
from chat_broker.serving.reader import InlineReader, Reader
from chat_broker.serving.sockets import Arrived, Socket, Sockets, drain
from chat_broker.serving.waker import Waker
from chat_broker.serving.zap import Gatekeeper, plain_address
from chat_broker.settings import Settings
from chat_broker.store import Store
from chat_broker.turn import Turn, refusal
from chat_core import keys, wire
from chat_core.errors import RefusedError, StoreError, WireError
from chat_core.messages import Answer, Hello, Reply

log = logging.getLogger("chat.broker")

# After a commit whose fate the disk will not tell: how long to go on asking it before giving up.
UNCERTAIN_SECONDS = 10.0
# The flags of a reply's frames, combined once: an enumeration's "or" costs as much as a send.
_FIRST, _LAST = int(zmq.SNDMORE | zmq.DONTWAIT), int(zmq.DONTWAIT)
# How often in one turn at most.
LINGERS = 4
# Of the admin's socket in one turn.
ADMIN_REQUESTS = 20
# At a stop: how many full batches are still taken in.
LAST_BATCHES = 20


class Loop:
    """Serves until `stop` is called. Belongs to one thread; only `stop` and the waker may be called from others."""

    def __init__(
        self,
        hub: Hub,
        store: Store,
        reader: Reader | InlineReader,
        sockets: Sockets,
        settings: Settings,
        about: Answer,
        waker: Waker,
        clock: Callable[[], float] = time.time,
        mono: Callable[[], float] = time.monotonic,
        gate: Gatekeeper | None = None,
    ) -> None:
        """``gate``: None over inproc, where libzmq asks nobody."""
        self._hub, self._store, self._reader, self._sockets = hub, store, reader, sockets
        self._settings, self._about, self._waker = settings, about, waker
        self._clock, self._mono, self._gate = clock, mono, gate
        self._complaints, self._files = Complaints(), OpenFiles()
        self._stopping = False
        self._failing = False  # the last commit did not succeed
        self._last_batch = 0  # requests in the batch before
        self._reading: Counter[bytes] = Counter()  # pages that a connection waits for
        self._send = _send_of(sockets.posts)
        self._send_to_admin = self._send if sockets.admin is None else _send_of(sockets.admin)
        self._poller = zmq.Poller()
        for socket in (sockets.posts, sockets.door, sockets.admin, waker.reading):
            if socket is not None:
                self._poller.register(socket, zmq.POLLIN)

    def run(self) -> None:
        """Serve until stopped; what had been taken in by then is answered."""
        while not self._stopping:
            self.step(60.0)
        for _ in range(LAST_BATCHES):
            if not self.step(0.0):
                break
        self._reader.stop()
        self._send_pages()

    def stop(self) -> None:
        """End `run` soon. May be called from a signal handler or another thread."""
        self._stopping = True
        self._waker.wake()

    def step(self, seconds: float) -> int:
        """One turn, after waiting at most ``seconds`` for something to do; returns the number of requests taken."""
        wait = min(seconds, self._hub.deadline() - self._mono())
        self._poller.poll(max(0, int(wait * 1000 + 0.999)))
        self._waker.clear()
        if self._gate is not None:
            self._gate.check()
        self._files.look(self._mono())
        # An idle PUB whose application never touches it grows by 12 KiB for each garbage connection (FACTS 1.5).
        self._sockets.feed.getsockopt(zmq.EVENTS)
        limit = self._settings.limits.batch_requests
        arrived = drain(self._sockets.posts, limit)
        if self._last_batch > 1 and 1 < len(arrived) < limit:
            self._linger(arrived, limit)
        self._last_batch = len(arrived)
        self._turn(arrived)
        self._send_pages()
        answer_door(self._sockets.door, self._about)
        return len(arrived)

    def _linger(self, arrived: list[Arrived], limit: int) -> None:
        """Under load only: let the batch grow. A millisecond saves 40 % of the CPU (FACTS 2.4); as long as the batch is
        well behind the one before and still grows, those who were answered then are just writing again: wait for them.
        """
        for _ in range(LINGERS):
            if not self._settings.timing.linger_ms:
                return
            time.sleep(self._settings.timing.linger_ms / 1000)
            more = drain(self._sockets.posts, limit - len(arrived))
            arrived += more
            if not more or 2 * len(arrived) > self._last_batch:
                return

    def _turn(self, arrived: list[Arrived]) -> None:
        turn = self._hub.begin(int(self._clock() * 1000), self._mono())
        for peer, frame, whole in arrived:
            if not peer.startswith(ADMIN_PEER):  # of its own choice, and it would pass for an admin's
                self._take(turn, peer, frame, whole, self._sockets.encrypted)
        if self._sockets.admin is not None:
            for peer, frame, whole in drain(self._sockets.admin, ADMIN_REQUESTS):
                self._take(turn, ADMIN_PEER + peer, frame, whole, encrypted=True)
        self._hub.tick(turn)
        replies, frames = self._commit(turn)
        self._admit(turn)
        for peer, reply in replies:
            self._reply(peer, wire.encode(reply))
        for peer, payload in turn.pushed:
            self._reply(peer, payload)
        for job in turn.jobs:
            if self._reading[job.peer] >= self._settings.limits.pages_waiting:
                text = "Wait for the pages of history that were asked for before."
                self._reply(job.peer, wire.encode(refusal(job.re, RefusedError("busy", text))))
            else:
                self._reading[job.peer] += 1
                job.asker = self._hub.desk.connections.get(job.peer)
                self._reader.ask(job)
        for feed_frame in frames:
            # PUB never blocks: a full subscriber misses it, sees the gap, and asks.
            self._sockets.feed.send(feed_frame, zmq.DONTWAIT)
        for note in turn.notes:
            log.info("%s", note)

    def _take(self, turn: Turn, peer: bytes, frame: zmq.Frame, whole: bool, encrypted: bool) -> None:
        """Decode and decide one request."""
        key = _key(frame) if encrypted else ""
        if encrypted and not key:
            return  # nobody has vouched for it (FACTS 1.1)
        try:
            if not whole:
                who = f"the key {keys.fingerprint(key)}" if key else _origin(frame)
                self._complaints.about(peer, who, "sends what is not one frame that is not empty", turn.mono)
                raise WireError("a request is exactly one frame that is not empty")
            request = wire.decode_request(frame.bytes)
        except WireError as problem:
            log.debug("! %s", problem)
            self._hub.refuse(turn, peer, problem.re, problem.code, problem.text)
            return
        origin = _origin(frame) if type(request) is Hello else ""
        self._hub.decide(turn, peer, request, origin, key)

    def _admit(self, turn: Turn) -> None:
        """After the commit, before anybody is told of it: who may come in now, and who is no longer to hear."""
        if self._gate is not None and self._gate.admission.concerned(turn.batch):
            self._gate.admission.refresh(self._hub.tables, turn.time)
        if turn.shut_out:
            self._sockets.bind_feed_anew()

    def _commit(self, turn: Turn) -> tuple[list[tuple[bytes, Reply]], list[bytes]]:
        if not turn.batch:
            return self._hub.finish(turn)
        try:
            self._store.commit(turn.batch)
        except StoreError as problem:
            if not self._is_stored(turn.batch.number, problem):
                if not self._failing:  # said once, not at every try
                    log.error("nothing can be written (%s): what writes is refused until it can be again", problem)
                self._failing = True
                return self._hub.undo(turn)
            log.warning("batch %d was reported as failed (%s) but is on disk", turn.batch.number, problem)
        if self._failing:
            log.info("writing works again")
            self._failing = False
        return self._hub.finish(turn)

    def _is_stored(self, number: int, failure: StoreError) -> bool:
        """Did the batch get to the disk in spite of the error? Without an answer the broker must not go on."""
        deadline = self._mono() + UNCERTAIN_SECONDS
        while True:
            try:
                return self._store.clock()[0] >= number
            except StoreError as problem:
                if self._mono() > deadline:
                    text = f"Writing failed ({failure}), and then the disk does not tell what is on it ({problem})."
                    raise StoreError(
                        f"{text} Nothing was acknowledged that had not been written: see to the disk."
                    ) from problem
                time.sleep(0.05)

    def _reply(self, peer: bytes, payload: bytes) -> None:
        send = self._send
        if peer.startswith(ADMIN_PEER):
            peer, send = peer[len(ADMIN_PEER) :], self._send_to_admin
        try:
            send(peer, _FIRST)
            send(payload, _LAST)
        except zmq.ZMQError as problem:
            # Gone, or not reading: it will ask again when it is back.
            log.debug("! a reply found nobody (%s)", problem)

    def _send_pages(self) -> None:
        while not self._reader.results.empty():
            job, payload = self._reader.results.get()
            self._reading[job.peer] -= 1
            if self._reading[job.peer] <= 0:
                del self._reading[job.peer]
            if job.asker is None or self._hub.desk.connections.get(job.peer) is not job.asker:
                continue
            released = self._hub.release(job, payload)
            if released is not None:
                self._reply(job.peer, released)


def _origin(frame: zmq.Frame) -> str:
    try:
        return plain_address(str(frame.get("Peer-Address")))
    except zmq.ZMQError:
        return HERE  # inproc has no addresses


def _key(frame: zmq.Frame) -> str:
    """The key that who sent the frame has proved to have, or ""."""
    try:
        return cast(str, frame.get("User-Id"))
    except zmq.ZMQError:
        return ""


def _send_of(socket: Socket) -> Callable[[bytes, int], object]:
    """The call below pyzmq's own `send`, which takes half as long: it is made twice for every post."""
    return cast(Callable[[bytes, int], object], super(zmq.Socket, socket).send)
