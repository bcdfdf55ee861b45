"""Looking after a room: roles in it, read-only, slow, renamed, archived."""

from typing import Any

import pytest

from chat_core import messages as m
from chat_core import wire
from tests.broker.table import SENDER, Table, hello, message


@pytest.fixture
def books(table: Table) -> Table:
    """Ann has an open room "books"; Bob and Cid are in it, Dan only in the chat."""
    table.seat("ann", "bob", "cid", "dan")
    table.ask("ann", m.Create(room="books"))
    table.ask("bob", m.Join(room="books"))
    table.ask("cid", m.Join(room="books"))
    return table


def roles(table: Table) -> dict[str, str]:
    """Who is more or less than a member, by name."""
    state = table.ask("cid", m.Room(room="books"))
    names = dict(state.members)
    return {names[user]: role for user, role in state.roles.items()}


def last(table: Table, room: str = "books") -> m.Event:
    """The room's last event."""
    event: m.Event = table.log.events[room][-1]
    return event


def audited(table: Table) -> list[m.Act]:
    """The acts in the audit log."""
    events = table.log.events.get("!audit", [])
    return [wire.decode(event.body, m.Act) for event in events if event.kind == "audit"]


def appoint(table: Table, who: str, user: str, role: Any, until: int = 0) -> Any:
    """The reply to an appointment."""
    return table.ask(who, m.Appoint(room="books", user=user, role=role, until=until))


# ---- roles ---------------------------------------------------------------------------------------------------------


def test_whoever_creates_a_room_owns_it(books: Table) -> None:
    assert roles(books) == {"ann": "owner"}
    assert books.ask("ann", m.Room(room="books")).room.role == "owner"
    assert books.ask("dan", m.Room(room="books")).room.role == ""


def test_a_room_tells_what_its_members_are_in_the_chat(books: Table) -> None:
    books.make("ann", "owner").make("bob", "guest")
    assert books.ask("cid", m.Room(room="books")).chat_roles == {"u1": "owner", "u2": "guest"}
    assert books.ask("bob", m.Room(room="books")).chat_roles == {}


def test_nobody_owns_the_lobby(books: Table) -> None:
    assert books.ask("ann", m.Room(room="lobby")).roles == {}


def test_the_owner_makes_moderators_and_members_again(books: Table) -> None:
    done = appoint(books, "ann", "bob", "moderator")
    event = last(books)
    assert (event.seq, event.kind, event.author) == (done.seq, "role", "u1")
    assert wire.decode(event.body, m.About) == m.About("u2", "bob", "moderator")
    assert roles(books) == {"ann": "owner", "bob": "moderator"}
    appoint(books, "ann", "bob", "member")
    assert roles(books) == {"ann": "owner"}


def test_who_is_appointed_is_told(books: Table) -> None:
    told = books.turn(("ann", m.Appoint(room="books", user="bob", role="moderator", reason="because")))
    (notice,) = told.notices("bob")
    assert (notice.kind, notice.room, notice.by, notice.role, notice.reason) == (
        "role", "books", "ann", "moderator", "because",
    )  # fmt: skip


def test_to_be_appointed_what_one_is_changes_nothing(books: Table) -> None:
    told = books.turn(("ann", m.Appoint(room="books", user="bob", role="member")))
    assert told.to("ann").seq == 0
    assert not told.batch


def test_a_room_is_handed_on(books: Table) -> None:
    appoint(books, "ann", "bob", "owner")
    assert roles(books) == {"bob": "owner", "ann": "moderator"}
    assert appoint(books, "ann", "bob", "member").code == "not_allowed"


def test_an_owner_cannot_simply_cease_to_be_one(books: Table) -> None:
    assert appoint(books, "ann", "ann", "member").code == "not_allowed"
    books.make("dan", "owner")
    assert appoint(books, "dan", "ann", "member").code == "not_allowed"


@pytest.mark.parametrize("role", ["owner", "moderator", "muted"])
def test_a_member_appoints_nobody(books: Table, role: str) -> None:
    assert appoint(books, "bob", "cid", role).code == "not_allowed"


def test_a_moderator_mutes_and_makes_no_moderators(books: Table) -> None:
    appoint(books, "ann", "bob", "moderator")
    assert appoint(books, "bob", "cid", "moderator").code == "not_allowed"
    assert appoint(books, "bob", "cid", "muted").seq
    assert appoint(books, "bob", "ann", "muted").code == "not_allowed"


def test_an_admin_of_the_chat_may_all_that_in_an_open_room(books: Table) -> None:
    books.make("dan", "admin")
    assert appoint(books, "dan", "bob", "owner").seq
    assert roles(books) == {"ann": "moderator", "bob": "owner"}


def test_who_is_not_in_the_room_is_not_appointed(books: Table) -> None:
    assert appoint(books, "ann", "dan", "muted").code == "no_user"
    assert appoint(books, "cid", "dan", "muted").code == "not_allowed"


def test_acts_in_open_rooms_are_in_the_audit_log(books: Table) -> None:
    appoint(books, "ann", "bob", "muted", until=books.clock + 60_000)
    books.ask("ann", m.Remove(room="books", user="bob", reason="rude"))
    books.ask("ann", m.Change(room="books", slow=5))
    assert audited(books) == [
        m.Act("appoint", "u2", "bob", "books", "muted", books.clock + 60_000),
        m.Act("remove", "u2", "bob", "books", reason="rude"),
        m.Act("change", room="books", what="slow: 5"),
    ]


def test_the_audit_log_goes_to_admins_and_to_nobody_else(books: Table) -> None:
    books.make("dan", "admin")
    told = books.turn(("ann", m.Remove(room="books", user="bob")))
    assert {who for who in told.pushed if told.heard(who, "!audit")} == {"dan"}
    assert told.on("room/!audit") == []
    assert books.ask("dan", m.Ping(commit=0)).heads == {"!audit": books.head("!audit")}
    assert isinstance(books.page("dan", "!audit"), m.Paged)
    for who in ("ann", "cid"):
        assert books.page(who, "!audit").code == "no_room"  # type: ignore[union-attr]
    assert books.post("dan", "!audit", "hm").code == "not_allowed"


# ---- muted ---------------------------------------------------------------------------------------------------------


def test_who_is_muted_reads_and_does_not_write(books: Table) -> None:
    appoint(books, "ann", "cid", "muted")  # with the first such act the room of the audit log is made
    books.post("bob", "books", "while I may")
    appoint(books, "ann", "bob", "muted")
    assert books.post("bob", "books", "hm").code == "muted"
    assert isinstance(books.page("bob", "books"), m.Paged)
    appoint(books, "ann", "bob", "member")
    assert books.post("bob", "books", "hm").seq


def test_being_muted_ends_by_itself(books: Table) -> None:
    until = books.clock + 60_000
    appoint(books, "ann", "bob", "muted", until=until)
    room = books.ask("bob", m.Room(room="books")).room
    assert (room.role, room.until) == ("muted", until)
    assert books.post("bob", "books", "hm").code == "muted"
    books.turn(("bob", hello("bob")), seconds=59.0)
    assert books.post("bob", "books", "hm").code == "muted"
    assert books.ask("bob", message("hm", "books"), seconds=1.0).seq
    assert books.ask("bob", m.Room(room="books")).room.role == "member"


def test_a_refusal_to_who_is_muted_spends_the_number(books: Table) -> None:
    appoint(books, "ann", "bob", "muted")
    assert books.post("bob", "books", "hm", SENDER, 1).verdict == "final"
    appoint(books, "ann", "bob", "member")
    assert books.post("bob", "books", "hm", SENDER, 1).code == "muted"
    assert books.post("bob", "books", "hm", SENDER, 2).seq


# ---- changes -------------------------------------------------------------------------------------------------------


def test_the_event_says_what_is_another_than_before(books: Table) -> None:
    done = books.ask("ann", m.Change(room="books", name="Good-Books", slow=0, read_only=True))
    assert last(books).seq == done.seq
    assert wire.decode(last(books).body, m.Changed) == m.Changed(name="Good-Books", read_only=True)
    room = books.ask("dan", m.Room(room="books")).room
    assert (room.id, room.name, room.read_only, room.slow, room.archived) == ("books", "Good-Books", True, 0, False)


def test_a_change_that_changes_nothing_is_no_event(books: Table) -> None:
    told = books.turn(("ann", m.Change(room="books", name="books", slow=0, read_only=False, archived=False)))
    assert told.to("ann").seq == 0
    assert not told.batch


def test_the_list_of_rooms_has_changed_with_a_room(books: Table) -> None:
    before = books.ask("cid", m.Ping()).directory
    books.ask("ann", m.Change(room="books", name="Novels"))
    assert books.ask("cid", m.Ping()).directory == before + 1


@pytest.mark.parametrize("typed", ["novels", "Novels", "#NOVELS", "books", "#Books"])
def test_a_renamed_room_is_found_by_its_id_and_by_its_name(either: Table, typed: str) -> None:
    either.seat("ann")
    either.ask("ann", m.Create(room="books"))
    either.ask("ann", m.Change(room="books", name="Novels"))
    assert either.post("ann", typed, "hi").room == "books"
    assert either.restart().seat("ann").post("ann", typed, "hi").room == "books"


def test_a_name_that_was_given_up_stands_for_nothing(books: Table) -> None:
    books.ask("ann", m.Change(room="books", name="Novels"))
    books.ask("ann", m.Change(room="books", name="Stories"))
    assert books.ask("bob", m.Room(room="novels")).code == "no_room"
    assert books.ask("bob", m.Create(room="novels")).room.id == "novels"


@pytest.mark.parametrize("name", ["lobby", "Lobby", "Novels", "NOVELS"])
def test_no_two_rooms_are_called_the_same(books: Table, name: str) -> None:
    books.ask("bob", m.Create(room="art"))
    books.ask("bob", m.Change(room="art", name="Novels"))
    assert books.ask("ann", m.Change(room="books", name=name)).code == "room_taken"
    assert books.ask("ann", m.Create(room=name)).code == "room_taken"


def test_a_room_is_not_renamed_to_what_is_no_name(books: Table) -> None:
    assert books.ask("ann", m.Change(room="books", name="a/b")).code == "room_bad"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("member", ""), ("moderator", "slow read_only"), ("owner", "slow read_only name archived")],
)
@pytest.mark.parametrize(("field", "value"), [("slow", 5), ("read_only", True), ("name", "Novels"), ("archived", True)])
def test_who_may_change_what(books: Table, role: str, allowed: str, field: str, value: Any) -> None:
    appoint(books, "ann", "bob", role)
    reply = books.ask("bob", m.Change(room="books", **{field: value}))
    assert isinstance(reply, m.Done) == (field in allowed), reply
    if isinstance(reply, m.Refused):
        assert reply.code == "not_allowed"


def test_who_may_not_change_one_thing_changes_none(books: Table) -> None:
    appoint(books, "ann", "bob", "moderator")
    told = books.turn(("bob", m.Change(room="books", slow=5, name="Novels")))
    assert told.to("bob").code == "not_allowed"
    assert not told.batch


def test_in_a_read_only_room_only_those_write_who_moderate_it(books: Table) -> None:
    appoint(books, "ann", "bob", "moderator")
    for who in ("ann", "bob", "cid"):
        assert books.post(who, "books", "hm").seq
    books.ask("ann", m.Change(room="books", read_only=True))
    assert books.post("cid", "books", "hm").code == "read_only"
    assert books.post("bob", "books", "hm").seq
    assert books.post("ann", "books", "hm").seq


def test_a_room_that_is_over_is_read_and_nothing_more(books: Table) -> None:
    books.post("ann", "books", "the last word")
    books.ask("ann", m.Change(room="books", archived=True))
    for who, request in [
        ("ann", message("hm", "books")),
        ("dan", m.Join(room="books")),
        ("ann", m.Invite(room="books", user="dan")),
        ("ann", m.Remove(room="books", user="bob")),
        ("ann", m.Appoint(room="books", user="bob", role="muted")),
        ("ann", m.Change(room="books", slow=5)),
        ("ann", m.Ban(room="books", user="bob")),
    ]:
        assert books.ask(who, request).code == "archived", request
    assert isinstance(books.page("dan", "books"), m.Paged)
    assert books.ask("cid", m.Leave(room="books")).seq


def test_a_room_that_was_over_goes_on(books: Table) -> None:
    books.ask("ann", m.Change(room="books", archived=True))
    assert books.ask("ann", m.Change(room="books", archived=False, slow=5)).seq
    assert books.post("ann", "books", "hello again").seq


def test_an_invitation_to_a_room_that_is_over_waits(books: Table) -> None:
    books.ask("ann", m.Invite(room="books", user="dan"))
    books.ask("ann", m.Change(room="books", archived=True))
    assert books.ask("dan", m.Join(room="books")).code == "archived"


def test_changes_outlive_a_restart(either: Table) -> None:
    either.seat("ann")
    either.ask("ann", m.Create(room="books"))
    either.ask("ann", m.Change(room="books", read_only=True, slow=5))
    room = either.restart().seat("ann").ask("ann", m.Room(room="books")).room
    assert (room.read_only, room.slow, room.role) == (True, 5, "owner")


# ---- banned from a room --------------------------------------------------------------------------------------------


def test_who_is_banned_from_a_room_neither_joins_nor_posts_there(books: Table) -> None:
    told = books.turn(("ann", m.Ban(room="books", user="bob", reason="rude")))
    assert told.notices("bob")[0].kind == "removed"
    assert books.ask("bob", m.Join(room="books")).code == "banned"
    assert books.post("bob", "books", "hm").code == "not_member"
    assert books.post("bob", "lobby", "hm").seq


def test_when_the_owner_is_banned_the_room_has_another(books: Table) -> None:
    books.make("dan", "admin")
    books.ask("dan", m.Ban(room="books", user="ann"))
    assert roles(books) == {"bob": "owner"}
