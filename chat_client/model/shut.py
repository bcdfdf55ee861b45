"""Why nothing can be written in a room, for whoever would write there. Pure."""

from chat_client.model.room import RoomState
from chat_core import rights
from chat_core.durations import moment


def shut_text(room: RoomState, now: int) -> str:
    """A sentence; "": something can be written. ``now`` in ms since 1970. What the broker says counts in the end."""
    if room.closed:
        return room.closed
    if room.kind == "audit":
        return "What admins and moderators do is written here by the broker, and nobody else writes."
    if room.archived:
        return "This room is archived: it can be read, and that is all."
    if room.role == "muted" and not 0 < room.until <= now:
        day = moment(now)[:11]  # is not worth telling if it is today
        until = f" until {moment(room.until).removeprefix(day)}" if room.until else ""
        return f"You are muted here{until}: you can read, but not write."
    here = rights.Standing("member", room.kind, room.role)
    if room.read_only and not rights.may("post_read_only", here):
        return "Only those who look after this room write in it."
    return ""
