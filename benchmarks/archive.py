"""Databases with much in them, made by the broker's own rules and store, without a network."""

from pathlib import Path

from msgspec import Raw

from benchmarks.servers import hello, sender_of, text_of
from chat_broker.hub import Hub
from chat_broker.store import Store
from chat_broker.tables import Tables
from chat_broker.turn import Facts
from chat_core import messages as m
from chat_core import wire

PEOPLE, BATCH = 10, 100


def fill(data: Path, messages: int) -> None:
    """So many messages in the lobby, by ten people."""
    data.mkdir(parents=True, exist_ok=True)
    store, tables = Store(data), Tables()
    hub = Hub(tables, store, Facts(store.home, "0" * 16, store.epoch, salt=store.salt), *store.load(tables))
    peers = [str(place).encode() for place in range(PEOPLE)]
    _batch(hub, store, [(peer, wire.decode_request(hello(place))) for place, peer in enumerate(peers)])
    for first in range(0, messages, BATCH):
        posts = range(first, min(first + BATCH, messages))
        _batch(hub, store, [(peers[i % PEOPLE], _post(i % PEOPLE, i // PEOPLE + 1)) for i in posts])
    store.close()


def _post(place: int, n: int) -> m.Post:
    sender = sender_of(place)
    return m.Post(1, "lobby", "message", Raw(wire.encode(m.Message(text_of(sender, n)))), sender, n)


def _batch(hub: Hub, store: Store, requests: list[tuple[bytes, m.AnyRequest]]) -> None:
    turn = hub.begin(hub.time + 1000, 0.0)
    if not hub.commit:
        hub.open_lobby(turn)
    for peer, request in requests:
        hub.decide(turn, peer, request)
    store.commit(turn.batch)
    replies, _ = hub.finish(turn)
    assert not [reply for _, reply in replies if isinstance(reply, m.Refused)], "the rules refuse it"
