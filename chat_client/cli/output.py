"""What commands say and how they end: data on standard output, talk on standard error, an exit status."""

import sys
from typing import Any

from chat_client.troubles import UNTRUSTED
from chat_core import wire

# sysexits.h, as far as a script can make something of them.
DONE, REFUSED, USAGE, UNAVAILABLE, TRY_AGAIN, NOT_ALLOWED, CONFIG = 0, 1, 2, 69, 75, 77, 78
INTERRUPTED, ENDED = 130, 143  # by Ctrl-C, by SIGTERM

# Refusals that say "you may not", rather than "that is wrong"; and those that end by waiting.
NOT_ALLOWED_CODES = {
    "not_member", "foreign_sender", "not_allowed", "banned", "muted", "read_only", "archived", "invite_needed",
    "invite_bad", "link_bad",
}  # fmt: skip
TRY_AGAIN_CODES = {"waiting", "rate", "slow", "crowded"}


def refused_status(code: str) -> int:
    """The exit status for a refusal."""
    return NOT_ALLOWED if code in NOT_ALLOWED_CODES else TRY_AGAIN if code in TRY_AGAIN_CODES else REFUSED


def trouble_status(code: str) -> int:
    """The exit status for what keeps us from being let in (chat_client/troubles.py)."""
    if code in UNTRUSTED or code == "identity":
        return CONFIG
    return {"banned": NOT_ALLOWED, "version": REFUSED}.get(code, UNAVAILABLE)


def say(text: object, status: int = DONE) -> int:
    """Talk to the user; returns the status that goes with it."""
    print(f"chat-client: {text}", file=sys.stderr, flush=True)
    return status


def print_json(fields: dict[str, Any]) -> None:
    """One object a line, at once."""
    print(wire.encode(fields).decode(), flush=True)
