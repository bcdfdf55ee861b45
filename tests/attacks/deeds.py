"""How the attempts of the matrix are made: each on a connection of another kind, and what is to be said of it."""

import secrets
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from tests.attacks.attacker import (
    CLOSED,
    GRACE_MS,
    NOT_LET_IN,
    SILENCE,
    TRY_LATER,
    UP,
    Keys,
    Line,
    Listener,
    Place,
    make_keys,
)
from tests.attacks.raw import Middle, blurt, frames_of, without_handshake
from tests.attacks.stage import LOBBY, Actor, Request, Stage, told
from tests.attacks.story import BANNED_ADDRESS, CLERKS_ID
from tests.hostile.cases import ask as encoded

Deed = Callable[[Stage, Actor, Request, str], str]
HEARD, NOTHING_HEARD = "heard", "nothing heard"
# Whoever has not heard anything by then on a feed that brings others everything.
_DEAF_SECONDS = 1.5
# A feed that was closed is open again by then, if it will be.
_BACK_SECONDS = 0.4
_TRIES = 20
_GUESSES = 20
_GIVEN = count(100, _GUESSES)


# ---- a request on a line -------------------------------------------------------------------------------------------


def ask_on(stage: Stage, line: Line, request: Request, word: str) -> str:
    """What is answered; silence, if nothing is while others are answered."""
    return _answer(stage, line, line.request(request), word)


def _answer(stage: Stage, line: Line, number: int, word: str) -> str:
    reply = line.answer(number, GRACE_MS)
    if reply is None:
        stage.talk()
        stage.talk()
        reply = line.answer(number, GRACE_MS)
    if reply is not None:
        return told(reply, word)
    state = line.state()
    return SILENCE if state in (UP, "") else state


def own(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """On the connection that was open before anything happened to them."""
    return ask_on(stage, actor.line, request, word)


def _on_another(
    stage: Stage, actor: Actor, place: Place, keys: Keys | None, request: Request, word: str, **more: Any
) -> str:
    line = Line(stage.context, place, keys, actor.ear, **more)
    try:
        state = line.met()
        if state != UP:
            return state
        return ask_on(stage, line, stage.spoken(actor, request), word)
    finally:
        line.close()


def anew(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """On a new connection, without a word before it."""
    return _on_another(stage, actor, stage.posts, actor.keys, request, word)


def from_a_banned_address(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """With one's own key, from an address that is banned."""
    return _on_another(stage, actor, stage.posts, actor.keys, request, word, source=BANNED_ADDRESS)


def without_a_key(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """Not encrypted, to a port that is."""
    return _on_another(stage, actor, Place(stage.posts.port), None, request, word)


def with_another_brokers_key(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """Encrypted for somebody who is not this broker."""
    return _on_another(stage, actor, Place(stage.posts.port, make_keys().public), actor.keys, request, word)


def at_the_admins_socket(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """Where the admin key is asked for."""
    return _on_another(stage, actor, stage.admin, actor.keys, request, word)


def at_the_admins_socket_without_a_key(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """There, and not encrypted."""
    return _on_another(stage, actor, Place(stage.admin.port), None, request, word)


def at_the_door(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """Where one question is answered."""
    return _on_another(stage, actor, stage.door, None, request, word)


def in_two_frames(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """Behind it a second frame, which might pass for the identity of the next message's sender."""
    actor.line.send(encoded(request["type"], **request), CLERKS_ID)
    return _answer(stage, actor.line, 0, word)


# ---- routing ids ---------------------------------------------------------------------------------------------------


def with_a_live_ones_id(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """On a connection that calls itself like that of somebody who is there."""
    return _on_another(stage, actor, stage.posts, actor.keys, request, word, name=CLERKS_ID)


def with_an_id_of_ones_own(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """On a connection that has a name, which somebody else may have later."""
    line = Line(stage.context, stage.posts, actor.keys, actor.ear, name=b"the window")
    try:
        state = line.met()
        if state != UP:
            return state
        line.request(stage.spoken(actor, request))
        return _answer(stage, line, 0, word)
    finally:
        line.close()


def with_a_dead_ones_id(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """On a connection that calls itself like that of somebody who went without a word."""
    routing = _let_ghost_die(stage)
    for _ in range(_TRIES):  # whoever comes before the broker has noticed is never heard
        came = _on_another(stage, actor, stage.posts, actor.keys, request, word, name=routing)
        if came != SILENCE:
            break
    return came


def _let_ghost_die(stage: Stage) -> bytes:
    """The ghost says hello and is switched off; returns the routing id that is known of that connection."""
    ghost, routing = stage.actors["ghost"], _automatic(secrets.randbits(32))
    line = Line(stage.context, stage.posts, ghost.keys, ghost.ear, name=routing)
    line.granted(stage.spoken(ghost, {"type": "hello"}))
    line.close()
    return routing


def _automatic(number: int) -> bytes:
    """An id such as the broker's socket gives."""
    return b"\0" + number.to_bytes(4, "big")


def with_the_next_ids(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """On connections that call themselves as libzmq will call the next ones, if nobody has seeded its dice."""
    given = next(_GIVEN)  # they are counted on; so many had been given by now
    guessed = [first + given + step for first in (0x6B8B4567, 0xE43C9869) for step in range(_GUESSES)]
    lines = [Line(stage.context, stage.posts, actor.keys, actor.ear, name=_automatic(number)) for number in guessed]
    try:
        states = {line.met() for line in lines}
        for _ in range(_GUESSES):
            _on_another(stage, stage.actors["honest"], stage.posts, stage.actors["honest"].keys, {"type": "bye"}, "")
        return states.pop() if states != {UP} else ask_on(stage, lines[0], request, word)
    finally:
        for line in lines:
            line.close()


# ---- bytes ---------------------------------------------------------------------------------------------------------


def _blurted(stage: Stage, actor: Actor, sent: bytes) -> str:
    ended, received = blurt(stage.posts.port, sent)
    actor.ear.heard.append(received)
    return ended


def replaying_a_connection(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """All that was recorded of a friend's connection, once more."""
    return _blurted(stage, actor, stage.recorded)


def replaying_frames(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """A friend's recorded messages, in an encrypted connection of one's own."""
    return _slipped_in(stage, actor, frames_of(stage.recorded)[-1])


def _slipped_in(stage: Stage, actor: Actor, recorded: bytes) -> str:
    with Middle(stage.posts.port) as middle:
        line = Line(stage.context, Place(middle.port, stage.posts.key), actor.keys, actor.ear)
        try:
            if (state := line.met()) != UP:
                return state
            middle.slip_in(recorded)
            return CLOSED if middle.broken.wait(5.0) else SILENCE
        finally:
            line.close()


def repeating_ones_frames(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """One's own encrypted message, sent on by somebody in the middle a second time."""
    with Middle(stage.posts.port) as middle:
        line = Line(stage.context, Place(middle.port, stage.posts.key), actor.keys, actor.ear)
        try:
            if (state := line.met()) != UP:
                return state
            ask_on(stage, line, {"type": "bye"}, "")
            middle.slip_in(frames_of(middle.sent)[-1])
            return CLOSED if middle.broken.wait(5.0) else SILENCE
        finally:
            line.close()


def raw(mechanism: bytes) -> Deed:
    """On a connection that names a mechanism and then speaks in clear."""

    def deed(stage: Stage, actor: Actor, request: Request, word: str) -> str:
        return _blurted(stage, actor, without_handshake(mechanism, b"DEALER", encoded(request["type"], **request)))

    return deed


# ---- hearing -------------------------------------------------------------------------------------------------------


def hearing_the_feed(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """A feed of one's own; ``topics``, after XSUB messages ``junk``: does it bring what ``by`` says in ``room``?"""
    topics = [topic.encode() * request.get("times", 1) for topic in request["topics"]]
    junk = [bytes.fromhex(one) for one in request["junk"]] if "junk" in request else None
    feed = Listener(stage.context, stage.feed, actor.keys, actor.ear, topics, junk)
    try:
        return _heard_on(stage, actor, feed, request) if (state := feed.met()) == UP else state
    finally:
        feed.close()


def hearing_the_feed_without_a_key(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """A feed that is not encrypted, from a port that is."""
    feed = Listener(stage.context, Place(stage.feed.port), None, actor.ear, [b""], None)
    try:
        return feed.met()
    finally:
        feed.close()


def hearing_the_old_feed(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """The feed that was open before anything happened to them."""
    assert actor.feed is not None
    return _heard_on(stage, actor, actor.feed, request)


def hearing_ones_line(stage: Stage, actor: Actor, request: Request, word: str) -> str:
    """The connection that was open before: what comes to it unasked."""
    return _heard_on(stage, actor, actor.line, request)


def _heard_on(stage: Stage, actor: Actor, plug: Line | Listener, request: Request) -> str:
    if isinstance(plug, Listener) and (state := _is_live(stage, plug)):
        return state
    text = _said(stage, request).encode()
    stage.talk()
    if isinstance(plug, Listener) and (state := _is_live(stage, plug)):
        return state
    plug.receive(GRACE_MS)
    plug.drain()
    return HEARD if any(text in heard for heard in actor.ear.heard) else NOTHING_HEARD


def _said(stage: Stage, request: Request) -> str:
    room = request["room"]
    if room != LOBBY:
        return stage.speak(request["by"], room)
    text = f"for everybody {secrets.token_hex(8)}"
    stage.said.add(text)
    stage.say("honest", type="post", room=LOBBY, body={"text": text})
    return text


def _is_live(stage: Stage, feed: Listener) -> str:
    """Wait until a marker comes on the feed, so that what was said before has come or does not come at all; "" if so,
    else what became of the connection."""
    nonce = secrets.token_hex(16)
    feed.subscribe(b"~" + nonce.encode())
    began = time.monotonic()
    while (waited := time.monotonic() - began) < _DEAF_SECONDS:
        stage.say("honest", type="marker", nonce=nonce)
        if feed.hears(nonce, GRACE_MS):
            return ""
        state = feed.state()
        if state in (NOT_LET_IN, TRY_LATER) or (state == CLOSED and waited > _BACK_SECONDS):
            return state
    return NOTHING_HEARD


HOW: dict[str, Deed] = {
    "own": own,
    "anew": anew,
    "from a banned address": from_a_banned_address,
    "without a key": without_a_key,
    "with another broker's key": with_another_brokers_key,
    "at the admin's socket": at_the_admins_socket,
    "at the admin's socket, without a key": at_the_admins_socket_without_a_key,
    "at the door": at_the_door,
    "in two frames": in_two_frames,
    "with a live one's id": with_a_live_ones_id,
    "with a dead one's id": with_a_dead_ones_id,
    "with an id of one's own": with_an_id_of_ones_own,
    "with the next ids": with_the_next_ids,
    "replaying a connection": replaying_a_connection,
    "replaying frames": replaying_frames,
    "repeating one's frames": repeating_ones_frames,
    "raw NULL": raw(b"NULL"),
    "raw PLAIN": raw(b"PLAIN"),
    "raw CURVE": raw(b"CURVE"),
    "hearing the feed": hearing_the_feed,
    "hearing the feed without a key": hearing_the_feed_without_a_key,
    "hearing the old feed": hearing_the_old_feed,
    "hearing one's line": hearing_ones_line,
}
