"""Own messages: there at once as sending, then sent; or refused, to be edited and sent again."""

import pytest

from chat_client.flight import Row, Settled
from chat_client.model import orders
from chat_core import messages as m
from tests.model.desk import SENDER, Desk


@pytest.fixture
def desk() -> Desk:
    """Ann is in the lobby, and Bob has said hello."""
    desk = Desk("lobby", "plan")
    desk.start()
    desk.connect()
    desk.said("hello")
    desk.settle()
    return desk


def test_a_message_is_there_at_once(desk: Desk) -> None:
    assert desk.type("hello Bob") == ""
    assert desk.texts() == ["hello", "hello Bob"]
    assert desk.states() == [("hello Bob", "sending")]
    assert desk.changes.to_end
    assert isinstance(desk.jobs[-1], orders.Keep)


def test_it_is_sent_when_it_is_acknowledged_and_in_the_log_when_that_says_so(desk: Desk) -> None:
    desk.type("hello Bob")
    key = desk.key("hello Bob")
    desk.disk()
    desk.accept()
    desk.acknowledge()
    assert desk.states() == [("hello Bob", "sent")]
    assert desk.room.pending
    desk.deliver("lobby")
    assert desk.states() == [("hello Bob", "sent")]
    assert not desk.room.pending
    assert desk.key("hello Bob") == key


def test_the_log_may_say_so_before_the_acknowledgement(desk: Desk) -> None:
    desk.type("hello Bob")
    key = desk.key("hello Bob")
    desk.disk()
    desk.accept()
    desk.deliver("lobby")
    assert desk.states() == [("hello Bob", "sent")]
    desk.acknowledge()
    assert desk.states() == [("hello Bob", "sent")]
    assert desk.key("hello Bob") == key


def test_several_keep_their_order(desk: Desk) -> None:
    for text in "abc":
        desk.type(text)
    desk.said("meanwhile")
    assert desk.texts() == ["hello", "meanwhile", "a", "b", "c"]
    desk.disk()
    for _ in "abc":
        desk.accept()
        desk.acknowledge()
    desk.deliver("lobby")
    assert desk.texts() == ["hello", "meanwhile", "a", "b", "c"]
    assert desk.chat.unsent() == 0


def test_a_message_that_says_what_one_does(desk: Desk) -> None:
    desk.type("/me waves")
    assert desk.rows[-1].line.kind == "me"
    desk.disk()
    desk.accept()
    desk.deliver("lobby")
    assert (desk.rows[-1].line.kind, desk.rows[-1].line.text) == ("me", "waves")


@pytest.mark.parametrize(("text", "problem"), [
    ("   ", "The message is empty: type something first."),
    ("x" * 9000, "The message is longer than 8192 bytes: send it in parts."),
    ("/me \x07", "The message holds control characters: send plain text."),
])  # fmt: skip
def test_what_no_broker_would_take_is_not_sent(desk: Desk, text: str, problem: str) -> None:
    assert desk.type(text) == problem
    assert desk.states() == []
    assert not any(isinstance(job, orders.Keep) for job in desk.jobs)


# ---- refused -------------------------------------------------------------------------------------------------------


def refused(desk: Desk, text: str, reason: str = "You are not in this room.") -> None:
    """Ann says something, and the broker refuses it."""
    desk.type(text)
    desk.disk()
    desk.refuse(reason)
    desk.acknowledge()


def test_a_refused_message_says_why(desk: Desk) -> None:
    refused(desk, "hello Bob", "The broker's log is closed.")
    assert desk.states() == [("hello Bob", "refused")]
    assert desk.rows[-1].line.reason == "The broker's log is closed."
    assert (desk.chat.unsent(), desk.chat.refused()) == (0, 1)


@pytest.mark.parametrize("text", [
    "hello", "/me waves", "//join", "//home", "/* a comment\nin C */", "// a comment\n// in C", "two\nlines", "//me\nx",
])  # fmt: skip
def test_a_refused_message_is_edited_as_it_was_typed(desk: Desk, text: str) -> None:
    refused(desk, text)
    (first,) = [row.line for row in desk.rows if row.line.state == "refused"]
    typed = desk.chat.edit(first.key)
    desk.flush()
    assert desk.states() == []
    assert desk.type(typed) == ""
    (again,) = [row.line for row in desk.rows if row.line.mine]
    assert (again.kind, again.text) == (first.kind, first.text)


def test_the_newest_refused_message_is_edited_first(desk: Desk) -> None:
    assert desk.chat.edit_last() is None
    refused(desk, "one")
    refused(desk, "two")
    desk.type("three")
    assert desk.chat.edit_last() == "two"
    assert desk.chat.edit_last() == "one"
    assert desk.chat.edit_last() is None
    desk.flush()
    assert desk.states() == [("three", "sending")]


def test_a_refused_message_can_be_given_up(desk: Desk) -> None:
    refused(desk, "one")
    desk.chat.discard(desk.key("one"))
    desk.flush()
    assert desk.states() == []


def test_only_refused_messages_can_be_edited_or_given_up(desk: Desk) -> None:
    desk.type("on its way")
    assert desk.chat.edit(desk.key("on its way")) == ""
    desk.chat.discard(desk.key("hello"))
    desk.chat.discard("p99")
    desk.flush()
    assert desk.texts() == ["hello", "on its way"]


def test_what_is_said_after_a_refused_message_stands_above_it_when_it_is_in_the_log(desk: Desk) -> None:
    refused(desk, "refused")
    desk.type("later")
    assert desk.texts() == ["hello", "refused", "later"]
    desk.disk()
    desk.accept()
    desk.deliver("lobby")
    desk.acknowledge()
    assert desk.states() == [("later", "sent"), ("refused", "refused")]


def test_what_the_disk_cannot_keep_is_refused(desk: Desk) -> None:
    desk.disk_full = True
    desk.type("hello Bob")
    desk.disk()
    assert desk.states() == [("hello Bob", "refused")]
    assert desk.rows[-1].line.reason == "The disk is full."
    assert desk.chat.edit_last() == "hello Bob"


def test_what_an_earlier_process_said_and_is_refused_now_is_shown(desk: Desk) -> None:
    settled = Settled(
        Row(SENDER, 99, "lobby", "message", b'{"text":"of yesterday"}'),
        m.Refused(1, "not_member", "You are not in this room.", "final"),
    )
    desk.tell(settled)
    assert desk.states() == [("of yesterday", "refused")]


def test_what_is_refused_of_a_room_one_has_left_is_told_in_another(desk: Desk) -> None:
    desk.type("bye")
    desk.disk()
    desk.type("/leave")
    desk.settle()
    assert desk.chat.current == "plan"
    desk.refuse()
    desk.acknowledge()
    assert desk.texts()[-1] == "Your message to #lobby was refused: You are not in this room. It was: bye"


# ---- numbers, breaks and backups -----------------------------------------------------------------------------------


def test_posts_that_are_numbered_anew_are_the_same_messages(desk: Desk) -> None:
    desk.type("one")
    desk.type("two")
    desk.disk()
    desk.renumber()
    for _ in range(2):
        desk.accept()
    desk.deliver("lobby")
    desk.acknowledge()
    desk.acknowledge()
    assert desk.states() == [("one", "sent"), ("two", "sent")]


def test_a_post_whose_number_another_process_of_a_copied_identity_used_comes_back(desk: Desk) -> None:
    desk.type("mine")
    desk.disk()
    row = desk.outbox[0]
    desk.halls["lobby"].add("u1", "of the copy", 5, post=(row.sender, row.n))
    desk.deliver("lobby")
    desk.renumber()
    assert desk.states() == [("of the copy", "sent"), ("mine", "sending")]


def test_what_is_said_while_the_broker_is_away_waits(desk: Desk) -> None:
    desk.disconnect()
    desk.type("are you there?")
    desk.disk()
    assert desk.states() == [("are you there?", "sending")]
    assert desk.chat.status_line().right == "1 message not sent yet"
    desk.connect()
    desk.accept()
    desk.acknowledge()
    desk.settle()
    assert desk.states() == [("are you there?", "sent")]
    assert desk.chat.status_line().right == ""


def test_an_acknowledgement_that_was_lost_changes_nothing(desk: Desk) -> None:
    desk.type("hello Bob")
    desk.disk()
    desk.accept()
    desk.disconnect()
    assert desk.states() == [("hello Bob", "sending")]
    desk.connect()
    assert desk.states() == [("hello Bob", "sent")]
    desk.accept()
    desk.acknowledge()
    assert desk.states() == [("hello Bob", "sent")]


def test_an_acknowledged_message_that_a_backup_has_undone_is_refused(desk: Desk) -> None:
    desk.type("hello Bob")
    desk.disk()
    desk.accept()
    desk.acknowledge()
    desk.disconnect()
    desk.broker.lose("lobby", 1)
    desk.wait(1)
    desk.connect()
    assert desk.states() == [("hello Bob", "refused")]  # all that the broker has came in, and it was not in it
    desk.said("and then?")
    assert desk.states() == [("hello Bob", "refused")]
    assert "backup" in desk.rows[-1].line.reason
    assert desk.chat.edit_last() == "hello Bob"


def test_an_acknowledged_message_that_goes_with_what_was_read_is_refused(desk: Desk) -> None:
    desk.said("more")
    desk.type("hello Bob")
    desk.disk()
    desk.accept()
    desk.acknowledge()
    desk.disconnect()
    desk.broker.lose("lobby", 1)
    desk.connect()
    assert desk.states() == [("hello Bob", "refused")]


# ---- closing -------------------------------------------------------------------------------------------------------


def test_closing_asks_nothing_if_nothing_would_be_lost(desk: Desk) -> None:
    desk.type("hello Bob")
    desk.disk()
    desk.accept()
    desk.acknowledge()
    assert desk.chat.closing_question() == ""


def test_closing_asks_about_what_is_unsent_in_whatever_room(desk: Desk) -> None:
    desk.disconnect()
    desk.type("one")
    desk.open("plan")
    assert desk.chat.closing_question() == (
        "1 message is not sent yet. What is kept here is sent when you start the chat again.\n\nClose all the same?"
    )
    desk.type("two")
    assert desk.chat.closing_question().startswith("2 messages are not sent yet.")


def test_closing_asks_about_what_is_refused(desk: Desk) -> None:
    refused(desk, "one")
    assert desk.chat.closing_question() == "1 message was refused and will be lost.\n\nClose all the same?"
    refused(desk, "two")
    desk.type("three")
    question = desk.chat.closing_question()
    assert "1 message is not sent yet." in question
    assert "2 messages were refused and will be lost." in question
