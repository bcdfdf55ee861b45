"""The machines of one person: their keys. A one-time code that one of them shows lets another one in beside it."""

from math import ceil

from chat_broker import access, audit, bans, users
from chat_broker.desk import Code, Connection
from chat_broker.tables import KeyRecord, User
from chat_broker.turn import Turn
from chat_core import keys, names
from chat_core import messages as m
from chat_core.errors import RefusedError

CODE_SECONDS = 600.0
MACHINES_MOST = 50
# Wrong codes from one address within the life of a code: enough to mistype, too few to guess.
WRONG_MOST, ADDRESSES_MOST = 10, 10_000


# ---- link ------------------------------------------------------------------------------------------------------


def link(turn: Turn, peer: bytes, request: m.Link) -> None:
    """Whoever has the code of this digest will be another machine of mine; an earlier code is void."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "link")
    users.own(turn, connection)
    codes = {
        digest: code
        for digest, code in turn.desk.codes.items()
        if code.until > turn.mono and (code.key or code.user != connection.user)
    }
    _set_codes(turn, codes | {request.digest: Code(connection.user, turn.mono + CODE_SECONDS)})
    turn.acknowledge(peer, m.Done(request.id))


def is_linked(turn: Turn, key: str, code: str) -> bool:
    """Was the key linked by this very code? Then the hello is a repetition."""
    known = turn.desk.codes.get(keys.token_digest(code))
    return known is not None and known.key == key


def linked(turn: Turn, peer: bytes, key: str, request: m.Hello) -> User:
    """Whose machine a hello's code makes this. Raises RefusedError("link_bad"), and soon "rate"."""
    who = turn.origin or peer.hex()
    count, until = turn.desk.wrong.get(who, (0, 0.0))
    if turn.mono >= until:
        count, until = 0, turn.mono + CODE_SECONDS
    if count >= WRONG_MOST:
        wait = int((until - turn.mono) * 1000)
        raise RefusedError("rate", "That were too many wrong codes: wait before you try again.", retry=wait)
    digest = keys.token_digest(request.link)
    code = turn.desk.codes.get(digest)
    user = turn.tables.users.get(code.user) if code is not None and _is_good(turn, code) else None
    if code is None or user is None:
        turn.desk.wrong[who] = (count + 1, until)
        if len(turn.desk.wrong) > ADDRESSES_MOST:
            del turn.desk.wrong[next(iter(turn.desk.wrong))]
        raise RefusedError("link_bad", "This code is unknown, used or older than ten minutes: show a new one.")
    bans.refuse_banned(turn, "", user.id, "", "")  # the key is new, and not known to be of somebody who is
    _take(turn, user, key, request.client)
    _set_codes(turn, turn.desk.codes | {digest: Code(user.id, code.until, key)})
    turn.notes.append(f"{user.name} linked a machine: {keys.fingerprint(key)}")
    return user


def _take(turn: Turn, user: User, key: str, client: str) -> None:
    """The key is another one of this user's, whosever it was."""
    tables = turn.tables
    if len(tables.keys_of.get(user.id, ())) >= MACHINES_MOST:
        raise RefusedError(
            "limit", f"There are {MACHINES_MOST} machines of {user.name}, which are the most: unlink some."
        )
    before = tables.users.get(tables.keys.get(key, ""))
    if before is not None:
        _check_seldom(turn, before)
        lose_key(turn, before, key)
    users.give_key(turn, user.id, key, client)


def lose_key(turn: Turn, user: User, key: str) -> None:
    """The key is to be somebody else's; who only waited by it is forgotten."""
    if user.waiting:
        users.forget(turn, user)
    else:
        users.take_key(turn, key)


def _is_good(turn: Turn, code: Code) -> bool:
    return not code.key and code.until > turn.mono


def _set_codes(turn: Turn, codes: dict[str, Code]) -> None:
    old = turn.desk.codes
    turn.desk.codes = codes

    def undo() -> None:
        turn.desk.codes = old

    turn.undos.append(undo)


# ---- machines, unlink ------------------------------------------------------------------------------------------


def machines(turn: Turn, peer: bytes, request: m.Machines) -> None:
    """List my keys."""
    connection = turn.desk.connections[peer]
    user = users.own(turn, connection)
    found = [_machine(turn, user, key, connection) for key in turn.tables.keys_of.get(user.id, ())]
    turn.answer(peer, m.MachineList(request.id, sorted(found, key=lambda one: (one.time, one.key))))


def unlink(turn: Turn, peer: bytes, request: m.Unlink) -> None:
    """A key of mine is not mine any more; it hears nothing from now on."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "link")
    mine = turn.tables.keys_of.get(users.own(turn, connection).id, set())
    found = [key for key in mine if request.key == key or keys.same_fingerprint(keys.fingerprint(key), request.key)]
    if not found:
        text = f"You have no key {names.shown(request.key)}: `machines` lists them."
        raise RefusedError("no_such", text)
    if len(mine) == 1:
        raise RefusedError("last_key", "This is your only key: without it nobody could be you.")
    _check_seldom(turn, turn.tables.users[connection.user])
    users.take_key(turn, found[0])
    turn.notes.append(f"{connection.name} unlinked a machine: {keys.fingerprint(found[0])}")
    turn.acknowledge(peer, m.Done(request.id, of=found[0]))


def _check_seldom(turn: Turn, user: User) -> None:
    """Nobody may have everybody reconnect all the time. Raises RefusedError("rate")."""
    if wait := turn.desk.keys_lost.take(user.id, turn.mono):
        text = f"{user.name} gave up many keys just now: wait before you do it again."
        raise RefusedError("rate", text, retry=ceil(wait * 1000))


def _machine(turn: Turn, user: User, key: str, connection: Connection) -> m.Machine:
    record = turn.tables.machines.get(key) or KeyRecord(user.time)  # there were keys before there were such records
    return m.Machine(key, record.time, record.client, this=key == connection.key)


# ---- rekey -----------------------------------------------------------------------------------------------------


def rekey(turn: Turn, peer: bytes, request: m.Rekey) -> None:
    """An admin gives a user who lost their key another one, in place of all they had."""
    connection = turn.desk.connections[peer]
    access.check(turn, connection.user, "rekey")
    if not keys.is_key(request.key):
        raise RefusedError("key_bad", "That is not a public key: 40 characters of Z85, as `key show` tells it.")
    user = users.find(turn, request.user)
    before = turn.tables.users.get(turn.tables.keys.get(request.key, ""))
    for one in (user, before) if before is not None else (user,):
        access.check_above(turn, connection.user, one)
    mine = sorted(turn.tables.keys_of.get(user.id, set()) - {request.key})
    for key in mine:
        users.take_key(turn, key)
    if before is None or before.id != user.id:
        if before is not None:
            lose_key(turn, before, request.key)
        users.give_key(turn, user.id, request.key, "")
    _set_codes(turn, {digest: code for digest, code in turn.desk.codes.items() if code.user != user.id})
    audit.note(turn, connection, "rekey", user, what=keys.fingerprint(request.key))
    turn.notes.append(f"{connection.name} gave {user.name} another key")
    turn.acknowledge(peer, m.Done(request.id, of=user.id))
