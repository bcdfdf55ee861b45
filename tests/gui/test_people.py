"""The list of people, with real keys and clicks."""

import time
import tkinter as tk

import pytest

from chat_client.gui.look import Look
from chat_client.gui.people import PeopleList
from chat_client.model.shown import PersonItem
from tests.gui.hands import click, not_whole, press, settle, window

PEOPLE = [PersonItem("u1", "ada", True, me=True), PersonItem("u2", "Bob", True), PersonItem("u3", "Zoë", False)]


class Desk:
    """A list of people in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk, width: int = 200, height: int = 300, scale: float = 1.0) -> None:
        self.root = root
        self.named: list[str] = []
        self.look = Look(root, scale=scale)
        self.asked: list[str] = []
        self.people = PeopleList(
            root, self.look, on_person=self.named.append, on_menu=lambda user, x, y: self.asked.append(user)
        )
        self.people.pack(fill="both", expand=True)
        self.tree = self.people.list.tree
        window(root, width, height)

    def click(self, user: str, times: int) -> None:
        box = self.tree.bbox(user)
        assert box
        click(self.tree, box[0] + 30, box[1] + 5, times)

    def dots(self) -> list[str]:
        return [self.people.list.row(user).left for user in self.people.list.ids()]


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    made = Desk(root)
    made.people.show_people("MEMBERS — 2 online", PEOPLE)
    settle(root)
    return made


def test_everybody_has_a_dot_and_i_am_marked(desk: Desk) -> None:
    assert [desk.people.list.shown(user) for user in desk.people.list.ids()] == ["ada (you)", "Bob", "Zoë"]
    here, away = str(desk.look.dot(True)), str(desk.look.dot(False))
    assert desk.dots() == [here, here, away]
    assert ["dim" in desk.tree.item(user, "tags") for user in desk.people.list.ids()] == [False, False, True]


def test_somebody_who_goes_is_moved_and_dim(desk: Desk) -> None:
    gone = PersonItem("u1", "ada", False, me=True)
    desk.people.show_people("MEMBERS — 1 online", [PEOPLE[1], gone, PEOPLE[2]])
    assert desk.people.list.ids() == ["u2", "u1", "u3"] == list(desk.tree.get_children())
    assert "dim" in desk.tree.item("u1", "tags")
    desk.people.show_people("MEMBERS — 1 online", [PEOPLE[1]])
    assert list(desk.tree.get_children()) == ["u2"]


def test_two_clicks_or_enter_name_somebody(desk: Desk) -> None:
    desk.click("u2", 1)
    assert desk.named == []
    desk.click("u3", 2)
    assert desk.named == ["Zoë"]
    desk.people.focus()
    settle(desk.root)
    press(desk.root, "Home", "Return", "Down", "KP_Enter")
    assert desk.named == ["Zoë", "ada", "Bob"]


def test_a_thousand_people_are_quick(desk: Desk) -> None:
    crowd = [PersonItem(f"u{n}", f"somebody number {n}", n % 3 == 0) for n in range(1000)]
    start = time.process_time()
    desk.people.show_people("MEMBERS", crowd)
    desk.root.update_idletasks()
    first = time.process_time() - start
    settle(desk.root)
    start = time.process_time()
    for n in range(10):
        changed = [*crowd[:n], *crowd[n + 1 :], PersonItem(f"u{n}", f"somebody number {n}", n % 3 != 0)]
        desk.people.show_people("MEMBERS", changed)
        desk.root.update_idletasks()
    again = (time.process_time() - start) / 10
    # Measured: 50 ms at first, 7 ms for each change; a slow machine may take some times as long.
    assert first < 0.25
    assert again < 0.05


def test_only_what_has_changed_is_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = [PersonItem(f"u{n}", f"somebody {n}", True) for n in range(100)]
    desk.people.show_people("MEMBERS", crowd)
    settle(desk.root)
    written = []
    monkeypatch.setattr(desk.tree, "item", lambda row, **options: written.append(row))
    desk.people.show_people("MEMBERS", [*crowd[2:], crowd[0], PersonItem("u1", "else", True)])
    assert written == ["u1"]


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_long_names_are_cut(root: tk.Tk, scale: float) -> None:
    desk = Desk(root, round(150 * scale), round(300 * scale), scale)
    people = [PersonItem(f"u{n}", f"somebody with a long name {n}", True) for n in range(30)]
    desk.people.show_people("MEMBERS — 30 of 1,000 online", people)
    settle(root)
    room = desk.tree.winfo_width() - 2 * desk.look.px(10) - desk.look.dot(True).width()
    shown = desk.people.list.shown("u1")
    assert shown.endswith("…")
    assert desk.look.font("text").measure(shown) <= room
    assert not_whole(desk.people) == []


def test_what_somebody_is_stands_behind_the_name(desk: Desk) -> None:
    mod, plain = PersonItem("u2", "Bob", True, role="moderator"), PersonItem("u3", "Zoë", False)
    desk.people.show_people("MEMBERS", [mod, plain])
    assert [desk.people.list.row(user).image for user in ("u2", "u3")] == [str(desk.look.label("moderator")), ""]
    desk.people.show_people("MEMBERS", [PersonItem("u2", "Bob", True, role="muted"), plain])
    assert desk.people.list.row("u2").image == str(desk.look.label("muted"))


def test_the_role_in_the_room_goes_before_that_in_the_chat(desk: Desk) -> None:
    ann = PersonItem("u1", "Ann", True, chat_role="admin")
    bob = PersonItem("u2", "Bob", True, role="moderator", chat_role="admin")
    desk.people.show_people("MEMBERS", [ann, bob])
    admin, moderator = desk.look.label("admin", filled=True), desk.look.label("moderator")
    assert [desk.people.list.row(user).image for user in ("u1", "u2")] == [str(admin), str(moderator)]


def test_the_right_button_and_the_menu_key_ask_about_somebody(desk: Desk) -> None:
    box = desk.tree.bbox("u3")
    assert box
    desk.tree.event_generate("<Button-3>", x=box[0] + 30, y=box[1] + 5)
    desk.people.focus()
    settle(desk.root)
    press(desk.root, "Home", "Shift-F10")
    assert (desk.asked, desk.named) == (["u3", "u1"], [])
