"""The broker's process: flags, start order, the first screen, signals, exit statuses."""

import argparse
import contextlib
import logging
import os
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from chat_broker.admission import Admission
from chat_broker.hub import Hub
from chat_broker.meters import Limits
from chat_broker.serving import copies
from chat_broker.serving.addresses import Reach, reach
from chat_broker.serving.admin import add_verbs, asked, place_told
from chat_broker.serving.folder import FolderError, config_file, data_folder, only_one, write_atomically
from chat_broker.serving.keyfiles import BROKER_KEY, Keyring, open_keyring
from chat_broker.serving.logs import set_up_logging
from chat_broker.serving.loop import Loop
from chat_broker.serving.openfiles import raise_limit, say_if_few
from chat_broker.serving.reader import Reader
from chat_broker.serving.sockets import Sockets, make_context, open_sockets, seed_routing_ids
from chat_broker.serving.waker import Waker
from chat_broker.serving.zap import GateError, Gatekeeper
from chat_broker.settings import LimitSettings, Settings, load_settings
from chat_broker.store import Store
from chat_broker.tables import Tables
from chat_broker.turn import Facts
from chat_core import PROTOCOL_VERSIONS, VERSION, keys, wire
from chat_core.address import Address
from chat_core.errands import UsageError
from chat_core.errors import ChatError, InUseError, RefusedError, SettingsError, StoreError, UnreachableError
from chat_core.messages import Answer

log = logging.getLogger("chat.broker")

# What was asked for by `admin` is refused, or was wrongly written.
REFUSED, EX_USAGE = 1, 2
# sysexits.h
EX_UNAVAILABLE, EX_SOFTWARE, EX_CANTCREAT, EX_CONFIG = 69, 70, 73, 78

# How long replies that are under way may take to leave at a stop.
LAST_REPLIES_MS = 500


def main(argv: list[str] | None = None, beside: Path | None = None) -> int:
    """Run a broker until it is stopped, or back up or restore its data; returns the exit status.

    ``beside``: where config.toml is looked for.
    """
    os.umask(0o077)  # what people say is theirs, also where the data folder was made by somebody else
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    flags = _parser().parse_args(argv)
    try:
        file = config_file(flags.config, beside)
        settings = load_settings(file, os.environ, _flags(flags))
        set_up_logging(settings.log)
        flags.work(flags, settings, data_folder(settings, flags.data, file))
    except SettingsError as problem:
        return _say(problem, EX_CONFIG)
    except InUseError as problem:
        return _say(problem, EX_UNAVAILABLE)
    except FolderError as problem:
        return _say(problem, EX_CANTCREAT)
    except StoreError as problem:
        return _say(problem, EX_CONFIG if problem.newer else EX_CANTCREAT)
    except GateError as problem:
        log.critical("%s", problem)
        return _say(problem, EX_SOFTWARE)
    except UnreachableError as problem:
        return _say(problem, EX_UNAVAILABLE)
    except UsageError as problem:
        return _say(problem, EX_USAGE)
    except RefusedError as problem:
        return _say(problem, REFUSED)
    except KeyboardInterrupt:
        # A broker that was stopped while it was starting had taken nothing in.
        text = "Stopped. The data is as it was, or all of it as in the backup: run the same again."
        return 0 if flags.work is _serve else _say(FolderError(text), EX_CANTCREAT)
    return 0


def _interrupt(*_: object) -> None:
    """Ctrl-C or SIGTERM before there is a loop to be stopped."""
    raise KeyboardInterrupt


def _back_up(flags: argparse.Namespace, _: Settings, data: Path) -> None:
    print(copies.back_up(data, flags.file.absolute(), flags.force))


def _restore(flags: argparse.Namespace, _: Settings, data: Path) -> None:
    with only_one(data):
        print(copies.restore(data, flags.file.absolute()))


def _administer(flags: argparse.Namespace, _: Settings, data: Path) -> None:
    for line in asked(flags, data):
        print(line, flush=True)


def _serve(flags: argparse.Namespace, settings: Settings, data: Path) -> None:
    """Start in the order that DESIGN.md gives: random ids, data, the gatekeeper, sockets last."""
    ready_file: Path | None = flags.ready_file
    if not seed_routing_ids():
        log.warning("this system's random numbers cannot be seeded: a peer could guess routing ids and stop the broker")
    files = raise_limit()
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_one(data))
        if ready_file is not None:
            with _writing(ready_file):
                ready_file.unlink(missing_ok=True)  # of an earlier start: it would send people to its ports
        copies.part_from_stale_log(data)
        store = _open_store(data)
        stack.callback(store.close)
        new = not (data / BROKER_KEY).exists()
        keyring = open_keyring(data, settings.broker.security == "curve")
        waker = Waker()
        stack.callback(waker.close)
        tables = Tables()
        commit, last = store.load(tables)
        context = make_context()
        stack.callback(context.term)
        gate = Gatekeeper(context, _admission(settings, keyring, tables), waker.wake)
        stack.callback(gate.stop)
        listen, timing = settings.listen, settings.timing
        sockets = open_sockets(context, listen.bind, listen.port, settings.limits, timing.bind_retry_seconds, keyring)
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
            salt=store.salt,
            limits=limits_of(settings.limits),
            join=settings.access.join,
            waiting_most=settings.limits.waiting_most,
            user_connections=settings.limits.user_connections,
            address_connections=settings.limits.address_connections,
        )
        hub = Hub(tables, store, facts, commit, last)
        _open_lobby(hub, store)
        reader = Reader(store.path, store.epoch, waker.wake)
        stack.callback(reader.stop)
        about = _about(settings, sockets, store, keyring)
        loop = Loop(hub, store, reader, sockets, settings, about, waker, gate=gate)
        # A signal that comes between two polls wakes the next one; Python's own handler then stops the loop.
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        stack.callback(signal.set_wakeup_fd, -1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.stop())
        found = reach(listen.bind)
        join = Address(found.best, about.posts, key=about.key).join
        stack.enter_context(place_told(data, sockets.admin_port, join))
        _announce(settings, found, about, sockets.ports[2], data, ready_file)
        say_if_few(files)
        if new:
            log.info("this broker has a new key, with the fingerprint %s", keys.fingerprint(keyring.broker.public))
        loop.run()
        log.info("stopped")


def _open_store(data: Path) -> Store:
    store = Store(data)
    if store.kept_old is not None:
        log.info("the database was of an older version and is up to date now; the old one is in %s", store.kept_old)
    return store


def _admission(settings: Settings, keyring: Keyring, tables: Tables) -> Admission:
    limits = settings.limits
    admission = Admission(
        keyring.encrypted, keyring.admin.public, limits.address_connects_per_second, limits.address_connects_burst
    )
    admission.refresh(tables, int(time.time() * 1000))
    return admission


def limits_of(settings: LimitSettings) -> Limits:
    return Limits(**{field.name: getattr(settings, field.name) for field in fields(Limits)})


def _open_lobby(hub: Hub, store: Store) -> None:
    turn = hub.begin(int(time.time() * 1000), 0.0)
    hub.open_lobby(turn)
    if turn.batch:
        try:
            store.commit(turn.batch)
        except StoreError as problem:
            text = f"The database {store.path} cannot be written ({problem}): is the disk full?"
            raise FolderError(f"{text} Make room, or give another folder with --data.") from problem
    hub.finish(turn)


def _about(settings: Settings, sockets: Sockets, store: Store, keyring: Keyring) -> Answer:
    posts, feed, _ = sockets.ports
    broker = settings.broker
    key = keyring.broker.public if keyring.encrypted else ""
    return Answer(0, broker.name, list(PROTOCOL_VERSIONS), broker.security, posts, feed, store.home, key)


# ---- what people see ---------------------------------------------------------------------------------------------


def _announce(settings: Settings, found: Reach, about: Answer, door: int, data: Path, ready_file: Path | None) -> None:
    join = Address(found.best, about.posts, key=about.key).join
    print(_screen(settings, found, about, door, data), flush=True)
    log.info("serving on ports %d, %d and %d", about.posts, about.feed, door)
    if not about.key:
        log.warning('security = "open": nothing is encrypted, and everybody is who they say they are')
    if ready_file is not None:
        ready = {
            "posts": about.posts, "feed": about.feed, "door": door, "join": join, "security": about.security,
            "key": about.key, "fingerprint": keys.fingerprint(about.key) if about.key else "", "pid": os.getpid(),
            "version": VERSION,
        }  # fmt: skip
        with _writing(ready_file):
            write_atomically(ready_file, wire.encode(ready).decode() + "\n")


def _screen(settings: Settings, found: Reach, about: Answer, door: int, data: Path) -> str:
    lines = [f"{settings.broker.name} is open (zmq-chat {VERSION}).", ""]
    lines += [f"  {Address(host, about.posts).text:<28} {where}" for host, where in found.hosts]
    here = Address("127.0.0.1", about.posts, key=about.key)
    mine = shlex.quote(here.join) if about.key else here.text
    lines += ["", f"  To chat on this machine: {_python()} -m chat_client {mine}"]
    if found.best == "127.0.0.1":
        lines += ["  Only this machine can join: there is no other address, or `bind` says so."]
    else:
        lines += [
            f"  Hand this out to join:   {Address(found.best, about.posts, key=about.key).join}",
            f"  The firewall has to let ports {about.posts}, {about.feed} and {door} (TCP) in.",
        ]
    lines += ["", *_how_safe(about), f"  Everything that is said is kept in {data}. Ctrl-C stops the broker."]
    return "\n".join(lines) + "\n"


def _how_safe(about: Answer) -> list[str]:
    if not about.key:
        return ['  Not encrypted (security = "open"): whoever is on this network can read along, and pose as others.']
    return [
        f"  Who types only the address is shown this, to compare: {keys.fingerprint(about.key)}",
        "  Encrypted on the way. The broker, and who runs it, can read everything.",
    ]


def _python() -> str:
    """The interpreter that has what is needed, as one would type it here."""
    near = os.path.relpath(sys.executable)
    return near if not near.startswith("..") else sys.executable


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


# ---- flags -------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="broker.py", description="The broker of a chat for the LAN.")
    _add_places(parser, None)
    parser.add_argument("--bind", metavar="ADDRESS", help='the address to listen on; "*": every one')
    parser.add_argument("--port", type=int, metavar="N", help="posts; feed N+1, door N+2; 0 takes three free ports")
    parser.add_argument("--security", metavar="MODE", help="how connections are protected: curve or open")
    parser.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="where to write ports and join string once it serves"
    )
    parser.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning or error")
    parser.add_argument("--log-json", action="store_true", default=None, help="one JSON object a line")
    parser.add_argument("--version", action="version", version=f"zmq-chat {VERSION}")
    parser.set_defaults(work=_serve)
    verbs = parser.add_subparsers(title="instead of serving", metavar="VERB")
    backup = verbs.add_parser("backup", help="copy the data into one file; the broker may be running")
    backup.add_argument("--force", action="store_true", help="replace FILE if it is there")
    restore = verbs.add_parser("restore", help="put a backup in the place of the data; the broker must not be running")
    for verb, work, what in (
        (backup, _back_up, "where the copy goes; a name in a folder of yours"),
        (restore, _restore, "a backup"),
    ):
        verb.add_argument("file", type=Path, metavar="FILE", help=what)
        _add_places(verb, argparse.SUPPRESS)  # what was said before the verb is not forgotten
        verb.set_defaults(work=work)
    admin = verbs.add_parser("admin", help="look after the running broker's chat: people, rooms, bans …")
    for verb in (admin, *add_verbs(admin)):
        _add_places(verb, argparse.SUPPRESS)
        verb.set_defaults(work=_administer)
    return parser


def _add_places(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=default,
        help="the settings (otherwise config.toml beside broker.py)",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", default=default, help="the folder in which everything is kept"
    )


def _flags(flags: argparse.Namespace) -> dict[tuple[str, str], Any]:
    return {
        ("listen", "bind"): flags.bind,
        ("listen", "port"): flags.port,
        ("broker", "security"): flags.security,
        ("log", "level"): flags.log_level,
        ("log", "json"): flags.log_json,
    }
