"""Who may connect to which socket: decided before anybody can send a request, from a snapshot of the kept state.

The loop refreshes the snapshot, as a whole, after a commit that touched what it is made of; another thread asks. What
somebody may do once they are connected is for the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chat_broker.batch import Batch
from chat_broker.meters import Buckets
from chat_broker.tables import Tables

POSTS, FEED, DOOR, ADMIN = "posts", "feed", "door", "admin"
# What a snapshot is made of.
_TABLES = frozenset(("users", "keys", "bans"))


class Verdict(NamedTuple):
    """A status of ZAP (ZeroMQ RFC 27), never 300, on which clients would hang; and why."""

    status: int
    text: str


IN = Verdict(200, "OK")
BANNED = Verdict(400, "banned")
NOT_LET_IN = Verdict(400, "not let in")
TOO_MANY = Verdict(500, "too many connections from this address: try later")
NOT_UNDERSTOOD = Verdict(500, "not understood")


@dataclass(frozen=True)
class Pass:
    """The snapshot: the keys that may hear the feed; banned keys and addresses, until when (ms; 0: for good)."""

    fed: frozenset[str] = frozenset()
    keys: Mapping[str, int] = field(default_factory=dict)
    addresses: Mapping[str, int] = field(default_factory=dict)


class Admission:
    """The policy. `refresh` belongs to the loop, `admits` to the thread that is asked."""

    def __init__(self, encrypted: bool, admin_key: str, rate: float, burst: float) -> None:
        """``rate``, ``burst``: connections of an address, a second and at once; 0: any number."""
        self._encrypted, self._admin_key = encrypted, admin_key
        self._connects = Buckets(rate, burst)
        self._pass = Pass()

    def concerned(self, batch: Batch) -> bool:
        """Did this batch change what the snapshot is made of?"""
        return any(table in _TABLES for table, _ in batch.puts)

    def refresh(self, tables: Tables, now: int) -> None:
        """Take a new snapshot; ``now`` in ms since 1970."""
        fed = frozenset(key for key, user in tables.keys.items() if tables.users[user].fed)
        keys: dict[str, int] = {}
        addresses: dict[str, int] = {}
        for ban in tables.bans.values():
            if not ban.room and (not ban.until or ban.until > now):
                _ban(keys, ban.key, ban.until)
                _ban(addresses, ban.address, ban.until)
                for key in tables.keys_of.get(ban.user, ()):
                    _ban(keys, key, ban.until)
        self._pass = Pass(fed, keys, addresses)

    def admits(self, domain: str, key: str, address: str, now: int, mono: float) -> Verdict:
        """May this key ("": none is proved) connect from this address? ``now`` in ms, ``mono`` in seconds."""
        if domain == ADMIN:
            return IN if key and key == self._admin_key else NOT_LET_IN
        if domain not in (POSTS, FEED, DOOR):
            return NOT_UNDERSTOOD
        if self._connects.take(address, mono):
            return TOO_MANY
        return IN if domain == DOOR else self._by_key(domain, key, address, now)

    def _by_key(self, domain: str, key: str, address: str, now: int) -> Verdict:
        snapshot = self._pass
        if self._encrypted and not key:
            return NOT_LET_IN
        if _is_banned(snapshot.addresses, address, now) or _is_banned(snapshot.keys, key, now):
            return BANNED
        if self._encrypted and domain == FEED and key not in snapshot.fed:
            return NOT_LET_IN
        return IN


def _ban(banned: dict[str, int], what: str, until: int) -> None:
    """Of several bans the longest holds."""
    if what:
        known = banned.get(what, until)
        banned[what] = max(known, until) if known and until else 0


def _is_banned(banned: Mapping[str, int], what: str, now: int) -> bool:
    until = banned.get(what)
    return until is not None and (not until or now < until)
