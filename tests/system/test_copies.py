"""``python broker.py backup`` and ``restore``, as somebody types them: beside a broker that serves, and without one."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chat_broker.serving.keyfiles import BROKER_KEY
from chat_broker.store import FILE
from tests.system.processes import LONG, ROOT, BrokerProcess, Person, environment, finish, next_event
from tests.system.test_process import one_sentence, run

pytestmark = pytest.mark.real

People = Callable[[str], Person]


def facts(file: Path) -> dict[str, str]:
    """Home, epoch and salt of a database."""
    with closing(sqlite3.connect(file)) as sql:
        return dict(sql.execute("SELECT name, value FROM about"))


def test_a_backup_is_made_beside_a_broker_that_serves_and_restored_when_it_does_not(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "kept")
    tail = ann.start("tail", "lobby", "--from", "1", "--json")
    events = [next_event(tail) for _ in range(3)]
    done = run(tmp_path, "backup", "b.db", "--data", "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"to {tmp_path / 'b.db'}: 3 events in 1 room as of commit " in done.stdout
    assert ann.run("send", "lobby", "lost").returncode == 0
    assert next_event(tail)["text"] == "lost"

    held = run(tmp_path, "restore", "b.db", "--data", "data")
    assert held.returncode == 69
    assert "Another broker is using" in one_sentence(held)
    broker.kill()
    done = run(tmp_path, "restore", "b.db", "--data", "data")
    assert (done.returncode, done.stderr) == (0, "")
    (aside,) = broker.data.glob("replaced-*")
    assert f"What was there before is kept in {aside}." in done.stdout
    broker.start()
    out, _ = finish(tail)
    assert f'"kind":"rewound","room":"lobby","seq":{events[-1]["seq"]}' in out.replace(" ", "")
    assert ann.history() == events
    assert ann.run("send", "lobby", "on").stdout == "4\n"
    broker.stop()
    before, now = facts(aside / FILE), facts(broker.data / FILE)
    assert (before["home"], before["salt"]) == (now["home"], now["salt"])
    assert len({before["epoch"], now["epoch"], facts(tmp_path / "b.db")["epoch"]}) == 3


def test_what_was_replaced_can_be_served_again(broker: BrokerProcess, person: People, tmp_path: Path) -> None:
    ann = person("ann")
    run(tmp_path, "backup", "b.db", "--data", "data")
    ann.run("send", "lobby", "of before")
    broker.kill()
    run(tmp_path, "restore", "b.db", "--data", "data")
    key, (broker.data,) = broker.data / BROKER_KEY, broker.data.glob("replaced-*")
    shutil.copy(key, broker.data)
    broker.start()
    assert ann.history()[-1]["text"] == "of before"


def test_a_backup_put_there_by_hand_beside_a_forgotten_log_is_served_alone(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann = person("ann")
    ann.run("send", "lobby", "kept")
    run(tmp_path, "backup", "b.db", "--data", "data")
    ann.run("send", "lobby", "--lines", given="".join(f"of before {i}\n" for i in range(40)))
    broker.kill()
    assert (broker.data / f"{FILE}-wal").stat().st_size
    os.replace(tmp_path / "b.db", broker.data / FILE)
    broker.start()
    assert [event["text"] for event in ann.history() if event["kind"] == "message"] == ["kept"]
    assert len(list(broker.data.glob(f"stale-*/{FILE}-wal"))) == 1
    assert "was not of it" in broker.log()


def test_a_name_means_a_file_in_the_working_folder_and_flags_may_stand_before_the_verb(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    config = tmp_path / "mine.toml"
    config.write_text('[broker]\ndata = "data"\n')
    assert run(tmp_path / "work", "backup", "1.db", "--config", str(config)).returncode == 0
    assert run(tmp_path / "work", "--data", str(broker.data), "backup", "2.db").returncode == 0
    assert sorted(file.name for file in (tmp_path / "work").iterdir()) == ["1.db", "2.db"]


def test_what_cannot_be_backed_up_is_said_in_a_sentence_with_its_status(broker: BrokerProcess, tmp_path: Path) -> None:
    assert run(tmp_path, "backup", "b.db", "--data", "data").returncode == 0
    before = (tmp_path / "b.db").read_bytes()
    there = run(tmp_path, "backup", "b.db", "--data", "data")
    assert (there.returncode, "--force" in one_sentence(there)) == (73, True)
    nothing = run(tmp_path, "backup", "c.db", "--data", "nowhere")
    assert (nothing.returncode, "There is no database in" in one_sentence(nothing)) == (73, True)
    assert not (tmp_path / "nowhere").exists()
    no_folder = run(tmp_path, "backup", "nowhere/c.db", "--data", "data")
    assert (no_folder.returncode, "cannot be written" in one_sentence(no_folder)) == (73, True)
    with closing(sqlite3.connect(broker.data / FILE)) as sql:
        sql.execute("PRAGMA user_version = 99")
    newer = run(tmp_path, "backup", "c.db", "--data", "data")
    assert (newer.returncode, "newer version" in one_sentence(newer)) == (78, True)
    assert (tmp_path / "b.db").read_bytes() == before
    assert not (tmp_path / "c.db").exists()


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
def test_a_disk_that_has_no_room_leaves_nothing_half_behind(broker: BrokerProcess, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "broker.py"), "backup", "b.db", "--data", "data"]

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))

    done = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), text=True, capture_output=True, timeout=LONG,
        preexec_fn=no_room,
    )  # fmt: skip
    assert done.returncode == 73
    assert "cannot be copied" in one_sentence(done)
    assert not [file for file in tmp_path.iterdir() if "b.db" in file.name]
