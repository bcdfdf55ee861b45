"""The oracle: compares what a broker acknowledged, what it stored, and what everybody saw.

It believes nobody. It reads the log from the disk and the journals of the crew, and finds every difference:

* the log: numbers without holes, chains that follow from the envelopes, no text and no post number twice, each sender's
  numbers and each label's texts in their order;
* what was acknowledged: stored in exactly that place;
* what was kept in an outbox: stored, and nothing is stored that was not kept;
* what was seen: exactly the log, each event once, in order, with the same chains; at the end all of it;
* rooms and members: made and joined as acknowledged, and as the log says.
"""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat_broker.store import LogReader
from chat_broker.tables import KEPT, Tables
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of
from tests.faults import journal as j

# So many differences are told; the first is what matters.
TOLD = 12


@dataclass
class Stored:
    """What is on a broker's disk: the log of each room, and the kept tables."""

    logs: dict[str, list[m.Event]]
    tables: Tables = field(default_factory=Tables)

    def place(self, room: str, seq: int) -> m.Event | None:
        """The event of a number, where it has to be if there are no holes."""
        log = self.logs.get(room, [])
        return log[seq - 1] if 0 < seq <= len(log) else None

    def texts(self) -> list[str]:
        """What all messages say."""
        return [text_of(event) for log in self.logs.values() for event in log if event.kind == "message"]


@dataclass
class Member:
    """What one member of the crew noted. ``shared``: other processes used its identity's outbox at the same time, so
    that its texts are in order only as far as they have one sender."""

    entries: list[j.AnyEntry]
    shared: bool = False

    @property
    def start(self) -> j.Started:
        """Who it was."""
        first = self.entries[0]
        assert isinstance(first, j.Started)
        return first

    def __str__(self) -> str:
        return self.start.label


def read_stored(database: Path) -> Stored:
    """Everything on the disk, by connections that can only read."""
    uri = f"{database.absolute().as_uri()}?mode=ro"
    stored = Stored({})
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as sql:
        rooms = [room for (room,) in sql.execute("SELECT DISTINCT room FROM log")]
        for table, key, value in sql.execute("SELECT tab, key, value FROM kept"):
            if table in KEPT:
                stored.tables.load(table, key, value)
    reader = LogReader(database)
    for room in rooms:
        stored.logs[room] = list(_read_log(reader, room))
    reader.close()
    return stored


def _read_log(reader: LogReader, room: str) -> Iterator[m.Event]:
    last = 0
    while page := reader.page(room, last, 2**53 - 1):
        events = [wire.decode_event(event) for event in page]
        yield from events
        last = events[-1].seq


def text_of(event: m.Event) -> str:
    """What a message says."""
    return wire.decode_message(event.body).text


# ---- the checks: each yields the differences it finds ----------------------------------------------------------------


def check_log(stored: Stored) -> Iterator[str]:
    """Each room's numbers and chains; no text twice, no post number twice."""
    for room, log in stored.logs.items():
        chain = START
        for seq, event in enumerate(log, 1):
            if event.seq != seq:
                yield f"{room}: event {seq} of the log has number {event.seq}"
                break
            wanted = chain_of(
                chain, room, seq, event.time, event.author, event.name, event.sender, event.n, event.kind
            )  # fmt: skip
            if event.chain != wanted:
                yield f"{room}: event {seq} has the chain {event.chain}, not {wanted}"
                break
            chain = event.chain
    for text, times in Counter(stored.texts()).items():
        if times > 1:
            yield f"{text!r} is stored {times} times"
    numbers = Counter((event.sender, event.n) for log in stored.logs.values() for event in log if event.sender)
    yield from (
        f"number {n} of sender {sender} is stored {times} times" for (sender, n), times in numbers.items() if times > 1
    )


def check_order(stored: Stored, crew: Sequence[Member]) -> Iterator[str]:
    """In each room: one sender's numbers rise, and so do the numbers of its texts; a label's too, unless shared."""
    strict = {member.start.label for member in crew if not member.shared}
    for room, log in stored.logs.items():
        said = [(event, *_numbered(text_of(event))) for event in log if event.kind == "message"]
        last: dict[tuple[str, str], int] = {}
        for event, label, number in said:
            keys = {("posts of sender", event.sender): event.n, (f"texts of {label}, sender", event.sender): number}
            if label in strict:
                keys[f"texts of {label}", ""] = number
            for key, value in keys.items():
                if value <= last.get(key, 0):
                    yield f"{room}, event {event.seq}: the {' '.join(key).rstrip()} go from {last[key]} to {value}"
                last[key] = value


def check_acknowledged(stored: Stored, crew: Sequence[Member]) -> Iterator[str]:
    """Every acknowledged text is where it was said to be."""
    for member in crew:
        for entry in j.entries_of(member.entries, j.Settled):
            event = stored.place(entry.room, entry.seq)
            if event is None:
                yield f"{member}: {entry.text!r} was acknowledged as {entry.room} {entry.seq}, where nothing is stored"
            elif event.kind != "message" or text_of(event) != entry.text:
                yield f"{member}: {entry.text!r} was acknowledged as {entry.room} {entry.seq}, which is {_brief(event)}"


def check_kept(stored: Stored, crew: Sequence[Member]) -> Iterator[str]:
    """All that was kept is stored, in its room and under its author's name, and nothing else; nothing was refused."""
    kept = {
        entry.text: (entry.room, member.start.name) for member in crew for entry in j.entries_of(member.entries, j.Kept)
    }
    for member in crew:
        for entry in j.entries_of(member.entries, j.Turned):
            yield f"{member}: {entry.text!r} was refused: {entry.code}"
    found: dict[str, tuple[str, str]] = {}
    for log in stored.logs.values():
        for event in log:
            if event.kind == "message":
                found[text_of(event)] = event.room, event.name
    for text, where in kept.items():
        if text not in found:
            yield f"{text!r} was kept for {where[0]} and is not stored"
        elif found[text] != where:
            yield f"{text!r} was kept for {where} and is stored for {found[text]}"
    yield from (f"{text!r} is stored and nobody kept it" for text in found if text not in kept)


def check_seen(stored: Stored, crew: Sequence[Member], complete: bool = True) -> Iterator[str]:
    """What each member saw is the log: every event once, in order, the same; ``complete``: up to its end."""
    for member in crew:
        reach = dict.fromkeys(member.start.rooms, 0)
        for entry in member.entries:
            if isinstance(entry, j.Rewound):
                yield f"{member}: {entry.room} was rewound to {entry.seq}"
                reach[entry.room] = entry.seq
            elif isinstance(entry, j.Seen):
                for seen in entry.events:
                    difference = _difference(stored, entry.room, reach.get(entry.room, 0), seen)
                    if difference:
                        yield f"{member} saw in {entry.room} {difference}"
                    reach[entry.room] = seen[0]
        for room, seq in reach.items() if complete else ():
            if seq != len(stored.logs.get(room, [])):
                yield f"{member} saw {room} up to {seq}, and it has {len(stored.logs.get(room, []))} events"


def check_rooms(stored: Stored, crew: Sequence[Member]) -> Iterator[str]:
    """Rooms and members are those that were acknowledged, and the tables are what the log says."""
    if set(stored.tables.rooms) != set(stored.logs):
        yield f"rooms without a log or the other way round: {sorted(set(stored.tables.rooms) ^ set(stored.logs))}"
    for room, log in stored.logs.items():
        told = _members(log)
        held = stored.tables.members_of.get(room, set())
        if told != held:
            yield f"{room}: members by the log and not in the table {told - held}, the other way round {held - told}"
        if log and log[0].kind != "created":
            yield f"{room} begins with {_brief(log[0])}"
        yield from (f"{room} is made again by event {event.seq}" for event in log[1:] if event.kind == "created")
    users = {user.name: user.id for user in stored.tables.users.values()}
    for member in crew:
        user = users.get(member.start.name, "")
        for room, is_in in _acknowledged_rooms(member).items():
            if is_in is not None and stored.tables.is_member(room, user) != is_in:
                yield f"{member}: acknowledged {'in' if is_in else 'out of'} {room}, and the table says otherwise"
        yield from _check_made(stored, member, user)


def _check_made(stored: Stored, member: Member, user: str) -> Iterator[str]:
    for entry in j.entries_of(member.entries, j.Entered):
        if entry.made:
            first = stored.place(entry.room, 1)
            if first is None or first.author != user:
                yield f"{member}: made {entry.room}, which is {_brief(first) if first else 'not there'}"


# ---- the whole -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How much was compared."""

    stored: int
    acknowledged: int
    seen: int
    entered: int
    processes: int

    def __str__(self) -> str:
        return (
            f"{self.stored} events stored, {self.acknowledged} posts and {self.entered} rooms acknowledged, "
            f"{self.seen} events seen, {self.processes} processes of the crew: no difference"
        )


def differences(stored: Stored, crew: Sequence[Member]) -> list[str]:
    """Everything that is not as it should be once all is settled and seen."""
    checks: tuple[Callable[[Stored, Sequence[Member]], Iterable[str]], ...] = (
        lambda stored, _: check_log(stored),
        check_order,
        check_acknowledged,
        check_kept,
        check_seen,
        check_rooms,
    )
    return [difference for check in checks for difference in check(stored, crew)]


def judge(stored: Stored, crew: Sequence[Member]) -> Figures:
    """Compare everything; raises AssertionError with the first differences."""
    complain(differences(stored, crew))
    entries = [entry for member in crew for entry in member.entries]
    return Figures(
        sum(map(len, stored.logs.values())),
        len(j.entries_of(entries, j.Settled)),
        sum(len(entry.events) for entry in j.entries_of(entries, j.Seen)),
        len(j.entries_of(entries, j.Entered)),
        len(j.entries_of(entries, j.Started)),
    )


def complain(found: list[str]) -> None:
    """Raise AssertionError with the first differences, if there are any."""
    assert not found, f"{len(found)} differences:\n  " + "\n  ".join(found[:TOLD])


# ---- small ones ------------------------------------------------------------------------------------------------------


def _numbered(text: str) -> tuple[str, int]:
    label, _, number = text.rpartition(" ")
    return label, int(number)


def _brief(event: m.Event) -> str:
    said = repr(text_of(event)) if event.kind == "message" else event.kind
    return f"{said} of {event.name}"


def _difference(stored: Stored, room: str, reach: int, seen: tuple[int, str, str, str, str]) -> str:
    """Why this event should not have come after number ``reach``; "" if it should."""
    seq, chain, name, kind, text = seen
    if seq != reach + 1:
        return f"{seq} after {reach}"
    event = stored.place(room, seq)
    if event is None:
        return f"{seq}, {text!r} of {name}, which is not stored"
    said = text_of(event) if event.kind == "message" else ""
    if (chain, name, kind, text) != (event.chain, event.name, event.kind, said):
        return f"{seq} as {text!r} of {name}, chain {chain}; it is {_brief(event)}, chain {event.chain}"
    return ""


def _members(log: list[m.Event]) -> set[str]:
    members: set[str] = set()
    for event in log:
        if event.kind == "joined":
            members.add(event.author)
        elif event.kind == "left":
            members.discard(event.author)
    return members


def _acknowledged_rooms(member: Member) -> dict[str, bool | None]:
    """Room -> is the member in it: True, False, or None where the last question was not answered."""
    rooms: dict[str, bool | None] = {}
    for entry in member.entries:
        if isinstance(entry, j.Asking):
            rooms[entry.room] = None
        elif isinstance(entry, j.Entered | j.Left):
            rooms[entry.room] = isinstance(entry, j.Entered)
    return rooms
