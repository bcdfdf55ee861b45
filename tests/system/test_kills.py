"""The promises of the first day, with real processes: whatever is killed, nothing acknowledged is lost or doubled."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.processes import BrokerProcess, Person, finish, next_event, read_until

pytestmark = pytest.mark.real

People = Callable[[str], Person]


def said(events: list[dict[str, object]], author: str) -> list[str]:
    return [str(event["text"]) for event in events if event["kind"] == "message" and event["name"] == author]


def test_a_broker_killed_under_load_loses_doubles_and_reorders_nothing(broker: BrokerProcess, person: People) -> None:
    watcher = person("watcher")
    tail = watcher.start("tail", "lobby", "--from", "1", "--json")
    assert next_event(tail)["kind"] == "created"
    senders, count = ["ann", "bob", "cat", "dan"], 600
    running = {}
    for name in senders:
        running[name] = person(name).start("send", "lobby", "--lines", given=subprocess.PIPE)
        stdin = running[name].stdin
        assert stdin is not None
        stdin.write("".join(f"{name} {i}\n" for i in range(count)))
        stdin.close()
        running[name].stdin = None
    acknowledged: dict[str, list[str]] = {name: [] for name in senders}
    for kill in range(6):
        # Each time when some of the posts are through, and more are on their way.
        acknowledged[senders[kill % 4]] += read_until(running[senders[kill % 4]], 40)
        broker.kill()
        broker.start()
    for name, process in running.items():
        out, err = finish(process)
        assert process.returncode == 0, err
        acknowledged[name] += out.split()
    log = watcher.history()
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    for name in senders:
        assert said(log, name) == [f"{name} {i}" for i in range(count)]
        numbers = [event["seq"] for event in log if event["name"] == name and event["kind"] == "message"]
        assert [int(seq) for seq in acknowledged[name]] == numbers
    seen = [log[0]] + [next_event(tail) for _ in log[1:]]
    assert seen == log


def test_a_client_killed_while_it_sends_leaves_nothing_unsent_and_nothing_twice(
    broker: BrokerProcess, person: People
) -> None:
    ann = person("ann")
    sending = ann.start("send", "lobby", "--lines", given=subprocess.PIPE)
    assert sending.stdin is not None
    sending.stdin.write("".join(f"line {i}\n" for i in range(1000)))
    sending.stdin.flush()
    before = read_until(sending, 20)
    sending.kill()
    out, _ = finish(sending)
    printed = before + out.split()
    again = ann.run("send", "lobby", "the last one")
    assert again.returncode == 0
    log = ann.history()
    lines = said(log, "ann")
    assert lines[-1] == "the last one"
    assert lines[:-1] == [f"line {i}" for i in range(len(lines) - 1)]
    assert len(lines) - 1 >= len(printed)


def test_what_is_said_while_the_broker_is_away_is_kept_and_sent_later_once(
    broker: BrokerProcess, person: People
) -> None:
    ann = person("ann")
    assert ann.run("send", "lobby", "first").returncode == 0
    broker.stop()
    away = ann.run("send", "lobby", "second", timeout=0.5)
    assert (away.returncode, away.stdout) == (75, "")
    assert "send --flush" in away.stderr
    broker.start()
    flush = ann.run("send", "--flush")
    assert (flush.returncode, len(flush.stdout.split())) == (0, 1)
    assert ann.run("send", "--flush").stdout == ""
    assert said(ann.history(), "ann") == ["first", "second"]


def test_a_restored_copy_is_seen_and_said_and_nothing_is_mixed(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann, watcher = person("ann"), person("watcher")
    ann.run("send", "lobby", "kept")
    broker.stop()
    shutil.copytree(broker.data, tmp_path / "copy")
    broker.start()
    tail = watcher.start("tail", "lobby", "--from", "1", "--json")
    ann.run("send", "lobby", "--lines", given="lost 1\nlost 2\n")
    events = [next_event(tail)]
    while events[-1].get("text") != "lost 2":
        events.append(next_event(tail))
    broker.kill()
    shutil.rmtree(broker.data)
    shutil.copytree(tmp_path / "copy", broker.data)
    broker.start()
    # More is said than there was before: the new log's head is higher than what the watcher has.
    ann.run("send", "lobby", "--lines", given="".join(f"new {i}\n" for i in range(10)))
    out, err = finish(tail)
    *more, rewound = (json.loads(line) for line in out.splitlines())
    events += more
    assert (rewound["kind"], rewound["room"], tail.returncode) == ("rewound", "lobby", 1)
    kept = [event for event in events if event["seq"] <= rewound["seq"]]
    assert kept == ann.history()[: len(kept)]
    assert said(kept, "ann") == ["kept"]
    assert "backup" in err


def test_many_sends_at_once_from_one_identity_all_arrive(broker: BrokerProcess, person: People) -> None:
    ann = person("ann")
    running = [ann.start("send", "lobby", f"post {i}") for i in range(12)]
    numbers = sorted(int(finish(process)[0]) for process in running)
    assert [process.returncode for process in running] == [0] * 12
    log = ann.history()
    assert sorted(said(log, "ann")) == sorted(f"post {i}" for i in range(12))
    assert numbers == [event["seq"] for event in log if event["kind"] == "message"]


def test_a_tail_goes_on_over_restarts_without_a_hole(broker: BrokerProcess, person: People) -> None:
    ann = person("ann")
    tail = person("watcher").start("tail", "lobby", "--from", "1", "--json")
    events = []
    for i in range(3):
        assert ann.run("send", "lobby", f"round {i}").returncode == 0
        while not events or events[-1].get("text") != f"round {i}":
            events.append(next_event(tail))
        assert broker.stop() == 0
        broker.start()
    assert events == ann.history()[: len(events)]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
