"""The log and the kept tables in SQLite: one transaction a batch, on disk before anybody is told. SQL is only here.

A room's events of one batch are one row of ``log``, as the JSON array that was broadcast; what became of a batch's post
numbers is one row of ``outcomes``, to which a row of ``runs`` for each sender points. So a commit of 256 posts writes
about a dozen rows (docs/decisions/0003-rows-for-batches.md). The tables are made in `schema`.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct

from chat_broker import schema
from chat_broker.batch import Batch, Outcome
from chat_broker.tables import KEPT, NO_EVENTS, Head, SenderState, Tables
from chat_core import wire
from chat_core.chain import chain_after
from chat_core.errors import StoreError, WireError

FILE = "chat.db"
# Where a database's header says how it is written: 2 for a write-ahead log.
_WAYS_OF_WRITING = slice(18, 20)
# Wait this long for another connection's lock; the reader never holds one, a person with the sqlite3 shell may.
_BUSY_SECONDS = 5.0
# How often to try to empty the write-ahead log.
_SCRUB_MS = 1000
# The row that has an event, if there is one: the last that begins at or before its number.
_ROW_OF = "SELECT first, events FROM log WHERE room = ? AND first <= ? ORDER BY first DESC LIMIT 1"


class Store:
    """The writing connection; belongs to the loop's thread. Errors while writing leave the database as it was."""

    def __init__(self, folder: Path) -> None:
        """Open the database in ``folder``, making it if it is not there.

        Raises StoreError: not readable, not ours, or (``newer``) made by a later version of this program.
        """
        self.path = folder / FILE
        self._looked_up: tuple[int, list[Outcome]] = 0, []
        self._unscrubbed = 0  # time (ms) of the last try to empty the write-ahead log of what was deleted; 0: it is
        self.kept_old: Path | None = None  # the copy, if this was an upgrade
        try:
            self._sql = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        except sqlite3.Error as problem:
            raise StoreError(f"The database {self.path} cannot be opened ({problem}){_advice(problem)}.") from problem
        try:
            self._prepare()
        except (sqlite3.Error, StoreError) as problem:
            self._sql.close()
            if isinstance(problem, StoreError):
                raise
            raise StoreError(f"The database {self.path} cannot be used ({problem}){_advice(problem)}.") from problem

    def close(self) -> None:
        """Release the file; folds the write-ahead log into it."""
        self._sql.close()

    # At start.

    @property
    def home(self) -> str:
        """The broker's id, made with the database."""
        return self._about("home")

    @property
    def epoch(self) -> str:
        """The log's epoch: another one means another history."""
        return self._about("epoch")

    @property
    def salt(self) -> bytes:
        """The secret that keys the digests of posts."""
        return bytes.fromhex(self._about("salt"))

    def load(self, tables: Tables) -> tuple[int, int]:
        """Fill the tables; returns the number and time of the last commit."""
        try:
            for table, key, value in self._sql.execute("SELECT tab, key, value FROM kept"):
                if table in KEPT:
                    tables.load(table, key, value)
            for room in tables.rooms:
                tables.heads[room] = self._head(room)
            return self.clock()
        except (sqlite3.Error, WireError) as problem:
            raise StoreError(f"The database {self.path} is damaged ({problem}): restore a backup.") from problem

    # Writing.

    def commit(self, batch: Batch) -> None:
        """Store a batch in one transaction, on disk when this returns. Raises StoreError; then see `clock`."""
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                self._write(batch)
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise
        except (sqlite3.Error, WireError) as problem:
            raise StoreError(str(problem)) from problem
        if batch.blanks or self._unscrubbed:
            self._scrub(batch)

    def clock(self) -> tuple[int, int]:
        """Number and time of the last batch on disk: after a failed commit this tells whether it got there."""
        number, time = self._row("SELECT number, time FROM clock")
        return number, time

    def _write(self, batch: Batch) -> None:
        execute = self._sql.execute
        execute("UPDATE clock SET number = ?, time = ?", (batch.number, batch.time))
        for room, chunk in batch.chunks.items():
            for first, last, events in chunk.pieces():
                execute("INSERT INTO log VALUES (?, ?, ?, ?)", (room, first, last, events))
        for room, seq in batch.blanks:
            self._blank(room, seq)
        if batch.runs:
            self._write_runs(batch)
        for (table, key), value in batch.puts.items():
            if value is None:
                execute("DELETE FROM kept WHERE tab = ? AND key = ?", (table, key))
            else:
                execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (table, key, value))

    def _write_runs(self, batch: Batch) -> None:
        rows: list[tuple[str, int, int, str, int, int]] = []
        outcomes: list[Outcome] = []
        for sender, run in batch.runs.items():
            last = run.first + len(run.outcomes) - 1
            rows.append((sender, run.first, last, run.user, batch.number, len(outcomes)))
            outcomes += run.outcomes
        self._sql.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._sql.execute("INSERT INTO outcomes VALUES (?, ?)", (batch.number, wire.encode(outcomes)))

    def _blank(self, room: str, seq: int) -> None:
        """Rewrite the row of a message that was deleted; the chain does not have its body and holds."""
        first, events = self._sql.execute(_ROW_OF, (room, seq)).fetchone()
        blanked = wire.blanked_in(events, [seq - first])
        self._sql.execute("UPDATE log SET events = ? WHERE room = ? AND first = ?", (blanked, room, first))

    def _scrub(self, batch: Batch) -> None:
        """Empty the write-ahead log, which still has what was deleted: now, or when nobody reads from it any more.

        Tried once a second at most, and never waited for: a copy that is being made reads for as long as it takes.
        """
        if not batch.blanks and batch.time < self._unscrubbed + _SCRUB_MS:
            return
        self._unscrubbed = batch.time
        with contextlib.suppress(sqlite3.Error):  # the batch is on disk all the same
            self._sql.execute("PRAGMA busy_timeout = 0")
            if not self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                self._unscrubbed = 0
        self._sql.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")

    # What the rules ask (turn.LogView).

    def event(self, room: str, seq: int) -> Raw | None:
        """An event, encoded; None if it is not there."""
        row = self._row(_ROW_OF, (room, seq))
        try:
            events = wire.split_events(row[1]) if row is not None else []
        except WireError as problem:
            raise StoreError(f"The database {self.path} is damaged ({problem}): restore a backup.") from problem
        return events[seq - row[0]] if events and seq - row[0] < len(events) else None

    def sender(self, sender: str) -> SenderState | None:
        """Whose the sender is and the last number that it spent."""
        row = self._row("SELECT user, last FROM runs WHERE sender = ? ORDER BY first DESC LIMIT 1", (sender,))
        return SenderState(*row) if row is not None else None

    def outcome(self, sender: str, n: int) -> Outcome | None:
        """What became of a number."""
        row = self._row(
            "SELECT first, last, batch, place FROM runs WHERE sender = ? AND first <= ? ORDER BY first DESC LIMIT 1",
            (sender, n),
        )
        if row is None or n > int(row[1]):
            return None
        first, _, batch, place = map(int, row)
        return self._outcomes(batch)[place + n - first]

    def _outcomes(self, batch: int) -> list[Outcome]:
        """What became of a batch's numbers. The last list is remembered: who repeats a post repeats its neighbours."""
        if self._looked_up[0] != batch:
            try:
                (stored,) = self._row("SELECT list FROM outcomes WHERE batch = ?", (batch,))
                self._looked_up = batch, wire.decode(stored, list[Outcome])
            except (TypeError, WireError) as problem:
                raise StoreError(f"The database {self.path} is damaged ({problem}): restore a backup.") from problem
        return self._looked_up[1]

    def _row(self, question: str, arguments: tuple[str | int, ...] = ()) -> Any:
        try:
            return self._sql.execute(question, arguments).fetchone()
        except sqlite3.Error as problem:
            raise StoreError(f"The database {self.path} cannot be read ({problem}).") from problem

    # Opening.

    def _prepare(self) -> None:
        if 0 < (version := schema.version_of(self._sql, self.path)) < schema.SCHEMA_VERSION:
            self.kept_old = self._keep_old(version)
        schema.prepare(self._sql, self.path)
        # With NORMAL a power loss takes what was acknowledged; with FULL it does not (FACTS 1.6), and a commit for
        # each batch rather than each post makes it affordable.
        self._sql.execute("PRAGMA synchronous = FULL")
        # What is deleted is overwritten: a deleted message is not to be found in the file.
        self._sql.execute("PRAGMA secure_delete = ON")
        # Give room back after a burst, so that the write-ahead log does not keep a small disk full.
        self._sql.execute("PRAGMA journal_size_limit = 4194304")

    def _keep_old(self, version: int) -> Path:
        """Before an upgrade: a copy for whoever has to go back to the version before, which cannot read what comes."""
        kept = self.path.with_name(f"{FILE}.schema-{version}")
        beside = self.path.with_name(f".{kept.name}")
        beside.unlink(missing_ok=True)  # of a start that was interrupted
        copy(self.path, beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        # One that is there already is of an upgrade after which somebody went back: what was said since is in this one.
        beside.replace(kept)
        return kept

    def _about(self, name: str) -> str:
        return str(self._row("SELECT value FROM about WHERE name = ?", (name,))[0])

    def _head(self, room: str) -> Head:
        first = self._sql.execute("SELECT min(first) FROM log WHERE room = ?", (room,)).fetchone()[0]
        if first is None:
            return NO_EVENTS
        (events,) = self._sql.execute(
            "SELECT events FROM log WHERE room = ? ORDER BY first DESC LIMIT 1", (room,)
        ).fetchone()
        last = wire.decode_event(wire.split_events(events)[-1])
        return Head(first, last.seq, last.chain)


def _advice(problem: sqlite3.Error) -> str:
    """What to do about it, where SQLite's words do not tell: a full disk can look like a broken one."""
    disk = getattr(problem, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    return ": is the disk full? Make room, or give another folder with --data" if disk else ""


class LogReader:
    """A connection that can only read; belongs to the thread that made it."""

    def __init__(self, path: Path) -> None:
        try:
            self._sql = _open_to_read(path)
        except sqlite3.Error as problem:
            raise StoreError(f"The database {path} cannot be read ({problem}).") from problem

    def close(self) -> None:
        """Release the file."""
        self._sql.close()

    def page(self, room: str, after: int, upto: int, limit: int = 0) -> list[Raw]:
        """The events ``after + 1 .. upto``, encoded: at most ``limit`` of them and 256 KiB, but always one."""
        page: list[Raw] = []
        size = 0
        for first, last, chunk in self._chunks(room, after, upto):
            events = wire.split_events(chunk)
            events = events[max(0, after + 1 - first) : len(events) - max(0, last - upto)]
            for event in events:
                size += len(bytes(event)) + 1
                if (page and size > wire.CHUNK_BYTES) or (limit and len(page) == limit):
                    return page
                page.append(event)
        return page

    def chain(self, room: str, seq: int) -> str:
        """The chain of an event, or "" if it is not there."""
        events = self.page(room, seq - 1, seq, 1)
        return wire.decode_event(events[0]).chain if events else ""

    def _chunks(self, room: str, after: int, upto: int) -> Iterator[tuple[int, int, bytes]]:
        try:
            # The index is on `first`: start at the last chunk that begins at or before after + 1.
            start = self._sql.execute(
                "SELECT max(first) FROM log WHERE room = ? AND first <= ?", (room, after + 1)
            ).fetchone()[0]
            rows = self._sql.execute(
                "SELECT first, last, events FROM log WHERE room = ? AND first >= ? AND first <= ? ORDER BY first",
                (room, start or 0, upto),
            )
            with contextlib.closing(rows):
                yield from (row for row in rows if row[1] > after)
        except sqlite3.Error as problem:
            raise StoreError(f"The log cannot be read ({problem}).") from problem


# ---- copies ------------------------------------------------------------------------------------------------------


class Contents(Struct, frozen=True):
    """What is in a database: how many rooms and events, and the number and time (ms) of its last commit."""

    rooms: int
    events: int
    commit: int
    time: int


def copy(source: Path, target: Path) -> Contents:
    """Copy a database, in use or not, as it is at this moment into the empty file ``target``, under a fresh epoch.

    The copy is checked; it is the caller's to have it on disk. Raises StoreError: there is nothing sound of ours to
    copy, or it cannot be written.
    """
    try:
        # A log beside a copy is another database's, and SQLite would read it all the same.
        with contextlib.closing(_open_to_read(source, "" if has_log(source) else "&immutable=1")) as sql:
            schema.check_ours(sql, source)
            sql.execute("PRAGMA synchronous = OFF")  # of the copy
            # One reading transaction, beside which the broker goes on writing (docs/decisions/0011-copies.md).
            sql.execute("VACUUM INTO ?", (str(target),))
        with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as sql:
            found = sql.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise StoreError(f"The database {source} is damaged ({found}).")
            _begin_history(sql)
            return _contents(sql)
    except (OSError, sqlite3.Error) as problem:
        if getattr(problem, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
            raise StoreError(f"The disk is full: {source} does not fit into {target.parent}.") from problem
        raise StoreError(f"The database {source} cannot be copied ({problem}).") from problem


def check_log(path: Path, shown: Path) -> None:
    """Read every event of a database that nobody uses. Raises StoreError if one is not what it was: SQLite's own check
    does not look into what is stored. ``shown``: what the file is called in the sentence."""
    try:
        _check_rows(path, shown)
    except sqlite3.Error as problem:
        raise StoreError(f"{shown} cannot be read ({problem}).") from problem


def _check_rows(path: Path, shown: Path) -> None:
    room, seq, chain = "", 0, ""
    with contextlib.closing(_open_to_read(path)) as sql:
        for of, first, last, stored in sql.execute("SELECT room, first, last, events FROM log ORDER BY room, first"):
            try:
                events = wire.decode_events(stored)
                for event in events:
                    wire.plain(event.body)
            except WireError as problem:
                raise StoreError(f"{shown} is damaged: room {of} cannot be read from {first} on ({problem}).") from None
            if of != room:  # a log may begin anywhere
                room, seq, chain = of, first - 1, ""
            for event in events:
                seq += 1
                if event.seq != seq or (chain and event.chain != chain_after(chain, event)):
                    raise StoreError(f"{shown} is damaged: number {seq} of room {of} is not what was said.")
                chain = event.chain
            if seq != last:
                raise StoreError(f"{shown} is damaged: room {of} has not all it should have up to {last}.")


def has_log(path: Path) -> bool:
    """Is the database one that is written with a write-ahead log? A broker's is, a copy is not before it is served."""
    with path.open("rb") as file:
        return b"\1" not in file.read(_WAYS_OF_WRITING.stop)[_WAYS_OF_WRITING]


def _open_to_read(path: Path, more: str = "") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{more}", uri=True, timeout=_BUSY_SECONDS)


def _begin_history(sql: sqlite3.Connection) -> None:
    # Its caller throws the file away if this fails, and syncs it if not.
    sql.execute("PRAGMA journal_mode = MEMORY")
    sql.execute("PRAGMA synchronous = OFF")
    sql.execute("UPDATE about SET value = ? WHERE name = 'epoch'", (schema.fresh_epoch(),))


def _contents(sql: sqlite3.Connection) -> Contents:
    rooms = sql.execute("SELECT count(*) FROM kept WHERE tab = 'rooms'").fetchone()[0]
    events = sql.execute("SELECT coalesce(sum(last - first + 1), 0) FROM log").fetchone()[0]
    return Contents(rooms, events, *sql.execute("SELECT number, time FROM clock").fetchone())
