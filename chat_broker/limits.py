"""How much one user, and one address, may write: posts and bytes a second with a burst, and rooms."""

from math import ceil

from chat_broker.desk import Connection
from chat_broker.meters import Meter
from chat_broker.tables import RoomRecord
from chat_broker.turn import Turn
from chat_core.errors import RefusedError
from chat_core.names import BROKER_USER

# A burst of bytes is what comes in so many seconds.
BYTES_BURST_SECONDS = 16


def charge(turn: Turn, connection: Connection, size: int) -> None:
    """Count one thing to be written, of ``size`` bytes. Raises RefusedError("rate"); then nothing was counted.

    This is done for every post, so a bucket is filled once a turn. What is longer than a burst passes when the bucket
    is full.
    """
    if turn.facts.limits is None:
        return
    desk, mono = turn.desk, turn.mono
    posts, data = desk.of_users.kept.get(connection.user) or _of_user(turn, connection.user)
    (address,) = desk.of_addresses.kept.get(connection.address) or _of_address(turn, connection.address)
    if posts.at != mono:
        posts.fill(mono)
        data.fill(mono)
    if address.at != mono:
        address.fill(mono)
    if posts.level < 1 or address.level < 1 or (data.level < size and data.level < data.burst):
        raise _wait("rate", max(posts.wait(1), address.wait(1), data.wait(size)))
    posts.level -= 1
    address.level -= 1
    data.level -= size


def charge_newcomer(turn: Turn) -> None:
    """Count somebody who is new as one thing that their address writes. Raises RefusedError("rate").

    In open mode a connection may claim a new key with every hello, and each is a user for ever.
    """
    if turn.facts.limits is None:
        return
    (address,) = turn.desk.of_addresses.kept.get(turn.origin) or _of_address(turn, turn.origin)
    if wait := address.take(turn.mono):
        raise _wait("rate", wait)


def check_slow(turn: Turn, record: RoomRecord, user: str) -> None:
    """May somebody post in a room in slow mode already? Raises RefusedError("slow")."""
    last = turn.desk.posted.get(f"{record.id} {user}")
    if last is not None and (wait := last / 1000 + record.slow - turn.mono) > 0:
        raise _wait("slow", wait)


def note_slow(turn: Turn, record: RoomRecord, user: str) -> None:
    """Somebody posts in a room in slow mode now."""
    turn.keep(turn.desk.posted, f"{record.id} {user}", int(turn.mono * 1000))


def check_rooms(turn: Turn, user: str) -> None:
    """May somebody make another room? Raises RefusedError("limit")."""
    most = turn.facts.limits.user_rooms if turn.facts.limits is not None else 0
    if most and sum(room.by == user and room.kind != "direct" for room in turn.tables.rooms.values()) >= most:
        raise RefusedError("limit", f"You have made {most} rooms, which are the most that one person may make here.")


def _of_user(turn: Turn, user: str) -> tuple[Meter, Meter]:
    """The buckets of a user's posts and bytes. The broker itself has no limit."""
    limits, now = turn.facts.limits, turn.mono
    if limits is None or user == BROKER_USER:
        return turn.desk.of_users.enter(user, (Meter(0, 0, now), Meter(0, 0, now)))
    posts = Meter(limits.user_posts_per_second, limits.user_posts_burst, now)
    data = Meter(limits.user_bytes_per_second, limits.user_bytes_per_second * BYTES_BURST_SECONDS, now)
    return turn.desk.of_users.enter(user, (posts, data))


def _of_address(turn: Turn, address: str) -> tuple[Meter]:
    limits = turn.facts.limits
    rate, burst = (limits.address_posts_per_second, limits.address_posts_burst) if limits is not None else (0, 0)
    return turn.desk.of_addresses.enter(address, (Meter(rate, burst, turn.mono),))


_TEXTS = {
    "rate": "That is too much at once: it goes on by itself in a moment.",
    "slow": "This room is in slow mode: it goes on by itself when you may write again.",
}


def _wait(code: str, seconds: float) -> RefusedError:
    return RefusedError(code, _TEXTS[code], retry=max(1, ceil(seconds * 1000)))
