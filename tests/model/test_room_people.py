"""One room: what is unread, own messages on their way, who is a member, what passes by."""

import msgspec
import pytest

from chat_client.model.lines import line_of
from chat_client.model.room import EXTRAS, PASSING_NAMES, RoomState
from chat_client.model.shown import Line
from chat_core import messages as m
from tests.client.network import history
from tests.model.hall import BOB, CAROL, ME, Hall
from tests.model.rooms import ANN, conversation, pending, room_with, texts

# ---- what is unread ------------------------------------------------------------------------------------------------


def test_messages_of_others_are_unread() -> None:
    room = room_with(conversation(BOB, ME, "-", CAROL))
    assert (room.unread, room.new_from, room.below) == (2, 1, 2)
    assert room.mark_read()
    assert (room.read, room.unread, room.below) == (4, 0, 0)
    assert not room.mark_read()


def test_messages_that_somebody_sees_are_read() -> None:
    room = room_with(conversation(BOB, CAROL), looking=True)
    assert (room.read, room.unread, room.new_from) == (2, 0, 0)


def test_what_was_read_elsewhere_is_not_unread() -> None:
    room = RoomState("lobby", "lobby", read=2)
    room.arrived(conversation(BOB, BOB, ME, BOB), ANN, {}, False)
    assert (room.unread, room.new_from) == (1, 4)


def test_mentions_are_counted_apart() -> None:
    hall = Hall("lobby")
    for text in ("hello Ann", "hello @Ann", "Ann, hello"):
        hall.add(BOB, text, 5)
    room = room_with(hall.log)
    assert (room.unread, room.mentions) == (3, 2)


# ---- own messages --------------------------------------------------------------------------------------------------


def own(hall: Hall, n: int, text: str) -> m.Event:
    """An own message in the log."""
    return hall.add(ME, text, 5, post=("5e", n))


def test_an_own_message_in_the_log_takes_the_place_of_its_line() -> None:
    room, hall = RoomState("lobby", "lobby"), Hall("lobby")
    pending(room, "p1", "mine")
    room.arrived([own(hall, 1, "mine")], ANN, {("5e", 1): "p1"}, False)
    assert [(line.key, line.state, line.seq) for line in room.shown()] == [("p1", "sent", 1)]
    assert not room.pending


def test_own_messages_stand_behind_the_log() -> None:
    room = room_with(conversation(BOB))
    pending(room, "p1", "mine")
    room.arrived(conversation(BOB, BOB), ANN, {}, False)
    assert [line.key for line in room.shown()] == ["1", "2", "p1"]


def test_a_line_that_would_pass_another_one_is_a_new_line() -> None:
    room, hall = RoomState("lobby", "lobby"), Hall("lobby")
    pending(room, "p1", "refused")
    pending(room, "p2", "mine")
    room.arrived([own(hall, 2, "mine")], ANN, {("5e", 1): "p1", ("5e", 2): "p2"}, False)
    assert [(line.key, line.state) for line in room.shown()] == [("1", "sent"), ("p1", "sending")]


def test_own_messages_are_shown_at_the_end_only() -> None:
    log = history(30)
    room = room_with(log[15:])
    pending(room, "p1", "mine")
    room.show(log[:10], ANN, {})
    assert "mine" not in texts(room)
    room.show(log[20:], ANN, {})
    assert texts(room)[-1] == "mine"


def test_an_own_message_that_is_found_in_a_piece_is_not_on_its_way_any_more() -> None:
    hall = Hall("lobby")
    log = [hall.add(BOB, "hello", 5), own(hall, 1, "mine"), hall.add(BOB, "bye", 5)]
    for take in ("show", "older", "newer"):
        room = RoomState("lobby", "lobby", have=3)
        room.lines = [line_of(log[2], ANN)] if take == "older" else [line_of(log[0], ANN)]
        room.at_end = take == "older"
        pending(room, "p1", "mine")
        assert getattr(room, take)(log, ANN, {("5e", 1): "p1"})
        assert texts(room) == ["hello", "mine", "bye"]


# ---- members -------------------------------------------------------------------------------------------------------


def test_members_follow_the_log() -> None:
    hall = Hall("lobby")
    hall.add(BOB, "", 5, "joined")
    hall.add(CAROL, "", 5, "joined")
    hall.add(BOB, "", 5, "left")
    room = RoomState("lobby", "lobby")
    room.set_members([(ME, "Ann"), (BOB, "Bob")], 1)
    room.arrived(hall.log, ANN, {}, False)
    assert room.members == {ME: "Ann", CAROL: "Carol"}


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_list_of_members_may_be_older_than_what_has_arrived(at: int) -> None:
    hall = Hall("lobby")
    hall.add(BOB, "", 5, "joined")
    hall.add(CAROL, "", 5, "joined")
    hall.add(BOB, "", 5, "left")
    as_of = [{ME: "Ann"}, {ME: "Ann", BOB: "Bob"}, {ME: "Ann", BOB: "Bob", CAROL: "Carol"}, {ME: "Ann", CAROL: "Carol"}]
    room = room_with(hall.log)
    room.set_members(as_of[at].items(), at)
    assert room.members == {ME: "Ann", CAROL: "Carol"}


def test_of_another_history_no_members_are_known() -> None:
    room = room_with(conversation("-", "-"))
    room.set_members([(BOB, "Bob")], 2)
    room.rewound(1)
    assert room.members is None
    room.set_members([(CAROL, "Carol")], 1)
    assert room.members == {CAROL: "Carol"}


# ---- notes and passing lines ---------------------------------------------------------------------------------------

NOTE, PASSING = Line("n1", "note", "by the way", 5), Line("n2", "passing", "", 5)


def test_a_note_stays_where_it_was_made() -> None:
    log = history(4)
    room = room_with(log[:2])
    room.note(NOTE)
    room.arrived(log[2:], ANN, {}, False)
    pending(room, "p1", "mine")
    assert texts(room) == ["said 1", "said 2", "by the way", "said 3", "said 4", "mine"]


def test_notes_go_with_the_lines_around_them() -> None:
    log = history(40)
    room = room_with(log[:5])
    room.note(NOTE)
    room.arrived(log[5:30], ANN, {}, False)
    room.show(log[20:30], ANN, {})
    assert "by the way" not in texts(room)
    room.older(log[4:21], ANN, {})
    assert texts(room)[:2] == ["said 5", "by the way"]
    room.put_aside()
    room = room_with(log[:5])
    room.note(NOTE)
    room.arrived(log[5:30], ANN, {}, False)
    room.lines = room.lines[20:]
    room.show(log[:3], ANN, {})
    assert texts(room) == ["said 1", "said 2", "said 3"]


def test_a_note_in_an_empty_room_is_shown() -> None:
    room = RoomState("lobby", "lobby")
    room.note(NOTE)
    assert texts(room) == ["by the way"]


def test_those_who_pass_by_are_told_in_one_line_until_something_is_said() -> None:
    log = history(4)
    room = room_with(log[:2])
    for name in ("Ann", "Bob"):
        room.passing(f"{name} has joined", PASSING)
    assert texts(room)[-1] == "Ann has joined · Bob has joined"
    room.arrived(log[2:], ANN, {}, False)
    room.passing("Ann has left", msgspec.structs.replace(PASSING, key="n3"))
    assert texts(room)[2:] == ["Ann has joined · Bob has joined", "said 3", "said 4", "Ann has left"]


def test_many_who_pass_by_are_counted() -> None:
    room = room_with(history(1))
    for number in range(PASSING_NAMES + 3):
        room.passing(f"p{number} has joined", PASSING)
    assert (
        texts(room)[-1] == "p0 has joined · p1 has joined · p2 has joined · p3 has joined · p4 has joined · and 3 more"
    )


def test_a_note_ends_a_passing_line() -> None:
    room = room_with(history(1))
    room.passing("Ann has joined", PASSING)
    room.note(NOTE)
    room.passing("Bob has joined", msgspec.structs.replace(PASSING, key="n3"))
    assert texts(room)[1:] == ["Ann has joined", "by the way", "Bob has joined"]


def test_old_notes_are_forgotten() -> None:
    room = room_with(history(1))
    for number in range(EXTRAS + 5):
        room.note(Line(f"n{number}", "note", str(number), 5))
    assert len(texts(room)) == 1 + EXTRAS


def test_notes_of_what_never_happened_stand_at_the_new_end() -> None:
    log = history(5)
    room = room_with(log)
    room.note(NOTE)
    room.rewound(2)
    room.arrived(log[2:3], ANN, {}, False)
    assert texts(room) == ["said 1", "said 2", "by the way", "said 3"]
