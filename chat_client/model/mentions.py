"""Where a text speaks to me: "@Ann", or "Ann:" or "Ann," at the start of a line; as a whole word, in any case."""

import functools
import unicodedata
from collections.abc import Sequence

from chat_client.model.letters import in_word

# Between two letters these join: "Ann-Marie", "ann.py" and "ann@example.com" are not Ann, "Ann's" is.
_JOINING = "-._@"


def possible(text: str, me: Sequence[str]) -> bool:
    """Could the text name me? A quick look, for every message that comes in: no, or perhaps."""
    folded = text.casefold()
    for spelling in _spellings(tuple(me)):  # noqa: SIM110 - half the time of any()
        if spelling in folded:
            return True
    return False


def places(text: str, me: Sequence[str]) -> list[tuple[int, int]]:
    """Where the text speaks to me, as (start, end), in order and apart. An @ before the name belongs to it.

    Who only speaks *of* me does not: there are people called Will, Mark and Rose.
    """
    folded, origins = _folded(text)
    found: list[tuple[int, int]] = []
    for spelling in _spellings(tuple(me)):
        at = folded.find(spelling)
        while at >= 0:
            start, end = origins[at], origins[at + len(spelling)]
            # What a character is folded to may be longer than it: no half of one ("s" of "ß").
            whole = (at == 0 or origins[at - 1] != start) and origins[at + len(spelling) - 1] != end
            if whole and (place := _standing(text, start, end)):
                found.append(place)
            at = folded.find(spelling, at + 1)
    apart: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if apart and start <= apart[-1][1]:  # "Ann" in "Ann Lee", when both are names of mine
            start, end = apart[-1][0], max(apart.pop()[1], end)
        apart.append((start, end))
    return apart


def _standing(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The place with its @, if it is a word of its own."""
    at = start > 0 and text[start - 1] == "@"
    if not at and not _addressed(text, start, end):
        return None
    before, after = text[max(0, start - at - 2) : start - at][::-1], text[end : end + 2]
    if (before and (_inside(before) or before[0] == "#")) or (after and _inside(after)):
        return None
    return start - at, end


def _addressed(text: str, start: int, end: int) -> bool:
    """Does a line begin with the name, as one begins to speak to somebody?"""
    return not text[text.rfind("\n", 0, start) + 1 : start].strip() and text[end : end + 1] in (
        ":",
        ",",
        "：",
        "，",
        "、",
    )


def _inside(next_two: str) -> bool:
    """Does the word go on, with these characters as one walks away from it?"""
    return in_word(next_two[0]) or (next_two[0] in _JOINING and len(next_two) > 1 and in_word(next_two[1]))


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The text with case folded, and for each of its characters, and its end, the place in the text it comes from."""
    folded = text.casefold()
    if len(folded) == len(text):  # no fold is shorter than its character, so each has one
        return folded, range(len(text) + 1)
    origins = [place for place, character in enumerate(text) for _ in character.casefold()]
    return folded, [*origins, len(text)]


@functools.lru_cache(maxsize=64)
def _spellings(me: tuple[str, ...]) -> tuple[str, ...]:
    """How the names may stand in a folded text: composed or not, with either apostrophe."""
    forms = {unicodedata.normalize(form, name).casefold() for name in me for form in ("NFC", "NFD", "NFKC")}
    forms |= {form.replace("’", "'") for form in forms} | {form.replace("'", "’") for form in forms}
    return tuple(sorted(forms - {""}))
