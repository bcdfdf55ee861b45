"""Rooms that come on the posts line instead of the feed: private ones, and all of them if the feed is closed. Pure.

Their events come as they happen (`Events`), and every ping asks how far they reach, so that one that was lost on a full
connection is noticed. Whether one may still read such a room, the broker says at each of these; an answer in which the
room is missing is never taken for another history, as it would be with an open one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chat_core import messages as m

# Refusals that say of such a room: you may not read it (any more).
CLOSED = {"no_room", "not_allowed", "banned"}


@dataclass
class OffFeed:
    """Which rooms these are, as far as replies have told. ``closed``: the feed is not for this user."""

    closed: bool = False
    mine: set[str] = field(default_factory=set)  # the rooms that the broker has called mine
    _private: set[str] = field(default_factory=set)
    _heard: set[str] = field(default_factory=set)  # rooms whose events came on the posts line in this connection
    _told: set[str] = field(default_factory=set)  # rooms whose head was told since the hello was accepted

    def __contains__(self, room: str) -> bool:
        return self.closed or room in self._private or room in self._heard

    def begin(self) -> None:
        """A hello goes out: how far the rooms reach has to be told anew."""
        self._told.clear()
        self._heard.clear()

    def welcome(self, welcome: m.Welcome, another: bool) -> None:
        """The hello is accepted. ``another``: by another broker, whose rooms are others."""
        if another:
            self._private.clear()
        self.closed = welcome.feed == 0
        self.mine = {room.id for room in welcome.rooms}
        self.learn(welcome)

    def learn(self, reply: m.Reply) -> None:
        """Whatever a reply says of rooms."""
        for room in _rooms_in(reply):
            if room.kind != "open":
                self._private.add(room.id)

    def note_heard(self, room: str) -> None:
        """Events of this room came on the posts line: so it is not on the feed."""
        if not self.closed:
            self._heard.add(room)

    def note_told(self, room: str) -> None:
        """It is known how far this room reaches."""
        self._told.add(room)

    def untold(self, rooms: Iterable[str]) -> bool:
        """Is there one of these rooms of which that is not known yet?"""
        return any(room in self and room not in self._told for room in rooms)

    def lost(self, rooms: Iterable[str], mine: Iterable[str]) -> list[str]:
        """Those of these rooms that cannot be read because they are not among mine."""
        here = set(mine)
        # Nobody is a member of the audit log.
        return [room for room in rooms if room in self and room not in here and not room.startswith("!")]


def _rooms_in(reply: m.Reply) -> list[m.RoomInfo]:
    if isinstance(reply, m.Welcome):
        return [*reply.rooms, *reply.invited]
    if isinstance(reply, m.RoomList_):
        return reply.rooms
    return [reply.room] if isinstance(reply, m.RoomState | m.Created | m.Joined) else []
