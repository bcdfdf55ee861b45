"""Who this user is: a key in a folder that only they can read (docs/protocol.md, section 4)."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import filelock
import platformdirs
import zmq

from chat_core import names
from chat_core.errors import IdentityError
from chat_core.keys import file_text, secret_in

KEY_FILE = "key"
WARNING = "A secret key of zmq-chat: whoever has it can write as you."
# A folder's name may have 255 bytes on most systems; a name of 32 Chinese characters would have 288, quoted.
_LONGEST = 120


@dataclass(frozen=True)
class Identity:
    """A user's folder and public key. The secret key stays in the file until a connection needs it."""

    folder: Path
    public: str

    def secret(self) -> str:
        """The secret key, to be handed on at once and kept nowhere. Raises IdentityError."""
        with _explained(self.folder):
            return _read(self.folder / KEY_FILE)

    def derived(self, text: str) -> str:
        """32 hex digits that only the holder of the secret key can make of a text; the same in every process."""
        key = self.secret().encode("ascii")
        return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16, key=key).hexdigest()


def folder_for(name: str) -> Path:
    """The folder of the identity that is used for a name where none is given: one for each name, so that two people,
    or a person and a bot, can share a machine's login."""
    # A full stop at the end is lost on Windows: "ann." would be the folder of "ann".
    safe = quote(names.fold(name), safe=" -_'").replace(".", "%2E")
    if len(safe) > _LONGEST:
        safe = blake2b(safe.encode(), digest_size=16).hexdigest()
    return Path(platformdirs.user_data_dir("zmq-chat", appauthor=False)) / "identities" / f"id-{safe}"


def open_identity(folder: Path) -> Identity:
    """The identity in the folder, made if there is none. Raises IdentityError, saying what to do."""
    with _explained(folder), _folder_locked(folder):
        file = folder / KEY_FILE
        if not file.exists():
            write_private(file, file_text(zmq.curve_keypair()[1].decode(), WARNING))
        return Identity(folder, _public(_read(file)))


def export_key(folder: Path, file: Path) -> None:
    """Write a copy of the folder's key to a new file that only its owner can read. Raises IdentityError."""
    secret = open_identity(folder).secret()
    try:
        # Not through a file beside it: what is there already must stay, also if it has come this very moment.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(file_text(secret, WARNING))
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as problem:
        raise IdentityError(f"{file} is there already, and is left as it is: give the name of a new file.") from problem
    except OSError as problem:
        raise IdentityError(f"The key cannot be written to {file} ({problem.strerror}).") from problem


def import_key(folder: Path, file: Path, force: bool = False) -> Path | None:
    """Make the key in a file that `export_key` wrote the folder's own. Returns where the one before is kept, if there
    was one and it was another; then ``force`` is needed. Raises IdentityError, and has changed nothing."""
    secret = _imported(file)
    with _explained(folder), _folder_locked(folder):
        own, aside = folder / KEY_FILE, None
        if own.exists():
            if secret_in(_text(own)) == secret:
                return None
            if not force:
                raise IdentityError(
                    f"{folder} has a key of its own, by which brokers know its user: import into another folder with "
                    "--identity, or replace it with --force (it is kept beside the new one)."
                )
            aside = own.with_name(f"{KEY_FILE}.before-{secrets.token_hex(4)}")
            write_private(aside, _text(own))
        write_private(own, file_text(secret, WARNING))
        return aside


def write_private(file: Path, text: str) -> None:
    """Write a file anew: complete, on disk, and private from its first moment under that name."""
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _folder_locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with filelock.FileLock(folder / "making.lock", timeout=10):
        yield


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """What the system says about the folder, as an IdentityError with what to do."""
    try:
        yield
    except (OSError, filelock.Timeout) as problem:
        reason = getattr(problem, "strerror", None) or problem
        text = f"The identity folder {folder} cannot be used ({reason}): give another one with --identity."
        raise IdentityError(text) from problem


def _read(file: Path) -> str:
    secret = secret_in(_text(file))
    if secret is None or not _public(secret):
        raise IdentityError(f"The key in {file} is broken: put a copy of it back, or move it away for a new one.")
    return secret


def _imported(file: Path) -> str:
    try:
        secret = secret_in(_text(file))
    except OSError as problem:
        raise IdentityError(f"{file} cannot be read ({problem.strerror}).") from problem
    if secret is None or not _public(secret):
        raise IdentityError(f"{file} holds no key: take the whole file that `key export` wrote.")
    return secret


def _text(file: Path) -> str:
    return file.read_text(encoding="ascii", errors="replace")


def _public(secret: str) -> str:
    """The public key that goes with a secret one; "" if that is none."""
    try:
        return zmq.curve_public(secret.encode("ascii", "replace")).decode()
    except zmq.ZMQError:
        return ""
