"""Commands, completion and the keys of the window, with real keys and clicks."""

import os
import tkinter as tk
from tkinter import ttk

import pytest
from PIL import ImageGrab

from chat_client import preferences
from chat_client.gui.window import ChatWindow
from chat_client.hosting import handed_out
from chat_core.address import parse_address
from tests.gui.desk import Desk
from tests.gui.seat import Seat

pytestmark = pytest.mark.real


def title(seat: Seat) -> str:
    """The room that is open, as the header has it."""
    return seat.window.header.texts[0]


def shows(seat: Seat, room: str) -> None:
    """Wait until a room is open."""
    seat.desk.until(lambda: title(seat) == f"# {room}" and seat.window.rooms.list.chosen == room, f"#{room} is open")


def make(seat: Seat, *rooms: str) -> None:
    """Make rooms, and go back to the lobby."""
    for room in rooms:
        seat.send(f"/create {room}")
        shows(seat, room)
    seat.click_room("lobby")
    shows(seat, "lobby")


def complains(seat: Seat, words: str) -> None:
    """Wait until the composer says what is wrong."""
    window = seat.window
    seat.desk.until(lambda: any(words in text for text in seat.labels(window.composer)), f"it says {words!r}")


def typed(seat: Seat, text: str) -> None:
    """Wait until this stands in the composer."""
    seat.desk.until(lambda: seat.window.composer.text() == text, f"the composer has {text!r}")


# ---- commands --------------------------------------------------------------------------------------------------


def test_create_makes_a_room_that_others_join_and_leave(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    ann.send("/create plans")
    shows(ann, "plans")
    ann.sees("ann created the room")
    bob.send("/join plans")
    shows(bob, "plans")
    ann.sees("bob joined the room")
    bob.send("hello")
    ann.sees("hello")
    desk.until(lambda: ann.here() == ["ann (you)", "bob"], "both are in it")
    bob.send("/leave")
    shows(bob, "lobby")
    assert list(bob.rooms()) == ["lobby"]
    ann.sees("bob left the room")
    desk.until(lambda: ann.people() == ["ann (you)"], "ann is alone")
    ann.click_room("lobby")
    shows(ann, "lobby")
    ann.send("/leave plans")
    desk.until(lambda: list(ann.rooms()) == ["lobby"], "ann is out too")


def test_rooms_that_are_not_there_or_there_already_are_said_in_the_transcript(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("/join nowhere")
    ann.sees("There is no room #nowhere", "/create nowhere makes it")
    desk.guest("bob").create("plans")
    ann.send("/create plans")
    ann.sees("/join plans takes you there.")
    ann.send("/leave elsewhere")
    complains(ann, "You are not in room elsewhere.")


def test_who_tells_who_is_here(desk: Desk) -> None:
    ann = desk.join("ann")
    desk.guest("bob")
    ann.send("/who")
    ann.sees("2 people are here in #lobby: ann, bob")


def test_me_says_what_one_does(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.join("bob")
    ann.send("/me waves")
    bob.sees("* ann waves")
    ann.sees("* ann waves")
    desk.until(lambda: "✓" in ann.said(), "it is sent")


def test_help_lists_commands_and_f1_the_keys_too(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("/help")
    ann.sees("/join ROOM", "go into a room", "/me TEXT", "Ctrl+K", "F6")
    ann.send("/help leave")
    ann.sees("/part")
    ann.send("hello")
    ann.press("F1")
    ann.sees("Ctrl+K", "F6")


def test_an_unknown_command_stays_to_be_mended(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("/jion lobby")
    complains(ann, "There is no command /jion. Did you mean /join?")
    typed(ann, "/jion lobby")
    assert "jion" not in ann.said()
    ann.press("ctrl+a")
    ann.send("//jion lobby")  # as a message
    ann.sees("/jion lobby ✓")


def test_quit_closes_the_window(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("/quit")
    desk.until(lambda: not ann.is_open, "it is closed")


# ---- completion ------------------------------------------------------------------------------------------------


def test_tab_completes_commands_rooms_and_names(desk: Desk) -> None:
    bob = desk.guest("bob")
    bob.create("plans")
    ann = desk.join("ann")
    desk.until(lambda: "bob" in ann.people(), "bob is known")
    desk.until(lambda: ann.app.controller and "plans" in ann.app.controller.chat.directory, "the rooms are known")
    for before, after in (
        ("/jo", "/join "),
        ("/join pl", "/join plans"),
        ("bo", "bob: "),
        ("ask @b", "ask @bob "),
        ("see #pl", "see #plans "),
    ):
        ann.type(before)
        ann.press("Tab")
        typed(ann, after)
        ann.press("ctrl+a", "BackSpace")
        typed(ann, "")


def test_tab_shows_a_list_where_several_fit(desk: Desk) -> None:
    desk.guest("bob")
    desk.guest("bobby")
    ann = desk.join("ann")
    desk.until(lambda: len(ann.people()) == 3, "both are known")
    ann.type("bo")
    ann.press("Tab")
    desk.until(lambda: ann.window.composer.choosing, "the list is shown")
    ann.press("Tab", "Return")
    typed(ann, "bobby: ")
    assert not ann.window.composer.choosing
    ann.press("ctrl+a", "BackSpace")
    ann.type("bo")
    ann.press("Tab")
    desk.until(lambda: ann.window.composer.choosing, "the list is shown")
    ann.press("Escape")
    desk.until(lambda: not ann.window.composer.choosing, "Esc takes it away")
    typed(ann, "bo")


# ---- going from room to room -----------------------------------------------------------------------------------


def test_ctrl_k_goes_to_a_room_and_into_new_ones(desk: Desk) -> None:
    bob = desk.guest("bob")
    bob.create("elsewhere")
    ann = desk.join("ann")
    make(ann, "plans")
    desk.until(lambda: ann.app.controller and "elsewhere" in ann.app.controller.chat.directory, "the rooms are known")
    ann.press("ctrl+k")
    desk.until(lambda: ann.window.switcher.is_open, "the switcher is open")
    ann.type("pla")
    ann.press("Return")
    shows(ann, "plans")
    assert ann.focused() is ann.field
    ann.press("ctrl+k")
    ann.type("else")
    ann.press("Return")
    shows(ann, "elsewhere")
    ann.sees("ann joined the room")
    ann.press("ctrl+k")
    desk.until(lambda: ann.window.switcher.is_open, "the switcher is open")
    ann.press("Escape")
    desk.until(lambda: not ann.window.switcher.is_open, "it is closed")
    assert title(ann) == "# elsewhere"
    ann.click(ann.button("Jump to…"))  # the same with the mouse
    desk.until(lambda: ann.window.switcher.is_open, "the switcher is open")
    rows = ann.all(tk.Text, ann.window.switcher)[0]
    box = rows.bbox("2.2")
    assert box is not None
    wanted = rows.get("2.0", "2.end").split("\t")[0].removeprefix("# ")
    ann.click(rows, box[0], box[1] + 4)
    shows(ann, wanted)


def test_alt_and_arrows_go_up_and_down_the_list(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    make(ann, "aims", "plans")
    for key, room in (("Down", "aims"), ("Down", "plans"), ("Down", "lobby"), ("Up", "plans"), ("Up", "aims")):
        ann.press(f"alt+{key}")
        shows(ann, room)
    bob.say("look")
    desk.until(lambda: ann.unread("lobby", 1), "something is new")
    ann.press("alt+a")
    shows(ann, "lobby")
    ann.press("ctrl+3")
    shows(ann, "plans")
    ann.press("ctrl+Tab")
    shows(ann, "lobby")
    assert ann.focused() is ann.field


def test_the_list_of_rooms_works_by_keys(desk: Desk) -> None:
    ann = desk.join("ann")
    make(ann, "aims", "plans")
    ann.press("F6", "F6")  # people, rooms
    desk.until(lambda: ann.focused() is ann.window.rooms.list.tree, "the list has the keys")
    ann.press("Down", "Down", "Return")
    shows(ann, "plans")


def test_what_one_has_begun_to_write_stays_in_its_room(desk: Desk) -> None:
    ann = desk.join("ann")
    make(ann, "plans")
    ann.type("for the lobby")
    ann.press("alt+Down")
    shows(ann, "plans")
    typed(ann, "")
    ann.type("for the plans")
    ann.press("alt+Up")
    shows(ann, "lobby")
    typed(ann, "for the lobby")
    ann.close()
    ann = desk.join("ann")
    typed(ann, "for the lobby")
    ann.press("alt+Down")
    typed(ann, "for the plans")


# ---- how it looks ----------------------------------------------------------------------------------------------


def test_ctrl_plus_minus_and_0_change_the_size_which_is_remembered(desk: Desk) -> None:
    ann = desk.join("ann")
    before = ann.app.look.font("text").metrics("linespace")
    ann.press("ctrl+plus", "ctrl+plus", "ctrl+plus")
    desk.until(lambda: ann.app.look.zoom == 3, "three steps")
    assert ann.app.look.font("text").metrics("linespace") > before
    ann.press("ctrl+minus")
    desk.until(lambda: ann.app.look.zoom == 2, "one less")
    assert preferences.load(desk.folder / "ann.json").zoom == 2
    ann.press("ctrl+0")
    desk.until(lambda: ann.app.look.zoom == 0, "as usual")
    assert ann.app.look.font("text").metrics("linespace") == before


def test_the_menu_changes_theme_and_size_and_has_the_address(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.menu("Dark")
    desk.until(lambda: ann.app.look.theme == "dark", "it is dark")
    assert ann.text.cget("background") == ann.app.look.palette.bg
    assert preferences.load(desk.folder / "ann.json").theme == "dark"
    ann.menu("Light")
    desk.until(lambda: ann.app.look.theme == "light", "it is light")
    ann.menu("Like the system")
    desk.until(lambda: preferences.load(desk.folder / "ann.json").theme == "system", "it is remembered")
    ann.menu("Larger")
    desk.until(lambda: ann.app.look.zoom == 1, "it is larger")
    ann.menu("Usual size")
    desk.until(lambda: ann.app.look.zoom == 0, "it is as usual")
    ann.menu("Copy the address")
    # Not 127.0.0.1, which is every computer's own, unless this one has no other.
    copied = handed_out(parse_address(desk.address)).join
    desk.until(lambda: ann.clipboard() == copied, "it is on the clipboard")
    ann.sees(f"Copied, to be handed out: {copied}")
    ann.menu("Commands and keys")
    ann.sees("Ctrl+K", "F6")
    assert ann.focused() is ann.field


def test_the_window_follows_the_system(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTK_THEME", "Adwaita:dark")
    ann = desk.join("ann")
    assert ann.app.look.theme == "light"  # as it was told to
    ann.menu("Like the system")
    desk.until(lambda: ann.app.look.theme == "dark", "it is as the system is")


# ---- everything by keyboard ------------------------------------------------------------------------------------


def pane(window: ChatWindow, widget: tk.Misc | None) -> str:
    """Which part of the window a widget is in."""
    parts = {
        "rooms": window.rooms,
        "transcript": window.transcript,
        "composer": window.composer,
        "people": window.people,
    }
    return next((name for name, part in parts.items() if str(widget).startswith(str(part))), "")


def pixels(widget: tk.Misc) -> bytes:
    """What a widget looks like on the screen now."""
    x, y = widget.winfo_rootx(), widget.winfo_rooty()
    area = (x, y, x + widget.winfo_width(), y + widget.winfo_height())
    return ImageGrab.grab(area, xdisplay=os.environ["DISPLAY"]).tobytes()


def test_f6_walks_through_the_parts_and_the_focus_is_seen(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("something to read")
    ann.sees("something to read ✓")
    ann.move(ann.window.status, 5, 5)
    parts = {
        "rooms": ann.window.rooms,
        "transcript": ann.window.transcript,
        "composer": ann.window.composer,
        "people": ann.window.people,
    }
    assert pane(ann.window, ann.focused()) == "composer"
    without = {name: pixels(part) for name, part in parts.items() if name != "composer"}
    walked = []
    for _ in range(4):
        ann.press("F6")
        here = pane(ann.window, ann.focused())
        walked.append(here)
        if here != "composer":
            desk.until(lambda here=here: pixels(parts[here]) != without[here], "one sees it")  # type: ignore[misc]
    assert walked == ["people", "rooms", "transcript", "composer"]
    for _ in range(4):
        ann.press("shift+F6")
        walked.append(pane(ann.window, ann.focused()))
    assert walked[4:] == ["transcript", "rooms", "people", "composer"]


def test_tab_reaches_every_button_and_list_and_one_sees_it(desk: Desk) -> None:
    ann = desk.join("ann")
    reached, unseen = {str(ann.field)}, set()
    ann.move(ann.window.status, 5, 5)
    for key in ("Tab", "shift+Tab"):
        ann.field.focus_set()
        ann.press("F6")  # out of the composer, where Tab completes
        desk.until(lambda: ann.focused() is not ann.field, "the keys go elsewhere")
        while ann.focused() is not ann.field:
            widget = ann.focused()
            assert widget is not None
            with_keys = pixels(widget)
            reached.add(str(widget))
            ann.press(key)
            desk.until(lambda widget=widget: ann.focused() is not widget, "the keys go on")  # type: ignore[misc]
            ann.root.update()
            if pixels(widget) == with_keys:
                unseen.add(str(widget))
    wanted = [*ann.all(ttk.Button), *ann.all(ttk.Treeview), ann.text, ann.field]
    assert {str(one) for one in wanted} - reached == set()
    assert unseen == set()


def test_in_a_narrow_window_buttons_show_the_lists(desk: Desk) -> None:
    ann = desk.join("ann")
    make(ann, "plans")
    ann.resize(500, 420)
    desk.until(lambda: not ann.window.rooms.winfo_viewable(), "the list has given way")
    assert not ann.window.people.winfo_viewable()
    ann.click(ann.button("Rooms"))
    desk.until(ann.window.rooms.winfo_viewable, "the list is shown")
    ann.click_room("plans")
    shows(ann, "plans")
    desk.until(lambda: not ann.window.rooms.winfo_viewable(), "the list has gone")
    assert ann.focused() is ann.field
    ann.click(ann.button("People"))
    desk.until(ann.window.people.winfo_viewable, "the list is shown")
    ann.press("Escape")
    desk.until(lambda: not ann.window.people.winfo_viewable(), "Esc takes it away")
    ann.resize(1000, 600)
    desk.until(ann.window.rooms.winfo_viewable, "there is room for both")
    desk.until(ann.window.people.winfo_viewable, "there is room for both")


def test_who_types_after_a_click_in_the_transcript_writes_a_message(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.send("hello")
    ann.sees("hello ✓")
    ann.click_words("hello")
    ann.type("World")
    assert ann.field.get("1.0", "end-1c") == "World"
    assert ann.focused() is ann.field


def test_enter_presses_the_menu_button_and_f10_too(desk: Desk) -> None:
    ann = desk.join("ann")
    for key in ("Return", "F10"):
        if key == "Return":
            ann.window.header._menu.focus_set()
        ann.press(key)
        assert "Join another chat…" in ann.offers()


def test_a_narrow_window_tells_of_other_rooms_on_the_button(desk: Desk) -> None:
    ann, bob = desk.join("ann"), desk.guest("bob")
    bob.create("plans")
    ann.send("/join plans")
    desk.until(lambda: "plans" in ann.rooms(), "ann is in plans")
    ann.click_room("lobby")
    ann.resize(500, 400)
    bob.say("@ann look", room="plans")
    button = ann.window.header._rooms
    badge = str(ann.app.look.badge(1, True))
    desk.until(lambda: badge in str(button.cget("image")), "it is on the button")
