"""Backups and restores: whole copies of the database or none, each of which begins a history of its own."""

import contextlib
import itertools
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chat_broker import store
from chat_broker.serving.folder import LOCK, FolderError
from chat_broker.serving.keyfiles import BROKER_KEY
from chat_core.errors import StoreError

log = logging.getLogger("chat.broker")

# What SQLite keeps beside a database; the last one is rebuilt whenever it is needed.
_LOGS = "-wal", "-journal"
_BESIDE = *_LOGS, "-shm"
# While a copy is written, what there is of it is synced so often.
SYNC_SECONDS = 0.01


def back_up(data: Path, file: Path, force: bool) -> str:
    """Copy the database of a broker that may be running into ``file``; returns what to tell people.

    ``force``: replace a file of that name. Raises StoreError or FolderError; then nothing changed.
    """
    source, file = data / store.FILE, file.resolve()
    if not source.is_file():
        raise StoreError(f"There is no database in {data}: name the broker's folder with --data.")
    _check_place(data, file, force)
    with _whole(file) as beside:
        contents = _copy(source, beside)
    done = f"Backed up {source} to {file}: {_described(contents, file)}."
    key = data / BROKER_KEY
    if not key.exists():
        return done
    return f"{done}\nThe broker's key is not in it: keep a copy of {key} too, which stays the same, or else all clients\
 will take a restored broker for another one."


def _check_place(data: Path, file: Path, force: bool) -> None:
    """A backup takes the place of nothing but an older one, whatever ``force`` says."""
    inside = data.resolve() in file.parents
    if inside or all((file.parent / name).exists() for name in (store.FILE, LOCK)):
        raise FolderError(f"{file} would be among the files of a broker: give a name in another folder.")
    if file.is_file():
        if not force:
            raise FolderError(f"{file} is there already: give another name, or --force to replace it.")
    elif file.exists():
        raise FolderError(f"{file} cannot be written: it is no file; give another name.")


def restore(data: Path, file: Path) -> str:
    """Put a copy of ``file`` in the place of the database of a broker that does not run; returns what to tell people.

    The caller holds the folder. What was there is kept aside. Raises StoreError or FolderError; then nothing changed.
    """
    target = data / store.FILE
    if not file.is_file():
        raise StoreError(f"There is no file {file}.")
    if target.exists() and file.samefile(target):
        raise FolderError(f"{file} is the broker's database itself: name a backup of it.")
    kept: Path | None = None
    new = 0
    try:
        with _whole(target) as beside:
            contents = _copy(file, beside)
            store.check_log(beside, file)
            new = beside.stat().st_ino
            kept = _keep_aside(data)
    except BaseException as problem:
        replaced = new and target.exists() and target.stat().st_ino == new
        if kept is not None and not replaced:
            shutil.rmtree(kept)
        if not (replaced and isinstance(problem, KeyboardInterrupt)):  # too late: it is finished
            raise
    # Should the power fail before this, the next start knows that these do not belong to the new file.
    for suffix in _BESIDE:
        _with(target, suffix).unlink(missing_ok=True)
    text = f"Restored {file} to {target}: {_described(contents, target)}."
    return f"{text}\nWhat was there before is kept in {kept}." if kept else text


def part_from_stale_log(data: Path) -> None:
    """Move aside the logs that somebody left beside a backup when they put it into the data folder by hand.

    SQLite would play them into a database to which they do not belong. The caller holds the folder.
    """
    target = data / store.FILE
    if not target.is_file() or store.has_log(target):
        return
    for stale in (_with(target, suffix) for suffix in _LOGS):
        if stale.exists():
            aside = _fresh_folder(data, "stale") / stale.name
            os.replace(stale, aside)
            log.warning("%s is a backup, and %s was not of it: moved to %s", target, stale.name, aside)


def _copy(source: Path, target: Path) -> store.Contents:
    with _syncing(target):
        return store.copy(source, target)


@contextlib.contextmanager
def _syncing(file: Path) -> Iterator[None]:
    """Have what is written on disk bit by bit, in the end all of it: at once, it would hold up the broker's commits."""
    written = threading.Event()

    def sync() -> None:
        while not written.wait(SYNC_SECONDS):
            _sync(file)
        _sync(file)

    with ThreadPoolExecutor(1) as pool:
        syncing = pool.submit(sync)
        try:
            yield
        finally:
            written.set()
        syncing.result()


def _described(contents: store.Contents, file: Path) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(contents.time / 1000))
    size = file.stat().st_size / 1_000_000
    what = f"{_counted(contents.events, 'event')} in {_counted(contents.rooms, 'room')}"
    return f"{what} as of commit {contents.commit}, {at}; {size:.1f} MB"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """An empty file for its owner only, to be filled; it takes the place of ``file`` in the end, or nothing is left."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            yield beside
            os.replace(beside, file)
        finally:
            for leftover in (beside, _with(beside, "-journal")):
                leftover.unlink(missing_ok=True)
        _sync_folder(file.parent)
    except OSError as problem:
        raise FolderError(f"{file} cannot be written ({problem.strerror}).") from problem


def _keep_aside(data: Path) -> Path | None:
    """Give the database a second home, a data folder too, without a moment in which it is not complete in its own."""
    target = data / store.FILE
    there = [file for file in (target, *(_with(target, suffix) for suffix in _LOGS)) if file.exists()]
    if not there:
        return None
    aside = _fresh_folder(data, "replaced")
    try:
        for file in there:
            _link(file, aside / file.name)
    except OSError:
        shutil.rmtree(aside)
        raise
    _sync_folder(aside)
    return aside


def _fresh_folder(data: Path, what: str) -> Path:
    """A new folder in ``data`` that says in its name what it is for and since when."""
    stem = f"{what}-{time.strftime('%Y-%m-%d-%H%M%S')}"
    for number in itertools.count(1):
        folder = data / (stem if number == 1 else f"{stem}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise AssertionError


def _link(file: Path, other: Path) -> None:
    try:
        os.link(file, other)
    except OSError:  # a file system without links
        shutil.copy2(file, other)
        _sync(other)


def _with(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _sync(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Have the names in the folder on disk. (Windows has no such call, and writes them in its own order.)"""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
