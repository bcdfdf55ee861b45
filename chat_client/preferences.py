"""What the window remembers between its starts: theme, zoom, size, and who was where. One file for each login."""

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import platformdirs
from msgspec import Struct, structs

from chat_core import names, wire
from chat_core.errors import WireError

FILE = "window.json"
MOST_RECENT = 12


class Recent(Struct, frozen=True):
    """A name that was used at a broker's address."""

    name: str
    address: str


class Preferences(Struct, frozen=True):
    """``zoom``: steps of about 10 %; ``geometry``: the window's, as Tk writes it, "" for the usual; ``recent``: newest
    first, at most `MOST_RECENT`, each once."""

    theme: Literal["system", "light", "dark"] = "system"
    zoom: int = 0
    geometry: str = ""
    recent: list[Recent] = []


def default_file() -> Path:
    """The file of this login."""
    return Path(platformdirs.user_config_dir("zmq-chat", appauthor=False)) / FILE


def load(file: Path | None = None) -> Preferences:
    """What was saved, or the defaults. A file that makes no sense is moved aside, as ``window.json.broken``."""
    file = file or default_file()
    try:
        preferences = wire.decode(file.read_bytes(), Preferences)
    except OSError:
        return Preferences()
    except WireError:
        with contextlib.suppress(OSError):
            file.replace(file.with_name(f"{file.name}.broken"))
        return Preferences()
    return structs.replace(preferences, recent=_each_once(preferences.recent))  # a person may have edited it


def save(preferences: Preferences, file: Path | None = None) -> str:
    """Write them, for their owner's eyes only. Returns "", or a sentence that says why it cannot be done; what was
    saved before is then still there."""
    file = file or default_file()
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            # Not forced to the disk: after a power cut the defaults will do, and the window must not wait.
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(wire.encode(preferences))
            beside.replace(file)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except (OSError, UnicodeError) as problem:  # half a character is no UTF-8
        reason = getattr(problem, "strerror", None) or problem
        return f"The window's settings cannot be saved in {file} ({reason})."
    return ""


def used(preferences: Preferences, name: str, address: str) -> Preferences:
    """The same, with this name at this address as the newest."""
    return structs.replace(preferences, recent=_each_once([Recent(name, address), *preferences.recent]))


def _each_once(recent: Iterable[Recent]) -> list[Recent]:
    """The first ones, without repeats; "Ann" and "ann" are one person."""
    found: dict[tuple[str, str], Recent] = {}
    for one in recent:
        found.setdefault((names.fold(one.name), one.address), one)
    return list(found.values())[:MOST_RECENT]
