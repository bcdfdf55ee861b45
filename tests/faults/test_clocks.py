"""The wall clock set a day forward and back under load: nobody is thrown out, nothing is lost, no time goes back."""

import os
import random
import select
import time
from itertools import dropwhile, pairwise
from pathlib import Path

import pytest

from chat_core import messages as m
from tests.faults import journal as j
from tests.faults.clocks import DAY, NOTICED_SECONDS, WallClock
from tests.faults.crew import Crew
from tests.faults.oracle import read_stored
from tests.faults.usage import at_rest, check_rest
from tests.faults.visitor import Visitor, read_everything
from tests.system.processes import LONG, BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAMES = ["ann", "bob", "cat", "idle"]
# Whoever was not heard for so long is away (`gone_seconds`).
GONE_SECONDS = 15.0
# A day forward, one back from where it began, two forward, and right again.
SETTINGS = [DAY, -DAY, 2 * DAY, 0]
FORWARD = 2  # of these lead forward


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    """Right as yet."""
    return WallClock(tmp_path / "ahead")


def staff(crew: Crew, **flags: object) -> None:
    """Three who post, and one who only reads and says that it is there."""
    for name in NAMES[:3]:
        crew.worker(name, rate=60, rooms="lobby,plans", **flags)
    crew.worker(NAMES[3], rooms="lobby,plans", **flags)
    crew.begin()


def set_about(clock: WallClock, crew: Crew, visitor: Visitor, dice: random.Random) -> None:
    """Set the clock forward and back, and look who is there each time."""
    for ahead in SETTINGS:
        clock.set(ahead)
        crew.work(NOTICED_SECONDS + dice.uniform(0.5, 1.5))
        here = {person.name for person in visitor.expect(m.Who(), m.Here).people}
        assert here >= {*NAMES, visitor.name}


def wait_for_line(broker: BrokerProcess, text: str) -> None:
    """Until the broker's log has it."""
    deadline = time.monotonic() + LONG
    while text not in broker.log():
        assert time.monotonic() < deadline, f"the broker never said {text!r}"
        select.select([], [], [], 0.02)


def check_presence(broker: BrokerProcess) -> None:
    """Nobody was away in between."""
    for name in NAMES:
        assert broker.log().count(f"{name} came from") == 1
        assert f"{name} left" not in broker.log()
    assert "Traceback" not in broker.log()


def outages(crew: Crew) -> list[int]:
    """How often each member had no broker, after it had found it."""
    found = []
    for hand in crew.hands:
        states = [entry.state for entry in j.entries_of(j.read_journal(hand.journal), j.Stood)]
        found.append(list(dropwhile("offline".__eq__, states)).count("offline"))
    return found


def test_the_brokers_clock_set_a_day_forward_and_back(
    broker: BrokerProcess, clock: WallClock, crew: Crew, dice: random.Random
) -> None:
    broker.stop()
    # Without the linger, in which it sleeps: Debian's libfaketime has Python's sleep fail with EINVAL.
    broker.environment = dict(os.environ) | clock.variables | {"CHAT_TIMING__LINGER_MS": "0"}
    broker.start()
    with Visitor(broker, "ghost") as ghost:
        read_everything(ghost, "lobby")
        heard = time.monotonic()
    rest = at_rest(broker.pid)
    staff(crew)
    with Visitor(broker, "vera") as visitor:
        set_about(clock, crew, visitor, dice)
    wait_for_line(broker, "ghost left (silent)")
    tell(f"who went without a word was away {time.monotonic() - heard:.1f} s later")
    assert time.monotonic() - heard > GONE_SECONDS - 1
    check_presence(broker)
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))
    assert outages(crew) == [0] * len(NAMES)
    for log in read_stored(broker.data / "chat.db").logs.values():
        times = [event.time for event in log]
        assert all(before <= after for before, after in pairwise(times))
        assert times[-1] - times[0] > DAY * 1000, "the clock was never set"
    check_rest(broker.pid, rest)
    assert broker.stop() == 0


def test_the_clients_clocks_set_a_day_forward_and_back(
    broker: BrokerProcess, clock: WallClock, crew: Crew, dice: random.Random
) -> None:
    staff(crew, variables=clock.variables)
    with Visitor(broker, "vera") as visitor:
        set_about(clock, crew, visitor, dice)
    check_presence(broker)
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))
    # A clock that leaps forward is what a machine sees that slept: its connections are made anew, no oftener than that.
    # Told, not asserted: libfaketime has a hand in other waits of these processes too, and a stall of one is an outage.
    tell(f"the clock leapt forward {FORWARD} times; so often each looked for the broker: {outages(crew)}")
    times = [event.time for event in read_stored(broker.data / "chat.db").logs["lobby"]]
    assert times == sorted(times)
    assert times[-1] - times[0] < LONG * 1000
