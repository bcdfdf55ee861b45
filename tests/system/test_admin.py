"""``python broker.py admin``: whoever runs the broker looks after the chat, while it runs, in both security modes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat_broker.serving.admin import PLACE
from chat_broker.serving.keyfiles import ADMIN_KEY
from chat_core.address import parse_address
from tests.system.processes import LONG, ROOT, BrokerProcess, Person, environment

pytestmark = pytest.mark.real


class Admin:
    """Whoever has the broker's data folder."""

    def __init__(self, broker: BrokerProcess) -> None:
        self.broker = broker

    def run(self, *words: str, data: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """An admin's command, until it ends."""
        command = [sys.executable, str(ROOT / "broker.py"), "admin", *words, "--data", str(data or self.broker.data)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=LONG, env=environment(self.broker.folder), check=False
        )

    def done(self, *words: str) -> str:
        """What one says that is done."""
        ended = self.run(*words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def listed(self, *words: str) -> list[dict[str, Any]]:
        """What one lists."""
        return [json.loads(line) for line in self.done(*words, "--json").splitlines()]

    def role_of(self, name: str) -> str:
        """What somebody is in the chat."""
        return next(str(one.get("role", "member")) for one in self.listed("people") if one["name"] == name)


@pytest.fixture(params=["curve", "open"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path, "--security", request.param)
    process.start()
    yield process
    process.close()


@pytest.fixture
def admin(broker: BrokerProcess) -> Admin:
    return Admin(broker)


def person(broker: BrokerProcess, name: str) -> Person:
    return Person(broker.folder, broker.ready["join"], name)


def security(broker: BrokerProcess) -> list[str]:
    """What a client has to say to join a broker of this mode."""
    return ["--security", "open"] if broker.ready["security"] == "open" else []


def test_who_runs_the_broker_makes_the_first_owner(broker: BrokerProcess, admin: Admin) -> None:
    ann = person(broker, "ann")
    assert ann.run("rooms", *security(broker)).returncode == 0
    assert ann.run("bans", *security(broker)).returncode == 77
    admin.done("role", "ann", "owner")
    assert admin.role_of("ann") == "owner"
    assert ann.run("bans", *security(broker)).returncode == 0
    assert [act["whom"] for act in admin.listed("audit") if act["act"] == "role"] == ["ann"]


def test_a_ban_takes_effect_and_ends_when_it_is_lifted(broker: BrokerProcess, admin: Admin) -> None:
    eve = person(broker, "eve")
    assert eve.run("rooms", *security(broker)).returncode == 0
    admin.done("ban", "eve", "--reason", "spam")
    (ban,) = admin.listed("bans")
    assert (ban["name"], ban["reason"]) == ("eve", "spam")
    assert eve.run("send", "lobby", "I am back", *security(broker), timeout=5).returncode != 0
    admin.done("unban", ban["id"])
    assert eve.run("rooms", *security(broker)).returncode == 0


def test_an_invitation_is_printed_as_a_join_string(broker: BrokerProcess, admin: Admin) -> None:
    address = parse_address(admin.done("invitation", "--uses", "2", "--note", "for the new ones"))
    assert (address.port, address.key) == (broker.port, broker.ready["key"])
    assert len(address.invite) == 20
    (known,) = admin.listed("invitations")
    assert (known["uses"], known["note"]) == (2, "for the new ones")
    for file in broker.data.iterdir():
        assert address.invite.encode() not in file.read_bytes()
    admin.done("revoke", known["id"])
    assert admin.listed("invitations") == []


def test_what_cannot_be_done_is_said(broker: BrokerProcess, admin: Admin) -> None:
    refused = admin.run("ban", "nobody")
    assert refused.returncode == 1
    assert "There is nobody called 'nobody' here" in refused.stderr
    assert admin.run("appoint").returncode == 2


def test_without_a_broker_it_says_so(broker: BrokerProcess, admin: Admin, tmp_path: Path) -> None:
    assert admin.run("people").returncode == 0
    broker.stop()
    assert not (broker.data / PLACE).exists()
    ended = admin.run("people")
    assert (ended.returncode, "No broker serves" in ended.stderr) == (69, True)
    assert admin.run("people", data=tmp_path / "nowhere").returncode == 69
    assert not (tmp_path / "nowhere").exists()


def test_without_its_key_it_makes_none(broker: BrokerProcess, admin: Admin) -> None:
    (broker.data / ADMIN_KEY).unlink()
    ended = admin.run("people")
    assert (ended.returncode, "start the broker again" in ended.stderr) == (69, True)
    assert not (broker.data / ADMIN_KEY).exists()
