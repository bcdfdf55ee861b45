"""The fuzzers, with hypothesis for their dice: what they find is shrunk by it, and is tried again from the corpus."""

import random
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_broker.tables import Tables
from chat_core import messages as m
from chat_core import wire
from chat_core.errors import CODES, WireError
from tests.broker.table import examples
from tests.core.test_wire import DECODERS
from tests.hostile import corpus_files, fuzz
from tests.hostile.checks import check_frame, check_hub
from tests.hostile.mutations import MUTATIONS, Script, Turn, mutate, script

CORPUS = corpus_files.frames()
# From a given seed, so that it does not depend on luck.
SCRIPTS_TO_GET_EVERYWHERE = 1000
# Refusals that two requests have to bring about which fit together: tests/broker has them.
BROUGHT_ABOUT = {"archived", "limit", "muted", "read_only", "slow"}

corpus = st.sampled_from(CORPUS)
dices = st.randoms(use_true_random=False)


# ---- the corpus ------------------------------------------------------------------------------------------------------


def test_everything_in_the_corpus_holds() -> None:
    for frame in CORPUS:
        check_frame(frame)
        check_hub((Turn((("ann", frame),)),))
    for one in corpus_files.scripts().values():
        check_hub(one)


@pytest.mark.parametrize(
    ("decode", "kinds"),
    [(wire.decode_request, m.AnyRequest), (wire.decode_reply, m.AnyReply)],
    ids=["request", "reply"],
)
def test_the_corpus_has_every_message_there_is(decode: Any, kinds: Any) -> None:
    found = set()
    for name, frame in corpus_files.files().items():
        if name.startswith(("request-", "reply-")):
            try:
                found.add(type(decode(frame)))
            except WireError:
                assert name.startswith("reply-" if kinds is m.AnyRequest else "request-")
    assert found == set(get_args(kinds))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("beat", m.Beat), ("presence", m.Presence), ("marker", m.Mark), ("room", list[m.Event])],
)
def test_the_corpus_has_every_message_of_the_feed(name: str, kind: Any) -> None:
    _, payload = wire.split_feed(corpus_files.files()[f"feed-{name}"])
    assert wire.encode(wire.decode(payload, kind)) == payload


def test_what_is_found_is_kept_and_read_back(tmp_path: Path) -> None:
    one: Script = (Turn((("ann", b"\xff\0"), ("eve", b"{}")), 1.0, True, True), Turn(()))
    file = corpus_files.save_script(one, tmp_path)
    assert corpus_files.read_script(file.read_text()) == one
    assert corpus_files.save_frame(b"\xff\0", tmp_path).read_bytes() == b"\xff\0"


# ---- decoders --------------------------------------------------------------------------------------------------------


@given(corpus, dices)
def test_a_changed_frame_is_refused_or_read_the_same_for_ever(frame: bytes, dice: random.Random) -> None:
    check_frame(mutate(frame, dice, CORPUS))


@given(st.sampled_from(MUTATIONS), st.binary(max_size=60), dices)
def test_any_change_of_anything_is_refused_or_read_the_same(mutation: Any, frame: bytes, dice: random.Random) -> None:
    check_frame(mutation(frame, dice, CORPUS))


# ---- the hub ---------------------------------------------------------------------------------------------------------


@settings(max_examples=examples(150), deadline=None)
@given(dices)
def test_whatever_arrives_everything_holds_and_happens_the_same_again(dice: random.Random) -> None:
    one = script(dice, CORPUS)
    assert check_hub(one).told == check_hub(one).told


@settings(max_examples=examples(15), deadline=None)
@given(dices)
def test_whatever_arrives_everything_holds_over_a_database(dice: random.Random) -> None:
    fuzz.in_a_database(Counter())(script(dice, CORPUS))


def test_the_fuzzer_gets_everywhere() -> None:
    dice, outcomes = random.Random(4), Counter[str]()
    for _ in range(SCRIPTS_TO_GET_EVERYWHERE):
        outcomes += check_hub(script(dice, CORPUS)).outcomes
    replies = {kind.__name__.lower() for kind in get_args(m.AnyReply)} - {"refused", "paged", "forked", "events"}
    assert outcomes.keys() >= replies
    assert outcomes.keys() >= CODES.keys() - BROUGHT_ABOUT


# ---- it finds things -------------------------------------------------------------------------------------------------


def test_a_decoder_that_lets_an_error_out_is_found_and_the_frame_is_kept_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(frame: bytes) -> Any:
        return msgspec.json.decode(frame) if b"{" in frame else None

    monkeypatch.setitem(DECODERS, "event", decode)
    assert fuzz.tried(b'{"type":"bye","id":7', check_frame, fuzz.shortest_frame, corpus_files.save_frame, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"{"


def test_a_batch_that_is_not_undone_is_found_and_the_script_is_kept_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tables, "undo", lambda tables: tables._journal.clear())
    dice, found = random.Random(4), 0
    while not found:
        one = script(dice, CORPUS)
        found = fuzz.tried(one, fuzz.in_memory(Counter()), fuzz.shortest_script, corpus_files.save_script, tmp_path)
    (kept,) = tmp_path.iterdir()
    (turn,) = corpus_files.read_script(kept.read_text())
    assert (turn.fails, len(turn.arrived)) == (True, 1)
