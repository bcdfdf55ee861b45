"""A bot of plain pyzmq and json: answers "!echo ...". It hears what passes by, and may miss something."""

import json
import sys

import zmq

host, _, port = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1").partition(":")
hello = {"type": "hello", "name": "echo", "key": "the-echo-bot-of-our-house".ljust(40, "0")}
posts = zmq.Context.instance().socket(zmq.DEALER)
feed = zmq.Context.instance().socket(zmq.SUB)
posts.connect(f"tcp://{host}:{port or 5555}")
posts.send_json(hello)
me = posts.recv_json()
feed.connect(f"tcp://{host}:{me['feed']}")
feed.subscribe(b"")
while True:
    topic, _, text = feed.recv().partition(b"\0")
    if topic == b"beat":  # every two seconds; saying hello again keeps us here, after the broker's restart too
        posts.send_json(hello)
    for event in json.loads(text) if topic == b"room/lobby" else []:
        said = event["body"].get("text", "")
        if said.startswith("!echo ") and event["author"] != me["user"]:
            posts.send_json({"type": "post", "room": "lobby", "body": {"text": said[6:]}})
