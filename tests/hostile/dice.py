"""Randomness that can be had again: the seed is printed, and taken from ``CHAT_SEED`` if that is set."""

import os
import random
import sys


def tell(text: str) -> None:
    """A line for whoever reads the test's output: a seed, a figure."""
    sys.stdout.write(f"{text}\n")


def fresh_seed() -> int:
    """A seed of its own for every run."""
    seed = int(os.environ.get("CHAT_SEED") or random.SystemRandom().randrange(2**32))
    tell(f"CHAT_SEED={seed}")
    return seed
