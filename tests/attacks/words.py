"""What the words of the matrix stand for, those that begin with $."""

import secrets
from collections.abc import Callable
from typing import Any

from tests.attacks.attacker import make_keys
from tests.attacks.stage import LOBBY, Request, Stage


def filled(stage: Stage, value: Any, who: str, room: str = LOBBY) -> Any:
    """A value of the matrix, with what its words mean when ``who`` says it in ``room``."""
    if isinstance(value, dict):
        room = filled(stage, value.get("room", room), who)
        return {key: filled(stage, one, who, room) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(stage, one, who, room) for one in value]
    if isinstance(value, str) and value.startswith("$"):
        return _meaning(stage, value[1:], who, room)
    return value


def step(stage: Stage, request: Request) -> None:
    """What must be granted before or after an attempt; what it made is then ``$made``. ``feed``: somebody opens it."""
    who = request["as"]
    if "feed" in request:
        stage.listen((who,))
        return
    asked = filled(stage, {key: value for key, value in request.items() if key != "as"}, who)
    reply = stage.say(who, **asked)
    stage.notes["made"] = reply.get("of") or reply.get("seq")


def _meaning(stage: Stage, word: str, who: str, room: str) -> Any:
    if word in stage.notes:
        return stage.notes[word]
    kind, _, what = word.partition(".")
    meanings: dict[str, Callable[[], Any]] = {
        "me": lambda: who,
        "key": lambda: stage.actors[what].keys.public,
        "reply": lambda: f'"seq": {stage.notes[f"seq.{what}"]}',
        "secret": lambda: stage.canaries.text(room),
        "fresh": lambda: secrets.token_hex(16),
        "new name": lambda: _new_name(stage),
        "new key": lambda: make_keys().public,
        "invitation": stage.token,
        "code": stage.code,
    }
    return meanings[kind]()


def _new_name(stage: Stage) -> str:
    name = f"new-{secrets.token_hex(4)}"
    stage.notes["newcomer"] = name
    return name
