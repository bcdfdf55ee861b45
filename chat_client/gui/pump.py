"""Carries news from the other threads' queue into the window's loop, so much in one turn that nobody notices it."""

import logging
import queue
import tkinter as tk
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger("chat.window")

# GUI.md, "Thread -> GUI hand-off": unbounded turns were measured to block the window for 346 ms. Most of a turn's time
# goes into showing (0.1 to 0.2 ms for a message), which depends on the machine: how much fits into a turn is learnt.
MOST_A_TURN = 50
TURN_SECONDS = 0.008  # without showing
WHOLE_TURN_SECONDS = 0.02
# While more waits it comes back at once; Tk draws and takes keys in between.
BUSY_MS, REST_MS = 1, 25

T = TypeVar("T")


class Pump(Generic[T]):
    """Drains a queue in bounded turns. Belongs to Tk's thread."""

    def __init__(
        self,
        root: tk.Misc,
        news: "queue.SimpleQueue[T]",
        *,
        apply: Callable[[T], None],
        shown: Callable[[], None],
        clock: Callable[[], float],
        weight: Callable[[T], int] = lambda news: 1,
    ) -> None:
        """``apply`` takes each piece of news; ``shown`` is called once at the end of every turn, to show what has
        changed; ``clock`` is in seconds; ``weight``: how much work a piece is, in single events."""
        self._root, self._news = root, news
        self._apply, self._shown, self._clock, self._weight = apply, shown, clock, weight
        self._again = ""
        self._running = False
        self._most = MOST_A_TURN  # in the next turn

    def start(self) -> None:
        """Begin with the next turn of Tk's loop."""
        self._running = True
        self._again = self._root.after(BUSY_MS, self._run)

    def stop(self) -> None:
        """End, from within a turn with that turn; what is in the queue then stays there."""
        self._running = False
        if self._again:
            self._root.after_cancel(self._again)
            self._again = ""

    def turn(self) -> bool:
        """One turn; returns whether more waits."""
        begun, done = self._clock(), 0
        while done < self._most and self._clock() - begun < TURN_SECONDS:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                break
            done += self._weight(news)
            try:
                self._apply(news)
            except Exception:  # one piece that breaks must not stop all others
                log.exception("news could not be shown: %.200r", news)
        self._shown()
        if done:
            took = max(self._clock() - begun, 1e-6)
            self._most = min(MOST_A_TURN, max(1, round(done * WHOLE_TURN_SECONDS / took)))
        return not self._news.empty()

    def _run(self) -> None:
        self._again = ""
        more = True
        try:
            more = self.turn()
        finally:
            if self._running and not self._again:
                self._again = self._root.after(BUSY_MS if more else REST_MS, self._run)
