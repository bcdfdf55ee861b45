"""What this client keeps on disk: unsent posts, which broker is where, how far a bot has read. SQLite, many processes.

A post is a row from before its first sending until it is settled, and keeps its (sender, n) all that time: so it can
be sent again after any crash and counts once. A *sender* belongs to one process, which holds a lock on it; rows whose
sender nobody holds are those of a process that died, and the next one sends them (SESSION.md, "Sender").
"""

import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from chat_client.flight import Row
from chat_core.errors import IdentityError

FILE = "client.db"
SCHEMA_VERSION = 1
# How many (seq, chain) points of a room a bot remembers, to find the fork after a restored backup.
POINTS_KEPT = 4096
# A lock file of a sender without rows is cleared away when it is so old: its process is gone or holds the lock.
LOCK_SECONDS = 86400.0

_SCHEMA = """
CREATE TABLE rows (id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, n INTEGER NOT NULL, home TEXT NOT NULL,
                   room TEXT NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, fixed INTEGER NOT NULL,
                   time INTEGER NOT NULL, UNIQUE (sender, n, home));
CREATE TABLE homes (address TEXT PRIMARY KEY, home TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE points (home TEXT NOT NULL, room TEXT NOT NULL, seq INTEGER NOT NULL, chain TEXT NOT NULL,
                     PRIMARY KEY (home, room, seq)) WITHOUT ROWID;
"""


class KeyUsedError(Exception):
    """The user's key stands for another message already."""


class Outbox:
    """The unsent posts of one identity for the broker at one address. Belongs to one thread."""

    def __init__(self, folder: Path, address: str) -> None:
        """``address`` is the broker's as typed, in its short form. Raises IdentityError."""
        self._folder, self._address = folder, address
        self._locks: dict[str, filelock.BaseFileLock] = {}
        self._keys: set[str] = set()  # senders derived from keys, used by this process; not locked
        try:
            (folder / "senders").mkdir(exist_ok=True)
            self._sql = sqlite3.connect(folder / FILE, timeout=30.0, isolation_level=None)
            try:
                self._prepare()
                self.sender = self._fresh_sender()
            except BaseException:
                self._sql.close()
                raise
        except (OSError, sqlite3.Error) as problem:
            text = f"The outbox in {folder} cannot be used ({problem}): give another folder with --identity."
            raise IdentityError(text) from problem
        self._next = 1

    def close(self) -> None:
        """Release everything; rows that are left are the next process's."""
        for sender in list(self._locks):
            self._release(sender)
        self._sql.close()

    # Rows.

    def add(self, room: str, kind: str, body: bytes, key: str = "", n: int = 1) -> Row:
        """Keep a post, to be sent. ``key``: a sender derived from a key of the user's, which with ``n`` counts once
        in whatever process; raises KeyUsedError if an unsent row has it for something else."""
        if key:
            row = Row(key, n, room, kind, body, fixed=True)
        else:
            row = Row(self.sender, self._next, room, kind, body)
        with self._transaction():
            self._insert(row)
        if key:
            self._keys.add(key)
        else:
            self._next += 1
        return row

    def add_all(self, posts: Iterable[tuple[str, str, bytes]], points: Iterable[tuple[str, int, str]]) -> list[Row]:
        """In one transaction: keep posts (room, kind, body) and note how far rooms were read (room, seq, chain).

        So a bot's answers and its place in the room can never be apart, whenever it is killed.
        """
        rows: list[Row] = []
        with self._transaction():
            for room, kind, body in posts:
                rows.append(Row(self.sender, self._next + len(rows), room, kind, body))
                self._insert(rows[-1])
            for room, seq, chain in points:
                home = self._home()
                self._sql.execute("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?)", (home, room, seq, chain))
                if seq % 64 == 0:
                    old = (home, room, seq - POINTS_KEPT)
                    self._sql.execute("DELETE FROM points WHERE home = ? AND room = ? AND seq < ?", old)
        self._next += len(rows)
        return rows

    def settle(self, row: Row) -> None:
        """The post is in the log, or refused for good."""
        # Nothing is lost if a power cut undoes this: the row is sent again and counts once. So it need not wait for
        # the disk, as a row that is added has to.
        self._sql.execute("PRAGMA synchronous = NORMAL")
        try:
            with self._transaction():
                self._sql.execute(
                    "DELETE FROM rows WHERE sender = ? AND n = ? AND home = ?", (row.sender, row.n, self._home())
                )
        finally:
            self._sql.execute("PRAGMA synchronous = FULL")

    def renumber(self, sender: str, first: int) -> dict[Row, Row]:
        """Give a sender's rows from ``first`` on a fresh one, which is also this process's from now on.

        Returns every row as it was and as it is, in order.
        """
        self.sender, self._next = self._fresh_sender(), 1
        renewed = {}
        with self._transaction():
            for row in [row for row in self._rows(sender) if row.n >= first]:
                new = Row(self.sender, self._next, row.room, row.kind, row.body)
                self._sql.execute(
                    "UPDATE rows SET sender = ?, n = ? WHERE sender = ? AND n = ? AND home = ?",
                    (new.sender, new.n, row.sender, row.n, self._home()),
                )
                renewed[row] = new
                self._next += 1
        return renewed

    def adopt(self) -> list[Row]:
        """The rows for this broker of processes that are no more, in the order in which they were written."""
        home = self._home()
        rows: list[Row] = []
        senders = self._sql.execute("SELECT sender FROM rows WHERE home = ? GROUP BY sender ORDER BY min(id)", (home,))
        for (sender,) in senders.fetchall():
            if sender not in self._locks and self._claim(sender):
                rows += self._rows(sender)
        self._clear_locks()
        return rows

    def waiting(self) -> int:
        """How many posts are kept for this broker, those of other processes included."""
        return int(self._sql.execute("SELECT count(*) FROM rows WHERE home = ?", (self._home(),)).fetchone()[0])

    def unsent(self) -> list[Row]:
        """The posts kept for this broker, of whatever process, oldest first; they stay whose they are."""
        found = self._sql.execute(
            "SELECT sender, n, room, kind, body, fixed FROM rows WHERE home = ? ORDER BY id", (self._home(),)
        )
        return [Row(who, n, room, kind, body, bool(fixed)) for who, n, room, kind, body, fixed in found]

    def everything(self) -> list[tuple[int, str, Row]]:
        """What is unsent for whatever broker, oldest first: (number to name it by, the broker's address, row)."""
        found = self._sql.execute(
            "SELECT id, coalesce((SELECT max(address) FROM homes WHERE homes.home = rows.home), ltrim(home, '@')),"
            " sender, n, room, kind, body, fixed FROM rows ORDER BY id"
        )
        return [
            (number, where, Row(who, n, room, kind, body, bool(fixed)))
            for number, where, who, n, room, kind, body, fixed in found
        ]

    def drop(self, number: int) -> bool:
        """Give up an unsent message by its number; False if there is none. It may have been sent all the same."""
        with self._transaction():
            return self._sql.execute("DELETE FROM rows WHERE id = ?", (number,)).rowcount > 0

    def elsewhere(self) -> int:
        """How many posts are kept for other brokers."""
        return int(self._sql.execute("SELECT count(*) FROM rows WHERE home != ?", (self._home(),)).fetchone()[0])

    # Brokers.

    @property
    def home(self) -> str:
        """The id of the broker that last answered at this address, or "" if none ever did."""
        home = self._home()
        return "" if home.startswith("@") else home

    def learn(self, home: str) -> None:
        """This broker answers at the address: what was kept for "whoever is there" is for it.

        Rows of this process go to it even if another broker was there before: its user typed the address just now.
        """
        with self._transaction():
            self._sql.execute("INSERT OR REPLACE INTO homes VALUES (?, ?)", (self._address, home))
            self._sql.execute("UPDATE OR REPLACE rows SET home = ? WHERE home = ?", (home, f"@{self._address}"))
            for sender in (*self._locks, *self._keys):
                self._sql.execute("UPDATE OR REPLACE rows SET home = ? WHERE sender = ?", (home, sender))

    # How far a bot has read.

    def points(self, room: str) -> list[tuple[int, str]]:
        """The last events of the room that were answered, as (seq, chain), oldest first."""
        return self._sql.execute(
            "SELECT seq, chain FROM points WHERE home = ? AND room = ? ORDER BY seq", (self._home(), room)
        ).fetchall()

    def rewind(self, room: str, seq: int) -> None:
        """What was read after that event never happened."""
        with self._transaction():
            self._sql.execute("DELETE FROM points WHERE home = ? AND room = ? AND seq > ?", (self._home(), room, seq))

    # Inside.

    def _prepare(self) -> None:
        execute = self._sql.execute
        if execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            # Of two that switch a new file to WAL at the same moment, SQLite fails one without waiting.
            with filelock.FileLock(self._folder / "opening.lock", timeout=30.0):
                execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        with self._transaction():
            version = execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                text = (
                    f"The identity folder {self._folder} was used by a newer version of this program: update this one."
                )
                raise IdentityError(text)
            if version == 0:
                if execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise IdentityError(f"{self._folder / FILE} was not made by this program: move it away.")
                for statement in _SCHEMA.split(";"):
                    execute(statement)
                execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing. Raises IdentityError if it cannot be written."""
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:  # a full disk may have ended it
                    self._sql.execute("ROLLBACK")
                raise
        except sqlite3.Error as problem:
            text = f"The outbox in {self._folder} cannot be written ({problem}): is the disk full?"
            raise IdentityError(text) from problem

    def _insert(self, row: Row) -> None:
        try:
            self._sql.execute(
                "INSERT INTO rows (sender, n, home, room, kind, body, fixed, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (row.sender, row.n, self._home(), row.room, row.kind, row.body, row.fixed, int(time.time() * 1000)),
            )
        except sqlite3.IntegrityError:
            # The same key in a process before, or beside, this one: the same message is the same row.
            if row not in self._rows(row.sender):
                raise KeyUsedError from None

    def _rows(self, sender: str) -> list[Row]:
        """The sender's rows for this broker. (One key of a user's can stand for a message at each of several.)"""
        found = self._sql.execute(
            "SELECT sender, n, room, kind, body, fixed FROM rows WHERE sender = ? AND home = ? ORDER BY n",
            (sender, self._home()),
        )
        return [Row(who, n, room, kind, body, bool(fixed)) for who, n, room, kind, body, fixed in found]

    def _home(self) -> str:
        row = self._sql.execute("SELECT home FROM homes WHERE address = ?", (self._address,)).fetchone()
        return row[0] if row else f"@{self._address}"

    def _fresh_sender(self) -> str:
        sender = secrets.token_hex(8)
        self._claim(sender)
        return sender

    def _claim(self, sender: str) -> bool:
        """Hold a sender, unless another process does. The system lets go of the lock when a process ends, however."""
        lock = filelock.FileLock(self._folder / "senders" / f"{sender}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            return False
        self._locks[sender] = lock
        return True

    def _release(self, sender: str) -> None:
        self._locks.pop(sender).release()
        if not self._has_rows(sender):
            (self._folder / "senders" / f"{sender}.lock").unlink(missing_ok=True)

    def _clear_locks(self) -> None:
        """Clear away what killed processes without unsent posts left behind."""
        for file in (self._folder / "senders").glob("*.lock"):
            sender = file.stem
            try:
                old = file.stat().st_mtime < time.time() - LOCK_SECONDS
            except FileNotFoundError:
                continue
            if old and sender not in self._locks and not self._has_rows(sender) and self._claim(sender):
                self._release(sender)

    def _has_rows(self, sender: str) -> bool:
        return self._sql.execute("SELECT 1 FROM rows WHERE sender = ? LIMIT 1", (sender,)).fetchone() is not None
