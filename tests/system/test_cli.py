"""The command line as a user has it: what is printed where, and every exit status."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from chat_client.cli.tail import readable
from chat_core.address import parse_address
from chat_core.listing import flat
from chat_core.messages import Event
from tests.system.processes import BrokerProcess, Person, finish, next_event, read_until

pytestmark = pytest.mark.real

People = Callable[[str], Person]


def test_send_prints_the_number_and_nothing_else(person: People) -> None:
    done = person("ann").run("send", "lobby", "hello", "world")
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")
    assert person("ann").history()[-1]["text"] == "hello world"


def test_send_takes_standard_input_as_one_message(person: People) -> None:
    person("ann").run("send", "lobby", given="first line\nsecond line\n")
    assert person("ann").history()[-1]["text"] == "first line\nsecond line"


def test_send_lines_sends_each_as_it_comes(person: People) -> None:
    sending = person("ann").start("send", "lobby", "--lines", given=subprocess.PIPE)
    assert sending.stdin is not None
    for seq, text in enumerate(["one", "two", "three"], 3):
        sending.stdin.write(f"{text}\n\n")  # blank lines are no messages
        sending.stdin.flush()
        assert read_until(sending, 1) == [str(seq)]
    sending.stdin.close()
    assert finish(sending) == ("", "")
    assert sending.returncode == 0


def test_a_command_repeated_with_its_key_counts_once(person: People) -> None:
    ann = person("ann")
    first = ann.run("send", "lobby", "backup done", "--key", "2026-11-20")
    again = ann.run("send", "lobby", "backup done", "--key", "2026-11-20")
    other = ann.run("send", "lobby", "backup failed", "--key", "2026-11-20")
    assert first.stdout == again.stdout == "3\n"
    assert other.returncode == 1
    assert "was used for another message" in other.stderr
    assert len(ann.history()) == 3


def test_a_keyed_stream_of_lines_counts_once(person: People) -> None:
    ann = person("ann")
    lines = "".join(f"line {i}\n" for i in range(20))
    first = ann.run("send", "lobby", "--lines", "--key", "import", given=lines)
    again = ann.run("send", "lobby", "--lines", "--key", "import", given=lines + "one more\n")
    assert again.stdout.split()[:20] == first.stdout.split()
    assert len(ann.history()) == 2 + 21


def test_a_refused_line_does_not_hold_up_the_others_of_its_key(person: People) -> None:
    ann = person("ann")
    done = ann.run("send", "lobby", "--lines", "--key", "import", given=f"one\n{'x' * 9000}\nthree\nfour\n")
    assert (done.returncode, done.stdout.split()) == (1, ["3", "4", "5"])
    assert "line 2: The message is longer than 8192 bytes" in done.stderr
    assert [event["text"] for event in ann.history()[2:]] == ["one", "three", "four"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["send", "nosuch", "x"], 1, "There is no room 'nosuch'"),
        (["send", "lobby", "  "], 1, "The message is empty"),
        (["send", "lobby", "x" * 8193], 1, "longer than 8192 bytes"),
        (["send", "lobby", "bell\a"], 1, "control characters"),
        (["send", "../etc", "x"], 1, "cannot be the name of a room"),
        (["tail", "nosuch"], 1, "There is no room 'nosuch'"),
        (["join", "nosuch"], 1, "There is no room 'nosuch'"),
        (["create", "lobby"], 1, "is there already"),
        (["create", "a b"], 1, "cannot be the name of a room"),
        (["send"], 2, "send takes a ROOM"),
        (["send", "lobby", "x", "--lines"], 2, "not both"),
        (["send", "lobby", "--flush"], 2, "--flush alone"),
        (["tail"], 2, "required: ROOM"),
        (["nonsense"], 2, "unrecognized arguments"),
        (["rooms", "--timeout", "-1"], 2, "over 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_status(person: People, words: list[str], status: int, said: str) -> None:
    done = person("ann").run(*words)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_who_is_not_in_a_room_may_not_write_there(person: People) -> None:
    ann, bob = person("ann"), person("bob")
    assert ann.run("create", "dev").returncode == 0
    refused = bob.run("send", "dev", "hello")
    assert (refused.returncode, refused.stdout) == (77, "")
    assert "join it first" in refused.stderr
    assert bob.run("join", "dev").returncode == 0
    assert bob.run("send", "dev", "hello").returncode == 0
    assert bob.run("leave", "dev").returncode == 0
    assert bob.run("send", "dev", "hello").returncode == 77
    assert [event["kind"] for event in ann.history("dev")] == ["created", "joined", "joined", "message", "left"]


def test_a_taken_name_is_refused_and_its_message_not_kept(person: People, tmp_path: Path) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "I am ann")
    other = ann.run("send", "lobby", "me too", "--identity", str(tmp_path / "other"))
    assert other.returncode == 1
    assert "is taken" in other.stderr
    flush = ann.run("send", "--flush", "--identity", str(tmp_path / "other"), "--name", "amy")
    assert (flush.returncode, flush.stdout) == (0, "")


def test_rooms_lists_them_for_people_and_for_programs(person: People) -> None:
    ann = person("ann")
    ann.run("create", "dev")
    told = ann.run("rooms").stdout.splitlines()
    assert [line.split()[:2] for line in told] == [["*", "dev"], ["*", "lobby"]]
    objects = [json.loads(line) for line in ann.run("rooms", "--json").stdout.splitlines()]
    assert [(one["id"], one["members"], one["mine"], one["head"][0]) for one in objects] == [
        ("dev", 1, True, 2),
        ("lobby", 1, True, 2),
    ]


def test_who_tells_who_is_here(person: People) -> None:
    tail = person("bob").start("tail", "lobby", "--from", "1", "--json")
    while next_event(tail)["name"] != "bob":
        pass
    here = [json.loads(line)["name"] for line in person("ann").run("who", "--json").stdout.splitlines()]
    assert here == ["ann", "bob"]
    assert "bob" in person("ann").run("who", "lobby").stdout


def test_tail_prints_what_people_can_read(person: People) -> None:
    ann = person("ann")
    ann.run("send", "lobby", given="two\nlines")
    told = ann.run("tail", "lobby", "--from", "-2", "--count", "2").stdout.splitlines()
    assert told[0].endswith("  * ann has joined")
    assert told[1].endswith("  ann: two")
    assert told[2] == " " * told[1].index("two") + "lines"


def test_tail_shows_what_somebody_does() -> None:
    event = Event("lobby", 5, 1763640101500, "u2", "Ann", "message", "0" * 16, body=Raw(b'{"text":"waves","me":true}'))
    assert readable(event).endswith("  * Ann waves")


def test_tail_without_from_begins_with_what_is_new(person: People, broker: BrokerProcess) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "old")
    tail = person("bob").start("tail", "lobby", "--json", "--count", "2")
    while "bob came" not in broker.log():
        assert tail.poll() is None
    texts: list[str] = []
    while tail.poll() is None and len(texts) < 50:
        texts += [ann.run("send", "lobby", f"new {len(texts)}").stdout]
    events = [json.loads(line) for line in finish(tail)[0].splitlines()]
    assert tail.returncode == 0
    assert [event["kind"] for event in events] == ["message", "message"]
    assert all(event["text"].startswith("new") for event in events)


def test_an_event_line_has_envelope_and_text_side_by_side(person: People) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "hello")
    event = ann.history()[-1]
    assert list(event)[:7] == ["room", "seq", "time", "kind", "author", "name", "text"]
    assert (event["room"], event["seq"], event["kind"], event["name"]) == ("lobby", 3, "message", "ann")


def test_ping_measures_round_trips(person: People) -> None:
    done = person("ann").run("ping", "--count", "2", "--interval", "0.01")
    assert done.returncode == 0
    assert done.stdout.count("time=") == 2
    assert "2 answered" in done.stderr


@pytest.mark.parametrize("words", [["rooms"], ["who"], ["tail", "lobby"], ["create", "x"], ["join", "x"], ["ping"]])
def test_no_broker_is_status_69(tmp_path: Path, words: list[str]) -> None:
    done = Person(tmp_path, "127.0.0.1:1", "ann").run(*words, timeout=0.3)
    assert (done.returncode, done.stdout) == (69, "")
    assert "No broker answers at 127.0.0.1:1" in done.stderr


def test_no_broker_is_status_75_for_send_which_keeps_the_message(tmp_path: Path) -> None:
    done = Person(tmp_path, "127.0.0.1:1", "ann").run("send", "lobby", "x", timeout=0.3)
    assert (done.returncode, done.stdout) == (75, "")
    assert "1 message is kept in the outbox" in done.stderr


def test_an_identity_that_cannot_be_used_is_status_78(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = Person(tmp_path, "127.0.0.1:1", "ann").run("rooms", "--identity", str(tmp_path / "file" / "x"))
    assert done.returncode == 78
    assert "--identity" in done.stderr


def test_a_reader_that_has_enough_ends_tail_quietly(person: People) -> None:
    tail = person("ann").start("tail", "lobby", "--from", "1", "--json")
    next_event(tail)
    assert tail.stdout is not None
    tail.stdout.close()
    person("bob").run("send", "lobby", "--lines", given="a\nb\nc\n")
    assert tail.wait(30) == 0
    assert tail.stderr is not None
    assert tail.stderr.read() == ""


def test_outbox_shows_and_gives_up_what_is_unsent(tmp_path: Path) -> None:
    ann = Person(tmp_path, "127.0.0.1:1", "ann")
    for text in ("one", "two"):
        assert ann.run("send", "lobby", text, timeout=0.1).returncode == 75
    kept = [json.loads(line) for line in ann.run("outbox", "--json").stdout.splitlines()]
    assert [(one["broker"], one["room"], one["text"]) for one in kept] == [
        ("127.0.0.1:1", "lobby", "one"),
        ("127.0.0.1:1", "lobby", "two"),
    ]
    assert ann.run("outbox", "--drop", str(kept[0]["number"])).returncode == 0
    assert ann.run("outbox").stdout.split()[1:] == ["127.0.0.1:1", "lobby:", "two"]
    again = ann.run("outbox", "--drop", str(kept[0]["number"]))
    assert (again.returncode, again.stderr.count("There is no unsent message")) == (1, 1)


def test_what_is_kept_for_another_broker_is_said_after_a_flush(person: People, tmp_path: Path) -> None:
    Person(tmp_path, "127.0.0.1:1", "ann").run("send", "lobby", "lost?", timeout=0.1)
    done = person("ann").run("send", "--flush")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 message is kept for other brokers" in done.stderr


def test_many_messages_kept_from_before_are_counted_not_listed(broker: BrokerProcess, person: People) -> None:
    ann = person("ann")
    broker.stop()
    kept = ann.run("send", "lobby", "--lines", given="a\nb\nc\n", timeout=0.5)
    assert kept.returncode == 75
    broker.start()
    done = ann.run("send", "lobby", "d")
    assert (done.stdout, done.stderr) == ("6\n", "chat-client: Sent as well: 3 messages kept from before.\n")


def test_bytes_that_are_not_utf_8_are_said_to_be(person: People) -> None:
    ann = person("ann")
    done = subprocess.run(
        [*ann.command("send", "lobby")], input=b"caf\xe9", capture_output=True, env=ann.environment(), timeout=60
    )
    assert done.returncode == 1
    assert b"not UTF-8" in done.stderr


def test_a_refused_line_is_an_object_too(person: People) -> None:
    done = person("ann").run("send", "lobby", "--lines", "--json", given="one\n\nbell\a\n")
    refused = [json.loads(line) for line in done.stdout.splitlines() if "refused" in line]
    assert [(one["refused"], one["line"]) for one in refused] == [("text_bad", 3)]


def test_characters_that_turn_the_line_are_shown_as_numbers(person: People) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "abc \u202ecba")
    assert "abc <U+202E>cba" in ann.run("tail", "lobby", "--from", "-1", "--count", "1").stdout


def test_an_ended_tail_says_bye(broker: BrokerProcess, person: People) -> None:
    tail = person("ann").start("tail", "lobby", "--from", "1", "--json")
    next_event(tail)
    tail.terminate()
    assert finish(tail) == ("", "") or tail.returncode == 143
    assert tail.returncode == 143
    while "ann left (said bye)" not in broker.log():
        assert person("bob").run("ping", "--count", "1").returncode == 0


def test_a_tail_says_that_the_broker_is_away_and_back(broker: BrokerProcess, person: People) -> None:
    tail = person("ann").start("tail", "lobby", "--from", "1", "--json")
    next_event(tail)
    assert tail.stderr is not None
    broker.stop()
    assert tail.stderr.readline() == "chat-client: The broker is away; waiting for it.\n"
    broker.start()
    assert tail.stderr.readline() == "chat-client: The broker is back, and nothing was missed.\n"


def test_a_flush_of_nothing_needs_no_broker(tmp_path: Path) -> None:
    done = Person(tmp_path, "127.0.0.1:1", "ann").run("send", "--flush", timeout=0.3)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_output_is_utf_8_whatever_the_system_thinks(person: People) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "grüße 🎉")
    command = ann.command("tail", "lobby", "--from", "-1", "--count", "1", "--json")
    env = ann.environment() | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=env, timeout=60)
    assert (done.returncode, json.loads(done.stdout)["text"]) == (0, "grüße 🎉")


def test_a_body_cannot_pass_for_the_envelope() -> None:
    event = Event("lobby", 1, 0, "u1", "ann", "odd", "0" * 16, body=Raw(b'{"name":"bob","text":"hi","chain":"x"}'))
    shown = flat(event)
    assert (shown["name"], shown["text"], shown["chain"]) == ("ann", "hi", "0" * 16)


def test_what_needs_no_broker_answers_in_json_too(tmp_path: Path) -> None:
    ann = Person(tmp_path, "127.0.0.1:1", "ann")
    assert ann.run("send", "lobby", "one", "--json", timeout=0.1).stdout == ""
    (kept,) = json_lines(ann, "outbox")
    assert json_lines(ann, "outbox", "--drop", str(kept["number"])) == [kept | {"dropped": True}]
    (shown,) = json_lines(ann, "key", "show")
    file = str(tmp_path / "copy")
    assert json_lines(ann, "key", "export", file) == [shown | {"file": file}]
    assert json_lines(ann, "key", "import", file) == [shown | {"before": ""}]


def test_a_message_that_is_refused_is_an_object_whoever_refuses_it(person: People) -> None:
    ann = person("ann")
    assert [list(one) for one in json_lines(ann, "send", "lobby", "hello")] == [["room", "seq", "time", "line"]]
    here = json.loads(ann.run("send", "lobby", "", "--json", given="").stdout)
    there = json.loads(ann.run("send", "nosuch", "hello", "--json").stdout)
    assert [(one["refused"], one["line"]) for one in (here, there)] == [("text_empty", 0), ("no_room", 0)]
    assert json_lines(ann, "forget", ann.address) == [{"forgotten": parse_address(ann.address).text}]


def json_lines(person: Person, *words: str) -> list[dict[str, Any]]:
    """What a command that went well answers with --json."""
    done = person.run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
