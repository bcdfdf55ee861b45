"""Private and direct rooms, walls, roles and notices, as the window's state has them."""

from typing import Any

import pytest
from msgspec import Raw

from chat_client import effects
from chat_client.model import choosing, orders
from chat_client.model.lines import DELETED
from chat_client.model.room import WALL
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of
from tests.model.desk import Desk
from tests.model.hall import BOB, CAROL, ME, Hall

HOUR = 3_600_000
REPORT = m.Notice(0, "reported", "lobby", "Bob", CAROL, "Carol", 7, reason="rude")
WAITS = m.Notice(0, "waiting", user="u9", name="Eve")


@pytest.fixture
def desk() -> Desk:
    """Ann is in the lobby, and live."""
    desk = Desk("lobby")
    desk.start()
    desk.connect()
    return desk


def info(room: str, head: m.Head = (0, START), **fields: Any) -> m.RoomInfo:
    """A room that is mine and not open."""
    return m.RoomInfo(room, room, head, 1, 2, True, kind=fields.pop("kind", "private"), **fields)


def log(count: int, room: str = "plan", first: int = 1) -> list[m.Event]:
    """Events of Bob's, rightly chained from ``first`` on."""
    events, chain = [], START
    for seq in range(1, first + count):
        chain = chain_of(chain, room, seq, seq, BOB, "Bob", "", 0, "message")
        body = Raw(wire.encode(m.Message(f"said {seq}")))
        events.append(m.Event(room, seq, seq, BOB, "Bob", "message", chain, body=body))
    return events[first - 1 :]


def event(kind: str, body: object, after: m.Event, target: int = 0) -> m.Event:
    """Bob's next event of another kind."""
    seq = after.seq + 1
    chain = chain_of(after.chain, after.room, seq, seq, BOB, "Bob", "", 0, kind, target)
    return m.Event(after.room, seq, seq, BOB, "Bob", kind, chain, target=target, body=Raw(wire.encode(body)))


def enter(desk: Desk, room: m.RoomInfo, *events: m.Event) -> None:
    """Ann is in this room, and looks at it; these events come."""
    desk.chat.add(room)
    desk.open(room.id)
    if events:
        desk.tell(effects.Arrived(room.id, list(events)))


def ordered(desk: Desk, kind: type) -> list[Any]:
    """The orders of a kind that nobody has carried out yet."""
    return [job for job in (*desk.jobs, *desk.asks) if isinstance(job, kind)]


def asked(desk: Desk) -> m.Request:
    """What the broker was asked last."""
    return desk.asks[-1].request


# ---- what rooms are called and where they stand --------------------------------------------------------------------


def test_a_direct_room_is_called_by_those_with_whom_i_talk(desk: Desk) -> None:
    people = [(ME, "Ann"), (BOB, "Bob"), (CAROL, "Carol")]
    enter(desk, info("@u1+u2+u3", kind="direct", people=people))
    items = desk.chat.room_items()
    assert [(item.id, item.name, item.kind) for item in items][1:] == [("@u1+u2+u3", "Bob, Carol", "direct")]
    assert desk.chat.header()[0] == "@ Bob, Carol"
    assert desk.chat.title() == "@Bob, Carol — Ann's broker"
    assert desk.chat.placeholder().startswith("Message @Bob, Carol")
    desk.tell(effects.Moved([], [], [(BOB, "Robert")]))
    assert desk.chat.header()[0] == "@ Robert, Carol"


def test_direct_rooms_stand_behind_the_others_and_count_what_is_unread(desk: Desk) -> None:
    desk.chat.add(info("@u1+u2", kind="direct", people=[(ME, "Ann"), (BOB, "Bob")]))
    desk.chat.add(info("zebra"))
    desk.tell(effects.Arrived("@u1+u2", log(3, "@u1+u2")))
    items = desk.chat.room_items()
    assert [(item.id, item.unread) for item in items] == [("lobby", 0), ("zebra", 0), ("@u1+u2", 3)]
    assert choosing.places(desk.chat)[0].label == "@ Bob"


def test_the_header_says_what_kind_of_room_it_is(desk: Desk) -> None:
    enter(desk, info("plan", read_only=True, slow=30))
    assert desk.chat.header() == ("# plan", "private · read-only · 30s between two posts")
    assert ordered(desk, orders.Follow)[-1].kind == "private"


def test_my_new_name_is_known_at_once_and_others_are_told(desk: Desk) -> None:
    desk.tell(effects.People({ME: "Ann", BOB: "Bob"}))
    desk.tell(effects.Moved([], [], [(ME, "Anna"), (BOB, "Robert")]))
    assert desk.chat.me.name == "Anna"
    assert "Bob is called Robert now" in desk.texts()


# ---- walls and being removed ---------------------------------------------------------------------------------------


def test_a_wall_stands_between_what_was_before_and_what_comes_after(desk: Desk) -> None:
    enter(desk, info("plan"), *log(3))
    desk.tell(effects.Walled("plan", 3, 20), effects.Arrived("plan", log(2, first=20)))
    assert desk.texts() == ["said 1", "said 2", "said 3", WALL, "said 20", "said 21"]
    assert desk.room.at_end
    assert desk.chat.jump_text() == ""


def test_what_is_fetched_across_a_wall_is_shown_with_it(desk: Desk) -> None:
    enter(desk, info("plan", (25, log(1, first=25)[0].chain)))
    desk.room.have = 0
    desk.tell(effects.Arrived("plan", []))
    desk.room.have, desk.room.lines, desk.room.kept_first = 24, [], 25
    desk.tell(effects.Arrived("plan", log(1, first=25)))
    desk.scroll(top=True, end=True)
    look = ordered(desk, orders.Look)[-1]
    desk.jobs.clear()
    desk.tell(orders.Found(look.token, None))
    page = desk.asks[-1]
    assert isinstance(page.request, m.Page)
    head = (25, log(1, first=25)[0].chain)
    first, second = ([Raw(wire.encode(one)) for one in part] for part in (log(10), log(6, first=20)))
    desk.tell(effects.Answered(page.token, m.Paged(1, "plan", desk.chat.epoch, 1, head, first)))
    page = desk.asks[-1]
    assert isinstance(page.request, m.Page)
    assert page.request.after == 10
    desk.tell(effects.Answered(page.token, m.Paged(2, "plan", desk.chat.epoch, 20, head, second)))
    assert desk.texts() == [*(f"said {n}" for n in range(1, 11)), WALL, *(f"said {n}" for n in range(20, 26))]
    assert ordered(desk, orders.Store)[-1].walls == {10: 20}
    assert desk.room.first == 1


def test_whoever_was_removed_keeps_what_they_read_and_hears_why(desk: Desk) -> None:
    enter(desk, info("plan"), *log(3))
    desk.tell(effects.Removed("plan", "Bob", "too loud"))
    assert desk.texts()[:3] == ["said 1", "said 2", "said 3"]
    assert desk.texts()[3].startswith("Bob removed you from this room (too loud).")
    assert desk.type("hello?").startswith("Bob removed you")
    assert [item.closed for item in desk.chat.room_items()] == [False, True]
    assert desk.chat.header()[1].startswith("you are not in it any more")
    assert ordered(desk, orders.Close)[-1].room == "plan"
    assert not ordered(desk, orders.Unfollow)
    desk.tell(effects.Removed("plan"), effects.MyRooms(["lobby"]))
    assert len(desk.texts()) == 4


def test_a_closed_room_is_there_after_a_restart_until_one_leaves_it(desk: Desk) -> None:
    desk.halls["plan"] = Hall("plan")
    desk.chat.add(info("plan"))
    desk.settle()
    desk.tell(effects.Removed("plan", "Bob"))
    desk.settle()
    desk.halls["plan"].members.pop(ME)
    desk.start()
    desk.connect()
    assert [item.closed for item in desk.chat.room_items()] == [False, True]
    desk.open("plan")
    assert desk.type("/leave") == ""
    assert [item.id for item in desk.chat.room_items()] == ["lobby"]
    assert ordered(desk, orders.Unfollow)[-1].forget


def test_whoever_is_let_in_again_goes_on_where_they_were(desk: Desk) -> None:
    enter(desk, info("plan"), *log(3))
    desk.tell(effects.Removed("plan", "Bob"))
    desk.jobs.clear()
    desk.chat.add(info("plan", (30, log(1, first=30)[0].chain)))
    desk.flush()
    (follow,) = ordered(desk, orders.Follow)
    assert (follow.have, follow.chain) == (3, log(3)[2].chain)
    assert desk.chat.header()[1].startswith("private")


def test_a_room_that_another_machine_was_let_into_again_is_asked_for(desk: Desk) -> None:
    enter(desk, info("plan"), *log(3))
    desk.tell(effects.Removed("plan", "Bob"), effects.MyRooms(["lobby", "plan"]))
    assert asked(desk) == m.Room(room="plan")


def test_an_open_room_from_which_one_is_removed_is_left(desk: Desk) -> None:
    desk.chat.add(info("plan", kind="open"))
    desk.tell(effects.Noticed(m.Notice(0, "removed", "plan", "Bob", reason="too loud")))
    assert desk.texts()[-1] == "Bob removed you from #plan (too loud)."
    assert [item.id for item in desk.chat.room_items()] == ["lobby"]


# ---- deleted messages ----------------------------------------------------------------------------------------------


def test_a_deleted_message_is_blank_and_no_news(desk: Desk) -> None:
    enter(desk, info("plan"), *log(3))
    desk.tell(effects.Arrived("plan", [event("deleted", m.Deleted("rude"), log(3)[2], target=2)]))
    assert desk.texts() == ["said 1", DELETED, "said 3", "Bob deleted a message (rude)"]
    assert [row.line.deleted for row in desk.rows] == [False, True, False, False]


def test_a_deleted_message_that_comes_in_blank_is_not_unread(desk: Desk) -> None:
    desk.chat.add(info("plan"))
    (blank,) = log(1)
    blank.body = Raw(wire.BLANK)
    desk.tell(effects.Arrived("plan", [blank]))
    assert [item.unread for item in desk.chat.room_items()] == [0, 0]


def test_a_message_that_was_fetched_before_its_deletion_came_in_is_blank(desk: Desk) -> None:
    enter(desk, info("plan"), *log(3))
    desk.tell(effects.Arrived("plan", [event("deleted", m.Deleted(), log(3)[2], target=2)]))
    assert desk.room.show(log(3), desk.chat.me, {})
    assert [line.text for line in desk.room.lines] == ["said 1", DELETED, "said 3", "Bob deleted a message"]


# ---- what the log says of people and rooms -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("invited", m.About(CAROL, "Carol"), "Bob invited Carol"),
        ("removed", m.About(CAROL, "Carol", reason="loud"), "Bob removed Carol (loud)"),
        ("role", m.About(CAROL, "Carol", "moderator"), "Bob made Carol a moderator"),
        ("role", m.About(CAROL, "Carol", "muted"), "Bob muted Carol"),
        ("role", m.About(CAROL, "Carol", "member"), "Bob made Carol a member again"),
        ("changed", m.Changed(read_only=True, slow=60), "Bob made the room read-only and set 1m between two posts"),
        ("changed", m.Changed(archived=True), "Bob archived the room"),
        ("audit", m.Act("ban", CAROL, "Carol", "plan"), "Bob did: ban Carol in plan"),
        ("newer", {}, "Bob did something that this version does not know (newer)"),
        ("role", [], "Bob did something that this version does not know (role)"),
    ],
)  # fmt: skip
def test_an_event_of_the_log_in_words(desk: Desk, kind: str, body: object, text: str) -> None:
    enter(desk, info("plan"), *log(1))
    desk.tell(effects.Arrived("plan", [event(kind, body, log(1)[0])]))
    assert desk.texts()[-1] == text


def test_roles_and_members_follow_the_log(desk: Desk) -> None:
    enter(desk, info("plan"), *log(1))
    desk.room.set_members([(ME, "Ann"), (BOB, "Bob"), (CAROL, "Carol")], 1, {BOB: "owner"})
    made = event("role", m.About(CAROL, "Carol", "muted"), log(1)[0])
    desk.tell(effects.Arrived("plan", [made]))
    assert {item.user: item.role for item in desk.chat.people()[1]} == {ME: "", BOB: "owner", CAROL: "muted"}
    again = event("role", m.About(CAROL, "Carol", "member"), made)
    desk.tell(effects.Arrived("plan", [again]))
    assert {item.user: item.role for item in desk.chat.people()[1]} == {ME: "", BOB: "owner", CAROL: ""}
    desk.tell(effects.Arrived("plan", [event("removed", m.About(CAROL, "Carol"), again)]))
    assert {item.user for item in desk.chat.people()[1]} == {ME, BOB}


def test_a_room_that_is_called_otherwise_is_so_at_once(desk: Desk) -> None:
    enter(desk, info("plan"), *log(1))
    desk.tell(effects.Arrived("plan", [event("changed", m.Changed(name="Plans"), log(1)[0])]))
    assert desk.chat.header()[0] == "# Plans"


# ---- notices and waiting -------------------------------------------------------------------------------------------


def test_an_invitation_is_told_and_can_be_taken_or_declined(desk: Desk) -> None:
    desk.tell(effects.Noticed(m.Notice(0, "invited", "plan", "Bob")))
    assert desk.texts()[-1] == "Bob invites you to #plan: /join plan takes you there, /leave plan declines."
    ask = desk.asks.pop()
    invited = m.RoomInfo("plan", "plan", (0, START), kind="private", invited=True)
    desk.tell(effects.Answered(ask.token, m.RoomState(1, invited)))
    assert ("join:plan", "you are invited") in [(one.value, one.hint) for one in choosing.places(desk.chat)]
    assert desk.type("/leave plan") == ""
    assert asked(desk) == m.Leave(room="plan")
    assert desk.type("/join plan") == ""
    ask = desk.asks.pop()
    desk.tell(effects.Answered(ask.token, m.Joined(1, info("plan"), 5)))
    assert desk.chat.current == "plan"
    assert desk.chat.invited == {}


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        (m.Notice(0, "role", "lobby", "Bob", role="moderator"), "Bob made you moderator in #lobby."),
        (m.Notice(0, "role", "lobby", "Bob", role="muted", reason="loud"), "Bob muted you in #lobby (loud)."),
        (m.Notice(0, "role", by="Bob", role="admin"), "Bob made you admin of this chat."),
        (REPORT, "Bob reports message 7 of Carol in #lobby: rude"),
        (WAITS, "Eve waits to be let in: /approve Eve lets them in, /reject Eve does not."),
    ],
)  # fmt: skip
def test_a_notice_is_told(desk: Desk, notice: m.Notice, text: str) -> None:
    desk.tell(effects.Noticed(notice))
    assert desk.texts()[-1] == text


def test_a_notice_of_a_later_version_is_left_alone(desk: Desk) -> None:
    before = desk.texts()
    desk.tell(effects.Noticed(m.Notice(0, "knighted")))
    assert desk.texts() == before


def test_whoever_waits_sees_that_they_wait_and_can_ask_nothing(desk: Desk) -> None:
    desk.tell(effects.Status("waiting", "An admin has to let you in first."))
    line = desk.chat.status_line()
    assert (line.mood, line.text) == ("busy", "Waiting to be let in. An admin has to let you in first.")
    assert not desk.chat.connected
    assert desk.type("/join plan") != ""


# ---- commands ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("/msg Bob", m.Direct(people=["Bob"])),
        ("/msg Bob, Carol: hello", m.Direct(people=["Bob", "Carol"])),
        ("/private plan", m.Create(room="plan", once="0" * 16, kind="private")),
        ("/nick Anna", m.Nick(name="Anna")),
        ("/invite Bob", m.Invite(room="lobby", user="Bob")),
        ("/remove Bob: loud", m.Remove(room="lobby", user="Bob", reason="loud")),
        ("/mute Bob 1h", m.Appoint(room="lobby", user="Bob", role="muted", until=1_700_049_600_000 + HOUR)),
        ("/unmute Bob", m.Appoint(room="lobby", user="Bob", role="member")),
        ("/moderator Bob", m.Appoint(room="lobby", user="Bob", role="moderator")),
        ("/ban Bob: spam", m.Ban(user="Bob", reason="spam")),
        ("/rename Hall", m.Change(room="lobby", name="Hall")),
        ("/readonly", m.Change(room="lobby", read_only=True)),
        ("/readonly off", m.Change(room="lobby", read_only=False)),
        ("/slow 30s", m.Change(room="lobby", slow=30)),
        ("/archive off", m.Change(room="lobby", archived=False)),
        ("/delete 2", m.Delete(room="lobby", seq=2)),
        ("/report 2: rude", m.Report(room="lobby", seq=2, reason="rude")),
        ("/approve Eve", m.Approve(user="Eve")),
        ("/reject Eve", m.Reject(user="Eve")),
    ],
)
def test_a_command_asks_the_broker(desk: Desk, text: str, request_: m.Request) -> None:
    assert desk.type(text) == ""
    assert asked(desk) == request_
    desk.tell(effects.Answered(desk.asks.pop().token, m.Refused(1, "not_allowed", "You may not do that.", "final")))
    assert desk.texts()[-1] == "You may not do that."


def test_a_direct_message_opens_its_room_and_is_said_there(desk: Desk) -> None:
    desk.type("/msg Bob: hello")
    room = info("@u1+u2", kind="direct", people=[(ME, "Ann"), (BOB, "Bob")])
    desk.tell(effects.Answered(desk.asks.pop().token, m.Created(1, room)))
    assert desk.chat.current == "@u1+u2"
    assert [(keep.room, bytes(keep.body)) for keep in ordered(desk, orders.Keep)] == [("@u1+u2", b'{"text":"hello"}')]


def test_in_a_slow_room_one_waits_before_one_writes_again_unless_one_looks_after_it(desk: Desk) -> None:
    enter(desk, info("plan", slow=30))
    assert desk.type("one") == ""
    assert desk.type("two") == "This room is in slow mode: you can write in it again in 31s."
    desk.wait(30)
    assert desk.type("two") == ""
    desk.room.role = "moderator"
    assert desk.type("three") == ""
