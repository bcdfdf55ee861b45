"""The log and the kept tables in a database: what is committed is there again, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_broker.batch import Batch, Chunk, Outcome, Run
from chat_broker.schema import SCHEMA_VERSION
from chat_broker.store import FILE, LogReader, Store
from chat_broker.tables import KEPT, Head, SenderState, Tables, User
from chat_core import messages as m
from chat_core import wire
from chat_core.errors import StoreError
from tests.broker.table import DERIVED, OTHER_SENDER, SENDER, Table, bare, decoded, examples, message


def event(seq: int, room: str = "lobby", size: int = 0) -> bytes:
    """An encoded event; ``size``: how long its text is."""
    text = b"x" * size
    return (
        b'{"room":"%s","seq":%d,"time":1,"author":"u1","name":"ann","kind":"message","chain":"%016x",'
        b'"body":{"text":"%s"}}'
    ) % (room.encode(), seq, seq, text)


def batch(number: int, *chunks: tuple[str, int, int], size: int = 0) -> Batch:
    """A commit of events: (room, the first's number, how many)."""
    made = Batch(number, number * 1000)
    for room, first, how_many in chunks:
        made.chunks[room] = Chunk(first, [event(seq, room, size) for seq in range(first, first + how_many)])
    return made


def dump(folder: Path) -> list[str]:
    """All that is in the database."""
    with closing(sqlite3.connect(folder / FILE)) as sql:
        return list(sql.iterdump())


def execute(folder: Path, statement: str) -> None:
    """Do something to the database behind the store's back."""
    with closing(sqlite3.connect(folder / FILE)) as sql, sql:
        sql.execute(statement)


def loaded(store: Store) -> tuple[dict[str, Any], tuple[int, int]]:
    """The tables and the clock, read anew."""
    tables = Tables()
    clock = store.load(tables)
    return {name: getattr(tables, name) for name in (*KEPT, "heads", *DERIVED)}, clock


@pytest.fixture
def reader(store: Store) -> Iterator[LogReader]:
    """A reading connection to the fresh database."""
    reader = LogReader(store.path)
    yield reader
    reader.close()


# ---- loading -------------------------------------------------------------------------------------------------------


def test_a_fresh_database_is_empty(store: Store) -> None:
    tables, clock = loaded(store)
    assert not any(tables.values())
    assert clock == (0, 0)


def test_everything_that_was_committed_is_loaded_again(stored: Table, tmp_path: Path) -> None:
    stored.seat("ann", "bob", "cid")
    stored.ask("ann", m.Create(room="books", once=SENDER))
    stored.ask("bob", m.Create(room="art"))
    stored.turn(("bob", m.Join(room="books")), ("cid", m.Leave(room="lobby")), ("ann", message("hi", "books")))
    stored.turn(("bob", m.Leave(room="art")), ("ann", message("hi")), seconds=1.5)
    with closing(Store(tmp_path)) as again:
        tables, clock = loaded(again)
    kept = stored.snapshot()
    del kept["senders"]
    assert tables == kept
    assert clock == (stored.hub.commit, stored.hub.time)


def test_a_row_that_was_removed_is_not_loaded(store: Store) -> None:
    first, second = Batch(1, 1), Batch(2, 2)
    first.puts = {("names", "ann"): b'"u1"', ("names", "bob"): b'"u2"'}
    second.puts = {("names", "ann"): None}
    store.commit(first)
    store.commit(second)
    assert loaded(store)[0]["names"] == {"bob": "u2"}


def test_a_row_that_was_put_again_is_loaded_as_it_was_last(store: Store) -> None:
    for number, name in enumerate(("ann", "Ann"), 1):
        change = Batch(number, number)
        change.puts["users", "u1"] = wire.encode(User("u1", name, 1))
        store.commit(change)
    assert loaded(store)[0]["users"] == {"u1": User("u1", "Ann", 1)}


def test_a_table_of_another_version_is_left_alone(store: Store, tmp_path: Path) -> None:
    change = Batch(1, 1)
    change.puts["pins", "lobby"] = b"[7]"
    store.commit(change)
    assert not any(loaded(store)[0].values())
    assert any("pins" in line for line in dump(tmp_path))


def test_number_and_time_of_the_last_commit_are_kept(store: Store) -> None:
    store.commit(Batch(1, 1_700_000_000_000))
    store.commit(Batch(2, 1_700_000_000_001))
    assert store.clock() == (2, 1_700_000_000_001)


def test_home_and_epoch_stay_over_restarts(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        with closing(Store(tmp_path)) as store:
            names.add((store.home, store.epoch))
    assert len(names) == 1


def test_home_and_epoch_are_of_one_database(tmp_path: Path) -> None:
    names = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        with closing(Store(tmp_path / folder)) as store:
            names |= {store.home, store.epoch}
    assert len(names) == 4
    assert all(len(name) == 16 and set(name) <= set("0123456789abcdef") for name in names)


def test_the_head_of_a_room_is_its_last_event(store: Store) -> None:
    rooms = Batch(1, 1)
    for room in ("lobby", "books", "empty"):
        rooms.puts["rooms", room] = wire.encode({"id": room, "name": room, "by": "u1", "time": 1})
    store.commit(rooms)
    store.commit(batch(2, ("lobby", 1, 3), ("books", 1, 1)))
    store.commit(batch(3, ("lobby", 4, 9)))
    assert loaded(store)[0]["heads"] == {
        "lobby": Head(1, 12, f"{12:016x}"),
        "books": Head(1, 1, f"{1:016x}"),
        "empty": Head(),
    }


# ---- pages ---------------------------------------------------------------------------------------------------------

# Numbers of events in one commit after the other.
CHUNKS = [1, 1, 5, 2, 13, 1, 8, 3, 1, 30]


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogReader]:
    """Two rooms whose events are in chunks of all sizes, the second's half a commit behind."""
    folder = tmp_path_factory.mktemp("rooms")
    with closing(Store(folder)) as store:
        a = b = 1
        for number, (here, there) in enumerate(zip(CHUNKS, reversed(CHUNKS), strict=True), 1):
            store.commit(batch(number, ("a", a, here), ("b", b, there)))
            a, b = a + here, b + there
        with closing(LogReader(store.path)) as reader:
            yield reader


numbers = st.integers(0, sum(CHUNKS) + 3)


@settings(max_examples=examples(150), deadline=None)
@given(room=st.sampled_from(["a", "b"]), after=numbers, upto=numbers, limit=st.integers(0, 9))
def test_a_page_is_exactly_the_range(rooms: LogReader, room: str, after: int, upto: int, limit: int) -> None:
    wanted = list(range(after + 1, min(upto, sum(CHUNKS)) + 1))
    page = decoded(rooms.page(room, after, upto, limit))
    assert [one.seq for one in page] == (wanted[:limit] if limit else wanted)
    assert {one.room for one in page} <= {room}


def test_an_event_comes_back_byte_for_byte(store: Store, reader: LogReader) -> None:
    store.commit(batch(1, ("lobby", 1, 3)))
    assert [bytes(raw) for raw in reader.page("lobby", 0, 3)] == [event(seq) for seq in (1, 2, 3)]


def test_a_page_of_no_room_is_empty(store: Store, reader: LogReader) -> None:
    store.commit(batch(1, ("lobby", 1, 3)))
    assert reader.page("nowhere", 0, 3) == []


@pytest.mark.parametrize("a_commit", [1, 2, 5, 12])
def test_a_page_ends_before_256_kib(store: Store, reader: LogReader, a_commit: int) -> None:
    for number, first in enumerate(range(1, 13, a_commit), 1):
        store.commit(batch(number, ("lobby", first, min(a_commit, 13 - first)), size=60_000))
    seqs, after = [], 0
    while page := decoded(reader.page("lobby", after, 12)):
        assert len(page) == 4
        seqs += [one.seq for one in page]
        after = seqs[-1]
    assert seqs == list(range(1, 13))


def test_a_page_has_always_one_event(store: Store, reader: LogReader) -> None:
    store.commit(batch(1, ("lobby", 1, 3), size=wire.CHUNK_BYTES + 1))
    for after in range(3):
        assert [one.seq for one in decoded(reader.page("lobby", after, 3))] == [after + 1]


def test_a_limit_holds_though_there_is_room_for_more(store: Store, reader: LogReader) -> None:
    store.commit(batch(1, ("lobby", 1, 20)))
    assert [one.seq for one in decoded(reader.page("lobby", 5, 20, 3))] == [6, 7, 8]


def test_a_reader_sees_what_was_committed_after_it_was_opened(store: Store, reader: LogReader) -> None:
    store.commit(batch(1, ("lobby", 1, 1)))
    assert len(reader.page("lobby", 0, 2)) == 1
    store.commit(batch(2, ("lobby", 2, 1)))
    assert len(reader.page("lobby", 0, 2)) == 2


@pytest.mark.parametrize(("seq", "chain"), [(0, ""), (1, f"{1:016x}"), (3, f"{3:016x}"), (4, f"{4:016x}"), (5, "")])
def test_the_chain_of_an_event_is_read(store: Store, reader: LogReader, seq: int, chain: str) -> None:
    store.commit(batch(1, ("lobby", 1, 3), ("books", 1, 9)))
    store.commit(batch(2, ("lobby", 4, 1)))
    assert reader.chain("lobby", seq) == chain


def test_pages_of_a_hundred_thousand_events_are_right(store: Store, reader: LogReader) -> None:
    for number in range(1, 101):
        store.commit(batch(number, ("lobby", number * 1000 - 999, 1000)))
    last = 100_000
    for after in (0, 1, 999, 1000, 1001, 54_321, 99_998, 99_999):
        page = decoded(reader.page("lobby", after, last, 50))
        assert [one.seq for one in page] == list(range(after + 1, min(after + 50, last) + 1))
    assert reader.page("lobby", last, last) == []
    assert [reader.chain("lobby", seq) for seq in (1, 77_777, last)] == [f"{seq:016x}" for seq in (1, 77_777, last)]
    after = 60_000
    while raws := reader.page("lobby", after, last):
        size = sum(len(bytes(raw)) + 1 for raw in raws)
        first, end = wire.decode_event(raws[0]).seq, wire.decode_event(raws[-1]).seq
        assert (first, end) == (after + 1, after + len(raws))
        assert size <= wire.CHUNK_BYTES
        assert end == last or size > wire.CHUNK_BYTES - 1000
        after = end
    assert after == last


# ---- post numbers --------------------------------------------------------------------------------------------------


def test_an_unknown_sender_has_no_numbers(store: Store) -> None:
    assert store.sender(SENDER) is None
    assert store.outcome(SENDER, 1) is None


def test_what_became_of_every_number_is_kept_over_several_batches(store: Store, tmp_path: Path) -> None:
    outcomes = {
        n: Outcome(f"{n:016x}", code="no_room", text="None.") if n % 4 == 0 else Outcome(f"{n:016x}", "lobby", n, 5)
        for n in range(1, 22)
    }
    first = 1
    for number, how_many in enumerate((1, 5, 1, 2, 12), 1):
        one = Batch(number, number)
        one.runs[SENDER] = Run("u1", first, [outcomes[n] for n in range(first, first + how_many)])
        one.runs[f"{number:016x}"] = Run("u2", 1, [Outcome("other")])
        store.commit(one)
        first += how_many
    with closing(Store(tmp_path)) as again:
        assert {n: again.outcome(SENDER, n) for n in outcomes} == outcomes
        assert [again.outcome(SENDER, n) for n in (0, 22, 23, 2**53 - 1)] == [None] * 4
        assert again.sender(SENDER) == SenderState("u1", 21)
        assert again.sender(f"{3:016x}") == SenderState("u2", 1)


def test_a_number_is_spent_once(store: Store) -> None:
    for number in (1, 2):
        one = Batch(number, number)
        one.runs[SENDER] = Run("u1", 1, [Outcome("d")])
        if number == 1:
            store.commit(one)
    with pytest.raises(StoreError):
        store.commit(one)


def test_an_event_has_its_number_alone(store: Store) -> None:
    store.commit(batch(1, ("lobby", 1, 3)))
    with pytest.raises(StoreError):
        store.commit(batch(2, ("lobby", 1, 1)))


# ---- commits that fail ---------------------------------------------------------------------------------------------


def everything(number: int) -> Batch:
    """A batch that writes to every table."""
    made = batch(number, ("lobby", number, 1), ("books", number, 1))
    made.runs[SENDER] = Run("u1", number, [Outcome("d", "lobby", number, 1)])
    made.puts["names", f"n{number}"] = b'"u1"'
    made.puts["names", f"n{number - 1}"] = None
    return made


def test_every_commit_waits_for_the_disk(store: Store) -> None:
    for number in (1, 2):
        store.commit(batch(number, ("lobby", number, 1)))
        assert store._sql.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


@pytest.mark.parametrize("how", ["ABORT", "FAIL", "ROLLBACK"])
@pytest.mark.parametrize(
    "when",
    [*(f"INSERT ON {table}" for table in ("log", "runs", "outcomes", "kept")), "UPDATE ON clock", "DELETE ON kept"],
)
def test_a_commit_that_fails_leaves_the_database_as_it_was(store: Store, tmp_path: Path, when: str, how: str) -> None:
    store.commit(everything(1))
    execute(tmp_path, f"CREATE TRIGGER fault BEFORE {when} BEGIN SELECT RAISE({how}, 'the disk is on fire'); END")
    before = dump(tmp_path)
    with pytest.raises(StoreError, match="the disk is on fire"):
        store.commit(everything(2))
    assert dump(tmp_path) == before
    assert store.clock() == (1, 1000)


def test_after_a_commit_that_failed_the_next_one_works(store: Store, tmp_path: Path) -> None:
    store.commit(everything(1))
    execute(tmp_path, "CREATE TRIGGER fault BEFORE INSERT ON kept BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreError):
        store.commit(everything(2))
    execute(tmp_path, "DROP TRIGGER fault")
    store.commit(everything(2))
    assert (store.clock(), store.sender(SENDER)) == ((2, 2000), SenderState("u1", 2))
    assert loaded(store)[0]["names"] == {"n2": "u1"}


def fill(store: Store) -> None:
    """Let the database not grow any more."""
    (pages,) = store._sql.execute("PRAGMA page_count").fetchone()
    store._sql.execute(f"PRAGMA max_page_count = {pages}")


def make_room(store: Store) -> None:
    """Let it grow again."""
    store._sql.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_is_a_commit_that_fails(store: Store, reader: LogReader, tmp_path: Path) -> None:
    store.commit(batch(1, ("lobby", 1, 1)))
    before = dump(tmp_path)
    fill(store)
    with pytest.raises(StoreError, match="full"):
        store.commit(batch(2, ("lobby", 2, 50), size=5000))
    assert dump(tmp_path) == before
    make_room(store)
    store.commit(batch(2, ("lobby", 2, 50), size=5000))
    assert len(reader.page("lobby", 0, 51, 40)) == 40


def test_people_wait_for_a_full_disk_and_lose_nothing(stored: Table, store: Store) -> None:
    stored.seat("ann", "bob")
    sent = [message(f"{n} " + "x" * 8000, sender=SENDER, n=n) for n in range(1, 30)]
    fill(store)
    told = stored.turn(*(("ann", request) for request in sent), ("bob", m.Ping(rooms=["lobby"])))
    assert {reply.code for reply in told.replies["ann"]} == {"store"}
    assert told.to("bob").heads["lobby"][0] == 3
    make_room(store)
    posted = stored.turn(*(("ann", request) for request in sent)).replies["ann"]
    assert [reply.seq for reply in posted] == list(range(4, 33))
    again = stored.restart().seat("ann").turn(*(("ann", request) for request in sent)).replies["ann"]
    assert [bare(reply) for reply in again] == [bare(reply) for reply in posted]


def test_a_log_that_cannot_be_read_is_said_to_be(store: Store, reader: LogReader, tmp_path: Path) -> None:
    execute(tmp_path, "ALTER TABLE log RENAME TO lost")
    execute(tmp_path, "ALTER TABLE runs RENAME TO lost_too")
    for read in (
        lambda: reader.page("lobby", 0, 1),
        lambda: reader.chain("lobby", 1),
        lambda: store.sender(SENDER),
        lambda: store.outcome(SENDER, 1),
    ):
        with pytest.raises(StoreError, match="cannot be read"):
            read()


def test_kept_state_that_cannot_be_read_is_said_to_be(store: Store, tmp_path: Path) -> None:
    execute(tmp_path, "ALTER TABLE kept RENAME TO lost")
    with pytest.raises(StoreError, match="is damaged"):
        store.load(Tables())


# ---- what is no database of ours -----------------------------------------------------------------------------------


def refused(folder: Path) -> StoreError:
    """What is said when the database is opened; it is left as it was."""
    before = (folder / FILE).read_bytes() if (folder / FILE).is_file() else None
    with pytest.raises(StoreError) as caught:
        Store(folder)
    assert before is None or (folder / FILE).read_bytes() == before
    assert str(folder) in str(caught.value)
    return caught.value


def test_a_database_of_a_newer_version_is_not_opened(tmp_path: Path) -> None:
    Store(tmp_path).close()
    execute(tmp_path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert refused(tmp_path).newer


def test_a_program_that_knows_no_private_rooms_does_not_open_a_database_that_may_have_them(tmp_path: Path) -> None:
    Store(tmp_path).close()
    execute(tmp_path, "PRAGMA user_version = 2")  # of before there were any; nothing else was another
    store = Store(tmp_path)
    assert store.kept_old == tmp_path / f"{FILE}.schema-2"
    store.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as sql:
        assert sql.execute("PRAGMA user_version").fetchone()[0] > 2


def test_a_database_of_a_version_that_never_was_is_not_opened(tmp_path: Path) -> None:
    Store(tmp_path).close()
    execute(tmp_path, "PRAGMA user_version = 0")
    error = refused(tmp_path)
    assert not error.newer
    assert "a schema that no version of this program made (0)" in str(error)


def test_a_database_of_another_program_is_not_opened(tmp_path: Path) -> None:
    execute(tmp_path, "CREATE TABLE recipes (name TEXT)")
    error = refused(tmp_path)
    assert not error.newer
    assert "not a database of this program" in str(error)


def test_a_newer_database_of_another_program_is_not_taken_for_ours(tmp_path: Path) -> None:
    execute(tmp_path, "CREATE TABLE recipes (name TEXT)")
    execute(tmp_path, "PRAGMA user_version = 99")
    assert not refused(tmp_path).newer


def test_a_file_that_is_no_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("Dear diary, " * 1000, encoding="utf-8")
    assert not refused(tmp_path).newer


def test_a_folder_in_the_place_of_the_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert not refused(tmp_path).newer


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with closing(Store(tmp_path)) as store:
        assert store.clock() == (0, 0)


def test_a_reader_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        LogReader(tmp_path / FILE)
    assert not (tmp_path / FILE).exists()


# ---- batches -------------------------------------------------------------------------------------------------------


def test_a_batch_with_nothing_in_it_is_none() -> None:
    assert not Batch(7, 7)


@pytest.mark.parametrize("part", ["chunks", "puts", "runs"])
def test_a_batch_with_anything_in_it_is_one_until_it_is_cleared(part: str) -> None:
    full = everything(7)
    one = Batch(7, 7, **{part: getattr(full, part)})
    assert one
    one.clear()
    assert not one


@settings(max_examples=examples(30), deadline=None)
@given(first=st.integers(1, 1000), sizes=st.lists(st.integers(1, 200_000) | st.just(300_000), min_size=1, max_size=9))
def test_the_pieces_of_a_chunk_are_its_events_without_holes(first: int, sizes: list[int]) -> None:
    events = [b'"' + b"x" * (size - 1) + b'"' for size in sizes]
    pieces = Chunk(first, events).pieces()
    assert [seq for start, end, _ in pieces for seq in range(start, end + 1)] == list(range(first, first + len(sizes)))
    assert [one for *_, piece in pieces for one in msgspec.json.decode(piece)] == [e[1:-1].decode() for e in events]


@settings(max_examples=examples(30), deadline=None)
@given(sizes=st.lists(st.integers(1, 200_000) | st.just(300_000), min_size=1, max_size=9))
def test_a_piece_is_as_long_as_it_may_be_and_no_longer(sizes: list[int]) -> None:
    pieces = Chunk(1, [b"x" * size for size in sizes]).pieces()
    brackets = 2
    for start, end, piece in pieces:
        assert len(piece) <= wire.CHUNK_BYTES + brackets or start == end
    for (_, _, piece), (start, _, _) in pairwise(pieces):
        assert len(piece) + sizes[start - 1] > wire.CHUNK_BYTES - brackets


def test_two_senders_in_one_batch_are_two_rows(store: Store) -> None:
    one = Batch(1, 1)
    one.runs = {SENDER: Run("u1", 1, [Outcome("a")]), OTHER_SENDER: Run("u2", 1, [Outcome("b"), Outcome("c")])}
    store.commit(one)
    assert (store.sender(SENDER), store.sender(OTHER_SENDER)) == (SenderState("u1", 1), SenderState("u2", 2))
    assert [store.outcome(OTHER_SENDER, n) for n in (1, 2, 3)] == [Outcome("b"), Outcome("c"), None]
    assert [store.outcome(SENDER, n) for n in (1, 2)] == [Outcome("a"), None]
