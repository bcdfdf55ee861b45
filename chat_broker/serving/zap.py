"""The gatekeeper: the thread that libzmq asks about every connection before it lets it in (ZAP, ZeroMQ RFC 27)."""

import logging
import queue
import threading
import time
from collections.abc import Callable

import zmq
from zmq.utils import z85

from chat_broker.admission import NOT_UNDERSTOOD, Admission, Verdict
from chat_broker.serving.waker import Waker
from chat_core.errors import ChatError

log = logging.getLogger("chat.gate")

ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_KEY_BYTES = 32


class GateError(ChatError):
    """Nobody answers libzmq's questions any more, so that nobody can come in."""


class Gatekeeper:
    """Made, and asked to stop, by the loop's thread; its socket lives in its own. To be made before any socket that
    asks: libzmq looks for who answers at the moment of asking."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", admission: Admission, wake: Callable[[], None]
    ) -> None:
        """``wake``: called when it ends by itself."""
        self.admission = admission
        self._context, self._wake, self._waker = context, wake, Waker()
        self._stopping = self._ended = False
        started: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, args=(started,), name="gatekeeper", daemon=True)
        self._thread.start()
        if problem := started.get():
            self._thread.join()
            self._waker.close()
            raise problem

    def check(self) -> None:
        """Raises GateError if it has ended by itself."""
        if self._ended or not self._thread.is_alive():
            raise GateError("The gatekeeper has ended, without which nobody can come in: see the log, and start again.")

    def stop(self) -> None:
        """End it; from then on nobody comes in."""
        self._stopping = True
        self._waker.wake()
        self._thread.join(10)
        self._waker.close()

    # In a thread of its own.

    def _run(self, started: "queue.SimpleQueue[Exception | None]") -> None:
        try:
            with self._context.socket(zmq.REP) as socket:
                socket.setsockopt(zmq.LINGER, 0)
                try:
                    socket.bind(ENDPOINT)
                except zmq.ZMQError as problem:
                    started.put(problem)
                    return
                started.put(None)
                self._serve(socket)
        except Exception:
            log.exception("the gatekeeper has ended")
        finally:
            self._ended = True
            if not self._stopping:
                self._wake()

    def _serve(self, socket: "zmq.Socket[bytes]") -> None:
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLIN)
        poller.register(self._waker.reading, zmq.POLLIN)
        while not self._stopping:
            if socket in dict(poller.poll()):
                socket.send_multipart(reply_to(socket.recv_multipart(), self._decide))

    def _decide(self, domain: str, key: str, address: str) -> Verdict:
        verdict = self.admission.admits(domain, key, address, int(time.time() * 1000), time.monotonic())
        if verdict.status != 200:
            log.debug("! %s from %s: %d %s", domain, address, *verdict)
        return verdict


def reply_to(frames: list[bytes], decide: Callable[[str, str, str], Verdict]) -> list[bytes]:
    """The reply to a request of libzmq's; what is not understood is not let in. (No answer would be a connection that
    hangs.) The key becomes the connection's User-Id."""
    number = frames[1] if len(frames) > 1 else b""
    key = ""
    try:
        version, _, domain, address, _, mechanism, *credentials = frames
        key = _key(mechanism, credentials)
        known = version == _VERSION
        verdict = decide(domain.decode(), key, plain_address(address.decode())) if known else NOT_UNDERSTOOD
    except ValueError as problem:  # too few frames, or not such
        log.warning("a question of libzmq's was not understood: %s", problem)
        verdict = NOT_UNDERSTOOD
    user = key.encode() if verdict.status == 200 else b""
    return [_VERSION, number, str(verdict.status).encode(), verdict.text.encode(), user, b""]


def plain_address(address: str) -> str:
    """An IPv4 peer of an IPv6 socket has its own address."""
    return address.removeprefix("::ffff:")


def _key(mechanism: bytes, credentials: list[bytes]) -> str:
    """The key that a connection has proved to have, "" without encryption."""
    if mechanism == b"NULL":
        return ""
    if mechanism != b"CURVE" or len(credentials) != 1 or len(credentials[0]) != _KEY_BYTES:
        raise ValueError(f"credentials of mechanism {mechanism!r}")
    encoded: bytes = z85.encode(credentials[0])
    return encoded.decode()
