"""The command line where it leads to the window: which words do, and how it ends where no window can be opened."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chat_client import cli
from chat_client.cli import _has_verb
from chat_client.cli.options import VERBS
from chat_client.cli.window import make_parser
from chat_core import VERSION
from tests.system.processes import LONG, environment


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["chat://h"],
        ["192.168.1.20"],
        ["--name", "send"],
        ["--name=send"],
        ["--name", "send", "chat://h/lobby"],
        ["--identity", "tail", "h"],
        ["--broker", "rooms"],
        ["chat://h", "send"],  # two addresses: an error, but the window's
        ["--serve"],
        ["--serve", "--theme", "dark", "--scale", "1.5"],
        ["--help"],
        ["-h"],
        ["--version"],
        ["--nonsense"],
        ["--name"],
        ["--timeout", "x"],
        ["sends"],
        ["SEND"],
        [""],
    ],
)
def test_these_words_lead_to_the_window(words: list[str]) -> None:
    assert not _has_verb(words)


@pytest.mark.parametrize(
    "words",
    [
        *([verb] for verb in VERBS),
        ["send", "lobby", "hello"],
        ["--broker", "X", "tail", "lobby"],
        ["--broker=X", "tail", "lobby"],
        ["--name", "send", "send", "lobby", "x"],
        ["--json", "--timeout", "3", "rooms"],
        ["--timeout", "x", "rooms"],
        ["--timeout", "-1", "rooms"],
        ["send", "--help"],
        ["--help", "send"],
        ["--nonsense", "rooms"],
        ["--broker", "X", "--", "rooms"],
        ["tail", "lobby", "--from", "-10"],
    ],
)
def test_these_words_lead_to_a_verb(words: list[str]) -> None:
    assert _has_verb(words)


def main(words: list[str]) -> object:
    """The command in this process; its exit status."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return cli.main(words)
    except SystemExit as end:
        return end.code
    finally:
        signal.signal(signal.SIGTERM, before)


def run(tmp_path: Path, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """The command where there is no display."""
    env = environment(tmp_path, XDG_CONFIG_HOME=str(tmp_path), **more)
    env = {name: value for name, value in env.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "chat_client", *words], env=env, capture_output=True, text=True, timeout=LONG
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chat://"], "'chat://' is not an address: write it like"),
        (["--broker", "http://h"], "'http://h' is not an address: write it like"),
        (["chat://h", "more"], "unrecognized arguments: more"),
        (["snd", "lobby", "hello"], "There is no verb 'snd': is it 'send'?"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--theme", "green"], "invalid choice: 'green'"),
        (["--scale", "100"], "a number from 0.5 to 4"),
        (["--scale", "large"], "a number from 0.5 to 4"),
        (["--scale", "nan"], "a number from 0.5 to 4"),
        (["--name"], "--name: expected one argument"),
    ],
)
def test_what_is_wrong_is_said_before_any_window_is_opened(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    done = main(words)
    out, err = capsys.readouterr()
    assert (done, out) == (2, "")
    assert said in err


@pytest.mark.real
def test_where_there_is_no_display_it_is_said_and_what_else_there_is(tmp_path: Path) -> None:
    done = run(tmp_path, "--name", "ann", "chat://127.0.0.1")
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("chat-client: The window cannot be opened (")
    assert "The verbs work without" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.real
def test_an_address_of_the_environment_is_checked_as_well(tmp_path: Path) -> None:
    done = run(tmp_path, CHAT_BROKER="chat://")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'chat://' is not an address" in done.stderr


@pytest.mark.real
def test_help_and_version_need_no_display(tmp_path: Path) -> None:
    helped, version = run(tmp_path, "--help"), run(tmp_path, "--version")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "opens its window" in helped.stdout
    assert all(verb in helped.stdout for verb in VERBS)
    assert (version.returncode, version.stdout) == (0, f"zmq-chat {VERSION}\n")


def test_what_can_be_given_is_understood() -> None:
    args = make_parser("").parse_args(
        ["chat://h/den", "--name", "ann", "--serve", "--theme", "dark", "--scale", "1.5", "--identity", "x"]
    )
    assert (args.address, args.name, args.serve, args.theme, args.scale) == ("chat://h/den", "ann", True, "dark", 1.5)
    assert args.identity == Path("x")
    assert make_parser("").parse_args([]).scale is None
