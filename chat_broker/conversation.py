"""What is said in a room: checks a post, counts it once, appends it (docs/protocol.md, section 5)."""

from msgspec import Raw

from chat_broker import access, limits, rooms
from chat_broker.batch import Outcome
from chat_broker.desk import Connection
from chat_broker.tables import RoomRecord
from chat_broker.turn import Turn, refusal
from chat_core import messages as m
from chat_core import names, wire
from chat_core.errors import RefusedError, WireError


def post(turn: Turn, peer: bytes, request: m.Post) -> None:
    """Append an event, or answer a repeated number as the first time, or refuse.

    A final refusal spends the number and is stored with it: a repeat gets the same answer for ever, and the sender's
    next post is not held up. A refusal ``later`` spends nothing.
    """
    connection = turn.desk.connections[peer]
    sender, n = request.sender, request.n
    room = rooms.id_of(turn, request.room)
    if not sender:
        turn.acknowledge(peer, _append(turn, connection, request, room))
        return
    state = turn.sender(sender)
    if state is not None and state.user != connection.user:
        raise RefusedError("foreign_sender", "These numbers belong to somebody else: choose a random sender.")
    last = state.last if state is not None else 0
    if n > last + 1 or n < 1:
        raise RefusedError("expected", f"This sender's next number is {last + 1}, not {n}.", expected=last + 1)
    digest = _digest(turn, request, room if room == request.room else rooms.folded(request.room))
    if n <= last:
        turn.acknowledge(peer, _repeat(turn, request, digest))
        return
    try:
        posted = _append(turn, connection, request, room)
    except RefusedError as error:
        if error.verdict == "final":
            turn.spend(sender, connection.user, n, Outcome(digest, code=error.code, text=error.text))
        turn.acknowledge(peer, refusal(request.id, error))
        return
    turn.spend(sender, connection.user, n, Outcome(digest, posted.room, posted.seq, posted.time))
    turn.acknowledge(peer, posted)


def _append(turn: Turn, connection: Connection, request: m.Post, room: str) -> m.Posted:
    limits.charge(turn, connection, len(request.body))
    slow = None
    if f"{room} {connection.user}" not in turn.tables.writers:
        slow = _check_may(turn, connection.user, request.room)
    body = _checked_body(request.kind, request.body)
    n = request.n if request.sender else 0
    seq = turn.append(room, connection.user, connection.name, request.kind, body, request.sender, n)
    if slow is not None:
        limits.note_slow(turn, slow, connection.user)
    return m.Posted(request.id, room, seq, turn.batch.time)


def _check_may(turn: Turn, user: str, typed: str) -> RoomRecord | None:
    """Refuse a post in a room where this user may not write, or not yet; returns the room if they are slowed down.

    Whoever may write there until something changes is noted, and not looked up for the next post.
    """
    record = rooms.find(turn, typed, user)
    standing = access.check(turn, user, "post", record)
    if record.slow and not access.may("post_read_only", standing):
        limits.check_slow(turn, record, user)
        return record
    turn.tables.writers.add(f"{record.id} {user}")
    return None


def _checked_body(kind: str, body: Raw) -> bytes:
    """The body as it is stored: written anew from what was understood, so that nothing unchecked gets into the log."""
    if kind != "message":
        raise RefusedError("unknown_kind", f"Nothing of kind {names.shown(kind)} can be posted.")
    try:
        message = wire.decode_message(body)
    except WireError as error:
        raise RefusedError("body_bad", f"The body of a {kind} is not right: {error}.") from error
    message.deleted = False  # that is for the broker to say
    stored = wire.encode(message)
    if not _is_plain(stored) or not message.text or message.text.isspace():
        names.check_text(message.text)
    return stored


def _is_plain(stored: bytes) -> bool:
    """Is this a short line of printable ASCII? JSON writes that as it is, so the bytes tell, and nearly always."""
    return len(stored) <= names.TEXT_BYTES and stored.isascii() and b"\\" not in stored and b"\x7f" not in stored


def _repeat(turn: Turn, request: m.Post, digest: str) -> m.Reply:
    """The answer that this number got the first time."""
    outcome = turn.outcome(request.sender, request.n)
    if outcome is None or outcome.digest != digest:
        raise RefusedError("conflict", f"Number {request.n} of this sender was used for something else.")
    if outcome.code:
        return m.Refused(request.id, outcome.code, outcome.text, "final")
    return m.Posted(request.id, outcome.room, outcome.seq, outcome.time)


def _digest(turn: Turn, request: m.Post, room: str) -> str:
    """What makes two posts the same: room, kind, the reserved target, thread and expires, and the body's bytes.

    The room as it was typed, only folded: which room a name is shown for is not for everybody to find out.
    Keyed by a secret of this database: whoever sees the digest of a deleted text cannot try out what it was.
    """
    digest = turn.facts.keyed.copy()
    digest.update(f"{room}\0{request.kind}\x000\x000\x000\0".encode())
    digest.update(request.body)
    return digest.hexdigest()
