"""A broker in a process of its own and the people around it: what they ask, what is stored, what leaks."""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq

from chat_broker.serving.admin import PLACE
from chat_broker.serving.keyfiles import ADMIN_KEY, BROKER_KEY
from chat_broker.store import FILE
from chat_core import messages as m
from chat_core import wire
from chat_core.keys import secret_in, token_digest
from tests.attacks.attacker import Ear, Keys, Line, Listener, Place, make_keys
from tests.attacks.canaries import Canaries
from tests.hostile.peers import PATIENCE_SECONDS, Context, wait_until
from tests.system.processes import BrokerProcess

Request = dict[str, Any]
LOBBY = "lobby"
# The feed has brought by then what was acknowledged, unless it is being bound anew.
PATIENT_MS = 60
# Newcomers wait for an admin's yes, nobody is thought to be gone, and what a beat would tell is told at once.
_SETTINGS = {
    "CHAT_ACCESS__JOIN": "approve",
    "CHAT_TIMING__GONE_SECONDS": "600",
    "CHAT_TIMING__BEAT_SECONDS": "0.02",
    "CHAT_TIMING__PRESENCE_SECONDS": "0.05",
}


@dataclass(frozen=True)
class Stored:
    """Rows of the kept state, and pieces of the log."""

    kept: set[tuple[str, str, bytes]]
    log: set[tuple[str, int, bytes]]

    def unlike(self, before: "Stored") -> list[m.Event]:
        """The events that have come, and those beside which something was changed."""
        return [event for _, _, events in self.log - before.log for event in wire.decode_events(events)]


class Actor:
    """Somebody with a key, a connection that was open before anything happened to them, and an ear."""

    def __init__(
        self, context: Context, posts: Place, name: str, keys: Keys | None = None, routing: bytes = b""
    ) -> None:
        self.name, self.keys, self.ear = name, keys or make_keys(), Ear()
        self.line = Line(context, posts, self.keys, self.ear, name=routing)
        self.feed: Listener | None = None

    def drain(self) -> None:
        """Hear what has come."""
        self.line.drain()
        if self.feed is not None:
            self.feed.drain()

    def close(self) -> None:
        """Leave without a word."""
        self.line.close()
        if self.feed is not None:
            self.feed.close()


class Stage:
    """See the module. `story` says who there is and what happens to them."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.mode, self.broker = mode, BrokerProcess(folder, "--security", mode)
        self.broker.environment = {**os.environ, **_SETTINGS}
        self.context: Context = zmq.Context()
        self.actors: dict[str, Actor] = {}
        self.canaries = Canaries()
        self.noted = Stored(set(), set())  # events whose chains are among the canaries, if they have to be
        self.notes: dict[str, Any] = {}  # ids, tokens and numbers, by the words of the matrix
        self.tokens: list[str] = []  # of invitations, and one-time codes
        self.said = set[str]()  # by those who may, while others try
        self.recorded = b""  # what one of the people sent on a connection, as it went over the line

    def open(self) -> None:
        """Start the broker."""
        self.broker.start()
        file = f"{(self.broker.data / FILE).absolute().as_uri()}?mode=ro"
        self._sql = sqlite3.connect(file, uri=True, timeout=PATIENCE_SECONDS)
        ready = self.broker.ready
        server = ready["key"] if self.mode == "curve" else ""
        self.posts, self.feed = Place(ready["posts"], server), Place(ready["feed"], server)
        self.door = Place(ready["door"])
        own, broker = (self._keys_in(name) for name in (ADMIN_KEY, BROKER_KEY))
        port = (self.broker.data / PLACE).read_text().splitlines()[0]
        self.admin = Place(int(port), broker.public)
        self.actors["host"] = Actor(self.context, self.admin, "host", own)

    def close(self) -> None:
        """Everybody leaves, and the broker stops."""
        for actor in self.actors.values():
            actor.close()
        self._sql.close()
        self.context.destroy(0)
        self.broker.close()

    def _keys_in(self, file: str) -> Keys:
        secret = secret_in((self.broker.data / file).read_text())
        assert secret is not None
        return Keys(zmq.curve_public(secret.encode()).decode(), secret)

    # ---- people

    def actor(self, name: str, routing: bytes = b"") -> Actor:
        """Somebody whom nobody knows yet."""
        assert name not in self.actors
        actor = self.actors[name] = Actor(self.context, self.posts, name, routing=routing)
        self.notes[f"sender.{name}"] = secrets.token_hex(8)
        return actor

    def somebody(self, name: str) -> Actor:
        """One of the people, or somebody new of that name."""
        return self.actors[name] if name in self.actors else self.actor(name)

    def part_from(self, name: str) -> None:
        """Whoever has that name leaves, if there is one."""
        if name in self.actors:
            self.actors.pop(name).close()

    def let_in(self, name: str, routing: bytes = b"", **invitation: Any) -> None:
        """Somebody new comes with an invitation."""
        self.actor(name, routing)
        self.hello(name, name=name, invite=self.token(**invitation))

    def token(self, **invitation: Any) -> str:
        """Of a new invitation."""
        token = self._fresh_token()
        made = self.say("host", **{"type": "invitation", "digest": token_digest(token), **invitation})
        self.notes["invited"] = made["of"]
        return token

    def code(self, of: str = "walker") -> str:
        """With which another machine of a user may say hello."""
        code = self._fresh_token()
        self.say(of, type="link", digest=token_digest(code))
        return code

    def _fresh_token(self) -> str:
        self.tokens.append(secrets.token_urlsafe(16))
        return self.tokens[-1]

    def hello(self, name: str, /, **fields: Any) -> None:
        """Say hello, and be let in or have to wait."""
        self.notes[f"id.{name}"] = self.say(name, type="hello", **fields)["user"]

    def listen(self, names: Iterable[str]) -> None:
        """These people open the feed, all of it, while they may hear it."""
        for name in names:
            actor = self.actors[name]
            actor.feed = Listener(self.context, self.feed, actor.keys, actor.ear, [b""])
            assert actor.feed.met() == "up"

    # ---- doing

    def say(self, who: str, /, **request: Any) -> Request:
        """Somebody asks what must be granted."""
        actor = self.somebody(who)
        return actor.line.granted(self.spoken(actor, request))

    def spoken(self, actor: Actor, request: Request) -> Request:
        """In open mode a hello claims a key, which under CURVE the connection proves."""
        if self.mode == "open" and request.get("type") == "hello" and actor.name != "host":
            return {"key": actor.keys.public, **request}
        return request

    def speak(self, who: str, room: str, called: str = "") -> str:
        """Somebody says a secret in a room; returns it. ``called``: what it is in the words of the matrix."""
        text = self.canaries.text(room)
        self.said.add(text)
        posted = self.say(who, type="post", room=room, body={"text": text})
        if called:
            self.notes |= {
                f"text.{called}": text,
                f"seq.{called}": posted["seq"],
                f"before.{called}": posted["seq"] - 1,
            }
        return text

    def talk(self) -> None:
        """The honest one says something in the lobby, has it acknowledged and hears it."""
        honest, text = self.actors["honest"], f"still here {secrets.token_hex(4)}"
        self.said.add(text)
        feed = honest.feed
        assert feed is not None

        def heard() -> bool:
            honest.line.granted({"type": "post", "room": LOBBY, "body": {"text": text}})
            return feed.hears(text, PATIENT_MS)  # not if a ban has closed the feed for a moment

        wait_until(heard, "the honest one is not heard")

    # ---- looking

    def stored(self) -> Stored:
        """All that must not change by an attempt."""
        return Stored(
            set(self._sql.execute("SELECT tab, key, value FROM kept")),
            set(self._sql.execute("SELECT room, first, events FROM log")),
        )

    def leaks(self) -> list[str]:
        """What somebody has heard that they may not hear."""
        stored = self.stored()
        for event in stored.unlike(self.noted):
            self.canaries.keep(event.chain, event.room)
        self.noted = stored
        for actor in self.actors.values():
            actor.drain()
        return [
            f"{actor.name} has heard what was said in {secret.room}: {secret.text!r}"
            for actor in self.actors.values()
            for secret in self.canaries.leaks(actor.name, actor.ear)
        ]

    def in_the_log(self) -> list[str]:
        """Secrets that stand in what the broker has printed and logged."""
        log = self.broker.log()
        kept = [secret_in((self.broker.data / name).read_text()) or "" for name in (ADMIN_KEY, BROKER_KEY)]
        texts = [secret.text.decode() for secret in self.canaries.secrets.values()]
        return [secret for secret in (*self.tokens, *kept, *texts) if secret in log]


def told(reply: Request, word: str) -> str:
    """The answer in a word of the matrix: its refusal's code, or else whether it tells something, or its type."""
    if reply["type"] == "refused":
        return str(reply["code"])
    if word:
        return "told" if word in json.dumps(reply) else "untold"
    return str(reply["type"])
