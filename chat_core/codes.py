"""Secrets that people read out and type: the one-time code that links a machine, the token of an invitation. Pure."""

from chat_core.errors import RefusedError

CODE_BITS = 50
TOKEN_BITS = 100
# Crockford's base 32: nothing in it is taken for something else.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_ALIKE = str.maketrans("oilu", "011v", " -")
_GROUP = 5


def letters(number: int, bits: int) -> str:
    """A random number of so many bits, as text."""
    return "".join(_LETTERS[number >> shift & 31] for shift in range(bits - 5, -1, -5))


def grouped(code: str) -> str:
    """A code as it is shown: "k7qf2-m9xab"."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def typed_code(text: str) -> str:
    """The code that somebody typed, in capitals perhaps, with or without its dash. Raises RefusedError("link_bad")."""
    code = text.strip().lower().translate(_ALIKE)
    if len(code) != CODE_BITS // 5 or set(code) - set(_LETTERS):
        raise RefusedError("link_bad", "That is not a code: it has ten letters and digits, such as k7qf2-m9xab.")
    return code
