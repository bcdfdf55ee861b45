"""The machines of one person: link, machines, unlink, rekey; and what one may be called."""

from typing import Any

import pytest

from chat_core import keys
from chat_core import messages as m
from tests.broker.table import BOOT, START_TIME, Table, hello, key_of, message

CODE = "7421-9063"


def show_code(table: Table, who: str = "ann", code: str = CODE) -> None:
    """Somebody's machine shows a one-time code."""
    assert isinstance(table.ask(who, m.Link(digest=keys.token_digest(code))), m.Done)


def enter_code(table: Table, who: str, code: str = CODE, **fields: Any) -> Any:
    """The reply to a hello with a code."""
    return table.ask(who, hello(who, link=code, **fields))


def linked(*others: str) -> Table:
    """Ann, and further machines of hers that have keys of their own."""
    table = Table().seat("ann")
    for other in others:
        show_code(table)
        assert enter_code(table, other).user == "u1"
    return table


# ---- link ----------------------------------------------------------------------------------------------------------


def test_a_code_makes_another_key_the_same_user() -> None:
    table = Table().seat("ann")
    show_code(table)
    welcome = enter_code(table, "laptop", name="")
    assert (welcome.user, welcome.name) == ("u1", "ann")
    assert table.hello("laptop/2", name="").user == "u1"


def test_a_linked_machine_is_so_after_a_restart() -> None:
    assert linked("laptop").restart().hello("laptop", name="").user == "u1"


def test_a_code_works_once() -> None:
    table = linked("laptop")
    refused = enter_code(table, "thief")
    assert (refused.code, refused.verdict) == ("link_bad", "final")


def test_of_two_who_enter_a_code_in_one_batch_the_first_is_linked() -> None:
    table = Table().seat("ann")
    show_code(table)
    told = table.turn(("laptop", hello("laptop", link=CODE)), ("thief", hello("thief", link=CODE)))
    assert (told.to("laptop").user, told.to("thief").code) == ("u1", "link_bad")


def test_a_repeated_hello_with_a_code_is_answered_again() -> None:
    assert enter_code(linked("laptop"), "laptop").user == "u1"


def test_a_code_is_good_for_ten_minutes() -> None:
    table = Table().seat("ann")
    show_code(table)
    table.turn(seconds=600.0)
    assert enter_code(table, "laptop").code == "link_bad"


def test_a_new_code_makes_the_old_one_void() -> None:
    table = Table().seat("ann")
    show_code(table)
    show_code(table, code="1111-2222")
    assert enter_code(table, "laptop").code == "link_bad"
    assert enter_code(table, "laptop", "1111-2222").user == "u1"


def test_codes_of_two_people_do_not_meet() -> None:
    table = Table().seat("ann", "bob")
    show_code(table)
    show_code(table, "bob", "1111-2222")
    assert (enter_code(table, "one").user, enter_code(table, "two", "1111-2222").user) == ("u1", "u2")


def test_a_code_is_kept_nowhere() -> None:
    table = Table().seat("ann")
    table.turn(("ann", m.Link(digest=keys.token_digest(CODE))))
    assert keys.token_digest(CODE) not in str(table.log.kept)
    assert enter_code(table.restart(), "laptop").code == "link_bad"


def test_a_code_lets_in_where_newcomers_need_an_invitation() -> None:
    table = Table().seat("ann").restart(join="invite").seat("ann")
    show_code(table)
    assert enter_code(table, "laptop").user == "u1"


def test_wrong_codes_cost_more_tries() -> None:
    table = Table().seat("ann")
    show_code(table)
    codes = [enter_code(table, "thief", f"guess {n}").code for n in range(11)]
    assert codes == ["link_bad"] * 10 + ["rate"]
    refused = enter_code(table, "thief")
    assert (refused.code, refused.verdict, refused.retry) == ("rate", "later", 600_000)


def test_wrong_codes_of_one_address_do_not_hinder_another() -> None:
    table = Table().seat("ann")
    show_code(table)
    for n in range(11):
        enter_code(table, "thief", f"guess {n}")
    assert enter_code(table, "laptop").user == "u1"


def test_wrong_codes_are_forgotten_after_ten_minutes() -> None:
    table = Table().seat("ann")
    for n in range(11):
        enter_code(table, "thief", f"guess {n}")
    table.turn(seconds=600.0)
    assert enter_code(table, "thief", "guess").code == "link_bad"


def test_a_known_key_pays_for_wrong_codes_as_well() -> None:
    table = Table().seat("ann", "bob")
    codes = [enter_code(table, "bob", f"guess {n}").code for n in range(11)]
    assert codes == ["link_bad"] * 10 + ["rate"]


def test_a_key_that_was_somebody_is_moved_and_what_it_wrote_stays_with_whom_it_was() -> None:
    table = Table().seat("ann", "bob")
    table.post("bob", "lobby", "I am Ann's new laptop")
    show_code(table)
    assert enter_code(table, "bob").user == "u1"
    assert table.log.events["lobby"][-1].author == "u2"
    assert table.tables.names["bob"] == "u2"
    assert table.hello("bob/2", "").user == "u1"


def test_other_connections_of_a_key_that_was_moved_have_to_say_hello() -> None:
    table = Table().seat("ann", "bob", "bob/2")
    show_code(table)
    enter_code(table, "bob")
    assert table.ask("bob/2", m.Ping()).code == "hello_first"


def test_who_only_waited_is_forgotten_when_their_key_is_linked() -> None:
    table = Table().seat("ann").restart(join="approve").seat("ann")
    table.hello("laptop", "Ann2")
    show_code(table)
    assert enter_code(table, "laptop").user == "u1"
    assert (set(table.tables.users), set(table.tables.names)) == ({"u1"}, {"ann"})


def test_a_link_whose_commit_failed_left_the_code_good() -> None:
    table = Table().seat("ann")
    show_code(table)
    assert table.turn(("laptop", hello("laptop", link=CODE)), fails=True).to("laptop").code == "store"
    assert table.ask("laptop", m.Ping()).code == "hello_first"
    assert enter_code(table, "laptop").user == "u1"


def test_a_code_whose_commit_failed_is_none() -> None:
    table = Table().seat("ann", "bob")
    told = table.turn(("bob", message("lost")), ("ann", m.Link(digest=keys.token_digest(CODE))), fails=True)
    assert told.to("ann").code == "store"
    assert enter_code(table, "laptop").code == "link_bad"


def test_a_user_has_only_so_many_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_broker.machines.MACHINES_MOST", 2)
    table = linked("laptop")
    show_code(table)
    assert enter_code(table, "phone").code == "limit"


# ---- machines, unlink ----------------------------------------------------------------------------------------------


def test_my_machines_are_listed() -> None:
    table = Table()
    table.ask("ann", m.Hello(name="ann", key=key_of("ann"), client="desk 1.0\n"))
    table.turn(("ann", m.Ping()), seconds=1.0)
    show_code(table)
    enter_code(table, "laptop")
    ours = table.ask("laptop", m.Machines()).machines
    assert ours == [
        m.Machine(key_of("ann"), START_TIME, "desk 1.0"),
        m.Machine(key_of("laptop"), START_TIME + 1000, this=True),
    ]


def test_a_key_of_an_older_database_is_as_old_as_its_user() -> None:
    table = Table().seat("ann")
    table.tables.machines.clear()
    assert table.ask("ann", m.Machines()).machines == [m.Machine(key_of("ann"), START_TIME, this=True)]


@pytest.mark.parametrize("shown", [str, keys.fingerprint, lambda key: keys.fingerprint(key).upper()])
def test_a_machine_is_unlinked_by_its_key_or_its_fingerprint(shown: Any) -> None:
    table = linked("laptop")
    told = table.turn(("ann", m.Unlink(key=shown(key_of("laptop")))))
    assert (told.to("ann").of, told.shut_out) == (key_of("laptop"), True)
    assert [one.key for one in table.ask("ann", m.Machines()).machines] == [key_of("ann")]
    assert table.ask("laptop", m.Ping()).code == "hello_first"
    assert isinstance(table.ask("ann", m.Ping()), m.Pong)


def test_an_unlinked_machine_is_somebody_new() -> None:
    table = linked("laptop")
    table.ask("ann", m.Unlink(key=key_of("laptop")))
    assert table.hello("laptop", "").code == "name_needed"
    assert table.hello("laptop", "ann").code == "name_taken"
    assert table.hello("laptop", "somebody").user == "u2"


def test_the_only_key_is_not_unlinked() -> None:
    assert Table().seat("ann").ask("ann", m.Unlink(key=key_of("ann"))).code == "last_key"


@pytest.mark.parametrize("key", ["", "nothing", key_of("bob"), keys.fingerprint(key_of("bob"))])
def test_a_key_that_is_not_mine_is_not_unlinked(key: str) -> None:
    table = linked("laptop").seat("bob")
    assert table.ask("ann", m.Unlink(key=key)).code == "no_such"


def test_an_unlinking_whose_commit_failed_unlinks_nothing() -> None:
    table = linked("laptop")
    told = table.turn(("ann", m.Unlink(key=key_of("laptop"))), ("laptop", m.Ping()), fails=True)
    assert (told.to("ann").code, type(told.to("laptop")), told.shut_out) == ("store", m.Pong, False)


@pytest.mark.parametrize("moved", [False, True], ids=["unlinked", "linked elsewhere"])
def test_nobody_has_the_feed_bound_anew_all_the_time(moved: bool) -> None:
    table, anew = Table().seat("ann", "bob"), 0
    for n in range(30):
        show_code(table, "bob" if moved and n % 2 else "ann", f"code {n}")
        anew += table.turn(("laptop", hello("laptop", "", link=f"code {n}"))).shut_out
        if not moved:
            anew += table.turn(("ann", m.Unlink(key=key_of("laptop")))).shut_out
    assert 10 <= anew <= 20
    table.turn(seconds=60.0)
    table.seat("ann")
    show_code(table, "ann", "later")
    assert isinstance(enter_code(table, "desktop", "later", name=""), m.Welcome)
    assert isinstance(table.ask("ann", m.Unlink(key=key_of("desktop"))), m.Done)


# ---- rekey ---------------------------------------------------------------------------------------------------------


def office() -> Table:
    """Ann is the owner, Bob an admin, Cid a member."""
    return Table().seat("ann", "bob", "cid").make("ann", "owner").make("bob", "admin")


def test_an_admin_gives_somebody_another_key() -> None:
    table = office()
    told = table.turn(("bob", m.Rekey(user="cid", key=key_of("new"))))
    assert (told.to("bob").of, told.shut_out) == ("u3", True)
    assert table.hello("new", "cid").user == "u3"
    assert table.hello("cid/2", "cid").code == "name_taken"


def test_who_has_the_old_key_is_not_known_any_more() -> None:
    table = office()
    table.ask("bob", m.Rekey(user="cid", key=key_of("new")))
    assert table.ask("cid", m.Ping()).code == "hello_first"


def test_the_new_key_may_have_come_as_somebody_else() -> None:
    table = office().seat("cid2")
    table.ask("bob", m.Rekey(user="cid", key=key_of("cid2")))
    assert table.ask("cid2", m.Ping()).code == "hello_first"
    assert table.hello("cid2", "").user == "u3"


def test_a_key_that_waits_is_given_to_whom_it_belongs() -> None:
    table = office().restart(join="approve").seat("bob")
    table.hello("cid2")
    table.ask("bob", m.Rekey(user="cid", key=key_of("cid2")))
    assert table.hello("cid2", "cid").user == "u3"
    assert "cid2" not in table.tables.names


def test_to_rekey_with_the_same_key_takes_the_others() -> None:
    table = office()
    show_code(table, "cid")
    enter_code(table, "laptop")
    table.ask("bob", m.Rekey(user="cid", key=key_of("laptop")))
    assert table.tables.keys_of["u3"] == {key_of("laptop")}
    assert isinstance(table.ask("laptop", m.Ping()), m.Pong)


def test_nobody_takes_over_who_is_above_them() -> None:
    table = office()
    assert table.ask("bob", m.Rekey(user="ann", key=key_of("new"))).code == "not_allowed"
    assert table.ask("bob", m.Rekey(user="cid", key=key_of("ann"))).code == "not_allowed"
    assert table.ask("cid", m.Rekey(user="bob", key=key_of("new"))).code == "not_allowed"


@pytest.mark.parametrize("key", ["", "x" * 39, "ö" * 40])
def test_what_is_no_key_is_given_to_nobody(key: str) -> None:
    assert office().ask("ann", m.Rekey(user="cid", key=key)).code == "key_bad"


def test_codes_that_the_old_machine_shows_are_void() -> None:
    table = office()
    show_code(table, "cid")
    table.ask("bob", m.Rekey(user="cid", key=key_of("new")))
    assert enter_code(table, "thief").code == "link_bad"


# ---- nick ----------------------------------------------------------------------------------------------------------


def test_a_name_is_changed() -> None:
    table = Table().seat("ann")
    assert table.ask("ann", m.Nick(name="Anna")).of == "Anna"
    (event,) = table.turn(("ann", message("it is still me"))).events()
    assert (event.author, event.name) == ("u1", "Anna")
    assert table.restart().hello("ann", "").name == "Anna"


def test_the_others_hear_what_somebody_is_called() -> None:
    table = Table().seat("ann", "ann/2")
    table.turn(seconds=1.0)
    presence = table.turn(("ann", m.Nick(name="Anna")), seconds=1.0).one("presence")
    assert presence == m.Presence(2, BOOT, named=[("u1", "Anna")])
    assert [one.name for one in table.ask("ann/2", m.Who()).people] == ["Anna"]


def test_who_comes_and_changes_their_name_came_by_the_new_one() -> None:
    table = Table().seat("ann")
    table.turn(("ann", m.Nick(name="Anna")))
    presence = table.turn(seconds=1.0).one("presence")
    assert (presence.came, presence.named) == ([("u1", "Anna")], [])


def test_a_name_that_was_changed_back_is_not_told() -> None:
    table = Table().seat("ann")
    table.turn(seconds=1.0)
    table.turn(("ann", m.Nick(name="Anna")), ("ann", m.Nick(name="ann")))
    assert "presence" not in table.turn(seconds=1.0).topics


def test_a_change_of_name_whose_commit_failed_did_not_happen() -> None:
    table = Table().seat("ann")
    table.turn(seconds=1.0)
    assert table.turn(("ann", m.Nick(name="Anna")), fails=True).to("ann").code == "store"
    assert "presence" not in table.turn(seconds=1.0).topics
    assert table.hello("bob", "Anna").user == "u2"
    assert table.turn(("ann", message("me"))).events()[0].name == "ann"


def test_only_the_spelling_may_change() -> None:
    table = Table().seat("ann")
    assert table.ask("ann", m.Nick(name="ANN")).of == "ANN"
    assert (table.tables.names, table.tables.users["u1"].former) == ({"ann": "u1"}, [])


@pytest.mark.parametrize("name", ["bob", "BOB", "broker", "u1", "U99"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    refused = Table().seat("ann", "bob").ask("ann", m.Nick(name=name))
    assert (refused.code, "rekey" in refused.text) == ("name_taken", True)


def test_a_name_that_is_none_is_refused() -> None:
    assert Table().seat("ann").ask("ann", m.Nick(name="a\tb")).code == "name_bad"


def test_a_hello_may_give_a_former_name() -> None:
    table = Table().seat("ann")
    table.ask("ann", m.Nick(name="Anna"))
    assert table.hello("ann/2", "ann").name == "Anna"
    assert table.hello("ann/2", "anne").code == "name_differs"


def test_a_former_name_is_free() -> None:
    table = Table().seat("ann")
    table.ask("ann", m.Nick(name="Anna"))
    assert table.hello("bob", "ann").user == "u2"
    assert table.ask("ann", m.Nick(name="ann")).code == "name_taken"


def test_only_so_many_former_names_are_kept() -> None:
    table = Table().seat("ann")
    for n in range(30):
        table.ask("ann", m.Nick(name=f"ann {n}"))
    assert table.tables.users["u1"].former == [f"ann {n}" for n in range(9, 29)]


# ---- release -------------------------------------------------------------------------------------------------------


def test_a_name_is_taken_from_its_user() -> None:
    table = office()
    assert table.ask("bob", m.Release(name="CID")).of == "u3"
    assert table.hello("dan", "cid").user == "u4"
    assert table.hello("cid/2", "cid").name == "u3"


def test_who_lost_their_name_may_choose_another() -> None:
    table = office()
    table.ask("bob", m.Release(name="cid"))
    assert table.ask("cid", m.Nick(name="Cyd")).of == "Cyd"


def test_a_name_may_be_released_twice() -> None:
    table = office()
    table.ask("bob", m.Release(name="cid"))
    assert not table.turn(("bob", m.Release(name="u3"))).batch


def test_the_name_of_who_is_above_is_not_released() -> None:
    assert office().ask("bob", m.Release(name="ann")).code == "not_allowed"
