"""What is a marker and what is not, that nothing else is ever lost, and that no text takes long."""

import itertools
import re
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from chat_client.model import completion, letters, markup, mentions
from chat_client.model.markup import Span, mentions_me, plain, spans
from chat_core.names import TEXT_BYTES


def shown(text: str, *me: str) -> list[tuple[str, str]]:
    """The spans as pairs: their text, and their styles in one word."""
    return [(span.text, "+".join(sorted(span.styles))) for span in spans(text, me)]


def links(text: str) -> list[str]:
    return [span.url for span in spans(text) if span.url]


# ---- plain text ------------------------------------------------------------------------------------------------


def test_an_empty_text_has_no_spans() -> None:
    assert spans("") == []
    assert plain("") == ""


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "10:30, or so?\n#lunch [maybe] <b>",
        "snake_case and _private_name",
        "__init__ and __name__.py",
        "2*3*4 = 24, 2**3**4",
        "2 * 3 * 4",
        "a * b and c * d",
        "*args, **kwargs",
        "*.py and *.txt",
        "src/*.py and test/*.py",
        "* one\n* two",
        "** **",
        "****",
        "*****five*****",
        "price* and cost*",
        "**never closed",
        "*across\nlines*",
        "_across\nlines_",
        "**bold*",
        "*bold**",
        "_mixed*",
        "`never closed",
        "`across\nlines`",
        "``not `closed",
        "``",
        "` `",
        "```\n\n```",
        ">no space",
        ">>> python",
        ">:(",
        "> ",
        ">",
        "a > b",
        "*_* ^_^ -_- >_< o_O T_T",
        "(*^_^*) and (*_*)",
        "¯\\_(ツ)_/¯",
        "C:\\temp and \\\\server\\share",
        "**bold**ly",
        "un**believ**able",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "http://",
        "https:// x",
        "mailto: me",
        "mailto:me",
        "xhttps://x.y",
        "http:///etc",
        "ann@example.com",
        "\\ at the end \\",
    ],
)
def test_what_only_looks_like_markup_stays(text: str) -> None:
    assert spans(text) == [Span(text)]
    assert plain(text) == text


# ---- emphasis --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold**", [("bold", "bold")]),
        ("*it*", [("it", "italic")]),
        ("_it_", [("it", "italic")]),
        ("***both***", [("both", "bold+italic")]),
        ("***both* bold**", [("both", "bold+italic"), (" bold", "bold")]),
        ("***both** it*", [("both", "bold+italic"), (" it", "italic")]),
        ("**bold *both***", [("bold ", "bold"), ("both", "bold+italic")]),
        ("*it **both***", [("it ", "italic"), ("both", "bold+italic")]),
        ("**_both_**", [("both", "bold+italic")]),
        ("_**both**_", [("both", "bold+italic")]),
        ("a *b* c", [("a ", ""), ("b", "italic"), (" c", "")]),
        ('(*b*), "*c*"', [("(", ""), ("b", "italic"), ('), "', ""), ("c", "italic"), ('"', "")]),
        ("so...*b*!", [("so...", ""), ("b", "italic"), ("!", "")]),
        ("*snake_case*", [("snake_case", "italic")]),
        ("_snake_case_", [("snake_case", "italic")]),
        ("**2*3**", [("2*3", "bold")]),
        ("**a b c** d", [("a b c", "bold"), (" d", "")]),
        ("**a _b** c_", [("a _b", "bold"), (" c_", "")]),
        ("*a *b*", [("*a ", ""), ("b", "italic")]),
        ("*a* b*", [("a", "italic"), (" b*", "")]),
        ("*a***", [("a", "italic"), ("**", "")]),
        ("**a** *b*\n*c*", [("a", "bold"), (" ", ""), ("b", "italic"), ("\n", ""), ("c", "italic")]),
        ("*a*_b_", [("ab", "italic")]),
        ("これは**重要**です", [("これは", ""), ("重要", "bold"), ("です", "")]),
        ("**👍**", [("👍", "bold")]),
        ("*नेहा* x", [("नेहा", "italic"), (" x", "")]),
        ("नेहा*x*", [("नेहा*x*", "")]),
        ("**see `x*` now**", [("see ", "bold"), ("x*", "bold+code"), (" now", "bold")]),
    ],
)
def test_emphasis(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\*a\*", "*a*"),
        (r"\_a\_", "_a_"),
        (r"\**a**", "**a**"),
        (r"\`a\`", "`a`"),
        (r"a\*b", "a*b"),
        (r"\> a", "> a"),
        (r"snake\_case", "snake_case"),
        (r"\\server", r"\\server"),
        (r"a\b", r"a\b"),
        (r"\>a", r"\>a"),
    ],
)
def test_a_backslash_makes_a_marker_plain(text: str, expected: str) -> None:
    assert spans(text) == [Span(expected)]


def test_two_backslashes_before_a_marker_are_one_and_leave_it_a_marker() -> None:
    assert shown(r"\\*a*") == [("\\", ""), ("a", "italic")]
    assert shown(r"\\\*a*") == [(r"\*a*", "")]


def test_a_face_of_markers_is_not_emphasis_even_beside_some() -> None:
    assert shown("*_* **b** ^_^") == [("*_* ", ""), ("b", "bold"), (" ^_^", "")]


# ---- code ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`a`", [("a", "code")]),
        ("x`a`y", [("x", ""), ("a", "code"), ("y", "")]),
        ("`*a* _b_ https://x.y \\`", [("*a* _b_ https://x.y \\", "code")]),
        ("``a`b``", [("a`b", "code")]),
        ("`` `a` ``", [("`a`", "code")]),
        ("` a `", [(" a ", "code")]),
        ("`a` `b`", [("a", "code"), (" ", ""), ("b", "code")]),
        ("it's `a", [("it's `a", "")]),
        ("`a\n`b`", [("`a\n", ""), ("b", "code")]),
        ("*a `b* c`", [("*a ", ""), ("b* c", "code")]),
    ],
)
def test_code(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```a```", [("a", "block")]),
        ("```a\nb```", [("a\nb", "block")]),
        ("```\na\nb\n```", [("a\nb", "block")]),
        ("```\na\n\n  b\n```\nc", [("a\n\n  b\n", "block"), ("c", "")]),
        ("```\na\n```  \n*c*", [("a\n", "block"), ("c", "italic")]),
        ("```py\na\n```", [("a", "block")]),
        ("```C++ \na\n```", [("a", "block")]),
        ("```hello\na\n```", [("hello\na", "block")]),
        ("```ython\na\n```", [("ython\na", "block")]),
        ("```py```", [("py", "block")]),
        ("```py\n```", [("py", "block")]),
        ("see: ```\na\n```", [("see: \n", ""), ("a", "block")]),
        ("see:\n```\na\n``` there", [("see:\n", ""), ("a\n", "block"), (" there", "")]),
        ("```a```\nb", [("a\n", "block"), ("b", "")]),
        ("```\n``\n```", [("``", "block")]),
        ("````\n```\n````", [("```", "block")]),
        ("*a ```\nb\n```\nc*", [("*a \n", ""), ("b\n", "block"), ("c*", "")]),
        ("**a ```b``` c**", [("a ", "bold"), ("b", "block+bold"), (" c", "bold")]),
        ("```\n> a\n```\n> b", [("> a\n", "block"), ("b", "quote")]),
    ],
)
def test_blocks(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


# ---- quotes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> a", [("a", "quote")]),
        ("> a\nb", [("a\n", "quote"), ("b", "")]),
        ("> a\n> b\n\nc", [("a\nb\n", "quote"), ("\nc", "")]),
        ("> a\n>\n> b", [("a\n\nb", "quote")]),
        ("a\n> b", [("a\n", ""), ("b", "quote")]),
        ("> *a* `b`", [("a", "italic+quote"), (" ", "quote"), ("b", "code+quote")]),
        ("> > a", [("> a", "quote")]),
        ("> a ```b\n> c```", [("a ```b\nc```", "quote")]),
        ("> ```a```\nb", [("a\n", "block+quote"), ("b", "")]),
        ("a\n\\> b", [("a\n> b", "")]),
    ],
)
def test_quotes(text: str, expected: list[tuple[str, str]]) -> None:
    assert shown(text) == expected


# ---- links -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com", "https://example.com"),
        ("see https://example.com/a_b_c.", "https://example.com/a_b_c"),
        ("HTTPS://Example.com/A", "https://Example.com/A"),
        ("ftp://host/file", "ftp://host/file"),
        ("chat://192.168.1.20:5555/lobby?key=a%2Bb", "chat://192.168.1.20:5555/lobby?key=a%2Bb"),
        ("chat://[fe80::1]:5555/x", "chat://[fe80::1]:5555/x"),
        ("mailto:ann@example.com, please", "mailto:ann@example.com"),
        ("(https://x.y/z)", "https://x.y/z"),
        ("https://x.y/Foo_(bar)", "https://x.y/Foo_(bar)"),
        ("(see https://x.y/Foo_(bar))", "https://x.y/Foo_(bar)"),
        ("[x](https://x.y)", "https://x.y"),
        ("https://x.y/a]b)c", "https://x.y/a]b)c"),
        ("<https://x.y/z>", "https://x.y/z"),
        ('"https://x.y/z"', "https://x.y/z"),
        ("https://x.y/?q=a&b=1#c!?", "https://x.y/?q=a&b=1#c"),
        ("https://x.y/...", "https://x.y/"),
        ("**https://x.y/z**", "https://x.y/z"),
        ("_https://x.y/z_", "https://x.y/z"),
        ("https://x.y/z_", "https://x.y/z_"),
        ("https://x.y/*/z", "https://x.y/*/z"),
        ("https://bücher.example/ä", "https://bücher.example/ä"),
        ("看https://x.y/。好", "https://x.y/"),
        ("https://x.y/\u202ecod.exe", "https://x.y/"),
        ("https://x.y\\@evil", "https://x.y"),
        ("file:https://x.y", "https://x.y"),
    ],
)
def test_a_link_ends_where_the_sentence_goes_on(text: str, url: str) -> None:
    assert links(text) == [url]
    found = next(span for span in spans(text) if span.url)
    assert "link" in found.styles
    assert found.text.lower() == url.lower()
    assert found.text in text


def test_nothing_in_a_link_is_a_marker_but_it_takes_part_in_what_is_around() -> None:
    assert shown("*see https://x.y/_a_/**b*") == [("see ", "italic"), ("https://x.y/_a_/**b", "italic+link")]


def test_two_links_with_nothing_but_a_break_between_them_are_two() -> None:
    assert links("https://a.b\nhttps://c.d ftp://e") == ["https://a.b", "https://c.d", "ftp://e"]


# ---- mentions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("@Ann hi", "Ann", ["@Ann"]),
        ("hi @ANN", "Ann", ["@ANN"]),
        ("hi @ann!", "Ann", ["@ann"]),
        ("@Ann's and @Ann: (@Ann)", "Ann", ["@Ann", "@Ann", "@Ann"]),
        ("**@Ann** and _@Ann_", "Ann", ["@Ann", "@Ann"]),
        ("> @Ann", "Ann", ["@Ann"]),
        ("@Anna, @annex, Mary@Ann, @Ann2, @ann_x", "Ann", []),
        ("@Ann-Marie and Mary-@Ann, @ann.py, x.@ann", "Ann", []),
        ("ann@example.com bob@ann.com @ann@example.com #@ann", "Ann", []),
        ("`@Ann` ```@Ann``` https://x.y/@Ann", "Ann", []),
        ("@Ann- no, -@ @Ann. @Ann.", "Ann", ["@Ann", "@Ann", "@Ann"]),
        ("@priya nair: @Priya", "Priya Nair", ["@priya nair"]),
        ("@ZOË @zoe\u0308 @zoe", "Zoë", ["@ZOË", "@zoe\u0308"]),
        ("@zoe\u0308", "Zoe", []),
        ("@STRASSE @straße @Straßen", "Straße", ["@STRASSE", "@straße"]),
        ("İx @Ann", "Ann", ["@Ann"]),
        ("@ß", "s", []),
        ("@O’NEIL @o'neil", "O'Neil", ["@O’NEIL", "@o'neil"]),
        ("@田中さん 田中 @田中", "田中", ["@田中", "@田中"]),
        ("森林 林 @林さん", "林", ["@林"]),
        ("@Kenさん", "Ken", ["@Ken"]),
        ("@नेहा @नेहाल", "नेहा", ["@नेहा"]),
        ("❤️@Ann❤️", "Ann", ["@Ann"]),
        ("hi", "", []),
    ],
)
def test_my_name_is_a_word_of_its_own(text: str, name: str, found: list[str]) -> None:
    marked = [span.text for span in spans(text, [name]) if "mention" in span.styles]
    assert marked == found
    assert mentions_me(text, [name]) == bool(found)


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Ann: hi", "Ann", ["Ann"]),
        ("田中：会議は十時です", "田中", ["田中"]),
        ("  Ann, hi", "Ann", ["Ann"]),
        ("ANN:hi", "Ann", ["ANN"]),
        ("x\nann: y", "Ann", ["ann"]),
        ("Ann: a\n\n\tAnn, b", "Ann", ["Ann", "Ann"]),
        ("Ann, Ann: @Ann", "Ann", ["Ann", "@Ann"]),
        ("**Ann**: x", "Ann", ["Ann"]),
        ("*Ann:* x", "Ann", ["Ann"]),
        ("> Ann: x\n> Ann, y", "Ann", ["Ann", "Ann"]),
        ("```\na\n```\nAnn: x", "Ann", ["Ann"]),
        ("> a\nAnn: x", "Ann", ["Ann"]),
        ("priya nair, hi", "Priya Nair", ["priya nair"]),
        ("straße: a\nSTRASSE, b", "Straße", ["straße", "STRASSE"]),
        ("O’NEIL: a", "O'Neil", ["O’NEIL"]),
        ("林: a", "林", ["林"]),
        ("Ann", "Ann", []),
        ("Ann\n: x", "Ann", []),
        ("Ann : x", "Ann", []),
        ("Ann is here", "Ann", []),
        ("Ann's: x", "Ann", []),
        ("Ann? Ann! Ann. Ann; (Ann): Ann- Ann", "Ann", []),
        ("I will ask Ann, when she is here", "Ann", []),
        ("hi Ann: x", "Ann", []),
        ("-Ann: x", "Ann", []),
        ("#Ann: x", "Ann", []),
        ("Mary Ann: x", "Ann", []),
        ("Mary-Ann: x", "Ann", []),
        ("Anna: x\nMaryAnn, y", "Ann", []),
        ("Priya: x", "Priya Nair", []),
        ("> > Ann: x", "Ann", []),
        ("`Ann`: x", "Ann", []),
        ("`Ann: x`", "Ann", []),
        ("```\nAnn: x\n```", "Ann", []),
        ("`a` Ann: x", "Ann", []),
        ("https://x.y Ann: x", "Ann", []),
        ("ß: x", "s", []),
        ("森林: x", "林", []),
        ("田中さん, x", "田中", []),
    ],
)
def test_without_an_at_a_name_speaks_to_me_where_a_line_begins_with_it(text: str, name: str, found: list[str]) -> None:
    marked = [span.text for span in spans(text, [name]) if "mention" in span.styles]
    assert marked == found
    assert mentions_me(text, [name]) == bool(found)


def test_who_only_speaks_of_somebody_does_not_speak_to_them() -> None:
    for text in ("will it work?", "It will, I think: will is strong", "I said it will: it did", "Will"):
        assert spans(text, ["Will"]) == [Span(text)]
        assert not mentions_me(text, ["Will"])


def test_other_peoples_names_are_just_text() -> None:
    assert spans("@Bob hi", ["Ann"]) == [Span("@Bob hi")]


def test_each_of_my_names_counts_and_the_longer_one_is_one_mention() -> None:
    assert shown("Ann Lee, @Boss, Lee", "Ann", "Ann Lee", "boss") == [
        ("Ann Lee", "mention"),
        (", ", ""),
        ("@Boss", "mention"),
        (", Lee", ""),
    ]


def test_a_name_may_be_emphasised_in_part() -> None:
    assert shown("@Ann Lee: **@Ann** Lee x", "Ann Lee") == [
        ("@Ann Lee", "mention"),
        (": ", ""),
        ("@Ann", "bold+mention"),
        (" Lee", "mention"),
        (" x", ""),
    ]


def test_without_names_nobody_is_mentioned() -> None:
    assert not mentions_me("@Ann", [])
    assert spans("@Ann", []) == [Span("@Ann")]


# ---- whatever is written ---------------------------------------------------------------------------------------

MARKERS = "*_`\\>"
NASTY = st.lists(
    st.sampled_from(
        [
            *"*_`\\> \nab.([)]@:",
            "**",
            "***",
            "```",
            "> ",
            "\n> ",
            "```\n",
            "https://x.y/",
            "Ann",
            "@Ann",
            "\nAnn:",
            "中",
            "👍",
        ]
    ),
    max_size=30,
).map("".join)
TEXTS = NASTY | st.text(max_size=60)


@given(TEXTS)
@example("```\n\n```")
@example("> \n>")
def test_nothing_is_lost_but_markers(text: str) -> None:
    def kept(some: str) -> str:
        return "".join(c for c in some if c not in MARKERS and not c.isspace())

    joined = "".join(span.text for span in spans(text, ["Ann"]))
    assert joined == plain(text)
    assert kept(joined) == kept(text)
    rest = iter(text)
    assert all(c in rest for c in joined)  # in order, and nothing is put in
    assert any(not c.isspace() for c in joined) == any(not c.isspace() for c in text)


@given(TEXTS)
def test_spans_are_as_few_as_can_be_and_none_is_empty(text: str) -> None:
    found = spans(text, ["Ann"])
    assert all(span.text for span in found)
    assert all((a.styles, a.url) != (b.styles, b.url) for a, b in itertools.pairwise(found) if "link" not in a.styles)
    assert all(bool(span.url) == ("link" in span.styles) for span in found)


@given(st.text(st.characters(exclude_characters=MARKERS + ":"), max_size=60))
def test_a_text_without_markers_is_one_span(text: str) -> None:
    assert spans(text) == ([Span(text)] if text else [])


@given(NASTY.filter(lambda text: "\\>" not in text and "://" not in text))
def test_any_text_can_be_escaped(text: str) -> None:
    escaped = re.sub(r"(\\*)([*_`])", r"\1\1\\\2", text)
    escaped = re.sub(r"^> ", r"\\> ", escaped, flags=re.MULTILINE)
    assert spans(escaped) == ([Span(text)] if text else [])


@given(NASTY)
def test_code_is_left_alone(text: str) -> None:
    assume("`" not in text and text.strip() and not text.startswith("\n"))
    assert Span(text.removesuffix("\n"), frozenset(["block"])) == spans(f"```\n{text}```")[0]
    if "\n" not in text:
        assert spans(f"`{text}`") == [Span(text, frozenset(["code"]))]


@given(NASTY | st.text("aAnNßsS İ@:,\n>-_*`", max_size=30), st.sampled_from(["Ann", "a", "ß", "n*", "Ann Lee"]))
def test_a_text_speaks_to_me_exactly_if_a_mention_is_shown(text: str, name: str) -> None:
    found = [span.text.casefold() for span in spans(text, [name]) if "mention" in span.styles]
    assert mentions_me(text, [name]) == bool(found)
    assert name.casefold() in "".join(found).replace("@", "") or not found


@given(st.text("aA@:, \n.-\u0308é", max_size=30), st.sampled_from(["a", "aa"]))
@example("b\n a, a: @aa", "a")
def test_a_mention_stands_alone(text: str, name: str) -> None:
    for start, end in mentions.places(text, [name]):
        assert text[start:end].casefold().removeprefix("@") == name
        assert not (start and letters.in_word(text[start - 1]))
        assert not (end < len(text) and letters.in_word(text[end]))
        begins = not text[:start].rpartition("\n")[2].strip() and text[end : end + 1] in {":", ","}
        assert text[start] == "@" or begins


# ---- time ------------------------------------------------------------------------------------------------------


def steps(function: Callable[[], Any]) -> int:
    """How many lines of the modules tried here run meanwhile; of regular expressions nothing is seen."""
    files = {module.__file__ for module in (markup, mentions, letters, completion)}
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in files:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


WORST = [
    *"*[`_\\>@:(",
    *("*a ", "a* ", "*a b* ", "_a* ", "**a *b ", "**a b* ", "***a ", "*a b*** ", "*!", "!* ", "`a ", "` `` ", "``` `"),
    *(
        "```a",
        "```a\n",
        "> \n",
        "> a\n",
        "\\* ",
        "http:///",
        "http://a(",
        "http://a) ",
        "https://",
        "mailto:",
        "mailto:a",
    ),
    *("Ann", "@Ann ", "Ann*", "*Ann* ", "ßAnn ", "Ann, ", "Ann:", "\nAnn:", " \nAnn"),
]


@pytest.mark.parametrize("part", WORST)
def test_no_text_takes_long(part: str) -> None:
    short, long = ((part * TEXT_BYTES)[:size] for size in (TEXT_BYTES // 8, TEXT_BYTES))
    began = time.perf_counter()
    spans(long, ["Ann"])
    sys.stdout.write(f"{part!r}: {(time.perf_counter() - began) * 1000:.1f} ms\n")  # seen with -s
    few, many = (steps(lambda text=text: spans(text, ["Ann"])) for text in (short, long))  # type: ignore[misc]
    assert many < 9 * few + 100  # eight times the text: a quadratic step would make it 64 times the work


def test_most_messages_are_looked_at_for_a_moment_only() -> None:
    text = "what do the others say to it, shall we meet tomorrow at 10:30 or is that too early for you?"
    assert steps(lambda: spans(text, ["Ann"])) < 12
    assert steps(lambda: mentions_me(text, ["Ann"])) < 8
