"""What a benchmark found: figures beside the limits that they are held against, as a table or as lines of JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement: the median of its rounds, and the bare forwarder's where that was measured beside it."""

    name: str
    unit: str
    rounds: Sequence[float]
    most: float | None = None  # the limits
    least: float | None = None
    bare: Sequence[float] = ()  # the forwarder's, in the same run
    below_bare: bool = False  # the forwarder is a limit too

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.rounds)

    @property
    def forwarder(self) -> float | None:
        """The forwarder's median."""
        return statistics.median(self.bare) if self.bare else None

    @property
    def met(self) -> bool | None:
        """Is it within its limits? None if it has none."""
        if self.most is None and self.least is None and not self.below_bare:
            return None
        return (
            (self.most is None or self.value <= self.most)
            and (self.least is None or self.value >= self.least)
            and (not self.below_bare or self.forwarder is None or self.value < self.forwarder)
        )

    def limit(self) -> str:
        """The limits as one says them."""
        parts = []
        if self.most is not None:
            parts.append(f"≤ {self.most:,.4g}" if self.most < 1000 else f"≤ {self.most:,.0f}")
        if self.least is not None:
            parts.append(f"≥ {self.least:,.0f}")
        if self.below_bare:
            parts.append("< forwarder")
        return ", ".join(parts)

    def as_json(self, benchmark: str, load: float) -> str:
        """A line for machines. ``load``: the machine's load when it was measured."""
        return json.dumps(
            {
                "benchmark": benchmark,
                "name": self.name,
                "unit": self.unit,
                "value": self.value,
                "rounds": list(self.rounds),
                "most": self.most,
                "least": self.least,
                "met": self.met,
                "forwarder": self.forwarder,
                "forwarder_rounds": list(self.bare),
                "load": load,
            }
        )


TITLES = ("", "measured", "", "limit", "met", "forwarder", "ratio")


def row(figure: Figure) -> tuple[str, ...]:
    """A figure as a row of the table."""
    forwarder = figure.forwarder
    met = {None: "", True: "yes", False: "NO"}[figure.met]
    ratio = f"{figure.value / forwarder:.2f}" if forwarder else ""
    bare = digits(forwarder) if forwarder is not None else ""
    return figure.name, digits(figure.value), figure.unit, figure.limit(), met, bare, ratio


def digits(value: float) -> str:
    """A number with as many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def line(cells: Sequence[str]) -> str:
    """A line of the table."""
    name, value, unit, limit, met, bare, ratio = cells
    return f"{name:<44} {value:>10} {unit:<12} {limit:<22} {met:<4} {bare:>10} {ratio:>6}".rstrip()
