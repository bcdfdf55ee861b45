"""Emoji are found as Unicode says, and spelled out where their glyph could kill the process."""

import unicodedata
from itertools import pairwise

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from chat_client.gui import emoji

PICTURES = [
    "😀",
    "✅",
    "⌚",
    "❤️",
    "☎️",
    "©️",
    "👍🏽",
    "☝🏽",  # text by itself, a picture with a skin tone
    "👩‍💻",
    "👩‍❤‍👨",  # as some keyboards send it, without the selector
    "👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "🇩🇪",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "1️⃣",
    "#⃣",
]
TEXTS = [
    "a",
    "ß",
    "e\u0301",
    "12",
    "#",
    "©",
    "™",
    "❤",
    "☎",
    "⌚\ufe0e",
    "🇩",
    "\u200d",
    "\ufe0f",
    "★",
    "한국",
    "क्षि",
    "a🏽",
]

# Text that is likely to go wrong: pieces of emoji in any order, among letters.
parts = st.sampled_from(
    [*PICTURES, *TEXTS, " ", "\n", "👩", "\u200d", "\ufe0f", "\ufe0e", "🏽", "🇫", "\u20e3", "\U000e0067"]
)
awkward = st.lists(parts | st.characters(), max_size=12).map("".join)


@pytest.mark.parametrize("sequence", PICTURES)
def test_a_sequence_is_one_picture(sequence: str) -> None:
    assert emoji.segments(f"a{sequence}b") == [("a", False), (sequence, True), ("b", False)]
    assert emoji.segments(sequence * 2) == [(sequence, True)] * 2


@pytest.mark.parametrize("text", TEXTS)
def test_what_unicode_shows_as_text_stays_text(text: str) -> None:
    assert emoji.segments(text) == [(text, False)]


def test_nothing_has_no_pieces() -> None:
    assert emoji.segments("") == []


@given(awkward)
def test_the_pieces_are_the_text(text: str) -> None:
    pieces = emoji.segments(text)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)
    runs = [picture for _, picture in pieces]
    assert not any(one is False and other is False for one, other in pairwise(runs))


def test_a_pile_of_accents_is_no_picture() -> None:
    assert emoji.segments("😀" + "\u0301" * 1000) == [("😀" + "\u0301" * 1000, False)]


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("😀", True),
        (" 😀 👍🏽\n", True),
        ("😀😀😀", True),
        ("😀😀😀😀", False),
        ("😀!", False),
        (" ", False),
        ("", False),
    ],
)
def test_a_message_of_up_to_three_emoji_alone(text: str, only: bool) -> None:
    assert emoji.only_emoji(text, 3) == only


@pytest.mark.parametrize(
    ("sequence", "code"),
    [
        ("😀", ":grinning_face:"),
        ("👍🏽", ":thumbs_up_sign:"),
        ("❤️", ":heavy_black_heart:"),
        ("👩‍💻", ":woman+personal_computer:"),
        ("🇩🇪", ":flag_de:"),
        ("1️⃣", ":keycap_1:"),
        ("\U0001fffd", ":emoji_1fffd:"),
    ],
)
def test_an_emoji_in_words(sequence: str, code: str) -> None:
    assert emoji.shortcode(sequence) == code


def test_a_text_is_spelled_out() -> None:
    assert emoji.spelled("no 😀, not ❤ nor 🇩🇪🇫") == (
        "no :grinning_face:, not :heavy_black_heart: nor :flag_de::regional_indicator_symbol_letter_f:"
    )


@pytest.mark.parametrize(
    "text", ["", "plain", "© 2026 Ann™", "1 * 2 # 3", "می\u200cخواهم", "क्\u200dष", "Zoë 李雷 한국"]
)
def test_other_text_is_not_touched(text: str) -> None:
    assert emoji.spelled(text) == text


@given(awkward)
def test_nothing_is_left_that_a_colour_font_might_have(text: str) -> None:
    spelled = emoji.spelled(text)
    assert not regex.search(r"[\p{Emoji_Presentation}\p{Co}\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f]", spelled)
    pictures = [c for c in regex.findall(r"\p{Extended_Pictographic}", spelled) if c not in "©®™"]
    assert pictures == []


@given(st.characters())
def test_every_character_has_a_name_for_its_code(character: str) -> None:
    assert regex.fullmatch(r":.*:", emoji.shortcode(character))
    assert unicodedata.is_normalized("NFC", emoji.shortcode("😀"))


@pytest.mark.parametrize(
    ("version", "danger"), [(0, False), (20303, True), (20304, True), (20305, False), (20306, False)]
)
def test_an_old_libxft_is_a_danger(monkeypatch: pytest.MonkeyPatch, version: int, danger: bool) -> None:
    monkeypatch.setattr(emoji, "libxft_version", lambda: version)
    assert emoji.dangerous() == danger


def test_without_a_font_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "_font", lambda: None)
    assert emoji.draw("😀", 17) is None
