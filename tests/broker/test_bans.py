"""Bans: of users, keys and addresses, from the chat and from rooms; they take effect at once."""

from typing import Any

import pytest

from chat_core import keys
from chat_core import messages as m
from tests.broker.table import Table, Told, hello, key_of, message


def office() -> Table:
    """Ann is the owner, Bob an admin, Cid and Dan members."""
    return Table().seat("ann", "bob", "cid", "dan").make("ann", "owner").make("bob", "admin")


def ban(table: Table, by: str = "bob", **fields: Any) -> Told:
    """Somebody bans somebody."""
    told = table.turn((by, m.Ban(**fields)))
    assert isinstance(told.to(by), m.Done), told.to(by)
    return told


# ---- at once -------------------------------------------------------------------------------------------------------

BY = [{"user": "cid"}, {"user": "u3"}, {"key": key_of("cid")}, {"address": "address of cid"}]
ids = ["by name", "by id", "by key", "by address"]


@pytest.mark.parametrize("fields", BY, ids=ids)
def test_who_is_banned_is_forgotten_and_not_answered(fields: dict[str, str]) -> None:
    table = office()
    told = ban(table, **fields)
    assert (told.shut_out, told.replies["cid"]) == (True, [m.Notice(0, "banned", by="bob")])
    told = table.turn(("cid", m.Ping(id=7)), ("cid", message("still here")), ("cid", m.Bye(id=9)))
    assert ("cid" in told.replies, len(told.dropped), bool(told.batch)) == (False, 3, False)


@pytest.mark.parametrize("fields", BY, ids=ids)
def test_who_is_banned_cannot_come_back(fields: dict[str, str]) -> None:
    table = office()
    ban(table, **fields, reason="noise")
    refused = table.hello("cid")
    assert (refused.code, refused.verdict, refused.text) == ("banned", "final", "You are banned here: noise")
    assert table.restart().hello("cid").code == "banned"


def test_each_of_their_connections_is_told_by_whom_until_when_and_why() -> None:
    table = office()
    table.ask("cid", m.Link(digest=keys.token_digest("1")))
    table.ask("laptop", hello("laptop", "", link="1"))
    until = table.clock + 60_000
    told = ban(table, user="cid", until=until, reason="noise")
    word = m.Notice(0, "banned", by="bob", until=until, reason="noise")
    assert {who: replies for who, replies in told.replies.items() if who != "bob"} == {"cid": [word], "laptop": [word]}


def test_who_waited_and_is_not_let_in_is_told_by_whom_and_why() -> None:
    table = office().restart(join="approve").seat("bob")
    table.hello("eve")
    told = table.turn(("eve", m.Ping()), ("bob", m.Reject(user="eve", reason="who?")), ("eve", m.Ping()))
    assert told.replies["eve"] == [m.Notice(0, "rejected", by="bob", reason="who?")]
    assert "eve" not in table.turn(("eve", m.Ping())).replies


@pytest.mark.parametrize("fields", BY, ids=ids)
def test_others_are_not_banned_with_them(fields: dict[str, str]) -> None:
    table = office()
    ban(table, **fields)
    assert isinstance(table.ask("dan", m.Ping()), m.Pong)
    assert isinstance(table.hello("eve"), m.Welcome)


def test_what_is_asked_in_the_batch_of_the_ban_and_behind_it_is_not_answered() -> None:
    table = office()
    told = table.turn(
        ("cid", message("before")), ("cid", m.Ping(id=7)), ("bob", m.Ban(user="cid")), ("cid", message("behind"))
    )
    assert [type(reply) for reply in told.replies["cid"]] == [m.Posted, m.Notice]
    assert len(told.dropped) == 2


def test_a_welcome_in_the_batch_of_the_ban_tells_nothing_of_any_room() -> None:
    table = office()
    told = table.turn(("cid/2", hello("cid")), ("bob", m.Ban(user="cid")), ("ann", message("hi")))
    welcomes = [reply for reply in told.replies["cid/2"] if isinstance(reply, m.Welcome)]
    assert all(not (welcome.rooms or welcome.commit) for welcome in welcomes)


def test_not_even_what_is_no_request_is_answered() -> None:
    table = office()
    ban(table, user="cid")
    turn = table.hub.begin(table.clock, table.mono)
    table.hub.refuse(turn, b"cid", 0, "bad_request", "it is garbage")
    assert table.hub.finish(turn)[0] == []


def test_asking_a_lot_gets_no_answer_either() -> None:
    table = office()
    ban(table, user="cid")
    assert "cid" not in table.turn(*[("cid", m.Ping()) for _ in range(30)]).replies


def test_all_connections_of_a_user_are_shut_out() -> None:
    table = office().seat("cid/2")
    ban(table, user="cid")
    assert "cid/2" not in table.turn(("cid/2", m.Ping())).replies


def test_all_keys_of_a_user_are_shut_out() -> None:
    table = office()
    table.ask("cid", m.Link(digest=keys.token_digest("1")))
    table.ask("laptop", hello("laptop", "", link="1"))
    ban(table, user="cid")
    assert table.hello("laptop", "").code == "banned"


def test_a_code_that_was_shown_before_the_ban_lets_no_other_key_in() -> None:
    table = office()
    table.ask("cid", m.Link(digest=keys.token_digest("1")))
    ban(table, user="cid")
    assert table.ask("laptop", hello("laptop", "", link="1")).code == "banned"
    assert key_of("laptop") not in table.tables.keys


def test_a_banned_key_bans_its_connections_and_no_other_of_its_user() -> None:
    table = office()
    table.ask("cid", m.Link(digest=keys.token_digest("1")))
    table.ask("laptop", hello("laptop", "", link="1"))
    ban(table, key=keys.fingerprint(key_of("laptop")))
    assert "laptop" not in table.turn(("laptop", m.Ping())).replies
    assert isinstance(table.ask("cid", m.Ping()), m.Pong)


def test_the_others_see_who_was_banned_go() -> None:
    table = office()
    table.turn(seconds=1.0)
    ban(table, user="cid")
    assert table.turn(seconds=1.0).one("presence").went == [("u3", "cid")]


def test_a_ban_whose_commit_failed_bans_nobody() -> None:
    table = office()
    before = table.snapshot()
    told = table.turn(("bob", m.Ban(user="cid")), ("cid", m.Ping()), ("cid", message("hi")), fails=True)
    assert told.notices("cid") == []
    assert ([reply.code for reply in told.replies["bob"]], told.shut_out) == (["store"], False)
    assert {type(reply) for reply in told.replies["cid"]} == {m.Pong, m.Refused}
    assert table.snapshot() == before
    assert isinstance(table.ask("cid", m.Ping()), m.Pong)


def test_who_waits_may_be_banned() -> None:
    table = office().restart(join="approve").seat("bob")
    table.hello("eve")
    ban(table, user="eve")
    assert "eve" not in table.turn(("eve", m.Ping())).replies


def test_a_banned_address_lets_in_nobody_new() -> None:
    table = office()
    ban(table, address="10.0.0.7")
    assert table.turn(("eve", hello("eve")), address="10.0.0.7").to("eve").code == "banned"


def test_a_connection_that_was_shut_out_may_say_hello_as_somebody_else_and_is_answered_again() -> None:
    table = office()
    ban(table, user="cid")
    assert isinstance(table.hello("cid", "eve", key_of("eve")), m.Welcome)
    assert isinstance(table.ask("cid", m.Ping()), m.Pong)


def test_only_so_many_connections_are_remembered_as_shut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_broker.desk.SHUT_MOST", 1)
    table = office()
    ban(table, user="cid")
    ban(table, user="dan")
    assert table.ask("cid", m.Ping()).code == "hello_first"
    assert "dan" not in table.turn(("dan", m.Ping())).replies


# ---- until when ----------------------------------------------------------------------------------------------------


def test_a_ban_runs_out() -> None:
    table = office()
    ban(table, user="cid", until=table.clock + 60_000)
    refused = table.hello("cid")
    assert (refused.code, refused.text) == ("banned", "You are banned here until 2023-11-14 22:14 UTC.")
    table.turn(("bob", m.Ping()), seconds=10.0)
    table.turn(("bob", m.Ping()), seconds=14.0)
    for _ in range(4):
        table.turn(("bob", m.Ping()), seconds=9.0)
    assert isinstance(table.hello("cid"), m.Welcome)
    assert table.ask("bob", m.Bans()).bans == []


def test_a_ban_that_has_run_out_is_dropped_with_the_next() -> None:
    table = office()
    ban(table, user="cid", until=table.clock + 1000)
    table.turn(("bob", m.Ping()), seconds=1.0)
    made = ban(table, user="dan").to("bob").of
    assert set(table.tables.bans) == {made}


@pytest.mark.parametrize("until", [2**53 - 1, 10**15])
def test_a_ban_may_be_until_the_end_of_all_calendars(until: int) -> None:
    table = office()
    ban(table, user="cid", until=until)
    assert table.hello("cid").text == "You are banned here."


def test_a_ban_until_a_time_that_is_over_is_refused() -> None:
    assert office().ask("bob", m.Ban(user="cid", until=1)).code == "bad_request"


def test_the_same_again_changes_the_ban() -> None:
    table = office()
    first = ban(table, user="cid", reason="a").to("bob").of
    assert ban(table, user="cid", reason="b", until=table.clock + 1000).to("bob").of == first
    assert [(one.reason, one.until) for one in table.ask("bob", m.Bans()).bans] == [("b", table.clock + 1000)]


def test_of_several_bans_the_longest_is_told() -> None:
    table = office()
    ban(table, user="cid", until=table.clock + 1000, reason="short")
    ban(table, key=key_of("cid"), reason="long")
    assert table.hello("cid").text == "You are banned here: long"


# ---- unban, bans ---------------------------------------------------------------------------------------------------


def test_a_ban_is_lifted() -> None:
    table = office()
    made = ban(table, user="cid").to("bob").of
    assert table.ask("ann", m.Unban(ban=made)).of == made
    assert isinstance(table.hello("cid"), m.Welcome)
    assert table.ask("ann", m.Unban(ban=made)).code == "no_such"


def test_the_number_of_a_ban_is_never_given_again() -> None:
    table = office()
    first = ban(table, user="cid").to("bob").of
    table.ask("bob", m.Unban(ban=first))
    assert ban(table, user="cid").to("bob").of != first


def test_bans_are_listed() -> None:
    table = office()
    ban(table, user="cid", reason="noise")
    ban(table, "ann", key=key_of("eve"))
    assert table.ask("bob", m.Bans()).bans == [
        m.BanInfo("b1", "u3", "cid", reason="noise", by="bob", time=table.clock),
        m.BanInfo("b2", key=key_of("eve"), by="ann", time=table.clock),
    ]


@pytest.mark.parametrize("request_", [m.Bans(), m.Ban(user="dan"), m.Unban(ban="b1")])
def test_a_member_has_nothing_to_do_with_bans(request_: m.AnyRequest) -> None:
    table = office()
    ban(table, key=key_of("eve"))
    assert table.ask("cid", request_).code == "not_allowed"


def test_there_are_only_so_many_bans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_broker.bans.BANS_MOST", 1)
    table = office()
    ban(table, user="cid")
    assert table.ask("bob", m.Ban(user="dan")).code == "limit"


# ---- whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "fields"),
    [
        ("bob", {"user": "ann"}),
        ("bob", {"key": key_of("ann")}),
        ("bob", {"address": "address of ann"}),
        ("bob", {"user": "bob"}),
        ("bob", {"address": "address of bob"}),
        ("ann", {"user": "ann"}),
        ("ann", {"key": key_of("ann")}),
    ],
)
def test_nobody_bans_themselves_or_who_is_not_below_them(by: str, fields: dict[str, str]) -> None:
    table = office()
    told = table.turn((by, m.Ban(**fields)))
    assert (told.to(by).code, bool(told.batch)) == ("not_allowed", False)


def test_an_owner_bans_an_admin() -> None:
    table = office()
    ban(table, "ann", user="bob")
    assert table.hello("bob").code == "banned"


@pytest.mark.parametrize("fields", [{}, {"user": "cid", "key": key_of("cid")}, {"key": "k", "address": "a"}])
def test_a_ban_is_of_one_thing(fields: dict[str, str]) -> None:
    assert office().ask("bob", m.Ban(**fields)).code == "bad_request"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"user": "nobody"}, "no_user"),
        ({"user": "u0"}, "no_user"),
        ({"user": "broker"}, "no_user"),
        ({"key": "abcd-efgh"}, "no_such"),
        ({"address": "the cellar"}, "no_such"),
    ],
)
def test_what_is_not_there_is_not_banned(fields: dict[str, str], code: str) -> None:
    assert office().ask("bob", m.Ban(**fields)).code == code


@pytest.mark.parametrize(("typed", "kept"), [("::ffff:10.0.0.7", "10.0.0.7"), ("FE80::1", "fe80::1")])
def test_an_address_is_kept_as_connections_have_it(typed: str, kept: str) -> None:
    table = office()
    ban(table, address=typed)
    assert [one.address for one in table.ask("bob", m.Bans()).bans] == [kept]


# ---- from a room ---------------------------------------------------------------------------------------------------


def reading_room() -> Table:
    """Cid owns the open room books, and Dan is in it; Eve owns the private room cellar, and Dan is in it."""
    table = office().seat("eve")
    table.ask("cid", m.Create(room="books"))
    table.ask("dan", m.Join(room="books"))
    table.ask("eve", m.Create(room="cellar", kind="private"))
    table.ask("eve", m.Invite(room="cellar", user="dan"))
    table.ask("dan", m.Join(room="cellar"))
    return table


@pytest.mark.parametrize("by", ["ann", "bob", "cid"])
@pytest.mark.parametrize(
    "fields", [{"user": "dan"}, {"key": key_of("dan")}, {"address": "address of dan"}], ids=["user", "key", "address"]
)
def test_somebody_is_banned_from_a_room_and_from_no_other(by: str, fields: dict[str, str]) -> None:
    table = reading_room()
    told = ban(table, by, room="#Books", **fields, reason="noise")
    assert (told.shut_out, told.events("books")[-1].kind) == (False, "removed")
    assert [(one.kind, one.room, one.reason) for one in told.replies["dan"]] == [("removed", "books", "noise")]
    refused = table.ask("dan", m.Join(room="books"))
    assert (refused.code, refused.text) == ("banned", "You are banned from books: noise")
    assert isinstance(table.ask("dan", message("hi")), m.Posted)


def test_the_bans_of_a_room_are_its_own() -> None:
    table = reading_room()
    ban(table, "cid", room="books", user="dan")
    assert [one.room for one in table.ask("cid", m.Bans(room="books")).bans] == ["books"]
    assert table.ask("bob", m.Bans()).bans == []


def test_who_moderates_a_room_lifts_its_bans() -> None:
    table = reading_room()
    made = ban(table, "bob", room="books", user="dan").to("bob").of
    assert table.ask("dan", m.Unban(ban=made)).code == "not_allowed"
    assert table.ask("cid", m.Unban(ban=made)).of == made
    assert isinstance(table.ask("dan", m.Join(room="books")), m.Joined)


def test_of_the_bans_of_a_private_room_nobody_hears_who_is_not_in_it() -> None:
    table = reading_room()
    made = ban(table, "eve", room="cellar", user="dan").to("eve").of
    assert table.ask("ann", m.Unban(ban=made)).code == "no_such"
    assert table.ask("ann", m.Bans(room="cellar")).code == "no_room"
    assert table.ask("ann", m.Ban(room="cellar", user="dan")).code == "no_room"
    assert table.ask("ann", m.Bans()).bans == []
    assert "cellar" not in str(table.log.events.get("!audit", ""))


def test_who_is_banned_from_a_private_room_hears_no_more_of_it() -> None:
    table = reading_room()
    ban(table, "eve", room="cellar", user="dan")
    assert table.ask("dan", m.Room(room="cellar")).code == "no_room"
    assert "dan" not in table.turn(("eve", message("gone?", "cellar"))).pushed
