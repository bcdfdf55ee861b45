"""As many posts as the broker takes: ten senders, 256 posts in flight, 10, 100 or 1,000 receivers."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.load import Load, Spent
from benchmarks.scale import Scale
from benchmarks.servers import Broker, Forwarder

WARM = 2000
# receivers -> posts in a round: so many that a round takes seconds at either server
POSTS = {10: 60_000, 100: 30_000, 1000: 6_000}
# The limits that the project set itself.
PER_POST = {10: 16.0}
PER_DELIVERY = {100: 0.30, 1000: 0.30}
PER_DELIVERY_ENCRYPTED = 0.55
BELOW_BARE = {100}


@contextlib.contextmanager
def both(receivers: int, security: str = "open") -> Iterator[tuple[Load, Load]]:
    """The broker and the forwarder, each with its own senders and audience."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = []
        for server in (Broker(folder, security), Forwarder()):
            stack.callback(server.close)
            load = Load(server, receivers)
            stack.callback(load.close)
            loads.append(load)
        yield loads[0], loads[1]


def measure(receivers: int, security: str, scale: Scale) -> list[Figure]:
    """Rounds of the broker and the forwarder in turn."""
    posts = scale.of(POSTS[receivers])
    spent: tuple[list[Spent], list[Spent]] = ([], [])
    with both(receivers, security) as loads:
        for load in loads:  # the first posts make files and fill caches
            load.saturate(WARM)
        for _ in range(scale.rounds):
            for load, found in zip(loads, spent, strict=True):
                found.append(load.saturate(posts))
    ours, bare = spent
    limit, below = PER_DELIVERY.get(receivers), receivers in BELOW_BARE
    if security == "curve":  # the forwarder does not encrypt
        limit, below = PER_DELIVERY_ENCRYPTED, False
    return [
        Figure(
            "CPU for a post", "µs", [one.per_post for one in ours], PER_POST.get(receivers),
            bare=[one.per_post for one in bare],
        ),
        Figure(
            "CPU for a delivery", "µs", [one.per_delivery for one in ours], limit,
            bare=[one.per_delivery for one in bare], below_bare=below,
        ),
        Figure(
            "posts", "/s", [one.posts_a_second for one in ours], bare=[one.posts_a_second for one in bare],
        ),
        Figure(
            "the load generator's part", "cores", [one.generator for one in ours],
            bare=[one.generator for one in bare],
        ),
    ]  # fmt: skip
