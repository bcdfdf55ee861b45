"""A restart with 1,000,000 events on disk: from the start of the process to the first welcome."""

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.archive import fill
from benchmarks.figures import Figure
from benchmarks.meters import resident_bytes
from benchmarks.scale import Scale
from benchmarks.servers import hello
from benchmarks.zmtp import Peer
from tests.system.processes import LONG, ROOT, free_ports

EVENTS, SECONDS = 1_000_000, 1.0


def measure(scale: Scale) -> list[Figure]:
    """Kill it and start it again."""
    events = scale.of(EVENTS)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        fill(data, events)
        size = sum(file.stat().st_size for file in data.iterdir())
        found = [_start(data) for _ in range(scale.rounds)]
    imports = [_time([sys.executable, "-c", "import chat_broker.serving.process"]) for _ in range(scale.rounds)]
    return [
        Figure(f"{events:,} events ({size / 1e6:,.0f} MB), to the first welcome", "s", [s for s, _ in found], SECONDS),
        Figure("of that the interpreter and its imports", "s", imports),
        Figure("memory then", "MB", [memory / 1e6 for _, memory in found]),
    ]


def _start(data: Path) -> tuple[float, int]:
    """Start a broker, say hello as soon as it can be reached, and kill it."""
    port, begun = free_ports(), time.perf_counter()
    command = [sys.executable, str(ROOT / "broker.py"), "--bind", "127.0.0.1", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        peer = _reach(port)
        while not (answers := peer.receive()):
            pass
        taken = time.perf_counter() - begun
        assert b'"welcome"' in answers[0], answers
        peer.close()
        return taken, resident_bytes(process.pid)
    finally:
        process.kill()
        process.wait(LONG)


def _reach(port: int) -> Peer:
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            return Peer(port, "DEALER", [hello(0)])
        time.sleep(0.002)
    raise AssertionError("the broker does not serve")


def _time(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT)
    return time.perf_counter() - begun
