"""Who this user is: a key in a folder that only they can read (docs/protocol.md, section 4)."""

import os
import secrets
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import filelock
import platformdirs
import zmq

from chat_core import names
from chat_core.errors import IdentityError

KEY_FILE = "key"
# A folder's name may have 255 bytes on most systems; a name of 32 Chinese characters would have 288, quoted.
_LONGEST = 120


@dataclass(frozen=True)
class Identity:
    """A user's folder and public key. The secret key stays in the file until a connection needs it."""

    folder: Path
    public: str

    def derived(self, text: str) -> str:
        """32 hex digits that only the holder of the secret key can make of a text; the same in every process."""
        secret = _read(self.folder / KEY_FILE).encode("ascii")
        return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16, key=secret).hexdigest()


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
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with filelock.FileLock(folder / "making.lock", timeout=10):
            file = folder / KEY_FILE
            if not file.exists():
                _make(file)
            secret = _read(file)
        return Identity(folder, zmq.curve_public(secret.encode("ascii", "replace")).decode())
    except (OSError, filelock.Timeout) as problem:
        reason = getattr(problem, "strerror", None) or problem
        text = f"The identity folder {folder} cannot be used ({reason}): give another one with --identity."
        raise IdentityError(text) from problem
    except zmq.ZMQError as problem:
        raise IdentityError(f"The key in {folder / KEY_FILE} is broken: put a copy of it back.") from problem


def _make(file: Path) -> None:
    """Write a new secret key; complete and private from its first moment under that name."""
    _, secret = zmq.curve_keypair()
    beside = file.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"# A secret key of zmq-chat: whoever has it can write as you.\n{secret.decode()}\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside, file)


def _read(file: Path) -> str:
    text = file.read_text(encoding="ascii", errors="replace")
    lines = [line for line in text.splitlines() if line and not line.startswith("# ")]
    if len(lines) != 1 or len(lines[0]) != 40:
        raise IdentityError(f"The key in {file} is broken: put a copy of it back, or move it away for a new one.")
    return lines[0]
