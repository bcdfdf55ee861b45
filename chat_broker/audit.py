"""The audit log: a room in which every act of one person on another or on the chat is an event."""

from chat_broker.desk import Connection
from chat_broker.tables import RoomRecord, User
from chat_broker.turn import Turn
from chat_core import messages as m
from chat_core import wire
from chat_core.names import BROKER_NAME, BROKER_USER

AUDIT = "!audit"


def note(
    turn: Turn, by: Connection, act: str, user: User | None = None, *,
    record: RoomRecord | None = None, what: str = "", until: int = 0, reason: str = "",
) -> None:  # fmt: skip
    """Write down who did what (a request's type) to whom, or to ``what``. No secrets: admins read it for ever.

    Of what is done in a room (``record``) only if that is open: the rest is in its own log, and for nobody else.
    """
    if record is not None and record.kind != "open":
        return
    _open(turn)
    whom = (user.id, user.name) if user is not None else ("", "")
    body = m.Act(act, *whom, record.id if record is not None else "", what, until, reason)
    turn.append(AUDIT, by.user, by.name, "audit", wire.encode(body))


def _open(turn: Turn) -> None:
    if AUDIT not in turn.tables.rooms:
        turn.tables.put(turn.batch, "rooms", AUDIT, RoomRecord(AUDIT, "audit", BROKER_USER, turn.time, kind="audit"))
        turn.append(AUDIT, BROKER_USER, BROKER_NAME, "created")
