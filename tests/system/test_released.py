"""What the first schema holds is there for every later version: the fixed point of all upgrades.

``tests/released/1`` is what version 0.1.0 wrote on one day: a broker's database, and the folder of Ann, who was there.
Her window had read the lobby, and half a sentence was typed; one message was on its way that the broker had stored
without her hearing of it, and one was typed when it was away. These files are never written again. A version with
another schema gets files of its own beside them, and has to pass with both.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import Raw

from chat_broker.store import FILE, LogReader, Store
from chat_broker.tables import Head, SenderState, Tables
from chat_client.identity import folder_for, open_identity
from chat_client.outbox import Outbox
from chat_client.replica import About, Replica
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of
from chat_core.errors import StoreError
from tests.broker.table import Table, bare, decoded, hello
from tests.system.inproc import log_of, message, texts
from tests.system.processes import BrokerProcess, Person
from tests.system.released import build, build_identity

HOME, EPOCH, SALT = "eb7f2800fdebe318", "091a23ca937dd63b", "a6f7b5907963b69d9d0b679df52a3426"
LOBBY = ["Hello, it's me.", 'Grüße, 東京 🙂 "quoted"', "waves", "Hello Ann", "stored, but nobody heard of it"]
BOOKS = ["A room for books.", "I am\nreading."]
# The sender of what was on its way.
SENDER = "b39ac4627470a0c3"
AWAY = "said while the broker was away"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The broker's folder."""
    return build(1, tmp_path / "data" / FILE).parent


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    """Its database, opened by this version."""
    with closing(Store(data)) as store:
        yield store


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    """Ann's folder."""
    return build_identity(1, tmp_path / "ann")


# ---- the broker's database -----------------------------------------------------------------------------------------


def test_the_broker_is_who_it_was(store: Store) -> None:
    assert (store.home, store.epoch, store.salt.hex(), store.clock()) == (HOME, EPOCH, SALT, (14, 1795621799625))


def test_people_rooms_and_memberships_are_there(store: Store) -> None:
    tables = Tables()
    store.load(tables)
    assert tables.names == {"ann": "u1", "bob": "u2"}
    assert {user.id: user.name for user in tables.users.values()} == {"u1": "Ann", "u2": "bob"}
    assert {room.id: (room.by, room.once[:2]) for room in tables.rooms.values()} == {
        "lobby": ("u0", ""), "bücher": ("u1", "ab"), "attic": ("u1", "cd"),
    }  # fmt: skip
    assert {room: members for room, members in tables.members_of.items() if members} == {
        "lobby": {"u1"}, "bücher": {"u1", "u2"},
    }  # fmt: skip
    assert tables.counters == {"users": 2}
    assert {room: head.seq for room, head in tables.heads.items()} == {"lobby": 9, "bücher": 5, "attic": 3}


def test_the_logs_are_there_and_every_chain_holds(store: Store) -> None:
    tables = Tables()
    store.load(tables)
    for room, said in (("lobby", LOBBY), ("bücher", BOOKS), ("attic", [])):
        events = log_of(store.path, room)
        assert texts(events) == said
        assert tables.heads[room] == Head(1, len(events), events[-1].chain)
        chain = START
        for event in events:
            chain = chain_of(
                chain, room, event.seq, event.time, event.author, event.name, event.sender, event.n, event.kind
            )
            assert event.chain == chain
    assert wire.decode_message(log_of(store.path, "lobby")[4].body).me


def test_a_number_that_was_spent_is_spent(store: Store, ann: Path) -> None:
    table = Table(store, home=store.home, epoch=store.epoch, salt=store.salt)
    assert isinstance(table.ask("ann", hello("ann", "Ann", open_identity(ann).public)), m.Welcome)
    with closing(LogReader(store.path)) as reader:
        first, refused, waves = decoded(reader.page("lobby", 2, 3)), 3, decoded(reader.page("lobby", 4, 5))
    for event in (*first, *waves):
        again = table.ask("ann", m.Post(room="lobby", body=event.body, sender=event.sender, n=event.n))
        assert bare(again) == m.Posted(0, "lobby", event.seq, event.time)
    sender = first[0].sender
    blank = m.Post(room="lobby", body=Raw(message(" ")), sender=sender, n=refused)
    assert table.ask("ann", blank).code == "text_empty"
    other = m.Post(room="lobby", body=Raw(message("something else")), sender=sender, n=1)
    assert table.ask("ann", other).code == "conflict"
    assert table.head()[0] == 9


def test_a_sender_goes_on_with_its_next_number(store: Store) -> None:
    ends = {event.sender: event for room in ("lobby", "bücher") for event in log_of(store.path, room) if event.sender}
    assert len(ends) == 4
    for sender, end in ends.items():
        assert store.sender(sender) == SenderState(end.author, end.n)


def test_before_the_upgrade_a_copy_is_kept_that_the_old_version_can_read(data: Path, store: Store) -> None:
    kept = data / f"{FILE}.schema-1"
    with closing(sqlite3.connect(kept)) as sql:
        assert sql.execute("PRAGMA user_version").fetchone() == (1,)
        assert sql.execute("SELECT count(*) FROM numbers").fetchone()[0] > 0
        assert sql.execute("SELECT value FROM about WHERE name = 'epoch'").fetchone() != (EPOCH,)
    assert log_of(kept, "lobby") == log_of(store.path, "lobby")


def test_who_went_back_and_upgrades_again_has_a_copy_of_what_was_said_meanwhile(data: Path) -> None:
    Store(data).close()
    kept = data / f"{FILE}.schema-1"
    (data / FILE).unlink()
    shutil.copy(kept, data / FILE)  # back to the version before, with which somebody then talks
    with closing(sqlite3.connect(data / FILE)) as sql, sql:
        sql.execute("UPDATE clock SET number = 99")
    Store(data).close()
    with closing(sqlite3.connect(kept)) as sql:
        assert sql.execute("SELECT number FROM clock").fetchone() == (99,)


def test_an_upgrade_that_fails_leaves_the_old_database(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE)) as sql, sql:
        sql.execute("CREATE TABLE outcomes (in_the_way TEXT)")
        before = list(sql.iterdump())
    with pytest.raises(StoreError, match="outcomes"):
        Store(data)
    with closing(sqlite3.connect(data / FILE)) as sql:
        assert list(sql.iterdump()) == before
        assert sql.execute("PRAGMA user_version").fetchone() == (1,)


# ---- the client's databases ----------------------------------------------------------------------------------------


def test_what_was_unsent_is_adopted_in_its_order(ann: Path) -> None:
    box = Outbox(ann, "127.0.0.1:5555")
    box.learn(HOME)
    rows = box.adopt()
    assert [(row.sender, row.n, row.room, row.body) for row in rows] == [
        (SENDER, 1, "lobby", message(LOBBY[-1])),
        (SENDER, 2, "lobby", message(AWAY)),
    ]
    points = box.points("lobby")
    box.close()
    assert [seq for seq, _ in points] == list(range(1, 9))


def test_what_the_window_had_read_and_what_was_typed_are_there(ann: Path, store: Store) -> None:
    copy = Replica(ann)
    assert copy.about(HOME) == About("u1", "Ann", "zmq-chat")
    books, lobby = copy.rooms(HOME)
    assert (books.room, books.have, books.read, books.draft, books.mine) == ("bücher", 5, 5, "half a sentence", True)
    assert (lobby.room, lobby.have, lobby.read, lobby.draft, lobby.mine) == ("lobby", 8, 8, "", True)
    held = copy.tail(HOME, "lobby", 100)
    copy.close()
    assert held == log_of(store.path, "lobby")[:8]
    assert all(one.seq + 1 == other.seq for one, other in pairwise(held))


# ---- all together --------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_the_broker_serves_it_and_what_was_on_its_way_counts_once(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = BrokerProcess(tmp_path)
    person = Person(tmp_path, broker.address, "Ann")
    with monkeypatch.context() as patch:
        for name, value in person.environment().items():
            patch.setenv(name, value)
        build_identity(1, folder_for("Ann"))
    try:
        person.address = broker.start().address
        flush = person.run("send", "--flush")
        assert (flush.returncode, flush.stdout.split()) == (0, ["9", "10"]), flush.stderr
        assert [event["text"] for event in person.history() if event["kind"] == "message"] == [*LOBBY, AWAY]
        assert [event["text"] for event in person.history("bücher") if event["kind"] == "message"] == BOOKS
        assert person.run("send", "bücher", "and on").stdout == "6\n"
        assert broker.stop() == 0
    finally:
        broker.close()
    assert texts(log_of(data / FILE, "lobby")) == [*LOBBY, AWAY]
    assert f"the old one is in {data / FILE}.schema-1" in broker.log()
