"""What clients ask in order to miss nothing: pings, markers, beats, and reads for the reader."""

import pytest

from chat_broker.tables import Head
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START
from tests.broker.table import BOOT, EPOCH, Table, hello, message

NONCE, OTHER_NONCE = "0f" * 16, "a1" * 16
MARK = "~" + NONCE
TEN_POSTS = [("bob", message("hi"))] * 10


@pytest.fixture
def quiet(table: Table) -> Table:
    """Ann and Bob are in the lobby (commit 3, head 3), and a beat has told it."""
    table.seat("ann", "bob")
    table.turn(seconds=2.0)
    return table


# ---- ping ----------------------------------------------------------------------------------------------------------


def test_a_pong_tells_start_log_and_commit(quiet: Table) -> None:
    pong = quiet.ask("ann", m.Ping(commit=3))
    assert (pong.boot, pong.epoch, pong.commit) == (BOOT, EPOCH, 3)


def test_a_pong_tells_the_commit_of_its_own_batch(quiet: Table) -> None:
    told = quiet.turn(("ann", m.Ping()), ("bob", message("hi")))
    assert told.to("ann").commit == told.batch.number == 4


def test_a_pong_tells_the_heads_that_were_asked_for(quiet: Table) -> None:
    quiet.ask("bob", m.Create(room="books"))
    assert quiet.ask("ann", m.Ping()).heads == {}
    assert quiet.ask("ann", m.Ping(rooms=["lobby"])).heads == {"lobby": quiet.head()}
    both = quiet.ask("ann", m.Ping(rooms=["books", "lobby"])).heads
    assert both == {"books": quiet.head("books"), "lobby": quiet.head()}


def test_a_pong_leaves_out_rooms_that_are_not_there(quiet: Table) -> None:
    assert quiet.ask("ann", m.Ping(rooms=["nowhere"])).heads == {}


def test_a_pong_tells_heads_as_of_after_the_batch(quiet: Table) -> None:
    told = quiet.turn(("bob", message("1")), ("ann", m.Ping(rooms=["lobby"])), ("bob", message("2")))
    assert told.to("ann").heads == {"lobby": (5, told.events()[-1].chain)}


def test_a_pong_tells_nothing_of_a_batch_whose_commit_failed(quiet: Table) -> None:
    before = quiet.head()
    pong = quiet.turn(("bob", message("lost")), ("ann", m.Ping(rooms=["lobby"])), fails=True).to("ann")
    assert (pong.heads, pong.commit) == ({"lobby": before}, 3)


def test_a_pong_tells_no_rooms_if_mine_did_not_change(quiet: Table) -> None:
    assert quiet.ask("ann", m.Ping(commit=2)).rooms is None


def test_a_pong_tells_my_rooms_if_they_changed_since(quiet: Table) -> None:
    assert quiet.ask("ann", m.Ping(commit=1)).rooms == ["lobby"]


@pytest.mark.parametrize(
    ("request_", "mine"),
    [
        (m.Join(room="books"), ["books", "lobby"]),
        (m.Leave(room="lobby"), []),
        (m.Create(room="art"), ["art", "lobby"]),
    ],
    ids=["join", "leave", "create"],
)
def test_a_pong_tells_my_rooms_once_they_changed(quiet: Table, request_: m.AnyRequest, mine: list[str]) -> None:
    quiet.ask("bob", m.Create(room="books"))
    known = quiet.ask("ann", m.Ping()).commit
    told = quiet.turn(("ann", request_), ("ann/2", hello("ann")), ("ann/2", m.Ping(commit=known)))
    pong = told.replies["ann/2"][-1]
    assert pong.rooms == mine
    assert quiet.ask("ann", m.Ping(commit=known)).rooms == mine
    assert quiet.ask("ann", m.Ping(commit=pong.commit)).rooms is None


def test_a_pong_tells_no_rooms_if_those_of_others_changed(quiet: Table) -> None:
    known = quiet.ask("ann", m.Ping()).commit
    quiet.ask("bob", m.Leave(room="lobby"))
    assert quiet.ask("ann", m.Ping(commit=known)).rooms is None


def test_joining_what_i_am_in_is_no_change_of_my_rooms(quiet: Table) -> None:
    quiet.ask("ann", m.Join(room="lobby"))
    assert quiet.ask("ann", m.Ping(commit=3)).rooms is None


def test_a_pong_tells_the_version_of_presence(quiet: Table) -> None:
    before = quiet.ask("ann", m.Ping()).presence
    quiet.seat("cid")
    presence = quiet.turn(seconds=1.0).one("presence")
    assert quiet.ask("ann", m.Ping()).presence == presence.version == before + 1


# ---- marker --------------------------------------------------------------------------------------------------------


def test_a_marker_is_published_under_a_topic_made_of_its_digits(quiet: Table) -> None:
    request = m.Marker(nonce=NONCE)
    told = quiet.turn(("ann", request))
    assert told.one(MARK) == m.Mark(request.id, BOOT, 2)


def test_a_marker_is_answered_with_the_heads_of_that_moment(quiet: Table) -> None:
    marked = quiet.ask("ann", m.Marker(nonce=NONCE, rooms=["lobby", "nowhere"]))
    assert marked == m.Marked(marked.re, BOOT, 2, EPOCH, {"lobby": quiet.head()})


def test_the_heads_of_a_marker_include_its_batch(quiet: Table) -> None:
    told = quiet.turn(
        ("bob", message("1")), ("ann", m.Marker(nonce=NONCE, rooms=["lobby", "art"])), ("bob", m.Create(room="art"))
    )
    assert told.to("ann").heads == {"lobby": quiet.head(), "art": quiet.head("art")}


def test_a_marker_is_published_after_the_events_of_its_batch(quiet: Table) -> None:
    quiet.ask("bob", m.Create(room="books"))
    told = quiet.turn(
        ("ann", m.Marker(nonce=NONCE)), ("bob", message("1")), ("bob", message("1", "books")), ("bob", message("2"))
    )
    assert told.topics == ["room/lobby", "room/books", MARK]


def test_a_marker_is_published_before_the_beat_and_counts_without_it(quiet: Table) -> None:
    told = quiet.turn(("ann", m.Marker(nonce=NONCE)), ("cid", hello("cid")), seconds=2.0)
    assert told.topics == ["room/lobby", MARK, "presence", "beat"]
    assert (told.to("ann").k, told.one(MARK).k, told.one("beat").k) == (2, 2, 3)


def test_each_marker_of_a_batch_is_published(quiet: Table) -> None:
    one, two = m.Marker(nonce=OTHER_NONCE), m.Marker(nonce=NONCE)
    told = quiet.turn(("bob", one), ("ann", two))
    assert [(topic, mark.re) for topic, mark in told.feed] == [("~" + OTHER_NONCE, one.id), (MARK, two.id)]


def test_a_marker_that_is_asked_for_again_is_published_again(quiet: Table) -> None:
    for _ in range(2):
        request = m.Marker(nonce=NONCE)
        assert quiet.turn(("ann", request)).one(MARK).re == request.id


def test_a_marker_is_published_though_the_commit_failed_and_tells_nothing_of_it(quiet: Table) -> None:
    before = quiet.head()
    told = quiet.turn(("bob", message("lost")), ("ann", m.Marker(nonce=NONCE, rooms=["lobby"])), fails=True)
    assert told.topics == [MARK]
    assert told.to("ann").heads == {"lobby": before}


def test_a_marker_of_a_stranger_is_not_published(quiet: Table) -> None:
    told = quiet.turn(("stranger", m.Marker(nonce=NONCE)))
    assert told.to("stranger").code == "hello_first"
    assert told.feed == []


def test_a_marker_in_one_batch_with_the_hello_is_published(quiet: Table) -> None:
    told = quiet.turn(("cid", hello("cid")), ("cid", m.Marker(nonce=NONCE, rooms=["lobby"])))
    assert told.topics == ["room/lobby", MARK]
    assert told.replies["cid"][-1].heads == {"lobby": quiet.head()}


def test_the_topic_of_a_marker_sorts_after_all_others() -> None:
    # libzmq sends the subscriptions of a new connection in byte order, and the marker must be the last of them.
    assert max(wire.ROOM_TOPIC, wire.BEAT_TOPIC, wire.PRESENCE_TOPIC, "typing/", wire.MARKER_TOPIC) == "~"


# ---- beat ----------------------------------------------------------------------------------------------------------


def test_a_beat_comes_every_interval() -> None:
    table = Table(beat_seconds=3.0)
    beats = [len(table.turn(seconds=1.0).on("beat")) for _ in range(9)]
    assert beats == [0, 0, 1] * 3


def test_beats_count_up(quiet: Table) -> None:
    assert [quiet.turn(seconds=2.0).one("beat").k for _ in range(3)] == [3, 4, 5]


def test_the_first_beat_of_a_process_is_number_one_of_its_start(quiet: Table) -> None:
    beat = quiet.restart(boot="b002").first.one("beat")
    assert (beat.boot, beat.k, beat.commit) == ("b002", 1, 3)


def test_a_beat_tells_start_log_and_commit(quiet: Table) -> None:
    beat = quiet.turn(("ann", message("hi")), seconds=2.0).one("beat")
    assert (beat.boot, beat.epoch, beat.commit) == (BOOT, EPOCH, 4)


def test_a_beat_tells_the_heads_that_changed_since_the_last(quiet: Table) -> None:
    quiet.ask("bob", m.Create(room="books"))
    assert quiet.turn(seconds=2.0).one("beat").heads == {"books": quiet.head("books")}
    quiet.post("ann", "lobby", "hi")
    assert quiet.turn(seconds=2.0).one("beat").heads == {"lobby": quiet.head()}


def test_a_beat_tells_no_heads_if_none_changed(quiet: Table) -> None:
    assert quiet.turn(("ann", m.Ping()), seconds=2.0).one("beat").heads == {}


def test_a_beat_tells_the_heads_of_its_own_batch(quiet: Table) -> None:
    told = quiet.turn(("ann", message("hi")), seconds=2.0)
    assert told.topics == ["room/lobby", "beat"]
    assert told.one("beat").heads == {"lobby": (4, told.events()[-1].chain)}


def test_a_beat_tells_nothing_of_a_batch_whose_commit_failed(quiet: Table) -> None:
    beat = quiet.turn(("ann", message("lost")), seconds=2.0, fails=True).one("beat")
    assert (beat.k, beat.heads, beat.commit) == (3, {}, 3)
    assert quiet.turn(seconds=2.0).one("beat").heads == {}


def test_a_failed_commit_does_not_hide_what_the_next_beat_has_to_tell(quiet: Table) -> None:
    quiet.post("ann", "lobby", "hi")
    quiet.turn(("ann", message("lost")), fails=True)
    assert quiet.turn(seconds=2.0).one("beat").heads == {"lobby": quiet.head()}


def test_a_beat_tells_the_versions_of_presence_and_directory(quiet: Table) -> None:
    before = quiet.turn(seconds=2.0).one("beat")
    quiet.seat("cid").turn(*(("cid", m.Create(room=room)) for room in ("books", "art")))
    after = quiet.turn(seconds=2.0).one("beat")
    assert (after.presence, after.directory) == (before.presence + 1, before.directory + 2)


def test_a_late_turn_makes_one_beat_and_the_next_is_an_interval_later(quiet: Table) -> None:
    assert len(quiet.turn(seconds=7.0).on("beat")) == 1
    assert quiet.turn(seconds=1.5).on("beat") == []
    assert len(quiet.turn(seconds=0.5).on("beat")) == 1


@pytest.mark.parametrize(
    ("beat", "presence", "gone", "seconds"), [(0.5, 2.0, 60.0, 0.5), (2.0, 0.5, 60.0, 0.5), (3.0, 2.0, 1.0, 0.25)]
)
def test_the_deadline_is_when_something_is_due(beat: float, presence: float, gone: float, seconds: float) -> None:
    table = Table(beat_seconds=beat, presence_seconds=presence, gone_seconds=gone)
    due = []
    for _ in range(4):
        due.append(table.hub.deadline() - table.mono)
        table.turn(seconds=due[-1])
    assert due == [seconds] * 4


# ---- pages and forks -----------------------------------------------------------------------------------------------


def test_a_page_goes_to_the_reader(quiet: Table) -> None:
    quiet.turn(*TEN_POSTS)
    request = m.Page(room="lobby", after=4, upto=9, limit=3)
    (job,) = quiet.turn(("ann", request)).jobs
    assert (job.peer, job.re, job.room) == (b"ann", request.id, "lobby")
    assert (job.after, job.upto, job.limit, job.points) == (4, 9, 3, None)
    assert job.head == Head(1, *quiet.head())


@pytest.mark.parametrize("upto", [0, 13, 14, 2**53 - 1])
def test_a_page_ends_at_the_head(quiet: Table, upto: int) -> None:
    quiet.turn(*TEN_POSTS)
    (job,) = quiet.turn(("ann", m.Page(room="lobby", after=4, upto=upto))).jobs
    assert job.upto == 13


def test_a_page_is_of_what_is_there_after_the_batch(quiet: Table) -> None:
    (job,) = quiet.turn(("ann", m.Page(room="lobby")), ("bob", message("hi"))).jobs
    assert (job.upto, job.head.seq) == (4, 4)


def test_a_page_has_nothing_of_a_batch_whose_commit_failed(quiet: Table) -> None:
    (job,) = quiet.turn(("bob", message("lost")), ("ann", m.Page(room="lobby")), fails=True).jobs
    assert (job.upto, job.head) == (3, Head(1, *quiet.head()))


def test_a_page_names_its_room_in_any_spelling(quiet: Table) -> None:
    (job,) = quiet.turn(("ann", m.Page(room="#LOBBY"))).jobs
    assert job.room == "lobby"


def test_an_open_room_may_be_read_by_whoever_is_not_a_member(quiet: Table) -> None:
    quiet.ask("bob", m.Create(room="books"))
    (job,) = quiet.turn(("ann", m.Page(room="books"))).jobs
    assert (job.room, job.upto) == ("books", 2)


def test_a_fork_goes_to_the_reader(quiet: Table) -> None:
    points = [(1, START), (2, "0123456789abcdef")]
    request = m.Fork(room="Lobby", points=points)
    (job,) = quiet.turn(("ann", request)).jobs
    assert (job.peer, job.re, job.room, job.points) == (b"ann", request.id, "lobby", points)
    assert job.head == Head(1, *quiet.head())


@pytest.mark.parametrize("request_", [m.Page(room="nowhere"), m.Fork(room="nowhere")])
def test_a_read_of_no_room_is_refused(quiet: Table, request_: m.AnyRequest) -> None:
    told = quiet.turn(("ann", request_))
    assert (told.to("ann").code, told.to("ann").verdict) == ("no_room", "final")
    assert told.jobs == []


def test_reading_stores_nothing(quiet: Table) -> None:
    requests: list[m.AnyRequest] = [
        m.Ping(),
        m.Marker(nonce=NONCE),
        m.Page(room="lobby"),
        m.Rooms(),
        m.Room(room="lobby"),
        m.Who(),
    ]
    assert not quiet.turn(*(("ann", request) for request in requests)).batch


def test_an_empty_turn_spends_no_commit_number(quiet: Table) -> None:
    for _ in range(3):
        quiet.turn(("ann", m.Ping()))
    assert quiet.turn(("ann", message("hi"))).batch.number == 4


def test_nobody_has_more_than_twenty_questions_answered_in_a_turn() -> None:
    table = Table().seat("ann", "bob")
    told = table.turn(*[("ann", m.Ping())] * 25, ("bob", m.Ping()))
    codes = [getattr(reply, "code", "") for reply in told.replies["ann"]]
    assert (codes.count(""), codes.count("busy")) == (20, 5)
    assert isinstance(told.to("bob"), m.Pong)
