"""What may be called what, when two names are one, and which texts may be said."""

import unicodedata
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.errors import RefusedError
from chat_core.names import NAME_CHARACTERS, SHOWN_CHARACTERS, TEXT_BYTES, check_text, fold, room_name, shown, user_name

LETTERS = st.text(st.characters(categories=["L", "M", "Nd"]), min_size=1, max_size=NAME_CHARACTERS)
ANYTHING = st.text(st.characters(), max_size=NAME_CHARACTERS + 8) | LETTERS


T = TypeVar("T")


def refusal(function: Callable[[str], object], text: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        function(text)
    return caught.value


def outcome(function: Callable[[str], T], text: str) -> T | RefusedError:
    try:
        return function(text)
    except RefusedError as error:
        return error


# ---- users -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Ann",
        "ann-marie",
        "J. R. Smith",
        "O'Neil",
        "O’Neil",
        "3d",
        "under_score",
        "Zoë",
        "ñandú",
        "Straße",
        "Иван",
        "Ελένη",
        "नेहा",
        "நன்றி",
        "ไทย",
        "عمر",
        "한국인",
        "山田太郎",
        "山田たろう",
        "タナカー",
        "田中Ken",
        "ㄅㄆㄇ",
        "ʻOkina",
        "x",
        "x" * NAME_CHARACTERS,
    ],
)
def test_a_name_in_its_normal_form_stays_as_it_is(name: str) -> None:
    assert user_name(unicodedata.normalize("NFKC", name)) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ａｎｎ", "Ann"),
        ("Zoe\u0308", "Zoë"),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("ﬁn", "fin"),
        ("Ⅷ", "VIII"),
        ("①", "1"),
        ("ｶﾅ", "カナ"),
    ],
)
def test_a_name_is_brought_into_its_normal_form(typed: str, name: str) -> None:
    assert user_name(typed) == name


@pytest.mark.parametrize("name", ["", " ", "   ", "\u00a0", "\t"])
def test_an_empty_name_is_refused(name: str) -> None:
    assert "it is empty" in refusal(user_name, name).text


def test_a_name_of_33_characters_is_refused() -> None:
    assert "33 characters, and 32 are the most" in refusal(user_name, "x" * 33).text


def test_a_name_is_counted_in_its_normal_form() -> None:
    assert len(user_name("e\u0301" * NAME_CHARACTERS)) == NAME_CHARACTERS
    assert "characters" in refusal(user_name, "ﷺ" * 2).text


@pytest.mark.parametrize("name", [" Ann", "Ann ", "Ann\n", "Ann  Lee", "\u3000Ann", "Ann \u00a0Lee"])
def test_a_name_with_spaces_at_its_ends_or_two_in_a_row_is_refused(name: str) -> None:
    assert "space" in refusal(user_name, name).text


@pytest.mark.parametrize("name", ["-", "_ann", ".ann", "'ann", "’ann", "\u0301ann", "-3"])
def test_a_name_that_does_not_start_with_a_letter_or_a_digit_is_refused(name: str) -> None:
    assert "start with a letter or a digit" in refusal(user_name, name).text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a/b", "'/'"),
        ("#ann", "'#'"),
        ("@ann", "'@'"),
        ("ann,ben", "','"),
        ("ann:", "':'"),
        ("a\tb", "U+0009"),
        ("a\nb", "U+000A"),
        ("a\0b", "U+0000"),
        ("a\x7fb", "U+007F"),
        ("a\u200bb", "U+200B"),
        ("a\u200db", "U+200D"),
        ("a\u202eb", "U+202E"),
        ("a\ufeffb", "U+FEFF"),
        ("a\u00adb", "U+00AD"),
        ("a\ud800b", "U+D800"),
        ("a\ue000b", "U+E000"),
        ("a\u2028b", "U+2028"),
        ("½", "⁄"),
        ("I❤ham", "❤"),
        ("😀", "😀"),
    ],
)
def test_a_character_that_is_not_for_names_is_refused_and_shown(name: str, shown: str) -> None:
    assert shown in refusal(user_name, name).text


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("аdmin", "Cyrillic and Latin"),
        ("Αnn", "Greek and Latin"),
        ("Ann Иванова", "Cyrillic and Latin"),
        ("ΑБ", "Cyrillic and Greek"),
        ("한カ", "Hangul and Katakana"),
        ("ㄅか", "Bopomofo and Hiragana"),
        ("山Ж", "Cjk and Cyrillic"),
    ],
)
def test_a_name_of_mixed_scripts_is_refused(name: str, scripts: str) -> None:
    assert f"it mixes {scripts} letters" in refusal(user_name, name).text


def test_digits_and_marks_belong_to_every_script() -> None:
    assert user_name("Иван 2") == "Иван 2"
    assert user_name("q\u0308") == "q\u0308"


def test_a_name_with_the_iteration_mark_of_han_is_taken() -> None:
    assert user_name("佐々木") == "佐々木"


@pytest.mark.parametrize(
    "invisible",
    ["\u3164", "\u115f", "\u1160", "\uffa0", "\u034f", "\ufe0f", "\u180b", "\u17b4", "\U000e0100"],
    ids=lambda c: f"U+{ord(c):04X}",
)
def test_an_invisible_letter_or_mark_is_refused(invisible: str) -> None:
    assert refusal(user_name, f"admin{invisible}").code == "name_bad"


# ---- rooms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "room"),
    [
        ("lobby", "lobby"),
        ("#lobby", "lobby"),
        ("#Lobby", "lobby"),
        ("LOBBY", "lobby"),
        ("Ｌｏｂｂｙ", "lobby"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("plan-2026", "plan-2026"),
        ("v1.2_beta", "v1.2_beta"),
        ("ΣΟΦΌΣ", "σοφόσ"),
        ("İzmir", "i\u0307zmir"),
        ("КУХНЯ", "кухня"),
        ("会議室", "会議室"),
    ],
)
def test_a_room_gets_the_folded_form_of_its_name(typed: str, room: str) -> None:
    assert room_name(typed) == room


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "#",
        "##lobby",
        "a b",
        "a'b",
        "a/b",
        "a:b",
        "-x",
        ".x",
        "x" * 33,
        "a\0b",
        "~x",
        "room/x",
        "лobby",
        "＃x",
        " x",
    ],
)
def test_what_cannot_be_a_room_is_refused(typed: str) -> None:
    error = refusal(room_name, typed)
    assert (error.code, error.verdict) == ("room_bad", "final")
    assert "the name of a room" in error.text


# ---- folding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "ANN"),
        ("Ann", "ａｎｎ"),
        ("Straße", "STRASSE"),
        ("ẞ", "ss"),
        ("ΣΑΣ", "σας"),
        ("ﬁn", "FIN"),
        ("Å", "Å"),
        ("ᾳ", "αι"),
        ("q\u0345\u0301", "q\u0301\u0345"),
    ],
)
def test_spellings_of_one_name_are_one_name(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Ann", "Anna"), ("Ann", "Änn"), ("o", "0"), ("сор", "cop"), ("a_b", "a-b")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_folding_any_character_twice_changes_nothing_more() -> None:
    every = (chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    assert [c for c in every if fold(fold(c)) != fold(c)] == []


@given(ANYTHING)
def test_folding_twice_changes_nothing_more(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(ANYTHING)
def test_a_name_that_is_taken_is_taken_again_unchanged(name: str) -> None:
    for function in (user_name, room_name):
        taken = outcome(function, name)
        if isinstance(taken, RefusedError):
            continue
        assert function(taken) == taken
        assert 0 < len(taken) <= NAME_CHARACTERS
        assert taken.isprintable()
        assert unicodedata.is_normalized("NFKC", taken)
        taken.encode()


@given(ANYTHING)
def test_a_name_raises_nothing_but_a_refusal_with_a_sentence(name: str) -> None:
    for function, code in ((user_name, "name_bad"), (room_name, "room_bad")):
        error = outcome(function, name)
        if isinstance(error, RefusedError):
            assert (error.code, error.verdict) == (code, "final")
            assert str(error).endswith(".")
            assert "\n" not in str(error)
            str(error).encode()  # what is shown of a lone surrogate can be sent


# ---- texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["x", "Good morning!", " x ", "two\nlines", "a\tb", "😀", "👨‍👩‍👧", "Ω", "\u200bx", "x" * TEXT_BYTES]
)
def test_a_text_may_be_said(text: str) -> None:
    check_text(text)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "\t", "\u00a0", "\u3000", "\u200b", "\u2060\ufeff", "\u00ad", "\u2028"]
)
def test_a_text_of_nothing_visible_is_refused(text: str) -> None:
    assert refusal(check_text, text).code == "text_empty"


@pytest.mark.parametrize("text", ["\u3164", "\u2800", "\ufe0f", "\u034f"], ids=lambda c: f"U+{ord(c):04X}")
def test_a_text_of_invisible_letters_and_marks_is_refused(text: str) -> None:
    assert refusal(check_text, text).code == "text_empty"


@pytest.mark.parametrize(
    "text", ["x\0", "\x01", "a\rb", "a\r\nb", "\x1b[31mred", "\x7f", "\x80", "\x9f", "\ud800", "x\udfff"]
)
def test_a_text_with_control_characters_is_refused(text: str) -> None:
    assert refusal(check_text, text).code == "text_bad"


@pytest.mark.parametrize("text", ["x" * (TEXT_BYTES + 1), "é" * (TEXT_BYTES // 2) + "x", "😀" * 2049, "\0" * 9000])
def test_a_text_over_8_KiB_is_refused(text: str) -> None:
    assert refusal(check_text, text).code == "text_long"


@pytest.mark.parametrize("text", ["é" * (TEXT_BYTES // 2), "😀" * (TEXT_BYTES // 4)])
def test_a_text_is_measured_in_bytes(text: str) -> None:
    check_text(text)


@given(st.text(st.characters()))
def test_a_text_that_may_be_said_can_be_encoded_and_has_no_control_characters(text: str) -> None:
    error = outcome(check_text, text)
    if isinstance(error, RefusedError):
        assert error.code in ("text_empty", "text_bad")
    else:
        assert len(text.encode()) <= TEXT_BYTES
        assert not any(unicodedata.category(c) == "Cc" and c not in "\t\n" for c in text)


# ---- in sentences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "quoted"), [("lobby", "'lobby'"), ("a\0\x1b", r"'a\x00\x1b'"), ("it's", '"it\'s"')])
def test_what_is_quoted_can_be_seen(text: str, quoted: str) -> None:
    assert shown(text) == quoted


@given(ANYTHING | st.text(st.characters(), min_size=100))
def test_what_is_quoted_is_never_long_and_always_closed(text: str) -> None:
    quoted = shown(text)
    assert len(quoted) <= SHOWN_CHARACTERS + 2
    assert quoted[0] == quoted[-1]
    assert quoted.isprintable()
