"""What clients ask in order to miss nothing: pings, markers, pages of history, forks. Answered after the commit."""

from collections.abc import Iterable

from msgspec import structs

from chat_broker import audit, reach, rooms
from chat_broker.tables import NO_EVENTS, Tables
from chat_broker.turn import ReadJob, Turn
from chat_core import messages as m
from chat_core import wire


def head_of(tables: Tables, room: str) -> m.Head:
    """A room's head as the wire has it."""
    head = tables.heads.get(room, NO_EVENTS)
    return head.seq, head.chain


def ping(turn: Turn, peer: bytes, request: m.Ping) -> None:
    """Tell what changed: the heads asked for and those that no beat tells me, my rooms, and that I was heard."""
    user, desk = turn.desk.connections[peer].user, turn.desk
    # Changes before this process started were told by the welcome: a restart is followed by a hello.
    mine = rooms.ids_of_mine(turn, user) if desk.moved.get(user, 0) > request.commit else None
    facts, heads = turn.facts, _heads(turn, user, [*request.rooms, *_untold(turn, user, request.commit)])
    pong = m.Pong(request.id, facts.boot, facts.epoch, turn.committed, heads, mine, desk.version, desk.directory)
    turn.answer(peer, pong)


def pong_to_waiting(turn: Turn, peer: bytes, request: m.Ping) -> None:
    """Tell somebody who waits to be let in that they were heard, and nothing of what goes on."""
    turn.answer(peer, m.Pong(request.id, turn.facts.boot, turn.facts.epoch, 0))


def marker(turn: Turn, peer: bytes, request: m.Marker) -> None:
    """Publish the marker after this batch's events, and tell the heads as of that moment (SESSION.md).

    The broker makes the topic from the digits: nobody can have it publish under another's topic.
    """
    facts, user = turn.facts, turn.desk.connections[peer].user
    mark = m.Mark(request.id, facts.boot, turn.k)
    turn.markers.append((wire.MARKER_TOPIC + request.nonce, wire.encode(mark)))
    turn.answer(peer, m.Marked(request.id, facts.boot, turn.k, facts.epoch, _heads(turn, user, request.rooms)))


def page(turn: Turn, peer: bytes, request: m.Page) -> None:
    """Hand a range of history to the reader: of one stretch that may be read, the first above ``after``."""
    job = _job(turn, peer, request.id, request.room)
    start, end = reach.stretch(job.readable, request.after) or (1, job.head.seq)
    first = max(start, job.head.first)
    job.head = structs.replace(job.head, first=first)
    job.after, job.limit = max(request.after, start - 1), request.limit
    job.upto = min(request.upto or job.head.seq, end or job.head.seq, job.head.seq)
    turn.jobs.append(job)


def fork(turn: Turn, peer: bytes, request: m.Fork) -> None:
    """Hand the comparison of a copy with what of the log may be read to the reader."""
    job = _job(turn, peer, request.id, request.room)
    job.points = [point for point in request.points if reach.has(job.readable, point[0])]
    turn.jobs.append(job)


def is_still_theirs(tables: Tables, job: ReadJob, now: int) -> bool:
    """May whoever asked still read what a job has read, now that the answer leaves?"""
    record = tables.rooms.get(job.room)
    readable = reach.spans(tables, job.user, record, now) if record is not None else ()
    if job.points is not None:
        return bool(readable) and all(reach.has(readable, seq) for seq, _ in job.points)
    return bool(readable) and reach.covers(readable, job.after + 1, job.upto)


def _job(turn: Turn, peer: bytes, re: int, typed: str) -> ReadJob:
    user = turn.desk.connections[peer].user
    record = rooms.seen(turn, typed, user, "read")
    readable = list(reach.spans(turn.tables, user, record, turn.time))
    return ReadJob(peer, re, record.id, turn.tables.heads[record.id], user=user, readable=readable)


def _heads(turn: Turn, user: str, asked: Iterable[str]) -> dict[str, m.Head]:
    """The heads of those rooms that this user may read."""
    tables = turn.tables
    known = ((room, tables.rooms.get(room)) for room in asked)
    return {
        room: head_of(tables, room)
        for room, record in known
        if record is not None and reach.spans(tables, user, record, turn.time)
    }


def _untold(turn: Turn, user: str, commit: int) -> list[str]:
    """The rooms of mine that got events after that commit and are not on the feed, or the feed is not for me."""
    tables, changed = turn.tables, turn.desk.changed
    own = {*tables.rooms_of.get(user, ()), audit.AUDIT}
    if user not in tables.unfed:
        own -= tables.open_rooms
    return sorted(room for room in own if changed.get(room, 0) > commit)
