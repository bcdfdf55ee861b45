"""What a broker may be sent that it has to refuse, as a table: each frame with the code and number of its refusal.

docs/protocol.md, section 9, says what the codes mean. In a frame these words stand for something fresh or known:
``$SENDER`` and ``$KEY`` for ones that nobody has used, ``$MINE`` for the key of whoever sends this, ``$ZOE`` for the
key of zoë, who has been here, and ``$THEIRS`` for her sender.
"""

import json
from dataclasses import dataclass
from typing import Any

MOST = 2**53 - 1
DEEP = 30_000  # levels of brackets that fit into a request
RE = 7

# Rooms that are there: one that whoever sends this is a member of, and one that is only zoë's.
ROOM, THEIR_ROOM = "attic", "study"


@dataclass(frozen=True)
class Case:
    """Frames of one message, and the refusal that they get. ``first``: requests that are granted before.

    ``stranger``: sent on a connection without a hello. ``spends``: the refusal is final for a number, and kept.
    """

    what: str
    code: str
    frames: tuple[bytes, ...]
    re: int = RE
    first: tuple[bytes, ...] = ()
    stranger: bool = False
    spends: bool = False


def ask(kind: str, /, **fields: Any) -> bytes:
    """A request as a client would encode it."""
    return json.dumps({"type": kind, "id": RE, **fields}).encode()


def with_raw(kind: str, field: str, value: bytes) -> bytes:
    """A request of which one field is written out by hand."""
    return b'{"type":"%s","id":%d,"%s":%s}' % (kind.encode(), RE, field.encode(), value)


def post(text: object, n: int = 1, room: str = ROOM, **fields: Any) -> bytes:
    """A numbered post."""
    return ask("post", **{"room": room, "body": {"text": text}, "sender": "$SENDER", "n": n} | fields)


def post_raw(body: bytes) -> bytes:
    """A numbered post whose body is written out by hand."""
    start = f'{{"type":"post","id":{RE},"room":"{ROOM}","sender":"$SENDER","n":1,"body":'
    return start.encode() + body + b"}"


def hello(**fields: Any) -> bytes:
    """A hello that would be right but for these fields."""
    return ask("hello", **{"name": "Mallory", "key": "$KEY"} | fields)


def nested(opening: bytes, closing: bytes, levels: int = DEEP) -> bytes:
    """A value that is deep."""
    return opening * levels + b"1" + closing * levels


def cases(code: str, re: int, what: str, frames: dict[str, bytes]) -> list[Case]:
    """Frames that are refused alike."""
    return [Case(f"{what}: {which}", code, (frame,), re) for which, frame in frames.items()]


def from_strangers(code: str, what: str, frames: dict[str, bytes]) -> list[Case]:
    """Requests on connections without a hello."""
    return [Case(f"{what}: {which}", code, (frame,), stranger=True) for which, frame in frames.items()]


def spent(code: str, what: str, frames: dict[str, bytes]) -> list[Case]:
    """Posts whose number is spent by the refusal."""
    return [Case(f"{what}: {which}", code, (frame,), spends=True) for which, frame in frames.items()]


def filled(frame: bytes, meanings: dict[str, str]) -> bytes:
    """The frame with these meanings in the place of its words."""
    for word, meaning in meanings.items():
        frame = frame.replace(f"${word}".encode(), meaning.encode())
    return frame
