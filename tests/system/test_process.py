"""Starting and stopping ``python broker.py``: what it prints, writes and refuses, and its exit statuses."""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chat_core import VERSION
from chat_core.address import Address
from chat_core.keys import fingerprint
from tests.system.processes import LONG, ROOT, BrokerProcess, environment, free_ports

pytestmark = pytest.mark.real


def run(folder: Path, *flags: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """A broker that is expected to end by itself."""
    command = [sys.executable, str(ROOT / "broker.py"), *flags]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=LONG, cwd=folder, env=environment(folder, **env)
    )


def one_sentence(done: "subprocess.CompletedProcess[str]") -> str:
    """What it said: one line, no traceback."""
    assert done.stderr.startswith("chat-broker: "), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_it_prints_how_the_lan_reaches_it_and_stops_with_status_0(broker: BrokerProcess) -> None:
    assert broker.ready == {
        "posts": broker.port,
        "feed": broker.port + 1,
        "door": broker.port + 2,
        "join": Address("127.0.0.1", broker.port, key=broker.key).join,
        "security": "curve",
        "key": broker.key,
        "fingerprint": fingerprint(broker.key),
        "pid": broker.ready["pid"],
        "version": VERSION,
    }
    assert f"-m chat_client 'chat://127.0.0.1:{broker.port}?key=" in broker.log()
    assert fingerprint(broker.key) in broker.log()
    assert "Only this machine can join" in broker.log()
    assert broker.stop() == 0
    assert "Traceback" not in broker.log()
    broker.start()
    assert broker.interrupt() == 0
    assert "Traceback" not in broker.log()


def test_port_0_takes_three_free_ports(tmp_path: Path) -> None:
    process = BrokerProcess(tmp_path)
    process.port = 0
    ready = process.start().ready
    process.close()
    assert len({ready["posts"], ready["feed"], ready["door"]}) == 3
    assert all(port > 1023 for port in (ready["posts"], ready["feed"], ready["door"]))


def test_a_port_in_use_is_said_with_status_69(tmp_path: Path) -> None:
    port = free_ports()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        done = run(
            tmp_path, "--port", str(port), "--bind", "127.0.0.1", "--data", "d", CHAT_TIMING__BIND_RETRY_SECONDS="0"
        )
    assert done.returncode == 69
    assert f"Port {port + 1} is in use" in one_sentence(done)


def test_a_second_broker_on_the_same_data_is_refused_with_status_69(broker: BrokerProcess, tmp_path: Path) -> None:
    done = run(tmp_path, "--port", "0", "--data", str(broker.data))
    assert done.returncode == 69
    assert "Another broker is using" in one_sentence(done)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[listen\nport = 1", "line 1"),
        ("[listen]\n\nprot = 5555\n", "line 3: there is no setting 'listen.prot'; did you mean 'listen.port'?"),
        ("[lisen]\nport = 5555\n", "line 1: there is no setting 'lisen'; did you mean 'listen'?"),
        ("[listen]\nport = 'x'\n", "line 2: listen.port is not right"),
        ("[listen]\nport = 70000\n", "line 2: listen.port is not right"),
        ("[broker]\nsecurity = 'none'\n", "line 2: broker.security is not right"),
    ],
)
def test_a_broken_setting_is_said_with_its_line_and_status_78(tmp_path: Path, text: str, wanted: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    done = run(tmp_path, "--config", str(file), "--data", str(tmp_path / "d"))
    assert done.returncode == 78
    assert wanted in one_sentence(done)


def test_a_settings_file_that_is_not_there_is_said_with_status_78(tmp_path: Path) -> None:
    done = run(tmp_path, "--config", "nowhere.toml")
    assert done.returncode == 78
    assert "nowhere.toml cannot be read" in one_sentence(done)


def test_an_address_that_is_not_of_this_machine_is_said_with_status_78(tmp_path: Path) -> None:
    done = run(tmp_path, "--bind", "203.0.113.7", "--port", "0", "--data", "d")
    assert done.returncode == 78
    assert "--bind" in one_sentence(done)


def test_a_data_folder_that_cannot_be_made_is_said_with_status_73(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(tmp_path, "--port", "0", "--data", str(tmp_path / "file" / "data"))
    assert done.returncode == 73
    assert "--data" in one_sentence(done)


@pytest.mark.parametrize("room", [0, 20_000, 40_000])  # for a file, the log of its changes, and the first event in it
def test_a_disk_without_room_for_the_beginning_is_said_with_status_73(tmp_path: Path, room: int) -> None:
    pytest.importorskip("resource")
    code = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2);"
        "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
    )
    command = [sys.executable, "-c", code, str(room), str(ROOT / "broker.py"), "--port", "0", "--data", "d"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONG, cwd=tmp_path, env=environment(tmp_path)
    )
    assert done.returncode == 73
    sentence = one_sentence(done)
    assert str(tmp_path / "d" / "chat.db") in sentence
    assert "is the disk full? Make room" in sentence


def test_a_database_of_a_newer_version_is_left_alone_with_status_78(broker: BrokerProcess, tmp_path: Path) -> None:
    broker.stop()
    with sqlite3.connect(broker.data / "chat.db") as sql:
        sql.execute("PRAGMA user_version = 99")
    sql.close()
    done = run(tmp_path, "--port", "0", "--data", str(broker.data))
    assert done.returncode == 78
    assert "newer version" in one_sentence(done)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with sqlite3.connect(tmp_path / "d" / "chat.db") as sql:
        sql.execute("CREATE TABLE mine (x)")
    sql.close()
    done = run(tmp_path, "--port", "0", "--data", "d")
    assert done.returncode == 73
    assert "not a database of this program" in one_sentence(done)


def test_missing_dependencies_are_said_with_status_1(tmp_path: Path) -> None:
    command = [sys.executable, "-S", str(ROOT / "broker.py")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONG, cwd=tmp_path, env=environment(tmp_path)
    )
    assert done.returncode == 1
    assert "pip install" in one_sentence(done)


def test_the_version_is_told(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"zmq-chat {VERSION}\n"


def test_flags_beat_the_environment_and_that_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[broker]\nname = "from the file"\n[log]\nlevel = "error"\n')
    process = BrokerProcess(tmp_path, "--config", str(file), "--log-level", "info")
    os.environ["CHAT_BROKER__NAME"] = "from the environment"
    try:
        process.start()
    finally:
        del os.environ["CHAT_BROKER__NAME"]
    process.stop()
    assert "from the environment is open" in process.log()
    assert "INFO" in process.log()


def test_the_log_can_be_one_json_object_a_line(tmp_path: Path) -> None:
    process = BrokerProcess(tmp_path, "--log-json").start()
    process.stop()
    entries = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    assert [entry["message"] for entry in entries][-1] == "stopped"
    assert {"time", "level", "logger", "message"} <= set(entries[0])


@pytest.mark.skipif(os.name != "posix", reason="files have modes on POSIX only")
def test_the_data_folder_is_for_its_owner_only(broker: BrokerProcess) -> None:
    assert stat.S_IMODE(broker.data.stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_with_status_0_while_it_is_still_starting(tmp_path: Path, number: signal.Signals) -> None:
    port = free_ports()
    ready = tmp_path / "ready.json"
    ready.write_text("of an earlier start")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        command = [sys.executable, str(ROOT / "broker.py"), "--port", str(port), "--bind", "127.0.0.1", "--data", "d"]
        env = environment(tmp_path, CHAT_TIMING__BIND_RETRY_SECONDS="60")
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready)], cwd=tmp_path, env=env, stderr=subprocess.PIPE
        )
        while ready.exists():  # it is removed before the ports are tried
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (0, b"")


def test_a_ready_file_that_cannot_be_written_is_said_with_status_73(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = run(tmp_path, "--port", "0", "--data", "d", "--ready-file", str(tmp_path / "file" / "ready"))
    assert done.returncode == 73
    assert "--ready-file" in one_sentence(done)
