"""A newcomer reads 100,000 events of history with the client library, from the first event on."""

import tempfile
from pathlib import Path

from benchmarks.archive import fill
from benchmarks.figures import Figure
from benchmarks.meters import Meter
from benchmarks.scale import Scale
from benchmarks.servers import text_of
from chat_client import effects
from chat_client.client import Client
from chat_client.identity import open_identity
from chat_core import messages as m
from chat_core import wire
from chat_core.address import parse_address
from tests.system.processes import BrokerProcess

EVENTS, EVENTS_A_SECOND = 100_000, 50_000


def measure(scale: Scale) -> list[Figure]:
    """A fresh client in each round."""
    events = scale.of(EVENTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder / "data", events)
        broker = BrokerProcess(folder).start()
        try:
            spent = [_read(broker, folder / f"reader {i}", events) for i in range(scale.rounds)]
        finally:
            broker.close()
    return [
        Figure("events", "/s", [events / one.wall for one in spent], least=EVENTS_A_SECOND),
        Figure("the broker's CPU for an event", "µs", [one.cpu / events * 1e6 for one in spent]),
        Figure("the client's CPU for an event", "µs", [one.own / events * 1e6 for one in spent]),
    ]


def _read(broker: BrokerProcess, folder: Path, events: int) -> Meter:
    """Follow the lobby from its beginning; every event is checked afterwards."""
    told: list[m.Event] = []
    with Client(parse_address(broker.address), open_identity(folder), name=folder.name) as client:
        client.connect(10)
        with Meter(broker.ready["pid"]) as spent:
            client.follow("lobby")
            while len(told) < events:
                news = client.next(10)
                assert news is not None, f"only {len(told)} events came"
                if isinstance(news, effects.Arrived):
                    told += news.events
    assert [event.seq for event in told] == list(range(1, len(told) + 1))
    said = [event for event in told if event.kind == "message"]
    assert len(said) >= events - 100
    for event in said:
        assert wire.decode_message(event.body).text == text_of(event.sender, event.n)
    return spent
