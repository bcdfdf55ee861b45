"""The client's session and model by themselves: frames of the feed in, the window's state out. No sockets."""

import random
import time

from msgspec import Raw

from benchmarks.figures import Figure
from benchmarks.scale import Scale
from benchmarks.servers import sender_of, text_of
from chat_client import effects
from chat_client.meeting import OPEN
from chat_client.model import orders
from chat_client.model.chat import Chat
from chat_client.model.moment import Moment
from chat_client.session import Session
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of

EVENTS, EVENTS_A_SECOND, BATCH, AUTHORS = 100_000, 100_000, 50, 10
EMPTY: m.Head = (0, START)


def measure(scale: Scale) -> list[Figure]:
    """A fresh session and a fresh model in each round."""
    events = scale.of(EVENTS)
    frames = feed(events)
    both, session_only = [], []
    for _ in range(scale.rounds):
        heard, applied = _fold(frames, events)
        both.append(events / (heard + applied))
        session_only.append(heard / events * 1e6)
    return [
        Figure("events", "/s of CPU", both, least=EVENTS_A_SECOND),
        Figure("the session's part of an event", "µs", session_only),
        Figure("the model's part of an event", "µs", [1e6 / a - b for a, b in zip(both, session_only, strict=True)]),
    ]


def feed(count: int) -> list[bytes]:
    """The lobby's log as it comes in on the feed, from its first event on."""
    events, chain = [], START
    for seq in range(1, count + 1):
        author = seq % AUTHORS
        sender, n, user, name = sender_of(author), seq // AUTHORS + 1, f"u{author + 2}", f"person {author}"
        chain = chain_of(chain, "lobby", seq, 1000 + seq, user, name, sender, n, "message")
        body = Raw(wire.encode(m.Message(text_of(sender, n))))
        event = m.Event("lobby", seq, 1000 + seq, user, name, "message", chain, sender, n, body=body)
        events.append(wire.encode(event))
    batches = [events[first : first + BATCH] for first in range(0, count, BATCH)]
    return [wire.feed_frame("room/lobby", wire.join_events(batch)) for batch in batches]


def _fold(frames: list[bytes], events: int) -> tuple[float, float]:
    """Returns the seconds of a processor that session and model took."""
    lobby = m.RoomInfo("lobby", "lobby", EMPTY, mine=True)
    welcome = m.Welcome(1, 1, "u1", "Ann", "40e0", "b0", "e0", 5556, rooms=[lobby])
    session, chat, at = live_session(welcome), looking_chat(welcome), Moment(10.0, 1_700_000_000_000)
    generation, taken = session.feed.generation, []
    begun = time.process_time()
    for frame in frames:
        session.heard(generation, frame, 10.0)
        taken += session.take()
    between = time.process_time()
    for effect in taken:
        chat.apply(effect, at)
        chat.tick(at)
        chat.take()
    ended = time.process_time()
    room = chat.rooms["lobby"]
    assert room.have == session.rooms["lobby"].have == events, f"{room.have} of {events}"
    assert room.lines[-1].text == text_of(sender_of(events % AUTHORS), events // AUTHORS + 1)
    return between - begun, ended - between


def live_session(welcome: m.Welcome) -> Session:
    """One that follows the lobby from its beginning, and whose subscriptions are proven."""
    session = Session("k" * 40, "Ann", dice=random.Random(1), watch=True, pin=OPEN)
    session.follow("lobby")
    session.start(1.0)
    (hello,) = _requests(session)
    session.replied(session.posts.generation, wire.encode(m.Welcome(hello.id, *_fields(welcome))), 1.0)
    for request in _requests(session):
        if isinstance(request, m.Marker):
            mark = wire.encode(m.Mark(request.id, "b0", 1))
            session.heard(session.feed.generation, wire.feed_frame("~" + request.nonce, mark), 1.0)
            marked = m.Marked(request.id, "b0", 1, "e0", {"lobby": EMPTY})
            session.replied(session.posts.generation, wire.encode(marked), 1.0)
    session.take()
    assert session.barrier is None
    return session


def looking_chat(welcome: m.Welcome) -> Chat:
    """A window's state, in the lobby, before its first event."""
    chat, at = Chat("chat://desk", "Ann", once=lambda: "0" * 16), Moment(10.0, 1_700_000_000_000)
    for news in (orders.Opened("", "", "", "", [], []), effects.Welcomed(welcome), effects.Status("live", "connected")):
        chat.apply(news, at)
    chat.take()
    assert chat.rooms["lobby"].following
    return chat


def _fields(welcome: m.Welcome) -> tuple[object, ...]:
    return tuple(getattr(welcome, name) for name in welcome.__struct_fields__[1:])


def _requests(session: Session) -> list[m.AnyRequest]:
    return [wire.decode_request(effect.payload) for effect in session.take() if isinstance(effect, effects.Send)]
