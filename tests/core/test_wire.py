"""Frames and structs: what is sent is read back, and whatever else arrives raises a WireError and nothing else."""

import json
import time
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core import messages as m
from chat_core import wire
from chat_core.errors import WireError
from chat_core.messages import AnyReply, AnyRequest

MOST = 2**53 - 1
DEEP = 100_000
DECODERS: dict[str, Callable[[bytes], object]] = {
    "request": wire.decode_request,
    "reply": wire.decode_reply,
    "event": wire.decode_event,
    "events": wire.decode_events,
    "split": wire.split_events,
    "beat": lambda payload: wire.decode(payload, m.Beat),
    "presence": lambda payload: wire.decode(payload, m.Presence),
    "mark": lambda payload: wire.decode(payload, m.Mark),
    "message": lambda payload: wire.decode(payload, m.Message),
    "knock": wire.decode_knock,
    "answer": lambda payload: wire.decode(payload, m.Answer),
    "feed": wire.split_feed,
}


def error(decode: Callable[[bytes], object], payload: bytes) -> WireError:
    with pytest.raises(WireError) as caught:
        decode(payload)
    return caught.value


def refused(frame: bytes) -> tuple[str, int]:
    """Code and ``re`` of the answer to a broken request."""
    problem = error(wire.decode_request, frame)
    return problem.code, problem.re


# ---- round trips -----------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
COUNTS = st.integers(0, MOST)
JSON = st.recursive(
    st.none() | st.booleans() | COUNTS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


# What `wire` checks beyond the struct.
CHECKED = {(m.Post, "sender"): m.Sender}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation of `messages`."""
    info = kind if isinstance(kind, msgspec.inspect.Type) else msgspec.inspect.type_info(kind)
    match info:
        case msgspec.inspect.IntType(le=most):
            return st.integers(0, MOST if most is None else most)
        case msgspec.inspect.StrType(pattern=None):
            return TEXTS
        case msgspec.inspect.StrType(pattern=pattern):
            return st.from_regex(pattern or "")
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.LiteralType(values=literals):
            return st.sampled_from(literals)
        case msgspec.inspect.RawType():
            return JSON.map(lambda value: msgspec.Raw(msgspec.json.encode(value)))
        case msgspec.inspect.ListType(item_type=item):
            return st.lists(values(item), max_size=3)
        case msgspec.inspect.TupleType(item_types=items):
            return st.tuples(*(values(item) for item in items))
        case msgspec.inspect.DictType(value_type=value):
            return st.dictionaries(TEXTS, values(value), max_size=3)
        case msgspec.inspect.UnionType(types=types):
            return st.one_of(*(values(one) for one in types))
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            kinds = {field.name: CHECKED.get((cls, field.name), field.type) for field in fields}
            return st.builds(cls, **{name: values(kind) for name, kind in kinds.items()})
    raise AssertionError(f"no values for {info}")


REQUESTS = st.one_of(*(values(struct) for struct in get_args(AnyRequest)))
REPLIES = st.one_of(*(values(struct) for struct in get_args(AnyReply)))
EVENTS = values(m.Event)


@given(REQUESTS)
def test_a_request_is_read_back(request: AnyRequest) -> None:
    assert wire.decode_request(wire.encode(request)) == request


@given(REPLIES)
def test_a_reply_is_read_back(reply: AnyReply) -> None:
    assert wire.decode_reply(wire.encode(reply)) == reply


@given(st.lists(EVENTS, max_size=5))
def test_events_are_read_back_joined_and_split(events: list[m.Event]) -> None:
    encoded = [wire.encode(event) for event in events]
    chunk = wire.join_events(encoded)
    assert wire.decode_events(chunk) == events
    assert [bytes(raw) for raw in wire.split_events(chunk)] == encoded
    assert [wire.decode_event(raw) for raw in wire.split_events(chunk)] == events


@given(st.one_of(*(values(struct) for struct in (m.Beat, m.Mark, m.Presence, m.Knock, m.Answer, m.Message))))
def test_a_feed_message_a_knock_and_a_body_are_read_back(message: Any) -> None:
    assert wire.decode(wire.encode(message), type(message)) == message


@given(REQUESTS | REPLIES | EVENTS)
def test_what_is_sent_is_json_in_utf_8_for_every_other_parser(message: Any) -> None:
    shown = json.loads(wire.encode(message).decode())
    assert shown == wire.plain(message)
    assert isinstance(shown, dict)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.binary())
def test_a_feed_message_is_split_where_it_was_joined(topic: str, payload: bytes) -> None:
    frame = wire.feed_frame(topic, payload)
    assert wire.split_feed(frame) == (topic, payload)
    assert frame.startswith(wire.topic_filter(topic))


@pytest.mark.parametrize("struct", get_args(AnyRequest), ids=lambda struct: struct.__name__)
def test_a_request_of_defaults_is_its_type_alone(struct: type[m.Request]) -> None:
    shown = wire.plain(struct())
    shown.pop("versions", None)  # always told, for those who read along
    assert shown == {"type": struct.__name__.lower()}


# ---- growth ----------------------------------------------------------------------------------------------------


@given(REQUESTS, st.dictionaries(TEXTS.map("x-".__add__), JSON, max_size=3))
def test_unknown_fields_of_a_request_are_ignored(request: AnyRequest, unknown: dict[str, Any]) -> None:
    frame = json.dumps(wire.plain(request) | unknown).encode()
    if len(frame) <= wire.REQUEST_BYTES:
        assert wire.plain(wire.decode_request(frame)) == wire.plain(request)


@given(REPLIES, st.dictionaries(TEXTS.map("x-".__add__), JSON, max_size=3))
def test_unknown_fields_of_a_reply_are_ignored(reply: AnyReply, unknown: dict[str, Any]) -> None:
    frame = json.dumps(wire.plain(reply) | unknown).encode()
    assert wire.plain(wire.decode_reply(frame)) == wire.plain(reply)


def test_an_event_of_an_unknown_kind_does_not_spoil_those_beside_it() -> None:
    event = {"room": "r", "seq": 1, "time": 1, "author": "u1", "name": "A", "chain": "0" * 16}
    frame = json.dumps([event | {"kind": "poll", "body": [1, {"a": None}]}, event | {"kind": "message"}]).encode()
    poll, message = wire.decode_events(frame)
    assert (poll.kind, bytes(poll.body)) == ("poll", b'[1, {"a": null}]')
    assert (message.kind, bytes(message.body)) == ("message", b"{}")


# ---- hostile JSON ----------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(DECODERS)), st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_a_wire_error(name: str, payload: bytes) -> None:
    only_wire_errors(name, payload)


@given(st.sampled_from(sorted(DECODERS)), st.text('{}[]":,0123456789.eE-+\\u d8truefalsntyp', max_size=80))
def test_random_json_raises_nothing_but_a_wire_error(name: str, text: str) -> None:
    only_wire_errors(name, text.encode())


@given(st.sampled_from(sorted(DECODERS)), JSON)
def test_json_of_any_shape_raises_nothing_but_a_wire_error(name: str, value: Any) -> None:
    only_wire_errors(name, json.dumps(value).encode())


@given(REQUESTS | REPLIES | EVENTS, st.data())
def test_a_message_with_a_changed_byte_raises_nothing_but_a_wire_error(message: Any, data: st.DataObject) -> None:
    payload = bytearray(wire.encode(message))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    for name in DECODERS:
        only_wire_errors(name, bytes(payload))


@given(REQUESTS | REPLIES | EVENTS, st.data())
def test_a_message_that_is_cut_off_raises_a_wire_error(message: Any, data: st.DataObject) -> None:
    payload = wire.encode(message)
    cut = payload[: data.draw(st.integers(0, len(payload) - 1))]
    for name in sorted(DECODERS.keys() - {"feed"}):
        error(DECODERS[name], cut)


def only_wire_errors(name: str, payload: bytes) -> None:
    try:
        DECODERS[name](payload)
    except WireError as problem:
        text, code, re = str(problem), problem.code, problem.re
    else:
        return
    assert text
    assert code in ("bad_request", "unknown_type")
    assert 0 <= re <= MOST
    wire.encode(m.Refused(re, code, text, "final"))  # the answer can be sent


@pytest.mark.parametrize("name", sorted(DECODERS))
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"[" * DEEP, id="open brackets"),
        pytest.param(b"[" * DEEP + b"]" * DEEP, id="brackets"),
        pytest.param(b'{"a":' * DEEP + b"1" + b"}" * DEEP, id="braces"),
        pytest.param(b'{"re":1,"id":1,"x":' + b"[" * DEEP + b"]" * DEEP + b"}", id="in an unknown field"),
        pytest.param(b'{"type":"pong","re":1,"rooms":' + b"[" * DEEP + b"]" * DEEP + b"}", id="in a list"),
        pytest.param(b'[{"room":"r","seq":1,"body":' + b"[" * DEEP + b"]" * DEEP + b"}]", id="in a body"),
    ],
)
def test_deep_nesting_is_refused(name: str, payload: bytes) -> None:
    error(DECODERS[name], payload)


@pytest.mark.parametrize("inside", ["x", "body"])
def test_deep_nesting_within_the_size_of_a_request_is_refused(inside: str) -> None:
    nested = b"[" * 30_000 + b"]" * 30_000
    assert refused(b'{"type":"post","id":7,"' + inside.encode() + b'":' + nested + b"}") == ("bad_request", 0)


@pytest.mark.parametrize(
    ("number", "code_and_re"),
    [
        (b"NaN", ("bad_request", 0)),
        (b"Infinity", ("bad_request", 0)),
        (b"-Infinity", ("bad_request", 0)),
        (b"1e400", ("bad_request", 7)),
        (b"-1", ("bad_request", 7)),
        (b"1.0", ("bad_request", 7)),
        (b"1e3", ("bad_request", 7)),
        (b"0.5", ("bad_request", 7)),
        (b"01", ("bad_request", 0)),
        (b"+1", ("bad_request", 0)),
        (b"0x10", ("bad_request", 0)),
        (b"9007199254740992", ("bad_request", 7)),
        (b"18446744073709551616", ("bad_request", 7)),
        (b"1" * 5000, ("bad_request", 7)),
        (b'"1"', ("bad_request", 7)),
        (b"null", ("bad_request", 7)),
        (b"true", ("bad_request", 7)),
        (b"[1]", ("bad_request", 7)),
        (b"", ("bad_request", 0)),
    ],
    ids=lambda value: value[:24].decode() if isinstance(value, bytes) else "",
)
def test_what_is_no_count_is_refused(number: bytes, code_and_re: tuple[str, int]) -> None:
    assert refused(b'{"type":"ping","id":7,"commit":' + number + b"}") == code_and_re


@pytest.mark.parametrize("number", [0, 1, MOST])
def test_a_number_of_53_bits_is_read(number: int) -> None:
    assert wire.decode_request(b'{"type":"ping","commit":%d}' % number) == m.Ping(commit=number)


@pytest.mark.parametrize(
    "room",
    [
        rb'"\ud800"',
        rb'"\ud800x"',
        rb'"\ud800\u0041"',
        rb'"\udc00"',
        rb'"\u12"',
        rb'"\x41"',
        b'"\xff"',
        b'"\xc0\x80"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xc3"',
        b'"a\nb"',
        b'"a\x00b"',
        b'"a',
        b"'a'",
        b"a",
        b'"' + b"x" * 201 + b'"',
    ],
)
def test_what_is_no_text_is_refused(room: bytes) -> None:
    assert refused(b'{"type":"join","id":7,"room":' + room + b"}")[0] == "bad_request"


@pytest.mark.parametrize(
    ("room", "text"),
    [
        (rb'"\ud83d\ude00"', "😀"),
        ('"é"'.encode(), "é"),
        (rb'"\u0000"', "\0"),  # names.py refuses it
        (b'"' + b"x" * 200 + b'"', "x" * 200),
    ],
)
def test_a_text_is_read_however_it_is_escaped(room: bytes, text: str) -> None:
    assert wire.decode_request(b'{"type":"join","room":' + room + b"}") == m.Join(room=text)


@pytest.mark.parametrize(
    "body", [b'{"text":"\xff"}', rb'{"text":"\u00"}', b"1e400", b"null", b"[]", b'{"text":1}', b'{"text":null}', b"{}"]
)
def test_a_body_that_is_no_message_is_refused_when_it_is_read(body: bytes) -> None:
    error(lambda payload: wire.decode(payload, m.Message), body)


@pytest.mark.parametrize("body", [b"NaN", rb'{"text":"\ud800"}', b'{"text":"a",}', b"{", b""])
def test_a_body_that_is_no_json_is_refused_with_the_request(body: bytes) -> None:
    assert refused(b'{"type":"post","id":7,"room":"lobby","body":' + body + b"}") == ("bad_request", 0)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b" ",
        b"null",
        b"7",
        b"[]",
        b'"ping"',
        b'["ping"]',
        b"\0",
        b"\xef\xbb\xbf" + b'{"type":"bye"}',
        '{"type":"bye"}'.encode("utf-16"),
        b'{"type":"bye"}{"type":"bye"}',
        b'{"type":"bye"};',
        b'{"type":"bye",}',
        b'{type:"bye"}',
        b'{"type":"bye"/**/}',
    ],
)
def test_what_is_no_object_is_refused(frame: bytes) -> None:
    assert refused(frame) == ("bad_request", 0)


def test_of_a_field_that_is_there_twice_the_last_one_counts() -> None:
    assert wire.decode_request(b'{"type":"join","id":1,"room":"a","id":2,"room":"b"}') == m.Join(2, "b")


def test_of_two_types_neither_is_served() -> None:
    assert refused(b'{"type":"join","id":1,"type":"leave"}') == ("bad_request", 1)


# ---- requests --------------------------------------------------------------------------------------------------


def test_a_request_may_have_64_KiB_and_no_more() -> None:
    frame = b'{"type":"bye","id":7}'
    assert wire.decode_request(frame.ljust(wire.REQUEST_BYTES)) == m.Bye(7)
    problem = error(wire.decode_request, frame.ljust(wire.REQUEST_BYTES + 1))
    assert (problem.code, problem.re) == ("bad_request", 0)
    assert "65537 bytes, and 65536 are the most" in str(problem)


def test_the_longest_text_fits_into_a_request_however_it_is_escaped() -> None:
    text = "".join(rf"\u{code:04x}" for code in [0x41] * 8192)
    frame = '{"type":"post","id":9007199254740991,"room":"' + "x" * 200 + '","body":{"text":"' + text + '"}}'
    assert isinstance(wire.decode_request(frame.encode()), m.Post)


@pytest.mark.parametrize(
    ("frame", "re"),
    [
        (b'{"type":"dance","id":7}', 7),
        (b'{"type":"","id":7}', 7),
        (b'{"id":7}', 7),
        (b"{}", 0),
        (b'{"type":"BYE","id":7}', 7),
        (b'{"type":"welcome","id":7}', 7),
        (b'{"type":"who is here?","id":7}', 7),
        (b'{"type":"dance","id":-7}', 0),
        (b'{"type":"dance","id":9007199254740992}', 0),
    ],
)
def test_an_unknown_type_is_refused_as_such(frame: bytes, re: int) -> None:
    assert refused(frame) == ("unknown_type", re)


def test_an_unknown_type_is_named_but_not_at_length() -> None:
    assert "'dance'" in str(error(wire.decode_request, b'{"type":"dance","id":7}'))
    assert len(str(error(wire.decode_request, b'{"type":"' + b"x" * 60_000 + b'"}'))) < 100


@pytest.mark.parametrize(
    ("frame", "re"),
    [
        (b'{"type":"join","id":7,"room":5}', 7),
        (b'{"room":5,"type":"join","id":7}', 7),
        (b'{"type":"join","room":"\xff","id":7}', 7),
        (b'{"type":"join","id":9007199254740991,"room":5}', MOST),
        (b'{"type":"join","id":9007199254740992,"room":"a"}', 0),
        (b'{"type":"join","id":-1,"room":"a"}', 0),
        (b'{"type":"join","id":"7","room":"a"}', 0),
        (b'{"type":"join","id":7.0,"room":"a"}', 0),
        (b'{"type":"join","room":5}', 0),
        (b'{"type":7,"id":7}', 0),
        (b'{"type":"join","id":7,"room":5', 0),
    ],
)
def test_the_request_number_is_recovered_from_a_broken_request(frame: bytes, re: int) -> None:
    assert refused(frame) == ("bad_request", re)


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        (b'{"type":"join","room":5}', "$.room"),
        (b'{"type":"post","n":-1}', "$.n"),
        (b'{"type":"ping","rooms":["a",5]}', "$.rooms[1]"),
        (b'{"type":"fork","points":[[1,"0000000000000000"],[1]]}', "$.points[1]"),
        (b'{"type":"hello","versions":["1"]}', "$.versions[0]"),
    ],
)
def test_the_wrong_field_is_named(frame: bytes, field: str) -> None:
    assert field in str(error(wire.decode_request, frame))


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "hello", "versions": [1] * 21},
        {"type": "hello", "versions": [-1]},
        {"type": "hello", "name": "x" * 201},
        {"type": "hello", "key": "x" * 201},
        {"type": "hello", "client": "x" * 201},
        {"type": "marker", "nonce": ""},
        {"type": "marker", "nonce": "0" * 31},
        {"type": "marker", "nonce": "0" * 33},
        {"type": "marker", "nonce": "A" * 32},
        {"type": "marker", "nonce": "0" * 31 + "\n"},
        {"type": "marker", "nonce": "٠" * 32},
        {"type": "marker", "rooms": ["x"] * 1001},
        {"type": "marker", "rooms": ["x" * 201]},
        {"type": "marker", "rooms": "lobby"},
        {"type": "ping", "rooms": ["x"] * 1001},
        {"type": "post", "sender": "0" * 15},
        {"type": "post", "sender": "0" * 33},
        {"type": "post", "sender": "g" * 16},
        {"type": "post", "sender": "A" * 16},
        {"type": "post", "kind": "x" * 201},
        {"type": "create", "once": "once"},
        {"type": "fork", "points": [[1, "0" * 16]] * 129},
        {"type": "fork", "points": [[1, "0" * 15]]},
        {"type": "fork", "points": [[1, "0" * 15 + "\n"]]},
        {"type": "fork", "points": [[-1, "0" * 16]]},
        {"type": "fork", "points": [[1, "0" * 16, 1]]},
        {"type": "fork", "points": {"1": "0" * 16}},
    ],
    ids=lambda request: json.dumps(request)[:60],
)
def test_a_field_out_of_its_limits_is_refused(request_: dict[str, Any]) -> None:
    assert refused(json.dumps(request_ | {"id": 7}).encode()) == ("bad_request", 7)


@pytest.mark.parametrize(
    "request_",
    [
        m.Hello(versions=[1] * 20, name="x" * 200),
        m.Marker(nonce="0123456789abcdef" * 2, rooms=["x"] * 1000),
        m.Post(sender="0" * 16),
        m.Post(sender="f" * 32),
        m.Post(sender=""),
        m.Fork(points=[(MOST, "f" * 16)] * 128),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_field_at_its_limit_is_taken(request_: AnyRequest) -> None:
    assert wire.decode_request(wire.encode(request_)) == request_


@pytest.mark.parametrize("sender", ["\n", "0" * 16 + "\n", "0" * 31 + "\n"], ids=repr)
@pytest.mark.parametrize(("kind", "field"), [("post", "sender"), ("create", "once")])
def test_a_sender_with_a_line_feed_is_refused(kind: str, field: str, sender: str) -> None:
    assert refused(json.dumps({"type": kind, "id": 7, field: sender}).encode()) == ("bad_request", 7)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (b'{"type":"bye","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "it is nested too deep"),
        (b'{"type":"join","room":"\xff"}', "it is not UTF-8"),
        (b'{"id":7}', "it has no type"),
        (b'{"type":"dance"}', "there is no request of type 'dance'"),
        (
            b'{"type":"marker","nonce":"x"}',
            "Expected hex digits in lower case, as many as the protocol has - at `$.nonce`",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_wrong_is_said_in_words(frame: bytes, sentence: str) -> None:
    assert str(error(wire.decode_request, frame)) == sentence


@pytest.mark.parametrize(
    "frame",
    [
        b'{"type":"bye","id":7,"x":"\xff"}',
        b'{"type":"bye","id":7,"\xff":1}',
        b'{"type":"post","id":7,"room":"lobby","body":{"text":"\xff"}}',
        b'{"type":"post","id":7,"room":"lobby","body":{"text":"a","x":"\xed\xa0\x80"}}',
    ],
)
def test_a_request_is_utf_8_also_where_nobody_looks(frame: bytes) -> None:
    assert refused(frame) == ("bad_request", 7)


def test_what_was_wrong_is_said_without_control_characters() -> None:
    sentence = str(error(wire.decode_request, rb'{"type":"\u001b[2J\u202e","id":"7"}'))
    assert sentence == r"Invalid value '\x1b[2J\u202e' - at `$.type`"


def test_a_refusal_is_never_as_long_as_the_request() -> None:
    assert len(str(error(wire.decode_request, b'{"type":"' + b"x" * 60_000 + b'","id":"7"}'))) < 1000


@pytest.mark.parametrize("frame", [b"{}", b'{"id":7}', b'{"type":"","id":7}', b'{"type":"ping","id":7}'])
def test_what_does_not_ask_who_is_here_is_no_knock(frame: bytes) -> None:
    error(wire.decode_knock, frame)
    assert wire.decode_knock(b'{"type":"who is here?","id":7}') == m.Knock(7)


# ---- replies, events, the feed ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{}",
        b'{"type":"dance","re":1}',
        b'{"type":"posted"}',
        b'{"type":"posted","re":1,"room":"r","seq":-1,"time":1}',
        b'{"type":"posted","re":1,"room":"r","seq":9007199254740992,"time":1}',
        b'{"type":"refused","re":1,"code":"x","text":"x","verdict":"maybe"}',
        b'{"type":"bye","re":-1}',
        b'{"type":"hello","re":1}',
        b'{"type":"pong","re":1,"boot":"b","epoch":"e","commit":1,"heads":{"r":[1]}}',
        b'{"type":"pong","re":1,"boot":"b","epoch":"e","commit":1,"heads":{"r":[1,"x"]}}',
        b'{"type":"paged","re":1,"room":"r","epoch":"e","first":1,"head":[1,"0000000000000000"],"events":{}}',
    ],
)
def test_what_is_no_reply_raises_a_wire_error(frame: bytes) -> None:
    error(wire.decode_reply, frame)


@pytest.mark.parametrize("missing", ["room", "seq", "time", "author", "name", "kind", "chain"])
def test_an_event_without_one_of_its_fields_raises_a_wire_error(missing: str) -> None:
    event = wire.plain(m.Event("r", 1, 1, "u1", "A", "message", "0" * 16))
    assert wire.decode_event(json.dumps(event).encode()).seq == 1
    del event[missing]
    error(wire.decode_event, json.dumps(event).encode())
    error(wire.decode_events, json.dumps([event]).encode())


@pytest.mark.parametrize("payload", [b"", b"{}", b"[", b"[{}]", b"[null]", b"[[]]", b"null", b'[{"seq":1}]'])
def test_what_is_no_list_of_events_raises_a_wire_error(payload: bytes) -> None:
    error(wire.decode_events, payload)


def test_no_events_are_a_list_too() -> None:
    assert wire.decode_events(wire.join_events([])) == []


@pytest.mark.parametrize("frame", [b"", b"beat", b'beat{"k":1}', b"\xff\0{}", b"room/\xed\xa0\x80\0[]"])
def test_a_feed_message_without_a_topic_raises_a_wire_error(frame: bytes) -> None:
    error(wire.split_feed, frame)


def test_a_feed_message_is_split_at_the_first_nul() -> None:
    assert wire.split_feed(b"beat\0a\0b") == ("beat", b"a\0b")
    assert wire.split_feed(b"\0") == ("", b"")


def test_the_filter_of_a_room_lets_no_longer_name_through() -> None:
    frame = wire.feed_frame(wire.ROOM_TOPIC + "lobby2", b"[]")
    assert not frame.startswith(wire.topic_filter(wire.ROOM_TOPIC + "lobby"))
    assert frame.startswith(wire.topic_filter(wire.ROOM_TOPIC + "lobby2"))


def test_the_marker_sorts_behind_every_other_topic() -> None:
    others = [wire.ROOM_TOPIC, wire.ROOM_TOPIC + "\U0010ffff" * 32, wire.BEAT_TOPIC, wire.PRESENCE_TOPIC, "typing/"]
    assert all(wire.topic_filter(topic) < wire.topic_filter(wire.MARKER_TOPIC + "0" * 32) for topic in others)


def test_who_speaks_like_the_decoder_makes_it_work_no_longer_than_others() -> None:
    """The pattern with which its words are made readable once took 750 ms for this frame, 500 times the other's."""

    def cost(kind: str) -> float:
        frame = wire.encode({"type": kind.ljust(60_000, "x"), "id": 1})
        began = time.process_time()
        assert refused(frame) == ("unknown_type", 1)
        return time.process_time() - began

    plain = min(cost("") for _ in range(5))
    assert min(cost("`str` matching regex '" * 2_700 + "\n") for _ in range(5)) < 50 * plain
