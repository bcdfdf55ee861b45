"""Volatile state, never stored: who is connected, since when, how lately heard, and what the next beat has to tell."""

from dataclasses import dataclass, field

from chat_core.messages import Person, Presence
from chat_core.names import BROKER_NAME, BROKER_USER

# How routing ids of the admin's socket begin here, so that they are not those of posts.
ADMIN_PEER = b"admin:"


@dataclass(slots=True)
class Connection:
    """A connection that has said hello. ``heard`` is in seconds of the monotonic clock, ``since`` in ms since 1970."""

    user: str
    name: str
    address: str
    since: int
    heard: float
    key: str = ""  # by which it said hello: proved by CURVE, or in open mode claimed


@dataclass
class Desk:
    """Connections and presence of one broker process."""

    connections: dict[bytes, Connection] = field(default_factory=dict)
    peers_of: dict[str, set[bytes]] = field(default_factory=dict)  # user -> routing ids
    version: int = 0  # of presence
    directory: int = 0  # counts changes of the list of rooms
    touched: set[str] = field(default_factory=set)  # rooms whose head no beat has told yet
    moved: dict[str, int] = field(default_factory=dict)  # user -> commit number of the last change of memberships
    _came: dict[str, str] = field(default_factory=dict)
    _went: dict[str, str] = field(default_factory=dict)

    def connect(self, peer: bytes, connection: Connection) -> bool:
        """Enter a connection; True if its user was not here before."""
        self.disconnect(peer)
        self.connections[peer] = connection
        if connection.user == BROKER_USER:
            return False
        peers = self.peers_of.setdefault(connection.user, set())
        peers.add(peer)
        if len(peers) > 1:
            return False
        # Somebody who was away for less than a presence interval was not away.
        if self._went.pop(connection.user, None) is None:
            self._came[connection.user] = connection.name
        return True

    def seat_admin(self, peer: bytes, time: int, mono: float) -> Connection:
        """Enter a connection of the admin's socket. It is the broker's own user, who is never seen to be here."""
        connection = Connection(BROKER_USER, BROKER_NAME, "", time, mono)
        self.connect(peer, connection)
        return connection

    def disconnect(self, peer: bytes) -> Connection | None:
        """Forget a connection; returns it if it was its user's last."""
        connection = self.connections.pop(peer, None)
        if connection is None or connection.user == BROKER_USER:
            return None
        peers = self.peers_of[connection.user]
        peers.discard(peer)
        if peers:
            return None
        del self.peers_of[connection.user]
        if self._came.pop(connection.user, None) is None:
            self._went[connection.user] = connection.name
        return connection

    def reconnect(self, peer: bytes, old: Connection | None) -> None:
        """Put back who had this connection before; None: nobody."""
        self.disconnect(peer)
        if old is not None:
            self.connect(peer, old)

    def rooms_changed(self, by: int) -> None:
        """The list of rooms has changed; -1: it has not, after all."""
        self.directory += by

    def silent(self, before: float) -> list[bytes]:
        """The connections not heard from since ``before`` (monotonic seconds)."""
        return [peer for peer, connection in self.connections.items() if connection.heard < before]

    def delta(self, boot: str) -> Presence | None:
        """Who came and went since the last call, or None if nobody did."""
        if not self._came and not self._went:
            return None
        self.version += 1
        delta = Presence(self.version, boot, list(self._came.items()), list(self._went.items()))
        self._came.clear()
        self._went.clear()
        return delta

    def people(self, mono: float, only: set[str] | None = None) -> list[Person]:
        """Who is here, sorted by name; with ``only``: those of these users who are."""
        found: dict[str, Person] = {}
        for connection in self.connections.values():
            if connection.user == BROKER_USER or (only is not None and connection.user not in only):
                continue
            idle = max(0, int((mono - connection.heard) * 1000))
            person = found.get(connection.user)
            if person is None:
                found[connection.user] = Person(connection.user, connection.name, connection.since, idle)
            else:
                person.since = min(person.since, connection.since)
                person.idle = min(person.idle, idle)
        return sorted(found.values(), key=lambda person: (person.name.casefold(), person.user))
