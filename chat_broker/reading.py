"""What clients ask in order to miss nothing: pings, markers, pages of history, forks. Answered after the commit."""

from chat_broker import rooms
from chat_broker.tables import NO_EVENTS, Tables
from chat_broker.turn import ReadJob, Turn
from chat_core import messages as m
from chat_core import wire


def head_of(tables: Tables, room: str) -> m.Head:
    """A room's head as the wire has it."""
    head = tables.heads.get(room, NO_EVENTS)
    return head.seq, head.chain


def ping(turn: Turn, peer: bytes, request: m.Ping) -> None:
    """Tell what changed: the heads asked for, my rooms, and that I was heard."""
    user, desk = turn.desk.connections[peer].user, turn.desk
    # Changes before this process started were told by the welcome: a restart is followed by a hello.
    mine = sorted(turn.tables.rooms_of.get(user, ())) if desk.moved.get(user, 0) > request.commit else None
    facts, heads = turn.facts, _heads(turn, request.rooms)
    pong = m.Pong(request.id, facts.boot, facts.epoch, turn.committed, heads, mine, desk.version, desk.directory)
    turn.answer(peer, pong)


def pong_to_waiting(turn: Turn, peer: bytes, request: m.Ping) -> None:
    """Tell somebody who waits to be let in that they were heard, and nothing of what goes on."""
    turn.answer(peer, m.Pong(request.id, turn.facts.boot, turn.facts.epoch, 0))


def marker(turn: Turn, peer: bytes, request: m.Marker) -> None:
    """Publish the marker after this batch's events, and tell the heads as of that moment (SESSION.md).

    The broker makes the topic from the digits: nobody can have it publish under another's topic.
    """
    facts = turn.facts
    mark = m.Mark(request.id, facts.boot, turn.k)
    turn.markers.append((wire.MARKER_TOPIC + request.nonce, wire.encode(mark)))
    turn.answer(peer, m.Marked(request.id, facts.boot, turn.k, facts.epoch, _heads(turn, request.rooms)))


def page(turn: Turn, peer: bytes, request: m.Page) -> None:
    """Hand a range of history to the reader."""
    room = rooms.find(turn, request.room).id
    head = turn.tables.heads[room]
    upto = min(request.upto or head.seq, head.seq)
    turn.jobs.append(ReadJob(peer, request.id, room, head, request.after, upto, request.limit))


def fork(turn: Turn, peer: bytes, request: m.Fork) -> None:
    """Hand the comparison of a copy with the log to the reader."""
    room = rooms.find(turn, request.room).id
    turn.jobs.append(ReadJob(peer, request.id, room, turn.tables.heads[room], points=list(request.points)))


def _heads(turn: Turn, asked: list[str]) -> dict[str, m.Head]:
    return {room: head_of(turn.tables, room) for room in asked if room in turn.tables.rooms}
