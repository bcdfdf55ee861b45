"""What works behind the window, against a real broker: opening, and posts that are neither lost nor doubled."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from chat_broker.batch import Batch
from chat_broker.store import Store
from chat_client import effects
from chat_client.client import Renumbered
from chat_client.flight import Settled
from chat_client.identity import open_identity
from chat_client.model import orders
from chat_client.outbox import Outbox
from chat_core import messages as m
from chat_core.address import Address
from chat_core.errors import StoreError
from tests.system.desk import Bare, Full, Maker, Place, bodies, copy_of, full, kinds
from tests.system.inproc import message, texts
from tests.system.processes import LONG, ROOT

pytestmark = pytest.mark.real


# ---- opening ---------------------------------------------------------------------------------------------------


def test_an_empty_folder_opens_with_nothing_and_anew_once_the_broker_is_known(place: Place, bare: Bare) -> None:
    (first,) = bare.next(orders.Opened)
    assert first == orders.Opened("", "", "", "", [], [])
    place.open()
    (welcomed,) = bare.next(effects.Welcomed)
    welcome = welcomed.welcome
    bare.next(orders.Adopted)
    assert kinds(bare.news, orders.Opened, effects.Welcomed, orders.Adopted) == [
        orders.Opened, orders.Opened, effects.Welcomed, orders.Adopted,
    ]  # fmt: skip
    assert bare.next(orders.Opened)[1] == orders.Opened(welcome.home, welcome.user, "ann", "test", [], [])
    assert bare.next(orders.Adopted) == [orders.Adopted([])]


def test_a_used_folder_opens_before_the_network_answers(place: Place, sit: Maker) -> None:
    place.open()
    ann, bob = sit("ann").live(), sit("bob").live()
    ann.say("/create den")
    ann.until(lambda: "den" in ann.chat.rooms and ann.chat.rooms["den"].have == 2)
    ann.open("lobby")
    bob.say("one", "two")
    ann.until(lambda: ann.said() == ["one", "two"])
    ann.chat.focus(False)
    bob.say("three", "four")
    bob.until(lambda: bob.settled)  # else it might be the first two that are unread, for a moment
    ann.until(lambda: ann.chat.rooms["lobby"].have == len(place.log()))
    ann.until(lambda: ann.chat.rooms["lobby"].unread == 2)
    ann.chat.open("den", draft="what I was about to s")
    ann.flush()
    place.close()
    ann.until(lambda: ann.chat.status.state == "offline")
    ann.say("later")
    ann.next(orders.Kept)
    ann.close()

    again = sit("ann")
    (opened,) = again.next(orders.Opened)
    log = place.log()
    assert (opened.user, opened.name, opened.broker) == ("u1", "ann", "test")
    den, lobby = opened.rooms
    assert (den.room, den.name, den.first, den.have, den.read, den.unread) == ("den", "den", 1, 2, 2, 0)
    assert (lobby.room, lobby.first, lobby.have, lobby.chain) == ("lobby", 1, len(log), log[-1].chain)
    assert (lobby.read, lobby.unread) == (len(log) - 2, 2)
    assert (den.draft, lobby.draft) == ("", "what I was about to s")
    assert bodies(opened.unsent) == [message("later")]
    again.until(lambda: again.said() == ["one", "two", "three", "four"])
    assert again.states("den") == {"later": "sending"}
    assert not again.told(effects.Welcomed)

    place.open()
    again.live().until(lambda: again.settled)
    assert again.said() == texts(place.log()) == ["one", "two", "three", "four"]
    assert again.said("den") == texts(place.log(room="den")) == ["later"]


def test_what_stands_in_the_composer_is_there_at_the_next_start(place: Place, sit: Maker) -> None:
    place.open()
    ann = sit("ann").live()
    ann.chat.keep_draft("half a sent\ud83d")
    ann.flush()
    ann.close()
    (opened,) = sit("ann").next(orders.Opened)
    assert [known.draft for known in opened.rooms] == ["half a sent?"]


@pytest.mark.parametrize("what", ["no folder", "no key", "no outbox", "newer"])
def test_a_folder_that_cannot_be_used_is_said_and_that_is_all(place: Place, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "ann"
    if what == "no folder":
        folder.write_text("a file")
    else:
        open_identity(folder)
        Outbox(folder, place.address.text).close()
    if what == "no key":
        (folder / "key").write_text("nonsense")
    elif what == "no outbox":
        (folder / "client.db").write_bytes(b"nonsense" * 1000)
    elif what == "newer":
        sql = sqlite3.connect(folder / "client.db")
        sql.execute("PRAGMA user_version = 99")
        sql.close()
    bare = Bare(place.address, folder, "ann").start()
    (unusable,) = bare.next(orders.Unusable)
    assert str(folder) in unusable.text
    assert "newer version" in unusable.text if what == "newer" else unusable.text.endswith((".", "--identity."))
    bare.order(orders.Look(1, "lobby", 0, 10), orders.Ask(2, m.Who()))
    bare.close()
    assert bare.backend.news.empty()


def test_why_nobody_answers_is_found_out(place: Place, tmp_path: Path) -> None:
    for address, why in (
        (place.address, "No broker answers at"),
        (Address("no.such.host.invalid"), "There is no host"),
        (Address("a..b"), "There is no host"),  # the name cannot even be looked up
    ):
        bare = Bare(address, tmp_path / "ann", "ann")
        bare.backend.explain()
        (unreachable,) = bare.next(orders.Unreachable)
        assert unreachable.text.startswith(why)
        bare.close()


def test_a_broker_that_cannot_write_a_newcomer_down_is_not_taken_for_none(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(_: Store, __: Batch) -> None:
        raise StoreError("database or disk is full")

    place.open()
    monkeypatch.setattr(Store, "commit", cannot)
    bare = Bare(place.address, tmp_path / "ann", "ann").start()
    bare.next(effects.Held)
    bare.backend.explain()
    (unreachable,) = bare.next(orders.Unreachable)
    assert "cannot write at the moment" in unreachable.text
    bare.close()


def test_who_is_not_let_in_is_told_why(place: Place, sit: Maker, tmp_path: Path) -> None:
    place.open()
    sit("ann").live()
    other = Bare(place.address, tmp_path / "other", "Ann").start()
    (away,) = other.next(effects.TurnedAway)
    assert away.reply.code == "name_taken"
    other.close()


# ---- posting ---------------------------------------------------------------------------------------------------


def test_a_post_is_kept_and_then_settled(place: Place, bare: Bare) -> None:
    broker = place.open()
    keys = bare.post("one", "two")
    bare.post("lost", room="nowhere")
    kept, settled = bare.next(orders.Kept, 3), bare.next(Settled, 3)
    assert [told.key for told in kept][:2] == keys
    assert [told.row for told in kept] == [told.row for told in settled]
    assert [type(told.reply) for told in settled] == [m.Posted, m.Posted, m.Refused]
    assert texts(broker.log("lobby")) == ["one", "two"]
    assert bodies(told.row for told in kept) == [message(text) for text in ("one", "two", "lost")]


def test_what_is_typed_before_the_broker_answers_is_sent_once_it_does(place: Place, bare: Bare) -> None:
    bare.post("one", "two", "three")
    bare.next(orders.Kept, 3)
    broker = place.open()
    settled = bare.next(Settled, 3)
    assert bodies(told.row for told in settled) == [message(text) for text in ("one", "two", "three")]
    assert texts(broker.log("lobby")) == ["one", "two", "three"]
    assert bodies(bare.next(orders.Adopted)[0].rows) == bodies(told.row for told in settled)


def test_posts_typed_while_the_broker_comes_and_goes_are_sent_exactly_once(place: Place, sit: Maker) -> None:
    place.open()
    ann = sit("ann").live()
    said = []
    for turn in range(3):
        said += [f"{turn}.{number}" for number in range(30)]
        ann.say(*said[-30:-15])
        place.close()  # with some of them on their way
        ann.say(*said[-15:])
        place.open()
    ann.until(lambda: ann.states() == {} and ann.said() == said)
    assert texts(place.log()) == said
    ann.close()
    outbox = Outbox(ann.backend._folder, place.address.text)
    assert outbox.unsent() == []
    outbox.close()


def test_a_post_of_the_last_moment_is_not_lost(place: Place, sit: Maker) -> None:
    place.open()
    ann = sit("ann").live()
    ann.say("good", "bye")
    ann.close()
    again = sit("ann").live()
    again.until(lambda: again.said() == ["good", "bye"] and again.settled)
    assert texts(place.log()) == ["good", "bye"]


def test_a_post_that_cannot_be_written_is_given_back_and_the_chat_goes_on(
    place: Place, sit: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.open()
    ann = sit("ann").live()
    full = Full(monkeypatch, Outbox)
    ann.say("too much")
    (told,) = ann.next(orders.NotKept)
    assert "is the disk full?" in told.text
    assert ann.states() == {"too much": "refused"}
    full.on = False
    ann.say("again")
    ann.until(lambda: ann.said() == ["again", "too much"] and ann.states() == {"too much": "refused"})
    assert texts(place.log()) == ["again"]


def test_a_disk_that_is_really_full_is_said(place: Place, sit: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    place.open()
    real = Outbox._prepare

    def prepare(outbox: Outbox) -> None:
        real(outbox)
        outbox._sql.execute("PRAGMA max_page_count = 1")  # as many as there are

    monkeypatch.setattr(Outbox, "_prepare", prepare)
    ann = sit("ann").live()
    ann.say("x" * 8000)
    ann.next(orders.NotKept)
    ann.say("short")
    ann.until(lambda: ann.said()[:1] == ["short"])
    assert texts(place.log()) == ["short"]
    assert "is the disk full?" in ann.told(orders.NotKept)[0].text


def test_numbers_that_the_broker_does_not_know_are_replaced(place: Place, sit: Maker, tmp_path: Path) -> None:
    place.open()
    ann = sit("ann").live()
    ann.close()
    # The rows 3 and 4 of a sender whose first two are in no log of this broker: a restored disk, a copied profile.
    left = Outbox(tmp_path / "ann", place.address.text)
    rows = [left.add("lobby", "message", message(str(number))) for number in range(4)]
    for row in rows[:2]:
        left.settle(row)
    left.close()
    again = sit("ann")
    again.live().until(lambda: again.said() == ["2", "3"] and again.settled)
    assert [list(told.rows) for told in again.told(Renumbered)] == [rows[2:]]
    again.say("4")
    again.until(lambda: again.said() == ["2", "3", "4"] and again.settled)
    assert texts(place.log()) == ["2", "3", "4"]


def test_numbers_that_could_not_be_replaced_at_once_are_replaced_later(
    place: Place, sit: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.open()
    sit("ann").live().close()
    left = Outbox(tmp_path / "ann", place.address.text)
    row, _ = (left.add("lobby", "message", message(text)) for text in ("settled", "left"))
    left.settle(row)
    left.close()
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "renumber", full)
        ann = sit("ann")
        ann.next(orders.DiskTrouble)
    ann.live().say("next")
    ann.until(lambda: ann.said() == ["left", "next"] and ann.settled)
    assert texts(place.log()) == ["left", "next"]


# ---- processes that die, and two at once -----------------------------------------------------------------------

_VICTIM = """
import sys
from pathlib import Path
from chat_client.effects import Welcomed
from chat_client.flight import Settled
from chat_client.model import orders
from chat_core.address import parse_address
from tests.system.desk import Bare

address, folder, count, settled = sys.argv[1:]
bare = Bare(parse_address(address), Path(folder), "ann").start()
if int(settled):
    bare.next(Welcomed)
    bare.follow()
bare.post(*map(str, range(int(count))))
bare.next(orders.Kept, int(count))
if int(settled):
    bare.next(Settled, int(settled))
    while bare.look(0, 20) is None:
        pass
print("typed", flush=True)
sys.stdin.read()
"""


def kill_one(address: Address, folder: Path, count: int, settled: int = 0) -> None:
    """Have a process type so many posts, and kill it when all are kept and so many are settled."""
    process = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, address.join, str(folder), str(count), str(settled)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "typed\n"
        finally:
            process.kill()
            process.wait(LONG)


def test_what_a_killed_process_left_is_shown_and_sent_by_the_next_one(place: Place, sit: Maker, tmp_path: Path) -> None:
    kill_one(place.address, tmp_path / "ann", 3)
    ann = sit("ann")
    (opened,) = ann.next(orders.Opened)
    assert bodies(opened.unsent) == [message(str(number)) for number in range(3)]
    place.open()
    ann.live().until(lambda: ann.said() == ["0", "1", "2"] and ann.settled)
    assert ann.told(orders.Adopted) == [orders.Adopted(opened.unsent)]
    assert texts(place.log()) == ["0", "1", "2"]


def test_a_process_killed_while_it_sends_leaves_a_copy_that_is_right_and_posts_that_count_once(
    place: Place, sit: Maker, tmp_path: Path
) -> None:
    place.open()
    kill_one(place.address, tmp_path / "ann", 300, 40)
    ann = sit("ann")
    (opened,) = ann.next(orders.Opened)
    log = place.log()
    (known,) = opened.rooms
    assert known.have >= 20
    assert copy_of(tmp_path / "ann", opened.home) == log[: known.have]
    said = [str(number) for number in range(300)]
    ann.live().until(lambda: ann.settled and ann.chat.rooms["lobby"].have == 302, "all is there")
    assert texts(place.log()) == said
    assert ann.said()[-10:] == said[-10:]
    assert len(ann.said()) == len(set(ann.said()))
    ann.close()
    assert copy_of(tmp_path / "ann", opened.home) == place.log()


def test_two_windows_of_one_user_show_what_the_other_says_and_double_nothing(place: Place, sit: Maker) -> None:
    place.open()
    one, two = sit("ann").live(), sit("ann").live()
    for number in range(20):
        one.say(f"one {number}")
        two.say(f"two {number}")
    for desk in (one, two):
        desk.until(lambda desk=desk: len(desk.said()) == 40 and desk.settled)
    log = texts(place.log())
    assert one.said() == two.said() == log
    assert sorted(log) == sorted(f"{who} {number}" for who in ("one", "two") for number in range(20))
    assert one.told(orders.Adopted) == two.told(orders.Adopted) == [orders.Adopted([])]
    for desk in (one, two):
        desk.close()
    home = one.told(effects.Welcomed)[0].welcome.home
    assert copy_of(one.backend._folder, home) == place.log()


def test_what_another_window_has_typed_is_shown_but_stays_its_own(place: Place, sit: Maker) -> None:
    place.open()
    sit("ann").live().close()
    place.close()
    one = sit("ann")
    one.next(orders.Opened)
    one.say("one")
    one.next(orders.Kept)
    two = sit("ann")
    (opened,) = two.next(orders.Opened)
    assert bodies(opened.unsent) == [message("one")]
    two.say("two")
    two.next(orders.Kept)
    assert two.said() == ["one", "two"]
    place.open()
    assert bodies(two.next(orders.Adopted)[0].rows) == [message("two")]
    assert bodies(one.next(orders.Adopted)[0].rows) == [message("one")]
    for desk in (one, two):
        desk.live().until(lambda desk=desk: sorted(desk.said()) == ["one", "two"] and desk.settled)
    assert sorted(texts(place.log())) == ["one", "two"]


def test_what_another_window_leaves_behind_when_it_ends_is_taken_over(place: Place, sit: Maker, tmp_path: Path) -> None:
    place.open()
    sit("ann").live().close()
    other = Outbox(tmp_path / "ann", place.address.text)  # of a window that has not found the broker yet
    row = other.add("lobby", "message", message("left"))
    ann = sit("ann").live()
    assert ann.next(orders.Adopted) == [orders.Adopted([])]
    assert ann.said() == []
    other.close()
    ann.until(lambda: ann.said() == ["left"] and ann.settled)
    assert ann.told(orders.Adopted)[1:] == [orders.Adopted([row])]
    assert texts(place.log()) == ["left"]
