"""Starting a broker for somebody who just wants to chat: what they are told, and what is left when they go."""

import logging
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest

from chat_client import hosting
from chat_client.client import Client
from chat_client.hosting import Host, Hosted, NotHosted
from chat_client.identity import open_identity
from chat_core.address import Address, parse_address
from tests.system.inproc import PATIENCE_SECONDS, served
from tests.system.processes import LONG, quiet_ports

pytestmark = pytest.mark.real

Maker = Callable[..., Host]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    """Makes hosts whose files are in the test's folder; what they started is ended."""
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("CHAT_TIMING__BIND_RETRY_SECONDS", "0")
    made: list[Host] = []

    def one(data: str = "data") -> Host:
        made.append(Host(["--data", str(tmp_path / data), "--bind", "127.0.0.1"]))
        return made[-1]

    yield one
    for host in made:
        host.stop()
        if host._left is not None:
            kill(host._left)
    for thread in hosts():
        thread.join(PATIENCE_SECONDS)
    assert hosts() == []


@pytest.fixture
def address() -> Address:
    """An address of this machine at which nobody is."""
    return Address("127.0.0.1", quiet_ports())


def hosts() -> list[threading.Thread]:
    """The threads that are starting something."""
    return [thread for thread in threading.enumerate() if thread.name == "host"]


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process as a power switch would."""
    process.kill()
    process.wait(LONG)


def start(host: Host, address: Address) -> Hosted | NotHosted:
    """Start, and wait for the news."""
    host.start(address)
    return host.news.get(timeout=LONG)


def hosted(host: Host, address: Address) -> Hosted:
    """The same, where it works."""
    told = start(host, address)
    assert isinstance(told, Hosted), told
    return told


def not_hosted(host: Host, address: Address) -> str:
    """The same, where it does not: the sentence."""
    told = start(host, address)
    assert isinstance(told, NotHosted), told
    assert not host.running
    assert "Traceback" not in told.text
    return told.text


def answers(address: Address) -> bool:
    """Does anything take a connection there?"""
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port)) == 0


def logs(folder: Path) -> list[str]:
    """What is in the folder of logs."""
    return sorted(file.name for file in (folder / "home" / "zmq-chat" / "log").iterdir())


def soon(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE_SECONDS
    while not true() and time.monotonic() < end:
        pause.wait(0.01)
    assert true()


def test_where_nothing_answers_a_broker_is_started_and_ended(make: Maker, address: Address, tmp_path: Path) -> None:
    host = make()
    assert not host.running
    room = Address(address.host, address.port, "den")
    told = hosted(host, room)
    assert (replace(told.address, key=""), told.ours) == (room, True)
    assert parse_address(told.join) == replace(told.address, room="")
    assert host.running
    assert host.news.empty()
    with Client(told.address, open_identity(tmp_path / "ann"), "ann") as client:
        assert client.connect(PATIENCE_SECONDS).name == "ann"
    assert logs(tmp_path) == [f"broker-{address.port}.log"]
    host.stop()
    assert not host.running
    assert not answers(address)
    assert logs(tmp_path) == [f"broker-{address.port}.log"]
    host.stop()


def test_the_folder_of_logs_is_for_its_user_alone(make: Maker, address: Address, tmp_path: Path) -> None:
    hosted(make(), address)
    assert (tmp_path / "home" / "zmq-chat" / "log").stat().st_mode & 0o077 == 0


def test_where_something_answers_nothing_is_started(make: Maker, address: Address, tmp_path: Path) -> None:
    with served(tmp_path / "there", address.port) as broker:
        host = make()
        assert hosted(host, address) == Hosted(address, "", False)
        assert not host.running
        host.stop()
        assert answers(broker.address)
    with socket.create_server((address.host, address.port)):  # no broker: that is the session's to find out
        assert hosted(make(), address) == Hosted(address, "", False)
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_told_in_the_brokers_words(make: Maker, address: Address, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((address.host, address.port + 1))
        told = not_hosted(make(), address)
    assert told.startswith("The broker cannot be started: ")
    assert str(address.port + 1) in told
    assert "use" in told
    assert logs(tmp_path) == [f"broker-{address.port}.log"]


def test_data_that_another_broker_has_is_told_in_the_brokers_words(make: Maker, address: Address) -> None:
    one, two = make(), make()
    hosted(one, address)
    told = not_hosted(two, Address(address.host, quiet_ports()))
    assert told.startswith("The broker cannot be started: Another broker is using")
    assert one.running


@pytest.mark.parametrize("what", ["a file", "no database"])
def test_data_that_cannot_be_used_is_told_in_the_brokers_words(
    make: Maker, address: Address, tmp_path: Path, what: str
) -> None:
    if what == "a file":
        (tmp_path / "data").write_text("")
    else:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "chat.db").write_bytes(b"nonsense" * 1000)
    told = not_hosted(make(), address)
    assert told.startswith("The broker cannot be started: ")
    assert str(tmp_path / "data") in told
    assert not answers(address)


def test_whatever_goes_wrong_is_told(make: Maker, address: Address, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, "chat.hosting"):
        assert "No broker can be started here" in not_hosted(make("\0"), address)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a..b"])
def test_a_broker_on_another_computer_cannot_be_started(make: Maker, host: str) -> None:
    assert "is not this computer" in not_hosted(make(), Address(host))


def test_a_broker_that_is_not_installed_is_said(make: Maker, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "_BROKER", Path("nowhere") / "broker.py")
    assert "is not installed here" in not_hosted(make(), address)


def test_a_broker_that_takes_too_long_is_given_up(
    make: Maker, address: Address, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hosting, "PATIENCE_SECONDS", 0.0)
    assert "in time" in not_hosted(make(), address)
    assert not answers(address)
    assert logs(tmp_path) == [f"broker-{address.port}.log"]
    monkeypatch.undo()


def test_who_stops_while_it_starts_leaves_nothing_and_hears_nothing(
    make: Maker, address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, spawned, real = make(), threading.Event(), hosting._spawn

    def spawn(command: list[str], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
        process = real(command, errors)
        spawned.set()
        return process

    monkeypatch.setattr(hosting, "_spawn", spawn)
    for late in (False, True):
        host.start(address)
        news = host.news
        if late:
            assert spawned.wait(PATIENCE_SECONDS)
        host.stop()
        for thread in hosts():
            thread.join(PATIENCE_SECONDS)
        with pytest.raises(queue.Empty):
            news.get_nowait()
        assert not host.running
        assert not answers(address)
    assert logs(tmp_path) in ([], [f"broker-{address.port}.log"])
    # Nor is a word of the one that was given up taken for one of the next.
    host.start(address)
    host.stop()
    assert hosted(host, address).ours


def test_who_has_one_already_is_told_of_it_again(make: Maker, address: Address) -> None:
    host = make()
    told = hosted(host, address)
    assert hosted(host, Address("localhost", address.port)) == told
    again = start(host, Address(address.host, quiet_ports()))
    assert isinstance(again, NotHosted)
    assert address.text in again.text
    assert host.running


def test_a_broker_can_be_left_running(make: Maker, address: Address) -> None:
    host = make()
    hosted(host, address)
    host.leave()
    assert not host.running
    host.stop()
    assert answers(address)
    assert hosted(make(), address) == Hosted(address, "", False)


def test_ctrl_c_in_the_terminal_is_not_for_the_broker(make: Maker, address: Address) -> None:
    host = make()
    hosted(host, address)
    assert host._process is not None
    assert os.getpgid(host._process.pid) != os.getpgid(0)


def test_a_broker_that_dies_is_not_running_and_can_be_started_anew(make: Maker, address: Address) -> None:
    host = make()
    hosted(host, address)
    assert host._process is not None
    host._process.send_signal(signal.SIGKILL)
    soon(lambda: not host.running)
    assert hosted(host, address).ours
    assert host.running
