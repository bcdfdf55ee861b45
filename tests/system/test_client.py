"""The client library over TCP against a broker in this process: what its calls promise their caller."""

import io
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import chat_client.client
from chat_broker.batch import Batch
from chat_broker.store import Store
from chat_client import effects
from chat_client.client import Client, Line, News
from chat_client.flight import Settled
from chat_client.identity import open_identity
from chat_core import messages as m
from chat_core.address import Address
from chat_core.errors import RefusedError, StoreError, UnreachableError
from tests.system.inproc import PATIENCE_SECONDS, Served, served, texts

pytestmark = pytest.mark.real

T = TypeVar("T")
Maker = Callable[..., Client]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Served]:
    """A broker that serves."""
    with served(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def make(tmp_path: Path, broker: Served) -> Iterator[Maker]:
    """Makes clients, each name with an identity of its own; closed at the end."""
    clients: list[Client] = []

    def make_one(name: str, address: Address = broker.address, says: str | None = None) -> Client:
        identity = open_identity(tmp_path / name)
        clients.append(Client(address, identity, name if says is None else says))
        return clients[-1]

    yield make_one
    for client in clients:
        client.close()


@pytest.fixture
def ann(make: Maker) -> Client:
    """A client that is let in."""
    client = make("ann")
    client.connect(PATIENCE_SECONDS)
    return client


def wait_for(client: Client, kind: type[T], count: int = 1) -> list[T]:
    """The next so many news of a kind; others are passed over."""
    found: list[T] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(found) < count:
        news: News | None = client.next(deadline - time.monotonic())
        assert news is not None, f"{len(found)} of {count} {kind.__name__} in time"
        if isinstance(news, kind):
            found.append(news)
    return found


def events(client: Client, count: int) -> list[m.Event]:
    """The next events; as many, or the rest of what came with the last of them."""
    found: list[m.Event] = []
    while len(found) < count:
        (arrived,) = wait_for(client, effects.Arrived)
        found += arrived.events
    return found


def free_port() -> int:
    """A port at which nobody answers."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


# ---- connecting ------------------------------------------------------------------------------------------------


def test_connecting_tells_who_one_is_and_where(broker: Served, make: Maker) -> None:
    client = make("ann")
    assert client.welcome is None
    welcome = client.connect(PATIENCE_SECONDS)
    assert client.welcome is welcome
    assert (welcome.user, welcome.name, [room.id for room in welcome.rooms]) == ("u1", "ann", ["lobby"])
    assert client.connect(0.0) is welcome  # once more changes nothing
    assert wait_for(client, effects.Welcomed) == [effects.Welcomed(welcome, encrypted=True)]  # it is news as well


def test_nobody_at_the_address_is_said_in_time(make: Maker) -> None:
    address = Address("127.0.0.1", free_port())
    with pytest.raises(UnreachableError, match=f"No broker answers at {address.text}"):
        make("ann", address).connect(0.2)


def test_a_name_that_no_one_can_resolve_is_unreachable_too(make: Maker) -> None:
    with pytest.raises(UnreachableError, match="There is no host"):
        make("ann", Address("no.such.host.invalid", 5555)).connect(0.2)


def test_something_else_at_the_address_is_unreachable_too(make: Maker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(UnreachableError):
        make("ann", Address("127.0.0.1", other.getsockname()[1])).connect(0.2)


@pytest.mark.parametrize(
    ("says", "code"), [("Ann", "name_taken"), ("broker", "name_taken"), ("", "name_needed"), ("a!", "name_bad")]
)
def test_a_refused_name_raises_with_its_code(ann: Client, make: Maker, says: str, code: str) -> None:
    client = make("bob", says=says)
    with pytest.raises(RefusedError) as caught:
        client.connect(PATIENCE_SECONDS)
    assert (caught.value.code, caught.value.verdict) == (code, "final")
    assert client.status.state in ("offline", "refused")


def test_an_identity_keeps_its_name_and_another_one_is_refused(ann: Client, make: Maker) -> None:
    ann.close()
    assert make("ann", says="").connect(PATIENCE_SECONDS).name == "ann"
    with pytest.raises(RefusedError) as caught:
        make("ann", says="hannah").connect(PATIENCE_SECONDS)
    assert caught.value.code == "name_differs"


def test_the_fallback_name_is_used_only_where_the_broker_knows_none(
    tmp_path: Path, broker: Served, ann: Client, make: Maker
) -> None:
    ann.close()
    for folder, name in (("ann", "ann"), ("new", "login")):
        with Client(broker.address, open_identity(tmp_path / folder), fallback_name="login") as client:
            assert client.connect(PATIENCE_SECONDS).name == name


def test_a_client_that_was_never_started_closes_all_the_same(tmp_path: Path) -> None:
    # Its wake-up sockets were left to the garbage collector, which says so.
    client = Client(Address("127.0.0.1", 1), open_identity(tmp_path))
    client.close()
    client.close()
    assert client._link._waker.fileno() == -1


def test_who_closes_says_bye(broker: Served, ann: Client, make: Maker) -> None:
    for number in range(5):
        other = make(f"other {number}")
        other.connect(PATIENCE_SECONDS)
        other.close()
    deadline = time.monotonic() + 5  # of the 15 seconds after which silence would be noticed
    while True:
        here = ann.ask(m.Who())
        assert isinstance(here, m.Here)
        if [person.name for person in here.people] == ["ann"]:
            return
        assert time.monotonic() < deadline, here.people


# ---- asking ----------------------------------------------------------------------------------------------------


def test_what_is_asked_is_answered(ann: Client) -> None:
    made = ann.ask(m.Create(room="den"))
    assert isinstance(made, m.Created)
    listed = ann.ask(m.Rooms())
    assert isinstance(listed, m.RoomList_)
    assert [room.id for room in listed.rooms] == ["den", "lobby"]


def test_what_is_refused_raises_with_its_code(ann: Client) -> None:
    with pytest.raises(RefusedError, match="no room 'nowhere'") as caught:
        ann.ask(m.Join(room="nowhere"))
    assert caught.value.code == "no_room"
    assert isinstance(ann.ask(m.Who()), m.Here)


def test_news_that_come_while_one_asks_are_not_lost(ann: Client) -> None:
    ann.follow("lobby")
    row = ann.post("lobby", "meanwhile")
    for _ in range(20):
        ann.ask(m.Ping())
    (settled,) = wait_for(ann, Settled)
    assert settled.row == row


def test_asking_a_broker_that_is_gone_raises_and_the_client_goes_on(tmp_path: Path) -> None:
    with served(tmp_path / "broker") as first:
        client = Client(first.address, open_identity(tmp_path / "ann"), "ann")
        client.connect(PATIENCE_SECONDS)
    with client:
        with pytest.raises(UnreachableError, match="does not answer"):
            client.ask(m.Who(), 0.2)
        with served(tmp_path / "broker", first.port):
            # Well before the 8 s of silence after which it would give the old connection up.
            assert isinstance(client.ask(m.Who(), 5.0), m.Here)


# ---- posting and following -------------------------------------------------------------------------------------


def test_a_post_is_settled_and_then_out_of_the_outbox(broker: Served, ann: Client) -> None:
    row = ann.post("lobby", "hello")
    assert ann.outbox.waiting() == 1
    (settled,) = wait_for(ann, Settled)
    assert settled.row == row
    assert isinstance(settled.reply, m.Posted)
    assert ann.outbox.waiting() == 0
    assert texts(broker.log("lobby")) == ["hello"]


def test_a_post_that_is_refused_for_good_is_settled_too(ann: Client) -> None:
    ann.post("nowhere", "hello")
    (settled,) = wait_for(ann, Settled)
    assert isinstance(settled.reply, m.Refused)
    assert settled.reply.code == "no_room"
    assert ann.outbox.waiting() == 0


def test_a_text_that_could_not_be_sent_is_refused_at_once_and_not_kept(ann: Client) -> None:
    for text, code in (("", "text_empty"), ("\0", "text_bad"), ("\ud800", "text_bad"), ("x" * 8193, "text_long")):
        with pytest.raises(RefusedError) as caught:
            ann.post("lobby", text)
        assert caught.value.code == code
    assert ann.outbox.waiting() == 0


def test_who_follows_a_room_hears_it_in_order_without_holes(broker: Served, ann: Client, make: Maker) -> None:
    bob = make("bob")
    bob.connect(PATIENCE_SECONDS)
    for client in (ann, bob):
        client.follow("lobby")
    for number in range(50):
        ann.post("lobby", f"ann {number}")
        bob.post("lobby", f"bob {number}")
    for client in (ann, bob):
        heard = events(client, 103)
        assert heard == broker.log("lobby")
    assert ann.status.state == "live"


def test_who_follows_from_the_middle_hears_what_comes_after_it(ann: Client) -> None:
    for number in range(10):
        ann.post("lobby", str(number))
    seqs = [settled.reply.seq for settled in wait_for(ann, Settled, 10) if isinstance(settled.reply, m.Posted)]
    ann.follow("lobby", seqs[6], None)
    assert texts(events(ann, 3)) == ["7", "8", "9"]


def test_after_a_restart_of_the_broker_everything_goes_on(tmp_path: Path) -> None:
    with served(tmp_path / "broker") as first:
        client = Client(first.address, open_identity(tmp_path / "ann"), "ann")
        client.connect(PATIENCE_SECONDS)
        client.follow("lobby")
        client.post("lobby", "before")
        heard = events(client, 3)
    with client:
        client.post("lobby", "between")
        with served(tmp_path / "broker", first.port) as second:
            client.post("lobby", "after")
            heard += events(client, 2)
            assert heard == second.log("lobby")
            assert texts(heard) == ["before", "between", "after"]


# ---- keys and the outbox ---------------------------------------------------------------------------------------


def test_keyed_posts_count_once_in_whatever_process(broker: Served, make: Maker) -> None:
    answers = []
    for _ in range(3):
        client = make("ann")
        client.connect(PATIENCE_SECONDS)
        for n, text in enumerate(("one", "two"), 1):
            client.post("lobby", text, "backup of monday", n)
        answers.append([(settled.row.n, settled.reply) for settled in wait_for(client, Settled, 2)])
        client.close()
    seqs = [[reply.seq for _, reply in answer if isinstance(reply, m.Posted)] for answer in answers]
    assert seqs[0] == seqs[1] == seqs[2]
    assert len(seqs[0]) == 2
    assert texts(broker.log("lobby")) == ["one", "two"]


def test_a_key_that_was_used_for_another_message_is_a_conflict_and_not_renumbered(broker: Served, ann: Client) -> None:
    ann.post("lobby", "one", "key")
    ann.post("lobby", "two", "another key")
    wait_for(ann, Settled, 2)
    ann.post("lobby", "changed", "key")
    (settled,) = wait_for(ann, Settled)
    assert isinstance(settled.reply, m.Refused)
    assert settled.reply.code == "conflict"
    assert texts(broker.log("lobby")) == ["one", "two"]
    assert ann.outbox.waiting() == 0


def test_the_same_key_of_two_people_is_two_keys(broker: Served, make: Maker) -> None:
    for name in ("ann", "bob"):
        client = make(name)
        client.connect(PATIENCE_SECONDS)
        client.post("lobby", f"from {name}", "key")
        (settled,) = wait_for(client, Settled)
        assert isinstance(settled.reply, m.Posted)
    assert texts(broker.log("lobby")) == ["from ann", "from bob"]


def test_what_was_unsent_is_sent_by_the_next_client_before_its_own(broker: Served, make: Maker) -> None:
    first = make("ann")
    for text in ("one", "two"):
        first.post("lobby", text)
    first.close()
    second = make("ann")
    second.post("lobby", "three")
    assert second.outbox.waiting() == 3
    second.connect(PATIENCE_SECONDS)
    assert [settled.row.body for settled in wait_for(second, Settled, 3)] == [
        b'{"text":"one"}',
        b'{"text":"two"}',
        b'{"text":"three"}',
    ]
    assert texts(broker.log("lobby")) == ["one", "two", "three"]
    assert second.outbox.waiting() == 0


def test_what_was_sent_but_not_seen_to_be_acknowledged_counts_once(broker: Served, make: Maker) -> None:
    first = make("ann")
    first.connect(PATIENCE_SECONDS)
    for number in range(30):
        first.post("lobby", str(number))
    first.ask(m.Ping())  # by now at least some of them are in the log; none was settled here
    first.close()
    second = make("ann")
    left = second.outbox.waiting()
    second.connect(PATIENCE_SECONDS)
    wait_for(second, Settled, left)
    assert texts(broker.log("lobby")) == [str(number) for number in range(30)]


def test_two_clients_of_one_identity_at_once_post_each_in_its_order(broker: Served, make: Maker) -> None:
    clients = [make("ann"), make("ann")]
    for client in clients:
        client.connect(PATIENCE_SECONDS)
    for number in range(30):
        for place, client in enumerate(clients):
            client.post("lobby", f"{place} {number}")
    for client in clients:
        wait_for(client, Settled, 30)
    said = texts(broker.log("lobby"))
    for place in (0, 1):
        assert [text for text in said if text.startswith(f"{place} ")] == [f"{place} {number}" for number in range(30)]
    assert len(said) == 60


def test_a_sender_that_the_broker_does_not_know_is_renumbered_and_everything_arrives(
    broker: Served, make: Maker
) -> None:
    # The rows 3 and 4 of a sender whose first two are in no log of this broker: a restored disk, a copied profile.
    left = make("ann")
    rows = [left.outbox.add("lobby", "message", b'{"text":"%d"}' % number) for number in range(4)]
    for row in rows[:2]:
        left.outbox.settle(row)
    left.close()
    second = make("ann")
    second.connect(PATIENCE_SECONDS)
    wait_for(second, Settled, 2)
    assert texts(broker.log("lobby")) == ["2", "3"]
    assert second.outbox.waiting() == 0


# ---- lines -----------------------------------------------------------------------------------------------------


def next_line(client: Client) -> str | None:
    (line,) = wait_for(client, Line)
    return line.text


def test_lines_are_delivered_as_they_are_and_then_their_end(ann: Client) -> None:
    ann.read_lines(io.StringIO("one\r\n\n  two \nthe last has no end"))
    assert [next_line(ann) for _ in range(5)] == ["one", "", "  two ", "the last has no end", None]


def test_lines_are_read_no_further_ahead_than_they_are_done_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_client.client, "LINES_AHEAD", 3)
    with Client(Address("127.0.0.1", 1), open_identity(tmp_path)) as client:
        client.read_lines(io.StringIO("".join(f"{number}\n" for number in range(5))))
        assert [next_line(client) for _ in range(3)] == ["0", "1", "2"]
        assert client.next(0.05) is None
        client.line_done()
        assert next_line(client) == "3"
        client.line_done()
        assert [next_line(client) for _ in range(2)] == ["4", None]


def test_more_lines_than_are_read_ahead_are_posted_in_order(
    broker: Served, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_client.client, "LINES_AHEAD", 100)
    ann = make("ann")
    ann.connect(PATIENCE_SECONDS)
    lines = [f"line {number}" for number in range(300)]
    ann.read_lines(io.StringIO("\n".join(lines)))
    unsettled, more = 0, True
    while more or unsettled:
        news = ann.next(PATIENCE_SECONDS)
        assert news is not None
        if isinstance(news, Line):
            more = news.text is not None
            if news.text is not None:
                ann.post("lobby", news.text)
                unsettled += 1
        elif isinstance(news, Settled):
            unsettled -= 1
            ann.line_done()
    assert texts(broker.log("lobby")) == lines


def test_a_newcomer_whom_the_broker_cannot_write_down_hears_why(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Store, __: Batch) -> None:
        raise StoreError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", full)
        eve = make("eve")
        with pytest.raises(UnreachableError, match="cannot write at the moment"):
            eve.connect(0.5)
    assert eve.connect(PATIENCE_SECONDS).name == "eve"


def test_what_the_broker_cannot_write_is_asked_again_and_then_said(
    broker: Served, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann.connect(PATIENCE_SECONDS)
    failing = True
    real = Store.commit

    def commit(store: Store, batch: Batch) -> None:
        if failing:
            raise StoreError("database or disk is full")
        real(store, batch)

    monkeypatch.setattr(Store, "commit", commit)
    with pytest.raises(RefusedError, match="cannot write at the moment"):
        ann.ask(m.Create(room="den"), 0.2)
    row = ann.post("lobby", "in the end")
    while ann.held is None or ann.outbox.waiting() != 1:
        ann.next(PATIENCE_SECONDS)
    failing = False
    while True:
        news = ann.next(PATIENCE_SECONDS)
        assert news is not None
        if isinstance(news, Settled):
            break
    assert news.row == row
    assert isinstance(news.reply, m.Posted)
    assert ann.held is None
