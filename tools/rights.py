"""Makes docs/access.md of the table of rights: ``python tools/rights.py``; a test holds the two together."""

from pathlib import Path

from chat_core.rights import CHAT_ROLES, IN_A_ROOM, IN_THE_CHAT, ROOM_KINDS, ROOM_ROLES, Rule, Standing, may

PAGE = Path(__file__).parents[1] / "docs" / "access.md"

HEAD = """# Who may do what

This page is made by `python tools/rights.py` of the table that the broker asks, `chat_core/rights.py`. Do not edit
it. How the requests are called by which one does these things says [protocol.md](protocol.md).

What somebody may do depends on what they are in the chat (`role`), on what kind of room it is about, and on what they
are in it (`appoint`). Whoever runs the broker is an owner of the chat, by `python broker.py admin`.

- **Nobody has power over a private room by their role in the chat.** Who is not in it is not even told that it is
  there: all they are answered is `no_room`.
- **One acts only on those below oneself.** In the chat: an owner on everybody, an admin on all who are neither owner
  nor admin. In a room: its owner on everybody in it, a moderator on members and muted ones; in open rooms owners and
  admins of the chat stand above the owner of the room.
- **Whoever has a scope** (`rooms`) is as if outside everywhere else. They, and guests, do not hear the feed: what they
  may read comes on the posts line. Who may not write (`post` is false) is as if muted everywhere.
- In a room that is over (`archived`) one may still see, read, leave, report and delete messages, and open it again.
- The last owner of the chat stays one.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_chat(), *_rooms()])


def _chat() -> list[str]:
    rows = [
        [_what(rule), *(_mark(may(act, Standing(role))) for role in CHAT_ROLES)] for act, rule in IN_THE_CHAT.items()
    ]
    return ["## In the chat", "", *_table(["may", *CHAT_ROLES], rows), ""]


def _rooms() -> list[str]:
    lines = []
    for kind in ROOM_KINDS:
        lines += [f"## In {_KINDS[kind]}", "", *_of_kind(kind), ""]
    return lines


_KINDS = {
    "open": "an open room",
    "private": "a private room",
    "direct": "a direct room",
    "audit": "the audit log",
}


def _of_kind(kind: str) -> list[str]:
    """By what one is in the room; in an open one and in the audit log also by what one is in the chat."""
    in_room = [role for role in ROOM_ROLES if role] if kind != "audit" else []
    in_chat = CHAT_ROLES if kind in ("open", "audit") else ()
    header = ["may", *(f"{role} of the room" for role in in_room), *(f"{role} of the chat" for role in in_chat)]
    rows = []
    for act, rule in IN_A_ROOM.items():
        # A guest of the chat has no rights of their own in a room, so that these are those of the role in the room.
        cells = [may(act, Standing("guest", kind, role)) for role in in_room]
        cells += [may(act, Standing(role, kind)) for role in in_chat]
        if any(cells):
            rows.append([_what(rule), *map(_mark, cells)])
    return _table(header, rows)


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _what(rule: Rule) -> str:
    return rule.what[0].upper() + rule.what[1:]


def _mark(allowed: bool) -> str:
    return "yes" if allowed else "–"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
