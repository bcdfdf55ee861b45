"""Who hears of a room's events otherwise than by the feed: each connection of each user who may read it, at once.

Private, direct and audit rooms are never on the feed, and guests and bots with a scope do not hear it. What they may
read of a batch goes to them over the ROUTER when it is on disk, cut to the stretches in which they were in the room.
An event is encoded once, and so is each cut of a batch.
"""

from collections.abc import Iterator, Sequence

from chat_broker import reach
from chat_broker.batch import Chunk
from chat_broker.reach import Span
from chat_broker.tables import RoomRecord
from chat_broker.turn import Turn
from chat_core import wire


def push(turn: Turn) -> None:
    """Have the batch's events sent to those who do not get them by the feed. To be called after the commit."""
    tables = turn.tables
    for room, chunk in turn.batch.chunks.items():
        if room not in tables.open_rooms or tables.unfed:
            _push_room(turn, tables.rooms[room], chunk)


def _push_room(turn: Turn, record: RoomRecord, chunk: Chunk) -> None:
    last = chunk.first + len(chunk.events) - 1
    frames: dict[Span, list[bytes]] = {}
    for user, readable in _listeners(turn, record):
        for span in reach.cut(readable, chunk.first, last):
            if span not in frames:
                frames[span] = _encoded(turn, record.id, chunk.part(*span))
            turn.pushed += [(peer, frame) for peer in turn.desk.peers_of[user] for frame in frames[span]]


def _encoded(turn: Turn, room: str, chunk: Chunk) -> list[bytes]:
    return [wire.events_frame(room, turn.facts.epoch, payload) for _, _, payload in chunk.pieces()]


def _listeners(turn: Turn, record: RoomRecord) -> Iterator[tuple[str, Sequence[Span]]]:
    """Who is connected and may read some of it, and what."""
    tables, here = turn.tables, turn.desk.peers_of
    members = tables.members_of.get(record.id, set())
    if record.kind == "open":
        candidates = members & tables.unfed
    elif record.kind == "audit":
        candidates = set(here) & tables.users.keys()
    else:
        candidates = members
        # Those who left in this very batch, up to where they did: their other machines learn of it.
        for user in {key.split(" ")[1] for table, key in turn.batch.puts if table == "ranges" and _is_of(key, record)}:
            if user in here and user not in members:
                yield user, reach.kept(tables, user, record.id)
    for user in sorted(candidates):
        if user in here:
            yield user, reach.spans(tables, user, record, turn.time)


def _is_of(key: str, record: RoomRecord) -> bool:
    return key.startswith(f"{record.id} ")
