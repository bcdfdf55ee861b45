"""What the tests with a display share: a Tk of their own, whose errors fail the test."""

import gc
import os
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest

from tests.gui.desk import Desk
from tests.gui.display import need_display


@pytest.fixture(autouse=True)
def _display() -> None:
    """The display is the one that the tests were started with. Tk changes the variable behind Python's back when it is
    told of another screen, as in test_look_on_screen.py."""
    if "DISPLAY" in os.environ:
        os.environ["DISPLAY"] = os.environ["DISPLAY"]
    else:
        os.unsetenv("DISPLAY")


@pytest.fixture
def root() -> Iterator[tk.Tk]:
    """A fresh Tk. Without a display the test is skipped; with CHAT_GUI_TESTS=required it fails."""
    try:
        made = tk.Tk()
    except tk.TclError as problem:
        if os.environ.get("CHAT_GUI_TESTS") == "required":
            pytest.fail(f"there is no display for the tests of the window: {problem}")
        pytest.skip(f"no display: {problem}")
    errors: list[BaseException] = []

    def note(_kind: type[BaseException], error: BaseException, _where: TracebackType | None) -> None:
        errors.append(error)

    made.report_callback_exception = note
    scaling = made.tk.call("tk", "scaling")
    try:
        yield made
    finally:
        made.tk.call("tk", "scaling", scaling)  # which is the display's, and so that of the next test's window
        # What still waits would run in the next test's window, or complain that its own is gone.
        for waiting in made.tk.splitlist(made.tk.call("after", "info")):
            made.after_cancel(waiting)
        made.destroy()
        # What hangs together in circles goes here, in Tk's own thread: found by the collector in the thread of a later
        # test, its images and fonts would be deleted from there, which ends the process at worst.
        gc.collect()
    if errors:
        raise errors[0]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An empty desk with a broker; nothing outside the test's folder is read or written."""
    need_display()
    for name in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    made = Desk(tmp_path)
    try:
        made.serve()
        yield made
    finally:
        made.close()
