"""Messages that are deleted, for everybody and from the disk, and messages that are reported."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from chat_broker.store import LogReader, Store, check_log, copy
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_after
from tests.broker.table import SENDER, Table, decoded, message
from tests.broker.test_moderation import audited, last

SECRET = "the-pin-is-4711"
BLANK = {"text": "", "deleted": True}


@pytest.fixture
def books(table: Table) -> Table:
    """Ann owns "books", Bob and Cid are in it; Bob has said something (5)."""
    return talk(table)


def talk(table: Table) -> Table:
    """See the fixture."""
    table.seat("ann", "bob", "cid")
    table.ask("ann", m.Create(room="books"))
    table.ask("bob", m.Join(room="books"))
    table.ask("cid", m.Join(room="books"))
    table.post("bob", "books", SECRET, SENDER, 1)
    return table


def delete(table: Table, who: str, seq: int = 5, room: str = "books") -> Any:
    """The reply to a deletion."""
    return table.ask(who, m.Delete(room=room, seq=seq))


# ---- deleted -------------------------------------------------------------------------------------------------------


def test_what_is_deleted_is_blank(books: Table) -> None:
    done = delete(books, "bob")
    event = last(books)
    assert (event.seq, event.kind, event.author, event.target) == (done.seq, "deleted", "u2", 5)
    page = books.page("cid", "books", 4, 5)
    assert isinstance(page, m.Paged)
    (blank,) = decoded(page.events)
    assert wire.plain(blank.body) == BLANK


def test_the_chain_holds_over_what_is_deleted(books: Table) -> None:
    delete(books, "bob")
    chain = START
    for event in books.log.events["books"]:
        assert event.chain == chain_after(chain, event)
        chain = event.chain


def test_the_feed_tells_of_a_deletion(books: Table) -> None:
    told = books.turn(("bob", m.Delete(room="books", seq=5, reason="oops")))
    (event,) = told.events("books")
    assert (event.kind, event.target, wire.decode(event.body, m.Deleted)) == ("deleted", 5, m.Deleted("oops"))


def test_to_delete_twice_is_answered_as_the_first_time(either: Table) -> None:
    talk(either)
    first = delete(either, "bob")
    told = either.turn(("bob", m.Delete(room="books", seq=5)))
    assert told.to("bob").seq == first.seq
    assert not told.batch
    assert delete(either.restart().seat("bob"), "bob").seq == first.seq


def test_what_is_deleted_in_the_batch_in_which_it_was_said_is_told_to_nobody(books: Table) -> None:
    told = books.turn(("bob", message(SECRET, "books")), ("bob", m.Delete(room="books", seq=6)))
    assert [wire.plain(event.body) for event in told.events("books")] == [BLANK, {}]
    assert SECRET.encode() not in b"".join(told.frames)
    assert not told.batch.blanks


def test_a_post_that_was_deleted_is_answered_as_the_first_time(books: Table) -> None:
    delete(books, "bob")
    assert books.post("bob", "books", SECRET, SENDER, 1).seq == 5
    assert books.post("bob", "books", "else", SENDER, 1).code == "conflict"


def test_a_member_deletes_what_they_said_and_nothing_else(books: Table) -> None:
    assert delete(books, "cid").code == "not_allowed"
    assert wire.plain(books.log.events["books"][4].body) == {"text": SECRET}
    assert delete(books, "bob").seq


def test_a_moderator_deletes_what_anybody_said(books: Table) -> None:
    books.ask("ann", m.Appoint(room="books", user="cid", role="moderator"))
    assert books.ask("cid", m.Delete(room="books", seq=5, reason="rude")).seq
    assert audited(books)[-1] == m.Act("delete", "u2", "bob", "books", "5", reason="rude")


def test_what_one_deletes_of_ones_own_is_not_audited(books: Table) -> None:
    delete(books, "bob")
    assert audited(books) == []


@pytest.mark.parametrize("seq", [0, 1, 2, 6, 999])
def test_only_messages_are_deleted(books: Table, seq: int) -> None:
    assert delete(books, "ann", seq).code == "no_event"


def test_what_one_may_not_read_one_cannot_delete(books: Table) -> None:
    books.ask("ann", m.Create(room="plans", kind="private"))
    books.post("ann", "plans", "before")
    books.ask("ann", m.Invite(room="plans", user="bob"))
    books.ask("bob", m.Join(room="plans"))
    assert [delete(books, "bob", seq, "plans").code for seq in (1, 3, 99)] == ["no_event"] * 3
    assert books.ask("bob", m.Report(room="plans", seq=3)).code == "no_event"


def test_who_is_muted_may_delete_what_they_said(books: Table) -> None:
    books.ask("ann", m.Appoint(room="books", user="bob", role="muted"))
    assert delete(books, "bob").seq


def test_a_failed_commit_deletes_nothing(books: Table) -> None:
    books.turn(("bob", m.Delete(room="books", seq=5)), fails=True)
    assert wire.plain(books.log.events["books"][4].body) == {"text": SECRET}
    assert not books.tables.deleted


def test_a_log_that_cannot_be_read_is_a_refusal_for_now(books: Table) -> None:
    books.log.broken = True
    refused = delete(books, "bob")
    assert (refused.code, refused.verdict) == ("store", "later")


# ---- on the disk ---------------------------------------------------------------------------------------------------


@pytest.fixture
def reader(stored: Table, store: Store) -> Iterator[LogReader]:
    """A reading connection to the database of the same talk."""
    talk(stored)
    reader = LogReader(store.path)
    yield reader
    reader.close()


def bodies(reader: LogReader) -> list[Any]:
    """What everybody said."""
    return [wire.plain(event.body) for event in decoded(reader.page("books", 0, 99)) if event.kind == "message"]


def test_what_is_deleted_is_blank_on_the_disk(stored: Table, reader: LogReader) -> None:
    for number in range(6):
        stored.turn(*(("bob", message(f"{number}/{n}", "books")) for n in range(4)))
    delete(stored, "bob", 5)
    delete(stored, "bob", 13)  # 1/3
    expected: list[Any] = [BLANK] + [{"text": f"{number}/{n}"} for number in range(6) for n in range(4)]
    expected[8] = BLANK
    assert bodies(reader) == expected


def test_what_is_deleted_is_not_in_the_files(stored: Table, reader: LogReader, tmp_path: Path) -> None:
    assert any(SECRET.encode() in file.read_bytes() for file in tmp_path.iterdir())
    delete(stored, "bob")
    assert [file.name for file in tmp_path.iterdir() if SECRET.encode() in file.read_bytes()] == []


def test_a_long_text_that_is_deleted_is_not_in_the_files(stored: Table, reader: LogReader, tmp_path: Path) -> None:
    stored.turn(*(("bob", message(f"{SECRET} " * 400, "books")) for _ in range(20)))
    for seq in range(5, 26):
        delete(stored, "bob", seq)
    assert [file.name for file in tmp_path.iterdir() if SECRET.encode() in file.read_bytes()] == []


def test_while_somebody_reads_what_is_deleted_waits_to_be_overwritten(
    stored: Table, reader: LogReader, tmp_path: Path
) -> None:
    with closing(Store(tmp_path)) as other:
        other._sql.execute("BEGIN")
        other._sql.execute("SELECT count(*) FROM log").fetchall()  # a copy that is being made
        assert delete(stored, "bob").seq
        assert bodies(reader) == [BLANK]
        other._sql.execute("COMMIT")
    stored.ask("cid", message("soon", "books"))
    stored.ask("cid", message("a second later", "books"), seconds=1.0)
    assert [file.name for file in tmp_path.iterdir() if SECRET.encode() in file.read_bytes()] == []


def test_a_database_with_deletions_is_sound(stored: Table, store: Store, reader: LogReader, tmp_path: Path) -> None:
    delete(stored, "bob")
    stored.post("cid", "books", "hm")
    copied = tmp_path / "copy"
    copied.touch()
    copy(store.path, copied)
    check_log(copied, copied)
    assert SECRET.encode() not in copied.read_bytes()
    again = stored.restart().seat("ann")
    assert again.head("books") == stored.head("books")
    assert again.post("ann", "books", "on").seq == stored.head("books")[0] + 1


def test_an_event_is_looked_up(stored: Table, store: Store, reader: LogReader) -> None:
    stored.turn(*(("bob", message(str(n), "books")) for n in range(4)))
    for seq in range(1, 10):
        event = store.event("books", seq)
        assert event is not None
        assert wire.decode_event(event).seq == seq
    assert [store.event(room, seq) for room, seq in (("books", 0), ("books", 10), ("nowhere", 1))] == [None] * 3


# ---- reported ------------------------------------------------------------------------------------------------------


def test_a_report_goes_to_who_moderates_the_room(books: Table) -> None:
    books.ask("ann", m.Appoint(room="books", user="cid", role="moderator"))
    told = books.turn(("bob", m.Report(room="books", seq=5, reason="not what I wrote")))
    assert told.to("bob") == m.Done(told.to("bob").re)
    expected = m.Notice(0, "reported", "books", "bob", "u2", "bob", 5, reason="not what I wrote")
    assert (told.notices("ann"), told.notices("cid"), told.notices("bob")) == ([expected], [expected], [])


def test_a_report_from_an_open_room_goes_to_admins_too(books: Table) -> None:
    books.seat("dan").make("dan", "admin")
    told = books.turn(("cid", m.Report(room="books", seq=5)))
    assert [notice.kind for notice in told.notices("dan")] == ["reported"]
    assert audited(books) == [m.Act("report", "u2", "bob", "books", "5")]


def test_a_report_from_a_private_room_stays_there(books: Table) -> None:
    books.seat("dan").make("dan", "owner")
    books.ask("ann", m.Create(room="plans", kind="private"))
    books.post("ann", "plans", "psst")
    told = books.turn(("ann", m.Report(room="plans", seq=3)))
    assert (told.notices("dan"), [notice.kind for notice in told.notices("ann")]) == ([], ["reported"])
    assert audited(books) == []


def test_only_messages_are_reported(books: Table) -> None:
    assert books.ask("cid", m.Report(room="books", seq=1)).code == "no_event"


def test_a_post_cannot_claim_to_be_deleted(books: Table) -> None:
    books.ask("bob", m.Post(room="books", body=Raw(b'{"text":"here I am","deleted":true}')))
    assert wire.plain(last(books).body) == {"text": "here I am"}
