"""Requests that are read and refused: hellos, names, rooms, posts and their numbers; and some that are granted."""

from chat_core import names, wire
from tests.hostile.cases import (
    MOST,
    RE,
    ROOM,
    THEIR_ROOM,
    Case,
    ask,
    cases,
    from_strangers,
    hello,
    nested,
    post,
    post_raw,
    spent,
    with_raw,
)

# ---- who ------------------------------------------------------------------------------------------------------------


NO_HELLO = from_strangers(
    "hello_first",
    "no hello",
    {
        "ping": ask("ping"),
        "marker": ask("marker"),
        "post": post("hi", room="lobby"),
        "page": ask("page", room="lobby"),
        "fork": ask("fork", room="lobby"),
        "rooms": ask("rooms"),
        "room": ask("room", room="lobby"),
        "who": ask("who"),
        "create": ask("create", room="cellar"),
        "join": ask("join", room="lobby"),
        "leave": ask("leave", room="lobby"),
        "a post to no room": post("hi", room="nowhere"),
        "the number of somebody else": post("hi", sender="$THEIRS", n=1),
    },
)

VERSIONS = [
    *from_strangers(
        "version",
        "an unknown version",
        {
            "the next": hello(versions=[2]),
            "none": hello(versions=[]),
            "zero": hello(versions=[0]),
            "the last there can be": hello(versions=[MOST]),
            "twenty": hello(versions=[*range(2, 22)]),
            "and everything else wrong too": hello(versions=[2], name="\0", key=""),
        },
    ),
    *cases("version", RE, "an unknown version", {"said once more": hello(versions=[2])}),
]

KEYS = from_strangers(
    "key_bad",
    "not a key",
    {
        "empty": hello(key=""),
        "39 characters": hello(key="x" * 39),
        "41 characters": hello(key="x" * 41),
        "a blank": hello(key="x" * 39 + " "),
        "a line feed": hello(key="x" * 39 + "\n"),
        "a NUL": hello(key="x" * 39 + "\0"),
        "letters of no alphabet that it may have": hello(key="é" * 40),
        "a quote": hello(key="x" * 39 + '"'),
    },
)

_BAD_NAMES = {
    "blank": " ",
    "a tab": "\t",
    "33 characters": "x" * 33,
    "33 characters once it is normal": "ﷺ" * 2,
    "200 characters, a dozen each": "ﷺ" * 200,
    "a NUL": "Ann\0",
    "a line feed": "Ann\n",
    "an escape character": "\x1b[31mAnn",
    "a delete character": "Ann\x7f",
    "turned round": "\u202eAnn",
    "a zero-width space": "An\u200bn",
    "a joiner": "An\u200dn",
    "a filler": "\u3164",
    "an invisible letter": "\U000e0041" * 200,
    "not a character": "\uffff",
    "for private use": "\ue000",
    "an emoji": "😀",
    "Latin and Cyrillic": "аdmin",
    "Latin and Greek": "Αnn",
    "a mark first": "\u0301Ann",
    "markup": "<b>Ann</b>",
}
NAMES = [
    *from_strangers("name_needed", "no name", {"absent": ask("hello", key="$KEY"), "empty": hello(name="")}),
    *from_strangers("name_bad", "a bad name", {which: hello(name=name) for which, name in _BAD_NAMES.items()}),
    *from_strangers(
        "name_bad",
        "a bad name",
        {"two blanks": hello(name="Ann  B"), "a blank last": hello(name="Ann "), "#": hello(name="#")},
    ),
    *from_strangers(
        "name_taken",
        "a taken name",
        {
            "the same": hello(name="zoë"),
            "in capitals": hello(name="ZOË"),
            "in two characters": hello(name="zoe\u0308"),
            "full-width": hello(name="ｚｏë"),
            "the broker's": hello(name="broker"),
            "the broker's, otherwise": hello(name="ＢＲＯＫＥＲ"),
        },
    ),
    *from_strangers("name_differs", "another's key", {"another name": hello(key="$ZOE", name="Zoe")}),
]

# ---- rooms ----------------------------------------------------------------------------------------------------------

ROOMS = [
    *cases("room_bad", RE, "a bad room", {which: ask("create", room=room) for which, room in _BAD_NAMES.items()}),
    *cases(
        "room_bad",
        RE,
        "a bad room",
        {
            "empty": ask("create", room=""),
            "absent": ask("create"),
            "only #": ask("create", room="#"),
            "two #": ask("create", room="##plan"),
            "a blank inside": ask("create", room="a b"),
            "a path": ask("create", room="../etc"),
            "a topic": ask("create", room="room/lobby"),
        },
    ),
    *cases(
        "room_taken",
        RE,
        "a taken room",
        {
            "the same": ask("create", room=THEIR_ROOM),
            "in capitals": ask("create", room="LOBBY"),
            "with #": ask("create", room="#Lobby"),
            "full-width": ask("create", room="ｌｏｂｂｙ"),
            "with a once of my own": ask("create", room="lobby", once="0" * 16),
        },
    ),
    *cases(
        "no_room",
        RE,
        "an unknown room",
        {
            "join": ask("join", room="nowhere"),
            "leave": ask("leave", room="nowhere"),
            "page": ask("page", room="nowhere"),
            "fork": ask("fork", room="nowhere"),
            "room": ask("room", room="nowhere"),
            "who": ask("who", room="nowhere"),
            "none": ask("join"),
            "a NUL": ask("join", room="lobby\0"),
            "a blank behind": ask("join", room="lobby "),
            "200 invisible letters": ask("join", room="\U000e0041" * 200),
            "200 characters, a dozen each": ask("join", room="ﷺ" * 200),
            "a topic": ask("page", room="room/lobby"),
            "SQL": ask("page", room="lobby'; DROP TABLE log; --"),
            "without a number": ask("post", room="nowhere", body={"text": "hi"}),
        },
    ),
]

# ---- posts ----------------------------------------------------------------------------------------------------------


_BLANK = {"a blank": " ", "many": " " * 8000, "a tab and a line": "\t\n", "wide ones": "\u3000\u00a0"}
_INVISIBLE = {"zero width": "\u200b", "a filler": "\u3164", "an empty cell": "\u2800", "a direction": "\u202e"}
POSTS = [
    *spent(
        "no_room", "a post to an unknown room", {"nowhere": post("hi", room="nowhere"), "none": post("hi", room="")}
    ),
    *spent("not_member", "a post from outside", {"their room": post("hi", room=THEIR_ROOM)}),
    *spent(
        "unknown_kind",
        "an unknown kind",
        {
            "poll": post("hi", kind="poll"),
            "joined": post("hi", kind="joined"),
            "created": post("hi", kind="created"),
            "empty": post("hi", kind=""),
            "in capitals": post("hi", kind="Message"),
            "a NUL": post("hi", kind="message\0"),
            "200 invisible letters": post("hi", kind="\U000e0041" * 200),
        },
    ),
    *spent(
        "body_bad",
        "a bad body",
        {
            "absent": ask("post", room=ROOM, sender="$SENDER", n=1),
            "null": post_raw(b"null"),
            "a list": post_raw(b"[]"),
            "a string": post_raw(b'"hi"'),
            "empty": post_raw(b"{}"),
            "the text is a number": post(5),
            "the text is null": post(None),
            "the text is a list": post(["hi"]),
            "me is a number": post_raw(b'{"text":"hi","me":1}'),
            "deep": post_raw(nested(b"[", b"]", 100)),
            "an infinite text": post_raw(b'{"text":1e400}'),
        },
    ),
    *spent(
        "text_empty", "an empty text", {"nothing": post("")} | {which: post(text) for which, text in _BLANK.items()}
    ),
    *spent("text_empty", "an invisible text", {which: post(text) for which, text in _INVISIBLE.items()}),
    *spent(
        "text_long",
        "a long text",
        {
            "a byte over 8 KiB": post("x" * (names.TEXT_BYTES + 1)),
            "two bytes each": post("é" * (names.TEXT_BYTES // 2 + 1)),
            "60,000 blanks": post(" " * 60_000),
            "10,000 NULs, escaped": post_raw(b'{"text":"' + rb"\u0000" * 10_000 + b'"}'),
        },
    ),
    *spent(
        "text_bad",
        "control characters",
        {
            "NUL": post("a\0b"),
            "only NUL": post("\0"),
            "escape": post("\x1b[2J"),
            "bell": post("\a"),
            "carriage return": post("a\r\n"),
            "delete": post("a\x7f"),
            "next line": post("a\x85"),
        },
    ),
    *cases(
        "text_empty",
        RE,
        "without a number",
        {
            "an empty text": ask("post", room=ROOM, body={"text": ""}),
            "in the lobby": ask("post", room="lobby", body={"text": " "}),
        },
    ),
    *cases("text_bad", RE, "without a number", {"NUL": ask("post", room="lobby", body={"text": "\0"})}),
]

NUMBERS_OF_POSTS = [
    *cases(
        "expected",
        RE,
        "a number out of order",
        {
            "zero": post("hi", 0),
            "none": ask("post", room=ROOM, body={"text": "hi"}, sender="$SENDER"),
            "the second first": post("hi", 2),
            "the last there can be": post("hi", MOST),
            "the second first, and wrong too": post("\0", 2, room="nowhere"),
        },
    ),
    Case("a number out of order: one left out", "expected", (post("hi", 3),), first=(post("hi", 1),)),
    Case("a number used for another text", "conflict", (post("ho", 1),), first=(post("hi", 1),)),
    Case("a number used in another room", "conflict", (post("hi", 1, room="lobby"),), first=(post("hi", 1),)),
    Case("a number used for another kind", "conflict", (post("hi", 1, kind="poll"),), first=(post("hi", 1),)),
    Case("a number used with another space", "conflict", (post_raw(b'{"text":"hi" }'),), first=(post("hi", 1),)),
    Case("a number used, and wrong now", "conflict", (post("", 1),), first=(post("hi", 1),)),
    Case("a number used long ago", "conflict", (post("ho", 1),), first=(post("hi", 1), post("hi", 2), post("hi", 3))),
    *cases(
        "foreign_sender",
        RE,
        "somebody else's sender",
        {
            "the next number": post("hi", 2, sender="$THEIRS"),
            "their number": post("hi", 1, sender="$THEIRS"),
            "a number out of order": post("hi", 9, sender="$THEIRS"),
            "a wrong post": post("", 2, sender="$THEIRS"),
        },
    ),
]  # fmt: skip


# ---- rights ---------------------------------------------------------------------------------------------------------

RIGHTS = [
    *cases(
        "not_allowed",
        RE,
        "a member's",
        {
            "ban": ask("ban", user="zoë"),
            "ban of an address": ask("ban", address="127.0.0.1"),
            "list of bans": ask("bans"),
            "role": ask("role", user="Mallory", role="owner"),
            "invitation": ask("invitation", digest="0" * 32),
            "list of invitations": ask("invitations"),
            "yes": ask("approve", user="zoë"),
            "no": ask("reject", user="zoë"),
            "release": ask("release", name="zoë"),
            "rekey": ask("rekey", user="zoë", key="$KEY"),
            "change of their room": ask("change", room=THEIR_ROOM, archived=True),
            "hand in their room": ask("appoint", room=THEIR_ROOM, user="zoë", role="muted"),
            "removal from their room": ask("remove", room=THEIR_ROOM, user="zoë"),
        },
    ),
    *cases(
        "no_room",
        RE,
        "the audit log",
        {"page": ask("page", room="!audit"), "room": ask("room", room="!audit"), "who": ask("who", room="!audit")},
    ),
    *cases("no_user", RE, "nobody", {"direct": ask("direct", people=["nobody"])}),
    *cases("no_event", RE, "nothing", {"report": ask("report", room=ROOM, seq=MOST)}),
    *cases("no_such", RE, "nothing", {"unban": ask("unban", ban="b1"), "unlink": ask("unlink", key="no key")}),
    *cases("last_key", RE, "the only key", {"unlink": ask("unlink", key="$MINE")}),
    *from_strangers("invite_bad", "an invitation", {"that nobody made": hello(invite="a guess")}),
]


BAD_REQUESTS: tuple[Case, ...] = (
    *NO_HELLO, *VERSIONS, *KEYS, *NAMES, *ROOMS, *POSTS, *NUMBERS_OF_POSTS, *RIGHTS,
)  # fmt: skip

# What looks like it, but is granted: the protocol may grow, and a field that is not known is ignored (section 2).
GRANTED: dict[str, bytes] = {
    "an unknown field": ask("ping", target=5),
    "an unknown field that no number fits": with_raw("ping", "x", b"1e400"),
    "a target that is not there": ask("post", room=ROOM, body={"text": "hi"}, target=MOST),
    "a target in a body": ask("post", room=ROOM, body={"text": "hi", "target": "nowhere"}),
    "64 KiB": ask("ping").ljust(wire.REQUEST_BYTES),
    "a text of 8 KiB": ask("post", room=ROOM, body={"text": "é" * (names.TEXT_BYTES // 2)}),
    "a field that is there twice": b'{"type":"ping","id":5,"id":7}',
    "an escaped pair of surrogates": with_raw("ping", "rooms", rb'["\ud83d\ude00"]'),
    "a room in another spelling": ask("page", room="#ＡＴＴＩＣ"),
    "a page behind the end": ask("page", room=ROOM, after=MOST, upto=1, limit=MOST),
    "a version among others": ask("hello", versions=[0, 1, 2, MOST], key="$MINE"),
}
