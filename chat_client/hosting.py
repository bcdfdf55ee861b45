"""Starts a broker on this machine for somebody who just wants to chat, and stops it again. No broker code in here."""

import contextlib
import logging
import os
import queue
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import ifaddr
import platformdirs

from chat_core import wire
from chat_core.address import Address, parse_address
from chat_core.errors import WireError

log = logging.getLogger("chat.hosting")

# A broker with a million events is up within a second; an old machine that checks its disk may need longer.
PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.05
# So long it may take to write what it has taken in, when it is stopped.
_END_SECONDS = 10.0
_BROKER = Path(__file__).resolve().parents[1] / "broker.py"


@dataclass(frozen=True)
class Hosted:
    """A broker answers at the address. ``join``: what to hand out to others, "" where it was there already."""

    address: Address
    join: str = ""
    ours: bool = False


def is_loopback(host: str) -> bool:
    """Does this name every computer itself?"""
    return host.startswith("127.") or host in ("localhost", "::1")


def handed_out(address: Address) -> Address:
    """The address as others on the network have to type it: "127.0.0.1" is every computer's own."""
    if not is_loopback(address.host):
        return Address(address.host, address.port, key=address.key)
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    others = [ip for ip in found if not ip.startswith(("127.", "169.254."))]
    return Address(others[0], address.port, key=address.key) if others else address


@dataclass(frozen=True)
class NotHosted:
    """No broker could be started: a sentence."""

    text: str


class Host:
    """At most one broker, as a process of its own. Belongs to one thread, of which only `stop` takes time.

    ``news``, which is a new queue after each `start`, gets one `Hosted` or `NotHosted`, unless `stop` is called before.
    """

    def __init__(self, options: list[str] | None = None) -> None:
        """``options``: further ones for the broker's command line."""
        self.news: queue.SimpleQueue[Hosted | NotHosted] = queue.SimpleQueue()
        self._options = options or []
        self._hosted: Hosted | None = None  # what our process said
        self._process: subprocess.Popen[bytes] | None = None
        self._left: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()  # of the last start; told under the lock
        self._lock = threading.Lock()

    def start(self, address: Address) -> None:
        """Have a broker at the address, which is one of this machine: the one that is there, or a new one.

        To be called again only when there was news, or after `stop`.
        """
        self.news = queue.SimpleQueue()
        self._stopped = threading.Event()
        start = threading.Thread(
            target=self._start, args=(address, self.news, self._stopped), name="host", daemon=True
        )  # fmt: skip
        start.start()

    @property
    def running(self) -> bool:
        """Does a broker run that this program started?"""
        return self._process is not None and self._process.poll() is None

    def leave(self) -> None:
        """Let it run on when this program ends."""
        self._left, self._process = self._process, None

    def stop(self) -> None:
        """Stop the broker, if this program started it, or is about to. What it took in is on disk."""
        with self._lock:
            self._stopped.set()
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    # In a thread of its own.

    def _start(
        self, address: Address, news: "queue.SimpleQueue[Hosted | NotHosted]", stopped: threading.Event
    ) -> None:  # fmt: skip
        try:
            told = self._host(address, stopped)
        except Exception as problem:
            if not isinstance(problem, OSError):
                log.exception("no broker could be started")
            told = NotHosted(f"No broker can be started here ({problem}).")
        with self._lock:
            if not stopped.is_set():
                news.put(told)

    def _host(self, address: Address, stopped: threading.Event) -> Hosted | NotHosted:
        if not _is_here(address.host):
            text = f"{address.host} is not this computer, and a chat can only be started here: leave the address empty."
            return NotHosted(text)
        if self.running and self._hosted is not None:
            if self._hosted.address.port == address.port:
                return self._hosted
            return NotHosted(f"A chat runs on this computer already, at {self._hosted.address.text}: join that one.")
        if _answers(address):
            return Hosted(address)
        if not _BROKER.exists():
            return NotHosted("The broker is not installed here: start one with `python broker.py` where it is.")
        folder = Path(platformdirs.user_log_dir("zmq-chat", appauthor=False))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ready, log = folder / f"broker-{secrets.token_hex(4)}.ready", folder / f"broker-{address.port}.log"
        command = [
            sys.executable, str(_BROKER), "--port", str(address.port), "--ready-file", str(ready), *self._options,
        ]  # fmt: skip
        with log.open("wb") as errors, self._lock:
            if stopped.is_set():
                return NotHosted("It was stopped.")
            self._process = process = _spawn(command, errors)
        self._hosted = None
        try:
            told = self._wait(process, address, ready, log, stopped)
            if isinstance(told, Hosted):
                self._hosted = told
            return told
        finally:
            if stopped.is_set():
                process.wait()  # `stop` ends it; until then it may be about to write its ready file
            elif self._hosted is None:
                _end(process)
            ready.unlink(missing_ok=True)

    def _wait(
        self, process: "subprocess.Popen[bytes]", address: Address, ready: Path, log: Path, stopped: threading.Event
    ) -> Hosted | NotHosted:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and not stopped.wait(_POLL_SECONDS):
            if ready.exists():
                try:
                    told = wire.decode(ready.read_bytes(), dict[str, object])
                except WireError:
                    return NotHosted("The broker that was started says nothing that this program understands.")
                port, join = told.get("posts"), str(told.get("join", ""))
                key = parse_address(join).key if join else ""
                here = Address(address.host, port if isinstance(port, int) else address.port, address.room, key)
                return Hosted(here, join, ours=True)
            if process.poll() is not None:
                said = log.read_text("utf-8", "replace").strip().splitlines()
                reason = said[-1].removeprefix("chat-broker: ") if said else f"it ended with {process.returncode}."
                return NotHosted(f"The broker cannot be started: {reason}")
        return NotHosted("The broker did not start in time.")


def _spawn(command: list[str], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Run a program that goes on by itself: Ctrl-C in the terminal is for the window, which asks first."""
    nothing = subprocess.DEVNULL
    if os.name == "nt":
        return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=errors, creationflags=0x200)
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=errors, start_new_session=True)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process: as an administrator would, or else at once."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_here(host: str) -> bool:
    """Is this one of this machine's names or addresses?"""
    with contextlib.suppress(OSError, UnicodeError):  # a name that cannot even be looked up
        for family, kind, protocol, _, where in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM):
            with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
                probe.bind(where)
                return True
    return False


def _answers(address: Address) -> bool:
    """Is there anything at the address? (Whether it is a broker, the session finds out, and says what is wrong.)"""
    try:
        with socket.create_connection((address.host, address.port), timeout=1.0):
            return True
    except OSError:
        return False
