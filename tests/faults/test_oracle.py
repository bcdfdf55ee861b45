"""The oracle itself: it finds nothing where all is well, and every kind of lie where it is told one."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw, structs

from chat_broker.tables import Member as MemberRow
from chat_broker.tables import RoomRecord, Tables, User
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of
from tests.faults import journal as j
from tests.faults.oracle import Member, Stored, differences, judge, text_of

ROOMS = ("lobby", "plans")
TEXTS = 6


class World:
    """A log, and two members who noted what happened: ann said "ann 1" to "ann 6", ben the same and read everything."""

    def __init__(self) -> None:
        self.stored = Stored({room: [] for room in ROOMS}, Tables())
        self.notes: dict[str, list[j.AnyEntry]] = {}
        for number, name in enumerate(("ann", "ben"), 1):
            self.stored.tables.load("users", f"u{number}", wire.encode(User(f"u{number}", name, 0)))
            self.notes[name] = [j.Started(0.0, name, name, 1, list(ROOMS) if name == "ben" else [])]
        for room in ROOMS:
            self.stored.tables.load("rooms", room, wire.encode(RoomRecord(room, room, "u1", 0)))
            self.say(room, "u1", "ann", "created")
            for user, name in (("u1", "ann"), ("u2", "ben")):
                self.stored.tables.load("members", f"{room} {user}", wire.encode(MemberRow(0, 1)))
                self.say(room, user, name, "joined")
                self.notes[name] += [j.Asking(0.0, room), j.Entered(0.0, room, made=False)]
        for n in range(1, TEXTS + 1):
            for user, name in (("u1", "ann"), ("u2", "ben")):
                room, text = ROOMS[n % 2], f"{name} {n}"
                seq = self.say(room, user, name, "message", wire.encode(m.Message(text)), name[0] * 16, n)
                self.notes[name] += [j.Kept(0.0, room, text), j.Settled(0.0, room, seq, text)]
        for room in ROOMS:
            self.notes["ben"].append(j.Seen(0.0, room, [seen(event) for event in self.stored.logs[room]]))

    def say(self, room: str, user: str, name: str, kind: str, body: bytes = b"{}", sender: str = "", n: int = 0) -> int:
        """Append an event."""
        log = self.stored.logs[room]
        log.append(m.Event(room, len(log) + 1, 7, user, name, kind, "", sender, n, body=Raw(body)))
        self.chain(room)
        return len(log)

    def chain(self, room: str) -> None:
        """Number and chain the log anew, as a broker would that never had it otherwise."""
        chain = START
        for seq, event in enumerate(self.stored.logs[room], 1):
            event.seq = seq
            chain = event.chain = chain_of(
                chain, room, seq, event.time, event.author, event.name, event.sender, event.n, event.kind
            )

    def event(self, text: str) -> m.Event:
        """The event that says this."""
        return next(e for log in self.stored.logs.values() for e in log if e.kind == "message" and text_of(e) == text)

    def differences(self, **flags: bool) -> list[str]:
        """What the oracle says."""
        return differences(self.stored, [Member(entries, **flags) for entries in self.notes.values()])


def seen(event: m.Event) -> tuple[int, str, str, str, str]:
    """An event as a reader notes it."""
    return event.seq, event.chain, event.name, event.kind, text_of(event) if event.kind == "message" else ""


def reword(event: m.Event, text: str) -> None:
    """Have it say something else; the chain does not cover the body."""
    event.body = Raw(wire.encode(m.Message(text)))


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_found_where_all_is_well(world: World) -> None:
    assert world.differences() == []
    figures = judge(world.stored, [Member(entries) for entries in world.notes.values()])
    assert (figures.stored, figures.acknowledged, figures.seen, figures.processes) == (18, 12, 18, 2)


# ---- lies in the log -------------------------------------------------------------------------------------------------


def lose_the_last(world: World) -> None:
    world.stored.logs["lobby"].pop()


def lose_one_within(world: World) -> None:
    del world.stored.logs["lobby"][4]


def lose_one_without_a_trace(world: World) -> None:
    del world.stored.logs["lobby"][4]
    world.chain("lobby")


def double_a_text(world: World) -> None:
    world.say("lobby", "u1", "ann", "message", wire.encode(m.Message("ann 2")), "c" * 16, 1)


def double_a_number(world: World) -> None:
    world.say("lobby", "u1", "ann", "message", wire.encode(m.Message("ann 9")), "a" * 16, 2)


def swap_two_of_an_author(world: World) -> None:
    one, other = world.event("ann 2"), world.event("ann 4")
    reword(one, "ann 4")
    reword(other, "ann 2")


def swap_two_events(world: World) -> None:
    log = world.stored.logs["lobby"]
    log[3], log[5] = log[5], log[3]
    world.chain("lobby")


def invent_a_text(world: World) -> None:
    world.say("lobby", "u1", "ann", "message", wire.encode(m.Message("ann 7")), "a" * 16, 7)


def forge_a_chain(world: World) -> None:
    world.event("ann 4").chain = "f" * 16


def change_a_text(world: World) -> None:
    reword(world.event("ann 4"), "ann 44")


def give_it_to_another_author(world: World) -> None:
    world.event("ann 4").name = "ben"
    world.chain("lobby")


def put_it_into_another_room(world: World) -> None:
    event = world.stored.logs["lobby"].pop()
    world.stored.logs["plans"].append(event)
    event.room = "plans"
    world.chain("plans")


# ---- lies in what was acknowledged and seen --------------------------------------------------------------------------


def change(world: World, name: str, kind: type[j.Entry], **fields: object) -> None:
    """Have somebody's last note of a kind say something else."""
    place = max(i for i, entry in enumerate(world.notes[name]) if type(entry) is kind)
    world.notes[name][place] = structs.replace(world.notes[name][place], **fields)


def acknowledge_another_number(world: World) -> None:
    change(world, "ann", j.Settled, seq=2)


def acknowledge_a_number_past_the_end(world: World) -> None:
    change(world, "ann", j.Settled, seq=99)


def acknowledge_in_another_room(world: World) -> None:
    change(world, "ann", j.Settled, room="plans")


def acknowledge_twice_with_different_numbers(world: World) -> None:
    world.notes["ann"].append(j.Settled(0.0, "lobby", world.event("ann 2").seq + 1, "ann 2"))


def refuse_one(world: World) -> None:
    world.notes["ann"].append(j.Turned(0.0, "ann 7", "not_member"))


def keep_one_more(world: World) -> None:
    world.notes["ann"].append(j.Kept(0.0, "lobby", "ann 7"))


def see(world: World, change: Callable[[list[tuple[int, str, str, str, str]]], object]) -> None:
    """Have ben have seen something else in the last room."""
    last = world.notes["ben"][-1]
    assert isinstance(last, j.Seen)
    change(last.events)


def miss_the_last(world: World) -> None:
    see(world, lambda events: events.pop())


def miss_one_within(world: World) -> None:
    see(world, lambda events: events.pop(4))


def see_one_twice(world: World) -> None:
    see(world, lambda events: events.insert(4, events[4]))


def see_two_the_other_way_round(world: World) -> None:
    see(world, lambda events: events.insert(3, events.pop(4)))


def see_another_chain(world: World) -> None:
    see(world, lambda events: events.__setitem__(4, (5, "f" * 16, *events[4][2:])))


def see_another_text(world: World) -> None:
    see(world, lambda events: events.__setitem__(4, (*events[4][:4], "ben 99")))


def see_one_that_is_not_there(world: World) -> None:
    see(world, lambda events: events.append((len(events) + 1, "f" * 16, "ann", "message", "ann 7")))


def see_nothing_of_a_room(world: World) -> None:
    world.notes["ben"].pop()


def rewind(world: World) -> None:
    last = world.notes["ben"][-1]
    assert isinstance(last, j.Seen)
    world.notes["ben"] += [j.Rewound(0.0, last.room, 7), j.Seen(0.0, last.room, last.events[7:])]


# ---- lies about rooms ------------------------------------------------------------------------------------------------


def forget_a_member(world: World) -> None:
    world.stored.tables.members_of["plans"].remove("u2")


def forget_a_member_in_log_and_table(world: World) -> None:
    forget_a_member(world)
    world.say("plans", "u2", "ben", "left")


def forget_that_one_left(world: World) -> None:
    world.notes["ann"] += [j.Asking(0.0, "plans"), j.Left(0.0, "plans")]


def forget_a_room(world: World) -> None:
    del world.stored.tables.rooms["plans"]


def lose_a_room_that_was_made(world: World) -> None:
    world.notes["ann"] += [j.Asking(0.0, "hall"), j.Entered(0.0, "hall", made=True)]


def tell_two_that_they_made_it(world: World) -> None:
    world.notes["ben"] += [j.Asking(0.0, "plans"), j.Entered(0.0, "plans", made=True)]


LIES: dict[Callable[[World], None], str] = {
    lose_the_last: "was kept for",
    lose_one_within: "event 5 of the log has number 6",
    lose_one_without_a_trace: "was kept for",
    double_a_text: "'ann 2' is stored 2 times",
    double_a_number: "number 2 of sender aaaaaaaaaaaaaaaa is stored 2 times",
    swap_two_of_an_author: "the texts of ann",
    swap_two_events: "the posts of sender",
    invent_a_text: "is stored and nobody kept it",
    forge_a_chain: "has the chain",
    change_a_text: "'ann 4' was acknowledged as",
    give_it_to_another_author: "is stored for ('lobby', 'ben')",
    put_it_into_another_room: "is stored for ('plans', 'ben')",
    acknowledge_another_number: "was acknowledged as lobby 2, which is joined of ann",
    acknowledge_a_number_past_the_end: "was acknowledged as lobby 99, where nothing is stored",
    acknowledge_in_another_room: "was acknowledged as plans",
    acknowledge_twice_with_different_numbers: "was acknowledged as",
    refuse_one: "was refused: not_member",
    keep_one_more: "'ann 7' was kept for lobby and is not stored",
    miss_the_last: "and it has",
    miss_one_within: "6 after 4",
    see_one_twice: "5 after 5",
    see_two_the_other_way_round: "5 after 3",
    see_another_chain: "chain ffffffffffffffff; it is",
    see_another_text: "as 'ben 99' of",
    see_one_that_is_not_there: "which is not stored",
    see_nothing_of_a_room: "up to 0, and it has",
    rewind: "was rewound to 7",
    forget_a_member: "members by the log and not in the table {'u2'}",
    forget_a_member_in_log_and_table: "acknowledged in plans",
    forget_that_one_left: "acknowledged out of plans",
    forget_a_room: "rooms without a log or the other way round: ['plans']",
    lose_a_room_that_was_made: "made hall, which is not there",
    tell_two_that_they_made_it: "made plans, which is created of ann",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_every_lie_is_found(world: World, lie: Callable[[World], None]) -> None:
    lie(world)
    found = world.differences()
    assert [one for one in found if LIES[lie] in one], found
    with pytest.raises(AssertionError, match=r"differences:\n  "):
        judge(world.stored, [Member(entries) for entries in world.notes.values()])


def test_an_author_with_two_processes_may_say_things_in_the_order_of_each(world: World) -> None:
    room = ROOMS[0]
    world.say(room, "u1", "ann", "message", wire.encode(m.Message("ann 8")), "c" * 16, 1)
    world.say(room, "u1", "ann", "message", wire.encode(m.Message("ann 7")), "d" * 16, 1)
    told = [one for one in world.differences() if "texts of ann" in one]
    assert told == [f"{room}, event 11: the texts of ann go from 8 to 7"]
    assert not [one for one in world.differences(shared=True) if "texts of ann" in one]
    world.say(room, "u1", "ann", "message", wire.encode(m.Message("ann 5")), "d" * 16, 2)
    assert [one for one in world.differences(shared=True) if "texts of ann, sender" in one]


# ---- the journal -----------------------------------------------------------------------------------------------------


def test_a_line_that_a_kill_tore_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ann.jsonl"
    for _ in range(2):
        journal = j.Journal(path)
        journal.note(j.Started(1.0, "ann", "ann", 7))
        journal.note(j.Kept(2.0, "lobby", "ann 1"))
        journal.close()
        path.write_bytes(path.read_bytes()[:-9])
    assert [type(entry) for entry in j.read_journal(path)] == [j.Started, j.Started]


def test_a_line_that_is_torn_within_a_process_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ann.jsonl"
    lines = [msgspec.json.encode(entry) for entry in (j.Started(1.0, "ann", "ann", 7), j.Ended(2.0))]
    path.write_bytes(b"\n".join([lines[0], b'{"did":', lines[1], b""]))
    with pytest.raises(AssertionError, match="torn line within a process"):
        j.read_journal(path)
