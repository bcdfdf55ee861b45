"""An event of the log as a line of a transcript. Pure."""

from dataclasses import dataclass
from typing import Literal

from chat_client.model import markup
from chat_client.model.shown import Line, State
from chat_core import messages as m
from chat_core import said, wire
from chat_core.errors import WireError

DELETED = "This message was deleted."

_SAID: dict[str, str] = {"joined": "joined the room", "left": "left the room", "created": "created the room"}


@dataclass(frozen=True)
class Me:
    """Who I am at this broker; ``user`` "": not known yet."""

    user: str = ""
    name: str = ""


def line_of(event: m.Event, me: Me, key: str = "", state: State = "") -> Line:
    """An event as a line. ``key``: that of the own line that it takes the place of."""
    mine = event.author == me.user
    if event.kind == "message":
        try:
            message = wire.decode_message(event.body)
        except WireError:
            pass  # a body of a later version: shown as something unknown
        else:
            kind: Literal["message", "me"] = "me" if message.me else "message"
            text = DELETED if message.deleted else message.text
            return Line(
                key or str(event.seq), kind, text, event.time, event.author, event.name, event.seq, mine,
                not mine and bool(me.name) and markup.mentions_me(message.text, (me.name,)),
                state, "", (event.sender, event.n), event.chain, message.deleted,
            )  # fmt: skip
    did = _SAID.get(event.kind) or said.said(event)
    text = f"{event.name} {did or f'did something that this version does not know ({event.kind})'}"
    return Line(
        key or str(event.seq), "event", text, event.time, event.author, event.name, event.seq, mine, chain=event.chain
    )


def counts(line: Line) -> bool:
    """Is it something to read?"""
    return not line.mine and not line.deleted and line.kind in ("message", "me")
