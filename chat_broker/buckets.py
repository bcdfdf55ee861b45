"""Token buckets: so much a second, with a burst, for each of many who may not all be remembered."""

from collections import OrderedDict

# More are forgotten, those first who were quiet longest: who can bring so many names is not held back by any.
MOST = 10_000


class Buckets:
    """A bucket for each name: full at first, filling at ``rate`` a second up to ``burst``. ``rate`` 0: no limit."""

    def __init__(self, rate: float, burst: float, most: int = MOST) -> None:
        self._rate, self._burst, self._most = rate, burst, most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name -> (level, as of); oldest first

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, name: str, mono: float) -> float:
        """Take one; returns 0, or for how many seconds there will be none."""
        if not self._rate:
            return 0.0
        level, then = self._levels.pop(name, (self._burst, mono))
        level = min(self._burst, level + (mono - then) * self._rate)
        missing = max(0.0, 1.0 - level)
        self._levels[name] = (level if missing else level - 1.0, mono)
        self._forget(mono)
        return missing / self._rate

    def _forget(self, mono: float) -> None:
        """Drop those that are full again by now: two at most for each that comes, so that it never takes long."""
        full_after = self._burst / self._rate
        for _ in range(2):
            name, (_, then) = next(iter(self._levels.items()))
            if mono - then < full_after and len(self._levels) <= self._most:
                return
            del self._levels[name]
