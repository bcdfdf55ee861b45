"""What was typed as what it asks for: "/join plan" is a command, most else a message. One table drives it all."""

import contextlib
import difflib
from typing import Literal

from msgspec import Struct

from chat_core.durations import seconds_in
from chat_core.errors import RefusedError
from chat_core.names import room_name


class Say(Struct, frozen=True):
    """Say this in the room."""

    text: str


class Me(Struct, frozen=True):
    """Say in the room what I do: "waves"."""

    text: str


class Join(Struct, frozen=True):
    """Go into a room that is there. ``room``: its id, here and below."""

    room: str


class Leave(Struct, frozen=True):
    """Go out of a room; "": the one that is shown."""

    room: str = ""


class Create(Struct, frozen=True):
    """Make a room, and go into it."""

    room: str


class Who(Struct, frozen=True):
    """Tell who is in a room; "": the one that is shown."""

    room: str = ""


class Do(Struct, frozen=True):
    """Ask the broker for something (`asking` knows what): the command's ``name``, and what stands behind it.

    ``who`` or what it is about; ``seconds``: for how long; ``text``: why, or what is to be said.
    """

    name: str
    who: str = ""
    seconds: int = 0
    text: str = ""


class Help(Struct, frozen=True):
    """Show this text."""

    text: str


class Quit(Struct, frozen=True):
    """Close the window."""


class Problem(Struct, frozen=True):
    """Nothing can be done with it; why, and what to type instead, in a sentence or two."""

    text: str


Command = Say | Me | Join | Leave | Create | Who | Do | Help | Quit | Problem
Argument = Literal["", "text", "room", "command", "name", "time", "number", "words"]


class Entry(Struct, frozen=True):
    """A command, as parsing, help and completion know it. ``name`` and ``aliases`` are without their slash."""

    name: str
    what: str  # it does, as a line of the help
    argument: Argument = ""
    optional: bool = False  # the argument
    aliases: tuple[str, ...] = ()
    written: str = ""  # the argument, if it is more than one word

    @property
    def usage(self) -> str:
        """How it is written: "/leave [ROOM]"."""
        argument = self.written or self.argument.upper()
        return f"/{self.name} [{argument}]" if self.optional else f"/{self.name} {argument}".strip()


TABLE = (
    Entry("me", "say what you do: /me waves", "text"),
    Entry("join", "go into a room", "room"),
    Entry("leave", "go out of this room, or another one", "room", True, ("part",)),
    Entry("create", "make a new room", "room"),
    Entry("who", "tell who is in this room, or in another one", "room", True),
    Entry("msg", "talk with somebody alone", "name", aliases=("dm",), written="NAME[: TEXT]"),
    Entry("private", "make a room for those whom you invite", "room"),
    Entry("nick", "be called otherwise", "name"),
    Entry("invite", "let somebody join this room", "name"),
    Entry("remove", "put somebody out of this room", "name", aliases=("kick",), written="NAME[: WHY]"),
    Entry("mute", "have somebody read only in this room", "name", written="NAME [2h][: WHY]"),
    Entry("unmute", "let somebody write in this room again", "name"),
    Entry("moderator", "have somebody look after this room", "name"),
    Entry("ban", "shut somebody out of this chat", "name", written="NAME [3d][: WHY]"),
    Entry("rename", "call this room otherwise", "name"),
    Entry("readonly", "let only moderators write in this room, or all again", "words", True, written="off"),
    Entry("slow", "have members of this room wait between two messages", "time", written="30s or off"),
    Entry("archive", "close this room for good, or open it again", "words", True, written="off"),
    Entry("delete", "blank a message for everybody", "number", written="NUMBER[: WHY]"),
    Entry("report", "tell those who look after this room of a message", "number", written="NUMBER[: WHY]"),
    Entry("approve", "let somebody into this chat who waits", "name"),
    Entry("reject", "do not let somebody in who waits", "name", written="NAME[: WHY]"),
    Entry("help", "show the commands, or one of them", "command", True),
    Entry("quit", "close the window"),
)
WORDS = {word: entry for entry in TABLE for word in (entry.name, *entry.aliases)}

# What the keys of the window do, beside the commands (GUI.md, "Keyboard").
KEYS = """\
Enter, Shift+Enter\tsend, begin a new line
Tab\tcomplete a name, a room or a command
Up in an empty field\ttake a refused message back
Ctrl+K\tgo to another room
Alt+Up, Alt+Down\tgo to the room above, below
Alt+A\tgo to the next room with something new
F6\tgo to the next part of the window
Page Up, Page Down\tscroll
Esc\tgo to the end, and mark all as read
Ctrl and +, −, 0\tlarger, smaller, the usual size"""

_SHOWN = 24  # characters of something unknown that are repeated


def parse(text: str) -> Command:
    """What a text asks for that somebody sends. Whatever begins without a slash is a message, as it stands.

    A command is one line, but for /me. Of several lines that begin with a slash, most are something pasted, such as a
    comment in C: they are a message as they stand, both slashes included, unless they begin with a command's name.
    Then it is a Problem, as it is with what looks like a mistyped one. "//" keeps a command's name from being one.
    """
    if not text.startswith("/"):
        return Say(text)
    typed = text.rstrip()
    if typed.startswith("//"):
        pasted = "\n" in typed and _first_word(typed[2:]).lower() not in WORDS
        return Say(text if pasted else text[1:])
    word = _first_word(typed[1:])
    rest = typed[1 + len(word) :].strip()
    entry = WORDS.get(word.lower())
    if entry is None:
        several = "\n" in typed
        return Say(text) if several and not _nearest(word) else _unknown(word, several)
    if entry.argument != "text" and "\n" in typed:
        return Problem(f"/{word} has a line to itself: send it alone, or begin with //{word} to send it as a message.")
    return _command(entry, rest)


def help_text(entry: Entry | None = None) -> str:
    """What /help shows: all commands, as a table with tabs, or one."""
    if entry:
        aliases = "".join(f" (also /{alias})" for alias in entry.aliases)
        return f"{entry.usage}: {entry.what}.{aliases}"
    lines = [f"{entry.usage}\t{entry.what}" for entry in TABLE]
    return "\n".join([*lines, "//\twrite a message that begins with a slash"])


def _command(entry: Entry, rest: str) -> Command:
    if not entry.argument and rest:
        return Problem(f"/{entry.name} takes nothing behind it. Write it so: {entry.usage}")
    if not rest and entry.argument and not entry.optional:
        return Problem(f"/{entry.name} needs a {entry.argument}. Write it so: {entry.usage}")
    if entry.argument == "room" and len(rest.split()) > 1:
        return Problem(f"/{entry.name} takes one room, and rooms have no spaces in them. Write it so: {entry.usage}")
    if entry.argument == "command" and len(rest.split()) > 1:
        return Problem(f"/{entry.name} takes one command. Write it so: {entry.usage}")
    try:
        room = room_name(rest) if entry.argument == "room" and rest else ""
    except RefusedError as problem:
        return Problem(str(problem))
    match entry.name:
        case "me":
            return Me(rest)
        case "join":
            return Join(room)
        case "leave":
            return Leave(room)
        case "create":
            return Create(room)
        case "who":
            return Who(room)
        case "help":
            return _help(rest)
        case "quit":
            return Quit()
        case "private":
            return Do(entry.name, room)
        case _:
            return _do(entry, rest)


def _do(entry: Entry, rest: str) -> Command:
    """What stands behind a command: NAME, or NAME TIME, with what is said or why behind a colon."""
    wrong = Problem(f"That cannot be meant. Write it so: {entry.usage}")
    who, text, seconds = rest, "", 0
    if ":" in entry.written:
        who, _, text = (part.strip() for part in rest.partition(":"))
    if entry.argument == "time":
        try:
            return Do(entry.name, seconds=0 if who.lower() == "off" else seconds_in(who))
        except ValueError:
            return wrong
    if entry.argument == "words":
        return Do(entry.name, who.lower()) if who.lower() in ("", "off") else wrong
    if "[" in entry.written and " " in entry.written:
        name, _, last = who.rpartition(" ")
        with contextlib.suppress(ValueError):
            seconds, who = (seconds_in(last), name.strip()) if name else (0, who)
    if entry.argument == "number":
        return Do(entry.name, who.lstrip("#"), text=text) if who.lstrip("#").isdecimal() else wrong
    return Do(entry.name, who.lstrip("@"), seconds, text) if who.lstrip("@") else wrong


def _help(word: str) -> Command:
    asked = word.removeprefix("/").lower()
    if asked and asked not in WORDS:
        return _unknown(word.removeprefix("/"), several=True)
    return Help(help_text(WORDS[asked]) if asked else f"{help_text()}\n\n{KEYS}")


def _unknown(word: str, several: bool) -> Problem:
    """There is no such command. ``several``: it cannot be sent with a second slash instead."""
    shown = word if len(word) <= _SHOWN else f"{word[:_SHOWN]}…"
    if not word:
        return Problem("A command's name follows the slash, and /help lists them. To send it as a message, write //.")
    send = "" if several else f" To send it as a message, write //{shown}"
    if "/" in word:
        return Problem(f"/{shown} is not a command.{send}")
    nearest = _nearest(word)
    hint = f"Did you mean /{nearest}?" if nearest else "/help lists them."
    return Problem(f"There is no command /{shown}. {hint}{send}")


def _nearest(word: str) -> str:
    """The command that was perhaps meant; "": none."""
    near = difflib.get_close_matches(word.lower(), WORDS, 1) if len(word) <= _SHOWN else []
    return near[0] if near else ""


def _first_word(text: str) -> str:
    """What stands before the first space or line break."""
    return (text[:1].strip() and text.split(maxsplit=1)[0]) if text else ""
