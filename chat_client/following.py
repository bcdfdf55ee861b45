"""One room as a client follows it: what it has, what it was told of, what waits behind a gap. Pure."""

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from chat_core.chain import START, chain_after
from chat_core.messages import Event

# Events that wait behind a gap; without them no client would catch up with a busy room (SESSION.md, pitfalls).
WAITING = 2000
# Chains remembered to find a fork; one that lies further back is read again from the start.
REMEMBERED = 4096
# Points of a fork request (docs/protocol.md, section 10).
POINTS = 128


class DivergedError(Exception):
    """The broker's log of this room is not the one that was read so far; ``applied``: what fitted before that."""

    def __init__(self, applied: list[Event] | None = None) -> None:
        self.applied = applied or []


@dataclass
class Following:
    """The state of one room. ``have``: every event up to this number was applied; ``chain``: of that event.

    ``chain`` is None where the reading began in the middle and nothing is known of what came before.
    """

    room: str
    have: int = 0
    chain: str | None = START
    told: int = 0  # the highest number that the broker spoke of
    told_since: int = 0  # the same, since a page was last asked for
    forking: bool = False
    proving: bool = False  # the fork is looked for only to see that there is none
    proved: int = 0  # up to here the copy was found to be of the broker's log
    doubted: bool = False  # whether it can still be read: the answer to a page tells
    waiting: dict[int, Event] = field(default_factory=dict)
    chains: OrderedDict[int, str] = field(default_factory=OrderedDict)
    # While the fork is looked for: the highest point that both have, the lowest that they have not, what was asked.
    common: int = 0
    apart: float = math.inf
    offered: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.have and self.chain is not None:
            self.chains[self.have] = self.chain

    def take(self, events: Iterable[Event]) -> list[Event]:
        """Events from the feed, a page or the ROUTER: returns those that are now applied, in order, without holes.

        One that was applied before is dropped, one behind a gap waits. Raises DivergedError, which has those that were
        applied until then: they count, and the fork will be looked for behind them.
        """
        applied: list[Event] = []
        try:
            self._take(events, applied)
        except DivergedError:
            raise DivergedError(applied) from None
        return applied

    def _take(self, events: Iterable[Event], applied: list[Event]) -> None:
        for event in events:
            self._tell(event.seq)
            if event.seq <= self.have:
                self.check(event.seq, event.chain)
            elif event.seq == self.have + 1:
                self._apply(event, applied)
            elif len(self.waiting) < WAITING:
                self.waiting[event.seq] = event
        while self.waiting and (following := self.waiting.pop(self.have + 1, None)) is not None:
            self._apply(following, applied)

    @property
    def known(self) -> int:
        """`have`, if its event was seen in the broker's log: one that was only asked for may lie past the log's end."""
        return self.have if self.chain is not None else 0

    @property
    def reach(self) -> int:
        """The highest event that was seen in the broker's log, what waits included."""
        return max(self.waiting, default=self.known)

    def head(self, seq: int, chain: str, had: int = 0) -> None:
        """The broker says how far the room reaches. ``had``: its `reach` when that was asked; a head below it is not an
        old one, the broker has forgotten something. Raises DivergedError, unless only what waits was forgotten."""
        self.check(seq, chain)
        if seq < min(had, self.known):
            raise DivergedError
        if seq < had:
            # Left there, it would be applied once the gap before it is filled, and no later head need tell.
            self.waiting = {one: event for one, event in self.waiting.items() if one <= seq or one > had}
        self._tell(seq)

    def check(self, seq: int, chain: str) -> None:
        """Compare a chain with what is remembered. Raises DivergedError."""
        if self.chains.get(seq, chain) != chain:
            raise DivergedError

    def gap(self) -> tuple[int, int] | None:
        """What to ask for: (after, up to), or None if nothing is missing. Up to 0: whatever there is."""
        if self.forking or (self.have >= self.told and not self.doubted):
            return None
        return self.have, min(self.waiting) - 1 if self.waiting else 0

    def empty(self, head: int) -> None:
        """A page had nothing, and this was the head when it was asked for: what had been told of until then is not
        there. What was told of since then may be: a slow reader's page is older than it."""
        self.told = max(head, self.told_since)

    def points(self) -> list[tuple[int, str]]:
        """Points of this copy to ask for, newest first, the near ones all; then `narrow` wants to know the answer."""
        seqs = sorted((seq for seq in self.chains if self.common < seq < self.apart), reverse=True)
        near, far = seqs[: POINTS // 2], seqs[POINTS // 2 :]
        step = -(-len(far) // (POINTS // 2)) or 1
        self.offered = near + far[step - 1 :: step]
        return [(seq, self.chains[seq]) for seq in self.offered]

    def narrow(self, seq: int) -> bool:
        """The highest of the points that the broker has as well is this one, 0: none. Is `common` the fork now?

        If not, there are `points` between it and the next one that was asked for. (A bot that went back too far would
        answer again what it has answered.)
        """
        self.common = max(self.common, seq)
        self.apart = min((one for one in self.offered if one > self.common), default=self.apart)
        return not any(self.common < one < self.apart for one in self.chains)

    def diverge(self) -> None:
        """Another history was noticed: nothing is applied until `rewind`."""
        self.forking, self.common, self.apart = True, 0, math.inf
        self.waiting.clear()

    def remember(self, points: Iterable[tuple[int, str]]) -> None:
        """Take the chains of events that were read in an earlier process, oldest first."""
        known = dict(self.chains)
        self.chains = OrderedDict(points)
        self.chains.update(known)

    def prove(self, first: int) -> bool:
        """What can be read goes on at ``first``. Has it to be found out before whether what is here is of this log?

        Behind a wall nothing would show it: the chain does not lead there.
        """
        if first <= self.have + 1 or self.chain is None or self.proved == self.have:
            return False
        self.diverge()
        self.proving = True
        return True

    def skip(self, first: int) -> bool:
        """What can be read goes on at ``first``: nothing before it will ever come. Is that a step?"""
        if first <= self.have + 1:
            return False
        self.have, self.chain = first - 1, None
        self.waiting = {seq: event for seq, event in self.waiting.items() if seq >= first}
        return True

    def rewind(self, seq: int) -> None:
        """Go back to a common point; 0: read again from the start."""
        self.have, self.chain = seq, START if seq == 0 else self.chains.get(seq)
        self.told = seq
        self.proving, self.proved = False, seq
        self.waiting.clear()
        self.chains = OrderedDict((s, c) for s, c in self.chains.items() if s <= seq)
        self.forking = False

    def _tell(self, seq: int) -> None:
        self.told, self.told_since = max(self.told, seq), max(self.told_since, seq)

    def _apply(self, event: Event, applied: list[Event]) -> None:
        if self.chain is not None and event.chain != chain_after(self.chain, event):
            raise DivergedError
        # It may be waiting as well, if a page brought it first: left there, it would be taken for the end of a gap.
        self.waiting.pop(event.seq, None)
        self.have, self.chain = event.seq, event.chain
        self.chains[event.seq] = event.chain
        if len(self.chains) > REMEMBERED:
            self.chains.popitem(last=False)
        applied.append(event)
