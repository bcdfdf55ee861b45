"""The command line of whoever runs the broker: asks the running broker, by a socket that only this machine reaches.

The socket encrypts in both security modes and lets in one key, which is in the data folder; whoever has that is the
broker itself, and so owner of the chat (chat_broker/access.py).
"""

import argparse
import contextlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import zmq

from chat_broker.serving.folder import FolderError, write_atomically
from chat_broker.serving.keyfiles import ADMIN_KEY, Keyring, open_keyring
from chat_core import messages as m
from chat_core import wire
from chat_core.address import parse_address
from chat_core.errands import Errand
from chat_core.errors import RefusedError, UnreachableError
from chat_core.names import BROKER_USER
from chat_core.verbs import VERBS, add_to, lines

# In the data folder as long as the broker serves: the socket's port, and the join string that invitations begin with.
PLACE = "admin.place"
ANSWER_MS = 10_000  # the broker may be behind a slow disk


@contextlib.contextmanager
def place_told(data: Path, port: int, join: str) -> Iterator[None]:
    """Write where the admin's socket is, as long as it is there."""
    file = data / PLACE
    try:
        write_atomically(file, f"{port}\n{join}\n")
    except OSError as problem:
        text = f"The data folder {data} cannot be written ({problem.strerror}): see to it, or give another with --data."
        raise FolderError(text) from problem
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # of a disk that is gone or read-only; the next start writes it anew
            file.unlink(missing_ok=True)


def add_verbs(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Have the parser understand what an admin may ask; returns the parsers of the verbs."""
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)
    made = []
    for verb in VERBS:
        if verb.admin:
            sub = verbs.add_parser(verb.name, help=verb.what, description=f"{verb.what[0].upper()}{verb.what[1:]}.")
            add_to(sub, verb)
            sub.add_argument("--json", action="store_true", help="one JSON object a line")
            sub.set_defaults(do=verb.do)
            made.append(sub)
    return made


def asked(flags: argparse.Namespace, data: Path) -> Iterator[str]:
    """Ask the running broker; what it says, line by line. Raises RefusedError, UnreachableError or FolderError."""
    port, join = _place(data)
    if not (data / ADMIN_KEY).exists():  # to make one would be of no use: the running broker would not know it
        raise UnreachableError(f"The admin key, {data / ADMIN_KEY}, is gone: start the broker again.")
    with _asking(port, open_keyring(data, True)) as line:
        now = time.time_ns() // 1_000_000
        errand = Errand(flags, line.ask, now, secrets.randbits, parse_address(join), BROKER_USER)
        yield from lines(flags.do(errand), flags.json)


def _place(data: Path) -> tuple[int, str]:
    try:
        port, join = (data / PLACE).read_text(encoding="utf-8").split()
        return int(port), join
    except (OSError, ValueError) as problem:
        raise UnreachableError(f"No broker serves {data}: start it, or name its folder with --data.") from problem


@contextlib.contextmanager
def _asking(port: int, keyring: Keyring) -> "Iterator[_Line]":
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.CURVE_SERVERKEY, keyring.broker.public.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keyring.admin.public.encode())
        socket.setsockopt(zmq.CURVE_SECRETKEY, keyring.admin.secret.encode())
        socket.connect(f"tcp://127.0.0.1:{port}")
        yield _Line(socket)
    finally:
        socket.close(0)
        context.term()


class _Line:
    """A connection to the running broker."""

    def __init__(self, socket: "zmq.Socket[bytes]") -> None:
        self._socket, self._number = socket, 0

    def ask(self, request: m.Request) -> m.Reply:
        """The reply to a request."""
        self._number += 1
        request.id = self._number
        self._socket.send(wire.encode(request))
        while True:
            if not self._socket.poll(ANSWER_MS):
                raise UnreachableError("The broker does not answer: was it killed, or is it another one's folder?")
            reply = wire.decode_reply(self._socket.recv())
            if isinstance(reply, m.Refused) and reply.re in (0, request.id):
                raise RefusedError(reply.code, reply.text, reply.expected, reply.verdict, reply.retry)
            if reply.re == request.id:
                return reply
