"""A broker that encrypts, and who gets into it: by plain pyzmq, over TCP."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from chat_broker import hub
from chat_broker.serving.keyfiles import KeyPair
from chat_broker.tables import BanRecord
from chat_broker.turn import Turn
from chat_core import keys, wire
from chat_core import messages as m
from tests.hostile.peers import wait_until
from tests.system.curve import SILENCE_MS, Context, Line, new_key
from tests.system.inproc import Bench, Served, bench_in, served
from tests.system.processes import BrokerProcess

pytestmark = pytest.mark.real

# Marker topics are the longest that there are.
NONCE = "0123456789abcdef" * 2


class Visitor:
    """Somebody with a key at a broker in a thread."""

    def __init__(self, context: Context, broker: Served, key: KeyPair | None = None) -> None:
        self.key = key or new_key()
        self._context, self._broker = context, broker
        self._lines: list[Line] = []

    def posts(self, routing_id: bytes = b"", server: str = "") -> Line:
        """A line to posts."""
        return self._line(zmq.DEALER, self._broker.sockets.ports[0], routing_id, server)

    def feed(self) -> Line:
        """A line to the feed, which subscribes to everything."""
        return self._line(zmq.SUB, self._broker.sockets.ports[1])

    def admin(self) -> Line:
        """A line to the admin's socket."""
        return self._line(zmq.DEALER, self._broker.sockets.admin_port)

    def plain(self, kind: int, place: int, routing_id: bytes = b"") -> Line:
        """A line without encryption, to a socket by its place; the admin's is 3."""
        port = (*self._broker.sockets.ports, self._broker.sockets.admin_port)[place]
        return self._kept(Line(self._context, kind, port, routing_id).connected())

    def hello(self, name: str, claimed: str = "") -> Line:
        """A line on which they were let in."""
        line = self.posts()
        welcome = line.ask(m.Hello(1, name=name, key=claimed))
        assert isinstance(welcome, m.Welcome), welcome
        return line

    def close(self) -> None:
        for line in self._lines:
            line.close()

    def _line(self, kind: int, port: int, routing_id: bytes = b"", server: str = "") -> Line:
        line = Line(self._context, kind, port, routing_id)
        return self._kept(line.locked(self.key, server or self._broker.keyring.broker.public).connected())

    def _kept(self, line: Line) -> Line:
        self._lines.append(line)
        return line


class House:
    """A broker that encrypts, and its visitors."""

    def __init__(self, context: Context, broker: Served) -> None:
        self.broker, self._context = broker, context
        self._visitors: list[Visitor] = []

    def visitor(self, key: KeyPair | None = None) -> Visitor:
        self._visitors.append(Visitor(self._context, self.broker, key))
        return self._visitors[-1]

    def admin(self) -> Visitor:
        return self.visitor(self.broker.keyring.admin)

    def close(self) -> None:
        for visitor in self._visitors:
            visitor.close()


def open_house(folder: Path, encrypted: bool) -> Iterator[House]:
    context: Context = zmq.Context()
    with served(folder, encrypted=encrypted) as broker:
        house = House(context, broker)
        yield house
        house.close()
    context.term()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from open_house(tmp_path, True)


@pytest.fixture
def open_mode(tmp_path: Path) -> Iterator[House]:
    yield from open_house(tmp_path, False)


# ---- keys ------------------------------------------------------------------------------------------------------


def test_the_proved_key_counts_and_not_the_one_that_is_claimed(house: House) -> None:
    ann, eve = house.visitor(), house.visitor()
    ann.hello("Ann")
    eves = eve.posts()
    refused = eves.ask(m.Hello(1, name="Ann", key=ann.key.public))
    assert isinstance(refused, m.Refused)
    assert refused.code == "name_taken"
    assert eves.ask(m.Hello(2, name="Eve", key=ann.key.public)).user == "u2"
    assert ann.posts().ask(m.Hello(1)).name == "Ann"


def test_a_key_of_open_mode_is_the_same_user_once_it_is_proved(tmp_path: Path) -> None:
    key = new_key()
    for encrypted in (False, True):
        for house in open_house(tmp_path, encrypted):
            visitor = house.visitor(key)
            line = visitor.posts() if encrypted else visitor.plain(zmq.DEALER, 0)
            welcome = line.ask(m.Hello(1, name="Ann", key=key.public))
            assert (welcome.user, welcome.name) == ("u1", "Ann")


def test_who_was_let_in_hears_the_feed_with_the_longest_topic(house: House) -> None:
    ann = house.visitor()
    line, feed = ann.hello("Ann"), ann.feed()
    feed.socket.setsockopt(zmq.UNSUBSCRIBE, b"")
    feed.socket.setsockopt(zmq.SUBSCRIBE, wire.topic_filter("room/" + "x" * 130))
    feed.socket.setsockopt(zmq.SUBSCRIBE, wire.topic_filter(wire.MARKER_TOPIC + NONCE))
    assert feed.fate() == "let in"

    def heard() -> bool:
        line.ask(m.Marker(2, NONCE))
        return feed.hears(50)

    wait_until(heard, "the marker")


def test_a_key_that_never_said_hello_is_refused_at_the_feed(house: House) -> None:
    house.visitor().hello("Ann")
    stranger = house.visitor()
    feed = stranger.feed()
    assert feed.fate() == "refused 400"
    assert not feed.hears(SILENCE_MS)
    stranger.hello("Sue")
    assert stranger.feed().fate() == "let in"


@pytest.mark.parametrize(("kind", "place"), [(zmq.DEALER, 0), (zmq.SUB, 1), (zmq.DEALER, 3)])
def test_without_encryption_nobody_comes_in(house: House, kind: int, place: int) -> None:
    line = house.visitor().plain(kind, place)
    if kind == zmq.DEALER:
        line.send(m.Hello(1, name="Ann", key=new_key().public))
    assert line.fate() != "let in"
    assert not line.hears(SILENCE_MS)
    assert house.broker._loop._hub.tables.users == {}


def test_another_brokers_key_is_not_taken_for_this_ones(house: House) -> None:
    line = house.visitor().posts(server=new_key().public)
    line.send(m.Hello(1, name="Ann"))
    assert line.fate() == "cut"
    assert not line.hears(SILENCE_MS)


def test_a_frame_that_nobody_vouches_for_is_dropped(bench: Bench) -> None:
    bench.loop._sockets.encrypted = True  # over inproc there is no encryption, and so no User-Id
    plain = bench.plain()
    plain.send(wire.encode(m.Hello(1, name="Ann", key=new_key().public)))
    bench.turn(20)
    assert plain.replies() == []
    assert bench.hub.tables.users == {}


# ---- routing ids -----------------------------------------------------------------------------------------------


def test_the_routing_id_of_somebody_who_is_here_cannot_be_taken(house: House) -> None:
    ann, eve = house.visitor(), house.visitor()
    line = ann.posts(b"ann's window")
    assert line.ask(m.Hello(1, name="Ann")).name == "Ann"
    eves = eve.posts(b"ann's window")
    eves.send(m.Hello(1, name="Eve"))
    assert not eves.hears(SILENCE_MS)
    assert line.ask(m.Join(2, "lobby")).room.id == "lobby"


def test_the_routing_id_of_somebody_who_has_gone_gives_nothing_of_theirs(house: House) -> None:
    ann, eve, ben = house.visitor(), house.visitor(), house.visitor()
    line = ann.posts(b"ann's window")
    line.ask(m.Hello(1, name="Ann"))
    line.ask(m.Create(2, "hers"))
    bens = ben.hello("Ben")
    ann.close()
    eves: list[Line] = []

    def taken() -> bool:
        """Whoever comes before the broker has noticed that Ann is gone is never heard, so each try is a new line."""
        eves.append(eve.posts(b"ann's window"))
        eves[-1].send(m.Post(3, "hers", body=m.msgspec.Raw(b'{"text":"I am Ann"}')))
        return eves[-1].hears(SILENCE_MS)

    wait_until(taken, "the broker has noticed that Ann has gone")
    line = eves[-1]
    reply = line.receive()
    assert isinstance(reply, m.Refused)
    assert reply.code == "hello_first"
    assert [person.name for person in bens.ask(m.Who(4)).people] == ["Ben"]
    assert line.ask(m.Hello(5, name="Eve")).name == "Eve"
    assert ann.posts().ask(m.Hello(1)).user == "u1"


@pytest.mark.parametrize("first", [0x6B8B4567, 0xE43C9869])
def test_the_next_automatic_routing_id_cannot_be_guessed(tmp_path: Path, first: int) -> None:
    """Where the numbers are not seeded they begin so, and the process aborts when its next peer comes."""
    process = BrokerProcess(tmp_path, "--security", "curve").start()
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        stack.callback(process.close)
        for number in range(first, first + 40):
            line = Line(context, zmq.DEALER, process.port, b"\0" + number.to_bytes(4, "big"))
            stack.callback(line.close)
            line.locked(new_key(), process.ready["key"]).connected().send(m.Ping(1))
        for name in ("Ann", "Ben", "Cem"):
            line = Line(context, zmq.DEALER, process.port)
            stack.callback(line.close)
            assert line.locked(new_key(), process.ready["key"]).connected().ask(m.Hello(1, name=name)).name == name
        assert process.stop() == 0


@pytest.mark.parametrize("mode", ["house", "open_mode"])
def test_nobody_at_posts_passes_for_the_admin_by_a_routing_id(mode: str, request: pytest.FixtureRequest) -> None:
    house: House = request.getfixturevalue(mode)
    admin = house.admin().admin()
    assert isinstance(admin.ask(m.Rooms(1)), m.RoomList_)
    (peer,) = house.broker._loop._hub.desk.connections
    eve = house.visitor()
    line = eve.posts(peer) if mode == "house" else eve.plain(zmq.DEALER, 0, peer)
    line.send(m.Rooms(2))
    assert line.fate() == "let in"
    assert not line.hears(SILENCE_MS)
    assert not admin.hears(0)
    assert isinstance(admin.ask(m.Rooms(3)), m.RoomList_)


# ---- the admin's socket ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["house", "open_mode"])
def test_the_admins_key_asks_without_a_hello_and_is_not_seen(mode: str, request: pytest.FixtureRequest) -> None:
    house: House = request.getfixturevalue(mode)
    admin = house.admin().admin()
    assert [room.id for room in admin.ask(m.Rooms(1)).rooms] == ["lobby"]
    assert admin.ask(m.Who(2)).people == []
    assert admin.ask(m.Ping(3)).re == 3
    hello = admin.ask(m.Hello(4, name="Root"))
    assert isinstance(hello, m.Refused)
    assert hello.code == "not_allowed"
    assert house.broker._loop._hub.tables.users == {}


@pytest.mark.parametrize("mode", ["house", "open_mode"])
def test_no_other_key_gets_to_the_admins_socket(mode: str, request: pytest.FixtureRequest) -> None:
    house: House = request.getfixturevalue(mode)
    for key in (new_key(), house.broker.keyring.broker):
        line = house.visitor(key).admin()
        line.send(m.Rooms(1))
        assert line.fate() == "refused 400"
        assert not line.hears(SILENCE_MS)


def test_an_admin_who_falls_silent_is_forgotten_without_a_word(bench: Bench) -> None:
    turn = bench.hub.begin(int(bench.clock.wall() * 1000), bench.clock.mono())
    bench.hub.decide(turn, b"admin:1", m.Who(1), key="the admin's")
    bench.hub.finish(turn)
    assert b"admin:1" in bench.hub.desk.connections
    bench.pass_seconds(20)
    assert bench.hub.desk.connections == {}
    assert bench.hub.desk.delta("boot") is None


# ---- who is shut out -------------------------------------------------------------------------------------------


def ban(turn: Turn, peer: bytes, request: m.Create) -> None:
    """As a ban does it: the name of the room is the name of who is banned."""
    user = turn.tables.names[request.room]
    turn.tables.put(turn.batch, "bans", "b1", BanRecord("b1", "u0", turn.time, user=user))
    turn.shut_out = True
    turn.acknowledge(peer, m.Goodbye(request.id))


def test_who_is_shut_out_hears_nothing_more_and_the_others_come_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hub.WRITES, m.Create, ban)
    ann, eve = house.visitor(), house.visitor()
    line = ann.hello("Ann")
    eve.hello("Eve")
    anns, eves = ann.feed(), eve.feed()
    for feed in (anns, eves):
        assert feed.fate() == "let in"
        wait_until(lambda feed=feed: _hears_a_marker(line, feed), "the feed")
    line.ask(m.Create(3, "eve"))
    wait_until(lambda: _hears_a_marker(line, anns), "Ann is back")
    eves.forget()
    for number in range(5):
        line.ask(m.Marker(number, NONCE))
    assert not eves.hears(SILENCE_MS)
    assert eve.posts().fate() == "refused 400"
    assert eve.feed().fate() == "refused 400"
    assert ann.feed().fate() == "let in"


def _hears_a_marker(line: Line, feed: Line) -> bool:
    feed.forget()
    line.ask(m.Marker(2, NONCE))
    return feed.hears(50)


def test_the_feed_is_bound_anew_again_and_again_on_its_port(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hub.WRITES, m.Create, ban)
    ann, eve = house.visitor(), house.visitor()
    line = ann.hello("Ann")
    eve.hello("Eve")
    anns = ann.feed()
    for number in range(20):
        line.ask(m.Create(number, "eve"))
    wait_until(lambda: _hears_a_marker(line, anns), "Ann is back")
    endpoint = house.broker.sockets.feed.getsockopt(zmq.LAST_ENDPOINT)
    assert endpoint.endswith(b":%d" % house.broker.sockets.ports[1])


# ---- extra frames ----------------------------------------------------------------------------------------------


def test_extra_frames_are_refused_and_the_key_is_logged_once_for_a_connection(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    eve = house.visitor()
    line = eve.posts()
    for _ in range(3):
        line.socket.send_multipart([b"{}", b"x"])
        refused = line.receive()
        assert isinstance(refused, m.Refused)
        assert refused.code == "bad_request"
    assert caplog.text.count(keys.fingerprint(eve.key.public)) == 1
    for _ in range(40):
        other = eve.posts()
        other.socket.send_multipart([b"{}", b"x"])
        other.receive()
    assert 1 < caplog.text.count(keys.fingerprint(eve.key.public)) <= 12


def test_a_message_of_very_many_frames_is_thrown_away_in_pieces_and_others_are_served(house: House) -> None:
    eve, ann = house.visitor(), house.visitor()
    line = eve.posts()
    line.socket.send_multipart([b""] * 25_000)
    assert line.receive().re == 0
    assert line.ask(m.Hello(1, name="Eve")).name == "Eve"
    ann.hello("Ann")


def test_what_holds_a_secret_does_not_show_it(house: House) -> None:
    for thing in (house.broker.sockets, house.broker.keyring):
        assert house.broker.keyring.broker.secret not in repr(thing)
