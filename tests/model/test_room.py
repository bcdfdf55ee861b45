"""One room: events as lines, and its window of the log."""

import msgspec
import pytest
from msgspec import Raw

from chat_client.model.lines import Me, line_of
from chat_client.model.room import ASIDE, SLACK, WINDOW, RoomState, fits
from chat_core import messages as m
from tests.client.network import history
from tests.model.hall import BOB, CAROL, ME, Hall
from tests.model.rooms import ANN, conversation, numbers, room_with

# ---- events as lines -----------------------------------------------------------------------------------------------


def said(text: str, me: bool = False, author: str = BOB) -> m.Event:
    """A message as an event."""
    return Hall("lobby").add(author, text, 5, me=me)


def test_a_message_is_a_line() -> None:
    line = line_of(said("hello"), ANN)
    assert (line.key, line.kind, line.text, line.time) == ("1", "message", "hello", 5)
    assert (line.author, line.name, line.seq, line.mine) == (BOB, "Bob", 1, False)
    assert (line.mention, line.state) == (False, "")


def test_a_message_that_says_what_its_author_does_is_another_kind_of_line() -> None:
    assert line_of(said("waves", me=True), ANN).kind == "me"


def test_a_message_that_speaks_to_me_is_a_mention_unless_it_is_mine() -> None:
    assert line_of(said("hello @Ann"), ANN).mention
    assert line_of(said("Ann, hello"), ANN).mention
    assert not line_of(said("hello Ann"), ANN).mention
    assert not line_of(said("hello @Annabel"), ANN).mention
    assert not line_of(said("hello @Ann", author=ME), ANN).mention
    assert not line_of(said("hello @Ann"), Me(ME, "")).mention


@pytest.mark.parametrize(("kind", "text"), [
    ("joined", "Bob joined the room"),
    ("left", "Bob left the room"),
    ("created", "Bob created the room"),
    ("pinned", "Bob did something that this version does not know (pinned)"),
])  # fmt: skip
def test_an_event_is_a_sentence(kind: str, text: str) -> None:
    line = line_of(Hall("lobby").add(BOB, "", 5, kind), ANN)
    assert (line.kind, line.text, line.mine) == ("event", text, False)


def test_a_message_of_a_later_version_is_a_sentence_too() -> None:
    event = msgspec.structs.replace(said("hello"), body=Raw(b'{"poll": []}'))
    assert line_of(event, ANN).kind == "event"


# ---- pieces of the log ---------------------------------------------------------------------------------------------


def test_a_piece_without_holes_fits() -> None:
    log = history(10)
    assert fits(log)
    assert fits(log[3:7])
    assert fits(log[3:4])


def test_a_piece_with_a_hole_or_of_two_histories_does_not_fit() -> None:
    log, other = history(10), history(10, text="other")
    assert not fits([])
    assert not fits(log[:3] + log[4:])
    assert not fits(log[:5] + other[5:])
    assert not fits(log[::-1])
    forged = msgspec.structs.replace(log[4], name="Eve")
    assert not fits([log[3], forged])


def test_events_arrive_once_and_in_order() -> None:
    log = history(10)
    room = room_with(log[:5])
    room.arrived(log[3:7], ANN, {}, False)
    room.arrived(log[8:], ANN, {}, False)
    assert numbers(room) == [1, 2, 3, 4, 5, 6, 7]
    assert (room.have, room.chain) == (7, log[6].chain)


def test_older_events_come_before_the_lines() -> None:
    log = history(30)
    room = room_with(log[20:])
    assert room.older(log[10:21], ANN, {})
    assert numbers(room) == list(range(11, 31))


@pytest.mark.parametrize("piece", [slice(10, 20), slice(10, 22), slice(0, 0)])
def test_older_events_that_do_not_end_at_the_first_line_are_not_taken(piece: slice) -> None:
    log = history(30)
    room = room_with(log[20:])
    assert not room.older(log[piece], ANN, {})
    assert numbers(room) == list(range(21, 31))


def test_older_events_of_another_history_are_not_taken() -> None:
    room = room_with(history(30)[20:])
    assert not room.older(history(21, text="other")[10:], ANN, {})


def test_a_room_without_lines_has_nothing_older_or_newer() -> None:
    room = RoomState("lobby", "lobby")
    assert not room.older(history(3), ANN, {})
    assert not room.newer(history(3), ANN, {})


def test_a_piece_further_up_replaces_the_lines_and_newer_ones_follow_it() -> None:
    log = history(60)
    room = room_with(log[40:])
    assert room.show(log[:10], ANN, {})
    assert not room.at_end
    assert numbers(room) == list(range(1, 11))
    assert room.newer(log[9:20], ANN, {})
    assert not room.at_end
    assert not room.newer(log[30:40], ANN, {})
    assert room.newer(log[19:60], ANN, {})
    assert room.at_end
    assert numbers(room) == list(range(1, 61))


def test_what_arrives_while_one_reads_further_up_joins_the_end_when_that_is_shown() -> None:
    log = history(60)
    room = room_with(log[40:50])
    room.show(log[:10], ANN, {})
    room.arrived(log[50:], ANN, {}, False)
    assert numbers(room) == list(range(1, 11))
    assert room.show(log[45:50], ANN, {})  # what was asked for before those came in
    assert numbers(room) == list(range(46, 61))
    assert room.at_end


def test_what_arrives_while_a_piece_is_fetched_stays_behind_it() -> None:
    log = history(60)
    room = room_with(log[55:58])
    room.arrived(log[58:], ANN, {}, False)
    assert room.show(log[40:57], ANN, {})
    assert numbers(room) == list(range(41, 61))
    assert room.at_end


def test_a_piece_far_from_the_end_leaves_the_end_out() -> None:
    log = history(60)
    room = room_with(log[50:])
    assert room.show(log[10:30], ANN, {})
    assert numbers(room) == list(range(11, 31))
    assert not room.at_end


def test_a_piece_with_a_hole_is_not_shown() -> None:
    log = history(60)
    room = room_with(log[50:])
    assert not room.show(log[:5] + log[6:9], ANN, {})
    assert numbers(room) == list(range(51, 61))


# ---- bounds --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_log() -> list[m.Event]:
    """More than a window holds twice."""
    return history(2 * WINDOW + 2 * SLACK)


def test_at_the_end_the_oldest_lines_go(long_log: list[m.Event]) -> None:
    room = room_with(long_log[: WINDOW + SLACK])
    room.trim(True, True)
    assert len(room.lines) == WINDOW + SLACK
    room.arrived(long_log[WINDOW + SLACK : WINDOW + SLACK + 1], ANN, {}, False)
    room.trim(True, True)
    assert len(room.lines) == WINDOW
    assert room.highest == WINDOW + SLACK + 1


def test_a_room_aside_keeps_its_last_lines(long_log: list[m.Event]) -> None:
    room = room_with(long_log[: 2 * ASIDE + 1])
    room.trim(False, True)
    assert numbers(room) == list(range(ASIDE + 2, 2 * ASIDE + 2))
    room.put_aside()
    assert len(room.lines) == ASIDE


def test_who_reads_further_up_keeps_their_place_and_loses_the_end(long_log: list[m.Event]) -> None:
    room = room_with(long_log[: 2 * WINDOW])
    room.trim(True, False)
    assert room.at_end
    room.arrived(long_log[2 * WINDOW : 2 * WINDOW + 1], ANN, {}, False)
    room.trim(True, False)
    assert (room.lowest, room.highest, room.at_end) == (1, WINDOW, False)
    room.arrived(long_log[2 * WINDOW + 1 :], ANN, {}, False)
    room.trim(True, False)
    assert room.highest == WINDOW
    assert len(room._recent) <= 2 * ASIDE


def test_with_older_lines_the_end_goes_and_comes_again(long_log: list[m.Event]) -> None:
    room = room_with(long_log[SLACK + 10 : SLACK + 10 + WINDOW])
    assert room.older(long_log[: SLACK + 11], ANN, {})
    assert (room.lowest, room.highest, room.at_end) == (1, WINDOW, False)
    # The last lines are still there: they join as soon as nothing is missing between.
    assert room.newer(long_log[WINDOW - 1 : WINDOW + SLACK + 10 - ASIDE], ANN, {})
    assert (room.lowest, room.highest, room.at_end) == (SLACK + 11, WINDOW + SLACK + 10, True)


def test_a_room_put_aside_away_from_its_end_begins_anew(long_log: list[m.Event]) -> None:
    room = room_with(long_log[50:100])
    room.show(long_log[:10], ANN, {})
    room.put_aside()
    assert (room.lines, room.at_end, room.loaded) == ([], True, False)
    room.arrived(long_log[100:102], ANN, {}, False)
    assert numbers(room) == [101, 102]


# ---- other histories -----------------------------------------------------------------------------------------------


def test_what_never_happened_goes_with_what_was_unread_of_it() -> None:
    room = room_with(conversation(BOB, BOB, ME, BOB, BOB))
    room.rewound(3)
    assert (numbers(room), room.have, room.chain, room.unread) == ([1, 2, 3], 3, None, 2)
    assert room.at_end
    room.rewound(1)
    assert (room.unread, room.new_from) == (1, 1)


def test_the_new_rule_goes_with_its_event() -> None:
    log = conversation(BOB, BOB, BOB)
    room = room_with(log[:2], looking=True)
    room.arrived(log[2:], ANN, {}, False)
    assert room.new_from == 3
    room.rewound(2)
    assert room.new_from == 0


def test_what_was_read_of_another_history_counts_no_more() -> None:
    room = room_with(conversation(BOB, BOB, BOB), looking=True)
    room.rewound(1)
    assert room.read == 1
    room.arrived(conversation(BOB, CAROL)[1:], ANN, {}, False)
    assert (room.unread, room.new_from) == (1, 2)


def test_a_piece_further_up_stays_a_piece_when_the_end_is_another() -> None:
    log, other = history(60), history(10, after=history(40)[-1], text="other")
    room = room_with(log[45:])
    room.show(log[:20], ANN, {})
    room.rewound(40)
    assert (numbers(room), room.at_end) == (list(range(1, 21)), False)
    room.arrived(other, ANN, {}, False)
    assert numbers(room) == list(range(1, 21))
    room.rewound(10)
    assert (numbers(room), room.at_end) == (list(range(1, 11)), True)


def test_a_history_without_anything_that_is_shown_is_to_be_loaded_anew() -> None:
    room = room_with(history(60)[30:])
    room.rewound(20)
    assert (room.lines, room.loaded, room.at_end) == ([], False, True)


def test_mentions_go_with_the_messages() -> None:
    hall = Hall("lobby")
    for text in ("@Ann?", "hello", "@Ann!"):
        hall.add(BOB, text, 5)
    room = room_with(hall.log)
    room.rewound(2)
    assert (room.unread, room.mentions) == (2, 1)
