"""What a process of the crew noted down while it lived: a file of JSON lines that survives whatever happens to it.

A line is one write to the file, so what was noted before a kill is there. Each new process of a member appends.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct


class Entry(Struct, tag_field="did", tag=str.lower, gc=False):
    """Anything noted. ``at``: seconds of the monotonic clock, which all processes of a machine share."""

    at: float


class Started(Entry):
    """A process began, as this user, whose texts are "LABEL 1", "LABEL 2" ...; it reads ``rooms``."""

    name: str
    label: str
    pid: int
    rooms: list[str] = []


class Kept(Entry):
    """A text is in the outbox, to be sent to a room."""

    room: str
    text: str


class Settled(Entry):
    """A text was acknowledged as number ``seq`` of a room."""

    room: str
    seq: int
    text: str


class Turned(Entry, tag="refused"):
    """A text was refused for good."""

    text: str
    code: str


class Seen(Entry):
    """Events of a room came in: (seq, chain, author's name, kind, text)."""

    room: str
    events: list[tuple[int, str, str, str, str]]


class Rewound(Entry):
    """What was seen of a room behind ``seq`` never happened."""

    room: str
    seq: int


class Renumbered(Entry):
    """So many unsent texts got a fresh sender."""

    count: int


class Stood(Entry, tag="status"):
    """How things stand."""

    state: str
    text: str


class Entered(Entry):
    """The broker has acknowledged that a room was made by me, or that I am a member of it."""

    room: str
    made: bool


class Left(Entry):
    """The broker has acknowledged that I am no longer a member."""

    room: str


class Asking(Entry):
    """I am going to ask to enter or leave a room: until one is acknowledged, I may be a member or not."""

    room: str


class Ended(Entry):
    """All is settled and everything was seen."""


AnyEntry = (
    Started | Kept | Settled | Turned | Seen | Rewound | Renumbered | Stood | Entered | Left | Asking | Ended
)  # fmt: skip

Kind = TypeVar("Kind", bound=Entry)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyEntry).decode


class Journal:
    """The writing end."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if path.read_bytes()[-1:] not in (b"", b"\n"):
            os.write(self._file, b"\n")  # the last process was killed within a line

    def note(self, entry: AnyEntry) -> None:
        """Have a line on its way to the disk, whatever happens to this process."""
        os.write(self._file, _encode(entry) + b"\n")

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)


def now() -> float:
    """The time of an entry."""
    return time.monotonic()


def read_journal(path: Path) -> list[AnyEntry]:
    """Everything noted. Only the last line of a process that was killed may be torn."""
    entries: list[AnyEntry] = []
    torn = b""
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        if not line:
            continue
        try:
            entry = _decode(line)
        except msgspec.DecodeError:
            assert not torn, f"{path.name}: two torn lines, {torn!r} and {line!r}"
            torn = line
            continue
        assert not torn or isinstance(entry, Started), f"{path.name}: a torn line within a process, {torn!r}"
        torn = b""
        entries.append(entry)
    return entries


class Follower:
    """Reads a journal while it grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._place = path, 0

    def new(self) -> list[AnyEntry]:
        """What was noted since the last call."""
        with self._path.open("rb") as file:
            file.seek(self._place)
            whole, end, _ = file.read().rpartition(b"\n")
        self._place += len(whole) + len(end)
        return [_decode(line) for line in whole.split(b"\n") if line]


def entries_of(entries: Sequence[AnyEntry], kind: type[Kind]) -> list[Kind]:
    """Those of one kind, in order."""
    return [entry for entry in entries if isinstance(entry, kind)]
