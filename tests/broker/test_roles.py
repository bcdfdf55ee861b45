"""What people are in the chat: role; and people, who is told what of whom."""

from typing import Any

import pytest

from chat_broker.desk import Connection
from chat_core import messages as m
from chat_core.names import BROKER_NAME, BROKER_USER
from tests.broker.table import START_TIME, Table, Told, hello, key_of


def office() -> Table:
    """Ann is the owner, Bob an admin, Cid a member."""
    return Table().seat("ann", "bob", "cid").make("ann", "owner").make("bob", "admin")


def made(table: Table, who: str, by: str = "ann", **fields: Any) -> Told:
    """Somebody is made something."""
    return table.turn((by, m.Role(user=who, **fields)))


def ask_as_broker(table: Table, request: m.AnyRequest) -> Any:
    """What the broker itself is answered, as by its admin socket."""
    table.hub.desk.connections[b"admin:1"] = Connection(BROKER_USER, BROKER_NAME, "", START_TIME, table.mono)
    return table.ask("admin:1", request)


# ---- role ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin", "member", "guest", "bot"])
def test_the_owner_makes_somebody_anything(role: m.ChatRole) -> None:
    table = office()
    assert made(table, "cid", role=role).to("ann").of == "u3"
    assert table.restart().hello("cid", "").role == role


@pytest.mark.parametrize("role", ["member", "guest", "bot"])
def test_an_admin_makes_members_guests_and_bots(role: m.ChatRole) -> None:
    assert isinstance(made(office(), "cid", "bob", role=role).to("bob"), m.Done)


@pytest.mark.parametrize(("who", "role"), [("cid", "admin"), ("cid", "owner"), ("bob", "owner"), ("ann", "member")])
def test_an_admin_makes_no_admins_and_no_less_of_them(who: str, role: m.ChatRole) -> None:
    assert made(office(), who, "bob", role=role).to("bob").code == "not_allowed"


def test_an_admin_has_no_power_over_another() -> None:
    table = office().make("cid", "admin")
    assert made(table, "cid", "bob", role="member").to("bob").code == "not_allowed"


def test_a_member_makes_nobody_anything() -> None:
    assert made(office(), "cid", "cid", role="member").to("cid").code == "not_allowed"


def test_nobody_is_made_anything_who_is_not_there() -> None:
    assert made(office(), "nobody").to("ann").code == "no_user"


def test_the_last_owner_stays_one() -> None:
    table = office()
    refused = made(table, "ann", role="member").to("ann")
    assert (refused.code, "The last owner" in refused.text) == ("not_allowed", True)
    made(table, "bob", role="owner")
    assert [type(reply) for reply in made(table, "ann", role="member").replies["ann"]] == [m.Done, m.Notice]


def test_whoever_runs_the_broker_makes_the_first_owner_and_may_unmake_the_last() -> None:
    table = Table().seat("ann")
    assert ask_as_broker(table, m.Role(user="ann", role="owner")).of == "u1"
    assert ask_as_broker(table, m.Role(user="ann", role="member")).of == "u1"
    assert table.tables.users["u1"].role == "member"


def test_somebody_hears_what_they_are_now() -> None:
    told = made(office(), "cid", role="admin")
    assert told.replies["cid"][0] == m.Notice(0, "role", by="ann", role="admin")


def test_nothing_is_told_of_a_role_whose_commit_failed() -> None:
    table = office()
    told = table.turn(("ann", m.Role(user="cid", role="guest")), fails=True)
    assert (told.to("ann").code, "cid" in told.replies, told.shut_out) == ("store", False, False)
    assert table.hello("cid").role == "member"


@pytest.mark.parametrize(
    ("fields", "shut_out"),
    [
        ({"role": "guest"}, True),
        ({"role": "bot", "rooms": ["lobby"]}, True),
        ({"rooms": []}, True),
        ({"role": "bot"}, False),
        ({"role": "bot", "post": False}, False),
        ({"role": "admin"}, False),
    ],
)
def test_the_feed_is_bound_anew_when_somebody_may_hear_it_no_more(fields: dict[str, Any], shut_out: bool) -> None:
    table = office()
    assert made(table, "cid", **fields).shut_out == shut_out
    assert bool(table.hello("cid").feed) == (not shut_out)
    assert not made(table, "cid", **fields).shut_out


def test_somebody_gets_a_scope_and_is_entered_into_its_rooms() -> None:
    table = office()
    table.ask("ann", m.Create(room="books"))
    made(table, "cid", role="bot", rooms=["#Books", "books"], post=False)
    user = table.tables.users["u3"]
    assert (user.rooms, user.post) == (["books"], False)
    assert table.tables.is_member("books", "u3")


def test_a_scope_of_a_room_that_is_not_there_is_refused() -> None:
    assert made(office(), "cid", rooms=["nowhere"]).to("ann").code == "no_room"


@pytest.mark.parametrize("fields", [{"rooms": ["lobby"]}, {"post": False}])
def test_owners_and_admins_have_no_scope(fields: dict[str, Any]) -> None:
    assert made(office(), "cid", role="admin", **fields).to("ann").code == "bad_request"


def test_the_broker_itself_has_no_name_and_no_machines() -> None:
    table = Table().seat("ann")
    for request in (m.Nick(name="x"), m.Link(), m.Machines(), m.Unlink(key="x")):
        assert ask_as_broker(table, request).code == "not_allowed"


# ---- people --------------------------------------------------------------------------------------------------------


def test_everybody_who_was_let_in_is_listed() -> None:
    table = office()
    table.ask("bob", m.Bye())
    people = table.ask("cid", m.People()).people
    assert people == [
        m.Somebody("u1", "ann", "owner", here=True, time=START_TIME),
        m.Somebody("u2", "bob", "admin", time=START_TIME),
        m.Somebody("u3", "cid", here=True, time=START_TIME),
    ]


def test_an_admin_is_told_more_of_them() -> None:
    table = office()
    table.ask("ann", m.Role(user="cid", role="bot", rooms=["lobby"], post=False))
    somebody = table.ask("bob", m.People(after="u2")).people[0]
    assert somebody == m.Somebody(
        "u3", "cid", "bot", True, rooms=["lobby"], post=False, time=START_TIME, keys=[key_of("cid")],
        address="address of cid",
    )  # fmt: skip


@pytest.mark.parametrize("role", ["guest", "bot"])
def test_guests_and_bots_are_told_of_nobody(role: str) -> None:
    table = office().make("cid", role)
    assert table.ask("cid", m.People()).code == "not_allowed"


def test_people_are_listed_in_pages_in_the_order_of_their_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_broker.people.PEOPLE_IN_A_REPLY", 4)
    table = Table().seat(*(f"p{n}" for n in range(1, 12)))
    pages, after, more = [], "", True
    while more:
        reply = table.restart().seat("p1").ask("p1", m.People(after=after))
        pages.append([one.user for one in reply.people])
        after, more = pages[-1][-1], reply.more
    assert pages == [["u1", "u2", "u3", "u4"], ["u5", "u6", "u7", "u8"], ["u9", "u10", "u11"]]


def test_people_after_somebody_who_is_not_there_are_all() -> None:
    assert len(office().ask("ann", m.People(after="nobody")).people) == 3


def test_a_guest_does_not_see_who_is_here_but_in_their_rooms() -> None:
    table = office()
    table.ask("ann", m.Create(room="books"))
    table.ask("ann", m.Role(user="cid", role="guest", rooms=["lobby"]))
    table.turn(("cid", hello("cid")))
    assert table.ask("cid", m.Who()).code == "not_allowed"
    assert table.ask("cid", m.Who(room="books")).code == "no_room"
    assert [one.name for one in table.ask("cid", m.Who(room="lobby")).people] == ["ann", "bob", "cid"]
