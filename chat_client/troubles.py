"""Why nobody lets us in, in plain words: what each kind of trouble means, and what to do. The only place for that."""

from chat_core import messages as m
from chat_core.keys import fingerprint
from chat_core.said import until_and_why

# Trying on will not help by itself: somebody has to do something.
LASTING = frozenset({"key_changed", "open_now", "curve_now", "version", "banned", "identity"})
# It may be over in a moment.
PASSING = frozenset({"nobody", "blocked", "crowded"})
# Something is at the address, and it is not the broker that was expected there.
UNTRUSTED = frozenset({"key_changed", "open_now", "curve_now"})

# What is known of brokers belongs to an identity.
_FORGET = "python -m chat_client forget {where} (with your --name or --identity)"
# code -> the sentences; {key} is the fingerprint of the key that the door tells.
SENTENCES = {
    "key_changed": (
        "The key of the broker at {where} is not the one it had, or not the join string's: its fingerprint is {key} "
        "now. Either the broker was set up anew, or another computer poses as it. If you know that it was set up anew: "
        + _FORGET + ", then join again and compare the fingerprint."
    ),
    "open_now": (
        "The broker at {where} encrypted what it sent, and does not any more. Either its owner has changed that, or "
        "another computer poses as it. If you know that it was changed: " + _FORGET + ", then join again."
    ),
    "curve_now": (
        "The broker at {where} encrypts now, which it did not before; the fingerprint of its key is {key}. That is "
        "usually good news: " + _FORGET + ", then join again and compare the fingerprint."
    ),
    "version": (
        "The broker at {where} and this program are of versions that do not fit together: bring the older of them up "
        "to date."
    ),
    "stranger": (
        "What answers at {where} does not speak as a broker does: another program has the port, or the broker hangs. "
        "Are address and port right?"
    ),
    "blocked": (
        "The broker at {where} is there, but this port of it cannot be reached: a firewall between here and there may "
        "block it."
    ),
    "banned": "The broker at {where} does not let you in: your key or this computer's address is banned there.",
    "crowded": "The broker at {where} has too many connections from this computer's address; trying again soon.",
    "nobody": "No broker answers at {where}: is it running, and are address and port right?",
    "identity": (
        "The secret key in your identity folder cannot be read any more, so there is no encrypted connection to "
        "{where}: put a copy of it back, or see that this program may read it."
    ),
}  # fmt: skip


def forget_command(where: str) -> str:
    """What makes what is known of a broker be forgotten."""
    return _FORGET.format(where=where)


def sentence(code: str, where: str, answer: m.Answer | None = None) -> str:
    """What is wrong at this address, and what to do about it."""
    key = fingerprint(answer.key) if answer is not None and answer.key else ""
    return SENTENCES[code].format(where=where, key=key)


# Notices that are the last which a connection hears -> what was done.
LAST_WORDS = {"banned": "{by} banned you from the chat at {where}", "rejected": "{by} did not let you in at {where}"}


def last_word(notice: m.Notice, where: str) -> str:
    """Why the broker does not let us in any more, as it told us itself."""
    done = LAST_WORDS[notice.kind].format(by=notice.by, where=where)
    return f"{done}{until_and_why(notice.until, notice.reason)}."


def without_command(text: str, where: str) -> str:
    """The sentences where no command line is at hand, but a button that does the same."""
    return text.replace(forget_command(where), "forget what is known of it")


def unconfirmed(where: str, answer: m.Answer, wanted: str = "") -> str:
    """Why a broker that was met for the first time is not trusted without somebody's word. ``wanted``: the fingerprint
    that was expected."""
    if answer.security == "open":
        return (
            f"The broker at {where} does not encrypt: everybody on the network can read along, and write under any "
            "name. If that is meant to be so: --security open."
        )
    shown = fingerprint(answer.key)
    if wanted:
        return f"The broker at {where} has the key {shown}, not {wanted}: it is not the broker that was meant."
    return (
        f"Nobody has confirmed yet that the broker at {where} is the right one. The fingerprint of its key is {shown}: "
        f"compare it with the one that the broker shows when it starts, and give it as --accept-key {shown}, or use "
        "the broker's join string."
    )
