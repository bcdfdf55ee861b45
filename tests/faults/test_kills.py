"""Processes killed at random moments under load: whatever dies, nothing acknowledged is lost, doubled or reordered."""

import random
import select

import pytest

from tests.faults.crew import Crew
from tests.faults.telling import tell
from tests.system.processes import BrokerProcess

pytestmark = pytest.mark.slow

KILLS = 50


@pytest.mark.timeout(300)
def test_a_broker_killed_fifty_times_under_load(broker: BrokerProcess, crew: Crew, dice: random.Random) -> None:
    for n in range(5):
        crew.worker(f"ann{n}", rate=62, rooms="lobby,plans,ideas")
    for n in range(3):
        crew.resender(f"eve{n}", rate=125, rooms="lobby,plans,ideas")
    for _ in range(KILLS):
        select.select([], [], [], dice.uniform(0.1, 1.5))
        broker.kill()
        broker.start()
    crew.settle()
    tell(str(crew.judge(broker.data / "chat.db")))
