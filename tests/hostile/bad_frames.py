"""Frames that are no request: not JSON, of a wrong shape, too deep, too large, of numbers and texts that are none."""

from chat_broker.serving.sockets import POSTS_FRAME_BYTES
from chat_core import wire
from tests.hostile.cases import MOST, RE, ROOM, Case, ask, cases, hello, nested, post, post_raw, with_raw

# ---- frames --------------------------------------------------------------------------------------------------------

NOT_JSON = cases(
    "bad_request",
    0,
    "not JSON",
    {
        "words": b"hello",
        "HTTP": b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n",
        "TLS": bytes.fromhex("16030100a5010000a1030338"),
        "XML": b"<message type='chat'><body>hi</body></message>",
        "MessagePack": bytes.fromhex("82a474797065a470696e67a2696407"),
        "a pickle": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        "one brace": b"{",
        "one NUL": b"\0",
        "blanks": b" \t\r\n ",
        "cut off": ask("ping")[:-1],
        "cut off in a text": ask("join", room=ROOM)[:-3],
        "single quotes": b"{'type':'ping','id':7}",
        "names without quotes": b"{type:'ping',id:7}",
        "a comma too many": b'{"type":"ping","id":7,}',
        "a comment": b'{"type":"ping","id":7/*!*/}',
        "two requests": ask("ping") + ask("ping"),
        "a line of JSON and more": ask("ping") + b"\nping",
        "a NUL behind it": ask("ping") + b"\0",
        "a byte order mark": b"\xef\xbb\xbf" + ask("ping"),
        "UTF-16": ask("ping").decode().encode("utf-16"),
        "a string that does not end": b'{"type":"ping","id":7,"x":"',
    },
)

WRONG_SHAPE = [
    *cases(
        "bad_request",
        0,
        "wrong shape",
        {
            "null": b"null",
            "a number": b"7",
            "a string": b'"ping"',
            "true": b"true",
            "an empty list": b"[]",
            "a list": b'["ping",7]',
            "a list of requests": b"[" + ask("ping") + b"]",
            "the number is a string": b'{"type":"ping","id":"7"}',
            "the number is true": b'{"type":"ping","id":true}',
            "the number is null": b'{"type":"ping","id":null}',
            "the number is a list": b'{"type":"ping","id":[7]}',
            "the type is a number": b'{"type":7,"id":7}',
            "the type is null": b'{"type":null,"id":7}',
            "the type is a list": b'{"type":["ping"],"id":7}',
        },
    ),
    *cases(
        "bad_request",
        RE,
        "wrong shape",
        {
            "two types": b'{"type":"join","id":7,"type":"leave"}',
            "a room is a number": ask("join", room=5),
            "a room is null": ask("join", room=None),
            "a room is an object": ask("join", room={"id": ROOM}),
            "a room of 201 characters": ask("join", room="x" * 201),
            "a kind of 201 characters": post("hi", kind="x" * 201),
            "a client of 201 characters": hello(client="x" * 201),
            "a name of 201 characters": hello(name="x" * 201),
            "a key of 201 characters": hello(key="x" * 201),
            "versions are one number": hello(versions=1),
            "versions are strings": hello(versions=["1"]),
            "21 versions": hello(versions=[1] * 21),
            "rooms are one string": ask("ping", rooms=ROOM),
            "rooms are numbers": ask("ping", rooms=[ROOM, 5]),
            "1001 rooms": ask("ping", rooms=["x"] * 1001),
            "a nonce of 31 digits": ask("marker", nonce="0" * 31),
            "a nonce of 33 digits": ask("marker", nonce="0" * 33),
            "an empty nonce": ask("marker", nonce=""),
            "a nonce in capitals": ask("marker", nonce="A" * 32),
            "a nonce with a line feed": ask("marker", nonce="0" * 31 + "\n"),
            "a nonce with a NUL": ask("marker", nonce="0" * 31 + "\0"),
            "a nonce in other digits": ask("marker", nonce="٠" * 32),
            "a sender of 15 digits": post("hi", sender="0" * 15),
            "a sender of 33 digits": post("hi", sender="0" * 33),
            "a sender in capitals": post("hi", sender="A" * 16),
            "a sender with a line feed": post("hi", sender="0" * 16 + "\n"),
            "a sender is a number": post("hi", sender=1234567890123456),
            "a once of words": ask("create", room="x", once="once"),
            "points are an object": ask("fork", room=ROOM, points={"1": "0" * 16}),
            "a point without a chain": ask("fork", room=ROOM, points=[[1]]),
            "a point with too much": ask("fork", room=ROOM, points=[[1, "0" * 16, 1]]),
            "a point's chain is short": ask("fork", room=ROOM, points=[[1, "0" * 15]]),
            "129 points": ask("fork", room=ROOM, points=[[1, "0" * 16]] * 129),
        },
    ),
]

TOO_DEEP = cases(
    "bad_request",
    0,
    "too deep",
    {
        "lists": nested(b"[", b"]"),
        "open lists": b"[" * wire.REQUEST_BYTES,
        "objects": nested(b'{"a":', b"}", 9_000),
        "in a room": with_raw("join", "room", nested(b"[", b"]")),
        "in a body": post_raw(nested(b"[", b"]")),
        "in an unknown field": with_raw("ping", "x", nested(b"[", b"]")),
        "in a list of rooms": with_raw("ping", "rooms", nested(b"[", b"]")),
    },
)

TOO_LARGE = cases(
    "bad_request",
    0,
    "too large",
    {
        "one byte over 64 KiB": ask("ping").ljust(wire.REQUEST_BYTES + 1),
        "a text of 64 KiB": post("x" * wire.REQUEST_BYTES),
        "as much as a frame may have": ask("ping").ljust(POSTS_FRAME_BYTES),
    },
)

# "Half a message" on the wire below is in test_bad_input.py: libzmq hands nothing over of it.
FRAMES = [
    Case("extra frames: an empty one alone", "bad_request", (b"",), 0),
    Case("extra frames: an empty one before, as REQ sends it", "bad_request", (b"", ask("ping")), 0),
    Case("extra frames: an empty one behind", "bad_request", (ask("ping"), b""), 0),
    Case("extra frames: two requests", "bad_request", (ask("ping"), ask("ping")), 0),
    Case("extra frames: a hundred", "bad_request", (ask("ping"),) * 100, 0),
    Case("half a message: the first half", "bad_request", (ask("ping")[:9],), 0),
    Case("half a message: the second half", "bad_request", (ask("ping")[9:],), 0),
    Case("half a message: the halves in two frames", "bad_request", (ask("ping")[:9], ask("ping")[9:]), 0),
]

# ---- values --------------------------------------------------------------------------------------------------------

NUMBERS = [
    *cases(
        "bad_request",
        0,
        "not a number",
        {
            "NaN": with_raw("ping", "commit", b"NaN"),
            "Infinity": with_raw("ping", "commit", b"Infinity"),
            "-Infinity": with_raw("ping", "commit", b"-Infinity"),
            "NaN in a body": post_raw(b"NaN"),
            "NaN in an unknown field": with_raw("ping", "x", b"NaN"),
            "a zero before it": with_raw("ping", "commit", b"01"),
            "hexadecimal": with_raw("ping", "commit", b"0x10"),
            "a plus before it": with_raw("ping", "commit", b"+1"),
            "nothing": with_raw("ping", "commit", b""),
            "the request's own, past 2^53": b'{"type":"ping","id":9007199254740992}',
            "the request's own, past 2^64": b'{"type":"ping","id":18446744073709551616}',
            "the request's own, negative": b'{"type":"ping","id":-7}',
            "the request's own, a float": b'{"type":"ping","id":7.0}',
            "the request's own, 1e400": b'{"type":"ping","id":1e400}',
            "the request's own, NaN": b'{"type":"ping","id":NaN}',
        },
    ),
    *cases(
        "bad_request",
        RE,
        "not a number",
        {
            "1e400": with_raw("ping", "commit", b"1e400"),
            "-1e400": with_raw("ping", "commit", b"-1e400"),
            "1.0": with_raw("ping", "commit", b"1.0"),
            "1e3": with_raw("ping", "commit", b"1e3"),
            "-1": with_raw("ping", "commit", b"-1"),
            "-0.0": with_raw("ping", "commit", b"-0.0"),
            "2^53": with_raw("ping", "commit", b"9007199254740992"),
            "2^63": with_raw("ping", "commit", b"9223372036854775808"),
            "2^64": with_raw("ping", "commit", b"18446744073709551616"),
            "5000 digits": with_raw("ping", "commit", b"1" * 5000),
            "a string": with_raw("ping", "commit", b'"1"'),
            "true": with_raw("ping", "commit", b"true"),
            "a post's, past 2^53": post("hi", MOST + 1),
            "a post's, negative": post("hi", -1),
            "a page's, past 2^53": ask("page", room=ROOM, after=MOST + 1),
            "a page's, negative": ask("page", room=ROOM, upto=-1),
            "a point's, past 2^53": ask("fork", room=ROOM, points=[[MOST + 1, "0" * 16]]),
            "a version, negative": hello(versions=[-1]),
            "a version, past 2^53": hello(versions=[MOST + 1]),
        },
    ),
]

TEXTS = [
    *cases(
        "bad_request",
        0,
        "not a text",
        {
            "a lone surrogate": with_raw("join", "room", rb'"\ud800"'),
            "a lone surrogate before a letter": with_raw("join", "room", rb'"\ud800x"'),
            "a lone low surrogate": with_raw("join", "room", rb'"\udc00"'),
            "surrogates the wrong way round": with_raw("join", "room", rb'"\ude00\ud83d"'),
            "a lone surrogate in a body": post_raw(rb'{"text":"\ud800"}'),
            "a lone surrogate in an unknown field": with_raw("ping", "x", rb'"\ud800"'),
            "a lone surrogate in the type": rb'{"type":"\ud800","id":7}',
            "an escape that is none": with_raw("join", "room", rb'"\x41"'),
            "half an escape": with_raw("join", "room", rb'"\u12"'),
            "a NUL as it is": with_raw("join", "room", b'"a\x00b"'),
            "a line feed as it is": with_raw("join", "room", b'"a\nb"'),
            "an escape character as it is": post_raw(b'{"text":"\x1b[2J"}'),
            "not UTF-8 in the type": b'{"type":"\xff","id":7}',
        },
    ),
    *cases(
        "bad_request",
        RE,
        "not UTF-8",
        {
            "a byte that is never in it": with_raw("join", "room", b'"\xff"'),
            "too long a form": with_raw("join", "room", b'"\xc0\x80"'),
            "a surrogate": with_raw("join", "room", b'"\xed\xa0\x80"'),
            "past the last character": with_raw("join", "room", b'"\xf4\x90\x80\x80"'),
            "half a character": with_raw("join", "room", b'"\xc3"'),
            "Latin-1": with_raw("join", "room", '"Zoë"'.encode("latin-1")),
            "in a message": post_raw(b'{"text":"\xff"}'),
            "in an unknown field": with_raw("ping", "x", b'"\xff"'),
            "in the name of an unknown field": with_raw("ping", "x", b'1,"\xff":1'),
            "in an unknown field of a body": post_raw(b'{"text":"hi","x":"\xff"}'),
        },
    ),
]

UNKNOWN_TYPES = [
    *cases(
        "unknown_type",
        RE,
        "an unknown type",
        {
            "dance": ask("dance"),
            "empty": ask(""),
            "none": b'{"id":7}',
            "in capitals": ask("PING"),
            "with a blank": ask("ping "),
            "with a NUL": ask("ping\0"),
            "with an escape character": ask("\x1b[2J"),
            "one of the broker's": ask("welcome"),
            "the door's": ask("who is here?"),
            "of 60,000 letters": ask("x" * 60_000),
            "with everything else of a post": ask("say", room=ROOM, body={"text": "hi"}, sender="$SENDER", n=1),
        },
    ),
    *cases(
        "unknown_type",
        0,
        "an unknown type",
        {
            "and nothing at all": b"{}",
            "and no number": b'{"type":"dance"}',
            "and a number past 2^53": b'{"type":"dance","id":9007199254740992}',
            "and a negative number": b'{"type":"dance","id":-7}',
        },
    ),
]


BAD_FRAMES: tuple[Case, ...] = (
    *NOT_JSON, *WRONG_SHAPE, *TOO_DEEP, *TOO_LARGE, *FRAMES, *NUMBERS, *TEXTS, *UNKNOWN_TYPES,
)  # fmt: skip
