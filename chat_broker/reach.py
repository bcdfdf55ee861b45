"""What somebody may read of a room: the stretches of its numbers in which they were in it, if they are in it now."""

from collections.abc import Iterable, Sequence

from chat_broker import access
from chat_broker.tables import RoomRecord, Tables

Span = tuple[int, int]  # from, to; to 0: whatever comes

ALL: Sequence[Span] = ((1, 0),)
NOTHING: Sequence[Span] = ()


def spans(tables: Tables, user: str, record: RoomRecord, now: int) -> Sequence[Span]:
    """The stretches, in their order; none of a room that they may not read."""
    if not access.may("read", access.standing(tables, user, record, now)):
        return NOTHING
    return ALL if record.kind in ("open", "audit") else kept(tables, user, record.id)


def kept(tables: Tables, user: str, room: str) -> Sequence[Span]:
    """The stretches of a room that is not open, whether they are in it now or not."""
    ranges = tables.ranges.get(f"{room} {user}")
    return ranges.spans if ranges is not None else NOTHING


def stretch(readable: Iterable[Span], after: int) -> Span | None:
    """The stretch in which the first number above ``after`` is that may be read."""
    return next((span for span in readable if not span[1] or span[1] > after), None)


def cut(readable: Iterable[Span], first: int, last: int) -> list[Span]:
    """What of the numbers ``first`` to ``last`` may be read."""
    parts = ((max(start, first), min(end or last, last)) for start, end in readable)
    return [part for part in parts if part[0] <= part[1]]


def covers(readable: Iterable[Span], first: int, last: int) -> bool:
    """May all of the numbers ``first`` to ``last`` be read?"""
    return first > last or (first, last) in cut(readable, first, last)


def has(readable: Iterable[Span], seq: int) -> bool:
    """May this number be read?"""
    return covers(readable, seq, seq)
