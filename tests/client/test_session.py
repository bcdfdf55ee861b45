"""Every rule of the session, each with the scenario that needs it; the broker's side is spoken by the test."""

import itertools
import random
from typing import Any

import pytest
from msgspec import Raw, convert, json

from chat_client import effects
from chat_client import session as s
from chat_client.flight import Renumber, Row, Settled
from chat_client.meeting import OPEN
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START
from tests.client.network import FEED_PORT, history, key_of

LOG = history(30)
OTHER = history(30, text="other")
EMPTY: m.Head = (0, START)
SENDER = "5e4de7" * 3


def head(seq: int, log: list[m.Event] = LOG) -> m.Head:
    """The head of a log of so many events."""
    return (seq, log[seq - 1].chain) if seq else EMPTY


def rows(first: int = 1, last: int = 1) -> list[Row]:
    """Rows of the outbox."""
    return [Row(SENDER, n, "lobby", "message", b'{"text":"x"}') for n in range(first, last + 1)]


class Talk:
    """A session and the test as its broker: what it sends and orders is kept, what it is told is said by the test."""

    def __init__(
        self,
        *rooms: str,
        name: str = "ann",
        fallback_name: str = "",
        seed: int = 1,
        watch: bool = False,
        invite: str = "",
    ) -> None:
        self.now = 100.0
        self.session = s.Session(
            key_of("ann"), name, fallback_name, dice=random.Random(seed), watch=watch, pin=OPEN, invite=invite
        )
        self.sent: list[Any] = []  # requests, oldest first
        self.times: list[float] = []  # of each
        self.effects: list[Any] = []
        self.boot, self.k, self.epoch = "b1", 7, "e1"
        for room in rooms:
            self.session.follow(room, now=self.now)
        self.session.start(self.now)
        self.collect()

    # What the session does.

    def collect(self) -> None:
        """Take its effects."""
        for effect in self.session.take():
            if isinstance(effect, effects.Send) and effect.line == "posts":
                self.sent.append(wire.decode_request(effect.payload))
                self.times.append(self.now)
            else:
                self.effects.append(effect)

    def all(self, kind: type) -> list[Any]:
        """Its requests or effects of a kind, oldest first."""
        return [one for one in (*self.sent, *self.effects) if type(one) is kind]

    def last(self, kind: type) -> Any:
        """The newest of a kind."""
        return self.all(kind)[-1]

    def forget(self) -> "Talk":
        """What was seen so far is of no interest."""
        self.sent.clear()
        self.times.clear()
        self.effects.clear()
        return self

    @property
    def state(self) -> str:
        """How it says things stand."""
        return self.session._status.state

    @property
    def arrived(self) -> list[int]:
        """The numbers of the events that were delivered."""
        return [event.seq for arrived in self.all(effects.Arrived) for event in arrived.events]

    # What happens to it.

    def wait(self, seconds: float) -> "Talk":
        """Let time pass; it is called when it wants to be."""
        end = self.now + seconds
        for _ in range(10_000):
            due = self.session.deadline(self.now)
            if due > end:
                break
            self.now = max(self.now, due)
            self.session.tick(self.now)
            self.collect()
        else:
            raise AssertionError("the session is never content")
        self.now = end
        return self

    def reply(self, reply: m.Reply, generation: int | None = None) -> "Talk":
        """A reply comes."""
        self.session.replied(generation or self.session.posts.generation, wire.encode(reply), self.now)
        self.collect()
        return self

    def publish(self, topic: str, content: Any, generation: int | None = None) -> "Talk":
        """A feed message comes."""
        frame = wire.feed_frame(topic, wire.encode(content))
        self.session.heard(generation or self.session.feed.generation, frame, self.now)
        self.collect()
        return self

    def events(self, *events: m.Event, generation: int | None = None) -> "Talk":
        """Events come by the feed."""
        return self.publish(wire.ROOM_TOPIC + events[0].room, list(events), generation)

    def beat(self, k: int, heads: dict[str, m.Head] | None = None, boot: str = "", epoch: str = "") -> "Talk":
        """A beat comes."""
        return self.publish("beat", m.Beat(boot or self.boot, k, epoch or self.epoch, 0, heads or {}))

    def welcome(self, epoch: str = "", **heads: m.Head) -> "Talk":
        """The hello is accepted."""
        infos = [m.RoomInfo(room, room, head) for room, head in heads.items()]
        self.epoch = epoch or self.epoch
        hello = self.last(m.Hello)
        return self.reply(
            m.Welcome(hello.id, 1, "u1", "ann", "40e0", self.boot, self.epoch, FEED_PORT, commit=5, rooms=infos)
        )

    def mark(self, request: m.Marker | None = None) -> "Talk":
        """The marker is heard."""
        request = request or self.last(m.Marker)
        return self.publish("~" + request.nonce, m.Mark(request.id, self.boot, self.k))

    def marked(self, request: m.Marker | None = None, **heads: m.Head) -> "Talk":
        """The reply to the marker's request comes."""
        request = request or self.last(m.Marker)
        return self.reply(m.Marked(request.id, self.boot, self.k, self.epoch, heads))

    def pong(self, **fields: Any) -> "Talk":
        """The reply to the last ping comes."""
        return self.reply(m.Pong(self.last(m.Ping).id, self.boot, fields.pop("epoch", self.epoch), 5, **fields))

    def page(self, *events: m.Event, head: m.Head, first: int = 1, request: Any = None) -> "Talk":
        """The reply to a page comes."""
        request = request or self.last(m.Page)
        raws = [Raw(wire.encode(event)) for event in events]
        return self.reply(m.Paged(request.id, request.room, self.epoch, first, head, raws))

    def refuse(self, request: m.Request, code: str, verdict: str = "later", **fields: Any) -> "Talk":
        """A request is refused."""
        return self.reply(m.Refused(request.id, code, "no", verdict, **fields))  # type: ignore[arg-type]

    def keep_alive(self, seconds: float) -> "Talk":
        """Time passes while pings are answered and beats come."""
        for _ in range(int(seconds * 2)):
            self.wait(0.5)
            if self.sent and isinstance(self.sent[-1], m.Ping):
                self.pong()
            self.k += 1
            self.beat(self.k)
        return self


def live(*rooms: str, have: int = 0, **names: Any) -> Talk:
    """A session that is live, with so many events of each room."""
    talk = Talk(*(rooms or ("lobby",)), **names).welcome()
    talk.pong(heads={room: EMPTY for room in rooms or ("lobby",)})
    talk.mark().marked(**{room: EMPTY for room in rooms or ("lobby",)})
    if have:
        talk.events(*LOG[:have])
    assert talk.state == "live"
    return talk.forget()


# ---- hello ---------------------------------------------------------------------------------------------------------


def test_an_invitation_is_shown_until_it_has_let_one_in_and_never_again() -> None:
    talk = Talk(invite="sesame")
    talk.wait(4)
    assert {hello.invite for hello in talk.all(m.Hello)} == {"sesame"}
    talk.wait(1).welcome().forget()
    talk.wait(10)
    assert {hello.invite for hello in talk.all(m.Hello)} == {""}


def test_nothing_but_hello_goes_out_before_it_is_accepted() -> None:
    talk = Talk("lobby")
    talk.session.post(rows(), talk.now)
    talk.session.ask(1, m.Who(), talk.now)
    talk.session.follow("b", now=talk.now)
    talk.session.leave()
    talk.wait(20)
    assert {type(request) for request in talk.sent} == {m.Hello}
    assert {effect.line for effect in talk.all(effects.Open)} == {"posts", "door"}


def test_nothing_but_hello_goes_out_while_only_the_feed_is_up() -> None:
    # DEALER would store what else was sent for as long as the broker is away.
    talk = Talk("lobby").welcome().mark().marked(lobby=EMPTY)
    talk.session.lost("posts", 1, talk.now)
    talk.forget().beat(9)
    talk.session.follow("a", now=talk.now)
    for _ in range(10):
        talk.wait(1)
        talk.beat(10, boot="b2")
    assert {type(request) for request in talk.sent} == {m.Hello}
    assert effects.Close("feed") not in talk.effects


def test_the_hello_carries_name_and_key() -> None:
    hello = Talk().last(m.Hello)
    assert (hello.name, hello.key) == ("ann", key_of("ann"))


def test_an_accepted_hello_lets_all_out_that_waited() -> None:
    talk = Talk("lobby")
    talk.session.post(rows(1, 2), talk.now)
    talk.session.ask(1, m.Who(), talk.now)
    talk.welcome()
    assert [type(request) for request in talk.sent] == [m.Hello, m.Marker, m.Ping, m.Who, m.Post, m.Post]
    assert talk.last(effects.Open) == effects.Open("feed", 1, FEED_PORT)
    assert talk.last(effects.Welcomed).welcome.user == "u1"


def test_a_hello_that_is_refused_for_good_is_the_end() -> None:
    talk = live()
    talk.session.lost("posts", 1, talk.now)
    talk.wait(1).refuse(talk.last(m.Hello), "name_taken", "final")
    assert talk.last(effects.TurnedAway).reply.code == "name_taken"
    assert talk.state == "refused"
    assert {effect.line for effect in talk.all(effects.Close)} == {"posts", "feed"}
    talk.forget()
    talk.session.post(rows(), talk.now)
    talk.session.follow("b", now=talk.now)
    talk.session.reopen(talk.now)
    talk.wait(60)
    assert (talk.sent, talk.effects) == ([], [])


def test_a_hello_that_is_refused_for_now_is_said_again_on_a_new_connection() -> None:
    talk = Talk().refuse(Talk().last(m.Hello), "store")
    assert talk.last(effects.Close) == effects.Close("posts")
    talk.wait(0.1)
    assert (talk.last(effects.Open).generation, len(talk.all(m.Hello))) == (2, 2)


def test_an_unknown_client_without_a_name_uses_its_fall_back_name() -> None:
    talk = Talk(name="", fallback_name="ann at home")
    talk.refuse(talk.last(m.Hello), "name_needed", "final")
    assert [hello.name for hello in talk.all(m.Hello)] == ["", "ann at home"]
    assert talk.welcome().state == "live"


def test_an_unknown_client_without_any_name_is_turned_away() -> None:
    talk = Talk(name="")
    talk.refuse(talk.last(m.Hello), "name_needed", "final")
    assert talk.last(effects.TurnedAway).reply.code == "name_needed"


def test_a_welcome_that_nobody_asked_for_is_ignored() -> None:
    talk = Talk()
    talk.reply(m.Welcome(99, 1, "u1", "ann", "40e0", "b1", "e1", FEED_PORT))
    assert talk.state == "offline"


def test_whoever_is_told_to_say_hello_first_does_and_sends_all_again() -> None:
    talk = live()
    talk.session.post(rows(1, 2), talk.now)
    talk.collect()
    first, second = talk.all(m.Post)
    talk.refuse(first, "hello_first").refuse(second, "hello_first")
    assert len(talk.all(m.Hello)) == 1
    assert (talk.state, talk.all(effects.Close)) == ("offline", [])
    talk.welcome()
    assert [(post.n, post.id > second.id) for post in talk.all(m.Post)[2:]] == [(1, True), (2, True)]


def test_the_welcomes_heads_are_taken() -> None:
    talk = Talk("lobby").welcome(lobby=head(3))
    assert (talk.last(m.Page).after, talk.last(m.Page).upto) == (0, 0)


def test_a_ping_goes_out_at_once_after_the_welcome() -> None:
    assert len(Talk().welcome().all(m.Ping)) == 1


# ---- the feed and its barrier --------------------------------------------------------------------------------------


def test_a_refusal_for_a_following_that_is_over_says_nothing_of_the_new_one() -> None:
    talk = live(have=3)
    page = talk.beat(talk.k + 1, {"lobby": head(5)}).last(m.Page)
    talk.session.unfollow("lobby")
    talk.session.follow("lobby", 4, LOG[3].chain, talk.now)
    talk.refuse(page, "no_room", "final")
    assert talk.all(effects.Rewound) == []
    assert talk.session.rooms["lobby"].have == 4


def test_no_feed_is_opened_while_no_room_is_followed() -> None:
    talk = Talk().welcome().wait(2)
    assert [effect.line for effect in talk.all(effects.Open)] == ["posts"]
    assert talk.state == "live"
    talk.session.follow("lobby", now=talk.now)
    talk.wait(0)
    assert talk.last(effects.Open).line == "feed"


def test_rooms_and_beat_are_subscribed_before_the_marker() -> None:
    topics = [effect.topic for effect in Talk("lobby", "a").welcome().all(effects.Subscribe)]
    assert topics[:3] == ["room/lobby", "room/a", "beat"]
    assert topics[3].startswith("~")
    assert len(topics) == 4


@pytest.mark.parametrize("topic", ["room/zzz", "room/\U0010ffff", "beat", "presence", "typing/zzz", "room/~~~"])
def test_the_markers_topic_sorts_after_every_other_in_bytes(topic: str) -> None:
    # libzmq sends a new connection's subscriptions in byte order: a marker before a room would prove nothing.
    assert wire.topic_filter(topic) < wire.topic_filter("~" + "0" * 32)


def test_the_marker_is_asked_for_again_after_4_ms_doubling_to_100_ms() -> None:
    talk = Talk("lobby").welcome()
    talk.wait(0.6)
    markers = talk.all(m.Marker)
    times = [time for time, request in zip(talk.times, talk.sent, strict=True) if isinstance(request, m.Marker)]
    waits = [round((later - time) * 1000) for time, later in itertools.pairwise(times)]
    assert waits == [4, 8, 16, 32, 64, 100, 100, 100, 100]
    assert len({marker.nonce for marker in markers}) == 1
    assert len({marker.id for marker in markers}) == len(markers)


def test_the_barrier_is_done_when_the_marker_was_heard_and_answered() -> None:
    talk = Talk("lobby").welcome().pong(heads={"lobby": EMPTY})
    assert talk.state == "joining"
    talk.mark().marked(lobby=EMPTY)
    assert talk.state == "live"
    assert talk.last(effects.Subscribe) == effects.Subscribe("~" + talk.last(m.Marker).nonce, on=False)
    assert talk.forget().wait(1).all(m.Marker) == []


def test_the_marker_alone_does_not_end_the_barrier() -> None:
    assert Talk("lobby").welcome().mark().state == "joining"


def test_the_reply_alone_does_not_end_the_barrier() -> None:
    assert Talk("lobby").welcome().marked(lobby=EMPTY).state == "joining"


def test_a_reply_that_is_older_than_the_heard_marker_does_not_end_the_barrier() -> None:
    # Its heads are of before the subscriptions were live: what was said in between would be missed for ever.
    talk = Talk("lobby").welcome().wait(0.005)
    first, second = talk.all(m.Marker)
    talk.mark(second).marked(first, lobby=EMPTY)
    assert talk.state == "joining"
    talk.marked(second, lobby=head(2))
    assert talk.state == "syncing"
    assert talk.last(m.Page).after == 0


def test_a_reply_that_is_newer_than_the_heard_marker_ends_the_barrier() -> None:
    talk = Talk("lobby").welcome().wait(0.005)
    first, second = talk.all(m.Marker)
    assert talk.marked(second, lobby=EMPTY).mark(first).state == "live"


def test_the_heads_of_the_hello_do_not_end_the_barrier() -> None:
    assert Talk("lobby").welcome(lobby=EMPTY).mark().state == "joining"


def test_another_nonces_marker_is_not_mine() -> None:
    talk = Talk("lobby").welcome().marked(lobby=EMPTY)
    assert talk.publish("~" + "0" * 32, m.Mark(talk.last(m.Marker).id, "b1", 7)).state == "joining"


def test_a_beat_that_follows_is_no_reason_for_a_barrier() -> None:
    assert live().beat(8).beat(9).all(m.Marker) == []


@pytest.mark.parametrize(("k", "boot"), [(9, "b1"), (8, "b2"), (1, "b2")])
def test_a_missed_beat_opens_the_barrier_anew_with_another_nonce(k: int, boot: str) -> None:
    talk = Talk("lobby").welcome().mark().marked(lobby=EMPTY)
    first = talk.last(m.Marker)
    talk.forget().beat(k, boot=boot)
    assert talk.state == "joining"
    second = talk.last(m.Marker)
    assert second.nonce != first.nonce
    assert talk.last(effects.Subscribe) == effects.Subscribe("~" + second.nonce)
    assert talk.mark(first).marked(first, lobby=EMPTY).state == "joining"
    assert talk.mark(second).marked(second, lobby=EMPTY).state == "live"


@pytest.mark.parametrize("k", [6, 7])
def test_an_old_beat_is_ignored(k: int) -> None:
    talk = live().beat(k, {"lobby": head(3)})
    assert (talk.sent, talk.state) == ([], "live")


def test_after_an_old_beat_the_next_one_still_follows() -> None:
    assert live().beat(7).beat(8).state == "live"


def test_the_counting_of_beats_begins_with_the_marker() -> None:
    talk = Talk("lobby").welcome().beat(3)
    nonce = talk.last(m.Marker).nonce
    talk.beat(5)
    assert talk.last(m.Marker).nonce == nonce
    talk.mark().marked(lobby=EMPTY).beat(8)
    assert talk.state == "live"


def test_the_heads_of_a_beat_show_that_the_last_message_was_lost() -> None:
    talk = live(have=2).beat(8, {"lobby": head(3)})
    assert talk.state == "syncing"
    assert talk.last(m.Page).after == 2


def test_the_heads_of_a_beat_before_the_marker_are_taken_too() -> None:
    assert Talk("lobby").welcome().beat(3, {"lobby": head(2)}).last(m.Page).after == 0


def test_a_further_room_opens_the_barrier_anew() -> None:
    talk = live()
    talk.session.follow("a", now=talk.now)
    talk.collect()
    assert [effect.topic[:6] for effect in talk.all(effects.Subscribe)] == [
        "room/a",
        "~" + talk.last(m.Marker).nonce[:5],
    ]
    assert talk.last(m.Marker).rooms == ["lobby", "a"]
    assert talk.state == "joining"


def test_a_room_that_is_followed_already_changes_nothing() -> None:
    talk = live(have=2)
    talk.session.follow("lobby", now=talk.now)
    talk.collect()
    assert (talk.sent, talk.effects) == ([], [])


def test_a_room_that_is_no_longer_followed_is_unsubscribed_and_not_delivered() -> None:
    talk = live("lobby", "a")
    talk.session.unfollow("lobby")
    talk.collect()
    assert talk.all(effects.Subscribe) == [effects.Subscribe("room/lobby", on=False)]
    assert talk.events(*LOG[:2]).arrived == []


def test_the_barrier_is_opened_anew_when_the_posts_line_is_back() -> None:
    talk = live()
    talk.session.lost("posts", 1, talk.now)
    talk.wait(0.2).welcome()
    assert talk.state == "joining"
    assert talk.all(m.Marker)


def test_no_marker_is_asked_for_while_the_feed_is_down() -> None:
    talk = live()
    talk.session.lost("feed", 1, talk.now)
    talk.forget()
    talk.now += 0.04
    talk.session.tick(talk.now)
    talk.collect()
    assert talk.all(m.Marker) == []


def test_a_feed_that_was_opened_again_needs_a_new_barrier_with_all_subscriptions() -> None:
    talk = live("lobby", "a")
    talk.session.lost("feed", 1, talk.now)
    talk.wait(0.1)
    assert talk.last(effects.Open) == effects.Open("feed", 2, FEED_PORT)
    assert [effect.topic for effect in talk.all(effects.Subscribe)][:3] == ["room/lobby", "room/a", "beat"]
    assert talk.state == "joining"
    assert talk.mark().marked(lobby=EMPTY, a=EMPTY).state == "live"


@pytest.mark.parametrize(
    "frame", [b"", b"room/lobby", b"room/lobby\0{", b"\xff\0{}", b"beat\0[]", b'room/lobby\0[{"room":1}]']
)
def test_junk_on_the_feed_is_ignored(frame: bytes) -> None:
    talk = live()
    talk.session.heard(1, frame, talk.now)
    assert talk.state == "live"


# ---- rooms ---------------------------------------------------------------------------------------------------------


def test_events_are_delivered_once_and_in_order() -> None:
    talk = live().events(*LOG[:2]).events(*LOG[1:3]).events(LOG[0])
    assert talk.arrived == [1, 2, 3]


def test_a_jump_asks_for_exactly_the_missing_range() -> None:
    talk = live(have=2).events(*LOG[5:7])
    assert [(page.room, page.after, page.upto) for page in talk.all(m.Page)] == [("lobby", 2, 5)]
    assert (talk.arrived, talk.state) == ([], "syncing")
    talk.page(*LOG[2:5], head=head(7))
    assert (talk.arrived, talk.state) == ([3, 4, 5, 6, 7], "live")


def test_one_history_request_is_out_in_all() -> None:
    talk = live("lobby", "a").events(LOG[3]).beat(8, {"a": head(2, history(9, "a"))})
    assert [page.room for page in talk.all(m.Page)] == ["lobby"]
    talk.events(LOG[6])
    assert len(talk.all(m.Page)) == 1
    talk.page(*LOG[:3], head=head(7))
    assert len(talk.all(m.Page)) == 2
    assert talk.page(*LOG[4:6], head=head(7)).last(m.Page).room == "a"


def test_a_long_range_takes_several_pages() -> None:
    talk = live().beat(8, {"lobby": head(9)}).page(*LOG[:4], head=head(9)).page(*LOG[4:9], head=head(9))
    assert [page.after for page in talk.all(m.Page)] == [0, 4]
    assert talk.state == "live"


def test_a_page_counts_once() -> None:
    talk = live().beat(8, {"lobby": head(9)})
    first = talk.last(m.Page)
    talk.page(*LOG[:4], head=head(9)).page(*LOG[:4], head=head(9), request=first)
    assert len(talk.all(m.Page)) == 2


def test_an_empty_page_lowers_what_was_told_to_its_head() -> None:
    # Told of by a message of a process that died before it could be asked: it will never come.
    talk = live(have=2).events(LOG[4]).page(head=head(2))
    assert talk.state == "live"
    assert len(talk.all(m.Page)) == 1


def test_an_empty_page_does_not_lower_what_was_told_after_it_was_asked_for() -> None:
    # The simulation: the reader was slow, and the page told a head that was seconds old. The events behind the gap
    # went on waiting and nobody asked for those before them: lost, and shown as live.
    talk = live(have=2).events(LOG[3]).events(LOG[4]).page(head=head(2))
    assert (talk.state, len(talk.all(m.Page))) == ("syncing", 2)
    talk.page(*LOG[2:4], head=head(5)).page(*LOG[4:5], head=head(5))
    assert (talk.arrived, talk.state) == ([3, 4, 5], "live")


def test_an_empty_page_does_not_lower_what_was_told_once_more_after_it_was_asked_for() -> None:
    talk = live(have=2).events(LOG[3]).beat(8, {"lobby": head(4)}).page(head=head(2))
    assert (talk.state, len(talk.all(m.Page))) == ("syncing", 2)


def test_a_page_that_nobody_answers_is_asked_for_again() -> None:
    talk = live(have=2).beat(8, {"lobby": head(4)}).keep_alive(7.5)
    assert len(talk.all(m.Page)) == 1  # it may be long, and the line thin
    talk.keep_alive(1)
    first, second = talk.all(m.Page)
    assert (first.after, second.after, second.id > first.id) == (2, 2, True)
    talk.page(*LOG[2:4], head=head(4), request=first)
    assert talk.arrived == []
    assert talk.page(*LOG[2:4], head=head(4)).arrived == [3, 4]


def test_a_page_that_was_asked_for_over_a_broken_connection_is_asked_for_at_once_over_the_next() -> None:
    talk = live(have=2).beat(8, {"lobby": head(4)})
    talk.session.lost("posts", 1, talk.now)
    assert len(talk.wait(0.2).welcome().all(m.Page)) == 2


@pytest.mark.parametrize("code", ["busy", "store"])
def test_a_page_that_is_refused_later_is_not_asked_for_again_at_once(code: str) -> None:
    # Found by reading: the refusal was answered by the same request, as fast as the line would carry it.
    talk = live(have=2).beat(8, {"lobby": head(4)})
    talk.refuse(talk.last(m.Page), code)
    assert len(talk.wait(0.49).all(m.Page)) == 1
    assert len(talk.wait(0.02).all(m.Page)) == 2


@pytest.mark.parametrize("junk", [b"{}", b"[]", b'{"room":"lobby","seq":"x"}'])
def test_a_page_of_junk_drops_the_line_and_nothing_of_it_counts(junk: bytes) -> None:
    # Found by reading: what stood before the junk counted as read and was not delivered.
    talk = live(have=2).beat(8, {"lobby": head(4)})
    raws = [Raw(wire.encode(LOG[2])), Raw(junk)]
    talk.reply(m.Paged(talk.last(m.Page).id, "lobby", "e1", 1, head(4), raws))
    assert talk.all(effects.Close) == [effects.Close("posts")]
    assert (talk.arrived, talk.session.rooms["lobby"].have) == ([], 2)


def test_a_page_for_a_room_that_is_no_longer_followed_makes_way_for_the_next() -> None:
    talk = live("lobby", "a").beat(8, {"lobby": head(4)}).beat(9, {"a": head(2, history(9, "a"))})
    talk.session.unfollow("lobby")
    talk.page(*LOG[:4], head=head(4))
    assert (talk.arrived, talk.last(m.Page).room) == ([], "a")


def test_a_room_that_was_purged_from_the_front_is_read_from_where_it_begins() -> None:
    talk = live().beat(8, {"lobby": head(9)}).page(*LOG[6:9], head=head(9), first=7)
    assert (talk.arrived, talk.state) == ([7, 8, 9], "live")


def test_events_that_fit_are_applied_while_the_posts_line_is_down() -> None:
    talk = live()
    talk.session.lost("posts", 1, talk.now)
    assert talk.events(*LOG[:2]).arrived == [1, 2]


def test_reading_on_from_where_an_earlier_process_stopped() -> None:
    talk = Talk()
    talk.session.follow("lobby", *head(4), now=talk.now)
    talk.welcome().mark().marked(lobby=head(6))
    assert talk.last(m.Page).after == 4
    assert talk.page(*LOG[4:6], head=head(6)).arrived == [5, 6]


# ---- another history -----------------------------------------------------------------------------------------------


def reconnected(talk: Talk, **welcome: Any) -> Talk:
    """The broker was restarted: both lines are opened anew, the hello is accepted."""
    for line in ("posts", "feed"):
        talk.session.lost(line, 1, talk.now)
    return talk.wait(0.2).welcome(**welcome)


def forked(talk: Talk, seq: int, room: str = "lobby") -> Talk:
    """The reply to a fork request."""
    return talk.reply(m.Forked(talk.last(m.Fork).id, room, talk.epoch, seq))


def test_another_epoch_asks_for_the_fork_and_reads_on_from_there() -> None:
    talk = reconnected(live(have=5), epoch="e2")
    assert talk.last(m.Fork).points == [head(seq) for seq in (5, 4, 3, 2, 1)]
    assert talk.all(m.Page) == []
    forked(talk, 3)
    assert talk.last(effects.Rewound) == effects.Rewound("lobby", 3, "e2")
    assert talk.last(m.Page).after == 3
    other = history(2, after=LOG[2], text="other")
    talk.forget().page(*other, head=head(2, other), request=m.Page(talk.session._history or 0, "lobby"))
    assert talk.arrived == [4, 5]


def test_a_fork_far_back_is_asked_for_again_until_it_is_exact() -> None:
    # A bot whose answers were compared too roughly gave up to 62 of them again after a restore.
    log = history(500)
    talk = reconnected(live().events(*log), epoch="e2")
    rough = talk.last(m.Fork).points[70][0]
    forked(talk, rough)
    assert (talk.all(effects.Rewound), talk.last(m.Fork).points[-1][0]) == ([], rough + 1)
    forked(talk, rough + 2)
    assert talk.all(effects.Rewound) == [effects.Rewound("lobby", rough + 2, "e2")]
    assert talk.last(m.Page).after == rough + 2


@pytest.mark.parametrize("by", ["the barrier", "a pong"])
def test_a_head_that_was_asked_for_before_the_fork_was_known_shows_no_further_one(by: str) -> None:
    # A backup under load, restored by copying: the marker's request was sent when five events of the old history had
    # been read, and its answer was compared when five of the new one had: it looked as if one was forgotten again.
    other = [*LOG[:3], *history(2, after=LOG[2], text="other")]
    talk = reconnected(live(have=5), epoch="e2")
    marker, ping = talk.last(m.Marker), talk.last(m.Ping)
    forked(talk, 3).page(*other[3:], head=head(5, other)).forget()
    if by == "the barrier":
        talk.marked(marker, lobby=head(4, other)).mark(marker)
    else:
        talk.reply(m.Pong(ping.id, talk.boot, talk.epoch, 5, {"lobby": head(4, other)}))
    assert (talk.all(m.Fork), talk.all(effects.Rewound)) == ([], [])


def test_another_epoch_of_a_room_nothing_of_which_was_read_is_said_too() -> None:
    talk = live().events(LOG[4])
    talk = reconnected(talk, epoch="e2")
    assert talk.last(effects.Rewound) == effects.Rewound("lobby", 0, "e2")
    assert not talk.session.rooms["lobby"].waiting


def test_the_same_epoch_is_not_another_history() -> None:
    talk = reconnected(live(have=5), lobby=head(5))
    assert (talk.all(m.Fork), talk.all(effects.Rewound)) == ([], [])


@pytest.mark.parametrize("told", [head(5, OTHER), head(2, OTHER), head(4)], ids=["chain", "old chain", "lower"])
def test_a_head_of_the_welcome_shows_another_history(told: m.Head) -> None:
    assert reconnected(live(have=5), lobby=told).all(m.Fork)


def test_a_lower_head_of_the_barrier_shows_another_history() -> None:
    talk = reconnected(live(have=5)).mark().marked(lobby=head(4))
    assert talk.all(m.Fork)


def test_a_lower_head_of_a_pong_shows_another_history_while_the_feed_is_blocked() -> None:
    assert reconnected(live(have=5)).pong(heads={"lobby": head(4)}).all(m.Fork)


def test_a_lower_head_of_a_beat_is_only_an_old_one() -> None:
    talk = live(have=5).beat(8, {"lobby": head(4)})
    assert (talk.sent, talk.state) == ([], "live")


def test_a_lower_head_in_an_answer_to_what_was_asked_earlier_is_only_an_old_one() -> None:
    talk = Talk("lobby").welcome()
    first = talk.last(m.Marker)
    talk.events(*LOG[:3]).mark(first).marked(first, lobby=head(1))
    assert (talk.all(m.Fork), talk.state) == ([], "live")


def test_what_an_old_process_still_said_after_its_disk_was_rolled_back_is_taken_back() -> None:
    # The feed's old connection delivered 4 and 5 after the welcome of the new process, whose log ends at 3. At first
    # only heads below those of the hello's time were compared, so these two stayed until somebody spoke.
    talk = live(have=3)
    talk.session.lost("posts", 1, talk.now)
    talk.wait(0.2).welcome(lobby=head(3)).events(*LOG[3:5])
    talk.session.lost("feed", 1, talk.now)
    talk.wait(0.2).mark().marked(lobby=head(3))
    forked(talk, 3)
    assert talk.last(effects.Rewound) == effects.Rewound("lobby", 3, "e1")
    assert talk.page(head=head(3)).state == "live"


def test_what_waits_from_an_old_process_whose_disk_was_rolled_back_is_not_applied() -> None:
    # The simulation: 5 was lost on the way, 6 and 7 waited; the broker came back with a log that ends at 5, and when
    # that had come by a page, 6 and 7 of before were applied behind it: they fitted.
    talk = live(have=4).events(*LOG[5:7])
    talk = reconnected(talk, lobby=head(5)).page(LOG[4], head=head(5)).mark().marked(lobby=head(5))
    assert (talk.arrived, talk.session.rooms["lobby"].waiting) == ([5], {})
    assert talk.page(head=head(5)).state == "live"


@pytest.mark.parametrize("by", ["the barrier", "a pong"])
def test_a_room_that_is_not_there_any_more_was_rolled_back_to_nothing(by: str) -> None:
    # The simulation: same epoch, and a room that no head tells of looked like one that had nothing new.
    talk = reconnected(live(have=5))
    if by == "a pong":
        talk.pong()
    else:
        talk.mark().marked()
    talk.refuse(talk.last(m.Fork), "no_room", "final")
    assert talk.last(effects.Rewound) == effects.Rewound("lobby", 0, "e1")
    assert talk.session.rooms["lobby"].have == 0


def test_a_room_that_is_not_there_yet_is_waited_for() -> None:
    talk = Talk("lobby").welcome().mark().marked()
    assert (talk.state, talk.all(m.Page), talk.all(m.Fork)) == ("live", [], [])
    assert talk.events(*LOG[:2]).arrived == [1, 2]


def test_a_pong_that_was_asked_for_no_heads_says_nothing_of_rooms() -> None:
    talk = live(have=5).keep_alive(6)
    assert talk.all(m.Ping)
    assert talk.all(m.Ping)[-1].rooms == []
    assert talk.all(m.Fork) == []


def test_a_page_of_another_history_asks_for_the_fork() -> None:
    talk = live(have=3).beat(8, {"lobby": head(5)}).page(*OTHER[3:5], head=head(5, OTHER))
    assert talk.last(m.Fork).points[0] == head(3)


def test_what_fitted_before_a_fork_is_delivered() -> None:
    talk = live(have=2).events(OTHER[5]).page(*LOG[2:5], head=head(6))
    assert talk.arrived == [3, 4, 5]
    assert talk.last(m.Fork).points[0] == head(5)


def test_nothing_is_applied_while_the_fork_is_looked_for() -> None:
    talk = live(have=3).events(OTHER[1]).events(LOG[3]).beat(8, {"lobby": head(4)})
    assert (talk.arrived, len(talk.all(m.Fork)), talk.all(m.Page)) == ([], 1, [])


def test_a_fork_that_nobody_answers_is_asked_for_again() -> None:
    assert len(live(have=3).events(OTHER[1]).wait(3.1).all(m.Fork)) == 2


def test_the_fork_of_an_earlier_following_of_the_room_is_not_this_ones() -> None:
    talk = live(have=3).events(OTHER[1])
    talk.session.unfollow("lobby")
    talk.session.follow("lobby", now=talk.now)
    forked(talk, 3)
    assert talk.all(effects.Rewound) == []
    assert talk.session.rooms["lobby"].have == 0


@pytest.mark.parametrize("by", ["a beat", "a pong"])
def test_another_epoch_told_in_passing_asks_for_a_new_welcome(by: str) -> None:
    talk = Talk("lobby").welcome()
    if by == "a beat":
        talk.beat(8, epoch="e2")
    else:
        talk.pong(epoch="e2")
    assert talk.all(effects.Close) == [effects.Close("posts")]


# ---- posts ---------------------------------------------------------------------------------------------------------


def posting(first: int, last: int) -> Talk:
    """A live session that has sent posts."""
    talk = live()
    talk.session.post(rows(first, last), talk.now)
    talk.collect()
    return talk


def test_a_post_is_sent_and_settled() -> None:
    talk = posting(1, 1)
    post = talk.last(m.Post)
    assert (post.sender, post.n, post.room, post.kind) == (SENDER, 1, "lobby", "message")
    talk.reply(m.Posted(post.id, "lobby", 4, 0))
    assert talk.last(Settled).row.n == 1
    assert talk.reply(m.Posted(post.id, "lobby", 4, 0)).all(Settled) == [talk.last(Settled)]


def test_no_more_than_64_posts_are_in_flight() -> None:
    talk = posting(1, 100)
    assert len(talk.all(m.Post)) == 64
    talk.reply(m.Posted(talk.all(m.Post)[0].id, "lobby", 1, 0))
    assert talk.last(m.Post).n == 65


def test_a_flight_that_is_refused_later_waits_and_begins_again_once() -> None:
    talk = posting(1, 3)
    for post in talk.all(m.Post):
        talk.refuse(post, "store")
        talk.now += 0.001
    talk.wait(0.4)
    assert len(talk.all(m.Post)) == 3
    talk.wait(0.2)
    assert [post.n for post in talk.all(m.Post)[3:]] == [1, 2, 3]


def test_posts_are_sent_again_over_a_new_connection_with_new_requests() -> None:
    talk = posting(1, 2)
    before = [post.id for post in talk.all(m.Post)]
    talk.session.lost("posts", 1, talk.now)
    talk.wait(0.2).welcome()
    again = talk.all(m.Post)[2:]
    assert [post.n for post in again] == [1, 2]
    assert not set(before) & {post.id for post in again}
    assert talk.reply(m.Posted(before[0], "lobby", 1, 0)).all(Settled) == []


def test_a_post_that_nobody_answers_is_sent_again() -> None:
    talk = posting(1, 1).wait(2.9)
    assert len(talk.all(m.Post)) == 1
    assert len(talk.wait(0.2).all(m.Post)) == 2


@pytest.mark.parametrize(("code", "verdict", "expected"), [("expected", "later", 3), ("conflict", "final", 0)])
def test_rows_whose_number_does_not_fit_go_back_for_a_fresh_sender(code: str, verdict: str, expected: int) -> None:
    talk = posting(5, 6)
    talk.refuse(talk.all(m.Post)[0], code, verdict, expected=expected)
    assert talk.all(Renumber) == [Renumber(rows()[0].sender, 5)]
    assert talk.forget().wait(1).all(m.Post) == []


def test_expected_a_number_that_is_here_sends_from_the_first_at_once() -> None:
    talk = posting(1, 2)
    talk.refuse(talk.all(m.Post)[1], "expected", expected=1)
    assert [post.n for post in talk.all(m.Post)] == [1, 2, 1, 2]


# ---- asks and pings ------------------------------------------------------------------------------------------------


def asking(request: m.Request | None = None) -> Talk:
    """A live session that has asked something, as token 1."""
    talk = live()
    talk.session.ask(1, request or m.Create(room="b", once="0" * 16), talk.now)
    talk.collect()
    return talk


def test_what_was_asked_is_answered_once() -> None:
    talk = asking(m.Leave(room="b"))
    reply = m.Left(talk.last(m.Leave).id, "b", 3)
    assert talk.reply(reply).reply(reply).all(effects.Answered) == [effects.Answered(1, reply)]


def test_a_final_refusal_is_an_answer() -> None:
    talk = asking()
    assert talk.refuse(talk.last(m.Create), "room_taken", "final").last(effects.Answered).reply.code == "room_taken"


def test_what_nobody_answers_is_asked_again() -> None:
    talk = asking().wait(3.1)
    first, second = talk.all(m.Create)
    assert first.once == second.once
    assert first.id != second.id


def test_what_is_refused_later_is_asked_again_after_half_a_second() -> None:
    talk = asking()
    talk.refuse(talk.last(m.Create), "store").wait(0.49)
    assert len(talk.all(m.Create)) == 1
    assert len(talk.wait(0.02).all(m.Create)) == 2


def test_what_was_not_answered_is_asked_again_over_a_new_connection() -> None:
    talk = asking()
    talk.session.lost("posts", 1, talk.now)
    assert len(talk.wait(0.2).welcome().all(m.Create)) == 2


def test_what_is_of_no_interest_any_more_is_not_told() -> None:
    talk = asking(m.Leave(room="b"))
    talk.session.forget(1)
    assert talk.reply(m.Left(talk.last(m.Leave).id, "b", 3)).all(effects.Answered) == []


def test_a_ping_goes_out_every_five_seconds_with_the_commit_number_that_is_known() -> None:
    talk = live().keep_alive(20)
    times = [time for time, request in zip(talk.times, talk.sent, strict=True) if isinstance(request, m.Ping)]
    assert [round(later - time) for time, later in itertools.pairwise(times)] == [5, 5, 5]
    assert {(ping.commit, tuple(ping.rooms)) for ping in talk.all(m.Ping)} == {(5, ())}


def test_a_client_whose_feed_is_blocked_follows_by_asking_every_second() -> None:
    talk = Talk("lobby").welcome()
    for _ in range(8):
        talk.wait(1.0).pong(heads={"lobby": head(2)})
    pings = talk.all(m.Ping)
    assert len(pings) == 9
    assert {tuple(ping.rooms) for ping in pings} == {("lobby",)}
    talk.page(*LOG[:2], head=head(2))
    assert talk.arrived == [1, 2]
    assert "blocked" in talk.last(effects.Status).text


def test_a_client_whose_feed_breaks_follows_by_asking_within_a_second() -> None:
    talk = live().keep_alive(2).forget()
    talk.session.lost("feed", talk.session.feed.generation, talk.now)
    talk.wait(1.0)
    assert [ping.rooms for ping in talk.all(m.Ping)] == [["lobby"]]


def test_a_change_of_my_rooms_is_told() -> None:
    talk = Talk().welcome().pong(rooms=["a", "lobby"])
    assert talk.last(effects.MyRooms).rooms == ["a", "lobby"]


def test_bye_is_said_when_leaving() -> None:
    talk = live()
    talk.session.leave()
    talk.collect()
    assert len(talk.all(m.Bye)) == 1


# ---- silence, back-off, generations --------------------------------------------------------------------------------


def closed_after(talk: Talk, line: str, seconds: float) -> bool:
    """Is a line closed in the tenth of a second after so long, and not before?"""
    talk.wait(seconds - 0.05)
    before = effects.Close(line) in talk.effects
    talk.wait(0.1)
    return not before and effects.Close(line) in talk.effects


def test_a_posts_line_that_never_says_anything_is_closed_after_three_seconds() -> None:
    assert closed_after(Talk("lobby"), "posts", 3.0)


def test_a_posts_line_that_fell_silent_is_closed_after_eight_seconds() -> None:
    talk = live()
    talk.k = 7
    for _ in range(3):
        talk.wait(2)
        talk.k += 1
        talk.beat(talk.k)
    assert closed_after(talk, "posts", 2.0)
    assert effects.Close("feed") not in talk.effects


def test_a_feed_that_never_says_anything_is_closed_after_three_seconds() -> None:
    talk = Talk("lobby").welcome()
    assert closed_after(talk, "feed", 3.0)
    assert effects.Close("posts") not in talk.effects


def test_a_feed_that_fell_silent_is_closed_after_six_seconds() -> None:
    talk = live().wait(5).pong()
    assert closed_after(talk, "feed", 1.0)
    assert effects.Close("posts") not in talk.effects


def test_a_loss_of_one_line_leaves_the_other_alone() -> None:
    talk = live()
    talk.session.lost("feed", 1, talk.now)
    talk.wait(0.2)
    assert {effect.line for effect in talk.all(effects.Close)} == {"feed"}
    assert talk.session.accepted
    talk = live()
    talk.session.lost("posts", 1, talk.now)
    talk.wait(0.2)
    assert {effect.line for effect in talk.all(effects.Close)} == {"posts"}
    assert talk.session.feed.up


def back_offs(seed: int = 1, times: int = 8) -> list[float]:
    """How long a line waits before each next try, when nobody answers at all."""
    talk = Talk(seed=seed)
    found = []
    for _ in range(times):
        closed = talk.now
        talk.session.lost("posts", talk.session.posts.generation, talk.now)
        while not talk.session.posts.up:
            talk.wait(0.001)
        found.append(talk.now - closed)
    return found


def test_the_back_off_doubles_up_to_its_most() -> None:
    for found, most in zip(back_offs(), [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0], strict=True):
        assert most / 2 - 0.002 <= found <= most + 0.002


def test_the_back_off_is_jittered() -> None:
    assert len({round(found, 3) for found in back_offs()[-4:]}) > 1
    assert back_offs(1) != back_offs(2)


def test_an_accepted_hello_ends_the_back_off() -> None:
    talk = Talk()
    for _ in range(5):
        talk.session.lost("posts", talk.session.posts.generation, talk.now)
        talk.wait(1.1)
    talk.welcome()
    talk.session.lost("posts", talk.session.posts.generation, talk.now)
    assert len(talk.forget().wait(0.1).all(m.Hello)) == 1


def test_a_connection_that_only_speaks_nonsense_does_not_end_the_back_off() -> None:
    talk = Talk()
    for _ in range(5):
        talk.session.replied(talk.session.posts.generation, b"HTTP/1.1 400", talk.now)
        talk.session.lost("posts", talk.session.posts.generation, talk.now)
        talk.wait(1.1)
    assert talk.session.posts.failures == 5


def test_a_feed_that_speaks_ends_its_back_off() -> None:
    talk = live()
    for _ in range(4):
        talk.session.lost("feed", talk.session.feed.generation, talk.now)
        talk.wait(1.0).pong()
    talk.beat(8)
    talk.session.lost("feed", talk.session.feed.generation, talk.now)
    assert len(talk.forget().wait(0.1).all(effects.Open)) == 1


def test_whatever_is_of_another_generation_is_ignored() -> None:
    talk = live()
    for line in ("posts", "feed"):
        talk.session.lost(line, 1, talk.now)
    talk.wait(0.2).welcome().mark().marked(lobby=EMPTY).forget()
    talk.events(*LOG[:2], generation=1)
    talk.publish("beat", m.Beat("b1", 99, "e9", 0), generation=1)
    talk.reply(m.Pong(next(iter(talk.session._pending), 0), "b1", "e9", 0), generation=1)
    talk.session.lost("posts", 1, talk.now)
    talk.session.lost("feed", 1, talk.now)
    talk.collect()
    assert (talk.sent, talk.effects, talk.state) == ([], [], "live")


def test_a_line_that_is_closed_hears_nothing_of_its_last_generation() -> None:
    talk = live()
    talk.session.lost("feed", 1, talk.now)
    assert talk.events(*LOG[:2], generation=1).arrived == []
    talk.session.lost("posts", 1, talk.now)
    talk.collect()
    talk.forget().reply(m.Refused(0, "hello_first", "no", "later"), generation=1)
    assert talk.sent == []


def test_after_the_machine_slept_both_lines_are_opened_anew_at_once() -> None:
    talk = live()
    talk.session.reopen(talk.now)
    talk.wait(0)
    assert talk.all(effects.Close) == [effects.Close("posts"), effects.Close("feed")]
    assert (talk.last(effects.Open), len(talk.all(m.Hello))) == (effects.Open("posts", 2), 1)
    assert talk.wait(0.1).welcome().last(effects.Open) == effects.Open("feed", 2, FEED_PORT)


def test_the_states_that_people_see() -> None:
    talk = Talk("lobby")
    assert talk.state == "offline"
    talk.welcome().mark().marked(lobby=head(2)).page(*LOG[:2], head=head(2))
    talk.session.lost("posts", 1, talk.now)
    talk.collect()
    assert [status.state for status in talk.all(effects.Status)] == ["offline", "joining", "syncing", "live", "offline"]


def test_unknown_and_broken_replies_are_signs_of_life_and_no_more() -> None:
    talk = live()
    for frame in (b"", b"[]", b'{"type":"hologram","re":1}', json.encode({"type": "pong"})):
        talk.session.replied(1, frame, talk.now)
    talk.collect()
    assert (talk.state, talk.all(effects.Close)) == ("live", [])
    assert convert(talk.session.posts.heard, float) == talk.now
