"""The data folder: which one it is, and that only one process at a time has it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from chat_broker.settings import Settings
from chat_core.errors import ChatError, InUseError

# Held by the broker that serves a folder.
LOCK = "lock"


class FolderError(ChatError):
    """A folder or file cannot be made or written."""


def config_file(given: Path | None, beside: Path | None) -> Path | None:
    """The file to read: the one named by flag or environment, else config.toml beside broker.py if it is there."""
    if given is not None:
        return given
    if named := os.environ.get("CHAT_CONFIG"):
        return Path(named)
    found = beside / "config.toml" if beside is not None else None
    return found if found is not None and found.exists() else None


def data_folder(settings: Settings, given: Path | None, file: Path | None) -> Path:
    """Where the data is: relative to the working folder if given by flag, else to the settings file."""
    if given is not None:
        return given.absolute()
    if file is not None:
        return (file.absolute().parent / settings.broker.data).absolute()
    import platformdirs  # a megabyte, for those who run the broker without its config.toml

    return Path(platformdirs.user_data_dir("zmq-chat", appauthor=False)) / "broker"


def write_atomically(file: Path, text: str) -> None:
    """Put a file in the place of what was there: whoever looks sees the old one or the new one. Raises OSError."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, file)


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Make the folder and hold it: two brokers on one log would each think that they know its head."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = filelock.FileLock(data / LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout as problem:
        raise InUseError(
            f"Another broker is using {data}: stop it, or give this one another folder with --data."
        ) from problem
    except OSError as problem:
        text = f"The data folder {data} cannot be written ({problem.strerror}): give another one with --data."
        raise FolderError(text) from problem
    try:
        yield
    finally:
        lock.release()
