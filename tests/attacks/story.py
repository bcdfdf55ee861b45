"""Who there is for the matrix, and what happens to them before it begins: who may no longer, and who never might."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from tests.attacks.attacker import Line, Place
from tests.attacks.raw import Middle
from tests.attacks.stage import LOBBY, Stage
from tests.hostile.peers import wait_until

VAULT, GARDEN, NEWS, ATTIC = "vault", "garden", "news", "attic"
BANNED_ADDRESS = "127.0.0.3"
# Such as the broker's socket gives: one of another kind is refused.
CLERKS_ID = b"\0clrk"
_PEOPLE = (
    "owner", "friend", "honest", "member", "removed", "muted", "returned", "late", "banned", "machine", "rekeyed",
    "walker", "ghost",
)  # fmt: skip
_BROUGHT = ("friend", "removed", "muted", "returned", "banned", "machine", "rekeyed", "clerk", "ghost")
# Who is in the vault at the end.
_AT_THE_END = frozenset({"owner", "friend", "muted", "late", "returned", "clerk", "ghost", "machine", "renewed"})
# Who was in it when "early" was said, and in what followed.
_EARLY = _AT_THE_END - {"late"} | {"removed", "banned", "unlinked", "rekeyed"}
_BETWEEN = _EARLY - {"removed", "returned"}
# An invitation runs out while the rest happens.
_SHORT_MS = 300


@contextlib.contextmanager
def stage_in(folder: Path, mode: str) -> Iterator[Stage]:
    """A stage that is set, and cleared at the end whatever happens."""
    stage = Stage(folder, mode)
    try:
        stage.open()
        _people(stage)
        _open_rooms(stage)
        _scoped(stage)
        _vault(stage)
        _direct(stage)
        _numbers(stage)
        _invitations(stage)
        _downfalls(stage)
        stage.canaries.readers |= {VAULT: _AT_THE_END}
        stage.speak("owner", VAULT, "now")
        _record(stage)
        stage.noted = stage.stored()  # what was said before this, people have heard as long as they were there
        yield stage
    finally:
        stage.close()


def _people(stage: Stage) -> None:
    for name in _PEOPLE:
        stage.let_in(name)
    stage.let_in("clerk", routing=CLERKS_ID)
    stage.let_in("admin", role="admin")
    stage.actor("stranger")
    stage.hello("waiting", name="waiting")
    stage.notes["used code"] = stage.code("machine")
    stage.hello("unlinked", name="machine", link=stage.notes["used code"])


def _open_rooms(stage: Stage) -> None:
    stage.notes["once"] = secrets.token_hex(8)
    for room, names in ((GARDEN, ("muted", "removed")), (NEWS, ("muted", "member")), (ATTIC, ("muted", "member"))):
        stage.say("owner", type="create", room=room, once=stage.notes["once"])
        for name in names:
            stage.say(name, type="join", room=room)
    stage.say("owner", type="change", room=NEWS, read_only=True)
    stage.say("owner", type="change", room=ATTIC, archived=True)
    stage.say("owner", type="remove", room=GARDEN, user="removed")
    stage.say("owner", type="appoint", room=GARDEN, user="muted", role="muted")


def _scoped(stage: Stage) -> None:
    """Those whose scope is the garden are in it from the start."""
    stage.let_in("guest", role="guest", rooms=[GARDEN])
    stage.let_in("bot", role="bot", rooms=[GARDEN])
    stage.let_in("reader", role="bot", rooms=[GARDEN], post=False)


def _vault(stage: Stage) -> None:
    stage.canaries.readers |= {VAULT: frozenset({"owner"})}
    stage.say("owner", type="create", room=VAULT, kind="private", history="joined")
    stage.speak("owner", VAULT, "first")
    _bring(stage, *_BROUGHT)
    stage.canaries.readers |= {VAULT: _EARLY}
    stage.speak("owner", VAULT, "early")
    page = stage.say("owner", type="page", room=VAULT, after=stage.notes["before.early"], limit=1)
    stage.notes["point.early"] = [stage.notes["seq.early"], page["events"][0]["chain"]]
    for name in ("removed", "returned"):
        stage.say("owner", type="remove", room=VAULT, user=name, reason="They know why.")
    stage.canaries.readers |= {VAULT: _BETWEEN}
    stage.speak("owner", VAULT, "between")
    _bring(stage, "returned", "late")
    stage.say("owner", type="appoint", room=VAULT, user="muted", role="muted")


def _bring(stage: Stage, *names: str) -> None:
    for name in names:
        stage.say("owner", type="invite", room=VAULT, user=name)
        stage.say(name, type="join", room=VAULT)


def _direct(stage: Stage) -> None:
    room = stage.notes["direct"] = stage.say("owner", type="direct", people=["friend"])["room"]["id"]
    stage.canaries.readers |= {room: frozenset({"owner", "friend"})}
    stage.speak("friend", room)


def _numbers(stage: Stage) -> None:
    sender = stage.notes["sender.owner"]
    for n in (1, 2):
        posted = stage.say("owner", type="post", room=LOBBY, sender=sender, n=n, body={"text": f"{n}"})
    stage.notes["seq.lobby"] = posted["seq"]
    stage.notes["nonce"] = secrets.token_hex(16)


def _invitations(stage: Stage) -> None:
    now = int(time.time() * 1000)
    stage.notes["expired"] = stage.token(until=now + _SHORT_MS)
    stage.notes["used"] = stage.token()
    stage.hello("used", name="used", invite=stage.notes["used"])
    stage.notes["revoked"] = stage.token()
    stage.say("host", type="revoke", invitation=stage.notes["invited"])
    stage.token(note="for somebody who has not come")
    stage.notes["open invitation"] = stage.notes["invited"]
    wait_until(lambda: time.time() * 1000 > now + 2 * _SHORT_MS, "an invitation runs out")


def _downfalls(stage: Stage) -> None:
    stage.listen(("honest", "member", "removed", "banned", "unlinked", "rekeyed"))
    stage.say("host", type="ban", address=BANNED_ADDRESS)
    stage.notes["ban"] = stage.say("host", type="ban", user="banned", reason="They know why.")["of"]
    stage.say("machine", type="unlink", key=stage.actors["unlinked"].keys.public)
    stage.say("host", type="rekey", user="rekeyed", key=stage.actor("renewed").keys.public)
    stage.hello("renewed", name="rekeyed")


def _record(stage: Stage) -> None:
    """A connection of the friend's goes through somebody in the middle, who writes down every byte."""
    friend = stage.actors["friend"]
    with Middle(stage.posts.port) as middle:
        line = Line(stage.context, Place(middle.port, stage.posts.key), friend.keys, friend.ear)
        line.granted(stage.spoken(friend, {"type": "hello"}))
        line.granted({"type": "post", "room": VAULT, "body": {"text": stage.canaries.text(VAULT)}})
        line.close()
        stage.recorded = middle.sent
