"""Who is here, and the lines that tell who came and went."""

from collections.abc import Sequence

from chat_client import effects
from chat_client.model.lines import Me
from chat_client.model.moment import Moment
from chat_client.model.passing import Passing
from chat_client.model.shown import Line
from chat_client.model.state import State
from chat_core import messages as m

# Who becomes a member by coming for the first time: the log says so at about the same time.
SAID_SECONDS = 3.0


class Presence:
    """Keeps `State.here`, and has the room that is open tell what is to be told."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._passing = Passing()
        self._said: dict[str, float] = {}  # user -> until when the log has just said that they came

    def people(self, news: effects.People, at: Moment) -> None:
        """Everybody who is here."""
        self._passing.snapshot(self._state.here or {}, news.here, at.mono)
        self._state.here = dict(news.here)
        self._state.changes.people = True

    def moved(self, news: effects.Moved, at: Moment) -> None:
        """Somebody came or went."""
        here = self._state.here
        for user, name in news.named:
            self._rename(user, name, at)
        if here is None:
            return
        here.update(news.named)
        here.update(news.came)
        for user, _ in news.went:
            here.pop(user, None)
        for user, name in self._passing.moved(news.came, news.went, at.mono):
            if self._said.get(user, 0.0) <= at.mono:
                self._tell(user, f"{name} has joined", at)
        self._state.changes.people = True

    def arrived(self, events: Sequence[m.Event], at: Moment) -> None:
        """What the log says of newcomers needs not be told twice."""
        for event in events if self._state.status.state == "live" else ():
            if event.kind == "joined":
                self._said = {user: until for user, until in self._said.items() if until > at.mono}
                self._said[event.author] = at.mono + SAID_SECONDS

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

    def _rename(self, user: str, name: str, at: Moment) -> None:
        """Somebody is called otherwise; what they said before stays under the name of then."""
        state = self._state
        if user == state.me.user:
            state.me = Me(user, name)
        for room in state.rooms.values():
            room.rename(user, name)
        if state.here is not None and (before := state.here.get(user, name)) != name:
            self._tell(user, f"{before} is called {name} now", at)
        state.changes.rooms = state.changes.people = state.changes.header = True

    def _tell(self, user: str, text: str, at: Moment) -> None:
        state, room = self._state, self._state.room
        if room is None or user == state.me.user or (room.members is not None and user not in room.members):
            return
        room.passing(text, Line(f"n{state.number()}", "passing", text, at.wall))
        state.changes.transcript = True
