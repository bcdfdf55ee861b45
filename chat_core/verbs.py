"""What can be asked of a broker from a command line: each verb with its options; `errands` has what they do.

The client's command line runs all of these, ``python broker.py admin`` those that are for admins. Nothing here knows
how a request gets to the broker: whoever runs a verb hands it an `Errand`.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from chat_core import durations, errands, wire
from chat_core import messages as m
from chat_core.errands import Answer, Answers, Errand


@dataclass(frozen=True)
class Option:
    """One argument of a verb, as argparse takes it."""

    names: tuple[str, ...]
    keywords: dict[str, Any]


@dataclass(frozen=True)
class Verb:
    """``what`` it does, as its help says it; ``admin``: the broker's own command line has it, too."""

    name: str
    what: str
    options: tuple[Option, ...]
    do: Callable[[Errand], Answers]
    admin: bool = False


def add_to(parser: argparse.ArgumentParser, verb: Verb) -> None:
    """Have a parser understand the options of a verb."""
    for option in verb.options:
        parser.add_argument(*option.names, **option.keywords)


def lines(answers: Iterable[Answer], as_json: bool) -> Iterator[str]:
    """What to print, line by line."""
    for what, text in answers:
        if as_json:
            fields = wire.whole(what)
            if isinstance(what, m.Reply):
                del fields["re"]  # the number of the question is nobody's business
            yield wire.encode(fields).decode()
        elif text:
            yield text


# ---- options ---------------------------------------------------------------------------------------------------


def _option(*names: str, **keywords: Any) -> Option:
    return Option(names, keywords)


def span(text: str) -> int:
    """A span of time, for argparse."""
    try:
        seconds = durations.seconds_in(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
    if not seconds:  # which would be for ever
        raise argparse.ArgumentTypeError(f"{text!r} is no time at all.")
    return seconds


def slowness(text: str) -> int:
    """The time between two posts; "off": none."""
    return 0 if text.lower() in ("off", "no", "0", "0s") else span(text)


def at_least(least: int) -> Callable[[str], int]:
    """A whole number that is not less, for argparse."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} on.")
        return int(text)

    return number


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


ROOM = _option("room", metavar="ROOM", help="its name; @NAME or @NAME,NAME: where you talk with them alone")
NAMED = _option("room", metavar="ROOM")
USER = _option("user", metavar="NAME", help="who: a name, or an id such as u17")
REASON = _option("--reason", default="", metavar="TEXT", help="why")
SPAN = _option("--for", dest="span", type=span, default=0, metavar="TIME", help="how long: 10m, 2h, 3d; else for good")
SEQ = _option(
    "seq", type=at_least(1), metavar="NUMBER", help="the message's number in its room, as `tail --json` shows it"
)
SCOPE = _option("--rooms", type=_list, default=None, metavar="ROOM,ROOM", help="these rooms only, and not the feed")
READS = _option("--read-only", dest="reads", action="store_true", help="they may read, but not write")
_CHAT_ROLES = ("owner", "admin", "member", "guest", "bot")
_ROOM_ROLES = ("owner", "moderator", "member", "muted")


VERBS = (
    Verb("rooms", "list the rooms; those you are in have a *", (), errands.rooms, admin=True),
    Verb(
        "who", "list who is here",
        (_option("room", nargs="?", metavar="ROOM", help="only its members"),), errands.who,
    ),
    Verb(
        "create", "make a room and join it",
        (
            NAMED,
            _option("--private", action="store_true", help="only who is invited may read and write there"),
            _option(
                "--history", choices=("joined", "all"), default="joined",
                help="what a newcomer of a private room sees: from joining on (the default), or all",
            ),
        ),
        errands.create,
    ),
    Verb(
        "direct", "find the room in which you talk with these people alone, or make it",
        (_option("people", nargs="+", metavar="NAME"),), errands.direct,
    ),
    Verb("join", "become a member of a room, or take an invitation", (NAMED,), errands.join),
    Verb("leave", "cease to be a member, or decline an invitation", (NAMED,), errands.leave),
    Verb("invite", "let somebody join a room", (NAMED, USER), errands.invite, admin=True),
    Verb("remove", "put somebody out of a room", (NAMED, USER, REASON), errands.remove, admin=True),
    Verb(
        "appoint", "make somebody owner, moderator, member or muted in a room",
        (NAMED, USER, _option("role", choices=_ROOM_ROLES), SPAN, REASON), errands.appoint,
        admin=True,
    ),
    Verb(
        "mute", "have somebody read a room only",
        (NAMED, USER, SPAN, REASON), errands.mute, admin=True,
    ),
    Verb(
        "change", "rename a room, or say who may write in it",
        (
            NAMED,
            _option("--rename", metavar="NAME", help="what it is called; its first name still finds it"),
            _option(
                "--read-only", dest="read_only", action="store_const", const=True, help="only moderators may write"
            ),
            _option("--writable", dest="read_only", action="store_const", const=False, help="everybody may again"),
            _option("--slow", type=slowness, metavar="TIME", help="between two posts of one member: 30s; or off"),
            _option(
                "--archive", dest="archived", action="store_const", const=True, help="it is over: nobody may write"
            ),
            _option("--reopen", dest="archived", action="store_const", const=False, help="it is not over after all"),
        ),
        errands.change, admin=True,
    ),
    Verb("delete", "blank a message for everybody", (ROOM, SEQ, REASON), errands.delete, admin=True),
    Verb("report", "tell those who look after a room of a message", (ROOM, SEQ, REASON), errands.report),
    Verb("nick", "be called otherwise", (_option("new_name", metavar="NAME"),), errands.nick),
    Verb("machines", "list your machines, by their keys", (), errands.machines),
    Verb(
        "unlink", "have a machine of yours not be you any more",
        (_option("key", metavar="KEY", help="its key or fingerprint, as `machines` shows it"),), errands.unlink,
    ),
    Verb(
        "people", "list everybody who was let in",
        (_option("--waiting", action="store_true", help="only who waits to be let in (for admins)"),), errands.people,
        admin=True,
    ),
    Verb(
        "role", "make somebody owner, admin, member, guest or bot in the chat",
        (USER, _option("role", choices=_CHAT_ROLES), SCOPE, READS), errands.role, admin=True,
    ),
    Verb(
        "ban", "shut somebody out, at once",
        (
            _option("user", nargs="?", metavar="NAME", help="who, with all their machines"),
            _option("--key", default="", metavar="KEY", help="or one key, or its fingerprint"),
            _option("--address", default="", metavar="ADDRESS", help="or all who come from there"),
            _option("--room", default="", metavar="ROOM", help="from this room; else from the chat"),
            SPAN, REASON,
        ),
        errands.ban, admin=True,
    ),
    Verb("unban", "lift a ban", (_option("ban", metavar="ID", help="as `bans` shows it"),), errands.unban, admin=True),
    Verb(
        "bans", "list the bans from the chat, or from a room",
        (_option("room", nargs="?", metavar="ROOM"),), errands.bans, admin=True,
    ),
    Verb(
        "invitation", "make an invitation to the chat; prints the join string to hand out",
        (
            _option("--uses", type=at_least(0), default=1, metavar="N", help="uses it allows (1); 0: any number"),
            SPAN,
            _option("--role", choices=_CHAT_ROLES, default="member", help="what those become who use it (member)"),
            SCOPE, READS,
            _option("--note", default="", metavar="TEXT", help="for whom it is, for `invitations`"),
        ),
        errands.invitation, admin=True,
    ),
    Verb("invitations", "list the invitations that can be used", (), errands.invitations, admin=True),
    Verb("revoke", "take an invitation back", (_option("invitation", metavar="ID"),), errands.revoke, admin=True),
    Verb("approve", "let somebody in who waits", (USER,), errands.approve, admin=True),
    Verb("reject", "do not let somebody in who waits", (USER, REASON), errands.reject, admin=True),
    Verb("release", "take a name from its user", (USER,), errands.release, admin=True),
    Verb(
        "rekey", "give somebody who lost their key another one",
        (USER, _option("key", metavar="KEY", help="as `key show` prints it on their machine")),
        errands.rekey, admin=True,
    ),
    Verb(
        "audit", "show what admins and moderators did",
        (_option("--count", type=at_least(1), default=50, metavar="N", help="the last so many (50)"),),
        errands.audit, admin=True,
    ),
)  # fmt: skip
