"""The broker's disk fails without being full: what writes is refused for now, reading goes on, and nothing is lost."""

import random
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_core import messages as m
from tests.faults.crew import Crew
from tests.faults.disks import ImageDisk, image_disk, need_mounts, run
from tests.faults.oracle import complain
from tests.faults.trouble import FULL, WELL, load, look_around, lose_power, missing, periods, wait_for_word
from tests.faults.usage import at_rest, check_rest
from tests.faults.visitor import Visitor, read_everything
from tests.system.processes import BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TIMES = 5
MEGABYTES = 48
# More than the broker's log, less than its database.
WRITABLE_BYTES = 1 << 16


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ImageDisk]:
    """A disk that can fail."""
    need_mounts()
    with image_disk(tmp_path / "disk.img", tmp_path / "disk", MEGABYTES) as disk:
        yield disk


@pytest.fixture
def data(tmp_path: Path, disk: ImageDisk) -> Path:
    """On that disk."""
    return tmp_path / "disk" / "data"


def limit_files(broker: BrokerProcess, size: int) -> None:
    """Have whatever the broker writes behind this place of a file fail; -1: nothing."""
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (size, -1))


def test_a_disk_that_cannot_write_for_a_while(
    broker: BrokerProcess, disk: ImageDisk, crew: Crew, dice: random.Random
) -> None:
    with Visitor(broker, "visitor") as visitor:
        read_everything(visitor, "lobby")
    rest = at_rest(broker.pid)
    load(crew)
    with Visitor(broker, "vera") as visitor:
        for number in range(1, TIMES + 1):
            crew.work(dice.uniform(0.2, 1.0))
            known = len(periods(broker))
            limit_files(broker, WRITABLE_BYTES)
            wait_for_word(broker, FULL, known)
            crew.work(dice.uniform(0.0, 0.5))
            look_around(visitor, number)
            limit_files(broker, -1)
            took = visitor.insist(m.Create(room=f"round-{number}", once=f"{number:032x}"))
            tell(f"{number}: a room was made {took * 1000:.0f} ms after the disk worked again")
            wait_for_word(broker, WELL, known)
    assert "disk I/O error" in broker.log()
    crew.settle()
    check_rest(broker.pid, rest)
    # What was written after a failure has reached the disk as well.
    lose_power(broker, disk, crew)
    complain(missing(broker, crew))
    broker.start()
    tell(str(crew.judge(broker.data / "chat.db")))


@pytest.mark.parametrize("quiet", [False, True])
def test_a_disk_that_the_system_made_read_only(
    broker: BrokerProcess, disk: ImageDisk, crew: Crew, dice: random.Random, quiet: bool
) -> None:
    with Visitor(broker, "vera") as visitor:
        load(crew)
        crew.work(dice.uniform(0.2, 1.0))
        if quiet:  # nothing was left to be written by then
            for hand in crew.hands:
                hand.freeze()
            visitor.expect(m.Ping(), m.Pong)
            run("sync", "--file-system", disk.point)
        disk.fail()
        for hand in crew.hands if quiet else ():
            hand.thaw()
        wait_for_word(broker, FULL, 0)
        crew.work(dice.uniform(0.5, 1.5))
        look_around(visitor, 1)
    assert periods(broker) == [FULL]
    assert broker.stop() == 0
    disk.unmount()
    disk.mount()
    broker.start()
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))


def test_a_disk_that_is_gone_for_good_ends_the_broker(
    broker: BrokerProcess, disk: ImageDisk, crew: Crew, dice: random.Random
) -> None:
    load(crew)
    crew.work(dice.uniform(0.2, 1.0))
    disk.die()
    # Whether the last batch is on the disk, the disk does not tell: nothing may be acknowledged or refused any more.
    assert broker.wait() == 73
    said = broker.log().splitlines()[-1]
    tell(said)
    assert said.startswith("chat-broker: Writing failed (")
    assert "Traceback" not in broker.log()
    disk.unmount()
    disk.mount()
    complain(missing(broker, crew))
    broker.start()
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))
