"""Hours of faults: the slow scenarios and the property tests in the thorough profile, at random, and a report.

    python tools/soak.py HOURS [--seed N] [--tests FOLDER] [--folder FOLDER]

Every scenario is run once, in random order, before any comes a second time. Each run is a pytest of its own, with a
seed of its own (CHAT_SEED, and hypothesis's). It fails as its tests do, or if it hangs, or if it leaves a process or a
mounted disk behind. The output of a run that failed is kept beside the report, with the command that repeats it. Ctrl-C
ends the soak early; the report is written all the same.
"""

import argparse
import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.soaking import Result, Scenario, run_scenario  # noqa: E402
from tools.soaking_report import report  # noqa: E402

# What is soaked: a pytest expression, and whether it is a matter of how many examples are tried.
KINDS = {"slow": False, "hypothesis and not slow and not real": True}
# A run that takes longer hangs. The slowest scenario takes some minutes.
LONGEST_SECONDS = 3600.0


def collect(tests: Path, root: Path) -> list[list[Scenario]]:
    """The scenarios of each kind."""
    found = []
    for marked, thorough in KINDS.items():
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", marked, str(tests)]
        listed = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if listed.returncode not in (0, 5):  # 5: there is none
            raise SystemExit(f"soak: the tests cannot be collected:\n{listed.stdout}{listed.stderr}")
        found.append([Scenario(line, thorough) for line in listed.stdout.splitlines() if "::" in line])
    return [kind for kind in found if kind]


def choose(kinds: list[list[Scenario]], dice: random.Random, skipped: set[str]) -> Iterator[Scenario]:
    """Scenarios for ever: of each kind as often, and all of a kind once before any of it a second time."""
    bags: list[list[Scenario]] = [[] for _ in kinds]
    while True:
        left = [place for place, kind in enumerate(kinds) if any(one.test not in skipped for one in kind)]
        if not left:
            return
        place = dice.choice(left)
        if not bags[place]:
            bags[place] = [one for one in kinds[place] if one.test not in skipped]
            dice.shuffle(bags[place])
        scenario = bags[place].pop()
        if scenario.test not in skipped:
            yield scenario


def soak(kinds: list[list[Scenario]], hours: float, dice: random.Random, folder: Path, root: Path) -> list[Result]:
    """Run scenarios until the hours are over, or until Ctrl-C."""
    results: list[Result] = []
    skipped: set[str] = set()
    end = time.monotonic() + hours * 3600
    with contextlib.suppress(KeyboardInterrupt):
        for scenario in choose(kinds, dice, skipped):
            result = run_scenario(scenario, dice.randrange(2**32), folder, root, LONGEST_SECONDS)
            print(f"{time.strftime('%H:%M:%S')}  {result}", flush=True)
            results.append(result)
            if result.word == "skipped":  # it will be the next time too
                skipped.add(scenario.test)
            if time.monotonic() >= end:
                break
    return results


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Soak; returns 1 if a run failed, or if there was none that counts."""
    flags = _parser(root).parse_args(argv)
    began, available = time.time(), memory_available()
    folder = flags.folder / time.strftime("%Y%m%d-%H%M%S", time.localtime(began))
    folder.mkdir(parents=True, exist_ok=True)
    kinds = collect(flags.tests, root)
    print(f"{sum(map(len, kinds))} scenarios for {flags.hours:g} hours, with seed {flags.seed}.", flush=True)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    results = soak(kinds, flags.hours, random.Random(flags.seed), folder, root)
    signal.signal(signal.SIGTERM, before)
    memory = f"The machine had {available} MB of memory to spare before, and has {memory_available()} MB now."
    text = report(results, flags.seed, began, time.time(), memory)
    (folder / "report.txt").write_text(text, encoding="utf-8")
    print(f"\n{text}\nThis report is in {folder / 'report.txt'}.")
    return 0 if any(one.word == "passed" for one in results) and not any(one.bad for one in results) else 1


def _parser(root: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak.py", description="Faults at random, for hours, and a report.")
    parser.add_argument("hours", type=float, metavar="HOURS", help="for so long; the run that is on then is finished")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="the same order again")
    parser.add_argument("--tests", type=Path, default=Path("tests"), metavar="FOLDER", help="where the scenarios are")
    parser.add_argument("--folder", type=Path, default=root / "soak", help="where the report goes")
    return parser


def memory_available() -> int:
    """MB that programs can have before the machine begins to swap; -1 where it does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    return -1


if __name__ == "__main__":
    sys.exit(main())
