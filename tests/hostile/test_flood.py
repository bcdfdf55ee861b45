"""Garbage on all three ports: nothing comes of it, and somebody honest hardly notices."""

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zmq

from chat_core import messages as m
from chat_core import wire
from tests.broker.table import key_of
from tests.hostile.cases import ask, hello
from tests.hostile.garbage import KINDS, PLACES, frame, handshake
from tests.hostile.peers import (
    PATIENCE_SECONDS,
    Context,
    Honest,
    Peer,
    open_files,
    resident_bytes,
    wait_until,
)
from tests.system.processes import LONG, ROOT, BrokerProcess
from tests.telling import fresh_seed, tell

CONNECTIONS = 20_000
# Measured: 8 MB at most, 7 of which stay.
GROWN_BYTES = 16_000_000
# The honest one says something so often.
PACE_SECONDS = 0.005
WARM_ROUNDS = 200


@pytest.fixture
def context() -> Iterator[Context]:
    """For the plain sockets."""
    with zmq.Context() as context:
        yield context


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker that serves."""
    process = BrokerProcess(tmp_path, "--security", "open")
    yield process.start()
    process.close()


def ports_of(broker: BrokerProcess) -> list[int]:
    """Its three ports, in the order of the places."""
    return [broker.ready[place] for place in PLACES]


# ---- somebody honest -------------------------------------------------------------------------------------------------


@dataclass
class Talker:
    """Says something at a steady pace, and measures how long it takes to be acknowledged, and to be heard."""

    context: Context
    port: int
    answered: list[float] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._peer = Peer(self.context, self.port)
        assert self._peer.ask(hello(name="talker", key=key_of("talker")))["type"] == "welcome"
        self._feed = self.context.socket(zmq.SUB)
        self._feed.setsockopt(zmq.SUBSCRIBE, wire.topic_filter(wire.ROOM_TOPIC + "lobby"))
        self._feed.connect(f"tcp://127.0.0.1:{self.port + 1}")
        self._last, self._next = self._say(), time.monotonic()
        while not self._feed.poll(50):  # until the subscription has arrived
            self._last = self._say()
        while self._hear() < self._last:
            pass

    def talk(self) -> None:
        """Say something when it is time to, and hear it: the next event after the last one."""
        self._feed.poll(max(0, int((self._next - time.monotonic()) * 1000)))
        self._next = max(self._next + PACE_SECONDS, time.monotonic())
        begun = time.perf_counter()
        seq = self._say()
        self.answered.append(time.perf_counter() - begun)
        assert seq == self._last + 1
        self._last = seq
        while self._hear() < seq:
            pass
        self.heard.append(time.perf_counter() - begun)

    def close(self) -> None:
        self._peer.close()
        self._feed.close(0)

    def _say(self) -> int:
        posted = self._peer.ask(ask("post", room="lobby", body={"text": "hi"}))
        assert posted["type"] == "posted", posted
        seq: int = posted["seq"]
        return seq

    def _hear(self) -> int:
        assert self._feed.poll(int(PATIENCE_SECONDS * 1000)), "nothing is heard"
        events: list[m.Event] = wire.decode_events(wire.split_feed(self._feed.recv())[1])
        return events[-1].seq


def in_words(seconds: Sequence[float]) -> str:
    """How long it took, in milliseconds."""
    ordered = sorted(seconds)
    p50, p99, most = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000 for part in (0.5, 0.99, 1.0))
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {most:.1f} ms of {len(ordered)}"


# ---- the flood -------------------------------------------------------------------------------------------------------


def start_flood(broker: BrokerProcess, seed: int) -> "subprocess.Popen[str]":
    """The attacker, in a process of its own."""
    command = [sys.executable, "-m", "tests.hostile.flood", *map(str, ports_of(broker))]
    command += ["--connections", str(CONNECTIONS), "--seed", str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def told_by(flood: "subprocess.Popen[str]") -> dict[str, Any]:
    """What the attacker tells at the end."""
    out, err = flood.communicate(timeout=LONG)
    assert flood.returncode == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_twenty_thousand_garbage_connections_harm_nobody(
    broker: BrokerProcess, context: Context, tmp_path: Path
) -> None:
    pid, talker = broker.ready["pid"], Talker(context, broker.port)
    for _ in range(WARM_ROUNDS):
        talker.talk()
    tell(f"alone: answered {in_words(talker.answered)}; heard {in_words(talker.heard)}")
    talker.answered.clear()
    talker.heard.clear()
    memory, files, lines, most = resident_bytes(pid), open_files(pid), len(broker.log().splitlines()), 0
    flood = start_flood(broker, fresh_seed())
    while flood.poll() is None:
        talker.talk()
        most = max(most, resident_bytes(pid) - memory)
    told = told_by(flood)
    counts = Counter(told["counts"])
    tell(f"under {CONNECTIONS} garbage connections in {told['seconds']:.0f} s: answered {in_words(talker.answered)}")
    tell(f"heard {in_words(talker.heard)}; the broker's memory grew by {most / 1e6:.1f} MB at most")
    said = broker.log().splitlines()[lines:]
    tell(
        f"{len(said)} lines were logged; half-open handshakes lasted {told['longest_silence']:.1f} s at most; {counts}"
    )
    assert sum(counts[f"{kind} to {place}"] for kind in KINDS for place in PLACES) == CONNECTIONS
    assert counts["not let in"] == 0
    assert counts["left open"] == 0
    assert most < GROWN_BYTES
    wait_until(lambda: open_files(pid) <= files, "the broker has closed the files of those who are gone")
    assert len(said) <= CONNECTIONS
    assert not [line for line in said if "Traceback" in line or "ERROR" in line]
    # All three ports still do what they are there for, also for somebody who is new.
    newcomer, knocker = Honest(tmp_path / "new", broker.address, "newcomer"), Peer(context, broker.ready["door"])
    newcomer.talk()
    assert knocker.ask(ask("who is here?"))["type"] == "broker"
    newcomer.close()
    knocker.close()
    talker.close()
    assert broker.stop() == 0


# ---- single connections ----------------------------------------------------------------------------------------------


def send_garbage(port: int, garbage: bytes) -> None:
    """Send something on a connection of its own, and wait until the broker hangs up."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as line:
        try:
            line.sendall(garbage)
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass
        except TimeoutError:
            raise AssertionError("the broker does not hang up") from None
        except OSError:
            return  # it has, before everything was read


@pytest.mark.real
@pytest.mark.parametrize("place", PLACES)
def test_two_web_browsers_at_once_leave_nothing_open(broker: BrokerProcess, place: str) -> None:
    # Each of them looks like a peer of ZMTP 1.0, and both like the same one.
    request = b"GET / HTTP/1.1\r\nHost: chat.example.org\r\nCookie: " + b"x" * 3000 + b"\r\n\r\n"
    files = open_files(broker.ready["pid"])
    with socket.create_connection(("127.0.0.1", broker.ready[place])) as first:
        first.sendall(request)
        for _ in range(5):
            send_garbage(broker.ready[place], request)
    wait_until(lambda: open_files(broker.ready["pid"]) <= files, "the broker has closed the files")


@pytest.mark.real
def test_half_a_message_is_waited_for_and_then_answered(broker: BrokerProcess, context: Context) -> None:
    whole = handshake("posts") + frame(ask("bye"))
    with socket.create_connection(("127.0.0.1", broker.port), PATIENCE_SECONDS) as line:
        line.sendall(whole[:-5])
        send_garbage(broker.port, whole[:-5])  # another one leaves it at that
        peer = Peer(context, broker.port)
        assert peer.ask(ask("bye"))["type"] == "bye"
        peer.close()
        line.sendall(whole[-5:])
        received = b""
        while b'"type":"bye"' not in received:
            received += line.recv(4096)
    assert "Traceback" not in broker.log()


@pytest.mark.real
def test_frames_that_never_end_are_not_answered_and_harm_nobody(broker: BrokerProcess, context: Context) -> None:
    files = open_files(broker.ready["pid"])
    send_garbage(broker.port, handshake("posts") + frame(ask("bye"), 1) * 1000)
    peer = Peer(context, broker.port)
    assert peer.ask(ask("bye"))["type"] == "bye"
    peer.close()
    wait_until(lambda: open_files(broker.ready["pid"]) <= files, "the broker has closed the files")
