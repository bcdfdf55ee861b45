"""Making the sockets: what has to be done before there is one."""

import ctypes
import sys
from pathlib import Path
from typing import Any

import pytest
import zmq

from chat_broker.serving import process
from chat_broker.serving.sockets import seed_routing_ids
from chat_core.errors import InUseError


def test_routing_ids_are_seeded_before_the_first_socket_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def seed() -> bool:
        done.append("seed")
        return True

    class Context(zmq.Context[Any]):
        def __init__(self) -> None:
            done.append("context")
            super().__init__()

    def open_none(*_: object) -> None:
        done.append("sockets")
        raise InUseError("No sockets for this test.")

    for name in ("signal.signal", "set_up_logging"):  # these are for a process of one's own
        monkeypatch.setattr(f"chat_broker.serving.process.{name}", lambda *_: None)
    monkeypatch.setattr(process, "seed_routing_ids", seed)
    monkeypatch.setattr(process, "open_sockets", open_none)
    monkeypatch.setattr(zmq, "Context", Context)
    assert process.main(["--data", str(tmp_path)]) == process.EX_UNAVAILABLE
    assert done == ["seed", "context", "sockets"]


@pytest.mark.skipif(sys.platform == "win32", reason="its numbers are in another library")
def test_two_seeds_of_the_same_moment_differ() -> None:
    libc, drawn = ctypes.CDLL(None), set()
    for _ in range(5):
        assert seed_routing_ids()
        drawn.add(libc.rand())
    assert len(drawn) == 5
