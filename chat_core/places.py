"""Where something is said, as people type it: "plan" is a room, "@ann,bob" are people with whom one talks. Pure."""

import re
from collections.abc import Sequence

from chat_core import names
from chat_core.messages import RoomInfo

# The id of a direct room: its users (docs/protocol.md, section 8).
_DIRECT_ID = re.compile(r"@u\d+(\+u\d+)*\Z")


def people_in(typed: str) -> list[str]:
    """The people of "@ann,bob"; none: it is the name or id of a room."""
    if not typed.startswith("@") or _DIRECT_ID.match(typed):
        return []
    return [name.strip(" @") for name in typed.split(",") if name.strip(" @")]


def room_id(typed: str) -> str:
    """The id of a room by its name or id. Raises RefusedError("room_bad")."""
    return typed if typed.startswith(("@", "!")) else names.room_name(typed)


def direct_room(rooms: Sequence[RoomInfo], me: str, people: Sequence[str]) -> RoomInfo | None:
    """Among these rooms the one in which the user ``me`` talks with these people (names or ids) and nobody else."""
    wanted = {names.fold(person) for person in people}
    for room in rooms:
        others = [(user, names.fold(name)) for user, name in room.people if user != me]
        found = {word for word in wanted for user, name in others if word in (user, name)}
        if room.kind == "direct" and found == wanted and len(others) == len(wanted):
            return room
    return None


def title(room: RoomInfo, me: str = "") -> str:
    """What a room is called: a direct one by those with whom I talk there."""
    if room.kind != "direct" or not room.people:
        return room.name
    return ", ".join(name for user, name in room.people if user != me) or room.people[0][1]
