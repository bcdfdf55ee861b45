"""First contact at the command line: a broker by its join string, by its door, by what is known; and who is refused."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_client.pins import PINS_FILE
from chat_core.address import parse_address
from chat_core.keys import fingerprint
from tests.system.processes import LONG, ROOT, BrokerProcess, Person, environment

pytestmark = pytest.mark.real

People = Callable[[str], Person]
OTHER = fingerprint("o" * 40)


@pytest.fixture
def ann(broker: BrokerProcess, person: People) -> Person:
    """Somebody who was told an address and nothing else."""
    return at(broker, person("ann"))


def at(broker: BrokerProcess, someone: Person) -> Person:
    """The same person with the bare address."""
    someone.address = f"127.0.0.1:{broker.port}"
    return someone


def known(folder: Path) -> list[str]:
    """The lines of every identity's file of known brokers."""
    lines = [line for file in folder.rglob(PINS_FILE) for line in file.read_text().splitlines()]
    return [line for line in lines if not line.startswith("#")]


def test_a_join_string_is_all_that_is_needed_and_later_the_address(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann = person("ann")
    assert ann.run("send", "lobby", "hello").returncode == 0
    assert known(tmp_path) == [f"127.0.0.1:{broker.port} {broker.key}"]
    assert at(broker, ann).run("send", "lobby", "hello").returncode == 0


def test_without_a_terminal_the_fingerprint_is_shown_and_nothing_is_said(
    broker: BrokerProcess, ann: Person, tmp_path: Path
) -> None:
    for words in (["rooms"], ["send", "lobby", "hello"], ["tail", "lobby"]):
        done = ann.run(*words, given="")
        assert done.returncode == 78
        assert f"--accept-key {fingerprint(broker.key)}" in done.stderr
        assert "Traceback" not in done.stderr
    assert known(tmp_path) == []
    assert ann.run("outbox").stdout == ""


def test_the_fingerprint_on_the_command_line_or_in_the_environment_is_enough(
    broker: BrokerProcess, ann: Person, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = fingerprint(broker.key)
    assert ann.run("rooms", "--accept-key", shown.upper().replace("-", "")).returncode == 0
    assert ann.run("rooms").returncode == 0  # once is enough
    bob = at(broker, person("bob"))
    plain = bob.environment()
    monkeypatch.setattr(bob, "environment", lambda: plain | {"CHAT_ACCEPT_KEY": shown})
    assert bob.run("rooms").returncode == 0


def test_another_fingerprint_is_refused(broker: BrokerProcess, ann: Person, tmp_path: Path) -> None:
    done = ann.run("rooms", "--accept-key", OTHER)
    assert done.returncode == 78
    assert fingerprint(broker.key) in done.stderr
    assert OTHER in done.stderr
    assert known(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="a terminal is POSIX's here")
@pytest.mark.parametrize(("says", "status"), [("y\n", 0), ("n\n", 78), ("\n", 78)])
def test_at_a_terminal_somebody_is_asked(
    broker: BrokerProcess, ann: Person, tmp_path: Path, says: str, status: int
) -> None:
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        ann.command("rooms"), stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, env=ann.environment()
    )
    os.close(terminal)
    shown = b""
    while b"[y/N]" not in shown:
        assert select.select([keyboard], [], [], LONG)[0], f"nothing is asked: {shown!r}"
        shown += os.read(keyboard, 4096)
    os.write(keyboard, says.encode())
    out, _ = process.communicate(timeout=LONG)
    os.close(keyboard)
    assert fingerprint(broker.key).encode() in shown
    assert process.returncode == status
    assert (b"lobby" in out) == (status == 0)
    assert bool(known(tmp_path)) == (status == 0)


def test_a_key_that_changed_is_refused_until_the_old_one_is_forgotten(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann = person("ann")
    assert ann.run("rooms").returncode == 0
    broker.stop()
    (broker.data / "broker.key").unlink()
    broker.start()
    at(broker, ann)
    forget = f"forget {ann.address}"
    done = ann.run("rooms")
    assert (done.returncode, forget in done.stderr) == (78, True)
    assert fingerprint(broker.key) in done.stderr
    ann.address = broker.address  # the new join string does not help by itself
    done = ann.run("rooms")
    assert (done.returncode, forget in done.stderr) == (78, True)
    unkept = ann.run("send", "lobby", "for whom?")
    assert (unkept.returncode, "Nothing of this was kept" in unkept.stderr) == (78, True)
    at(broker, ann)
    for words in (["send", "lobby", "kept"], ["send", "--flush"]):
        kept = ann.run(*words)
        assert kept.returncode == 78
        assert "is not the one it had, or" in kept.stderr
        assert "1 message is kept in the outbox" in kept.stderr
    assert ann.run("forget", ann.address).returncode == 0
    assert ann.run("forget", ann.address).returncode == 1
    assert ann.run("rooms").returncode == 78
    assert ann.run("rooms", "--accept-key", fingerprint(broker.key)).returncode == 0
    assert ann.run("send", "--flush").returncode == 0
    assert known(tmp_path) == [f"{ann.address} {broker.key}"]


def test_open_mode_is_a_choice_and_never_a_fall_back(broker: BrokerProcess, person: People, tmp_path: Path) -> None:
    ann, bob = person("ann"), person("bob")
    assert ann.run("rooms").returncode == 0
    broker.stop()
    broker.flags = ("--security", "open")
    broker.start()
    for one in (ann, bob):
        at(broker, one)
    refused = ann.run("rooms", "--security", "open")
    assert refused.returncode == 78
    assert "does not any more" in refused.stderr
    assert bob.run("rooms").returncode == 78
    assert bob.run("rooms", "--security", "open").returncode == 0
    assert bob.run("rooms").returncode == 0
    assert f"{bob.address} open" in known(tmp_path)
    broker.stop()
    broker.flags = ()
    broker.start()
    assert ann.run("rooms").returncode == 0
    refused = bob.run("rooms")
    assert refused.returncode == 78
    assert "encrypts now" in refused.stderr
    bob.address = broker.address  # whoever has a key for it has it from its owner
    assert bob.run("rooms").returncode == 0
    assert known(tmp_path).count(f"{parse_address(bob.address).text} {broker.key}") == 2


def test_one_is_the_same_user_before_and_after_the_switch(broker: BrokerProcess, person: People) -> None:
    broker.stop()
    broker.flags = ("--security", "open")
    broker.start()
    ann = person("ann")
    ann.address = f"127.0.0.1:{broker.port}"
    assert ann.run("send", "lobby", "in the open", "--security", "open").returncode == 0
    broker.stop()
    broker.flags = ()
    ann.address = broker.start().address
    assert ann.run("send", "lobby", "encrypted").returncode == 0
    said = [event for event in ann.history() if event["kind"] == "message"]
    assert [event["text"] for event in said] == ["in the open", "encrypted"]
    assert len({event["author"] for event in said}) == 1


def test_a_key_goes_to_another_machine(broker: BrokerProcess, person: People, tmp_path: Path) -> None:
    ann = person("ann")
    assert ann.run("send", "lobby", "from here").returncode == 0
    file = tmp_path / "copy of the key"
    assert ann.run("key", "export", str(file)).returncode == 0
    assert file.stat().st_mode & 0o077 == 0 or os.name != "posix"
    secret = file.read_text().split()[-1]
    mine = ann.run("key", "show", "--json")
    assert secret not in mine.stdout
    elsewhere = Person(tmp_path / "elsewhere", broker.address, "ann")
    elsewhere.folder.mkdir()
    assert elsewhere.run("rooms").returncode == 1  # a stranger with that name
    imported = elsewhere.run("key", "import", str(file))  # whose key nobody knows
    assert (imported.returncode, "used with --name ann" in imported.stdout) == (0, True)
    assert elsewhere.run("send", "lobby", "from there").returncode == 0
    assert len({event["author"] for event in ann.history() if event["kind"] == "message"}) == 1
    assert ann.run("key", "export", str(file)).returncode == 78  # not over what is there
    bob = Person(elsewhere.folder, broker.address, "bob")
    assert bob.run("rooms").returncode == 0
    refused = bob.run("key", "import", str(file))
    assert (refused.returncode, "--force" in refused.stderr) == (78, True)
    assert bob.run("key", "import", str(file), "--force").returncode == 0


def test_a_key_under_another_name_than_its_own_is_said_to_be(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann, file = person("ann"), str(tmp_path / "copy")
    assert ann.run("key", "export", file).returncode == 0
    assert ann.run("rooms").returncode == 0
    elsewhere = Person(tmp_path / "elsewhere", broker.address, "ann")
    bare = [sys.executable, "-m", "chat_client", "key", "import", file]
    done = subprocess.run(bare, capture_output=True, text=True, env=elsewhere.environment(), timeout=LONG)
    assert "it is used without --name" in done.stdout
    taken = elsewhere.run("rooms")
    assert (taken.returncode, "`key import FILE --name ann`" in taken.stderr) == (1, True)
    zoe = Person(elsewhere.folder, broker.address, "zoe")
    assert zoe.run("key", "import", file).returncode == 0
    differs = zoe.run("rooms")
    assert (differs.returncode, "is known here as ann" in differs.stderr) == (1, True)
    folder = json.loads(zoe.run("key", "show", "--json").stdout)["folder"]
    assert folder in differs.stderr
    named = [sys.executable, "-m", "chat_client", "rooms", "--broker", broker.address, "--identity", folder]
    assert subprocess.run(named, capture_output=True, env=zoe.environment(), timeout=LONG).returncode == 0


def invitation_of(broker: BrokerProcess) -> str:
    """A join string with an invitation, made by whoever runs the broker."""
    words = [sys.executable, str(ROOT / "broker.py"), "admin", "invitation", "--data", str(broker.data)]
    made = subprocess.run(words, capture_output=True, text=True, timeout=LONG, env=environment(broker.folder))
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_no_secret_is_in_what_a_client_prints_or_logs(broker: BrokerProcess, person: People, tmp_path: Path) -> None:
    script = (
        "import logging, sys; logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)\n"
        "from chat_client.cli import main; sys.exit(main())"
    )
    ann = person("ann")
    invited = invitation_of(broker)
    words = ["send", "--broker", invited, "--name", "ann", "lobby", "a word between us"]
    python = ann.command("rooms")[0]
    done = subprocess.run(
        [python, "-c", script, *words], capture_output=True, text=True, timeout=LONG, env=ann.environment()
    )
    assert done.returncode == 0, done.stderr
    assert "opens tcp://" in done.stderr  # it does log
    (key,) = (file for file in tmp_path.rglob("key") if file.is_file())
    for secret in (key.read_text().split()[-1], parse_address(invited).invite, "a word between us"):
        assert secret not in done.stdout + done.stderr
