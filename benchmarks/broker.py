"""The broker's CPU time for a post and for a delivery, beside a bare forwarder's in the same run; every event counted.

    python benchmarks/broker.py [--receivers 100] [--posts 20000] [--json]

Ten senders keep 256 posts of 128 bytes in flight; every receiver's events are counted and must be dense. The forwarder
is ROUTER to PUB without parsing or storing: what ZeroMQ costs by itself. Absolute figures depend on the machine;
compare ratios.
"""

import argparse
import itertools
import json
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import zmq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from chat_core import wire  # noqa: E402
from tests.system.processes import BrokerProcess  # noqa: E402

SENDERS, IN_FLIGHT, TEXT = 10, 256, "x" * 128


def cpu_seconds(pid: int) -> float:
    """User and system time of a whole process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def receive(host: str, feed: int, receivers: int, posts: int, ready: Event, done: Event, wrong: Any) -> None:
    """Count the events of every receiver; none may be missing or doubled."""
    context: zmq.Context[Any] = zmq.Context()
    poller, counts = zmq.Poller(), {}
    for _ in range(receivers):
        socket = context.socket(zmq.SUB)
        socket.set(zmq.RCVHWM, 0)
        socket.connect(f"tcp://{host}:{feed}")
        socket.subscribe(b"")
        poller.register(socket, zmq.POLLIN)
        counts[socket] = 0
    # The beat shows that a subscription is live.
    live: set[Any] = set()
    last = {}
    while any(count < posts for count in counts.values()):
        for socket, _ in poller.poll(1000):
            try:
                while True:
                    topic, _, payload = socket.recv(zmq.DONTWAIT).partition(b"\0")
                    if topic == b"beat":
                        live.add(socket)
                        if len(live) == receivers:
                            ready.set()
                    elif topic == b"post":  # the forwarder's
                        counts[socket] += 1
                    elif topic == b"room/lobby":
                        for event in wire.decode_events(payload):
                            if event.kind == "message":
                                counts[socket] += 1
                            if socket in last and event.seq != last[socket] + 1:
                                wrong.value += 1
                            last[socket] = event.seq
            except zmq.Again:
                pass
    done.set()


def forward(port: int) -> None:
    """The bare forwarder: one ROUTER, one PUB, an acknowledgement, nothing else."""
    context: zmq.Context[Any] = zmq.Context()
    posts, feed = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
    posts.bind(f"tcp://127.0.0.1:{port}")
    feed.set(zmq.SNDHWM, 0)
    feed.bind(f"tcp://127.0.0.1:{port + 1}")
    poller, beat = zmq.Poller(), 0.0
    poller.register(posts, zmq.POLLIN)
    while True:
        poller.poll(100)
        if time.monotonic() > beat:
            feed.send(b"beat\0{}")
            beat = time.monotonic() + 0.5
        try:
            while True:
                peer, body = posts.recv(zmq.DONTWAIT), posts.recv()
                feed.send(b"post\0" + body)
                posts.send(peer, zmq.SNDMORE)
                posts.send(b"ok")
        except zmq.Again:
            pass


def load(port: int, posts: int) -> None:
    """Ten senders, 256 posts in flight, until all are acknowledged."""
    context: zmq.Context[Any] = zmq.Context()
    poller, sockets = zmq.Poller(), []
    for i in range(SENDERS):
        socket = context.socket(zmq.DEALER)
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.send_json({"type": "hello", "id": 1, "name": f"sender {i}", "key": f"sender-{i}".ljust(40, "0")})
        socket.recv()
        poller.register(socket, zmq.POLLIN)
        sockets.append((socket, f"{i:016x}", itertools.count(1)))
    by_socket = {entry[0]: entry for entry in sockets}
    body = json.dumps({"text": TEXT})
    sent = acknowledged = 0

    def post(entry: Any) -> None:
        socket, sender, numbers = entry
        n = next(numbers)
        socket.send(f'{{"type":"post","id":{n},"room":"lobby","sender":"{sender}","n":{n},"body":{body}}}'.encode())

    for i in range(min(IN_FLIGHT, posts)):
        post(sockets[i % SENDERS])
        sent += 1
    while acknowledged < posts:
        for socket, _ in poller.poll(1000):
            try:
                while True:
                    reply = socket.recv(zmq.DONTWAIT)
                    assert b"refused" not in reply, reply
                    acknowledged += 1
                    if sent < posts:
                        post(by_socket[socket])
                        sent += 1
            except zmq.Again:
                pass


def measure(pid: int, port: int, receivers: int, posts: int) -> dict[str, float]:
    """One run against a server that is up."""
    ready, done, wrong = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Value("i", 0)
    arguments = ("127.0.0.1", port + 1, receivers, posts, ready, done, wrong)
    receiver = multiprocessing.Process(target=receive, args=arguments, daemon=True)
    receiver.start()
    assert ready.wait(60), "the receivers hear no beat"
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    load(port, posts)
    assert done.wait(120), "not every receiver got every event"
    cpu, wall = cpu_seconds(pid) - cpu, time.perf_counter() - wall
    receiver.join()
    assert wrong.value == 0, f"{wrong.value} events out of order"
    return {
        "us_cpu_per_post": cpu / posts * 1e6,
        "us_cpu_per_delivery": cpu / posts / receivers * 1e6,
        "posts_per_second": posts / wall,
    }


def main() -> None:
    """Measure both and print a table, or with --json a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--receivers", type=int, default=100)
    parser.add_argument("--posts", type=int, default=20000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broker = BrokerProcess(Path(folder)).start()
        ours = measure(broker.ready["pid"], broker.port, args.receivers, args.posts)
        broker.close()
        bare = multiprocessing.Process(target=forward, args=(broker.port,), daemon=True)
        bare.start()
        assert bare.pid is not None
        theirs = measure(bare.pid, broker.port, args.receivers, args.posts)
        bare.terminate()
    for name, figures in (("broker", ours), ("forwarder", theirs)):
        if args.json:
            print(json.dumps({"server": name, "receivers": args.receivers, "posts": args.posts, **figures}))
        else:
            print(f"{name:<10} " + "  ".join(f"{value:9.2f} {key}" for key, value in figures.items()))
    if not args.json:
        ratio = ours["us_cpu_per_delivery"] / theirs["us_cpu_per_delivery"]
        print(f"broker / forwarder, CPU for a delivery: {ratio:.2f}")


if __name__ == "__main__":
    main()
