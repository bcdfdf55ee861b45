"""The hub as a whole, by random requests: the same answers for the same requests, nothing of what was not committed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from chat_broker.hub import READS, WRITES
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of
from chat_core.errors import CODES, WireError
from chat_core.keys import token_digest
from tests.broker.table import (
    OTHER_SENDER,
    SENDER,
    START_TIME,
    MemoryLog,
    Table,
    Told,
    bare,
    examples,
    hello,
    key_of,
    message,
    said,
)

Asked = tuple[str, m.AnyRequest]

SEATED = ["ann", "ann/2", "bob"]  # those who are there from the start
STRANGERS = ["cid", "cid/2", "dan"]
CHANGES = tuple(WRITES.keys() - {m.Hello, m.Bye})

connections = st.sampled_from(SEATED + STRANGERS)
rooms = st.sampled_from(["lobby", "lobby", "lobby", "books", "art", "#Books", "nowhere", ""])
bodies = st.sampled_from([said("hi"), said("hi"), said("ho"), said(" "), Raw(b"[]")])
senders = st.sampled_from(["", SENDER, SENDER, OTHER_SENDER])
many_rooms = st.lists(rooms, max_size=3)
points = st.lists(st.tuples(st.integers(0, 9), st.just(START)), max_size=2)

posts = st.builds(m.Post, room=rooms, body=bodies, sender=senders, n=st.sampled_from([1, 1, 2, 2, 3, 4, 0]))
others = st.one_of(
    # From nothing or from everything: in between a failed commit may make a pong tell my rooms once too often.
    st.builds(m.Ping, rooms=many_rooms, commit=st.sampled_from([0, 2**53 - 1])),
    st.builds(m.Marker, nonce=st.sampled_from(["0" * 32, "a" * 32]), rooms=many_rooms),
    st.builds(m.Page, room=rooms, after=st.integers(0, 9), upto=st.integers(0, 9)),
    st.builds(m.Fork, room=rooms, points=points),
    st.builds(m.Rooms),
    st.builds(m.Room, room=rooms),
    st.builds(m.Who, room=rooms),
    st.builds(m.Create, room=rooms, once=senders),
    st.builds(m.Join, room=rooms),
    st.builds(m.Leave, room=rooms),
)
secrets = st.sampled_from(["", "", "a", "b"])
digests = st.sampled_from([token_digest("a"), token_digest("b")])
persons = st.sampled_from(["ann", "bob", "cid", "u1", "u2", "u3", "nobody"])
known_keys = st.sampled_from([key_of(name) for name in ("ann", "bob", "cid", "dan")])
times = st.sampled_from([0, 0, START_TIME + 2000, START_TIME + 10_000])
scopes = st.sampled_from([None, None, [], ["lobby"], ["books"]])
mine = st.one_of(
    st.builds(m.Nick, name=st.sampled_from(["ann", "Anna", "bob", "cid"])),
    st.builds(m.Link, digest=digests),
    st.builds(m.Unlink, key=known_keys),
    st.builds(m.Machines),
    st.builds(m.People, after=persons),
)
on_people = st.one_of(
    st.builds(m.Role, user=persons, role=st.sampled_from(m.ChatRole.__args__), rooms=scopes, post=st.booleans()),
    st.builds(m.Ban, user=persons, room=rooms, until=times),
    st.builds(m.Ban, key=known_keys, until=times),
    st.builds(m.Ban, address=st.sampled_from(["address of bob", "address of cid/2", "10.0.0.7"])),
    st.builds(m.Unban, ban=st.sampled_from(["b1", "b2"])),
    st.builds(m.Bans, room=rooms),
    st.builds(m.Invitation, digest=digests, uses=st.integers(0, 2), until=times, rooms=scopes),
    st.builds(m.Invitations),
    st.builds(m.Revoke, invitation=st.sampled_from(["i1", "i2"])),
    st.builds(m.Approve, user=persons),
    st.builds(m.Reject, user=persons),
    st.builds(m.Release, name=persons),
    st.builds(m.Rekey, user=persons, key=known_keys),
)
in_rooms = st.one_of(
    st.builds(m.Create, room=rooms, kind=st.just("private"), history=st.sampled_from(["joined", "all"])),
    st.builds(m.Direct, people=st.lists(persons, max_size=2)),
    st.builds(m.Invite, room=rooms, user=persons),
    st.builds(m.Remove, room=rooms, user=persons),
    st.builds(m.Appoint, room=rooms, user=persons, role=st.sampled_from(m.RoomRole.__args__), until=times),
    st.builds(m.Change, room=rooms, archived=st.sampled_from([None, None, True, False]), slow=st.just(1)),
    st.builds(m.Delete, room=rooms, seq=st.integers(0, 9)),
    st.builds(m.Report, room=rooms, seq=st.integers(0, 9)),
)
acts = mine | on_people | in_rooms
hellos = st.builds(
    m.Hello,
    versions=st.sampled_from([[1], [2]]),
    name=st.sampled_from(["", "ann", "Bob", "cid", "dan", "broker"]),
    key=known_keys | st.just("no key"),
    invite=secrets,
    link=secrets,
)
requests = st.one_of(posts, posts, others, others, acts, hellos, st.builds(m.Bye))
arrivals = st.lists(st.tuples(connections, requests), max_size=8)
# What arrives in a turn, the seconds that pass before it, and whether its commit fails.
scripts = st.lists(st.tuples(arrivals, st.sampled_from([0.0, 0.1, 1.0, 2.0, 16.0]), st.booleans()), max_size=6)


def play(table: Table, script: list[tuple[list[Asked], float, bool]]) -> list[Told]:
    """Let it happen, beginning with three who are there."""
    told = [table.turn(*((who, hello(who)) for who in SEATED))]
    table.make("ann", "owner")
    for asked, seconds, fails in script:
        told.append(table.turn(*asked, seconds=seconds, fails=fails))
    return told


def numbers(told: Told) -> list[int]:
    """The numbers of the requests that were answered, or given to the reader."""
    replies = [reply for replies in told.replies.values() for reply in replies if not isinstance(reply, m.Notice)]
    return sorted([reply.re for reply in replies] + [job.re for job in told.jobs])


# ---- the same requests ---------------------------------------------------------------------------------------------


@settings(max_examples=examples(30), deadline=None)
@given(scripts)
def test_the_same_requests_give_the_same_batches_and_answers(script: list[Any]) -> None:
    one, other = play(Table(), script), play(Table(), script)
    assert one == other


@settings(max_examples=examples(30), deadline=None)
@given(scripts)
def test_every_request_is_answered_once(script: list[Any]) -> None:
    table = Table()
    for (asked, _, _), told in zip(script, play(table, script)[1:], strict=True):
        assert sorted(numbers(told) + told.dropped) == sorted(request.id for _, request in asked)


@settings(max_examples=examples(30), deadline=None)
@given(scripts)
def test_what_is_in_memory_is_what_is_in_the_log(script: list[Any]) -> None:
    table = Table()
    play(table, script)
    here, there = table.snapshot(), Table(table.log).snapshot()
    senders = here.pop("senders")
    del there["senders"]
    assert here == there
    assert senders == table.log.senders


@settings(max_examples=examples(30), deadline=None)
@given(scripts)
def test_every_log_is_dense_chained_and_was_broadcast(script: list[Any]) -> None:
    table = Table()
    told = [table.opened, *play(table, script)]
    log: MemoryLog = table.log
    for room, events in log.events.items():
        chain, time = START, 0
        for seq, event in enumerate(events, 1):
            assert (event.room, event.seq) == (room, seq)
            who = (event.author, event.name, event.sender, event.n, event.kind, event.target)
            chain = chain_of(chain, room, seq, event.time, *who)
            assert event.chain == chain
            assert event.time >= time
            time = event.time
        assert table.head(room) == (len(events), chain)
        broadcast = [event.chain for turn in told for event in turn.events(room)]
        is_open = table.tables.rooms[room].kind == "open"
        assert broadcast == ([event.chain for event in events] if is_open else [])


@settings(max_examples=examples(30), deadline=None)
@given(scripts)
def test_beats_tell_every_head(script: list[Any]) -> None:
    table = Table()
    turns = [table.first, *play(table, script), table.turn(seconds=2.0)]
    beats = [beat for told in turns for beat in told.on("beat")]
    heads: dict[str, m.Head] = {}
    for beat in beats:
        heads |= beat.heads
    assert [beat.k for beat in beats] == list(range(1, len(beats) + 1))
    assert heads == {room: table.head(room) for room in table.tables.open_rooms}


# ---- commits that fail ---------------------------------------------------------------------------------------------

# Strangers come in the batch that fails, each by connections of their own.
newcomers = st.lists(st.sampled_from(["cid", "cid", "cid/2", "dan"]), max_size=4)
unlucky = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cid", "cid/2", "dan"]), posts | others | acts), max_size=10
)
lucky = st.lists(st.lists(st.tuples(connections, posts | others | acts | hellos), max_size=6), max_size=3)


def seen(table: Table) -> dict[str, Any]:
    """What a failed commit must not change: kept state, and who is here."""
    desk = table.hub.desk
    both = desk.connections | desk.waiting
    here = {peer: (connection.user, connection.name) for peer, connection in both.items()}
    return table.snapshot() | {
        "here": here,
        "peers_of": {user: set(peers) for user, peers in desk.peers_of.items()},
        "waiting": set(desk.waiting),
        "shut": set(desk.shut),
        "codes": dict(desk.codes),
        "from_address": dict(desk.from_address),
        "touched": set(desk.touched),
        "directory": desk.directory,
        "clock": (table.hub.commit, table.hub.time),
    }


def hellos_of(coming: list[str], table: Table) -> list[Asked]:
    """The hellos of those who are new here, on connections that are nobody's."""
    here = table.hub.desk.connections
    persons = {who: who.partition("/")[0] for who in coming if who.encode() not in here}
    return [(who, hello(who)) for who in coming if who in persons and key_of(persons[who]) not in table.tables.keys]


@settings(max_examples=examples(50), deadline=None)
@given(before=lucky, coming=newcomers, failing=unlucky, after=lucky)
def test_a_failed_commit_leaves_no_trace(
    before: list[list[Asked]], coming: list[str], failing: list[Asked], after: list[list[Asked]]
) -> None:
    table, spared = Table(), Table()
    for one in (table, spared):
        play(one, [(asked, 0.0, False) for asked in before])
    memory = seen(table)
    asked = [*hellos_of(coming, table), *failing]
    table.clock += 1_000_000
    told = table.turn(*asked, fails=True)
    table.clock -= 1_000_000
    assert seen(table) == memory
    assert sorted(numbers(told) + told.dropped) == sorted(request.id for _, request in asked)
    for turn in after:
        assert table.turn(*turn) == spared.turn(*turn)
    assert table.turn(seconds=2.0) == spared.turn(seconds=2.0)


@settings(max_examples=examples(50), deadline=None)
@given(before=lucky, coming=newcomers, failing=unlucky)
def test_in_a_failed_commit_whoever_writes_is_refused_for_now(
    before: list[list[Asked]], coming: list[str], failing: list[Asked]
) -> None:
    table = Table()
    play(table, [(asked, 0.0, False) for asked in before])
    new = hellos_of(coming, table)
    asked = [*new, *failing]
    told = table.turn(*asked, fails=True)
    replies = {reply.re: reply for replies in told.replies.values() for reply in replies}
    for _, request in asked:
        reply = replies.get(request.id)
        if request.id in told.dropped:  # shut out by what was committed before
            assert reply is None
        elif isinstance(request, CHANGES) or request in [one for _, one in new]:
            assert isinstance(reply, m.Refused)
            assert (reply.code, reply.verdict) == ("store", "later")
        elif isinstance(reply, m.Refused):  # a read is told what holds without the batch
            assert reply.code in ("hello_first", "no_room", "not_allowed", "waiting", "store")


def test_nobody_reads_of_a_room_whose_making_failed() -> None:
    table = Table().seat("ann")
    asked: list[m.AnyRequest] = [m.Create(room="x"), m.Room(room="x"), m.Page(room="x"), m.Fork(room="x")]
    told = table.turn(*(("ann", request) for request in asked), fails=True)
    assert [reply.code for reply in told.replies["ann"]] == ["store", "no_room", "no_room", "no_room"]
    assert told.jobs == []


def test_a_hello_whose_commit_failed_leaves_the_connection_to_whom_it_was() -> None:
    table = Table().seat("ann")
    assert table.turn(("ann", hello("bob")), fails=True).to("ann").code == "store"
    assert table.post("ann", "lobby", "I am ann").seq == table.head()[0]


def test_in_a_failed_commit_whoever_reads_is_answered() -> None:
    table = Table().seat("ann", "bob")
    reads: list[m.AnyRequest] = [m.Ping(), m.Marker(), m.Rooms(), m.Room(room="lobby"), m.Who()]
    told = table.turn(("bob", message("lost")), *(("ann", read) for read in reads), ("ann", hello("ann")), fails=True)
    kinds = {type(reply) for reply in told.replies["ann"]}
    assert kinds == {m.Pong, m.Marked, m.RoomList_, m.RoomState, m.Here, m.Welcome}


def test_a_failed_commit_spends_no_commit_number() -> None:
    table = Table().seat("ann")
    table.turn(("ann", message("lost")), fails=True)
    assert table.turn(("ann", message("hi"))).batch.number == 3


def test_failed_commits_one_after_the_other_leave_no_trace() -> None:
    table = Table().seat("ann")
    before = seen(table)
    for n in range(1, 4):
        table.turn(("ann", message("lost", sender=SENDER, n=n)), ("bob", hello("bob")), fails=True)
    assert seen(table) == before


# ---- anything that may arrive --------------------------------------------------------------------------------------

# Lone surrogates do not get through the wire (tests/core).
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
tags = sorted(str(msgspec.inspect.type_info(kind).tag) for kind in WRITES | READS)  # type: ignore[attr-defined]
fields = st.fixed_dictionaries(
    {"type": st.sampled_from(tags)},
    optional={
        "id": st.integers(0, 2**53 - 1) | anything,
        "room": texts | st.just("lobby"),
        "name": texts,
        "key": st.sampled_from([key_of("eve"), key_of("ann")]) | texts,
        "kind": texts | st.just("message"),
        "body": st.fixed_dictionaries({"text": texts}) | anything,
        "sender": st.just(SENDER) | texts,
        "n": st.integers(0, 2**53 - 1) | anything,
        "after": st.integers(0, 2**53 - 1) | texts,
        "upto": st.integers(0, 2**53 - 1),
        "limit": st.integers(0, 2**53 - 1),
        "commit": st.integers(0, 2**53 - 1),
        "nonce": st.just("0" * 32) | texts,
        "rooms": st.lists(texts, max_size=3) | anything,
        "points": st.lists(st.tuples(st.integers(0, 2**53 - 1), st.just(START)), max_size=2) | anything,
        "once": st.just(SENDER) | texts,
        "versions": st.lists(st.integers(0, 9), max_size=2) | anything,
    },
)
frames = st.binary(max_size=40) | fields.map(msgspec.json.encode) | anything.map(msgspec.json.encode)


def deliver(table: Table, arrived: list[tuple[str, bytes]]) -> list[m.Reply]:
    """Decide frames as the loop does; returns the replies."""
    turn = table.hub.begin(table.clock, table.mono)
    for who, frame in arrived:
        try:
            request = wire.decode_request(frame)
        except WireError as problem:
            table.hub.refuse(turn, who.encode(), problem.re, problem.code, problem.text)
        else:
            table.hub.decide(turn, who.encode(), request)
    table.hub.tick(turn)
    table.log.commit(turn.batch)
    replies, _ = table.hub.finish(turn)
    assert len(replies) + len(turn.jobs) == len(arrived)
    return [wire.decode_reply(wire.encode(reply)) for _, reply in replies]


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ann", "eve"]), frames), min_size=1, max_size=12))
def test_whatever_arrives_is_answered(arrived: list[tuple[str, bytes]]) -> None:
    table = Table().seat("ann")
    for reply in deliver(table, arrived):
        if isinstance(reply, m.Refused):
            assert reply.verdict == CODES[reply.code][0]
            assert reply.text
    assert table.restart().hello("ann").user == "u1"


@pytest.mark.parametrize("frame", [b"", b"[]", b"null", b"{}", b'{"type":"dance"}', b"{" * 100_000, b"\xff\xfe"])
def test_a_frame_that_is_no_request_is_refused_for_good(frame: bytes) -> None:
    (refused,) = deliver(Table().seat("ann"), [("ann", frame)])
    assert isinstance(refused, m.Refused)
    assert (refused.code in ("bad_request", "unknown_type"), refused.verdict) == (True, "final")


def test_a_frame_that_is_no_request_is_refused_by_its_number() -> None:
    (refused,) = deliver(Table().seat("ann"), [("ann", b'{"type":"join","id":7,"room":5}')])
    assert refused.re == 7


# ---- the table -----------------------------------------------------------------------------------------------------


def test_every_request_of_the_protocol_has_its_handler() -> None:
    assert set(WRITES | READS) == set(m.AnyRequest.__args__)


def test_a_request_is_answered_under_its_own_number() -> None:
    table = Table().seat("ann")
    one, other = m.Post(id=70, room="lobby", body=said("hi")), m.Ping(id=71)
    told = table.turn(("ann", other), ("ann", one))
    assert numbers(told) == [70, 71]


def test_the_answer_to_a_repetition_is_its_own() -> None:
    table = Table().seat("ann")
    first = table.post("ann", "lobby", "hi", SENDER, 1)
    again = table.post("ann", "lobby", "hi", SENDER, 1)
    assert (again.re, bare(again)) == (first.re + 1, bare(first))
