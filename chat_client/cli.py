"""The command line: send, tail, rooms, who and the other verbs. Data on standard output, talk on standard error."""

import argparse
import getpass
import math
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from chat_client import session as s
from chat_client.client import Client, Line
from chat_client.flight import Renumber, Row, Settled
from chat_client.identity import folder_for, open_identity
from chat_client.outbox import KeyUsedError
from chat_core import VERSION, names, wire
from chat_core import messages as m
from chat_core.address import Address, parse_address
from chat_core.chain import START
from chat_core.errors import AddressError, IdentityError, RefusedError, UnreachableError, WireError

# sysexits.h, as far as a script can make something of them.
DONE, REFUSED, USAGE, UNAVAILABLE, TRY_AGAIN, NOT_ALLOWED, CONFIG = 0, 1, 2, 69, 75, 77, 78
INTERRUPTED = 130

# Refusals that say "you may not", rather than "that is wrong".
_NOT_ALLOWED = {"not_member", "foreign_sender"}


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    parser = _parser()
    args = parser.parse_args(argv)
    if not args.verb:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except AddressError as problem:
        return _say(problem, USAGE)
    except RefusedError as problem:
        return _say(problem, NOT_ALLOWED if problem.code in _NOT_ALLOWED else REFUSED)
    except UnreachableError as problem:
        return _say(problem, UNAVAILABLE)
    except IdentityError as problem:
        return _say(problem, CONFIG)
    except WireError as problem:
        return _say(f"The broker sent something that this version cannot read ({problem}).", REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough: `tail ... | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


# ---- send --------------------------------------------------------------------------------------------------------


def _send(args: argparse.Namespace) -> int:
    """Post messages; the exit status is 0 only if the broker has acknowledged every one of them."""
    if args.flush == bool(args.room) or (args.flush and (args.text or args.lines or args.key)):
        return _say("send takes a ROOM and a message, or --flush alone.", USAGE)
    if args.lines and args.text:
        return _say("send takes a TEXT or --lines, not both.", USAGE)
    with _client(args) as client:
        sending = _Sending(client, args)
        client.start()
        if args.flush:
            return sending.flush()
        if args.lines:
            client.read_lines(sys.stdin)
            return sending.run(more=True)
        sending.add([" ".join(args.text) if args.text else sys.stdin.read().rstrip("\r\n")])
        return sending.run(more=False)


class _Sending:
    """The messages of one `send`, until each is settled or time is up."""

    def __init__(self, client: Client, args: argparse.Namespace) -> None:
        self._client, self._args = client, args
        self._room = names.room_name(args.room) if args.room else ""
        self._open: dict[tuple[str, int], Row] = {}  # my rows that are not settled
        self._texts = self._count = 0
        self._status = DONE

    def add(self, texts: list[str]) -> None:
        for text in texts:
            self._texts += 1
            try:
                # Only what is accepted is numbered: a line that is refused here may leave no hole in a key's numbers.
                row = self._client.post(self._room, text, self._args.key or "", self._count + 1)
                self._count += 1
            except KeyUsedError:
                text = f"The key {self._args.key!r} stands for another message that is still unsent."
                raise RefusedError("conflict", text) from None
            self._open[row.sender, row.n] = row

    def run(self, more: bool) -> int:
        """Until all is settled and, with ``more``, standard input has ended."""
        deadline = time.monotonic() + self._args.timeout
        while self._open or more:
            waiting = None if more and not self._open else deadline - time.monotonic()
            try:
                news = self._client.next(waiting)
            except KeyboardInterrupt:
                self._kept()
                return INTERRUPTED
            if news is None:
                return self._kept()
            if isinstance(news, Line):
                if not self._open:
                    deadline = time.monotonic() + self._args.timeout
                more = self._take_line(news)
            elif isinstance(news, s.TurnedAway):
                for row in self._open.values():
                    self._client.outbox.settle(row)
                raise RefusedError(news.reply.code, news.reply.text, verdict=news.reply.verdict)
            elif isinstance(news, Renumber):
                self._renumbered(news.rows)
            elif isinstance(news, Settled):
                deadline = time.monotonic() + self._args.timeout
                self._settled(news)
        return self._status

    def flush(self) -> int:
        """Until what earlier processes left is settled."""
        deadline = time.monotonic() + self._args.timeout
        outbox = self._client.outbox
        while self._client.welcome is None or outbox.waiting():
            news = self._client.next(deadline - time.monotonic())
            if news is None:
                return self._kept()
            if isinstance(news, s.TurnedAway):
                raise RefusedError(news.reply.code, news.reply.text, verdict=news.reply.verdict)
            if isinstance(news, Settled):
                deadline = time.monotonic() + self._args.timeout
                self._tell(news)
        if outbox.elsewhere():
            _say(
                f"{outbox.elsewhere()} more are kept for another broker than the one at {self._client.address.text}.", 0
            )
        return self._status

    def _take_line(self, line: Line) -> bool:
        if line.text is None:
            return False
        if not line.text.strip():
            self._client.line_done()  # blank lines are no messages
            return True
        try:
            self.add([line.text])
        except RefusedError as problem:
            self._client.line_done()
            self._status = _say(f"message {self._texts}: {problem}", REFUSED)
        return True

    def _settled(self, news: Settled) -> None:
        if self._open.pop((news.row.sender, news.row.n), None) is None:
            if isinstance(news.reply, m.Posted):
                _say(f"A message kept from before was sent to {news.reply.room}, as number {news.reply.seq}.", 0)
            else:
                _say(f"A message kept from before was refused: {news.reply.text}", 0)
            return
        if self._args.lines:
            self._client.line_done()
        self._tell(news)

    def _tell(self, news: Settled) -> None:
        reply = news.reply
        if isinstance(reply, m.Posted):
            if self._args.json:
                _print_json({"room": reply.room, "seq": reply.seq, "time": reply.time})
            else:
                print(reply.seq, flush=True)
            return
        text = reply.text
        if reply.code == "conflict" and news.row.fixed:
            text = f"The key {self._args.key!r} was used for another message before."
        self._status = _say(text, NOT_ALLOWED if reply.code in _NOT_ALLOWED else REFUSED)

    def _renumbered(self, rows: list[Row]) -> None:
        """The outbox gave these rows a fresh sender, in the same order."""
        for old, new in zip(rows, self._client.renewed, strict=True):
            if self._open.pop((old.sender, old.n), None) is not None:
                self._open[new.sender, new.n] = new

    def _kept(self) -> int:
        count = self._client.outbox.waiting()
        things = "1 message is" if count == 1 else f"{count} messages are"
        return _say(
            f"Not acknowledged in time: {things} kept in the outbox. Do not repeat the command; "
            f"`send --flush` sends what is kept, and so does the next `send`.",
            TRY_AGAIN,
        )


# ---- tail --------------------------------------------------------------------------------------------------------


def _tail(args: argparse.Namespace) -> int:
    """Print a room's events as they come, each once, without holes."""
    with _client(args) as client:
        client.connect(args.timeout)
        room = _room(client, args)
        seq, chain = room.head
        have, known = _start(args.start, seq, chain)
        client.follow(room.id, have, known)
        left = args.count if args.count is not None else math.inf
        while left > 0:
            news = client.next()
            if isinstance(news, s.Arrived):
                for event in news.events[: int(min(left, len(news.events)))]:
                    _print_event(event, args.json)
                    left -= 1
                sys.stdout.flush()
            elif isinstance(news, s.Rewound):
                return _rewound(news, args.json)
            elif isinstance(news, s.TurnedAway):
                raise RefusedError(news.reply.code, news.reply.text, verdict=news.reply.verdict)
            elif isinstance(news, s.Status) and news.state in ("offline", "live") and sys.stderr.isatty():
                _say(news.text, 0)
        return DONE


def _start(start: int | None, head: int, chain: str) -> tuple[int, str | None]:
    """(what is not to be printed any more, its chain if it is known)."""
    if start is None:
        return head, chain
    have = start - 1 if start > 0 else max(0, head + start)
    if have == head:
        return head, chain
    return have, START if have == 0 else None


def _print_event(event: m.Event, as_json: bool) -> None:
    if as_json:
        _print_json(flat(event))
    else:
        print(readable(event))


def flat(event: m.Event) -> dict[str, Any]:
    """An event as one JSON object: its envelope and its body's fields side by side."""
    plain: dict[str, Any] = wire.plain(event)
    body = plain.pop("body", {})
    return {**{key: plain.pop(key) for key in ("room", "seq", "time", "kind", "author", "name")}, **body, **plain}


def readable(event: m.Event) -> str:
    """An event as a person reads it."""
    at = datetime.fromtimestamp(event.time / 1000).strftime("%H:%M")
    if event.kind == "message":
        text = wire.decode(event.body, m.Message).text.replace("\n", "\n" + " " * (9 + len(event.name)))
        return f"{at}  {event.name}: {text}"
    said = {"joined": "has joined", "left": "has left", "created": "created the room"}.get(event.kind)
    return f"{at}  * {event.name} {said or f'did something that this version does not know ({event.kind})'}"


def _rewound(news: s.Rewound, as_json: bool) -> int:
    if as_json:
        _print_json({"kind": "rewound", "room": news.room, "seq": news.seq, "epoch": news.epoch})
    text = f"The broker's history is another one: a backup was restored, and what came after number {news.seq} is gone."
    return _say(text, REFUSED)


# ---- the smaller verbs -------------------------------------------------------------------------------------------


def _rooms(args: argparse.Namespace) -> int:
    """List the rooms."""
    with _client(args) as client:
        client.connect(args.timeout)
        rooms: list[m.RoomInfo] = []
        while True:
            reply = client.ask(m.Rooms(after=rooms[-1].id if rooms else ""), args.timeout)
            assert isinstance(reply, m.RoomList_)
            rooms += reply.rooms
            if not reply.more:
                break
    for room in rooms:
        if args.json:
            _print_json(wire.plain(room))
        else:
            members = "1 member" if room.members == 1 else f"{room.members} members"
            events = "1 event" if room.head[0] == 1 else f"{room.head[0]} events"
            print(f"{'*' if room.mine else ' '} {room.name:<24} {members:>12} {events:>14}")
    return DONE


def _who(args: argparse.Namespace) -> int:
    """List who is here."""
    with _client(args) as client:
        client.connect(args.timeout)
        reply = client.ask(m.Who(room=args.room or ""), args.timeout)
        assert isinstance(reply, m.Here)
    for person in reply.people:
        if args.json:
            _print_json(wire.plain(person))
        else:
            since = datetime.fromtimestamp(person.since / 1000).strftime("%H:%M")
            print(f"{person.name:<32} here since {since}, heard of {person.idle // 1000} s ago")
    return DONE


def _create(args: argparse.Namespace) -> int:
    """Make a room."""
    reply = _ask(args, m.Create(room=args.room, once=os.urandom(8).hex()))
    assert isinstance(reply, m.Created)
    return _done(args, reply, f"Room {reply.room.id} is made, and you are in it.")


def _join(args: argparse.Namespace) -> int:
    """Become a member."""
    reply = _ask(args, m.Join(room=args.room))
    assert isinstance(reply, m.Joined)
    return _done(args, reply, f"You are in room {reply.room.id}.")


def _leave(args: argparse.Namespace) -> int:
    """Cease to be one."""
    reply = _ask(args, m.Leave(room=args.room))
    assert isinstance(reply, m.Left)
    return _done(args, reply, f"You are not in room {reply.room} any more.")


def _ping(args: argparse.Namespace) -> int:
    """Measure round trips to the broker."""
    times: list[float] = []
    with _client(args) as client:
        welcome = client.connect(args.timeout)
        for n in range(1, args.count + 1):
            began = time.perf_counter()
            client.ask(m.Ping(commit=welcome.commit), args.timeout)
            times.append((time.perf_counter() - began) * 1000)
            if args.json:
                _print_json({"n": n, "ms": round(times[-1], 3)})
            else:
                print(f"pong from {welcome.broker} ({client.address.text}): n={n} time={times[-1]:.2f} ms", flush=True)
            if n < args.count:
                client.next(args.interval)
    if not args.json:
        _say(
            f"{len(times)} answered, min/avg/max {min(times):.2f}/{sum(times) / len(times):.2f}/{max(times):.2f} ms", 0
        )
    return DONE


def _ask(args: argparse.Namespace, request: m.Request) -> m.Reply:
    with _client(args) as client:
        client.connect(args.timeout)
        return client.ask(request, args.timeout)


def _done(args: argparse.Namespace, reply: m.Reply, text: str) -> int:
    if args.json:
        _print_json({key: value for key, value in wire.plain(reply).items() if key not in ("type", "re")})
    else:
        print(text)
    return DONE


def _room(client: Client, args: argparse.Namespace) -> m.RoomInfo:
    reply = client.ask(m.Room(room=args.room), args.timeout)
    assert isinstance(reply, m.RoomState)
    return reply.room


# ---- options -----------------------------------------------------------------------------------------------------


def _client(args: argparse.Namespace) -> Client:
    name = args.name or os.environ.get("CHAT_NAME", "")
    if name:
        name = names.user_name(name)
    login = "" if name else _login()
    folder = args.identity or os.environ.get("CHAT_IDENTITY")
    identity = open_identity(Path(folder) if folder else folder_for(name or login))
    return Client(_address(args), identity, name, login)


def _address(args: argparse.Namespace) -> Address:
    return parse_address(args.broker or os.environ.get("CHAT_BROKER") or "127.0.0.1")


def _login() -> str:
    """The login's name, as far as it can be a name here."""
    try:
        return names.user_name(getpass.getuser())
    except (RefusedError, KeyError, OSError):
        return "somebody"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chat-client", description="A chat for the LAN, from the command line.", parents=[_common()]
    )
    parser.add_argument("--version", action="version", version=f"zmq-chat {VERSION}")
    parser.set_defaults(broker=None, name=None, identity=None, timeout=10.0, json=False)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], int], help_: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.", parents=[_common()])
        sub.set_defaults(run=run)
        return sub

    send = verb("send", _send, "post messages; prints each one's number when it is acknowledged")
    send.add_argument("room", nargs="?", metavar="ROOM")
    send.add_argument("text", nargs="*", metavar="TEXT", help="the message; without it standard input is one message")
    send.add_argument(
        "--lines", action="store_true", help="every line of standard input is a message, sent as it comes"
    )
    send.add_argument("--key", help="a name for this command: repeated with the same key, it counts once")
    send.add_argument("--flush", action="store_true", help="send what earlier commands could not")
    tail = verb("tail", _tail, "print a room's events as they come")
    tail.add_argument("room", metavar="ROOM")
    tail.add_argument(
        "--from", dest="start", type=int, metavar="SEQ", help="begin with this number; 1: the first; -10: the last ten"
    )
    tail.add_argument("--count", type=_count, metavar="N", help="end after so many")
    verb("rooms", _rooms, "list the rooms; those you are in have a *")
    verb("who", _who, "list who is here").add_argument(
        "room", nargs="?", metavar="ROOM", help="only members of this room"
    )
    for name, run, help_ in (
        ("create", _create, "make a room and join it"),
        ("join", _join, "become a member of a room"),
        ("leave", _leave, "cease to be a member"),
    ):
        verb(name, run, help_).add_argument("room", metavar="ROOM")
    ping = verb("ping", _ping, "measure round trips to the broker")
    ping.add_argument("--count", type=_count, default=4, metavar="N", help="how many (4)")
    ping.add_argument("--interval", type=_seconds, default=0.5, metavar="SECONDS", help="between two (0.5)")
    return parser


def _common() -> argparse.ArgumentParser:
    """The options that may stand before the verb and behind it; made anew for each, as argparse shares defaults."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    option = common.add_argument
    option("--broker", metavar="ADDRESS", help="host, host:port or join string (or CHAT_BROKER; else this machine)")
    option("--name", help="who you are (or CHAT_NAME; else your login's name)")
    option("--identity", metavar="DIR", help="the folder of your key and outbox (or CHAT_IDENTITY; else by name)")
    option("--timeout", type=_seconds, metavar="SECONDS", help="how long to wait for the broker (10)")
    option("--json", action="store_true", help="one JSON object a line")
    return common


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError("a number of seconds over 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a number over 0")
    return value


def _say(text: object, status: int) -> int:
    print(f"chat-client: {text}", file=sys.stderr, flush=True)
    return status


def _print_json(fields: dict[str, Any]) -> None:
    print(wire.encode(fields).decode(), flush=True)
