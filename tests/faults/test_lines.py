"""Bad weather between clients and broker, on one line at a time, and other programs on its ports.

Each client has a proxy of its own, and its own share of the faults, one after the other. While one line suffers, the
other goes on: posts are acknowledged with the feed blocked, and the client follows by asking; with the posts line
blocked it follows by the feed. Once a fault is mended, everybody is soon back.
"""

import random
import select
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.faults import impostors
from tests.faults import journal as j
from tests.faults.crew import Crew, Hand
from tests.faults.impostors import Impostor
from tests.faults.proxy import Line, Proxy
from tests.faults.weather import NOTICED_SECONDS, Fault, programs, weather
from tests.system.processes import BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CLIENTS, RATE = 7, 20
# Everybody is back within a second (8 s are promised); a machine that is busy with something else may take longer.
BACK_SECONDS = 20.0


class Exposed:
    """A client behind a proxy."""

    def __init__(self, hand: Hand, proxy: Proxy) -> None:
        self._hand, self._proxy = hand, proxy
        self._journal = j.Follower(hand.journal)
        self._entries: list[j.AnyEntry] = []
        self.back: dict[str, float] = {}  # what it suffered -> seconds from the mending until all was well

    def suffer(self, faults: list[Fault]) -> None:
        """One after the other."""
        for fault in faults:
            line: Line = getattr(self._proxy, fault.line)
            begun = j.now()
            fault.begin(line)
            select.select([], [], [], fault.seconds)
            mended = j.now()
            line.mend()
            if not fault.mild:
                self._check_other_line(fault, begun, mended)
            self.back[str(fault)] = self.wait_until_back(mended, str(fault))

    def wait_until_back(self, mended: float, fault: str = "") -> float:
        """Until it is live and a post that was kept after the mending is acknowledged and seen; how long that took."""
        while not (back := self._back(mended)):
            assert j.now() < mended + BACK_SECONDS, f"{self._hand.label} is not back after: {fault}"
            self._hand.check()
            select.select([], [], [], 0.05)
        return back - mended

    def _back(self, mended: float) -> float:
        """When that was; 0.0: not yet."""
        text = next((e.text for e in self._noted(j.Kept, mended)), "")
        settled = next((e.at for e in self._noted(j.Settled, mended) if e.text == text), 0.0)
        seen = next((e.at for e in self._noted(j.Seen, mended) if any(text == one[4] for one in e.events)), 0.0)
        stood = j.entries_of(self._entries, j.Stood)[-1]
        return max(settled, seen, stood.at, mended) if settled and seen and stood.state == "live" else 0.0

    def _check_other_line(self, fault: Fault, begun: float, mended: float) -> None:
        """While one line suffers, the other goes on."""
        where = f"{self._hand.label}, {fault}"
        noticed = begun + (NOTICED_SECONDS if fault.quiet and fault.line == "feed" else 2.0)
        if fault.line == "feed":
            settled = [entry for entry in self._noted(j.Settled, begun) if entry.at < mended]
            assert len(settled) > (mended - begun) * RATE / 4, f"{where}: only {len(settled)} posts were acknowledged"
        if mended > noticed + 1.5:  # it asks every second
            seen = [entry for entry in self._noted(j.Seen, noticed) if entry.at < mended]
            assert seen, f"{where}: nothing was seen"

    def _noted(self, kind: type[j.Kind], since: float) -> list[j.Kind]:
        """What it noted since then."""
        self._entries += self._journal.new()
        return [entry for entry in j.entries_of(self._entries, kind) if entry.at >= since]


@pytest.fixture
def exposed(broker: BrokerProcess, crew: Crew) -> Iterator[list[Exposed]]:
    """Clients with a proxy each, beside some that reach the broker without."""
    crew.worker("fay", rate=40)
    crew.resender("eve", rate=60)
    with ExitStack() as stack:
        found = []
        for n in range(CLIENTS):
            proxy = stack.enter_context(Proxy(f"127.0.0.{n + 2}", broker.port, broker.key))
            found.append(Exposed(crew.worker(f"ann{n}", broker=proxy.address, rate=RATE), proxy))
        crew.begin()
        yield found


def shares(faults: list[Fault], dice: random.Random) -> list[list[Fault]]:
    """About the same time for everybody, in any order."""
    found: list[list[Fault]] = [[] for _ in range(CLIENTS)]
    dice.shuffle(faults)
    for fault in sorted(faults, key=lambda fault: -fault.seconds):
        min(found, key=lambda share: sum(one.seconds + 1 for one in share)).append(fault)
    for share in found:
        dice.shuffle(share)
    return found


def test_one_line_may_suffer_in_every_way(
    broker: BrokerProcess, crew: Crew, exposed: list[Exposed], dice: random.Random
) -> None:
    with ExitStack() as stack:
        found = {kind: stack.enter_context(Impostor(kind)) for kind in impostors.KINDS}
        faults = [fault for line in ("posts", "feed") for fault in (*weather(line), *programs(line, found))]
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(Exposed.suffer, exposed, shares(faults, dice)))
    crew.settle()
    for fault, seconds in sorted(pair for one in exposed for pair in one.back.items()):
        tell(f"back {seconds:5.2f} s after: {fault}")
    tell(str(crew.judge(broker.data / "chat.db")))


def test_other_programs_take_the_brokers_ports_while_it_is_away(
    broker: BrokerProcess, crew: Crew, exposed: list[Exposed], dice: random.Random
) -> None:
    kinds = list(impostors.KINDS)
    dice.shuffle(kinds)
    for posts, feed in zip(kinds[::2], kinds[1::2], strict=True):
        broker.kill()
        with Impostor(posts, broker.port), Impostor(feed, broker.port + 1):
            crew.work(dice.uniform(1.0, 4.0))
        broker.start()
        since = j.now()
        back = [one.wait_until_back(since, f"{posts} and {feed}") for one in exposed]
        tell(f"all back {max(back):.2f} s after {posts} on the posts port and {feed} on the feed port")
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))
