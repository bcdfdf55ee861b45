"""What a user or a room may be called, and when two spellings are the same name (docs/protocol.md, section 4)."""

import re
import unicodedata

from chat_core.errors import RefusedError

NAME_CHARACTERS = 32
TEXT_BYTES = 8192

# The broker itself is an author (of "created" in the lobby); nobody else may look like it.
BROKER_USER = "u0"
BROKER_NAME = "broker"

_PUNCTUATION = {"user": " -_.'’", "room": "-_."}
_CODES = {"user": "name_bad", "room": "room_bad"}

# Scripts that are written together in one word; every other pair in one name is how "аdmin" poses as "admin".
_TOGETHER = (
    {"CJK", "HIRAGANA", "KATAKANA", "LATIN"},
    {"CJK", "HANGUL", "LATIN"},
    {"CJK", "BOPOMOFO", "LATIN"},
)
# Letters whose Unicode name starts with a word of form rather than of script.
_FORMS = {"MODIFIER", "FEMININE", "MASCULINE", "MICRO", "SUPERSCRIPT", "KATAKANA-HIRAGANA"}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def user_name(name: str) -> str:
    """The name in its normal form (NFKC, single spaces). Raises RefusedError("name_bad"), saying what is wrong."""
    return _checked(" ".join(unicodedata.normalize("NFKC", name).split(" ")), "user")


def room_name(name: str) -> str:
    """The room's name in its normal form, which is its id: NFKC, case folded. Raises RefusedError("room_bad")."""
    return _checked(fold(name.removeprefix("#")), "room")


def fold(name: str) -> str:
    """The form in which names are compared and stored: "Ann", "ANN" and the full-width "Ａｎｎ" are one name.

    Folding can undo the normal form, so it is normalised on both sides (Unicode 3.13, definition D146).
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def check_text(text: str) -> None:
    """Refuse a message text that is blank, over 8 KiB, or would break a terminal, Tk or SQLite."""
    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES:
        raise RefusedError("text_long", f"The message is longer than {TEXT_BYTES} bytes: send it in parts.")
    if _CONTROL.search(text):
        raise RefusedError("text_bad", "The message holds control characters: send plain text.")
    # Zero-width characters are not spaces to Python, but a message of them is as blank.
    if not any(c.isprintable() and not c.isspace() for c in text):
        raise RefusedError("text_empty", "The message is empty: type something first.")


def _checked(name: str, what: str) -> str:
    problem = _problem(name, what)
    if problem:
        raise RefusedError(_CODES[what], f"{name!r} cannot be the name of a {what}: {problem}.")
    return name


def _problem(name: str, what: str) -> str:
    if not name.strip():
        return "it is empty"
    if len(name) > NAME_CHARACTERS:
        return f"it has {len(name)} characters, and {NAME_CHARACTERS} are the most"
    if name != name.strip() or "  " in name:
        return "it starts or ends with a space, or has two in a row"
    allowed = _PUNCTUATION[what]
    for character in name:
        # Letters, the marks that belong to them, and decimal digits; all else is punctuation or unprintable.
        if unicodedata.category(character)[0] not in "LM" and not character.isdecimal() and character not in allowed:
            shown = character if character.isprintable() else f"U+{ord(character):04X}"
            return f"{shown!r} is not a letter, a digit or one of {' '.join(allowed.replace(' ', '')) or 'none'}"
    if unicodedata.category(name[0])[0] != "L" and not name[0].isdecimal():
        return "it does not start with a letter or a digit"
    scripts = _scripts(name)
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return f"it mixes {' and '.join(sorted(s.title() for s in scripts))} letters"
    return ""


def _scripts(name: str) -> set[str]:
    """The scripts of the letters, by the first word of each one's Unicode name ("LATIN SMALL LETTER A")."""
    scripts = set()
    for character in name:
        if unicodedata.category(character)[0] == "L":
            word = unicodedata.name(character, "UNKNOWN").split()[0]
            if word not in _FORMS:
                scripts.add(word)
    return scripts
