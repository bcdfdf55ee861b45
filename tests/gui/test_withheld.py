"""What is not there to read or to write: deleted messages, walls, a composer that is shut; and menus on messages."""

import tkinter as tk

import pytest

from chat_client.gui.header import Header
from chat_client.gui.look import Look
from chat_client.model.shown import Change, Kind, Line, Row
from tests.gui import composing, test_transcript
from tests.gui.hands import click, not_whole, press, settle, type_text, window
from tests.gui.test_transcript import TEN, said


@pytest.fixture
def desk(root: tk.Tk) -> test_transcript.Desk:
    made = test_transcript.Desk(root)
    made.open()
    return made


@pytest.fixture
def writer(root: tk.Tk) -> composing.Desk:
    return composing.Desk(root)


def row(key: str, text: str, kind: Kind, *, deleted: bool = False) -> Row:
    return Row(Line(key, kind, text, TEN, "u1", "Ben", deleted=deleted), head=kind == "message")


# ---- the transcript


@pytest.mark.parametrize("kind", ["message", "me"])
def test_of_a_deleted_message_only_that_is_said_quietly(desk: test_transcript.Desk, kind: Kind) -> None:
    desk.show(row("1", "the secret is xyzzy", kind), said("2", "and on it goes"))
    desk.change(Change(row("1", "This message was deleted", kind, deleted=True)))
    assert "xyzzy" not in desk.text.get("1.0", "end")
    assert desk.view.text_of("1").endswith("This message was deleted")
    assert {"italic", "deleted"} <= desk.tags("This message was deleted")
    assert str(desk.text.tag_cget("deleted", "foreground")) == desk.look.palette.dim


def test_a_wall_is_a_rule_with_words_between_what_was_said(desk: test_transcript.Desk) -> None:
    desk.show(said("1", "before"), row("2", "You were not in this room from 12 to 40", "wall"), said("3", "after"))
    assert desk.view.text_of("2") == "You were not in this room from 12 to 40"
    assert "wall" in desk.tags("You were not")
    place = desk.text.index(desk.text.search("You were not", "1.0"))
    for around in (f"{place} -1 lines", f"{place} +1 lines"):
        assert "dayrule" in desk.text.tag_names(around)


def test_a_right_click_asks_what_can_be_done_with_the_message_under_it(desk: test_transcript.Desk) -> None:
    desk.show(said("1", "one"), said("2", "two"))
    x, y = desk.middle_of("two")
    desk.text.event_generate("<Button-3>", x=x, y=y, rootx=x + 7, rooty=y + 9)
    settle(desk.root)
    assert desk.menus == [("2", x + 7, y + 9)]


def test_the_menu_key_means_the_message_that_was_clicked_else_the_last(desk: test_transcript.Desk) -> None:
    desk.show(*(said(str(number), f"number {number}") for number in range(3)))
    desk.view.focus_text()
    settle(desk.root)
    press(desk.root, "Shift-F10")
    click(desk.text, *desk.middle_of("number 1"))
    press(desk.root, "Shift-F10")
    assert [key for key, _, _ in desk.menus] in (["2", "1"], ["0", "1"])


def test_a_message_can_be_copied_that_is_not_selected(desk: test_transcript.Desk) -> None:
    desk.show(said("1", "one"), said("2", "two **bold**"))
    desk.view.copy("2")
    assert desk.root.clipboard_get() == "two bold"


# ---- the composer


def test_while_it_is_shut_it_says_why_and_keeps_what_is_in_it(writer: composing.Desk) -> None:
    type_text(writer.root, "half a thought")
    writer.composer.show_shut("You are muted here until 14:30.")
    settle(writer.root)
    assert "You are muted here until 14:30." in writer.labels()
    assert not writer.field.winfo_viewable()
    press(writer.root, "x", "Return")
    writer.composer.insert("@ben ")
    assert (writer.sent, writer.composer.text()) == ([], "half a thought")
    writer.composer.show_shut("")
    settle(writer.root)
    press(writer.root, "s", "Return")
    assert writer.sent == ["half a thoughts"]


def test_a_slash_opens_it_for_a_command_and_the_draft_comes_back(writer: composing.Desk) -> None:
    type_text(writer.root, "half a thought")
    writer.composer.show_shut("This room is read-only.")
    settle(writer.root)
    type_text(writer.root, "/leave")
    assert writer.composer.text() == "half a thought"
    press(writer.root, "Return")
    assert writer.sent == ["/leave"]
    assert "This room is read-only." in writer.labels()
    writer.composer.show_shut("")
    assert writer.composer.text() == "half a thought"


def test_a_command_that_is_taken_back_shuts_it_again(writer: composing.Desk) -> None:
    writer.composer.show_shut("This room is read-only.")
    settle(writer.root)
    press(writer.root, "/", "w", "BackSpace", "BackSpace")
    assert "This room is read-only." in writer.labels()
    assert not writer.field.winfo_viewable()
    press(writer.root, "/", "x")
    writer.composer.show_shut("")
    settle(writer.root)
    assert (writer.field.winfo_viewable(), writer.composer.text()) == (True, "")


def test_another_rooms_draft_takes_the_place_while_it_is_shut(writer: composing.Desk) -> None:
    writer.composer.show_shut("This room is read-only.")
    writer.composer.set_text("for later")
    settle(writer.root)
    assert not writer.field.winfo_viewable()
    assert writer.composer.text() == "for later"


def test_what_a_message_waits_for_is_said_below_and_nothing_is_kept_from_being_written(writer: composing.Desk) -> None:
    writer.composer.show_wait("You can write again in 12 s")
    type_text(writer.root, "more")
    assert " You can write again in 12 s" in writer.labels()
    press(writer.root, "Return")
    assert writer.sent == ["more"]
    writer.composer.show_wait("")
    assert not any("12 s" in text for text in writer.labels())


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_long_sentence_is_whole(root: tk.Tk, scale: float) -> None:
    writer = composing.Desk(root, width=round(400 * scale), height=round(400 * scale), scale=scale)
    writer.composer.show_shut("You were removed from this room by Ben: " + "spam and more of it, " * 4)
    settle(root)
    assert not_whole(writer.composer) == []


# ---- the header


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_private_room_has_a_lock_before_its_name(root: tk.Tk, scale: float) -> None:
    look = Look(root, scale=scale)
    nothing = lambda *_: None  # noqa: E731
    header = Header(root, look, on_rooms=nothing, on_people=nothing, on_menu=nothing)
    header.pack(fill="x")
    window(root, round(300 * scale), round(200 * scale))
    header.show_header("plan", "3 members · read-only", private=True)
    settle(root)
    assert header.texts[0] == "plan"
    assert header.shows_lock
    header.show_header("a-room-with-the-longest-of-names", "", private=True)
    settle(root)
    assert header.texts[0].endswith("…")
    assert not_whole(header) == []
    header.show_header("# general", "")
    assert not header.shows_lock
