"""Which broker is at which address, as its user has confirmed it: the file ``known_brokers`` of an identity.

A line is an address and a broker's public key, or "open" for one that does not encrypt; "#" begins a comment. Whoever
can write the file can have this user trust another broker, so it is private; nothing in it is secret.
"""

from collections.abc import Callable
from pathlib import Path

import filelock

from chat_client.identity import write_private
from chat_client.meeting import OPEN
from chat_client.troubles import forget_command, unconfirmed
from chat_core import messages as m
from chat_core.address import Address
from chat_core.errors import IdentityError, UntrustedError
from chat_core.keys import fingerprint, is_key, same_fingerprint

PINS_FILE = "known_brokers"
_HEAD = '# The brokers that this user of zmq-chat trusts: address and key, or "open".\n'

# Who may be trusted at first contact: "" nobody, a fingerprint whoever has that key, "open" a broker that does not
# encrypt, or a function that is asked.
Accept = str | Callable[[m.Answer], bool]


class Pins:
    """The known brokers of an identity's folder. Every call reads the file: another process may have changed it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / PINS_FILE

    def of(self, address: Address) -> str:
        """The key that is known for an address, "open", or "". Raises IdentityError if the file cannot be read: then
        nobody knows whom to trust."""
        pin = ""
        for line in self._lines():
            if len(words := line.split()) >= 2 and words[0] == address.text and (is_key(words[1]) or words[1] == OPEN):
                pin = words[1]
        return pin

    def any(self) -> bool:
        """Has any broker let this identity in? Raises IdentityError."""
        return any(not line.startswith("#") for line in self._lines())

    def keep(self, address: Address, pin: str) -> None:
        """Remember the key of an address in the place of what was known. Raises IdentityError."""
        if address.scheme == "tcp" and self.of(address) != pin:
            self._change(address, [f"{address.text} {pin}\n"])

    def forget(self, address: Address) -> bool:
        """Know nothing of an address any more; False if that was so before. Raises IdentityError."""
        return bool(self.of(address)) and self._change(address, [])

    def _change(self, address: Address, more: list[str]) -> bool:
        try:
            with filelock.FileLock(self.file.with_suffix(".lock"), timeout=10):
                lines = [line for line in self._lines() if line.split()[:1] != [address.text]] or [_HEAD]
                if not lines[-1].endswith("\n"):
                    lines[-1] += "\n"
                write_private(self.file, "".join([*lines, *more]))
        except (OSError, filelock.Timeout) as problem:
            raise self._unusable(problem) from problem
        return True

    def _lines(self) -> list[str]:
        try:
            return self.file.read_text("utf-8", "replace").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise self._unusable(problem) from problem

    def _unusable(self, problem: Exception) -> IdentityError:
        reason = getattr(problem, "strerror", None) or problem
        return IdentityError(f"The file of known brokers, {self.file}, cannot be used ({reason}).")


class Trust:
    """One address and what to trust there: begins with what is known, decides at first contact, keeps what held."""

    def __init__(self, address: Address, folder: Path, accept: Accept = "", sure: bool = False) -> None:
        """``sure``: the key that the address names is right, whatever was known before. Raises UntrustedError if it
        is not the one that is known, and IdentityError."""
        self._address, self._accept, self._pins = address, accept, Pins(folder)
        self.pin = OPEN if address.scheme == "inproc" else self._begin(sure)

    def _begin(self, sure: bool) -> str:
        known, told = self._pins.of(self._address), self._address.key
        if not told or told == known:
            return known
        # Whoever has a key for a broker that did not encrypt before has it from its owner.
        if known not in ("", OPEN) and not sure:
            text = (
                f"The key in the join string is not the one that is known of the broker at {self._address.text}: its "
                f"fingerprint is {fingerprint(told)}, and {fingerprint(known)} is known. If you know that the broker "
                f"was set up anew: {forget_command(self._address.text)}"
            )
            raise UntrustedError("key_changed", text)
        return told

    def met(self, answer: m.Answer) -> str:
        """The pin for a broker that is met for the first time. Raises UntrustedError if it is not to be trusted."""
        if not self._accepts(answer):
            wanted = self._accept if isinstance(self._accept, str) and self._accept != OPEN else ""
            raise UntrustedError("unconfirmed", unconfirmed(self._address.text, answer, wanted), answer.key)
        return self.confirm(answer)

    def confirm(self, answer: m.Answer) -> str:
        """The pin for a broker that somebody has confirmed."""
        self.pin = OPEN if answer.security == OPEN else answer.key
        return self.pin

    def keep(self) -> None:
        """It has let us in: remember it. Raises IdentityError."""
        self._pins.keep(self._address, self.pin)

    def _accepts(self, answer: m.Answer) -> bool:
        if callable(self._accept):
            return self._accept(answer)
        if answer.security == OPEN:
            return self._accept == OPEN
        return bool(self._accept) and same_fingerprint(self._accept, fingerprint(answer.key))
