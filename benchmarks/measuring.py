"""How a window is measured: Tk's loop with a ticker in it, times and memory. benchmarks/window.py says what for."""

import os
import time
import tkinter as tk
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from chat_client.gui.controller import Controller

TICK_MS = 5
PATIENCE_SECONDS = 60.0
Figures = dict[str, float]


def run_until(root: tk.Tk, done: Callable[[], bool]) -> None:
    """Let Tk work until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def look() -> None:
        if done():
            root.quit()
            return
        assert time.monotonic() < deadline, "that takes too long"
        root.after(TICK_MS, look)

    look()
    root.mainloop()


def take_keys(root: tk.Tk) -> None:
    """Have the window be the one that is typed into."""
    while root.focus_get() is None:
        root.focus_force()
        root.update()


def sync(root: tk.Tk) -> None:
    """Wait until the display has drawn what it was told: it answers in order."""
    root.winfo_pointerxy()


def watch(root: tk.Tk, done: Callable[[], bool]) -> None:
    """Let Tk work until it is so, looking every ms."""

    def look() -> None:
        if done():
            root.quit()
        else:
            root.after(1, look)

    look()
    root.mainloop()


def rest(root: tk.Tk) -> None:
    """Let Tk do what is left to do: it works out the heights of lines in the background."""
    until = time.monotonic() + 0.5
    run_until(root, lambda: time.monotonic() > until)


class Meter:
    """Notes how long Tk's loop was busy at a time, and with what."""

    def __init__(self, root: tk.Tk, controller: Controller) -> None:
        self.pauses: list[float] = []  # of a tick that came late, in seconds
        self.own_pauses: list[float] = []  # without the time in which other processes had the processor
        self.turns: list[float] = []
        self.redraws: list[float] = []
        self._root, self._last, self._stood, self._waiting = root, time.perf_counter(), in_line(), ""
        self._pump = controller._pump
        self._turn = self._pump.turn
        self._pump.turn = self._timed_turn  # type: ignore[method-assign]
        self._tick()

    def stop(self) -> Figures:
        """End, and say how it was."""
        self._root.after_cancel(self._waiting)
        self._pump.turn = self._turn  # type: ignore[method-assign]
        found: Figures = {}
        parts = {"pause": self.pauses, "own_pause": self.own_pauses, "turn": self.turns, "redraw": self.redraws}
        for name, values in parts.items():
            found |= {f"{name}_max": max(values) * 1000, f"{name}_p99": percentile(values, 99) * 1000}
        return found

    def _tick(self) -> None:
        at, stood = time.perf_counter(), in_line()
        late = max(0.0, at - self._last - TICK_MS / 1000)
        self.pauses.append(late)
        self.own_pauses.append(max(0.0, late - (stood - self._stood)))
        self._last, self._stood = at, stood
        self._waiting = self._root.after(TICK_MS, self._tick)

    def _timed_turn(self) -> bool:
        begun = time.perf_counter()
        more = self._turn()
        turned = time.perf_counter()
        self._root.update_idletasks()
        self.turns.append(turned - begun)
        self.redraws.append(time.perf_counter() - turned)
        return more


def in_line() -> float:
    """For how many seconds this thread has waited for a processor so far; 0 where that cannot be found out."""
    with suppress(OSError):
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def megabytes() -> float:
    """The memory of this process that is in use; 0 where that cannot be found out."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0
