"""Keys as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core import keys

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


def test_a_key_has_40_characters_of_z85() -> None:
    assert keys.is_key(KEY)
    for wrong in ("", KEY[:-1], KEY + "a", KEY[:-1] + "\n", KEY[:-1] + "é", KEY[:-1] + "~", KEY + "\n"):
        assert not keys.is_key(wrong)


def test_a_fingerprint_is_short_and_another_for_another_key() -> None:
    print_ = keys.fingerprint(KEY)
    assert [len(group) for group in print_.split("-")] == [4, 4, 4, 4]
    assert print_ == keys.fingerprint(KEY) != keys.fingerprint(KEY[:-1] + "8")


@pytest.mark.parametrize("typed", ["{}", " {} ", "{}\n"])
def test_a_fingerprint_may_be_typed_in_any_form(typed: str) -> None:
    print_ = keys.fingerprint(KEY)
    for form in (print_, print_.upper(), print_.replace("-", ""), print_.replace("-", " ")):
        assert keys.same_fingerprint(print_, typed.format(form))
    assert not keys.same_fingerprint(print_, "")
    assert not keys.same_fingerprint(print_, keys.fingerprint(KEY[:-1] + "8"))


def test_a_key_file_is_read_back() -> None:
    text = keys.file_text(KEY, "A secret key.")
    assert keys.secret_in(text) == KEY
    assert keys.secret_in(KEY) == KEY
    assert keys.secret_in(text.replace("\n", "\r\n")) == KEY
    for broken in ("", "# A secret key.\n", f"{KEY}\n{KEY}\n", KEY[:-1], "# " + KEY):
        assert keys.secret_in(broken) is None


def test_a_key_that_begins_like_a_comment_is_none() -> None:
    key = "#" + KEY[1:]
    assert keys.secret_in(keys.file_text(key, "A secret key.")) == key


@given(st.text(), st.text())
def test_digests_of_two_tokens_differ(one: str, other: str) -> None:
    assert len(keys.token_digest(one)) == 32
    assert (keys.token_digest(one) == keys.token_digest(other)) == (one == other)
