"""Who is here, as a client follows it: a snapshot, then deltas with numbers (docs/protocol.md, section 7). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chat_client.effects import Moved, People
from chat_core import messages as m

# Deltas that wait for a snapshot; should they be more, the next beat shows that some are missing.
WAITING = 100


@dataclass
class Attendance:
    """Presence of one broker process (``boot``). ``known``: `here` is right as of presence number ``version``."""

    boot: str = ""
    version: int = 0
    known: bool = False
    here: dict[str, str] = field(default_factory=dict)  # user -> name
    _waiting: list[m.Presence] = field(default_factory=list)

    def begin(self, boot: str) -> None:
        """A hello was accepted: nothing is known of this time."""
        self.boot, self.version, self.known = boot, 0, False
        self._waiting.clear()

    def delta(self, delta: m.Presence) -> Moved | None:
        """Somebody came or went. After a jump nothing is known any more, and a snapshot is to be asked for."""
        if delta.boot != self.boot or (self.known and delta.version <= self.version):
            return None
        if not self.known or delta.version != self.version + 1:
            self.known = False
            if len(self._waiting) < WAITING:
                self._waiting.append(delta)
            return None
        return self._apply(delta)

    def told(self, boot: str, version: int) -> None:
        """The broker says which number presence has; a higher one than ours means that a delta was lost."""
        if boot == self.boot and version > self.version:
            self.known = False

    def snapshot(self, version: int, people: Iterable[m.Person]) -> list[People | Moved]:
        """The answer to "who": everybody, as of a number; then what came in since."""
        self.version, self.known = version, True
        self.here = {person.user: person.name for person in people}
        news: list[People | Moved] = [People(dict(self.here))]
        waiting, self._waiting = self._waiting, []
        for delta in waiting:
            moved = self.delta(delta)
            if moved is not None:
                news.append(moved)
        return news

    def _apply(self, delta: m.Presence) -> Moved | None:
        self.version = delta.version
        # The snapshot may have told already what a delta says.
        came = [(user, name) for user, name in delta.came if user not in self.here]
        # Who came and took another name within one delta came under that name only.
        called = [*(pair for pair in delta.came if pair not in came), *delta.named]
        went = [(user, name) for user, name in delta.went if user in self.here]
        self.here.update(came)
        for user, _ in went:
            del self.here[user]
        named = [(user, name) for user, name in called if self.here.get(user, name) != name]
        self.here.update(named)
        return Moved(came, went, named) if came or went or named else None
