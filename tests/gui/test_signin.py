"""The sign-in card, with real keys and clicks."""

import tkinter as tk
from tkinter import font as tkfont
from tkinter import ttk
from typing import TypeVar

import pytest

from chat_client.gui.look import Look
from chat_client.gui.signin import SignIn, Wanted
from chat_client.gui.step import Asked
from tests.gui.hands import below, click, not_whole, press, settle, type_text, window

T = TypeVar("T")
LONG = "No broker answers at chat://192.168.1.20: look at the address, or start a chat on this computer. "


class Desk:
    """A sign-in card in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk, width: int = 480, height: int = 360, scale: float = 1.0) -> None:
        self.root = root
        self.submitted: list[Wanted] = []
        self.cancelled = 0
        self.look = Look(root, scale=scale)
        self.card = SignIn(root, self.look, on_submit=self.submitted.append, on_cancel=self.cancel)
        self.card.pack(fill="both", expand=True)
        window(root, round(width * scale), round(height * scale))
        self.card.fill("", "")
        settle(root)
        self.name, self.address = self.all(ttk.Combobox)
        self.serve = self.all(ttk.Checkbutton)[0]
        buttons = {button.cget("text"): button for button in self.all(ttk.Button)}
        self.join, self.quit = buttons["Join"], buttons["Quit"]
        self.link = buttons["I have it on another machine"]

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
    assert desk.submitted == [Wanted("ann", "192.168.1.20")]


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
    assert (desk.submitted, desk.cancelled) == ([Wanted("ann", "here")], 1)


def test_tab_goes_through_everything(desk: Desk) -> None:
    desk.name.focus_set()
    seen = []
    for _ in range(6):
        seen.append(desk.focus())
        press(desk.root, "Tab")
    assert seen == [desk.name, desk.address, desk.serve, desk.link, desk.quit, desk.join]
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
    assert desk.submitted == [Wanted("ann", "", serve=True)]
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
    desk.card.show_trouble(LONG)
    settle(root)
    assert not_whole(desk.card) == []


def test_whoever_has_the_chat_elsewhere_types_the_code_from_there(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    desk.link.focus_set()
    press(desk.root, "Return")
    code = next(entry for entry in desk.all(ttk.Entry))
    assert desk.focus() is code
    assert not desk.link.winfo_viewable()
    type_text(desk.root, "k7qf2-m9xab")
    press(desk.root, "Return")
    assert desk.submitted == [Wanted("ann", "here", code="k7qf2-m9xab")]
    assert not_whole(desk.card) == []


def test_trouble_is_told_while_it_is_tried_on_and_changing_the_address_stops_that(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    desk.card.show_busy("Looking …")
    desk.card.show_trouble("Another program has the port.")
    assert {"Another program has the port.", " Trying again and again…"} <= set(desk.said())
    assert desk.focus() is desk.address
    assert desk.quit.cget("text") == "Cancel"
    type_text(desk.root, "th")
    assert (desk.cancelled, desk.submitted) == (1, [])
    desk.card.show_busy("")  # as the window does then
    assert desk.quit.cget("text") == "Quit"
    assert not {"Another program has the port.", " Trying again and again…"} & set(desk.said())
    assert (desk.focus(), desk.address.get()) == (desk.address, "th")


def test_trouble_goes_when_another_attempt_is_made(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    desk.card.show_trouble("Another program has the port.")
    desk.card.show_busy("Looking …")
    assert [text for text in desk.said() if "again" in text or "program" in text] == []
    desk.card.show_trouble("Another program has the port.")
    press(desk.root, "Escape")
    assert desk.cancelled == 1


# ---- the cards that stand in for it


class Answers:
    """Counts the answers to a step."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def asked(self, *labels: str, warns: bool = False, waits: bool = False, text: str = "Is it?") -> Asked:
        answers = [(label, lambda label=label: self.given.append(label)) for label in labels]
        return Asked("Is this the right chat?", text, answers, "k3vq-7xma-2bnt-c5we", "Compare it.", warns, waits)


def test_a_fingerprint_is_shown_large_and_enter_takes_the_first_answer(desk: Desk) -> None:
    answers = Answers()
    desk.card.fill("ann", "here")
    desk.card.show_step(answers.asked("Join", "Cancel"))
    settle(desk.root)
    assert {"Is this the right chat?", "Is it?", "k3vq-7xma-2bnt-c5we", "Compare it."} == set(desk.said())
    code = next(label for label in desk.all(ttk.Label) if label.cget("text") == "k3vq-7xma-2bnt-c5we")
    font = tkfont.Font(desk.root, font=ttk.Style(desk.root).lookup(code.cget("style"), "font"))
    assert font.metrics("fixed")
    assert font.metrics("linespace") > desk.look.font("text").metrics("linespace")
    press(desk.root, "Return", "Tab", "space", "Escape")
    assert sorted(answers.given) == ["Cancel", "Cancel", "Join"]
    assert (desk.submitted, desk.cancelled) == ([], 0)


def test_a_warning_gives_enter_to_the_answer_that_does_no_harm(desk: Desk) -> None:
    answers = Answers()
    desk.card.show_step(answers.asked("Join all the same", "Cancel", warns=True))
    settle(desk.root)
    press(desk.root, "Return", "Left", "Return", "Right", "space")
    assert answers.given == ["Cancel", "Join all the same", "Cancel"]


def test_behind_a_step_the_fields_are_as_they_were(desk: Desk) -> None:
    desk.card.fill("ann", "here")
    desk.card.show_busy("Looking …")
    desk.card.show_step(Answers().asked("Join", "Cancel"))
    settle(desk.root)
    assert not desk.name.winfo_viewable()
    desk.card.show_busy("")
    settle(desk.root)
    assert (desk.name.get(), desk.address.get()) == ("ann", "here")
    assert desk.name.instate(["!disabled"])
    assert desk.focus() is desk.join
    assert "k3vq-7xma-2bnt-c5we" not in desk.said()


def test_one_step_takes_the_place_of_another(desk: Desk) -> None:
    answers = Answers()
    desk.card.show_step(answers.asked("Join", "Cancel"))
    desk.card.show_step(answers.asked("Stop waiting", waits=True))
    settle(desk.root)
    assert [button.cget("text") for button in desk.all(ttk.Button)] == ["Stop waiting"]
    press(desk.root, "Return", "Escape")
    assert answers.given == ["Stop waiting", "Stop waiting"]


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_no_step_is_cut_off_in_the_smallest_window(root: tk.Tk, scale: float) -> None:
    desk = Desk(root, scale=scale)
    for warns, waits in ((False, False), (True, False), (False, True)):
        asked = Answers().asked("Forget the old key…", "Cancel", warns=warns, waits=waits, text=LONG * 2)
        desk.card.show_step(asked)
        settle(root)
        assert not_whole(desk.card) == []
