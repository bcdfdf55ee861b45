"""A long run of the fuzzers: ``python -m tests.hostile.fuzz --seconds N --seed S``, without hypothesis.

Changes the corpus at random and gives it to the decoders and to a hub, every tenth time one over a database. What fails
is made as short as it can be and joins the corpus, where the tests try it for ever.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from chat_broker.store import Store
from tests.hostile import corpus_files
from tests.hostile.checks import check_frame, check_hub
from tests.hostile.mutations import Script, mutate, script
from tests.telling import fresh_seed, tell

# To one script so many frames: a script takes as long.
FRAMES_A_SCRIPT, SCRIPTS_A_DATABASE = 20, 10

T = TypeVar("T")


def main() -> int:
    """Read the flags and run; returns the exit status, 1 if something was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", type=Path, default=corpus_files.FOLDER, help="where to put what is found")
    flags = parser.parse_args()
    seed = fresh_seed() if flags.seed is None else flags.seed
    found = run(random.Random(seed), flags.seconds, flags.keep)
    return min(found, 1)


def run(dice: random.Random, seconds: float, keep: Path) -> int:
    """Fuzz for so long; returns how many things were found."""
    corpus, outcomes = corpus_files.frames(), Counter[str]()
    deadline, found, scripts = time.monotonic() + seconds, 0, 0
    while time.monotonic() < deadline:
        for _ in range(FRAMES_A_SCRIPT):
            frame = mutate(dice.choice(corpus), dice, corpus)
            found += tried(frame, check_frame, shortest_frame, corpus_files.save_frame, keep)
        scripts += 1
        play = in_a_database if scripts % SCRIPTS_A_DATABASE == 0 else in_memory
        found += tried(script(dice, corpus), play(outcomes), shortest_script, corpus_files.save_script, keep)
    tell(f"{scripts * FRAMES_A_SCRIPT} frames, {scripts} scripts, {found} found; {dict(outcomes.most_common())}")
    return found


def in_memory(outcomes: Counter[str]) -> Callable[[Script], None]:
    """Plays scripts over dicts, and counts what was answered."""

    def play(one: Script) -> None:
        outcomes.update(check_hub(one).outcomes)

    return play


def in_a_database(outcomes: Counter[str]) -> Callable[[Script], None]:
    """Plays scripts over a database, and counts what was answered."""

    def play(one: Script) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.closing(Store(Path(folder))) as store:
            outcomes.update(check_hub(one, store).outcomes)

    return play


def tried(
    one: T,
    check: Callable[[T], None],
    shortest: Callable[[T, Callable[[T], bool]], T],
    save: Callable[[T, Path], Path],
    keep: Path,
) -> int:
    """Check it; 1 if it was found to fail and is kept."""
    try:
        check(one)
    except Exception:
        traceback.print_exc()
        tell(f"kept as {save(shortest(one, lambda shorter: fails(shorter, check)), keep)}")
        return 1
    return 0


# ---- making it short -------------------------------------------------------------------------------------------------


def fails(one: T, check: Callable[[T], None]) -> bool:
    """Does the check raise anything?"""
    try:
        check(one)
    except Exception:
        return True
    return False


def shortest_frame(frame: bytes, wrong: Callable[[bytes], bool]) -> bytes:
    """Without the pieces that it fails without."""
    size = len(frame) // 2
    while size:
        start = 0
        while start < len(frame):
            shorter = frame[:start] + frame[start + size :]
            if wrong(shorter):
                frame = shorter
            else:
                start += size
        size //= 2
    return frame


def shortest_script(one: Script, wrong: Callable[[Script], bool]) -> Script:
    """Without the turns, and the frames, that it fails without."""
    for number in reversed(range(len(one))):
        shorter = one[:number] + one[number + 1 :]
        if wrong(shorter):
            one = shorter
    for number, turn in enumerate(one):
        for place in reversed(range(len(turn.arrived))):
            less = replace(turn, arrived=turn.arrived[:place] + turn.arrived[place + 1 :])
            shorter = (*one[:number], less, *one[number + 1 :])
            if wrong(shorter):
                one, turn = shorter, less
    return one


if __name__ == "__main__":
    sys.exit(main())
