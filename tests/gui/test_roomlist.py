"""The list of rooms, with real keys and clicks."""

import tkinter as tk
from tkinter import font as tkfont
from tkinter import ttk

import pytest

from chat_client.gui.look import Look
from chat_client.gui.roomlist import RoomList
from chat_client.model.shown import RoomItem
from tests.gui.hands import click, not_whole, press, settle, window

ROOMS = [RoomItem(name, name) for name in ("general", "engineering", "deploys", "random")]


class Desk:
    """A list of rooms in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk, width: int = 240, height: int = 360, scale: float = 1.0) -> None:
        self.root = root
        self.opened: list[str] = []
        self.menus: list[tuple[str, int, int]] = []
        self.jumps = 0
        self.look = Look(root, scale=scale)
        self.rooms = RoomList(root, self.look, on_open=self.opened.append, on_jump=self.jump, on_menu=self.menu)
        self.rooms.pack(fill="both", expand=True)
        self.tree = self.rooms.list.tree
        window(root, width, height)

    def jump(self) -> None:
        self.jumps += 1

    def menu(self, room: str, x: int, y: int) -> None:
        self.menus.append((room, x, y))

    def show(self, *items: RoomItem, current: str = "general") -> None:
        self.rooms.show_rooms(items, current)
        settle(self.root)

    def click(self, room: str, times: int = 1) -> None:
        box = self.tree.bbox(room)
        assert box
        click(self.tree, box[0] + 20, box[1] + 5, times)

    def first_seen(self) -> str:
        return str(self.tree.identify_row(2))


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    made = Desk(root)
    made.show(*ROOMS)
    return made


def test_rooms_are_shown_in_their_order_and_the_current_one_is_chosen(desk: Desk) -> None:
    assert [desk.rooms.list.shown(room) for room in desk.rooms.list.ids()] == [
        "general",
        "engineering",
        "deploys",
        "random",
    ]
    assert (desk.rooms.list.chosen, desk.rooms.list.cursor) == ("general", "general")


def test_showing_rooms_opens_none(desk: Desk) -> None:
    desk.show(*ROOMS[::-1], current="random")
    desk.show(ROOMS[1], current="engineering")
    desk.show()
    assert desk.opened == []


def test_a_click_opens_and_leaves_the_focus_where_it_is(desk: Desk) -> None:
    entry = ttk.Entry(desk.root)
    entry.pack()
    entry.focus_set()
    settle(desk.root)
    desk.click("deploys")
    assert desk.opened == ["deploys"]
    assert desk.root.focus_get() is entry
    assert desk.rooms.list.chosen == "general"  # the window says which one is open


def test_two_clicks_open_once(desk: Desk) -> None:
    desk.click("deploys", times=3)
    assert desk.opened == ["deploys"]


def test_a_click_below_the_rooms_opens_none(desk: Desk) -> None:
    click(desk.tree, 20, desk.tree.winfo_height() - 3)
    assert desk.opened == []


@pytest.mark.parametrize("key", ["Return", "KP_Enter", "space"])
def test_keys_move_and_open(desk: Desk, key: str) -> None:
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "Down", "Down")
    assert desk.opened == []
    press(desk.root, key)
    press(desk.root, "Up", key)
    assert desk.opened == ["deploys", "engineering"]


def test_home_and_end_and_the_ends(desk: Desk) -> None:
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "Up", "Return", "End", "Down", "Return", "Home", "Return")
    assert desk.opened == ["general", "random", "general"]


def test_alt_and_an_arrow_are_the_windows(desk: Desk) -> None:
    heard = []
    desk.root.bind("<Alt-Down>", lambda event: heard.append("down"))
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "Alt-Down")
    assert heard == ["down"]


def test_the_cursor_stays_at_its_room_and_follows_the_current_one(desk: Desk) -> None:
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "End")
    desk.show(RoomItem("aardvark", "aardvark"), *ROOMS)
    assert desk.rooms.list.cursor == "random"
    desk.show(*ROOMS, current="deploys")
    assert desk.rooms.list.cursor == "deploys"


def test_when_the_cursors_room_goes_the_next_one_gets_it(desk: Desk) -> None:
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "Down")
    desk.show(ROOMS[0], *ROOMS[2:])
    assert desk.rooms.list.cursor == "deploys"
    desk.show(ROOMS[0])
    assert desk.rooms.list.cursor == "general"
    desk.show(current="")
    press(desk.root, "Return", "Down", "Return")
    assert desk.opened == []


def test_what_is_scrolled_to_stays(desk: Desk) -> None:
    many = [RoomItem(f"room{n:02}", f"room{n:02}") for n in range(50)]
    desk.show(*many, current="room00")
    desk.tree.yview_moveto(20 / 50)
    settle(desk.root)
    first = desk.first_seen()
    desk.show(RoomItem("a", "a"), RoomItem("b", "b"), *many, current="room00")
    assert desk.first_seen() == first
    desk.show(*many[10:], current="room00")
    assert desk.first_seen() == first
    desk.tree.yview_moveto(0)
    desk.show(*many, current="room00")
    assert desk.first_seen() == "room00"


def test_a_room_that_gets_current_is_scrolled_to(desk: Desk) -> None:
    many = [RoomItem(f"room{n:02}", f"room{n:02}") for n in range(50)]
    desk.show(*many, current="room00")
    desk.show(*many, current="room40")
    assert desk.tree.bbox("room40")


def test_what_is_unread_is_bold_and_counted(desk: Desk) -> None:
    desk.show(ROOMS[0], RoomItem("a", "a", 12), RoomItem("b", "b", 3, 1), RoomItem("c", "c", 100), RoomItem("d", "d"))
    images = [desk.rooms.list.row(room).image for room in "abcd"]
    badges = desk.look.badge(12), desk.look.badge(3, mention=True), desk.look.badge(100)
    assert images == [*map(str, badges), ""]
    assert "strong" in desk.tree.item("a", "tags")
    assert "strong" not in desk.tree.item("d", "tags")
    assert tkfont.Font(desk.root, font=desk.tree.tag_configure("strong", "font")).actual("weight") == "bold"
    desk.show(ROOMS[0], RoomItem("a", "a"))
    assert not desk.rooms.list.row("a").image
    assert "strong" not in desk.tree.item("a", "tags")


def test_a_draft_has_a_mark_with_and_without_a_badge(desk: Desk) -> None:
    desk.show(RoomItem("a", "a", draft=True), RoomItem("b", "b", 3, draft=True), RoomItem("c", "c", 4, draft=True))
    widths = [int(desk.root.tk.call("image", "width", desk.rooms.list.row(room).image)) for room in "abc"]
    assert 0 < widths[0] < desk.look.badge(3).width() + widths[0] < widths[1] == widths[2]
    desk.look.set_zoom(5)
    settle(desk.root)
    assert int(desk.root.tk.call("image", "width", desk.rooms.list.row("a").image)) > widths[0]


def test_long_names_are_cut_before_the_badge(desk: Desk) -> None:
    name = "a-very-long-name-of-a-room-it-is"
    desk.show(RoomItem("plain", name), RoomItem("badge", name, 120))
    plain, badge = desk.rooms.list.shown("plain"), desk.rooms.list.shown("badge")
    assert plain.endswith("…")
    assert badge.endswith("…")
    width = desk.tree.winfo_width() - 2 * desk.look.px(10)
    assert desk.look.font("text").measure(plain) <= width
    assert desk.look.font("bold").measure(badge) < width - desk.look.badge(120).width()
    window(desk.root, 600, 360)
    assert desk.rooms.list.shown("badge") == name


def test_the_button_jumps_by_click_and_by_key(desk: Desk) -> None:
    button = next(part for part in desk.rooms.winfo_children() if isinstance(part, ttk.Button))
    click(button)
    assert desk.jumps == 1
    button.focus_set()
    settle(desk.root)
    press(desk.root, "space")
    assert desk.jumps == 2


def test_tab_reaches_the_button_and_the_list(desk: Desk) -> None:
    button = next(part for part in desk.rooms.winfo_children() if isinstance(part, ttk.Button))
    button.focus_set()
    settle(desk.root)
    press(desk.root, "Tab")
    assert desk.root.focus_get() is desk.tree
    assert desk.tree.instate(["focus"])


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_nothing_is_cut_off(root: tk.Tk, scale: float) -> None:
    desk = Desk(root, round(170 * scale), round(360 * scale), scale)
    desk.rooms.show_title("The broker with an extraordinarily long name")
    desk.show(*(RoomItem(f"room{n}", f"a room with a long name {n}", n) for n in range(40)))
    assert not_whole(desk.rooms) == []


def test_a_room_may_have_any_name(desk: Desk) -> None:
    names = ["007", "a b", "{", "-x", "$x[y]", "\U0001f600", "#", "café"]
    desk.show(*(RoomItem(name, name) for name in names), current="a b")
    assert desk.rooms.list.ids() == names
    assert desk.rooms.list.chosen == "a b"
    for name in names:
        desk.click(name)
    assert desk.opened == names


def test_direct_rooms_stand_below_a_heading_that_cannot_be_opened(desk: Desk) -> None:
    ben, both = RoomItem("@u1+u2", "Ben", kind="direct", here=True), RoomItem("@u1+u2+u3", "Ben, Zoë", kind="direct")
    desk.show(ROOMS[0], ben, ROOMS[1], both)
    heading = desk.tree.get_children()[2]
    assert desk.tree.item(heading, "text") == "DIRECT"
    assert desk.rooms.list.ids() == ["general", "engineering", ben.id, both.id]
    desk.click(str(heading))
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "Home", "Down", "Down", "Return", "Up", "Return", "End", "Return")
    assert desk.opened == [ben.id, "engineering", both.id]
    desk.show(*ROOMS)
    assert list(desk.tree.get_children()) == desk.rooms.list.ids()


def test_every_kind_of_room_has_a_sign_before_its_name(desk: Desk) -> None:
    there = RoomItem("@1", "Ben", kind="direct", here=True)
    away, group = RoomItem("@2", "Zoë", kind="direct"), RoomItem("@3", "Ben, Zoë", kind="direct", group=True)
    desk.show(ROOMS[0], RoomItem("plan", "plan", 3, kind="private"), there, away, group)
    look = desk.look
    wanted = [look.mark("hash"), look.mark("lock", True), look.dot(True), look.dot(False), look.mark("group")]
    assert [desk.rooms.list.row(room).left for room in desk.rooms.list.ids()] == [*map(str, wanted)]
    assert len({str(image) for image in wanted}) == 5


def test_names_begin_below_each_other_whatever_is_before_them(desk: Desk) -> None:
    desk.show(RoomItem("a", "a"), RoomItem("b", "b", kind="private"), RoomItem("c", "c", kind="direct"))
    texts = [str(desk.tree.item(room, "text")) for room in "abc"]
    assert len({len(text) - len(text.lstrip()) for text in texts}) == 1
    before = desk.look.font("text").measure(texts[0]) - desk.look.font("text").measure("a")
    assert before >= desk.look.mark("hash").width()


def test_invitations_stand_first_and_are_marked(desk: Desk) -> None:
    desk.show(*ROOMS, RoomItem("plan", "plan", kind="private", invited=True))
    assert desk.rooms.list.ids()[0] == "plan"
    assert desk.rooms.list.row("plan").image == str(desk.look.label("invited"))
    assert "strong" in desk.tree.item("plan", "tags")
    desk.click("plan")
    assert desk.opened == ["plan"]


def test_a_room_where_nothing_can_be_written_is_dim(desk: Desk) -> None:
    desk.show(ROOMS[0], RoomItem("old", "old", quiet=True), RoomItem("news", "news", 2, quiet=True))
    assert "dim" in desk.tree.item("old", "tags")
    assert "strong" in desk.tree.item("news", "tags")


def test_the_right_button_and_the_menu_keys_ask_what_can_be_done(desk: Desk) -> None:
    desk.show(*ROOMS, RoomItem("@1", "Ben", kind="direct"))
    box = desk.tree.bbox("deploys")
    assert box
    x, y = box[0] + 20, box[1] + 5
    desk.tree.event_generate("<Button-3>", x=x, y=y, rootx=x + 100, rooty=y + 50)
    settle(desk.root)
    assert (desk.menus, desk.opened) == ([("deploys", x + 100, y + 50)], [])
    heading = desk.tree.bbox(desk.tree.get_children()[-2])
    assert heading
    desk.tree.event_generate("<Button-3>", x=x, y=heading[1] + 5)
    desk.tree.event_generate("<Button-3>", x=x, y=desk.tree.winfo_height() - 2)
    desk.rooms.focus()
    settle(desk.root)
    press(desk.root, "Down", "Shift-F10")
    assert [room for room, _, _ in desk.menus] == ["deploys", "random"]
    assert desk.menus[1][2] > desk.tree.winfo_rooty()


def test_another_width_and_another_size_draw_the_signs_anew(desk: Desk) -> None:
    desk.show(ROOMS[0], RoomItem("plan", "plan", 3, kind="private"))
    before = int(desk.root.tk.call("image", "width", str(desk.tree.item("plan", "image")[0])))
    window(desk.root, 400, 360)
    after = int(desk.root.tk.call("image", "width", str(desk.tree.item("plan", "image")[0])))
    assert after == before + 160
    desk.look.set_zoom(5)
    settle(desk.root)
    image = str(desk.tree.item("plan", "image")[0])
    assert int(desk.root.tk.call("image", "height", image)) == desk.look.px(28)
