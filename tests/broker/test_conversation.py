"""What is said in a room: checked, counted once, appended without holes."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from chat_broker import conversation, tables
from chat_core import messages as m
from chat_core import names, wire
from chat_core.chain import chain_of
from chat_core.errors import RefusedError
from chat_core.names import TEXT_BYTES
from tests.broker.table import OTHER_SENDER, SENDER, START_TIME, MemoryLog, Table, bare, message, said


@pytest.fixture
def talk(table: Table) -> Table:
    """Ann and Bob are in the lobby, whose head is 3."""
    return table.seat("ann", "bob")


@pytest.fixture
def kept_talk(either: Table) -> Table:
    """The same, in memory and in a database."""
    return either.seat("ann", "bob")


# ---- the log -------------------------------------------------------------------------------------------------------


def test_a_post_is_acknowledged_with_its_number(talk: Table) -> None:
    posted = talk.post("ann", "lobby", "hi", SENDER, 1)
    assert (posted.room, posted.seq, posted.time) == ("lobby", 4, START_TIME)


def test_an_event_says_everything_about_the_post(talk: Table) -> None:
    before = talk.head()[1]
    (event,) = talk.turn(("bob", message("hi", sender=SENDER, n=1))).events()
    assert (event.room, event.seq, event.time, event.kind) == ("lobby", 4, START_TIME, "message")
    assert (event.author, event.name, event.sender, event.n) == ("u2", "bob", SENDER, 1)
    assert bytes(event.body) == b'{"text":"hi"}'
    assert event.chain == chain_of(before, "lobby", 4, START_TIME, "u2", "bob", SENDER, 1, "message")


def test_a_message_may_say_what_its_author_does(talk: Table) -> None:
    body = Raw(b'{"me":true,"text":"waves","more":1}')
    (event,) = talk.turn(("ann", m.Post(room="lobby", body=body))).events()
    assert bytes(event.body) == b'{"text":"waves","me":true}'


def test_events_of_a_room_are_numbered_without_holes(talk: Table) -> None:
    assert [talk.post("ann", "lobby", "hi").seq for _ in range(3)] == [4, 5, 6]


def test_events_of_a_batch_are_numbered_without_holes(talk: Table) -> None:
    told = talk.turn(*((who, message("hi")) for who in ("ann", "bob", "ann", "bob")))
    assert [event.seq for event in told.events()] == [4, 5, 6, 7]


def test_each_room_counts_for_itself(talk: Table) -> None:
    talk.ask("ann", m.Create(room="books"))
    told = talk.turn(*(("ann", message("hi", room)) for room in ("lobby", "books", "lobby")))
    assert [event.seq for event in told.events("lobby")] == [4, 5]
    assert [event.seq for event in told.events("books")] == [3]


def test_numbers_go_on_after_a_restart(kept_talk: Table) -> None:
    kept_talk.post("ann", "lobby", "hi")
    assert kept_talk.restart().seat("ann").post("ann", "lobby", "again").seq == 5


def test_the_chain_goes_on_after_a_restart(kept_talk: Table) -> None:
    before = kept_talk.head()[1]
    (event,) = kept_talk.restart().seat("ann").turn(("ann", message("hi"))).events()
    assert event.chain == chain_of(before, "lobby", 4, event.time, "u1", "ann", "", 0, "message")


def test_a_failed_commit_leaves_no_hole(talk: Table) -> None:
    talk.turn(("ann", message("lost")), fails=True)
    assert talk.post("ann", "lobby", "hi").seq == 4


def test_the_events_of_a_room_leave_as_one_feed_message_a_batch(talk: Table) -> None:
    talk.ask("ann", m.Create(room="books"))
    told = talk.turn(*((who, message("hi")) for who in ("ann", "bob")), ("ann", message("hi", "books")))
    assert told.topics == ["room/lobby", "room/books"]


def test_events_beyond_256_kib_leave_as_several_feed_messages(talk: Table) -> None:
    told = talk.turn(*(("ann", message("x" * TEXT_BYTES)) for _ in range(70)))
    pieces = [[event.seq for event in events] for events in told.on("room/lobby")]
    assert len(pieces) == 3
    assert [seq for piece in pieces for seq in piece] == list(range(4, 74))


def test_a_batch_that_was_not_committed_is_not_broadcast(talk: Table) -> None:
    assert talk.turn(("ann", message("lost")), fails=True).feed == []


def test_time_does_not_go_back_with_the_clock(talk: Table) -> None:
    talk.clock -= 60_000
    assert talk.post("ann", "lobby", "hi").time == START_TIME


def test_time_does_not_go_back_over_a_restart(kept_talk: Table) -> None:
    kept_talk.clock -= 60_000
    assert kept_talk.restart().seat("ann").post("ann", "lobby", "hi").time == START_TIME


def test_a_post_names_its_room_in_any_spelling(talk: Table) -> None:
    assert talk.post("ann", "#Lobby", "hi").room == "lobby"


# ---- numbers -------------------------------------------------------------------------------------------------------


def test_posts_without_a_sender_are_never_repetitions(talk: Table) -> None:
    assert [talk.post("ann", "lobby", "hi", n=1).seq for _ in range(2)] == [4, 5]


def test_a_number_without_a_sender_is_not_kept(talk: Table) -> None:
    (event,) = talk.turn(("ann", message("hi", n=7))).events()
    assert (event.sender, event.n) == ("", 0)


@pytest.mark.parametrize("n", [0, 2, 3, 2**53 - 1])
def test_a_sender_begins_with_one(talk: Table, n: int) -> None:
    told = talk.turn(("ann", message("hi", sender=SENDER, n=n)))
    refused = told.to("ann")
    assert (refused.code, refused.verdict, refused.expected) == ("expected", "later", 1)
    assert not told.batch


@pytest.mark.parametrize("n", [0, 3, 9])
def test_a_sender_goes_on_with_the_next_number(talk: Table, n: int) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    refused = talk.post("ann", "lobby", "ho", SENDER, n)
    assert (refused.code, refused.verdict, refused.expected) == ("expected", "later", 2)


def test_the_next_number_is_known_after_a_restart(kept_talk: Table) -> None:
    for n in (1, 2):
        kept_talk.post("ann", "lobby", "hi", SENDER, n)
    again = kept_talk.restart().seat("ann")
    assert again.post("ann", "lobby", "hi", SENDER, 4).expected == 3
    assert again.post("ann", "lobby", "hi", SENDER, 3).seq == 6


def test_a_number_that_was_skipped_may_come_later_in_the_batch(talk: Table) -> None:
    told = talk.turn(*(("ann", message(f"{n}", sender=SENDER, n=n)) for n in (1, 3, 2)))
    assert [type(reply) for reply in told.replies["ann"]] == [m.Posted, m.Posted, m.Refused]
    assert [event.n for event in told.events()] == [1, 2]


def test_senders_that_memory_forgot_are_known_from_the_log(kept_talk: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SENDERS_IN_MEMORY", 10)
    many = [f"{number:016x}" for number in range(30)]
    first = [kept_talk.post("ann", "lobby", "hi", sender, 1) for sender in many]
    assert len(kept_talk.tables.senders) <= 10
    assert [bare(kept_talk.post("ann", "lobby", "hi", sender, 1)) for sender in many] == [bare(one) for one in first]
    assert {kept_talk.post("bob", "lobby", "ho", sender, 2).code for sender in many} == {"foreign_sender"}
    assert [kept_talk.post("ann", "lobby", "ho", sender, 2).seq for sender in many] == list(range(34, 64))


def test_two_senders_of_one_user_count_apart(talk: Table) -> None:
    assert talk.post("ann", "lobby", "hi", SENDER, 1).seq == 4
    assert talk.post("ann", "lobby", "hi", OTHER_SENDER, 1).seq == 5


def test_a_sender_may_come_by_another_connection_of_its_user(talk: Table) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    assert talk.seat("ann/2").post("ann/2", "lobby", "ho", SENDER, 2).seq == 5


def test_a_sender_may_write_in_several_rooms(talk: Table) -> None:
    talk.ask("ann", m.Create(room="books"))
    told = talk.turn(*(("ann", message("hi", room, SENDER, n)) for n, room in enumerate(("lobby", "books"), 1)))
    assert [reply.room for reply in told.replies["ann"]] == ["lobby", "books"]


# ---- repetitions ---------------------------------------------------------------------------------------------------


def test_a_repeated_number_gets_the_same_answer(talk: Table) -> None:
    first = talk.post("ann", "lobby", "hi", SENDER, 1)
    talk.clock += 5000
    assert bare(talk.post("ann", "lobby", "hi", SENDER, 1)) == bare(first)


def test_a_repeated_number_is_not_another_event(talk: Table) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    told = talk.turn(("ann", message("hi", sender=SENDER, n=1)))
    assert not told.batch
    assert told.feed == []


def test_a_repeated_number_gets_the_same_answer_in_the_same_batch(talk: Table) -> None:
    told = talk.turn(*(("ann", message("hi", sender=SENDER, n=1)) for _ in range(3)))
    first, *others = told.replies["ann"]
    assert [bare(other) for other in others] == [bare(first)] * 2
    assert len(told.events()) == 1


def test_an_older_number_gets_the_same_answer_in_a_batch_with_newer_ones(talk: Table) -> None:
    first = talk.post("ann", "lobby", "1", SENDER, 1)
    told = talk.turn(*(("ann", message(f"{n}", sender=SENDER, n=n)) for n in (2, 1, 3, 2)))
    by_place = told.replies["ann"]
    assert bare(by_place[1]) == bare(first)
    assert bare(by_place[3]) == bare(by_place[0])
    assert [event.n for event in told.events()] == [2, 3]


def test_every_number_gets_the_same_answer_after_a_restart(kept_talk: Table) -> None:
    kept_talk.ask("ann", m.Create(room="books"))
    first: list[m.Reply] = []
    posts = [(n, "books" if n % 3 else "lobby") for n in range(1, 10)]
    for some in (posts[:4], posts[4:5], posts[5:]):
        kept_talk.clock += 1000
        first += kept_talk.turn(*(("ann", message(f"{n}", room, SENDER, n)) for n, room in some)).replies["ann"]
    told = kept_talk.restart().seat("ann").turn(*(("ann", message(f"{n}", room, SENDER, n)) for n, room in posts))
    assert [bare(reply) for reply in told.replies["ann"]] == [bare(reply) for reply in first]
    assert not told.batch


def test_a_repeated_number_gets_the_same_answer_after_its_author_left_the_room(talk: Table) -> None:
    first = talk.post("ann", "lobby", "hi", SENDER, 1)
    talk.ask("ann", m.Leave(room="lobby"))
    assert bare(talk.post("ann", "lobby", "hi", SENDER, 1)) == bare(first)


OTHER_CONTENT = {
    "text": message("ho", sender=SENDER, n=1),
    "room": message("hi", "books", SENDER, 1),
    "kind": m.Post(room="lobby", kind="edit", body=said("hi"), sender=SENDER, n=1),
}


@pytest.mark.parametrize("other", OTHER_CONTENT.values(), ids=OTHER_CONTENT)
def test_a_repeated_number_with_other_content_is_a_conflict(talk: Table, other: m.Post) -> None:
    talk.ask("ann", m.Create(room="books"))
    talk.post("ann", "lobby", "hi", SENDER, 1)
    told = talk.turn(("ann", other))
    assert (told.to("ann").code, told.to("ann").verdict) == ("conflict", "final")
    assert not told.batch


def test_a_conflict_is_seen_in_the_same_batch(talk: Table) -> None:
    told = talk.turn(("ann", message("hi", sender=SENDER, n=1)), ("ann", message("ho", sender=SENDER, n=1)))
    assert {type(reply) for reply in told.replies["ann"]} == {m.Posted, m.Refused}
    assert len(told.events()) == 1


def test_a_conflict_is_seen_after_a_restart(kept_talk: Table) -> None:
    kept_talk.post("ann", "lobby", "hi", SENDER, 1)
    assert kept_talk.restart().seat("ann").post("ann", "lobby", "ho", SENDER, 1).code == "conflict"


def test_a_conflict_spends_nothing(talk: Table) -> None:
    first = talk.post("ann", "lobby", "hi", SENDER, 1)
    talk.post("ann", "lobby", "ho", SENDER, 1)
    assert bare(talk.post("ann", "lobby", "hi", SENDER, 1)) == bare(first)
    assert talk.post("ann", "lobby", "ho", SENDER, 2).seq == 5


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_sender_of_somebody_else_is_refused(talk: Table, n: int) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    told = talk.turn(("bob", message("hi", sender=SENDER, n=n)))
    assert (told.to("bob").code, told.to("bob").verdict) == ("foreign_sender", "final")
    assert not told.batch


def test_a_sender_of_somebody_else_is_refused_in_the_same_batch(talk: Table) -> None:
    told = talk.turn(("ann", message("hi", sender=SENDER, n=1)), ("bob", message("ho", sender=SENDER, n=2)))
    assert told.to("bob").code == "foreign_sender"


def test_a_sender_of_somebody_else_is_refused_after_a_restart(kept_talk: Table) -> None:
    kept_talk.post("ann", "lobby", "hi", SENDER, 1)
    assert kept_talk.restart().seat("bob").post("bob", "lobby", "hi", SENDER, 2).code == "foreign_sender"


def test_a_sender_goes_on_after_somebody_else_tried_it(talk: Table) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    talk.post("bob", "lobby", "ho", SENDER, 2)
    assert talk.post("ann", "lobby", "ho", SENDER, 2).seq == 5


# ---- refusals for good ---------------------------------------------------------------------------------------------


def numbered(body: Raw, room: str = "lobby", kind: str = "message") -> Callable[[], m.Post]:
    """Makes the first post of the sender."""
    return lambda: m.Post(room=room, kind=kind, body=body, sender=SENDER, n=1)


REFUSED_FOR_GOOD = {
    "no_room": numbered(said("hi"), room="nowhere"),
    "not_member": numbered(said("hi"), room="books"),
    "unknown_kind": numbered(said("hi"), kind="edit"),
    "body_bad": numbered(Raw(b'{"text":1}')),
    "text_empty": numbered(said(" ")),
    "text_long": numbered(said("x" * (TEXT_BYTES + 1))),
    "text_bad": numbered(said("\0")),
}


@pytest.fixture
def books(kept_talk: Table) -> Table:
    """The lobby, and a room that only Bob is in."""
    kept_talk.ask("bob", m.Create(room="books"))
    return kept_talk


@pytest.mark.parametrize("code", REFUSED_FOR_GOOD)
def test_a_refusal_for_good_spends_the_number(books: Table, code: str) -> None:
    refused = books.ask("ann", REFUSED_FOR_GOOD[code]())
    assert (refused.code, refused.verdict) == (code, "final")
    assert books.post("ann", "lobby", "and now?", SENDER, 2).seq == 4


@pytest.mark.parametrize("code", REFUSED_FOR_GOOD)
def test_a_refusal_for_good_is_repeated_for_ever(books: Table, code: str) -> None:
    refused = books.ask("ann", REFUSED_FOR_GOOD[code]())
    for table in (books, books.restart().seat("ann")):
        told = table.turn(("ann", REFUSED_FOR_GOOD[code]()))
        assert bare(told.to("ann")) == bare(refused)
        assert not told.batch


@pytest.mark.parametrize("code", REFUSED_FOR_GOOD)
def test_a_refusal_for_good_is_repeated_in_the_same_batch(books: Table, code: str) -> None:
    told = books.turn(*(("ann", REFUSED_FOR_GOOD[code]()) for _ in range(2)))
    first, again = told.replies["ann"]
    assert bare(first) == bare(again)
    assert told.feed == []


def test_a_refusal_for_good_stands_though_its_cause_is_gone(books: Table) -> None:
    books.ask("ann", REFUSED_FOR_GOOD["not_member"]())
    books.ask("ann", m.Join(room="books"))
    assert books.ask("ann", REFUSED_FOR_GOOD["not_member"]()).code == "not_member"


def test_a_number_that_was_refused_for_good_conflicts_with_other_content(books: Table) -> None:
    books.ask("ann", REFUSED_FOR_GOOD["text_empty"]())
    assert books.post("ann", "lobby", "better", SENDER, 1).code == "conflict"


def test_a_refusal_for_good_holds_up_nothing_in_its_batch(talk: Table) -> None:
    texts = ["one", " ", "three"]
    told = talk.turn(*(("ann", message(text, sender=SENDER, n=n)) for n, text in enumerate(texts, 1)))
    assert [type(reply) for reply in told.replies["ann"]] == [m.Posted, m.Refused, m.Posted]
    assert [event.n for event in told.events()] == [1, 3]


@pytest.mark.parametrize("code", REFUSED_FOR_GOOD)
def test_a_refusal_without_a_sender_stores_nothing(talk: Table, code: str) -> None:
    talk.ask("bob", m.Create(room="books"))
    request = REFUSED_FOR_GOOD[code]()
    request.sender = ""
    told = talk.turn(("ann", request))
    assert told.to("ann").code == code
    assert not told.batch


# ---- refusals for now ----------------------------------------------------------------------------------------------


def test_a_post_whose_commit_failed_is_refused_for_now(talk: Table) -> None:
    refused = talk.turn(("ann", message("hi", sender=SENDER, n=1)), fails=True).to("ann")
    assert (refused.code, refused.verdict) == ("store", "later")


def test_a_post_without_a_sender_whose_commit_failed_is_refused_for_now(talk: Table) -> None:
    refused = talk.turn(("ann", message("hi")), fails=True).to("ann")
    assert (refused.code, refused.verdict) == ("store", "later")


def test_a_post_whose_commit_failed_spends_nothing(talk: Table) -> None:
    talk.post("ann", "lobby", "1", SENDER, 1)
    talk.turn(*(("ann", message(f"{n}", sender=SENDER, n=n)) for n in (2, 3)), fails=True)
    assert talk.post("ann", "lobby", "other text", SENDER, 2).seq == 5


def test_a_repetition_in_a_batch_whose_commit_failed_is_refused_for_now(talk: Table) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    refused = talk.turn(("bob", message("hi")), ("ann", message("hi", sender=SENDER, n=1)), fails=True).to("ann")
    assert (refused.code, refused.verdict) == ("store", "later")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_refusal_in_a_batch_whose_commit_failed_is_for_now(talk: Table, n: int) -> None:
    # "conflict" and "foreign_sender" may rest on what was undone.
    told = talk.turn(("ann", message("hi", sender=SENDER, n=1)), ("bob", message("ho", sender=SENDER, n=n)), fails=True)
    assert (told.to("bob").code, told.to("bob").verdict) == ("store", "later")


def test_a_sender_in_a_batch_whose_commit_failed_belongs_to_nobody(talk: Table) -> None:
    talk.turn(("ann", message("hi", sender=SENDER, n=1)), fails=True)
    assert talk.post("bob", "lobby", "mine", SENDER, 1).seq == 4


def test_a_refusal_for_good_in_a_batch_whose_commit_failed_spends_nothing(talk: Table) -> None:
    refused = talk.turn(("ann", message(" ", sender=SENDER, n=1)), fails=True).to("ann")
    assert (refused.code, refused.verdict) == ("store", "later")
    assert talk.post("ann", "lobby", "better", SENDER, 1).seq == 4


def test_a_post_before_hello_spends_nothing(table: Table) -> None:
    assert table.post("ann", "lobby", "early", SENDER, 1).code == "hello_first"
    assert table.seat("ann").post("ann", "lobby", "in time", SENDER, 1).seq == 3


def test_a_refusal_for_now_of_what_is_said_spends_nothing(talk: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(_: str) -> None:
        raise RefusedError("busy", "Not so fast.")

    with monkeypatch.context() as patch:
        patch.setattr(names, "check_text", too_much)
        told = talk.turn(("ann", message("hï", sender=SENDER, n=1)))
    assert (told.to("ann").code, told.to("ann").verdict) == ("busy", "later")
    assert not told.batch
    assert talk.post("ann", "lobby", "hï", SENDER, 1).seq == 4


def test_a_log_that_cannot_be_read_refuses_for_now(talk: Table) -> None:
    talk.post("ann", "lobby", "hi", SENDER, 1)
    log: MemoryLog = talk.log
    log.broken = True
    told = talk.turn(("ann", message("hi", sender=SENDER, n=1)), ("bob", message("hi", sender=OTHER_SENDER, n=1)))
    for who in ("ann", "bob"):
        assert (told.to(who).code, told.to(who).verdict) == ("store", "later")
    assert not told.batch


def test_a_log_that_can_be_read_again_knows_what_was_spent(talk: Table) -> None:
    first = talk.post("ann", "lobby", "hi", SENDER, 1)
    log: MemoryLog = talk.log
    log.broken = True
    talk.post("ann", "lobby", "hi", SENDER, 1)
    log.broken = False
    assert bare(talk.post("ann", "lobby", "hi", SENDER, 1)) == bare(first)


# ---- texts and bodies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\t \n", "\u3000", "\u200b", "\u2060", "\ufeff", "\u200b \u200d"], ids=ascii
)
def test_a_blank_text_is_refused(talk: Table, text: str) -> None:
    assert talk.post("ann", "lobby", text).code == "text_empty"


@pytest.mark.parametrize("text", ["x" * (TEXT_BYTES + 1), "é" * (TEXT_BYTES // 2 + 1), "😀" * (TEXT_BYTES // 4 + 1)])
def test_a_text_over_8_kib_is_refused(talk: Table, text: str) -> None:
    assert talk.post("ann", "lobby", text).code == "text_long"


@pytest.mark.parametrize(
    "text", ["x" * TEXT_BYTES, "é" * (TEXT_BYTES // 2), "😀" * (TEXT_BYTES // 4), '"' * TEXT_BYTES]
)
def test_a_text_of_8_kib_is_posted(talk: Table, text: str) -> None:
    assert talk.post("ann", "lobby", text).seq == 4


@pytest.mark.parametrize("bad", ["\0", "\a", "\b", "\r", "\x0b", "\x1b[2J", "\x7f", "\x85", "\x9b"], ids=ascii)
def test_a_text_with_control_characters_is_refused(talk: Table, bad: str) -> None:
    assert talk.post("ann", "lobby", f"before {bad} after").code == "text_bad"


@pytest.mark.parametrize(
    "text", ["a\tb\nc", " indented", "עברית", "👩‍🚀", "trailing\n", "\u202eback", "'; DROP TABLE log"]
)
def test_a_text_is_posted_as_it_is(talk: Table, text: str) -> None:
    (event,) = talk.turn(("ann", message(text))).events()
    assert bytes(event.body) == bytes(said(text))


@pytest.mark.parametrize("kind", ["", "joined", "left", "created", "Message", "edit", "x" * 200])
def test_a_kind_that_clients_may_not_post_is_refused(talk: Table, kind: str) -> None:
    refused = talk.ask("ann", m.Post(room="lobby", kind=kind, body=said("hi")))
    assert (refused.code, refused.verdict) == ("unknown_kind", "final")


@pytest.mark.parametrize("body", [b"{}", b'{"text":1}', b'{"text":null}', b"[]", b'"hi"', b"null", b'{"Text":"hi"}'])
def test_a_body_of_the_wrong_shape_is_refused(talk: Table, body: bytes) -> None:
    refused = talk.ask("ann", m.Post(room="lobby", body=Raw(body)))
    assert (refused.code, refused.verdict) == ("body_bad", "final")


def test_what_is_unknown_in_a_body_is_not_kept(talk: Table) -> None:
    (event,) = talk.turn(("ann", m.Post(room="lobby", body=Raw(b'{ "html": "<b>", "text": "hi" }')))).events()
    assert bytes(event.body) == b'{"text":"hi"}'


def test_nobody_speaks_under_a_name_that_the_post_brings(talk: Table) -> None:
    request = b'{"type":"post","room":"lobby","body":{"text":"hi"},"name":"bob","author":"u2","user":"u2"}'
    (event,) = talk.turn(("ann", wire.decode_request(request))).events()
    assert (event.author, event.name) == ("u1", "ann")


# ---- rights --------------------------------------------------------------------------------------------------------


def test_whoever_is_not_a_member_may_not_write(talk: Table) -> None:
    talk.ask("bob", m.Create(room="books"))
    refused = talk.post("ann", "books", "hi")
    assert (refused.code, refused.verdict) == ("not_member", "final")


def test_whoever_joined_in_the_same_batch_may_write(talk: Table) -> None:
    talk.ask("bob", m.Create(room="books"))
    told = talk.turn(("ann", m.Join(room="books")), ("ann", message("hi", "books")))
    assert [event.kind for event in told.events("books")] == ["joined", "message"]


def test_whoever_created_the_room_in_the_same_batch_may_write(talk: Table) -> None:
    told = talk.turn(("ann", m.Create(room="books")), ("ann", message("hi", "books")))
    assert [event.kind for event in told.events("books")] == ["created", "joined", "message"]


def test_a_post_to_no_room_is_refused(talk: Table) -> None:
    refused = talk.post("ann", "nowhere", "hi")
    assert (refused.code, refused.verdict) == ("no_room", "final")


def test_a_repeat_may_spell_the_room_otherwise(talk: Table) -> None:
    first = talk.post("ann", "lobby", "hi", SENDER, 1)
    assert talk.post("ann", "#LOBBY", "hi", SENDER, 1).seq == first.seq


def test_the_digest_of_a_text_depends_on_the_databases_secret() -> None:
    digests = []
    for salt in (b"one", b"two"):
        table = Table(salt=salt).seat("ann")
        batch = table.turn(("ann", message("hi", sender=SENDER, n=1))).batch
        digests.append(batch.runs[SENDER].outcomes[0].digest)
    assert digests[0] != digests[1]


# ---- which texts are let in -----------------------------------------------------------------------------------------

TEXTS = st.text(st.sampled_from(' a"\\/\t\n\x00\x1f\x7f\x80é\u200b\u2028'), max_size=4)
LONG = st.integers(TEXT_BYTES - 13, TEXT_BYTES + 1).map("x".__mul__)


@given(TEXTS | LONG)
def test_a_text_is_let_in_just_when_the_rules_for_texts_say_so(text: str) -> None:
    """Most are let in by a look at their bytes."""
    body = wire.encode(m.Message(text))
    assert outcome(lambda: conversation._checked_body("message", Raw(body))) == (
        outcome(lambda: names.check_text(text)) or body
    )


def outcome(check: Callable[[], bytes | None]) -> bytes | str | None:
    """What a check returns, or the code of its refusal."""
    try:
        return check()
    except RefusedError as error:
        return error.code
