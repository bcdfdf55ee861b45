"""Where everything is: nothing clipped, nothing over anything else, at three scales, three widths and two heights."""

import tkinter as tk
from collections.abc import Iterator
from itertools import combinations, pairwise
from tkinter import ttk

import pytest

from chat_client.gui.app import Wish
from chat_client.gui.fitting import CutLabel
from chat_client.gui.people import PeopleList
from chat_client.gui.popup import ChoiceList
from chat_client.gui.question import Question
from chat_client.gui.roomlist import RoomList
from chat_client.gui.switcher import Switcher
from chat_client.gui.transcript import TranscriptView
from tests.gui import hands
from tests.gui.desk import Desk, no_shouting
from tests.gui.seat import Seat

pytestmark = pytest.mark.real

SCALES, WIDTHS, HEIGHTS = (1.0, 1.5, 2.0), (480, 760, 1200), (360, 640)
LONG = "Everything that is said here is long enough to need more than one line in every window of this test. "
LONG_NAME = "Maximilian Featherstonehaugh III"
Box = tuple[int, int, int, int]


def box(widget: tk.Misc) -> Box:
    """Left, top, right and bottom on the screen."""
    x, y = widget.winfo_rootx(), widget.winfo_rooty()
    return x, y, x + widget.winfo_width(), y + widget.winfo_height()


def floats(widget: tk.Misc) -> bool:
    """Is it one of those that are meant to be over others?"""
    if widget.winfo_manager() != "place":
        return False
    over = isinstance(widget, Switcher | Question | ChoiceList | RoomList | PeopleList)
    in_transcript = isinstance(widget.master, TranscriptView) and isinstance(widget, ttk.Button | ttk.Label)
    in_text = isinstance(widget.master, tk.Text) and isinstance(widget, tk.Label | ttk.Label)  # hints
    edge = isinstance(widget, ttk.Frame) and widget.cget("style") == "Rule.TFrame"
    return over or in_transcript or in_text or edge


def is_cut(widget: tk.Misc) -> bool:
    """Has it less room than it asks for, though it is not meant to do with less?"""
    if not isinstance(widget, ttk.Label | ttk.Button | ttk.Checkbutton | ttk.Entry | ttk.Scrollbar | tk.Label):
        return False
    low = widget.winfo_height() < widget.winfo_reqheight() and not isinstance(widget, ttk.Scrollbar)
    return low or (widget.winfo_width() < widget.winfo_reqwidth() and not isinstance(widget, CutLabel))


def faults(window: tk.Tk) -> list[str]:
    """What is wrong with where things are."""
    found = []
    for widget in hands.below(window):
        if isinstance(widget, tk.Menu):
            continue
        if is_cut(widget):
            found.append(f"{widget} is cut: {widget.winfo_width()}x{widget.winfo_height()}")
        if widget is not window:
            holder = box(window if floats(widget) else widget.master or window)
            x, y, right, bottom = box(widget)
            if x < holder[0] or y < holder[1] or right > holder[2] or bottom > holder[3]:
                found.append(f"{widget} stands out of what holds it: {(x, y, right, bottom)} in {holder}")
        beside = [one for one in widget.winfo_children() if one.winfo_viewable() and not isinstance(one, tk.Menu)]
        for one, other in combinations([one for one in beside if not floats(one)], 2):
            a, b = box(one), box(other)
            if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
                found.append(f"{one} is over {other}: {a} and {b}")
    return found


def sound(seat: Seat, state: str) -> None:
    """Fail if something is wrong in this state of the window."""
    for _ in range(3):
        seat.desk.work()
    size = f"{seat.root.winfo_width()}x{seat.root.winfo_height()} at {seat.app.look.scale}"
    assert faults(seat.root) == [], f"{state}, {size}"


def sizes(seat: Seat, width: int) -> Iterator[int]:
    """Give the window that width of the design and one height after the other; yields that."""
    px = seat.app.look.px
    for height in HEIGHTS:
        seat.resize(px(width), px(height))
        yield height


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """A chat with much in it: rooms and people with long names, long messages, and a few things unread."""
    ann, bob = desk.guest("ann"), desk.guest(LONG_NAME)
    for number in range(14):
        room = f"room-{number}-with-a-rather-long-name"
        bob.create(room)
        ann.join(room)
    for name in ("Bob", "Chloé", "D"):
        desk.guest(name)
    for number in range(12):
        bob.say(LONG * (number % 3 + 1), f"and {number}, which is short")
    ann.close()
    return desk


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scale", SCALES)
def test_the_chat(busy: Desk, monkeypatch: pytest.MonkeyPatch, scale: float, width: int) -> None:
    no_shouting(monkeypatch)
    ann = busy.join("ann", scale=scale)
    busy.guests[1].say("now it is unread", room="room-3-with-a-rather-long-name")
    busy.until(lambda: ann.unread("room-3-with-a-rather-long-name", 1), "something is unread")
    ann.send("LOUD " * 30)
    ann.sees("Not sent: Nobody shouts here.")
    line = ann.app.look.font("text").metrics("linespace")
    for height in sizes(ann, width):
        sound(ann, "with a refused message")
        assert ann.text.winfo_height() > 5 * line, "there is room to read"
        ann.press("Prior")
        jump = ann.button("Jump to the end")
        sound(ann, "scrolled up")
        ann.click(jump)
        busy.until(lambda: ann.window.transcript.at_end, "at the end again")
        ann.press(*["a", "shift+Return"] * 9)
        busy.until(lambda: ann.window.composer.text().count("\n") == 9, "many lines are written")
        sound(ann, "with much in the composer")
        assert ann.text.winfo_height() > 2 * line, "there is still room to read"
        ann.press("ctrl+a")
        ann.type("/nothing of this name")
        ann.press("Return")
        busy.until(lambda: any("There is no command" in text for text in ann.labels()), "there is an error")
        sound(ann, "with an error")
        ann.press("ctrl+a")
        ann.type("/")
        ann.press("Tab")
        busy.until(lambda: ann.window.composer.choosing, "there is a list of choices")
        sound(ann, "with choices")
        ann.press("Escape", "BackSpace", "ctrl+k")
        busy.until(lambda: ann.window.switcher.is_open, "the switcher is open")
        sound(ann, "with the switcher")
        ann.press("Escape", "ctrl+q")
        busy.until(lambda: ann.app.question.is_open, "it asks")
        sound(ann, f"with the question, {height} high")
        ann.press("Escape")
        busy.until(lambda: not ann.app.question.is_open, "it is answered")
        for button in ("Rooms", "People") if width < 600 else ("People",) if width < 800 else ():
            ann.click(ann.button(button, ann.window.header))
            sound(ann, f"with {button} over the transcript")
            ann.press("Escape")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scale", SCALES)
def test_the_card_that_asks(desk: Desk, scale: float, width: int) -> None:
    seat = desk.start(Wish(theme="light", scale=scale))
    for _ in sizes(seat, width):
        sound(seat, "as it begins")
        for field in ("name", "address", ""):
            seat.card.show_error(field, LONG)
            sound(seat, f"with an error, {field or 'for all'}")
        seat.card.show_busy(LONG)
        sound(seat, "while it is busy")
        seat.card.show_busy("")


def test_the_parts_of_the_window_fill_it(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.resize(1200, 640)
    window, main = ann.window, ann.window.composer.master
    panes = [box(window.rooms), box(main), box(window.people)]
    assert all(left[2] == right[0] for left, right in pairwise(panes))
    assert (panes[0][0], panes[-1][2]) == (box(ann.root)[0], box(ann.root)[2])
    assert {pane[3] for pane in panes} == {box(window.status)[1]}
    assert box(window.status)[3] == box(ann.root)[3]
    rows = [box(window.header), box(window.transcript), box(window.composer)]
    assert all(upper[3] == lower[1] for upper, lower in pairwise(rows))


def test_the_window_cannot_be_made_too_small(desk: Desk) -> None:
    ann = desk.join("ann")
    ann.root.geometry("100x100")
    desk.until(lambda: (ann.root.winfo_width(), ann.root.winfo_height()) == (480, 360), "as small as it gets")
    sound(ann, "as small as it gets")


def test_faults_are_found(desk: Desk) -> None:
    seat = desk.start()
    frame = ttk.Frame(seat.root)
    frame.place(x=0, y=0, width=50, height=20)
    ttk.Label(frame, text="much longer than that").place(x=0, y=0, width=40)
    ttk.Label(frame, text="a").place(x=30, y=0)
    ttk.Label(frame, text="b").place(x=45, y=10)
    seat.desk.work()
    found = "\n".join(faults(seat.root))
    assert "is cut" in found
    assert "stands out" in found
    assert "is over" in found
