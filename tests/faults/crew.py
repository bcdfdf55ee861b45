"""The crew of a fault's scenario: processes of workers and resenders that are killed, stopped and copied by a test."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

from tests.faults.journal import Entry, Settled, entries_of, read_journal
from tests.faults.oracle import Figures, Member, judge, read_stored
from tests.system.processes import LONG, ROOT, environment
from tests.telling import tell


class Hand:
    """One member: a worker or a resender with its identity folder and journal, over any number of processes."""

    def __init__(self, folder: Path, address: str, kind: str, name: str, **flags: object) -> None:
        """``flags``: those of `tests.faults.worker`; ``identity``: the folder of the identity, by default one of its
        own; ``label``: what its texts begin with, and what its files are called; ``variables``: of its environment."""
        self.name, self.label = name, str(flags.pop("label", name))
        self.identity = Path(str(flags.pop("identity", folder / self.label)))
        self.journal = folder / f"{self.label}.jsonl"
        self.shared = bool(flags.pop("shared", False))
        self._environment = environment(folder, **cast(dict[str, str], flags.pop("variables", {})))
        self._errors = folder / f"{self.label}.err"
        given = {"broker": address, "folder": self.identity, "journal": self.journal, "name": name, "label": self.label}
        self._command = [sys.executable, "-m", f"tests.faults.{kind}"]
        for flag, value in (given | flags).items():
            self._command += [f"--{flag}", str(value)]
        self.posts = bool(flags.get("rate"))
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Hand":
        """Begin, or go on after a kill."""
        with self._errors.open("a") as errors:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=self._environment,
            )
        return self

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(LONG)
        self._forget()

    def freeze(self) -> None:
        """Stop it where it is, as a laptop's lid does."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def copy_identity(self, to: Path) -> None:
        """Clone the disk with its identity and outbox, at one moment."""
        self.freeze()
        shutil.copytree(self.identity, to)
        self.thaw()

    def stop(self) -> None:
        """Have it post no more."""
        stdin = self.process.stdin
        assert stdin is not None
        stdin.write("stop\n")
        stdin.flush()

    def wait_until_settled(self) -> None:
        """Until nothing is left in its outbox."""
        stdout = self.process.stdout
        assert stdout is not None
        line = stdout.readline()
        assert line == "settled\n", f"{self.label} said {line!r}: {self._complaint()}"

    def end(self) -> None:
        """Have it end."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self) -> None:
        """Until it has ended, everything settled and seen."""
        status = self.process.wait(2 * LONG)
        assert status == 0, f"{self.label} ended with {status}: {self._complaint()}"
        self._forget()

    def has_noted(self, kind: type[Entry]) -> bool:
        """Is there such an entry in its journal?"""
        return bool(entries_of(read_journal(self.journal), kind))

    def check(self) -> None:
        """Raises AssertionError if its process has ended by itself."""
        status = self._process.poll() if self._process is not None else None
        assert status is None, f"{self.label} ended with {status}: {self._complaint()}"

    def close(self) -> None:
        """For the end of a test, however it went."""
        if self._process is not None:
            self.kill()

    @property
    def process(self) -> "subprocess.Popen[str]":
        """The process that runs."""
        assert self._process is not None, f"{self.label} does not run"
        return self._process

    def _forget(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._process = None

    def _complaint(self) -> str:
        return self._errors.read_text()[-2000:]


class Crew:
    """All members at one broker."""

    def __init__(self, folder: Path, address: str, seed: int) -> None:
        self.folder, self.address, self.seed = folder, address, seed
        self.hands: list[Hand] = []

    def worker(self, name: str, **flags: object) -> Hand:
        """Another user of the real client, started."""
        return self._add("worker", name, **flags)

    def resender(self, name: str, **flags: object) -> Hand:
        """Another one who sends everything again and again, started."""
        return self._add("resender", name, **flags)

    def work(self, seconds: float) -> None:
        """Let them work for a while; raises AssertionError if one of them ends."""
        until = time.monotonic() + seconds
        while True:
            for hand in self.hands:
                hand.check()
            left = until - time.monotonic()
            if left <= 0:
                return
            select.select([], [], [], min(left, 0.2))

    def begin(self) -> None:
        """Until everybody who posts has had a post acknowledged."""
        until = time.monotonic() + LONG
        while not all(hand.has_noted(Settled) for hand in self.hands if hand.posts):
            assert time.monotonic() < until, "not everybody has begun"
            self.work(0.05)

    def settle(self) -> None:
        """Have all stop posting, settle, see everything, and end."""
        begun = time.monotonic()
        for hand in self.hands:
            hand.stop()
        for hand in self.hands:
            hand.wait_until_settled()
        for hand in self.hands:
            hand.end()
        for hand in self.hands:
            hand.wait()
        tell(f"everybody had settled and seen everything after {time.monotonic() - begun:.1f} s")

    def members(self) -> list[Member]:
        """What everybody noted."""
        return [Member(read_journal(hand.journal), hand.shared) for hand in self.hands]

    def judge(self, database: Path) -> Figures:
        """Compare the broker's disk with what everybody noted; raises AssertionError."""
        return judge(read_stored(database), self.members())

    def close(self) -> None:
        """For the end of a test, however it went."""
        for hand in self.hands:
            hand.close()

    def _add(self, kind: str, name: str, **flags: object) -> Hand:
        hand = Hand(self.folder, str(flags.pop("broker", self.address)), kind, name, **({"seed": self.seed} | flags))
        self.hands.append(hand)
        return hand.start()
