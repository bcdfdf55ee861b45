"""Trouble with the broker's disk: what its log says of it, what is answered meanwhile, and what a power loss leaves."""

import contextlib
import os
import select
import shutil
import sqlite3
import time

from chat_core import messages as m
from tests.faults.crew import Crew
from tests.faults.disks import ImageDisk
from tests.faults.oracle import check_acknowledged, check_log, check_seen, read_stored
from tests.faults.visitor import Visitor, read_everything
from tests.system.processes import LONG, BrokerProcess

FULL, WELL = "nothing can be written", "writing works again"
# Until everything has arrived that the broker said before it stopped.
ARRIVAL_SECONDS = 0.3


def periods(broker: BrokerProcess) -> list[str]:
    """What the broker's log says of its disk, in order."""
    return [word for line in broker.log().splitlines() for word in (FULL, WELL) if word in line]


def wait_for_word(broker: BrokerProcess, word: str, known: int) -> None:
    """Until the log's last word on the disk, behind those that are known, is this one."""
    deadline = time.monotonic() + LONG
    while word not in periods(broker)[known:][-1:]:
        assert time.monotonic() < deadline, f"{word!r} was not said"
        select.select([], [], [], 0.005)


def look_around(visitor: Visitor, number: int) -> set[str]:
    """Everything that only reads is answered; what writes is refused for now. Returns the rooms that were made."""
    visitor.come()
    visitor.expect(m.Ping(rooms=["lobby"]), m.Pong)
    visitor.expect(m.Who(), m.Here)
    visitor.expect(m.Rooms(), m.RoomList_)
    visitor.hear(f"{number:032x}")
    log = read_everything(visitor, "lobby")
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    made = visitor.ask(m.Create(room=f"full-{number}", once=f"{number:032x}"))
    if isinstance(made, m.Created):  # a last little one may still find its room
        return {made.room.id}
    assert isinstance(made, m.Refused)
    assert (made.code, made.verdict) == ("store", "later")
    return set()


def lose_power(broker: BrokerProcess, disk: ImageDisk, crew: Crew) -> None:
    """Have it fail now, and be back: the broker is gone, and its disk has what had reached it."""
    copy = disk.image.with_suffix(".copy")
    broker.freeze()
    disk.copy(copy)
    crew.work(ARRIVAL_SECONDS)
    broker.kill()
    disk.unmount()
    os.replace(copy, disk.image)
    disk.mount()


def missing(broker: BrokerProcess, crew: Crew) -> list[str]:
    """What somebody was told of and is not on the disk, or is not in order there. Leaves all as the broker is to find
    it: whoever opens a database mends it."""
    found = broker.folder / "found"
    shutil.rmtree(found, ignore_errors=True)
    shutil.copytree(broker.data, found)
    database = found / "chat.db"
    with contextlib.closing(sqlite3.connect(database)) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    stored, members = read_stored(database), crew.members()
    return [
        *check_log(stored),
        *check_acknowledged(stored, members),
        *check_seen(stored, members, complete=False),
    ]


def load(crew: Crew) -> None:
    """Posts by four, one of whom trusts nobody."""
    for name in ("ann", "bob", "cat"):
        crew.worker(name, rate=100)
    crew.resender("eve", rate=100)
    crew.begin()
