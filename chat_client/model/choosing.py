"""What can be completed in the composer and chosen in the switcher, from the state of the chat. Pure."""

from chat_client.model import completion, talk
from chat_client.model.chat import Chat
from chat_client.model.moment import Moment
from chat_client.model.shown import Choice, RoomItem

# How many of those who spoke last come first in completion.
RECENT_PEOPLE = 20

_OPEN, _JOIN = "open:", "join:"


def complete(chat: Chat, before: str) -> tuple[int, list[Choice]]:
    """How many characters before the cursor can be replaced, and by what."""
    people = dict(chat.here or {})
    if chat.room is not None and chat.room.members is not None:
        people |= chat.room.members
    people.pop(chat.me.user, None)
    rooms = sorted({*chat.directory, *chat.rooms})
    return completion.complete(before, sorted(people.values()), rooms, _recent(chat))


def places(chat: Chat) -> list[Choice]:
    """Where one can go: my rooms, those with something unread first; then the others there are."""
    mine = sorted(chat.room_items(), key=lambda item: (not item.mentions, not item.unread))
    choices = [
        Choice(_OPEN + item.id, _signed(item), f"{item.unread} unread" if item.unread else "")
        for item in mine
        if item.id != chat.current
    ]
    current = [Choice(_OPEN + item.id, _signed(item), "you are here") for item in mine if item.id == chat.current]
    listed = chat.directory | chat.invited
    others = [info for info in listed.values() if info.id not in chat.rooms]
    return (
        choices
        + current
        + [
            Choice(_JOIN + info.id, f"# {info.name}", "you are invited" if info.invited else "join")
            for info in sorted(others, key=lambda info: info.id)
        ]
    )


def _signed(item: RoomItem) -> str:
    return f"{'@' if item.kind == 'direct' else '#'} {item.name}"


def go(chat: Chat, place: str, draft: str, at: Moment) -> None:
    """Go to one of the `places`. ``draft``: what stands in the composer."""
    if place.startswith(_OPEN):
        chat.open(place.removeprefix(_OPEN), draft)
    elif chat.connected:
        chat.keep_draft(draft)
        talk.enter(chat, place.removeprefix(_JOIN), at)
    else:
        chat.tell("The broker is away: a room can be joined when it is back.", at)


def neighbour(chat: Chat, step: int, unread: bool = False) -> str:
    """The room so many steps below (above: negative) the one that is open, going round; with ``unread``: among those
    with something unread. "" if there is none."""
    items = chat.room_items()
    ids = [item.id for item in items if not unread or item.unread or item.id == chat.current]
    if not ids or (ids == [chat.current]):
        return ""
    place = ids.index(chat.current) if chat.current in ids else (-1 if step > 0 else 0)
    return ids[(place + step) % len(ids)]


def _recent(chat: Chat) -> list[str]:
    names: dict[str, None] = {}
    for line in reversed(chat.room.lines[-200:] if chat.room is not None else []):
        if line.name and not line.mine and line.kind in ("message", "me"):
            names.setdefault(line.name)
            if len(names) >= RECENT_PEOPLE:
                break
    return list(names)
