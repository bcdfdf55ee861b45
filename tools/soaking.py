"""One run of a soak: a pytest of its own for one scenario, timed, and looked at for what it leaves behind."""

import contextlib
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree
from dataclasses import dataclass, field
from pathlib import Path

# Every process of a run has this in its environment, however it was started.
MARK = "SOAK_RUN"
# For processes that have been told to end, and do.
ENDING_SECONDS = 5.0


@dataclass(frozen=True)
class Scenario:
    """A test by its id. ``thorough``: a property, tried with many examples."""

    test: str
    thorough: bool

    def environment(self, seed: int) -> dict[str, str]:
        """What makes this run the same again."""
        return {"CHAT_SEED": str(seed)} | ({"HYPOTHESIS_PROFILE": "thorough"} if self.thorough else {})

    def words(self, seed: int) -> list[str]:
        """What pytest is called with."""
        how = [f"--hypothesis-seed={seed}", "--timeout=3600"] if self.thorough else []
        return ["-m", "", *how, self.test]


@dataclass
class Result:
    """What became of a run. ``word``: passed, skipped; failed, hung, broken (pytest itself), left (something)."""

    scenario: Scenario
    seed: int
    word: str
    seconds: float
    memory: int = 0  # MB, of its largest process
    left: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)  # the lines that the test printed
    output: Path | None = None  # kept where it failed

    @property
    def bad(self) -> bool:
        return self.word not in ("passed", "skipped")

    @property
    def again(self) -> str:
        """The command that repeats the run."""
        given = [f"{name}={value}" for name, value in self.scenario.environment(self.seed).items()]
        return " ".join([*given, ".venv/bin/python -m pytest", shlex.join(self.scenario.words(self.seed))])

    def __str__(self) -> str:
        line = f"{self.word:<8} {self.seconds:7.1f} s {self.memory:5} MB  {self.scenario.test} (seed {self.seed})"
        return "\n          ".join([line, *self.left, *([f"see {self.output}"] if self.output else [])])


def run_scenario(scenario: Scenario, seed: int, folder: Path, root: Path, longest: float) -> Result:
    """Run a scenario, at most so many seconds long; its output is kept in the folder if it fails."""
    mark = secrets.token_hex(8)
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as own:
        outcome, output = Path(own) / "outcome.xml", Path(own) / "output.txt"
        options = [f"--basetemp={own}/tmp", f"--junitxml={outcome}", "-o", "junit_logging=system-out"]
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *scenario.words(seed)]
        began = time.monotonic()
        with output.open("wb") as stream:
            process = subprocess.Popen(
                command, cwd=root, env=os.environ | scenario.environment(seed) | {MARK: mark},
                stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip
        try:
            code, memory = _wait(process.pid, began + longest)
        finally:
            process.returncode = 0  # it is waited for here, not by Popen
            left = _clear_processes(mark, ENDING_SECONDS) + _clear_disks(own)
        result = Result(scenario, seed, "hung", time.monotonic() - began, memory)
        if code is not None:
            result.left = left
            result.word = _read_outcome(outcome, code, result.figures)
            if left and not result.bad:
                result.word = "left"
        if result.bad:
            result.output = folder / f"{_file_name(scenario.test)}-{seed}.txt"
            shutil.copy(output, result.output)
    return result


def _wait(pid: int, deadline: float) -> tuple[int | None, int]:
    """Wait for the end of a run: its exit status, None if it had to be killed, and its largest process in MB."""
    killed = False
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            return None if killed else os.waitstatus_to_exitcode(status), used.ru_maxrss // 1024
        if time.monotonic() > deadline and not killed:
            killed = True
            os.killpg(pid, signal.SIGKILL)
        try:
            time.sleep(0.05)
        except KeyboardInterrupt:
            os.killpg(pid, signal.SIGKILL)
            os.wait4(pid, 0)
            raise


def _read_outcome(file: Path, code: int, figures: list[str]) -> str:
    """The run's word, from its status and what it wrote down of its test."""
    if code not in (0, 1) or not file.exists():
        return "broken"
    (case,) = list(tree.parse(file).iter("testcase"))[:1] or [tree.Element("testcase")]
    printed = case.findtext("system-out", "").splitlines()
    figures += [line for line in printed if line and not line.startswith(("---", "CHAT_SEED="))]
    if code == 0 and case.find("skipped") is not None:
        return "skipped"
    return "failed" if code else "passed"


def _clear_processes(mark: str, patience: float) -> list[str]:
    """End what a run has left running; says what that was, unless it ends by itself."""
    found = _wait_for_end(mark, patience)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _wait_for_end(mark, patience)
    return [f"left behind: process {pid}: {command}" for pid, command in found.items()]


def _wait_for_end(mark: str, seconds: float) -> dict[int, str]:
    """Wait until a run has no more processes, at most so long; returns those that it still has."""
    deadline = time.monotonic() + seconds
    while (found := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def marked(mark: str) -> dict[int, str]:
    """The processes of a run that live: their ids and command lines. (None where there is no /proc.)"""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode("utf-8", "replace").strip()
    return found


def _clear_disks(folder: str) -> list[str]:
    """Unmount what a run has left mounted in its folder; says what that was."""
    with contextlib.suppress(OSError):
        places = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        left = [place for place in places if place.startswith(f"{folder}/")]
        for place in reversed(left):
            subprocess.run(["umount", "-l", place], check=False)
        return [f"left behind: a disk mounted at {place}" for place in left]
    return []


def _file_name(test: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in test.partition("::")[2])[:80]
