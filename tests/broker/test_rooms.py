"""Rooms: making, joining, leaving and listing them."""

import pytest

from chat_core import messages as m
from tests.broker.table import OTHER_SENDER as OTHER_ONCE
from tests.broker.table import SENDER as ONCE
from tests.broker.table import START_TIME, Table, bare

SPELLINGS = ["books", "Books", "#books", "#BOOKS", "ｂｏｏｋｓ"]


@pytest.fixture
def readers(table: Table) -> Table:
    """Ann and Bob are in the lobby, Ann in a room "books"."""
    table.seat("ann", "bob")
    table.ask("ann", m.Create(room="books", once=ONCE))
    return table


# ---- the lobby -----------------------------------------------------------------------------------------------------


def test_the_lobby_is_there_from_the_start(table: Table) -> None:
    (event,) = table.opened.events("lobby")
    assert (event.seq, event.kind, event.author, event.name) == (1, "created", "u0", "broker")


def test_the_lobby_is_made_once(either: Table) -> None:
    assert not either.restart().opened.batch


# ---- create --------------------------------------------------------------------------------------------------------


def test_whoever_creates_a_room_is_told_of_it(table: Table) -> None:
    table.seat("ann")
    room = table.ask("ann", m.Create(room="books")).room
    assert (room.id, room.name, room.first, room.members, room.mine) == ("books", "books", 1, 1, True)
    assert (room.head, room.time) == (table.head("books"), START_TIME)


def test_the_log_of_a_room_begins_with_its_creation(table: Table) -> None:
    table.seat("ann")
    events = table.turn(("ann", m.Create(room="books"))).events("books")
    assert [(event.seq, event.kind, event.author) for event in events] == [(1, "created", "u1"), (2, "joined", "u1")]


def test_whoever_creates_a_room_may_write_in_it(readers: Table) -> None:
    assert readers.post("ann", "books", "first!").seq == 3


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_name_of_a_room_is_folded(table: Table, spelling: str) -> None:
    table.seat("ann")
    assert table.ask("ann", m.Create(room=spelling)).room.id == "books"


@pytest.mark.parametrize("name", ["", "#", "a b", "a/b", "-a", "a\0", "b" * 33, "a\n", "bооks"])
def test_what_cannot_be_the_name_of_a_room_is_refused(table: Table, name: str) -> None:
    table.seat("ann")
    told = table.turn(("ann", m.Create(room=name)))
    assert (told.to("ann").code, told.to("ann").verdict) == ("room_bad", "final")
    assert not told.batch


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_room_that_is_there_is_not_created_again(readers: Table, who: str, spelling: str) -> None:
    told = readers.turn((who, m.Create(room=spelling)))
    assert (told.to(who).code, told.to(who).verdict) == ("room_taken", "final")
    assert not told.batch


def test_the_lobby_is_not_created_again(table: Table) -> None:
    table.seat("ann")
    assert table.ask("ann", m.Create(room="Lobby", once=ONCE)).code == "room_taken"


def test_of_two_who_create_a_room_in_one_batch_the_first_does(table: Table) -> None:
    table.seat("ann", "bob")
    told = table.turn(("ann", m.Create(room="books")), ("bob", m.Create(room="Books")))
    assert isinstance(told.to("ann"), m.Created)
    assert told.to("bob").code == "room_taken"


def test_a_repeated_create_is_answered_as_the_first_time(table: Table) -> None:
    table.seat("ann")
    first = table.ask("ann", m.Create(room="books", once=ONCE))
    again = table.turn(("ann", m.Create(room="books", once=ONCE)))
    assert bare(again.to("ann")) == bare(first)
    assert not again.batch


def test_a_repeated_create_is_answered_as_the_first_time_in_the_same_batch(table: Table) -> None:
    table.seat("ann")
    told = table.turn(("ann", m.Create(room="books", once=ONCE)), ("ann", m.Create(room="books", once=ONCE)))
    first, again = told.replies["ann"]
    assert bare(first) == bare(again)
    assert len(told.events("books")) == 2


def test_a_repeated_create_is_answered_as_the_first_time_after_a_restart(either: Table) -> None:
    either.seat("ann")
    first = either.ask("ann", m.Create(room="books", once=ONCE))
    again = either.restart().seat("ann").ask("ann", m.Create(room="books", once=ONCE))
    assert bare(again) == bare(first)


def test_a_create_with_another_token_is_not_a_repetition(readers: Table) -> None:
    assert readers.ask("ann", m.Create(room="books", once=OTHER_ONCE)).code == "room_taken"


def test_a_create_without_a_token_is_never_a_repetition(table: Table) -> None:
    table.seat("ann")
    codes = [getattr(table.ask("ann", m.Create(room="books")), "code", "") for _ in range(2)]
    assert codes == ["", "room_taken"]


def test_a_create_by_somebody_else_is_not_a_repetition(readers: Table) -> None:
    assert readers.ask("bob", m.Create(room="books", once=ONCE)).code == "room_taken"


def test_one_token_for_two_rooms_makes_both(readers: Table) -> None:
    assert readers.ask("ann", m.Create(room="films", once=ONCE)).room.id == "films"


def test_a_room_whose_commit_failed_is_not_there(table: Table) -> None:
    table.seat("ann")
    refused = table.turn(("ann", m.Create(room="books", once=ONCE)), fails=True).to("ann")
    assert (refused.code, refused.verdict) == ("store", "later")
    assert table.ask("ann", m.Room(room="books")).code == "no_room"


def test_a_room_whose_commit_failed_is_made_by_the_next_try(table: Table) -> None:
    table.seat("ann")
    table.turn(("ann", m.Create(room="books", once=ONCE)), fails=True)
    assert table.ask("ann", m.Create(room="books", once=ONCE)).room.head == table.head("books")
    assert [event.seq for event in table.log.events["books"]] == [1, 2]


def test_a_new_room_changes_the_number_of_the_directory(readers: Table) -> None:
    before = readers.ask("bob", m.Ping()).directory
    readers.ask("ann", m.Create(room="films"))
    assert readers.ask("bob", m.Ping()).directory == before + 1


# ---- join ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whoever_joins_is_a_member(readers: Table, spelling: str) -> None:
    joined = readers.ask("bob", m.Join(room=spelling))
    assert (joined.room.id, joined.room.mine, joined.room.members, joined.seq) == ("books", True, 2, 3)


def test_the_log_says_who_joined(readers: Table) -> None:
    (event,) = readers.turn(("bob", m.Join(room="books"))).events("books")
    assert (event.seq, event.kind, event.author, event.name) == (3, "joined", "u2", "bob")


def test_joining_twice_changes_nothing(readers: Table) -> None:
    readers.ask("bob", m.Join(room="books"))
    told = readers.turn(("bob", m.Join(room="books")))
    assert (told.to("bob").seq, told.to("bob").room.mine) == (0, True)
    assert not told.batch


def test_joining_twice_in_one_batch_is_one_event(readers: Table) -> None:
    told = readers.turn(("bob", m.Join(room="books")), ("bob", m.Join(room="books")))
    assert [reply.seq for reply in told.replies["bob"]] == [3, 0]
    assert len(told.events("books")) == 1


def test_a_member_is_one_after_a_restart(either: Table) -> None:
    either.seat("ann", "bob")
    either.ask("ann", m.Create(room="books"))
    either.ask("bob", m.Join(room="books"))
    assert [room.id for room in either.restart().hello("bob").rooms] == ["books", "lobby"]


@pytest.mark.parametrize("request_", [m.Join(room="nowhere"), m.Leave(room="nowhere"), m.Room(room="nowhere")])
def test_what_is_asked_of_no_room_is_refused(readers: Table, request_: m.AnyRequest) -> None:
    told = readers.turn(("bob", request_))
    assert (told.to("bob").code, told.to("bob").verdict) == ("no_room", "final")
    assert not told.batch


# ---- leave ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whoever_leaves_is_no_member(readers: Table, spelling: str) -> None:
    left = readers.ask("ann", m.Leave(room=spelling))
    assert (left.room, left.seq) == ("books", 3)
    assert not readers.ask("ann", m.Room(room="books")).room.mine


def test_the_log_says_who_left(readers: Table) -> None:
    (event,) = readers.turn(("ann", m.Leave(room="books"))).events("books")
    assert (event.seq, event.kind, event.author, event.name) == (3, "left", "u1", "ann")


def test_leaving_twice_changes_nothing(readers: Table) -> None:
    readers.ask("ann", m.Leave(room="books"))
    told = readers.turn(("ann", m.Leave(room="books")))
    assert (told.to("ann").room, told.to("ann").seq) == ("books", 0)
    assert not told.batch


def test_whoever_left_may_not_write(readers: Table) -> None:
    readers.ask("ann", m.Leave(room="books"))
    assert readers.post("ann", "books", "one more thing").code == "not_member"


def test_whoever_left_may_join_again(readers: Table) -> None:
    readers.ask("ann", m.Leave(room="books"))
    assert readers.ask("ann", m.Join(room="books")).seq == 4


def test_whoever_joined_and_left_in_one_batch_is_no_member(either: Table) -> None:
    either.seat("ann", "bob")
    either.ask("ann", m.Create(room="books"))
    told = either.turn(("bob", m.Join(room="books")), ("bob", m.Leave(room="books")))
    assert [event.kind for event in told.events("books")] == ["joined", "left"]
    assert [room.id for room in either.restart().hello("bob").rooms] == ["lobby"]


def test_whoever_left_is_no_member_after_a_restart(either: Table) -> None:
    either.seat("ann")
    either.ask("ann", m.Leave(room="lobby"))
    assert either.restart().hello("ann").rooms == []


def test_a_failed_commit_undoes_joining_and_leaving(readers: Table) -> None:
    readers.turn(("ann", m.Leave(room="books")), ("bob", m.Join(room="books")), fails=True)
    assert readers.ask("ann", m.Room(room="books")).members == [("u1", "ann")]


def test_who_joined_and_left_in_a_failed_batch_is_as_before(readers: Table) -> None:
    readers.turn(("bob", m.Join(room="books")), ("bob", m.Leave(room="books")), fails=True)
    assert readers.ask("ann", m.Room(room="books")).members == [("u1", "ann")]


# ---- one room ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_room_is_described(readers: Table, spelling: str) -> None:
    room = readers.ask("bob", m.Room(room=spelling)).room
    assert (room.id, room.head, room.first, room.members, room.mine) == ("books", readers.head("books"), 1, 1, False)


def test_the_members_of_a_room_are_told_by_name(table: Table) -> None:
    table.seat("cid", "ann")
    table.hello("bob", "Bob")
    table.ask("ann", m.Bye())
    assert table.ask("cid", m.Room(room="lobby")).members == [("u2", "ann"), ("u3", "Bob"), ("u1", "cid")]


def test_a_room_is_described_as_of_after_the_batch(readers: Table) -> None:
    told = readers.turn(("bob", m.Room(room="books")), ("ann", m.Leave(room="books")))
    assert (told.to("bob").room.head, told.to("bob").members) == (readers.head("books"), [])


# ---- the list ------------------------------------------------------------------------------------------------------


def test_rooms_are_listed_in_the_order_of_their_ids(readers: Table) -> None:
    readers.ask("bob", m.Create(room="art"))
    reply = readers.ask("bob", m.Rooms())
    listed = [(room.id, room.members, room.mine, room.head) for room in reply.rooms]
    assert listed == [
        ("art", 1, True, readers.head("art")),
        ("books", 1, False, readers.head("books")),
        ("lobby", 2, True, readers.head("lobby")),
    ]
    assert not reply.more


def test_rooms_are_listed_after_an_id(readers: Table) -> None:
    assert [room.id for room in readers.ask("bob", m.Rooms(after="books")).rooms] == ["lobby"]


def test_nothing_is_listed_after_the_last_id(readers: Table) -> None:
    reply = readers.ask("bob", m.Rooms(after="lobby"))
    assert (reply.rooms, reply.more) == ([], False)


def test_a_room_made_later_in_the_batch_is_listed(table: Table) -> None:
    table.seat("ann", "bob")
    told = table.turn(("bob", m.Rooms()), ("ann", m.Create(room="books")))
    assert [room.id for room in told.to("bob").rooms] == ["books", "lobby"]


def test_a_room_whose_commit_failed_is_not_listed(table: Table) -> None:
    table.seat("ann", "bob")
    told = table.turn(("ann", m.Create(room="books")), ("bob", m.Rooms()), fails=True)
    assert [room.id for room in told.to("bob").rooms] == ["lobby"]


@pytest.mark.parametrize(("rooms", "pages"), [(999, [999]), (1000, [1000]), (1001, [1000, 1]), (2002, [1000, 1000, 2])])
def test_rooms_are_listed_in_pages_of_a_thousand(table: Table, rooms: int, pages: list[int]) -> None:
    table.seat("ann")
    table.turn(*(("ann", m.Create(room=f"r{number:04}")) for number in range(1, rooms)))
    found: list[list[m.RoomInfo]] = []
    more = True
    while more:
        reply = table.ask("ann", m.Rooms(after=found[-1][-1].id if found else ""))
        found.append(reply.rooms)
        more = reply.more
    assert [len(page) for page in found] == pages
    ids = [room.id for page in found for room in page]
    assert ids == ["lobby", *(f"r{number:04}" for number in range(1, rooms))]
