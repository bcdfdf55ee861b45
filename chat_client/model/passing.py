"""Who came and went just now, told only when it was more than a connection that broke and came back. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Somebody who left is back within this, if only the connection was broken (DESIGN.md, "Presence").
HOLD_SECONDS = 3.0
# After a restart of the broker or a break of our own connection everybody comes anew; within this it is not told.
LATELY_SECONDS = 30.0


@dataclass
class Passing:
    """Turns presence into "Ann has joined", "Ann has left". Times are in seconds of a clock that nobody sets."""

    _leaving: dict[str, tuple[str, float]] = field(default_factory=dict)  # user -> name, when it is to be told
    _lately: dict[str, float] = field(default_factory=dict)  # user -> until when their coming is no news

    def moved(
        self, came: Iterable[tuple[str, str]], went: Iterable[tuple[str, str]], now: float
    ) -> list[tuple[str, str]]:
        """Somebody came or went; returns the (user, name) of those of whom it is to be told that they have joined."""
        for user, name in went:
            self._leaving[user] = name, now + HOLD_SECONDS
        news = []
        for user, name in came:
            back = self._leaving.pop(user, None) is not None
            if not back and self._lately.pop(user, 0.0) <= now:
                news.append((user, name))
        return news

    def snapshot(self, before: Mapping[str, str], after: Mapping[str, str], now: float) -> None:
        """Everybody was told anew: who is missing may only be late."""
        self._lately = {user: until for user, until in self._lately.items() if until > now}
        for user in before.keys() - after.keys():
            self._lately[user] = now + LATELY_SECONDS
        for user in after:
            self._leaving.pop(user, None)

    def left(self, now: float) -> list[tuple[str, str]]:
        """Those of whom it is to be told by now that they have left."""
        due = [(user, name) for user, (name, at) in self._leaving.items() if at <= now]
        for user, _ in due:
            del self._leaving[user]
        return due

    def deadline(self) -> float:
        """When `left` has something to tell next."""
        return min((at for _, at in self._leaving.values()), default=float("inf"))
