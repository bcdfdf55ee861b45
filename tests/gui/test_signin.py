"""The sign-in card, with real keys and clicks."""

import tkinter as tk
from tkinter import ttk
from typing import TypeVar

import pytest

from chat_client.gui.look import Look
from chat_client.gui.signin import SignIn
from tests.gui.hands import below, click, not_whole, press, settle, type_text, window

T = TypeVar("T")
LONG = "No broker answers at chat://192.168.1.20: look at the address, or start a chat on this computer. "


class Desk:
    """A sign-in card in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk, width: int = 480, height: int = 360, scale: float = 1.0) -> None:
        self.root = root
        self.submitted: list[tuple[str, str, bool]] = []
        self.cancelled = 0
        self.look = Look(root, scale=scale)
        self.card = SignIn(root, self.look, on_submit=self.submit, on_cancel=self.cancel)
        self.card.pack(fill="both", expand=True)
        window(root, round(width * scale), round(height * scale))
        self.card.fill("", "")
        settle(root)
        self.name, self.address = self.all(ttk.Combobox)
        self.serve = self.all(ttk.Checkbutton)[0]
        buttons = {button.cget("text"): button for button in self.all(ttk.Button)}
        self.join, self.quit = buttons["Join"], buttons["Quit"]

    def submit(self, name: str, address: str, serve: bool) -> None:
        self.submitted.append((name, address, serve))

    def cancel(self) -> None:
        self.cancelled += 1

    def all(self, kind: type[T]) -> list[T]:
        settle(self.root)
        return [part for part in below(self.card) if type(part) is kind]

    def said(self) -> list[str]:
        return [str(label.cget("text")) for label in self.all(ttk.Label)]

    def focus(self) -> tk.Misc | None:
        return self.root.focus_get()


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    return Desk(root)


def test_name_and_address_are_typed_and_enter_joins(desk: Desk) -> None:
    type_text(desk.root, " ann ")
    press(desk.root, "Tab")
    type_text(desk.root, "192.168.1.20")
    press(desk.root, "Return")
    assert desk.submitted == [("ann", "192.168.1.20", False)]


@pytest.mark.parametrize("key", ["Return", "KP_Enter"])
def test_enter_joins_from_everywhere_but_the_cancel_button(desk: Desk, key: str) -> None:
    desk.card.fill("ann", "here")
    for widget in (desk.name, desk.address, desk.serve, desk.join):
        widget.focus_set()
        press(desk.root, key)
    assert len(desk.submitted) == 4
    desk.quit.focus_set()
    press(desk.root, key)
    assert (len(desk.submitted), desk.cancelled) == (4, 1)


def test_escape_cancels_from_everywhere(desk: Desk) -> None:
    for widget in (desk.name, desk.address, desk.serve, desk.join, desk.quit):
        widget.focus_set()
        press(desk.root, "Escape")
    assert (desk.submitted, desk.cancelled) == ([], 5)


def test_the_buttons_can_be_clicked(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    click(desk.join)
    click(desk.quit)
    assert (desk.submitted, desk.cancelled) == ([("ann", "here", False)], 1)


def test_tab_goes_through_everything(desk: Desk) -> None:
    desk.name.focus_set()
    seen = []
    for _ in range(5):
        seen.append(desk.focus())
        press(desk.root, "Tab")
    assert seen == [desk.name, desk.address, desk.serve, desk.quit, desk.join]
    assert desk.focus() is desk.name


@pytest.mark.parametrize(
    ("name", "address", "focus"),
    [("", "", "name"), ("", "here", "name"), ("ann", "", "address"), ("ann", "here", "join")],
)
def test_the_focus_goes_to_what_is_missing(desk: Desk, name: str, address: str, focus: str) -> None:
    desk.card.fill(name, address)
    settle(desk.root)
    assert (desk.name.get(), desk.address.get()) == (name, address)
    assert desk.focus() is getattr(desk, focus)


def test_what_was_used_before_is_on_offer(desk: Desk) -> None:
    desk.card.show_known(["ann", "ann b"], ["here", "chat://there:1"])
    assert desk.name.cget("values") == ("ann", "ann b")
    assert desk.address.cget("values") == ("here", "chat://there:1")


def test_errors_stand_below_their_field_until_it_is_changed(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    desk.card.show_error("name", "This name is taken.")
    assert "This name is taken." in desk.said()
    assert desk.focus() is desk.name
    assert desk.name.instate(["invalid"])
    label = next(part for part in desk.all(ttk.Label) if part.cget("text") == "This name is taken.")
    assert desk.name.winfo_rooty() + desk.name.winfo_height() <= label.winfo_rooty() < desk.address.winfo_rooty()
    type_text(desk.root, "b")
    assert "This name is taken." not in desk.said()
    assert (desk.name.get(), desk.name.instate(["invalid"])) == ("b", False)
    desk.card.show_error("address", "Nobody answers there.")
    assert desk.focus() is desk.address
    label = next(part for part in desk.all(ttk.Label) if part.cget("text") == "Nobody answers there.")
    assert desk.address.winfo_rooty() + desk.address.winfo_height() <= label.winfo_rooty() < desk.serve.winfo_rooty()
    press(desk.root, "Return")
    assert "Nobody answers there." not in desk.said()


def test_only_one_error_at_a_time(desk: Desk) -> None:
    desk.card.show_error("name", "One.")
    desk.card.show_error("address", "Two.")
    desk.card.show_error("", "Three.")
    assert [text for text in desk.said() if text in ("One.", "Two.", "Three.")] == ["Three."]


def test_a_chat_on_this_computer_needs_no_address(desk: Desk) -> None:
    assert not desk.serve.instate(["alternate"])
    desk.card.fill("ann", "")
    desk.serve.focus_set()
    press(desk.root, "space")
    assert desk.address.instate(["disabled"])
    press(desk.root, "Return")
    assert desk.submitted == [("ann", "", True)]
    click(desk.serve)
    assert desk.address.instate(["!disabled"])


def test_while_it_is_busy_only_cancelling_is_possible(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    press(desk.root, "Return")
    desk.card.show_busy("Asking chat://here …")
    assert " Asking chat://here …" in desk.said()
    for widget in (desk.name, desk.address, desk.serve, desk.join):
        assert widget.instate(["disabled"])
    click(desk.join)
    press(desk.root, "Escape")
    assert (len(desk.submitted), desk.cancelled) == (1, 1)
    assert desk.quit.cget("text") == "Cancel"
    desk.card.show_busy("")
    assert desk.name.instate(["!disabled"])
    assert desk.quit.cget("text") == "Quit"
    assert desk.focus() is desk.join


def test_an_error_ends_being_busy(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    desk.card.show_busy("Asking …")
    desk.card.show_error("address", "Nobody answers there.")
    assert desk.address.instate(["!disabled"])
    assert desk.focus() is desk.address
    desk.card.show_busy("Asking …")
    desk.card.show_error("", "Something else.")
    assert "Something else." in desk.said()
    assert " Asking …" not in desk.said()


def test_busy_keeps_the_address_disabled_where_a_chat_is_started(desk: Desk) -> None:
    desk.serve.focus_set()
    press(desk.root, "space")
    desk.card.show_busy("Starting …")
    desk.card.show_busy("")
    assert desk.address.instate(["disabled"])
    assert desk.name.instate(["!disabled"])


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("field", ["name", "address", ""])
def test_nothing_is_cut_off_in_the_smallest_window(root: tk.Tk, scale: float, field: str) -> None:
    desk = Desk(root, scale=scale)
    assert not_whole(desk.card) == []
    desk.card.show_error(field, LONG)  # type: ignore[arg-type]
    settle(root)
    assert not_whole(desk.card) == []
    desk.card.show_busy(LONG)
    settle(root)
    assert not_whole(desk.card) == []
