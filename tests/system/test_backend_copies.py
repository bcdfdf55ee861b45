"""The copies that are kept behind the window: of other brokers and other histories, and on full or broken disks."""

import logging
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from chat_client import effects, replica
from chat_client.backend import PIECE
from chat_client.model import orders
from chat_client.outbox import Outbox
from chat_client.replica import Replica
from chat_core import messages as m
from tests.system.desk import Bare, Full, Maker, Place, copy_of, full, kinds
from tests.system.inproc import message, texts

pytestmark = pytest.mark.real


# ---- other brokers and other histories -------------------------------------------------------------------------


@pytest.mark.parametrize("slow", [False, True])
def test_another_broker_at_the_same_address_is_another_chat(
    place: Place, sit: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    real, disk = Outbox.learn, threading.Event()

    def learn(outbox: Outbox, home: str) -> None:
        if slow:
            disk.wait(0.2)  # meanwhile the session asks on
        real(outbox, home)

    monkeypatch.setattr(Outbox, "learn", learn)
    place.open("b")
    bob = sit("bob").live()
    bob.say(*(f"at b {number}" for number in range(20)))
    bob.until(lambda: bob.settled)
    bob.close()
    place.close()
    place.open("a")
    ann, carl = sit("ann").live(), sit("carl").live()
    carl.say(*(f"at a {number}" for number in range(10)))
    ann.until(lambda: len(ann.said()) == 10)
    said, home = ann.said(), ann.chat.home
    carl.close()
    place.close()
    ann.until(lambda: ann.chat.status.state == "offline")
    ann.say("meanwhile")
    ann.next(orders.Kept)

    broker = place.open("b")
    ann.until(lambda: ann.chat.home not in ("", home))
    ann.live().until(lambda: ann.said()[-1:] == ["meanwhile"] and ann.settled)
    # It was typed for whoever answers at this address, and that is b now.
    assert ann.said() == [f"at b {number}" for number in range(20)] + ["meanwhile"] == texts(broker.log("lobby"))
    assert "meanwhile" not in texts(place.log("a"))
    ann.until(lambda: ann.chat.here)
    assert ann.notes() == []
    assert kinds(ann.news, effects.Rewound) == []
    other = ann.chat.home
    ann.chat.focus(False)
    ann.say("more")
    ann.until(lambda: len(texts(place.log("b"))) == 22)
    place.close()

    place.open("a")
    ann.until(lambda: ann.chat.home == home)
    back = ann.told(orders.Opened)[-1]
    (lobby,) = back.rooms
    assert (lobby.have, lobby.read, lobby.unread) == (len(place.log("a")), lobby.have, 0)
    ann.live().until(lambda: ann.said() == said)
    ann.say("and on")
    ann.until(lambda: ann.settled)
    assert (ann.notes(), kinds(ann.news, effects.Rewound)) == ([], [])
    ann.close()
    assert copy_of(tmp_path / "ann", home) == place.log("a")
    assert copy_of(tmp_path / "ann", other) == place.log("b")


def test_what_a_process_left_for_another_broker_is_not_sent_to_this_one(
    place: Place, sit: Maker, tmp_path: Path
) -> None:
    place.open("a")
    sit("ann").live().close()
    place.close()
    left = Outbox(tmp_path / "ann", place.address.text)
    row = left.add("lobby", "message", message("for a"))
    left.close()

    place.open("b")
    ann = sit("ann").live()
    assert [opened.unsent for opened in ann.told(orders.Opened)] == [[row], []]
    assert ann.next(orders.Adopted) == [orders.Adopted([])]
    ann.say("for b")
    ann.until(lambda: ann.said() == ["for b"] and ann.settled)
    place.close()

    place.open("a")
    ann.until(lambda: ann.said() == ["for a"] and ann.settled and ann.chat.status.state == "live")
    assert ann.told(orders.Adopted)[1:] == [orders.Adopted([row])]
    assert (texts(place.log("a")), texts(place.log("b"))) == (["for a"], ["for b"])


@pytest.mark.parametrize("by_copying", [False, True])
def test_a_restored_backup_reaches_the_copy(place: Place, sit: Maker, tmp_path: Path, by_copying: bool) -> None:
    place.open()
    ann, bob = sit("ann").live(), sit("bob").live()
    bob.say("kept")
    ann.until(lambda: ann.said() == ["kept"])
    bob.close()
    place.close()
    shutil.copytree(place.data(), tmp_path / "backup")
    if not by_copying:  # as the backup command does
        sql = sqlite3.connect(tmp_path / "backup" / "chat.db")
        sql.execute("UPDATE about SET value = 'another epoch' WHERE name = 'epoch'")
        sql.commit()
        sql.close()
    place.open()
    bob = sit("bob").live()
    bob.say("lost 1", "lost 2")
    ann.live().until(lambda: ann.said() == ["kept", "lost 1", "lost 2"])
    bob.close()
    place.close()
    shutil.rmtree(place.data())
    shutil.move(tmp_path / "backup", place.data())
    place.open()
    carl = sit("carl").live()
    carl.say("new 1", "new 2", "new 3")
    ann.until(lambda: ann.told(effects.Rewound) and ann.said() == ["kept", "new 1", "new 2", "new 3"])
    assert [told.room for told in ann.told(effects.Rewound)] == ["lobby"]
    assert len(ann.notes()) == 1
    assert "backup" in ann.notes()[0]
    home = ann.chat.home
    ann.live().chat.escape()
    ann.flush()
    ann.close()
    assert copy_of(tmp_path / "ann", home) == place.log()
    (opened,) = sit("ann").next(orders.Opened)
    assert (opened.rooms[0].have, opened.rooms[0].unread) == (len(place.log()), 0)


# ---- the copy --------------------------------------------------------------------------------------------------


def test_what_the_copy_has_is_found_and_what_it_has_not_is_not(place: Place, bare: Bare, sit: Maker) -> None:
    broker = place.open()
    bob = sit("bob").live()
    bob.say(*map(str, range(10)))
    bob.until(lambda: bob.settled)
    bare.next(effects.Welcomed)
    log = broker.log("lobby")
    middle, end = 6, len(log)
    bare.follow("lobby", middle, None)
    while sum(len(told.events) for told in bare.news if isinstance(told, effects.Arrived)) < end - middle:
        bare.next(effects.Arrived, sum(isinstance(told, effects.Arrived) for told in bare.news) + 1)
    assert bare.look(middle, end) == log[middle:]
    assert bare.look(middle + 2, end - 1) == log[middle + 2 : end - 1]
    assert bare.look(end, end) == []
    assert bare.look(middle - 1, end) is None
    assert bare.look(middle, end + 1) is None
    assert bare.look(0, 1, "nowhere") is None
    bare.order(orders.Store("lobby", log[2:middle]))
    assert bare.look(2, end) == log[2:]
    bare.order(orders.Store("lobby", log[:1]))  # it would leave a hole
    assert bare.look(0, 1) is None
    bare.order(orders.Unfollow("lobby", forget=False))
    assert bare.look(2, end) == log[2:]
    bare.order(orders.Unfollow("lobby"))
    assert bare.look(middle, end) is None


def test_what_comes_after_a_room_was_left_makes_no_copy_of_it(place: Place, bare: Bare, sit: Maker) -> None:
    place.open()
    bob = sit("bob").live()
    bare.next(effects.Welcomed)
    bare.follow()
    bare.next(effects.Arrived)
    bob.say(*map(str, range(30)))  # on their way while the room is left
    bare.order(orders.Unfollow("lobby"))
    bob.until(lambda: bob.settled)
    home = bare.next(effects.Welcomed)[0].welcome.home
    bare.close()
    assert copy_of(bare.backend._folder, home) == []


def test_much_at_once_is_told_in_pieces_and_copied_whole(place: Place, bare: Bare, sit: Maker) -> None:
    broker = place.open()
    bob = sit("bob").live()
    bob.say(*map(str, range(4 * PIECE)))
    bob.until(lambda: bob.settled)
    bare.next(effects.Welcomed)
    log = broker.log("lobby")
    bare.follow()
    heard: list[m.Event] = []
    while len(heard) < len(log):
        pieces = bare.next(effects.Arrived, sum(isinstance(told, effects.Arrived) for told in bare.news) + 1)
        heard = [event for piece in pieces for event in piece.events]
    assert heard == log
    assert max(len(piece.events) for piece in pieces) <= PIECE
    assert bare.look(0, len(log)) == log


def test_a_copy_that_is_no_database_is_begun_anew(place: Place, sit: Maker, tmp_path: Path) -> None:
    place.open()
    ann = sit("ann").live()
    ann.say("one")
    ann.until(lambda: ann.settled)
    ann.close()
    for end in ("-wal", "-shm"):
        (tmp_path / "ann" / f"{replica.FILE}{end}").unlink(missing_ok=True)
    (tmp_path / "ann" / replica.FILE).write_bytes(b"nonsense" * 1000)
    again = sit("ann").live()
    again.until(lambda: again.said() == ["one"])
    home = again.chat.home
    again.close()
    assert copy_of(tmp_path / "ann", home) == place.log()


def test_a_copy_that_breaks_while_it_is_read_does_not_stop_the_chat(
    place: Place, sit: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.open()
    ann = sit("ann").live()
    ann.say("one")
    ann.until(lambda: ann.settled)
    ann.close()

    for name in ("about", "enter", "append", "read_range", "set_read"):
        monkeypatch.setattr(Replica, name, full)
    again = sit("ann").live()
    assert "is the disk full?" in again.told(orders.DiskTrouble)[0].text
    again.until(lambda: again.said() == ["one"])
    again.say("two")
    again.until(lambda: again.said() == ["one", "two"] and again.settled)
    assert "is the disk full?" in again.chat.status_line().right


def test_a_full_disk_does_not_keep_anybody_out_and_what_was_left_is_sent_when_it_is_not_full_any_more(
    place: Place, sit: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.open()
    sit("ann").live().close()
    left = Outbox(tmp_path / "ann", place.address.text)
    left.add("lobby", "message", message("left"))
    left.close()
    full = Full(monkeypatch, Outbox, Replica)
    ann = sit("ann").live()
    assert ann.told(effects.Welcomed)
    assert ann.told(orders.Adopted) == []
    assert "is the disk full?" in ann.chat.status_line().right
    full.on = False
    ann.say("first of today")
    ann.until(lambda: ann.settled and len(ann.said()) == 2)
    assert texts(place.log()) == ["left", "first of today"]


def test_something_unexpected_on_the_disk_is_logged_and_the_chat_goes_on(
    place: Place, sit: Maker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place.open()
    ann = sit("ann").live()
    with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL, "chat.disk"):
        patch.setattr(Outbox, "add", lambda *_: 1 / 0)
        ann.say("lost")
        assert "division" in ann.next(orders.NotKept)[0].text
    ann.say("on")
    ann.until(lambda: ann.said() == ["on", "lost"] and ann.states() == {"lost": "refused"})
    assert texts(place.log()) == ["on"]
