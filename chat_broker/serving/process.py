"""The broker's process: flags, start order, the first screen, signals, exit statuses."""

import argparse
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import platformdirs
import zmq

from chat_broker.hub import Hub
from chat_broker.serving.addresses import Reach, reach
from chat_broker.serving.logs import set_up_logging
from chat_broker.serving.loop import Loop, Waker
from chat_broker.serving.reader import Reader
from chat_broker.serving.sockets import Sockets, open_sockets, seed_routing_ids
from chat_broker.settings import Settings, load_settings
from chat_broker.store import Store
from chat_broker.tables import Tables
from chat_broker.turn import Facts
from chat_core import PROTOCOL_VERSIONS, VERSION, wire
from chat_core.address import Address
from chat_core.errors import ChatError, InUseError, SettingsError, StoreError
from chat_core.messages import Answer

log = logging.getLogger("chat.broker")

# sysexits.h
EX_UNAVAILABLE, EX_SOFTWARE, EX_CANTCREAT, EX_CONFIG = 69, 70, 73, 78

# How long replies that are under way may take to leave at a stop.
LAST_REPLIES_MS = 500


class FolderError(ChatError):
    """The data folder cannot be made or written."""


def main(argv: list[str] | None = None, beside: Path | None = None) -> int:
    """Run a broker until it is stopped; returns the exit status. ``beside``: where config.toml is looked for."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        flags = _parser().parse_args(argv)
        file = _config_file(flags.config, beside)
        settings = load_settings(file, os.environ, _flags(flags))
        set_up_logging(settings.log)
        _serve(settings, _data_folder(settings, flags.data, file), flags.ready_file)
    except SettingsError as problem:
        return _say(problem, EX_CONFIG)
    except InUseError as problem:
        return _say(problem, EX_UNAVAILABLE)
    except FolderError as problem:
        return _say(problem, EX_CANTCREAT)
    except StoreError as problem:
        return _say(problem, EX_CONFIG if problem.newer else EX_CANTCREAT)
    except KeyboardInterrupt:
        pass  # stopped while it was starting: nothing had been taken in
    return 0


def _interrupt(*_: object) -> None:
    """Ctrl-C or SIGTERM before there is a loop to be stopped."""
    raise KeyboardInterrupt


def _serve(settings: Settings, data: Path, ready_file: Path | None) -> None:
    """Start in the order that DESIGN.md gives: random ids, data, sockets last."""
    if not seed_routing_ids():
        log.warning("this system's random numbers cannot be seeded: a peer could guess routing ids and stop the broker")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_one(data))
        if ready_file is not None:
            with _writing(ready_file):
                ready_file.unlink(missing_ok=True)  # of an earlier start: it would send people to its ports
        store = Store(data)
        stack.callback(store.close)
        waker = Waker()
        stack.callback(waker.close)
        tables = Tables()
        commit, last = store.load(tables)
        context: zmq.Context[Any] = zmq.Context()
        stack.callback(context.term)
        listen, timing = settings.listen, settings.timing
        sockets = open_sockets(context, listen.bind, listen.port, settings.limits, timing.bind_retry_seconds)
        stack.callback(sockets.close, LAST_REPLIES_MS)
        facts = Facts(
            store.home,
            secrets.token_hex(8),
            store.epoch,
            settings.broker.name,
            sockets.ports[1],
            timing.beat_seconds,
            timing.presence_seconds,
            timing.gone_seconds,
            settings.limits.reads_a_turn,
            store.salt,
        )
        hub = Hub(tables, store, facts, commit, last)
        _open_lobby(hub, store)
        reader = Reader(store.path, store.epoch, waker.wake)
        stack.callback(reader.stop)
        loop = Loop(hub, store, reader, sockets, settings, _about(settings, sockets, store), waker)
        # A signal that comes between two polls wakes the next one; Python's own handler then stops the loop.
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        stack.callback(signal.set_wakeup_fd, -1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.stop())
        _announce(settings, sockets, data, ready_file)
        loop.run()
        log.info("stopped")


def _open_lobby(hub: Hub, store: Store) -> None:
    turn = hub.begin(int(time.time() * 1000), 0.0)
    hub.open_lobby(turn)
    if turn.batch:
        store.commit(turn.batch)
    hub.finish(turn)


def _about(settings: Settings, sockets: Sockets, store: Store) -> Answer:
    posts, feed, _ = sockets.ports
    broker = settings.broker
    return Answer(0, broker.name, list(PROTOCOL_VERSIONS), broker.security, posts, feed, store.home)


# ---- what people see ---------------------------------------------------------------------------------------------


def _announce(settings: Settings, sockets: Sockets, data: Path, ready_file: Path | None) -> None:
    posts, feed, door = sockets.ports
    found = reach(settings.listen.bind)
    join = Address(found.best, posts).join
    print(_screen(settings, found, sockets.ports, join, data), flush=True)
    log.info("serving on ports %d, %d and %d", posts, feed, door)
    if ready_file is not None:
        ready = {"posts": posts, "feed": feed, "door": door, "join": join, "pid": os.getpid(), "version": VERSION}
        _write_atomically(ready_file, wire.encode(ready).decode() + "\n")


def _screen(settings: Settings, found: Reach, ports: tuple[int, int, int], join: str, data: Path) -> str:
    posts, feed, door = ports
    lines = [f"{settings.broker.name} is open (zmq-chat {VERSION}).", ""]
    lines += [f"  {Address(host, posts).text:<28} {where}" for host, where in found.hosts]
    mine = Address("127.0.0.1", posts).text
    lines += ["", f"  To chat on this machine: {_python()} -m chat_client {mine}"]
    if found.best == "127.0.0.1":
        lines += ["  Only this machine can join: there is no other address, or `bind` says so."]
    else:
        lines += [
            f"  Hand this out to join:   {join}",
            f"  The firewall has to let ports {posts}, {feed} and {door} (TCP) in.",
        ]
    lines += [
        "",
        '  Not encrypted (security = "open"): whoever is on this network can read along, and pose as others.',
        f"  Everything that is said is kept in {data}. Ctrl-C stops the broker.",
    ]
    return "\n".join(lines) + "\n"


def _python() -> str:
    """The interpreter that has what is needed, as one would type it here."""
    near = os.path.relpath(sys.executable)
    return near if not near.startswith("..") else sys.executable


def _write_atomically(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with _writing(file):
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, file)


@contextlib.contextmanager
def _writing(file: Path) -> Iterator[None]:
    """Turn what goes wrong with the ready file into a sentence."""
    try:
        yield
    except OSError as problem:
        text = f"The ready file {file} cannot be written ({problem.strerror}): give another one with --ready-file."
        raise FolderError(text) from problem


def _say(problem: ChatError, status: int) -> int:
    print(f"chat-broker: {problem}", file=sys.stderr)
    return status


# ---- flags and folders -------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="broker.py", description="The broker of a chat for the LAN.")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the settings (otherwise config.toml beside broker.py)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder in which everything is kept")
    parser.add_argument("--bind", metavar="ADDRESS", help='the address to listen on; "*": every one')
    parser.add_argument("--port", type=int, metavar="N", help="posts; feed N+1, door N+2; 0 takes three free ports")
    parser.add_argument("--security", metavar="MODE", help="how connections are protected: open")
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="where to write ports and join string once it serves"
    )
    parser.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning or error")
    parser.add_argument("--log-json", action="store_true", default=None, help="one JSON object a line")
    parser.add_argument("--version", action="version", version=f"zmq-chat {VERSION}")
    return parser


def _flags(flags: argparse.Namespace) -> dict[tuple[str, str], Any]:
    return {
        ("listen", "bind"): flags.bind,
        ("listen", "port"): flags.port,
        ("broker", "security"): flags.security,
        ("log", "level"): flags.log_level,
        ("log", "json"): flags.log_json,
    }


def _config_file(given: Path | None, beside: Path | None) -> Path | None:
    """The file to read: the one named by flag or environment, else config.toml beside broker.py if it is there."""
    if given is not None:
        return given
    if named := os.environ.get("CHAT_CONFIG"):
        return Path(named)
    found = beside / "config.toml" if beside is not None else None
    return found if found is not None and found.exists() else None


def _data_folder(settings: Settings, given: Path | None, file: Path | None) -> Path:
    """Where the data is: relative to the working folder if given by flag, else to the settings file."""
    if given is not None:
        return given.absolute()
    if file is not None:
        return (file.absolute().parent / settings.broker.data).absolute()
    return Path(platformdirs.user_data_dir("zmq-chat", appauthor=False)) / "broker"


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Make the folder and hold it: two brokers on one log would each think that they know its head."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = filelock.FileLock(data / "lock")
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
