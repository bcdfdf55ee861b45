"""Who is here: snapshots, numbered deltas, jumps, restarts of the broker."""

from hypothesis import given
from hypothesis import strategies as st

from chat_broker.desk import Connection, Desk
from chat_client import effects
from chat_client.attendance import WAITING, Attendance
from chat_client.effects import Directory, Moved, People, RoundTrip
from chat_core import messages as m
from tests.client.test_session import EMPTY, Talk

ANN, BEN, ZOE = ("u1", "Ann"), ("u2", "Ben"), ("u3", "Zoe")


def delta(version: int, came: list[tuple[str, str]] | None = None, went: list[tuple[str, str]] | None = None,
          boot: str = "b1") -> m.Presence:  # fmt: skip
    return m.Presence(version, boot, came or [], went or [])


def people(*pairs: tuple[str, str]) -> list[m.Person]:
    return [m.Person(*pair) for pair in pairs]


def begun(version: int = 3, *pairs: tuple[str, str]) -> Attendance:
    attendance = Attendance()
    attendance.begin("b1")
    attendance.snapshot(version, people(*pairs))
    return attendance


def test_a_snapshot_tells_everybody() -> None:
    attendance = Attendance()
    attendance.begin("b1")
    assert not attendance.known
    assert attendance.snapshot(3, people(ANN, BEN)) == [People({"u1": "Ann", "u2": "Ben"})]
    assert attendance.known


def test_the_next_delta_tells_who_moved() -> None:
    attendance = begun(3, ANN)
    assert attendance.delta(delta(4, [BEN], [ANN])) == Moved([BEN], [ANN])
    assert attendance.here == dict([BEN])


def test_what_the_snapshot_had_told_is_not_told_again() -> None:
    attendance = begun(3, ANN)
    assert attendance.delta(delta(4, [ANN], [BEN])) is None
    assert attendance.known
    assert attendance.delta(delta(5, [ANN, ZOE])) == Moved([ZOE], [])


def test_who_came_and_took_another_name_at_once_is_told_under_that_one() -> None:
    attendance = begun(3, ANN)
    assert attendance.delta(delta(4, [("u1", "Anna"), BEN])) == Moved([BEN], [], [("u1", "Anna")])
    assert attendance.here == {"u1": "Anna", "u2": "Ben"}


def test_an_old_delta_says_nothing() -> None:
    attendance = begun(3, ANN)
    assert attendance.delta(delta(3, [], [ANN])) is None
    assert attendance.here == dict([ANN])
    assert attendance.known


def test_after_a_jump_a_snapshot_is_needed_and_what_came_meanwhile_is_applied() -> None:
    attendance = begun(3, ANN)
    assert attendance.delta(delta(5, [BEN])) is None
    assert not attendance.known
    assert attendance.delta(delta(6, [ZOE])) is None
    assert attendance.snapshot(5, people(ANN, BEN)) == [People(dict([ANN, BEN])), Moved([ZOE], [])]
    assert attendance.known


def test_a_snapshot_that_is_too_old_for_what_came_meanwhile_is_not_enough() -> None:
    attendance = begun(3, ANN)
    attendance.delta(delta(6, [ZOE]))
    assert attendance.snapshot(4, people(ANN)) == [People(dict([ANN]))]
    assert not attendance.known


def test_a_delta_of_another_start_of_the_broker_says_nothing() -> None:
    attendance = begun(3, ANN)
    assert attendance.delta(delta(4, [BEN], boot="b0")) is None
    assert attendance.known


def test_a_new_start_of_the_broker_counts_anew() -> None:
    attendance = begun(30, ANN)
    attendance.begin("b2")
    assert not attendance.known
    attendance.delta(delta(1, [ANN], boot="b2"))
    assert attendance.snapshot(1, people(ANN)) == [People(dict([ANN]))]
    assert attendance.delta(delta(2, [BEN], boot="b2")) == Moved([BEN], [])


def test_a_higher_number_told_shows_a_lost_delta() -> None:
    attendance = begun(3, ANN)
    attendance.told("b1", 3)
    attendance.told("b0", 9)
    assert attendance.known
    attendance.told("b1", 4)
    assert not attendance.known


def test_deltas_that_wait_do_not_grow_without_end() -> None:
    attendance = Attendance()
    attendance.begin("b1")
    for version in range(1, WAITING * 2):
        attendance.delta(delta(version, [BEN]))
    assert len(attendance._waiting) == WAITING
    attendance.snapshot(0, [])
    assert attendance.version == WAITING
    attendance.told("b1", WAITING * 2)
    assert not attendance.known


@given(st.lists(st.tuples(st.sampled_from(["connect", "go", "rename", "show", "delta"]), st.sampled_from("123"))))
def test_whoever_was_told_at_any_time_knows_after_the_next_delta_who_is_here(steps: list[tuple[str, str]]) -> None:
    desk, watchers, names = Desk(), [begun(0)], {user: user for user in "123"}
    for step, user in [*steps, ("delta", "")]:
        if step == "connect" and not desk.peers_of.get(user):
            desk.connect(user.encode(), Connection(user, names[user], "", 0, 0.0))
        elif step == "go":
            desk.disconnect(user.encode())
        elif step == "rename" and desk.peers_of.get(user):
            names[user] = user if names[user] != user else f"other {user}"
            desk.rename(user, names[user])
        elif step == "show":
            watchers.append(begun(desk.version, *((one.user, one.name) for one in desk.people(0.0))))
        elif step == "delta" and (told := desk.delta("b1")) is not None:
            for watcher in watchers:
                watcher.delta(told)
    here = {one.user: one.name for one in desk.people(0.0)}
    assert [watcher.here for watcher in watchers] == [here] * len(watchers)
    assert all(watcher.known for watcher in watchers)


# ---- in a session --------------------------------------------------------------------------------------------------


def watching() -> Talk:
    """A session that watches, is live, and was told that Ann is here."""
    talk = Talk("lobby", watch=True).welcome()
    talk.pong(presence=3).mark().marked(lobby=EMPTY)
    talk.reply(m.Here(talk.last(m.Who).id, 3, people(ANN)))
    assert talk.state == "live"
    assert talk.all(People) == [People(dict([ANN]))]
    return talk.forget()


def test_a_session_that_watches_hears_who_comes() -> None:
    talk = watching().publish("presence", delta(4, [BEN]))
    assert talk.all(Moved) == [Moved([BEN], [])]


def test_it_subscribes_to_presence_and_opens_its_feed_without_a_room() -> None:
    talk = Talk(watch=True).welcome()
    assert talk.last(effects.Open).line == "feed"
    assert effects.Subscribe("presence") in talk.effects
    assert talk.mark().marked().state == "live"


def test_a_session_that_does_not_watch_asks_nothing_and_needs_no_feed() -> None:
    talk = Talk().welcome().pong(presence=3, directory=2).wait(20)
    assert talk.all(m.Who) == talk.all(Directory) == talk.all(RoundTrip) == []
    assert [opened.line for opened in talk.all(effects.Open)].count("feed") == 0


def test_a_beat_with_a_higher_number_makes_it_ask() -> None:
    talk = watching()
    talk.publish("beat", m.Beat("b1", 8, "e1", 0, presence=4)).wait(0.01)
    assert len(talk.all(m.Who)) == 1
    talk.reply(m.Here(talk.last(m.Who).id, 4, people(ANN, BEN)))
    assert talk.all(People) == [People(dict([ANN, BEN]))]


def test_a_pong_with_a_higher_number_says_nothing_while_the_feed_is_live() -> None:
    talk = watching().wait(1).pong(presence=4).wait(0.1)
    assert talk.all(m.Who) == []


def test_a_pong_with_a_higher_number_makes_it_ask_while_the_feed_is_blocked() -> None:
    talk = watching()
    talk.session.lost("feed", talk.session.feed.generation, talk.now)
    talk.wait(1).pong(presence=4).wait(0.1)
    assert len(talk.all(m.Who)) == 1


def test_it_asks_again_when_nobody_answers_or_the_broker_cannot() -> None:
    talk = Talk("lobby", watch=True).welcome()
    talk.refuse(talk.last(m.Who), "busy").wait(0.4)
    assert len(talk.all(m.Who)) == 1
    talk.wait(0.2)
    assert len(talk.all(m.Who)) == 2
    talk.wait(3.1)
    assert len(talk.all(m.Who)) >= 3


def test_it_asks_anew_after_every_hello() -> None:
    talk = watching()
    talk.session.lost("posts", talk.session.posts.generation, talk.now)
    talk.wait(1).welcome()
    assert len(talk.all(m.Who)) == 1


def test_the_directory_is_told_once_after_each_hello_and_at_each_change() -> None:
    talk = Talk("lobby", watch=True).welcome().pong(directory=0)
    assert len(talk.all(Directory)) == 1
    talk.mark().marked(lobby=EMPTY).publish("beat", m.Beat("b1", 8, "e1", 0))
    assert len(talk.all(Directory)) == 1
    talk.publish("beat", m.Beat("b1", 9, "e1", 0, directory=1))
    assert len(talk.all(Directory)) == 2
    talk.session.lost("posts", talk.session.posts.generation, talk.now)
    talk.wait(1).welcome().pong(directory=1)
    assert len(talk.all(Directory)) == 3


def test_a_round_trip_is_the_time_from_the_ping_to_its_pong() -> None:
    talk = watching().wait(1)
    talk.now += 0.25
    talk.pong()
    assert [round(trip.seconds, 3) for trip in talk.all(RoundTrip)] == [0.25]
