"""The chain through a room's log: the bytes it is made of, and that it covers the whole envelope but the body."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.chain import START, chain_of

ENVELOPE: dict[str, str | int] = {
    "previous": START,
    "room": "lobby",
    "seq": 1,
    "time": 1763640000000,
    "author": "u0",
    "name": "broker",
    "sender": "",
    "n": 0,
    "kind": "created",
    "target": 0,
    "thread": 0,
    "expires": 0,
}


def chained(**changes: str | int) -> str:
    return chain_of(**{**ENVELOPE, **changes})  # type: ignore[arg-type]


def test_the_chain_is_the_digest_of_the_fields_between_nuls() -> None:
    data = b"0000000000000000\0lobby\x001\x001763640000000\0u0\0broker\0\x000\0created\x000\x000\x000"
    assert chained() == blake2b(data, digest_size=8).hexdigest()


def test_the_chain_never_changes_from_version_to_version() -> None:
    first = chained()
    assert first == "972f633bc56f7a4a"
    assert chained(previous=first, seq=2, author="u1", name="Zoë", kind="message", sender="ab" * 8, n=1) == (
        "ba0f309f139b1488"
    )


def test_reserved_fields_count_as_absent_with_their_defaults() -> None:
    assert chain_of(START, "lobby", 1, 1763640000000, "u0", "broker", "", 0, "created") == chained()


@pytest.mark.parametrize("field", ENVELOPE)
def test_every_field_of_the_envelope_is_in_the_chain(field: str) -> None:
    old = ENVELOPE[field]
    assert chained(**{field: old + 1 if isinstance(old, int) else old + "x"}) != chained()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"room": "ab", "seq": 11}, {"room": "ab1", "seq": 1}),
        ({"author": "u1", "name": "1Ann"}, {"author": "u11", "name": "Ann"}),
        ({"sender": "", "n": 12, "kind": "x"}, {"sender": "1", "n": 2, "kind": "x"}),
        ({"target": 1, "thread": 0}, {"target": 0, "thread": 1}),
    ],
)
def test_a_character_that_moves_to_the_next_field_changes_the_chain(one: dict[str, str], other: dict[str, str]) -> None:
    assert chained(**one) != chained(**other)


NUMBERS = st.integers(0, 2**53 - 1)
STRINGS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@given(STRINGS, NUMBERS, STRINGS, NUMBERS)
def test_the_chain_is_sixteen_hex_digits_of_any_envelope(room: str, seq: int, name: str, n: int) -> None:
    chain = chained(room=room, seq=seq, name=name, n=n)
    assert len(chain) == 16
    assert set(chain) <= set("0123456789abcdef")
    assert chain == chained(room=room, seq=seq, name=name, n=n)


@given(st.lists(STRINGS, min_size=2, max_size=20, unique=True), st.data())
def test_logs_that_differ_once_differ_from_there_on(names: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(names) - 1))
    one, other = log_of(names), log_of([*names[:place], names[place] + "x", *names[place + 1 :]])
    assert one[:place] == other[:place]
    assert all(a != b for a, b in zip(one[place:], other[place:], strict=True))


def log_of(names: list[str]) -> list[str]:
    chains = [START]
    for seq, name in enumerate(names, 1):
        chains.append(chained(previous=chains[-1], seq=seq, name=name))
    return chains[1:]
