"""Who comes and goes, and who is here: hello, bye, those who fell silent; who, people, nick."""

import heapq

from chat_broker import access, bans, entry, invitations, rooms, users
from chat_broker.desk import ADMIN_PEER, HERE, Connection
from chat_broker.tables import User
from chat_broker.turn import Turn
from chat_core import PROTOCOL_VERSIONS, keys, names
from chat_core import messages as m
from chat_core.errors import RefusedError

PEOPLE_IN_A_REPLY = 500


# ---- coming ----------------------------------------------------------------------------------------------------


def hello(turn: Turn, peer: bytes, request: m.Hello) -> None:
    """Let somebody in, or have them wait. Their rooms' heads are told as of after the commit."""
    if peer.startswith(ADMIN_PEER):
        raise RefusedError("not_allowed", "The admin's socket needs no hello: it is the broker's own user.")
    version = _version(request)
    key = turn.key or request.key  # what is proved counts, whatever is claimed
    if not keys.is_key(key):
        raise RefusedError("key_bad", "The hello needs the client's public key: 40 characters of Z85.")
    bans.refuse_banned(turn, "", turn.tables.keys.get(key, ""), key, turn.origin)
    _check_crowd(turn, peer, turn.tables.keys.get(key, ""))
    user = entry.user_of(turn, peer, key, request)
    if ("users", user.id) in turn.batch.puts or ("keys", key) in turn.batch.puts:
        # Made in this batch, on this connection or another: if the commit fails, nobody may stay who this would be.
        turn.unsure.add(peer)
        users.keep_place(turn, peer)
    connection = Connection(user.id, user.name, turn.origin, turn.time, turn.mono, key)
    if user.waiting:
        turn.desk.wait(peer, connection)
        _answer(turn, peer, m.Waiting(request.id, user.id, user.name, entry.PLEASE_WAIT))
        return
    _enter(turn, peer, connection, request.client)
    welcome = _welcome(turn, request.id, version, user)
    _answer(turn, peer, welcome)
    turn.after_commit(lambda: _fill(turn, peer, welcome, user))


def _version(request: m.Hello) -> int:
    version = max(set(request.versions) & set(PROTOCOL_VERSIONS), default=0)
    if not version:
        spoken = ", ".join(map(str, PROTOCOL_VERSIONS))
        text = f"This broker speaks protocol {spoken}, the client {request.versions}: update it."
        raise RefusedError("version", text)
    return version


def _check_crowd(turn: Turn, peer: bytes, user: str) -> None:
    """Refuse one connection too many, of a user or of an address."""
    desk, facts = turn.desk, turn.facts
    place = desk.place(peer)
    here = place.let_in or place.waits
    same_user, same_address = here is not None and here.user == user, here is not None
    if user and facts.user_connections and len(desk.reach(user)) - same_user >= facts.user_connections:
        raise _crowded(turn, "You have", facts.user_connections)
    from_there = desk.from_address[turn.origin] - same_address
    if turn.origin != HERE and facts.address_connections and from_there >= facts.address_connections:
        raise _crowded(turn, "From your address there are", facts.address_connections)


def _crowded(turn: Turn, who: str, most: int) -> RefusedError:
    text = f"{who} {most} connections to this broker, which are the most: close some."
    return RefusedError("crowded", text, retry=int(turn.facts.gone_seconds * 1000))


def _enter(turn: Turn, peer: bytes, connection: Connection, client: str) -> None:
    """Enter a connection in the desk, unless it is there as the same user's."""
    old = turn.desk.connections.get(peer)
    if old is not None and (old.user, old.key) == (connection.user, connection.key):
        return
    if turn.desk.connect(peer, connection):
        program = names.one_line(client) or "unknown client"  # it goes into the log
        turn.notes.append(f"{connection.name} came from {connection.address or 'nowhere known'} ({program})")


def _answer(turn: Turn, peer: bytes, reply: m.Reply) -> None:
    if peer in turn.unsure:
        turn.acknowledge(peer, reply)
    else:
        turn.answer(peer, reply)


def _welcome(turn: Turn, re: int, version: int, user: User) -> m.Welcome:
    facts = turn.facts
    feed = facts.feed if user.fed else 0
    welcome = m.Welcome(re, version, user.id, user.name, facts.home, facts.boot, facts.epoch, feed, facts.name)
    welcome.role = user.role
    return welcome


def _fill(turn: Turn, peer: bytes, welcome: m.Welcome, user: User) -> None:
    """Put in what is true after the commit; who was shut out meanwhile is told nothing of it."""
    if peer not in turn.desk.connections:
        return
    welcome.commit, welcome.time = turn.committed, turn.time
    welcome.rooms, welcome.invited = rooms.mine(turn, user.id), rooms.invitations(turn, user.id)


# ---- going -----------------------------------------------------------------------------------------------------


def bye(turn: Turn, peer: bytes, request: m.Bye) -> None:
    """Note that somebody leaves now."""
    gone(turn, peer, "said bye")
    turn.answer(peer, m.Goodbye(request.id))


def gone(turn: Turn, peer: bytes, why: str) -> None:
    """Forget a connection; its user is away if it was the last."""
    last = turn.desk.disconnect(peer)
    if last is not None:
        turn.notes.append(f"{last.name} left ({why}), from {last.address or 'nowhere known'}")


# ---- who there is ----------------------------------------------------------------------------------------------


def who(turn: Turn, peer: bytes, request: m.Who) -> None:
    """Tell who is here."""
    user = turn.desk.connections[peer].user
    if request.room:
        record = rooms.find(turn, request.room, user)
        people = turn.desk.people(turn.mono, turn.tables.members_of.get(record.id, set()))
    else:
        access.check(turn, user, "who")
        people = turn.everybody()
    turn.answer(peer, m.Here(request.id, turn.desk.version, people))


def people(turn: Turn, peer: bytes, request: m.People) -> None:
    """List the users; of their keys, their addresses and those who wait only admins hear."""
    asking = turn.desk.connections[peer].user
    access.check(turn, asking, "people")
    closely = access.may("look_closely", access.standing(turn.tables, asking))
    after = users.number(request.after) if request.after in turn.tables.users else 0
    following = (
        user for user in turn.tables.users.values() if users.number(user.id) > after and (closely or not user.waiting)
    )
    some = heapq.nsmallest(PEOPLE_IN_A_REPLY + 1, following, key=lambda user: users.number(user.id))
    listed = [_somebody(turn, user, asking, closely) for user in some[:PEOPLE_IN_A_REPLY]]
    turn.answer(peer, m.Crowd(request.id, listed, len(some) > PEOPLE_IN_A_REPLY))


def _somebody(turn: Turn, user: User, asking: str, closely: bool) -> m.Somebody:
    peers = turn.desk.reach(user.id)
    about = m.Somebody(user.id, user.name, user.role, bool(peers), time=user.time)
    if closely:
        about.waiting, about.post = user.waiting, user.post
        about.rooms = invitations.seen_scope(turn, asking, user.rooms)
        about.keys = sorted(turn.tables.keys_of.get(user.id, ()))
        about.address = users.connection_of(turn, peers[-1]).address if peers else ""
    return about


def nick(turn: Turn, peer: bytes, request: m.Nick) -> None:
    """Be called otherwise from now on."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "nick")
    user = users.own(turn, connection)
    name = names.user_name(request.name)
    if names.fold(name) != names.fold(user.name):
        name = users.free_name(turn, request.name)
    if name != user.name:
        users.call(turn, user, name)
        turn.notes.append(f"{user.name} is called {name} now")
    turn.acknowledge(peer, m.Done(request.id, of=name))
