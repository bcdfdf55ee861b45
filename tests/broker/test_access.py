"""The table of rights: every cell of it, against what is written here the other way round; and what the hub does.

The code asks, act by act, who may do it. Here it is told, person by person, what they may do.
"""

import copy
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from chat_broker import access
from chat_broker.access import CHAT_ROLES, IN_A_ROOM, IN_THE_CHAT, ROOM_KINDS, ROOM_ROLES, Act, Standing
from chat_core import messages as m
from chat_core.names import BROKER_USER
from tests.broker.table import MemoryLog, Table, hello, key_of, message
from tools import rights

PAGE = Path(__file__).parents[2] / "docs" / "access.md"

# ---- person by person ----------------------------------------------------------------------------------------------

GUEST = {"nick", "link"}
BOT = {"who"}
MEMBER = GUEST | BOT | {"people", "create", "create_private", "direct"}
ADMIN = MEMBER | {"look_closely", "invitation", "approve", "ban", "role", "release", "rekey"}
OWNER = ADMIN | {"appoint_admin"}
IN_CHAT = {"owner": OWNER, "admin": ADMIN, "member": MEMBER, "guest": GUEST, "bot": BOT}

# Whoever is in a room, by their role there.
READER = {"see", "read", "delete_own", "report"}
WRITER = READER | {"post"}
MODERATOR = WRITER | {"post_read_only", "invite", "remove", "ban_from_room", "appoint", "change", "delete"}
ROOM_OWNER = MODERATOR | {"appoint_moderator", "hand_on", "rename", "archive"}
IN_ROOM = {"muted": READER, "member": WRITER, "moderator": MODERATOR, "owner": ROOM_OWNER, "": set()}
# Where people may come and go, and be looked after.
NOT_IN_DIRECT = ROOM_OWNER - MODERATOR | MODERATOR - WRITER - {"post_read_only"}
# Whoever is in the chat, in an open room, whether they are in it or not.
PASSER_BY = {"see", "read", "report", "join"}
KEEPER = PASSER_BY | (ROOM_OWNER - WRITER - {"post_read_only"})
IN_OPEN = {"owner": KEEPER, "admin": KEEPER, "member": PASSER_BY, "bot": PASSER_BY, "guest": set()}


def told(chat_role: str, kind: str = "", room_role: str = "") -> set[str]:
    """What somebody may do."""
    if not kind:
        return IN_CHAT[chat_role]
    if kind == "audit":
        return {"see", "read"} if chat_role in ("owner", "admin") else set()
    if kind == "direct":
        return IN_ROOM[room_role] - NOT_IN_DIRECT
    inside = IN_ROOM[room_role] | ({"leave"} if room_role else set())
    return inside | IN_OPEN[chat_role] if kind == "open" else inside


def test_every_act_has_one_rule() -> None:
    assert sorted([*IN_THE_CHAT, *IN_A_ROOM]) == sorted(get_args(Act))


@pytest.mark.parametrize("chat_role", CHAT_ROLES)
def test_every_cell_of_the_chat(chat_role: str) -> None:
    assert {act for act in IN_THE_CHAT if access.may(act, Standing(chat_role))} == told(chat_role)


@pytest.mark.parametrize("room_role", ROOM_ROLES)
@pytest.mark.parametrize("kind", ROOM_KINDS)
@pytest.mark.parametrize("chat_role", CHAT_ROLES)
def test_every_cell_of_a_room(chat_role: str, kind: str, room_role: str) -> None:
    allowed = {act for act in IN_A_ROOM if access.may(act, Standing(chat_role, kind, room_role))}
    assert allowed == told(chat_role, kind, room_role)


def test_the_roles_are_those_of_the_wire() -> None:
    assert get_args(m.ChatRole) == CHAT_ROLES
    assert (*get_args(m.RoomRole), "") == ROOM_ROLES
    assert get_args(m.RoomKind) == ROOM_KINDS


def test_whoever_may_do_anything_in_a_room_may_see_it() -> None:
    for chat_role in CHAT_ROLES:
        for kind in ROOM_KINDS:
            for room_role in ROOM_ROLES:
                standing = Standing(chat_role, kind, room_role)
                if any(access.may(act, standing) for act in IN_A_ROOM):
                    assert access.may("see", standing)


# ---- who is above whom ---------------------------------------------------------------------------------------------

RANKS = [
    (Standing("admin"), Standing("member"), True),
    (Standing("admin"), Standing("bot"), True),
    (Standing("admin"), Standing("admin"), False),
    (Standing("admin"), Standing("owner"), False),
    (Standing("owner"), Standing("admin"), True),
    (Standing("owner"), Standing("owner"), True),
    (Standing("member"), Standing("guest"), False),
    (Standing("member", "open", "moderator"), Standing("member", "open", "member"), True),
    (Standing("member", "open", "moderator"), Standing("member", "open", "moderator"), False),
    (Standing("member", "open", "owner"), Standing("member", "open", "moderator"), True),
    (Standing("member", "open", "owner"), Standing("admin", "open", "member"), False),
    (Standing("admin", "open"), Standing("member", "open", "owner"), True),
    (Standing("owner", "open"), Standing("owner", "open", "owner"), True),
    (Standing("owner", "private", "member"), Standing("member", "private", "member"), False),
    (Standing("owner", "private", "moderator"), Standing("member", "private", "owner"), False),
    (Standing("member", "private", "moderator"), Standing("owner", "private", "member"), True),
    (Standing("member", "private", "owner"), Standing("owner", "private", "moderator"), True),
]


@pytest.mark.parametrize(("one", "other", "above"), RANKS, ids=str)
def test_who_is_above_whom(one: Standing, other: Standing, above: bool) -> None:
    assert access.outranks(one, other) == above


# ---- through the hub -----------------------------------------------------------------------------------------------

# Who is what: in the chat, and in the rooms "open" and "private"; all but those without a role have written there.
CAST = {
    "ann": ("owner", ""),
    "bob": ("admin", ""),
    "ben": ("admin", "member"),
    "cid": ("member", "owner"),
    "dan": ("member", "moderator"),
    "eve": ("member", "member"),
    "fay": ("member", "muted"),
    "hal": ("member", ""),
    "gus": ("guest", "member"),
    "guy": ("guest", ""),
    "bot": ("bot", "member"),
    "aibo": ("bot", ""),
}
# Of whom those acts are: members of the chat and of the rooms, of no rank.
VICTIM, NOBODY = "vic", "zed"
DIRECT = "@u4+u5+u6"


@cache
def _hall() -> tuple[MemoryLog, dict[str, dict[str, int]]]:
    """The log of a chat with this cast, and where in each room everybody has said something."""
    table = Table().seat(*CAST, VICTIM, NOBODY)
    for room, kind in (("open", "open"), ("private", "private")):
        assert isinstance(table.ask("cid", m.Create(room=room, kind=kind, history="all")), m.Created)
        for who in [who for who, (_, role) in CAST.items() if role and who != "cid"] + [VICTIM]:
            table.ask("cid", m.Invite(room=room, user=who))
            assert isinstance(table.ask(who, m.Join(room=room)), m.Joined)
    assert table.ask("cid", m.Direct(people=["dan", "eve"])).room.id == DIRECT
    written: dict[str, dict[str, int]] = {"open": {}, "private": {}, DIRECT: {}}
    for room, said in written.items():
        for user in sorted(table.tables.members_of[room]):
            who = table.tables.users[user].name
            said[who] = table.post(who, room, f"{who} was here").seq
    for room in ("open", "private"):
        for who, role in (("dan", "moderator"), ("fay", "muted")):
            assert isinstance(table.ask("cid", m.Appoint(room=room, user=who, role=role)), m.Done)
    for who, (role, _) in CAST.items():
        table.make(who, role)
    return table.log, written


def hall(*who: str, **facts: Any) -> Table:
    """The chat with this cast, anew, and some of them there."""
    return Table(copy.deepcopy(_hall()[0]), **facts).seat(*who)


def attempt(act: Act, room: str, who: str) -> m.AnyRequest:
    """A request that does the act, and nothing stands against it but rights."""
    written = _hall()[1].get(room, {})
    seq, own = written.get(VICTIM, written.get("eve", 0)), written.get(who, 0)
    requests: dict[str, m.AnyRequest] = {
        "nick": m.Nick(name=f"{who} again"),
        "link": m.Link(),
        "who": m.Who(),
        "people": m.People(),
        "create": m.Create(room="another"),
        "create_private": m.Create(room="another", kind="private"),
        "direct": m.Direct(people=[NOBODY]),
        "invitation": m.Invitation(),
        "approve": m.Approve(user="wim"),
        "ban": m.Ban(user=NOBODY),
        "role": m.Role(user=NOBODY, role="bot"),
        "appoint_admin": m.Role(user=NOBODY, role="admin"),
        "release": m.Release(name=NOBODY),
        "rekey": m.Rekey(user=NOBODY, key=key_of("new")),
        "see": m.Room(room=room),
        "read": m.Page(room=room),
        "join": m.Join(room=room),
        "leave": m.Leave(room=room),
        "post": message("hi", room),
        "post_read_only": message("hi", room),
        "invite": m.Invite(room=room, user=NOBODY),
        "remove": m.Remove(room=room, user=VICTIM),
        "ban_from_room": m.Ban(room=room, user=VICTIM),
        "appoint": m.Appoint(room=room, user=VICTIM, role="muted"),
        "appoint_moderator": m.Appoint(room=room, user=VICTIM, role="moderator"),
        "hand_on": m.Appoint(room=room, user=VICTIM, role="owner"),
        "change": m.Change(room=room, slow=7),
        "rename": m.Change(room=room, name="elsewhere"),
        "archive": m.Change(room=room, archived=True),
        "delete_own": m.Delete(room=room, seq=own),
        "delete": m.Delete(room=room, seq=seq),
        "report": m.Report(room=room, seq=seq),
    }
    return requests[act]


RIGHTS = {"not_allowed", "no_room", "muted", "read_only", "not_member"}


def check(table: Table, who: str, request: m.AnyRequest, allowed: bool) -> None:
    """The request is granted, or refused for want of rights and with no trace."""
    turn = table.turn((who, request))
    answer = [reply for reply in turn.replies.get(who, []) if reply.re == request.id]
    if allowed:
        assert turn.jobs or not isinstance(answer[0], m.Refused), answer
    else:
        assert answer[0].code in RIGHTS, answer
        assert (bool(turn.batch), turn.jobs) == (False, [])


@pytest.mark.parametrize("act", [act for act in IN_THE_CHAT if act != "look_closely"])
def test_the_hub_holds_to_the_table_in_the_chat(act: Act) -> None:
    for who, (chat_role, _) in CAST.items():
        table = hall(who, join="approve")
        table.hello("wim")
        check(table, who, attempt(act, "", who), act in told(chat_role))


def test_the_hub_holds_to_the_table_in_what_it_tells_of_people() -> None:
    for who, (chat_role, _) in CAST.items():
        if "people" in told(chat_role):
            people = hall(who).ask(who, m.People()).people
            assert any(one.keys for one in people) == ("look_closely" in told(chat_role))


@pytest.mark.parametrize("act", IN_A_ROOM)
@pytest.mark.parametrize("kind", ["open", "private", "direct"])
def test_the_hub_holds_to_the_table_in_a_room(kind: str, act: Act) -> None:
    for who, (chat_role, room_role) in CAST.items():
        room = DIRECT if kind == "direct" else kind
        if kind == "direct":
            room_role = "member" if who in ("cid", "dan", "eve") else ""
        if (act == "join" and room_role) or (act == "leave" and not room_role and kind == "open"):
            continue  # nothing happens, and there is no harm in it
        table = hall(who)
        if act == "post_read_only":
            table.tables.rooms[room].read_only = True
        allowed = told(chat_role, kind, room_role)
        request = attempt(act, room, who)
        if act == "delete_own" and not room_role:
            continue  # they have said nothing there
        if kind == "direct" and act in ("remove", "ban_from_room", "appoint", "appoint_moderator", "hand_on"):
            request.user = "eve"  # type: ignore[union-attr]
        if kind == "direct" and act == "delete" and who == "eve":
            request = m.Delete(room=room, seq=_hall()[1][room]["cid"])
        check(table, who, request, act in allowed)


@pytest.mark.parametrize("act", ["see", "read"])
def test_the_hub_holds_to_the_table_in_the_audit_log(act: Act) -> None:
    for who, (chat_role, _) in CAST.items():
        table = hall("ann", who) if who != "ann" else hall("ann")
        table.ask("ann", m.Ban(user=NOBODY))
        check(table, who, attempt(act, "!audit", who), act in told(chat_role, "audit"))


@pytest.mark.parametrize("act", IN_A_ROOM)
def test_of_a_room_that_one_may_not_see_one_hears_what_one_hears_of_none(act: Act) -> None:
    table = hall("hal", "guy")
    for who in ("hal", "guy"):
        one, other = (table.ask(who, attempt(act, room, who)) for room in ("private", "privates"))
        assert (one.code, one.text) == (other.code, other.text.replace("privates", "private"))


def test_a_request_of_somebody_out_of_their_scope_is_one_from_outside() -> None:
    table = hall("ann")
    table.ask("ann", m.Role(user="eve", role="bot", rooms=["lobby"]))
    table.turn(("eve", hello("eve")))
    for act in IN_A_ROOM:
        if act not in ("leave", "join", "delete_own"):
            assert table.ask("eve", attempt(act, "open", "eve")).code == "no_room", act


def test_who_may_only_read_is_muted_everywhere() -> None:
    table = hall("ann")
    table.ask("ann", m.Role(user="eve", role="bot", post=False))
    table.turn(("eve", hello("eve")))
    assert table.post("eve", "open", "hi").code == "muted"
    assert table.post("eve", "private", "hi").code == "muted"


def test_the_broker_itself_may_what_an_owner_may() -> None:
    tables = hall().tables
    assert access.standing(tables, BROKER_USER) == Standing("owner")
    assert access.standing(tables, BROKER_USER, tables.rooms["private"]) == Standing("owner", "private", "")


# ---- the page ------------------------------------------------------------------------------------------------------


def test_the_page_is_made_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == rights.page(), "run `python tools/rights.py`"


def test_the_page_has_every_right() -> None:
    page = rights.page()
    for rule in (*IN_THE_CHAT.values(), *IN_A_ROOM.values()):
        assert f"| {rule.what[0].upper()}{rule.what[1:]} |" in page
