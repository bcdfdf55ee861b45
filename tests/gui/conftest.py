"""What the tests with a display share: a Tk of their own, whose errors fail the test."""

import os
import tkinter as tk
from collections.abc import Iterator
from types import TracebackType

import pytest


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
    try:
        yield made
    finally:
        # What still waits would run in the next test's window, or complain that its own is gone.
        for waiting in made.tk.splitlist(made.tk.call("after", "info")):
            made.after_cancel(waiting)
        made.destroy()
    if errors:
        raise errors[0]
