"""The client's side of CURVE (ZeroMQ RFC 26) on a plain socket, with the libsodium that pyzmq brings along."""

import ctypes
import ctypes.util
import functools
import os
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import zmq
from zmq.utils import z85

from benchmarks.zmtp import COMMAND, Peer, frame, greeting, ready_metadata, split

_TAG = 16  # what a box is longer than what is in it
_GREETING = greeting(b"CURVE")


@functools.cache
def _sodium() -> Any:
    """The library; a wheel of pyzmq has it beside libzmq."""
    bundled = sorted(Path(zmq.__file__).parents[1].glob("pyzmq.libs/libsodium*"))
    name = str(bundled[0]) if bundled else ctypes.util.find_library("sodium")
    assert name, "libsodium is not there: install a wheel of pyzmq, or the system's libsodium"
    library = ctypes.CDLL(name)
    assert library.sodium_init() >= 0
    return library


class Shared:
    """What two keys have in common, worked out once for all boxes between them."""

    def __init__(self, public: bytes, secret: bytes) -> None:
        self._key = ctypes.create_string_buffer(32)
        assert _sodium().crypto_box_beforenm(self._key, public, secret) == 0
        self._close, self._open = _sodium().crypto_box_easy_afternm, _sodium().crypto_box_open_easy_afternm

    def box(self, plain: bytes, nonce: bytes) -> bytes:
        """Seal."""
        sealed = ctypes.create_string_buffer(len(plain) + _TAG)
        assert self._close(sealed, plain, ctypes.c_ulonglong(len(plain)), nonce, self._key) == 0
        return sealed.raw

    def unbox(self, sealed: bytes, nonce: bytes) -> bytes:
        """Open; it must be whole and from the other side."""
        plain = ctypes.create_string_buffer(max(1, len(sealed) - _TAG))
        assert self._open(plain, sealed, ctypes.c_ulonglong(len(sealed)), nonce, self._key) == 0, "a box is broken"
        return plain.raw[: len(sealed) - _TAG]


class Key:
    """A CURVE key that is made of a name: the same one in every process."""

    def __init__(self, name: str) -> None:
        self.secret = blake2b(name.encode(), digest_size=32).digest()
        public = ctypes.create_string_buffer(32)
        assert _sodium().crypto_scalarmult_base(public, self.secret) == 0
        self.public = public.raw

    @property
    def text(self) -> str:
        """The public key in Z85."""
        encoded: bytes = z85.encode(self.public)
        return encoded.decode()


@functools.cache
def _first_contact(server: bytes) -> tuple[Key, Shared]:
    """A short-term key, and what it has in common with the broker's. Others make one for each connection; to share it
    spares this process half of its part, and the broker nothing."""
    here = Key(os.urandom(16).hex())
    return here, Shared(server, here.secret)


class CurvePeer(Peer):
    """A connection that is encrypted; what it gives and takes is as plain as that of `Peer`."""

    def __init__(self, port: int, kind: str, server: bytes, key: Key, messages: Iterable[bytes] = ()) -> None:
        """``server``: its public key, 32 bytes."""
        self._server, self._own, self._kind = server, key, kind
        self._here, self._to_server = _first_contact(server)
        self._between: Shared | None = None
        self._count = 0
        self._sealed = b""
        self._greeted = False
        super().__init__(port, kind, messages)

    def send(self, *messages: bytes) -> None:
        """Send messages of one frame each."""
        if not self.ready:
            self._unsent += messages
            return
        between = self._connected
        sealed = []
        for message in messages:
            number = self._number()
            box = between.box(b"\0" + message, b"CurveZMQMESSAGEC" + number)
            sealed.append(frame(b"\x07MESSAGE" + number + box))
        self.socket.sendall(b"".join(sealed))

    def _opening(self, _: str) -> bytes:
        number = self._number()
        signature = self._to_server.box(bytes(64), b"CurveZMQHELLO---" + number)
        hello = b"\x05HELLO\x01\x00" + bytes(72) + self._here.public + number + signature
        return _GREETING + frame(hello, COMMAND)

    def _opened(self, data: bytes) -> bytes:
        """The same messages, as they would come without encryption."""
        between = self._connected
        data = self._sealed + data
        messages, end = split(data, 0)
        self._sealed = data[end:]
        plain = []
        for message, _ in messages:
            opened = between.unbox(message[16:], b"CurveZMQMESSAGES" + message[8:16])
            assert opened[0] == 0, "a message of several frames, or a command"
            plain.append(frame(opened[1:]))
        return b"".join(plain)

    def _greet(self, data: bytes) -> bytes:
        """Go through the handshake, as far as it has come."""
        if not self._greeted:
            if len(data) < len(_GREETING):
                self._unread = data
                return b""
            data, self._greeted = data[len(_GREETING) :], True
        while len(data) >= 2 and len(data) >= (end := 2 + data[1]):
            command, data = data[2:end], data[end:]
            if command.startswith(b"\x05READY"):
                self._connected.unbox(command[14:], b"CurveZMQREADY---" + command[6:14])
                self.ready, self._unread = True, b""
                self.send(*self._unsent)
                return self._opened(data)
            assert command.startswith(b"\x07WELCOME"), f"the other side says {command[:20]!r}"
            self._initiate(command)
        self._unread = data
        return b""

    def _initiate(self, welcome: bytes) -> None:
        opened = self._to_server.unbox(welcome[24:], b"WELCOME-" + welcome[8:24])
        there, cookie = opened[:32], opened[32:]
        self._between = Shared(there, self._here.secret)
        salt = os.urandom(16)
        vouch = Shared(there, self._own.secret).box(self._here.public + self._server, b"VOUCH---" + salt)
        number = self._number()
        about = self._own.public + salt + vouch + ready_metadata(self._kind)
        box = self._between.box(about, b"CurveZMQINITIATE" + number)
        self.socket.sendall(frame(b"\x08INITIATE" + cookie + number + box, COMMAND))

    @property
    def _connected(self) -> Shared:
        assert self._between is not None
        return self._between

    def _number(self) -> bytes:
        self._count += 1
        return self._count.to_bytes(8, "big")
