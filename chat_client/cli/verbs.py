"""The smaller verbs: those of the table in chat_core/verbs.py, link, outbox, ping."""

import argparse
import secrets
import sys
import time
from collections.abc import Callable

from chat_client.cli.opening import open_client
from chat_client.cli.output import DONE, REFUSED, print_json, say
from chat_client.flight import Row
from chat_core import codes, errands, wire
from chat_core import messages as m
from chat_core.errands import Errand
from chat_core.verbs import Verb, lines


def run(verb: Verb) -> Callable[[argparse.Namespace], int]:
    """What does one of the verbs that consist of asking the broker and printing what it says."""

    def run(args: argparse.Namespace) -> int:
        with open_client(args) as client:
            welcome = client.connect(args.timeout, say)
            errand = Errand(
                args, lambda request: client.ask(request, args.timeout), time.time_ns() // 1_000_000,
                secrets.randbits, client.address, welcome.user, welcome.rooms,
            )  # fmt: skip
            for line in lines(verb.do(errand), args.json):
                print(line, flush=True)
        return DONE

    return run


LINK = Verb("link", "show a one-time code, by which another machine becomes you; or take one there", (), errands.link)


def link(args: argparse.Namespace) -> int:
    """Show a code, or with ``--code`` take the one that another machine shows."""
    if not args.code:
        return run(LINK)(args)
    code = codes.typed_code(_asked_for("The code that your other machine shows: "))
    with open_client(args, link=code) as client:
        welcome = client.connect(args.timeout, say)
    if args.json:
        print_json({"user": welcome.user, "name": welcome.name})
    else:
        print(f"You are {welcome.name} on this machine, too.")
    return DONE


def _asked_for(prompt: str) -> str:
    """A secret, which is never on a command line: others see those."""
    if sys.stdin.isatty():
        print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def outbox(args: argparse.Namespace) -> int:
    """Show what is unsent, or give some of it up; needs no broker."""
    client = open_client(args)
    try:
        status = DONE
        kept = {number: (where, row) for number, where, row in client.outbox.everything()}
        for number in args.drop or list(kept):
            if number not in kept or (args.drop and not client.outbox.drop(number)):
                status = say(f"There is no unsent message {number}.", REFUSED)
            else:
                _show_kept(number, *kept.pop(number), args)
        return status
    finally:
        client.close()


def _show_kept(number: int, where: str, row: Row, args: argparse.Namespace) -> None:
    """A message that is unsent, or that was given up just now."""
    text = wire.decode_message(row.body).text
    if args.json:
        print_json({"number": number, "broker": where, "room": row.room, "text": text, "dropped": bool(args.drop)})
    else:
        shown = text.partition("\n")[0]
        end = ("…" if shown[:60] != text else "") + (" (given up)" if args.drop else "")
        print(f"{number:>6}  {where}  {row.room}: {shown[:60]}{end}")


def ping(args: argparse.Namespace) -> int:
    """Measure round trips to the broker."""
    times: list[float] = []
    with open_client(args) as client:
        welcome = client.connect(args.timeout, say)
        for n in range(1, args.count + 1):
            began = time.perf_counter()
            client.ask(m.Ping(commit=welcome.commit), args.timeout)
            times.append((time.perf_counter() - began) * 1000)
            if args.json:
                print_json({"n": n, "ms": round(times[-1], 3)})
            else:
                print(f"pong from {welcome.broker} ({client.address.text}): n={n} time={times[-1]:.2f} ms", flush=True)
            if n < args.count:
                client.next(args.interval)
    if not args.json:
        say(f"{len(times)} answered, min/avg/max {min(times):.2f}/{sum(times) / len(times):.2f}/{max(times):.2f} ms", 0)
    return DONE
