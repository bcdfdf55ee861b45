"""A broker and its clients in one thread over inproc: what they promise each other, turn by turn."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
from msgspec import Raw

from chat_broker.batch import Batch
from chat_broker.serving import loop
from chat_broker.settings import LimitSettings
from chat_core import messages as m
from chat_core import wire
from chat_core.errors import StoreError
from tests.system.inproc import AUTOMATIC, Bench, Seat, bench_in, message, post, texts


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        yield bench


def has_all(bench: Bench, seat: Seat, room: str) -> bool:
    """Does the client have as much as the broker knows of?"""
    return len(seat.arrived[room]) == bench.hub.tables.heads[room].seq


def catch_up(bench: Bench, seat: Seat) -> None:
    """Turn the crank until the client is live and has the whole lobby."""
    bench.settle_until(lambda: seat.state == "live" and has_all(bench, seat, "lobby"))


# ---- talking ---------------------------------------------------------------------------------------------------


def test_two_who_talk_see_the_same_in_the_order_of_the_log(bench: Bench) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    for turn in range(20):
        ann.say("lobby", f"ann {turn}")
        bob.say("lobby", f"bob {turn}", f"bob {turn} again")
    bench.settle_until(lambda: len(ann.settled) == 20 and len(bob.settled) == 40)
    bench.settle_until(lambda: has_all(bench, ann, "lobby") and has_all(bench, bob, "lobby"))
    log = bench.log("lobby")
    assert [event.kind for event in log[:3]] == ["created", "joined", "joined"]
    assert ann.arrived["lobby"] == bob.arrived["lobby"] == log
    assert [event.seq for event in log] == list(range(1, 64))
    said = texts(log)
    assert [text for text in said if text.startswith("ann")] == [f"ann {turn}" for turn in range(20)]
    assert len(set(said)) == 60


def test_what_is_settled_as_posted_is_in_the_log_under_its_number(bench: Bench) -> None:
    ann = bench.join("ann", "lobby")
    ann.say("lobby", "one", "two", "three")
    bench.settle_until(lambda: len(ann.settled) == 3)
    log = bench.log("lobby")
    for outcome in ann.settled:
        assert isinstance(outcome.reply, m.Posted)
        event = log[outcome.reply.seq - 1]
        assert (event.sender, event.n) == (outcome.row.sender, outcome.row.n)
        assert bytes(event.body) == outcome.row.body


def test_a_newcomer_reads_the_whole_history_page_by_page(bench: Bench) -> None:
    ann = bench.join("ann")
    ann.say("lobby", *(f"{number} " + "x" * 8000 for number in range(100)))
    bench.settle_until(lambda: len(ann.settled) == 100)
    bob = bench.join("bob", "lobby")
    log = bench.log("lobby")
    assert bob.arrived["lobby"] == log
    assert [text.split()[0] for text in bob.heard("lobby")] == [str(number) for number in range(100)]
    pages = [job for job in bench.reader.jobs if job.points is None]
    assert len(pages) >= 4  # 800 KiB in pages of 256
    assert [job.after for job in pages] == sorted({job.after for job in pages})  # none was asked for twice


def test_one_who_joins_while_others_talk_misses_nothing(bench: Bench) -> None:
    ann = bench.join("ann", "lobby")
    ann.say("lobby", *map(str, range(200)))
    bench.turn(2)
    bob = bench.seat("bob", "lobby")
    for number in range(200, 300):
        ann.say("lobby", str(number))
        bench.turn()
    bench.settle_until(lambda: len(ann.settled) == 300 and bob.state == "live" and has_all(bench, bob, "lobby"))
    assert bob.arrived["lobby"] == ann.arrived["lobby"] == bench.log("lobby")
    assert bob.heard("lobby") == [str(number) for number in range(300)]


def test_a_follower_at_rest_stays_live_by_beats_and_pings_alone(bench: Bench) -> None:
    ann = bench.join("ann", "lobby")
    bench.pass_seconds(60)
    assert (ann.state, len(ann.welcomes)) == ("live", 1)
    assert (ann.session.posts.generation, ann.session.feed.generation) == (1, 1)


def test_a_last_message_that_is_lost_is_found_by_the_next_beat(bench: Bench) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    with bob.deaf("room/lobby"):
        ann.say("lobby", "lost")
        bench.settle_until(lambda: ann.settled)
    assert bob.heard("lobby") == []
    bench.pass_seconds(2.5)
    assert bob.heard("lobby") == ["lost"]
    assert bob.session.feed.generation == 1


def test_a_last_message_that_is_lost_with_its_beat_is_found_by_the_count_of_beats(bench: Bench) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    bench.pass_seconds(2.5)
    with bob.deaf("room/lobby", "beat"):
        ann.say("lobby", "lost")
        bench.pass_seconds(2.5)
    assert bob.heard("lobby") == []
    bench.pass_seconds(3)
    assert bob.heard("lobby") == ["lost"]
    assert bob.session.feed.generation == 1


def test_a_feed_that_falls_silent_is_opened_anew_and_nothing_is_missed(bench: Bench) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    with bob.deaf("room/lobby", "beat", "presence"):
        ann.say("lobby", "into silence")
        bench.pass_seconds(7)
    ann.say("lobby", "hello")
    bench.settle_until(lambda: bob.heard("lobby") == ["into silence", "hello"])
    assert (bob.session.posts.generation, bob.session.feed.generation) == (1, 2)


# ---- rooms -----------------------------------------------------------------------------------------------------


def test_a_room_is_made_found_joined_and_left(bench: Bench) -> None:
    ann, bob = bench.join("ann"), bench.join("bob")
    made = ann.ask(m.Create(room="#Den"))
    assert isinstance(made, m.Created)
    listed = bob.ask(m.Rooms())
    assert isinstance(listed, m.RoomList_)
    assert [(room.id, room.members, room.mine) for room in listed.rooms] == [("den", 1, False), ("lobby", 2, True)]
    bob.follow("den")
    assert isinstance(bob.ask(m.Join(room="den")), m.Joined)
    bob.say("den", "here I am")
    bench.settle_until(lambda: bob.settled)
    state = ann.ask(m.Room(room="den"))
    assert isinstance(state, m.RoomState)
    assert [name for _, name in state.members] == ["ann", "bob"]
    assert isinstance(bob.ask(m.Leave(room="den")), m.Left)
    bob.say("den", "am I?")
    bench.settle_until(lambda: len(bob.settled) == 2)
    refusal = bob.settled[1].reply
    assert isinstance(refusal, m.Refused)
    assert (refusal.code, refusal.verdict) == ("not_member", "final")
    bench.settle_until(lambda: has_all(bench, bob, "den"))
    assert [event.kind for event in bob.arrived["den"]] == ["created", "joined", "joined", "message", "left"]


def test_a_refused_post_spends_its_number_and_holds_up_nothing(bench: Bench) -> None:
    ann = bench.join("ann", "lobby")
    ann.say("nowhere", "lost")
    ann.say("lobby", "found")
    bench.settle_until(lambda: len(ann.settled) == 2)
    bench.settle_until(lambda: has_all(bench, ann, "lobby"))
    assert [type(outcome.reply) for outcome in ann.settled] == [m.Refused, m.Posted]
    assert ann.heard("lobby") == ["found"]
    assert not ann.renumbered


def test_a_name_that_is_taken_turns_the_second_away_and_leaves_the_first_alone(bench: Bench) -> None:
    ann = bench.join("ann", "lobby")
    other = bench.seat("Ann")
    bench.settle_until(lambda: other.turned_away)
    assert other.turned_away[0].code == "name_taken"
    bench.pass_seconds(10)
    assert (len(other.turned_away), other.state, ann.state) == (1, "refused", "live")


# ---- junk ------------------------------------------------------------------------------------------------------

JUNK: dict[str, tuple[tuple[bytes, ...], str]] = {
    "not json": ((b"hello?",), "bad_request"),
    "not an object": ((b"[1, 2, 3]",), "bad_request"),
    "no type": ((b'{"id": 3}',), "unknown_type"),
    "an unknown type": ((b'{"type": "shout", "id": 3}',), "unknown_type"),
    "a field of the wrong type": ((b'{"type": "post", "id": 3, "room": 7}',), "bad_request"),
    "not utf-8": ((b'{"type": "hello", "name": "\xff\xfe"}',), "bad_request"),
    "deep nesting": ((b"[" * 5000,), "bad_request"),
    "an empty frame": ((b"",), "bad_request"),
    "an empty frame before a request": ((b"", b'{"type": "who"}'), "bad_request"),
    "extra frames": ((b'{"type": "who"}', b"and", b"more"), "bad_request"),
    "100 KiB": ((b'{"type": "who", "x": "' + b"x" * 100 * 1024 + b'"}',), "bad_request"),
}


@pytest.mark.parametrize("greeted", [False, True], ids=["before hello", "after hello"])
def test_junk_is_refused_and_disturbs_nobody(bench: Bench, greeted: bool) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    eve = bench.plain()
    if greeted:
        eve.hello("eve")
    for name, (frames, code) in JUNK.items():
        ann.say("lobby", name)
        refused = eve.reply_to(*frames)
        assert isinstance(refused, m.Refused), name
        assert (refused.code, refused.verdict) == (code, "final"), name
        bob.say("lobby", name)
    count = len(JUNK)
    bench.settle_until(lambda: len(ann.settled) == len(bob.settled) == count and has_all(bench, bob, "lobby"))
    bench.settle_until(lambda: has_all(bench, ann, "lobby"))
    assert ann.arrived["lobby"] == bob.arrived["lobby"] == bench.log("lobby")
    assert len(ann.heard("lobby")) == 2 * count
    assert [seat.session.posts.generation for seat in (ann, bob)] == [1, 1]
    late = eve.reply_to(b'{"type": "who", "id": 9}')
    assert isinstance(late, m.Here if greeted else m.Refused)
    assert late.re == 9


def test_a_refusal_repeats_the_number_of_a_request_that_could_not_be_understood(bench: Bench) -> None:
    assert bench.plain().reply_to(b'{"type": "shout", "id": 77}').re == 77


@pytest.mark.parametrize("forged", [b"", AUTOMATIC])
def test_frames_beyond_the_first_do_not_pass_for_the_next_request(bench: Bench, forged: bytes) -> None:
    eve, ann = bench.plain(), bench.plain(routing_id=AUTOMATIC)
    ann.hello("ann")
    eve.hello("eve")
    eve.send(b'{"type": "who", "id": 1}', forged, post("posing as the next"))
    ann.send(post("truly", number=5))
    bench.turn(3)
    assert [wire.decode_reply(reply).re for reply in ann.replies()] == [5]
    assert [type(wire.decode_reply(reply)) for reply in eve.replies()] == [m.Refused]
    assert texts(bench.log("lobby")) == ["truly"]


def test_nobody_takes_a_place_by_coming_with_anothers_routing_id(bench: Bench) -> None:
    ann = bench.plain(routing_id=AUTOMATIC)
    ann.hello("ann")
    eve = bench.plain(routing_id=AUTOMATIC)
    eve.send(post("I am Ann", number=7))
    bench.turn(10)
    assert eve.replies() == []
    assert isinstance(ann.reply_to(wire.encode(m.Who(8))), m.Here)
    assert texts(bench.log("lobby")) == []


def test_a_routing_id_of_ones_own_choice_is_refused_with_a_sentence(bench: Bench) -> None:
    for chosen in (b"ann's window", b"admin:", b"admin:" + AUTOMATIC):
        refused = bench.plain(routing_id=chosen).reply_to(wire.encode(m.Hello(1, name="ann", key="x" * 40)))
        assert (refused.code, refused.re) == ("bad_request", 0)
        assert "routing id" in refused.text
    assert bench.hub.tables.users == {}


def test_who_does_not_read_answers_holds_up_nobody(tmp_path: Path) -> None:
    with bench_in(tmp_path, LimitSettings(reply_queue=10)) as bench:
        ann, eve = bench.join("ann", "lobby"), bench.plain()
        for _ in range(30):  # her own queue holds a thousand
            for _ in range(100):
                eve.send(b"not a request")
            bench.turn()
        assert isinstance(ann.ask(m.Who()), m.Here)
        assert len(eve.replies()) < 3000


def test_requests_before_hello_are_told_to_say_it_first(bench: Bench) -> None:
    refused = bench.plain().reply_to(post("hello?"))
    assert (refused.code, refused.verdict) == ("hello_first", "later")
    assert texts(bench.log("lobby")) == []


# ---- the door --------------------------------------------------------------------------------------------------


def test_the_door_answers_its_question_and_nothing_else(bench: Bench) -> None:
    door = bench.plain(2)
    for frames in (
        (b"",),
        (b"who is here?",),
        (b'{"type": "hello"}',),
        (b'{"type": "who is here?", "id": -1}',),
        (b'{"type": "who is here?"}', b"please"),
        (b"", b'{"type": "who is here?"}'),
        (b"x" * 5000,),
    ):
        door.send(*frames)
    door.send(b'{"type": "who is here?", "id": 7, "of a later version": true}')
    bench.turn(5)
    (reply,) = door.replies()
    answer = msgspec.json.decode(reply, type=m.Answer)
    assert (answer.re, answer.name, answer.versions, answer.security) == (7, "test", [1], "open")
    assert (answer.posts, answer.feed, answer.home) == (0, 1, bench.store.home)


def test_a_crowd_at_the_door_is_answered_over_several_turns(bench: Bench) -> None:
    door = bench.plain(2)
    for number in range(60):
        door.send(wire.encode(m.Knock(number)))
    bench.turn()
    first = door.replies()
    bench.turn(5)
    answered = [msgspec.json.decode(reply, type=m.Answer).re for reply in first + door.replies()]
    assert answered == list(range(60))
    assert len(first) < 60


# ---- a broker that stops, a disk that fails --------------------------------------------------------------------


def test_after_a_restart_all_come_back_and_catch_up(bench: Bench) -> None:
    ann, bob, eve = (bench.join(name, "lobby") for name in ("ann", "bob", "eve"))
    ann.say("lobby", "before")
    bench.settle_until(lambda: len(ann.settled) == 1)
    bench.close_broker()
    ann.say("lobby", "into the void", "and again")
    bench.pass_seconds(12)
    assert {seat.state for seat in (ann, bob, eve)} == {"offline"}
    bench.open_broker()
    bob.say("lobby", "good morning")
    bench.settle_until(lambda: len(ann.settled) == 3 and len(bob.settled) == 1)
    for seat in (ann, bob, eve):
        catch_up(bench, seat)
        assert seat.arrived["lobby"] == bench.log("lobby")
        assert not seat.rewound
        boots = [welcome.boot for welcome in seat.welcomes]
        assert len(boots) == len(set(boots)) == 2
    assert sorted(ann.heard("lobby")) == ["and again", "before", "good morning", "into the void"]
    assert not ann.renumbered


def test_a_restart_so_short_that_nobody_notices_loses_nothing_either(bench: Bench) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    ann.say("lobby", *map(str, range(100)))
    bench.turn()
    bench.close_broker()
    bench.open_broker()
    bench.settle_until(lambda: len(ann.settled) == 100 and bob.state == "live" and has_all(bench, bob, "lobby"))
    assert bob.arrived["lobby"] == bench.log("lobby")
    assert bob.heard("lobby") == [str(number) for number in range(100)]


def test_what_was_acknowledged_lost_on_the_way_and_sent_again_counts_once(bench: Bench) -> None:
    ann = bench.join("ann", "lobby")
    ann.say("lobby", "once")
    ann.link.step(0.0)  # the post leaves
    bench.loop.step(0.0)  # is stored and acknowledged
    bench.close_broker()  # and the acknowledgement is lost with the connection
    ann.link.call(lambda session, now: session.lost("posts", 1, now))
    ann.link.call(lambda session, now: session.lost("feed", 1, now))
    bench.open_broker()
    bench.settle_until(lambda: ann.settled and ann.state == "live")
    reply = ann.settled[0].reply
    assert isinstance(reply, m.Posted)
    assert texts(bench.log("lobby")) == ann.heard("lobby") == ["once"]
    assert bench.log("lobby")[reply.seq - 1].n == 1


def test_while_the_disk_fails_posts_are_held_and_reading_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    ann.say("lobby", "before")
    bench.settle_until(lambda: ann.settled and has_all(bench, bob, "lobby"))
    refused = []

    def full(batch: Batch) -> None:
        refused.append(batch.number)
        raise StoreError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "commit", full)
        ann.say("lobby", "one", "two")
        bob.say("lobby", "three")
        bench.settle_until(lambda: len(refused) >= 5)
        assert isinstance(bob.ask(m.Who()), m.Here)
        page = bob.ask(m.Page(room="lobby"))
        assert isinstance(page, m.Paged)
        assert [wire.decode_event(event).seq for event in page.events] == [1, 2, 3, 4]
        newcomer = bench.seat("cid", "lobby")
        bench.pass_seconds(5)
        assert not newcomer.welcomes  # a new user would have to be written down
        assert (len(ann.settled), len(bob.settled)) == (1, 0)
        assert {ann.state, bob.state} == {"live"}
        assert len(bench.log("lobby")) == 4
    bench.settle_until(lambda: len(ann.settled) == 3 and len(bob.settled) == 1 and newcomer.state == "live")
    for seat in (ann, bob, newcomer):
        catch_up(bench, seat)
        assert seat.arrived["lobby"] == bench.log("lobby")
    assert sorted(ann.heard("lobby")) == ["before", "one", "three", "two"]
    assert not ann.renumbered


def test_a_commit_that_is_reported_as_failed_but_is_on_disk_counts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = bench.join("ann", "lobby"), bench.join("bob", "lobby")
    commit: Callable[[Batch], None] = bench.store.commit

    def uncertain(batch: Batch) -> None:
        commit(batch)
        raise StoreError("disk I/O error")

    monkeypatch.setattr(bench.store, "commit", uncertain)
    ann.say("lobby", "one", "two")
    bench.settle_until(lambda: len(ann.settled) == 2 and has_all(bench, bob, "lobby"))
    assert bob.heard("lobby") == texts(bench.log("lobby")) == ["one", "two"]


def test_a_disk_that_does_not_tell_what_is_on_it_ends_the_broker_with_the_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = bench.join("ann", "lobby")
    monkeypatch.setattr(loop, "UNCERTAIN_SECONDS", -1.0)
    monkeypatch.setattr(bench.store, "commit", raising(StoreError("the cable was pulled")))
    monkeypatch.setattr(bench.store, "clock", raising(StoreError("nothing can be read")))
    ann.say("lobby", "one")
    with pytest.raises(StoreError, match=r"the cable was pulled.*nothing can be read"):
        bench.settle_until(lambda: ann.settled)


def raising(problem: Exception) -> Callable[..., Any]:
    """A function that fails."""

    def fail(*_: object) -> None:
        raise problem

    return fail


# ---- pages, markers, presence ----------------------------------------------------------------------------------


def test_the_fifth_page_at_once_is_refused_and_the_next_one_is_not(bench: Bench) -> None:
    eve = bench.plain()
    eve.hello("eve")
    for number in range(1, 6):
        eve.send(wire.encode(m.Page(number, room="lobby")))
    bench.turn(3)
    replies = [wire.decode_reply(reply) for reply in eve.replies()]
    assert sorted(reply.re for reply in replies if isinstance(reply, m.Paged)) == [1, 2, 3, 4]
    (refused,) = [reply for reply in replies if isinstance(reply, m.Refused)]
    assert (refused.re, refused.code, refused.verdict) == (5, "busy", "later")
    assert isinstance(eve.reply_to(wire.encode(m.Page(6, room="lobby"))), m.Paged)


def test_pages_that_one_waits_for_hold_up_nobody_else(bench: Bench) -> None:
    ann, eve = bench.plain(), bench.plain()
    ann.hello("ann")
    eve.hello("eve")
    for number in range(1, 9):
        eve.send(wire.encode(m.Page(number, room="lobby")))
    assert isinstance(ann.reply_to(wire.encode(m.Page(1, room="lobby"))), m.Paged)


def test_a_marker_is_heard_after_the_events_of_its_turn_and_its_reply_tells_their_heads(bench: Bench) -> None:
    nonce = "0123456789abcdef" * 2
    ear = bench.socket(zmq.SUB)
    ear.connect("inproc://bench-1")
    for topic in (f"~{nonce}", "room/lobby"):
        ear.setsockopt(zmq.SUBSCRIBE, wire.topic_filter(topic))
    ann = bench.plain()
    ann.hello("ann")
    bench.turn(3)
    ear_has = []
    while ear.poll(0):
        ear.recv()  # of Ann's coming
    ann.send(wire.encode(m.Marker(8, nonce=nonce, rooms=["lobby", "nowhere"])))
    ann.send(post("in the same turn", number=9))
    bench.turn(3)
    while ear.poll(0):
        ear_has.append(wire.split_feed(ear.recv()))
    assert [topic for topic, _ in ear_has] == ["room/lobby", f"~{nonce}"]
    (event,) = wire.decode_events(ear_has[0][1])
    mark = wire.decode(ear_has[1][1], m.Mark)
    marked = next(reply for reply in map(wire.decode_reply, ann.replies()) if isinstance(reply, m.Marked))
    assert (mark.re, marked.re) == (8, 8)
    assert (mark.boot, mark.k) == (marked.boot, marked.k)
    assert marked.heads == {"lobby": (event.seq, event.chain)}


def test_nobody_can_have_a_marker_published_under_anothers_topic(bench: Bench) -> None:
    eve = bench.plain()
    eve.hello("eve")
    for nonce in ("room/lobby", "0" * 31, "0" * 33, "A" * 32, "beat", ""):
        refused = eve.reply_to(b'{"type": "marker", "id": 1, "nonce": "%s"}' % nonce.encode())
        assert (type(refused), refused.code) == (m.Refused, "bad_request"), nonce


def test_who_falls_silent_is_gone_after_a_while_and_who_says_bye_at_once(bench: Bench) -> None:
    ann = bench.join("ann")
    bench.plain().hello("silent")
    leaving = bench.plain()
    leaving.hello("leaving")

    def here() -> list[str]:
        reply = ann.ask(m.Who())
        assert isinstance(reply, m.Here)
        return [person.name for person in reply.people]

    assert here() == ["ann", "leaving", "silent"]
    assert isinstance(leaving.reply_to(wire.encode(m.Bye(2))), m.Goodbye)
    assert here() == ["ann", "silent"]
    bench.pass_seconds(20)
    assert here() == ["ann"]


def test_a_bot_that_leaves_sender_and_number_out_is_heard_like_anybody(bench: Bench) -> None:
    ann, bot = bench.join("ann", "lobby"), bench.plain()
    bot.hello("bot")
    posted = bot.reply_to(wire.encode(m.Post(2, "lobby", body=Raw(message("beep")))))
    assert isinstance(posted, m.Posted)
    bench.settle_until(lambda: ann.heard("lobby") == ["beep"])
