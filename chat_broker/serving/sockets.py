"""Making and binding the three sockets, each option with its reason."""

import contextlib
import ctypes
import os
import sys
import time
from dataclasses import dataclass
from typing import Any, cast

import zmq

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


@dataclass
class Sockets:
    """The broker's sockets, bound, with the ports that they got (names count as ports 0, 1, 2 over inproc)."""

    posts: Socket
    feed: Socket
    door: Socket
    ports: tuple[int, int, int]

    def close(self, linger_ms: int = 0) -> None:
        """Close all; replies that are under way get ``linger_ms`` to leave."""
        for socket in (self.posts, self.feed, self.door):
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


def open_sockets(context: zmq.Context[Socket], bind: str, port: int, limits: LimitSettings, retry: float) -> Sockets:
    """Bind posts to ``port``, feed and door to the two after it (0: three free ones); inproc: ``bind`` is a name.

    Tries for ``retry`` seconds if a port is in use. Raises InUseError or SettingsError.
    """
    made: list[Socket] = []
    try:
        for kind, options in (
            (zmq.ROUTER, _posts_options(limits)),
            (zmq.PUB, _feed_options(limits)),
            (zmq.ROUTER, _door_options()),
        ):
            socket: Socket = context.socket(kind)
            made.append(socket)
            for option, value in options.items():
                socket.setsockopt(option, value)
        posts, feed, door = made
        ports = [_bind(socket, bind, port, place, retry) for place, socket in enumerate((posts, feed, door))]
    except BaseException:
        for socket in made:
            socket.close(0)
        raise
    return Sockets(posts, feed, door, (ports[0], ports[1], ports[2]))


def _common() -> dict[int, Any]:
    return {
        zmq.LINGER: 0,  # what was not acknowledged is sent again anyway
        # With a domain libzmq hangs up on ZMTP before version 3 (nobody answers for it: all others may come). Without
        # one a web browser passes for such a peer, and two for peers of one routing id: libzmq lets the second one in
        # but never reads from it, so that what it sent stays when it is gone, and its open file too.
        zmq.ZAP_DOMAIN: b"chat",
        zmq.IPV6: 1,
        zmq.BACKLOG: 1024,  # after a restart everybody comes back at once
        zmq.HANDSHAKE_IVL: 5000,  # half-open connections are reaped (30 s otherwise)
        zmq.TCP_KEEPALIVE: 1,  # and those whose machine is gone
        zmq.TCP_KEEPALIVE_IDLE: 60,
        zmq.TCP_KEEPALIVE_INTVL: 20,
    }


def _posts_options(limits: LimitSettings) -> dict[int, Any]:
    return _common() | {
        # Sending to somebody who left raises instead of vanishing; a full queue raises instead of blocking us.
        zmq.ROUTER_MANDATORY: 1,
        zmq.MAXMSGSIZE: POSTS_FRAME_BYTES,
        zmq.SNDHWM: limits.reply_queue,
        zmq.RCVHWM: 1000,
    }


def _feed_options(limits: LimitSettings) -> dict[int, Any]:
    # A message is a batch: a subscriber that does not read costs this many batches, then it misses and asks.
    return _common() | {zmq.SNDHWM: limits.feed_queue, zmq.MAXMSGSIZE: FEED_FRAME_BYTES}


def _door_options() -> dict[int, Any]:
    return _common() | {zmq.SNDHWM: 10, zmq.RCVHWM: 10, zmq.MAXMSGSIZE: DOOR_FRAME_BYTES}


def _bind(socket: Socket, bind: str, port: int, place: int, retry: float) -> int:
    """Bind the socket to its port; returns it."""
    if bind.startswith("inproc://"):
        socket.bind(f"{bind}-{place}")
        return place
    host = f"[{bind}]" if ":" in bind and not bind.startswith("[") else bind
    wanted = str(port + place) if port else "*"
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
            time.sleep(0.05)


def _unusable(bind: str, port: str, problem: zmq.ZMQError) -> SettingsError:
    return SettingsError(
        f"The broker cannot listen on {bind}, port {port} ({problem.strerror}): "
        'give --bind an address of this machine, or "*" for all.'
    )


def drain(socket: Socket, limit: int) -> list[tuple[bytes, zmq.Frame, bool]]:
    """What has arrived: at most ``limit`` times (routing id, frame, whole). ``whole`` is False if frames were missing
    or left over; those are thrown away here, or they would pass for the next message's identity (FACTS 2.8)."""
    arrived = []
    for _ in range(limit):
        try:
            peer: bytes = socket.recv(_DONTWAIT)
        except zmq.Again:
            break
        frame = socket.recv(copy=False)  # a ROUTER's message is the id and at least one frame, if only an empty one
        more = frame.more
        whole = len(frame) > 0
        while more:
            more = socket.recv(copy=False).more
            whole = False
        arrived.append((peer, frame, whole))
    return arrived
