"""Texts that only some may ever receive, and who they are: whoever else has heard one has heard what is private."""

import secrets
from dataclasses import dataclass, field

from tests.attacks.attacker import Ear


@dataclass(frozen=True)
class Secret:
    """A text that only ``readers`` may receive, and where it was said."""

    text: bytes
    room: str
    readers: frozenset[str]


@dataclass
class Canaries:
    """All secrets there are; ``readers``: who may receive what is said from now on in a room."""

    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    secrets: dict[bytes, Secret] = field(default_factory=dict)

    def text(self, room: str) -> str:
        """Something to say in a room."""
        text = f"secret-{secrets.token_hex(12)}"
        self.keep(text, room)
        return text

    def leaks(self, who: str, ear: Ear) -> list[Secret]:
        """The secrets of others that somebody has heard since this was asked last."""
        fresh, ear.checked = ear.heard[ear.checked :], len(ear.heard)
        return [
            secret
            for secret in self.secrets.values()
            if who not in secret.readers and any(secret.text in heard for heard in fresh)
        ]

    def keep(self, text: str, room: str) -> None:
        """A text that only those may receive who may read the room now. (Of an event also the chain: whoever hears it
        knows that something was said.)"""
        if room in self.readers:
            self.secrets.setdefault(text.encode(), Secret(text.encode(), room, self.readers[room]))
