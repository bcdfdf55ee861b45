"""A line: one of a session's connections, opened anew as a new generation whenever it broke. Pure."""

import random
from dataclasses import dataclass

from chat_client.effects import Close, Open

# After this many failures in a row waiting any longer makes no difference.
_FAILURES = 30


@dataclass
class Line:
    """``patience``: for the first word on it, in seconds; ``silence``: for any further one."""

    name: str
    patience: float
    silence: float
    generation: int = 0
    up: bool = False
    opened: float = 0.0
    heard: float | None = None
    reached: bool = False  # somebody took the connection
    retry: float = 0.0
    failures: int = 0

    def open(self, now: float, port: int = 0, key: str = "") -> Open:
        """Begin the next generation."""
        self.generation += 1
        self.up, self.opened, self.heard, self.reached = True, now, None, False
        return Open(self.name, self.generation, port, key)

    def close(self) -> Close:
        """This generation is over."""
        self.up = False
        return Close(self.name)

    def back_off(self, now: float, first: float, most: float, dice: random.Random) -> None:
        """Wait before the next one, longer each time."""
        wait = min(first * 2**self.failures, most)
        self.failures = min(self.failures + 1, _FAILURES)
        self.retry = now + wait * dice.uniform(0.5, 1.0)

    def silent_at(self) -> float:
        """When it has been silent for too long."""
        return self.opened + self.patience if self.heard is None else self.heard + self.silence

    def is_now(self, generation: int) -> bool:
        """Is this the generation that is open?"""
        return self.up and self.generation == generation
