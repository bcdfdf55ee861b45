"""Warnings that a peer can bring about: one for each connection, and few a minute whatever the connections are."""

import logging
from collections import OrderedDict

from chat_broker.meters import Buckets

log = logging.getLogger("chat.broker")

# Connections that are remembered as having been complained of.
KNOWN = 1000
LINES_A_SECOND, LINES_AT_ONCE = 0.1, 10


class Complaints:
    """Who was complained of, and what was left unsaid."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._lines = Buckets(LINES_A_SECOND, LINES_AT_ONCE)
        self._unsaid = 0

    def about(self, peer: bytes, who: str, what: str, mono: float) -> None:
        """Log that a connection does what no client does, unless that was said, or enough was."""
        if peer in self._known:
            return
        self._known[peer] = None
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        if self._lines.take("", mono):
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more did things like that since the last such line)" if self._unsaid else ""
        self._unsaid = 0
        log.warning("%s %s%s", who, what, more)
