"""What is asked over the window, with real keys."""

import tkinter as tk
from tkinter import ttk

import pytest

from chat_client.gui.look import Look
from chat_client.gui.question import Field, Question
from tests.gui.hands import below, copy, not_whole, press, settle, type_text, window


class Desk:
    """A question over a window, and what it was answered."""

    def __init__(self, root: tk.Tk, scale: float = 1.0) -> None:
        self.root = root
        self.answers: list[str] = []
        self.question = Question(root, Look(root, scale=scale))
        window(root, round(480 * scale), round(360 * scale))

    def ask(self, field: Field | None = None, harms: bool = False) -> None:
        answers = [(label, lambda label=label: self.answers.append(label)) for label in ("Remove", "Cancel")]
        self.question.ask("Remove Ben?", "He is told so. " * 8, answers, field=field, harms=harms)
        settle(self.root)

    def entry(self) -> ttk.Entry:
        return next(part for part in below(self.question) if isinstance(part, ttk.Entry))


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    return Desk(root)


def test_a_reason_is_typed_and_enter_takes_the_first_answer(desk: Desk) -> None:
    desk.ask(Field("Reason"))
    type_text(desk.root, "spam ")
    press(desk.root, "Return")
    assert (desk.answers, desk.question.typed, desk.question.is_open) == (["Remove"], "spam", False)


def test_tab_goes_from_the_field_to_the_buttons_and_escape_is_the_last_answer(desk: Desk) -> None:
    desk.ask(Field("Reason"))
    field = desk.root.focus_get()
    press(desk.root, "Tab", "Tab", "Tab")
    assert desk.root.focus_get() is field
    press(desk.root, "Shift-Tab", "Escape")
    assert desk.answers == ["Cancel"]
    desk.ask(Field("Reason"))
    press(desk.root, "Escape")
    assert desk.answers == ["Cancel", "Cancel"]


def test_another_question_has_neither_the_field_nor_what_was_typed(desk: Desk) -> None:
    desk.ask(Field("Reason"))
    type_text(desk.root, "spam")
    press(desk.root, "Return")
    desk.ask()
    assert not [part for part in below(desk.question) if isinstance(part, ttk.Entry)]
    press(desk.root, "Return")
    desk.ask(Field("Reason"))
    assert (desk.question.typed, desk.answers) == ("", ["Remove", "Remove"])


def test_what_is_to_be_copied_is_selected_and_cannot_be_changed(desk: Desk) -> None:
    desk.ask(Field("Join string", "chat://here:5555?invite=abc", fixed=True))
    copy(desk.root, "other")
    press(desk.root, "x", "BackSpace")
    desk.entry().event_generate("<<Paste>>")
    desk.entry().event_generate("<<Copy>>")
    settle(desk.root)
    assert desk.question.typed == "chat://here:5555?invite=abc"
    assert desk.root.clipboard_get() == "chat://here:5555?invite=abc"


def test_what_cannot_be_undone_is_red(desk: Desk) -> None:
    for harms, style in ((True, "Danger.TButton"), (False, "Accent.TButton")):
        desk.ask(harms=harms)
        buttons = [part for part in below(desk.question) if isinstance(part, ttk.Button)]
        assert style in [str(button.cget("style")) for button in buttons]
        press(desk.root, "Escape")


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_nothing_of_it_is_cut_off(root: tk.Tk, scale: float) -> None:
    desk = Desk(root, scale)
    for field in (None, Field("Reason"), Field("Join string", "chat://" + "here" * 40, fixed=True), None):
        desk.ask(field)
        assert not_whole(desk.question) == []
        press(root, "Escape")
