"""``send``: posts messages, and ends with 0 only if the broker has acknowledged every one of them."""

import argparse
import contextlib
import io
import sys
import time

from chat_client import effects
from chat_client.cli.opening import is_terminal, open_client
from chat_client.cli.output import (
    DONE,
    INTERRUPTED,
    TRY_AGAIN,
    USAGE,
    print_json,
    refused_status,
    say,
    trouble_status,
)
from chat_client.client import Client, Line, Renumbered, as_error
from chat_client.flight import Row, Settled
from chat_client.outbox import KeyUsedError
from chat_client.troubles import LASTING, PASSING
from chat_core import durations, places
from chat_core import messages as m
from chat_core.errors import RefusedError, UnreachableError, UntrustedError


def send(args: argparse.Namespace) -> int:
    """Post messages; the exit status is 0 only if the broker has acknowledged every one of them."""
    if args.flush == bool(args.room) or (args.flush and (args.text or args.lines or args.key)):
        return say("send takes a ROOM and a message, or --flush alone.", USAGE)
    if args.lines and args.text:
        return say("send takes a TEXT or --lines, not both.", USAGE)
    with _opened(args) as client:
        client.start()
        sending = _Sending(client, args)
        if args.flush:
            return sending.flush()
        if isinstance(sys.stdin, io.TextIOWrapper):
            # Whatever the system's encoding: what is not UTF-8 is then refused with a sentence instead of a traceback.
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        if args.lines:
            if is_terminal():  # who is asked there whether the broker is the right one must not be asked for lines too
                with contextlib.suppress(UnreachableError):
                    client.connect(args.timeout, say)
            client.read_lines(sys.stdin)
            return sending.run(more=True)
        return sending.one(" ".join(args.text) if args.text else sys.stdin.read().rstrip("\r\n"))


def _opened(args: argparse.Namespace) -> Client:
    """The client. Where a join string has another key than the known one, the outbox would keep for the known one."""
    try:
        return open_client(args)
    except UntrustedError:
        say("Nothing of this was kept: it is not clear which broker is meant.")
        raise


class _Sending:
    """The messages of one `send`, until each is settled or time is up."""

    def __init__(self, client: Client, args: argparse.Namespace) -> None:
        self._client, self._args = client, args
        self._room = _place(client, args) if args.room else ""
        self._open: dict[tuple[str, int], tuple[Row, int]] = {}  # my rows that are not settled, each with its line
        self._lines = self._count = 0
        self._others = 0  # messages kept from before that were sent meanwhile
        self._status = DONE
        self._held: set[str] = set()  # for what reasons it was said that we have to wait

    def one(self, text: str) -> int:
        """A message that is no line of several."""
        self._add(text)
        return self.run(more=False)

    def _add(self, text: str) -> bool:
        """Post a message; or say why that cannot be done, and return False."""
        try:
            # Only what is accepted is numbered: a line that is refused here may leave no hole in a key's numbers.
            row = self._client.post(self._room, text, self._args.key or "", self._count + 1)
        except KeyUsedError:
            text = f"The key {self._args.key!r} stands for another message that is still unsent."
            self._refused("conflict", text, self._lines)
        except RefusedError as problem:
            self._refused(problem.code, problem.text, self._lines)
        else:
            self._count += 1
            self._open[row.sender, row.n] = row, self._lines
            return True
        return False

    def run(self, more: bool) -> int:
        """Until all is settled and, with ``more``, standard input has ended."""
        try:
            return self._run(more)
        finally:
            if self._others:
                say(f"Sent as well: {_messages(self._others)} kept from before.")

    def _run(self, more: bool) -> int:
        deadline = time.monotonic() + self._args.timeout
        while self._open or more:
            waiting = None if more and not self._open else deadline - time.monotonic()
            try:
                news = self._client.next(waiting)
            except KeyboardInterrupt:
                if self._open:
                    self._kept()
                return INTERRUPTED
            except UntrustedError:
                self._give_up()
                say("Nothing of this was kept: nobody has confirmed who the broker is.")
                raise
            if news is None:
                return self._kept()
            if isinstance(news, effects.Trouble) and news.code in LASTING:
                return self._kept(news)
            if isinstance(news, Line):
                if not self._open:
                    deadline = time.monotonic() + self._args.timeout
                more = self._take_line(news)
            elif isinstance(news, effects.Waits):
                say(news.reply.text)
            elif isinstance(news, effects.Trouble) and news.code in PASSING:
                say(f"{news.text} Trying on.")
            elif isinstance(news, effects.Held):
                self._say_held(news.reply)
            elif isinstance(news, effects.TurnedAway):
                self._give_up()
                say("Nothing of this was kept: the broker does not let you in.")
                raise as_error(news.reply)
            elif isinstance(news, Renumbered):
                self._renumbered(news.rows)
            elif isinstance(news, Settled):
                deadline = time.monotonic() + self._args.timeout
                self._settled(news)
        return self._status

    def _give_up(self) -> None:
        for row, _ in self._open.values():
            self._client.outbox.settle(row)

    def _say_held(self, reply: m.Refused) -> None:
        """Say that a limit holds the messages back: once, as one hold follows the other."""
        if reply.code not in self._held:
            self._held.add(reply.code)
            say(reply.text + (f" (The wait is {durations.roughly(reply.retry)} now.)" if reply.retry else ""))

    def flush(self) -> int:
        """Until what earlier processes left is settled."""
        deadline = time.monotonic() + self._args.timeout
        outbox = self._client.outbox
        if not outbox.waiting() and not outbox.elsewhere():
            return DONE
        while self._client.welcome is None or outbox.waiting():
            news = self._client.next(deadline - time.monotonic())
            if news is None:
                return self._kept()
            if isinstance(news, effects.Trouble) and news.code in LASTING:
                return self._kept(news)
            if isinstance(news, effects.Trouble) and news.code in PASSING:
                say(f"{news.text} Trying on.")
            if isinstance(news, effects.Held):
                self._say_held(news.reply)
            if isinstance(news, effects.TurnedAway):
                raise as_error(news.reply)
            if isinstance(news, Settled):
                deadline = time.monotonic() + self._args.timeout
                self._tell(news)
        if elsewhere := outbox.elsewhere():
            say(f"{_messages(elsewhere, 'is', 'are')} kept for other brokers: `outbox` lists what, and for which.")
        return self._status

    def _take_line(self, line: Line) -> bool:
        if line.text is None:
            return False
        self._lines += 1
        if not line.text.strip() or not self._add(line.text):
            self._client.line_done()  # blank lines are no messages
        return True

    def _settled(self, news: Settled) -> None:
        mine = self._open.pop((news.row.sender, news.row.n), None)
        if mine is None:
            if isinstance(news.reply, m.Posted):
                self._others += 1
            else:
                say(f"A message kept from before was refused: {news.reply.text}")
            return
        if self._args.lines:
            self._client.line_done()
        self._tell(news, mine[1])

    def _tell(self, news: Settled, line: int = 0) -> None:
        reply = news.reply
        if isinstance(reply, m.Posted):
            if self._args.json:
                print_json({"room": reply.room, "seq": reply.seq, "time": reply.time, "line": line})
            else:
                print(reply.seq, flush=True)
            return
        text = reply.text
        if reply.code == "conflict" and self._args.key:
            text = f"The key {self._args.key!r} was used for another message before."
        self._refused(reply.code, text, line)

    def _refused(self, code: str, text: str, line: int) -> None:
        if self._args.json:
            print_json({"refused": code, "text": text, "line": line})
        self._status = say(f"line {line}: {text}" if line else text, refused_status(code))

    def _renumbered(self, rows: dict[Row, Row]) -> None:
        for old, new in rows.items():
            mine = self._open.pop((old.sender, old.n), None)
            if mine is not None:
                self._open[new.sender, new.n] = new, mine[1]

    def _kept(self, trouble: effects.Trouble | None = None) -> int:
        """``trouble``: what somebody has to mend; else only time was too short."""
        things = _messages(self._client.outbox.waiting(), "is", "are")
        if trouble is not None:
            say(trouble.text)
        reason = f" ({self._client.held.text})" if self._client.held is not None else ""
        if self._client.waits is not None:
            reason = " (no admin has let you in yet)"
        late = " in time" if trouble is None else ""
        return say(
            f"Not acknowledged{late}{reason}: {things} kept in the outbox. Do not repeat the command; "
            f"`send --flush` sends what is kept, and so does the next `send`.",
            TRY_AGAIN if trouble is None else trouble_status(trouble.code),
        )


def _place(client: Client, args: argparse.Namespace) -> str:
    """The id of the room that was typed. That of a direct one is asked for: without a broker nothing is kept."""
    people = places.people_in(args.room)
    if not people:
        return places.room_id(args.room)
    client.connect(args.timeout, say)
    return client.direct(people, args.timeout).id


def _messages(count: int, one: str = "", many: str = "") -> str:
    """So many messages, with the verb that goes with the number."""
    return f"1 message {one}".rstrip() if count == 1 else f"{count} messages {many}".rstrip()
