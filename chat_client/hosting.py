"""Starts a broker on this machine for somebody who just wants to chat, and stops it again. No broker code in here."""

import importlib.util
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from chat_core import wire
from chat_core.address import Address
from chat_core.errors import WireError

# A broker with a million events is up within a second; an old machine that checks its disk may need longer.
PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Hosted:
    """A broker answers at the address. ``join``: what to hand out to others, "" where it was there already."""

    address: Address
    join: str = ""
    ours: bool = False


@dataclass(frozen=True)
class NotHosted:
    """No broker could be started: a sentence."""

    text: str


class Host:
    """At most one broker, as a process of its own. ``news`` gets one `Hosted` or `NotHosted` after `start`."""

    def __init__(self, options: list[str] | None = None) -> None:
        """``options``: further ones for the broker's command line."""
        self.news: queue.SimpleQueue[Hosted | NotHosted] = queue.SimpleQueue()
        self._options = options or []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, address: Address) -> None:
        """Have a broker at the address, which is one of this machine: the one that is there, or a new one."""
        threading.Thread(target=self._start, args=(address,), name="host", daemon=True).start()

    @property
    def running(self) -> bool:
        """Does a broker run that this program started?"""
        return self._process is not None and self._process.poll() is None

    def leave(self) -> None:
        """Let it run on when this program ends."""
        self._process = None

    def stop(self) -> None:
        """Stop the broker, if this program started it. What it took in is on disk."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self, address: Address) -> None:
        try:
            self.news.put(self._host(address))
        except OSError as problem:
            self.news.put(NotHosted(f"No broker can be started here ({problem})."))

    def _host(self, address: Address) -> Hosted | NotHosted:
        if _answers(address):
            return Hosted(address)
        spec = importlib.util.find_spec("broker")
        if spec is None or spec.origin is None:
            return NotHosted("The broker is not installed here: start one with `python broker.py` where it is.")
        folder = Path(platformdirs.user_log_dir("zmq-chat", appauthor=False))
        folder.mkdir(parents=True, exist_ok=True)
        ready, log = folder / f"broker-{os.getpid()}.ready", folder / "broker.log"
        command = [
            sys.executable, spec.origin, "--port", str(address.port), "--ready-file", str(ready), *self._options,
        ]  # fmt: skip
        ready.unlink(missing_ok=True)
        try:
            with log.open("wb") as errors:
                self._process = process = _spawn(command, errors)
            return self._wait(process, address, ready, log)
        finally:
            ready.unlink(missing_ok=True)

    def _wait(self, process: "subprocess.Popen[bytes]", address: Address, ready: Path, log: Path) -> Hosted | NotHosted:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if ready.exists():
                try:
                    told = wire.decode(ready.read_bytes(), dict[str, object])
                except WireError:
                    return NotHosted("The broker that was started says nothing that this program understands.")
                port = told.get("posts")
                here = Address(address.host, port if isinstance(port, int) else address.port, address.room)
                return Hosted(here, str(told.get("join", "")), ours=True)
            if process.poll() is not None:
                said = log.read_text("utf-8", "replace").strip().splitlines()
                reason = said[-1].removeprefix("chat-broker: ") if said else f"it ended with {process.returncode}"
                return NotHosted(f"The broker cannot be started: {reason}")
            threading.Event().wait(_POLL_SECONDS)
        self.stop()
        return NotHosted("The broker did not start in time.")


def _spawn(command: list[str], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Run a program that goes on by itself: Ctrl-C in the terminal is for the window, which asks first."""
    nothing = subprocess.DEVNULL
    if os.name == "nt":
        return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=errors, creationflags=0x200)
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=errors, start_new_session=True)


def _answers(address: Address) -> bool:
    """Is there anything at the address? (Whether it is a broker, the session finds out, and says what is wrong.)"""
    try:
        with socket.create_connection((address.host, address.port), timeout=1.0):
            return True
    except OSError:
        return False
