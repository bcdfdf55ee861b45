"""Everything that is said of the project's speed, measured: a table, or with --json a line for each figure.

    python benchmarks/run.py [NAME...] [--quick] [--json] [--list]

Each figure is the median of several rounds. Where a bare forwarder (ROUTER to PUB, no parsing, no store) does the same
work, its rounds alternate with the broker's: compare the ratios, since absolute figures depend on the machine and on
what else it does. Every delivery is counted and checked. CPU is that of the broker's whole process.
"""

import argparse
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import crowded, figures, folding, history, paced, restarting, saturated
from benchmarks.scale import FULL, QUICK, Scale

BENCHMARKS: dict[str, tuple[str, Callable[[Scale], list[figures.Figure]]]] = {
    "saturated-10": ("10 receivers, 256 posts in flight", functools.partial(saturated.measure, 10, "open")),
    "saturated-100": ("100 receivers, 256 posts in flight", functools.partial(saturated.measure, 100, "open")),
    "saturated-1000": ("1,000 receivers, 256 posts in flight", functools.partial(saturated.measure, 1000, "open")),
    "encrypted-100": (
        "100 receivers, 256 posts in flight, all of it encrypted",
        functools.partial(saturated.measure, 100, "curve"),
    ),
    "paced": ("100 receivers, 200 posts a second", paced.measure),
    "arrival": (
        "1,000 clients connect, say hello, join, subscribe and hear the first message",
        functools.partial(crowded.arrive, "open"),
    ),
    "encrypted-arrival": ("the same, encrypted", functools.partial(crowded.arrive, "curve")),
    "rest": ("1,000 clients at rest", crowded.rest),
    "history": ("a newcomer reads 100,000 events with the client library", history.measure),
    "folding": ("the client's session and model, without a network", folding.measure),
    "restart": ("a restart with 1,000,000 events on disk", restarting.measure),
}


def run(names: list[str], scale: Scale, as_json: bool) -> bool:
    """Measure and print; returns whether every limit was kept."""
    kept = True
    if not as_json:
        print(figures.line(figures.TITLES))
    for name in names:
        title, measure = BENCHMARKS[name]
        found = measure(scale)
        load = os.getloadavg()[0]
        if not as_json:
            print(f"{title} ({name}; load {load:.1f})")
        for figure in found:
            kept = kept and figure.met is not False
            if as_json:
                print(figure.as_json(name, load), flush=True)
            else:
                name_, *rest = figures.row(figure)
                print(figures.line((f"  {name_}", *rest)), flush=True)
    return kept


def main() -> int:
    """The command line; status 1 if a limit was not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (otherwise everything)")
    parser.add_argument("--quick", action="store_true", help="one small round of each")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each figure")
    parser.add_argument("--list", action="store_true", help="say what can be measured")
    args = parser.parse_args()
    if args.list:
        for name, (title, _) in BENCHMARKS.items():
            print(f"{name:<16} {title}")
        return 0
    if unknown := set(args.names) - BENCHMARKS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; --list tells which there are")
    return 0 if run(args.names or list(BENCHMARKS), QUICK if args.quick else FULL, args.json) else 1


if __name__ == "__main__":
    sys.exit(main())
