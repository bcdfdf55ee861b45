"""What a process has of the machine at this moment: memory, open files, threads. Linux only."""

import os
import select
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.telling import tell

# Until the connections of clients that left are gone.
REST_SECONDS = 30.0
# So long nothing changes then.
CALM_SECONDS = 0.5


@dataclass(frozen=True)
class Usage:
    """``files``: what each open file descriptor leads to, sorted, sockets and pipes without their numbers."""

    memory: int  # bytes in RAM
    files: tuple[str, ...]
    threads: int


def usage(pid: int) -> Usage:
    """What the process has now."""
    base = Path(f"/proc/{pid}")
    pages = int((base / "statm").read_text().split()[1])
    files = tuple(sorted(os.readlink(entry).partition(":[")[0] for entry in (base / "fd").iterdir()))
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), files, len(list((base / "task").iterdir())))


def at_rest(pid: int) -> Usage:
    """What the process has once it has stopped letting go of things."""
    deadline = time.monotonic() + REST_SECONDS
    last, since = usage(pid), time.monotonic()
    while time.monotonic() < since + CALM_SECONDS:
        assert time.monotonic() < deadline, f"no rest: {last}"
        select.select([], [], [], 0.05)
        now = usage(pid)
        if (now.files, now.threads) != (last.files, last.threads):
            last, since = now, time.monotonic()
    return last


def check_rest(pid: int, rest: Usage) -> None:
    """Everybody has left: the process has no more files and threads than it had at rest before."""
    now = at_rest(pid)
    more = Counter(now.files) - Counter(rest.files)
    assert not more, f"open files that were not open before: {more}"
    assert now.threads <= rest.threads
    tell(f"at rest again: {len(now.files)} open files, {now.threads} threads, {now.memory / 1e6:.0f} MB")
