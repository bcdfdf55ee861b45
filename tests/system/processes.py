"""Real processes for tests: a broker that can be killed and started again, and the command line."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from chat_core.address import Address

ROOT = Path(__file__).resolve().parents[2]

# Longer than anything here takes on a slow machine; a test that waits so long has failed.
LONG = 60.0


def free_ports() -> int:
    """The first of three ports in a row that nobody has."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                for other in (port + 1, port + 2):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", other))
                return port


def quiet_ports() -> int:
    """The first of three ports in a row that nobody has, and that no outgoing connection will be given meanwhile."""
    while True:
        first = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(first, first + 3):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


# Tests and benchmarks write faster than people do, and all from one address.
UNLIMITED = {
    f"CHAT_LIMITS__{name}": "0"
    for name in (
        "USER_POSTS_PER_SECOND", "USER_BYTES_PER_SECOND", "ADDRESS_POSTS_PER_SECOND", "USER_ROOMS",
        "USER_CONNECTIONS", "ADDRESS_CONNECTIONS", "ADDRESS_CONNECTS_PER_SECOND",
    )
}  # fmt: skip


class BrokerProcess:
    """``python broker.py`` on free ports; `kill` is kill -9."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.folder, self.flags = folder, flags
        self.data = folder / "data"
        self.port = free_ports()
        self.ready: dict[str, Any] = {}
        self.program: tuple[str, ...] = (str(ROOT / "broker.py"),)
        self.environment: dict[str, str] | None = None  # this process's own; without limits, unless it says so
        self._process: subprocess.Popen[str] | None = None
        self._log, self._ready_file = folder / "broker.log", folder / "ready.json"

    @property
    def key(self) -> str:
        """Its public key, "" if it does not encrypt; known once it has served."""
        return str(self.ready.get("key", ""))

    @property
    def address(self) -> str:
        """What is handed out to join, with its key as soon as that is known."""
        here = Address("127.0.0.1", self.port, key=self.key)
        return here.join if here.key else here.text

    def start(self) -> "BrokerProcess":
        """Start and wait until it serves."""
        self.spawn()
        assert self._process is not None
        for _ in range(int(LONG / 0.02)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"the broker ended with {self._process.wait(0.02)}: {self.log()}")
            if self.serves():
                self.ready = json.loads(self._ready_file.read_text())
                return self
        raise AssertionError(f"the broker does not serve: {self.log()}")

    def spawn(self) -> None:
        """Start, and do not wait for anything."""
        self._ready_file.unlink(missing_ok=True)
        command = [sys.executable, *self.program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--data", str(self.data), "--ready-file", str(self._ready_file), *self.flags]
        env = UNLIMITED | (dict(os.environ) if self.environment is None else self.environment)
        with self._log.open("a") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, text=True, cwd=self.folder, env=env)

    def serves(self) -> bool:
        """Has it said, since it was started, that it serves?"""
        return self._ready_file.exists()

    def freeze(self) -> None:
        """Stop it where it is; returns when it has stopped."""
        self._send(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power switch would its process."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it as an administrator would; returns the exit status."""
        return self._end(signal.SIGTERM)

    def interrupt(self) -> int:
        """End it as Ctrl-C would; returns the exit status."""
        return self._end(signal.SIGINT)

    def wait(self) -> int:
        """Until it ends by itself; returns the exit status."""
        assert self._process is not None
        return self._process.wait(LONG)

    def log(self) -> str:
        """What it printed and logged so far."""
        return self._log.read_text()

    def close(self) -> None:
        """For the end of a test, however it went."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> int:
        self._send(number)
        return self.wait()


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing outside the folder is touched."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_")}
    return clean | {"XDG_DATA_HOME": str(folder / "home"), "HOME": str(folder / "home")} | more


class Person:
    """Somebody at a terminal: runs chat_client commands under a name of their own."""

    def __init__(self, folder: Path, address: str, name: str) -> None:
        self.folder, self.address, self.name = folder, address, name
        self.started: list[subprocess.Popen[str]] = []

    def run(self, *words: str, given: str | None = None, timeout: float = 20.0) -> subprocess.CompletedProcess[str]:
        """A command, until it ends."""
        return subprocess.run(
            self.command(*words, timeout=timeout), input=given, capture_output=True, text=True, timeout=LONG,
            env=self.environment(),
        )  # fmt: skip

    def start(
        self, *words: str, timeout: float = 50.0, given: IO[str] | int | None = subprocess.DEVNULL
    ) -> "subprocess.Popen[str]":
        """A command that goes on; its output can be read line by line."""
        process = subprocess.Popen(
            self.command(*words, timeout=timeout),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
        )
        self.started.append(process)
        return process

    def history(self, room: str = "lobby") -> list[dict[str, Any]]:
        """The whole log of a room, read the way a user would."""
        rooms = [json.loads(line) for line in self.run("rooms", "--json").stdout.splitlines()]
        head = next(one["head"][0] for one in rooms if one["id"] == room)
        told = self.run("tail", room, "--from", "1", "--count", str(head), "--json")
        return [json.loads(line) for line in told.stdout.splitlines()]

    def close(self) -> None:
        """For the end of a test, however it went."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait(LONG)

    def environment(self) -> dict[str, str]:
        """An environment in which their files are in the test's folder."""
        return environment(self.folder)

    def command(self, *words: str, timeout: float = 20.0) -> list[str]:
        """The command line."""
        verb, *rest = words
        own = ["--broker", self.address, "--name", self.name, "--timeout", str(timeout)]
        return [sys.executable, "-m", "chat_client", verb, *own, *rest]


def next_event(tail: "subprocess.Popen[str]") -> dict[str, Any]:
    """The next line of a `tail --json`."""
    assert tail.stdout is not None
    line = tail.stdout.readline()
    assert line, f"tail ended: {finish(tail)}"
    found: dict[str, Any] = json.loads(line)
    return found


def finish(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Wait for the end; what is left of its output, behind the lines that were read, and its errors.

    (`communicate` would lose what the line reader has buffered.)
    """
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = process.stdout.read(), process.stderr.read()
    process.wait(LONG)
    return out, err


def read_until(process: "subprocess.Popen[str]", wanted: int) -> list[str]:
    """So many lines of a process's output: a barrier without a clock."""
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(wanted)]
