"""Making and binding the broker's sockets, each option with its reason."""

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import zmq

from chat_broker import admission
from chat_broker.serving.keyfiles import KeyPair, Keyring
from chat_broker.settings import LimitSettings
from chat_core import wire
from chat_core.errors import InUseError, SettingsError

Socket = zmq.Socket[bytes]

# ZMQ_ZERO_COPY_RECV of zmq.h, which pyzmq has no name for.
_ZERO_COPY_RECV = 10
# As a plain number: an enumeration's takes its time, at every message.
_DONTWAIT = int(zmq.DONTWAIT)
# A request over the protocol's limit is refused with a sentence; over this one libzmq cuts the connection.
POSTS_FRAME_BYTES = 16 * wire.REQUEST_BYTES
# The door is asked one short question. Under some 300 bytes libzmq's own handshakes would not fit.
DOOR_FRAME_BYTES = 1024
# Bounds a subscription, of which libzmq keeps 116 bytes for each byte (FACTS 1.5). The longest topic has some 140;
# handshakes need the rest.
FEED_FRAME_BYTES = 400


# For how long the feed's port may stay taken when it is bound anew: it was ours a moment ago.
BIND_ANEW_SECONDS = 5.0
# libzmq gives up a port in a thread of its own: some ms after the socket was closed.
BIND_AGAIN_SECONDS = 0.002
# Of a message with more frames than it may have, so many are thrown away at once; then the loop has its turn.
EXTRA_FRAMES = 1000

Options = dict[int, Any]
Arrived = tuple[bytes, zmq.Frame, bool]  # see `drain`


@dataclass
class Sockets:
    """The broker's sockets, bound, with the ports that they got (names count as ports 0, 1, 2 over inproc).

    ``encrypted``: posts and feed are. ``admin``: for who runs the broker, from this machine; None over inproc.
    """

    posts: Socket
    feed: Socket
    door: Socket
    ports: tuple[int, int, int]
    encrypted: bool
    admin: Socket | None
    admin_port: int
    _open_feed: Callable[[], tuple[Socket, int]] = field(repr=False)  # it knows the secret key

    def bind_feed_anew(self) -> None:
        """Close the feed and bind it again: who hears it is asked about anew. Nothing else closes the connection of one
        subscriber. Raises InUseError if somebody else has taken its port in that moment."""
        with contextlib.suppress(zmq.ZMQError):  # over inproc the name would else be free only when libzmq comes to it
            self.feed.unbind(cast(bytes, self.feed.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode())
        self.feed.close(0)
        self.feed, _ = self._open_feed()

    def close(self, linger_ms: int = 0) -> None:
        """Close all; replies that are under way get ``linger_ms`` to leave."""
        for socket in (self.posts, self.feed, self.door, self.admin):
            if socket is not None:
                socket.close(linger_ms)


def seed_routing_ids() -> bool:
    """Seed libc's random numbers, from which ROUTER takes its first automatic id; False where there is no srand.

    libzmq never seeds them (libzmq#4633): any peer could guess the next id, take it, and abort the process. To be
    called before the first Context, in the thread that makes the ROUTER (on Windows the seed is the thread's own).
    """
    try:
        libc = ctypes.CDLL("ucrtbase") if sys.platform == "win32" else ctypes.CDLL(None)
        libc.srand(ctypes.c_uint(int.from_bytes(os.urandom(4), "little")))
    except (OSError, AttributeError):
        return False
    return True


def make_context() -> zmq.Context[Socket]:
    """A context whose connections take little memory: of a thousand clients, 15 kB for each.

    By default libzmq hands out the buffer into which it has read, without copying, and begins a new one as long as any
    message of it is in use. Requests are short: to copy them costs less than the buffers.
    """
    context: zmq.Context[Socket] = zmq.Context()
    with contextlib.suppress(zmq.ZMQError):  # another libzmq may not have it
        context.set(_ZERO_COPY_RECV, 0)
    return context


def open_sockets(
    context: zmq.Context[Socket],
    bind: str,
    port: int,
    limits: LimitSettings,
    retry: float,
    keyring: Keyring | None = None,
) -> Sockets:
    """Bind posts to ``port``, feed and door to the two after it (0: three free ones); inproc: ``bind`` is a name.

    Tries for ``retry`` seconds if a port is in use. Raises InUseError or SettingsError. Without a keyring nothing is
    encrypted, and there is no admin's socket.
    """
    own = {} if keyring is None else _lock(keyring.broker)
    lock = own if keyring is not None and keyring.encrypted else {}
    with contextlib.ExitStack() as made:

        def opened(kind: int, options: Options, place: int) -> tuple[Socket, int]:
            wanted = port + place if port else 0
            found = _open(context, kind, options, bind, wanted, place, retry)
            made.callback(found[0].close, 0)
            return found

        posts, posts_port = opened(zmq.ROUTER, _posts_options(limits, admission.POSTS) | lock, 0)
        feed, feed_port = opened(zmq.PUB, _feed_options(limits) | lock, 1)
        door, door_port = opened(zmq.ROUTER, _door_options(), 2)
        admin, admin_port = None, 0
        if keyring is not None:
            options = _posts_options(limits, admission.ADMIN) | own
            admin, admin_port = _open(context, zmq.ROUTER, options, "127.0.0.1", 0, 3, retry)
        made.pop_all()
    again = partial(_open, context, zmq.PUB, _feed_options(limits) | lock, bind, feed_port, 1, BIND_ANEW_SECONDS)
    return Sockets(posts, feed, door, (posts_port, feed_port, door_port), bool(lock), admin, admin_port, again)


def _open(
    context: zmq.Context[Socket], kind: int, options: Options, bind: str, port: int, place: int, retry: float
) -> tuple[Socket, int]:
    """A bound socket and its port (0 takes a free one)."""
    socket: Socket = context.socket(kind)
    try:
        for option, value in options.items():
            socket.setsockopt(option, value)
        return socket, _bind(socket, bind, port, place, retry)
    except BaseException:
        socket.close(0)
        raise


def _common(domain: str) -> Options:
    return {
        zmq.LINGER: 0,  # what was not acknowledged is sent again anyway
        # Who may come is asked about each connection (`zap`); with a domain libzmq also hangs up on ZMTP before
        # version 3. Else a web browser would pass for such a peer, and two for peers of one routing id: libzmq lets the
        # second one in but never reads from it, so that what it sent stays when it is gone, and its open file too.
        zmq.ZAP_DOMAIN: domain.encode(),
        zmq.ZAP_ENFORCE_DOMAIN: 1,  # where nobody answers, nobody comes in; by default everybody does (FACTS 1.1)
        zmq.IPV6: 1,
        zmq.BACKLOG: 1024,  # after a restart everybody comes back at once
        zmq.HANDSHAKE_IVL: 5000,  # half-open connections are reaped (30 s otherwise)
        zmq.TCP_KEEPALIVE: 1,  # and those whose machine is gone
        zmq.TCP_KEEPALIVE_IDLE: 60,
        zmq.TCP_KEEPALIVE_INTVL: 20,
    }


def _lock(key: KeyPair) -> Options:
    """Encrypted with this key; the other side proves to have its own."""
    return {zmq.CURVE_SERVER: 1, zmq.CURVE_SECRETKEY: key.secret.encode()}


def _posts_options(limits: LimitSettings, domain: str) -> Options:
    return _common(domain) | {
        # Sending to somebody who left raises instead of vanishing; a full queue raises instead of blocking us.
        zmq.ROUTER_MANDATORY: 1,
        zmq.MAXMSGSIZE: POSTS_FRAME_BYTES,
        zmq.SNDHWM: limits.reply_queue,
        zmq.RCVHWM: 1000,
    }


def _feed_options(limits: LimitSettings) -> Options:
    # A message is a batch: a subscriber that does not read costs this many batches, then it misses and asks.
    return _common(admission.FEED) | {zmq.SNDHWM: limits.feed_queue, zmq.MAXMSGSIZE: FEED_FRAME_BYTES}


def _door_options() -> Options:
    return _common(admission.DOOR) | {zmq.SNDHWM: 10, zmq.RCVHWM: 10, zmq.MAXMSGSIZE: DOOR_FRAME_BYTES}


def _bind(socket: Socket, bind: str, port: int, place: int, retry: float) -> int:
    """Bind the socket to a port (0: a free one); returns it. Over inproc its place is part of its name."""
    if bind.startswith("inproc://"):
        socket.bind(f"{bind}-{place}")
        return place
    host = f"[{bind}]" if ":" in bind and not bind.startswith("[") else bind
    wanted = str(port or "*")
    deadline = time.monotonic() + retry
    while True:
        try:
            socket.bind(f"tcp://{host}:{wanted}")
            return int(cast(bytes, socket.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").rpartition(b":")[2])
        except zmq.ZMQError as problem:
            if problem.errno != zmq.EADDRINUSE:
                raise _unusable(bind, wanted, problem) from problem
            if time.monotonic() > deadline:
                text = f"Port {wanted} is in use: stop what has it, or choose another with --port (three in a row)."
                raise InUseError(text) from problem
            time.sleep(BIND_AGAIN_SECONDS)


def _unusable(bind: str, port: str, problem: zmq.ZMQError) -> SettingsError:
    return SettingsError(
        f"The broker cannot listen on {bind}, port {port} ({problem.strerror}): "
        'give --bind an address of this machine, or "*" for all.'
    )


def drain(socket: Socket, limit: int) -> list[Arrived]:
    """What has arrived: at most ``limit`` times (routing id, frame, whole). ``whole`` is False if frames were missing
    or left over; those are thrown away here, or they would pass for the next message's identity (FACTS 2.8)."""
    arrived: list[Arrived] = []
    if socket.getsockopt(zmq.RCVMORE) and not _throw_away(socket):
        return arrived
    for _ in range(limit):
        try:
            peer: bytes = socket.recv(_DONTWAIT)
        except zmq.Again:
            break
        frame = socket.recv(copy=False)  # a ROUTER's message is the id and at least one frame, if only an empty one
        extra = frame.more
        arrived.append((peer, frame, not extra and len(frame) > 0))
        if extra and not _throw_away(socket):
            break
    return arrived


def _throw_away(socket: Socket) -> bool:
    """Throw away frames that are left over; False if there are so many that the rest has to wait for the next turn."""
    return any(not socket.recv(copy=False).more for _ in range(EXTRA_FRAMES))
