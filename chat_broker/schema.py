"""The shape of the broker's database: making it, recognising it, and bringing one of an older version up to date."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chat_core import wire
from chat_core.errors import StoreError

SCHEMA_VERSION = 3
# "ZCHT": tells `file` and us that the database is ours.
APPLICATION_ID = 0x5A434854

_RUNS = """
CREATE TABLE runs     (sender TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, user TEXT NOT NULL,
                       batch INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (sender, first)) WITHOUT ROWID;
CREATE TABLE outcomes (batch INTEGER PRIMARY KEY, list BLOB NOT NULL);
"""
_SCHEMA = f"""
CREATE TABLE about    (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE clock    (number INTEGER NOT NULL, time INTEGER NOT NULL);
CREATE TABLE kept     (tab TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (tab, key)) WITHOUT ROWID;
CREATE TABLE log      (room TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, events BLOB NOT NULL);
CREATE UNIQUE INDEX log_range ON log (room, first);
{_RUNS}"""


def prepare(sql: sqlite3.Connection, path: Path) -> None:
    """Make the tables in a new file, or bring those of an older version up to date, each step as one transaction.

    ``path`` is for the messages. Raises StoreError as `version_of`; then the file is as it was.
    """
    version = version_of(sql, path)
    sql.execute("PRAGMA journal_mode = WAL")
    if not version:
        with _transaction(sql):
            _make(sql)
    for step in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
        with _transaction(sql):
            _UPGRADES[step](sql)
            sql.execute(f"PRAGMA user_version = {step + 1}")


def version_of(sql: sqlite3.Connection, path: Path) -> int:
    """The version of the database, 0 if there is nothing in the file yet. Raises StoreError as `check_ours`."""
    empty = sql.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    return 0 if empty else check_ours(sql, path)


def check_ours(sql: sqlite3.Connection, path: Path) -> int:
    """The version of a database of ours. Raises StoreError: not ours, or (``newer``) made by a later program."""
    if sql.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(f"{path} is not a database of this program: give another one.")
    version = int(sql.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        text = f"{path} was made by a newer version of this program (schema {version}): update the broker."
        raise StoreError(text, newer=True)
    if version < 1:
        raise StoreError(f"{path} has a schema that no version of this program made ({version}): restore a backup.")
    return version


def fresh_epoch() -> str:
    """The name of a history: a new one for every database and every copy of it."""
    return secrets.token_hex(8)


@contextmanager
def _transaction(sql: sqlite3.Connection) -> Iterator[None]:
    sql.execute("BEGIN IMMEDIATE")
    try:
        yield
        sql.execute("COMMIT")
    except BaseException:
        if sql.in_transaction:  # a full disk may have ended it
            sql.execute("ROLLBACK")
        raise


def _make(sql: sqlite3.Connection) -> None:
    _run(sql, _SCHEMA)
    for name, value in (("home", secrets.token_hex(8)), ("epoch", fresh_epoch()), ("salt", secrets.token_hex(16))):
        sql.execute("INSERT INTO about VALUES (?, ?)", (name, value))
    sql.execute("INSERT INTO clock VALUES (0, 0)")
    sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _run(sql: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):  # `executescript` would commit
        sql.execute(statement)


def _gather_outcomes(sql: sqlite3.Connection) -> None:
    """1 to 2: what became of numbers was a list in the row of each sender and batch; now it is one list a batch.

    The old rows do not say of which batch they are: each becomes one of its own, numbered below all real ones.
    """
    _run(sql, _RUNS)
    rows = sql.execute("SELECT sender, first, user, outcomes FROM numbers ORDER BY sender, first")
    for batch, (sender, first, user, outcomes) in enumerate(rows, 1):
        last = first + len(wire.split_events(outcomes)) - 1
        sql.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, 0)", (sender, first, last, user, -batch))
        sql.execute("INSERT INTO outcomes VALUES (?, ?)", (-batch, outcomes))
    sql.execute("DROP TABLE numbers")


def _keep_others_out(_: sqlite3.Connection) -> None:
    """2 to 3: nothing is another, but a program of before would take private rooms for open ones and know no bans."""


# version -> what makes the next one of it
_UPGRADES: dict[int, Callable[[sqlite3.Connection], None]] = {1: _gather_outcomes, 2: _keep_others_out}
