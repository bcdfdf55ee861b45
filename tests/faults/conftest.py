"""Fixtures for the scenarios of faults: a seed, a broker that serves, and a crew."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crew import Crew
from tests.system.processes import BrokerProcess, quiet_ports
from tests.telling import fresh_seed


@pytest.fixture
def dice() -> random.Random:
    """Chance; its seed is printed."""
    return random.Random(fresh_seed())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the broker's data is; scenarios with a disk of their own say something else."""
    return tmp_path / "data"


@pytest.fixture
def broker(tmp_path: Path, data: Path) -> Iterator[BrokerProcess]:
    """A broker that serves, on ports that are its own while it is away."""
    process = BrokerProcess(tmp_path)
    process.port, process.data = quiet_ports(), data
    yield process.start()
    process.close()


@pytest.fixture
def crew(tmp_path: Path, broker: BrokerProcess, dice: random.Random) -> Iterator[Crew]:
    """Nobody yet."""
    crew = Crew(tmp_path, broker.address, dice.randrange(2**32))
    yield crew
    crew.close()
