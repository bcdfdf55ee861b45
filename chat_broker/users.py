"""Users: finding them as others name them, making them, and what names and keys they have."""

import re

from msgspec import structs

from chat_broker import access
from chat_broker.desk import Connection
from chat_broker.tables import KeyRecord, User
from chat_broker.turn import Turn
from chat_core import names
from chat_core.errors import RefusedError
from chat_core.messages import Notice

# Former names of a user that a hello may still give.
FORMER_MOST = 20
# What looks like the id of a user, or like the broker, is nobody's name.
_RESERVED = re.compile(r"u[0-9]+\Z|" + re.escape(names.fold(names.BROKER_NAME)) + r"\Z")


def find(turn: Turn, typed: str, waiting: bool = False) -> User:
    """The user of that id or name, in any spelling. Raises RefusedError("no_user").

    ``waiting``: also those who have not been let in, of whom only admins may know.
    """
    tables = turn.tables
    user = tables.users.get(typed) or tables.users.get(tables.names.get(names.fold(typed.removeprefix("@")), ""))
    if user is None or (user.waiting and not waiting):
        raise RefusedError("no_user", f"There is nobody called {names.shown(typed)} here: `people` lists everybody.")
    return user


def own(turn: Turn, connection: Connection) -> User:
    """The user of a connection, for what only users can do: the broker itself has neither name nor machines."""
    user = turn.tables.users.get(connection.user)
    if user is None:
        raise RefusedError("not_allowed", "The broker cannot do that for itself.")
    return user


def name_of(turn: Turn, user_id: str) -> str:
    """What somebody is called now; the broker too."""
    user = turn.tables.users.get(user_id)
    return user.name if user is not None else names.BROKER_NAME


def number(row_id: str) -> int:
    """The place of a user in the order of their ids ("u17"); of a ban or an invitation likewise."""
    return int(row_id[1:])


def admins_here(turn: Turn) -> list[str]:
    """The owners and admins who are connected."""
    return [one for one in sorted(turn.desk.peers_of) if access.standing(turn.tables, one).chat_role in access.ADMINS]


# ---- names -----------------------------------------------------------------------------------------------------


def free_name(turn: Turn, typed: str) -> str:
    """The name in its normal form, if nobody has it. Raises RefusedError: "name_bad", "name_taken"."""
    name = names.user_name(typed)
    folded = names.fold(name)
    if folded in turn.tables.names or _RESERVED.match(folded):
        text = f"The name {name} is taken here: choose another one. If it is yours: import the key that you have on "
        text += "your other machine, link this machine from there, or ask an admin to `rekey` you."
        raise RefusedError("name_taken", text)
    return name


def call(turn: Turn, user: User, name: str) -> User:
    """Give a user another name; a hello may go on giving the old one."""
    old, new = names.fold(user.name), names.fold(name)
    former = [one for one in (*user.former, old) if one != new][-FORMER_MOST:] if old != new else user.former
    turn.tables.remove(turn.batch, "names", old)
    turn.tables.put(turn.batch, "names", new, user.id)
    renamed = change(turn, user, name=name, former=former)
    turn.desk.rename(user.id, name)
    turn.undos.append(lambda: turn.desk.rename(user.id, user.name))
    return renamed


def is_called(user: User, typed: str) -> bool:
    """Is this the user's name, in any spelling, or was it?"""
    folded = names.fold(names.user_name(typed))
    return folded == names.fold(user.name) or folded in user.former


# ---- rows ------------------------------------------------------------------------------------------------------


def make(turn: Turn, name: str, key: str, client: str, waiting: bool = False) -> User:
    """A new user of that name and key."""
    count = turn.tables.counters.get("users", 0) + 1
    turn.tables.put(turn.batch, "counters", "users", count)
    user = User(f"u{count}", name, turn.time, waiting=waiting)
    turn.tables.put(turn.batch, "users", user.id, user)
    turn.tables.put(turn.batch, "names", names.fold(name), user.id)
    give_key(turn, user.id, key, client)
    return user


def change(turn: Turn, user: User, **fields: object) -> User:
    """Put a changed copy of a user; the one given stays as it was, for the journal."""
    changed = structs.replace(user, **fields)
    turn.tables.put(turn.batch, "users", user.id, changed)
    return changed


def forget(turn: Turn, user: User) -> None:
    """Somebody who waited does so no more: the name is free again. Nothing in any log is theirs."""
    for peer in turn.desk.reach(user.id):
        disconnect(turn, peer)
    for key in list(turn.tables.keys_of.get(user.id, ())):
        take_key(turn, key)
    turn.tables.remove(turn.batch, "names", names.fold(user.name))
    turn.tables.remove(turn.batch, "users", user.id)


# ---- keys ------------------------------------------------------------------------------------------------------


def give_key(turn: Turn, user_id: str, key: str, client: str) -> None:
    """The key is this user's from now on."""
    turn.tables.put(turn.batch, "keys", key, user_id)
    turn.tables.put(turn.batch, "machines", key, KeyRecord(turn.time, names.one_line(client)))


def take_key(turn: Turn, key: str) -> None:
    """The key is nobody's any more, and those who came with it have to say hello again, as who they are then."""
    user_id = turn.tables.keys[key]
    turn.tables.remove(turn.batch, "keys", key)
    if key in turn.tables.machines:
        turn.tables.remove(turn.batch, "machines", key)
    turn.shut_out = turn.shut_out or turn.tables.users[user_id].fed
    for peer in turn.desk.reach(user_id):
        if connection_of(turn, peer).key == key:
            disconnect(turn, peer)


# ---- connections -----------------------------------------------------------------------------------------------


def connection_of(turn: Turn, peer: bytes) -> Connection:
    """A connection of somebody who was let in or waits."""
    return turn.desk.connections.get(peer) or turn.desk.waiting[peer]


def disconnect(turn: Turn, peer: bytes) -> None:
    """Forget a connection, unless the commit fails."""
    keep_place(turn, peer)
    turn.desk.disconnect(peer)


def shut_out(turn: Turn, peer: bytes, why: Notice) -> None:
    """Tell a connection why, forget it, and answer it no more, unless the commit fails."""
    keep_place(turn, peer)
    turn.desk.shut_out(peer)
    turn.tell_last(peer, why)


def keep_place(turn: Turn, peer: bytes) -> None:
    """If the commit fails, the connection is to stand where it does now."""
    place = turn.desk.place(peer)
    turn.undos.append(lambda: turn.desk.put_back(peer, place))
