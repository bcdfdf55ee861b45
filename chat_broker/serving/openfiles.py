"""How many files the process may open, of which each connection is one: the most that may be, and a word at the end."""

import contextlib
import errno
import logging
import os
import sys

if sys.platform != "win32":
    import resource

log = logging.getLogger("chat.broker")

# The database, the sockets that listen, libzmq's own; and two connections for each client.
OUR_FILES, CLIENT_FILES = 64, 2
# With room for fewer clients the log says how to make more.
ENOUGH_CLIENTS = 1000
# More is of no use to anybody, and "infinity" is no number.
MOST_FILES = 1_048_576
LOOK_SECONDS = 1.0


def raise_limit() -> int:
    """Allow this process as many open files as it may allow itself; returns how many, 0 where there is no limit."""
    if sys.platform == "win32":
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft == resource.RLIM_INFINITY:
        return 0
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS has a limit below the one that it names
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def say_if_few(files: int) -> None:
    """Log a warning if that many, as `raise_limit` tells, are few."""
    clients = max(0, files - OUR_FILES) // CLIENT_FILES
    if files and clients < ENOUGH_CLIENTS:
        text = "give it more (`ulimit -n 65536` before it starts, LimitNOFILE=65536 in a systemd unit)"
        log.warning("this process may open %d files, enough for %d clients: %s", files, clients, text)


class OpenFiles:
    """Finds out when there are no more: libzmq says nothing, and whoever comes then waits."""

    def __init__(self) -> None:
        self._next = 0.0
        self._out = False

    def look(self, mono: float) -> None:
        """To be called often; looks once a second."""
        if mono < self._next:
            return
        self._next = mono + LOOK_SECONDS
        out = _none_left()
        if out and not self._out:
            log.error("no more files can be opened: who is here stays, newcomers wait; raise the limit (`ulimit -n`)")
        elif self._out and not out:
            log.info("files can be opened again")
        self._out = out


def _none_left() -> bool:
    try:
        os.close(os.dup(0))
    except OSError as problem:
        return problem.errno in (errno.EMFILE, errno.ENFILE)
    return False
