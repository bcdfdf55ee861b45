"""What a scenario tells people: its seed, by which the same can be had again, and what it measured."""

import os
import random
import sys


def tell(text: str) -> None:
    """A line of output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def seed() -> int:
    """The seed of this run; ``CHAT_SEED=... pytest ...`` plays the same chances again."""
    chosen = int(os.environ.get("CHAT_SEED") or random.SystemRandom().randrange(2**32))
    tell(f"CHAT_SEED={chosen}")
    return chosen
