"""A backup taken under 500 posts a second, and restored: everybody notices, nothing is mixed, all counts once."""

import json
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from chat_broker.batch import Batch, Chunk
from chat_broker.store import FILE, Store
from chat_broker.tables import RoomRecord
from chat_client import effects
from chat_client.bot import Bot, Call
from chat_core import messages as m
from chat_core import wire
from chat_core.address import parse_address
from chat_core.chain import START, chain_after
from tests.system.desk import Desk, copy_of
from tests.system.inproc import log_of, texts
from tests.system.processes import LONG, ROOT, BrokerProcess, Person, environment
from tests.system.talkers import Talker
from tests.telling import tell

pytestmark = [pytest.mark.real, pytest.mark.slow]

RATE, TALKERS = 500, ["ann", "bob", "cid", "dora", "eve"]
ARCHIVE_BYTES = 100_000_000
# What a bot answers is said by everybody now and then.
EVERY_SO_MANY = 7


def wording(name: str) -> Callable[[int], str]:
    turn = TALKERS.index(name)  # not all at once
    return lambda n: f"!tell {name}-{n}" if n % EVERY_SO_MANY == turn else f"{name}-{n} " + "x" * 100


def fill(folder: Path) -> None:
    """A database with 100 MB of history in a room of its own."""
    folder.mkdir(mode=0o700)
    body = Raw(wire.encode(m.Message("x" * 850)))
    old, chain = [], START
    for seq in range(1, ARCHIVE_BYTES // 1000 + 1):
        event = m.Event("archive", seq, 1, "u0", "old", "message", "", body=body)
        event.chain = chain = chain_after(chain, event)
        old.append(wire.encode(event))
    batch = Batch(1, 1, {"archive": Chunk(1, old)})
    batch.puts["rooms", "archive"] = wire.encode(RoomRecord("archive", "archive", "u0", 1))
    with closing(Store(folder)) as store:
        store.commit(batch)


class Crowd:
    """Everybody at one broker: those who talk, a bot that answers, somebody with a window, a `tail`."""

    def __init__(self, broker: BrokerProcess, folder: Path) -> None:
        address = parse_address(broker.address)
        self.answers: list[str] = []
        self.bot = Bot(broker.address, "teller", identity=folder / "teller")
        self.bot.command(self.tell)
        self.bot_thread = threading.Thread(target=self.bot.run)
        self.bot_thread.start()
        self.desk = Desk(address, folder / "wendy", "wendy").live()
        self.person = Person(folder, broker.address, "tim")
        self.tail = self.person.start("tail", "lobby", "--from", "1", "--json")
        self.lines: list[str] = []
        self.reading = threading.Thread(target=lambda: self.lines.extend(self.tail.stdout or ()))
        self.reading.start()
        self.wait(lambda: self.lines and "teller" in self.desk.chat.here.values(), "all are here")
        self.talkers = [Talker(address, folder / name, RATE / len(TALKERS), wording(name)) for name in TALKERS]
        for talker in self.talkers:
            talker.start()

    def tell(self, call: Call, what: str) -> str:
        """Tell it."""
        self.answers.append(what)
        return f"told {what}"

    def wait(self, true: Callable[[], object], what: str) -> None:
        """Until this is so; the window works meanwhile."""
        end = time.monotonic() + LONG
        while not true():
            assert time.monotonic() < end, f"it does not come about: {what}"
            self.desk.turn(0.02)

    def said(self) -> int:
        """How much all have said."""
        return sum(len(talker.said) for talker in self.talkers)

    def talk(self, seconds: float) -> None:
        """Until they have said what they say in so many seconds."""
        enough = self.said() + int(seconds * RATE)
        self.wait(lambda: self.said() >= enough, f"{enough} posts are said")

    def run(self, folder: Path, *words: str) -> tuple[float, float]:
        """A command of the broker while everybody goes on; returns from when to when."""
        command = [sys.executable, str(ROOT / "broker.py"), *words]
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True)
        self.wait(lambda: process.poll() is not None, "the command ends")
        tell(process.communicate()[0].rstrip())
        assert process.returncode == 0
        return began, time.monotonic()

    def latencies(self, began: float, ended: float) -> str:
        """How long the acknowledgements took that came in that time."""
        waits = [wait for talker in self.talkers for at, wait in list(talker.waits) if began <= at <= ended]
        hundredths = statistics.quantiles(waits, n=100)
        return (
            f"{len(waits)} posts in {ended - began:.2f} s, "
            f"p50 {hundredths[49] * 1000:.1f} ms, p99 {hundredths[98] * 1000:.1f} ms, worst {max(waits) * 1000:.1f} ms"
        )

    def close(self) -> None:
        """However the test went."""
        self.bot.stop()
        self.person.close()
        for talker in self.talkers:
            talker.finish()
        self.bot_thread.join(LONG)
        self.reading.join(LONG)
        self.desk.close()


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[tuple[BrokerProcess, Crowd]]:
    """A broker with much behind it, and the crowd."""
    broker = BrokerProcess(tmp_path)
    fill(broker.data)
    broker.start()
    crowd = Crowd(broker, tmp_path)
    yield broker, crowd
    crowd.close()
    broker.close()


def test_a_backup_under_load_is_restored_and_everybody_goes_on_in_one_new_history(
    crowd: tuple[BrokerProcess, Crowd], tmp_path: Path
) -> None:
    broker, all_ = crowd
    talkers = all_.talkers
    quiet = time.monotonic()
    all_.talk(3)
    acknowledged = {text: seq for talker in talkers for text, seq in talker.acknowledged().items()}
    began, ended = all_.run(tmp_path, "backup", "b.db", "--data", "data")
    all_.talk(2)
    tell("before the backup: " + all_.latencies(quiet, began))
    tell("during the backup: " + all_.latencies(began, ended))
    broker.kill()
    all_.run(tmp_path, "restore", "b.db", "--data", "data")
    broker.start()
    all_.wait(lambda: all(talker.rewinds for talker in talkers), "everybody has noticed")
    all_.talk(2)
    for talker in talkers:
        talker.talking = False
    all_.wait(lambda: all(talker.settled for talker in talkers), "everything is acknowledged")

    (aside,) = broker.data.glob("replaced-*")
    kept, old = log_of(tmp_path / "b.db", "lobby"), log_of(aside / FILE, "lobby")
    fork = len(kept)
    asked = calls(log_of(broker.data / FILE, "lobby")[fork:])
    all_.wait(lambda: told(log_of(broker.data / FILE, "lobby")) >= asked, "the bot has answered")
    new = log_of(broker.data / FILE, "lobby")
    all_.wait(lambda: all(len(talker.copy) == len(new) for talker in talkers), "everybody has read everything")
    all_.wait(lambda: all_.desk.chat.rooms["lobby"].have == len(new), "the window has read everything")
    home = all_.desk.chat.home
    all_.close()
    tell(f"{fork} events in the backup, {len(old) - fork} lost with the old history, {len(new) - fork} in the new one")

    # The backup is a sound beginning of the old log, with everything that had been acknowledged when it began.
    with closing(sqlite3.connect(tmp_path / "b.db")) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert (old[:fork], new[:fork]) == (kept, kept)
    assert len(old) > fork
    assert new[fork].chain != old[fork].chain
    assert {text: wire.decode_message(kept[seq - 1].body).text for text, seq in acknowledged.items()} == {
        text: text for text in acknowledged
    }
    assert [event.seq for event in new] == list(range(1, len(new) + 1))

    # Everybody has noticed, goes back exactly as far as they must, and has the new history and nothing else.
    noticed = effects.Rewound("lobby", fork, talkers[0].epoch)
    assert [talker.rewinds for talker in talkers] == [[noticed]] * len(talkers)
    assert all_.desk.told(effects.Rewound) == [noticed]
    for talker in talkers:
        assert talker.copy == new
    assert copy_of(tmp_path / "wendy", home) == new
    *printed, last = (json.loads(line) for line in all_.lines)
    assert (last["kind"], last["seq"], all_.tail.returncode) == ("rewound", fork, 1)
    assert [(event["seq"], event["chain"]) for event in printed] == [
        (one.seq, one.chain) for one in old[: len(printed)]
    ]
    assert len(printed) > fork

    # What was acknowledged by the old history behind the fork is gone with it; everything else is there once.
    counted, in_kept = Counter(texts(new)), set(texts(kept))
    for talker in talkers:
        assert {text for text, fates in talker.fates.items() if len(fates) == 1} == set(talker.said)
        for text in talker.said:
            ((epoch, reply),) = talker.fates[text]
            assert isinstance(reply, m.Posted)
            assert counted[text] == (text in in_kept or epoch == talker.epoch), text
        order = {text: place for place, text in enumerate(talker.said)}
        places = [order[text] for text in texts(new) if text in order]
        assert places == sorted(places)

    # The bot has answered everything that was asked after the fork, and nothing twice.
    answers = told(new)
    assert max(answers.values()) == 1
    assert answers >= asked


def calls(events: list[m.Event]) -> Counter[str]:
    """What the bot was asked, and how often."""
    return Counter(text.removeprefix("!tell ") for text in texts(events) if text.startswith("!tell "))


def told(events: list[Any]) -> Counter[str]:
    """What it has answered, and how often."""
    return Counter(text.removeprefix("told ") for text in texts(events) if text.startswith("told "))
