"""Token buckets, by which it is measured how much somebody writes. Time is monotonic seconds, given by the caller."""

from collections import OrderedDict
from dataclasses import dataclass, field
from math import inf
from typing import Generic, TypeVar

# When there are so many buckets, those that are full again are thrown away: a full one says nothing.
KEPT_MOST = 1000
# Of those that anybody can make, more are forgotten in any case: who can bring so many names is not held back by any.
NAMES_MOST = 10_000


@dataclass(frozen=True)
class Limits:
    """How much may be written; 0: any amount."""

    user_posts_per_second: float = 0
    user_posts_burst: int = 0
    user_bytes_per_second: int = 0
    address_posts_per_second: float = 0
    address_posts_burst: int = 0
    user_rooms: int = 0


class Meter:
    """Holds up to ``burst`` and gains ``rate`` a second; whoever writes takes from it. Rate 0: never empty."""

    __slots__ = ("at", "burst", "level", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = (rate, burst) if rate else (1.0, inf)
        self.level, self.at = self.burst, now

    def fill(self, now: float) -> None:
        """Gain what is due."""
        self.level = min(self.burst, self.level + self.rate * (now - self.at))
        self.at = now

    def wait(self, amount: float) -> float:
        """How many seconds until there is so much in it, or until it is full. To be asked when it has been filled."""
        return max(0.0, min(amount, self.burst) - self.level) / self.rate

    def take(self, now: float) -> float:
        """Take one; returns 0, or for how many seconds there will be none."""
        self.fill(now)
        missing = self.wait(1)
        if not missing:
            self.level -= 1
        return missing


Row = TypeVar("Row", bound=tuple[Meter, ...])


@dataclass
class Meters(Generic[Row]):
    """The buckets of those who wrote lately, by who they are."""

    kept: dict[str, Row] = field(default_factory=dict)
    most: int = KEPT_MOST

    def enter(self, who: str, row: Row) -> Row:
        """Keep new buckets."""
        if len(self.kept) >= self.most:
            self._forget_full(row[0].at)
        self.kept[who] = row
        return row

    def _forget_full(self, now: float) -> None:
        for who, row in list(self.kept.items()):
            for meter in row:
                meter.fill(now)
            if all(meter.level >= meter.burst for meter in row):
                del self.kept[who]
        self.most = max(KEPT_MOST, 2 * len(self.kept))  # not looked through again for each newcomer


class Buckets:
    """A bucket for each name that comes, of whom nobody knows how many there will be. Rate 0: never empty."""

    def __init__(self, rate: float, burst: float, most: int = NAMES_MOST) -> None:
        self._rate, self._burst, self._most = rate, burst, most
        self._meters: OrderedDict[str, Meter] = OrderedDict()  # those first from whom nothing was taken for longest

    def __len__(self) -> int:
        return len(self._meters)

    def take(self, name: str, mono: float) -> float:
        """Take one; returns 0, or for how many seconds there will be none."""
        if not self._rate:
            return 0.0
        meter = self._meters.pop(name, None) or Meter(self._rate, self._burst, mono)
        self._meters[name] = meter
        missing = meter.take(mono)
        self._forget(mono)
        return missing

    def _forget(self, mono: float) -> None:
        """Drop those that are full again by now: two at most for each that comes, so that it never takes long."""
        full_after = self._burst / self._rate
        for _ in range(2):
            name, meter = next(iter(self._meters.items()))
            if mono - meter.at < full_after and len(self._meters) <= self._most:
                return
            del self._meters[name]
