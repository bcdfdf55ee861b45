"""The bare forwarder: ROUTER to PUB, no parsing, no store. What ZeroMQ costs by itself, for comparison.

python benchmarks/forwarder.py POSTS_PORT FEED_PORT
"""

import sys
from typing import Any

import zmq


def forward(posts_port: int, feed_port: int) -> None:
    """Publish every message as it came, and acknowledge it."""
    context: zmq.Context[Any] = zmq.Context()
    posts, feed = context.socket(zmq.ROUTER), context.socket(zmq.PUB)
    feed.set(zmq.SNDHWM, 0)
    posts.bind(f"tcp://127.0.0.1:{posts_port}")
    feed.bind(f"tcp://127.0.0.1:{feed_port}")
    print("ready", flush=True)
    while True:
        posts.poll()
        try:
            while True:
                peer, message = posts.recv(zmq.DONTWAIT), posts.recv()
                feed.send(message)
                posts.send(peer, zmq.SNDMORE)
                posts.send(b"ok")
        except zmq.Again:
            pass


if __name__ == "__main__":
    forward(int(sys.argv[1]), int(sys.argv[2]))
