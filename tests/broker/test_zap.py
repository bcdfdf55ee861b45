"""The gatekeeper's answers to libzmq, and that the door stays shut whatever becomes of who answers."""

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from zmq.utils import z85

from chat_broker.admission import IN, NOT_LET_IN, Admission, Verdict
from chat_broker.serving.keyfiles import Keyring, open_keyring
from chat_broker.serving.sockets import Sockets, open_sockets
from chat_broker.serving.zap import ENDPOINT, GateError, Gatekeeper, reply_to
from chat_broker.settings import LimitSettings
from chat_core.messages import Ping
from tests.system.curve import SILENCE_MS, Line, new_key

# ---- one question ----------------------------------------------------------------------------------------------

KEY = bytes(range(32))
KEY_TEXT = z85.encode(KEY).decode()
QUESTION = [b"1.0", b"7", b"posts", b"::ffff:10.0.0.1", b"id", b"CURVE", KEY]


def asked(frames: list[bytes], verdict: Verdict = IN) -> tuple[list[bytes], list[tuple[str, str, str]]]:
    """The reply, and what the policy was asked for it."""
    calls: list[tuple[str, str, str]] = []

    def decide(domain: str, key: str, address: str) -> Verdict:
        calls.append((domain, key, address))
        return verdict

    return reply_to(frames, decide), calls


def test_a_key_that_may_come_in_becomes_the_user_id() -> None:
    reply, calls = asked(QUESTION)
    assert reply == [b"1.0", b"7", b"200", b"OK", KEY_TEXT.encode(), b""]
    assert calls == [("posts", KEY_TEXT, "10.0.0.1")]


def test_a_key_that_may_not_is_no_user() -> None:
    reply, _ = asked(QUESTION, NOT_LET_IN)
    assert reply == [b"1.0", b"7", b"400", b"not let in", b"", b""]


def test_without_encryption_there_is_no_key() -> None:
    reply, calls = asked([b"1.0", b"7", b"door", b"10.0.0.1", b"", b"NULL"])
    assert reply == [b"1.0", b"7", b"200", b"OK", b"", b""]
    assert calls == [("door", "", "10.0.0.1")]


@pytest.mark.parametrize(
    ("frames", "number"),
    [
        ([], b""),
        ([b"1.0"], b""),
        (QUESTION[:5], b"7"),
        ([b"2.0", *QUESTION[1:]], b"7"),
        ([*QUESTION[:6], KEY[:31]], b"7"),
        ([*QUESTION[:6]], b"7"),
        ([*QUESTION, KEY], b"7"),
        ([*QUESTION[:5], b"PLAIN", b"ann", b"secret"], b"7"),
        ([*QUESTION[:5], b"GSSAPI", b"ann"], b"7"),
        ([b"1.0", b"7", b"\xff", *QUESTION[3:]], b"7"),
        ([*QUESTION[:3], b"\xff", *QUESTION[4:]], b"7"),
    ],
)
def test_what_is_not_understood_is_answered_and_not_let_in(frames: list[bytes], number: bytes) -> None:
    reply, _ = asked(frames)
    assert reply[:3] == [b"1.0", number, b"500"]
    assert reply[4:] == [b"", b""]


# ---- libzmq, with whoever answers ------------------------------------------------------------------------------

Context = zmq.Context["zmq.Socket[bytes]"]
Handler = Callable[["zmq.Socket[bytes]", list[bytes], threading.Event], None]
DOORS = ("posts", "feed", "door", "admin")


def answering(status: bytes, user: bytes = b"somebody") -> Handler:
    """A handler that says the same to all."""

    def handle(socket: "zmq.Socket[bytes]", frames: list[bytes], _: threading.Event) -> None:
        socket.send_multipart([b"1.0", frames[1], status, b"text", user, b""])

    return handle


def _hang(_: Any, __: Any, stop: threading.Event) -> None:
    stop.wait(60)


def _slowly(socket: "zmq.Socket[bytes]", frames: list[bytes], stop: threading.Event) -> None:
    stop.wait(SILENCE_MS / 2000)
    answering(b"400")(socket, frames, stop)


def _garbage(*frames: bytes) -> Handler:
    return lambda socket, _, __: socket.send_multipart(frames)


def _other_number(socket: "zmq.Socket[bytes]", frames: list[bytes], _: threading.Event) -> None:
    socket.send_multipart([b"1.0", frames[1] + b"1", b"200", b"OK", b"somebody", b""])


HANDLERS: dict[str, Handler | None] = {
    "absent": None,
    "hanging": _hang,
    "slow to refuse": _slowly,
    "300": answering(b"300"),
    "400": answering(b"400"),
    "500": answering(b"500"),
    "999": answering(b"999"),
    "2000": answering(b"2000"),
    "no number": answering(b"yes"),
    "no status": answering(b""),
    "nothing": _garbage(b""),
    "one word": _garbage(b"200"),
    "too few frames": _garbage(b"1.0", b"1", b"200"),
    "too many frames": _garbage(b"1.0", b"1", b"200", b"OK", b"somebody", b"", b""),
    "another version": _garbage(b"2.0", b"1", b"200", b"OK", b"somebody", b""),
    "another question": _other_number,
}


class Gate:
    """A handler in a thread of its own, where the gatekeeper would be."""

    def __init__(self, context: Context, handler: Handler) -> None:
        self._context, self._handler = context, handler
        self._stop, self._bound = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._bound.wait(10)

    def close(self) -> None:
        """End it: from then on it is dead."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        with self._context.socket(zmq.REP) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind(ENDPOINT)
            self._bound.set()
            while not self._stop.is_set():
                if socket.poll(20):
                    self._handler(socket, socket.recv_multipart(), self._stop)
                    if socket.getsockopt(zmq.EVENTS) & zmq.POLLIN == 0 and self._stop.is_set():
                        return


@pytest.fixture
def context() -> Iterator[Context]:
    found: Context = zmq.Context()
    yield found
    found.term()


@pytest.fixture(params=[True, False], ids=["curve", "open"])
def keyring(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    return open_keyring(tmp_path, request.param)


def open_on_loopback(context: Context, keyring: Keyring) -> Sockets:
    """The broker's sockets, as it opens them."""
    return open_sockets(context, "127.0.0.1", 0, LimitSettings(), 5.0, keyring)


def line_to(context: Context, sockets: Sockets, door: str, keyring: Keyring) -> Line:
    """Somebody who holds all the keys that there are, at one of the sockets."""
    ports = dict(zip(DOORS, (*sockets.ports, sockets.admin_port), strict=True))
    line = Line(context, zmq.SUB if door == "feed" else zmq.DEALER, ports[door])
    if door == "admin" or (keyring.encrypted and door != "door"):
        line.locked(keyring.admin if door == "admin" else new_key(), keyring.broker.public)
    return line.connected()


def gets_through(sockets: Sockets, door: str, line: Line, milliseconds: int) -> bool:
    """Does anything get from the one to the other within so long?"""
    if door == "feed":
        for _ in range(milliseconds // 10):
            sockets.feed.send(b"secret")
            if line.hears(10):
                return True
        return False
    line.send(Ping(1))
    found: zmq.Socket[bytes] = getattr(sockets, door)
    return bool(found.poll(milliseconds))


@pytest.mark.real
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", [*HANDLERS, "dead"])
def test_the_door_stays_shut_whatever_becomes_of_who_answers(
    name: str, door: str, context: Context, keyring: Keyring
) -> None:
    handler = HANDLERS.get(name)
    gate = Gate(context, handler or answering(b"200")) if handler or name == "dead" else None
    if name == "dead" and gate is not None:
        gate.close()
    sockets = open_on_loopback(context, keyring)
    line = line_to(context, sockets, door, keyring)
    try:
        assert not gets_through(sockets, door, line, SILENCE_MS)
    finally:
        line.close()
        if gate is not None:
            gate.close()
        sockets.close()


@pytest.mark.real
@pytest.mark.parametrize("door", DOORS)
def test_the_same_door_opens_where_the_answer_is_yes(door: str, context: Context, keyring: Keyring) -> None:
    gate = Gate(context, answering(b"200"))
    sockets = open_on_loopback(context, keyring)
    line = line_to(context, sockets, door, keyring)
    try:
        assert gets_through(sockets, door, line, 20_000)
    finally:
        line.close()
        gate.close()
        sockets.close()


@pytest.mark.real
def test_nobody_comes_in_once_who_answered_is_dead(context: Context, keyring: Keyring) -> None:
    gate = Gate(context, answering(b"200"))
    sockets = open_on_loopback(context, keyring)
    early = line_to(context, sockets, "posts", keyring)
    assert gets_through(sockets, "posts", early, 20_000)
    sockets.posts.recv_multipart()
    gate.close()
    late = line_to(context, sockets, "posts", keyring)
    try:
        assert not gets_through(sockets, "posts", late, SILENCE_MS)
    finally:
        for line in (early, late):
            line.close()
        sockets.close()


# ---- the gatekeeper itself -------------------------------------------------------------------------------------


class Broken(Admission):
    """A policy with a bug."""

    def admits(self, *_: object) -> Verdict:  # type: ignore[override]
        raise RuntimeError("a bug")


@pytest.mark.real
def test_a_gatekeeper_that_ends_by_itself_says_so_and_wakes_the_loop(
    context: Context, keyring: Keyring, caplog: pytest.LogCaptureFixture
) -> None:
    woken = threading.Event()
    gate = Gatekeeper(context, Broken(True, "", 0.0, 1), woken.set)
    gate.check()
    sockets = open_on_loopback(context, keyring)
    line = line_to(context, sockets, "posts", keyring)
    try:
        with caplog.at_level(logging.ERROR):
            assert woken.wait(20)
        assert not gets_through(sockets, "posts", line, SILENCE_MS)
        with pytest.raises(GateError):
            gate.check()
        assert "the gatekeeper has ended" in caplog.text
    finally:
        line.close()
        sockets.close()
        gate.stop()


def test_a_gatekeeper_that_is_stopped_wakes_nobody(context: Context) -> None:
    woken = threading.Event()
    gate = Gatekeeper(context, Admission(True, "", 0.0, 1), woken.set)
    gate.stop()
    assert not woken.is_set()
    assert "gatekeeper" not in [thread.name for thread in threading.enumerate()]


def test_there_is_no_second_gatekeeper(context: Context) -> None:
    gate = Gatekeeper(context, Admission(True, "", 0.0, 1), lambda: None)
    try:
        with pytest.raises(zmq.ZMQError):
            Gatekeeper(context, Admission(True, "", 0.0, 1), lambda: None)
    finally:
        gate.stop()
