"""The power fails under load: whatever was acknowledged by then is on the disk when it is back.

The broker is frozen at a random moment and its disk copied as it is, without what only the kernel had. The copy's
journal is played back, the broker goes on with it, and so do its clients.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import normal
from tests.faults.crew import Crew
from tests.faults.disks import ImageDisk, image_disk, need_mounts
from tests.faults.oracle import complain
from tests.faults.trouble import load, lose_power, missing
from tests.system.processes import BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LOSSES = 6
MEGABYTES = 64


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
