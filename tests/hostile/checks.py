"""What must hold whatever arrives: of the wire's decoders, and of the hub's answers, feed, tables and log."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chat_broker import reach
from chat_broker.bans import is_on
from chat_broker.hub import Hub
from chat_broker.meters import Limits
from chat_broker.tables import KEPT, Tables
from chat_broker.turn import Turn as HubTurn
from chat_core import messages as m
from chat_core import names, wire
from chat_core.chain import START, chain_of
from chat_core.errors import CODES, WireError
from tests.broker.table import DERIVED, Table
from tests.core.test_wire import DECODERS, only_wire_errors
from tests.hostile.mutations import Script, Turn

# So few that `busy`, `crowded` and `rate` are heard, and that who waits is forgotten.
FACTS: dict[str, Any] = {
    "reads_a_turn": 1,
    "user_connections": 2,
    "waiting_most": 1,
    "limits": Limits(user_posts_per_second=1, user_posts_burst=3),
}

# ---- decoders --------------------------------------------------------------------------------------------------------


def check_frame(frame: bytes) -> None:
    """Every decoder raises a WireError or reads something that, sent on, is read as the same."""
    for name in DECODERS:
        only_wire_errors(name, frame)
        if name not in ("split", "feed"):
            _check_round_trip(name, frame)
    _check_split(frame)


def _check_round_trip(name: str, frame: bytes) -> None:
    try:
        read = DECODERS[name](frame)
    except WireError:
        return
    assert DECODERS[name](wire.encode(read)) == read, name


def _check_split(frame: bytes) -> None:
    try:
        raws = wire.split_events(frame)
    except WireError:
        pass
    else:
        joined = wire.join_events(bytes(raw) for raw in raws)
        assert [bytes(raw) for raw in wire.split_events(joined)] == [bytes(raw) for raw in raws]
    try:
        topic, payload = wire.split_feed(frame)
    except WireError:
        return
    assert wire.feed_frame(topic, payload) == frame


# ---- the hub ---------------------------------------------------------------------------------------------------------


@dataclass
class Played:
    """What came of a script: everything that was told, in order, and what is left."""

    table: Table
    told: list[bytes] = field(default_factory=list)  # replies and feed messages, encoded
    outcomes: Counter[str] = field(default_factory=Counter)  # codes of refusals, types of other replies
    broadcast: dict[str, list[m.Event]] = field(default_factory=dict)


def check_hub(script: Script, log: Any = None) -> Played:
    """Play a script; everything must hold after each turn and at the end."""
    table = Table(log, **FACTS).seat("ann", "ann/2", "bob").make("ann", "owner")
    played = Played(table)
    seen = {room: head.seq for room, head in table.tables.heads.items()}
    for turn in script:
        if turn.restarts:
            played.table = played.table.restart(**FACTS | {"join": turn.join})
        _play(played, turn)
        _check_tables(played.table.tables)
        _check_desk(played.table.hub)
    _check_log(played, seen)
    return played


def _play(played: Played, turn: Turn) -> None:
    table, asked = played.table, Counter[tuple[bytes, int]]()
    before = table.snapshot()
    table.mono += turn.seconds
    table.clock += int(turn.seconds * 1000)
    opened = table.hub.begin(table.clock, table.mono)
    for who, frame in turn.arrived:
        asked[who.encode(), _decide(table.hub, opened, who.encode(), frame)] += 1
    table.hub.tick(opened)
    replies, frames = _close(table, opened, turn.fails)
    answered = Counter((peer, reply.re) for peer, reply in replies if not isinstance(reply, m.Notice))
    answered += Counter((job.peer, job.re) for job in opened.jobs) + Counter(opened.dropped)
    assert answered == asked, "every request is answered once, under its number, but to those who were shut out"
    for _, reply in replies:
        _check_reply(played, reply)
    played.told += frames + [payload for _, payload in opened.pushed]
    for peer, payload in opened.pushed:
        _check_pushed(table.hub, peer, payload)
    _note_broadcast(played, frames)
    if turn.fails:
        assert not [frame for frame in frames if frame.startswith(wire.ROOM_TOPIC.encode())]
        assert _stored(table.snapshot()) == _stored(before), "nothing is left of a batch that failed"


def _decide(hub: Hub, turn: HubTurn, peer: bytes, frame: bytes) -> int:
    """As the loop does it; returns the number under which the answer has to come."""
    try:
        request = wire.decode_request(frame)
    except WireError as problem:
        hub.refuse(turn, peer, problem.re, problem.code, problem.text)
        return problem.re
    hub.decide(turn, peer, request, f"address of {peer.decode()}")
    return request.id


def _close(table: Table, turn: HubTurn, fails: bool) -> tuple[list[tuple[bytes, m.Reply]], list[bytes]]:
    if fails and turn.batch:
        return table.hub.undo(turn)
    if turn.batch:
        table.log.commit(turn.batch)
    return table.hub.finish(turn)


def _check_reply(played: Played, reply: m.Reply) -> None:
    frame = wire.encode(reply)
    assert wire.decode_reply(frame) == reply
    played.told.append(frame)
    if isinstance(reply, m.Refused):
        assert reply.verdict == CODES[reply.code][0]
        assert reply.text.isprintable()
        assert len(reply.text) < 400
        played.outcomes[reply.code] += 1
    else:
        played.outcomes[type(reply).__name__.lower()] += 1


def _check_pushed(hub: Hub, peer: bytes, payload: bytes) -> None:
    """What goes to somebody unasked they may read."""
    pushed = wire.decode_reply(payload)
    assert isinstance(pushed, m.Events)
    user = hub.desk.connections[peer].user
    readable = reach.spans(hub.tables, user, hub.tables.rooms[pushed.room], hub.time)
    assert all(reach.has(readable, wire.decode_event(event).seq) for event in pushed.events)


def _stored(snapshot: dict[str, Any]) -> dict[str, Any]:
    # A sender that was looked up on the disk may stay in memory.
    return {name: rows for name, rows in snapshot.items() if name != "senders"}


# ---- tables and log --------------------------------------------------------------------------------------------------


def _check_tables(tables: Tables) -> None:
    members_of: dict[str, set[str]] = {}
    rooms_of: dict[str, set[str]] = {}
    for key in tables.members:
        room, user = key.split(" ")
        members_of.setdefault(room, set()).add(user)
        rooms_of.setdefault(user, set()).add(room)
    assert (tables.members_of, tables.rooms_of) == (members_of, rooms_of)
    assert members_of.keys() <= tables.rooms.keys() == tables.heads.keys()
    assert rooms_of.keys() <= tables.users.keys() - tables.waiting, "who waits is in no room"
    assert tables.names == {names.fold(user.name): user.id for user in tables.users.values()}
    assert tables.keys_of.keys() <= tables.users.keys()
    assert tables.machines.keys() == tables.keys.keys()
    assert tables.users.keys() <= {f"u{n + 1}" for n in range(tables.counters["users"])}
    assert any(user.role == "owner" for user in tables.users.values()), "there is an owner"
    _check_derived(tables)


def _check_derived(tables: Tables) -> None:
    """What follows from the rows is what would follow if they were all read anew."""
    again = Tables()
    for table in KEPT:
        for key, row in getattr(tables, table).items():
            again.load(table, key, wire.encode(row))
    for name in DERIVED:
        assert getattr(again, name) == getattr(tables, name), name


def _check_desk(hub: Hub) -> None:
    desk, tables = hub.desk, hub.tables
    peers_of: dict[str, set[bytes]] = {}
    for peer, connection in desk.connections.items():
        peers_of.setdefault(connection.user, set()).add(peer)
        assert tables.users[connection.user].name == connection.name
        assert tables.keys[connection.key] == connection.user, "a key that was taken away has no connection"
        assert connection.user not in tables.waiting
        for what in (connection.user, connection.key, connection.address):
            bans = (tables.bans[ban] for ban in tables.bans_on.get(what, ()))
            assert not [ban for ban in bans if not ban.room and is_on(ban, hub.time)], "who is banned is not here"
    assert desk.peers_of == peers_of
    everywhere = [*desk.connections, *desk.waiting, *desk.shut]
    assert len(everywhere) == len(set(everywhere)), "a connection stands in one place"
    assert tables.users.keys() >= {connection.user for connection in desk.waiting.values()}
    addresses = Counter(one.address for one in (*desk.connections.values(), *desk.waiting.values()))
    assert desk.from_address == addresses


def _note_broadcast(played: Played, frames: list[bytes]) -> None:
    for frame in frames:
        topic, payload = wire.split_feed(frame)
        if topic.startswith(wire.ROOM_TOPIC):
            room = topic.removeprefix(wire.ROOM_TOPIC)
            assert played.table.tables.rooms[room].kind == "open", "only open rooms are on the feed"
            played.broadcast.setdefault(room, []).extend(wire.decode_events(payload))


def _check_log(played: Played, seen: dict[str, int]) -> None:
    """Dense, chained, broadcast, and what another process would make of it is what this one has in memory."""
    table, tables = played.table, played.table.tables
    again = table.restart()
    assert _stored(again.snapshot()) == _stored(table.snapshot())
    for sender, state in tables.senders.items():
        assert table.log.sender(sender) == state
    for room, events in played.broadcast.items():
        seq, chain = seen.get(room, 0), ""
        for event in events:
            seq += 1
            assert (event.room, event.seq) == (room, seq)
            if chain or seq == 1:
                assert event.chain == _chain(chain or START, event)
            chain = event.chain
        assert (seq, chain) == table.head(room)


def _chain(previous: str, event: m.Event) -> str:
    who = (event.author, event.name, event.sender, event.n, event.kind, event.target)
    return chain_of(previous, event.room, event.seq, event.time, *who)
