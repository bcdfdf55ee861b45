"""Who somebody is, comes and goes: hello, who, bye, and those who fell silent."""

from chat_broker import rooms
from chat_broker.desk import ADMIN_PEER, Connection
from chat_broker.tables import LOBBY, User
from chat_broker.turn import Turn
from chat_core import PROTOCOL_VERSIONS, keys, names
from chat_core import messages as m
from chat_core.errors import RefusedError


def hello(turn: Turn, peer: bytes, request: m.Hello) -> None:
    """Let somebody in, making a user of a key that is new. Their rooms' heads are told as of after the commit."""
    if peer.startswith(ADMIN_PEER):
        raise RefusedError("not_allowed", "The admin's socket needs no hello: it is the broker's own user.")
    version = max(set(request.versions) & set(PROTOCOL_VERSIONS), default=0)
    if not version:
        spoken = ", ".join(map(str, PROTOCOL_VERSIONS))
        raise RefusedError(
            "version", f"This broker speaks protocol {spoken}, the client {request.versions}: update it."
        )
    key = turn.key or request.key  # what is proved counts, whatever is claimed
    if not keys.is_key(key):
        raise RefusedError("key_bad", "The hello needs the client's public key: 40 characters of Z85.")
    user = _user(turn, request, key)
    old = turn.desk.connections.get(peer)
    if ("users", user.id) in turn.batch.puts:
        # Made in this batch, on this connection or another: if the commit fails, nobody may stay who this would be.
        turn.unsure.add(peer)
    if old is None or old.user != user.id or old.key != key:
        connection = Connection(user.id, user.name, turn.origin, turn.time, turn.mono, key)
        if turn.desk.connect(peer, connection):
            client = "".join(c for c in request.client if c.isprintable())  # it goes into the log
            turn.notes.append(f"{user.name} came from {turn.origin or 'nowhere known'} ({client or 'unknown client'})")
        if peer in turn.unsure:
            turn.undos.append(lambda: turn.desk.reconnect(peer, old))
    welcome = _welcome(turn, request.id, version, user)
    if peer in turn.unsure:
        turn.acknowledge(peer, welcome)
    else:
        turn.answer(peer, welcome)
    turn.after_commit(lambda: _fill(turn, welcome, user))


def who(turn: Turn, peer: bytes, request: m.Who) -> None:
    """Tell who is here."""
    if request.room:
        members = turn.tables.members_of.get(rooms.find(turn, request.room).id, set())
        people = turn.desk.people(turn.mono, members)
    else:
        people = turn.everybody()
    turn.answer(peer, m.Here(request.id, turn.desk.version, people))


def bye(turn: Turn, peer: bytes, request: m.Bye) -> None:
    """Note that somebody leaves now."""
    gone(turn, peer, "said bye")
    turn.answer(peer, m.Goodbye(request.id))


def gone(turn: Turn, peer: bytes, why: str) -> None:
    """Forget a connection; its user is away if it was the last."""
    last = turn.desk.disconnect(peer)
    if last is not None:
        turn.notes.append(f"{last.name} left ({why}), from {last.address or 'nowhere known'}")


def _user(turn: Turn, request: m.Hello, key: str) -> User:
    """The key's user, made if it is new."""
    tables = turn.tables
    if key in tables.keys:
        user = tables.users[tables.keys[key]]
        if request.name and names.fold(names.user_name(request.name)) != names.fold(user.name):
            text = f"This identity is known here as {user.name}: leave the name out, or use another identity folder."
            raise RefusedError("name_differs", text)
        return user
    if not request.name:
        raise RefusedError("name_needed", "The broker does not know you yet: give a name.")
    name = names.user_name(request.name)
    folded = names.fold(name)
    if folded in tables.names or folded == names.fold(names.BROKER_NAME):
        raise RefusedError("name_taken", f"The name {name} is taken here: choose another one.")
    number = tables.counters.get("users", 0) + 1
    tables.put(turn.batch, "counters", "users", number)
    user = User(f"u{number}", name, turn.time)
    tables.put(turn.batch, "users", user.id, user)
    tables.put(turn.batch, "names", folded, user.id)
    tables.put(turn.batch, "keys", key, user.id)
    rooms.enter(turn, LOBBY, user.id, name)
    return user


def _welcome(turn: Turn, re: int, version: int, user: User) -> m.Welcome:
    facts = turn.facts
    return m.Welcome(re, version, user.id, user.name, facts.home, facts.boot, facts.epoch, facts.feed, facts.name)


def _fill(turn: Turn, welcome: m.Welcome, user: User) -> None:
    """Put in what is true after the commit."""
    welcome.commit, welcome.time = turn.committed, turn.time
    mine = sorted(turn.tables.rooms_of.get(user.id, ()))
    welcome.rooms = [rooms.info(turn, turn.tables.rooms[room], user.id) for room in mine]
