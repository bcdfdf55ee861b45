"""Everything at once and at random: kills, stops, clones, bad weather and other programs, until time is up.

``CHAT_FAULTS_SECONDS`` says for how long, by default for as long as the slow run can spare.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.faults import journal as j
from tests.faults.crew import Crew, Hand
from tests.faults.impostors import KINDS, Impostor
from tests.faults.proxy import Line, Proxy
from tests.faults.weather import Fault, programs, weather
from tests.system.processes import BrokerProcess
from tests.telling import tell

SECONDS = float(os.environ.get("CHAT_FAULTS_SECONDS", "40"))
EXPOSED, CLONES, ROOMS = 4, 3, "lobby,plans"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 240)]


@dataclass
class Trouble:
    """Has one thing after the other happen; what lasts a while is undone later."""

    broker: BrokerProcess
    crew: Crew
    dice: random.Random
    proxies: list[Proxy]
    faults: list[Fault]
    steps: list[str] = field(default_factory=list)
    _later: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    _clones: int = 0

    def step(self) -> None:
        """The next thing."""
        kinds = {
            self.kill_broker: 4, self.freeze_broker: 2, self.kill_hand: 6, self.freeze_hand: 4, self.clone: 1,
            self.spoil: 12,
        }  # fmt: skip
        (happen,) = self.dice.choices(list(kinds), list(kinds.values()))
        happen()
        self.crew.work(self.dice.expovariate(2.0))
        self.undo(j.now())

    def undo(self, now: float = float("inf")) -> None:
        """End what has lasted long enough; without a time: everything."""
        due = [function for at, function in self._later if at <= now]
        self._later = [(at, function) for at, function in self._later if at > now]
        for function in due:
            function()

    def kill_broker(self) -> None:
        """kill -9, sometimes twice."""
        self._note("the broker is killed")
        self.broker.kill()
        if self.dice.random() < 0.5:
            self.broker.spawn()
            self.crew.work(self.dice.uniform(0.0, 0.4))
            self.broker.kill()
        self.crew.work(self.dice.choice((0.0, 0.0, 1.0)))
        self.broker.start()

    def freeze_broker(self) -> None:
        """Stop it, for as long as clients bear or longer."""
        seconds = self.dice.choice((0.1, 1.0, 4.0, 9.0))
        self._note(f"the broker stands still for {seconds} s")
        self.broker.freeze()
        self.crew.work(seconds)
        self.broker.thaw()

    def kill_hand(self) -> None:
        """kill -9 of a client, which begins anew."""
        hand = self._hand()
        self._note(f"{hand.label} is killed")
        hand.kill()
        hand.start()

    def freeze_hand(self) -> None:
        """Stop a client for a while; meanwhile it may be killed."""
        hand, seconds = self._hand(), self.dice.uniform(0.1, 20.0)
        self._note(f"{hand.label} stands still for {seconds:.1f} s")
        hand.freeze()
        self._after(seconds, hand.thaw)

    def clone(self) -> None:
        """Copy somebody's disk, and use the copy as well."""
        if self._clones < CLONES:
            self._clones += 1
            hand, label = self.crew.hands[0], f"clone{self._clones}"
            self._note(f"{hand.label} is cloned")
            hand.copy_identity(self.crew.folder / label)
            self.crew.worker(hand.name, label=label, rate=15, rooms=ROOMS)

    def spoil(self) -> None:
        """Have something happen to one line of one client for a while."""
        fault, proxy = self.dice.choice(self.faults), self.dice.choice(self.proxies)
        line: Line = getattr(proxy, fault.line)
        seconds = self.dice.uniform(0.0, fault.seconds)
        self._note(f"{proxy.host}: {fault} for {seconds:.1f} s")
        fault.begin(line)
        self._after(seconds, line.mend)

    def _hand(self) -> Hand:
        return self.dice.choice(self.crew.hands)

    def _after(self, seconds: float, function: Callable[[], object]) -> None:
        self._later.append((j.now() + seconds, function))

    def _note(self, step: str) -> None:
        self.steps.append(f"{j.now():.2f} {step}")


@pytest.fixture
def trouble(broker: BrokerProcess, crew: Crew, dice: random.Random) -> Iterator[Trouble]:
    """A crew with and without proxies, in which nothing has happened yet."""
    with ExitStack() as stack:
        found = {kind: stack.enter_context(Impostor(kind)) for kind in KINDS}
        proxies = [stack.enter_context(Proxy(f"127.0.0.{n + 2}", broker.port, broker.key)) for n in range(EXPOSED)]
        crew.worker("ben", rate=40, rooms=ROOMS)
        crew.resender("eve", rate=80, rooms=ROOMS)
        for n, proxy in enumerate(proxies[1:]):
            crew.worker(f"ann{n}", broker=proxy.address, rate=40, rooms=ROOMS)
        crew.resender("mallory", broker=proxies[0].address, rate=80, rooms=ROOMS)
        faults = [fault for line in ("posts", "feed") for fault in (*weather(line), *programs(line, found))]
        yield Trouble(broker, crew, dice, proxies, faults)


def test_whatever_happens_nothing_is_lost_doubled_or_reordered(trouble: Trouble) -> None:
    crew = trouble.crew
    crew.begin()
    until = j.now() + SECONDS
    try:
        while j.now() < until:
            trouble.step()
        trouble.undo()
        crew.settle()
        figures = crew.judge(trouble.broker.data / "chat.db")
    except BaseException:
        tell("\n".join(trouble.steps))
        raise
    tell(f"{len(trouble.steps)} things happened")
    tell(str(figures))
