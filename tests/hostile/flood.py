"""A flood of garbage, as a program: ``python -m tests.hostile.flood POSTS FEED DOOR --connections N --seed S``.

Opens the connections, of all kinds and to all ports in turn, so many at a time; tells as JSON what became of them.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import product

from tests.hostile.garbage import KINDS, PLACES, Garbage

AT_A_TIME, SILENT_AT_A_TIME = 50, 500
# Whoever is told that no more will come hangs up; a half-open handshake the broker gives up after 5 s.
HANG_UP_SECONDS, SILENT_SECONDS = 10.0, 20.0
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Flood:
    """Attacks three ports; ``counts`` has what became of the connections."""

    def __init__(self, ports: Sequence[int], seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.longest_silence = 0.0
        self._ports = dict(zip(PLACES, ports, strict=True))
        self._seed = seed
        self._quick, self._silent = asyncio.Semaphore(AT_A_TIME), asyncio.Semaphore(SILENT_AT_A_TIME)

    async def run(self, connections: int) -> None:
        """Open that many connections."""
        pairs = list(product(KINDS, PLACES))
        wanted = [(number, *pairs[number % len(pairs)]) for number in range(connections)]
        random.Random(self._seed).shuffle(wanted)
        await asyncio.gather(*(self._one(*each) for each in wanted))

    async def _one(self, number: int, kind: str, place: str) -> None:
        async with self._silent if kind == "silence" else self._quick:
            # By its number: what is sent does not depend on which of those under way comes first.
            garbage = KINDS[kind](random.Random(f"{self._seed} {number}"), place)
            self.counts[f"{kind} to {place}"] += 1
            with socket.socket() as line:
                line.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", self._ports[place]))
                except OSError:
                    self.counts["not let in"] += 1
                else:
                    self.counts[await self._send(line, garbage)] += 1

    async def _send(self, line: socket.socket, garbage: Garbage) -> str:
        """Send it; returns how the connection ended."""
        try:
            await asyncio.get_running_loop().sock_sendall(line, garbage.sent)
            if garbage.end == "reset":
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                return "broken off"
            if garbage.end == "close":
                line.shutdown(socket.SHUT_WR)
                return await self._until_the_end(line, HANG_UP_SECONDS)
            begun = time.monotonic()
            ended = await self._until_the_end(line, SILENT_SECONDS)
        except OSError:
            return "reset by the broker"
        self.longest_silence = max(self.longest_silence, time.monotonic() - begun)
        return ended

    async def _until_the_end(self, line: socket.socket, seconds: float) -> str:
        """Read what the broker has to say until it hangs up."""
        try:
            async with asyncio.timeout(seconds):
                while await asyncio.get_running_loop().sock_recv(line, 65536):
                    pass
        except TimeoutError:
            return "left open"
        return "hung up"


def main() -> None:
    """Read the flags, attack, tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ports", type=int, nargs=len(PLACES))
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    flags = parser.parse_args()
    os.nice(10)  # an attacker has a machine of their own: what is measured here is not their share of this one
    begun = time.monotonic()

    async def attack() -> Flood:
        flood = Flood(flags.ports, flags.seed)
        await flood.run(flags.connections)
        return flood

    flood = asyncio.run(attack())
    told = {"seconds": time.monotonic() - begun, "longest_silence": flood.longest_silence, "counts": flood.counts}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
