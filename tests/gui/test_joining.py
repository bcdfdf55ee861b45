"""How somebody gets into a chat: the card that asks, as a person uses it, and what stands on the command line."""

import contextlib
import signal
import socket
import subprocess
import sys
import tkinter as tk
from dataclasses import replace
from pathlib import Path
from tkinter import ttk

import pytest

from chat_client import effects
from chat_client.gui.app import Wish
from chat_client.gui.entrance import without_secret
from chat_client.hosting import Host
from chat_client.identity import folder_for
from chat_client.model import orders
from chat_client.model.chat import News
from chat_client.pins import Pins
from chat_core import messages as m
from chat_core.address import Address, parse_address
from chat_core.keys import fingerprint
from tests.gui.desk import Desk
from tests.gui.seat import Seat, do
from tests.system.inproc import texts
from tests.system.processes import LONG, ROOT, free_ports

pytestmark = pytest.mark.real

# The session looks for a broker for so long before it is said that there is none.
SOON_MS = 300


def fields(seat: Seat) -> tuple[ttk.Combobox, ttk.Combobox]:
    """Those for the name and the address."""
    name, address = seat.all(ttk.Combobox, seat.card)
    return name, address


def says(seat: Seat, words: str, field: ttk.Combobox) -> None:
    """Wait until something is said next to the field: right below it. The field is marked and has the keys."""
    found: list[tk.Misc] = []

    def find() -> bool:
        found[:] = [one for one in seat.all(ttk.Label, seat.card) if words in str(one.cget("text"))]
        return bool(found) and field.instate(["invalid", "!disabled"])

    seat.desk.until(find, f"the card says {words!r}")
    gap = found[0].winfo_rooty() - field.winfo_rooty() - field.winfo_height()
    assert 0 <= gap < field.winfo_height()
    assert seat.focused() is field


# ---- what is wrong ---------------------------------------------------------------------------------------------


def test_the_card_is_filled_in_with_keys_and_mended_until_it_works(desk: Desk) -> None:
    desk.guest("bob", other=True)
    seat = desk.start(answer_ms=SOON_MS)
    name, address = fields(seat)
    desk.until(lambda: seat.focused() is name, "the name is asked for first")
    seat.press("Return")
    says(seat, "Give a name", name)
    seat.type("#b")
    seat.press("Return")
    says(seat, "cannot be the name of a user", name)
    seat.type("bob")  # in the place of what was wrong
    seat.press("Return")
    says(seat, "Give the address", address)
    seat.type("chat://:::")
    seat.press("Return")
    says(seat, "is not an address", address)
    seat.type(f"127.0.0.1:{free_ports()}")
    seat.press("Return")
    says(seat, "No broker answers at 127.0.0.1", address)
    seat.type(desk.address)
    seat.press("Return")
    says(seat, "The name bob is taken", name)
    seat.type("bobby")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")
    seat.sees("bobby joined the room")


def test_the_card_can_be_used_with_the_mouse(desk: Desk) -> None:
    seat = desk.start(answer_ms=SOON_MS)
    name, address = fields(seat)
    seat.click(address)
    seat.type("127.0.0.1:1")
    seat.click(name)
    seat.type("ann")
    seat.click(seat.button("Join"))
    says(seat, "No broker answers at 127.0.0.1:1", address)
    seat.type(desk.address)
    seat.click(seat.button("Join"))
    desk.until(seat.live, "the chat is open")


def test_a_host_that_is_not_there_is_said_next_to_the_address(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")  # whatever network the tests have

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    seat = desk.start(Wish("ann", "no-such-host.invalid", theme="light"), answer_ms=SOON_MS)
    says(seat, "There is no host 'no-such-host.invalid'", fields(seat)[1])


def test_a_taken_name_on_the_command_line_is_said_on_the_card(desk: Desk) -> None:
    desk.guest("ann", other=True)
    seat = desk.start(Wish("ann", desk.address, theme="light"))
    says(seat, "The name ann is taken", fields(seat)[0])
    seat.type("anna")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")


# ---- what was used before --------------------------------------------------------------------------------------


def test_names_and_addresses_of_before_are_offered_and_the_last_ones_filled_in(desk: Desk) -> None:
    for person in ("ann", "bob"):
        desk.join(person, settings="shared").close()
    seat = desk.start(settings="shared")
    name, address = fields(seat)
    assert (name.get(), address.get()) == ("bob", desk.address)
    desk.until(lambda: seat.focused() is seat.button("Join"), "Enter is enough")
    seat.click(name, name.winfo_width() - 8)  # the arrow
    desk.until(lambda: seat.root.tk.call("ttk::combobox::PopdownWindow", name), "there is a list")
    listed = f"{seat.root.tk.call('ttk::combobox::PopdownWindow', name)}.f.l"
    desk.until(lambda: seat.root.tk.call("winfo", "ismapped", listed), "the names are listed")
    assert seat.root.tk.call(listed, "get", 0, "end") == ("bob", "ann")
    seat.press("Down", "Return")
    desk.until(lambda: name.get() == "ann", "the other one is chosen")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")
    desk.until(lambda: seat.people() == ["ann (you)", "bob"], "ann is in it")


def test_enter_alone_is_enough_the_second_time(desk: Desk) -> None:
    desk.join("ann", settings="shared").close()
    seat = desk.start(settings="shared")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")


def test_a_name_and_an_address_on_the_command_line_are_not_asked_for(desk: Desk) -> None:
    seat = desk.start(Wish("ann", desk.address, theme="light"))
    desk.until(seat.live, "the chat is open")


@pytest.mark.parametrize("how", ["ctrl+q", "Ctrl-C in the terminal"])
def test_the_command_itself_opens_a_window(desk: Desk, how: str) -> None:
    command = [sys.executable, "-m", "chat_client", "--name", "ann", "--theme", "light", desk.address]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert desk.broker is not None
        broker, shown = desk.broker, ["xdotool", "search", "--onlyvisible", "--name", "#lobby"]
        desk.until(lambda: subprocess.run(shown, capture_output=True).stdout, "there is a window")
        do("search", "--onlyvisible", "--name", "#lobby", "windowactivate", "--sync")
        do("type", "hello from a process of my own")
        do("key", "Return")
        desk.until(lambda: texts(broker.log("lobby")) == ["hello from a process of my own"], "it is said")

        def ended() -> bool:
            # The window may not have heard yet that the broker has the message: then it asks, and is asked again.
            if how == "ctrl+q":
                do("key", "Escape", "ctrl+q")
            else:
                process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
            return process.returncode is not None

        desk.until(ended, "the program ends")
        assert process.communicate(timeout=LONG)[1] == ""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_the_room_of_a_join_string_is_opened(desk: Desk) -> None:
    desk.guest("bob").create("plans")
    seat = desk.start(Wish("ann", replace(parse_address(desk.address), room="plans").join, theme="light"))
    desk.until(seat.live, "the chat is open")
    desk.until(lambda: seat.window.header.texts[0] == "# plans", "the room is open")


# ---- stopping --------------------------------------------------------------------------------------------------


def test_esc_stops_what_is_going_on_and_then_leaves(desk: Desk) -> None:
    seat = desk.start(Wish("ann", f"127.0.0.1:{free_ports()}", theme="light"))
    desk.until(lambda: any("Looking for the chat" in text for text in seat.labels()), "it looks for the broker")
    seat.press("Escape")
    desk.until(lambda: not any("Looking" in text for text in seat.labels()), "it does so no more")
    seat.press("Escape")
    desk.until(lambda: not seat.is_open, "the window is closed")


def test_the_buttons_stop_and_leave_too(desk: Desk) -> None:
    seat = desk.start(Wish("ann", f"127.0.0.1:{free_ports()}", theme="light"))
    seat.click(seat.button("Cancel"))
    seat.click(seat.button("Quit"))
    desk.until(lambda: not seat.is_open, "the window is closed")


def test_another_chat_can_be_joined_from_the_menu(desk: Desk) -> None:
    seat = desk.join("ann")
    seat.menu("Join another chat")
    name, address = fields(seat)
    assert (name.get(), address.get()) == ("ann", desk.address)
    seat.click(name)
    seat.press("ctrl+a")
    seat.type("anna")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")
    desk.until(lambda: seat.people() == ["anna (you)", "ann"], "under the other name")


# ---- a chat of one's own ---------------------------------------------------------------------------------------


def host(folder: Path) -> Host:
    """One whose broker only this machine can reach."""
    return Host(["--bind", "127.0.0.1", "--data", str(folder / "hosted")])


def answers(port: int) -> bool:
    """Is there anything at this port?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_serve_starts_a_broker_and_joins_it_and_closing_stops_it(desk: Desk) -> None:
    port = free_ports()
    seat = desk.start(Wish("ann", f"127.0.0.1:{port}", serve=True, theme="light"), host=host(desk.folder))
    desk.until(seat.live, "the chat is open")
    seat.sees("Others join it with: chat://")
    seat.send("hello")
    seat.sees("hello ✓")
    assert answers(port)
    seat.press("ctrl+q")
    desk.until(lambda: not seat.is_open, "nobody else is here: it closes at once")
    assert not answers(port)


def test_a_chat_can_be_started_from_the_card(desk: Desk) -> None:
    port = free_ports()
    seat = desk.start(Wish(address=f"127.0.0.1:{port}", theme="light"), host=host(desk.folder))
    seat.type("ann")
    seat.click(seat.all(ttk.Checkbutton, seat.card)[0])
    seat.click(seat.button("Join"))
    desk.until(seat.live, "the chat is open")
    assert answers(port)


def hosted_key(seat: Seat) -> str:
    """The key of the broker that a window has started."""
    assert seat.app.home.hosted is not None
    return seat.app.home.hosted.address.key


def test_serve_joins_the_broker_that_is_there(desk: Desk) -> None:
    bob = desk.guest("bob")
    seat = desk.start(Wish("ann", desk.address, serve=True, theme="light"), host=host(desk.folder))
    desk.until(seat.live, "the chat is open")
    bob.say("hello ann")
    seat.sees("hello ann")
    seat.press("ctrl+q")
    desk.until(lambda: not seat.is_open, "it closes")
    bob.say("still here")


def test_why_no_broker_can_be_started_is_said_and_the_card_stays(desk: Desk) -> None:
    (desk.folder / "hosted").write_text("a file is in the way")
    port = free_ports()
    seat = desk.start(Wish("ann", f"127.0.0.1:{port}", serve=True, theme="light"), host=host(desk.folder))
    desk.until(lambda: any("The broker cannot be started" in text for text in seat.labels()), "it says why")
    seat.press("Escape")
    desk.until(lambda: not seat.is_open, "nothing is going on that could be stopped")


def test_whoever_runs_the_chat_is_asked_before_it_stops_for_others(desk: Desk) -> None:
    port = desk.port = free_ports()
    seat = desk.start(Wish("ann", desk.address, serve=True, theme="light"), host=host(desk.folder))
    desk.until(seat.live, "the chat is open")
    desk.key = hosted_key(seat)
    bob = desk.guest("bob")
    desk.until(lambda: seat.here() == ["ann (you)", "bob"], "bob is here")
    seat.press("ctrl+q")
    desk.until(lambda: seat.app.question.is_open, "it asks")
    assert any(text.startswith("1 other is here.") for text in seat.labels(seat.app.question))
    seat.press("Escape")
    bob.say("still running")
    seat.sees("still running")
    seat.press("ctrl+q")
    desk.until(lambda: seat.app.question.is_open, "it asks again")
    seat.click(seat.button("Stop it"))
    desk.until(lambda: not seat.is_open, "the window is closed")
    assert not answers(port)


def test_who_looks_for_another_chat_meanwhile_does_not_stop_ones_own(desk: Desk) -> None:
    port = desk.port = free_ports()
    seat = desk.start(Wish("ann", desk.address, serve=True, theme="light"), host=host(desk.folder))
    desk.until(seat.live, "the chat is open")
    desk.key = hosted_key(seat)
    bob = desk.guest("bob")
    seat.menu("Join another chat")
    seat.click(fields(seat)[1])
    seat.press("ctrl+a")
    seat.type(f"127.0.0.1:{free_ports()}")
    seat.press("Return")
    seat.click(seat.button("Cancel"))
    seat.button("Quit")
    bob.say("still running")
    assert answers(port)


def test_ones_own_chat_is_not_stopped_without_asking_from_elsewhere_either(desk: Desk) -> None:
    port = desk.port = free_ports()
    seat = desk.start(Wish("ann", desk.address, serve=True, theme="light"), host=host(desk.folder))
    desk.until(seat.live, "the chat is open")
    seat.menu("Join another chat")
    desk.until(lambda: not seat.is_chat, "the card is there")
    seat.app.close()  # what the window manager calls for its button
    desk.until(lambda: seat.app.question.is_open, "it asks")
    assert any("Others may be in it." in text for text in seat.labels(seat.app.question))
    seat.click(seat.button("Stop it"))
    desk.until(lambda: not seat.is_open, "the window is closed")
    assert not answers(port)


def test_ones_own_chat_that_died_is_started_again(desk: Desk) -> None:
    port = free_ports()
    seat = desk.start(Wish("ann", f"127.0.0.1:{port}", serve=True, theme="light"), host=host(desk.folder))
    desk.until(seat.live, "the chat is open")
    seat.send("before")
    seat.sees("before ✓")
    process = seat.app.home.host._process
    assert process is not None
    process.kill()
    seat.sees("had stopped, and was started again")
    desk.until(seat.live, "it is live again")
    seat.send("after")
    seat.sees("after ✓")
    assert answers(port)


@pytest.mark.parametrize(
    ("news", "title"),
    [
        (effects.TurnedAway(m.Refused(1, "name_taken", "The name ann is taken.", "final")), "does not let you in"),
        (orders.Unusable("The chat cannot go on (it broke)."), "The chat cannot go on"),
    ],
)
def test_an_open_chat_that_is_over_says_so_and_leads_to_another(desk: Desk, news: News, title: str) -> None:
    seat = desk.join("ann")
    assert seat.app.controller is not None
    seat.app.controller.backend.news.put(news)
    desk.until(lambda: seat.app.question.is_open, "it is said")
    assert any(title in text for text in seat.labels(seat.app.question))
    seat.click(seat.button("Join another chat"))
    desk.until(lambda: not seat.is_chat, "the card is there")


# ---- a broker that nobody knows yet ----------------------------------------------------------------------------


def test_whoever_types_an_address_confirms_the_fingerprint_once(desk: Desk) -> None:
    seat = desk.start(Wish("ann", desk.where, theme="light"))
    desk.until(lambda: fingerprint(desk.key) in seat.labels(seat.card), "the fingerprint is shown")
    assert not seat.is_chat
    seat.click(seat.button("Join", seat.card))
    desk.until(seat.live, "the chat is open")
    assert "· encrypted" in seat.status()
    seat.close()
    seat = desk.start(Wish("ann", desk.where, theme="light"))
    desk.until(seat.live, "it is known now")


def test_whoever_does_not_confirm_it_is_back_at_the_card(desk: Desk) -> None:
    seat = desk.start(Wish("ann", desk.where, theme="light"))
    desk.until(lambda: fingerprint(desk.key) in seat.labels(seat.card), "the fingerprint is shown")
    seat.press("Escape")
    seat.button("Quit")
    assert fields(seat)[1].get() == desk.where
    assert not seat.is_chat
    assert seat.app.controller is None


def test_a_key_that_is_not_the_known_one_is_forgotten_after_a_second_question(desk: Desk) -> None:
    Pins(folder_for("ann")).keep(parse_address(desk.where), "o" * 40)
    seat = desk.start(Wish("ann", desk.where, theme="light"))
    forget = seat.button("Forget the old key", seat.card)
    assert any(fingerprint(desk.key) in text for text in seat.labels(seat.card))
    seat.press("Return")  # which harms nothing
    seat.button("Quit")
    seat.press("Return")
    forget = seat.button("Forget the old key", seat.card)
    seat.click(forget)
    desk.until(lambda: seat.app.question.is_open, "it asks again")
    assert not seat.is_chat
    seat.press("Return")
    desk.until(lambda: fingerprint(desk.key) in seat.labels(seat.card), "the new fingerprint is to be compared")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")


def test_a_join_string_with_the_key_of_before_leads_to_the_new_fingerprint(desk: Desk) -> None:
    stale = replace(parse_address(desk.address), key="o" * 40)
    Pins(folder_for("ann")).keep(stale, stale.key)
    seat = desk.start(Wish("ann", stale.join, theme="light"))
    seat.click(seat.button("Forget the old key", seat.card))
    desk.until(lambda: seat.app.question.is_open, "it asks again")
    seat.press("Return")
    desk.until(lambda: fingerprint(desk.key) in seat.labels(seat.card), "the new fingerprint is to be compared")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")
    seat.close()
    seat = desk.start()
    assert fields(seat)[1].get() == desk.where


def test_another_key_in_a_join_string_than_the_known_one_is_not_taken_unasked(desk: Desk) -> None:
    Pins(folder_for("ann")).keep(parse_address(desk.where), "o" * 40)
    seat = desk.start(Wish("ann", desk.address, theme="light"))
    seat.click(seat.button("Forget the old key", seat.card))
    desk.until(lambda: seat.app.question.is_open, "it asks again")
    seat.press("Return")
    desk.until(seat.live, "the chat is open")


def test_when_the_right_broker_is_back_the_card_goes_on_by_itself(desk: Desk) -> None:
    desk.stop_broker()
    with socket.socket() as other:
        other.bind(("127.0.0.1", desk.port))
        other.listen()
        seat = desk.start(Wish("ann", desk.address, theme="light"))
        desk.until(lambda: any("another program" in text for text in seat.labels(seat.card)), "it says so")
        seat.button("Cancel")
    desk.serve()
    desk.until(seat.live, "the chat is open")


def test_an_address_is_remembered_without_the_invitation_in_it() -> None:
    whole = Address("10.0.3.7", 5555, "plans", "k" * 40, "0123456789abcdefghjk")
    kept = without_secret(whole.join)
    assert whole.invite not in kept
    assert parse_address(kept) == replace(whole, invite="")
    assert without_secret("10.0.3.7") == "10.0.3.7"


# ---- without the broker ----------------------------------------------------------------------------------------


def test_the_window_opens_with_what_was_there_while_the_broker_is_away(desk: Desk) -> None:
    bob = desk.guest("bob")
    ann = desk.join("ann")
    bob.say("remember this")
    ann.sees("remember this")
    ann.close()
    desk.stop_broker()
    ann = desk.start(Wish("ann", desk.address, theme="light"))
    desk.until(lambda: ann.is_chat, "the chat is open")
    ann.sees("remember this")
    assert list(ann.rooms()) == ["lobby"]
    assert ann.status().startswith(f"Looking for the broker at {desk.where}…")
    assert not ann.live()
    desk.serve()
    desk.until(ann.live, "it is there again")
