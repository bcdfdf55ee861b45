"""What a soak found: the runs by scenario, each failure with the command that repeats it, and the figures."""

import statistics
import time
from collections import Counter, defaultdict

from tools.soaking import Result

# Of what a scenario printed at its last run.
FIGURES_SHOWN = 20


def report(results: list[Result], seed: int, began: float, ended: float, memory: str) -> str:
    """The report; times in seconds since 1970."""
    words = Counter(result.word for result in results).most_common()
    parts = [
        f"Soak with seed {seed}, from {_clock(began)} to {_clock(ended)} ({(ended - began) / 3600:.2f} hours).",
        f"{len(results)} runs: {', '.join(f'{count} {word}' for word, count in words) or 'none'}.",
        memory,
        "",
        *_table(results),
        *_failures(results),
        *_figures(results),
    ]
    return "\n".join(parts) + "\n"


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def _by_scenario(results: list[Result]) -> dict[str, list[Result]]:
    found = defaultdict(list)
    for result in results:
        found[result.scenario.test].append(result)
    return dict(sorted(found.items()))


def _table(results: list[Result]) -> list[str]:
    lines = ["runs   bad    median      most   memory  scenario"] if results else []
    for test, runs in _by_scenario(results).items():
        seconds = [run.seconds for run in runs]
        bad, memory = sum(run.bad for run in runs), max(run.memory for run in runs)
        lines.append(
            f"{len(runs):4} {bad:5} {statistics.median(seconds):7.1f} s {max(seconds):7.1f} s {memory:5} MB  {test}"
        )
    return lines


def _failures(results: list[Result]) -> list[str]:
    lines = []
    for result in results:
        if result.bad:
            lines += ["", f"{result.word}: {result.scenario.test}, after {result.seconds:.1f} s"]
            lines += [f"    {line}" for line in (*result.left, f"output: {result.output}", f"again:  {result.again}")]
    return ["", "What went wrong", *lines] if lines else ["", "Nothing went wrong."]


def _figures(results: list[Result]) -> list[str]:
    lines = []
    for test, runs in _by_scenario(results).items():
        if figures := runs[-1].figures:
            lines += ["", test, *(f"    {line}" for line in figures[-FIGURES_SHOWN:])]
    return ["", "What each scenario printed last", *lines] if lines else []
