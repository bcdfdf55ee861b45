"""``tail``: prints a room's events as they come, each once, without holes."""

import argparse
import math
import re
import sys
from datetime import datetime

from chat_client import effects
from chat_client.cli.opening import open_client
from chat_client.cli.output import DONE, NOT_ALLOWED, REFUSED, print_json, say
from chat_client.client import Client, as_error
from chat_core import listing, places, wire
from chat_core import messages as m
from chat_core.chain import START
from chat_core.errors import RefusedError
from chat_core.said import said

# Characters that turn the direction of what follows: on a terminal they could make a line look like another's.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def tail(args: argparse.Namespace) -> int:
    """Print a room's events as they come, each once, without holes."""
    with open_client(args) as client:
        _let_in(client, args.timeout)
        room = _room(client, args)
        seq, chain = room.head
        have, known = _start(args.start, seq, chain)
        client.follow(room.id, have, known)
        left = args.count if args.count is not None else math.inf
        away = False
        while left > 0:
            news = client.next()
            if isinstance(news, effects.Arrived):
                for event in news.events[: int(min(left, len(news.events)))]:
                    _print_event(event, args.json)
                    left -= 1
                sys.stdout.flush()
            elif isinstance(news, effects.Walled):
                _walled(news, args.json)
            elif isinstance(news, effects.Removed):
                return _removed(news, args.json)
            elif isinstance(news, effects.Rewound):
                return _rewound(news, args.json)
            elif isinstance(news, effects.TurnedAway):
                raise as_error(news.reply)
            elif isinstance(news, effects.Trouble):
                if news.code != "nobody":
                    say(f"{news.text} Trying again.")
            elif isinstance(news, effects.Status):
                if news.state == "offline" and not away:
                    away = True
                    if news.trouble in ("", "nobody"):  # any other was told in its own words
                        say("The broker is away; waiting for it.")
                elif news.state == "live" and away:
                    away = False
                    say("The broker is back, and nothing was missed.")
        return DONE


def _let_in(client: Client, seconds: float) -> None:
    """Wait for the broker so long, and for an admin's yes for as long as it takes."""
    while True:
        try:
            client.connect(seconds, say)
            return
        except RefusedError as problem:
            if problem.code != "waiting":
                raise


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
        print_json(listing.flat(event))
    else:
        print(readable(event))


def readable(event: m.Event) -> str:
    """An event as a person reads it."""
    at = datetime.fromtimestamp(event.time / 1000).strftime("%H:%M")
    if event.kind == "message":
        message = wire.decode_message(event.body)
        text = "(deleted)" if message.deleted else _visible(message.text)
        text = text.replace("\n", "\n" + " " * (9 + len(event.name)))
        return f"{at}  * {event.name} {text}" if message.me else f"{at}  {event.name}: {text}"
    did = {"joined": "has joined", "left": "has left", "created": "created the room"}.get(event.kind) or said(event)
    return f"{at}  * {event.name} {_visible(did or f'did something that this version does not know ({event.kind})')}"


def _visible(text: str) -> str:
    return _BIDI.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


def _walled(news: effects.Walled, as_json: bool) -> None:
    if as_json:
        print_json({"kind": "wall", "room": news.room, "after": news.after, "first": news.first})
    since = f"between number {news.after} and" if news.after else "before"
    say(f"What was said {since} number {news.first} is not for you: you were not in {news.room} then.")


def _removed(news: effects.Removed, as_json: bool) -> int:
    if as_json:
        print_json({"kind": "removed", "room": news.room, "by": news.by, "reason": news.reason})
    by, why = f" by {news.by}" if news.by else "", f" ({news.reason})" if news.reason else ""
    return say(f"You were removed from {news.room}{by}{why}.", NOT_ALLOWED)


def _rewound(news: effects.Rewound, as_json: bool) -> int:
    if as_json:
        print_json({"kind": "rewound", "room": news.room, "seq": news.seq, "epoch": news.epoch})
    if news.seq:
        text = (
            f"The broker's history is another one: a backup was restored, and what came after number {news.seq} of "
            f"{news.room} is gone. What was printed here no longer fits; begin again with --from {news.seq + 1}."
        )
    else:
        text = "The broker's history is another one: nothing of what was printed here is in it. Begin again."
    return say(text, REFUSED)


def _room(client: Client, args: argparse.Namespace) -> m.RoomInfo:
    people = places.people_in(args.room)
    room = client.direct(people, args.timeout).id if people else args.room
    reply = client.ask(m.Room(room=room), args.timeout)
    assert isinstance(reply, m.RoomState)
    return reply.room
