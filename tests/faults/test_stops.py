"""Processes that stand still for a while, as when a laptop sleeps or a machine swaps, and then go on."""

import random

import pytest

from tests.faults import journal as j
from tests.faults.crew import Crew, Hand
from tests.system.processes import BrokerProcess
from tests.telling import tell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOMS = "lobby,plans"
CLIENT_SECONDS, BROKER_SECONDS = 60.0, 10.0


def test_a_broker_that_stands_still_for_10_s_and_a_client_for_60_s_catch_up(
    broker: BrokerProcess, crew: Crew, dice: random.Random
) -> None:
    fred = crew.worker("fred", rate=30, rooms=ROOMS)
    others = [crew.worker(f"ann{n}", rate=50, rooms=ROOMS) for n in range(3)]
    others.append(crew.resender("eve", rate=100, rooms=ROOMS))
    crew.begin()
    fred.freeze()
    frozen = j.now()
    crew.work(dice.uniform(1.0, 10.0))
    broker.freeze()
    crew.work(BROKER_SECONDS)
    broker.thaw()
    thawed = j.now()
    crew.work(2.0)
    while j.now() < frozen + CLIENT_SECONDS - 6.0:  # short naps of the others, one after the other
        hand = dice.choice(others)
        hand.freeze()
        crew.work(dice.uniform(0.1, 5.0))
        hand.thaw()
        crew.work(dice.uniform(0.1, 1.0))
    crew.work(frozen + CLIENT_SECONDS - j.now())
    fred.thaw()
    awake = j.now()
    crew.work(3.0)
    crew.settle()
    tell(f"after the broker stood still for {BROKER_SECONDS:.0f} s, posts were acknowledged again within")
    tell("  " + ", ".join(f"{first_settled(hand, thawed):.2f} s" for hand in others))
    tell(f"after {CLIENT_SECONDS:.0f} s the client was live again within {first_live(fred, awake):.2f} s")
    tell(str(crew.judge(broker.data / "chat.db")))


def first_settled(hand: Hand, since: float) -> float:
    """How long it took until a post was acknowledged."""
    return min(e.at for e in j.read_journal(hand.journal) if isinstance(e, j.Settled) and e.at >= since) - since


def first_live(hand: Hand, since: float) -> float:
    """How long it took until everything was there; the first time that it said so, or did not say otherwise."""
    told = [e for e in j.read_journal(hand.journal) if isinstance(e, j.Stood) and e.at >= since]
    return next((e.at - since for e in told if e.state == "live"), 0.0)
