"""Keys as text: what a public key looks like, its fingerprint for people, what a file holds that keeps a secret one.

A key is a CURVE key in Z85 (ZeroMQ RFC 32): 32 bytes in 40 characters. Making keys needs zmq and is done elsewhere.
"""

import re
from base64 import b32encode
from hashlib import blake2b

KEY_CHARACTERS = 40
_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}\Z")
# 80 bits: who wants a key of their own with the fingerprint of another one tries 2^80 keys.
_FINGERPRINT_BYTES, _GROUP = 10, 4


def is_key(text: str) -> bool:
    """Can this be a key? (Whether anybody has the secret of it, only a handshake shows.)"""
    return _KEY.match(text) is not None


def fingerprint(key: str) -> str:
    """A public key for people to compare: "k3vq-7xma-2bnt-c5we", BLAKE2b of the key's text in base 32."""
    digest = blake2b(key.encode(), digest_size=_FINGERPRINT_BYTES).digest()
    letters = b32encode(digest).decode().lower()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def same_fingerprint(one: str, other: str) -> bool:
    """Are these two the same, however they were typed: in capitals, with spaces, without dashes?"""
    return _bare(one) == _bare(other)


def token_digest(token: str) -> str:
    """What is kept of an invitation's token or a one-time code, 32 hex digits: who reads it cannot come in with it."""
    return blake2b(token.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def file_text(secret: str, warning: str) -> str:
    """What a key file holds: a comment that says what it is, and the secret key."""
    return f"# {warning}\n{secret}\n"


def secret_in(text: str) -> str | None:
    """The secret key that a key file's text holds, or None if it is not one."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("# ")]
    return lines[0] if len(lines) == 1 and is_key(lines[0]) else None


def _bare(text: str) -> str:
    return "".join(text.split()).replace("-", "").lower()
