"""Waking a thread that polls, from another one or from a signal handler."""

import contextlib
import socket


class Waker:
    """A socket pair, since signal handlers and other threads may not touch zmq sockets."""

    def __init__(self) -> None:
        self.reading, self._writing = socket.socketpair()
        self.reading.setblocking(False)
        self._writing.setblocking(False)

    def wake(self) -> None:
        """Make the poll return."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it has ended
            self._writing.send(b"\0")

    def fileno(self) -> int:
        """The end to write to, for `signal.set_wakeup_fd`."""
        return self._writing.fileno()

    def clear(self) -> None:
        """Note that the thread is awake."""
        with contextlib.suppress(BlockingIOError):
            while self.reading.recv(4096):
                pass

    def close(self) -> None:
        """Release both ends."""
        self.reading.close()
        self._writing.close()
