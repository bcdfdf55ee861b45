"""How much is measured: enough for figures to rely on, or a quick look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """``rounds`` of everything, each with this ``share`` of the work."""

    rounds: int = 5
    share: float = 1.0

    def of(self, full: int) -> int:
        """So much instead of the full amount."""
        return max(1, int(full * self.share))


FULL, QUICK = Scale(), Scale(rounds=1, share=0.2)
