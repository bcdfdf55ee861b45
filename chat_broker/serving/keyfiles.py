"""The broker's key and the admin's, each in a file of the data folder that only its owner can read."""

import contextlib
import logging
import os
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from chat_broker.serving.folder import FolderError
from chat_core import keys

log = logging.getLogger("chat.broker")

BROKER_KEY, ADMIN_KEY = "broker.key", "admin.key"
_WARNINGS = {
    BROKER_KEY: "The secret key of this broker (zmq-chat): whoever has it can pass for the broker. Keep a copy.",
    ADMIN_KEY: "The admin key of this broker (zmq-chat): whoever has it, on this machine, may do everything.",
}
_PRIVATE, _OTHERS = 0o600, 0o077


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key, both halves in Z85."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """The keys that sockets need. ``encrypted``: posts and feed are, and not only the admin's socket."""

    broker: KeyPair
    admin: KeyPair
    encrypted: bool


def open_keyring(data: Path, encrypted: bool) -> Keyring:
    """The keys in the data folder, made if there are none. Raises FolderError, saying what to do."""
    return Keyring(_open(data / BROKER_KEY), _open(data / ADMIN_KEY), encrypted)


def _open(file: Path) -> KeyPair:
    try:
        if not file.exists():
            _make(file)
        _see_that_it_is_private(file)
        secret = keys.secret_in(file.read_text(encoding="ascii", errors="replace"))
    except OSError as problem:
        text = (
            f"The data folder {file.parent} cannot be used for {file.name} ({problem.strerror}): see to it, or give "
            "another one with --data."
        )
        raise FolderError(text) from problem
    if secret is not None:
        with contextlib.suppress(zmq.ZMQError):  # 40 characters of Z85 that stand for no 32 bytes
            return KeyPair(zmq.curve_public(secret.encode()).decode(), secret)
    raise FolderError(f"The key in {file} is broken: put a copy of it back. {_without(file)}")


def _without(file: Path) -> str:
    """What becomes of those who know a key that is gone."""
    if file.name == BROKER_KEY:
        return "If there is none, move it away: all clients are then told that this is another broker."
    return "If there is none, move it away: a new one is made."


def _make(file: Path) -> None:
    """Write a new key; complete and private from its first moment under that name."""
    _, secret = zmq.curve_keypair()
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(keys.file_text(secret.decode(), _WARNINGS[file.name]))
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside, file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    """Have the name of a new file on disk too: everybody will remember the key that it holds."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _see_that_it_is_private(file: Path) -> None:
    if sys.platform == "win32" or not file.stat().st_mode & _OTHERS:  # Windows has no such bits
        return
    with contextlib.suppress(PermissionError):
        file.chmod(_PRIVATE)
    if file.stat().st_mode & _OTHERS:
        text = f"Others can read {file}, and that cannot be changed: `chmod 600` it as its owner, or have the data"
        raise FolderError(f"{text} where files can be private (--data).")
    log.warning("others could read %s; they cannot any more, but if somebody did, they have this key", file)
