"""The audit log: what one does to another or to the chat is written down; admins read it and nobody edits it."""

from typing import Any

import pytest

from chat_core import keys, wire
from chat_core import messages as m
from tests.broker.table import Table, hello, key_of, message


def office() -> Table:
    """Ann is the owner, Bob an admin, Cid and Dan members; Cid owns the room books, in which Dan has said something."""
    table = Table().seat("ann", "bob", "cid", "dan").make("ann", "owner").make("bob", "admin")
    table.ask("cid", m.Create(room="books"))
    table.ask("dan", m.Join(room="books"))
    table.ask("dan", message("buy my books", "books"))
    return table


def noted(table: Table) -> list[tuple[str, str, m.Act]]:
    """Who did what, in order: the author's id and name, and the act."""
    first, *rest = table.log.events["!audit"]
    assert (first.kind, first.author) == ("created", "u0")
    assert {event.kind for event in rest} == {"audit"}
    return [(event.author, event.name, wire.decode(bytes(event.body), m.Act)) for event in rest]


ACTS: list[tuple[m.AnyRequest, m.Act]] = [
    (m.Role(user="cid", role="bot", rooms=["books"]), m.Act("role", "u3", "cid", what="bot in 1 rooms")),
    (m.Ban(user="cid", reason="noise"), m.Act("ban", "u3", "cid", reason="noise")),
    (m.Ban(key=key_of("eve")), m.Act("ban", what=keys.fingerprint(key_of("eve")))),
    (m.Ban(address="10.0.0.7", until=2**53 - 1), m.Act("ban", what="10.0.0.7", until=2**53 - 1)),
    (m.Ban(room="books", user="dan"), m.Act("ban", "u4", "dan", "books")),
    (m.Invitation(digest="ab" * 16, note="for Eve"), m.Act("invitation", what="i1", reason="for Eve")),
    (m.Release(name="cid"), m.Act("release", "u3", "cid", what="cid")),
    (m.Rekey(user="cid", key=key_of("new")), m.Act("rekey", "u3", "cid", what=keys.fingerprint(key_of("new")))),
    (m.Remove(room="books", user="dan", reason="noise"), m.Act("remove", "u4", "dan", "books", reason="noise")),
    (m.Appoint(room="books", user="dan", role="muted"), m.Act("appoint", "u4", "dan", "books", what="muted")),
    (m.Delete(room="books", seq=4, reason="spam"), m.Act("delete", "u4", "dan", "books", what="4", reason="spam")),
]


@pytest.mark.parametrize(("request_", "act"), ACTS, ids=lambda part: type(part).__name__.lower())
def test_an_act_is_written_down(request_: m.AnyRequest, act: m.Act) -> None:
    table = office()
    reply = table.ask("ann", request_)
    assert isinstance(reply, m.Done), reply
    assert noted(table) == [("u1", "ann", act)]


def test_what_is_undone_is_written_down_too() -> None:
    table = office()
    table.ask("bob", m.Ban(user="dan"))
    table.ask("ann", m.Unban(ban="b1"))
    table.ask("ann", m.Invitation(digest="ab" * 16))
    table.ask("bob", m.Revoke(invitation="i1"))
    assert [(by, act.act, act.user, act.what) for _, by, act in noted(table)] == [
        ("bob", "ban", "u4", ""),
        ("ann", "unban", "u4", ""),
        ("ann", "invitation", "", "i1"),
        ("bob", "revoke", "", "i1"),
    ]


def test_a_yes_and_a_no_are_written_down() -> None:
    table = office().restart(join="approve").seat("bob")
    for who in ("eve", "fay"):
        table.hello(who)
    table.ask("bob", m.Approve(user="eve"))
    table.ask("bob", m.Reject(user="fay", reason="who?"))
    assert [act for _, _, act in noted(table)] == [
        m.Act("approve", "u5", "eve"),
        m.Act("reject", "u6", "fay", reason="who?"),
    ]


def test_an_act_that_is_refused_is_not_written_down() -> None:
    table = office()
    table.ask("cid", m.Ban(user="dan"))
    assert "!audit" not in table.log.events


def test_an_act_whose_commit_failed_is_not_written_down() -> None:
    table = office()
    table.turn(("ann", m.Ban(user="dan")), fails=True)
    assert "!audit" not in table.log.events


@pytest.mark.parametrize("secret", ["the token", "the code"])
def test_no_secret_is_written_down(secret: str) -> None:
    table = office()
    table.ask("ann", m.Invitation(digest=keys.token_digest(secret)))
    table.ask("ann", m.Link(digest=keys.token_digest(secret)))
    table.ask("eve", hello("eve", invite=secret))
    assert keys.token_digest(secret) not in str(table.log.events["!audit"])


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_owners_and_admins_read_it(who: str) -> None:
    table = office()
    table.ask("ann", m.Ban(user="dan"))
    told = table.turn((who, m.Page(room="!audit")))
    assert [(job.room, job.head.seq) for job in told.jobs] == [("!audit", 2)]
    assert table.ask(who, m.Room(room="!audit")).room.kind == "audit"


@pytest.mark.parametrize("request_", [m.Page(room="!audit"), m.Room(room="!audit"), message("x", "!audit")])
def test_to_nobody_else_it_is_there(request_: Any) -> None:
    table = office()
    table.ask("ann", m.Ban(user="dan"))
    told = table.turn(("cid", request_))
    assert (told.to("cid").code, told.jobs) == ("no_room", [])


@pytest.mark.parametrize(
    "request_",
    [
        message("nothing happened", "!audit"),
        m.Delete(room="!audit", seq=2),
        m.Join(room="!audit"),
        m.Change(room="!audit", archived=True),
        m.Invite(room="!audit", user="cid"),
        m.Create(room="!audit"),
    ],
    ids=lambda request: type(request).__name__.lower(),
)
def test_nobody_writes_or_changes_it(request_: m.AnyRequest) -> None:
    table = office()
    table.ask("ann", m.Ban(user="dan"))
    before = table.head("!audit")
    assert isinstance(table.ask("ann", request_), m.Refused)
    assert table.head("!audit") == before


def test_owners_and_admins_follow_it_and_nobody_else() -> None:
    table = office()
    told = table.turn(("bob", m.Ban(user="dan")))
    assert {who for who, events in told.pushed.items() if any(one.room == "!audit" for one in events)} == {"ann", "bob"}
    assert not [topic for topic in told.topics if "audit" in topic]
