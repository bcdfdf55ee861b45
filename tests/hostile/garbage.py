"""Ten kinds of garbage for a TCP port where ZeroMQ listens: what comes over the line of each, and how it ends.

ZMTP 3.1 is ZeroMQ RFC 37, the versions before it are RFCs 13, 15 and 23.
"""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# The sockets of a broker, in the order of their ports, and what talks to them.
PLACES = ("posts", "feed", "door")
_SOCKET_TYPES = {"posts": b"DEALER", "feed": b"SUB", "door": b"DEALER"}

# "close": no more is to come; "reset": as by a machine that was switched off; "wait": until the other side hangs up.
End = Literal["close", "reset", "wait"]


@dataclass(frozen=True)
class Garbage:
    """What is sent on a connection, and then."""

    sent: bytes
    end: End = "close"


# ---- ZMTP ------------------------------------------------------------------------------------------------------------

_MORE, _LONG, _COMMAND = 1, 2, 4


def greeting(mechanism: bytes = b"NULL", major: int = 3, minor: int = 1, as_server: int = 0) -> bytes:
    """The 64 bytes with which ZMTP 3 begins."""
    return (
        b"\xff"
        + bytes(8)
        + b"\x7f"
        + bytes([major, minor])
        + mechanism.ljust(20, b"\0")
        + bytes([as_server])
        + bytes(31)
    )


def frame(body: bytes, flags: int = 0, size: int | None = None) -> bytes:
    """A frame; ``size``: what it says of its length, where that is not so."""
    told = len(body) if size is None else size
    if told > 255 or flags & _LONG:
        return bytes([flags | _LONG]) + struct.pack(">Q", told) + body
    return bytes([flags, told]) + body


def ready(socket_type: bytes, **properties: bytes) -> bytes:
    """The command that ends the handshake of the NULL mechanism."""
    told = {"Socket-Type": socket_type} | properties
    body = b"".join(
        bytes([len(name)]) + name.encode() + struct.pack(">I", len(value)) + value for name, value in told.items()
    )
    return frame(b"\x05READY" + body, _COMMAND)


def handshake(place: str) -> bytes:
    """Everything that a peer has to say before its first message."""
    return greeting() + ready(_SOCKET_TYPES[place])


# ---- the kinds -------------------------------------------------------------------------------------------------------


def noise(dice: random.Random, place: str) -> Garbage:
    """Random bytes."""
    return Garbage(dice.randbytes(dice.choice((1, 9, 64, 300, 5000))))


def http(dice: random.Random, place: str) -> Garbage:
    """A web browser, or something that looks for one."""
    line = dice.choice((b"GET / HTTP/1.1", b"POST /login HTTP/1.0", b"CONNECT a:443 HTTP/1.1", b"PRI * HTTP/2.0"))
    return Garbage(line + b"\r\nHost: chat.example.org\r\nCookie: " + b"x" * dice.randrange(3000) + b"\r\n\r\n")


def tls(dice: random.Random, place: str) -> Garbage:
    """A TLS 1.2 ClientHello."""
    hello = b"\x03\x03" + dice.randbytes(32) + b"\x20" + dice.randbytes(32) + b"\0\x04\x13\x01\x13\x02\x01\0"
    hello += struct.pack(">H", 2 + 2 + 9) + b"\0\0\0\x09\0\x07\0\0\x04chat"
    shake = b"\x01" + struct.pack(">I", len(hello))[1:] + hello
    return Garbage(b"\x16\x03\x01" + struct.pack(">H", len(shake)) + shake)


def scan(dice: random.Random, place: str) -> Garbage:
    """A port scanner: somebody is there, that is all."""
    return Garbage(b"", "close")


def reset(dice: random.Random, place: str) -> Garbage:
    """A connection that breaks, at any point of a handshake."""
    return Garbage(handshake(place)[: dice.randrange(100)], "reset")


def old(dice: random.Random, place: str) -> Garbage:
    """ZMTP of other versions, or with a mechanism that there is not."""
    name = dice.randbytes(dice.choice((0, 5, 200)))
    signature = b"\xff" + bytes(7) + bytes([len(name) + 1]) + b"\x7f"
    return Garbage(
        dice.choice(
            (
                frame(b"\0" + name, 0, len(name) + 1)[1:] + b"\x08\0ping!!",  # 1.0, and a message
                signature + b"\x01" + bytes([dice.randrange(12)]) + frame(name) + frame(b"ping"),  # 2.0
                signature + b"\x02" + bytes([255]) + frame(name),
                greeting(dice.choice((b"CURVE", b"PLAIN", b"GSSAPI", b"XXXX", b"\xff" * 20))) + dice.randbytes(100),
                greeting(as_server=1) + greeting(),
                greeting(major=dice.randrange(4, 255)) + ready(_SOCKET_TYPES[place]),
            )
        )
    )


def mutated(dice: random.Random, place: str) -> Garbage:
    """A handshake with some bytes changed, or one that says what is not true."""
    right = _SOCKET_TYPES[place]
    command = dice.choice(
        (
            ready(right),
            ready(dice.choice((b"PAIR", b"PUB", b"ROUTER", b"XPUB", b"\0", b"x" * 200, b""))),
            ready(right, Identity=dice.randbytes(dice.choice((1, 255, 256, 60_000)))),
            ready(right, **{"x" * dice.randrange(1, 255): dice.randbytes(200)}),
            frame(b"\x05READY\x0bSocket-Type" + b"\xff\xff\xff\xff" + right, _COMMAND),
            frame(b"\x05READY", _COMMAND),
            frame(b"\x05ERROR\x04What", _COMMAND),
            frame(b"\x05HELLO" + bytes(194), _COMMAND),
        )
    )
    sent = bytearray(greeting() + command)
    for _ in range(dice.randrange(4)):
        sent[dice.randrange(10, len(sent))] ^= 1 << dice.randrange(8)
    return Garbage(bytes(sent))


def size(dice: random.Random, place: str) -> Garbage:
    """A frame that says that it is large: 2^63 bytes, or a little over what the socket takes."""
    told = dice.choice((2**63, 2**64 - 1, 2**63 - 1, 2**40, 2**31, 16 * 2**16 + 1, 1025, 401))
    return Garbage(handshake(place) + frame(b"x" * 300, dice.choice((_LONG, _LONG | _COMMAND, _LONG | _MORE)), told))


def silence(dice: random.Random, place: str) -> Garbage:
    """Half a handshake, and then nothing."""
    whole = handshake(place)
    return Garbage(whole[: dice.choice((0, 1, 10, 11, 12, 64, len(whole) - 1))], "wait")


def junk(dice: random.Random, place: str) -> Garbage:
    """A peer as it should be, who talks nonsense: subscriptions to nothing, requests that are none, half messages."""
    messages = []
    for _ in range(dice.randrange(1, 6)):
        said = dice.randbytes(dice.randrange(60))
        messages += [
            frame(dice.choice((b"\0", b"\1", b"\2", b"")) + said),  # to the feed: unsubscribe, subscribe, neither
            frame(
                dice.choice((b"\x09SUBSCRIBE", b"\x06CANCEL", b"\x04PING\0\1", b"\x04PONG", b"\x20")) + said, _COMMAND
            ),
            frame(said, _MORE) + frame(b"{}"),
            frame(said, dice.randrange(8, 256)),  # flags that are reserved
        ]
    dice.shuffle(messages)
    sent = b"".join(messages)
    return Garbage(handshake(place) + sent[: dice.choice((len(sent), dice.randrange(len(sent))))])


KINDS: dict[str, Callable[[random.Random, str], Garbage]] = {
    kind.__name__: kind for kind in (noise, http, tls, scan, reset, old, mutated, size, silence, junk)
}
