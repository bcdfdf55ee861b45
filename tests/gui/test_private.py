"""Private rooms, people alone, and who looks after a room: by right click, by menu and by command, as persons do it."""

import tkinter as tk
from collections.abc import Callable

import pytest

from tests.gui.desk import Desk
from tests.gui.seat import Seat

pytestmark = pytest.mark.real


def title(seat: Seat) -> str:
    return seat.window.header.texts[0]


def can_write(seat: Seat) -> bool:
    """Is there a field to write in?"""
    return bool(seat.all(tk.Text, seat.window.composer))


def is_shut(seat: Seat, words: str) -> Callable[[], bool]:
    """Does the composer say so, in the place of the field?"""
    return lambda: any(words in text for text in seat.labels(seat.window.composer)) and not can_write(seat)


def plan(desk: Desk) -> tuple[Seat, Seat]:
    """Ann has made a private room and invited Bob, who has joined it."""
    ann, bob = desk.join("ann"), desk.join("bob")
    ann.menu("New private room")
    ann.answer("Make it", "plan")
    desk.until(lambda: title(ann) == "plan", "the room is made")
    ann.right_click_room("plan")
    ann.choose("Invite")
    ann.pick()
    bob.click_room("plan")
    bob.answer("Join")
    desk.until(lambda: title(bob) == "plan", "bob is in it")
    return ann, bob


def test_a_private_room_is_made_and_joined_by_invitation(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("/private plan")
    desk.until(lambda: title(ann) == "plan", "the room is made")
    assert ann.window.header.shows_lock
    bob = desk.join("bob")
    assert "plan" not in bob.rooms()
    ann.send("/invite bob")
    desk.until(lambda: "plan" in bob.rooms(), "bob is invited")
    assert bob.badge("plan") == str(bob.app.look.label("invited"))
    bob.click_room("plan")
    bob.answer("Not now")
    assert bob.badge("plan") == str(bob.app.look.label("invited"))
    bob.click_room("plan")
    bob.answer("Join")
    desk.until(lambda: title(bob) == "plan", "bob is in it")
    ann.send("who knows of this?")
    bob.sees("who knows of this?")
    assert bob.window.rooms.list.row("plan").left == str(bob.app.look.mark("lock"))


def test_an_invitation_can_be_declined(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    ann.send("/private plan")
    desk.until(lambda: title(ann) == "plan", "the room is made")
    ann.send("/invite bob")
    bob.right_click_room("plan")
    bob.choose("Decline")
    desk.until(lambda: "plan" not in bob.rooms(), "it is declined")


def test_whoever_is_removed_sees_by_whom_and_why_and_keeps_what_was_read(desk: Desk) -> None:
    ann, bob = plan(desk)
    ann.send("the secret is 42")
    bob.sees("the secret is 42")
    bob.type("but I")
    ann.right_click_person("bob")
    ann.choose("Remove from the room")
    ann.answer("Remove", "spam")
    desk.until(is_shut(bob, "ann removed you from this room (spam)"), "bob is told")
    assert bob.window.composer.text() == "but I"
    assert "the secret is 42" in bob.said()
    ann.send("he is gone")
    ann.sees("he is gone ✓")
    ann.send("/invite bob")
    ann.sees("bob is invited")
    bob.type("/join plan")
    desk.until(lambda: bob.field.get("1.0", "end-1c") == "/join plan", "the command is typed")
    bob.press("Return")
    desk.until(lambda: bob.app.controller.chat.rooms["plan"].following, "bob is in it")  # type: ignore[union-attr]
    ann.send("welcome back")
    bob.sees("welcome back", "You were not in this room for a while")
    assert "he is gone" not in bob.said()
    desk.until(lambda: bob.window.composer.text() == "but I" and can_write(bob), "bob may write again")


def test_people_talk_alone_and_each_sees_the_other_by_name(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    broker = desk.broker
    assert broker is not None
    desk.until(lambda: not broker._loop._hub.desk._came, "everybody was told who came")
    ann.right_click_person("bob")
    ann.choose("Message directly")
    desk.until(lambda: title(ann) == "@ bob", "it is open")
    ann.send("have you got a minute?")
    room = ann.app.controller.chat.current  # type: ignore[union-attr]
    desk.until(lambda: bob.unread(room, 1), "bob sees that there is something")
    rows = bob.window.rooms.list
    assert (rows.shown(room), rows.row(room).left) == ("ann", str(bob.app.look.dot(True)))
    bob.click_room(room)
    bob.sees("have you got a minute?")
    bob.send("sure")
    ann.sees("sure")
    ann.close()
    desk.until(lambda: rows.row(room).left == str(bob.app.look.dot(False)), "bob sees that ann has gone")


def test_whoever_is_muted_reads_on_until_it_is_lifted(desk: Desk) -> None:
    ann, bob = plan(desk)
    ann.right_click_person("bob")
    ann.choose("Mute", "1 hour")
    ann.answer("Mute", "too loud")
    desk.until(is_shut(bob, "You are muted here until"), "bob is told")
    people = ann.window.people.list
    labels = lambda: [people.row(user).image for user in people.ids()]  # noqa: E731
    desk.until(lambda: str(ann.app.look.label("muted")) in labels(), "it can be seen")
    ann.send("now it is quiet")
    bob.sees("now it is quiet", "ann muted you in #plan")
    ann.right_click_person("bob")
    ann.choose("Let write again")
    desk.until(lambda: can_write(bob), "bob may write")
    bob.send("thanks")
    ann.sees("thanks")


def test_a_room_is_made_slow_read_only_and_over_and_says_so(desk: Desk) -> None:
    ann, bob = plan(desk)
    ann.right_click_room("plan")
    ann.choose("Slow mode", "1 minute")
    desk.until(lambda: "1m between two posts" in bob.window.header.texts[1], "it is slow")
    bob.send("one")
    bob.sees("one ✓")
    bob.send("two")
    desk.until(lambda: any("you can write in it again in" in text for text in bob.labels()), "it says when")
    assert bob.window.composer.text() == "two"
    ann.right_click_room("plan")
    ann.choose("Read-only")
    desk.until(is_shut(bob, "Only those who look after this room write in it."), "it is read-only")
    ann.right_click_room("plan")
    ann.choose("Archive")
    ann.answer("Archive")
    desk.until(is_shut(ann, "This room is archived"), "it is over")
    desk.until(lambda: "dim" in bob.window.rooms.list.tree.item("plan", "tags"), "it is dim")
    ann.right_click_room("plan")
    ann.choose("Open again")
    desk.until(lambda: can_write(ann), "it is open again")
    assert bob.window.composer.text() == "two"


def test_a_message_is_deleted_for_everybody_and_one_of_others_is_reported(desk: Desk) -> None:
    ann, bob = plan(desk)
    bob.send("my password is xyzzy")
    bob.sees("xyzzy ✓")
    ann.sees("xyzzy")
    bob.right_click_words("xyzzy")
    bob.choose("Delete")
    bob.answer("Delete")
    desk.until(lambda: "xyzzy" not in bob.said() + ann.said(), "it is gone")
    ann.sees("This message was deleted")
    ann.send("what was it?")
    bob.right_click_words("what was it?")
    assert [label for label in bob.offers() if label.endswith("…")] == ["Report…"]
    bob.right_click_words("what was it?")
    bob.choose("Report")
    bob.answer("Report", "nosy")
    ann.sees("bob reports message")


def test_menus_offer_what_one_may_do(desk: Desk) -> None:
    ann, bob = plan(desk)
    bob.right_click_person("ann")
    assert bob.offers() == ["ann — owner here", "Message directly", "Mention", "Invite to a room…"]
    bob.right_click_room("plan")
    assert bob.offers() == ["Leave"]
    ann.right_click_person("bob")
    assert ann.offers()[4:] == ["Mute", "Make moderator", "Remove from the room…", "Ban from the room…"]
    ann.right_click_person("bob")
    ann.choose("Make moderator")
    desk.until(lambda: bob.app.controller.chat.rooms["plan"].role == "moderator", "bob is moderator")  # type: ignore[union-attr]
    bob.right_click_room("plan")
    assert bob.offers() == ["Invite…", "Bans…", "Slow mode", "Read-only", "Leave"]


def test_my_new_name_is_everywhere(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    ann.menu("Change my name")
    ann.press("ctrl+a")
    ann.answer("Change", "anna")
    desk.until(lambda: ann.people()[:1] == ["anna (you)"] and "anna" in bob.people(), "both see it")
    ann.send("it is me")
    bob.sees("anna", "it is me")


def test_another_machine_is_linked_by_a_code_and_unlinked_again(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.menu("My machines")
    ann.pick()
    desk.until(lambda: ann.app.question.is_open, "the code is shown")
    code = ann.app.question.typed
    ann.answer("Close")
    other = desk.start(settings="other")
    other.app.entrance._identity = desk.folder / "other machine"
    other.card.fill("ann", desk.address)
    other.click(other.button("I have it on another machine"))
    other.type(code.upper().replace("-", " "))
    other.press("Return")
    desk.until(other.live, "the other machine is in")
    assert other.people() == ["ann (you)"]
    ann.menu("My machines")
    desk.until(lambda: ann.window.switcher.is_open, "they are listed")
    hints = [choice.hint for choice in ann.window.switcher._choices]
    ann.pick(3 - hints.index("this machine"))
    ann.answer("Unlink")
    desk.until(lambda: not other.live(), "the other machine is out")
    desk.until(ann.live, "this one notices a reconnect at most")


def test_a_wrong_code_is_said_on_the_card(desk: Desk) -> None:
    seat = desk.start()
    seat.card.fill("ann", desk.address)
    seat.click(seat.button("I have it on another machine"))
    seat.type("12345")
    seat.press("Return")
    desk.until(lambda: any("not a code" in text for text in seat.labels()), "it is no code")
    seat.type("12345-67890")
    seat.press("Return")
    desk.until(lambda: any("unknown, used or older" in text for text in seat.labels()), "nobody showed it")
    assert not seat.is_chat
