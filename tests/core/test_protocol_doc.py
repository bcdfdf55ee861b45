"""docs/protocol.md is true: every example decodes, nothing is left out, tables and the chain agree with the code."""

import ast
import functools
import json
import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from chat_broker.rooms import ROOMS_IN_A_REPLY
from chat_broker.serving import sockets
from chat_broker.settings import Settings
from chat_core import PROTOCOL_VERSIONS, chain, names, wire
from chat_core import messages as m
from chat_core.errors import CODES, WireError

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")

Structs = dict[str, type[msgspec.Struct]]
REQUESTS: Structs = {t.__struct_config__.tag: t for t in get_args(m.AnyRequest)}
REPLIES: Structs = {t.__struct_config__.tag: t for t in get_args(m.AnyReply)}
FEED: Structs = {"beat": m.Beat, "presence": m.Presence}
DOOR: Structs = {"knock": m.Knock, "answer": m.Answer}
# The body of each kind; None: empty.
BODIES: dict[str, type[msgspec.Struct] | None] = {
    "message": m.Message,
    "created": m.Made,
    "joined": None,
    "left": None,
    "audit": m.Act,
    "invited": m.About,
    "removed": m.About,
    "role": m.About,
    "changed": m.Changed,
    "deleted": m.Deleted,
}
SECTIONS = [
    "Sockets and frames",
    "Versions, and how the protocol may grow",
    "Requests and replies",
    "Names",
    "Posts that count once",
    "Events and the chain",
    "The feed",
    "How a client misses nothing",
    "Refusals",
    "Limits",
    "The door",
]


@dataclass
class Example:
    """A ```json block and what the comment before it says that it is ("" without one)."""

    label: str
    text: str

    @property
    def kind(self) -> str:
        """What there must be one of; topics of rooms and markers count as one each."""
        label = re.sub(r"^feed room/.+", "feed room", self.label)
        return re.sub(r"^feed ~[0-9a-f]{32}$", "feed marker", label)


class Wrong(Exception):
    """What a check found."""


# ---- reading the page ------------------------------------------------------------------------------------------


def examples(text: str) -> list[Example]:
    found = re.findall(r"^(?:<!-- ([^\n]+?) -->\n)?```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Example(label, block) for label, block in found]


def block(text: str, label: str) -> str:
    found = re.search(rf"^<!-- {label} -->\n```text\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise Wrong(f"there is no block {label!r}")
    return found[1]


def section(text: str, title: str) -> str:
    """From a heading that starts so to the next one of its level or above."""
    found = re.search(rf"^(##+) {re.escape(title)}", text, re.MULTILINE)
    if found is None:
        raise Wrong(f"there is no section {title!r}")
    end = re.compile(rf"^##{{1,{len(found[1]) - 1}}} ", re.MULTILINE).search(text, found.end())
    return text[found.start() : end.start() if end else len(text)]


def rows(text: str, header: str) -> list[list[str]]:
    """The cells of the table that has this first line."""
    if header not in text:
        raise Wrong(f"there is no table {header!r}")
    lines = text.partition(header + "\n")[2].splitlines()[1:]
    count = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[:count]]


def strict(text: str) -> Any:
    """JSON by another parser than the one in `wire`, which moreover refuses fields that are there twice."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in items}) < len(items):
            raise Wrong("a field is there twice")
        return dict(items)

    return json.loads(text, object_pairs_hook=pairs)


# ---- examples --------------------------------------------------------------------------------------------------


def decoded(example: Example) -> Any:
    """The example as the program reads it. Raises WireError or Wrong."""
    side, _, what = example.label.partition(" ")
    payload = example.text.encode()
    if side in ("request", "reply"):
        message = wire.decode_request(payload) if side == "request" else wire.decode_reply(payload)
        if message.__struct_config__.tag != what:
            raise Wrong(f"it is a {message.__struct_config__.tag}")
        return message
    if side == "event":
        event = wire.decode_event(payload)
        if event.kind != what:
            raise Wrong(f"it is a {event.kind}")
        return event
    if side == "door":
        return wire.decode(payload, DOOR[what])
    if example.kind == "feed room":
        events = wire.decode_events(payload)
        if {wire.ROOM_TOPIC + event.room for event in events} != {what}:
            raise Wrong("it has events of another room")
        return events
    if example.kind == "feed marker":
        return wire.decode(payload, m.Mark)
    return wire.decode(payload, FEED[what])


def differences(shown: Any, value: Any, where: str = "") -> list[str]:
    """What of the JSON that is shown the struct does not have, or has otherwise."""
    if isinstance(value, m.Event | m.Post):
        return body_differences(shown, value.kind) + field_differences(shown, value, where)
    if isinstance(value, msgspec.Struct):
        return field_differences(shown, value, where)
    if isinstance(value, msgspec.Raw):
        if isinstance(shown, dict) and "seq" in shown:
            return differences(shown, wire.decode_event(value), where)
        value = json.loads(bytes(value))
    if isinstance(value, list | tuple) and isinstance(shown, list) and len(shown) == len(value):
        return [d for i, one in enumerate(value) for d in differences(shown[i], one, f"{where}[{i}]")]
    if isinstance(value, dict) and isinstance(shown, dict) and set(shown) == set(value):
        return [d for key, one in value.items() for d in differences(shown[key], one, f"{where}.{key}")]
    return [] if type(shown) is type(value) and shown == value else [f"{where} is {value!r}, not {shown!r}"]


def field_differences(shown: Any, value: msgspec.Struct, where: str) -> list[str]:
    tag = value.__struct_config__.tag_field
    found = [f"{where} has no field {name!r}" for name in shown if name not in (*value.__struct_fields__, tag)]
    for name in value.__struct_fields__:
        if name in shown:
            found += differences(shown[name], getattr(value, name), f"{where}.{name}")
    return found


def body_differences(shown: Any, kind: str) -> list[str]:
    body, struct = shown.get("body", {}), BODIES[kind]
    if struct is None:
        return [f"the body of {kind} is empty"] if body else []
    return differences(body, wire.decode(json.dumps(body).encode(), struct), ".body")


def wrong_examples(text: str) -> list[str]:
    found = []
    for example in examples(text):
        if not example.label:
            found.append(f"an example has no label: {example.text[:60]}")
            continue
        try:
            shown, value = strict(example.text), decoded(example)
            found += [f"{example.label}: {difference}" for difference in differences(shown, value)]
            if decoded(Example(example.label, wire.encode(value).decode())) != value:
                found.append(f"{example.label} does not survive being encoded again")
        except (WireError, Wrong, ValueError, KeyError) as problem:
            found.append(f"{example.label}: {problem}")
    return found


def needed() -> set[str]:
    """What has to have an example."""
    return {
        *(f"request {tag}" for tag in REQUESTS),
        *(f"reply {tag}" for tag in REPLIES),
        *(f"event {kind}" for kind in kinds_of_the_broker()),
        *(f"door {what}" for what in DOOR),
        "feed room",
        "feed beat",
        "feed presence",
        "feed marker",
    }


@functools.cache
def kinds_of_the_broker() -> set[str]:
    """The kinds of events that the broker's code appends by name, and what may be posted."""
    found = {"message"}
    for file in (ROOT / "chat_broker").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
                found |= {str(a.value) for a in node.args[3:4] if isinstance(a, ast.Constant)}
    return found


def missing_examples(text: str) -> list[str]:
    return [f"there is no example of {kind}" for kind in sorted(needed() - {one.kind for one in examples(text)})]


# ---- everything fits together ----------------------------------------------------------------------------------


def events_shown(text: str) -> list[dict[str, Any]]:
    """Every event of every example."""
    found = []
    for example in examples(text):
        shown = strict(example.text)
        if example.kind == "feed room":
            found += shown
        elif example.label == "reply paged":
            found += shown["events"]
        elif example.label.startswith("event "):
            found.append(shown)
    return found


def heads_shown(value: Any) -> list[tuple[str, int, str]]:
    """(room, seq, chain) of every head in an example."""
    found = []
    if isinstance(value, dict):
        for room, head in value.get("heads", {}).items():
            found.append((room, *head))
        if "head" in value:
            found.append((value.get("id", value.get("room")), *value["head"]))
        value = list(value.values())
    if isinstance(value, list):
        found += [head for one in value for head in heads_shown(one)]
    return found


def broken_chains(text: str) -> list[str]:
    found = []
    known: dict[tuple[str, int], dict[str, Any]] = {}
    for event in events_shown(text):
        place = event["room"], event["seq"]
        if known.setdefault(place, event) != event:
            found.append(f"{place} is shown in two ways")
    for (room, seq), event in known.items():
        before = known.get((room, seq - 1), {"chain": chain.START} if seq == 1 else None)
        if before is None:
            continue
        if event["chain"] != chain_of_shown(before["chain"], event):
            found.append(f"the chain of {room} {seq} does not continue the one before")
    for example in examples(text):
        for room, seq, told in heads_shown(strict(example.text)):
            if (room, seq) in known and known[room, seq]["chain"] != told:
                found.append(f"{example.label}: the head of {room} has another chain than event {seq}")
    return found


def chain_of_shown(previous: str, event: dict[str, Any]) -> str:
    fields = ("room", "seq", "time", "author", "name", "sender", "n", "kind", "target", "thread", "expires")
    whole: dict[str, Any] = {"sender": "", "n": 0, "target": 0, "thread": 0, "expires": 0} | event
    return chain.chain_of(previous, *(whole[name] for name in fields))


def wrong_chain(text: str) -> list[str]:
    """The worked example, computed here from its bytes as a reader would."""
    shown, dump, digest = block(text, "chain text"), block(text, "chain bytes"), block(text, "chain")
    data = bytes.fromhex(dump)
    message = next((strict(one.text) for one in examples(text) if one.label == "event message"), None)
    if message is None:
        raise Wrong("there is no message that has this chain")
    found = []
    if shown.replace("␀", "\0").encode() != data:
        found.append("the chain's bytes are not its text")
    if blake2b(data, digest_size=8).hexdigest() != digest:
        found.append("the chain is not the digest of its bytes")
    if digest != message["chain"] or chain_of_shown(shown.split("␀")[0], message) != digest:
        found.append("the chain is not that of the example of a message")
    return found


# ---- tables and fields -----------------------------------------------------------------------------------------


def wrong_codes(text: str) -> list[str]:
    shown = [tuple(row) for row in rows(section(text, "9. "), "| code | verdict | meaning |")]
    expected = [(f"`{code}`", verdict, meaning) for code, (verdict, meaning) in CODES.items()]
    if shown == expected:
        return []
    found = [f"refusals: {row[0]} is not in the code so" for row in shown if row not in expected]
    found += [f"refusals: {row[0]} is not documented so" for row in expected if row not in shown]
    return found or ["refusals: their order is another one"]


def limit(kind: Any) -> int:
    """The number in an annotation such as Annotated[str, Meta(max_length=200)]."""
    meta = kind.__metadata__[0]
    return int(meta.max_length if meta.max_length is not None else meta.le)


def limits() -> dict[str, int]:
    def of(struct: type, field: str) -> int:
        return limit(get_type_hints(struct, include_extras=True)[field])

    assert of(m.Marker, "rooms") == of(m.Ping, "rooms")
    return {
        "text of a message": names.TEXT_BYTES,
        "request": wire.REQUEST_BYTES,
        "request frame, before the connection is cut": sockets.POSTS_FRAME_BYTES,
        "events in a feed message": wire.CHUNK_BYTES,
        "events in a page": wire.CHUNK_BYTES,
        "name of a user or room, after normalisation": names.NAME_CHARACTERS,
        "any other short string (`name`, `key`, `client`, `room`, `kind`, `after`) as sent": limit(m.Short),
        "`sender` and `once`": limit(m.Sender),
        "`nonce`": limit(m.Nonce),
        "chain": limit(m.Chain),
        "any number": limit(m.Count),
        "`versions` of a hello": of(m.Hello, "versions"),
        "`rooms` of a marker or ping": of(m.Ping, "rooms"),
        "`points` of a fork": of(m.Fork, "points"),
        "rooms in a `rooms` reply": ROOMS_IN_A_REPLY,
        "pages and forks that a connection waits for": Settings().limits.pages_waiting,
        "frame to the feed (a subscription), before the connection is cut": sockets.FEED_FRAME_BYTES,
        "frame to the door, before the connection is cut": sockets.DOOR_FRAME_BYTES,
    }


def intervals() -> dict[str, float]:
    timing = Settings().timing
    return {
        "time between two beats": timing.beat_seconds,
        "least time between two presence messages": timing.presence_seconds,
        "silence after which somebody is gone": timing.gone_seconds,
    }


def wrong_limits(text: str) -> list[str]:
    part = section(text, "10. ")
    found = []
    for header, expected in (("| what | limit |", limits()), ("| what | default |", intervals())):
        shown = {what: float(value.split()[0]) for what, value in rows(part, header)}
        for what in sorted(shown.keys() | expected.keys()):
            if shown.get(what) != expected.get(what):
                found.append(f"limit: {what}: {expected.get(what)} in the code, {shown.get(what)} here")
    return found


def undocumented_fields(text: str) -> list[str]:
    """Fields whose name does not stand in the section of their message."""
    places: list[tuple[str, type[msgspec.Struct]]] = [
        ("3. ", m.RoomInfo),
        ("6. ", m.Event),
        ("6. ", m.Message),
        ("7. ", m.Beat),
        ("7. ", m.Presence),
        ("7. ", m.Mark),
        ("11. ", m.Knock),
        ("11. ", m.Answer),
        ("3.9 ", m.Person),
        ("3.14 ", m.Refused),
        ("3.20 ", m.Machine),
        ("3.22 ", m.Somebody),
        ("3.26 ", m.BanInfo),
        ("6. ", m.Act),
        ("6. ", m.Made),
        ("6. ", m.About),
        ("6. ", m.Changed),
        ("6. ", m.Deleted),
    ]
    for title, asked, answered in re.findall(r"^### (3\.\d+ (\w+) → (\w+))$", text, re.MULTILINE):
        for struct in (REQUESTS.get(asked), REPLIES.get(answered)):
            if struct is not None and struct not in {one for _, one in places}:  # explained where it comes first
                places.append((title, struct))
    found = []
    described = {struct for _, struct in places}
    for struct in (*REQUESTS.values(), *REPLIES.values()):
        if struct not in described:
            found.append(f"fields: there is no section about {struct.__name__}")
    for title, struct in places:
        part = section(text, title)
        # `id` and `re` are explained once for all.
        for name in set(struct.__struct_fields__) - ({"id", "re"} if title.startswith("3.") else set()):
            if f"`{name}`" not in part:
                found.append(f"fields: {title.strip()} does not explain {struct.__name__}.{name}")
    return found


def wrong_sections(text: str) -> list[str]:
    shown = re.findall(r"^## (.+)$", text, re.MULTILINE)
    expected = [f"{number}. {title}" for number, title in enumerate(SECTIONS, 1)]
    return [] if shown == expected else [f"the sections are {shown}"]


def wrong_version(text: str) -> list[str]:
    shown = re.search(r"This page describes protocol version (\d+)\.", text)
    return [] if shown and int(shown[1]) == PROTOCOL_VERSIONS[-1] else ["the page is not about the newest version"]


CHECKS = [
    wrong_examples,
    missing_examples,
    broken_chains,
    wrong_chain,
    wrong_codes,
    wrong_limits,
    undocumented_fields,
    wrong_sections,
    wrong_version,
]


def problems(text: str) -> list[str]:
    found = []
    for check in CHECKS:
        try:
            found += check(text)
        except Wrong as problem:
            found.append(f"{check.__name__}: {problem}")
        except (KeyError, ValueError) as problem:
            found.append(f"{check.__name__}: {problem!r}")
    return found


# ---- the page --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_page_agrees_with_the_code(check: Any) -> None:
    assert check(TEXT) == []


def test_every_kind_of_event_has_a_known_body() -> None:
    assert kinds_of_the_broker() == set(BODIES)


# ---- the checks ------------------------------------------------------------------------------------------------


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


@pytest.mark.parametrize("kind", sorted(needed()))
def test_an_example_that_is_not_there_is_missed(kind: str) -> None:
    text = TEXT
    for example in examples(TEXT):
        if example.kind == kind:
            text = text.replace(f"<!-- {example.label} -->\n```json\n{example.text}```", "")
    assert f"there is no example of {kind}" in problems(text)


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_that_is_not_there_is_missed(code: str) -> None:
    text = re.sub(rf"^\| `{code}` \|.*\n", "", TEXT, flags=re.MULTILINE)
    assert wrong_codes(text) == [f"refusals: `{code}` is not documented so"]


@pytest.mark.parametrize("what", limits())
def test_a_limit_that_is_not_there_is_missed(what: str) -> None:
    text = re.sub(rf"^\| {re.escape(what)} \|.*\n", "", TEXT, flags=re.MULTILINE)
    assert wrong_limits(text) == [f"limit: {what}: {limits()[what]} in the code, None here"]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        pytest.param('"id": 1, "versions"', '"id": "1", "versions"', "request hello", id="a wrong type"),
        pytest.param('"id": 1, "versions"', '"id": 1, "age": 7, "versions"', "no field 'age'", id="an unknown field"),
        pytest.param('"id": 1, "versions"', '"id": 1, "id": 1, "versions"', "twice", id="a field twice"),
        pytest.param('"members": 2, "mine"', '"member": 2, "mine"', "no field 'member'", id="a field of a field"),
        pytest.param('"re": 12,', '"re": 12, "more": 1,', "reply rooms", id="a number for a bool"),
        pytest.param('"type": "bye", "id"', '"type": "leave", "id"', "it is a leave", id="another request"),
        pytest.param('"type": "left", "re"', '"type": "right", "re"', "reply left", id="no such reply"),
        pytest.param('{"text": "Is', '{"txt": "Is', "field `text`", id="a body without its field"),
        pytest.param('{"text": "Good', '{"to": "Ben", "text": "Good', "no field 'to'", id="an unknown field of a body"),
        pytest.param('"left",\n  "chain"', '"gone",\n  "chain"', "it is a gone", id="another kind of event"),
        pytest.param("<!-- reply pong -->\n", "", "no label", id="no label"),
        pytest.param("<!-- feed beat -->", "<!-- feed heat -->", "feed heat", id="no such label"),
        pytest.param("feed room/lobby", "feed room/plan", "another room", id="another topic"),
        pytest.param('"type": "bye", "re": 16}', '"type": "bye", "re": 16', "reply bye", id="broken JSON"),
        pytest.param('"chain": "b1cf', '"chain": "b1ce', "plan-2026 1 does not continue", id="a wrong chain"),
        pytest.param('"lobby": [6, "5', '"lobby": [6, "6', "another chain than event 6", id="a wrong head"),
        pytest.param(
            '"seq": 6, "time": 17636401', '"seq": 6, "time": 27636401', "lobby 6 does not continue", id="a wrong time"
        ),
        pytest.param("␀lobby␀5␀", "␀lobby␀6␀", "bytes are not its text", id="the chain's text"),
        pytest.param("39 65 36", "39 65 37", "not the digest", id="the chain's bytes"),
        pytest.param("<!-- chain -->\n```text\nea", "<!-- chain -->\n```text\neb", "not the digest", id="its digest"),
        pytest.param("| `busy` | later |", "| `busy` | final |", "`busy`", id="a verdict"),
        pytest.param("There is no such room.", "There is none.", "`no_room`", id="a meaning"),
        pytest.param("| 8192 bytes", "| 8191 bytes", "text of a message", id="a limit"),
        pytest.param("| 15 s |", "| 16 s |", "somebody is gone", id="an interval"),
        pytest.param("`expires`", "`expire`", "Event.expires", id="a field not explained"),
        pytest.param("### 3.12 leave → left", "### 3.12 leave", "no section about Leave", id="a section's title"),
        pytest.param("## 8. How", "## 8. Why", "the sections are", id="a section"),
        pytest.param("protocol version 1.", "protocol version 2.", "newest version", id="the version"),
    ],
)
def test_a_mistake_in_the_page_is_found(old: str, new: str, found: str) -> None:
    assert any(found in problem for problem in problems(changed(old, new)))
