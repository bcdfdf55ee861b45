"""How things look in a list on a command line: a line for each. Pure."""

from datetime import datetime
from typing import Any

from chat_core import durations, keys, places, said, wire
from chat_core import messages as m
from chat_core.durations import moment
from chat_core.said import until_and_why


def room(info: m.RoomInfo, me: str = "") -> str:
    """A room; ``me``: my user id."""
    members = "1 member" if info.members == 1 else f"{info.members} members"
    events = "1 event" if info.head[0] == 1 else f"{info.head[0]} events"
    marks = [
        info.kind if info.kind != "open" else "",
        "you are invited" if info.invited and not info.mine else "",
        info.role if info.role not in ("", "member") else "",
        "read-only" if info.read_only else "",
        f"{durations.span(info.slow)} between two posts" if info.slow else "",
        "archived" if info.archived else "",
    ]
    shown = ", ".join(filter(None, marks))
    if info.invited and not info.mine:  # how much is said there, only those know who are in it
        members = events = ""
    line = f"{'*' if info.mine else ' '} {places.title(info, me):<24} {members:>12} {events:>14}"
    return f"{line}  {shown}" if shown else line


def person(one: m.Person) -> str:
    """Somebody who is here."""
    since = datetime.fromtimestamp(one.since / 1000).strftime("%H:%M")
    return f"{one.name:<32} here since {since}, heard of {one.idle // 1000} s ago"


def somebody(one: m.Somebody) -> str:
    """A user; of their keys and address only admins are told."""
    state = "waits" if one.waiting else "here" if one.here else ""
    prints = " ".join(keys.fingerprint(key) for key in one.keys)
    parts = [
        f"{one.name:<32} {one.role + scope(one.rooms, one.post):<8} {state:<5} since {moment(one.time)}  {one.user}"
    ]
    return "  ".join([*parts, *filter(None, (one.address, prints))])


def scope(rooms: list[str] | None, post: bool) -> str:
    """What somebody is restricted to."""
    where = f" in {', '.join(rooms) or 'no room'} only" if rooms is not None else ""
    return where if post else f"{where}, read-only"


def rank(role: str) -> str:
    """A role of somebody, in a sentence: "an owner", "muted"."""
    return role if role == "muted" else f"{'an' if role[0] in 'ao' else 'a'} {role}"


def machine(one: m.Machine) -> str:
    """One of my keys."""
    this = "this machine" if one.this else one.client
    return f"{keys.fingerprint(one.key)}  since {moment(one.time)}  {this}".rstrip()


def ban(one: m.BanInfo) -> str:
    """A ban."""
    whom = one.name or one.address or keys.fingerprint(one.key)
    where = f" from {one.room}" if one.room else ""
    return f"{one.id:<6} {whom}{where}{until_and_why(one.until, one.reason)}, by {one.by}, {moment(one.time)}"


def invitation(one: m.InvitationInfo) -> str:
    """An invitation."""
    left = (
        f"{one.uses - one.used} of {one.uses} left"
        if one.uses
        else f"used {one.used} time{'' if one.used == 1 else 's'}"
    )
    what = one.role + scope(one.rooms, one.post)
    return f"{one.id:<6} {left:<14} {what}{until_and_why(one.until, one.note)}, by {one.by}, {moment(one.time)}"


def act(event: m.Event) -> str:
    """An event of the audit log."""
    return f"{moment(event.time)}  {event.name} {said.said(event) or event.kind}"


# What a body calls as the envelope calls something else.
_CALLED = {"name": "whom", "room": "where", "kind": "room_kind"}


def flat(event: m.Event) -> dict[str, Any]:
    """An event as one JSON object: its envelope and its body's fields side by side; the ``name`` of whoever it was done
    to is ``whom`` there, and ``where`` the room of what is noted in the audit log. In kind "changed", the room's new
    name is ``renamed``."""
    called = _CALLED | ({"name": "renamed"} if event.kind == "changed" else {})
    envelope: dict[str, Any] = wire.whole(event)
    del envelope["body"]
    first = {key: envelope[key] for key in ("room", "seq", "time", "kind", "author", "name")}
    body = {called.get(key, key): value for key, value in said.fields(event).items()}
    # A body of a later kind may have fields of the envelope's names, which must not pass for those.
    return first | {key: value for key, value in body.items() if key not in envelope} | envelope
