"""The network thread: a DEALER, a SUB and a wake-up socket in one poller, moved by the session. zmq is only here.

With a broker's key in the order, a line is encrypted with CURVE. The user's secret key is read from its file at that
moment, and goes to libzmq and nowhere else: what is logged of a message is its size.

Effects that are orders (open, close, subscribe, send) are carried out; the others go to ``deliver``, which is called
in the link's thread and must not block.
"""

import contextlib
import functools
import logging
import operator
import queue
import socket as plain_socket
import threading
import time
from collections.abc import Callable

import zmq
from zmq.utils.monitor import parse_monitor_message

from chat_client import effects
from chat_client import session as s
from chat_client.identity import Identity
from chat_core import wire
from chat_core.address import DOOR_OFFSET, Address
from chat_core.errors import IdentityError

log = logging.getLogger("chat.link")

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]

# As many messages of one socket are read before the other has its turn.
DRAIN = 200
# The wall clock ahead of the monotonic one by so much: the machine slept, and what the sockets hold is stale.
SLEPT_SECONDS = 5.0

# What ends a connection -> what the session is told of it (`Session.lost`).
_BROKEN = {
    zmq.EVENT_DISCONNECTED: "",
    zmq.EVENT_CLOSED: "",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "handshake",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "protocol",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "auth",
}
_WATCHED = functools.reduce(operator.or_, _BROKEN, zmq.EVENT_CONNECTED)
# Whoever answers at the door may be anybody, and has little to say.
_DOOR_BYTES = 8192

_OPTIONS = {
    zmq.LINGER: 0,  # what was not acknowledged is in the outbox
    zmq.IPV6: 1,
    # A generation of a line is one connection: the session opens the next one, and libzmq's own reconnecting would
    # stop for ever after a protocol error anyway (FACTS 1.4).
    zmq.RECONNECT_IVL: -1,
    zmq.HANDSHAKE_IVL: 5000,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 60,
    zmq.RCVHWM: 10_000,
    zmq.SNDHWM: 0,  # on the SUB else only 1,000 topics leave; on the DEALER the session bounds what it sends
}


class Link:
    """Carries out a session's orders on real sockets. `step` belongs to one thread; `call` and `stop` to any."""

    def __init__(
        self,
        session: s.Session,
        address: Address,
        deliver: Callable[[effects.Effect], None],
        context: Context | None = None,
        mono: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        identity: Identity | None = None,
    ) -> None:
        """``identity``: whose key encrypts; without one there are only brokers that do not."""
        self._identity = identity
        self._session, self._address, self._deliver = session, address, deliver
        self._own_context = context is None
        self._context: Context = context if context is not None else zmq.Context()
        self._mono, self._wall = mono, wall
        self._ahead = wall() - mono()
        self._sockets: dict[str, tuple[int, Socket, Socket | None]] = {}  # line -> generation, socket, monitor
        self._calls: queue.SimpleQueue[Callable[[s.Session, float], None]] = queue.SimpleQueue()
        self._woken, self._waker = plain_socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._poller = zmq.Poller()
        self._poller.register(self._woken, zmq.POLLIN)
        self._thread: threading.Thread | None = None
        self._stopping = False

    # From any thread.

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[s.Session, float], None]) -> None:
        """Have the session do something, in the link's thread."""
        self._calls.put(function)
        self._wake()

    def stop(self) -> None:
        """Say bye and end; sockets are closed when this returns."""
        self._calls.put(lambda session, now: session.leave())
        self._stopping = True  # after the bye is queued, else the thread's last turn may miss it
        self._wake()
        if self._thread is not None:
            self._thread.join(10)
        elif self._woken.fileno() >= 0:  # not closed before
            if self._sockets:
                self.step(0.0)
            self._close()

    # In the link's thread.

    def step(self, seconds: float) -> None:
        """One turn: wait for something at most so long, hand it to the session, carry out what it wants."""
        now = self._mono()
        wait = min(seconds, self._session.deadline(now) - now)
        ready = dict(self._poller.poll(max(0, int(wait * 1000 + 0.999))))
        now = self._mono()
        if self._woken.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        while not self._calls.empty():
            self._calls.get()(self._session, now)
        self._watch_clocks(now)
        for line in list(self._sockets):
            self._drain(line, now)
        self._session.tick(now)
        self._carry_out()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._waker.send(b"\0")

    def _run(self) -> None:
        try:
            while not self._stopping:
                self.step(60.0)
            self.step(0.0)
        except Exception:
            log.exception("the link broke")
            # Whoever waits for news would wait for ever.
            self._deliver(effects.Status("refused", "The connection broke inside: start the program again."))
            raise
        finally:
            self._close()

    def _drain(self, line: str, now: float) -> None:
        """What came in on a line; a broken connection is seen before anything that came after it."""
        if line not in self._sockets:
            return
        generation, socket, monitor = self._sockets[line]
        broken = self._why_broken(line, generation, monitor, now) if monitor is not None else None
        for _ in range(DRAIN):
            try:
                frame = socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                break
            whole = not socket.getsockopt(zmq.RCVMORE)
            while socket.getsockopt(zmq.RCVMORE):
                socket.recv()
            if not whole:
                continue
            self._hand_over(line, generation, frame, now)
            self._carry_out()
            if self._sockets.get(line, (0,))[0] != generation:
                return
        if broken is not None:
            log.debug("! %s broke (%d): %s", line, generation, broken or "no reason given")
            self._session.lost(line, generation, now, broken)
            self._carry_out()

    def _hand_over(self, line: str, generation: int, frame: bytes, now: float) -> None:
        if line == "posts":
            self._session.replied(generation, frame, now)
        elif line == "feed":
            self._session.heard(generation, frame, now)
        elif line == "door":
            self._session.answered(generation, frame, now)

    def _why_broken(self, line: str, generation: int, monitor: Socket, now: float) -> str | None:
        """What has happened to the connection: None if it lives."""
        why: str | None = None
        while monitor.getsockopt(zmq.EVENTS) and int(monitor.EVENTS) & zmq.POLLIN:
            told = parse_monitor_message(monitor.recv_multipart())
            event = zmq.Event(told["event"])
            if event == zmq.EVENT_CONNECTED:
                self._session.reached(line, generation, now)
            elif event in _BROKEN:
                # The reason comes before the end.
                why = why or (
                    f"auth:{int(told['value'])}" if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH else _BROKEN[event]
                )
        return why

    def _watch_clocks(self, now: float) -> None:
        ahead = self._wall() - now
        if ahead - self._ahead > SLEPT_SECONDS:
            self._session.reopen(now)
        self._ahead = ahead

    def _carry_out(self) -> None:
        while todo := self._session.take():
            for effect in todo:
                self._do(effect)

    def _do(self, effect: effects.Effect) -> None:
        if isinstance(effect, effects.Send):
            log.debug("> %s: %d bytes", effect.line, len(effect.payload))
            if effect.line in self._sockets:
                # Never blocks: what does not fit is lost here and sent again by the session.
                with contextlib.suppress(zmq.Again):
                    self._sockets[effect.line][1].send(effect.payload, zmq.DONTWAIT)
        elif isinstance(effect, effects.Subscribe):
            if "feed" in self._sockets:
                option = zmq.SUBSCRIBE if effect.on else zmq.UNSUBSCRIBE
                self._sockets["feed"][1].setsockopt(option, wire.topic_filter(effect.topic))
        elif isinstance(effect, effects.Open):
            self._open(effect)
        elif isinstance(effect, effects.Close):
            self._close_line(effect.line)
        else:
            self._deliver(effect)

    def _open(self, order: effects.Open) -> None:
        self._close_line(order.line)
        socket: Socket = self._context.socket(zmq.SUB if order.line == "feed" else zmq.DEALER)
        for option, value in _OPTIONS.items():
            socket.setsockopt(option, value)
        if order.line == "door":
            socket.setsockopt(zmq.MAXMSGSIZE, _DOOR_BYTES)
        monitor = None
        if self._address.scheme == "tcp":
            monitor = socket.get_monitor_socket(_WATCHED)
            self._poller.register(monitor, zmq.POLLIN)
        self._poller.register(socket, zmq.POLLIN)
        self._sockets[order.line] = order.generation, socket, monitor
        endpoint = self._address.endpoint(self._port(order))
        log.debug("= %s opens %s (%d)", order.line, endpoint, order.generation)
        try:
            if order.key and monitor is not None:
                self._encrypt(socket, order.key)
            socket.connect(endpoint)
        except IdentityError as problem:
            log.warning("%s", problem)
            self._session.lost(order.line, order.generation, self._mono(), "identity")
        except zmq.ZMQError as problem:  # nobody there over inproc, or a name that is none
            log.debug("! %s: %s", endpoint, problem)
            self._session.lost(order.line, order.generation, self._mono())

    def _port(self, order: effects.Open) -> int:
        if order.line == "door":
            return self._address.port + DOOR_OFFSET
        return order.port if order.line == "feed" else self._address.port

    def _encrypt(self, socket: Socket, key: str) -> None:
        """Have only the broker that has this key be at the other end, and tell it who we are."""
        if self._identity is None:
            raise IdentityError("There is no identity to encrypt with.")
        socket.setsockopt(zmq.CURVE_SERVERKEY, key.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, self._identity.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, self._identity.secret().encode())

    def _close_line(self, line: str) -> None:
        if line not in self._sockets:
            return
        _, socket, monitor = self._sockets.pop(line)
        self._poller.unregister(socket)
        if monitor is not None:
            self._poller.unregister(monitor)
            socket.disable_monitor()
            monitor.close(0)
        socket.close(100 if self._stopping else 0)  # a last "bye" may leave

    def _close(self) -> None:
        for line in list(self._sockets):
            self._close_line(line)
        self._poller.unregister(self._woken)
        self._woken.close()
        self._waker.close()
        if self._own_context:
            self._context.term()
