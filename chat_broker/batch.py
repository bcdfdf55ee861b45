"""What one turn of the broker wants stored: events, kept state, spent post numbers. Plain data, one commit."""

from dataclasses import dataclass, field

from msgspec import Struct

from chat_core import wire


class Outcome(Struct, array_like=True, gc=False):
    """What became of a sender's number: an event (``room``, ``seq``, ``time``), or a refusal (``code``, ``text``).

    ``digest`` stands for the content, so that the same number with other content is seen for what it is.
    """

    digest: str
    room: str = ""
    seq: int = 0
    time: int = 0
    code: str = ""
    text: str = ""


@dataclass
class Run:
    """A row of outcomes of one sender: the numbers ``first``, ``first + 1``, ... of ``user``."""

    user: str
    first: int
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass
class Chunk:
    """A room's events of one batch, encoded, from number ``first`` on without holes."""

    first: int
    events: list[bytes] = field(default_factory=list)
    _cut: list[tuple[int, int, bytes]] | None = None

    def part(self, first: int, last: int) -> "Chunk":
        """Some of it."""
        if (first, last) == (self.first, self.first + len(self.events) - 1):
            return self
        return Chunk(first, self.events[first - self.first : last + 1 - self.first])

    def event(self, seq: int) -> bytes | None:
        """The event of that number, if it is one of these."""
        place = seq - self.first
        return self.events[place] if 0 <= place < len(self.events) else None

    def pieces(self) -> list[tuple[int, int, bytes]]:
        """The events as JSON arrays of at most 256 KiB of events, each with its first and last number.

        These bytes are stored, broadcast and paged: encoded once, and paid once however many subscribe. To be called
        when the batch is complete.
        """
        if self._cut is not None:
            return self._cut
        pieces, start, size = [], 0, 0
        for position, event in enumerate(self.events):
            if size + len(event) > wire.CHUNK_BYTES and position > start:
                pieces.append(self._piece(start, position))
                start, size = position, 0
            size += len(event) + 1
        pieces.append(self._piece(start, len(self.events)))
        self._cut = pieces
        return pieces

    def _piece(self, start: int, end: int) -> tuple[int, int, bytes]:
        return self.first + start, self.first + end - 1, wire.join_events(self.events[start:end])


@dataclass
class Batch:
    """One commit: ``number`` and ``time`` (ms since 1970) never go back."""

    number: int
    time: int
    chunks: dict[str, Chunk] = field(default_factory=dict)  # by room
    puts: dict[tuple[str, str], bytes | None] = field(default_factory=dict)  # (table, key) -> value, None: removed
    runs: dict[str, Run] = field(default_factory=dict)  # by sender
    blanks: list[tuple[str, int]] = field(default_factory=list)  # (room, seq) of older messages that were deleted

    def blank(self, room: str, seq: int) -> None:
        """Let nothing be left of a message but its envelope."""
        chunk = self.chunks.get(room)
        if chunk is not None and seq >= chunk.first:
            chunk.events[seq - chunk.first] = wire.blanked(chunk.events[seq - chunk.first])
        else:
            self.blanks.append((room, seq))

    def clear(self) -> None:
        """Nothing of it is to be stored or told."""
        self.chunks.clear()
        self.puts.clear()
        self.runs.clear()
        self.blanks.clear()

    def __bool__(self) -> bool:
        return bool(self.chunks or self.puts or self.runs)
