"""The example bots at a real broker: the plain one that is shown in the README, and the one that misses nothing."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat_client.bot import Bot, Call
from chat_core import messages as m
from tests.system.processes import LONG, ROOT, BrokerProcess, Person, environment, next_event

pytestmark = pytest.mark.real

People = Callable[[str], Person]
Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(broker: BrokerProcess, tmp_path: Path) -> Iterator[Start]:
    """Starts an example bot."""
    running = []

    def run(name: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(ROOT / "bots" / name), broker.address]
        env = environment(tmp_path, PYTHONPATH=str(ROOT))
        running.append(subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.DEVNULL))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


def wait_for(tail: "subprocess.Popen[str]", name: str, text: str) -> int:
    """Read a tail until somebody said that; returns the event's number."""
    while True:
        event = next_event(tail)
        if event["name"] == name and text in str(event.get("text", event["kind"])):
            return int(event["seq"])


def test_the_plain_bot_answers_and_is_the_one_in_the_readme(person: People, start: Start) -> None:
    source = (ROOT / "bots" / "echo.py").read_text()
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert source in shown
    code = [line for line in source.splitlines() if line.strip()][1:]
    assert len(code) <= 27
    tail = person("ann").start("tail", "lobby", "--from", "1", "--json")
    start("echo.py")
    wait_for(tail, "echo", "joined")
    # It may miss what was said before its subscription was there: say it until it answers.
    for attempt in range(100):
        person("ann").run("send", "lobby", f"!echo are you there {attempt}")
        if "are you there" in str([event for event in person("ann").history() if event["name"] == "echo"]):
            break
    wait_for(tail, "echo", "are you there")


def test_a_bot_answers_what_was_asked_while_it_was_dead_and_the_broker_restarted_once(
    person: People, start: Start, broker: BrokerProcess
) -> None:
    ann = person("ann")
    tail = ann.start("tail", "lobby", "--from", "1", "--json")
    dice = start("dice.py")
    wait_for(tail, "dice", "joined")
    ann.run("send", "lobby", "!roll 6")
    wait_for(tail, "dice", "of 6.")
    dice.kill()
    dice.wait()
    for sides in range(10, 15):
        ann.run("send", "lobby", f"!roll {sides}")
    broker.kill()
    broker.start()
    start("dice.py")
    wait_for(tail, "dice", "of 14.")
    answers = [str(event["text"]) for event in ann.history() if event["name"] == "dice" and event["kind"] == "message"]
    assert [answer.partition("of ")[2] for answer in answers] == ["6.", "10.", "11.", "12.", "13.", "14."]


@pytest.fixture
def parrot(broker: BrokerProcess, tmp_path: Path) -> Iterator[tuple[Bot, list[m.Notice]]]:
    """A bot that says again what it is told, in the lobby and in direct rooms, and the notices that it heard."""
    bot = Bot(broker.address, "parrot", ["lobby"], tmp_path / "parrot", directs=True)
    heard: list[m.Notice] = []
    bot.on_notice(heard.append)

    @bot.command
    def again(call: Call, text: str) -> str:
        return f"{call.name} says {text}"

    yield bot, heard
    bot.stop()


def test_a_bot_answers_in_direct_rooms_and_in_a_private_one_to_which_it_is_invited(
    person: People, parrot: tuple[Bot, list[m.Notice]]
) -> None:
    bot, heard = parrot
    ann = person("ann")
    ann.run("create", "plan", "--private")
    running = threading.Thread(target=bot.run, daemon=True)
    running.start()
    wait_for(ann.start("tail", "lobby", "--from", "1", "--json"), "parrot", "joined")
    ann.run("send", "@parrot", "!again hello")
    wait_for(ann.start("tail", "@parrot", "--from", "1", "--json"), "parrot", "ann says hello")
    bot.rooms.append("plan")  # not before: a bot that may not enter one of its rooms says so at its start, and ends
    ann.run("invite", "plan", "parrot")
    tail = ann.start("tail", "plan", "--from", "1", "--json")
    wait_for(tail, "parrot", "joined")
    ann.run("send", "plan", "!again hello there")
    wait_for(tail, "parrot", "ann says hello there")
    ann.run("remove", "plan", "parrot", "--reason", "noise")
    ann.run("send", "lobby", "!again still here?")
    wait_for(ann.start("tail", "lobby", "--from", "1", "--json"), "parrot", "still here?")
    assert [(notice.kind, notice.room, notice.reason) for notice in heard] == [
        ("invited", "plan", ""),
        ("removed", "plan", "noise"),
    ]
    bot.stop()
    running.join(LONG)
    assert not running.is_alive()
