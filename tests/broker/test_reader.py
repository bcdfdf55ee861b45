"""The reader: pages of history and forks, at once and in a thread of its own."""

import sqlite3
import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
from msgspec import Raw

from chat_broker.serving.reader import InlineReader, Reader, answer
from chat_broker.store import LogReader, Store
from chat_broker.turn import ReadJob
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START
from chat_core.errors import StoreError
from tests.broker.table import EPOCH, Table, decoded, message

Asked = Callable[[m.Page | m.Fork], m.AnyReply]


@pytest.fixture
def talk(stored: Table) -> Table:
    """Ann in a lobby of twenty events in four commits, and in a room of two."""
    stored.seat("ann")
    for some in (3, 10, 5):
        stored.turn(*[("ann", message("hi"))] * some)
    stored.ask("ann", m.Create(room="books"))
    assert stored.head()[0] == 20
    return stored


@pytest.fixture
def log(store: Store) -> Iterator[LogReader]:
    """A reading connection."""
    reader = LogReader(store.path)
    yield reader
    reader.close()


@pytest.fixture
def asked(talk: Table, log: LogReader) -> Asked:
    """The answer to a request for a page or a fork, as it comes off the wire."""

    def ask(request: m.Page | m.Fork) -> m.AnyReply:
        return wire.decode_reply(wire.encode(answer(log, job_of(talk, request), EPOCH)))

    return ask


def job_of(table: Table, request: m.Page | m.Fork) -> ReadJob:
    """What the rules make of a request."""
    (job,) = table.turn(("ann", request)).jobs
    return job


def page(reply: m.AnyReply) -> list[int]:
    """The numbers of a page's events."""
    assert isinstance(reply, m.Paged)
    return [event.seq for event in decoded(reply.events)]


# ---- pages ---------------------------------------------------------------------------------------------------------


def test_a_page_tells_room_log_and_head(talk: Table, asked: Asked) -> None:
    request = m.Page(room="#Lobby")
    reply = asked(request)
    assert isinstance(reply, m.Paged)
    assert (reply.re, reply.room, reply.epoch, reply.first, reply.head) == (request.id, "lobby", EPOCH, 1, talk.head())


@pytest.mark.parametrize(
    ("after", "upto", "limit", "seqs"),
    [
        (0, 0, 0, range(1, 21)),
        (3, 8, 0, range(4, 9)),
        (3, 8, 2, range(4, 6)),
        (17, 0, 0, range(18, 21)),
        (17, 99, 0, range(18, 21)),
        (19, 20, 0, range(20, 21)),
        (20, 0, 0, range(0)),
        (99, 0, 0, range(0)),
        (8, 3, 0, range(0)),
        (0, 0, 1, range(1, 2)),
    ],
)
def test_a_page_has_the_events_that_were_asked_for(
    asked: Asked, after: int, upto: int, limit: int, seqs: range
) -> None:
    assert page(asked(m.Page(room="lobby", after=after, upto=upto, limit=limit))) == list(seqs)


def test_a_page_is_of_one_room(asked: Asked) -> None:
    reply = asked(m.Page(room="books"))
    assert isinstance(reply, m.Paged)
    assert [(event.room, event.kind) for event in decoded(reply.events)] == [("books", "created"), ("books", "joined")]


def test_a_page_has_the_bytes_that_were_broadcast(talk: Table, asked: Asked) -> None:
    told = talk.turn(("ann", message("the latest")))
    reply = asked(m.Page(room="lobby", after=20))
    assert isinstance(reply, m.Paged)
    assert wire.feed_frame("room/lobby", wire.join_events(bytes(raw) for raw in reply.events)) == told.frames[0]


def test_a_page_ends_at_the_head_of_when_it_was_asked(talk: Table, log: LogReader) -> None:
    job = job_of(talk, m.Page(room="lobby", after=18))
    talk.post("ann", "lobby", "later")
    assert page(answer(log, job, EPOCH)) == [19, 20]  # type: ignore[arg-type]


def test_pages_one_after_the_other_are_the_whole_log(talk: Table, asked: Asked) -> None:
    talk.turn(*[("ann", message("x" * 8000))] * 80)
    pages: list[list[int]] = []
    while True:
        seqs = page(asked(m.Page(room="lobby", after=pages[-1][-1] if pages else 0)))
        if not seqs:
            break
        pages.append(seqs)
    assert len(pages) == 3
    assert [seq for one in pages for seq in one] == list(range(1, 101))


# ---- forks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def chains(talk: Table) -> dict[int, str]:
    """The chain of every event in the lobby."""
    with_chains = LogReader(talk.log.path)
    found = {event.seq: event.chain for event in decoded(with_chains.page("lobby", 0, 20))}
    with_chains.close()
    return found


def fork(asked: Asked, *points: tuple[int, str]) -> int:
    """Where the log says that it and these points part."""
    reply = asked(m.Fork(room="lobby", points=list(points)))
    assert isinstance(reply, m.Forked)
    return reply.seq


def test_a_fork_tells_room_and_log(asked: Asked) -> None:
    request = m.Fork(room="Lobby", points=[(1, START)])
    assert asked(request) == m.Forked(request.id, "lobby", EPOCH, 0)


def test_the_highest_common_point_is_the_fork(asked: Asked, chains: dict[int, str]) -> None:
    assert fork(asked, *((seq, chains[seq]) for seq in (1, 5, 14))) == 14


def test_the_points_may_come_in_any_order(asked: Asked, chains: dict[int, str]) -> None:
    assert fork(asked, *((seq, chains[seq]) for seq in (5, 14, 1, 9))) == 14


def test_points_of_another_history_are_passed_over(asked: Asked, chains: dict[int, str]) -> None:
    points = [(seq, chains[seq] if seq <= 11 else "f" * 16) for seq in range(1, 21)]
    assert fork(asked, *points) == 11


def test_a_chain_counts_at_its_own_number_only(asked: Asked, chains: dict[int, str]) -> None:
    assert fork(asked, (3, chains[3]), (9, chains[8])) == 3


def test_of_two_chains_for_one_number_the_right_one_counts(asked: Asked, chains: dict[int, str]) -> None:
    assert fork(asked, (9, "0" * 15 + "1"), (9, chains[9]), (9, "f" * 16)) == 9


def test_points_past_the_head_are_passed_over(asked: Asked, chains: dict[int, str]) -> None:
    assert fork(asked, (20, chains[20]), (21, "f" * 16), (2**53 - 1, "f" * 16)) == 20


def test_points_past_the_head_of_when_it_was_asked_are_passed_over(
    talk: Table, log: LogReader, chains: dict[int, str]
) -> None:
    talk.post("ann", "lobby", "later")
    request = m.Fork(room="lobby", points=[(20, chains[20]), talk.head()])
    job = job_of(talk, request)
    job.head = msgspec.structs.replace(job.head, seq=20, chain=chains[20])
    assert answer(log, job, EPOCH) == m.Forked(request.id, "lobby", EPOCH, 20)


def test_without_a_common_point_the_fork_is_before_the_first(asked: Asked) -> None:
    assert fork(asked, *((seq, "f" * 16) for seq in range(1, 25))) == 0


def test_without_points_the_fork_is_before_the_first(asked: Asked) -> None:
    assert fork(asked) == 0


def test_the_start_of_every_log_is_no_common_point(asked: Asked) -> None:
    assert fork(asked, (0, START)) == 0


# ---- a log that fails ----------------------------------------------------------------------------------------------


class FailingLog(LogReader):
    """The log on a disk that does not answer."""

    def __init__(self) -> None: ...

    def page(self, *_: object, **__: object) -> list[Raw]:
        raise StoreError("the disk does not answer")


@pytest.mark.parametrize("request_", [m.Page(room="lobby"), m.Fork(room="lobby", points=[(1, START)])])
def test_a_log_that_fails_is_a_refusal_for_now(
    talk: Table, caplog: pytest.LogCaptureFixture, request_: m.Page | m.Fork
) -> None:
    refused = answer(FailingLog(), job_of(talk, request_), EPOCH)
    assert isinstance(refused, m.Refused)
    assert (refused.re, refused.code, refused.verdict) == (request_.id, "store", "later")
    assert "the disk does not answer" in caplog.text


# ---- in a thread ---------------------------------------------------------------------------------------------------


@pytest.fixture
def wakes() -> list[str]:
    """The threads that woke the loop."""
    return []


@pytest.fixture
def reader(talk: Table, wakes: list[str]) -> Iterator[Reader]:
    """A reader that is stopped afterwards."""
    reader = Reader(talk.log.path, EPOCH, lambda: wakes.append(threading.current_thread().name))
    yield reader
    reader.stop()


def test_the_reader_answers_in_order(talk: Table, reader: Reader) -> None:
    requests = [m.Page(room="lobby", after=after) for after in (19, 0, 7)]
    for request in requests:
        reader.ask(job_of(talk, request))
    got = [reader.results.get(timeout=10) for _ in requests]
    assert [job.peer for job, _ in got] == [b"ann"] * 3
    replies = [wire.decode_reply(payload) for _, payload in got]
    assert [reply.re for reply in replies] == [request.id for request in requests]
    assert [page(reply)[0] for reply in replies] == [20, 1, 8]


def test_the_reader_answers_what_was_committed_after_its_start(talk: Table, reader: Reader) -> None:
    talk.post("ann", "lobby", "later")
    reader.ask(job_of(talk, m.Page(room="lobby", after=20)))
    assert page(wire.decode_reply(reader.results.get(timeout=10)[1])) == [21]


def test_the_reader_wakes_the_loop_for_every_answer(talk: Table, reader: Reader, wakes: list[str]) -> None:
    for _ in range(3):
        reader.ask(job_of(talk, m.Page(room="lobby")))
    reader.stop()
    assert wakes == ["reader"] * 3


def test_the_reader_answers_what_was_asked_before_it_is_stopped(talk: Table, reader: Reader) -> None:
    for _ in range(5):
        reader.ask(job_of(talk, m.Page(room="lobby")))
    reader.stop()
    assert reader.results.qsize() == 5


def test_the_thread_of_the_reader_ends_with_it(reader: Reader) -> None:
    assert "reader" in [thread.name for thread in threading.enumerate()]
    reader.stop()
    assert "reader" not in [thread.name for thread in threading.enumerate()]


def test_the_reader_without_a_thread_answers_the_same(talk: Table, reader: Reader) -> None:
    inline = InlineReader(talk.log.path, EPOCH)
    for request in (m.Page(room="lobby", after=3, limit=4), m.Fork(room="lobby", points=[talk.head()])):
        job = job_of(talk, request)
        inline.ask(job)
        reader.ask(job)
        assert inline.results.get_nowait() == reader.results.get(timeout=10)
    inline.stop()


def test_a_damaged_row_is_refused_and_the_others_are_still_read(talk: Table, store: Store) -> None:
    with sqlite3.connect(store.path) as sql:
        sql.execute("UPDATE log SET events = x'00' WHERE room = 'books'")
    sql.close()
    woken = threading.Semaphore(0)
    reader = Reader(store.path, EPOCH, woken.release)
    replies = []
    for room in ("books", "lobby"):
        reader.ask(job_of(talk, m.Page(room=room)))
        assert woken.acquire(timeout=30)
        replies.append(wire.decode_reply(reader.results.get(timeout=30)[1]))
    reader.stop()
    assert isinstance(replies[0], m.Refused)
    assert (replies[0].code, replies[0].verdict) == ("store", "later")
    assert page(replies[1]) == list(range(1, 21))
