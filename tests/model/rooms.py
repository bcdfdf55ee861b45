"""Rooms for tests: what has arrived in them, and what they show."""

from chat_client.model.lines import Me
from chat_client.model.room import RoomState
from chat_client.model.shown import Line
from chat_core import messages as m
from tests.model.hall import BOB, ME, Hall

ANN = Me(ME, "Ann")


def room_with(events: list[m.Event], looking: bool = False) -> RoomState:
    """A room in which these have arrived."""
    room = RoomState("lobby", "lobby", have=events[0].seq - 1, read=events[0].seq - 1)
    room.loaded = True
    room.arrived(events, ANN, {}, looking)
    return room


def numbers(room: RoomState) -> list[int]:
    """The numbers of the events that are shown."""
    return [line.seq for line in room.shown() if line.seq]


def texts(room: RoomState) -> list[str]:
    """What is shown."""
    return [line.text for line in room.shown()]


def pending(room: RoomState, key: str, text: str) -> None:
    """An own message that is not in the log."""
    room.pending[key] = Line(key, "message", text, 0, ME, "Ann", mine=True, state="sending")


def conversation(*authors: str) -> list[m.Event]:
    """What these say, one after the other; "-": an event that is no message."""
    hall = Hall("lobby")
    for author in authors:
        hall.add(BOB, "", 5, "joined") if author == "-" else hall.add(author, f"hello {author}", 5)
    return hall.log
