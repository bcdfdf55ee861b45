"""A bot of plain pyzmq and json: answers "!echo ...". It hears what passes by, and may miss something."""

import json
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import zmq

broker, mine = urlsplit(sys.argv[1]), Path("echo.key")  # a join string; and whoever has the key is this bot
mine.touch(0o600)
secret = mine.read_bytes() or zmq.curve_keypair()[1]
mine.write_bytes(secret)
hello = {"type": "hello", "name": "echo", "key": zmq.curve_public(secret).decode()}
posts, feed = (zmq.Context.instance().socket(kind) for kind in (zmq.DEALER, zmq.SUB))
for line in (posts, feed) if broker.query else ():  # without a key in the join string, nothing is encrypted
    line.curve_serverkey = parse_qs(broker.query)["key"][0].encode()
    line.curve_publickey, line.curve_secretkey = zmq.curve_public(secret), secret
posts.connect(f"tcp://{broker.netloc}")
posts.send_json(hello)
me = posts.recv_json()
feed.connect(f"tcp://{broker.hostname}:{me['feed']}")
feed.subscribe(b"")
while True:
    topic, _, text = feed.recv().partition(b"\0")
    if topic == b"beat":  # every two seconds; saying hello again keeps us here, after the broker's restart too
        posts.send_json(hello)
    for event in json.loads(text) if topic == b"room/lobby" else []:
        said = event["body"].get("text", "")
        if said.startswith("!echo ") and event["author"] != me["user"]:
            posts.send_json({"type": "post", "room": "lobby", "body": {"text": said[6:]}})
