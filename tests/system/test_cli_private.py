"""Private and direct rooms from the command line: what others see of them, walls, and being removed."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.processes import BrokerProcess, Person, finish, next_event, read_until

pytestmark = pytest.mark.real

People = Callable[[str], Person]


def done(ran: "subprocess.CompletedProcess[str]") -> str:
    """What a command printed that went well."""
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def rooms(person: Person) -> dict[str, dict[str, object]]:
    """The rooms that somebody sees."""
    return {room["id"]: room for room in map(json.loads, done(person.run("rooms", "--json")).splitlines())}


@pytest.fixture
def ann(person: People) -> Person:
    """Owner of the private room "plan"."""
    ann = person("ann")
    for other in ("bob", "cem"):
        done(person(other).run("rooms"))
    assert "It is private" in done(ann.run("create", "plan", "--private"))
    done(ann.run("send", "plan", "before bob"))
    return ann


@pytest.fixture
def bob(ann: Person, person: People) -> Person:
    """A member of it since number 5."""
    bob = person("bob")
    assert done(ann.run("invite", "plan", "bob")) == "bob is invited to plan.\n"
    assert "you are invited" in done(bob.run("rooms"))
    assert done(bob.run("join", "plan")) == "You are in room plan.\n"
    return bob


def test_nobody_else_is_told_that_a_private_room_is_there(ann: Person, person: People) -> None:
    cem = person("cem")
    assert "plan" not in rooms(cem)
    there, not_there = cem.run("tail", "plan", "--from", "1"), cem.run("tail", "nothing", "--from", "1")
    assert there.returncode == not_there.returncode != 0
    assert there.stderr.replace("plan", "nothing") == not_there.stderr
    for words in ("join plan", "who plan", "invite plan cem", "delete plan 1", "send plan hello"):
        assert cem.run(*words.split()).returncode != 0


def test_a_newcomer_reads_from_joining_on_and_is_told_where_that_is(bob: Person) -> None:
    tail = bob.start("tail", "plan", "--from", "1", "--json")
    assert next_event(tail) == {"kind": "wall", "room": "plan", "after": 0, "first": 5}
    event = next_event(tail)
    assert (event["seq"], event["kind"], event["name"]) == (5, "joined", "bob")
    bob.run("send", "plan", "hello")
    assert next_event(tail)["text"] == "hello"


def test_what_is_said_in_a_private_room_comes_at_once(ann: Person, bob: Person) -> None:
    tail = bob.start("tail", "plan", "--from", "6")
    done(bob.run("send", "plan", "ready"))
    assert read_until(tail, 1)[0].endswith("bob: ready")
    for number in range(3):
        done(ann.run("send", "plan", f"message {number}"))
        assert read_until(tail, 1)[0].endswith(f"ann: message {number}")


def test_whoever_is_removed_is_told_so_and_comes_back_behind_a_wall(ann: Person, bob: Person) -> None:
    tail = bob.start("tail", "plan", "--json", "--from", "6")
    done(bob.run("send", "plan", "ready"))
    assert next_event(tail)["seq"] == 6
    done(ann.run("remove", "plan", "bob", "--reason", "too loud"))
    assert next_event(tail) == {"kind": "removed", "room": "plan", "by": "ann", "reason": "too loud"}
    assert "You were removed from plan by ann (too loud)." in finish(tail)[1]
    assert tail.returncode == 77
    done(ann.run("send", "plan", "now that bob is gone"))
    assert bob.run("send", "plan", "let me in").returncode != 0
    done(ann.run("invite", "plan", "bob"))
    done(bob.run("join", "plan"))
    told = bob.run("tail", "plan", "--from", "5", "--count", "3", "--json")
    kinds = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(one["kind"], one.get("seq")) for one in kinds] == [
        ("joined", 5),
        ("message", 6),
        ("wall", None),
        ("joined", 10),
    ]
    assert "gone" not in told.stdout
    assert "What was said between number 6 and number 10 is not for you" in told.stderr


def test_two_talk_alone(person: People) -> None:
    ann, bob, cem = person("ann"), person("bob"), person("cem")
    for one in (bob, cem):
        done(one.run("rooms"))
    assert done(ann.run("send", "@bob", "just you")) == "2\n"
    assert done(bob.run("send", "@Ann", "and you")) == "3\n"
    told = bob.run("tail", "@ann", "--from", "1", "--count", "3", "--json").stdout
    assert [json.loads(line).get("text") for line in told.splitlines()] == [None, "just you", "and you"]
    assert "ann" in done(bob.run("rooms"))
    assert [room for room in rooms(cem) if room.startswith("@")] == []
    assert ann.run("send", "@nobody", "hello").returncode == 1


def test_a_group_has_a_room_of_its_own(person: People) -> None:
    ann, bob, cem = person("ann"), person("bob"), person("cem")
    for one in (bob, cem):
        done(one.run("rooms"))
    made = json.loads(done(ann.run("direct", "bob", "cem", "--json")))
    assert [name for _, name in made["people"]] == ["ann", "bob", "cem"]
    assert done(cem.run("send", "@bob,ann", "hello both")) == "2\n"
    assert made["id"] in rooms(bob)


def test_a_message_that_is_deleted_is_blank_for_everybody(ann: Person, bob: Person) -> None:
    seq = done(bob.run("send", "plan", "oops")).strip()
    tail = bob.start("tail", "plan", "--json", "--from", seq)
    assert next_event(tail)["text"] == "oops"
    assert done(ann.run("delete", "plan", seq, "--reason", "wrong room")) == f"Message {seq} is blank for everybody.\n"
    event = next_event(tail)
    assert (event["kind"], event["target"], event["reason"]) == ("deleted", int(seq), "wrong room")
    shown = done(bob.run("tail", "plan", "--from", seq, "--count", "2"))
    assert "bob: (deleted)" in shown
    assert "ann deleted a message (wrong room)" in shown
    assert "oops" not in shown


def test_who_may_not_write_hears_why_and_a_status_that_says_so(ann: Person, bob: Person) -> None:
    done(ann.run("mute", "plan", "bob", "--for", "1h"))
    muted = bob.run("send", "plan", "hello")
    assert muted.returncode == 77
    done(ann.run("appoint", "plan", "bob", "member"))
    done(ann.run("change", "plan", "--read-only", "--rename", "Plans"))
    assert bob.run("send", "plan", "hello").returncode == 77
    listed = done(bob.run("rooms"))
    assert "Plans" in listed
    assert "private, read-only" in listed
    assert bob.run("change", "plan", "--writable").returncode == 77
    assert ann.run("change", "plan").returncode == 2
    shown = done(ann.run("tail", "plan", "--from", "-3", "--count", "3"))
    assert "ann muted bob until" in shown
    assert "ann made bob a member again" in shown
    assert "ann called the room Plans and made the room read-only" in shown


def test_a_slow_room_is_waited_for_and_what_does_not_go_out_in_time_is_kept(ann: Person, bob: Person) -> None:
    done(ann.run("change", "plan", "--slow", "2s"))
    assert "2s between two posts" in done(bob.run("rooms"))
    sending = bob.run("send", "plan", "--lines", given="one\ntwo\nthree\n")
    assert (sending.returncode, len(sending.stdout.split())) == (0, 3)
    (said,) = sending.stderr.splitlines()  # once, not for each of them
    assert re.fullmatch(r"chat-client: This room is in slow mode: .* \(The wait is (2s|a second) now\.\)", said)
    done(ann.run("change", "plan", "--slow", "1h"))
    late = bob.run("send", "plan", "three", timeout=1.0)
    assert late.returncode == 75
    assert "kept in the outbox" in late.stderr


def test_a_name_is_changed_and_the_old_one_still_lets_its_owner_in(ann: Person, person: People) -> None:
    assert done(person("bob").run("nick", "Robert")) == "You are called Robert now.\n"
    assert "Robert" in done(ann.run("people"))
    assert done(person("bob").run("send", "lobby", "still me")).strip().isdigit()
    assert ann.history()[-1]["name"] == "Robert"


def test_another_machine_is_linked_by_a_code_and_unlinked_again(
    ann: Person, broker: BrokerProcess, tmp_path: Path, person: People
) -> None:
    code = done(ann.run("link")).splitlines()[0]
    elsewhere = Person(tmp_path / "elsewhere", broker.address, "ann")
    linked = elsewhere.run("link", "--code", given=code.upper() + "\n")
    assert done(linked) == "You are ann on this machine, too.\n"
    assert elsewhere.run("link", "--code", given="k7qf2-m9xab\n").returncode == 77
    assert "plan" in rooms(elsewhere)
    machines = [json.loads(line) for line in done(ann.run("machines", "--json")).splitlines()]
    assert [machine.get("this", False) for machine in machines] == [True, False]
    done(ann.run("unlink", machines[1]["key"]))
    assert "name" in elsewhere.run("send", "lobby", "hello").stderr
    assert ann.run("unlink", machines[0]["key"]).returncode == 1


def test_a_report_reaches_who_looks_after_the_room(ann: Person, bob: Person) -> None:
    seq = done(ann.run("send", "plan", "hm")).strip()
    assert done(bob.run("report", "plan", seq, "--reason", "unkind")) == "Those who look after the room are told.\n"


def test_what_only_admins_may_is_refused_to_others(ann: Person) -> None:
    for words in ("ban bob", "bans", "role bob guest", "invitation", "invitations", "approve bob", "release bob"):
        assert ann.run(*words.split()).returncode == 77, words
