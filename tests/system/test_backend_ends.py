"""What works behind the window: in which order it tells, how it stops, and what is left of it then."""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chat_client import effects
from chat_client.model import orders
from chat_client.outbox import Outbox
from chat_core import messages as m
from chat_core.address import Address
from tests.system.desk import Bare, Desk, Maker, Place, copy_of, kinds
from tests.system.inproc import NAME, PATIENCE_SECONDS, bench_in, served, texts

pytestmark = pytest.mark.real


# ---- the order of news -----------------------------------------------------------------------------------------


def test_nothing_of_a_broker_is_told_before_its_welcome_however_slow_the_disk_is(
    place: Place, sit: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = Outbox.learn, threading.Event()

    def learn(outbox: Outbox, home: str) -> None:
        told.wait(PATIENCE_SECONDS)
        real(outbox, home)

    monkeypatch.setattr(Outbox, "learn", learn)
    place.open()
    ann = sit("ann")
    # The link is live by itself, and tells so; the window hears of it when it can make something of it.
    ann.until(lambda: any(isinstance(news, effects.People) for held in ann.backend._behind for news in held))
    assert kinds(ann.news, effects.Welcomed, effects.People, effects.MyRooms) == []
    assert {status.state for status in ann.told(effects.Status)} <= {"offline"}
    told.set()
    ann.live().next(effects.People)
    order = kinds(ann.news, orders.Opened, effects.Welcomed, effects.People)
    assert order == [orders.Opened, orders.Opened, effects.Welcomed, effects.People]
    assert ann.chat.here == {"u1": "ann"}


# ---- over inproc -----------------------------------------------------------------------------------------------


def test_over_inproc_it_is_the_same(tmp_path: Path) -> None:
    before = threads()
    with bench_in(tmp_path) as bench:
        bench.close_broker()
        desk = Desk(Address(NAME, 0, scheme="inproc"), tmp_path / "ann", "ann", context=bench.context)
        desk.next(orders.Opened)
        bench.open_broker()

        def until(true: Callable[[], bool]) -> None:
            for _ in range(3000):
                if true():
                    return
                bench.turn()
                desk.turn(0.003)
            pytest.fail(desk.state())

        until(lambda: desk.chat.status.state == "live")
        desk.say("one", "two")
        until(lambda: desk.said() == ["one", "two"] and desk.settled)
        assert texts(bench.log("lobby")) == ["one", "two"]
        desk.close()  # with a socket left open, the bench's context would not end
    assert threads() == before


# ---- stopping --------------------------------------------------------------------------------------------------


def threads() -> set[threading.Thread]:
    """The threads there are."""
    return set(threading.enumerate())


def files(folder: Path) -> list[str]:
    """The sockets that are open, and the files in a folder (on Linux; elsewhere nothing is compared)."""
    links = []
    with contextlib.suppress(OSError):
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # that of the listing itself
                links.append(os.readlink(f"/proc/self/fd/{number}"))
    return sorted(link for link in links if link.startswith(("socket:", "anon_inode:", str(folder))))


def kinds_of_files(folder: Path) -> list[str]:
    """The same, without numbers that are new each time."""
    return [link.partition(":[")[0] for link in files(folder)]


def soon(true: Callable[[], bool]) -> None:
    """Wait for the broker, which notices a moment later that somebody is gone."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE_SECONDS
    while not true() and time.monotonic() < end:
        pause.wait(0.01)
    assert true()


def test_stopping_ends_all_threads_and_closes_all_files(place: Place, tmp_path: Path) -> None:
    place.open()
    before = threads(), kinds_of_files(tmp_path / "ann")
    desk = Desk(place.address, tmp_path / "ann", "ann").live()
    desk.say("one")
    desk.until(lambda: desk.settled)
    assert {thread.name for thread in threads() - before[0]} == {"disk", "link"}
    desk.close()
    assert threads() == before[0]
    soon(lambda: kinds_of_files(tmp_path / "ann") == before[1])
    desk.close()
    desk.backend.carry_out(orders.Look(1, "lobby", 0, 1))
    desk.backend.carry_out(orders.Ask(2, m.Who()))
    left = Outbox(tmp_path / "ann", place.address.text)
    assert left.unsent() == []
    left.close()


def test_others_are_told_when_somebody_stops(place: Place, sit: Maker) -> None:
    place.open()
    bob = sit("bob").live()
    ann = sit("ann").live()
    bob.until(lambda: len(bob.chat.here or {}) == 2)
    ann.close()
    bob.until(lambda: len(bob.chat.here or {}) == 1)  # long before the silence of a dead one would be noticed


@pytest.mark.parametrize("there", [True, False])
def test_stopping_at_once_is_fine(place: Place, tmp_path: Path, there: bool) -> None:
    if there:
        place.open()
    before = threads(), kinds_of_files(tmp_path / "ann")
    for _ in range(5):
        bare = Bare(place.address, tmp_path / "ann", "ann")
        bare.close()  # it was never started
        bare = Bare(place.address, tmp_path / "ann", "ann").start()
        bare.close()
        assert kinds(bare.news, orders.Unusable) == []
    assert threads() == before[0]
    soon(lambda: kinds_of_files(tmp_path / "ann") == before[1])


def test_stopping_without_waiting_does_not_wait(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open()
    before = threads(), kinds_of_files(tmp_path / "ann")
    desk = Desk(place.address, tmp_path / "ann", "ann").live()
    real, go = Outbox.add, threading.Event()

    def add(*arguments: Any) -> Any:
        go.wait(PATIENCE_SECONDS)
        return real(*arguments)

    monkeypatch.setattr(Outbox, "add", add)
    desk.say("the last word")
    desk.backend.stop(wait=False)
    (disk,) = (thread for thread in threads() - before[0] if thread.name == "disk")
    assert disk.is_alive()
    go.set()
    disk.join(PATIENCE_SECONDS)
    assert threads() == before[0]
    soon(lambda: kinds_of_files(tmp_path / "ann") == before[1])
    again = Desk(place.address, tmp_path / "ann", "ann").live()
    again.until(lambda: again.said() == ["the last word"] and again.settled)
    again.close()
    assert texts(place.log()) == ["the last word"]


def test_two_one_after_the_other_on_one_folder_do_not_get_in_each_others_way(place: Place, sit: Maker) -> None:
    place.open()
    for number in range(4):
        ann = sit("ann")
        ann.next(effects.Welcomed)
        ann.say(str(number))
        ann.backend.stop(wait=False)  # as when somebody signs in anew
    ann = sit("ann").live()
    ann.until(lambda: len(ann.said()) == 4 and ann.settled)
    # Two may send at the same time for a moment.
    assert sorted(texts(place.log())) == ["0", "1", "2", "3"]


def test_what_is_logged_tells_no_secrets(
    place: Place, sit: Maker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.open()
    with caplog.at_level(logging.DEBUG):
        ann = sit("ann").live()
        ann.say("hello")
        ann.until(lambda: ann.settled)
        ann.close()
    secret = (tmp_path / "ann" / "key").read_text().splitlines()[-1]
    assert secret
    assert secret not in caplog.text


def test_nothing_breaks_while_much_happens_at_once(tmp_path: Path) -> None:
    with served(tmp_path / "broker") as broker:
        desks = [Desk(broker.address, tmp_path / name, name) for name in ("ann", "bob", "carl")]
        for desk in desks:
            desk.live()
        for number in range(30):
            for place, desk in enumerate(desks):
                desk.say(f"{place}.{number}")
        for desk in desks:
            desk.until(lambda desk=desk: len(desk.said()) == 90 and desk.settled)
        for desk in desks:
            desk.close()
        for place, desk in enumerate(desks):
            assert desk.said() == texts(broker.log("lobby"))
            own = [text for text in desk.said() if text.startswith(f"{place}.")]
            assert own == [f"{place}.{number}" for number in range(30)]
        homes = {desk.chat.home for desk in desks}
        for name in ("ann", "bob", "carl"):
            assert copy_of(tmp_path / name, *homes) == broker.log("lobby")
