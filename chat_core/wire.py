"""Frames to structs and back: the only place that knows JSON (docs/protocol.md, section 3)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from chat_core.errors import WireError
from chat_core.messages import SENDER, AnyReply, AnyRequest, Event, Knock, Message, Post
from chat_core.names import shown

# A request holds a text of 8 KiB even where every character of it is escaped; nothing else is as long.
REQUEST_BYTES = 64 * 1024
# Feed messages and pages of history end here, so that one message neither fills a queue nor a screen's patience.
CHUNK_BYTES = 256 * 1024

ROOM_TOPIC = "room/"
BEAT_TOPIC = "beat"
PRESENCE_TOPIC = "presence"
# libzmq sends the subscriptions of a new connection in byte order, and the marker must be the last of them.
MARKER_TOPIC = "~"


class _Peek(msgspec.Struct):
    """As much of a broken request as an answer needs."""

    id: int = 0
    type: str = ""


_request: "msgspec.json.Decoder[AnyRequest]" = msgspec.json.Decoder(AnyRequest)
_reply: "msgspec.json.Decoder[AnyReply]" = msgspec.json.Decoder(AnyReply)
_events = msgspec.json.Decoder(list[Event])
_event = msgspec.json.Decoder(Event)
_message: "msgspec.json.Decoder[Message]" = msgspec.json.Decoder(Message)
_raws = msgspec.json.Decoder(list[Raw])
_peek = msgspec.json.Decoder(_Peek)
_encoder = msgspec.json.Encoder()
_sender = re.compile(SENDER)
_TYPES = {msgspec.inspect.type_info(t).tag for t in AnyRequest.__args__}  # type: ignore[attr-defined]

# What decoding may raise on hostile bytes: broken JSON, wrong shape, invalid UTF-8, deep nesting.
BAD = (msgspec.MsgspecError, UnicodeError, RecursionError)
# Every pattern of `messages` is one of hex digits.
_PATTERN = re.compile(r"`str` matching regex '[^']*'")
# So much of what msgspec says is looked at: it may quote all of a frame, and whoever sent that chose the words.
_LOOKED_AT = 1000

# What is left of the body of a message that was deleted.
BLANK = b'{"text":"","deleted":true}'

T = TypeVar("T")


def encode(message: Any) -> bytes:
    """Any struct of `messages` as JSON."""
    return _encoder.encode(message)


def decode_request(frame: bytes) -> AnyRequest:
    """A request from a client's frame. Raises WireError, which names the wrong field."""
    if len(frame) > REQUEST_BYTES:
        raise WireError(f"the request has {len(frame)} bytes, and {REQUEST_BYTES} are the most")
    try:
        if not frame.isascii():
            frame.decode()  # the decoder does not look into what it skips
        request = _request.decode(frame)
    except BAD as problem:
        text, code, number = _why(problem), "bad_request", 0
        try:
            peek = _peek.decode(frame)
        except BAD:
            pass
        else:
            number = peek.id if 0 <= peek.id < 2**53 else 0
            if peek.type not in _TYPES:
                text = f"there is no request of type {shown(peek.type)}" if peek.type else "it has no type"
                code = "unknown_type"
        raise WireError(text, code, number) from problem
    if type(request) is Post and not _is_sender(request.sender):
        raise WireError("Expected hex digits in lower case, as many as the protocol has - at `$.sender`", re=request.id)
    return request


@lru_cache(4096)
def _is_sender(text: str) -> bool:
    """Found out once for each sender, not for each post: as a pattern of the struct it took half of the decoding."""
    return _sender.match(text) is not None


def decode_reply(frame: bytes) -> AnyReply:
    """A reply from the broker's frame. Raises WireError."""
    return _decoded(_reply, frame)


def decode_knock(frame: bytes) -> Knock:
    """The door's question. Raises WireError, also where the decoder would take an object without a type for it."""
    if not _decoded(_peek, frame).type:
        raise WireError("it has no type")
    return decode(frame, Knock)


def decode_events(payload: bytes | Raw) -> list[Event]:
    """The events of a feed message or a stored chunk. Raises WireError."""
    return _decoded(_events, payload)


def decode_event(payload: bytes | Raw) -> Event:
    """One event. Raises WireError."""
    return _decoded(_event, payload)


def decode_message(body: bytes | Raw) -> Message:
    """The body of a message. Raises WireError."""
    return _decoded(_message, body)


def split_events(payload: bytes) -> list[Raw]:
    """The events of a chunk, each still encoded. Raises WireError."""
    return _decoded(_raws, payload)


def decode(payload: bytes | Raw, kind: type[T]) -> T:
    """A struct of the given type. Raises WireError."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except BAD as problem:
        raise WireError(_why(problem)) from problem


def plain(message: Any) -> Any:
    """A struct as dicts, lists, strings and numbers, as the wire has it. Raises WireError if a raw part is broken."""
    return decode(_encoder.encode(message), object)


def whole(message: Any) -> Any:
    """The same with all its fields, those too that the wire leaves out because they have their default."""
    if isinstance(message, Raw):
        return decode(message, object)
    if isinstance(message, msgspec.Struct):
        return {name: whole(getattr(message, name)) for name in message.__struct_fields__}
    if isinstance(message, dict):
        return {key: whole(value) for key, value in message.items()}
    return [whole(part) for part in message] if isinstance(message, list | tuple) else message


def join_events(events: Iterable[bytes]) -> bytes:
    """Encoded events as one JSON array: the form in which they are stored, broadcast and paged."""
    return b"[" + b",".join(events) + b"]"


def blanked(event: bytes | Raw) -> bytes:
    """An encoded event whose text was deleted: the envelope as it was, so that the chain holds. Raises WireError."""
    left = decode_event(event)
    left.body = Raw(BLANK)
    return encode(left)


def blanked_in(payload: bytes, places: Iterable[int]) -> bytes:
    """The events of a stored chunk, with those in these places blanked. Raises WireError."""
    events = [bytes(event) for event in split_events(payload)]
    for place in places:
        events[place] = blanked(events[place])
    return join_events(events)


def events_frame(room: str, epoch: str, payload: bytes) -> bytes:
    """The reply `Events` with these events, which are encoded already: no copy of it is decoded for anybody."""
    return b'{"type":"events","re":0,"room":%b,"epoch":%b,"events":%b}' % (encode(room), encode(epoch), payload)


def feed_frame(topic: str, payload: bytes) -> bytes:
    """A feed message: topic, NUL, JSON, in one frame (half the cost of two)."""
    return topic.encode() + b"\0" + payload


def split_feed(frame: bytes) -> tuple[str, bytes]:
    """Topic and payload of a feed message. Raises WireError."""
    topic, separator, payload = frame.partition(b"\0")
    try:
        if separator:
            return topic.decode(), payload
    except UnicodeError:
        pass
    raise WireError("a feed message has no topic")


def topic_filter(topic: str) -> bytes:
    """What to subscribe to: with its NUL, since the filter of "room/a" would let "room/ab" through as well."""
    return topic.encode() + b"\0"


def _decoded(decoder: "msgspec.json.Decoder[T]", payload: bytes | Raw) -> T:
    try:
        return decoder.decode(payload)
    except BAD as problem:
        raise WireError(_why(problem)) from problem


def _why(problem: Exception) -> str:
    """What was wrong, in words that say something to somebody who has never seen this program."""
    if isinstance(problem, RecursionError):
        return "it is nested too deep"
    if isinstance(problem, UnicodeError):
        return "it is not UTF-8"
    text = _PATTERN.sub("hex digits in lower case, as many as the protocol has", str(problem)[:_LOOKED_AT])
    # msgspec quotes a type that there is not, as it came.
    return (text if text.isprintable() else repr(text)[1:-1])[:200]
