"""What Tab offers where, in which order, and what the switcher finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_client.model.commands import TABLE, Problem, parse
from chat_client.model.completion import MOST, complete, rank
from chat_client.model.letters import bare
from chat_client.model.shown import Choice

NAMES = ["Ann", "Anna Lee", "Bob", "Priya Nair", "Zoë", "O’Neil", "relay-bot", "Łukasz", "김민수", "नेहा"]
ROOMS = ["lobby", "plan-2026", "planning", "ops", "2026-plan", "café"]


def offered(before: str, recent: tuple[str, ...] = ()) -> tuple[int, list[str]]:
    """How many characters are replaced, and by what."""
    count, choices = complete(before, NAMES, ROOMS, recent)
    return count, [choice.value for choice in choices]


# ---- commands --------------------------------------------------------------------------------------------------


def test_a_command_is_completed_at_the_start_of_the_text() -> None:
    assert complete("/jo", NAMES, ROOMS) == (3, [Choice("/join ", "/join ROOM", "go into a room")])
    assert offered("/JOIN") == (5, ["/join "])
    assert offered("/q") == (2, ["/quit"])
    assert offered("x /jo") == (0, [])
    assert offered("/jo\n") == (0, [])
    assert offered("/xy") == (0, [])


def test_a_slash_alone_offers_every_command() -> None:
    count, choices = complete("/", [], [])
    assert count == 1
    assert [choice.value.strip("/ ") for choice in choices] == [entry.name for entry in TABLE]
    assert [choice.hint for choice in choices] == [entry.what for entry in TABLE]


def test_a_command_is_offered_by_another_name_only_if_that_was_typed() -> None:
    assert complete("/pa", [], []) == (3, [Choice("/part ", "/part [ROOM]", "go out of this room, or another one")])


def test_what_is_offered_for_a_command_is_one() -> None:
    for choice in complete("/", [], [])[1]:
        found = parse(choice.value)
        assert not isinstance(found, Problem) or "needs" in found.text


def test_a_literal_slash_is_no_command() -> None:
    assert offered("//jo") == (0, [])
    assert offered("//join pl") == (0, [])


def test_help_is_about_a_command() -> None:
    assert offered("/help jo") == (2, ["join"])
    assert offered("/help /jo") == (2, ["join"])
    assert len(offered("/help ")[1]) == len(TABLE)


# ---- rooms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["join", "leave", "part", "who", "JOIN"])
def test_behind_a_command_that_takes_one_rooms_are_completed(command: str) -> None:
    assert offered(f"/{command} pl") == (2, ["plan-2026", "planning", "2026-plan"])
    assert offered(f"/{command} #OP") == (2, ["ops"])
    assert offered(f"/{command} ann") == (0, [])
    assert offered(f"/{command}  ") == (0, ["2026-plan", "café", "lobby", "ops", "plan-2026", "planning"])


def test_a_new_room_is_not_called_like_another_one() -> None:
    assert offered("/create pl") == (0, [])
    assert offered("/create an") == (0, [])
    assert offered("/create #pl") == (0, [])


def test_all_rooms_are_offered_before_a_letter_is_typed() -> None:
    assert complete("/join ", NAMES, ["b", "a"]) == (0, [Choice("a", "#a"), Choice("b", "#b")])
    assert complete("see #", NAMES, ["b", "a"]) == (1, [Choice("#a ", "#a"), Choice("#b ", "#b")])


def test_a_room_is_completed_anywhere_behind_its_sign() -> None:
    assert offered("#pl") == (3, ["#plan-2026 ", "#planning ", "#2026-plan "])
    assert offered("see (#lo") == (3, ["#lobby "])
    assert offered("/me likes #caf") == (4, ["#café "])
    assert offered("/me likes #CAFÉ") == (5, ["#café "])
    assert offered("see #plan-20") == (8, ["#plan-2026 "])
    assert offered("see x#pl") == (0, [])
    assert offered("see #pl ") == (0, [])
    assert offered("see #an") == (0, [])


# ---- people ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "count", "values"),
    [
        ("an", 2, ["Ann: ", "Anna Lee: "]),
        ("hello an", 2, ["Ann ", "Anna Lee "]),
        ("@an", 3, ["@Ann ", "@Anna Lee "]),
        ("hello @AN", 3, ["@Ann ", "@Anna Lee "]),
        ("(an", 2, ["Ann ", "Anna Lee "]),
        ("bob", 3, ["Bob: "]),
        ("  bo", 2, ["Bob: ", "relay-bot: "]),
        ("x\nbob", 3, ["Bob "]),
        ("/me hugs bob", 3, ["Bob "]),
        ("zoe", 3, ["Zoë: "]),
        ("ZOË", 3, ["Zoë: "]),
        ("zoe\u0308", 4, ["Zoë: "]),
        ("luk", 3, ["Łukasz: "]),
        ("o'n", 3, ["O’Neil: "]),
        ("o’n", 3, ["O’Neil: "]),
        ("nair", 4, ["Priya Nair: "]),
        ("@nair", 5, ["@Priya Nair "]),
        ("ask @priya na", 9, ["@Priya Nair "]),
        ("ask priya na", 8, ["Priya Nair "]),
        ("ask anna l", 6, ["Anna Lee "]),
        ("ask ann l", 1, ["Anna Lee ", "Łukasz "]),
        ("ask @ann about bo", 2, ["Bob ", "relay-bot "]),
        ("@bob: an", 2, ["Ann ", "Anna Lee "]),
        ("relay-b", 7, ["relay-bot: "]),
        ("bot", 3, ["relay-bot: "]),
        ("**bob", 3, ["Bob "]),
        ("김", 1, ["김민수: "]),
        ("ने", 2, ["नेहा: "]),
        ("Ann Lee an", 2, ["Ann ", "Anna Lee "]),
    ],
)
def test_people_are_found_by_the_beginning_of_a_word_of_their_names(before: str, count: int, values: list[str]) -> None:
    assert offered(before) == (count, values)


@pytest.mark.parametrize(
    "before", ["", " ", "hello ", "x", "xan", "hello xan", "a\n", "mail@an", "@xy", "an!", ":-", "?", "hello\n"]
)
def test_nothing_is_offered_where_nothing_fits(before: str) -> None:
    assert offered(before) == (0, [])


def test_everybody_is_offered_behind_an_at_sign() -> None:
    assert complete("hi @", ["Bob", "Ann"], [], ["Bob"]) == (1, [Choice("@Bob ", "Bob"), Choice("@Ann ", "Ann")])


def test_who_spoke_last_comes_first_then_the_alphabet() -> None:
    names = ["Ada", "änne", "Ann", "Lea Ames", "Abe", "Zoë"]
    values = [choice.label for choice in complete("a", names, [], ["Zoë", "Lea Ames", "Gone", "Ann", "Lea Ames"])[1]]
    assert values == ["Lea Ames", "Ann", "Abe", "Ada", "änne"]


def test_a_name_is_offered_once() -> None:
    assert complete("an", ["Ann", "Ann"], [])[1] == [Choice("Ann: ", "Ann")]
    assert complete("#l", [], ["lobby", "lobby"])[1] == [Choice("#lobby ", "#lobby")]


def test_there_are_never_too_many_choices() -> None:
    many = [f"a{number:03}" for number in range(200)]
    assert [choice.label for choice in complete("a", many, [])[1]] == many[:MOST]
    assert len(complete("#a", [], many)[1]) == MOST
    assert len(complete("/join ", [], many)[1]) == MOST


def test_only_the_end_of_a_long_text_is_looked_at() -> None:
    assert offered("x" * 8000) == (0, [])
    assert offered("x " * 4000 + "an") == (2, ["Ann ", "Anna Lee "])
    assert offered("an " * 2700 + "an") == (2, ["Ann ", "Anna Lee "])
    assert offered("@" * 8000 + "an") == (0, [])


ANY = st.text(max_size=30) | st.lists(st.sampled_from([*"/#@ \nanAN-.", "/join ", "Ann", "lee", "pl"]), max_size=8).map(
    "".join
)


@given(ANY, st.lists(st.sampled_from(NAMES)), st.lists(st.sampled_from(ROOMS)))
def test_whatever_is_typed_a_choice_replaces_what_it_was_found_by(
    text: str, names: list[str], rooms: list[str]
) -> None:
    count, choices = complete(text, names, rooms, names[:2])
    assert 0 <= count <= len(text)
    assert bool(choices) or count == 0
    assert len({choice.value for choice in choices}) == len(choices)
    typed = bare(text[len(text) - count :].lstrip("/#@"))
    for choice in choices:
        assert typed in bare(choice.value)


@given(ANY)
def test_what_was_completed_can_be_completed_again_or_is_done(text: str) -> None:
    count, choices = complete(text, NAMES, ROOMS)
    for choice in choices:
        done = (text[: len(text) - count] + choice.value).rstrip(": ")
        again = [other.value.strip() for other in complete(done, NAMES, ROOMS)[1]]
        assert choice.value.strip() in again


# ---- the switcher ----------------------------------------------------------------------------------------------


def found(query: str, *labels: str) -> list[str]:
    return [choice.label for choice in rank(query, [Choice(label, label) for label in labels])]


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("", ["#general", "#engineering", "Zoë Nair", "#ops-general", "#degeneral", "#gen"]),
        ("  ", ["#general", "#engineering", "Zoë Nair", "#ops-general", "#degeneral", "#gen"]),
        ("gen", ["#gen", "#general", "#ops-general", "#degeneral"]),
        ("GEN ", ["#gen", "#general", "#ops-general", "#degeneral"]),
        ("eng", ["#engineering"]),
        ("zoe", ["Zoë Nair"]),
        ("nair zo", ["Zoë Nair"]),
        ("zoë x", []),
        ("#", ["#general", "#engineering", "#ops-general", "#degeneral", "#gen"]),
        ("#g", ["#general", "#gen"]),
        ("general ops", ["#ops-general"]),
        ("xyz", []),
        ("ne", ["#general", "#engineering", "#ops-general", "#degeneral"]),
    ],
)
def test_the_switcher_finds(query: str, labels: list[str]) -> None:
    all_labels = ("#general", "#engineering", "Zoë Nair", "#ops-general", "#degeneral", "#gen")
    assert found(query, *all_labels) == labels


def test_among_equals_the_order_stays() -> None:
    assert found("p", "#plan-b", "Priya", "#plan-a", "@Paul") == ["#plan-b", "Priya", "#plan-a", "@Paul"]


def test_the_words_together_come_before_the_words_apart() -> None:
    assert found("plan b", "#b plan", "#plan xb", "#plan b-team") == ["#plan b-team", "#b plan", "#plan xb"]


@given(st.text("ab #-é", max_size=5), st.lists(st.text("abé #-", max_size=8), max_size=8))
def test_the_switcher_finds_all_that_have_every_word_and_no_others(query: str, labels: list[str]) -> None:
    choices = [Choice(str(number), label) for number, label in enumerate(labels)]
    words = bare(query).split()
    expected = {choice.value for choice in choices if all(word in bare(choice.label) for word in words)}
    ranked = rank(query, choices)
    assert {choice.value for choice in ranked} == expected
    assert len(ranked) == len(expected)
