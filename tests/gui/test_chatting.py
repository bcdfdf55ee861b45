"""Windows and a broker: what people say to each other, with real keys and clicks."""

import re
from tkinter import ttk

import pytest

from tests.gui.desk import Desk, no_shouting
from tests.gui.seat import Seat

pytestmark = pytest.mark.real


def heads(seat: Seat, name: str) -> int:
    """How many groups of somebody's messages there are: each begins with the name and a time."""
    return len(re.findall(rf"^\t{name}  \d\d:\d\d$", seat.said(), re.MULTILINE))


# ---- saying it -------------------------------------------------------------------------------------------------


def test_what_one_says_stands_there_at_once_and_then_is_sent_and_arrives(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    with desk.held():
        ann.send("hello bob")
        ann.sees("hello bob sending…")
        assert "1 message not sent yet" in ann.status()
        assert ann.window.composer.text() == ""
    ann.sees("hello bob ✓")
    bob.sees("hello bob")
    desk.until(lambda: "not sent" not in ann.status(), "the status bar knows it")
    assert "✓" not in bob.said()
    assert "sending" not in ann.said()
    assert heads(ann, "ann") == heads(bob, "ann") == 1


def test_enter_sends_and_shift_enter_breaks_the_line_and_the_field_grows(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    low = ann.field.winfo_height()
    ann.type("first")
    ann.press("shift+Return")
    ann.type("second")
    ann.press("shift+Return")
    ann.type("third")
    desk.until(lambda: ann.field.winfo_height() >= 2.5 * low, "the field has grown")
    assert ann.window.composer.text() == "first\nsecond\nthird"
    assert "first" not in ann.said()
    ann.press("Return")
    bob.sees("first\nsecond\nthird")
    desk.until(lambda: ann.field.winfo_height() == low, "the field is as it was")


def test_the_send_button_sends(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.type("by the button")
    ann.click(ann.button("Send"))
    ann.sees("by the button ✓")
    assert ann.focused() is ann.field


def test_messages_in_a_row_are_one_group_under_one_name(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    for text in ("one", "two"):
        ann.send(text)
        ann.sees(f"{text} ✓")
    bob.send("three")
    ann.sees("three")
    ann.send("four")
    bob.sees("four")
    for seat in (ann, bob):
        assert (heads(seat, "ann"), heads(seat, "bob")) == (2, 1)
        assert re.findall("one|two|three|four", seat.said()) == ["one", "two", "three", "four"]


# ---- who is here -----------------------------------------------------------------------------------------------


def test_who_is_here_stands_on_the_right(desk: Desk) -> None:
    ann = desk.join("ann")
    desk.until(lambda: ann.people() == ["ann (you)"], "ann is alone")
    bob = desk.join("bob")
    for seat, people in ((ann, ["ann (you)", "bob"]), (bob, ["ann", "bob (you)"])):
        desk.until(lambda seat=seat, people=people: seat.here() == people, "both are here")  # type: ignore[misc]
    desk.until(lambda: "MEMBERS — 2 online" in ann.labels(ann.window.people), "the heading counts them")
    assert "bob joined the room" in ann.said()
    assert "bob has joined" not in ann.said()  # what the log says is not told twice
    bob.close()
    desk.until(lambda: ann.here() == ["ann (you)"], "bob is gone")
    assert ann.people() == ["ann (you)", "bob"]


def test_a_double_click_on_somebody_begins_a_message_to_them(desk: Desk) -> None:
    ann = desk.join("ann")
    desk.guest("bob")
    desk.until(lambda: ann.here() == ["ann (you)", "bob"], "both are here")
    ann.double_click_person("bob")
    desk.until(lambda: ann.window.composer.text() == "@bob ", "the composer has the name")
    ann.send("hello")
    ann.sees("@bob hello ✓")


def test_who_comes_and_goes_passes_by(desk: Desk) -> None:
    bob = desk.join("bob")
    bob.close()
    ann = desk.join("ann")
    bob = desk.join("bob")
    ann.sees("bob has joined")
    bob.close()
    ann.sees("bob has left")
    assert "ann has joined" not in ann.said()


# ---- what is unread --------------------------------------------------------------------------------------------


def test_what_is_said_in_another_room_is_counted_on_the_left_and_in_the_title(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    ann.send("/create plans")
    desk.until(lambda: ann.window.header.texts[0] == "# plans", "the room is made")
    assert list(ann.rooms()) == ["lobby", "plans"]
    bob.say("one", "two", "three")
    desk.until(lambda: ann.unread("lobby", 3), "three are unread")
    assert ann.root.title().startswith("(3) #plans")
    bob.say("ann, are you there?")
    desk.until(lambda: ann.unread("lobby", 4, mention=True), "one is for ann")
    ann.click_room("lobby")
    ann.sees("NEW\n")
    assert re.search(r"NEW\n\tbob  \d\d:\d\d\none\ntwo\nthree\n+ann, are you there\?\n+\Z", ann.said())
    desk.until(lambda: ann.badge("lobby") == "", "all is read")
    assert ann.root.title().startswith("#lobby")
    ann.press("Escape")
    desk.until(lambda: "NEW" not in ann.said(), "the rule is gone")


def test_what_comes_in_while_another_window_has_the_keys_is_unread(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    bob.focus()
    desk.until(lambda: not ann.has_keys, "ann looks elsewhere")
    bob.send("look here")
    desk.until(lambda: ann.unread("lobby", 1), "it is unread")
    ann.sees("NEW\n")
    assert ann.root.title().startswith("(1)")
    ann.click(ann.all(ttk.Label, ann.window.header)[0])
    desk.until(lambda: ann.badge("lobby") == "" and ann.root.title().startswith("#lobby"), "it is read")


# ---- reading ---------------------------------------------------------------------------------------------------


def test_the_transcript_cannot_be_typed_into(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("do not touch")
    ann.sees("do not touch ✓")
    before = ann.said()
    ann.click_words("do not touch")
    desk.until(lambda: ann.focused() is ann.text, "the transcript has the keys")
    ann.type("xyz")
    ann.press("BackSpace", "Delete", "ctrl+v", "ctrl+x", "ctrl+d", "ctrl+k")
    desk.until(lambda: ann.window.switcher.is_open, "all of these keys have arrived")
    assert ann.said() == before


def test_a_text_can_be_selected_with_the_mouse_and_copied(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    bob.say("take these words", "and those")
    x, y, wide, high = ann.box("these words")
    ann.drag(ann.text, (x + 1, y + high // 2), (x + wide, y + high // 2))
    desk.until(lambda: ann.text.tag_ranges("sel"), "something is selected")
    ann.press("ctrl+c")
    desk.until(lambda: ann.clipboard() == "these words", "it is copied")
    ann.click_words("those", times=2)
    ann.press("ctrl+c")
    desk.until(lambda: ann.clipboard() == "those", "a word is copied")
    ann.click(ann.field)
    ann.press("ctrl+v")
    desk.until(lambda: ann.window.composer.text() == "those", "it can be pasted")


def test_several_messages_are_copied_with_names_and_times(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    bob.say("first", "second")
    x, y, _, high = ann.box("first")
    last_x, last_y, wide, _ = ann.box("second")
    ann.drag(ann.text, (x + 1, y + high // 2), (last_x + wide, last_y + high // 2))
    ann.press("ctrl+c")
    desk.until(lambda: re.fullmatch(r"\[\d\d:\d\d\] bob: first\n\[\d\d:\d\d\] bob: second", ann.clipboard()), "both")


def test_at_the_end_it_follows_and_elsewhere_it_stays_and_counts_what_is_new(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    bob.say(*(f"line {number}" for number in range(60)))
    ann.sees("line 59")
    ann.box("line 59")
    bob.say("and one more")
    ann.box("and one more")  # it is in view
    ann.move(ann.text)
    ann.press("Prior", "Prior")
    ann.button("Jump to the end")
    before = ann.window.transcript.visible_keys()
    bob.say("unseen", "unseen too")
    ann.button("2 new")
    assert ann.unread("lobby", 2)
    ann.sees("unseen too")
    assert ann.window.transcript.visible_keys() == before
    ann.click(ann.button("2 new"))
    ann.box("unseen too")
    desk.until(lambda: ann.badge("lobby") == "" and ann.window.transcript.at_end, "all is read")
    assert ann.all(ttk.Button, ann.window.transcript) == []
    assert ann.focused() is ann.field
    bob.say("followed again")
    ann.box("followed again")


def test_the_scrollbar_scrolls(desk: Desk) -> None:
    bob = desk.guest("bob")
    bob.say(*(f"line {number}" for number in range(100)))
    ann = desk.join("ann")
    ann.box("ann joined the room")
    (bar,) = ann.all(ttk.Scrollbar, ann.window.transcript)
    high, middle = bar.winfo_height(), bar.winfo_width() // 2
    ann.drag(bar, (middle, high - 10), (middle, 10))
    desk.until(lambda: ann.text.yview()[0] == 0.0, "the top is in view")
    assert ann.window.transcript.visible_keys()[0] == "1"
    ann.drag(bar, (middle, 10), (middle, high - 1))
    desk.until(lambda: ann.window.transcript.at_end, "the end is in view")


def test_ones_own_message_leads_to_the_end(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    bob.say(*(f"line {number}" for number in range(60)))
    ann.box("line 59")
    ann.press("Prior", "Prior")
    desk.until(lambda: not ann.window.transcript.at_end, "ann reads further up")
    ann.send("down here")
    ann.box("down here")


def test_older_pages_come_as_one_scrolls_up_to_the_rooms_first_event(desk: Desk) -> None:
    bob = desk.guest("bob")
    bob.say(*(f"number {number}." for number in range(1500)))
    ann = desk.join("ann")
    ann.box("ann joined the room")
    assert "number 1200." not in ann.said()

    def oldest() -> int:
        found = re.search(r"number (\d+)\.", ann.said())
        return int(found[1]) if found else 1500

    begun = oldest()
    ann.wheel(ann.text, -60)
    ann.wheel(ann.text, -60)
    desk.until(lambda: oldest() < begun, "the wheel brings a page")
    begun = oldest()
    for _ in range(3):
        ann.press(*["Prior"] * 8)
    desk.until(lambda: oldest() < begun, "so does Page Up")
    ann.press("shift+F6")
    desk.until(lambda: ann.focused() is ann.text, "the transcript has the keys")

    def first() -> bool:
        if "broker created the room" in ann.said() and ann.window.transcript.visible_keys()[0] == "1":
            return True
        ann.press("ctrl+Home", "Prior")
        return False

    desk.until(first, "the first event is in view")
    numbers = [int(number) for number in re.findall(r"number (\d+)\.", ann.said())]
    assert numbers == list(range(1500))  # each once, in order, none missing
    ann.click(ann.button("Jump to the end"))
    ann.box("ann joined the room")


# ---- what cannot be sent ---------------------------------------------------------------------------------------


def test_a_refused_message_says_why_and_can_be_edited_and_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_shouting(monkeypatch)
    ann, bob = desk.join("ann"), desk.join("bob")
    ann.send("LOUD")
    ann.sees("LOUD\nNot sent: Nobody shouts here.   Edit   Discard")
    ann.click_words("Edit")
    desk.until(lambda: ann.window.composer.text() == "LOUD", "it is in the composer")
    assert "Not sent" not in ann.said()
    assert ann.focused() is ann.field
    ann.press("ctrl+a")
    ann.send("quiet")
    bob.sees("quiet")
    assert "LOUD" not in bob.said()
    assert "LOUD" not in ann.said()


def test_a_refused_message_can_be_discarded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    no_shouting(monkeypatch)
    ann = desk.join("ann")
    ann.send("LOUD")
    ann.click_words("Discard")
    desk.until(lambda: "LOUD" not in ann.said(), "it is gone")
    assert ann.window.composer.text() == ""


def test_a_refused_message_is_reached_by_keys_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    no_shouting(monkeypatch)
    ann = desk.join("ann")
    ann.send("LOUD")
    ann.sees("Nobody shouts here.")
    ann.press("Up")
    desk.until(lambda: ann.window.composer.text() == "LOUD", "Up takes it back")
    ann.press("Return")
    ann.sees("Nobody shouts here.")
    ann.press("shift+F6", "Tab", "Tab", "Return")  # in the transcript: Edit, Discard
    desk.until(lambda: "LOUD" not in ann.said(), "Discard was pressed")


def test_closing_asks_where_a_refused_message_would_be_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    no_shouting(monkeypatch)
    ann = desk.join("ann")
    ann.send("LOUD")
    ann.sees("Nobody shouts here.")
    ann.press("ctrl+q")
    desk.until(lambda: ann.app.question.is_open, "it asks")
    assert any("1 message was refused and will be lost." in text for text in ann.labels(ann.app.question))
    ann.press("Escape")
    desk.until(lambda: not ann.app.question.is_open, "Esc stays")
    assert ann.is_open
    ann.click_words("Discard")
    desk.until(lambda: "LOUD" not in ann.said(), "it is gone")
    ann.press("ctrl+q")
    desk.until(lambda: not ann.is_open, "now it closes at once")


def test_what_is_said_in_a_room_that_one_is_out_of_by_then_is_not_lost(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("/create plans")
    desk.until(lambda: ann.window.header.texts[0] == "# plans", "the room is made")
    other = desk.guest("ann")  # the same person at another place
    with desk.held():
        other.begin_to_leave("plans")
        ann.send("too late")
        ann.sees("too late sending…")
    ann.sees("Your message to #plans was refused: You are not in room plans: join it first. It was: too late")
    assert list(ann.rooms()) == ["lobby"]


def test_a_text_over_the_limit_is_not_taken(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    ann.root.clipboard_clear()
    ann.root.clipboard_append("x" * 8190)
    ann.press("ctrl+v")
    desk.until(lambda: len(ann.window.composer.text()) == 8190, "it is pasted")
    ann.type("yyy")
    desk.until(lambda: "8,193 / 8,192" in ann.labels(ann.window.composer), "it is counted")
    ann.press("Return")
    desk.until(lambda: any("longer than 8192 bytes" in text for text in ann.labels(ann.window.composer)), "it says why")
    assert len(ann.window.composer.text()) == 8193
    ann.press("BackSpace")
    ann.press("Return")
    desk.until(lambda: ann.window.composer.text() == "", "one less is taken")
    ann.sees("xyy ✓")
    bob.say("still here")
    ann.sees("still here")
