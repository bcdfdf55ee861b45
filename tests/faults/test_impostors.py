"""Whoever else is at a broker's address: said in time and in the right words, and left as soon as the broker is back.

Another program may have the posts port or all of them; another broker may be there, with another key or of the other
mode; somebody may lie at the door. A newcomer knows nothing of the broker, others know its key or that it is open.
"""

import contextlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from chat_broker.serving.keyfiles import open_keyring
from chat_client import effects
from chat_client.client import Client
from chat_client.identity import open_identity
from chat_client.meeting import OPEN
from chat_client.pins import Pins
from chat_core import messages as m
from chat_core import wire
from chat_core.address import DOOR_OFFSET, Address
from chat_core.errors import TroubleError, UntrustedError
from chat_core.keys import fingerprint
from tests.faults.impostors import KINDS, Impostor
from tests.system.inproc import PATIENCE_SECONDS, served
from tests.system.processes import quiet_ports
from tests.telling import tell

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

# What is promised; both are measured from the moment at which it could be known.
FIRST_WORD_SECONDS, BACK_SECONDS = 3.0, 8.0
KNOWN = ("nothing", "its key", "that it is open")


class Spot:
    """An address with a broker of its own that is away, and a client that looks for it."""

    def __init__(self, folder: Path, known: str) -> None:
        folder.mkdir()
        self.folder, self.encrypted = folder, known != KNOWN[2]
        (folder / "data").mkdir()
        self.key = open_keyring(folder / "data", True).broker.public
        self.address = Address("127.0.0.1", quiet_ports())
        if known != KNOWN[0]:
            (folder / "me").mkdir()
            Pins(folder / "me").keep(self.address, self.key if self.encrypted else OPEN)

    def client(self, accept: str = "") -> Client:
        """Somebody who knows that much, and what to accept; it is still to begin to look."""
        accept = accept or (fingerprint(self.key) if self.encrypted else OPEN)
        return Client(self.address, open_identity(self.folder / "me"), "ann", accept=accept)

    def first_word(self, client: Client, begun: float) -> effects.Trouble:
        """What it says first."""
        while (news := client.next(PATIENCE_SECONDS)) is not None:
            if isinstance(news, effects.Trouble):
                took = time.monotonic() - begun
                assert took < FIRST_WORD_SECONDS, f"{news} only after {took:.1f} s"
                return news
        pytest.fail("it says nothing")

    def until_back(self, client: Client) -> float:
        """Start the broker; so many seconds later the client is let in, and what it says is on disk."""
        with served(self.folder / "data", self.address.port, self.encrypted) as broker:
            begun = time.monotonic()
            while client.welcome is None:
                left = begun + BACK_SECONDS - time.monotonic()
                assert client.next(left) is not None or left > 0, f"not back: {client.status}"
            took = time.monotonic() - begun
            client.post("lobby", "here I am")
            while client.outbox.everything():
                assert client.next(PATIENCE_SECONDS) is not None
        assert broker.key == (self.key if self.encrypted else "")
        return took


def meet(spot: Spot, others: ExitStack, code: str) -> str:
    """A client meets these others, which are then gone, and the broker is back."""
    with contextlib.closing(spot.client()) as client:
        with others:
            begun = time.monotonic()
            client.start()
            trouble = spot.first_word(client, begun)
            said = time.monotonic() - begun
            assert (trouble.code, spot.address.text in trouble.text) == (code, True), trouble
            while client.next(0.5) is not None:  # it goes on trying
                assert client.welcome is None
        back = spot.until_back(client)
    return f"{spot.folder.name}: told after {said:.1f} s, back after {back:.1f} s"


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("where", ["the posts port", "all its ports"])
def test_another_program_is_called_so_and_the_broker_is_found_when_it_is_back(
    tmp_path: Path, known: str, where: str
) -> None:
    def run(kind: str) -> str:
        spot = Spot(tmp_path / kind, known)
        with ExitStack() as others:
            for place in (0, 1, 2) if where == "all its ports" else (0,):
                others.enter_context(Impostor(kind, spot.address.port + place))
            return meet(spot, others.pop_all(), "stranger")

    with ThreadPoolExecutor(len(KINDS)) as pool:
        for line in pool.map(run, KINDS):
            tell(line)


@pytest.mark.parametrize(
    ("known", "encrypted", "code"),
    [
        ("its key", True, "key_changed"),
        ("its key", False, "open_now"),
        ("that it is open", True, "curve_now"),
    ],
)
def test_another_broker_is_told_from_the_right_one(tmp_path: Path, known: str, encrypted: bool, code: str) -> None:
    spot = Spot(tmp_path / "me", known)
    with ExitStack() as others:
        others.enter_context(served(tmp_path / "another", spot.address.port, encrypted))
        tell(meet(spot, others.pop_all(), code))


def test_the_same_broker_in_another_mode_is_told_from_itself(tmp_path: Path) -> None:
    spot = Spot(tmp_path / "me", "its key")
    with ExitStack() as others:
        others.enter_context(served(spot.folder / "data", spot.address.port, encrypted=False))
        tell(meet(spot, others.pop_all(), "open_now"))


@pytest.mark.parametrize("known", KNOWN)
def test_a_broker_of_another_time_is_told_so(tmp_path: Path, known: str) -> None:
    spot = Spot(tmp_path / "me", known)
    with ExitStack() as others:
        others.enter_context(LyingDoor(spot, versions=[2, 3]))
        tell(meet(spot, others.pop_all(), "version"))


# ---- whoever lies at the door ----------------------------------------------------------------------------------


class LyingDoor:
    """A program that has all ports of an address, says at the door what it likes, and notes what it is told."""

    def __init__(
        self, spot: Spot, security: str = "", key: str | None = None, versions: Sequence[int] = (1,), lock: str = ""
    ) -> None:
        """``key``: which it says it has; ``lock``: whose secret key it really has at the posts port, "": none."""
        mode = security or ("curve" if spot.encrypted else "open")
        shown = spot.key if key is None and mode == "curve" else key or ""
        ports = spot.address.port, spot.address.port + 1
        self._answer = m.Answer(0, "the chat", list(versions), mode, *ports, "40e0", shown)
        self.heard: list[bytes] = []
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._posts, self._door = (self._context.socket(zmq.ROUTER) for _ in range(2))
        if lock:
            self._posts.setsockopt(zmq.CURVE_SERVER, 1)
            self._posts.setsockopt(zmq.CURVE_SECRETKEY, lock.encode())
        for socket, port in ((self._posts, spot.address.port), (self._door, spot.address.port + DOOR_OFFSET)):
            socket.bind(f"tcp://127.0.0.1:{port}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "LyingDoor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        self._context.destroy(0)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._door.poll(20):
                peer, frame = self._door.recv_multipart()
                self._answer.re = wire.decode_knock(frame).id
                self._door.send_multipart([peer, wire.encode(self._answer)])
            if self._posts.poll(0):
                self.heard.append(self._posts.recv_multipart()[-1])


@pytest.mark.parametrize("security", ["curve", "open"])
def test_a_door_that_lies_gets_nobody_accepted_who_was_not_meant(tmp_path: Path, security: str) -> None:
    spot = Spot(tmp_path / "me", "nothing")
    public = zmq.curve_keypair()[0]
    with LyingDoor(spot, security, public.decode() if security == "curve" else "") as liar:
        with contextlib.closing(spot.client()) as client, pytest.raises(UntrustedError):
            client.connect(PATIENCE_SECONDS)
        assert liar.heard == []
    assert Pins(spot.folder / "me").of(spot.address) == ""


def test_a_door_that_shows_the_right_key_without_having_it_hears_nothing(tmp_path: Path) -> None:
    spot = Spot(tmp_path / "me", "nothing")
    for lock in ("", zmq.curve_keypair()[1].decode()):
        with LyingDoor(spot, lock=lock) as liar:
            with contextlib.closing(spot.client()) as client, pytest.raises(TroubleError) as caught:
                client.connect(PATIENCE_SECONDS)
            assert caught.value.code == "stranger"
            assert liar.heard == []
    assert Pins(spot.folder / "me").of(spot.address) == ""


@pytest.mark.parametrize("accept", ["", OPEN])
@pytest.mark.parametrize("security", ["curve", "open"])
def test_no_lie_talks_a_client_out_of_the_key_that_it_knows(tmp_path: Path, accept: str, security: str) -> None:
    spot = Spot(tmp_path / "me", "its key")
    public = zmq.curve_keypair()[0]
    with LyingDoor(spot, security, public.decode() if security == "curve" else "") as liar:
        with contextlib.closing(spot.client(accept)) as client:
            with pytest.raises(TroubleError) as caught:
                client.connect(PATIENCE_SECONDS)
            assert caught.value.code == ("key_changed" if security == "curve" else "open_now")
            client.post("lobby", "between us")
            client.next(3.0)
        assert liar.heard == []
    assert Pins(spot.folder / "me").of(spot.address) == spot.key
