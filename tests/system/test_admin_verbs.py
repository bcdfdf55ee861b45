"""The verbs of admins at a broker, asked by whoever runs it; and what those hear and see whom they are about."""

import argparse
import itertools
import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from chat_broker.serving.admin import PLACE
from chat_client.client import as_error
from chat_core import errands, keys, verbs, wire
from chat_core import messages as m
from chat_core.address import Address
from chat_core.names import BROKER_NAME
from tests.system.processes import LONG, BrokerProcess, Person, environment, finish, next_event

pytestmark = pytest.mark.real

People = Callable[[str], Person]


class Admin:
    """Whoever runs the broker, on its admin's socket."""

    def __init__(self, broker: BrokerProcess) -> None:
        self._address = Address("127.0.0.1", broker.port, key=broker.ready["key"])
        self._ids = itertools.count(1)
        secret = keys.secret_in((broker.data / "admin.key").read_text())
        served = keys.secret_in((broker.data / "broker.key").read_text())
        assert secret is not None
        assert served is not None
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.curve_secretkey = secret.encode()
        self._socket.curve_publickey = zmq.curve_public(secret.encode())
        self._socket.curve_serverkey = zmq.curve_public(served.encode())
        self._socket.connect(f"tcp://127.0.0.1:{(broker.data / PLACE).read_text().split()[0]}")

    def close(self) -> None:
        """End."""
        self._socket.close(0)
        self._context.term()

    def ask(self, request: m.Request) -> m.Reply:
        """One question; notices are passed over."""
        request.id = next(self._ids)
        self._socket.send(wire.encode(request))
        while self._socket.poll(int(LONG * 1000)):
            reply = wire.decode_reply(self._socket.recv())
            if reply.re == request.id:
                if isinstance(reply, m.Refused):
                    raise as_error(reply)
                return reply
        raise AssertionError("the broker does not answer its admin")

    def run(self, *words: str) -> list[str]:
        """What a verb prints, with --json."""
        verb = next(verb for verb in verbs.VERBS if verb.name == words[0])
        assert verb.admin
        parser = argparse.ArgumentParser()
        verbs.add_to(parser, verb)
        now = time.time_ns() // 1_000_000
        errand = errands.Errand(
            parser.parse_args(words[1:]), self.ask, now, random.SystemRandom().getrandbits, self._address
        )
        return list(verbs.lines(verb.do(errand), as_json=True))


@pytest.fixture
def admin(broker: BrokerProcess) -> Iterator[Admin]:
    """At the broker that lets everybody in."""
    admin = Admin(broker)
    yield admin
    admin.close()


def choosy(folder: Path, join: str) -> BrokerProcess:
    """A broker that does not let everybody in."""
    broker = BrokerProcess(folder)
    broker.environment = environment(folder, CHAT_ACCESS__JOIN=join)
    return broker


def done(ran: "subprocess.CompletedProcess[str]") -> str:
    """What a command printed that went well."""
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_whoever_waits_hears_so_and_is_in_when_an_admin_says_yes(tmp_path: Path) -> None:
    broker = choosy(tmp_path, "approve").start()
    admin, eve = Admin(broker), Person(tmp_path, broker.address, "eve")
    try:
        waits = eve.run("rooms", timeout=1.0)
        assert waits.returncode == 75
        assert "An admin has to let you in first." in waits.stderr
        (waiting,) = map(json.loads, admin.run("people", "--waiting"))
        assert (waiting["name"], waiting["waiting"]) == ("eve", True)
        tail = eve.start("tail", "lobby", "--from", "1", "--json", timeout=0.5)  # waits all the same
        assert tail.stderr is not None
        assert "An admin has to let you in first." in tail.stderr.readline()
        kept = eve.run("send", "lobby", "may I?", timeout=1.0)
        assert (kept.returncode, "no admin has let you in yet" in kept.stderr) == (75, True)
        admin.run("approve", "eve")
        assert next_event(tail)["kind"] == "created"
    finally:
        eve.close()
        admin.close()
        broker.close()


def test_whoever_is_rejected_does_not_come_back(tmp_path: Path) -> None:
    broker = choosy(tmp_path, "approve").start()
    admin, eve = Admin(broker), Person(tmp_path, broker.address, "eve")
    try:
        tail = eve.start("tail", "lobby")
        assert tail.stderr is not None
        assert "An admin has to let you in first." in tail.stderr.readline()
        admin.run("reject", "eve", "--reason", "nobody knows you")
        assert "did not let you in" in (told := tail.stderr.readline())
        assert "(nobody knows you)" in told
        assert tail.wait(LONG) == 77
        again = eve.run("rooms")
        assert again.returncode == 77
        assert "banned there" in again.stderr  # at the handshake, where no reason can be told
    finally:
        eve.close()
        admin.close()
        broker.close()


def test_an_invitation_lets_in_as_often_as_it_says_and_as_what_it_says(tmp_path: Path) -> None:
    broker = choosy(tmp_path, "invite").start()
    admin = Admin(broker)
    try:
        made = json.loads(admin.run("invitation", "--role", "guest", "--rooms", "lobby", "--note", "for Gus")[0])
        stranger = Person(tmp_path, broker.address, "mal")
        assert stranger.run("rooms").returncode == 77
        guest = Person(tmp_path, made["join"], "gus")
        assert done(guest.run("send", "lobby", "hello")).strip().isdigit()
        again = Person(tmp_path, made["join"], "mal").run("rooms")
        assert again.returncode == 77
        assert admin.run("invitations") == []
        # A guest hears what is said without the feed.
        tail = guest.start("tail", "lobby", "--from", "1", "--json")
        while next_event(tail).get("text") != "hello":
            pass
        second = json.loads(admin.run("invitation", "--uses", "0")[0])
        ann = Person(tmp_path, second["join"], "ann")
        for number in range(3):
            done(ann.run("send", "lobby", f"number {number}"))
            while next_event(tail).get("text") != f"number {number}":
                pass
        admin.run("revoke", second["id"])
        assert Person(tmp_path, second["join"], "bob").run("rooms").returncode == 77
        guest.close()
    finally:
        admin.close()
        broker.close()


def test_a_ban_is_told_at_once_with_its_reason_and_nothing_else_is(admin: Admin, person: People) -> None:
    bob = person("bob")
    tail = bob.start("tail", "lobby", "--from", "1", "--json")
    while next_event(tail)["kind"] != "joined":
        pass
    (made,) = map(json.loads, admin.run("ban", "bob", "--reason", "spam"))
    assert tail.stderr is not None
    told = tail.stderr.readline()
    assert told.startswith(f"chat-client: {BROKER_NAME} banned you from the chat at ")
    assert told.endswith(" (spam). Trying again.\n")
    admin.run("unban", made["of"])
    assert tail.stderr.readline() == "chat-client: The broker is back, and nothing was missed.\n"


def test_a_ban_is_told_where_one_comes_back_and_ends_when_it_is_lifted(admin: Admin, person: People) -> None:
    bob = person("bob")
    done(bob.run("rooms"))
    made = json.loads(admin.run("ban", "bob", "--for", "2h", "--reason", "spam")[0])
    assert bob.run("rooms").returncode == 77
    kept = bob.run("send", "lobby", "hello")
    assert (kept.returncode, "banned there" in kept.stderr, "is kept" in kept.stderr) == (77, True, True)
    (ban,) = map(json.loads, admin.run("bans"))
    assert (ban["id"], ban["name"], ban["reason"]) == (made["of"], "bob", "spam")
    admin.run("unban", made["of"])
    assert len(done(bob.run("send", "lobby", "hello again")).splitlines()) == 1
    assert [event["text"] for event in bob.history() if "text" in event] == ["hello", "hello again"]


def test_a_role_lets_somebody_do_what_admins_do_and_all_of_it_is_noted(admin: Admin, person: People) -> None:
    ann, bob = person("ann"), person("bob")
    for one in (ann, bob):
        done(one.run("rooms"))
    admin.run("role", "ann", "admin")
    done(ann.run("mute", "lobby", "bob", "--reason", "loud"))
    assert bob.run("send", "lobby", "hello").returncode == 77
    done(ann.run("release", "bob"))
    acts = [json.loads(line)["act"] for line in done(ann.run("audit", "--json")).splitlines()]
    assert acts == ["role", "appoint", "release"]
    assert [json.loads(line)["act"] for line in admin.run("audit", "--count", "1")] == ["release"]
    assert bob.run("audit").returncode in (1, 77)


def test_the_audit_log_is_followed_like_a_room(admin: Admin, person: People) -> None:
    ann, bob = person("ann"), person("bob")
    for one in (ann, bob):
        done(one.run("rooms"))
    admin.run("role", "ann", "admin")
    tail = ann.start("tail", "!audit", "--from", "2")
    assert tail.stdout is not None
    assert "broker did: role ann" in tail.stdout.readline()
    admin.run("ban", "bob", "--reason", "spam")
    assert "broker did: ban bob (spam)" in tail.stdout.readline()
    admin.run("role", "ann", "member")
    tail.kill()
    finish(tail)
    assert ann.run("tail", "!audit", "--from", "1").returncode in (1, 77)


def test_somebody_who_lost_their_key_is_given_another_one(
    admin: Admin, broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    done(person("ann").run("send", "lobby", "mine"))
    elsewhere = Person(tmp_path / "elsewhere", broker.address, "ann")
    taken = elsewhere.run("rooms")
    assert taken.returncode == 1
    assert "rekey" in taken.stderr
    folder = next((tmp_path / "elsewhere").rglob("key"))
    secret = keys.secret_in(folder.read_text())
    assert secret is not None
    admin.run("rekey", "ann", zmq.curve_public(secret.encode()).decode())
    done(elsewhere.run("send", "lobby", "mine again"))
    assert [event["author"] for event in elsewhere.history()[-2:]] == [elsewhere.history()[-1]["author"]] * 2
