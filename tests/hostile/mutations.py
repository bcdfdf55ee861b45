"""Frames changed at random, by bytes and by fields; and scripts of such frames for a hub.

Everything takes its randomness from a `random.Random`: hypothesis has one of its own, which it can shrink.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from chat_core import messages as m
from chat_core.keys import fingerprint, token_digest
from tests.broker.table import OTHER_SENDER, SENDER, key_of
from tests.hostile.cases import DEEP, MOST

# What upsets parsers, databases, terminals and people.
TOKENS = (
    b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud800", b"\\udc00", b"\\u0000", b"\\",
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"-Infinity", b"1e400", b"-1", b"1.0",
    b"9007199254740992", b"1" * 400, b"[" * 2000, b'{"a":' * 2000, b" " * 70_000,
    "\u202e\u200b\u3164\ufeff".encode(), b"\r\n", b'"type":"post",', b'"id":1,',
)  # fmt: skip
# Values for any field: some that may be right, so that frames get further than the first check.
VALUES: tuple[Any, ...] = (
    0, 1, 2, 3, 4, MOST, MOST + 1, -1, 2**63, 2**64, 1.5, 1e300, True, False, None, "", " ", "lobby", "#Lobby",
    "books", "Books", "nowhere", "message", "joined", "ann", "Ann", "bob", "eve", "broker", "аnn", "\0",
    "\u200b", "a" * 33, "a" * 201, "ﷺ" * 20, "\U000e0041" * 200, SENDER, OTHER_SENDER, "0" * 16, "0" * 32,
    key_of("ann"), key_of("bob"), key_of("eve"), [], {}, [1], [2], ["lobby", "books"], ["x"] * 1001,
    [[1, "0" * 16]], [[0, "0" * 16], [MOST, "f" * 16]], {"text": "hi"}, {"text": ""}, {"text": "\x1b"},
    {"text": "x" * 8193}, {"text": "hi", "me": True}, {"text": 1}, "x" * DEEP, "owner", "admin", "member", "muted",
    "guest", "bot", "private", "!audit", "u1", "u2", "b1", "i1", token_digest("a"), "a", ["u2"], "10.0.0.7",
    "address of bob", "address of eve", fingerprint(key_of("ann")), 1_700_000_001_000,
)  # fmt: skip
TYPES = (*sorted(kind.__name__.lower() for kind in get_args(m.AnyRequest)), "dance")
FIELDS = sorted({"type", "target", "x"}.union(*(kind.__struct_fields__ for kind in get_args(m.AnyRequest))))
JOIN = ("open", "invite", "approve")

Corpus = Sequence[bytes]
Mutation = Callable[[bytes, random.Random, Corpus], bytes]


# ---- bytes -----------------------------------------------------------------------------------------------------------


def _place(frame: bytes, dice: random.Random) -> int:
    return dice.randint(0, len(frame))


def flip(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """One bit is another."""
    changed = bytearray(frame or b"\0")
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def cut(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """The end is missing."""
    return frame[: _place(frame, dice)]


def drop(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """A piece is missing."""
    start = _place(frame, dice)
    return frame[:start] + frame[start + dice.randint(1, 8) :]


def double(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """A piece is there twice."""
    start, end = sorted((_place(frame, dice), _place(frame, dice)))
    return frame[:end] + frame[start:]


def insert(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """Something nasty is in it."""
    place = _place(frame, dice)
    return frame[:place] + dice.choice(TOKENS) + frame[place:]


def splice(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """It begins as one and ends as another."""
    other = dice.choice(corpus)
    return frame[: _place(frame, dice)] + other[_place(other, dice) :]


# ---- fields ----------------------------------------------------------------------------------------------------------


def reshape(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """One field is another, missing, new, or of another frame."""
    fields = _fields(frame)
    if fields is None:
        return insert(frame, dice, corpus)
    field = dice.choice([*fields, *FIELDS])
    change = dice.randrange(5)
    if change == 0:
        fields.pop(field, None)
    elif change == 1:
        fields["type"] = dice.choice(TYPES)
    elif change == 2:
        fields |= _fields(dice.choice(corpus)) or {}
    else:
        fields[field] = dice.choice(VALUES)
    # Lone surrogates have no other form than the escaped one.
    return json.dumps(fields).encode()


def _fields(frame: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


MUTATIONS: Sequence[Mutation] = (flip, cut, drop, double, insert, splice, reshape, reshape, reshape, reshape)


def mutate(frame: bytes, dice: random.Random, corpus: Corpus) -> bytes:
    """The frame after some changes."""
    for _ in range(dice.randint(1, 4)):
        frame = dice.choice(MUTATIONS)(frame, dice, corpus)
    return frame


# ---- scripts ---------------------------------------------------------------------------------------------------------

# All but eve are let in from the start.
CONNECTIONS = ("ann", "ann", "ann/2", "bob", "eve")


@dataclass(frozen=True)
class Turn:
    """What arrives in a turn, so many seconds after the one before; whether its commit fails, or it is a restart's."""

    arrived: tuple[tuple[str, bytes], ...]
    seconds: float = 0.0
    fails: bool = False
    restarts: bool = False
    join: str = "open"  # who is let in from a restart on


Script = tuple[Turn, ...]


def script(dice: random.Random, corpus: Corpus) -> Script:
    """What several connections send in some turns, much of it wrong."""
    return tuple(_turn(dice, corpus) for _ in range(dice.randint(1, 6)))


def _turn(dice: random.Random, corpus: Corpus) -> Turn:
    arrived = []
    for _ in range(dice.randint(0, 10)):
        frame = dice.choice(corpus)
        arrived.append((dice.choice(CONNECTIONS), mutate(frame, dice, corpus) if dice.random() < 0.6 else frame))
    return Turn(
        tuple(arrived),
        dice.choice((0.0, 0.1, 1.0, 2.0, 16.0)),
        dice.random() < 0.25,
        dice.random() < 0.1,
        dice.choice(JOIN),
    )
