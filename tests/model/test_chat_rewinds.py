"""A backup in the broker's place: what was read after it never happened, and nothing of it is left."""

import pytest

from chat_client.model import orders
from chat_client.model import room as rooms
from tests.model.desk import Desk
from tests.model.hall import CAROL, ME


@pytest.fixture
def desk() -> Desk:
    """Ann has read ten messages of the lobby, and none of the plan's ten."""
    desk = Desk("lobby", "plan")
    desk.start()
    desk.connect()
    for room in desk.halls:
        desk.said(*(f"{room} {number}" for number in range(1, 11)), room=room)
    desk.settle()
    return desk


def restored(desk: Desk, room: str, seq: int, *texts: str, sync: bool = True) -> None:
    """The broker comes back with a backup that ends at ``seq``; then this is said."""
    desk.disconnect()
    desk.broker.lose(room, seq)
    desk.wait(1)
    desk.said(*texts, room=room, who=CAROL, arrive=False)
    desk.connect(sync)


def test_what_never_happened_goes_and_that_is_told(desk: Desk) -> None:
    restored(desk, "lobby", 7, "new")
    note = "The broker's history of this room was replaced by a backup: what came after message 7 is gone."
    assert desk.texts() == [*(f"lobby {number}" for number in range(1, 8)), note, "new"]
    assert [event.seq for event in desk.copy["lobby"].events] == list(range(1, 9))


def test_all_of_it_may_be_gone(desk: Desk) -> None:
    restored(desk, "lobby", 0, "new")
    assert desk.texts()[0].endswith("replaced by a backup: all of it is gone.")
    assert desk.texts()[1:] == ["new"]


def test_a_backup_of_all_that_was_read_is_not_worth_a_word(desk: Desk) -> None:
    desk.said("not read", arrive=False)
    restored(desk, "lobby", 10, "new")
    assert desk.texts()[-2:] == ["lobby 10", "new"]


def test_what_is_new_in_the_other_history_is_unread(desk: Desk) -> None:
    restored(desk, "lobby", 7, "new", "newer")
    assert desk.room.unread == 2
    assert desk.changes.place == desk.key("new")
    assert [row.line.text for row in desk.rows if row.new] == ["new"]


def test_what_was_unread_of_a_room_aside_is_counted_anew(desk: Desk) -> None:
    assert desk.chat.rooms["plan"].unread == 10
    restored(desk, "plan", 7, "new")
    assert desk.chat.rooms["plan"].unread == 8
    desk.open("plan")
    desk.settle()
    assert desk.texts() == [*(f"plan {number}" for number in range(1, 8)), "new"]


def test_how_far_was_read_goes_back_and_forth_on_the_disk_too(desk: Desk) -> None:
    desk.disk()
    assert desk.copy["lobby"].read == 10
    restored(desk, "lobby", 7)
    assert desk.copy["lobby"].read == 7
    desk.said("new")
    desk.disk()
    assert desk.copy["lobby"].read == 8


def test_own_messages_that_are_gone_are_gone(desk: Desk) -> None:
    desk.type("mine")
    desk.disk()
    desk.accept()
    desk.deliver("lobby")
    desk.acknowledge()
    restored(desk, "lobby", 7)
    assert desk.states() == []


def test_what_is_on_its_way_stays_on_its_way(desk: Desk) -> None:
    desk.type("mine")
    desk.disk()
    restored(desk, "lobby", 7)
    assert desk.states() == [("mine", "sending")]
    desk.accept()
    desk.acknowledge()
    desk.deliver("lobby")
    assert desk.states() == [("mine", "sent")]


def test_a_post_that_the_broker_has_forgotten_is_shown_again_when_it_is_numbered_anew(desk: Desk) -> None:
    desk.type("mine")
    desk.disk()
    desk.accept()
    desk.deliver("lobby")  # the acknowledgement is lost
    restored(desk, "lobby", 7)
    desk.renumber()
    assert desk.states() == [("mine", "sending")]


def test_a_piece_of_the_other_history_that_is_on_its_way_is_not_shown() -> None:
    desk = Desk()
    desk.said(*(str(number) for number in range(1, 1001)), arrive=False)
    desk.start()
    desk.connect()
    desk.scroll(top=True)
    assert isinstance(desk.jobs[-1], orders.Look)
    restored(desk, "lobby", 950, "new")
    assert desk.texts()[0] == "801"
    desk.scroll(top=True)
    desk.settle()
    assert desk.texts()[0] == "701"
    assert desk.texts()[-1] == "new"


def test_who_reads_further_up_keeps_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "WINDOW", 300)
    desk = Desk()
    desk.said(*(str(number) for number in range(1, 1001)), arrive=False)
    desk.start()
    desk.connect()
    for _ in range(5):
        desk.scroll(top=True)
        desk.settle()
    assert not desk.room.at_end
    before = desk.texts()
    desk.forget()
    restored(desk, "lobby", 950, "new")
    assert desk.texts() == before
    assert desk.changes.place is None
    desk.chat.jump()
    desk.settle()
    assert desk.texts()[-3] == "950"
    assert desk.texts()[-1] == "new"


def test_a_room_of_which_nothing_is_left_in_memory_is_loaded_anew() -> None:
    desk = Desk()
    desk.said(*(str(number) for number in range(1, 1001)), arrive=False)
    desk.start()
    desk.connect()
    desk.start()
    desk.disk()
    assert desk.room.lowest == 901
    restored(desk, "lobby", 850, "new")
    assert desk.texts()[-1] == "new"
    assert "850" in desk.texts()
    assert desk.room.loaded


def test_the_members_are_asked_for_anew(desk: Desk) -> None:
    desk.halls["lobby"].members[CAROL] = "Carol"
    desk.halls["lobby"].add(ME, "", 5, "joined")
    desk.deliver("lobby")
    del desk.halls["lobby"].members[CAROL]
    restored(desk, "lobby", 7)
    assert [item.name for item in desk.chat.people()[1]] == ["Ann", "Bob"]


def test_an_acknowledged_post_that_never_came_in_and_is_in_no_log_is_told() -> None:
    # The head is what Ann has: only her own post tells that the broker has forgotten something.
    desk = Desk("lobby")
    desk.start()
    desk.connect()
    desk.said("hers")
    desk.settle()
    desk.type("lost")
    desk.disk()
    desk.accept()
    desk.acknowledge()
    assert desk.states()[-1] == ("lost", "sent")
    restored(desk, "lobby", desk.room.have)
    assert desk.states()[-1] == ("lost", "refused")
    assert desk.chat.closing_question()


@pytest.mark.parametrize("shown", ["before", "after"])
def test_what_is_to_be_said_once_more_is_seen_once(desk: Desk, shown: str) -> None:
    # A program that has just been started posts before its rooms are followed: numbers first, then the fork.
    assert not desk.type("mine")
    desk.disk()
    desk.accept()  # its acknowledgement is lost
    desk.settle()
    desk.start()
    if shown == "before":
        desk.disk()
        assert desk.states() == [("mine", "")]
    restored(desk, "lobby", 10, sync=False)
    desk.renumber()
    if shown == "after":
        assert desk.states() == [("mine", "sending")]
        desk.disk(1)
    assert desk.states() == [("mine", "")]
    desk.settle()
    assert desk.states() == [("mine", "sending")]
    desk.accept()
    desk.acknowledge()
    desk.settle()
    assert desk.states() == [("mine", "sent")]


def test_what_has_the_number_of_an_own_post_but_says_something_else_is_not_taken_for_it(desk: Desk) -> None:
    # Another process of a copied identity has used it.
    assert not desk.type("mine")
    desk.disk()
    (row,) = desk.outbox
    desk.halls["lobby"].add(ME, "the other's", 5, post=(row.sender, row.n))
    desk.deliver("lobby")
    desk.renumber()
    assert desk.states() == [("the other's", "sent"), ("mine", "sending")]
