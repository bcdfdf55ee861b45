"""Who is at a broker under attack: a plain DEALER that may send anything, and an honest client beside it."""

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zmq

from chat_broker.store import FILE
from chat_client import effects
from chat_client.client import Client
from chat_client.flight import Settled
from chat_client.identity import open_identity
from chat_core import messages as m
from chat_core import wire
from chat_core.address import parse_address

# For an answer: only a broken test waits so long.
PATIENCE_SECONDS = 20.0

Context = zmq.Context["zmq.Socket[bytes]"]


class Peer:
    """A DEALER at a port, which knows whether its connection was cut."""

    def __init__(self, context: Context, port: int) -> None:
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._events = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._socket.connect(f"tcp://127.0.0.1:{port}")

    def send(self, *frames: bytes) -> None:
        """Send a message of these frames."""
        self._socket.send_multipart(frames)

    def receive(self) -> dict[str, Any]:
        """The next reply."""
        assert self._socket.poll(int(PATIENCE_SECONDS * 1000)), "no answer"
        reply: dict[str, Any] = json.loads(self._socket.recv())
        return reply

    def ask(self, *frames: bytes) -> dict[str, Any]:
        """The reply to a message."""
        self.send(*frames)
        return self.receive()

    def heard_nothing(self) -> bool:
        """Is there no reply that nobody has asked for?"""
        return not self._socket.poll(0)

    def was_cut(self, seconds: float = 0.0) -> bool:
        """Was the connection lost, or will it be within so many seconds?"""
        return bool(self._events.poll(int(seconds * 1000)))

    def close(self) -> None:
        """Leave without a word."""
        self._socket.disable_monitor()
        self._events.close()
        self._socket.close()


class Honest:
    """Somebody who talks in the lobby by the client library, and misses nothing."""

    def __init__(self, folder: Path, address: str, name: str) -> None:
        self._client = Client(parse_address(address), open_identity(folder), name, accept="open")
        self._client.connect(PATIENCE_SECONDS)
        self._client.follow("lobby")
        self.heard: list[m.Event] = []

    def talk(self) -> None:
        """Say something and wait until it is acknowledged and heard, as the next event after the last one."""
        row = self._client.post("lobby", f"number {len(self.heard)}")
        posted = None
        while posted is None or not self.heard or self.heard[-1].seq < posted.seq:
            news = self._client.next(PATIENCE_SECONDS)
            assert news is not None, "no answer, or not heard"
            if isinstance(news, Settled) and news.row == row:
                assert isinstance(news.reply, m.Posted), news
                posted = news.reply
            elif isinstance(news, effects.Arrived):
                self.heard += news.events
            else:
                assert not isinstance(news, effects.TurnedAway | effects.Rewound | effects.Held), news
        assert [event.seq for event in self.heard] == list(range(1, posted.seq + 1))
        assert wire.decode_message(self.heard[-1].body).text == wire.decode_message(row.body).text

    def close(self) -> None:
        """Say bye."""
        self._client.close()


def on_disk(data: Path) -> dict[str, list[Any]]:
    """Everything that a broker has stored, by table."""
    tables = ("kept", "log", "runs", "outcomes", "clock", "about")
    file = f"{(data / FILE).absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True, timeout=PATIENCE_SECONDS)) as sql:
        return {table: sorted(sql.execute(f"SELECT * FROM {table}")) for table in tables}


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    """How many files and connections a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again, for so long at most."""
    deadline, nothing = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        nothing.wait(0.05)
