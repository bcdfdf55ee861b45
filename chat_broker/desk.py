"""Volatile state, never stored: who is connected, since when, how lately heard, and what the next beat has to tell."""

from collections import Counter
from dataclasses import dataclass, field

from chat_broker.meters import Buckets, Meter, Meters
from chat_core.messages import Person, Presence
from chat_core.names import BROKER_NAME, BROKER_USER

# How routing ids of the admin's socket begin here, so that they are not those of posts.
ADMIN_PEER = b"admin:"

# The address of who talks to a broker in the same process.
HERE = "this process"
# So many connections that were shut out are remembered; the oldest are told again that they have to say hello.
SHUT_MOST = 10_000
# Keys that a user may take away from themselves: the feed is bound anew each time, and everybody has to reconnect.
KEYS_LOST_A_SECOND, KEYS_LOST_AT_ONCE = 1 / 60, 10


@dataclass(slots=True)
class Connection:
    """A connection that has said hello. ``heard`` is in seconds of the monotonic clock, ``since`` in ms since 1970."""

    user: str
    name: str
    address: str
    since: int
    heard: float
    key: str = ""  # by which it said hello: proved by CURVE, or in open mode claimed


@dataclass(frozen=True)
class Code:
    """A one-time code of a user, good until then (monotonic seconds); the key that was linked by it."""

    user: str
    until: float
    key: str = ""


@dataclass(frozen=True)
class Place:
    """Where a connection stands: let in, waiting, shut out, or nowhere."""

    let_in: Connection | None
    waits: Connection | None
    shut: bool


@dataclass
class Desk:
    """Connections and presence of one broker process."""

    connections: dict[bytes, Connection] = field(default_factory=dict)
    peers_of: dict[str, set[bytes]] = field(default_factory=dict)  # user -> routing ids
    waiting: dict[bytes, Connection] = field(default_factory=dict)  # of users whom nobody has let in yet
    shut: dict[bytes, None] = field(default_factory=dict)  # of whom nothing is answered but a hello, oldest first
    from_address: Counter[str] = field(default_factory=Counter)  # connections, those who wait too
    codes: dict[str, Code] = field(default_factory=dict)  # digest -> whose machine one becomes by it
    wrong: dict[str, tuple[int, float]] = field(default_factory=dict)  # address -> wrong codes, forgotten then
    version: int = 0  # of presence
    directory: int = 0  # counts changes of the list of rooms
    touched: set[str] = field(default_factory=set)  # rooms whose head no beat has told yet
    moved: dict[str, int] = field(default_factory=dict)  # user -> commit number of the last change of memberships
    changed: dict[str, int] = field(default_factory=dict)  # room -> commit number of its last event
    posted: dict[str, int] = field(default_factory=dict)  # "room user" -> when they last posted in slow mode (mono, ms)
    of_users: Meters[tuple[Meter, Meter]] = field(default_factory=Meters)  # posts and bytes of each
    of_addresses: Meters[tuple[Meter]] = field(default_factory=Meters)  # posts
    keys_lost: Buckets = field(default_factory=lambda: Buckets(KEYS_LOST_A_SECOND, KEYS_LOST_AT_ONCE))  # by user
    _came: dict[str, str] = field(default_factory=dict)
    _went: dict[str, str] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)  # user -> the name that was told of them
    _shown: set[str] = field(default_factory=set)  # of whom somebody was told, after the last delta, if they are here

    def connect(self, peer: bytes, connection: Connection) -> bool:
        """Enter a connection; True if its user was not here before."""
        self.disconnect(peer)
        self.shut.pop(peer, None)
        self.connections[peer] = connection
        if connection.user == BROKER_USER:
            return False
        self.from_address[connection.address] += 1
        peers = self.peers_of.setdefault(connection.user, set())
        peers.add(peer)
        if len(peers) > 1:
            return False
        # Somebody who was away for less than a presence interval was not away, unless somebody saw it.
        if self._went.pop(connection.user, None) is None or connection.user in self._shown:
            self._came[connection.user] = connection.name
        return True

    def seat_admin(self, peer: bytes, time: int, mono: float) -> Connection:
        """Enter a connection of the admin's socket. It is the broker's own user, who is never seen to be here."""
        connection = Connection(BROKER_USER, BROKER_NAME, "", time, mono)
        self.connect(peer, connection)
        return connection

    def wait(self, peer: bytes, connection: Connection) -> None:
        """Enter a connection of somebody who has not been let in: nobody sees them."""
        self.disconnect(peer)
        self.shut.pop(peer, None)
        self.waiting[peer] = connection
        self.from_address[connection.address] += 1

    def shut_out(self, peer: bytes) -> None:
        """Forget a connection, and answer nothing more but a hello."""
        self.disconnect(peer)
        self.shut[peer] = None
        if len(self.shut) > SHUT_MOST:
            del self.shut[next(iter(self.shut))]

    def disconnect(self, peer: bytes) -> Connection | None:
        """Forget a connection; returns it if it was its user's last."""
        waited, connection = self.waiting.pop(peer, None), self.connections.pop(peer, None)
        self._left(waited or connection)
        if connection is None or connection.user == BROKER_USER:
            return None
        peers = self.peers_of[connection.user]
        peers.discard(peer)
        if peers:
            return None
        del self.peers_of[connection.user]
        if self._came.pop(connection.user, None) is None or connection.user in self._shown:
            self._went[connection.user] = connection.name
        return connection

    def _left(self, connection: Connection | None) -> None:
        if connection is not None and connection.user != BROKER_USER:  # who was not counted either
            self.from_address[connection.address] -= 1
            if not self.from_address[connection.address]:
                del self.from_address[connection.address]

    def place(self, peer: bytes) -> Place:
        """Where a connection stands, for `put_back`."""
        return Place(self.connections.get(peer), self.waiting.get(peer), peer in self.shut)

    def put_back(self, peer: bytes, place: Place) -> None:
        """The connection stands where it stood before."""
        if place.shut:
            self.shut_out(peer)
            return
        self.disconnect(peer)
        self.shut.pop(peer, None)
        if place.let_in is not None:
            self.connect(peer, place.let_in)
        elif place.waits is not None:
            self.wait(peer, place.waits)

    def reach(self, user: str) -> list[bytes]:
        """The connections of a user, in an order that does not depend on chance."""
        waiting = [peer for peer, connection in self.waiting.items() if connection.user == user]
        return sorted([*self.peers_of.get(user, ()), *waiting])

    def rename(self, user: str, name: str) -> None:
        """A user is called otherwise."""
        for peer in self.peers_of.get(user, ()):
            connection = self.connections[peer]
            self._named.setdefault(user, connection.name)
            connection.name = name
        if user in self._came:
            self._came[user] = name

    def rooms_changed(self, by: int) -> None:
        """The list of rooms has changed; -1: it has not, after all."""
        self.directory += by

    def silent(self, before: float) -> list[bytes]:
        """The connections not heard from since ``before`` (monotonic seconds)."""
        both = (self.connections, self.waiting)
        return sorted(peer for some in both for peer, connection in some.items() if connection.heard < before)

    def delta(self, boot: str) -> Presence | None:
        """Who came, went or is called otherwise since the last call, or None if nobody did."""
        named = self._renamed()
        self._shown.clear()
        if not self._came and not self._went and not named:
            return None
        self.version += 1
        delta = Presence(self.version, boot, _pairs(self._came), _pairs(self._went), _pairs(named))
        self._came.clear()
        self._went.clear()
        return delta

    def _renamed(self) -> dict[str, str]:
        """Those whose name is another than was told of them, by a delta or in between."""
        names = {
            user: self.connections[next(iter(self.peers_of[user]))].name
            for user in self._named.keys() & self.peers_of.keys()
        }
        named = {
            user: name
            for user, name in names.items()
            if user not in self._came and (user in self._shown or self._named[user] != name)
        }
        self._named.clear()
        return named

    def people(self, mono: float, only: set[str] | None = None) -> list[Person]:
        """Who is here, to be told to somebody, sorted by name; with ``only``: those of these users who are."""
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
        self._shown |= found.keys() | self._went.keys()
        return sorted(found.values(), key=lambda person: (person.name.casefold(), person.user))


def _pairs(names: dict[str, str]) -> list[tuple[str, str]]:
    """Users and names in the order of the ids: what happened to the desk in between says nothing."""
    return sorted(names.items(), key=lambda pair: (len(pair[0]), pair[0]))
