"""What counts as a letter of a word where people write, and the form of names in which one looks for them."""

import functools
import re
import unicodedata

from chat_core.names import fold

# Thai, Lao, Burmese, Khmer, kana, Han and Hangul: words follow one another, or their endings, without a space.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# What people type for a character that is not made of a letter and an accent.
_LIKE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "’": "'"})


def in_word(character: str) -> bool:
    """Does a word go on here? A letter, digit or accent of a script that puts spaces between words."""
    if character.isascii():
        return character.isalnum()
    if character.isalnum():
        return not unspaced(character)
    # The emoji selector is a mark to Unicode; "❤️" is no word.
    return unicodedata.category(character)[0] == "M" and character != "\ufe0f" and not unspaced(character)


def unspaced(character: str) -> bool:
    """Is it of a script that is written without spaces between the words?"""
    return _UNSPACED.match(character) is not None


@functools.lru_cache(maxsize=8192)
def bare(name: str) -> str:
    """Folded and without accents: what is typed is looked for in this form, so that "zoe" finds "Zoë"."""
    if name.isascii():
        return name.lower()
    parts = unicodedata.normalize("NFKD", fold(name).translate(_LIKE))
    return "".join(c for c in parts if unicodedata.category(c) != "Mn")
