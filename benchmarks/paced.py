"""200 posts a second, each when it is due, to 100 receivers: how late a delivery is."""

from benchmarks.figures import Figure
from benchmarks.load import percentile
from benchmarks.saturated import WARM, both
from benchmarks.scale import Scale

RATE, RECEIVERS, POSTS = 200, 100, 1000
P50_MS, P99_MS = 2.0, 8.0


def measure(scale: Scale) -> list[Figure]:
    """Rounds of the broker and the forwarder in turn."""
    posts = scale.of(POSTS)
    found: tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]] = ([], [])
    with both(RECEIVERS) as loads:
        for load in loads:
            load.saturate(WARM)
        for _ in range(scale.rounds):
            for load, figures in zip(loads, found, strict=True):
                late, cores = load.pace(posts, RATE)
                figures.append((percentile(late, 50) * 1000, percentile(late, 99) * 1000, cores * 100))
    (p50, p99, cpu), (bare50, bare99, bare_cpu) = (tuple(zip(*figures, strict=True)) for figures in found)
    return [
        Figure("delivery, p50", "ms", p50, P50_MS, bare=bare50),
        Figure("delivery, p99", "ms", p99, P99_MS, bare=bare99),
        Figure("CPU", "% of a core", cpu, bare=bare_cpu),
    ]
