"""20 of 50 readers stopped at 200 posts a second: the broker does not grow, the others read on, and the 20 catch up."""

import select
import time
from collections.abc import Iterator

import pytest

from tests.faults import journal as j
from tests.faults.crew import Crew, Hand
from tests.faults.oracle import Member, judge, read_stored
from tests.faults.usage import Usage, at_rest, check_rest, usage
from tests.faults.visitor import Visitor, read_everything
from tests.system.processes import LONG, BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROCESSES, EACH = 5, 10
STOPPED = 2  # of the processes
POSTERS, RATE = 4, 50
# Longer than it takes until the broker holds whoever is silent to be away.
STOPPED_SECONDS = 18.0
GROWTH_BYTES = 32 << 20
CAUGHT_UP_SECONDS = 10.0


class Readers:
    """A process of ten, and what each of them noted."""

    def __init__(self, crew: Crew, name: str) -> None:
        self.hand = Hand(crew.folder, crew.address, "listeners", name, count=EACH, seed=crew.seed).start()
        self._journals = [crew.folder / f"{name}{number}.jsonl" for number in range(EACH)]

    def members(self) -> list[Member]:
        """What each of them noted so far."""
        return [Member(j.read_journal(journal)) for journal in self._journals if journal.exists()]

    def wait_until_live(self) -> None:
        """Until all of them hear the feed."""
        until = time.monotonic() + LONG
        while sum(is_live(member) for member in self.members()) < EACH:
            assert time.monotonic() < until, "not everybody is live"
            select.select([], [], [], 0.1)

    def finish(self) -> None:
        """Until all of them have seen everything and ended."""
        self.hand.end()
        self.hand.wait()


def is_live(member: Member) -> bool:
    """Does it hear the feed, as far as it noted?"""
    return any(entry.state == "live" for entry in j.entries_of(member.entries, j.Stood))


@pytest.fixture
def rest(broker: BrokerProcess) -> Usage:
    """What the broker has while nobody is there, and somebody was."""
    with Visitor(broker, "visitor") as visitor:
        read_everything(visitor, "lobby")
    return at_rest(broker.pid)


@pytest.fixture
def readers(crew: Crew, rest: Usage) -> Iterator[list[Readers]]:
    """Five times ten, all live."""
    readers = [Readers(crew, f"hal{number}-") for number in range(PROCESSES)]
    for ten in readers:
        ten.wait_until_live()
    yield readers
    for ten in readers:
        ten.hand.close()


def delays(posters: list[Member], readers: list[Member], since: float, until: float) -> list[float]:
    """How long after it was posted each reader had each post of that time, sorted, in seconds."""
    posted = {entry.text: entry.at for member in posters for entry in j.entries_of(member.entries, j.Kept)}
    return sorted(
        seen.at - posted[text]
        for reader in readers
        for seen in j.entries_of(reader.entries, j.Seen)
        for *_, text in seen.events
        if text in posted and since < posted[text] < until
    )


def reached(reader: Member, seq: int) -> float:
    """When it had this event."""
    return next(seen.at for seen in j.entries_of(reader.entries, j.Seen) if seen.events[-1][0] >= seq)


def head_at(readers: list[Member], moment: float) -> int:
    """The last event that somebody had by then."""
    return max(
        seen.events[-1][0]
        for reader in readers
        for seen in j.entries_of(reader.entries, j.Seen)
        if seen.at < moment
    )  # fmt: skip


def stop_some(broker: BrokerProcess, crew: Crew, stopped: list[Readers]) -> tuple[float, float]:
    """Have them stopped for a while, and watch the broker's memory; returns from when until when."""
    before = most = usage(broker.pid).memory
    since = time.monotonic()
    for ten in stopped:
        ten.hand.freeze()
    while time.monotonic() < since + STOPPED_SECONDS:
        crew.work(0.5)
        most = max(most, usage(broker.pid).memory)
    tell(f"the broker's memory grew from {before / 1e6:.1f} MB by {(most - before) / 1e6:.1f} MB")
    assert most - before <= GROWTH_BYTES
    until = time.monotonic()
    for ten in stopped:
        ten.hand.thaw()
    return since, until


def summary(seconds: list[float]) -> str:
    """p50, p99 and the longest."""
    p50, p99 = (seconds[int(len(seconds) * share)] * 1000 for share in (0.5, 0.99))
    return f"{len(seconds)} times, p50 {p50:.1f} ms, p99 {p99:.1f} ms, at most {seconds[-1] * 1000:.1f} ms"


def test_20_of_50_readers_stopped_cost_the_broker_and_the_others_nothing(
    broker: BrokerProcess, crew: Crew, readers: list[Readers], rest: Usage
) -> None:
    for number in range(POSTERS):
        crew.worker(f"ann{number}", rate=RATE)
    crew.begin()
    began = time.monotonic()
    crew.work(3.0)
    stopped, others = readers[:STOPPED], readers[STOPPED:]
    since, until = stop_some(broker, crew, stopped)
    crew.work(5.0)
    crew.settle()
    for ten in readers:
        ten.finish()
    crowd = [member for ten in readers for member in ten.members()]
    tell(str(judge(read_stored(broker.data / "chat.db"), crew.members() + crowd)))
    awake = [member for ten in others for member in ten.members()]
    tell(f"posted and heard, before: {summary(delays(crew.members(), awake, began, since))}")
    tell(f"while 20 were stopped: {summary(delays(crew.members(), awake, since, until))}")
    head = head_at(awake, until)
    behind = sorted(reached(member, head) - until for ten in stopped for member in ten.members())
    tell(f"those who were stopped had caught up after {behind[0]:.2f} to {behind[-1]:.2f} s")
    assert behind[-1] < CAUGHT_UP_SECONDS
    check_rest(broker.pid, rest)
