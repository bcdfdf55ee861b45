"""Who somebody is, comes and goes."""

import pytest

from chat_broker.hub import READS, WRITES
from chat_core import messages as m
from tests.broker.table import BOOT, EPOCH, HOME, SENDER, START_TIME, Table, hello, key_of, message

NAMES_OF_ANN = ["ann", "Ann", "ANN", "ａｎｎ", "Ａｎｎ"]


# ---- hello ---------------------------------------------------------------------------------------------------------


def test_a_new_key_with_a_name_becomes_a_user(table: Table) -> None:
    welcome = table.hello("ann", "Ann")
    assert (welcome.user, welcome.name) == ("u1", "Ann")


def test_users_are_numbered_in_the_order_of_their_coming(table: Table) -> None:
    assert [table.hello(who).user for who in ("ann", "bob", "cid")] == ["u1", "u2", "u3"]


def test_a_new_user_is_a_member_of_the_lobby(table: Table) -> None:
    welcome = table.hello("ann")
    assert [(room.id, room.mine, room.members) for room in welcome.rooms] == [("lobby", True, 1)]


def test_the_log_of_the_lobby_says_that_a_new_user_joined(table: Table) -> None:
    (event,) = table.turn(("ann", hello("ann"))).events("lobby")
    assert (event.seq, event.kind, event.author, event.name) == (2, "joined", "u1", "ann")


def test_the_welcome_tells_broker_start_log_and_feed() -> None:
    welcome = Table(name="the office", feed=7001).hello("ann")
    assert (welcome.home, welcome.boot, welcome.epoch) == (HOME, BOOT, EPOCH)
    assert (welcome.broker, welcome.feed, welcome.version) == ("the office", 7001, 1)


def test_the_welcome_tells_commit_number_and_time(table: Table) -> None:
    welcome = table.hello("ann")
    assert (welcome.commit, welcome.time) == (2, START_TIME)


def test_the_welcome_to_a_known_key_tells_the_last_commit(table: Table) -> None:
    table.seat("ann")
    assert table.hello("ann/2").commit == 2


def test_the_welcome_tells_heads_as_of_after_the_batch(table: Table) -> None:
    table.seat("ann", "bob")
    told = table.turn(("ann/2", hello("ann")), ("bob", message("in the same batch")))
    assert told.to("ann/2").rooms[0].head == table.head() == (4, told.events()[-1].chain)


def test_a_known_key_is_the_same_user_without_a_name(table: Table) -> None:
    table.seat("ann")
    welcome = table.hello("ann/2", name="")
    assert (welcome.user, welcome.name) == ("u1", "ann")


def test_a_known_key_changes_nothing_that_is_kept(table: Table) -> None:
    table.seat("ann")
    assert not table.turn(("ann/2", hello("ann"))).batch


def test_a_known_key_is_the_same_user_after_a_restart(either: Table) -> None:
    either.seat("bob", "ann")
    welcome = either.restart().hello("ann", name="")
    assert (welcome.user, welcome.name) == ("u2", "ann")


@pytest.mark.parametrize("spelling", NAMES_OF_ANN)
def test_a_known_key_may_give_its_name_in_another_spelling(table: Table, spelling: str) -> None:
    table.seat("ann")
    assert table.hello("ann/2", spelling).name == "ann"


def test_a_name_in_another_spelling_is_shown_as_the_broker_has_it(table: Table) -> None:
    table.seat("ann")
    table.hello("ann/2", "ANN")
    (event,) = table.turn(("ann/2", message("hi"))).events()
    assert event.name == "ann"


def test_a_known_key_may_not_give_another_name(table: Table) -> None:
    table.seat("ann")
    refused = table.hello("ann/2", "anna")
    assert (refused.code, refused.verdict) == ("name_differs", "final")


def test_a_known_key_may_not_give_the_name_of_somebody_else(table: Table) -> None:
    table.seat("ann", "bob")
    assert table.hello("ann/2", "bob").code == "name_differs"


def test_a_known_key_may_not_give_a_name_that_is_none(table: Table) -> None:
    table.seat("ann")
    assert table.hello("ann/2", "a\tnn").code == "name_bad"


def test_a_new_key_needs_a_name(table: Table) -> None:
    refused = table.hello("ann", name="")
    assert (refused.code, refused.verdict) == ("name_needed", "final")


@pytest.mark.parametrize("name", [" ", "an\0n", "a" * 33, "аnn", "<b>", "two  spaces", "ann\n"])
def test_a_name_that_is_none_is_refused(table: Table, name: str) -> None:
    assert table.hello("ann", name).code == "name_bad"


@pytest.mark.parametrize("spelling", NAMES_OF_ANN)
def test_a_taken_name_is_refused_in_any_spelling(table: Table, spelling: str) -> None:
    table.seat("ann")
    refused = table.hello("thief", spelling)
    assert (refused.code, refused.verdict) == ("name_taken", "final")


def test_a_taken_name_is_refused_after_a_restart(either: Table) -> None:
    either.seat("ann")
    assert either.restart().hello("thief", "ANN").code == "name_taken"


def test_of_two_who_want_a_name_in_one_batch_the_first_gets_it(table: Table) -> None:
    told = table.turn(("one", hello("one", "Ann")), ("two", hello("two", "ann")))
    assert told.to("one").user == "u1"
    assert told.to("two").code == "name_taken"


@pytest.mark.parametrize("spelling", ["broker", "Broker", "ｂroker"])
def test_nobody_may_be_called_as_the_broker(table: Table, spelling: str) -> None:
    assert table.hello("ann", spelling).code == "name_taken"


def test_a_name_is_shown_in_its_normal_form(table: Table) -> None:
    assert table.hello("ann", "Ａｎｎ").name == "Ann"


@pytest.mark.parametrize(
    "key",
    ["", "k" * 39, "k" * 41, "k" * 39 + "\n", "k" * 40 + "\n", "k" * 39 + " ", "k" * 39 + ",", "ö" * 40],
    ids=["none", "short", "long", "newline within", "newline after", "space", "comma", "not ASCII"],
)
def test_a_key_that_is_not_z85_is_refused(table: Table, key: str) -> None:
    refused = table.hello("ann", key=key)
    assert (refused.code, refused.verdict) == ("key_bad", "final")


def test_every_character_of_z85_may_be_in_a_key(table: Table) -> None:
    every = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    assert len(every) == 85
    for who, key in (("ann", every[:40]), ("bob", every[40:80]), ("cid", every[45:])):
        assert isinstance(table.hello(who, key=key), m.Welcome)


@pytest.mark.parametrize("versions", [[], [0], [2], [2, 3]])
def test_a_client_without_a_common_version_is_refused(table: Table, versions: list[int]) -> None:
    refused = table.ask("ann", m.Hello(versions=versions, name="ann", key=key_of("ann")))
    assert (refused.code, refused.verdict) == ("version", "final")


def test_the_common_version_is_chosen(table: Table) -> None:
    welcome = table.ask("ann", m.Hello(versions=[0, 1, 2], name="ann", key=key_of("ann")))
    assert welcome.version == 1


def test_a_refused_hello_lets_nobody_in(table: Table) -> None:
    table.hello("ann", name="")
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_a_refused_hello_stores_nothing(table: Table) -> None:
    assert not table.turn(("ann", hello("ann", "broker"))).batch


def test_a_refused_hello_leaves_the_connection_to_whom_it_was(table: Table) -> None:
    table.seat("ann")
    table.hello("ann", key="no key")
    assert [person.name for person in table.ask("ann", m.Who()).people] == ["ann"]


def test_a_repeated_hello_is_answered_again(table: Table) -> None:
    first, second = table.hello("ann"), table.hello("ann")
    assert (second.user, second.rooms) == (first.user, first.rooms)


def test_a_repeated_hello_in_the_same_batch_makes_one_user(table: Table) -> None:
    told = table.turn(("ann", hello("ann")), ("ann", hello("ann")))
    assert [reply.user for reply in told.replies["ann"]] == ["u1", "u1"]


def test_a_repeated_hello_is_not_another_coming(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=1.0)
    assert "presence" not in table.turn(("ann", hello("ann")), seconds=1.0).topics


def test_a_repeated_hello_does_not_change_since_when_somebody_is_here(table: Table) -> None:
    table.seat("ann")
    told = table.turn(("ann", hello("ann")), seconds=3.0)
    assert told.notes == []
    assert table.ask("ann", m.Who()).people[0].since == START_TIME


def test_a_repeated_hello_makes_no_second_connection(table: Table) -> None:
    table.seat("ann", "ann")
    table.ask("ann", m.Bye())
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_a_hello_with_another_key_makes_the_connection_another_users(table: Table) -> None:
    table.seat("ann", "bob")
    table.hello("ann", "", key_of("bob"))
    told = table.turn(("ann", message("who am I?")))
    assert [(event.author, event.name) for event in told.events()] == [("u2", "bob")]


def test_a_hello_with_another_key_is_a_going_and_a_coming(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=1.0)
    presence = table.turn(("ann", hello("bob")), seconds=1.0).one("presence")
    assert (presence.came, presence.went) == ([("u2", "bob")], [("u1", "ann")])


def test_a_new_user_whose_commit_failed_is_refused_for_now(table: Table) -> None:
    refused = table.turn(("ann", hello("ann")), fails=True).to("ann")
    assert (refused.code, refused.verdict) == ("store", "later")


def test_a_new_user_whose_commit_failed_is_not_connected(table: Table) -> None:
    table.turn(("ann", hello("ann")), fails=True)
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_a_new_user_whose_commit_failed_leaves_the_name_free(table: Table) -> None:
    table.turn(("ann", hello("ann")), fails=True)
    assert table.hello("bob", "Ann").user == "u1"


def test_a_new_user_whose_commit_failed_never_came(table: Table) -> None:
    table.turn(("ann", hello("ann")), fails=True)
    assert "presence" not in table.turn(seconds=1.0).topics


def test_a_known_user_is_let_in_though_the_commit_fails(table: Table) -> None:
    table.seat("ann", "bob")
    told = table.turn(("bob", message("lost")), ("ann/2", hello("ann")), fails=True)
    assert (told.to("ann/2").user, told.to("ann/2").commit) == ("u1", 3)
    assert isinstance(table.ask("ann/2", m.Ping()), m.Pong)


ASKED_BEFORE_HELLO = [kind() for kind in WRITES | READS if kind not in (m.Hello, m.Bye)]


@pytest.mark.parametrize("request_", ASKED_BEFORE_HELLO, ids=lambda request: type(request).__name__)
def test_whoever_has_not_said_hello_is_asked_to(table: Table, request_: m.AnyRequest) -> None:
    told = table.turn(("ann", request_))
    assert (told.to("ann").code, told.to("ann").verdict) == ("hello_first", "later")
    assert not told.batch
    assert not told.jobs


def test_after_a_restart_everybody_has_to_say_hello(table: Table) -> None:
    table.seat("ann")
    assert table.restart().post("ann", "lobby", "still here", SENDER, 1).code == "hello_first"


# ---- presence ------------------------------------------------------------------------------------------------------


def test_a_newcomer_is_told_to_all(table: Table) -> None:
    table.seat("ann")
    presence = table.turn(seconds=1.0).one("presence")
    assert presence == m.Presence(1, BOOT, [("u1", "ann")])


def test_presence_is_told_once_an_interval() -> None:
    table = Table(presence_seconds=5.0)
    table.seat("ann")
    assert "presence" not in table.turn(("bob", hello("bob")), seconds=4.0).topics
    presence = table.turn(seconds=1.0).one("presence")
    assert presence.came == [("u1", "ann"), ("u2", "bob")]


def test_presence_is_told_only_when_it_changed(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=1.0)
    assert "presence" not in table.turn(seconds=1.0).topics


def test_each_change_of_presence_has_the_next_version(table: Table) -> None:
    versions = []
    for who in ("ann", "bob", "cid"):
        table.seat(who)
        versions.append(table.turn(seconds=1.0).one("presence").version)
    assert versions == [1, 2, 3]


def test_whoever_came_and_went_within_an_interval_was_not_here(table: Table) -> None:
    table.seat("ann")
    table.ask("ann", m.Bye())
    assert "presence" not in table.turn(seconds=1.0).topics


def test_whoever_went_and_came_back_within_an_interval_was_not_away(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=1.0)
    table.ask("ann", m.Bye())
    table.seat("ann/2")
    assert "presence" not in table.turn(seconds=1.0).topics


def test_a_second_connection_is_not_another_coming(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=1.0)
    table.seat("ann/2")
    assert "presence" not in table.turn(seconds=1.0).topics


def test_whoever_has_another_connection_has_not_gone(table: Table) -> None:
    table.seat("ann", "ann/2")
    table.turn(seconds=1.0)
    table.ask("ann", m.Bye())
    assert "presence" not in table.turn(seconds=1.0).topics


def test_whoever_closed_the_last_connection_has_gone(table: Table) -> None:
    table.seat("ann", "ann/2")
    table.turn(seconds=1.0)
    table.ask("ann", m.Bye())
    table.ask("ann/2", m.Bye())
    assert table.turn(seconds=1.0).one("presence") == m.Presence(2, BOOT, [], [("u1", "ann")])


def test_presence_is_told_though_the_commit_fails(table: Table) -> None:
    table.seat("ann", "bob")
    told = table.turn(("ann", message("lost")), seconds=1.0, fails=True)
    assert told.one("presence").came == [("u1", "ann"), ("u2", "bob")]


# ---- who -----------------------------------------------------------------------------------------------------------


def test_who_tells_everybody_who_is_here_by_name(table: Table) -> None:
    table.seat("cid", "ann")
    table.hello("bob", "Bob")
    assert [person.name for person in table.ask("ann", m.Who()).people] == ["ann", "Bob", "cid"]


def test_who_tells_the_version_of_presence(table: Table) -> None:
    table.seat("ann")
    assert table.ask("ann", m.Who()).version == 0
    table.turn(seconds=1.0)
    assert table.ask("ann", m.Who()).version == 1


def test_who_tells_since_when_and_how_long_ago_somebody_was_heard(table: Table) -> None:
    table.seat("ann", "bob")
    table.ask("ann", m.Ping(), seconds=3.0)
    ann, bob = table.ask("bob", m.Who(), seconds=2.5).people
    assert (ann.since, ann.idle) == (START_TIME, 2500)
    assert (bob.since, bob.idle) == (START_TIME, 0)


def test_who_tells_somebody_with_two_connections_once(table: Table) -> None:
    table.seat("ann")
    table.turn(("ann/2", hello("ann")), seconds=4.0)
    (ann,) = table.ask("ann/2", m.Who(), seconds=2.0).people
    assert (ann.since, ann.idle) == (START_TIME, 0)


def test_who_in_a_room_tells_its_members_only(table: Table) -> None:
    table.seat("ann", "bob", "cid")
    table.ask("bob", m.Create(room="books"))
    table.ask("cid", m.Join(room="books"))
    assert [person.name for person in table.ask("ann", m.Who(room="#Books")).people] == ["bob", "cid"]


def test_who_in_a_room_leaves_out_members_who_are_away(table: Table) -> None:
    table.seat("ann", "bob")
    table.ask("bob", m.Bye())
    assert [person.name for person in table.ask("ann", m.Who(room="lobby")).people] == ["ann"]


def test_who_in_a_room_without_members_tells_nobody(table: Table) -> None:
    table.seat("ann")
    table.ask("ann", m.Leave(room="lobby"))
    assert table.ask("ann", m.Who(room="lobby")).people == []


def test_who_tells_nobody_whose_making_failed(table: Table) -> None:
    table.seat("ann")
    told = table.turn(("bob", hello("bob")), ("ann", m.Who()), fails=True)
    assert [person.name for person in told.to("ann").people] == ["ann"]


def test_who_in_no_room_is_refused(table: Table) -> None:
    table.seat("ann")
    assert table.ask("ann", m.Who(room="nowhere")).code == "no_room"


# ---- going ---------------------------------------------------------------------------------------------------------


def test_whoever_says_bye_is_no_longer_here(table: Table) -> None:
    table.seat("ann", "bob")
    assert isinstance(table.ask("ann", m.Bye()), m.Goodbye)
    assert [person.name for person in table.ask("bob", m.Who()).people] == ["bob"]


def test_whoever_said_bye_has_to_say_hello_again(table: Table) -> None:
    table.seat("ann")
    table.ask("ann", m.Bye())
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_whoever_said_bye_is_still_a_member(table: Table) -> None:
    table.seat("ann")
    table.ask("ann", m.Bye())
    assert [room.id for room in table.hello("ann").rooms] == ["lobby"]


def test_bye_is_answered_to_a_stranger(table: Table) -> None:
    assert isinstance(table.ask("ann", m.Bye()), m.Goodbye)


def test_whoever_says_nothing_for_long_has_gone(table: Table) -> None:
    table.seat("ann", "bob")
    table.ask("bob", m.Ping(), seconds=10.0)
    table.turn(seconds=6.0)
    assert [person.name for person in table.ask("bob", m.Who()).people] == ["bob"]


def test_whoever_was_silent_has_to_say_hello_again(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=16.0)
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_silence_is_told_as_a_going(table: Table) -> None:
    table.seat("ann")
    table.turn(seconds=1.0)
    assert table.turn(seconds=16.0).one("presence").went == [("u1", "ann")]


@pytest.mark.parametrize("sign", [m.Ping(), m.Who(), m.Room(room="nowhere"), hello("ann")], ids=["1", "2", "3", "4"])
def test_any_request_is_a_sign_of_life(table: Table, sign: m.AnyRequest) -> None:
    table.seat("ann")
    table.ask("ann", sign, seconds=14.0)
    table.turn(seconds=14.0)
    assert isinstance(table.ask("ann", m.Ping()), m.Pong)


def test_a_request_in_the_same_turn_saves_from_being_gone(table: Table) -> None:
    table.seat("ann")
    assert isinstance(table.ask("ann", m.Ping(), seconds=60.0), m.Pong)


def test_whoever_is_silent_on_one_connection_is_here_by_the_other(table: Table) -> None:
    table.seat("ann", "ann/2")
    table.turn(seconds=1.0)
    table.ask("ann/2", m.Ping(), seconds=10.0)
    assert "presence" not in table.turn(seconds=6.0).topics
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_how_long_silence_may_last_is_a_setting() -> None:
    table = Table(gone_seconds=1.0)
    table.seat("ann")
    table.turn(seconds=1.5)
    assert table.ask("ann", m.Ping()).code == "hello_first"


def test_the_log_of_the_process_tells_who_came_and_went(table: Table) -> None:
    assert table.turn(("ann", hello("ann"))).notes == ["ann came from address of ann (unknown client)"]
    assert table.turn(("ann", m.Bye())).notes == ["ann left (said bye), from address of ann"]


def test_the_log_of_the_process_tells_nothing_of_a_batch_whose_commit_failed(table: Table) -> None:
    table.seat("ann")
    told = table.turn(("bob", hello("bob")), ("ann", m.Create(room="books")), fails=True)
    assert told.notes == []


def test_nobody_stays_as_a_user_whose_making_failed() -> None:
    table = Table()
    key = key_of("mallory")
    told = table.turn(("one", hello("mallory", key=key)), ("two", hello("mallory", "", key=key)), fails=True)
    assert [told.to(who).code for who in ("one", "two")] == ["store", "store"]
    assert table.hello("ann").user == "u1"
    assert table.post("two", "lobby", "I am ann").code == "hello_first"


def test_the_id_of_a_user_is_never_given_again() -> None:
    table = Table().seat("ann", "bob")
    del table.tables.users["u2"]  # as a later version may do
    assert table.hello("cid").user == "u3"
