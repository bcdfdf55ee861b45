"""The pump: how much news it takes in one turn, in which order, and what happens when a piece breaks. Without Tk."""

import itertools
import logging
import queue
import tkinter as tk
from collections.abc import Callable
from typing import cast

import pytest

from chat_client.gui.pump import BUSY_MS, MOST_A_TURN, REST_MS, TURN_SECONDS, WHOLE_TURN_SECONDS, Pump


class BrokenError(Exception):
    """What does not work here."""


class Root:
    """What the pump needs of Tk: `after`. The test says when time passes."""

    def __init__(self) -> None:
        self.waiting: dict[str, tuple[int, Callable[[], None]]] = {}
        self._ids = itertools.count()

    def after(self, ms: int, call: Callable[[], None]) -> str:
        name = f"after#{next(self._ids)}"
        self.waiting[name] = ms, call
        return name

    def after_cancel(self, name: str) -> None:
        del self.waiting[name]

    def run(self) -> int:
        """Do what waits; how long it had to wait, in ms."""
        ((name, (ms, call)),) = self.waiting.items()
        del self.waiting[name]
        call()
        return ms

    @property
    def next(self) -> int:
        """So long until the next turn."""
        ((ms, _),) = self.waiting.values()
        return ms


class Bench:
    """A pump, a queue, a clock that the pieces of news move, and what was done."""

    def __init__(self, weight: Callable[[str], int] = lambda news: 1) -> None:
        self.root = Root()
        self.news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.now = 0.0
        self.costs: dict[str, float] = {}  # seconds
        self.done: list[str] = []
        self.shown: list[int] = []  # how much was done each time
        self.pump = Pump(
            cast(tk.Misc, self.root),
            self.news,
            apply=self.apply,
            shown=lambda: self.shown.append(len(self.done)),
            clock=lambda: self.now,
            weight=weight,
        )

    def apply(self, news: str) -> None:
        self.now += self.costs.get(news, 0.0)
        if news == "broken":
            raise BrokenError
        self.done.append(news)

    def put(self, *news: str) -> None:
        for one in news:
            self.news.put(one)


def test_news_are_taken_in_order_and_shown_once_a_turn() -> None:
    bench = Bench()
    bench.put("a", "b", "c")
    assert bench.pump.turn() is False
    assert (bench.done, bench.shown) == (["a", "b", "c"], [3])
    bench.put("d")
    bench.pump.turn()
    assert (bench.done[3:], bench.shown) == (["d"], [3, 4])


def test_a_turn_without_news_shows_what_time_has_changed() -> None:
    bench = Bench()
    assert bench.pump.turn() is False
    assert bench.shown == [0]


def test_a_turn_takes_only_so_many() -> None:
    bench = Bench()
    news = [str(number) for number in range(MOST_A_TURN + 1)]
    bench.put(*news)
    assert bench.pump.turn() is True
    assert bench.done == news[:-1]
    assert bench.pump.turn() is False
    assert bench.done == news


def test_large_pieces_count_for_what_they_are() -> None:
    bench = Bench(weight=lambda news: 50)
    bench.put(*"abcdefg")
    assert bench.pump.turn() is True
    assert len(bench.done) == MOST_A_TURN // 50


def test_a_turn_takes_only_so_long() -> None:
    bench = Bench()
    bench.costs = dict.fromkeys("abcdef", TURN_SECONDS / 2)
    bench.put(*"abcdef")
    assert bench.pump.turn() is True
    assert bench.done == ["a", "b"]


def test_where_showing_is_slow_the_next_turns_are_smaller_until_it_is_not() -> None:
    bench = Bench()
    cost = WHOLE_TURN_SECONDS / 10  # to show one

    def shown() -> None:
        bench.now += cost * (len(bench.done) - sum(bench.shown))
        bench.shown.append(len(bench.done) - sum(bench.shown))

    pump = Pump(cast(tk.Misc, bench.root), bench.news, apply=bench.apply, shown=shown, clock=lambda: bench.now)
    bench.put(*(str(number) for number in range(4 * MOST_A_TURN)))
    for _ in range(3):
        pump.turn()
    assert bench.shown == [MOST_A_TURN, 10, 10]
    cost = 0.0
    for _ in range(2):
        pump.turn()
    assert bench.shown[3:] == [10, MOST_A_TURN]


def test_one_slow_piece_is_taken_all_the_same() -> None:
    bench = Bench()
    bench.costs = {"slow": 100 * TURN_SECONDS}
    bench.put("slow", "next")
    assert bench.pump.turn() is True
    assert bench.done == ["slow"]
    bench.pump.turn()
    assert bench.done == ["slow", "next"]


def test_a_piece_that_breaks_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.put("a", "broken", "b")
    assert bench.pump.turn() is False
    assert (bench.done, bench.shown) == (["a", "b"], [2])
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "news could not be shown: 'broken'")
    ]


def test_it_comes_back_at_once_while_more_waits_and_rests_otherwise() -> None:
    bench = Bench()
    bench.pump.start()
    bench.put(*(str(number) for number in range(2 * MOST_A_TURN)))
    waited = [bench.root.run() for _ in range(3)]
    assert (waited, bench.root.next) == ([BUSY_MS, BUSY_MS, REST_MS], REST_MS)
    assert len(bench.done) == 2 * MOST_A_TURN


def test_it_goes_on_though_showing_breaks() -> None:
    bench = Bench()

    def broken() -> None:
        bench.shown.append(-1)
        raise BrokenError

    pump = Pump(
        cast(tk.Misc, bench.root), bench.news, apply=bench.apply, shown=broken, clock=lambda: bench.now
    )  # fmt: skip
    pump.start()
    with pytest.raises(BrokenError):
        bench.root.run()
    assert bench.shown == [-1]
    bench.put("a")
    with pytest.raises(BrokenError):
        bench.root.run()
    assert bench.done == ["a"]


def test_stop_cancels_the_next_turn_and_leaves_what_is_in_the_queue() -> None:
    bench = Bench()
    bench.pump.start()
    bench.put("a")
    bench.pump.stop()
    assert bench.root.waiting == {}
    assert bench.news.get_nowait() == "a"
    bench.pump.stop()  # a second time nothing happens


@pytest.mark.parametrize("where", ["apply", "shown"])
def test_it_can_be_stopped_from_within_a_turn(where: str) -> None:
    bench = Bench()
    pump = Pump(
        cast(tk.Misc, bench.root),
        bench.news,
        apply=lambda news: pump.stop() if where == "apply" else None,
        shown=lambda: pump.stop() if where == "shown" else None,
        clock=lambda: bench.now,
    )
    bench.put("a")
    pump.start()
    bench.root.run()
    assert bench.root.waiting == {}
