"""What a process has of the machine at this moment: memory, open files, threads. Linux only."""

import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from tests.faults.telling import tell

# Until the connections of clients that left are gone.
REST_SECONDS = 30.0


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


def wait_for_rest(pid: int, rest: Usage) -> None:
    """Until the process has no more files and threads than it had at rest; what it still has then is a leak."""
    deadline = time.monotonic() + REST_SECONDS
    while (now := usage(pid)).files != rest.files or now.threads != rest.threads:
        assert time.monotonic() < deadline, (
            f"{now.threads} threads and {now.files}, at rest {rest.threads} and {rest.files}"
        )
        select.select([], [], [], 0.05)
    tell(f"at rest again: {len(now.files)} open files, {now.threads} threads, {now.memory / 1e6:.0f} MB")
