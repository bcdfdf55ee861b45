"""What clients ask in order to miss nothing: pings, markers, pages of history, forks."""

from chat_broker import rooms
from chat_broker.tables import Head, Tables
from chat_broker.turn import ReadJob, Turn
from chat_core import messages as m
from chat_core import wire


def head_of(tables: Tables, room: str) -> m.Head:
    """A room's head as the wire has it."""
    head = tables.heads.get(room, Head())
    return head.seq, head.chain


def ping(turn: Turn, peer: bytes, request: m.Ping) -> None:
    """Tell what changed: the heads asked for, my rooms, and that I was heard."""
    user = turn.desk.connections[peer].user

    def answer() -> None:
        # Changes before this process started were told by the welcome: a restart is followed by a hello.
        mine = None
        if turn.desk.moved.get(user, 0) > request.commit:
            mine = sorted(turn.tables.rooms_of.get(user, ()))
        turn.answer(
            peer,
            m.Pong(
                request.id,
                turn.facts.boot,
                turn.facts.epoch,
                turn.committed,
                _heads(turn, request.rooms),
                mine,
                turn.desk.version,
                turn.desk.directory,
            ),
        )

    turn.after_commit(answer)


def marker(turn: Turn, peer: bytes, request: m.Marker) -> None:
    """Publish the marker after this batch's events, and tell the heads as of that moment (SESSION.md).

    The broker makes the topic from the digits: nobody can have it publish under another's topic.
    """

    def answer() -> None:
        turn.markers.append(
            (wire.MARKER_TOPIC + request.nonce, wire.encode(m.Mark(request.id, turn.facts.boot, turn.k)))
        )
        heads = _heads(turn, request.rooms)
        turn.answer(peer, m.Marked(request.id, turn.facts.boot, turn.k, turn.facts.epoch, heads))

    turn.after_commit(answer)


def page(turn: Turn, peer: bytes, request: m.Page) -> None:
    """Hand a range of history to the reader."""
    record = rooms.find(turn, request.room)

    def ask() -> None:
        head = turn.tables.heads.get(record.id, Head())
        upto = min(request.upto or head.seq, head.seq)
        turn.jobs.append(ReadJob(peer, request.id, record.id, head, request.after, upto, request.limit))

    turn.after_commit(ask)


def fork(turn: Turn, peer: bytes, request: m.Fork) -> None:
    """Hand the comparison of a copy with the log to the reader."""
    record = rooms.find(turn, request.room)

    def ask() -> None:
        head = turn.tables.heads.get(record.id, Head())
        turn.jobs.append(ReadJob(peer, request.id, record.id, head, points=list(request.points)))

    turn.after_commit(ask)


def _heads(turn: Turn, asked: list[str]) -> dict[str, m.Head]:
    return {room: head_of(turn.tables, room) for room in asked if room in turn.tables.rooms}
