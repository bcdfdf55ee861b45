"""What can go wrong, as exceptions with fields, and the table of refusal codes.

ChatError
 +-- RefusedError     the broker said no; ``str()`` is a sentence for the user
 +-- WireError        the peer sent what the protocol does not have
 +-- AddressError     what was typed is not an address or a join string
 +-- SettingsError    a setting is unknown, of the wrong type or out of range
 +-- StoreError       the log cannot be opened, read or written
 +-- InUseError       another process has the port, the data or the bot
 +-- IdentityError    the identity folder cannot be used
 +-- UnreachableError no broker answers at that address
 |    +-- TroubleError      something else does, or it does not let us in (a code of chat_client/troubles.py)
 +-- UntrustedError   nobody has confirmed the broker's key, or it is another one than before
"""

from typing import Literal

Verdict = Literal["later", "final"]

# code -> (verdict, when it is given). docs/protocol.md lists the same codes; a test holds the two together.
# "later": nothing was spent, the same request may be sent again. "final": it will never succeed as it stands.
CODES: dict[str, tuple[Verdict, str]] = {
    "bad_request": (
        "final",
        "The frame is not a JSON object of the shape that its type has, or there are extra frames.",
    ),
    "unknown_type": ("final", "No request has this type."),
    "version": ("final", "Broker and client have no protocol version in common."),
    "hello_first": ("later", "This connection has not said hello, or the broker was restarted since."),
    "key_bad": ("final", "The key in the hello is not a CURVE public key in Z85."),
    "name_needed": ("final", "The broker does not know this key yet, and the hello has no name."),
    "name_bad": ("final", "The name is empty, too long, unprintable, or mixes scripts."),
    "name_taken": ("final", "Somebody else has this name, perhaps in another spelling."),
    "name_differs": ("final", "The key belongs to a user of another name."),
    "invite_needed": ("final", "Newcomers need an invitation, and the hello has none."),
    "invite_bad": ("final", "The invitation is unknown, used up, run out or revoked."),
    "link_bad": ("final", "The one-time code is unknown, used or older than ten minutes."),
    "waiting": ("later", "An admin has not let this user in yet."),
    "banned": ("final", "The user, the key or the address is banned, from the chat or from the room."),
    "crowded": ("later", "The user or the address has too many connections; the refusal tells how long to wait."),
    "not_allowed": ("final", "Who asks may not do that (docs/access.md)."),
    "no_user": ("final", "There is no user of this id or name."),
    "no_event": ("final", "The room has no message of this number."),
    "no_such": ("final", "There is no such ban, invitation or key."),
    "last_key": ("final", "A user's only key cannot be unlinked."),
    "limit": ("final", "The user has as many of these as one may have."),
    "room_bad": ("final", "This cannot be the name of a room."),
    "room_taken": ("final", "A room of this name is there already."),
    "no_room": ("final", "There is no such room."),
    "not_member": ("final", "Only members of the room may write in it: join it first."),
    "muted": ("final", "The user may read here, but not write."),
    "read_only": ("final", "Only those who moderate the room may write in it."),
    "archived": ("final", "The room is over: it can be read, but nothing can be written or changed."),
    "slow": ("later", "The room is in slow mode; the refusal tells how long to wait."),
    "rate": ("later", "The user or the address writes too much; the refusal tells how long to wait."),
    "unknown_kind": ("final", "No event that a client may post has this kind."),
    "body_bad": ("final", "The body does not have the shape of its kind."),
    "text_empty": ("final", "The text is empty or blank."),
    "text_long": ("final", "The text is over 8 KiB of UTF-8."),
    "text_bad": ("final", "The text holds NUL or another control character."),
    "expected": ("later", "The sender's next number is another one; the refusal tells which."),
    "conflict": ("final", "The sender's number was used for something else."),
    "foreign_sender": ("final", "The sender's numbers belong to another user."),
    "store": ("later", "The broker cannot write at the moment: its disk is full or failing."),
    "busy": ("later", "This connection has asked for too much at once: wait for the first answers."),
}


class ChatError(Exception):
    """Anything that this program expects to go wrong."""


class RefusedError(ChatError):
    """A request was refused: ``code`` (a key of `CODES`), ``text`` for people, ``expected`` for code "expected",
    ``retry`` (ms to wait) for those that end by waiting."""

    def __init__(self, code: str, text: str, expected: int = 0, verdict: Verdict | None = None, retry: int = 0) -> None:
        super().__init__(code, text)
        self.code, self.text, self.expected, self.retry = code, text, expected, retry
        self.verdict: Verdict = verdict or CODES[code][0]

    def __str__(self) -> str:
        return self.text


class WireError(ChatError):
    """A message that the protocol does not have; ``re`` is its request number where that could be read, else 0."""

    def __init__(self, text: str, code: str = "bad_request", re: int = 0) -> None:
        super().__init__(text)
        self.text, self.code, self.re = text, code, re

    def __str__(self) -> str:
        return self.text


class AddressError(ChatError):
    """What was typed is neither an address nor a join string."""


class SettingsError(ChatError):
    """A setting is wrong; the sentence names file, line, setting and what to write instead."""


class StoreError(ChatError):
    """The log cannot be used; ``newer`` if a newer version of the program made it."""

    def __init__(self, text: str, newer: bool = False) -> None:
        super().__init__(text)
        self.newer = newer


class InUseError(ChatError):
    """Another process holds what this one needs for itself alone."""


class IdentityError(ChatError):
    """The identity folder cannot be read or written, or its key is broken."""


class UnreachableError(ChatError):
    """No broker answers at that address, or something else does."""


class TroubleError(UnreachableError):
    """Nobody lets us in at that address, and why: a code of chat_client/troubles.py, and its sentences."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class UntrustedError(ChatError):
    """The broker at that address is not trusted: ``code`` "unconfirmed" (with its ``key``) or "key_changed"."""

    def __init__(self, code: str, text: str, key: str = "") -> None:
        super().__init__(text)
        self.code, self.key = code, key
