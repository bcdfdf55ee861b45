"""Private and direct rooms: who is let in, what they may read of them, and that nobody else hears anything."""

from typing import Any

import pytest
from msgspec import Raw

from chat_core import messages as m
from chat_core import wire
from tests.broker.table import OTHER_SENDER as OTHER
from tests.broker.table import SENDER as ONCE
from tests.broker.table import Table, bare, decoded, message

SECRET_ACTS = [
    m.Post(room="plans", body=Raw(b'{"text":"hi"}')),
    m.Join(room="plans"),
    m.Leave(room="plans"),
    m.Room(room="plans"),
    m.Who(room="plans"),
    m.Page(room="plans"),
    m.Fork(room="plans"),
    m.Invite(room="plans", user="cid"),
    m.Remove(room="plans", user="ann"),
    m.Appoint(room="plans", user="ann"),
    m.Change(room="plans", slow=1),
    m.Delete(room="plans", seq=1),
    m.Report(room="plans", seq=1),
    m.Ban(room="plans", user="ann"),
    m.Bans(room="plans"),
]


@pytest.fixture
def plans(table: Table) -> Table:
    """Ann has a private room "plans" with one message (number 3); Bob and Cid are in the chat."""
    table.seat("ann", "bob", "cid")
    table.ask("ann", m.Create(room="plans", kind="private"))
    table.post("ann", "plans", "before")
    return table


@pytest.fixture
def shared(plans: Table) -> Table:
    """Bob was invited (4), joined (5), and said something (6)."""
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    plans.ask("bob", m.Join(room="plans"))
    plans.post("bob", "plans", "hi")
    return plans


def read(table: Table, who: str, room: str = "plans") -> list[int]:
    """The numbers of everything that somebody gets who pages through a room as a client does."""
    seqs: list[int] = []
    after = 0
    while True:
        page = table.page(who, room, after)
        assert isinstance(page, m.Paged), page
        after = max(after, page.first - 1)
        events = decoded(page.events)
        if not events:
            return seqs
        seqs += [event.seq for event in events]
        after = seqs[-1]


# ---- making one ----------------------------------------------------------------------------------------------------


def test_whoever_creates_a_private_room_owns_it(table: Table) -> None:
    table.seat("ann")
    room = table.ask("ann", m.Create(room="plans", kind="private")).room
    assert (room.kind, room.role, room.mine, room.members, room.first) == ("private", "owner", True, 1, 1)


def test_the_first_event_says_what_kind_of_room_it_is(table: Table) -> None:
    table.seat("ann")
    table.ask("ann", m.Create(room="plans", kind="private", history="all"))
    created = table.log.events["plans"][0]
    assert wire.decode(created.body, m.Made) == m.Made("private", "all")


def test_the_first_event_of_an_open_room_says_nothing_more(table: Table) -> None:
    table.seat("ann")
    table.ask("ann", m.Create(room="books"))
    assert bytes(table.log.events["books"][0].body) == b"{}"


def test_a_repeated_create_of_a_private_room_is_answered_as_the_first_time(table: Table) -> None:
    table.seat("ann")
    first = table.ask("ann", m.Create(room="plans", kind="private", once=ONCE))
    again = table.turn(("ann", m.Create(room="plans", kind="private", once=ONCE)))
    assert bare(again.to("ann")) == bare(first)
    assert not again.batch


def test_who_is_no_longer_in_the_room_does_not_learn_its_head_by_creating_it_again(plans: Table) -> None:
    plans.ask("bob", m.Create(room="ideas", kind="private", once=ONCE))
    plans.ask("bob", m.Leave(room="ideas"))
    assert plans.ask("bob", m.Create(room="ideas", kind="private", once=ONCE)).code == "room_taken"


def test_the_name_of_a_private_room_is_taken(plans: Table) -> None:
    assert plans.ask("bob", m.Create(room="Plans")).code == "room_taken"


@pytest.mark.parametrize("role", ["guest", "bot"])
@pytest.mark.parametrize("request_", [m.Create(room="x"), m.Create(room="x", kind="private"), m.Direct(people=["ann"])])
def test_guests_and_bots_make_no_rooms(plans: Table, role: str, request_: m.AnyRequest) -> None:
    plans.make("bob", role)
    told = plans.turn(("bob", request_))
    assert told.to("bob").code == "not_allowed"
    assert not told.batch


# ---- nobody else hears of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", SECRET_ACTS, ids=lambda request: type(request).__name__)
@pytest.mark.parametrize("role", ["owner", "admin", "member", "guest", "bot"])
def test_who_is_not_in_it_is_told_that_there_is_no_such_room(plans: Table, role: Any, request_: m.AnyRequest) -> None:
    nowhere = type(request_)(**{name: getattr(request_, name) for name in request_.__struct_fields__})
    nowhere.room, nowhere.id = "nowhere", 0  # type: ignore[union-attr]
    plans.make("bob", role)
    request_.id = 0
    told = plans.turn(("bob", request_))
    of_nowhere = plans.turn(("bob", nowhere)).to("bob")
    refused = told.to("bob")
    assert (refused.code, refused.verdict) == (of_nowhere.code, of_nowhere.verdict) == ("no_room", "final")
    assert refused.text.replace("plans", "nowhere") == of_nowhere.text
    assert not told.batch


def test_the_shown_name_of_a_private_room_does_not_tell_its_id(plans: Table) -> None:
    plans.ask("ann", m.Change(room="plans", name="Surprise"))
    assert plans.ask("ann", m.Room(room="#surprise")).room.id == "plans"
    assert "plans" not in plans.ask("bob", m.Room(room="Surprise")).text
    assert "plans" not in plans.ask("bob", m.Join(room="Surprise")).text
    assert "plans" not in plans.post("bob", "Surprise", "hi").text


def test_a_used_number_does_not_tell_that_a_shown_name_is_that_of_a_private_room(shared: Table) -> None:
    shared.ask("ann", m.Change(room="plans", name="Surprise"))
    assert shared.post("bob", "plans", "mine", ONCE, 1).seq
    shared.ask("ann", m.Remove(room="plans", user="bob"))
    for who, sender in (("bob", ONCE), ("cid", OTHER)):
        shared.post(who, "plans", "mine", sender, 1)
        codes = [shared.post(who, room, "mine", sender, 1).code for room in ("Surprise", "nowhere")]
        assert codes == ["conflict", "conflict"]


def test_a_number_that_was_used_by_the_shown_name_is_repeated_by_it_whatever_became_of_the_name(shared: Table) -> None:
    shared.ask("ann", m.Change(room="plans", name="Surprise"))
    first = shared.post("bob", "Surprise", "hi", ONCE, 1)
    shared.ask("ann", m.Change(room="plans", name="Plans"))
    shared.ask("ann", m.Remove(room="plans", user="bob"))
    assert bare(shared.post("bob", "#surprise", "hi", ONCE, 1)) == bare(first)


def test_nothing_of_it_is_on_the_feed(plans: Table) -> None:
    before = plans.hub.desk.directory
    told = [
        plans.turn(("ann", message("psst", "plans"))),
        plans.turn(("ann", m.Create(room="ideas", kind="private"))),
        plans.turn(("ann", m.Direct(people=["bob"]))),
        plans.turn(seconds=2.0),
        plans.turn(("bob", m.Marker(nonce="0f" * 16, rooms=["plans"]))),
    ]
    assert [frame for one in told for frame in one.frames if b"plans" in frame or b"ideas" in frame] == []
    assert [topic for one in told for topic in one.topics if topic.startswith("room/")] == []
    assert plans.hub.desk.directory == before
    assert told[-1].to("bob").heads == {}


def test_it_is_in_the_list_of_those_who_are_in_it_only(shared: Table) -> None:
    listed = {who: [room.id for room in shared.ask(who, m.Rooms()).rooms] for who in ("ann", "bob", "cid")}
    assert listed == {"ann": ["lobby", "plans"], "bob": ["lobby", "plans"], "cid": ["lobby"]}


def test_the_head_is_told_to_those_who_are_in_it_only(shared: Table) -> None:
    ping = {who: shared.ask(who, m.Ping(rooms=["plans", "lobby"])).heads for who in ("ann", "bob", "cid")}
    assert ping == {
        "ann": {"plans": shared.head("plans"), "lobby": shared.head()},
        "bob": {"plans": shared.head("plans"), "lobby": shared.head()},
        "cid": {"lobby": shared.head()},
    }


# ---- inviting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["bob", "Bob", "u2", "@bob"])
def test_somebody_is_invited_by_name_or_id(plans: Table, named: str) -> None:
    told = plans.turn(("ann", m.Invite(room="plans", user=named)))
    assert told.to("ann").seq == 4
    (notice,) = told.notices("bob")
    assert (notice.kind, notice.room, notice.by) == ("invited", "plans", "ann")


def test_the_log_says_who_was_invited(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    event = plans.log.events["plans"][3]
    assert (event.kind, event.author) == ("invited", "u1")
    assert wire.decode(event.body, m.About) == m.About("u2", "bob")


def test_inviting_twice_changes_nothing(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    told = plans.turn(("ann", m.Invite(room="plans", user="bob")))
    assert (told.to("ann").seq, told.notices("bob")) == (0, [])
    assert not told.batch


def test_inviting_a_member_changes_nothing(shared: Table) -> None:
    assert not shared.turn(("ann", m.Invite(room="plans", user="bob"))).batch


def test_a_member_may_not_invite(shared: Table) -> None:
    assert shared.ask("bob", m.Invite(room="plans", user="cid")).code == "not_allowed"


def test_nobody_is_invited_who_is_not_here(plans: Table) -> None:
    assert plans.ask("ann", m.Invite(room="plans", user="zoe")).code == "no_user"


def test_who_is_invited_knows_of_the_room_and_nothing_that_is_said(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    (room,) = plans.hello("bob/2").invited
    assert (room.id, room.kind, room.invited, room.mine, room.head, room.members) == (
        "plans", "private", True, False, (0, "0" * 16), 0,
    )  # fmt: skip
    state = plans.ask("bob", m.Room(room="plans"))
    assert (state.room, state.members) == (room, [])
    assert room in plans.ask("bob", m.Rooms()).rooms
    assert plans.page("bob", "plans").code == "no_room"  # type: ignore[union-attr]


def test_an_invitation_is_told_by_the_next_pong(plans: Table) -> None:
    known = plans.ask("bob", m.Ping()).commit
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    assert plans.ask("bob", m.Ping(commit=known)).rooms == ["lobby"]


def test_an_invitation_outlives_a_restart(either: Table) -> None:
    either.seat("ann", "bob")
    either.ask("ann", m.Create(room="plans", kind="private"))
    either.ask("ann", m.Invite(room="plans", user="bob"))
    again = either.restart().seat("bob")
    assert again.ask("bob", m.Join(room="plans")).seq == 4


def test_who_declines_is_invited_no_more(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    left = plans.ask("bob", m.Leave(room="plans"))
    assert (left.room, left.seq) == ("plans", 0)
    assert plans.ask("bob", m.Join(room="plans")).code == "no_room"


def test_an_invitation_can_be_taken_back(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    assert plans.ask("ann", m.Remove(room="plans", user="bob")).seq == 0
    assert plans.ask("bob", m.Join(room="plans")).code == "no_room"


def test_an_invitation_is_good_once(shared: Table) -> None:
    shared.ask("bob", m.Leave(room="plans"))
    assert shared.ask("bob", m.Join(room="plans")).code == "no_room"


def test_a_guest_joins_an_open_room_by_invitation_only(plans: Table) -> None:
    plans.make("bob", "guest")
    plans.ask("ann", m.Create(room="books"))
    assert plans.ask("bob", m.Join(room="books")).code == "no_room"
    plans.ask("ann", m.Invite(room="books", user="bob"))
    assert plans.ask("bob", m.Join(room="books")).room.mine


def test_who_may_only_be_elsewhere_is_not_invited(plans: Table) -> None:
    plans.make("bob", "member", rooms=["lobby"])
    assert plans.ask("ann", m.Invite(room="plans", user="bob")).code == "not_allowed"


def test_who_may_only_be_elsewhere_by_now_cannot_take_an_invitation(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    plans.make("bob", "member", rooms=["lobby"])
    assert plans.ask("bob", m.Join(room="plans")).code == "no_room"
    assert plans.ask("bob", m.Room(room="plans")).code == "no_room"


# ---- what one may read ---------------------------------------------------------------------------------------------


def test_a_newcomer_reads_from_joining_on(shared: Table) -> None:
    assert read(shared, "bob") == [5, 6]
    assert read(shared, "ann") == [1, 2, 3, 4, 5, 6]
    assert shared.ask("bob", m.Room(room="plans")).room.first == 5


def test_a_newcomer_reads_all_where_the_room_was_made_so(table: Table) -> None:
    table.seat("ann", "bob")
    table.ask("ann", m.Create(room="plans", kind="private", history="all"))
    table.ask("ann", m.Invite(room="plans", user="bob"))
    table.ask("bob", m.Join(room="plans"))
    assert read(table, "bob") == [1, 2, 3, 4]


def test_who_was_away_reads_what_was_said_while_they_were_in_it(shared: Table) -> None:
    shared.ask("ann", m.Remove(room="plans", user="bob"))  # 7
    shared.post("ann", "plans", "without Bob")  # 8
    shared.ask("ann", m.Invite(room="plans", user="bob"))  # 9
    shared.ask("bob", m.Join(room="plans"))  # 10
    assert read(shared, "bob") == [5, 6, 10]


def test_who_left_and_came_back_has_their_leaving_too(shared: Table) -> None:
    shared.ask("bob", m.Leave(room="plans"))  # 7
    shared.post("ann", "plans", "without Bob")  # 8
    shared.ask("ann", m.Invite(room="plans", user="bob"))  # 9
    shared.ask("bob", m.Join(room="plans"))  # 10
    assert read(shared, "bob") == [5, 6, 7, 10]


def test_a_page_answers_one_stretch(shared: Table) -> None:
    shared.ask("bob", m.Leave(room="plans"))
    shared.ask("ann", m.Invite(room="plans", user="bob"))
    shared.ask("bob", m.Join(room="plans"))  # 9
    pages = [(page.first, [event.seq for event in decoded(page.events)], page.head[0]) for page in (
        shared.page("bob", "plans", after, upto) for after, upto in ((0, 0), (5, 0), (7, 0), (0, 4), (7, 8), (9, 0))
    ) if isinstance(page, m.Paged)]  # fmt: skip
    assert pages == [(5, [5, 6, 7], 9), (5, [6, 7], 9), (9, [9], 9), (5, [], 9), (9, [], 9), (9, [], 9)]


def test_who_is_out_reads_nothing_any_more(shared: Table) -> None:
    shared.ask("ann", m.Remove(room="plans", user="bob"))
    assert shared.page("bob", "plans").code == "no_room"  # type: ignore[union-attr]
    assert shared.ask("bob", m.Ping(rooms=["plans"])).heads == {}


def test_ranges_outlive_a_restart(either: Table) -> None:
    either.seat("ann", "bob")
    either.ask("ann", m.Create(room="plans", kind="private"))
    for _ in range(2):
        either.ask("ann", m.Invite(room="plans", user="bob"))
        either.ask("bob", m.Join(room="plans"))
        either.ask("bob", m.Leave(room="plans"))
    assert either.restart().tables.ranges["plans u2"].spans == [(4, 5), (7, 8)]


def test_a_page_is_not_sent_to_who_was_removed_while_it_was_read(shared: Table) -> None:
    (job,) = shared.turn(("bob", m.Page(room="plans"))).jobs
    assert shared.hub.release(job, b"the page") == b"the page"
    shared.ask("ann", m.Remove(room="plans", user="bob"))
    refused = wire.decode_reply(shared.hub.release(job, b"the page") or b"")
    assert isinstance(refused, m.Refused)
    assert (refused.code, refused.re) == ("no_room", job.re)


def test_a_page_is_not_sent_to_who_is_somebody_else_by_now(shared: Table) -> None:
    (job,) = shared.turn(("bob", m.Page(room="plans"))).jobs
    shared.hub.desk.connections[b"bob"].user = "u3"
    assert shared.hub.release(job, b"the page") != b"the page"


def test_a_page_is_not_sent_to_who_has_gone(shared: Table) -> None:
    (job,) = shared.turn(("bob", m.Page(room="plans"))).jobs
    shared.ask("bob", m.Bye())
    assert shared.hub.release(job, b"the page") is None


def test_a_fork_compares_only_what_one_may_read(shared: Table) -> None:
    points = [(event.seq, event.chain) for event in shared.log.events["plans"]]
    (job,) = shared.turn(("bob", m.Fork(room="plans", points=points))).jobs
    assert job.points == points[4:]


# ---- what is sent --------------------------------------------------------------------------------------------------


def test_what_is_said_goes_to_every_connection_of_every_member(shared: Table) -> None:
    shared.seat("bob/2")
    told = shared.turn(("ann", message("news", "plans")))
    assert {who: told.heard(who, "plans") for who in told.pushed} == {"ann": [7], "bob": [7], "bob/2": [7]}


def test_a_connection_that_went_in_the_same_batch_is_sent_nothing(shared: Table) -> None:
    told = shared.turn(("ann", message("news", "plans")), ("bob", m.Bye()))
    assert set(told.pushed) == {"ann"}


def test_who_joins_is_sent_the_batch_from_their_joining_on(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    told = plans.turn(
        ("ann", message("before", "plans")), ("bob", m.Join(room="plans")), ("ann", message("after", "plans"))
    )
    assert (told.heard("ann", "plans"), told.heard("bob", "plans")) == ([5, 6, 7], [6, 7])


def test_who_is_removed_is_sent_the_batch_up_to_it_and_a_notice(shared: Table) -> None:
    told = shared.turn(
        ("ann", message("one", "plans")),
        ("ann", m.Remove(room="plans", user="bob", reason="why \n not")),
        ("ann", message("two", "plans")),
    )
    assert told.heard("bob", "plans") == [7]
    (notice,) = told.notices("bob")
    assert (notice.kind, notice.room, notice.by, notice.reason) == ("removed", "plans", "ann", "why not")


def test_who_leaves_is_sent_that_they_left(shared: Table) -> None:
    shared.seat("bob/2")
    told = shared.turn(("bob", m.Leave(room="plans")), ("ann", message("two", "plans")))
    assert (told.heard("bob/2", "plans"), told.heard("ann", "plans")) == ([7], [7, 8])


def test_nothing_is_sent_of_a_batch_that_failed(shared: Table) -> None:
    told = shared.turn(("ann", message("lost", "plans")), ("ann", m.Invite(room="plans", user="cid")), fails=True)
    assert (told.pushed, told.notices("cid")) == ({}, [])


def test_what_is_sent_is_cut_where_a_page_is(shared: Table) -> None:
    told = shared.turn(*(("ann", message("x" * 8000, "plans")) for _ in range(60)))
    assert len(told.pushed["bob"]) == 2
    assert told.heard("bob", "plans") == list(range(7, 67))


def test_a_guest_is_sent_what_is_said_where_they_are(plans: Table) -> None:
    plans.make("bob", "guest")
    plans.make("cid", "bot", rooms=["lobby"])
    told = plans.turn(("ann", message("news")))
    assert {who: told.heard(who, "lobby") for who in told.pushed} == {"bob": [5], "cid": [5]}
    assert [event.seq for event in told.events("lobby")] == [5]
    plans.ask("bob", m.Leave(room="lobby"))
    assert set(plans.turn(("ann", message("more"))).pushed) == {"cid"}


def test_a_bot_is_sent_nothing_from_outside_its_scope(plans: Table) -> None:
    plans.make("cid", "bot", rooms=["books"])
    assert plans.turn(("ann", message("news"))).pushed == {}
    assert plans.hello("cid/2").rooms == []


def test_a_pong_tells_the_heads_that_no_beat_does(shared: Table) -> None:
    known = shared.ask("bob", m.Ping()).commit
    shared.post("ann", "lobby", "on the feed")
    assert shared.ask("bob", m.Ping(commit=known)).heads == {}
    shared.post("ann", "plans", "not on the feed")
    assert shared.ask("bob", m.Ping(commit=known)).heads == {"plans": shared.head("plans")}
    assert shared.ask("cid", m.Ping(commit=known)).heads == {}
    assert shared.ask("bob", m.Ping(commit=shared.hub.commit)).heads == {}


def test_a_pong_tells_a_guest_the_heads_of_open_rooms_too(shared: Table) -> None:
    shared.make("bob", "guest")
    known = shared.ask("bob", m.Ping()).commit
    shared.post("ann", "lobby", "on the feed")
    assert shared.ask("bob", m.Ping(commit=known)).heads == {"lobby": shared.head()}


# ---- who looks after it --------------------------------------------------------------------------------------------


def test_when_the_owner_leaves_the_longest_serving_moderator_owns_the_room(shared: Table) -> None:
    shared.ask("ann", m.Invite(room="plans", user="cid"))
    shared.ask("cid", m.Join(room="plans"))
    shared.ask("ann", m.Appoint(room="plans", user="cid", role="moderator"))
    told = shared.turn(("ann", m.Leave(room="plans")))
    assert [event.kind for event in shared.log.events["plans"][-2:]] == ["left", "role"]
    event = shared.log.events["plans"][-1]
    assert (event.author, wire.decode(event.body, m.About)) == ("u0", m.About("u3", "cid", "owner"))
    assert told.heard("ann", "plans") == [event.seq - 1]
    assert shared.ask("cid", m.Room(room="plans")).roles == {"u3": "owner"}


def test_when_the_owner_leaves_without_moderators_the_longest_serving_member_owns_the_room(shared: Table) -> None:
    shared.ask("ann", m.Invite(room="plans", user="cid"))
    shared.ask("cid", m.Join(room="plans"))
    shared.ask("ann", m.Leave(room="plans"))
    assert shared.ask("cid", m.Room(room="plans")).roles == {"u2": "owner"}


def test_who_comes_into_an_empty_private_room_owns_it(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    plans.ask("ann", m.Leave(room="plans"))
    assert plans.ask("bob", m.Join(room="plans")).room.role == "owner"


def test_nobody_is_removed_who_is_not_in_it(shared: Table) -> None:
    assert shared.ask("ann", m.Remove(room="plans", user="cid")).code == "no_user"


def test_nobody_removes_somebody_above_them(shared: Table) -> None:
    shared.ask("ann", m.Appoint(room="plans", user="bob", role="moderator"))
    assert shared.ask("bob", m.Remove(room="plans", user="ann")).code == "not_allowed"
    assert shared.ask("bob", m.Remove(room="plans", user="bob")).code == "not_allowed"


def test_no_audit_tells_of_a_private_room(shared: Table) -> None:
    shared.ask("ann", m.Appoint(room="plans", user="bob", role="muted"))
    shared.ask("ann", m.Ban(room="plans", user="bob"))
    shared.ask("ann", m.Change(room="plans", slow=3))
    assert "!audit" not in shared.tables.rooms


def test_who_is_banned_from_it_cannot_be_invited_until_that_is_lifted(shared: Table) -> None:
    ban = shared.ask("ann", m.Ban(room="plans", user="bob")).of
    assert shared.page("bob", "plans").code == "no_room"  # type: ignore[union-attr]
    assert shared.ask("ann", m.Invite(room="plans", user="bob")).code == "banned"
    shared.ask("ann", m.Unban(ban=ban))
    assert shared.ask("ann", m.Invite(room="plans", user="bob")).seq


def test_a_ban_takes_an_invitation_back(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    plans.ask("ann", m.Ban(room="plans", user="bob"))
    assert plans.ask("bob", m.Join(room="plans")).code == "no_room"


# ---- direct rooms --------------------------------------------------------------------------------------------------


def test_a_direct_room_is_of_those_who_talk_there(plans: Table) -> None:
    told = plans.turn(("ann", m.Direct(people=["bob"])))
    room = told.to("ann").room
    assert (room.id, room.kind, room.people) == ("@u1+u2", "direct", [("u1", "ann"), ("u2", "bob")])
    assert told.heard("bob", room.id) == [1]
    created = plans.log.events[room.id][0]
    assert wire.decode(created.body, m.Made) == m.Made("direct", people=room.people)
    assert plans.post("bob", room.id, "hi").seq == 2
    assert plans.post("cid", room.id, "hi").code == "no_room"


@pytest.mark.parametrize("people", [["bob"], ["u2"], ["bob", "ann"], ["Bob", "u2", "bob"]])
def test_the_same_people_have_the_same_room(plans: Table, people: list[str]) -> None:
    first = plans.ask("bob", m.Direct(people=["ann"]))
    told = plans.turn(("ann", m.Direct(people=people)))
    assert told.to("ann").room.id == first.room.id
    assert not told.batch


def test_one_may_talk_to_oneself(plans: Table) -> None:
    room = plans.ask("ann", m.Direct()).room
    assert (room.id, room.people) == ("@u1", [("u1", "ann")])
    assert plans.ask("ann", m.Direct(people=["ann"])).room.id == "@u1"


def test_eight_may_talk_in_a_direct_room_and_nine_may_not(table: Table) -> None:
    people = [f"p{number}" for number in range(9)]
    table.seat(*people)
    assert len(table.ask("p0", m.Direct(people=people[:8])).room.people) == 8
    assert table.ask("p0", m.Direct(people=people)).code == "limit"


@pytest.mark.parametrize(
    "request_",
    [
        m.Leave(room="@u1+u2"),
        m.Invite(room="@u1+u2", user="cid"),
        m.Remove(room="@u1+u2", user="bob"),
        m.Appoint(room="@u1+u2", user="bob", role="moderator"),
        m.Change(room="@u1+u2", slow=1),
        m.Ban(room="@u1+u2", user="bob"),
    ],
    ids=lambda request: type(request).__name__,
)
def test_who_is_in_a_direct_room_stays_as_they_are(plans: Table, request_: m.AnyRequest) -> None:
    plans.ask("ann", m.Direct(people=["bob"]))
    request_.id = 0
    assert plans.ask("ann", request_).code == "not_allowed"


def test_a_direct_room_is_told_by_the_welcome_and_the_pong(plans: Table) -> None:
    known = plans.ask("bob", m.Ping()).commit
    plans.ask("ann", m.Direct(people=["bob"]))
    pong = plans.ask("bob", m.Ping(commit=known))
    assert (pong.rooms, pong.heads) == (["@u1+u2", "lobby"], {"@u1+u2": plans.head("@u1+u2")})
    (direct, _) = plans.hello("bob/2").rooms
    assert direct.people == [("u1", "ann"), ("u2", "bob")]


def test_nobody_begins_a_direct_room_with_who_may_only_be_elsewhere(plans: Table) -> None:
    plans.make("bob", "member", rooms=["lobby"])
    assert plans.ask("ann", m.Direct(people=["bob"])).code == "not_allowed"


# ---- undone --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "request_"),
    [
        ("ann", m.Create(room="ideas", kind="private")),
        ("ann", m.Direct(people=["bob"])),
        ("ann", m.Invite(room="plans", user="cid")),
        ("cid", m.Join(room="books")),
        ("cid", m.Leave(room="books")),
        ("bob", m.Leave(room="plans")),
        ("ann", m.Leave(room="plans")),
        ("ann", m.Remove(room="plans", user="bob")),
        ("ann", m.Ban(room="plans", user="bob")),
        ("ann", m.Appoint(room="plans", user="bob", role="moderator")),
        ("ann", m.Appoint(room="plans", user="bob", role="owner")),
        ("ann", m.Change(room="plans", name="Surprise", slow=3, read_only=True, archived=True)),
        ("bob", m.Delete(room="plans", seq=6)),
        ("ann", m.Report(room="lobby", seq=5)),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, m.Request) else part,
)
def test_a_failed_commit_undoes_everything(shared: Table, who: str, request_: m.AnyRequest) -> None:
    shared.ask("ann", m.Create(room="books", kind="private"))
    shared.ask("ann", m.Invite(room="books", user="cid"))
    shared.post("bob", "lobby", "oh!")
    before, desk = shared.snapshot(), (shared.hub.desk.directory, dict(shared.hub.desk.moved))
    request_.id = 0
    told = shared.turn((who, request_), fails=True)
    assert (told.to(who).code, told.to(who).verdict) == ("store", "later")
    assert shared.snapshot() == before
    assert (shared.hub.desk.directory, shared.hub.desk.moved) == desk
    assert [told.notices(one) for one in ("ann", "bob", "cid")] == [[], [], []]
    request_.id = 0
    done = shared.ask(who, request_)
    assert not isinstance(done, m.Refused), done


def test_what_was_said_in_a_joining_that_failed_is_not_to_be_read(plans: Table) -> None:
    plans.ask("ann", m.Invite(room="plans", user="bob"))
    told = plans.turn(("bob", m.Join(room="plans")), ("bob", m.Page(room="plans")), fails=True)
    assert not told.jobs
    assert {reply.code for reply in told.replies["bob"]} == {"store", "no_room"}
