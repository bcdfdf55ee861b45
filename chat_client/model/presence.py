"""Who is here, and the lines that tell who came and went."""

from chat_client import effects
from chat_client.model.moment import Moment
from chat_client.model.passing import Passing
from chat_client.model.shown import Line
from chat_client.model.state import State


class Presence:
    """Keeps `State.here`, and has the room that is open tell what is to be told."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._passing = Passing()

    def people(self, news: effects.People, at: Moment) -> None:
        """Everybody who is here."""
        self._passing.snapshot(self._state.here or {}, news.here, at.mono)
        self._state.here = dict(news.here)
        self._state.changes.people = True

    def moved(self, news: effects.Moved, at: Moment) -> None:
        """Somebody came or went."""
        here = self._state.here
        if here is None:
            return
        here.update(news.came)
        for user, _ in news.went:
            here.pop(user, None)
        for user, name in self._passing.moved(news.came, news.went, at.mono):
            self._tell(user, f"{name} has joined", at)
        self._state.changes.people = True

    def unknown(self, at: Moment) -> None:
        """The connection broke."""
        self._passing.snapshot(self._state.here or {}, {}, at.mono)
        self._state.here = None
        self._state.changes.people = True

    def tick(self, at: Moment) -> None:
        """Time has passed."""
        for user, name in self._passing.left(at.mono):
            self._tell(user, f"{name} has left", at)

    def deadline(self) -> float:
        """When `tick` has something to do, in seconds of `Moment.mono`."""
        return self._passing.deadline()

    def _tell(self, user: str, text: str, at: Moment) -> None:
        state, room = self._state, self._state.room
        if room is None or user == state.me.user or (room.members is not None and user not in room.members):
            return
        if any(line.author == user and line.kind == "event" for line in room.lines[-5:]):
            return  # the log says it already: they became a member just now, or ceased to be one
        room.passing(text, Line(f"n{state.number()}", "passing", text, at.wall))
        state.changes.transcript = True
