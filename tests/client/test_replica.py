"""The local copy of rooms: always one piece of one history, whatever processes do to it at once and disks to them."""

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw, structs

from chat_client.replica import _SCHEMA, FILE, SCHEMA_VERSION, About, Kept, Replica
from chat_core.chain import START, chain_of
from chat_core.errors import IdentityError
from chat_core.messages import Event
from tests.client.network import history

HOME, OTHER_HOME = "home-a", "home-b"
LOG = history(20)
FORK = [*LOG[:8], *history(12, after=LOG[7], text="other")]  # the same up to event 8

Opener = Callable[[], Replica]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Opens copies of one identity, closed at the end."""
    copies: list[Replica] = []

    def open_one() -> Replica:
        copies.append(Replica(tmp_path))
        return copies[-1]

    yield open_one
    for copy in copies:
        copy.close()


@pytest.fixture
def copy(opened: Opener) -> Replica:
    """A copy without anything."""
    return opened()


def kept(copy: Replica, room: str = "lobby", home: str = HOME) -> Kept:
    """What is known of a room that is there."""
    (found,) = [one for one in copy.rooms(home) if one.room == room]
    return found


def held(copy: Replica, room: str = "lobby", home: str = HOME) -> list[Event]:
    """Every event that is held."""
    return copy.tail(home, room, 1000)


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def rechained(event: Event, before: str, **changes: Any) -> Event:
    """An event with other fields, rightly chained."""
    e = structs.replace(event, **changes)
    chain = chain_of(
        before, e.room, e.seq, e.time, e.author, e.name, e.sender, e.n, e.kind, e.target, e.thread, e.expires
    )
    return structs.replace(e, chain=chain)


def log_of(*posts: tuple[str, str]) -> list[Event]:
    """A log of (kind, author)."""
    events: list[Event] = []
    for seq, (kind, author) in enumerate(posts, 1):
        before = events[-1].chain if events else START
        events.append(rechained(LOG[0], before, seq=seq, kind=kind, author=author))
    return events


def spoil(file: Path, content: bytes, offset: int = 0) -> None:
    """Write into a file, in another process: closing it here would let go of SQLite's locks."""
    program = "import os, sys; os.pwrite(os.open(sys.argv[1], os.O_RDWR), bytes.fromhex(sys.argv[2]), int(sys.argv[3]))"
    subprocess.run([sys.executable, "-c", program, str(file), content.hex(), str(offset)], check=True, timeout=60)


class Answers:
    """A function that gives another answer the first time."""

    def __init__(self, first: object, then: Callable[[], object]) -> None:
        self.first: list[object] = [first]
        self.then = then

    def __call__(self) -> object:
        return self.first.pop() if self.first else self.then()


# ---- events are taken where they fit ---------------------------------------------------------------------------


def test_what_is_appended_is_held_and_comes_back_as_it_was(copy: Replica, opened: Opener) -> None:
    full = Event(
        "lobby",
        1,
        2,
        "u1",
        "Ännchen 🦆",
        "message",
        "",
        "ab" * 8,
        3,
        4,
        5,
        6,
        Raw(b'{"text":"\\u0041 \xf0\x9f\xa6\x86"}'),
    )
    events = [rechained(full, START)]
    events.append(rechained(full, events[0].chain, seq=2, body=Raw(b"{}")))
    assert copy.append(HOME, "lobby", events)
    copy.close()
    again = opened()
    assert held(again) == events
    assert kept(again) == Kept("lobby", "lobby", 1, 2, events[1].chain, 0, "", False)


def test_a_room_without_events_has_none(copy: Replica) -> None:
    copy.enter(HOME, "lobby", "Lobby", True)
    assert kept(copy) == Kept("lobby", "Lobby", 1, 0, None, 0, "", True)
    for room in ("lobby", "nowhere"):
        assert held(copy, room) == copy.points(HOME, room) == []
        assert copy.read_range(HOME, room, 0, 1) is None
        assert copy.unread(HOME, room, "u9") == 0


def test_appending_goes_on_where_it_ended(copy: Replica) -> None:
    assert copy.append(HOME, "lobby", LOG[:5])
    assert copy.append(HOME, "lobby", LOG[5:6])
    assert copy.append(HOME, "lobby", [])
    assert held(copy) == LOG[:6]


def test_a_room_may_begin_in_the_middle_and_grow_in_both_directions(copy: Replica) -> None:
    assert copy.append(HOME, "lobby", LOG[10:12])
    assert copy.prepend(HOME, "lobby", LOG[6:10])
    assert copy.append(HOME, "lobby", LOG[12:15])
    assert copy.prepend(HOME, "lobby", LOG[:6])
    assert held(copy) == LOG[:15]


def test_events_that_are_held_are_skipped(copy: Replica) -> None:
    copy.append(HOME, "lobby", LOG[4:10])
    assert copy.append(HOME, "lobby", LOG[4:10])
    assert copy.append(HOME, "lobby", LOG[7:12])
    assert copy.prepend(HOME, "lobby", LOG[2:6])
    assert copy.prepend(HOME, "lobby", LOG[5:6])
    assert copy.prepend(HOME, "lobby", [])
    assert held(copy) == LOG[2:12]


ELSEWHERE = history(20, room="den")


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(LOG[11:13], id="behind a gap"),
        pytest.param(LOG[3:13], id="from before the first one"),
        pytest.param(LOG[1:3], id="older ones"),
        pytest.param(FORK[10:12], id="of another history"),
        pytest.param(FORK[7:12], id="held, then another history"),
        pytest.param(FORK[8:10], id="held, but otherwise"),
        pytest.param([*LOG[8:11], *LOG[12:14]], id="with a hole"),
        pytest.param([LOG[10], LOG[10]], id="twice the same"),
        pytest.param([LOG[11], LOG[10]], id="in the wrong order"),
        pytest.param([LOG[10], FORK[11]], id="a part of another history"),
        pytest.param([structs.replace(LOG[10], chain="0" * 16)], id="wrongly chained"),
        pytest.param([structs.replace(LOG[10], name="forged")], id="forged"),
        pytest.param([rechained(LOG[11], LOG[9].chain)], id="a number left out, though rightly chained"),
        pytest.param([LOG[10], rechained(LOG[12], LOG[10].chain)], id="a number left out on the way"),
        pytest.param([rechained(LOG[10], LOG[9].chain, room="den")], id="of another room"),
        pytest.param(ELSEWHERE[6:8], id="held, of another room"),
    ],
)
def test_what_does_not_fit_behind_is_not_appended(copy: Replica, events: list[Event]) -> None:
    copy.append(HOME, "lobby", LOG[4:10])
    before = copy.rooms(HOME)
    assert not copy.append(HOME, "lobby", events)
    assert (held(copy), copy.rooms(HOME)) == (LOG[4:10], before)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(LOG[3:7], id="before a gap"),
        pytest.param(FORK[6:10], id="before another history"),
        pytest.param(FORK[8:11], id="of another history"),
        pytest.param([*LOG[5:8], *LOG[9:10]], id="with a hole"),
        pytest.param([LOG[9], LOG[8]], id="in the wrong order"),
        pytest.param([FORK[8], LOG[9]], id="a part of another history"),
        pytest.param(LOG[8:16], id="past the last one"),
        pytest.param(LOG[15:17], id="newer ones"),
        pytest.param(ELSEWHERE[8:10], id="of another room"),
        pytest.param([structs.replace(LOG[9], chain="0" * 16)], id="wrongly chained"),
    ],
)
def test_what_does_not_fit_before_is_not_prepended(copy: Replica, events: list[Event]) -> None:
    copy.append(HOME, "lobby", LOG[10:15])
    assert not copy.prepend(HOME, "lobby", events)
    assert held(copy) == LOG[10:15]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([LOG[4], LOG[6]], id="with a hole"),
        pytest.param([LOG[7], FORK[8], LOG[9]], id="of two histories"),
        pytest.param([structs.replace(LOG[0], name="forged")], id="a forged beginning"),
        pytest.param([structs.replace(LOG[0], seq=0)], id="before the first"),
        pytest.param(ELSEWHERE[:2], id="of another room"),
    ],
)
def test_no_room_begins_with_what_is_no_history(copy: Replica, events: list[Event]) -> None:
    assert not copy.append(HOME, "lobby", events)
    assert copy.rooms(HOME) == []  # nothing was written, not even the room


def test_the_very_first_event_is_checked_when_it_is_prepended_as_well(copy: Replica) -> None:
    forged = rechained(LOG[0], "f" * 16)
    later = rechained(LOG[1], forged.chain)
    assert copy.append(HOME, "lobby", [later])
    assert not copy.prepend(HOME, "lobby", [forged])


def test_a_number_left_out_is_a_hole_though_it_is_rightly_chained(copy: Replica) -> None:
    copy.append(HOME, "lobby", [rechained(LOG[10], LOG[3].chain)])
    assert not copy.prepend(HOME, "lobby", LOG[2:4])


def test_nothing_is_prepended_to_nothing(copy: Replica) -> None:
    copy.enter(HOME, "lobby", "lobby", True)
    assert not copy.prepend(HOME, "lobby", LOG[:3])
    assert not copy.prepend(HOME, "nowhere", LOG[:3])
    assert held(copy) == []


# ---- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "upto", "whole"),
    [(4, 10, True), (5, 6, True), (7, 7, True), (0, 0, True), (3, 10, False), (4, 11, False), (0, 2**53, False)],
)
def test_a_range_is_given_whole_or_not_at_all(copy: Replica, after: int, upto: int, whole: bool) -> None:
    copy.append(HOME, "lobby", LOG[4:10])
    assert copy.read_range(HOME, "lobby", after, upto) == (LOG[after:upto] if whole else None)


@pytest.mark.parametrize(("count", "first"), [(3, 8), (6, 5), (100, 5), (0, 11), (-1, 11)])
def test_the_last_events_and_points_are_those_before_the_end(copy: Replica, count: int, first: int) -> None:
    copy.append(HOME, "lobby", LOG[4:10])
    assert copy.tail(HOME, "lobby", count) == LOG[first - 1 : 10]
    assert copy.points(HOME, "lobby", count) == [(event.seq, event.chain) for event in LOG[first - 1 : 10]]


# ---- what never happened ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seq", "left"), [(20, range(5, 13)), (12, range(5, 13)), (8, range(5, 9)), (5, [5]), (4, []), (0, [])]
)
def test_what_is_rewound_never_happened(copy: Replica, seq: int, left: list[int]) -> None:
    copy.append(HOME, "lobby", LOG[4:12])
    copy.set_read(HOME, "lobby", 11)
    copy.rewind(HOME, "lobby", seq)
    assert seqs(held(copy)) == list(left)
    room = kept(copy)
    assert (room.first, room.have) == ((5, left[-1]) if left else (1, 0))
    assert room.chain == (LOG[left[-1] - 1].chain if left else None)
    assert room.read == min(seq, 11)


def test_behind_a_common_point_another_history_goes_on(copy: Replica) -> None:
    copy.append(HOME, "lobby", LOG)
    copy.rewind(HOME, "lobby", 8)
    assert not copy.append(HOME, "lobby", LOG[9:])
    assert copy.append(HOME, "lobby", FORK[5:])
    assert held(copy) == FORK


def test_a_room_that_is_not_there_is_not_made_by_rewinding(copy: Replica) -> None:
    copy.rewind(HOME, "lobby", 0)
    assert copy.rooms(HOME) == []


# ---- rooms and brokers -----------------------------------------------------------------------------------------


def test_entering_a_room_again_leaves_what_it_has(copy: Replica) -> None:
    copy.enter(HOME, "lobby", "lobby", True)
    copy.append(HOME, "lobby", LOG[:3])
    copy.set_read(HOME, "lobby", 2)
    copy.set_draft(HOME, "lobby", "I was about to")
    copy.enter(HOME, "lobby", "The Lobby", False)
    assert kept(copy) == Kept("lobby", "The Lobby", 1, 3, LOG[2].chain, 2, "I was about to", False)
    assert held(copy) == LOG[:3]


def test_a_forgotten_room_is_gone_and_the_others_are_not(tmp_path: Path, copy: Replica) -> None:
    for home, room, log in ((HOME, "lobby", LOG), (HOME, "den", ELSEWHERE), (OTHER_HOME, "lobby", FORK)):
        copy.append(home, room, log)
        copy.set_draft(home, room, "draft")
    copy.forget(HOME, "lobby")
    copy.forget(HOME, "nowhere")
    assert [room.room for room in copy.rooms(HOME)] == ["den"]
    assert (held(copy), held(copy, "den"), held(copy, home=OTHER_HOME)) == ([], ELSEWHERE, FORK)
    copy.enter(HOME, "lobby", "lobby", True)
    assert kept(copy) == Kept("lobby", "lobby", 1, 0, None, 0, "", True)
    sql = sqlite3.connect(tmp_path / FILE)
    assert sql.execute("SELECT count(*) FROM events").fetchone() == (40,)  # nothing takes room unseen
    sql.close()


def test_rooms_come_in_the_order_of_their_ids_and_are_kept_for_each_broker(copy: Replica) -> None:
    for room in ("lobby", "den", "čaj"):
        copy.enter(HOME, room, room.upper(), room != "den")
    copy.enter(OTHER_HOME, "attic", "attic", True)
    found = [(room.room, room.name, room.mine) for room in copy.rooms(HOME)]
    assert found == [("den", "DEN", False), ("lobby", "LOBBY", True), ("čaj", "ČAJ", True)]
    assert [room.room for room in copy.rooms(OTHER_HOME)] == ["attic"]
    assert copy.rooms("home-c") == []


def test_who_i_am_is_kept_for_each_broker(copy: Replica, opened: Opener) -> None:
    assert copy.about(HOME) is None
    copy.learn(HOME, "u3", "Ann", "the office")
    copy.learn(OTHER_HOME, "u1", "ann", "at home")
    copy.learn(HOME, "u3", "Ann", "the new office")
    assert opened().about(HOME) == About("u3", "Ann", "the new office")
    assert opened().about(OTHER_HOME) == About("u1", "ann", "at home")


def test_what_was_read_is_never_lowered(copy: Replica) -> None:
    for seq in (5, 3, 7, 0):
        copy.set_read(HOME, "lobby", seq)
    assert kept(copy).read == 7


@pytest.mark.parametrize("text", ["", "two\nlines", "nul \0 inside", "👩🏽‍🚀", "x" * 100_000])
def test_a_draft_is_kept_as_it_is(copy: Replica, opened: Opener, text: str) -> None:
    copy.set_draft(HOME, "lobby", "before")
    copy.set_draft(HOME, "lobby", text)
    assert kept(opened()).draft == text


def test_half_a_character_in_a_draft_does_not_cost_the_rest(copy: Replica) -> None:
    copy.set_draft(HOME, "lobby", "half \ud83d of it")
    assert kept(copy).draft == "half ? of it"


def test_unread_are_messages_of_others_behind_what_was_read(copy: Replica) -> None:
    posts = [("created", "u0"), ("message", "u2"), ("message", "u1"), ("joined", "u2"), ("message", "u2")]
    copy.append(HOME, "lobby", log_of(*posts, ("message", "u3")))
    copy.append(HOME, "den", history(4, room="den"))
    assert [copy.unread(HOME, "lobby", me) for me in ("u1", "u2", "u9")] == [3, 2, 4]
    copy.set_read(HOME, "lobby", 2)
    assert copy.unread(HOME, "lobby", "u1") == 2
    copy.set_read(HOME, "lobby", 6)
    assert copy.unread(HOME, "lobby", "u1") == 0


# ---- what can be wrong -----------------------------------------------------------------------------------------


def test_a_copy_of_a_newer_version_is_left_alone(tmp_path: Path, copy: Replica) -> None:
    copy.append(HOME, "lobby", LOG)
    copy.close()
    sql = sqlite3.connect(tmp_path / FILE)
    sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    sql.close()
    with pytest.raises(IdentityError, match="newer version"):
        Replica(tmp_path)
    sql = sqlite3.connect(tmp_path / FILE)
    assert sql.execute("SELECT count(*) FROM events").fetchone() == (20,)
    sql.close()


@pytest.mark.parametrize(
    "content", [b"I am a text, and not a short one." * 100, b"SQLite format 3\0" + b"\xee" * 4096, b"short"]
)
def test_a_file_that_is_no_database_is_moved_aside(tmp_path: Path, opened: Opener, content: bytes) -> None:
    for _ in range(2):
        (tmp_path / FILE).write_bytes(content)
        copy = opened()
        assert copy.append(HOME, "lobby", LOG)
        copy.close()
    assert held(opened()) == LOG
    assert [(tmp_path / f"{FILE}.broken-{number}").read_bytes() for number in (1, 2)] == [content] * 2


def test_a_database_of_something_else_is_moved_aside(tmp_path: Path, opened: Opener) -> None:
    sql = sqlite3.connect(tmp_path / FILE)
    sql.execute("CREATE TABLE rooms (chairs INTEGER)")
    sql.close()
    assert opened().rooms(HOME) == []
    assert (tmp_path / f"{FILE}.broken-1").exists()


def test_an_empty_file_is_a_new_copy(tmp_path: Path, opened: Opener) -> None:
    (tmp_path / FILE).touch()
    assert opened().append(HOME, "lobby", LOG)
    assert not (tmp_path / f"{FILE}.broken-1").exists()


@pytest.mark.skipif(os.name != "posix", reason="pwrite is POSIX's")
def test_damage_that_shows_only_in_use_is_said_once_and_the_copy_is_begun_anew(tmp_path: Path, opened: Opener) -> None:
    copy = opened()
    copy.append(HOME, "lobby", history(200))
    copy.close()
    copy = opened()
    spoil(tmp_path / FILE, b"\xee" * 4096 * 10, 4096 * 5)
    with pytest.raises(IdentityError, match="was broken"):
        copy.tail(HOME, "lobby", 200)
    assert copy.rooms(HOME) == []
    assert copy.append(HOME, "lobby", LOG)
    copy.close()
    assert held(opened()) == LOG


def test_an_event_that_cannot_be_read_again_is_damage_too(tmp_path: Path, copy: Replica, opened: Opener) -> None:
    copy.append(HOME, "lobby", LOG)
    copy._sql.execute("UPDATE events SET event = x'ff' WHERE seq = 7")
    with pytest.raises(IdentityError, match="was broken"):
        held(copy)
    assert copy.append(HOME, "lobby", LOG)
    assert held(opened()) == LOG


@pytest.mark.skipif(os.name != "posix", reason="a file that is open can be moved on POSIX only")
def test_when_one_moves_a_broken_file_aside_the_others_go_on_with_the_new_one(tmp_path: Path, opened: Opener) -> None:
    first = opened()
    first.append(HOME, "lobby", LOG)
    first.close()  # folds the write-ahead log into the file
    finder, other, idle = opened(), opened(), opened()
    assert held(idle) == LOG
    spoil(tmp_path / FILE, b"\xee" * 100)
    later = opened()
    later.append(HOME, "lobby", FORK)
    assert held(other) == held(finder) == FORK
    # Whoever was idle closes the old file; the new one's write-ahead log is left alone.
    idle.close()
    other.append(HOME, "den", ELSEWHERE)
    other.close()
    assert held(later, "den") == held(finder, "den") == ELSEWHERE
    assert held(opened()) == FORK
    assert [file.name for file in tmp_path.glob("*.broken-?")] == [f"{FILE}.broken-1"]


def test_of_two_that_find_the_same_damage_the_second_leaves_the_first_ones_new_file(
    tmp_path: Path, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(), opened()
    one.append(HOME, "lobby", LOG)
    one._sql.execute("UPDATE events SET event = x'ff'")
    moved = other._stamp()
    with pytest.raises(IdentityError, match="was broken"):
        held(one)
    one.append(HOME, "lobby", FORK)
    # The other one had begun to read just before.
    monkeypatch.setattr(other, "_stamp", Answers(moved, other._stamp))
    with pytest.raises(IdentityError, match="was broken"):
        held(other)
    assert held(one) == held(other) == FORK
    assert len(list(tmp_path.glob("*.broken-?"))) == 1


@pytest.mark.parametrize("write", [Replica.append, Replica.prepend], ids=["append", "prepend"])
def test_a_full_disk_is_said_nothing_is_written_and_with_room_again_it_is(
    opened: Opener, write: Callable[[Replica, str, str, list[Event]], bool]
) -> None:
    log = history(3000)
    copy = opened()
    copy.append(HOME, "lobby", log[1000:1010])
    copy.set_draft(HOME, "lobby", "half a sentence")
    before = kept(copy)
    events = log[1010:] if write is Replica.append else log[:1000]
    copy._sql.execute("PRAGMA max_page_count = 20")  # as full as a disk can be
    with pytest.raises(IdentityError, match="is the disk full"):
        write(copy, HOME, "lobby", events)
    assert (kept(copy), held(copy)) == (before, log[1000:1010])
    assert kept(opened()) == before
    copy._sql.execute("PRAGMA max_page_count = 100000")
    assert write(copy, HOME, "lobby", events)
    copy.close()
    room = kept(opened())
    assert (room.first, room.have) == ((1001, 3000) if write is Replica.append else (1, 1010))


def test_a_file_that_another_program_holds_is_said_so_and_can_be_read_meanwhile(tmp_path: Path, copy: Replica) -> None:
    copy.append(HOME, "lobby", LOG[:5])
    copy._sql.execute("PRAGMA busy_timeout = 1")
    holder = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(IdentityError, match="another program holds it"):
        copy.append(HOME, "lobby", LOG[5:])
    assert held(copy) == LOG[:5]
    holder.close()
    assert copy.append(HOME, "lobby", LOG[5:])


def test_a_folder_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am a file.")
    with pytest.raises(IdentityError, match="cannot be used"):
        Replica(tmp_path / "file")
    (tmp_path / FILE).mkdir()
    with pytest.raises(IdentityError, match="cannot be used"):
        Replica(tmp_path)


def test_our_own_faults_are_not_called_a_broken_file(tmp_path: Path, copy: Replica) -> None:
    copy.append(HOME, "lobby", LOG)
    with ThreadPoolExecutor(1) as another, pytest.raises(sqlite3.ProgrammingError):
        another.submit(copy.rooms, HOME).result()
    copy.close()
    with pytest.raises(sqlite3.ProgrammingError):
        copy.rooms(HOME)
    assert not list(tmp_path.glob("*.broken-?"))


def test_after_an_event_that_cannot_be_written_the_copy_is_as_before(copy: Replica) -> None:
    with pytest.raises(UnicodeEncodeError):
        copy.append(HOME, "lobby", [structs.replace(LOG[4], name="half \ud83d")])
    assert copy.rooms(HOME) == []
    assert copy.append(HOME, "lobby", LOG)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_their_owner_can_read_the_files(tmp_path: Path, copy: Replica) -> None:
    copy.append(HOME, "lobby", LOG)
    files = [file for file in tmp_path.iterdir() if file.name.startswith(FILE)]
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


# ---- several processes -----------------------------------------------------------------------------------------


def test_what_one_writes_the_other_reads(opened: Opener) -> None:
    one, other = opened(), opened()
    assert one.append(HOME, "lobby", LOG[5:10])
    assert other.append(HOME, "lobby", LOG[8:12])
    assert one.append(HOME, "lobby", LOG[10:13])
    assert other.prepend(HOME, "lobby", LOG[:5])
    other.set_read(HOME, "lobby", 9)
    one.set_read(HOME, "lobby", 4)
    assert kept(one) == kept(other) == Kept("lobby", "lobby", 1, 13, LOG[12].chain, 9, "", False)


def test_what_one_took_back_the_other_does_not_write_behind(opened: Opener) -> None:
    one, other = opened(), opened()
    one.append(HOME, "lobby", LOG[:12])
    other.rewind(HOME, "lobby", 8)
    assert not one.append(HOME, "lobby", LOG[12:14])
    assert other.append(HOME, "lobby", FORK[8:14])
    assert not one.append(HOME, "lobby", LOG[12:16])
    assert held(one) == FORK[:14]


def test_nobody_writes_between_the_look_at_what_is_held_and_the_writing(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = opened(), opened()
    one.append(HOME, "lobby", LOG[:10])
    other._sql.execute("PRAGMA busy_timeout = 1")
    look = one._held

    def look_slowly(home: str, room: str) -> object:
        found = look(home, room)
        with pytest.raises(IdentityError, match="another program holds it"):
            other.rewind(HOME, "lobby", 8)
        return found

    monkeypatch.setattr(one, "_held", look_slowly)
    assert one.append(HOME, "lobby", LOG[10:])
    assert held(other) == LOG


def test_processes_that_open_a_new_copy_at_once_all_get_it(tmp_path: Path) -> None:
    together = Barrier(4)

    def write(folder: Path, room: str) -> None:
        together.wait(20)
        copy = Replica(folder)
        assert copy.append(HOME, room, history(5, room=room))
        copy.close()

    with ThreadPoolExecutor(4) as pool:
        for folder in [tmp_path / str(number) for number in range(8)]:
            folder.mkdir()
            (folder / FILE).write_bytes(b"And all of them find it broken." * 10)
            list(pool.map(write, [folder] * 4, ["attic", "den", "hall", "lobby"]))
            copy = Replica(folder)
            assert [room.have for room in copy.rooms(HOME)] == [5] * 4
            copy.close()
            assert len(list(folder.glob("*.broken-?"))) == 1


def test_two_that_write_at_the_very_same_time_leave_one_piece_of_one_history(tmp_path: Path) -> None:
    together = Barrier(2)

    def write(log: list[Event]) -> None:
        copy = Replica(tmp_path)
        together.wait(20)
        for number in range(150):
            start = number * 7 % 16
            copy.append(HOME, "lobby", log[start : start + 4])
            copy.prepend(HOME, "lobby", log[: start + 1])
            assert piece_of(held(copy)) is not None
            if number % 5 == 0:
                copy.rewind(HOME, "lobby", start)
        copy.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, [LOG, FORK]))


# ---- whatever happens ------------------------------------------------------------------------------------------


def piece_of(events: list[Event]) -> list[Event] | None:
    """The history of which these are one piece without holes; None: of no one."""
    if not events:
        return LOG
    start = events[0].seq - 1
    return next((log for log in (LOG, FORK) if log[start : start + len(events)] == events), None)


class Model:
    """What a room must hold, said with lists."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.read = 0
        self.draft = ""

    def append(self, events: list[Event]) -> bool:
        if not self.events:
            return self._become(events)
        first, have = self.events[0].seq, self.events[-1].seq
        fits = not events or first <= events[0].seq <= have + 1
        return fits and self._join(events, self.events + [event for event in events if event.seq > have])

    def prepend(self, events: list[Event]) -> bool:
        if not self.events or not events:
            return not events
        first, have = self.events[0].seq, self.events[-1].seq
        fits = first - 1 <= events[-1].seq <= have
        return fits and self._join(events, [event for event in events if event.seq < first] + self.events)

    def rewind(self, seq: int) -> None:
        self.events = [event for event in self.events if event.seq <= seq]
        self.read = min(self.read, seq)

    def _join(self, events: list[Event], whole: list[Event]) -> bool:
        """The held ones among the given ones must be the same, and all of them together one history."""
        return all(event in self.events for event in events if self._holds(event.seq)) and self._become(whole)

    def _holds(self, seq: int) -> bool:
        return self.events[0].seq <= seq <= self.events[-1].seq

    def _become(self, events: list[Event]) -> bool:
        if piece_of(events) is None:
            return False
        self.events = events
        return True


PIECE = st.tuples(st.integers(0, 19), st.integers(0, 9))
STEP = st.one_of(
    st.tuples(st.sampled_from(["append", "prepend"]), st.booleans(), PIECE),
    st.tuples(st.sampled_from(["next", "older"]), st.booleans(), st.integers(0, 6)),
    st.tuples(st.sampled_from(["rewind", "read"]), st.booleans(), st.integers(0, 22)),
    st.tuples(st.sampled_from(["forget", "enter", "draft", "reopen", "full"]), st.booleans(), st.integers(0, 3)),
)


@given(st.lists(st.tuples(st.booleans(), STEP), max_size=30))
@example([(True, ("append", True, (9, 3))), (False, ("prepend", False, (6, 3))), (False, ("prepend", True, (6, 3)))])
def test_whatever_two_processes_do_the_copy_is_one_piece_of_one_history(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        copies = [Replica(Path(name)) for _ in range(2)]
        model = Model()
        try:
            for who, (what, fork, value) in steps:
                copy, log = copies[who], FORK if fork else LOG
                if what in ("append", "prepend"):
                    events = log[value[0] : sum(value)]
                    assert getattr(copy, what)(HOME, "lobby", events) == getattr(model, what)(events)
                elif what == "next":
                    have = model.events[-1].seq if model.events else 0
                    events = log[max(have - value, 0) : have + value]
                    assert copy.append(HOME, "lobby", events) == model.append(events)
                elif what == "older":
                    first = model.events[0].seq if model.events else 1
                    events = log[max(first - 1 - value, 0) : first - 1 + value // 2]
                    assert copy.prepend(HOME, "lobby", events) == model.prepend(events)
                elif what == "rewind":
                    copy.rewind(HOME, "lobby", value)
                    model.rewind(value)
                elif what == "read":
                    copy.set_read(HOME, "lobby", value)
                    model.read = max(model.read, value)
                elif what == "forget":
                    copy.forget(HOME, "lobby")
                    model = Model()
                elif what == "enter":
                    copy.enter(HOME, "lobby", "lobby", fork)
                elif what == "draft":
                    copy.set_draft(HOME, "lobby", f"draft {value}")
                    model.draft = f"draft {value}"
                elif what == "reopen":
                    copy.close()
                    copies[who] = Replica(Path(name))
                elif what == "full":
                    copy._sql.execute("PRAGMA max_page_count = 1")
                    with pytest.raises(IdentityError, match="is the disk full"):
                        copy.set_draft(HOME, "lobby", "x" * 1_000_000)
                    copy._sql.execute("PRAGMA max_page_count = 100000")
                agree(copies, model)
        finally:
            for copy in copies:
                copy.close()


def agree(copies: list[Replica], model: Model) -> None:
    """Both copies hold what the model holds, and it is one piece of one history."""
    assert piece_of(model.events) is not None
    for copy in copies:
        assert held(copy) == model.events
        rooms = copy.rooms(HOME)
        assert rooms or not model.events
        for room in rooms:
            last = model.events[-1] if model.events else None
            first = model.events[0].seq if model.events else 1
            assert (room.first, room.have, room.chain) == (first, last.seq if last else 0, last and last.chain)
            assert (room.read, room.draft) == (model.read, model.draft)
            assert copy.unread(HOME, "lobby", "u9") == sum(event.seq > model.read for event in model.events)


# ---- walls, rooms that are closed, and what was deleted ------------------------------------------------------------

LONG = history(30)
BEHIND = LONG[19:]  # 20 to 30, of which nothing was to be read before


def test_what_comes_behind_a_wall_is_held_beside_what_was_before_it(copy: Replica, opened: Opener) -> None:
    assert copy.append(HOME, "lobby", LONG[:10])
    assert not copy.append(HOME, "lobby", BEHIND)
    copy.wall(HOME, "lobby", 10, 20)
    assert copy.append(HOME, "lobby", BEHIND[:3])
    assert copy.append(HOME, "lobby", BEHIND)
    assert held(opened()) == [*LONG[:10], *BEHIND]
    (room,) = copy.rooms(HOME)
    assert (room.first, room.have, room.walls) == (1, 30, {10: 20})


def test_a_wall_is_no_hole_where_one_reads_and_a_hole_is_one(copy: Replica) -> None:
    copy.append(HOME, "lobby", LONG[:10])
    copy.wall(HOME, "lobby", 10, 20)
    copy.append(HOME, "lobby", BEHIND)
    assert copy.read_range(HOME, "lobby", 8, 21) == [*LONG[8:10], *BEHIND[:2]]
    assert copy.read_range(HOME, "lobby", 12, 21) == BEHIND[:2]
    assert copy.read_range(HOME, "lobby", 8, 15) == LONG[8:10]
    assert copy.read_range(HOME, "lobby", 8, 31) is None


def test_no_other_number_fits_behind_a_wall(copy: Replica) -> None:
    copy.append(HOME, "lobby", LONG[:10])
    copy.wall(HOME, "lobby", 10, 20)
    assert not copy.append(HOME, "lobby", LONG[20:])
    assert not copy.append(HOME, "lobby", LONG[10:12]) or copy.rooms(HOME)[0].have == 12


def test_what_was_fetched_across_a_wall_is_kept_with_it(copy: Replica, opened: Opener) -> None:
    copy.append(HOME, "lobby", LONG[24:])
    assert not copy.prepend(HOME, "lobby", [*LONG[5:10], *BEHIND[:6]])
    assert copy.prepend(HOME, "lobby", [*LONG[5:10], *BEHIND[:6]], {10: 20})
    assert held(opened()) == [*LONG[5:10], *BEHIND]
    assert opened().rooms(HOME)[0].walls == {10: 20}


def test_another_history_takes_the_walls_behind_it_down(copy: Replica) -> None:
    copy.append(HOME, "lobby", LONG[:10])
    copy.wall(HOME, "lobby", 10, 20)
    copy.append(HOME, "lobby", BEHIND)
    copy.rewind(HOME, "lobby", 22)
    assert copy.rooms(HOME)[0].walls == {10: 20}
    copy.rewind(HOME, "lobby", 10)
    assert copy.rooms(HOME)[0].walls == {}


def test_a_room_that_is_closed_keeps_what_was_read_until_it_is_forgotten(copy: Replica, opened: Opener) -> None:
    copy.enter(HOME, "lobby", "Plan", True, "private")
    copy.append(HOME, "lobby", LONG[:10])
    copy.wall(HOME, "lobby", 10, 20)
    copy.close_room(HOME, "lobby", "You were removed.")
    (room,) = opened().rooms(HOME)
    assert (room.kind, room.closed, room.have, room.mine) == ("private", "You were removed.", 10, True)
    copy.enter(HOME, "lobby", "Plan", True, "private")
    assert copy.rooms(HOME)[0].closed == ""
    copy.forget(HOME, "lobby")
    copy.enter(HOME, "lobby", "Plan", True)
    assert copy.rooms(HOME)[0].walls == {}


def deletion(of: int, after: Event) -> Event:
    """The event that deletes another one, next in the log."""
    seq = after.seq + 1
    chain = chain_of(after.chain, "lobby", seq, 1000, "u1", "ann", "", 0, "deleted", of)
    return Event("lobby", seq, 1000, "u1", "ann", "deleted", chain, target=of)


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_deleted_is_not_on_this_disk_any_more(
    tmp_path: Path, copy: Replica, opened: Opener, at_once: bool
) -> None:
    last = deletion(4, LONG[9])
    if at_once:
        copy.append(HOME, "lobby", [*LONG[:10], last])
    else:
        copy.append(HOME, "lobby", LONG[:10])
        copy.append(HOME, "lobby", [last])
    other = opened()
    now = held(other)
    assert [bytes(event.body) for event in now if event.seq == 4] == [b'{"text":"","deleted":true}']
    assert [event.chain for event in now] == [event.chain for event in (*LONG[:10], last)]
    other.close()
    copy.close()
    assert b'said 4"' not in (tmp_path / FILE).read_bytes()
    assert b'said 5"' in (tmp_path / FILE).read_bytes()


def test_what_was_deleted_is_blank_too_if_it_is_fetched_from_before_that(copy: Replica) -> None:
    copy.append(HOME, "lobby", [*LONG[7:10], deletion(4, LONG[9])])
    assert copy.prepend(HOME, "lobby", LONG[:8])
    assert bytes(copy.tail(HOME, "lobby", 20)[3].body) == b'{"text":"","deleted":true}'


def test_a_copy_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    sql = sqlite3.connect(tmp_path / FILE)
    sql.executescript(_SCHEMA)
    sql.execute("PRAGMA user_version = 1")
    sql.execute("INSERT INTO rooms (home, room, name) VALUES (?, 'lobby', 'Lobby')", (HOME,))
    sql.commit()
    sql.close()
    copy = Replica(tmp_path)
    (room,) = copy.rooms(HOME)
    assert (room.name, room.kind, room.closed, room.walls) == ("Lobby", "open", "", {})
    copy.close()
