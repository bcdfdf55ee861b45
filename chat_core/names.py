"""What a user or a room may be called, and when two spellings are the same name (docs/protocol.md, section 4)."""

import re
import unicodedata

from chat_core.errors import RefusedError

NAME_CHARACTERS = 32
TEXT_BYTES = 8192
# Of what is quoted in a sentence.
SHOWN_CHARACTERS = 60

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
# Other words with which the names of Han characters begin ("IDEOGRAPHIC ITERATION MARK", as in Sasaki).
_HAN = {"CJK", "IDEOGRAPHIC"}
# Letters whose Unicode name starts with a word of form rather than of script.
_FORMS = {"MODIFIER", "FEMININE", "MASCULINE", "MICRO", "SUPERSCRIPT", "KATAKANA-HIRAGANA"}

# Letters and marks that nobody can see: Unicode's Default_Ignorable_Code_Point, and the empty braille cell.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def user_name(name: str) -> str:
    """The name in its normal form (NFKC). Raises RefusedError("name_bad"), saying what is wrong."""
    return _checked(unicodedata.normalize("NFKC", name), "user")


def room_name(name: str) -> str:
    """The room's name in its normal form, which is its id: NFKC, case folded. Raises RefusedError("room_bad")."""
    return _checked(fold(name.removeprefix("#")), "room")


def room_title(name: str) -> str:
    """What a room is to be shown as, in its normal form: as its name, but with capitals. Raises as `room_name`."""
    room_name(name)
    return _checked(unicodedata.normalize("NFKC", name.removeprefix("#")), "room")


def fold(name: str) -> str:
    """The form in which names are compared and stored: "Ann", "ANN" and the full-width "Ａｎｎ" are one name.

    Folding can undo the normal form, so it is normalised on both sides (Unicode 3.13, definition D146).
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def shown(text: str) -> str:
    """What somebody sent, quoted in a sentence: visible, and never at length."""
    quoted = repr(text)
    return quoted if len(quoted) <= SHOWN_CHARACTERS else f"{quoted[:SHOWN_CHARACTERS]}…{quoted[-1]}"


def one_line(text: str) -> str:
    """A reason or a note as others may see it: without what breaks lines or cannot be printed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable() and not _INVISIBLE.match(c))


def check_text(text: str) -> None:
    """Refuse a message text that is blank, over 8 KiB, or would break a terminal, Tk or SQLite."""
    if text.isascii() and len(text) <= TEXT_BYTES and text and not text.isspace() and text.isprintable():
        return  # nearly every message: one line of printable ASCII
    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES:
        raise RefusedError("text_long", f"The message is longer than {TEXT_BYTES} bytes: send it in parts.")
    if found := _CONTROL.search(text):
        if found[0] >= "\ud800":  # what a program makes of bytes that are not UTF-8
            raise RefusedError("text_bad", "The message is not UTF-8 text: convert it first.")
        raise RefusedError("text_bad", "The message holds control characters: send plain text.")
    # Zero-width characters and fillers are not spaces to Python, but a message of them is as blank.
    if not any(c.isprintable() and not c.isspace() and not _INVISIBLE.match(c) for c in text):
        raise RefusedError("text_empty", "The message is empty: type something first.")


def _checked(name: str, what: str) -> str:
    problem = _problem(name, what)
    if problem:
        raise RefusedError(_CODES[what], f"{shown(name)} cannot be the name of a {what} ({problem}).")
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
        known = unicodedata.category(character)[0] in "LM" or character.isdecimal() or character in allowed
        if not known or _INVISIBLE.match(character):
            visible = character.isprintable() and not _INVISIBLE.match(character)
            shown = character if visible else f"U+{ord(character):04X}"
            return f"{shown!r} is not a letter, a digit or one of these: {allowed.replace(' ', '')}"
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
                scripts.add("CJK" if word in _HAN else word)
    return scripts
