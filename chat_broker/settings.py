"""config.toml, the environment and the command line as frozen settings; what is wrong is named with its line."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from chat_core.errors import SettingsError

# CHAT_LISTEN__PORT=6000 is [listen] port = 6000.
ENVIRONMENT_PREFIX = "CHAT_"

Port = Annotated[int, Meta(ge=0, le=65533)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


class BrokerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[broker]"""

    name: Annotated[str, Meta(min_length=1, max_length=64)] = "zmq-chat"
    data: Annotated[str, Meta(min_length=1)] = "data"
    security: Literal["curve", "open"] = "curve"


class ListenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[listen]"""

    bind: Annotated[str, Meta(min_length=1)] = "*"
    port: Port = 5555


class AccessSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[access]"""

    join: Literal["open", "invite", "approve"] = "open"


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[log]"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json: bool = False


class TimingSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[timing]"""

    beat_seconds: Seconds = 2.0
    presence_seconds: Seconds = 1.0
    gone_seconds: Seconds = 15.0
    linger_ms: Annotated[float, Meta(ge=0, le=100)] = 1.0
    bind_retry_seconds: Annotated[float, Meta(ge=0, le=60)] = 2.0


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[limits]"""

    batch_requests: Annotated[int, Meta(ge=1, le=65536)] = 512
    feed_queue: Annotated[int, Meta(ge=1, le=1_000_000)] = 500
    reply_queue: Annotated[int, Meta(ge=1, le=1_000_000)] = 250
    reads_a_turn: Annotated[int, Meta(ge=1)] = 20
    pages_waiting: Annotated[int, Meta(ge=1, le=1000)] = 4
    user_posts_per_second: Annotated[float, Meta(ge=0, le=1_000_000)] = 50.0
    user_posts_burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 500
    user_bytes_per_second: Annotated[int, Meta(ge=0)] = 65536
    address_posts_per_second: Annotated[float, Meta(ge=0, le=1_000_000)] = 200.0
    address_posts_burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 2000
    user_rooms: Annotated[int, Meta(ge=0)] = 100
    waiting_most: Annotated[int, Meta(ge=0, le=10_000)] = 100
    user_connections: Annotated[int, Meta(ge=0)] = 20
    address_connections: Annotated[int, Meta(ge=0)] = 300
    address_connects_per_second: Annotated[float, Meta(ge=0, le=1_000_000)] = 50.0
    address_connects_burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting of the broker; config.toml says what each is for, and a test holds the two together."""

    broker: BrokerSettings = BrokerSettings()
    listen: ListenSettings = ListenSettings()
    access: AccessSettings = AccessSettings()
    log: LogSettings = LogSettings()
    timing: TimingSettings = TimingSettings()
    limits: LimitSettings = LimitSettings()


def load_settings(
    file: Path | None, environment: Mapping[str, str] | None = None, flags: Mapping[tuple[str, str], Any] | None = None
) -> Settings:
    """Read the settings: flags beat the environment, which beats the file, which beats the defaults.

    ``file`` None: no file. ``flags``: {("listen", "port"): 6000}. Raises SettingsError, which says where and what.
    """
    text: str = ""
    tree: dict[str, Any] = {}
    if file is not None:
        text, tree = _read(file)
        _check_names(file, text, tree)
    origins: dict[tuple[str, str], str] = {}
    for (section, key), value, origin in (*_from_environment(environment or {}), *_from_flags(flags or {})):
        tree.setdefault(section, {})[key] = value
        origins[section, key] = origin
    try:
        # Values from the environment are text: "6000" is a number where one is wanted, and nowhere else.
        loose = {key for key, origin in origins.items() if origin.startswith(ENVIRONMENT_PREFIX)}
        return msgspec.convert(_converted(tree, loose), Settings)
    except msgspec.ValidationError as problem:
        raise _explained(problem, file, text, origins) from problem


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as problem:
        raise SettingsError(f"{file} cannot be read ({problem.strerror}): name another one with --config.") from problem
    except (tomllib.TOMLDecodeError, UnicodeError) as problem:
        raise SettingsError(f"{file} is not valid TOML: {problem}.") from problem


def _check_names(file: Path, text: str, tree: dict[str, Any]) -> None:
    sections = Settings.__struct_fields__
    for section, values in tree.items():
        if section not in sections:
            raise _unknown(file, _line(text, section, ""), section, sections)
        if not isinstance(values, dict):
            raise SettingsError(f"{file}, line {_line(text, section, '')}: [{section}] is a section, not a value.")
        known = getattr(Settings(), section).__struct_fields__
        for key in values:
            if key not in known:
                raise _unknown(file, _line(text, section, key), f"{section}.{key}", [f"{section}.{k}" for k in known])


def _unknown(file: Path, line: int, name: str, known: "list[str] | tuple[str, ...]") -> SettingsError:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    return SettingsError(f"{file}, line {line}: there is no setting {name!r}; {hint}")


def _line(text: str, section: str, key: str) -> int:
    """The line on which a section (key "") or a key of it begins, however that is written in TOML."""
    wanted = f"{section}.{key}" if key else section
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([\w.\"'-]+)\s*]", line):
            path = inside = header[1].replace('"', "").replace("'", "")
        elif found := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            name = found[1].replace('"', "").replace("'", "")
            path = f"{inside}.{name}" if inside else name
        else:
            continue
        if path == wanted or path.startswith(f"{wanted}."):
            return number
    return 1


def _from_environment(environment: Mapping[str, str]) -> list[tuple[tuple[str, str], Any, str]]:
    found = []
    for name, value in environment.items():
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if name.startswith(ENVIRONMENT_PREFIX) and separator:
            known = getattr(getattr(Settings(), section, None), "__struct_fields__", ())
            if key not in known:
                every = [f"CHAT_{s}__{k}".upper() for s in Settings.__struct_fields__ for k in _keys(s)]
                near = difflib.get_close_matches(name, every, 1, 0.5)
                raise SettingsError(f"The environment has {name}, but there is no such setting; {_near(near)}")
            found.append(((section, key), value, name))
    return found


def _keys(section: str) -> tuple[str, ...]:
    return tuple(getattr(Settings(), section).__struct_fields__)


def _near(near: list[str]) -> str:
    return f"did you mean {near[0]}?" if near else "config.toml has them all."


def _from_flags(flags: Mapping[tuple[str, str], Any]) -> list[tuple[tuple[str, str], Any, str]]:
    return [(name, value, _flag(*name)) for name, value in flags.items() if value is not None]


def _flag(section: str, key: str) -> str:
    """How the flag of a setting is called: --port, but --log-level."""
    return f"--{section}-{key}" if section == "log" else f"--{key}"


def _converted(tree: dict[str, Any], loose: set[tuple[str, str]]) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    for section, values in tree.items():
        converted[section] = dict(values)
        for key in values:
            if (section, key) in loose:
                kind = type(getattr(getattr(Settings(), section), key))
                try:
                    converted[section][key] = msgspec.convert(values[key], kind, strict=False)
                except msgspec.ValidationError:
                    continue  # the whole's conversion says it better
    return converted


def _explained(
    problem: msgspec.ValidationError, file: Path | None, text: str, origins: dict[tuple[str, str], str]
) -> SettingsError:
    message, _, path = str(problem).partition(" - at `$.")
    section, _, key = path.rstrip("`").partition(".")
    name = f"{section}.{key}" if key else section
    if (section, key) in origins:
        where = origins[section, key]
    elif file is not None:
        where = f"{file}, line {_line(text, section, key)}"
    else:
        where = "The settings"
    # msgspec names the wrong value of an enumeration, but not the right ones.
    kind = get_type_hints(type(getattr(Settings(), section, None))).get(key)
    if get_origin(kind) is Literal:
        message = f"it must be one of {', '.join(map(repr, get_args(kind)))}"
    return SettingsError(f"{where}: {name} is not right: {message}.")
