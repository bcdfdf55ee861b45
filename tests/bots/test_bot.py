"""Bots without a broker: what they answer to whom."""

from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import Raw

from chat_client.bot import Bot, Call
from chat_client.flight import Row
from chat_client.outbox import Outbox
from chat_core.messages import Event

EVENT = Event("lobby", 1, 0, "u1", "ann", "message", "0" * 16)


def ask(bot: Bot, text: str) -> list[str]:
    return bot.answers(Call("lobby", "ann", "u1", text, EVENT))


@pytest.fixture
def bot() -> Bot:
    made = Bot("127.0.0.1", "helper")

    @made.command
    def add(call: Call, a: int, b: int = 1) -> str:
        """Add two numbers.

        The second one is 1 if it is not given.
        """
        return str(a + b)

    @made.command
    def say(call: Call, text: str) -> str:
        return f"{call.name} says {text}"

    @made.command
    def nothing(call: Call) -> None:
        """Do nothing."""

    @made.command
    def crash(call: Call) -> str:
        """Fail."""
        raise ZeroDivisionError

    @made.on_message
    def greet(call: Call) -> str | None:
        return f"hello {call.name}" if "hello" in call.text else None

    return made


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("!add 2 3", ["5"]),
        ("!ADD 2", ["3"]),
        ("!add", ["It needs A. Usage: !add A [b]"]),
        ("!add x", ["'x' is not a number. Usage: !add A [b]"]),
        ("!add 1 2 3", ["That is too much. Usage: !add A [b]"]),
        ("!say all of  this", ["ann says all of  this"]),
        ("!say", ["It needs TEXT. Usage: !say TEXT"]),
        ("!nothing", []),
        ("!unknown", []),
        ("! add 1", []),
        ("hello you", ["hello ann"]),
        ("good bye", []),
    ],
)
def test_a_bot_answers(bot: Bot, text: str, answers: list[str]) -> None:
    assert ask(bot, text) == answers


def test_help_tells_every_command_with_the_first_line_of_its_docstring(bot: Bot) -> None:
    assert ask(bot, "!help")[0].splitlines() == [
        "!add A [b]: Add two numbers.",
        "!crash: Fail.",
        "!help: Tell what there is.",
        "!nothing: Do nothing.",
        "!say TEXT",
    ]


def test_a_command_that_fails_says_so_and_the_bot_lives(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    assert ask(bot, "!crash") == ["Sorry, !crash went wrong."]
    assert "ZeroDivisionError" in caplog.text
    assert ask(bot, "!add 1") == ["2"]


class KilledOutbox(Outbox):
    """Its process is killed before it can write a second time."""

    written = False

    def add_all(self, posts: Iterable[tuple[str, str, bytes]], points: Iterable[tuple[str, int, str]]) -> list[Row]:
        if self.written:
            raise KeyboardInterrupt
        self.written = True
        return super().add_all(posts, points)


def test_an_answer_is_never_kept_without_the_place_in_the_room(bot: Bot, tmp_path: Path) -> None:
    question = Event("lobby", 7, 0, "u1", "ann", "message", "7" * 16, body=Raw(b'{"text":"!add 2 3"}'))
    with closing(KilledOutbox(tmp_path, "localhost:5555")) as outbox, suppress(KeyboardInterrupt):
        bot._answer(SimpleNamespace(outbox=outbox, send=lambda rows: None), "lobby", [question], "u0")
    with closing(Outbox(tmp_path, "localhost:5555")) as outbox:
        assert [row.body for row in outbox.unsent()] == [b'{"text":"5"}']
        assert outbox.points("lobby") == [(7, "7" * 16)]


def test_the_dice_bot_answers_its_commands() -> None:
    from bots.dice import bot as dice

    assert "of 20." in ask(dice, "!roll 20")[0]
    assert ask(dice, "!roll 1") == ["A die has 2 to 1000 sides."]
    assert ask(dice, "!choose a, a") == ["a"]
