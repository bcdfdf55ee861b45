"""A broker that encrypts, in a process or a thread, and who gets into it: by plain pyzmq, over TCP."""

import contextlib
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from chat_broker import hub
from chat_broker.serving.keyfiles import ADMIN_KEY, BROKER_KEY, KeyPair, open_keyring
from chat_broker.tables import BanRecord
from chat_broker.turn import Turn
from chat_core import keys, wire
from chat_core import messages as m
from chat_core.address import parse_address
from tests.hostile.peers import wait_until
from tests.system.curve import SILENCE_MS, Context, Line, new_key
from tests.system.inproc import Bench, Served, bench_in, served
from tests.system.processes import ROOT, BrokerProcess, environment

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


def test_the_door_tells_mode_and_key_to_everybody(house: House) -> None:
    door = house.visitor().plain(zmq.DEALER, 2)
    door.send(wire.encode(m.Knock(7)))
    assert door.hears()
    answer = wire.decode(door.socket.recv(), m.Answer)
    assert answer.re == 7


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


# ---- the process -----------------------------------------------------------------------------------------------


@pytest.fixture
def process(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path, "--security", "curve", "--log-level", "debug")
    yield process.start()
    process.close()


def test_what_is_handed_out_has_the_key_and_the_screen_its_fingerprint(process: BrokerProcess) -> None:
    ring = open_keyring(process.data, True)
    ready = process.ready
    assert (ready["security"], ready["key"]) == ("curve", ring.broker.public)
    assert ready["fingerprint"] == keys.fingerprint(ring.broker.public)
    address = parse_address(ready["join"])
    assert (address.key, address.port) == (ready["key"], process.port)
    assert ready["fingerprint"] in process.log()
    assert ready["join"] in process.log()
    assert "Not encrypted" not in process.log()


def test_the_key_is_the_same_after_a_restart_and_the_admins_port_is_told_while_it_serves(
    process: BrokerProcess,
) -> None:
    key = process.ready["key"]
    assert int((process.data / "admin.port").read_text()) > 0
    assert process.stop() == 0
    assert not (process.data / "admin.port").exists()
    assert process.start().ready["key"] == key


def test_open_mode_is_warned_of_at_every_start(tmp_path: Path) -> None:
    process = BrokerProcess(tmp_path, "--security", "open")
    for times in (1, 2):
        process.start()
        wait_until(lambda times=times: process.log().count('WARNING security = "open"') == times, "the warning")
        assert process.log().count("Not encrypted") == times
        process.stop()


def test_what_holds_a_secret_does_not_show_it(house: House) -> None:
    for thing in (house.broker.sockets, house.broker.keyring):
        assert house.broker.keyring.broker.secret not in repr(thing)


def test_no_secret_gets_out_of_its_file(process: BrokerProcess) -> None:
    """Not into the log, the screen, the ready file, the command line or the environment; nor can others read it."""
    ring = open_keyring(process.data, True)
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        for key, port in ((new_key(), process.port), (ring.admin, int((process.data / "admin.port").read_text()))):
            line = Line(context, zmq.DEALER, port).locked(key, ring.broker.public).connected()
            stack.callback(line.close)
            line.send(b"\xff")
            line.receive()
            line.ask(m.Rooms(1))
    told = [process.log(), (process.folder / "ready.json").read_text(), (process.data / "admin.port").read_text()]
    if sys.platform == "linux":
        told += [Path(f"/proc/{process.pid}/{name}").read_text() for name in ("cmdline", "environ")]
    process.stop()
    told.append(process.log())
    for secret in (ring.broker.secret, ring.admin.secret, ring.admin.public):
        assert not any(secret in text for text in told)
    if sys.platform != "win32":
        assert [stat.S_IMODE((process.data / name).stat().st_mode) for name in (BROKER_KEY, ADMIN_KEY)] == [0o600] * 2
        assert stat.S_IMODE(process.data.stat().st_mode) == 0o700
        loose = [file.name for file in process.data.iterdir() if file.stat().st_mode & 0o077]
        assert loose == []


@pytest.mark.parametrize("name", [BROKER_KEY, ADMIN_KEY])
def test_a_broken_key_stops_the_start_in_a_sentence(process: BrokerProcess, name: str) -> None:
    process.stop()
    (process.data / name).write_text("half a ke")
    process.spawn()
    assert process.wait() == 73
    assert f"The key in {process.data / name} is broken" in process.log()
    assert "half a ke" not in process.log()


def test_a_broker_whose_gatekeeper_dies_ends_with_status_70_and_says_so(tmp_path: Path) -> None:
    bug = (
        "import sys; from chat_broker.admission import Admission; from chat_broker.serving import process;"
        "Admission.admits = lambda *_: 1 / 0; sys.exit(process.main())"
    )
    broken = BrokerProcess(tmp_path, "--security", "curve")
    broken.program, broken.environment = ("-c", bug), environment(tmp_path, PYTHONPATH=str(ROOT))
    broken.start()
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        stack.callback(broken.close)
        line = Line(context, zmq.DEALER, broken.port).locked(new_key(), broken.ready["key"]).connected()
        stack.callback(line.close)
        line.send(m.Hello(1, name="Ann"))
        assert broken.wait() == 70
        assert "the gatekeeper has ended" in broken.log()
        assert "ZeroDivisionError" in broken.log()
        assert not line.hears(0)
    assert not (broken.data / "admin.port").exists()


def test_a_lack_of_open_files_is_warned_of_said_and_ends(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    few = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 60));"
        "from chat_broker.serving import process; sys.exit(process.main())"
    )
    process = BrokerProcess(tmp_path, "--security", "curve")
    process.program, process.environment = ("-c", few), environment(tmp_path, PYTHONPATH=str(ROOT))
    process.start()
    context: Context = zmq.Context()
    with contextlib.ExitStack() as stack:
        stack.callback(context.term)
        stack.callback(process.close)
        lines = [Line(context, zmq.DEALER, process.port).locked(new_key(), process.ready["key"]) for _ in range(60)]
        for line in lines:
            stack.callback(line.close)
        wait_until(lambda: "this process may open 60 files, enough for 0 clients" in process.log(), "the warning")
        first = lines[0].connected()
        assert first.ask(m.Hello(1, name="Ann")).name == "Ann"
        for line in lines[1:]:
            line.connected()
        wait_until(lambda: "no more files can be opened" in process.log(), "the word that there are none")
        assert first.ask(m.Ping(2)).re == 2
        for line in lines[1:]:
            line.close()
        wait_until(lambda: "files can be opened again" in process.log(), "the word that there are some")
        assert process.stop() == 0
