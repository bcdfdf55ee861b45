"""Where a copy of a room may have a hole: at walls, behind which others talked while this user was not there. Pure.

Walls are a dict: the last event before a wall -> the first one behind it.
"""

from collections.abc import Mapping, Sequence

from chat_core.chain import START, chain_after
from chat_core.messages import Event

Walls = Mapping[int, int]
NONE: Walls = {}


def linked(events: Sequence[Event], room: str, seq: int, chain: str | None, walls: Walls = NONE) -> bool:
    """Whether these are events of the room without a hole but for walls, from number ``seq`` on, that continue the
    chain. None: what was before is not known, unless they begin with the room's first event."""
    for event in events:
        if event.seq != seq and walls.get(seq - 1) == event.seq:
            seq, chain = event.seq, None
        before = START if seq == 1 else chain
        if event.room != room or event.seq != seq or seq < 1 or (before and event.chain != chain_after(before, event)):
            return False
        seq, chain = seq + 1, event.chain
    return True


def hidden(walls: Walls, after: int, upto: int) -> int:
    """How many of the numbers behind ``after`` up to ``upto`` lie within walls."""
    return sum(max(0, min(first - 1, upto) - max(last, after)) for last, first in walls.items())
