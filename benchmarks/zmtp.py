"""Just enough ZMTP 3 to be a client on a plain socket: a thousand clients of libzmq would cost more than the broker."""

import socket
import struct
from collections.abc import Iterable

_READ_BYTES = 256 * 1024
# A connection that says nothing for so long fails the benchmark. (Python's own timeout would cost a call each time.)
_PATIENCE = struct.pack("ll", 20, 0)
_LONG, COMMAND = 2, 4


def greeting(mechanism: bytes) -> bytes:
    """How a connection begins: version 3.0, not a server."""
    return b"\xff" + bytes(8) + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + bytes(32)


_GREETING = greeting(b"NULL")


def ready_metadata(kind: str) -> bytes:
    """What one says of oneself: the kind of the socket."""
    return b"\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind.encode()


def frame(message: bytes, flags: int = 0) -> bytes:
    """A message of one frame as it goes over the wire, or a command."""
    size = len(message)
    return (bytes((flags, size)) if size < 256 else bytes((flags | _LONG,)) + size.to_bytes(8, "big")) + message


def split(data: bytes | bytearray, at: int) -> tuple[list[tuple[bytes, int]], int]:
    """The whole messages from a place on, each with its end, and the end of the last. Commands are passed over."""
    found, size = [], len(data)
    while size - at >= 2:
        flags = data[at]
        if flags & _LONG:
            begin = at + 9
            end = begin + int.from_bytes(data[at + 1 : begin], "big") if size >= begin else size + 1
        else:
            begin = at + 2
            end = begin + data[at + 1]
        if end > size:
            break
        if not flags & COMMAND:
            found.append((bytes(data[begin:end]), end))
        at = end
    return found, at


class Peer:
    """One connection, as a DEALER or SUB would have it. Reading waits if nothing is there: poll its socket before."""

    def __init__(self, port: int, kind: str, messages: Iterable[bytes] = ()) -> None:
        """``messages`` are sent when the other side is ready, as those of `send` are."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PATIENCE)
        self.ready = False
        self._unread = b""
        self._unsent = list(messages)
        self.socket.sendall(self._opening(kind))

    def opened(self) -> "Peer":
        """Wait until the other side is ready."""
        while not self.ready:
            self._receive()
        return self

    def fileno(self) -> int:
        """For epoll."""
        return self.socket.fileno()

    def send(self, *messages: bytes) -> None:
        """Send messages of one frame each."""
        if self.ready:
            self.socket.sendall(b"".join(map(frame, messages)))
        else:
            self._unsent += messages

    def subscribe(self, topic: bytes, on: bool = True) -> None:
        """As SUB does it."""
        self.send((b"\x01" if on else b"\x00") + topic)

    def read(self) -> bytes:
        """Bytes as they come, what `receive` has left over first."""
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        data = self.socket.recv(_READ_BYTES)
        assert data, "the other side has cut the connection"
        return self._opened(data)

    def receive(self) -> list[bytes]:
        """The messages that have come in."""
        return [message for message, _ in self._receive()]

    def seek(self, beginning: bytes) -> bool:
        """Pass over the messages that have come in, up to one that begins so, and leave what is behind it unread."""
        found = self._receive()
        for place, (message, _) in enumerate(found):
            if message.startswith(beginning):
                self._unread = b"".join(frame(later) for later, _ in found[place + 1 :]) + self._unread
                return True
        return False

    def _receive(self) -> list[tuple[bytes, int]]:
        data = self.socket.recv(_READ_BYTES)
        assert data, "the other side has cut the connection"
        if self.ready:
            data = self._unread + self._opened(data)
        elif not (data := self._greet(self._unread + data)):
            return []
        found, end = split(data, 0)
        self._unread = data[end:]
        return found

    def _opening(self, kind: str) -> bytes:
        return _GREETING + frame(b"\x05READY" + ready_metadata(kind), COMMAND)

    def _opened(self, data: bytes) -> bytes:
        """What has come in, as frames that are not encrypted."""
        return data

    def _greet(self, data: bytes) -> bytes:
        """Pass over greeting and READY. libzmq cuts the connection if messages come before it has sent its READY."""
        start = len(_GREETING)
        if len(data) < start + 2 or len(data) < start + 2 + data[start + 1]:
            self._unread = data
            return b""
        self.ready, self._unread = True, b""
        self.send(*self._unsent)
        return data[start + 2 + data[start + 1] :]

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
