"""Deliberate bugs, one after the other, and which test notices each: the tests of the tests.

    python tools/mutants.py [--slow] [NAME ...]

Each patch of tests/mutants is applied to a copy of this tree, and the tests that it names are run there: all of them
have to fail. One that passes has missed the bug; then the whole fast suite is run, to see who else would have noticed.
First of all the named tests have to pass on the tree as it is, else their failing would mean nothing.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.patches import Patch, PatchError, read_patches  # noqa: E402

PATCHES = "tests/mutants"
# One for each core of a small machine.
AT_ONCE = 2
# A test that takes longer hangs; so does a run of all the tests of a patch, if pytest itself cannot end it.
TEST_SECONDS, RUN_SECONDS = 15.0, 120.0
SLOW_SECONDS = 900.0
# What is not copied: nothing that is tested, and much of it large.
LEFT_OUT = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "build", "dist", "shots", "soak")
CAUGHT, MISSED, BROKEN = "caught", "NOT CAUGHT", "BROKEN"
# The tests of the patches themselves would notice any: one that is applied does not fit any more.
FAST = ["-m", "not real and not slow", f"--ignore={PATCHES}"]
# Prints the files that modules would be imported from.
WHERE = """
import importlib.util, sys
for name in sys.argv[1:]:
    print(importlib.util.find_spec(name).origin)
"""
# A bug that is not even Python, or names what is not there, is noticed by anybody: it says nothing about the tests.
NO_BUG = ("ImportError", "ModuleNotFoundError", "NameError", "SyntaxError", "IndentationError", "UnboundLocalError")


@dataclass
class Run:
    """What a run of pytest in a copy of the tree came to."""

    code: int | None = None  # None: it had to be killed
    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # test -> the error's name
    hung: set[str] = field(default_factory=set)
    other: list[str] = field(default_factory=list)  # skipped, or failed before the test itself
    strays: list[str] = field(default_factory=list)
    output: str = ""

    def caught(self, name: str) -> str:
        """The first test of this name (of several with parameters) that failed, or ""."""
        return next((test for test in self.failed if is_named(test, name)), "")

    def trouble(self) -> str:
        """Why this run says nothing about the tests, or ""."""
        if self.strays:
            return f"not the copy was tested, but {', '.join(self.strays)}"
        no_bug = [f"{test} ends in {error}" for test, error in self.failed.items() if error in NO_BUG]
        if no_bug:
            return f"the patch is not a bug but nonsense: {no_bug[0]}"
        if self.code not in (0, 1) and not self.hung:
            return f"pytest could not run (status {self.code}):\n{tail(self.output)}"
        return f"{self.other[0]} was skipped or could not begin:\n{tail(self.output)}" if self.other else ""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    patch: Patch
    word: str
    text: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.word:<10} {self.seconds:5.1f} s  {self.patch.name}: {self.text}"


def is_named(test: str, name: str) -> bool:
    """Is this test the one of that name, or the same with parameters?"""
    return test == name or test.startswith(f"{name}[")


def tail(output: str, lines: int = 15) -> str:
    """The end of a run's output, indented."""
    return "\n".join(f"    {line}" for line in output.rstrip().splitlines()[-lines:])


# ---- a copy of the tree ------------------------------------------------------------------------------------------


class Copy:
    """A copy of the tree in a folder of its own; everything that is run in it imports from it."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.tree = folder, folder / "tree"
        shutil.copytree(root, self.tree, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        beside = folder / "witness"
        beside.mkdir()
        shutil.copy(ROOT / "tools" / "witness.py", beside)
        # Before what is installed in this environment, where the tree itself may be.
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join((str(self.tree), str(beside))),
            "HYPOTHESIS_PROFILE": "quick",
            "MUTANT_WITNESS": str(folder / "witness.jsonl"),
        }
        self.environment.pop("DISPLAY", None)

    def break_with(self, patch: Patch) -> None:
        """Put the bug in, and see that Python finds it. Raises PatchError."""
        for file, text in patch.mutated(self.tree).items():
            file.write_text(text, encoding="utf-8")
        modules = sorted({hunk.module for hunk in patch.hunks if hunk.file.endswith(".py")})
        found = subprocess.run(
            [sys.executable, "-c", WHERE, *modules],
            cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE, check=True,
        ).stdout.splitlines()  # fmt: skip
        wrong = [file for file in found if not Path(file).resolve().is_relative_to(self.tree.resolve())]
        if wrong:
            raise PatchError(f"{patch.name}: Python imports {', '.join(wrong)} instead of the copy with the bug.")

    def test(self, words: Iterable[str], seconds: float, each: float) -> Run:
        """Run pytest with these arguments, killed after so many seconds; ``each``: what a test may take."""
        (self.folder / "witness.jsonl").unlink(missing_ok=True)
        options = ["-q", "-p", "witness", "-p", "no:cacheprovider", "--timeout", str(each), "-m", ""]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *words],
            cwd=self.tree, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        run = Run()
        try:
            run.output, _ = process.communicate(timeout=seconds)
            run.code = process.returncode
        except subprocess.TimeoutExpired:
            _kill_group(process.pid)
            run.output, _ = process.communicate()
        _kill_group(process.pid)  # what a test left running
        self._read_witness(run)
        return run

    def _read_witness(self, run: Run) -> None:
        file, last = self.folder / "witness.jsonl", ""
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines() if file.exists() else ()):
            if "strays" in line:
                run.strays = line["strays"]
            elif line["outcome"] == "started":
                last = line["test"]
            elif line["outcome"] == "failed" and (line["phase"] == "call" or line["hung"]):
                run.failed[line["test"]] = line["error"]
                run.hung |= {line["test"]} if line["hung"] else set()
            elif line["outcome"] == "passed":
                run.passed.append(line["test"])
            elif line["test"] not in run.failed:
                run.other.append(line["test"])
        if run.code is None and last:
            run.failed[last] = "killed"
            run.hung.add(last)


# ---- the run -----------------------------------------------------------------------------------------------------


def check_tree(tests: list[str], root: Path, slow: bool) -> str:
    """Run the named tests on the tree as it is: why their failing would mean nothing, or ""."""
    seconds, each = (SLOW_SECONDS, SLOW_SECONDS) if slow else (2 * RUN_SECONDS, TEST_SECONDS)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        run = Copy(Path(folder), root).test(tests, seconds, each)
    if trouble := run.trouble():
        return trouble
    if run.failed or run.code != 0:
        return f"these fail without any bug: {', '.join(run.failed)}\n{tail(run.output)}"
    missing = [name for name in tests if not any(is_named(test, name) for test in run.passed)]
    return f"these were not run: {', '.join(missing)}" if missing else ""


def try_patch(patch: Patch, root: Path, slow: bool) -> Verdict:
    """Put one bug into a copy, and see who notices."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(Path(folder), root)
        try:
            copy.break_with(patch)
            word, text = judge(patch, copy, slow)
        except PatchError as problem:
            word, text = BROKEN, str(problem)
    return Verdict(patch, word, text, time.monotonic() - began)


def judge(patch: Patch, copy: Copy, slow: bool) -> tuple[str, str]:
    """Run the tests that have to fail, and all others if one of them does not: a word and a text for people."""
    named = patch.named(slow)
    seconds, each = (SLOW_SECONDS, SLOW_SECONDS) if slow and patch.slow else (RUN_SECONDS, TEST_SECONDS)
    run = copy.test(named, seconds, each)
    if trouble := run.trouble():
        return BROKEN, trouble
    first, *more = [run.caught(name) for name in named]
    if first and all(more):
        hanging = " by hanging" if first in run.hung else ""
        return CAUGHT, f"{first}{hanging}{f' and {len(more)} more' if more else ''}"
    missed = ", ".join(name for name in named if not run.caught(name))
    others = copy.test([*FAST, "-x"], SLOW_SECONDS, TEST_SECONDS)
    other = f"{next(iter(others.failed))} does" if others.failed else "nor does any other fast one"
    return MISSED, f"{missed} does not notice it; {other}"


def choose(names: list[str], root: Path) -> list[Patch]:
    """The patches of these names, or all; every one of the folder must fit. Raises PatchError."""
    patches = read_patches(root / PATCHES)
    for patch in patches:
        patch.mutated(root)
    if unknown := set(names) - {patch.name for patch in patches}:
        raise PatchError(f"There is no patch {', '.join(sorted(unknown))} in {PATCHES}.")
    return [patch for patch in patches if not names or patch.name in names]


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Try the mutants; returns 0 if all were caught."""
    parser = argparse.ArgumentParser(prog="mutants.py", description="Deliberate bugs, and which test catches each.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these patches only")
    parser.add_argument("--slow", action="store_true", help="the slow tests have to catch their bugs as well")
    flags = parser.parse_args(argv)
    began = time.monotonic()
    try:
        patches = choose(flags.names, root)
    except PatchError as problem:
        return _say(str(problem))
    tests = sorted({test for patch in patches for test in patch.named(flags.slow)})
    if trouble := check_tree(tests, root, flags.slow):
        return _say(f"The tests that should catch the mutants say nothing: {trouble}")
    print(f"{len(tests)} tests pass without any mutant ({time.monotonic() - began:.1f} s).", flush=True)
    caught = sum(verdict.word == CAUGHT for verdict in try_all(patches, root, flags.slow))
    print(f"{len(patches)} mutants, {caught} caught ({time.monotonic() - began:.0f} s).")
    return 0 if caught == len(patches) > 0 else 1


def try_all(patches: list[Patch], root: Path, slow: bool) -> Iterator[Verdict]:
    """Try each, some at a time; tells what became of it."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for verdict in threads.map(lambda patch: try_patch(patch, root, slow), patches):
            print(verdict, flush=True)
            yield verdict


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _say(text: str) -> int:
    print(f"mutants: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
