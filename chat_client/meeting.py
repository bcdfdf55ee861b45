"""Meeting a broker: knocking at its door, trusting a key, and finding out why nobody lets us in. Pure.

The door is not encrypted, and whoever is on the way can answer in the broker's place. So nothing that it says is
believed: without a pin its answer is shown to somebody who decides (`Met`), and with one it only explains why the posts
line does not come up (`Trouble`). The pin is a key, which CURVE proves at every connection, or "open".

    no pin    knock -> answer -> Met -> `trust`: there is a pin
              nobody opens -> is there anything at the posts port? -> Trouble, and knock again
    a pin     the posts line is tried; if it is not welcome within a moment, or is refused outright: knock beside it ->
              Trouble, once for each kind of it, and knock again from time to time, until it is welcome
"""

from collections.abc import Callable
from dataclasses import dataclass

from chat_client.effects import Effect, Met, Send, Trouble
from chat_client.lines import Line
from chat_client.troubles import sentence
from chat_core import PROTOCOL_VERSIONS, wire
from chat_core import messages as m
from chat_core.errors import WireError
from chat_core.keys import is_key

OPEN = "open"  # the pin of a broker that does not encrypt, and the name of that mode
CURVE = "curve"
# The broker itself has refused the connection, with this status (ZeroMQ RFC 27).
BANNED, CROWDED = "auth:400", "auth:500"
_REFUSALS = {BANNED: "banned", CROWDED: "crowded", "identity": "identity"}
# What does not look like a broker that is away.
_STRANGE = ("handshake", "protocol", *_REFUSALS)


@dataclass(frozen=True)
class Patience:
    """For how long, in seconds: until the first knock beside the posts line; for an answer of the door; for anybody to
    take a connection at the posts port; from one knock to the next; until it is said that the port is blocked."""

    beside: float = 1.0
    door: float = 1.2
    probe: float = 0.7
    again: float = 2.0
    blocked: float = 3.0


def judge(pin: str, answer: m.Answer | None, why: str, reached: bool) -> str:
    """What is wrong, as a code of `troubles`; "": nothing that can be seen from here. ``why`` and ``reached``: of the
    last attempt to open the posts line."""
    if why in _REFUSALS:
        return _REFUSALS[why]
    if answer is None:
        return "stranger" if reached else "nobody"
    if not _is_understood(answer):
        return "version"
    if not pin:
        return ""
    if answer.security != (OPEN if pin == OPEN else CURVE):
        return "curve_now" if pin == OPEN else "open_now"
    if pin not in (OPEN, answer.key):
        return "key_changed"
    return "stranger" if why in _STRANGE else ""


def _is_understood(answer: m.Answer) -> bool:
    """Can this version talk to such a broker?"""
    mode = answer.security == OPEN or (answer.security == CURVE and is_key(answer.key))
    return mode and not set(PROTOCOL_VERSIONS).isdisjoint(answer.versions)


class Meeting:
    """See the module. The session tells it what becomes of the posts line; it has two lines of its own."""

    def __init__(self, pin: str, where: str, tell: Callable[[Effect], None], patience: Patience | None = None) -> None:
        """``pin``: the broker's key, `OPEN`, or "" if nothing is known of it. ``where``: its address, for people."""
        self.pin, self.where = pin, where
        self.every = patience or Patience()
        self.trouble: Trouble | None = None
        self.asking = False  # somebody was told whom we met, and is to decide
        self.door = Line("door", self.every.door, self.every.door)
        self.probe = Line("probe", self.every.probe, self.every.probe)
        self._tell = tell
        self._looking = False
        self._since = self._due = self._last = 0.0
        self._why, self._reached = "", False  # of the posts line's last attempt
        self._knocks = 0

    # What the session tells.

    def look(self, now: float) -> None:
        """We are to be let in, and are not (any more)."""
        if not self._looking:
            self._looking, self._since = True, now
            self._why, self._reached = "", False
            self._due = now + self.every.beside if self.pin else now

    def tried(self, why: str, reached: bool, now: float) -> None:
        """An attempt to open the posts line has failed. ``why``: see `Session.lost`."""
        self._why, self._reached = why, reached
        if why in _REFUSALS:
            self._conclude(None, now)
        elif why in _STRANGE:
            self._due = min(self._due, max(now, self._last + self.every.again))

    def found(self) -> None:
        """The right broker has answered us, whatever it said: nothing is wrong with who is there."""
        self._looking = self.asking = False
        self.trouble = None
        self._close()

    def shut_out(self, text: str, now: float) -> None:
        """The broker has told us why it will not let us in from now on: the next handshakes say only that."""
        self.look(now)
        self._why, self.trouble = BANNED, Trouble("banned", text)
        self._tell(self.trouble)

    def trust(self, pin: str, now: float) -> None:
        """Somebody has decided. "": to trust nobody, and to ask again."""
        self.pin, self.asking, self.trouble = pin, False, None
        self._looking = False
        self._close()
        self.look(now)

    # What happens to its lines.

    def reached(self, line: str, generation: int, now: float) -> None:
        """Somebody took the connection; the session's own ones of the posts line too."""
        if line == "posts":
            self._reached = True
        for mine in (self.door, self.probe):
            if mine.name == line and mine.is_now(generation):
                mine.reached = True
        if self.probe.up and self.probe.reached:
            self._ended(self.probe, now)

    def lost(self, line: str, generation: int, now: float) -> None:
        """The connection broke, or could not be made."""
        for mine in (self.door, self.probe):
            if mine.name == line and mine.is_now(generation):
                self._ended(mine, now)

    def answered(self, generation: int, frame: bytes, now: float) -> None:
        """The door has said something."""
        if not self.door.is_now(generation):
            return
        try:
            answer = wire.decode(frame, m.Answer)
        except WireError:
            self._ended(self.door, now)  # not a broker's, or not one of this time
            return
        self._close()
        self._conclude(answer, now)

    def tick(self, now: float) -> None:
        """Time has passed."""
        for line in (self.door, self.probe):
            if line.up and now >= line.silent_at():
                self._ended(line, now)
        if now >= self.deadline():
            self._knock(now)

    def deadline(self) -> float:
        """When to call `tick` again at the latest."""
        if self.door.up or self.probe.up:
            return min(line.silent_at() for line in (self.door, self.probe) if line.up)
        return self._due if self._looking and not self.asking else float("inf")

    # Inside.

    def _knock(self, now: float) -> None:
        self._last = now
        self._knocks += 1
        self._tell(self.door.open(now))
        self._tell(Send(wire.encode(m.Knock(self._knocks)), self.door.name))

    def _ended(self, line: Line, now: float) -> None:
        """The door stays shut; without a pin the posts port is still to be looked at."""
        self._tell(line.close())
        if line is self.door and not line.reached and not self.pin:
            self._tell(self.probe.open(now))
            return
        if not self.pin:
            self._reached = line.reached
        self._conclude(None, now)

    def _conclude(self, answer: m.Answer | None, now: float) -> None:
        self._due = now + self.every.again
        code = judge(self.pin, answer, self._why, self._reached)
        if not code and answer is not None and not self.pin:
            self.asking, self.trouble = True, None
            self._tell(Met(answer))
            return
        if not code and not self._reached and now - self._since >= self.every.blocked:
            code = "blocked"
        if code and (self.trouble is None or self.trouble.code != code):
            self.trouble = Trouble(code, sentence(code, self.where, answer))
            self._tell(self.trouble)

    def _close(self) -> None:
        for line in (self.door, self.probe):
            if line.up:
                self._tell(line.close())
