"""The broker's disk filled up under load, and freed again: nothing false is acknowledged, and reading goes on."""

import random
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_core import messages as m
from tests.faults import journal as j
from tests.faults.crew import Crew
from tests.faults.disks import Ballast, need_mounts, small_disk
from tests.faults.oracle import read_stored
from tests.faults.trouble import FULL, WELL, look_around, periods, wait_for_word
from tests.faults.usage import at_rest, check_rest
from tests.faults.visitor import Visitor, read_everything
from tests.system.processes import LONG, ROOT, BrokerProcess, environment, quiet_ports
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TIMES = 20
MEGABYTES = 24.0
# Writing has to be back within a second of room; a noisy machine gets two more.
BACK_SECONDS = 3.0


@pytest.fixture
def ballast(tmp_path: Path) -> Iterator[Ballast]:
    """A small disk for the broker's data."""
    need_mounts()
    with small_disk(tmp_path / "disk", MEGABYTES) as ballast:
        yield ballast


@pytest.fixture
def data(tmp_path: Path, ballast: Ballast) -> Path:
    """On the small disk."""
    return tmp_path / "disk" / "data"


def back_seconds(crew: Crew, since: float) -> list[float]:
    """How long after that moment each member had its first acknowledgement."""
    first = []
    for hand in crew.hands:
        settled = [entry.at for entry in j.entries_of(j.read_journal(hand.journal), j.Settled) if entry.at > since]
        first.append(min(settled) - since if settled else float("inf"))
    return first


@pytest.mark.parametrize("kilobytes", [0, 4, 8, 16, 32, 36, 40, 56, 72, 80])
def test_a_broker_that_finds_too_little_room_to_begin_says_so_and_begins_when_there_is_some(
    tmp_path: Path, ballast: Ballast, data: Path, kilobytes: int
) -> None:
    ballast.fill(but=kilobytes << 10)
    command = [sys.executable, str(ROOT / "broker.py"), "--port", "0", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG, env=environment(tmp_path))
    tell(f"{kilobytes} KiB: {done.stderr}")
    assert done.returncode == 73
    (line,) = done.stderr.splitlines()
    assert line.startswith("chat-broker: The da")
    assert str(data) in line
    assert "--data" in line
    ballast.free()
    process = BrokerProcess(tmp_path)
    process.port, process.data = quiet_ports(), data
    process.start()
    assert process.stop() == 0


def test_a_disk_full_twenty_times_costs_nothing_but_the_time_it_is_full(
    broker: BrokerProcess, ballast: Ballast, crew: Crew, dice: random.Random
) -> None:
    pid = broker.ready["pid"]
    with Visitor(broker, "visitor") as visitor:
        read_everything(visitor, "lobby")
    rest = at_rest(pid)
    for name in ("ann", "bob", "cat", "dan"):
        crew.worker(name, rate=100)
    freed, made = [], {"lobby"}
    with Visitor(broker, "vera") as visitor:
        for number in range(1, TIMES + 1):
            select.select([], [], [], dice.uniform(0.1, 0.6))
            known = len(periods(broker))
            ballast.fill()
            wait_for_word(broker, FULL, known)
            select.select([], [], [], dice.uniform(0.0, 0.4))
            made |= look_around(visitor, number) | {f"round-{number}"}
            freed.append(time.monotonic())
            ballast.free()
            took = visitor.insist(m.Create(room=f"round-{number}", once=f"{number:016x}"))
            tell(f"{number}: a room was made {took * 1000:.0f} ms after there was room")
            assert took < BACK_SECONDS
            wait_for_word(broker, WELL, known)

    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))
    assert set(read_stored(broker.data / "chat.db").logs) == made
    for moment in freed:
        times = back_seconds(crew, moment)
        tell("acknowledged again after " + ", ".join(f"{seconds:.2f} s" for seconds in times))
        assert max(times) < BACK_SECONDS
    assert broker.ready["pid"] == pid
    # Said once each time. (At the very edge a small batch may find its room: then writing works again, for a moment.)
    assert periods(broker) == [FULL, WELL] * (len(periods(broker)) // 2)
    assert "Traceback" not in broker.log()
    check_rest(pid, rest)
    assert broker.stop() == 0
