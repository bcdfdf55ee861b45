"""People who talk all the time: each a real client in a thread of its own, which keeps what a log has to agree with."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chat_client import effects
from chat_client.client import Client
from chat_client.flight import Settled
from chat_client.identity import open_identity
from chat_core import messages as m
from chat_core import wire
from chat_core.address import Address
from tests.system.inproc import message
from tests.system.processes import LONG

# Posts that are kept with one write of the outbox: the talkers' disk is not what is tried here.
BURST = 5


class Talker(threading.Thread):
    """Says ``rate`` things a second in the lobby while ``talking``, and reads all of it. `finish` it in the end.

    ``wording``: what it says as its n-th. Everything it notes is its thread's until that has ended.
    """

    def __init__(self, address: Address, folder: Path, rate: float, wording: Callable[[int], str]) -> None:
        super().__init__(name=folder.name)
        self.talking, self.epoch = True, ""
        self.said: list[str] = []
        self.copy: list[m.Event] = []  # of the lobby
        self.rewinds: list[effects.Rewound] = []
        self.fates: dict[str, list[tuple[str, m.Posted | m.Refused]]] = defaultdict(list)  # text -> epoch, reply
        self.waits: list[tuple[float, float]] = []  # when something was acknowledged, and after how many seconds
        self.problem: BaseException | None = None
        self._address, self._folder, self._pause, self._wording = address, folder, BURST / rate, wording
        self._kept: dict[str, float] = {}  # what is not settled, and since when
        self._ending = threading.Event()

    @property
    def settled(self) -> bool:
        """Is everything acknowledged that it has said?"""
        return not self.talking and not self._kept

    def acknowledged(self) -> dict[str, int]:
        """What was acknowledged so far, with its number."""
        return {text: fates[0][1].seq for text, fates in list(self.fates.items()) if isinstance(fates[0][1], m.Posted)}

    def finish(self) -> None:
        """Have it go home; raises what went wrong in its thread."""
        self._ending.set()
        self.join(LONG)
        if self.problem is not None:
            raise self.problem

    def run(self) -> None:
        """The thread."""
        try:
            with Client(self._address, open_identity(self._folder), self.name) as client:
                client.connect(LONG)
                client.follow("lobby")
                self._talk(client)
        except BaseException as problem:
            self.problem = problem

    def _talk(self, client: Client) -> None:
        numbers = itertools.count(1)
        due = time.monotonic()
        while not self._ending.is_set():
            if self.talking and time.monotonic() >= due:
                due += self._pause
                self._say(client, [self._wording(next(numbers)) for _ in range(BURST)])
            news = client.next(min(max(0.0, due - time.monotonic()), self._pause) if self.talking else self._pause)
            self._take(news)

    def _say(self, client: Client, texts: list[str]) -> None:
        rows = client.outbox.add_all([("lobby", "message", message(text)) for text in texts], [])
        self.said += texts
        self._kept |= dict.fromkeys(texts, time.monotonic())
        client.send(rows)

    def _take(self, news: Any) -> None:
        if isinstance(news, effects.Welcomed):
            self.epoch = news.welcome.epoch
        elif isinstance(news, effects.Rewound):
            self.rewinds.append(news)
            del self.copy[news.seq :]
        elif isinstance(news, effects.Arrived):
            self.copy += news.events
        elif isinstance(news, Settled):
            text = wire.decode(news.row.body, m.Message).text
            self.fates[text].append((self.epoch, news.reply))
            now = time.monotonic()
            self.waits.append((now, now - self._kept.pop(text)))
