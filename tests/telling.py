"""What a test tells people: its seed, by which the same can be had again, and what it measured."""

import os
import random


def tell(text: str) -> None:
    """A line of output, at once."""
    print(text, flush=True)


def fresh_seed() -> int:
    """The seed of this run; ``CHAT_SEED=... pytest ...`` plays the same chances again."""
    chosen = int(os.environ.get("CHAT_SEED") or random.SystemRandom().randrange(2**32))
    tell(f"CHAT_SEED={chosen}")
    return chosen
