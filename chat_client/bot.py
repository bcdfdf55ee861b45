"""Bots that miss nothing: commands and listeners over a durable place in each room.

    bot = Bot("chat://192.168.1.20:5555?key=...", "dice", rooms=["lobby"])

    @bot.command
    def roll(call: Call, sides: int = 6) -> str:
        '''Roll a die.'''
        return f"{call.name} rolled {random.randint(1, sides)}."

    bot.run()

A bot's place in a room and its answers are written to its outbox in one transaction: killed at any moment, it goes on
at the first message that it has not answered, and every answer counts once. The function itself may run a second time
for a message if the bot was killed in between.

A join string with an invitation lets a bot in where one needs it, with the scope that its maker gave it. A private room
among its rooms is entered when somebody invites it.
"""

import inspect
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import filelock

from chat_client import effects
from chat_client import session as s
from chat_client.client import Client, as_error
from chat_client.flight import Settled
from chat_client.identity import folder_for, open_identity
from chat_core import messages as m
from chat_core import names, wire
from chat_core.address import parse_address
from chat_core.chain import START
from chat_core.errors import InUseError, RefusedError, TroubleError, UnreachableError

log = logging.getLogger("chat.bot")

# As many messages are answered before the place in the room is written down.
BATCH = 100
# How often an idle bot looks whether it has been told to stop.
LOOK_SECONDS = 0.5

F = TypeVar("F", bound=Callable[..., "str | None"])


@dataclass(frozen=True)
class Call:
    """What a command was called by: the room, who said it (name, user id), the text, and the event itself."""

    room: str
    name: str
    user: str
    text: str
    event: m.Event


class _StoppedError(Exception):
    """`Bot.stop` was called while the bot waited for the broker."""


class Bot:
    """A bot at one broker. Handlers run one at a time, in the thread of `run`, in the order of each room's log."""

    def __init__(
        self,
        address: str,
        name: str,
        rooms: Sequence[str] = ("lobby",),
        identity: Path | None = None,
        prefix: str = "!",
        every: s.Intervals | None = None,
        directs: bool = False,
        accept_key: str = "",
    ) -> None:
        """``address`` may be a join string. ``identity``: the folder of the bot's key, outbox and place; otherwise one
        for its name. ``directs``: work in the direct rooms, too, that people begin with it. ``accept_key``: the
        fingerprint of the broker's key, where the address is no join string that has the key; "open": the broker does
        not encrypt. Once it was met, the broker is known."""
        self.address, self.name, self.prefix = parse_address(address), names.user_name(name), prefix
        self.rooms = [names.room_name(room) for room in rooms]
        self.directs = directs
        self._folder = identity or folder_for(self.name)
        self._every, self._accept_key = every, accept_key
        self._commands: dict[str, Callable[..., str | None]] = {"help": self._help}
        self._listeners: list[Callable[[Call], str | None]] = []
        self._notified: list[Callable[[m.Notice], None]] = []
        self._followed: set[str] = set()
        self._silent_until: dict[str, int] = {}
        self._stopping = threading.Event()

    def command(self, function: F) -> F:
        """Answer "!NAME ..." with what the function returns. Arguments are read by their annotations (int, float, str);
        the last one, if a str, takes the rest of the line. Its docstring is what "!help" tells."""
        self._commands[function.__name__] = function
        return function

    def on_message(self, function: Callable[[Call], "str | None"]) -> Callable[[Call], "str | None"]:
        """Have the function see every message that is no command and not the bot's own; it may answer."""
        self._listeners.append(function)
        return function

    def on_notice(self, function: Callable[[m.Notice], None]) -> Callable[[m.Notice], None]:
        """Have the function see what is done that concerns the bot: it was invited, removed, made moderator ..."""
        self._notified.append(function)
        return function

    def answers(self, call: Call) -> list[str]:
        """What the bot says to a message; for tests without a broker too."""
        if call.text.startswith(self.prefix):
            word, _, rest = call.text[len(self.prefix) :].partition(" ")
            function = self._commands.get(word.lower())
            given = [self._call(function, call, rest)] if function is not None else []
        else:
            given = [self._listen(function, call) for function in self._listeners]
        return [text for text in given if text]

    def run(self) -> None:
        """Work until `stop` is called, or Ctrl-C or SIGTERM comes; a broker that is away is waited for.

        Raises InUseError if the bot runs already, RefusedError if the broker does not let it in, UntrustedError if it
        is not known and nothing says that it is the right one.
        """
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: self.stop())
        with open_lock(self._folder, self.name):
            identity = open_identity(self._folder)
            with Client(self.address, identity, self.name, every=self._every, accept=self._accept_key) as client:
                try:
                    self._work(client)
                except (KeyboardInterrupt, _StoppedError):
                    log.info("stopped")

    def stop(self) -> None:
        """End `run` soon. May be called from any thread."""
        self._stopping.set()

    # Inside.

    def _work(self, client: Client) -> None:
        me = self._connect(client)
        self._followed.clear()
        for room in self.rooms:
            self._enter(client, room)
        self._look_at(client, [room.id for room in me.rooms])
        while not self._stopping.is_set():
            news = client.next(LOOK_SECONDS)
            if isinstance(news, effects.Arrived):
                for start in range(0, len(news.events), BATCH):
                    self._answer(client, news.room, news.events[start : start + BATCH], me.user)
            elif isinstance(news, effects.Rewound):
                self._rewind(client, news)
            elif isinstance(news, effects.TurnedAway):
                raise as_error(news.reply)
            elif isinstance(news, effects.MyRooms):
                self._look_at(client, news.rooms)
            elif isinstance(news, effects.Removed):
                self._followed.discard(news.room)
                self._notify(client, m.Notice(0, "removed", news.room, news.by, reason=news.reason))
            elif isinstance(news, effects.Noticed):
                self._notify(client, news.notice)
            elif isinstance(news, Settled) and isinstance(news.reply, m.Refused):
                log.warning("an answer was refused: %s", news.reply.text)
            elif isinstance(news, effects.Status):
                log.info("%s", news.text)

    def _connect(self, client: Client) -> m.Welcome:
        while not self._stopping.is_set():
            try:
                return client.connect(LOOK_SECONDS)
            except TroubleError as problem:
                log.warning("%s Trying again.", problem)
            except UnreachableError:
                continue
            except RefusedError as problem:
                if problem.code != "waiting":
                    raise
                log.info("%s", problem)
        raise _StoppedError

    def _enter(self, client: Client, room: str) -> None:
        """Join the room and go on where the bot was; one that comes for the first time begins with what is new."""
        reply = self._patiently(client, m.Join(room=room))
        assert isinstance(reply, m.Joined)
        points = client.outbox.points(room)
        if not points:
            points = [reply.room.head]
            client.outbox.add_all([], [(room, *reply.room.head)])
        self._follow(client, room, points)

    def _follow(self, client: Client, room: str, points: list[tuple[int, str]]) -> None:
        have, chain = points[-1] if points else (0, START)
        client.follow(room, have, chain if have else START)
        client.remember(room, points)
        self._followed.add(room)

    def _look_at(self, client: Client, mine: list[str]) -> None:
        """The bot is in these rooms, into some of which it was taken by others."""
        for room in mine:
            if room in self._followed:
                continue
            if room in self.rooms:
                self._enter(client, room)
            elif self.directs and room.startswith("@"):
                # Its kind has to be known before it is followed. What was said there is said to the bot, all of it.
                self._patiently(client, m.Room(room=room))
                self._follow(client, room, client.outbox.points(room))

    def _notify(self, client: Client, notice: m.Notice) -> None:
        log.info("%s %s %s %s", notice.kind, notice.room, notice.by, notice.reason)
        if notice.kind == "invited" and notice.room in self.rooms and notice.room not in self._followed:
            self._enter(client, notice.room)
        for function in self._notified:
            try:
                function(notice)
            except Exception:
                log.exception("%s failed", function.__name__)

    def _patiently(self, client: Client, request: m.Request) -> m.Reply:
        while not self._stopping.is_set():
            try:
                return client.ask(request)
            except UnreachableError as problem:
                log.info("%s", problem)
        raise _StoppedError

    def _answer(self, client: Client, room: str, events: list[m.Event], me: str) -> None:
        posts: list[tuple[str, str, bytes]] = []
        for event in events:
            if event.kind == "message" and event.author != me and event.seq > self._silent_until.get(room, 0):
                text = wire.decode_message(event.body).text
                call = Call(room, event.name, event.author, text, event)
                posts += [(room, "message", wire.encode(m.Message(answer))) for answer in self._checked(call)]
        rows = client.outbox.add_all(posts, [(room, event.seq, event.chain) for event in events])
        if rows:
            client.send(rows)

    def _checked(self, call: Call) -> list[str]:
        fine = []
        for text in self.answers(call):
            try:
                names.check_text(text)
            except RefusedError as problem:
                log.warning("an answer to %r cannot be sent: %s", call.text[:80], problem)
            else:
                fine.append(text)
        return fine

    def _rewind(self, client: Client, news: effects.Rewound) -> None:
        log.warning("a backup was restored: %s goes on after number %d", news.room, news.seq)
        points = client.outbox.points(news.room)
        if points and news.seq < points[0][0]:
            # So far back that the bot cannot tell what it has answered: rather nothing than everything again.
            self._silent_until[news.room] = points[-1][0]
        client.outbox.rewind(news.room, news.seq)

    def _call(self, function: Callable[..., str | None], call: Call, rest: str) -> str | None:
        try:
            arguments = _arguments(function, rest)
        except ValueError as problem:
            return f"{problem} Usage: {usage(self.prefix, function)}"
        try:
            return function(call, *arguments)
        except Exception:
            log.exception("!%s failed", function.__name__)
            return f"Sorry, {self.prefix}{function.__name__} went wrong."

    def _listen(self, function: Callable[[Call], str | None], call: Call) -> str | None:
        try:
            return function(call)
        except Exception:
            log.exception("%s failed", function.__name__)
            return None

    def _help(self, call: Call) -> str:
        """Tell what there is."""
        lines = []
        for name, function in sorted(self._commands.items()):
            text = (inspect.getdoc(function) or "").partition("\n")[0]
            lines.append(
                f"{usage(self.prefix, function, name)}: {text}" if text else usage(self.prefix, function, name)
            )
        return "\n".join(lines)


def open_lock(folder: Path, name: str) -> filelock.BaseFileLock:
    """Hold the bot's folder: two of it would both answer. Raises InUseError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = filelock.FileLock(folder / "bot.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as problem:
        raise InUseError(f"The bot {name} runs already (its folder {folder} is in use).") from problem
    return lock


def usage(prefix: str, function: Callable[..., Any], name: str = "") -> str:
    """How a command is called: "!roll [sides]"."""
    words = [prefix + (name or function.__name__)]
    for parameter in _parameters(function):
        needed = parameter.default is inspect.Parameter.empty
        words.append(parameter.name.upper() if needed else f"[{parameter.name}]")
    return " ".join(words)


def _arguments(function: Callable[..., Any], rest: str) -> list[Any]:
    """The words behind a command as its parameters want them. Raises ValueError with a sentence."""
    parameters = _parameters(function)
    takes_rest = bool(parameters) and parameters[-1].annotation in (str, "str")
    words = rest.split(None, len(parameters) - 1) if takes_rest else rest.split()
    if len(words) > len(parameters):
        raise ValueError("That is too much.")
    arguments = []
    for parameter, word in zip(parameters, words, strict=False):
        kind = {"int": int, "float": float}.get(
            getattr(parameter.annotation, "__name__", str(parameter.annotation)), str
        )
        try:
            arguments.append(kind(word.strip()))
        except ValueError:
            raise ValueError(f"{word!r} is not a number.") from None
    for parameter in parameters[len(words) :]:
        if parameter.default is inspect.Parameter.empty:
            raise ValueError(f"It needs {parameter.name.upper()}.")
    return arguments


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())[1:]
