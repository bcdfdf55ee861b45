"""The verbs of the command lines: the request that each makes of its words, and how the answers read."""

import argparse
import json
from typing import Any

import msgspec
import pytest

from chat_core import codes, durations, errands, keys, listing, places, verbs, wire
from chat_core import messages as m
from chat_core.address import Address, parse_address
from chat_core.errors import RefusedError
from chat_core.names import BROKER_USER

NOW = 1_700_000_000_000
HOUR = 3_600_000
KEY = "k" * 40
DIRECT = m.RoomInfo("@u1+u2", "@u1+u2", (3, "0" * 16), mine=True, kind="direct", people=[("u1", "Ann"), ("u2", "Bob")])
LOBBY = m.RoomInfo("lobby", "lobby", (1, ""), members=1, mine=True)
MUTED_FOR_A_DAY = m.Appoint(room="plan", user="ann", role="muted", until=NOW + 24 * HOUR, reason="loud")
A_READING_GUEST = m.Role(user="ann", role="guest", rooms=["lobby", "plan"], post=False)


class Broker:
    """Answers every request with what the test gives, and keeps what was asked."""

    def __init__(self, *replies: m.Reply) -> None:
        self.replies = list(replies)
        self.asked: list[m.Request] = []

    def ask(self, request: m.Request) -> m.Reply:
        """One question."""
        self.asked.append(request)
        return self.replies.pop(0) if self.replies else m.Done(1, 7, "b3")

    def run(self, *words: str, as_json: bool = False, mine: tuple[m.RoomInfo, ...] = ()) -> list[str]:
        """What a verb prints."""
        verb = next(verb for verb in verbs.VERBS if verb.name == words[0])
        parser = argparse.ArgumentParser(exit_on_error=False)
        verbs.add_to(parser, verb)
        errand = errands.Errand(
            parser.parse_args(words[1:]),
            self.ask,
            NOW,
            lambda bits: (1 << bits) - 1,
            Address("host", key=KEY),
            "u1",
            mine,
        )
        return list(verbs.lines(verb.do(errand), as_json))


def asked(*words: str) -> m.Request:
    """The one request that a verb makes."""
    broker = Broker()
    broker.run(*words)
    (request,) = broker.asked
    return request


# ---- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        ("invite plan ann", m.Invite(room="plan", user="ann")),
        ("remove plan ann --reason spam", m.Remove(room="plan", user="ann", reason="spam")),
        ("appoint plan ann moderator", m.Appoint(room="plan", user="ann", role="moderator")),
        ("appoint plan ann muted --for 2h", m.Appoint(room="plan", user="ann", role="muted", until=NOW + 2 * HOUR)),
        ("mute plan ann --for 1d --reason loud", MUTED_FOR_A_DAY),
        ("mute plan ann", m.Appoint(room="plan", user="ann", role="muted")),
        ("change plan --rename Plans", m.Change(room="plan", name="Plans")),
        ("change plan --read-only --slow 30s", m.Change(room="plan", read_only=True, slow=30)),
        ("change plan --writable --slow off --reopen", m.Change(room="plan", read_only=False, slow=0, archived=False)),
        ("change plan --archive", m.Change(room="plan", archived=True)),
        ("delete plan 12 --reason rude", m.Delete(room="plan", seq=12, reason="rude")),
        ("report plan 12", m.Report(room="plan", seq=12)),
        ("nick Anna", m.Nick(name="Anna")),
        ("unlink k3vq-7xma-2bnt-c5we", m.Unlink(key="k3vq-7xma-2bnt-c5we")),
        ("role ann guest --rooms lobby,plan --read-only", A_READING_GUEST),
        ("role ann admin", m.Role(user="ann", role="admin")),
        ("ban ann --for 3d --reason spam", m.Ban(user="ann", until=NOW + 72 * HOUR, reason="spam")),
        ("ban --key " + KEY, m.Ban(key=KEY)),
        ("ban --address 10.0.0.9 --room plan", m.Ban(address="10.0.0.9", room="plan")),
        ("unban b3", m.Unban(ban="b3")),
        ("revoke i2", m.Revoke(invitation="i2")),
        ("approve ann", m.Approve(user="ann")),
        ("reject ann --reason who?", m.Reject(user="ann", reason="who?")),
        ("release ann", m.Release(name="ann")),
        ("rekey ann " + KEY, m.Rekey(user="ann", key=KEY)),
    ],
)  # fmt: skip
def test_a_verb_makes_its_request(words: str, request_: m.Request) -> None:
    assert asked(*words.split()) == request_


@pytest.mark.parametrize(
    "words",
    ["ban ann --for 0s", "delete plan 0", "delete plan x", "delete plan -1", "invitation --uses -1", "audit --count 0"],
)
def test_what_is_no_such_number_or_no_time_is_refused_before_anybody_is_asked(words: str) -> None:
    with pytest.raises(argparse.ArgumentError):
        asked(*words.split())


@pytest.mark.parametrize(
    ("me", "code"),
    [(BROKER_USER, None), ("u1", "not_allowed")],
)
def test_an_audit_log_without_acts_is_empty_for_an_admin_and_nobody_elses(me: str, code: str | None) -> None:
    def ask(request: m.Request) -> m.Reply:
        raise RefusedError("no_room", "There is no room '!audit' here.")

    errand = errands.Errand(argparse.Namespace(count=9), ask, NOW, lambda bits: 0, Address("host"), me)
    refused = None
    try:
        assert list(errands.audit(errand)) == []
    except RefusedError as problem:
        refused = problem.code
    assert refused == code


@pytest.mark.parametrize(
    ("words", "reply", "said"),
    [
        (
            "change plan --read-only --slow 30s",
            m.Done(1, 7),
            "In plan you made the room read-only and set 30s between two posts.",
        ),
        ("change plan --reopen", m.Done(1), "plan was so already."),
        ("role ann admin", m.Done(1), "ann is an admin now."),
        ("role ann bot --rooms plan --read-only", m.Done(1), "ann is a bot now in plan only, read-only."),
        ("appoint plan ann owner", m.Done(1, 7), "ann is an owner in plan."),
        ("mute plan ann", m.Done(1, 7), "ann is muted in plan."),
    ],
)
def test_what_was_done_is_said(words: str, reply: m.Done, said: str) -> None:
    assert Broker(reply).run(*words.split()) == [said]


@pytest.mark.parametrize(
    "words",
    [
        "change plan",
        "ban",
        "ban ann --address 10.0.0.9",
        "appoint plan ann owner --for 2h",
        "create plan --history all",
    ],
)
def test_options_that_do_not_go_together_are_refused(words: str) -> None:
    broker = Broker()
    with pytest.raises(errands.UsageError):
        broker.run(*words.split())
    assert broker.asked == []


def test_a_room_is_made_as_it_is_wanted() -> None:
    made = m.Created(1, m.RoomInfo("plan", "plan", (2, "0" * 16), mine=True, kind="private", role="owner"))
    broker = Broker(made)
    assert broker.run("create", "plan", "--private", "--history", "all")[0].startswith("Room plan is made")
    (request,) = broker.asked
    assert isinstance(request, m.Create)
    assert (request.kind, request.history, len(request.once)) == ("private", "all", 16)


def test_an_invitation_is_printed_as_a_join_string_and_only_its_digest_is_sent() -> None:
    broker = Broker(m.Done(1, of="i4"))
    (join,) = broker.run(
        "invitation", "--uses", "0", "--for", "1d", "--role", "guest", "--rooms", "lobby", "--note", "for Bob"
    )
    (request,) = broker.asked
    assert isinstance(request, m.Invitation)
    token = parse_address(join).invite
    assert len(token) == 20
    assert request == m.Invitation(
        digest=keys.token_digest(token), uses=0, until=NOW + 24 * HOUR, role="guest", rooms=["lobby"], note="for Bob"
    )
    assert parse_address(join).key == KEY


def test_a_code_is_shown_in_groups_and_only_its_digest_is_sent() -> None:
    broker = Broker()
    errand = errands.Errand(argparse.Namespace(), broker.ask, NOW, lambda bits: 123456789, Address("host"))
    ((fields, text),) = errands.link(errand)
    shown = text.splitlines()[0]
    assert fields == {"code": shown}
    assert broker.asked == [m.Link(digest=keys.token_digest(codes.typed_code(shown.upper())))]


def test_a_list_of_several_replies_is_asked_for_to_its_end() -> None:
    first = m.Crowd(1, [m.Somebody("u1", "Ann"), m.Somebody("u2", "Bob", waiting=True)], more=True)
    broker = Broker(first, m.Crowd(2, [m.Somebody("u3", "Cem", "guest", rooms=["lobby"], post=False)]))
    printed = broker.run("people")
    assert [line.split()[0] for line in printed] == ["Ann", "Bob", "Cem"]
    assert broker.asked == [m.People(), m.People(after="u2")]
    assert "in lobby only, read-only" in printed[2]
    broker = Broker(first, m.Crowd(2, []))
    assert [line.split()[0] for line in broker.run("people", "--waiting")] == ["Bob"]


def test_the_audit_log_is_read_from_so_far_before_its_end() -> None:
    act = m.Event("!audit", 9, NOW, "u1", "Ann", "audit", "0" * 16, body=msgspec.Raw(
        msgspec.json.encode(m.Act("ban", "u2", "Bob", "plan", until=NOW, reason="spam"))
    ))  # fmt: skip
    state = m.RoomState(1, m.RoomInfo("!audit", "audit", (9, "0" * 16), kind="audit"))
    page = m.Paged(2, "!audit", "e1", 1, (9, "0" * 16), [msgspec.Raw(msgspec.json.encode(act))])
    broker = Broker(state, page)
    (line,) = broker.run("audit", "--count", "1")
    assert "Ann did: ban Bob in plan until" in line
    assert "(spam)" in line
    assert broker.asked[1] == m.Page(room="!audit", after=8, upto=9)


# ---- where ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["@bob", "@Bob", "@BOB", "@@bob", "@ bob"])
def test_a_direct_room_that_is_there_is_found_without_asking(typed: str) -> None:
    broker = Broker()
    broker.run("delete", typed, "3", mine=(DIRECT,))
    assert broker.asked == [m.Delete(room="@u1+u2", seq=3)]


def test_a_direct_room_that_is_not_there_is_asked_for() -> None:
    broker = Broker(m.Created(1, DIRECT))
    assert broker.run("direct", "bob", "cem")[0].startswith("You talk with Bob in @u1+u2")
    assert broker.asked == [m.Direct(people=["bob", "cem"])]


@pytest.mark.parametrize(
    ("typed", "people"),
    [
        ("plan", []),
        ("@u1+u2", []),
        ("@u17", []),
        ("@ann", ["ann"]),
        ("@Ann Lee, bob", ["Ann Lee", "bob"]),
        ("!audit", []),
    ],
)
def test_people_are_told_from_rooms(typed: str, people: list[str]) -> None:
    assert places.people_in(typed) == people


# ---- how it looks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (LOBBY, "* lobby                        1 member        1 event"),
        (DIRECT, "* Bob                         0 members       3 events  direct"),
        (
            m.RoomInfo("a", "A", (0, ""), kind="private", invited=True, read_only=True, slow=90, archived=True),
            "  A                                                     private, you are invited, read-only, "
            "1m30s between two posts, archived",
        ),
    ],
)  # fmt: skip
def test_a_room_in_the_list(answer: m.RoomInfo, line: str) -> None:
    assert listing.room(answer, "u1") == line


def test_a_ban_and_an_invitation_in_their_lists() -> None:
    ban = m.BanInfo("b1", "u2", "Bob", room="plan", reason="spam", by="Ann", time=NOW)
    assert listing.ban(ban).startswith("b1     Bob from plan (spam), by Ann, 2023-")
    one = m.InvitationInfo("i1", uses=3, used=1, role="guest", rooms=["lobby"], by="Ann", time=NOW)
    assert listing.invitation(one).startswith("i1     2 of 3 left    guest in lobby only, by Ann, 2023-")


def test_json_has_what_the_reply_has_but_not_its_frame() -> None:
    assert Broker(m.Done(9, 5)).run("delete", "plan", "3", as_json=True) == ['{"seq":5,"of":""}']


@pytest.mark.parametrize(
    ("verb", "bare", "full"),
    [
        ("people", m.Somebody("u1", "Ann"), m.Somebody("u2", "Bob", "bot", True, True, ["x"], False, 1, ["k"], "h")),
        ("bans", m.BanInfo("b1"), m.BanInfo("b2", "u1", "Ann", "k", "h", "plan", 9, "spam", "Bob", 1)),
        ("invitations", m.InvitationInfo("i1"), m.InvitationInfo("i2", 0, 1, 9, "bot", ["x"], False, "n", "Ann", 1)),
    ],
)
def test_json_has_the_same_fields_for_everybody(verb: str, bare: msgspec.Struct, full: msgspec.Struct) -> None:
    reply = {"people": m.Crowd, "bans": m.BanList, "invitations": m.InvitationList}[verb]
    first, second = map(json.loads, Broker(reply(1, [bare, full])).run(verb, as_json=True))
    assert list(first) == list(second) == list(type(bare).__struct_fields__)


def test_an_act_says_in_which_room_it_was_done_and_a_change_what_the_room_is_called() -> None:
    event = m.Event("!audit", 3, 0, "u1", "Ann", "audit", "0" * 16)
    event.body = msgspec.Raw(wire.encode(m.Act("appoint", "u2", "Bob", "plan")))
    shown = listing.flat(event)
    assert (shown["room"], shown["where"], shown["whom"], shown["reason"]) == ("!audit", "plan", "Bob", "")
    event.kind, event.body = "changed", msgspec.Raw(b'{"name":"Plans"}')
    assert (listing.flat(event)["renamed"], listing.flat(event)["slow"]) == ("Plans", None)
    event.kind, event.body = "message", msgspec.Raw(b'{"text":"hi"}')
    assert (listing.flat(event)["me"], listing.flat(event)["deleted"]) == (False, False)
    event.body = msgspec.Raw(b"[]")
    assert "text" not in listing.flat(event)


# ---- times and codes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("2h", 7200), ("1d12h", 129600), (" 1W ", 604800), ("0s", 0)]
)
def test_a_span_of_time_is_understood_and_written_again(text: str, seconds: int) -> None:
    assert durations.seconds_in(text) == seconds
    assert durations.seconds_in(durations.span(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "2x", "-2h", "1.5h", "2h 3", "9" * 12 + "d"])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="30s, 10m, 2h or 3d"):
        durations.seconds_in(text)


@pytest.mark.parametrize("number", [0, 1, 2**50 - 1, 0x2_AAAA_AAAA_AAAA])
def test_a_code_survives_being_read_out(number: int) -> None:
    code = codes.letters(number, codes.CODE_BITS)
    shown = codes.grouped(code)
    assert len(shown) == 11
    for typed in (shown, shown.upper(), f" {shown.replace('-', ' ')}\n", shown.replace("0", "O").replace("1", "l")):
        assert codes.typed_code(typed) == code


@pytest.mark.parametrize("typed", ["", "short", "k7qf2-m9xa!", "k7qf2-m9xab-m9xab"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(RefusedError, match="ten letters and digits"):
        codes.typed_code(typed)


def test_a_moment_that_no_calendar_has_is_some_day() -> None:
    assert durations.moment(2**53) == "some day"


def test_every_request_that_changes_something_has_its_verb() -> None:
    """Those that are the client's own business, or have a program of their own, are named."""
    own = {"hello", "marker", "ping", "page", "fork", "post", "bye", "room"}
    tags: set[Any] = {msgspec.inspect.type_info(t).tag for t in m.AnyRequest.__args__}  # type: ignore[attr-defined]
    covered = {"link", *(verb.name for verb in verbs.VERBS)}
    assert tags - own <= covered
