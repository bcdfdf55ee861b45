"""What the broker's tests share: a table of people over dicts, and one over a database (see table.py)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_broker.store import Store
from tests.broker.table import Table


@pytest.fixture
def table() -> Table:
    """A hub over dicts, with nobody at it."""
    return Table()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh database."""
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def stored(store: Store) -> Table:
    """A hub over a database, with nobody at it."""
    return Table(store)


@pytest.fixture(params=["in memory", "in a database"])
def either(request: pytest.FixtureRequest) -> Table:
    """A table over dicts, then one over a database: for what has to outlive a restart."""
    found: Table = request.getfixturevalue("table" if request.param == "in memory" else "stored")
    return found
