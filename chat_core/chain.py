"""The chain through a room's log, by which two logs are told apart (docs/protocol.md, section 6)."""

from hashlib import blake2b

from chat_core.messages import Event

# What stands before a room's first event.
START = "0" * 16


def chain_of(
    previous: str,
    room: str,
    seq: int,
    time: int,
    author: str,
    name: str,
    sender: str,
    n: int,
    kind: str,
    target: int = 0,
    thread: int = 0,
    expires: int = 0,
) -> str:
    """The event's chain, 16 hex digits: BLAKE2b (64 bits) over the previous one and the envelope, never the body.

    The fields are joined by NUL, which none of them can hold; the body stays out, so that a deletion can blank it.
    """
    more = f"{target}\0{thread}\0{expires}" if target or thread or expires else "0\x000\x000"
    fields = f"{previous}\0{room}\0{seq}\0{time}\0{author}\0{name}\0{sender}\0{n}\0{kind}\0{more}"
    return blake2b(fields.encode(), digest_size=8).hexdigest()


def chain_after(previous: str, e: Event) -> str:
    """The chain that an event has to have behind that one."""
    return chain_of(
        previous, e.room, e.seq, e.time, e.author, e.name, e.sender, e.n, e.kind, e.target, e.thread, e.expires
    )
