"""The local copy of rooms, with what was read and drafted there, for every broker. SQLite, many processes.

Of each room it holds one range of events without holes, but for `walls`, each chained onto the one before, of one
history: what does not fit is not written, whatever other processes have written meanwhile. All of it can be read from
the broker again; so nothing waits for the disk, and a broken file is moved aside and begun anew. (What is lost with it
are drafts, and how far was read.)
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
from msgspec import Struct

from chat_client.walls import Walls, hidden, linked
from chat_core import wire
from chat_core.errors import IdentityError, WireError
from chat_core.messages import Event

FILE = "replica.db"
SCHEMA_VERSION = 2

# The range is not written down beside the events: what is told twice can differ.
_SCHEMA = """
CREATE TABLE homes (home TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT NOT NULL, broker TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rooms (id INTEGER PRIMARY KEY AUTOINCREMENT, home TEXT NOT NULL, room TEXT NOT NULL, name TEXT NOT NULL,
                    mine INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0, draft TEXT NOT NULL DEFAULT '',
                    UNIQUE (home, room));
CREATE TABLE events (room INTEGER NOT NULL, seq INTEGER NOT NULL, chain TEXT NOT NULL, kind TEXT NOT NULL,
                     author TEXT NOT NULL, event BLOB NOT NULL, PRIMARY KEY (room, seq)) WITHOUT ROWID;
"""
_SINCE_VERSION_1 = """
ALTER TABLE rooms ADD COLUMN kind TEXT NOT NULL DEFAULT 'open';
ALTER TABLE rooms ADD COLUMN closed TEXT NOT NULL DEFAULT '';
CREATE TABLE walls (room INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL,
                    PRIMARY KEY (room, last)) WITHOUT ROWID;
"""
_LAST = "SELECT seq, chain FROM events WHERE room = ? ORDER BY seq DESC LIMIT 1"

# Another process's transaction takes milliseconds; who holds the file longer is no program of ours.
_BUSY_SECONDS = 10.0
# What SQLite says of a file that is no database, is damaged, or has other tables than ours.
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_FILE = (0, 0)  # is none that there is


class About(Struct, frozen=True):
    """Who I am at a broker, and what it is called."""

    user: str
    name: str
    broker: str


class Kept(Struct, frozen=True):
    """What is known of a room. The events ``first`` to ``have`` are held, the last of them has ``chain``.

    Where none is held, they are 1, 0 and None. ``read``: the last event that was read; ``mine``: I am a member.
    ``closed``: why I cannot read it any more, a sentence; "": I can.
    """

    room: str
    name: str
    first: int
    have: int
    chain: str | None
    read: int
    draft: str
    mine: bool
    kind: str = "open"
    closed: str = ""
    walls: dict[int, int] = {}


class _Held(Struct, frozen=True):
    """The range of a room and the chain of its last event; ``number`` is its row, 0 if there is none."""

    number: int = 0
    first: int = 1
    have: int = 0
    chain: str | None = None


class Replica:
    """The copy that all processes of one identity share. Belongs to one thread.

    Every call is one transaction and raises IdentityError, with a sentence for the user, if the file cannot be used; it
    has then done nothing. If the file was found broken, the copy is empty from then on.
    """

    def __init__(self, folder: Path) -> None:
        """Open the copy in an identity's folder, making it if it is not there. Raises IdentityError."""
        self._folder, self._file = folder, folder / FILE
        self._opened: tuple[int, int] | None = _NO_FILE  # which file has the name, as far as is known
        with self._explained():
            self._open()

    def close(self) -> None:
        """Release the file."""
        self._sql.close()

    # Brokers.

    def about(self, home: str) -> About | None:
        """Who I am at this broker, or None if I was never there."""
        with self._transaction("DEFERRED"):
            row = self._sql.execute("SELECT user, name, broker FROM homes WHERE home = ?", (home,)).fetchone()
        return About(*row) if row else None

    def learn(self, home: str, user: str, name: str, broker: str) -> None:
        """Note who I am at this broker, and the broker's name."""
        with self._transaction():
            self._sql.execute("INSERT OR REPLACE INTO homes VALUES (?, ?, ?, ?)", (home, user, name, broker))

    # Rooms. One that is written of before it was entered is made, under its id and not as mine.

    def rooms(self, home: str) -> list[Kept]:
        """All rooms of which anything is known, in the order of their ids."""
        found = "SELECT room, name, read, draft, mine, kind, closed FROM rooms WHERE home = ? ORDER BY room"
        kept = []
        with self._transaction("DEFERRED"):
            for room, name, read, draft, mine, kind, closed in self._sql.execute(found, (home,)).fetchall():
                held = self._held(home, room)
                walls = self._walls(held.number)
                kept.append(
                    Kept(room, name, held.first, held.have, held.chain, read, draft, bool(mine), kind, closed, walls)
                )
        return kept

    def enter(self, home: str, room: str, name: str, mine: bool, kind: str = "open") -> None:
        """Note a room's name and whether I am a member; leaves the events, what was read and the draft alone."""
        noted = "UPDATE rooms SET name = ?, mine = ?, kind = ?, closed = '' WHERE id = ?"
        with self._transaction():
            self._sql.execute(noted, (name, mine, kind, self._row(home, room)))

    def close_room(self, home: str, room: str, why: str) -> None:
        """Note that I cannot read a room any more, and why: a sentence. What is held of it stays."""
        with self._transaction():
            self._sql.execute("UPDATE rooms SET closed = ? WHERE id = ?", (why, self._row(home, room)))

    def forget(self, home: str, room: str) -> None:
        """Drop everything of a room."""
        with self._transaction():
            held = self._held(home, room)
            for table in ("events", "walls"):
                self._sql.execute(f"DELETE FROM {table} WHERE room = ?", (held.number,))
            self._sql.execute("DELETE FROM rooms WHERE id = ?", (held.number,))

    def set_read(self, home: str, room: str, seq: int) -> None:
        """Everything up to ``seq`` was read. Never lowers; only `rewind` does."""
        with self._transaction():
            self._sql.execute("UPDATE rooms SET read = max(read, ?) WHERE id = ?", (seq, self._row(home, room)))

    def set_draft(self, home: str, room: str, text: str) -> None:
        """Keep what is typed and not yet sent; "": nothing is."""
        # Some Tk gives half a character where it was deleted in the middle of a pair.
        text = text.encode("utf-8", "replace").decode()
        with self._transaction():
            self._sql.execute("UPDATE rooms SET draft = ? WHERE id = ?", (text, self._row(home, room)))

    def unread(self, home: str, room: str, me: str) -> int:
        """How many messages of others than the user ``me`` are held and not yet read."""
        count = (
            "SELECT count(*) FROM rooms JOIN events ON events.room = rooms.id AND events.seq > rooms.read"
            " WHERE rooms.home = ? AND rooms.room = ? AND events.kind = 'message' AND events.author != ?"
        )
        with self._transaction("DEFERRED"):
            return int(self._sql.execute(count, (home, room, me)).fetchone()[0])

    # Events.

    def append(self, home: str, room: str, events: Sequence[Event]) -> bool:
        """Take events without a hole, oldest first, behind those that are held; a room without any begins with them.

        Those that are held already are skipped. False, and nothing is written: there would be a hole, or they are of
        another history than what is held.
        """
        if not events:
            return True
        with self._transaction():
            held = self._held(home, room)
            walls = self._walls(held.number)
            if held.chain is None:
                new, fits = events, linked(events, room, events[0].seq, None, walls)
            else:
                new = [event for event in events if event.seq > held.have]
                known = events[: len(events) - len(new)]
                fits = self._same(held.number, known) and linked(new, room, held.have + 1, held.chain, walls)
            if fits and new:
                self._insert(held.number or self._row(home, room), new)
                self._blank(held.number or self._row(home, room), new)
        return fits

    def wall(self, home: str, room: str, last: int, first: int) -> None:
        """What lies between event ``last`` and event ``first`` is not for me."""
        with self._transaction():
            row = self._row(home, room), last, first
            self._sql.execute("INSERT OR REPLACE INTO walls VALUES (?, ?, ?)", row)

    def prepend(self, home: str, room: str, events: Sequence[Event], walls: Walls | None = None) -> bool:
        """Take events without a hole, oldest first, before those that are held, of which there must be some.

        Those that are held already are skipped. False as for `append`. ``walls``: those among them.
        """
        if not events:
            return True
        with self._transaction():
            held = self._held(home, room)
            new = [event for event in events if event.seq < held.first]
            known = events[len(new) :]
            all_walls = self._walls(held.number) | dict(walls or {})
            fits = held.chain is not None and self._same(held.number, known)
            if fits and new:
                oldest = wire.decode_event(self._events(held.number, held.first, held.first)[0])
                fits = linked([*new, oldest], room, new[0].seq, None, all_walls)
                if fits:
                    self._insert(held.number, new)
                    rows = [(held.number, last, first) for last, first in (walls or {}).items()]
                    self._sql.executemany("INSERT OR REPLACE INTO walls VALUES (?, ?, ?)", rows)
                    self._blank(held.number, self._deletions(held.number))
        return fits

    def read_range(self, home: str, room: str, after: int, upto: int) -> list[Event] | None:
        """The events after ``after`` up to ``upto``; None unless all of them are held that I may read."""
        if after >= upto:
            return []
        with self._transaction("DEFERRED"):
            held = self._held(home, room)
            if after + 1 < held.first or upto > held.have:
                return None
            found = self._events(held.number, after + 1, upto)
            if len(found) != upto - after - hidden(self._walls(held.number), after, upto):
                return None
            return [wire.decode_event(event) for event in found]

    def tail(self, home: str, room: str, count: int) -> list[Event]:
        """The last events that are held, at most ``count``, oldest first."""
        with self._transaction("DEFERRED"):
            held = self._held(home, room)
            found = self._events(held.number, held.have - count + 1, held.have)
            return [wire.decode_event(event) for event in found]

    def points(self, home: str, room: str, count: int = 4096) -> list[tuple[int, str]]:
        """The last events that are held, at most ``count``, as (seq, chain), oldest first."""
        with self._transaction("DEFERRED"):
            held = self._held(home, room)
            found = "SELECT seq, chain FROM events WHERE room = ? AND seq > ? ORDER BY seq"
            return self._sql.execute(found, (held.number, held.have - count)).fetchall()

    def rewind(self, home: str, room: str, seq: int) -> None:
        """What came after event ``seq`` never happened, and was not read. 0, or one before those that are held: none
        is held any more."""
        with self._transaction():
            number = self._held(home, room).number
            self._sql.execute("DELETE FROM events WHERE room = ? AND seq > ?", (number, seq))
            self._sql.execute("DELETE FROM walls WHERE room = ? AND first > ?", (number, seq))
            self._sql.execute("UPDATE rooms SET read = min(read, ?) WHERE id = ?", (seq, number))

    # Inside.

    def _held(self, home: str, room: str) -> _Held:
        row = self._sql.execute("SELECT id FROM rooms WHERE home = ? AND room = ?", (home, room)).fetchone()
        if row is None:
            return _Held()
        last = self._sql.execute(_LAST, row).fetchone()
        if last is None:
            return _Held(row[0])
        (first,) = self._sql.execute("SELECT min(seq) FROM events WHERE room = ?", row).fetchone()
        return _Held(row[0], first, *last)

    def _row(self, home: str, room: str) -> int:
        """The number of a room's row, made if there is none."""
        self._sql.execute("INSERT OR IGNORE INTO rooms (home, room, name) VALUES (?, ?, ?)", (home, room, room))
        return self._held(home, room).number

    def _events(self, number: int, first: int, last: int) -> list[bytes]:
        found = "SELECT event FROM events WHERE room = ? AND seq BETWEEN ? AND ? ORDER BY seq"
        return [event for (event,) in self._sql.execute(found, (number, first, last))]

    def _walls(self, number: int) -> dict[int, int]:
        return dict(self._sql.execute("SELECT last, first FROM walls WHERE room = ?", (number,)).fetchall())

    def _deletions(self, number: int) -> list[Event]:
        found = "SELECT event FROM events WHERE room = ? AND kind = 'deleted'"
        return [wire.decode_event(event) for (event,) in self._sql.execute(found, (number,)).fetchall()]

    def _blank(self, number: int, events: Iterable[Event]) -> None:
        """What these events delete is not to be found on this disk any more."""
        for event in events:
            if event.kind == "deleted":
                for whole in self._events(number, event.target, event.target):
                    row = wire.blanked(whole), number, event.target
                    self._sql.execute("UPDATE events SET event = ? WHERE room = ? AND seq = ?", row)

    def _same(self, number: int, events: Sequence[Event]) -> bool:
        """Whether these are held, with the same chains."""
        if not events:
            return True
        found = "SELECT seq, chain FROM events WHERE room = ? AND seq BETWEEN ? AND ? ORDER BY seq"
        chains = self._sql.execute(found, (number, events[0].seq, events[-1].seq)).fetchall()
        return [(event.seq, event.chain) for event in events] == chains

    def _insert(self, number: int, events: Sequence[Event]) -> None:
        self._sql.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            [(number, e.seq, e.chain, e.kind, e.author, wire.encode(e)) for e in events],
        )

    @contextmanager
    def _transaction(self, mode: str = "IMMEDIATE") -> Iterator[None]:
        """All or nothing, and nothing of others in between; "DEFERRED" for reading only. Raises IdentityError."""
        with self._explained():
            if self._stamp() != self._opened:  # another process found it broken; or opening it anew failed
                self._sql.close()
                self._open()
            self._sql.execute(f"BEGIN {mode}")
            try:
                yield
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:  # a full disk may have ended it
                    self._sql.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what can go wrong with the file into an IdentityError, and begin anew if the file is broken."""
        try:
            try:
                yield
            except (sqlite3.Error, WireError) as problem:
                if not _broken(problem):
                    raise
                self._begin_anew()
                text = f"The copy of the rooms in {self._folder} was broken: it was moved aside and is begun anew."
                raise IdentityError(text) from problem
        except sqlite3.ProgrammingError:
            raise  # our own fault: another thread, or closed
        except (sqlite3.Error, OSError) as problem:
            reason = f"The copy of the rooms in {self._folder} cannot be used ({problem})"
            code = _code(problem)
            hint = ": is the disk full?" if code in _FULL else ": another program holds it." if code in _BUSY else "."
            raise IdentityError(reason + hint) from problem

    def _open(self) -> None:
        """Open the file; a broken one is moved aside first."""
        # One process at a time: no other one may move the file away, or move away a good one, between these steps.
        # (And of two that switch a new file to WAL at the same moment, SQLite fails one without waiting.)
        with self._opening():
            try:
                self._connect()
            except sqlite3.Error as problem:
                if not _broken(problem):
                    raise
                self._move_aside()
                self._connect()

    def _begin_anew(self) -> None:
        """Leave the broken file."""
        self._sql.close()
        broken, self._opened = self._opened, _NO_FILE
        with self._opening():
            if self._stamp() == broken:  # else another process has done it
                self._move_aside()
            self._connect()

    def _opening(self) -> filelock.BaseFileLock:
        return filelock.FileLock(self._folder / "replica.lock", timeout=_BUSY_SECONDS)

    def _connect(self) -> None:
        if not self._file.exists():
            self._file.touch(mode=0o600)  # everything that its user may read is in it
        self._sql = sqlite3.connect(self._file, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._sql.close()
            raise
        self._opened = self._stamp()

    def _prepare(self) -> None:
        execute = self._sql.execute
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA secure_delete = ON")  # what somebody deleted for everybody does not stay in the file
        execute("BEGIN IMMEDIATE")
        version = execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            text = f"The identity folder {self._folder} was used by a newer version of this program: update this one."
            raise IdentityError(text)
        if version < SCHEMA_VERSION:
            for statement in (_SINCE_VERSION_1 if version else _SCHEMA + _SINCE_VERSION_1).split(";"):
                execute(statement)
            execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        execute("COMMIT")

    def _stamp(self) -> tuple[int, int] | None:
        """Which file has the name now."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def _move_aside(self) -> None:
        """Give the broken file, with what belongs to it, another name.

        A process that still has it open notices at its next call. SQLite sees itself that it was moved, and does not
        take the new file's write-ahead log for the old one's when it closes that.
        """
        number = 1
        while (aside := self._file.with_name(f"{FILE}.broken-{number}")).exists():
            number += 1
        # The file goes first: if no more is done, SQLite clears away what it finds beside a new one.
        for end in ("", "-wal", "-shm"):
            file = self._file.with_name(FILE + end)
            if file.exists():
                file.replace(aside.with_name(aside.name + end))


def _code(problem: Exception) -> int:
    """SQLite's number for what went wrong, without the details; 0 if it comes from elsewhere."""
    return int(getattr(problem, "sqlite_errorcode", 0)) & 0xFF


def _broken(problem: Exception) -> bool:
    return isinstance(problem, WireError) or _code(problem) in _BROKEN
