"""A user of the real client in a process of its own: posts numbered texts, reads rooms, notes down all that happens.

    python -m tests.faults.worker --broker 127.0.0.1:5555 --folder ann --name ann --journal ann.jsonl --rate 60

Its texts are "LABEL 1", "LABEL 2" ...; it goes on where its journal and its outbox end, however it was killed. The line
"stop" on standard input ends the posting, and it says "settled" when nothing is left in the outbox; the end of standard
input ends it, with status 0 once it is settled and has seen everything.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from chat_client import effects
from chat_client.client import Client, Line, News, Renumbered
from chat_client.flight import Row, Settled
from chat_client.identity import open_identity
from chat_core import messages as m
from chat_core import wire
from chat_core.address import parse_address
from chat_core.chain import START
from chat_core.errors import RefusedError, UnreachableError
from tests.faults import journal as j
from tests.telling import tell

# Longer than anything may take at the end; who is not done by then has failed.
PATIENCE_SECONDS = 60.0
# A question to a broker that is away: asked anew, so that posting goes on meanwhile.
ASK_SECONDS = 1.0
# How often it is looked whether all is settled and seen.
LOOK_SECONDS = 0.05
# Who could not post for so long does not make up for it.
DEBT_SECONDS = 0.5


def flags(argv: list[str] | None = None) -> argparse.Namespace:
    """What members of the crew are told at their start."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--journal", required=True, type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--label", help="what the texts begin with; default: the name")
    parser.add_argument("--rooms", default="lobby", help="ids with commas between them")
    parser.add_argument("--rate", type=float, default=0.0, help="posts a second")
    parser.add_argument("--moves", type=float, default=0.0, help="rooms made, joined and left a second")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS)
    found = parser.parse_args(argv)
    found.label = found.label or found.name
    return found


def text_of(body: bytes) -> str:
    """What a message's body says."""
    return wire.decode(body, m.Message).text


def number_of(text: str) -> int:
    """The 7 of "ann 7"."""
    return int(text.rpartition(" ")[2])


class Pace:
    """When the next of so many a second is due; time that was lost is not made up for."""

    def __init__(self, rate: float) -> None:
        self._step = 1 / rate if rate else float("inf")
        self._due = j.now() if rate else float("inf")

    def wait(self) -> float:
        """Seconds until the next is due."""
        return self._due - j.now()

    def take(self) -> bool:
        """Is one due? Then the next is later."""
        now = j.now()
        if now < self._due:
            return False
        self._due = max(self._due + self._step, now - DEBT_SECONDS)
        return True


class Worker:
    """See the module."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._told, self._rooms = told, told.rooms.split(",")
        before = j.read_journal(told.journal)
        self._dice = random.Random(f"{told.seed} {told.label} {len(j.entries_of(before, j.Started))}")
        self._journal = j.Journal(told.journal)
        self._note(j.Started(j.now(), told.name, told.label, os.getpid(), self._rooms))
        self._client = Client(parse_address(told.broker), open_identity(told.folder), told.name)
        self._seen = dict.fromkeys(self._rooms, (0, START))
        self._stood: effects.Status | None = None
        self._resume(before)
        self._asked: list[str] = []  # rooms to be entered
        self._stopping = self._ending = self._said_settled = False
        self._deadline = float("inf")
        self._posts, self._moves = Pace(told.rate), Pace(told.moves)

    def run(self) -> None:
        """Until standard input ends, all is settled and everything was seen; or the patience."""
        self._client.read_lines(sys.stdin)
        self._client.start()
        self._asked = list(self._rooms)
        while not self._done():
            if j.now() > self._deadline:
                sys.exit(f"{self._told.label} is not done: {self._state_of_things()}")
            self._turn()
        self._note(j.Ended(j.now()))
        self._client.close()

    # Going on after a kill.

    def _resume(self, before: list[j.AnyEntry]) -> None:
        """Find out from the journal and the outbox what was said and seen."""
        mine = {entry.text for entry in before if isinstance(entry, j.Kept)}
        for row in self._client.outbox.unsent():
            text = text_of(row.body)
            if text.startswith(f"{self._told.label} ") and text not in mine:
                mine.add(text)  # killed between keeping it and noting that
                self._note(j.Kept(j.now(), row.room, text))
        self._number = max(map(number_of, mine), default=0)
        points: dict[str, list[tuple[int, str]]] = {room: [] for room in self._rooms}
        for entry in before:
            if isinstance(entry, j.Seen):
                points.setdefault(entry.room, []).extend((seq, chain) for seq, chain, *_ in entry.events)
            elif isinstance(entry, j.Rewound):
                points[entry.room] = [point for point in points[entry.room] if point[0] <= entry.seq]
        for room, known in points.items():
            self._seen[room] = known[-1] if known else (0, START)
            self._client.follow(room, *self._seen[room])
            self._client.remember(room, known[-4096:])

    # A turn.

    def _turn(self) -> None:
        self._note_status(self._client.status)  # news of it may have come while something was asked
        wait = min(self._posts.wait(), self._moves.wait()) if self._posting else LOOK_SECONDS
        for news in self._arrived(max(0.0, min(wait, LOOK_SECONDS))):
            self._take(news)
        if self._asked and self._client.welcome is not None:
            self._enter(self._asked[0])
        if self._posting and not self._asked:
            while self._posts.take():
                self._post()
            if self._moves.take():
                self._move()
        if self._stopping and not self._said_settled and self._settled():
            self._said_settled = True
            tell("settled")

    def _arrived(self, seconds: float) -> Iterator[News]:
        news = self._client.next(seconds)
        for _ in range(100):
            if news is None:
                return
            yield news
            news = self._client.next(0.0)
        if news is not None:
            yield news

    @property
    def _posting(self) -> bool:
        return not self._stopping

    def _post(self) -> None:
        self._number += 1
        text, room = f"{self._told.label} {self._number}", self._dice.choice(self._rooms)
        self._client.post(room, text)
        self._note(j.Kept(j.now(), room, text))

    def _take(self, news: News) -> None:
        now = j.now()
        if isinstance(news, effects.Arrived):
            self._take_events(news)
        elif isinstance(news, Settled):
            text = text_of(news.row.body)
            if isinstance(news.reply, m.Posted):
                self._note(j.Settled(now, news.reply.room, news.reply.seq, text))
            else:
                self._note(j.Turned(now, text, news.reply.code))
        elif isinstance(news, effects.Status):
            self._note_status(news)
        elif isinstance(news, Renumbered):
            self._note(j.Renumbered(now, len(news.rows)))
        elif isinstance(news, effects.Rewound):
            self._seen[news.room] = (news.seq, "")
            self._note(j.Rewound(now, news.room, news.seq))
        elif isinstance(news, effects.TurnedAway):
            raise AssertionError(f"{self._told.name} is not let in: {news.reply.text}")
        elif isinstance(news, Line):
            self._obey(news.text)

    def _note_status(self, status: effects.Status) -> None:
        if status != self._stood:
            self._stood = status
            self._note(j.Stood(j.now(), status.state, status.text))

    def _take_events(self, news: effects.Arrived) -> None:
        events = [
            (event.seq, event.chain, event.name, event.kind, text_of(event.body) if event.kind == "message" else "")
            for event in news.events
        ]
        self._seen[news.room] = events[-1][0], events[-1][1]
        self._note(j.Seen(j.now(), news.room, events))

    def _obey(self, command: str | None) -> None:
        self._client.line_done()
        self._stopping = True
        self._ending = command is None
        self._deadline = j.now() + self._told.patience

    # Rooms.

    def _enter(self, room: str) -> None:
        """Be a member, of a room that is made if it is not there."""
        self._note(j.Asking(j.now(), room))
        try:
            self._client.ask(m.Join(room=room), ASK_SECONDS)
            made = False
        except UnreachableError:
            return
        except RefusedError as problem:
            if problem.code != "no_room":
                raise
            made = self._make(room)
            if not made:
                return
        self._asked.remove(room)
        self._note(j.Entered(j.now(), room, made))

    def _make(self, room: str) -> bool:
        """Make a room; False if nobody answered, or somebody else was first."""
        try:
            self._client.ask(m.Create(room=room, once=self._once(room)), ASK_SECONDS)
        except UnreachableError:
            return False
        except RefusedError as problem:
            if problem.code != "room_taken":
                raise
            return False
        return True

    def _once(self, room: str) -> str:
        """The same for every try of this worker to make a room, in whatever process."""
        return random.Random(f"{self._told.label} {room}").randbytes(8).hex()

    def _move(self) -> None:
        """Make, join or leave a room that is not read."""
        room = f"storm-{self._dice.randrange(200)}"
        if self._dice.random() < 0.7:
            self._asked.append(room)
            return
        self._note(j.Asking(j.now(), room))
        try:
            self._client.ask(m.Leave(room=room), ASK_SECONDS)
            self._note(j.Left(j.now(), room))
        except UnreachableError:
            return
        except RefusedError as problem:
            if problem.code != "no_room":
                raise

    # The end.

    def _settled(self) -> bool:
        return not self._asked and self._client.welcome is not None and self._client.outbox.waiting() == 0

    def _done(self) -> bool:
        return self._ending and self._settled() and all(self._at_head(room) for room in self._rooms)

    def _at_head(self, room: str) -> bool:
        try:
            reply = self._client.ask(m.Room(room=room), ASK_SECONDS)
        except UnreachableError:
            return False
        assert isinstance(reply, m.RoomState)
        return reply.room.head == self._seen[room]

    def _state_of_things(self) -> str:
        waiting: list[Row] = self._client.outbox.unsent()
        return f"{self._client.status}, {len(waiting)} unsent, first {waiting[:1]}, seen {self._seen}, {self._asked}"

    def _note(self, entry: j.AnyEntry) -> None:
        self._journal.note(entry)


if __name__ == "__main__":
    Worker(flags()).run()
