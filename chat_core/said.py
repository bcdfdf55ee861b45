"""What an event of the log says was done, in words: everything but messages. Pure."""

import contextlib
from collections.abc import Callable
from typing import Any

from chat_core import durations, wire
from chat_core import messages as m
from chat_core.errors import WireError

_ROLES = {"owner": "the owner of the room", "moderator": "a moderator", "member": "a member again"}


def said(event: m.Event) -> str | None:
    """What its author did: "invited Bob"; None: this version does not know."""
    known = _WORDS.get(event.kind)
    if known is None:
        return None
    body, words = known
    try:
        return words(wire.decode(event.body, body))
    except WireError:
        return None


def fields(event: m.Event) -> dict[str, Any]:
    """What an event's body says: every field that its kind has, and whatever else a later version put there. Raises
    WireError."""
    there = wire.plain(event.body)
    if not isinstance(there, dict):
        return {}
    known = _BODIES.get(event.kind) or _WORDS.get(event.kind, (None,))[0]
    with contextlib.suppress(WireError):
        return there if known is None else there | wire.whole(wire.decode(event.body, known))
    return there


def target_of(event: m.Event) -> int:
    """The number of the message that a "deleted" event deletes; 0: it is something else."""
    return event.target if event.kind == "deleted" else 0


def until_and_why(until: int, reason: str) -> str:
    """ " until then (why)"."""
    return (f" until {durations.moment(until)}" if until else "") + (f" ({reason})" if reason else "")


def _invited(body: m.About) -> str:
    return f"invited {body.name}"


def _removed(body: m.About) -> str:
    return f"removed {body.name}{until_and_why(body.until, body.reason)}"


def _role(body: m.About) -> str:
    what = f"muted {body.name}" if body.role == "muted" else f"made {body.name} {_ROLES.get(body.role, body.role)}"
    return what + until_and_why(body.until, body.reason)


def changed(body: m.Changed) -> str:
    """What was changed of a room: "made the room read-only"."""
    parts = []
    if body.name is not None:
        parts.append(f"called the room {body.name}")
    if body.read_only is not None:
        parts.append("made the room read-only" if body.read_only else "let everybody write again")
    if body.slow is not None:
        parts.append(f"set {durations.span(body.slow)} between two posts" if body.slow else "ended the slow mode")
    if body.archived is not None:
        parts.append("archived the room" if body.archived else "opened the room again")
    return " and ".join(parts) or "changed the room"


def _deleted(body: m.Deleted) -> str:
    return f"deleted a message{until_and_why(0, body.reason)}"


def _audit(body: m.Act) -> str:
    parts = [body.act, body.name or body.user, body.what, f"in {body.room}" if body.room else ""]
    return "did: " + " ".join(filter(None, parts)) + until_and_why(body.until, body.reason)


_BODIES: dict[str, type] = {"message": m.Message, "created": m.Made}  # told in other words than a deed
_WORDS: dict[str, tuple[type, Callable[[Any], str]]] = {
    "invited": (m.About, _invited),
    "removed": (m.About, _removed),
    "role": (m.About, _role),
    "changed": (m.Changed, changed),
    "deleted": (m.Deleted, _deleted),
    "audit": (m.Act, _audit),
}
