"""The process of a broker that encrypts: what it hands out and keeps to itself, and what makes it end."""

import contextlib
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from chat_broker.serving.admin import PLACE
from chat_broker.serving.keyfiles import ADMIN_KEY, BROKER_KEY, open_keyring
from chat_core import keys, wire
from chat_core import messages as m
from chat_core.address import parse_address
from tests.hostile.peers import wait_until
from tests.system.curve import Context, Line, new_key
from tests.system.processes import ROOT, BrokerProcess, environment

pytestmark = pytest.mark.real


def admin_port(process: BrokerProcess) -> int:
    """Where the admin's socket is, as the data folder says it."""
    return int((process.data / PLACE).read_text().split()[0])


@pytest.fixture
def process(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path, "--security", "curve", "--log-level", "debug")
    yield process.start()
    process.close()


def test_what_is_handed_out_has_the_key_and_the_screen_its_fingerprint(process: BrokerProcess) -> None:
    ring = open_keyring(process.data, True)
    ready = process.ready
    assert (ready["security"], ready["key"]) == ("curve", ring.broker.public)
    assert ready["fingerprint"] == keys.fingerprint(ring.broker.public)
    address = parse_address(ready["join"])
    assert (address.key, address.port) == (ready["key"], process.port)
    assert ready["fingerprint"] in process.log()
    assert ready["join"] in process.log()
    assert "Not encrypted" not in process.log()


def test_the_door_tells_mode_and_key_to_everybody(process: BrokerProcess) -> None:
    context: Context = zmq.Context()
    door = Line(context, zmq.DEALER, process.ready["door"]).connected()
    door.send(wire.encode(m.Knock(7)))
    assert door.hears()
    answer = wire.decode(door.socket.recv(), m.Answer)
    door.close()
    context.term()
    assert (answer.re, answer.security, answer.key) == (7, "curve", process.ready["key"])
    assert (answer.posts, answer.feed) == (process.ready["posts"], process.ready["feed"])


def test_the_key_is_the_same_after_a_restart_and_the_admins_port_is_told_while_it_serves(
    process: BrokerProcess,
) -> None:
    key = process.ready["key"]
    assert admin_port(process) > 0
    assert process.stop() == 0
    assert not (process.data / PLACE).exists()
    assert process.start().ready["key"] == key


def test_open_mode_is_warned_of_at_every_start(tmp_path: Path) -> None:
    process = BrokerProcess(tmp_path, "--security", "open")
    for times in (1, 2):
        process.start()
        wait_until(lambda times=times: process.log().count('WARNING security = "open"') == times, "the warning")
        assert process.log().count("Not encrypted") == times
        process.stop()


def test_no_secret_gets_out_of_its_file(process: BrokerProcess) -> None:
    """Not into the log, the screen, the ready file, the command line or the environment; nor can others read it."""
    ring = open_keyring(process.data, True)
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        for key, port in ((new_key(), process.port), (ring.admin, admin_port(process))):
            line = Line(context, zmq.DEALER, port).locked(key, ring.broker.public).connected()
            stack.callback(line.close)
            line.send(b"\xff")
            line.receive()
            line.ask(m.Rooms(1))
    told = [process.log(), (process.folder / "ready.json").read_text(), (process.data / PLACE).read_text()]
    if sys.platform == "linux":
        told += [Path(f"/proc/{process.pid}/{name}").read_text() for name in ("cmdline", "environ")]
    process.stop()
    told.append(process.log())
    for secret in (ring.broker.secret, ring.admin.secret, ring.admin.public):
        assert not any(secret in text for text in told)
    if sys.platform != "win32":
        assert [stat.S_IMODE((process.data / name).stat().st_mode) for name in (BROKER_KEY, ADMIN_KEY)] == [0o600] * 2
        assert stat.S_IMODE(process.data.stat().st_mode) == 0o700
        loose = [file.name for file in process.data.iterdir() if file.stat().st_mode & 0o077]
        assert loose == []


@pytest.mark.parametrize("name", [BROKER_KEY, ADMIN_KEY])
def test_a_broken_key_stops_the_start_in_a_sentence(process: BrokerProcess, name: str) -> None:
    process.stop()
    (process.data / name).write_text("half a ke")
    process.spawn()
    assert process.wait() == 73
    assert f"The key in {process.data / name} is broken" in process.log()
    assert "half a ke" not in process.log()


def test_a_broker_whose_gatekeeper_dies_ends_with_status_70_and_says_so(tmp_path: Path) -> None:
    bug = (
        "import sys; from chat_broker.admission import Admission; from chat_broker.serving import process;"
        "Admission.admits = lambda *_: 1 / 0; sys.exit(process.main())"
    )
    broken = BrokerProcess(tmp_path, "--security", "curve")
    broken.program, broken.environment = ("-c", bug), environment(tmp_path, PYTHONPATH=str(ROOT))
    broken.start()
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        stack.callback(broken.close)
        line = Line(context, zmq.DEALER, broken.port).locked(new_key(), broken.ready["key"]).connected()
        stack.callback(line.close)
        line.send(m.Hello(1, name="Ann"))
        assert broken.wait() == 70
        assert "the gatekeeper has ended" in broken.log()
        assert "ZeroDivisionError" in broken.log()
        assert not line.hears(0)
    assert not (broken.data / PLACE).exists()


def test_a_lack_of_open_files_is_warned_of_said_and_ends(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    few = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 60));"
        "from chat_broker.serving import process; sys.exit(process.main())"
    )
    process = BrokerProcess(tmp_path, "--security", "curve")
    process.program, process.environment = ("-c", few), environment(tmp_path, PYTHONPATH=str(ROOT))
    process.start()
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        stack.callback(process.close)
        lines = [Line(context, zmq.DEALER, process.port).locked(new_key(), process.ready["key"]) for _ in range(60)]
        for line in lines:
            stack.callback(line.close)
        wait_until(lambda: "this process may open 60 files, enough for 0 clients" in process.log(), "the warning")
        first = lines[0].connected()
        assert first.ask(m.Hello(1, name="Ann")).name == "Ann"
        for line in lines[1:]:
            line.connected()
        wait_until(lambda: "no more files can be opened" in process.log(), "the word that there are none")
        assert first.ask(m.Ping(2)).re == 2
        for line in lines[1:]:
            line.close()
        wait_until(lambda: "files can be opened again" in process.log(), "the word that there are some")
        assert process.stop() == 0
