"""Fixtures for tests with real processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.processes import BrokerProcess, Person


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker that serves."""
    process = BrokerProcess(tmp_path)
    yield process.start()
    process.close()


@pytest.fixture
def person(tmp_path: Path, broker: BrokerProcess) -> Iterator[Callable[[str], Person]]:
    """Makes people at that broker."""
    people: list[Person] = []

    def make(name: str) -> Person:
        people.append(Person(tmp_path, broker.address, name))
        return people[-1]

    yield make
    for one in people:
        one.close()
