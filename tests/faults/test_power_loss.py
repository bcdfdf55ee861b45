"""The power fails under load: whatever was acknowledged by then is on the disk when it is back.

The broker is frozen at a random moment and its disk copied as it is, without what only the kernel had. The copy's
journal is played back, the broker goes on with it, and so do its clients.
"""

import contextlib
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import normal
from tests.faults.crew import Crew
from tests.faults.disks import ImageDisk, image_disk, need_mounts
from tests.faults.oracle import check_acknowledged, check_log, check_seen, complain, read_stored
from tests.faults.telling import tell
from tests.system.processes import BrokerProcess

pytestmark = pytest.mark.slow

LOSSES = 6
MEGABYTES = 64
# Until everything has arrived that the broker said before it stopped.
ARRIVAL_SECONDS = 0.3


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ImageDisk]:
    """A disk that can lose its power."""
    need_mounts()
    with image_disk(tmp_path / "disk.img", tmp_path / "disk", MEGABYTES) as disk:
        yield disk


@pytest.fixture
def data(tmp_path: Path, disk: ImageDisk) -> Path:
    """On that disk."""
    return tmp_path / "disk" / "data"


def lose_power(broker: BrokerProcess, disk: ImageDisk, crew: Crew) -> None:
    """Have it fail now, and be back: the broker is gone, and its disk has what had reached it."""
    copy = disk.image.with_suffix(".copy")
    broker.freeze()
    disk.copy(copy)
    crew.work(ARRIVAL_SECONDS)
    broker.kill()
    disk.unmount()
    os.replace(copy, disk.image)
    disk.mount()


def missing(broker: BrokerProcess, crew: Crew) -> list[str]:
    """What somebody was told of and is not on the disk, or is not in order there. Leaves all as the broker is to find
    it: whoever opens a database mends it."""
    found = broker.folder / "found"
    shutil.rmtree(found, ignore_errors=True)
    shutil.copytree(broker.data, found)
    database = found / "chat.db"
    with contextlib.closing(sqlite3.connect(database)) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    stored, members = read_stored(database), crew.members()
    return [
        *check_log(stored),
        *check_acknowledged(stored, members),
        *check_seen(stored, members, complete=False),
    ]


def load(crew: Crew) -> None:
    """Posts by four, one of whom trusts nobody."""
    for name in ("ann", "bob", "cat"):
        crew.worker(name, rate=100)
    crew.resender("eve", rate=100)
    crew.begin()


def test_the_power_fails_again_and_again_and_nothing_acknowledged_is_missing(
    broker: BrokerProcess, disk: ImageDisk, crew: Crew, dice: random.Random
) -> None:
    load(crew)
    for _ in range(LOSSES):
        crew.work(dice.uniform(0.2, 1.5))
        lose_power(broker, disk, crew)
        complain(missing(broker, crew))
        broker.start()
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))


def test_the_same_loses_what_was_acknowledged_if_commits_do_not_wait_for_the_disk(
    broker: BrokerProcess, disk: ImageDisk, crew: Crew, dice: random.Random
) -> None:
    broker.stop()
    broker.program = (normal.__file__,)
    broker.start()
    load(crew)
    for number in range(1, LOSSES + 1):
        crew.work(dice.uniform(0.2, 1.5))
        lose_power(broker, disk, crew)
        lost = [difference for difference in missing(broker, crew) if "was acknowledged" in difference]
        tell(f"power loss {number}: {len(lost)} acknowledged posts are missing")
        if lost:
            return
        broker.start()
    pytest.fail("synchronous=NORMAL lost nothing: this rig does not show what a power loss does")
