"""The outbox: what was typed is kept until it is settled, whatever happens to the process that kept it."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_client.flight import Row
from chat_client.outbox import FILE, POINTS_KEPT, SCHEMA_VERSION, KeyUsedError, Outbox
from chat_core.errors import IdentityError

HERE, THERE = "localhost:5555", "192.168.1.20:5555"
KEY = "ab" * 16

Opener = Callable[..., Outbox]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Opens outboxes of one identity, closed at the end."""
    boxes: list[Outbox] = []

    def open_one(address: str = HERE) -> Outbox:
        boxes.append(Outbox(tmp_path, address))
        return boxes[-1]

    yield open_one
    for box in boxes:
        box.close()


def say(box: Outbox, *texts: str, room: str = "lobby") -> list[Row]:
    return [box.add(room, "message", text.encode()) for text in texts]


def say_with_key(box: Outbox, text: str, n: int = 1, key: str = KEY) -> Row:
    return box.add("lobby", "message", text.encode(), key, n)


def bodies(rows: list[Row]) -> list[str]:
    return [row.body.decode() for row in rows]


def left(folder: Path) -> list[tuple[str, int, str]]:
    """What is on disk: (sender, n, home), in the order of writing."""
    sql = sqlite3.connect(folder / FILE)
    try:
        return sql.execute("SELECT sender, n, home FROM rows ORDER BY id").fetchall()
    finally:
        sql.close()


class OtherProcess:
    """A process with an outbox of its own that does what it is told, and can be killed."""

    PROGRAM = """
import sys
from pathlib import Path
from chat_client.outbox import Outbox
print("ready", flush=True)
sys.stdin.readline()
box = Outbox(Path(sys.argv[1]), sys.argv[2])
for line in sys.stdin:
    box.add("lobby", "message", line.strip().encode())
    print(line.strip(), flush=True)
box.close()
"""

    def __init__(self, folder: Path, address: str = HERE) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", self.PROGRAM, str(folder), address]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self._read("ready")

    def tell(self, *lines: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()

    def add(self, *texts: str) -> None:
        """Add posts; they are on disk when this returns."""
        self.tell(*texts)
        for text in texts:
            self._read(text)

    def finish(self) -> None:
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)

    def _read(self, text: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"{text}\n"


# ---- who sends what --------------------------------------------------------------------------------------------


def test_posts_are_numbered_from_one_for_each_process(opened: Opener) -> None:
    one, other = opened(), opened()
    assert [row.n for row in say(one, "a", "b") + say(other, "c") + say(one, "d")] == [1, 2, 1, 3]
    assert one.sender != other.sender
    assert not any(row.fixed for row in say(one, "e"))


def test_rows_outlive_their_process_and_the_next_one_adopts_them_in_the_order_written(opened: Opener) -> None:
    first = opened()
    rows = say(first, "one", "two", "three")
    first.close()
    second = opened()
    rows += say(second, "four")
    second.close()
    assert opened().adopt() == rows


def test_every_post_that_is_kept_waits_for_the_disk(opened: Opener) -> None:
    box = opened()
    for row in say(box, "one", "two"):
        assert box._sql.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        box.settle(row)
    assert box._sql.execute("PRAGMA synchronous").fetchone() == (2,)


def test_settled_rows_are_gone_and_the_others_are_not(opened: Opener) -> None:
    first = opened()
    one, two, three = say(first, "one", "two", "three")
    first.settle(two)
    first.settle(two)  # again, as after a reply that came twice
    first.close()
    assert opened().adopt() == [one, three]


def test_adopted_rows_are_adopted_once(opened: Opener) -> None:
    first = opened()
    say(first, "one")
    first.close()
    second, third = opened(), opened()
    assert len(second.adopt()) == 1
    assert second.adopt() == third.adopt() == []
    second.close()
    assert bodies(third.adopt()) == ["one"]


def test_the_rows_of_a_living_process_are_left_to_it(opened: Opener) -> None:
    living, other = opened(), opened()
    say(living, "mine")
    assert other.adopt() == []
    assert living.adopt() == []  # it has them already
    living.close()
    assert bodies(other.adopt()) == ["mine"]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
def test_what_a_killed_process_had_kept_is_adopted_and_not_a_moment_before(tmp_path: Path, opened: Opener) -> None:
    other = OtherProcess(tmp_path)
    other.tell("go")
    other.add("one", "two")
    box = opened()
    assert box.waiting() == 2
    assert box.adopt() == []
    other.kill()
    assert bodies(box.adopt()) == ["one", "two"]


@pytest.mark.real
def test_processes_that_open_a_new_outbox_at_once_all_get_it(tmp_path: Path) -> None:
    # SQLite fails one of two that switch a new file to WAL at the same moment, without waiting.
    program = """
import sys
from pathlib import Path
from chat_client.outbox import Outbox
print("ready", flush=True)
for line in sys.stdin:
    box = Outbox(Path(line.strip()), "localhost:5555")
    box.add("lobby", "message", b"here I am")
    print("open", flush=True)
    box.close()
"""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program]
    openers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    folders = [tmp_path / str(number) for number in range(10)]
    told = ["ready\n"]
    for folder in [*folders, None]:
        assert [opener.stdout.readline() for opener in openers if opener.stdout] == told * 3
        told = ["open\n"]
        if folder is not None:
            folder.mkdir()
            for opener in openers:
                assert opener.stdin is not None
                opener.stdin.write(f"{folder}\n")
                opener.stdin.flush()
    for opener in openers:
        opener.communicate(timeout=20)
    assert [len(left(folder)) for folder in folders] == [3] * 10


@pytest.mark.real
def test_processes_that_add_at_once_each_keep_their_order(tmp_path: Path, opened: Opener) -> None:
    others = [OtherProcess(tmp_path) for _ in range(2)]
    for other in others:
        other.tell("go", *(f"{number}" for number in range(50)))
    for other in others:
        other.finish()
    rows = opened().adopt()
    senders = dict.fromkeys(row.sender for row in rows)
    assert len(senders) == 2
    for sender in senders:
        mine = [row for row in rows if row.sender == sender]
        assert bodies(mine) == [str(number) for number in range(50)]
        assert [row.n for row in mine] == list(range(1, 51))


def test_two_at_once_do_not_disturb_each_other(opened: Opener) -> None:
    one, other = opened(), opened()
    mine, others = [], []
    for number in range(20):
        mine += say(one, f"one {number}")
        others += say(other, f"other {number}")
        one.settle(mine[number // 2])
    other.close()
    assert one.adopt() == others
    one.close()
    assert opened().adopt() == others + mine[10:]  # what is left of them began later


def test_a_finished_process_without_rows_leaves_no_lock_behind(tmp_path: Path, opened: Opener) -> None:
    box = opened()
    box.settle(say(box, "one")[0])
    box.close()
    assert list((tmp_path / "senders").iterdir()) == []


# ---- fresh numbers ---------------------------------------------------------------------------------------------


def test_renumbered_rows_get_a_fresh_sender_in_the_same_order_and_what_follows_comes_behind(opened: Opener) -> None:
    box = opened()
    one, two, three = say(box, "one", "two", "three")
    box.settle(one)
    moved = box.renumber(one.sender, 2)
    assert list(moved) == [two, three]
    renewed = list(moved.values())
    assert bodies(renewed) == ["two", "three"]
    assert [(row.sender, row.n) for row in renewed] == [(box.sender, 1), (box.sender, 2)]
    assert box.sender != one.sender
    (four,) = say(box, "four")
    assert (four.sender, four.n) == (box.sender, 3)
    box.close()
    assert opened().adopt() == [*renewed, four]


def test_adopted_rows_can_be_renumbered_too(opened: Opener) -> None:
    first = opened()
    sender = say(first, "one", "two")[0].sender
    first.close()
    second = opened()
    second.adopt()
    renewed = list(second.renumber(sender, 1).values())
    assert {row.sender for row in renewed} == {second.sender}
    third = opened()
    assert third.adopt() == []  # under their new number they are a living process's
    second.close()
    assert third.adopt() == renewed


# ---- keys of the user's ----------------------------------------------------------------------------------------


def test_the_same_key_for_the_same_message_is_one_row_in_whatever_process(tmp_path: Path, opened: Opener) -> None:
    first, beside = opened(), opened()
    row = say_with_key(first, "backup done")
    assert row.fixed
    assert say_with_key(first, "backup done") == say_with_key(beside, "backup done") == row
    first.close()
    later = opened()
    assert say_with_key(later, "backup done") == row
    assert left(tmp_path) == [(KEY, 1, f"@{HERE}")]
    later.settle(row)
    assert left(tmp_path) == []


@pytest.mark.parametrize("other", [("den", "message", b"text"), ("lobby", "note", b"text"), ("lobby", "message", b"x")])
def test_the_same_key_for_something_else_is_refused_and_changes_nothing(
    tmp_path: Path, opened: Opener, other: tuple[str, str, bytes]
) -> None:
    box = opened()
    row = box.add("lobby", "message", b"text", KEY, 1)
    with pytest.raises(KeyUsedError):
        box.add(*other, KEY, 1)
    assert left(tmp_path) == [(KEY, 1, f"@{HERE}")]
    box.close()
    assert opened().adopt() == [row]


def test_several_messages_of_one_key_keep_their_numbers(opened: Opener) -> None:
    box = opened()
    rows = [say_with_key(box, text, n) for n, text in enumerate(("a", "b", "c"), 1)]
    assert [(row.sender, row.n) for row in rows] == [(KEY, 1), (KEY, 2), (KEY, 3)]
    assert [row.n for row in say(box, "without a key")] == [1]
    box.close()
    assert [row for row in opened().adopt() if row.fixed] == rows


# ---- which broker ----------------------------------------------------------------------------------------------


def test_what_was_written_before_the_broker_was_known_is_for_whoever_answers(tmp_path: Path, opened: Opener) -> None:
    first = opened()
    rows = say(first, "into the blue")
    first.close()
    second = opened()
    second.learn("home-a")
    assert [home for _, _, home in left(tmp_path)] == ["home-a"]
    assert second.adopt() == rows


def test_what_was_written_for_a_broker_stays_when_another_answers_at_its_address(opened: Opener) -> None:
    first = opened()
    first.learn("home-a")
    rows = say(first, "for a")
    first.close()
    second = opened()
    second.learn("home-b")
    assert second.adopt() == []
    assert (second.waiting(), second.elsewhere()) == (0, 1)
    second.learn("home-a")  # it is back
    assert second.adopt() == rows
    assert (second.waiting(), second.elsewhere()) == (1, 0)


def test_what_this_process_wrote_goes_to_the_broker_that_answers_it(opened: Opener) -> None:
    first = opened()
    first.learn("home-a")
    first.close()
    second = opened()
    rows = say(second, "I typed this address just now")
    second.learn("home-b")
    assert (second.waiting(), second.elsewhere()) == (1, 0)
    second.close()
    assert opened().adopt() == rows


def test_what_this_process_wrote_with_a_key_goes_to_the_broker_that_answers_it(opened: Opener) -> None:
    # It was sent there, but stayed on disk as a post for the broker before: `--flush` did not send it again.
    first = opened()
    first.learn("home-a")
    first.close()
    second = opened()
    row = say_with_key(second, "with a key")
    second.learn("home-b")
    assert (second.waiting(), second.elsewhere()) == (1, 0)
    second.close()
    assert opened().adopt() == [row]


def test_one_broker_at_two_addresses_is_one_broker(opened: Opener) -> None:
    here, there = opened(HERE), opened(THERE)
    here.learn("home-a")
    rows = say(here, "one")
    assert (there.waiting(), there.elsewhere()) == (0, 1)
    there.learn("home-a")
    assert (there.waiting(), there.elsewhere()) == (1, 0)
    here.close()
    assert there.adopt() == rows


def test_counts_tell_what_is_kept_for_this_broker_and_for_others(opened: Opener) -> None:
    here, there, beside = opened(HERE), opened(THERE), opened(HERE)
    assert (here.waiting(), here.elsewhere()) == (0, 0)
    rows = say(here, "one", "two")
    say(beside, "three")
    say(there, "four")
    assert (here.waiting(), here.elsewhere()) == (3, 1)
    assert (there.waiting(), there.elsewhere()) == (1, 3)
    here.settle(rows[0])
    assert (here.waiting(), here.elsewhere()) == (2, 1)


def test_the_broker_of_an_address_is_known_once_it_has_answered(opened: Opener) -> None:
    here, there = opened(HERE), opened(THERE)
    assert (here.home, there.home) == ("", "")
    here.learn("home-a")
    assert (here.home, there.home, opened(HERE).home) == ("home-a", "", "home-a")
    here.learn("home-b")
    assert opened(HERE).home == "home-b"


# ---- what can be seen of it ------------------------------------------------------------------------------------


def test_what_is_unsent_is_seen_oldest_first_whoever_wrote_it(opened: Opener) -> None:
    dead, living, viewer = opened(), opened(), opened()
    rows = say(dead, "one") + say(living, "two") + say(dead, "three") + [say_with_key(viewer, "four")]
    dead.close()
    assert viewer.unsent() == living.unsent() == rows
    living.settle(rows[1])
    assert viewer.unsent() == [rows[0], rows[2], rows[3]]


def test_what_was_seen_is_not_taken_over(opened: Opener) -> None:
    first = opened()
    rows = say(first, "one")
    viewer, other = opened(), opened()
    assert viewer.unsent() == rows
    first.close()
    assert viewer.unsent() == rows
    assert other.adopt() == rows
    assert viewer.adopt() == []


def test_only_what_is_for_this_broker_is_seen(opened: Opener) -> None:
    here, there = opened(HERE), opened(THERE)
    mine, others = say(here, "one"), say(there, "two")
    assert (here.unsent(), there.unsent()) == (mine, others)
    here.learn("home-a")
    assert (here.unsent(), there.unsent()) == (mine, others)
    there.learn("home-a")
    assert here.unsent() == there.unsent() == mine + others


# ---- a bot's place ---------------------------------------------------------------------------------------------


def test_answers_and_place_are_kept_together(opened: Opener) -> None:
    box = opened()
    posts = [("lobby", "message", b"one"), ("den", "message", b"two")]
    rows = box.add_all(posts, [("lobby", 7, "c7"), ("den", 3, "c3")])
    assert [(row.n, row.room) for row in rows] == [(1, "lobby"), (2, "den")]
    assert (box.points("lobby"), box.points("den"), box.points("nowhere")) == ([(7, "c7")], [(3, "c3")], [])
    assert [row.n for row in say(box, "three")] == [3]
    box.close()
    again = opened()
    assert again.adopt()[:2] == rows
    assert again.points("lobby") == [(7, "c7")]


@pytest.mark.parametrize("where", ["posts", "points", "disk"])
def test_of_answers_and_place_nothing_is_kept_if_one_fails(tmp_path: Path, opened: Opener, where: str) -> None:
    box = opened()
    say(box, "before")
    box.add_all([], [("lobby", 1, "c1")])

    def posts() -> Iterator[tuple[str, str, bytes]]:
        yield "lobby", "message", b"one"
        if where == "posts":
            raise RuntimeError("the bot's answer cannot be made")
        yield "lobby", "message", b"x" * (10_000_000 if where == "disk" else 10)

    def points() -> Iterator[tuple[str, int, str]]:
        yield "lobby", 2, "c2"
        raise RuntimeError("the bot's place is not known")

    if where == "disk":
        box._sql.execute("PRAGMA max_page_count = 20")  # as full as a disk can be
    with pytest.raises(IdentityError if where == "disk" else RuntimeError):
        box.add_all(posts(), points())
    assert len(left(tmp_path)) == 1
    assert box.points("lobby") == [(1, "c1")]
    assert [row.n for row in say(box, "after")] == [2]  # no number was left out


def test_a_full_disk_is_said_and_what_is_written_when_it_has_room_again_is_kept(opened: Opener) -> None:
    box = opened()
    box._sql.execute("PRAGMA max_page_count = 20")
    with pytest.raises(IdentityError, match="is the disk full"):
        say(box, "x" * 10_000_000)
    box._sql.execute("PRAGMA max_page_count = 100000")
    assert [row.n for row in say(box, "now")] == [1]
    box.close()
    assert bodies(opened().adopt()) == ["now"]


def test_a_place_that_never_happened_is_forgotten(opened: Opener) -> None:
    box = opened()
    box.add_all([], [("lobby", seq, f"c{seq}") for seq in range(1, 11)] + [("den", 9, "d9")])
    box.rewind("lobby", 4)
    assert box.points("lobby") == [(seq, f"c{seq}") for seq in range(1, 5)]
    assert box.points("den") == [(9, "d9")]
    box.add_all([], [("lobby", 4, "another"), ("lobby", 5, "c5'")])
    assert box.points("lobby")[-2:] == [(4, "another"), (5, "c5'")]
    box.rewind("lobby", 0)
    assert box.points("lobby") == []


def test_places_are_kept_for_each_broker(opened: Opener) -> None:
    here, there = opened(HERE), opened(THERE)
    here.learn("home-a")
    there.learn("home-b")
    here.add_all([], [("lobby", 5, "c5")])
    assert there.points("lobby") == []
    there.rewind("lobby", 0)
    assert here.points("lobby") == [(5, "c5")]


def test_old_places_are_pruned_those_of_other_rooms_are_not(opened: Opener) -> None:
    box = opened()
    last = POINTS_KEPT + 640
    box.add_all([], [("den", 1, "d1")])
    box.add_all([], [("lobby", seq, f"c{seq}") for seq in range(1, last + 1)])
    points = box.points("lobby")
    assert POINTS_KEPT <= len(points) <= POINTS_KEPT + 64
    assert [seq for seq, _ in points] == list(range(last - len(points) + 1, last + 1))
    assert box.points("den") == [(1, "d1")]


# ---- what can be wrong -----------------------------------------------------------------------------------------


def test_an_outbox_of_a_version_that_never_was_is_left_alone(tmp_path: Path, opened: Opener) -> None:
    opened().close()
    sql = sqlite3.connect(tmp_path / FILE)
    sql.execute("PRAGMA user_version = 0")
    sql.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(IdentityError, match="not made by this program"):
        opened()
    assert (tmp_path / FILE).read_bytes() == before


def test_an_outbox_of_a_newer_version_is_left_alone(tmp_path: Path, opened: Opener) -> None:
    box = opened()
    say(box, "one")
    box.close()
    sql = sqlite3.connect(tmp_path / FILE)
    sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    sql.close()
    with pytest.raises(IdentityError, match="newer version"):
        Outbox(tmp_path, HERE)
    assert len(left(tmp_path)) == 1


@pytest.mark.parametrize("content", [b"I am a text, and not a short one." * 100, b"SQLite format 3\0" + b"\xee" * 4096])
def test_a_file_that_is_no_database_is_said_so_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(IdentityError, match="--identity"):
        Outbox(tmp_path, HERE)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_folder_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am a file.")
    with pytest.raises(IdentityError, match="--identity"):
        Outbox(tmp_path / "file", HERE)


# ---- whatever happens ------------------------------------------------------------------------------------------


def crash(box: Outbox) -> None:
    """What the system does for a process that ends without a word: its locks and its connection are gone."""
    for lock in box._locks.values():
        lock.release(force=True)
    box._sql.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3)),
        st.tuples(st.just("add_all"), st.integers(1, 3)),
        st.tuples(st.just("key"), st.integers(1, 2)),
        st.tuples(st.just("settle"), st.integers(0, 20)),
        st.tuples(st.just("renumber"), st.integers(0, 20)),
        st.tuples(st.just("learn"), st.just(0)),
        st.tuples(st.sampled_from(["crash", "close"]), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whatever_is_added_settled_and_crashed_the_outbox_holds_exactly_what_is_unsettled(
    steps: list[tuple[str, int]],
) -> None:
    def opened() -> Outbox:
        box = Outbox(Path(name), HERE)
        box._sql.execute("PRAGMA synchronous = OFF")  # no power is lost here
        return box

    with tempfile.TemporaryDirectory() as name:
        box = opened()
        rows: list[Row] = []  # what must be there, in the order of writing
        try:
            for step, (what, number) in enumerate(steps):
                if what == "add":
                    rows += say(box, *(f"{step} {one}" for one in range(number)))
                elif what == "add_all":
                    rows += box.add_all([("den", "message", b"%d" % step)] * number, [("den", step, f"c{step}")])
                    assert box.points("den")[-1] == (step, f"c{step}")
                elif what == "key":
                    row = say_with_key(box, f"{number}", key=f"{number:032x}")
                    rows += [row] if row not in rows else []
                elif what == "settle" and rows:
                    box.settle(rows.pop(number % len(rows)))
                elif what == "renumber" and rows:
                    first = rows[number % len(rows)]
                    if not first.fixed:
                        renewed = box.renumber(first.sender, first.n)
                        rows = [renewed.get(row, row) for row in rows]
                elif what == "learn":
                    box.learn("home-a")
                elif what in ("crash", "close"):
                    crash(box) if what == "crash" else box.close()
                    box = opened()
                    # One sender's rows are finished before the next one's begin; the senders in the order of writing.
                    senders = list(dict.fromkeys(row.sender for row in rows))
                    assert box.adopt() == sorted(rows, key=lambda row: (senders.index(row.sender), row.n))
                assert box.waiting() == len(rows)
                assert box.elsewhere() == 0
        finally:
            box.close()
