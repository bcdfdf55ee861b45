"""The link under CURVE: what a refused connection tells the session, and where the secret key goes."""

import logging
import queue
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from chat_client import effects
from chat_client import session as s
from chat_client.identity import KEY_FILE, Identity, open_identity
from chat_client.link import Link
from chat_core.address import Address
from tests.system.inproc import PATIENCE_SECONDS

pytestmark = pytest.mark.real

PUBLIC, SECRET = (key.decode() for key in zmq.curve_keypair())


class Gate:
    """A ROUTER that encrypts, and a ZAP handler that answers every connection with one status."""

    def __init__(self, status: str) -> None:
        self.status, self.asked = status, 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._zap = self._context.socket(zmq.REP)
        self._zap.bind("inproc://zeromq.zap.01")
        self._posts = self._context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.CURVE_SERVER, 1),
            (zmq.CURVE_SECRETKEY, SECRET.encode()),
            (zmq.ZAP_DOMAIN, b"posts"),
            (zmq.ZAP_ENFORCE_DOMAIN, 1),
        ):
            self._posts.setsockopt(option, value)
        self.port = self._posts.bind_to_random_port("tcp://127.0.0.1")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        self._context.destroy(0)

    def _answer(self) -> None:
        while not self._stop.is_set():
            if self._zap.poll(20):
                version, number, *_ = self._zap.recv_multipart()
                self.asked += 1
                self._zap.send_multipart([version, number, self.status.encode(), b"", b"", b""])


class Caller:
    """A session and its link at a port, with what they deliver."""

    def __init__(self, port: int, identity: Identity) -> None:
        self.news: queue.SimpleQueue[effects.Effect] = queue.SimpleQueue()
        self.session = s.Session(identity.public, "ann", dice=random.Random(1), pin=PUBLIC, where="there")
        self.link = Link(self.session, Address("127.0.0.1", port), self.news.put, identity=identity)
        self.link.call(lambda session, now: session.start(now))
        self.link.start()

    def trouble(self) -> effects.Trouble:
        """The next one that it tells."""
        while not isinstance(news := self.news.get(timeout=PATIENCE_SECONDS), effects.Trouble):
            pass
        return news


@pytest.fixture
def gate() -> Iterator[Callable[[str], Gate]]:
    """Makes gates."""
    gates: list[Gate] = []

    def make(status: str) -> Gate:
        gates.append(Gate(status))
        return gates[-1]

    yield make
    for one in gates:
        one.close()


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Callable[[int], Caller]]:
    """Makes callers."""
    callers: list[Caller] = []

    def make(port: int) -> Caller:
        callers.append(Caller(port, open_identity(tmp_path)))
        return callers[-1]

    yield make
    for one in callers:
        one.link.stop()


@pytest.mark.parametrize(("status", "code"), [("400", "banned"), ("500", "crowded")])
def test_a_refusal_is_told_by_its_status(
    gate: Callable[[str], Gate], call: Callable[[int], Caller], status: str, code: str
) -> None:
    caller = call(gate(status).port)
    assert caller.trouble().code == code


def test_a_secret_key_that_is_gone_is_said_and_used_when_it_is_back(
    gate: Callable[[str], Gate], call: Callable[[int], Caller], tmp_path: Path
) -> None:
    there, pause, key = gate("500"), threading.Event(), tmp_path / KEY_FILE
    caller = call(there.port)
    assert caller.trouble().code == "crowded"
    key.rename(tmp_path / "aside")
    assert caller.trouble().code == "identity"
    asked = there.asked
    (tmp_path / "aside").rename(key)
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if there.asked > asked:
            break
        pause.wait(0.02)
    assert there.asked > asked


def test_the_secret_key_is_in_no_log_and_no_state(
    gate: Callable[[str], Gate], call: Callable[[int], Caller], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caller = call(gate("400").port)
    caller.trouble()
    secret = open_identity(tmp_path).secret()
    assert "posts opens" in caplog.text
    kept = [vars(thing) for thing in (caller.link, caller.session, caller.session.meeting, caller.link._identity)]
    assert secret not in caplog.text + repr(kept)
