"""Processes killed and copied under load: whatever dies, nothing acknowledged is lost, doubled or reordered."""

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import journal as j
from tests.faults.crew import Crew, Hand
from tests.system.processes import BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOMS = "lobby,plans,ideas"
KILLS, KILLS_IN_RECOVERY = 50, 20
# A broker needs about 0.25 s from its start until it serves; the database is recovered in a few milliseconds of it.
RECOVERY_SECONDS, OPENING_SECONDS = 0.4, 0.01


def test_a_broker_killed_fifty_times_under_load_and_again_while_it_recovers(
    broker: BrokerProcess, crew: Crew, dice: random.Random
) -> None:
    for n in range(5):
        crew.worker(f"ann{n}", rate=95, rooms=ROOMS)
    for n in range(3):
        crew.resender(f"eve{n}", rate=140, rooms=ROOMS)
    for n in range(2):
        crew.worker(f"mover{n}", moves=40)
    crew.begin()
    begun, again = j.now(), set(dice.sample(range(KILLS), KILLS_IN_RECOVERY))
    served: Counter[bool] = Counter()
    for kill in range(KILLS):
        crew.work(dice.uniform(0.1, 1.4))
        broker.kill()
        if kill in again:
            served[kill_in_recovery(broker, crew, dice)] += 1
        broker.start()
    offered = sum(len(j.entries_of(member.entries, j.Kept)) for member in crew.members()) / (j.now() - begun)
    crew.settle()
    assert offered > 400, "that was no load of 500 posts a second"
    tell(f"{offered:.0f} new posts a second, {KILLS} kills of a broker that served, {KILLS_IN_RECOVERY} of one that")
    tell(f"  recovered: {served[False]} of these before it served, {served[True]} just after")
    tell(str(crew.judge(broker.data / "chat.db")))


def kill_in_recovery(broker: BrokerProcess, crew: Crew, dice: random.Random) -> bool:
    """Start it and kill it at any moment, or just when it recovers its database; returns whether it served already."""
    index = broker.data / "chat.db-shm"  # made anew by who opens the database first
    before = index.stat().st_mtime_ns
    broker.spawn()
    if dice.random() < 0.5:
        crew.work(dice.uniform(0.0, RECOVERY_SECONDS))
    else:
        while index.stat().st_mtime_ns == before and not broker.serves():
            crew.work(0.0)
        crew.work(dice.uniform(0.0, OPENING_SECONDS))
    served = broker.serves()
    broker.kill()
    return served


class Clones:
    """ben, whose disk is copied, and put back to what it was; the copies are used beside the original."""

    def __init__(self, crew: Crew, broker: BrokerProcess) -> None:
        self._crew, self._broker = crew, broker
        self.ben = crew.worker("ben", rate=40, rooms=ROOMS)
        self._copies: list[Path] = []

    def copy(self) -> None:
        """Clone the disk while there are unsent posts in its outbox, and use both."""
        self._broker.kill()
        self._crew.work(0.5)
        copy = self._crew.folder / f"copy{len(self._copies)}"
        self.ben.copy_identity(copy)
        self._copies.append(shutil.copytree(copy, copy.with_suffix(".bak")))
        self._crew.worker("ben", label=copy.name, rate=20, rooms=ROOMS)
        self._broker.start()

    def put_back(self) -> None:
        """Put the disk back to when it was copied: its unsent posts were sent long ago. Loses none that came since."""
        self.ben.stop()
        self.ben.wait_until_settled()
        self.ben.kill()
        shutil.rmtree(self.ben.identity)
        shutil.copytree(self._copies[-1], self.ben.identity)
        self.ben.start()


def test_clients_killed_and_cloned(broker: BrokerProcess, crew: Crew, dice: random.Random) -> None:
    clones = Clones(crew, broker)
    crew.worker("ann", rate=40, rooms=ROOMS)
    crew.resender("eve", rate=80, rooms=ROOMS)
    cats = [  # two processes, one identity
        crew.worker("cat", label=f"cat{n}", identity=crew.folder / "cat", shared=True, rate=30, rooms=ROOMS)
        for n in range(2)
    ]

    def kill(*hands: Hand) -> None:
        for hand in hands:
            hand.kill()
        for hand in hands:
            hand.start()

    def restart() -> None:
        broker.kill()
        broker.start()

    steps = [lambda: kill(dice.choice(crew.hands))] * 16 + [lambda: kill(*cats), restart] * 3
    dice.shuffle(steps)
    for place, step in ((12, clones.put_back), (11, clones.copy), (8, clones.put_back), (3, clones.copy)):
        steps.insert(place + dice.randrange(4), step)
    crew.begin()
    for step in [clones.copy, *steps]:
        crew.work(dice.uniform(0.1, 1.0))
        step()
    crew.settle()
    figures, shared = crew.judge(broker.data / "chat.db"), acknowledged_to_several(crew)
    assert shared, "no copy had anything unsent"
    tell(f"{shared} posts were sent and acknowledged from several copies of an outbox")
    tell(str(figures))


def acknowledged_to_several(crew: Crew) -> int:
    """How many texts more than one member of the crew got acknowledged."""
    told = [{entry.text for entry in j.entries_of(member.entries, j.Settled)} for member in crew.members()]
    return sum(times > 1 for times in Counter(text for texts in told for text in texts).values())
