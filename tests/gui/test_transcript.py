"""The transcript, with real keys, clicks and scrolling."""

import random
import tkinter as tk
from collections.abc import Sequence
from datetime import datetime

import pytest

from chat_client.gui.look import Look
from chat_client.gui.transcript import TranscriptView
from chat_client.model.shown import Change, Delete, Insert, Kind, Line, Op, Row, State
from chat_client.model.transcript import applied
from tests.gui.hands import click, press, settle, until, window

TEN = int(datetime(2026, 11, 20, 10, 12).timestamp() * 1000)
MINUTE = 60_000


def said(
    key: str,
    text: str,
    name: str = "Priya Nair",
    head: bool = True,
    state: State = "",
    reason: str = "",
    mention: bool = False,
) -> Row:
    """A message at twelve minutes past ten."""
    line = Line(key, "message", text, TEN, name, name, mine=bool(state), mention=mention, state=state, reason=reason)
    return Row(line, head=head)


def many(count: int, first: int = 0) -> list[Row]:
    return [
        said(f"k{number}", f"message {number} " + "word " * (number % 30)) for number in range(first, first + count)
    ]


class Desk:
    """A transcript in a window, and what it was heard to say."""

    def __init__(self, root: tk.Tk) -> None:
        self.root = root
        self.scrolled: list[tuple[bool, bool]] = []
        self.links: list[str] = []
        self.edited: list[str] = []
        self.discarded: list[str] = []
        self.menus: list[tuple[str, int, int]] = []
        self.jumps = 0
        self.look = Look(root, scale=1.0)
        self.view = TranscriptView(
            root,
            self.look,
            on_scrolled=lambda *where: self.scrolled.append(where),
            on_link=self.links.append,
            on_edit=self.edited.append,
            on_discard=self.discarded.append,
            on_jump=self._on_jump,
            on_menu=lambda *asked: self.menus.append(asked),
        )
        self.text = self.view.text

    def _on_jump(self) -> None:
        self.jumps += 1

    def open(self, width: int = 600, height: int = 400) -> None:
        self.view.pack(fill="both", expand=True)
        window(self.root, width, height)

    def show(self, *rows: Row) -> None:
        self.view.show_rows(rows)
        settle(self.root)

    def change(self, *ops: Op) -> None:
        self.view.show_changes(ops)
        settle(self.root)

    def top_of(self, words: str) -> int:
        """How many pixels below the top of the view the line with these words is."""
        place = self.text.search(words, "1.0")
        assert place, f"{words!r} is not there"
        line = self.text.dlineinfo(place)
        assert line, f"{words!r} is not in view"
        return line[1]

    def scroll_to_middle(self) -> str:
        """Scroll somewhere, not to the border of a line; some words of the first message that begins in view."""
        self.text.yview_moveto(0.5)
        self.text.yview_scroll(7, "pixels")
        settle(self.root)
        assert not self.view.at_end
        first, last = (int(key[1:]) for key in self.view.visible_keys())
        return f"message {(first + last) // 2} "

    def middle_of(self, words: str) -> tuple[int, int]:
        """Where to click these words."""
        box = self.text.bbox(f"{self.text.search(words, '1.0')} +1c")
        assert box
        return box[0] + box[2] // 2, box[1] + box[3] // 2

    def left_of(self, words: str) -> int:
        box = self.text.bbox(self.text.search(words, "1.0"))
        assert box
        return box[0]

    def tags(self, words: str) -> set[str]:
        return set(self.text.tag_names(self.text.search(words, "1.0")))

    def images(self) -> list[str]:
        return [str(self.text.image_cget(name, "image")) for name in self.text.image_names()]

    def copied(self) -> str:
        return str(self.root.clipboard_get())


@pytest.fixture
def desk(root: tk.Tk) -> Desk:
    made = Desk(root)
    made.open()
    return made


# What is shown.


def test_a_message_has_avatar_name_and_time_and_the_next_of_its_group_only_its_text(desk: Desk) -> None:
    desk.show(said("1", "hello"), said("2", "and more", head=False))
    assert desk.view.text_of("1") == "Priya Nair  10:12\nhello"
    assert desk.view.text_of("2") == "and more"
    assert desk.images() == [str(desk.look.avatar("Priya Nair"))]


def test_name_and_text_begin_at_the_same_distance_from_the_left(desk: Desk) -> None:
    desk.show(said("1", "hello"), said("2", "and more", head=False))
    assert len({desk.left_of(words) for words in ("Priya", "hello", "and more")}) == 1


def test_a_name_has_its_colour_everywhere(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    tags = desk.tags("Priya")
    colours = [desk.text.tag_cget(tag, "foreground") for tag in tags if tag.startswith("name") and tag != "name"]
    assert colours == [desk.look.palette.name_colour("Priya Nair")]


def test_rules_for_a_day_and_for_what_is_new_stand_above_a_row(desk: Desk) -> None:
    desk.show(Row(said("1", "hello").line, day="Friday, 20 November", new=True, head=True))
    assert desk.view.text_of("1").split("\n")[0] == "Friday, 20 November"
    assert "\nNEW\n" in desk.view.text_of("1")
    assert desk.text.tag_cget("newrule", "background") == desk.look.palette.danger
    assert len(desk.text.tag_ranges("dayrule")) == len(desk.text.tag_ranges("newrule")) == 2


def test_a_rule_is_thin_and_as_wide_as_the_view(desk: Desk) -> None:
    desk.show(Row(said("1", "hello").line, day="Friday", head=True))
    line = desk.text.dlineinfo(desk.text.tag_ranges("dayrule")[0])
    assert line is not None
    assert line[3] <= 3
    assert desk.text.tag_cget("dayrule", "background") == desk.look.palette.line


def test_a_message_that_names_me_has_another_background(desk: Desk) -> None:
    desk.view.show_me(["Ann"])
    desk.show(said("1", "@Ann look", mention=True), said("2", "nothing"))
    assert "mention" in desk.tags("look")
    assert "called" in desk.tags("@Ann")
    assert "mention" not in desk.tags("nothing")


def test_markup_is_shown(desk: Desk) -> None:
    desk.show(said("1", "**bold** *slanted* `code` https://example.com/x"))
    assert desk.view.text_of("1").endswith("bold slanted code https://example.com/x")
    assert "bold" in desk.tags("bold")
    assert "italic" in desk.tags("slanted")
    assert "code" in desk.tags("code")
    assert "link" in desk.tags("https")


def test_joining_and_passing_lines_are_small_lines_of_their_own(desk: Desk) -> None:
    event = Row(Line("1", "event", "Zoë joined the room", TEN))
    passing = Row(Line("2", "passing", "Bob has left", TEN))
    desk.show(event, passing)
    assert desk.view.text_of("1") == "Zoë joined the room  10:12"
    assert desk.view.text_of("2") == "Bob has left  10:12"
    assert "event" in desk.tags("Zoë")


def test_a_note_is_shown_as_it_is_with_all_its_lines(desk: Desk) -> None:
    desk.show(Row(Line("1", "note", "/join ROOM\tjoin **it**\n/leave\tleave", TEN)))
    assert desk.view.text_of("1") == "/join ROOM\tjoin **it**\n/leave\tleave"


def test_what_somebody_does_is_told_in_italics(desk: Desk) -> None:
    desk.show(Row(Line("1", "me", "waves **a lot**", TEN, "u", "Ann")))
    assert desk.view.text_of("1") == "* Ann waves a lot  10:12"
    assert "italic" in desk.tags("waves")
    assert "bolditalic" in desk.tags("a lot")


def test_an_own_message_says_how_it_is_with_it(desk: Desk) -> None:
    desk.show(said("1", "one", state="sending"), said("2", "two", state="sent", head=False))
    assert desk.view.text_of("1").endswith("one sending…")
    assert desk.view.text_of("2") == "two ✓"


def test_a_refused_message_says_why_and_can_be_edited_or_discarded(desk: Desk) -> None:
    desk.show(said("1", "spam", state="refused", reason="too fast"))
    assert desk.view.text_of("1").endswith("spam\nNot sent: too fast   Edit   Discard")
    click(desk.text, *desk.middle_of("Edit"))
    assert (desk.edited, desk.discarded) == (["1"], [])
    click(desk.text, *desk.middle_of("Discard"))
    assert (desk.edited, desk.discarded) == (["1"], ["1"])


def test_a_time_that_no_calendar_knows_does_no_harm(desk: Desk) -> None:
    desk.show(Row(Line("1", "message", "hello", 2**53, "u", "Ann"), head=True))
    assert desk.view.text_of("1") == "Ann  --:--\nhello"


def test_an_empty_room_says_so_until_there_is_a_row(desk: Desk) -> None:
    desk.view.show_empty("Nobody has said anything yet")
    settle(desk.root)
    label = next(child for child in desk.view.winfo_children() if child.winfo_class() == "TLabel")
    assert label.winfo_viewable()
    assert abs(label.winfo_x() + label.winfo_width() / 2 - desk.text.winfo_width() / 2) < 2
    desk.change(Insert("", [said("1", "hello")]))
    assert not label.winfo_viewable()
    desk.change(Delete(["1"]))
    assert label.winfo_viewable()


def test_the_time_of_a_message_without_a_head_is_shown_under_the_pointer(desk: Desk) -> None:
    desk.show(said("1", "hello"), said("2", "and more", head=False))
    hint = next(child for child in desk.text.winfo_children() if child.winfo_class() == "Label")
    x, y = desk.middle_of("and more")
    desk.text.event_generate("<Motion>", x=x, y=y)
    settle(desk.root)
    assert hint.winfo_viewable()
    assert hint["text"] == "10:12"
    assert desk.left_of("and more") >= hint.winfo_x() + hint.winfo_width()
    desk.text.event_generate("<Motion>", x=x, y=desk.middle_of("hello")[1])
    settle(desk.root)
    assert not hint.winfo_viewable()


def test_paragraphs_that_begin_right_to_left_stand_on_the_right(desk: Desk) -> None:
    desk.show(said("1", "שלום עולם\nhello שלום\n123 مرحبا\n`abc` שלום\n```\nשלום\n```\nend", name="דנה"))
    right = desk.text.tag_ranges("rtl")
    found = [desk.text.get(right[place], right[place + 1]) for place in range(0, len(right), 2)]
    assert found == ["שלום עולם\n", "123 مرحبا\n"]
    assert desk.text.tag_cget("rtl", "justify") == "right"
    desk.view.select_all()
    desk.view.copy()
    assert desk.copied() == "שלום עולם\nhello שלום\n123 مرحبا\nabc שלום\nשלום\nend"


def test_the_colour_of_a_piece_of_code_does_not_go_on_into_the_margin(desk: Desk) -> None:
    desk.show(said("1", "x `code`"), said("2", "x `code`", mention=True))
    for words, colour in (("1", desk.look.palette.bg), ("2", desk.look.palette.mention_bg)):
        place = desk.text.search("code", desk.view._marks[words])
        given = [desk.text.tag_cget(tag, "lmargincolor") for tag in desk.text.tag_names(place)]
        assert [str(one) for one in given if str(one)][-1] == colour


# Emoji.


def has_emoji(desk: Desk) -> bool:
    return desk.look.emoji.image("😀") is not None


def test_emoji_are_images_and_are_read_as_text(desk: Desk) -> None:
    if not has_emoji(desk):
        pytest.skip("no font with emoji in colour")
    desk.show(said("1", "nice 🎉 and 👩‍💻 and 🎉"))
    assert desk.view.text_of("1").endswith("nice 🎉 and 👩‍💻 and 🎉")
    assert desk.images().count(str(desk.look.emoji.image("🎉"))) == 2
    assert str(desk.look.emoji.image("👩‍💻")) in desk.images()


def test_a_message_of_up_to_three_emoji_shows_them_large(desk: Desk) -> None:
    if not has_emoji(desk):
        pytest.skip("no font with emoji in colour")
    desk.show(said("1", "👍🏽 🎉"), said("2", "🎉🎉🎉🎉"))
    images = desk.images()
    assert images.count(str(desk.look.emoji.image("🎉", 34))) == 1
    assert images.count(str(desk.look.emoji.image("🎉", 17))) == 4
    assert desk.view.text_of("1").endswith("👍🏽 🎉")


def test_many_new_emoji_are_blank_at_first_and_drawn_soon(desk: Desk) -> None:
    if not has_emoji(desk):
        pytest.skip("no font with emoji in colour")
    faces = "".join(chr(0x1F600 + number) for number in range(30))
    desk.view.show_rows([said("1", faces)])
    drawn = {str(desk.look.emoji.image(face)) for face in faces}
    assert len(drawn & set(desk.images())) < 30
    assert desk.view.text_of("1").endswith(faces)
    until(desk.root, lambda: drawn <= set(desk.images()))
    assert desk.view.at_end
    assert desk.view.text_of("1").endswith(faces)


def test_emoji_that_cannot_be_drawn_are_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.look.emoji, "image", lambda sequence, height=17: None)
    faces = "".join(chr(0x1F600 + number) for number in range(30))
    desk.view.show_rows([said("1", f"see {faces} there"), said("2", "next", head=False)])
    until(desk.root, lambda: len(desk.images()) == 1)  # the avatar
    assert desk.text.search(faces, "1.0")
    assert desk.view.text_of("1").endswith(f"see {faces} there")
    assert desk.view.text_of("2") == "next"


# Nothing can be written into it.


@pytest.mark.parametrize(
    "key", ["a", "space", "Return", "BackSpace", "Delete", "Tab", "Control-v", "Control-x", "Control-d", "Control-k"]
)
def test_keys_write_nothing(desk: Desk, key: str) -> None:
    desk.show(said("1", "hello"))
    desk.root.clipboard_append("pasted")
    desk.text.focus_set()
    desk.view.select_all()
    before = desk.text.get("1.0", "end")
    press(desk.root, key)
    assert desk.text.get("1.0", "end") == before


def test_the_mouse_pastes_nothing(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    desk.view.select_all()
    before = desk.text.get("1.0", "end")
    desk.text.event_generate("<ButtonPress-2>", x=100, y=40)
    desk.text.event_generate("<ButtonRelease-2>", x=100, y=40)
    desk.text.event_generate("<<Paste>>")
    desk.text.event_generate("<<Cut>>")
    settle(desk.root)
    assert desk.text.get("1.0", "end") == before


# Selecting and copying.


def test_a_part_of_one_message_is_copied_as_it_is(desk: Desk) -> None:
    desk.show(said("1", "hello **big** 🎉 world"))
    start = desk.text.search("big", "1.0")
    desk.text.tag_add("sel", start, f"{start} +5c")
    desk.view.copy()
    assert desk.copied() == "big 🎉"


def test_one_whole_message_is_copied_without_name_and_state(desk: Desk) -> None:
    desk.show(said("1", "hello\nworld", state="sent"))
    desk.view.select_all()
    desk.view.copy()
    assert desk.copied() == "hello\nworld"


def test_several_messages_are_copied_with_names_and_times(desk: Desk) -> None:
    deed = Row(Line("3", "me", "waves", TEN, "u", "Ann"))
    event = Row(Line("4", "event", "Zoë joined the room", TEN))
    note = Row(Line("5", "note", "help", TEN))
    desk.show(said("1", "hello 🎉"), said("2", "refused", "Bob", state="refused", reason="no"), deed, event, note)
    desk.text.focus_set()
    press(desk.root, "Control-a", "Control-c")
    assert desk.copied().split("\n") == [
        "[10:12] Priya Nair: hello 🎉",
        "[10:12] Bob: refused",
        "[10:12] * Ann waves",
        "[10:12] Zoë joined the room",
        "help",
    ]


def test_of_the_first_and_last_message_the_selected_part_is_copied(desk: Desk) -> None:
    desk.show(said("1", "one two"), said("2", "three four"))
    desk.text.tag_add("sel", desk.text.search("two", "1.0"), f"{desk.text.search('three', '1.0')} +5c")
    desk.view.copy()
    assert desk.copied() == "[10:12] Priya Nair: two\n[10:12] Priya Nair: three"


def test_a_name_alone_can_be_copied(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    start = desk.text.search("Priya", "1.0")
    desk.text.tag_add("sel", start, f"{start} +5c")
    desk.view.copy()
    assert desk.copied() == "Priya"


def test_copying_nothing_leaves_the_clipboard(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    desk.root.clipboard_clear()
    desk.root.clipboard_append("before")
    desk.text.focus_set()
    press(desk.root, "Control-c")
    assert desk.copied() == "before"


def test_the_mouse_selects(desk: Desk) -> None:
    desk.show(said("1", "hello there"))
    box = desk.text.bbox(desk.text.search("there", "1.0"))
    assert box
    x, y = box[0] + 1, box[1] + 5
    desk.text.event_generate("<ButtonPress-1>", x=x, y=y)
    desk.text.event_generate("<B1-Motion>", x=x + 200, y=y)
    desk.text.event_generate("<ButtonRelease-1>", x=x + 200, y=y)
    settle(desk.root)
    assert desk.text.get("sel.first", "sel.last") == "there"
    desk.view.copy()
    assert desk.copied() == "there"


def test_what_is_selected_is_offered_to_other_programs_with_its_emoji(desk: Desk) -> None:
    desk.show(said("1", "é漢🎉 " * 900))
    desk.view.select_all()
    settle(desk.root)
    offered = [desk.root.tk.call("selection", "get", "-type", kind) for kind in ("UTF8_STRING", "STRING")]
    assert offered == ["é漢🎉 " * 900, "é?? " * 900]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["Shift-Right", "Shift-Right"], "he"),
        (["Shift-End"], "hello"),
        (["Shift-Down"], "hello\n"),
        (["Shift-End", "Shift-Left"], "hell"),
        (["Control-Shift-End"], "hello\nworld"),
    ],
)
def test_keys_select(desk: Desk, keys: list[str], expected: str) -> None:
    desk.show(said("1", "hello\nworld"))
    desk.text.focus_set()
    desk.text.mark_set("insert", desk.text.search("hello", "1.0"))
    press(desk.root, *keys, "Control-c")
    assert desk.copied() == expected


def test_keys_select_a_page(desk: Desk) -> None:
    desk.show(*many(100))
    desk.text.focus_set()
    desk.text.mark_set("insert", desk.text.search("message 99 ", "1.0"))
    press(desk.root, "Shift-Prior", "Control-c")
    assert desk.copied().count("] Priya Nair: message") > 4


def test_selecting_by_keys_begins_in_view(desk: Desk) -> None:
    desk.show(*many(100))
    desk.text.focus_set()
    desk.text.mark_set("insert", "1.0")
    press(desk.root, "Shift-Down")
    assert desk.text.dlineinfo("sel.first") is not None


def test_a_click_gives_the_keys_to_the_transcript_and_that_can_be_seen(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    click(desk.text, *desk.middle_of("hello"))
    assert desk.root.focus_get() is desk.text
    assert int(desk.text["highlightthickness"]) >= 1
    assert desk.text["highlightcolor"] == desk.look.palette.accent


# Links and actions.


def test_a_click_on_a_link_tells_where_it_goes(desk: Desk) -> None:
    desk.show(said("1", "see HTTPS://example.com/a, or https://example.com/b"))
    click(desk.text, *desk.middle_of("example.com/a"))
    click(desk.text, *desk.middle_of("see "))
    click(desk.text, *desk.middle_of("example.com/b"))
    assert desk.links == ["https://example.com/a", "https://example.com/b"]


def test_the_pointer_over_a_link_is_a_hand(desk: Desk) -> None:
    desk.show(said("1", "see https://example.com/a"))
    for words, cursor in (("example", "hand2"), ("see", "")):
        x, y = desk.middle_of(words)
        desk.text.event_generate("<Motion>", x=x, y=y)
        settle(desk.root)
        assert str(desk.text["cursor"]) == cursor


def test_selecting_a_link_does_not_open_it(desk: Desk) -> None:
    desk.show(said("1", "see https://example.com/a"))
    x, y = desk.middle_of("https")
    desk.text.event_generate("<Motion>", x=x, y=y)
    desk.text.event_generate("<ButtonPress-1>", x=x, y=y)
    desk.text.event_generate("<B1-Motion>", x=x + 50, y=y)
    desk.text.event_generate("<ButtonRelease-1>", x=x + 50, y=y)
    settle(desk.root)
    assert desk.text.tag_ranges("sel")
    assert desk.links == []


def test_tab_walks_over_links_and_actions_and_enter_presses_them(desk: Desk) -> None:
    after = tk.Entry(desk.root)
    after.pack()
    desk.show(said("1", "see https://example.com/a"), said("2", "spam", state="refused", reason="no"))
    desk.text.focus_set()
    seen = []
    for _ in range(3):
        press(desk.root, "Tab")
        seen.append(desk.text.get("focused.first", "focused.last"))
        press(desk.root, "Return")
    assert seen == ["https://example.com/a", "Edit", "Discard"]
    assert (desk.links, desk.edited, desk.discarded) == (["https://example.com/a"], ["2"], ["2"])
    press(desk.root, "Tab")
    assert desk.root.focus_get() is after
    assert not desk.text.tag_ranges("focused")


def test_shift_tab_walks_back_from_the_last_one_and_out(desk: Desk) -> None:
    before = tk.Entry(desk.root)
    before.pack()
    before.lower()
    desk.show(said("1", "see https://example.com/a"), said("2", "spam", state="refused", reason="no"))
    desk.text.focus_set()
    seen = []
    for _ in range(3):
        press(desk.root, "Shift-Tab")
        seen.append(desk.text.get("focused.first", "focused.last"))
    assert seen == ["Discard", "Edit", "https://example.com/a"]
    press(desk.root, "Shift-Tab")
    assert desk.root.focus_get() is before


def test_links_out_of_view_are_not_walked_over(desk: Desk) -> None:
    desk.show(said("1", "https://example.com/a"), *many(50), said("2", "https://example.com/b"))
    desk.text.focus_set()
    press(desk.root, "Tab")
    assert desk.text.get("focused.first", "focused.last") == "https://example.com/b"


# The button.


def test_the_jump_button_floats_over_the_text_and_is_pressed_by_mouse_and_keys(desk: Desk) -> None:
    desk.show(*many(50))
    button = next(child for child in desk.view.winfo_children() if child.winfo_class() == "TButton")
    assert not button.winfo_viewable()
    desk.view.show_jump("12 new ↓")
    settle(desk.root)
    assert button.winfo_viewable()
    right, bottom = button.winfo_x() + button.winfo_width(), button.winfo_y() + button.winfo_height()
    assert desk.text.winfo_width() - 40 < right < desk.text.winfo_width()
    assert desk.text.winfo_height() - 40 < bottom < desk.text.winfo_height()
    click(button)
    assert desk.jumps == 1
    desk.text.focus_set()
    press(desk.root, "Tab")
    assert desk.root.focus_get() is button
    press(desk.root, "space")
    assert desk.jumps == 2
    desk.view.show_jump("")
    settle(desk.root)
    assert not button.winfo_viewable()
    assert desk.root.focus_get() is desk.text


# Following, and staying.


def test_at_the_end_it_follows_what_comes(desk: Desk) -> None:
    desk.show(*many(50))
    assert desk.view.at_end
    desk.change(Insert("", [said("new", "the newest\n" * 40)]))
    assert desk.view.at_end
    assert desk.view.visible_keys()[1] == "new"
    assert desk.text.yview()[1] == 1


def test_at_the_end_of_a_piece_one_reads_on_where_one_was(desk: Desk) -> None:
    desk.show(*many(50))
    last = desk.view.visible_keys()[1]
    desk.view.show_changes([Insert("", many(50, 1000))], follow=False)
    settle(desk.root)
    assert desk.view.visible_keys()[1] in (last, "k1000")
    assert not desk.view.at_end
    assert desk.scrolled[-1] == (False, False)


def test_at_the_end_it_follows_a_change_of_the_last_row(desk: Desk) -> None:
    desk.show(*many(50), said("mine", "hello", state="sending"))
    desk.change(Change(said("mine", "hello", state="refused", reason="too fast")))
    assert desk.text.yview()[1] == 1


@pytest.mark.parametrize("size", [(600, 150), (300, 400), (900, 900)])
def test_at_the_end_it_follows_when_the_window_gets_another_size(desk: Desk, size: tuple[int, int]) -> None:
    desk.show(*many(50))
    window(desk.root, *size)
    until(desk.root, lambda: desk.view.at_end and desk.text.yview()[1] == 1)


def test_at_the_end_it_follows_when_zoom_and_theme_change(desk: Desk) -> None:
    desk.show(*many(50))
    desk.look.set_zoom(4)
    settle(desk.root)
    assert desk.text.yview()[1] == 1
    desk.look.set_theme("dark")
    settle(desk.root)
    assert desk.text.yview()[1] == 1
    assert desk.text["background"] == desk.look.palette.bg
    assert desk.text.tag_cget("mention", "background") == desk.look.palette.mention_bg


CHANGES: dict[str, Sequence[Op]] = {
    "inserted below": [Insert("", many(20, 1000))],
    "inserted above": [Insert("k3", many(20, 1000)), Insert("k0", many(20, 2000))],
    "deleted above": [Delete([f"k{number}" for number in range(20)])],
    "changed above": [Change(said("k5", "this is longer\n" * 20)), Change(said("k6", ""))],
    "changed below": [Change(said("k95", "this is longer\n" * 20))],
    "all of it": [
        Delete(["k1", "k90"]),
        Insert("k2", many(5, 1000)),
        Change(said("k3", "x\ny\nz")),
        Insert("", many(5, 2000)),
    ],
}


@pytest.mark.parametrize("name", CHANGES)
def test_elsewhere_the_view_stays_where_it_is(desk: Desk, name: str) -> None:
    desk.show(*many(100))
    words = desk.scroll_to_middle()
    before = desk.top_of(words)
    desk.view.show_changes(CHANGES[name])
    assert desk.top_of(words) == before
    settle(desk.root)
    assert desk.top_of(words) == before
    assert not desk.view.at_end


def test_rows_put_in_at_the_very_top_do_not_move_what_is_in_view(desk: Desk) -> None:
    desk.show(*many(100))
    desk.view.scroll_to_top()
    settle(desk.root)
    before = desk.top_of("message 1 ")
    desk.change(Insert("k0", many(50, 1000)))
    assert desk.top_of("message 1 ") == before
    assert desk.view.visible_keys()[0] == "k0"


def test_the_first_row_in_view_may_change_itself(desk: Desk) -> None:
    desk.show(*many(50), said("long", "line of it\n" * 30 + "the end of it"), *many(50, 100))
    desk.text.yview(f"{desk.text.search('the end of it', '1.0')} -9 lines")
    desk.text.yview_scroll(5, "pixels")
    settle(desk.root)
    before = desk.top_of("the end of it")
    new = said("long", "line of it\n" * 30 + "the end of it", state="refused", reason="no")
    desk.change(Change(Row(new.line, day="Friday", new=True, head=True)))
    assert desk.top_of("the end of it") == before
    desk.change(Change(said("long", "line of it\n" * 30 + "the end of it", head=False)))
    assert desk.top_of("the end of it") == before


def test_when_the_first_row_in_view_goes_the_next_one_takes_its_place(desk: Desk) -> None:
    desk.show(*many(100))
    desk.scroll_to_middle()
    first, _ = desk.view.visible_keys()
    desk.change(Delete([first]))
    assert desk.view.visible_keys()[0] == f"k{int(first[1:]) + 1}"


def test_elsewhere_the_first_line_stays_when_the_window_gets_another_size(desk: Desk) -> None:
    desk.show(*many(100))
    desk.scroll_to_middle()
    first = desk.text.index("@0,0")
    for size in ((600, 200), (450, 300), (800, 700)):
        window(desk.root, *size)
        assert desk.text.compare("@0,0", "<=", first)
        assert desk.text.compare("@0,0 display lineend", ">=", first)


def test_elsewhere_the_first_line_stays_when_zoom_and_theme_change(desk: Desk) -> None:
    desk.show(*many(100))
    desk.scroll_to_middle()
    first = desk.text.index("@0,0")
    for zoom in (3, -2, 0):
        desk.look.set_zoom(zoom)
        settle(desk.root)
        assert desk.text.compare("@0,0", "<=", first)
        assert desk.text.compare("@0,0 display lineend", ">=", first)
    desk.look.set_theme("dark")
    settle(desk.root)
    assert desk.text.compare("@0,0", "<=", first)


def test_a_zoom_draws_the_emoji_in_the_new_size(desk: Desk) -> None:
    if not has_emoji(desk):
        pytest.skip("no font with emoji in colour")
    desk.show(said("1", "nice 🎉 and 👍🏽"), said("2", "🎉"))
    desk.look.set_zoom(5)
    until(desk.root, lambda: str(desk.look.emoji.image("🎉", 34)) in desk.images())
    assert {str(desk.look.emoji.image(face)) for face in ("🎉", "👍🏽")} <= set(desk.images())


def test_a_place_is_shown_a_third_below_the_top(desk: Desk) -> None:
    desk.view.show_rows(many(100), "k50")
    settle(desk.root)
    line = desk.text.dlineinfo(desk.text.search("message 50 ", "1.0"))
    assert line is not None
    assert 400 / 3 - 10 < line[1] < 400 / 3 + 60
    assert not desk.view.at_end


def test_what_is_shown_before_the_window_is_there_is_at_its_place_then(root: tk.Tk) -> None:
    desk = Desk(root)
    desk.view.show_rows(many(100), "k50")
    desk.view.show_changes([Insert("k0", many(30, 1000)), Insert("", many(30, 2000))])
    desk.open()
    line = desk.text.dlineinfo(desk.text.search("message 50 ", "1.0"))
    assert line is not None
    assert 400 / 3 - 10 < line[1] < 400 / 3 + 60


def test_without_a_place_the_window_opens_at_the_end(root: tk.Tk) -> None:
    desk = Desk(root)
    desk.view.show_rows(many(100))
    desk.view.show_changes([Insert("", many(30, 2000))])
    desk.open()
    assert desk.text.yview()[1] == 1
    assert desk.scrolled == [(False, True)]


def test_it_can_be_told_to_go_to_the_end(desk: Desk) -> None:
    desk.show(*many(100))
    desk.scroll_to_middle()
    desk.view.scroll_to_end()
    settle(desk.root)
    assert desk.view.at_end
    assert desk.text.yview()[1] == 1


# Scrolling.


def test_it_tells_when_the_end_or_the_top_comes_in_view_and_goes(desk: Desk) -> None:
    desk.show(*many(100))
    assert desk.scrolled == [(False, True)]
    desk.text.focus_set()
    press(desk.root, "Prior")
    assert desk.scrolled[1:] == [(False, False)]
    press(desk.root, "Prior", "Up")
    assert desk.scrolled[2:] == []
    press(desk.root, "Home")
    assert desk.scrolled[2:] == [(True, False)]
    press(desk.root, "Down")
    assert desk.scrolled[3:] == [(False, False)]
    press(desk.root, "Control-Home", "Control-End")
    assert desk.scrolled[4:] == [(True, False), (False, True)]


@pytest.mark.parametrize("up", ["Prior", "Home", "Up", "Control-Home"])
def test_every_further_attempt_to_go_up_from_the_top_is_told(desk: Desk, up: str) -> None:
    desk.show(*many(100))
    desk.text.focus_set()
    press(desk.root, "Home")
    desk.scrolled.clear()
    press(desk.root, up, up)
    assert desk.scrolled == [(True, False), (True, False)]


def test_the_wheel_scrolls_and_is_told_at_the_top(desk: Desk) -> None:
    desk.show(*many(100))
    before = desk.top_of("message 98 ")
    desk.text.event_generate("<Button-4>")
    settle(desk.root)
    assert desk.top_of("message 98 ") == before + 50
    assert desk.scrolled[1:] == [(False, False)]
    desk.text.event_generate("<Button-5>")
    settle(desk.root)
    assert desk.view.at_end
    desk.view.scroll_to_top()
    settle(desk.root)
    desk.scrolled.clear()
    desk.text.event_generate("<Button-4>")
    assert desk.scrolled == [(True, False)]


def test_the_wheel_of_windows_scrolls_too(desk: Desk) -> None:
    desk.show(*many(100))
    before = desk.top_of("message 98 ")
    desk.text.event_generate("<MouseWheel>", delta=120)
    settle(desk.root)
    assert desk.top_of("message 98 ") == before + 50
    desk.text.event_generate("<MouseWheel>", delta=-120)
    settle(desk.root)
    assert desk.view.at_end


def test_the_scrollbar_scrolls_and_is_told_at_the_top(desk: Desk) -> None:
    desk.show(*many(100))
    bar = next(child for child in desk.view.winfo_children() if child.winfo_class() == "TScrollbar")
    x, thumb = bar.winfo_width() // 2, bar.winfo_height() - 8
    bar.event_generate("<ButtonPress-1>", x=x, y=thumb)
    bar.event_generate("<B1-Motion>", x=x, y=-500)
    settle(desk.root)
    assert desk.scrolled[1:] == [(True, False)]
    bar.event_generate("<B1-Motion>", x=x, y=-600)
    settle(desk.root)
    assert desk.scrolled[2:] == [(True, False)]
    bar.event_generate("<B1-Motion>", x=x, y=2000)
    bar.event_generate("<ButtonRelease-1>", x=x, y=2000)
    settle(desk.root)
    assert desk.view.at_end


def test_another_room_is_told_anew(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    desk.show(said("2", "hello"))
    assert desk.scrolled == [(True, True), (True, True)]


def test_rows_that_come_in_above_and_leave_the_top_in_view_are_told(desk: Desk) -> None:
    desk.show(said("1", "hello"))
    desk.change(Insert("1", [said("0", "before")]))
    assert desk.scrolled == [(True, True), (True, True)]
    desk.change(Insert("", [said("2", "after")]))
    assert desk.scrolled == [(True, True), (True, True)]


def test_keys_with_alt_are_left_to_others(desk: Desk) -> None:
    desk.show(*many(100))
    heard: list[str] = []
    desk.root.bind("<Alt-Up>", lambda event: heard.append("up"))
    desk.text.focus_set()
    before = desk.top_of("message 98 ")
    press(desk.root, "Alt-Up")
    assert heard == ["up"]
    assert desk.top_of("message 98 ") == before


# Rows and marks.


def random_row(rng: random.Random, key: str) -> Row:
    kinds: list[Kind] = ["message", "message", "message", "me", "event", "passing", "note"]
    states: list[State] = ["", "", "", "sending", "sent", "refused"]
    text = rng.choice(
        ["hello", "two\nlines", "😀 and 🎉", "`x` **y** https://a.example", "```\nblock\n```", "עברית", "𝕏𝕏"]
    )
    line = Line(
        key,
        rng.choice(kinds),
        text,
        TEN,
        "u",
        rng.choice(["Ann", "Zoë 🎉"]),
        mention=rng.random() < 0.2,
        state=rng.choice(states),
    )
    return Row(line, rng.choice(["", "", "Friday"]), rng.random() < 0.1, rng.random() < 0.5)


def random_ops(rng: random.Random, keys: list[str], made: int) -> list[Op]:
    """Some operations on rows with these keys, which are brought up to date. ``made``: a number for new keys."""
    ops: list[Op] = []
    for number in range(rng.randint(1, 4)):
        what = rng.random()
        if what < 0.5 or not keys:
            new = [f"{made}.{number}.{count}" for count in range(rng.randint(1, 4))]
            place = rng.randint(0, len(keys))
            ops.append(Insert(keys[place] if place < len(keys) else "", [random_row(rng, key) for key in new]))
            keys[place:place] = new
        elif what < 0.75:
            ops.append(Change(random_row(rng, rng.choice(keys))))
        else:
            gone = rng.sample(keys, rng.randint(1, min(3, len(keys))))
            ops.append(Delete(gone))
            keys[:] = [key for key in keys if key not in gone]
    return ops


def dumped(desk: Desk) -> list[tuple[str, frozenset[str]]]:
    """All that stands in the text, character by character, and the tags of each."""
    found: list[tuple[str, frozenset[str]]] = []
    for kind, value, _ in desk.text.dump("1.0", "end-1c", text=True, image=True):
        for part in value if kind == "text" else [value.split("#")[0]]:
            found.append((part, frozenset(desk.text.tag_names(f"1.0 +{len(found)}c"))))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_after_any_operations_all_is_as_if_shown_anew(desk: Desk, seed: int) -> None:
    rng = random.Random(seed)
    keys: list[str] = []
    rows: list[Row] = []
    desk.view.show_rows([])
    for made in range(25):
        ops = random_ops(rng, keys, made)
        if rng.random() < 0.3:
            desk.text.yview_moveto(rng.random())
        desk.change(*ops)
        rows = applied(rows, ops)
        assert [row.line.key for row in rows] == keys
    changed = [desk.view.text_of(key) for key in keys], dumped(desk)
    desk.show(*rows)
    assert ([desk.view.text_of(key) for key in keys], dumped(desk)) == changed


def test_rows_know_which_of_them_are_in_view(desk: Desk) -> None:
    assert desk.view.visible_keys() == ("", "")
    desk.show(*many(3))
    assert desk.view.visible_keys() == ("k0", "k2")
    desk.show(*many(100))
    assert desk.view.visible_keys()[1] == "k99"


def test_an_unknown_key_is_a_mistake_that_is_told(desk: Desk) -> None:
    with pytest.raises(KeyError):
        desk.view.show_changes([Delete(["nobody"])])


def test_a_view_that_is_gone_is_not_told_of_the_look(desk: Desk) -> None:
    desk.show(said("1", "".join(chr(0x1F600 + number) for number in range(30))))
    desk.view.destroy()
    desk.look.set_theme("dark")
    desk.look.set_zoom(2)
    settle(desk.root)


# Nasty texts.


@pytest.mark.parametrize(
    "text",
    [
        "a" * 8192,
        "W" * 8192,
        "漢字" * 1365,
        "שלום " * 800,
        ("a" + "\u0301\u0316\u0334" * 3) * 400,
        "line\n" * 500 + "x",
        "https://a.example " * 400 + "x",
        "**a** `b` " * 800 + "x",
        "\u200b" * 2000 + "x",
        "{[$x \\n]} %s",
    ],
    ids=["word", "wide", "han", "hebrew", "zalgo", "lines", "links", "styles", "nothing", "tcl"],
)
def test_a_nasty_text_is_shown_whole(desk: Desk, text: str) -> None:
    desk.show(said("0", "before"), said("1", text, state="sent"), said("2", "after", head=False))
    assert desk.view.at_end
    shown = desk.view.text_of("1").removeprefix("Priya Nair  10:12\n")
    assert shown == text.replace("**a** `b`", "a b") + " ✓"
    desk.view.select_all()
    desk.view.copy()
    assert desk.copied().split("\n")[0] == "[10:12] Priya Nair: before"
    assert " ✓" not in desk.copied()


def test_two_thousand_emoji_in_one_line_are_all_there(desk: Desk) -> None:
    text = "😀🎉" * 1000
    desk.show(said("1", text, state="sent"))
    assert desk.view.text_of("1").endswith(text + " ✓")
