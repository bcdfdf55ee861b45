"""What a process has used: time of a processor by all its threads, and memory. Linux only."""

import os
import time
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads that the process has, to some ms (``stat`` counts hundredths)."""
    spent = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        spent += int((thread / "schedstat").read_text().split()[0])
    return spent / 1e9


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Meter:
    """Times a stretch of work: ``with Meter(pid) as spent``. ``own``: what this process used meanwhile."""

    pid: int
    cpu: float = 0.0
    wall: float = 0.0
    own: float = 0.0

    def __enter__(self) -> "Meter":
        self.cpu, self.own, self.wall = cpu_seconds(self.pid), time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self.wall
        self.own = time.process_time() - self.own
        self.cpu = cpu_seconds(self.pid) - self.cpu
