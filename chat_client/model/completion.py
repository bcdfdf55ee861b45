"""What Tab offers for the text before the cursor, and what the switcher finds."""

import re
from collections.abc import Sequence

from chat_client.model.commands import TABLE, WORDS
from chat_client.model.letters import bare
from chat_client.model.shown import Choice

MOST = 50  # choices at once

# What names and rooms may stand behind; they may begin the text as well.
_BORDER = "\\s(\\[{\"'“‘«,;:/*_~|—–-"
_WORD = re.compile(rf"(?<![^{_BORDER}])\w")
_PERSON = re.compile(rf"(?<![^{_BORDER}])@([^@\n]*)\Z")
_ROOM = re.compile(rf"(?<![^{_BORDER}])#([^\s#]*)\Z")
_ARGUMENT = re.compile(r"/(\w+)\s+[#/]?(\S*)\Z")
# Where a word of a name begins that is not the first.
_INNER = re.compile(r"(?<=[ \-_.'’])[^ \-_.'’]")
# A name has 32 characters, and each may be typed as two: what is further back is no part of one.
_REACH = 70
_WORDS = 6  # of a name, that may have been typed

Offer = tuple[int, list[Choice]]


def complete(before: str, names: Sequence[str], rooms: Sequence[str], recent: Sequence[str] = ()) -> Offer:
    """How many characters before the cursor are to be replaced, and what by: the best first, at most `MOST`.

    ``before``: all text before the cursor. ``names``: of people, in any order; ``recent``: who of them spoke, the last
    one first. ``rooms``: ids. Names and rooms are found by the beginning of any of their words, in upper or lower case
    and without their accents. (0, []): nothing fits.
    """
    if before.startswith("/") and not before.startswith("//"):
        if not re.search(r"\s", before):
            return _offer(len(before), _commands(before[1:]))
        argument = _ARGUMENT.match(before)
        entry = WORDS.get(argument[1].lower()) if argument else None
        if argument and entry and entry.name in ("create", "private"):
            return 0, []  # a new room has a new name
        if argument and entry and entry.argument == "room":
            return _offer(len(argument[2]), [Choice(room, f"#{room}") for room in _rooms(argument[2], rooms)])
        if argument and entry and entry.argument == "command":
            return _offer(
                len(argument[2]), [Choice(c.value.strip("/ "), c.label, c.hint) for c in _commands(argument[2])]
            )
    reach = max(0, len(before) - _REACH)
    if found := _ROOM.search(before, reach):
        return _offer(len(found[0]), [Choice(f"#{room} ", f"#{room}") for room in _rooms(found[1], rooms)])
    if found := _PERSON.search(before, reach):
        people = _people(found[1], names, recent)
        if people:
            return _offer(len(found[0]), [Choice(f"@{name} ", name) for name in people])
    # The most words first: behind "priya n", Priya Nair is meant and not Nora.
    for word in list(_WORD.finditer(before, reach))[-_WORDS:]:
        typed = before[word.start() :]
        people = [] if "\n" in typed else _people(typed, names, recent)
        if people:
            behind = " " if before[: word.start()].strip() else ": "
            return _offer(len(typed), [Choice(name + behind, name) for name in people])
    return 0, []


def rank(query: str, choices: Sequence[Choice]) -> list[Choice]:
    """The choices in whose labels every word of the query is, in upper or lower case and without accents.

    First the one that is the query, then those that begin with it, then those with words that do, then the others;
    among equals, the order given. A # or @ before a label counts only if it was typed.
    """
    wanted = " ".join(bare(query).split())
    ranked = []
    for choice in choices:
        label = bare(choice.label)
        places = [place for form in (label, label.lstrip("#@ ")) if (place := _place(wanted, form)) is not None]
        if places:
            ranked.append((min(places), choice))
    return [choice for _, choice in sorted(ranked, key=lambda pair: pair[0])]


def _place(wanted: str, label: str) -> int | None:
    """How far down a label is among those found; None: it is not. 0 is the query itself, 3 has it within a word."""
    if label.startswith(wanted):
        return 0 if label == wanted else 1
    words = wanted.split()
    return max(_depth(word, label) for word in words) if all(word in label for word in words) else None


def _depth(word: str, label: str) -> int:
    """Where the word is in the label: 1 at its start, 2 at the start of a word, 3 elsewhere."""
    at = label.find(word)
    if at == 0:
        return 1
    while at > 0:
        if not label[at - 1].isalnum():
            return 2
        at = label.find(word, at + 1)
    return 3


def _offer(count: int, choices: list[Choice]) -> Offer:
    return (count, choices[:MOST]) if choices else (0, [])


def _commands(typed: str) -> list[Choice]:
    """The commands that begin so; by another of their names only if not by their own."""
    choices = []
    for entry in TABLE:
        words = [word for word in (entry.name, *entry.aliases) if word.startswith(typed.lower())]
        if words:
            usage = entry.usage.replace(entry.name, words[0], 1)
            choices.append(Choice(f"/{words[0]} " if entry.argument else f"/{words[0]}", usage, entry.what))
    return choices


def _rooms(typed: str, rooms: Sequence[str]) -> list[str]:
    """The rooms that begin so, then those with a word that does."""
    found = [(begins, bare(room), room) for room in dict.fromkeys(rooms) if (begins := _begins(bare(typed), room)) >= 0]
    return [room for *_, room in sorted(found)]


def _people(typed: str, names: Sequence[str], recent: Sequence[str]) -> list[str]:
    """The people with a name, or a word in it, that begins so: who spoke last, then by the alphabet."""
    wanted = bare(typed)
    spoke = {name: place for place, name in reversed(list(enumerate(recent)))}
    found = [name for name in dict.fromkeys(names) if _begins(wanted, name) >= 0]
    return sorted(found, key=lambda name: (spoke.get(name, len(recent)), bare(name), name))


def _begins(wanted: str, name: str) -> int:
    """0: the name begins so (``wanted`` is bare). 1: another word in it does. -1: none."""
    whole = bare(name)
    if whole.startswith(wanted):
        return 0
    if wanted not in whole:
        return -1
    return 1 if any(whole.startswith(wanted, word.start()) for word in _INNER.finditer(whole)) else -1
