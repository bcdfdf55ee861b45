"""Starting: with what is on the disk, before anybody answers; with nothing; and with another broker."""

from chat_client import effects
from chat_client.flight import Row as Post
from chat_client.flight import Settled
from chat_client.model import orders
from chat_core import messages as m
from tests.model.desk import SENDER, Desk
from tests.model.hall import BOB, ME, body


def known(*rooms: str, wanted: str = "") -> Desk:
    """Ann has been here before: there is a copy of her rooms, and the broker is away."""
    desk = Desk(*rooms)
    for room in desk.halls:
        desk.said(*(f"{room} {number}" for number in range(1, 151)), room=room, arrive=False)
    desk.start()
    desk.connect()
    desk.start()
    desk.chat.wanted = wanted
    return desk


# ---- with a copy ---------------------------------------------------------------------------------------------------


def test_the_window_opens_with_the_copy_before_the_network_answers() -> None:
    desk = known("lobby", "plan")
    assert desk.chat.title() == "#lobby — Ann's broker"
    assert [item.name for item in desk.chat.room_items()] == ["lobby", "plan"]
    assert desk.chat.empty_text() == "Reading…"
    desk.disk()
    assert desk.texts() == [f"lobby {number}" for number in range(51, 151)]
    assert not desk.asks


def test_older_lines_come_from_the_copy_too() -> None:
    desk = known()
    desk.disk()
    desk.scroll(top=True)
    desk.disk()
    assert desk.texts() == [f"lobby {number}" for number in range(1, 151)]


def test_what_is_unread_is_known_and_is_where_one_begins() -> None:
    desk = known()
    desk.connect()
    desk.chat.focus(False)
    desk.said(*(f"new {number}" for number in range(1, 6)))
    desk.settle()
    desk.start()
    assert [item.unread for item in desk.chat.room_items()] == [5]
    desk.disk()
    assert desk.changes.place == desk.key("new 1")
    assert [row.line.text for row in desk.rows if row.new] == ["new 1"]
    assert desk.chat.jump_text() == "5 new ↓"


def test_after_the_copy_the_link_reads_on() -> None:
    desk = known()
    desk.said("meanwhile", arrive=False)
    desk.connect()
    assert desk.texts()[-2:] == ["lobby 150", "meanwhile"]
    assert len(desk.copy["lobby"].events) == 151


def test_a_room_without_anything_in_the_copy_is_read_from_a_little_before_its_end() -> None:
    desk = known()
    desk.said(*(str(number) for number in range(300)), arrive=False)
    desk.copy["lobby"].events.clear()
    desk.start()
    desk.connect()
    assert desk.room.have == 450
    assert desk.room.lowest == 251
    assert desk.texts()[-1] == "299"


def test_what_is_unsent_is_shown_before_the_network_answers() -> None:
    desk = known()
    desk.type("are you there?")
    desk.disk()
    desk.start()
    desk.disk()
    assert desk.states() == [("are you there?", "sending")]
    assert desk.texts()[-1] == "are you there?"
    assert desk.chat.status_line().right == "1 message not sent yet"


def test_what_another_process_sends_is_shown_until_that_is_known() -> None:
    desk = known()
    desk.elsewhere = [Post("ab" * 8, 1, "lobby", "message", body("from the other window"))]
    desk.type("mine")
    desk.disk()
    desk.start()
    desk.disk()
    assert desk.states() == [("from the other window", "sending"), ("mine", "sending")]
    desk.connect()
    assert desk.states() == [("mine", "sending")]
    desk.halls["lobby"].add(ME, "from the other window", 5, post=("ab" * 8, 1))
    desk.deliver("lobby")
    assert desk.states() == [("from the other window", ""), ("mine", "sending")]


def test_what_a_dead_process_left_is_ours() -> None:
    desk = known()
    desk.outbox = [Post("ab" * 8, 1, "lobby", "message", body("of a dead process"))]
    desk.connect()
    assert desk.states() == [("of a dead process", "sending")]
    desk.accept()
    desk.deliver("lobby")
    desk.acknowledge()
    assert desk.states() == [("of a dead process", "sent")]


def test_an_unsent_post_that_is_in_the_copy_is_shown_once() -> None:
    desk = known()
    desk.connect()
    desk.type("mine")
    desk.disk()
    desk.accept()
    desk.deliver("lobby")
    desk.settle()  # the acknowledgement was lost
    desk.start()
    desk.disk()
    assert desk.states() == [("mine", "")]
    desk.connect()
    assert desk.states() == [("mine", "")]
    desk.accept()
    desk.acknowledge()
    assert desk.states() == [("mine", "")]


def test_what_is_adopted_late_and_in_the_log_already_is_shown_once() -> None:
    desk = known()
    desk.connect()
    desk.type("mine")
    desk.disk()
    desk.accept()
    desk.deliver("lobby")
    desk.tell(orders.Adopted(list(desk.outbox)))
    assert desk.states() == [("mine", "sent")]


def test_a_post_that_only_a_later_version_can_read_is_left_alone() -> None:
    desk = known()
    desk.outbox = [Post(SENDER, 7, "lobby", "poll", b"[]"), Post(SENDER, 8, "lobby", "message", b"[]")]
    desk.start()
    desk.connect()
    assert desk.states() == []
    refused = m.Refused(1, "not_member", "You are not in this room.", "final")
    desk.tell(Settled(desk.outbox[0], refused))
    assert desk.states() == []


# ---- for the first time --------------------------------------------------------------------------------------------


def test_without_a_copy_the_window_says_what_it_waits_for() -> None:
    desk = Desk()
    desk.start()
    assert desk.rows == []
    assert desk.chat.header() == ("No room", "Ctrl+K shows the rooms there are")
    assert desk.chat.people() == ("MEMBERS", [])
    assert desk.chat.status_line().text.startswith("Looking for the broker")
    assert desk.type("hello") == "Open a room first: Ctrl+K shows which there are."
    assert desk.chat.closing_question() == ""


def test_at_the_first_welcome_the_lobby_is_open() -> None:
    desk = Desk("attic", "lobby", "plan")
    desk.said("hello", arrive=False)
    desk.start()
    desk.connect()
    assert desk.chat.current == "lobby"
    assert [item.name for item in desk.chat.room_items()] == ["lobby", "attic", "plan"]
    assert desk.texts() == ["hello"]
    assert desk.chat.status_line().mood == "good"


def test_what_was_said_before_one_came_is_no_news() -> None:
    desk = Desk()
    desk.said(*"abc", arrive=False)
    desk.start()
    desk.connect(sync=False)
    desk.said("d", arrive=False)
    desk.catch_up()
    assert desk.texts() == ["a", "b", "c", "d"]
    assert [row.line.text for row in desk.rows if row.new] == ["d"]


def test_the_room_of_the_join_string_is_opened_first() -> None:
    desk = known("lobby", "plan", wanted="#Plan")
    assert desk.chat.current == "lobby"
    desk.connect()
    assert desk.chat.current == "plan"


def test_the_room_of_the_join_string_is_joined_if_need_be() -> None:
    desk = Desk("lobby", "plan")
    del desk.halls["plan"].members[ME]
    desk.start()
    desk.chat.wanted = "plan"
    desk.connect()
    assert desk.chat.current == "plan"
    assert desk.texts() == ["Ann joined the room"]
    desk.disconnect()
    desk.open("lobby")
    desk.connect()
    assert desk.chat.current == "lobby"


def test_an_impossible_room_in_the_join_string_is_told() -> None:
    desk = Desk()
    desk.start()
    desk.chat.wanted = "two words"
    desk.connect()
    assert "cannot be the name of a room" in desk.texts()[-1]


# ---- the broker's answers ------------------------------------------------------------------------------------------


def test_who_is_turned_away_is_told_why() -> None:
    desk = known()
    desk.tell(effects.TurnedAway(m.Refused(1, "name_taken", "The name Ann is taken.", "final")))
    desk.tell(effects.Status("refused", "the broker does not let us in"))
    assert desk.chat.status_line().text == "The name Ann is taken."
    assert not desk.chat.connected


def test_what_the_broker_cannot_do_is_told_until_it_can() -> None:
    desk = known()
    desk.connect()
    desk.tell(effects.Held(m.Refused(1, "disk_full", "The broker's disk is full.", "later")))
    assert desk.chat.status_line().text == "The broker's disk is full. Trying again."
    desk.type("hello")
    desk.disk()
    desk.accept()
    desk.acknowledge()
    assert desk.chat.status_line().mood == "good"


def test_a_broker_that_is_only_busy_is_not_worth_a_word() -> None:
    desk = known()
    desk.connect()
    desk.tell(effects.Held(m.Refused(1, "busy", "Too many questions.", "later")))
    assert desk.chat.status_line().mood == "good"


def test_after_a_while_it_is_said_that_nobody_answers() -> None:
    desk = known()
    desk.wait(0)
    assert desk.chat.status_line().text.startswith("Looking for the broker")
    desk.wait(6)
    assert "No broker answers" in desk.chat.status_line().text


def test_the_disks_trouble_is_told_for_as_long_as_there_is_news_of_it() -> None:
    desk = known()
    desk.connect()
    desk.tell(orders.DiskTrouble("The disk is full."))
    desk.wait(50)
    desk.tell(orders.DiskTrouble("The disk is full."))
    desk.wait(50)
    assert desk.chat.status_line().right == "The disk is full."
    desk.wait(20)
    assert desk.chat.status_line().right == ""


def test_what_was_ordered_for_one_broker_does_not_reach_the_next_ones_copy() -> None:
    desk = known()
    desk.connect()
    desk.chat.keep_draft("a draft")
    desk.chat.say("hello", desk.at)
    desk.chat.apply(orders.Opened("0ther", "u9", "Ann", "Other", [], []), desk.at)
    kinds = {type(order) for order in desk.chat.take()[0]}
    assert orders.Keep in kinds
    assert kinds <= {orders.Keep, orders.Unfollow}


def test_the_round_trip_and_the_disks_trouble_are_told() -> None:
    desk = known()
    desk.connect()
    desk.tell(effects.RoundTrip(0.0042), orders.DiskTrouble("The disk is full."))
    assert "4.2 ms" in desk.chat.status_line().text
    assert desk.chat.status_line().right == "The disk is full."
    desk.disconnect()
    desk.connect()
    assert "ms" not in desk.chat.status_line().text


def test_news_for_the_sign_in_card_change_nothing() -> None:
    desk = known()
    desk.forget()
    desk.tell(orders.Unreachable("Nobody answers."), orders.Unusable("The folder cannot be used."))
    assert not desk.changes.status


# ---- another broker ------------------------------------------------------------------------------------------------


def test_another_broker_at_the_address_has_its_own_rooms() -> None:
    desk = known("lobby", "plan")
    desk.connect()
    desk.said("of the first")
    desk.disconnect()
    desk.broker.home, desk.broker.epoch = "beef", "e9"
    del desk.halls["plan"]
    desk.halls["lobby"].log.clear()
    desk.halls["lobby"].add(BOB, "of the second", 5)
    desk.connect()
    assert [item.name for item in desk.chat.room_items()] == ["lobby"]
    assert desk.texts() == ["of the second"]
    assert desk.chat.home == "beef"


def test_the_copies_of_the_first_brokers_rooms_are_kept() -> None:
    desk = known("lobby", "plan")
    desk.connect()
    desk.disconnect()
    desk.broker.home = "beef"
    desk.tell(orders.Opened("beef", ME, "Ann", "Other", [], []))
    assert [job for job in desk.jobs if isinstance(job, orders.Unfollow)] == [
        orders.Unfollow("lobby", forget=False),
        orders.Unfollow("plan", forget=False),
    ]


def test_what_is_unsent_goes_to_the_broker_that_is_there() -> None:
    desk = known()
    desk.connect()
    desk.disconnect()
    desk.type("hello?")
    desk.disk()
    desk.broker.home = "beef"
    desk.halls["lobby"].log.clear()
    desk.halls["lobby"].add(BOB, "hello", 5)
    desk.connect()
    assert desk.states() == [("hello?", "sending")]
    desk.accept()
    desk.deliver("lobby")
    desk.acknowledge()
    assert desk.texts() == ["hello", "hello?"]
