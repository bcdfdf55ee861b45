"""Many readers of the lobby in one process: each a session and a link of its own, each with a journal of its own.

    python -m tests.faults.listeners --broker 127.0.0.1:5555 --folder hal --name hal --journal hal.jsonl --count 10

Their names are hal0, hal1 ..., and their journals hal0.jsonl, hal1.jsonl ... It obeys as `tests.faults.worker` does.
"""

import argparse
import itertools
import os
import random
import sys
import threading
from pathlib import Path

import zmq

from chat_client import effects
from chat_client.identity import open_identity
from chat_client.link import Link
from chat_client.meeting import OPEN
from chat_client.session import Session
from chat_core import messages as m
from chat_core.address import parse_address
from tests.faults import journal as j
from tests.faults.worker import PATIENCE_SECONDS, text_of

ROOM = "lobby"


class Listener:
    """One of them. What it hears is noted in the link's thread."""

    def __init__(self, told: argparse.Namespace, number: int, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        name = f"{told.name}{number}"
        self._journal = j.Journal(told.journal.with_name(f"{name}.jsonl"))
        self._journal.note(j.Started(j.now(), name, name, os.getpid(), [ROOM]))
        told.folder.mkdir(exist_ok=True)
        identity, broker = open_identity(told.folder / name), parse_address(told.broker)
        dice = random.Random(f"{told.seed} {name}")
        self._session = Session(identity.public, name, dice=dice, pin=broker.key or OPEN)
        self._link = Link(self._session, broker, self._take, context, identity=identity)
        self._seen = 0
        self._head = -1  # of the room, as last told
        self._told = threading.Event()
        self._link.call(self._begin)
        self._link.start()

    def finish(self, deadline: float) -> None:
        """Go on until everything was seen, then end."""
        for token in itertools.count(1):
            self._link.call(lambda session, now, token=token: session.ask(token, m.Room(room=ROOM), now))
            self._told.wait(max(0.0, deadline - j.now()))
            self._told.clear()
            if self._seen == self._head:
                break
            assert j.now() < deadline, f"{self._seen} of {self._head} events seen"
        self._link.stop()
        self._journal.note(j.Ended(j.now()))

    def _begin(self, session: Session, now: float) -> None:
        session.follow(ROOM, now=now)
        session.start(now)

    def _take(self, news: effects.Effect) -> None:
        if isinstance(news, effects.Arrived):
            self._journal.note(j.Seen(j.now(), news.room, [_as_seen(event) for event in news.events]))
            self._seen = news.events[-1].seq
        elif isinstance(news, effects.Rewound):
            self._journal.note(j.Rewound(j.now(), news.room, news.seq))
        elif isinstance(news, effects.Status):
            self._journal.note(j.Stood(j.now(), news.state, news.text))
        elif isinstance(news, effects.Answered) and isinstance(news.reply, m.RoomState):
            self._head = news.reply.room.head[0]
            self._told.set()


def _as_seen(event: m.Event) -> tuple[int, str, str, str, str]:
    text = text_of(event.body) if event.kind == "message" else ""
    return event.seq, event.chain, event.name, event.kind, text


def main() -> None:
    """Until standard input ends and everybody has seen everything."""
    parser = argparse.ArgumentParser()
    for flag in ("broker", "name", "label", "seed"):
        parser.add_argument(f"--{flag}")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--count", type=int)
    told = parser.parse_args()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    listeners = [Listener(told, number, context) for number in range(told.count)]
    for _ in sys.stdin:  # "stop": there is nothing to settle
        sys.stdout.write("settled\n")
        sys.stdout.flush()
    deadline = j.now() + PATIENCE_SECONDS
    for listener in listeners:
        listener.finish(deadline)
    context.term()


if __name__ == "__main__":
    main()
