"""Who is let in: everybody, those with an invitation, those whom an admin says yes to; and how many at once."""

from typing import Any

import pytest

from chat_core import keys
from chat_core import messages as m
from tests.broker.table import BOOT, EPOCH, Table, Told, hello, key_of, message

TOKEN, OTHER_TOKEN = "Xk3-token-of-ann", "another"


def invitation(token: str = TOKEN, **fields: Any) -> m.Invitation:
    """The request that makes an invitation."""
    return m.Invitation(digest=keys.token_digest(token), **fields)


def invited(table: Table, **fields: Any) -> str:
    """Ann makes an invitation; its id."""
    reply = table.ask("ann", invitation(**fields))
    assert isinstance(reply, m.Done), reply
    return reply.of


def come(table: Table, who: str, token: str = TOKEN) -> Any:
    """The reply to a hello with an invitation."""
    return table.ask(who, hello(who, invite=token))


def closed(join: str, **facts: Any) -> Table:
    """A broker that does not let in everybody, of which Ann is the owner, who had come before."""
    return Table().seat("ann").make("ann", "owner").restart(join=join, **facts).seat("ann")


# ---- by invitation -------------------------------------------------------------------------------------------------


def test_without_an_invitation_a_newcomer_is_told_to_get_one() -> None:
    refused = closed("invite").hello("bob")
    assert (refused.code, refused.verdict) == ("invite_needed", "final")


def test_who_was_let_in_before_needs_no_invitation() -> None:
    assert isinstance(closed("invite").hello("ann/2"), m.Welcome)


@pytest.mark.parametrize("join", ["open", "invite", "approve"])
def test_an_invitation_lets_in_at_once(join: str) -> None:
    table = closed(join)
    invited(table)
    welcome = come(table, "bob")
    assert (welcome.user, welcome.role, [room.id for room in welcome.rooms]) == ("u2", "member", ["lobby"])


@pytest.mark.parametrize("join", ["open", "invite", "approve"])
def test_an_invitation_that_nobody_made_is_refused(join: str) -> None:
    table = closed(join)
    refused = come(table, "bob")
    assert (refused.code, refused.verdict) == ("invite_bad", "final")
    assert "bob" not in table.tables.names


def test_an_invitation_is_spent_by_its_use() -> None:
    table = closed("invite")
    invited(table)
    come(table, "bob")
    assert come(table, "cid").code == "invite_bad"
    assert table.tables.invitations == {}


def test_an_invitation_may_be_for_several() -> None:
    table = closed("invite")
    invited(table, uses=2)
    come(table, "bob")
    assert [(one.uses, one.used) for one in table.ask("ann", m.Invitations()).invitations] == [(2, 1)]
    assert isinstance(come(table, "cid"), m.Welcome)
    assert come(table, "dan").code == "invite_bad"


def test_an_invitation_may_be_for_any_number() -> None:
    table = closed("invite")
    invited(table, uses=0)
    for who in ("bob", "cid", "dan"):
        assert isinstance(come(table, who), m.Welcome)


def test_of_two_who_use_an_invitation_in_one_batch_the_first_comes_in() -> None:
    table = closed("invite")
    invited(table)
    told = table.turn(("bob", hello("bob", invite=TOKEN)), ("cid", hello("cid", invite=TOKEN)))
    assert isinstance(told.to("bob"), m.Welcome)
    assert told.to("cid").code == "invite_bad"


def test_a_repeated_hello_with_an_invitation_spends_it_once() -> None:
    table = closed("invite")
    invited(table, uses=2)
    come(table, "bob")
    assert come(table, "bob").user == come(table, "bob/2").user == "u2"
    assert isinstance(come(table, "cid"), m.Welcome)


def test_a_hello_that_is_refused_spends_no_invitation() -> None:
    table = closed("invite")
    invited(table)
    assert table.ask("bob", hello("bob", name="Ann", invite=TOKEN)).code == "name_taken"
    assert isinstance(come(table, "bob"), m.Welcome)


def test_a_batch_that_fails_spends_no_invitation_and_lets_nobody_in() -> None:
    table = closed("invite")
    invited(table)
    before = table.snapshot()
    told = table.turn(("bob", hello("bob", invite=TOKEN)), fails=True)
    assert (told.to("bob").code, table.snapshot()) == ("store", before)
    assert isinstance(come(table, "cid"), m.Welcome)


def test_an_invitation_runs_out() -> None:
    table = closed("invite")
    invited(table, until=table.clock + 1000)
    table.turn(seconds=1.0)
    assert come(table, "bob").code == "invite_bad"
    assert table.ask("ann", m.Invitations()).invitations == []


def test_an_invitation_that_has_run_out_is_dropped_when_another_is_made() -> None:
    table = closed("invite")
    invited(table, until=table.clock + 1000)
    table.turn(seconds=1.0)
    made = table.ask("ann", invitation(OTHER_TOKEN)).of
    assert set(table.tables.invitations) == {made}


def test_an_invitation_until_a_time_that_is_over_is_refused() -> None:
    table = closed("invite")
    assert table.ask("ann", invitation(until=table.clock)).code == "bad_request"


def test_an_invitation_is_revoked() -> None:
    table = closed("invite")
    made = invited(table)
    assert table.ask("ann", m.Revoke(invitation=made)).of == made
    assert come(table, "bob").code == "invite_bad"
    assert table.ask("ann", m.Revoke(invitation=made)).code == "no_such"


@pytest.mark.parametrize("role", ["member", "admin"])
def test_an_invitation_of_whoever_may_not_invite_any_more_lets_nobody_in(role: str) -> None:
    table = closed("invite")
    invited(table, role=role)
    table.make("ann", "admin" if role == "admin" else "member")
    assert come(table, "bob").code == "invite_bad"
    table.make("ann", "owner")
    assert come(table, "bob").role == role


def test_an_invitation_of_whoever_was_banned_lets_nobody_in() -> None:
    table = closed("open")
    invited(table)
    table.seat("bob").make("bob", "owner")
    table.ask("bob", m.Ban(user="ann"))
    assert come(table, "cid").code == "invite_bad"


def test_the_same_digest_again_is_the_same_invitation() -> None:
    table = closed("invite")
    assert invited(table) == invited(table)
    assert len(table.tables.invitations) == 1


def test_the_number_of_an_invitation_is_never_given_again() -> None:
    table = closed("invite")
    first = invited(table)
    table.ask("ann", m.Revoke(invitation=first))
    assert invited(table) != first


def test_the_list_of_invitations_has_no_secret() -> None:
    table = closed("invite")
    invited(table, note="for\nBob \u202e", uses=3)
    (info,) = table.ask("ann", m.Invitations()).invitations
    assert info == m.InvitationInfo("i1", uses=3, note="for Bob ", by="ann", time=table.clock)
    assert TOKEN not in str(table.snapshot())
    assert keys.token_digest(TOKEN) not in str(table.log.events)


def test_whoever_comes_by_an_invitation_is_what_it_says() -> None:
    table = closed("invite")
    table.ask("ann", m.Create(room="books"))
    invited(table, role="guest", rooms=["#Books"], post=False)
    welcome = come(table, "bob")
    assert (welcome.role, welcome.feed, [room.id for room in welcome.rooms]) == ("guest", 0, ["books"])
    user = table.tables.users["u2"]
    assert (user.rooms, user.post, user.invitation) == (["books"], False, "i1")


def test_an_invitation_into_a_room_that_is_not_there_is_refused() -> None:
    assert closed("invite").ask("ann", invitation(rooms=["nowhere"])).code == "no_room"


def test_an_invitation_enters_nobody_into_a_room_that_is_over_by_then() -> None:
    table = closed("invite")
    table.ask("ann", m.Create(room="books"))
    invited(table, rooms=["books"])
    table.tables.rooms["books"].archived = True
    assert come(table, "bob").rooms == []


@pytest.mark.parametrize("fields", [{"rooms": ["lobby"]}, {"post": False}])
def test_an_admin_by_invitation_has_no_scope(fields: dict[str, Any]) -> None:
    assert closed("invite").ask("ann", invitation(role="admin", **fields)).code == "bad_request"


def test_an_admin_invites_no_admins() -> None:
    table = closed("open").seat("bob").make("bob", "admin")
    assert table.ask("bob", invitation(role="admin")).code == "not_allowed"
    assert isinstance(table.ask("bob", invitation(role="bot")), m.Done)


def test_there_are_only_so_many_invitations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_broker.invitations.INVITATIONS_MOST", 1)
    table = closed("invite")
    invited(table)
    assert table.ask("ann", invitation(OTHER_TOKEN)).code == "limit"


# ---- after a yes ---------------------------------------------------------------------------------------------------


def waiting(*who: str, **facts: Any) -> Table:
    """Ann is there, the others wait for her."""
    table = closed("approve", **facts)
    for one in who:
        assert isinstance(table.hello(one), m.Waiting)
    return table


def test_a_newcomer_is_told_that_they_wait() -> None:
    reply = closed("approve").hello("bob", "Bob")
    assert (type(reply), reply.user, reply.name) == (m.Waiting, "u2", "Bob")


def test_the_admins_who_are_there_hear_that_somebody_waits() -> None:
    table = closed("open").seat("bob", "cid").make("bob", "admin").restart(join="approve").seat("ann", "bob", "cid")
    told = table.turn(("dan", hello("dan")))
    notice = m.Notice(0, "waiting", user="u4", name="dan")
    assert (told.replies["ann"], told.replies["bob"], "cid" in told.replies) == ([notice], [notice], False)


def test_they_hear_it_once() -> None:
    table = waiting("bob")
    assert "ann" not in table.turn(("bob", hello("bob")), ("bob/2", hello("bob"))).replies


def test_who_waits_still_waits_after_a_restart() -> None:
    assert isinstance(waiting("bob").restart(join="approve").hello("bob"), m.Waiting)


@pytest.mark.parametrize("request_", [m.Who(), m.Rooms(), m.Page(room="lobby"), message("hi"), m.Marker(), m.Nick()])
def test_who_waits_is_refused_everything_for_now(request_: m.AnyRequest) -> None:
    told = waiting("bob").turn(("bob", request_))
    assert (told.to("bob").code, told.to("bob").verdict) == ("waiting", "later")
    assert not told.batch
    assert not told.jobs


def test_who_waits_is_heard_and_told_nothing() -> None:
    pong = waiting("bob").ask("bob", m.Ping(rooms=["lobby"]))
    assert pong == m.Pong(pong.re, BOOT + "+", EPOCH, 0)


def test_who_waits_and_falls_silent_is_forgotten() -> None:
    table = waiting("bob")
    table.turn(("ann", m.Ping()), seconds=10.0)
    table.turn(("ann", m.Ping()), ("bob", m.Ping()), seconds=10.0)
    assert isinstance(table.ask("bob", m.Ping()), m.Pong)
    table.turn(("ann", m.Ping()), seconds=16.0)
    assert table.ask("bob", m.Ping()).code == "hello_first"


def test_who_waits_may_go() -> None:
    table = waiting("bob")
    assert isinstance(table.ask("bob", m.Bye()), m.Goodbye)
    assert table.ask("bob", m.Ping()).code == "hello_first"


def test_nobody_sees_who_waits() -> None:
    table = waiting("bob").seat("ann/2")
    assert table.turn(seconds=1.0).one("presence").came == [("u1", "ann")]
    assert [one.name for one in table.ask("ann", m.Who()).people] == ["ann"]
    assert table.ask("ann", m.Room(room="lobby")).members == [("u1", "ann")]


def test_only_admins_are_told_who_waits() -> None:
    table = closed("open").seat("cid").restart(join="approve").seat("ann", "cid")
    table.hello("bob")
    assert [one.name for one in table.ask("cid", m.People()).people] == ["ann", "cid"]
    assert [one.name for one in table.ask("ann", m.People()).people if one.waiting] == ["bob"]


def test_the_name_of_who_waits_is_taken() -> None:
    assert waiting("bob").hello("thief", "BOB").code == "name_taken"


def approve(table: Table, user: str = "bob") -> Told:
    """Ann says yes."""
    told = table.turn(("ann", m.Approve(user=user)))
    assert isinstance(told.to("ann"), m.Done), told
    return told


def test_a_yes_is_told_to_who_waits_and_lets_them_in() -> None:
    table = waiting("bob", "bob/2")
    told = approve(table)
    assert told.replies["bob"] == told.replies["bob/2"] == [m.Notice(0, "admitted", by="ann")]
    welcome = table.hello("bob")
    assert (welcome.user, [room.id for room in welcome.rooms]) == ("u2", ["lobby"])


def test_a_yes_makes_a_member_of_the_lobby() -> None:
    (event,) = approve(waiting("bob")).events("lobby")
    assert (event.kind, event.author, event.name) == ("joined", "u2", "bob")


def test_who_was_let_in_has_to_say_hello_again() -> None:
    table = waiting("bob")
    approve(table)
    assert table.ask("bob", m.Ping()).code == "hello_first"
    table.hello("bob")
    assert isinstance(table.ask("bob", m.Ping()), m.Pong)


def test_a_yes_may_be_said_twice() -> None:
    table = waiting("bob")
    approve(table)
    assert not approve(table).batch


def test_a_yes_whose_commit_failed_is_not_told() -> None:
    table = waiting("bob")
    told = table.turn(("ann", m.Approve(user="bob")), fails=True)
    assert (told.to("ann").code, "bob" in told.replies) == ("store", False)
    assert isinstance(table.hello("bob"), m.Waiting)


def test_an_invitation_lets_in_who_waits() -> None:
    table = waiting("bob")
    invited(table, role="bot")
    welcome = come(table, "bob")
    assert (welcome.user, welcome.role) == ("u2", "bot")
    assert isinstance(table.ask("bob", m.Ping()), m.Pong)


def test_who_waits_is_let_in_when_everybody_is() -> None:
    assert isinstance(waiting("bob").restart(join="open").hello("bob"), m.Welcome)


def test_a_no_frees_the_name_and_bans_the_key() -> None:
    table = waiting("bob")
    assert table.ask("ann", m.Reject(user="bob", reason="who are you?")).of == "u2"
    assert isinstance(table.hello("other", "bob"), m.Waiting)
    refused = table.hello("bob", "bobby")
    assert (refused.code, "who are you?" in refused.text) == ("banned", True)
    assert [one.key for one in table.ask("ann", m.Bans()).bans] == [key_of("bob")]


def test_after_a_no_nothing_is_answered_any_more() -> None:
    table = waiting("bob")
    table.ask("ann", m.Reject(user="bob"))
    told = table.turn(("bob", m.Ping(id=9)))
    assert ("bob" in told.replies, told.dropped) == (False, [9])


def test_a_no_that_finds_no_place_for_its_ban_is_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_broker.bans.BANS_MOST", 0)
    told = (table := waiting("bob")).turn(("ann", m.Reject(user="bob")))
    assert (told.to("ann").code, bool(told.batch)) == ("limit", False)
    assert table.tables.waiting


def test_no_is_only_said_to_who_waits() -> None:
    table = closed("open").seat("bob")
    assert table.ask("ann", m.Reject(user="bob")).code == "no_user"
    assert isinstance(table.ask("bob", m.Ping()), m.Pong)


def test_only_so_many_wait_and_the_oldest_are_forgotten() -> None:
    table = waiting("bob", "cid", "dan", waiting_most=2)
    assert {table.tables.users[user].name for user in table.tables.waiting} == {"cid", "dan"}
    assert table.ask("bob", m.Ping()).code == "hello_first"
    assert table.hello("bob").user == "u5"


def test_who_is_banned_while_they_wait_is_not_pushed_out_to_come_back_as_new() -> None:
    table = waiting("bob", waiting_most=2)
    table.ask("ann", m.Ban(user="bob"))
    for who in ("cid", "dan", "eve", "fay"):
        table.hello(who)
    assert {table.tables.users[user].name for user in table.tables.waiting} == {"bob", "eve", "fay"}
    assert table.hello("bob").code == "banned"


def test_who_waits_and_whose_ban_is_over_is_pushed_out_as_others_are() -> None:
    table = waiting("bob", waiting_most=2)
    table.ask("ann", m.Ban(user="bob", until=table.clock + 1000))
    table.turn(seconds=2.0)
    for who in ("cid", "dan"):
        table.hello(who)
    assert {table.tables.users[user].name for user in table.tables.waiting} == {"cid", "dan"}


def test_those_who_come_to_wait_do_not_disturb_the_feed() -> None:
    table = closed("approve", waiting_most=1)
    for who in ("bob", "cid"):
        assert not table.turn((who, hello(who))).shut_out


def test_who_waits_is_not_found_by_others() -> None:
    table = closed("open").seat("cid").restart(join="approve").seat("ann", "cid")
    table.hello("bob")
    assert table.ask("ann", m.Role(user="bob")).code == "no_user"


# ---- how many ------------------------------------------------------------------------------------------------------


def test_a_user_has_only_so_many_connections() -> None:
    table = Table(user_connections=2).seat("ann", "ann/2")
    refused = table.hello("ann/3")
    assert (refused.code, refused.verdict, refused.retry) == ("crowded", "later", 15_000)
    table.ask("ann", m.Bye())
    assert isinstance(table.hello("ann/3"), m.Welcome)


def test_a_connection_more_is_not_counted_when_it_says_hello_again() -> None:
    table = Table(user_connections=1, address_connections=1).seat("ann")
    assert isinstance(table.hello("ann"), m.Welcome)


def test_an_address_has_only_so_many_connections() -> None:
    table = Table(address_connections=2)
    for who in ("ann", "bob"):
        assert isinstance(table.turn((who, hello(who)), address="10.0.0.7").to(who), m.Welcome)
    refused = table.turn(("cid", hello("cid")), address="10.0.0.7").to("cid")
    assert (refused.code, refused.retry) == ("crowded", 15_000)
    assert isinstance(table.turn(("cid", hello("cid")), address="10.0.0.8").to("cid"), m.Welcome)


def test_those_who_wait_count_too() -> None:
    table = closed("approve", address_connections=1)
    table.turn(("bob", hello("bob")), address="10.0.0.7")
    assert table.turn(("cid", hello("cid")), address="10.0.0.7").to("cid").code == "crowded"


def test_those_in_the_brokers_own_process_have_no_address_to_count() -> None:
    table = Table(address_connections=1)
    for who in ("ann", "bob"):
        assert isinstance(table.turn((who, hello(who)), address="this process").to(who), m.Welcome)
