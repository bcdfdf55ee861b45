"""Fixtures for tests with real processes, and for those with people at desks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.desk import Bare, Desk, Maker, Place
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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An address at which nobody is yet."""
    place = Place(tmp_path)
    yield place
    place.close()


@pytest.fixture
def sit(tmp_path: Path, place: Place) -> Iterator[Maker]:
    """Has people sit down at their desks; each name is an identity."""
    desks: list[Desk] = []

    def one(name: str, **options: Any) -> Desk:
        desks.append(Desk(place.address, tmp_path / name, name, **options))
        return desks[-1]

    yield one
    for desk in desks:
        desk.close()


@pytest.fixture
def bare(tmp_path: Path, place: Place) -> Iterator[Bare]:
    """ann's backend, started, without a chat in front of it."""
    bare = Bare(place.address, tmp_path / "ann", "ann").start()
    yield bare
    bare.close()
