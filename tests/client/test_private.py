"""Rooms that are not on the feed, waiting to be let in, and limits: each rule of the session with its scenario."""

from typing import Any

import pytest
from msgspec import Raw

from chat_client import effects
from chat_core import messages as m
from chat_core import wire
from tests.client.network import history
from tests.client.test_session import EMPTY, Talk, head, rows

PLAN = history(40, room="plan")


def plan_head(seq: int) -> m.Head:
    """The head of the private room at this number."""
    return head(seq, PLAN)


class Room(Talk):
    """A session whose broker has the open room "lobby" and the private room "plan", with this user in both."""

    def let_in(self, plan: int = 0, feed: int = 5556, mine: bool = True, **fields: Any) -> "Room":
        """The hello is accepted, and "plan" has so many events."""
        rooms = [m.RoomInfo("lobby", "lobby", EMPTY, mine=True)]
        if mine:
            rooms.append(m.RoomInfo("plan", "plan", plan_head(plan), mine=True, kind="private"))
        hello = self.last(m.Hello)
        self.reply(
            m.Welcome(hello.id, 1, "u1", "ann", "40e0", self.boot, self.epoch, feed, commit=5, rooms=rooms, **fields)
        )
        return self

    def say(self, first: int, last: int, epoch: str = "") -> "Room":
        """Events of the private room come on the posts line."""
        raws = [Raw(wire.encode(event)) for event in PLAN[first - 1 : last]]
        self.reply(m.Events(0, "plan", epoch or self.epoch, raws))
        return self

    def notice(self, kind: str, **fields: Any) -> "Room":
        """A notice comes."""
        self.reply(m.Notice(0, kind, **fields))
        return self

    def ping(self) -> "Room":
        """The next ping goes out."""
        return self.wait(self.session._ping_due - self.now)  # type: ignore[return-value]

    def page(self, *events: m.Event, head: m.Head, first: int = 1, request: Any = None) -> "Room":
        """The reply to a page comes."""
        super().page(*events, head=head, first=first, request=request)
        return self

    def proved(self, seq: int) -> "Room":
        """The broker says that its log has this number as the copy has it, and nothing behind."""
        fork = self.last(m.Fork)
        self.reply(m.Forked(fork.id, fork.room, self.epoch, seq))
        return self

    def hear_all(self, **heads: m.Head) -> "Room":
        """The ping and, if there is a feed, the marker are answered."""
        self.pong(heads=heads)
        if self.session.barrier is not None:
            self.mark().marked(lobby=EMPTY)
        return self


def private(plan: int = 0, have: int = 0, feed: int = 5556) -> Room:
    """A live session that follows both rooms, and has so many of so many events of the private one."""
    talk = Room("lobby")
    talk.session.follow("plan", have, PLAN[have - 1].chain if have else "0" * 16, talk.now)
    talk.let_in(plan, feed).hear_all(plan=plan_head(plan), lobby=EMPTY)
    if plan > have:
        talk.page(*PLAN[have:plan], head=plan_head(plan))
    assert talk.state == "live", talk.session._status
    talk.forget()
    return talk


# ---- private rooms -------------------------------------------------------------------------------------------------


def test_a_private_room_is_neither_subscribed_nor_asked_for_by_a_marker() -> None:
    talk = Room("lobby", "plan").let_in()
    assert [effect.topic for effect in talk.all(effects.Subscribe)][:2] == ["room/lobby", "beat"]
    assert talk.last(m.Marker).rooms == ["lobby"]
    assert talk.last(m.Ping).rooms == ["lobby", "plan"]
    assert talk.hear_all(plan=EMPTY).last(m.Ping).rooms == ["lobby", "plan"]
    assert talk.wait(5).last(m.Ping).rooms == ["plan"]


def test_who_follows_private_rooms_only_needs_no_feed() -> None:
    talk = Room("plan").let_in()
    assert talk.state == "joining"
    talk.pong(heads={"plan": EMPTY})
    assert [effect.line for effect in talk.all(effects.Open)] == ["posts"]
    assert talk.state == "live"


def test_events_that_come_on_the_posts_line_are_delivered_once_and_in_order() -> None:
    talk = private(3, have=3)
    talk.say(4, 5).say(5, 6)
    assert talk.arrived == [4, 5, 6]
    assert talk.all(m.Page) == []


def test_a_hole_on_the_posts_line_is_asked_for() -> None:
    talk = private(3, have=3).say(6, 6)
    page = talk.last(m.Page)
    assert (page.room, page.after, page.upto) == ("plan", 3, 5)
    talk.page(*PLAN[3:5], head=plan_head(6))
    assert talk.arrived == [4, 5, 6]


def test_a_lost_last_event_is_noticed_by_the_next_ping() -> None:
    talk = private(3, have=3).ping()
    talk.pong(heads={"plan": plan_head(4)})
    assert talk.last(m.Page).after == 3


def test_an_answered_ping_tells_how_far_a_private_room_reaches_before_all_is_live() -> None:
    talk = Room("lobby", "plan").let_in()
    talk.mark().marked(lobby=EMPTY)
    assert talk.state == "joining"
    talk.pong(heads={"plan": EMPTY})
    assert talk.state == "live"


def test_a_room_that_turns_out_to_be_private_when_it_is_asked_for_is_never_on_the_feed() -> None:
    talk = Room("lobby").let_in(mine=False).hear_all(lobby=EMPTY)
    talk.session.ask(1, m.Join(room="plan"), talk.now)
    talk.collect()
    talk.reply(m.Joined(talk.last(m.Join).id, m.RoomInfo("plan", "plan", plan_head(2), kind="private"), 2))
    talk.forget()
    talk.session.follow("plan", now=talk.now)
    assert talk.wait(0).last(m.Ping).rooms == ["plan"]
    assert talk.all(effects.Subscribe) == talk.all(m.Marker) == []


def test_events_of_an_earlier_log_open_the_line_anew() -> None:
    talk = private(3, have=3).say(4, 4, epoch="another")
    assert talk.arrived == []
    assert talk.last(effects.Close) == effects.Close("posts")


def test_events_before_the_welcome_are_left_to_its_heads() -> None:
    talk = Room("plan").say(1, 1)
    assert talk.arrived == []
    talk.let_in(1)
    assert talk.last(m.Page).after == 0


def test_events_that_cannot_be_read_leave_a_hole_that_is_asked_for() -> None:
    talk = private(3, have=3)
    talk.reply(m.Events(0, "plan", talk.epoch, [Raw(b'{"seq":"x"}')]))
    talk.say(5, 5)
    assert (talk.last(m.Page).after, talk.last(m.Page).upto) == (3, 4)


def test_whoever_is_talked_to_in_a_room_they_do_not_know_asks_at_once_which_it_is() -> None:
    talk = private()
    event = history(1, room="@u1+u2")[0]
    for _ in range(3):
        talk.reply(m.Events(0, "@u1+u2", talk.epoch, [Raw(wire.encode(event))]))
    assert len(talk.all(m.Ping)) == 1
    talk.pong(heads={"plan": EMPTY}, rooms=["lobby", "plan", "@u1+u2"])
    assert talk.last(effects.MyRooms).rooms == ["lobby", "plan", "@u1+u2"]


def test_another_history_of_a_private_room_is_found_out_as_with_an_open_one() -> None:
    talk = private(3, have=3).ping()
    talk.pong(heads={"plan": plan_head(2)})
    fork = talk.last(m.Fork)
    talk.reply(m.Forked(fork.id, "plan", talk.epoch, 2))
    assert talk.last(effects.Rewound) == effects.Rewound("plan", 2, talk.epoch)


# ---- walls ---------------------------------------------------------------------------------------------------------


def test_a_page_that_begins_further_on_is_a_wall() -> None:
    talk = private(10, have=10).ping()
    talk.pong(heads={"plan": plan_head(25)})
    assert talk.last(m.Page).after == 10
    talk.page(*PLAN[19:25], head=plan_head(25), first=20).proved(10)
    assert talk.all(effects.Rewound) == []
    talk.page(*PLAN[19:25], head=plan_head(25), first=20)
    assert talk.last(effects.Walled) == effects.Walled("plan", 10, 20)
    assert talk.effects.index(talk.last(effects.Walled)) < talk.effects.index(talk.last(effects.Arrived))
    assert talk.arrived == [20, 21, 22, 23, 24, 25]
    assert talk.state == "live"


def test_what_waits_behind_a_wall_is_delivered_when_the_wall_is_told() -> None:
    talk = private(10, have=10).say(20, 21)
    page = talk.last(m.Page)
    assert (page.after, page.upto) == (10, 19)
    talk.page(head=plan_head(21), first=20).proved(10)
    talk.page(*PLAN[19:21], head=plan_head(21), first=20)
    assert talk.arrived == [20, 21]
    assert talk.say(22, 22).arrived == [20, 21, 22]


def test_a_copy_of_another_history_is_found_out_before_a_wall_hides_it() -> None:
    # A backup was restored while one was not in the room; behind the wall the chain would not tell.
    talk = private(10, have=10).ping()
    talk.pong(heads={"plan": plan_head(25)})
    talk.page(*PLAN[19:25], head=plan_head(25), first=20)
    assert talk.last(m.Fork).points[0][0] == 10
    assert (talk.all(effects.Walled), talk.arrived) == ([], [])
    talk.proved(6)
    assert talk.last(effects.Rewound) == effects.Rewound("plan", 6, talk.epoch)
    talk.page(*PLAN[19:25], head=plan_head(25), first=20)
    assert talk.last(effects.Walled) == effects.Walled("plan", 6, 20)
    assert talk.arrived == [20, 21, 22, 23, 24, 25]


def test_a_page_that_goes_on_where_one_is_is_no_wall() -> None:
    talk = private(10, have=10).say(12, 12)
    talk.page(PLAN[10], head=plan_head(12), first=11)
    assert talk.all(effects.Walled) == []
    assert talk.arrived == [11, 12]


def test_a_page_that_was_asked_for_before_the_room_was_begun_anew_is_no_wall() -> None:
    talk = private(10, have=10).say(12, 12)
    page = talk.last(m.Page)
    talk.session.unfollow("plan")
    talk.session.follow("plan", now=talk.now)
    talk.page(PLAN[10], head=plan_head(12), first=11, request=page)
    assert (talk.all(effects.Walled), talk.session.rooms["plan"].have) == ([], 0)


# ---- being removed -------------------------------------------------------------------------------------------------


def test_whoever_is_removed_is_told_by_whom_and_why_and_reads_no_further() -> None:
    talk = private(3, have=3).notice("removed", room="plan", by="bea", reason="spam")
    assert talk.last(effects.Removed) == effects.Removed("plan", "bea", "spam")
    assert talk.all(effects.Rewound) == talk.all(effects.Noticed) == []
    assert "plan" not in talk.session.rooms
    assert talk.wait(5).last(m.Ping).rooms == []
    assert talk.state == "live"


@pytest.mark.parametrize("code", ["no_room", "not_allowed", "banned"])
def test_a_private_room_that_is_refused_is_closed_to_us_and_no_other_history(code: str) -> None:
    talk = private(3, have=3).say(5, 5)
    talk.refuse(talk.last(m.Page), code, "final")
    assert talk.last(effects.Removed) == effects.Removed("plan")
    assert talk.all(effects.Rewound) == []


def test_a_private_room_that_is_missing_among_the_heads_is_asked_for() -> None:
    talk = private(3, have=3).ping()
    talk.pong()
    page = talk.last(m.Page)
    assert (page.room, page.after, talk.all(m.Fork)) == ("plan", 3, [])
    talk.refuse(page, "no_room", "final")
    assert talk.last(effects.Removed) == effects.Removed("plan")


def test_a_private_room_that_was_only_missing_among_the_heads_is_read_on() -> None:
    talk = private(3, have=3).ping()
    talk.pong()
    talk.page(head=plan_head(3))
    assert (talk.all(effects.Removed), talk.all(effects.Rewound)) == ([], [])
    assert talk.state == "live"
    assert len(talk.all(m.Page)) == 1


def test_a_private_room_that_is_not_mine_any_more_is_closed_to_us() -> None:
    talk = private(3, have=3).ping()
    talk.pong(heads={}, rooms=["lobby"])
    assert talk.last(effects.Removed) == effects.Removed("plan")
    assert talk.effects.index(talk.last(effects.Removed)) < talk.effects.index(talk.last(effects.MyRooms))


def test_a_private_room_that_the_next_welcome_does_not_have_is_closed_to_us() -> None:
    talk = private(3, have=3)
    talk.session.lost("posts", 1, talk.now)
    talk.wait(0.1)
    talk.let_in(mine=False)
    assert talk.last(effects.Removed) == effects.Removed("plan")
    assert talk.all(effects.Rewound) == []


def test_an_open_room_that_is_not_mine_any_more_is_read_on() -> None:
    talk = private().ping()
    talk.pong(heads={"plan": EMPTY}, rooms=["plan"])
    assert talk.all(effects.Removed) == []
    talk.notice("removed", room="lobby", by="bea")
    assert talk.all(effects.Removed) == []
    assert talk.last(effects.Noticed).notice.room == "lobby"


def test_the_audit_log_has_no_members_and_is_read_on() -> None:
    talk = Room("!audit")
    talk.session.ask(1, m.Room(room="!audit"), talk.now)
    talk.let_in()
    talk.reply(m.RoomState(talk.last(m.Room).id, m.RoomInfo("!audit", "audit", EMPTY, kind="audit")))
    talk.pong(heads={}, rooms=["lobby", "plan"])
    assert talk.all(effects.Removed) == []


def test_whoever_is_let_in_again_goes_on_behind_the_wall() -> None:
    talk = private(10, have=10).notice("removed", room="plan", by="bea")
    talk.session.follow("plan", 10, PLAN[9].chain, talk.now)
    talk.wait(0).pong(heads={"plan": plan_head(30)}, rooms=["lobby", "plan"])
    talk.page(*PLAN[26:30], head=plan_head(30), first=27).proved(10)
    talk.page(*PLAN[26:30], head=plan_head(30), first=27)
    assert talk.last(effects.Walled) == effects.Walled("plan", 10, 27)
    assert talk.arrived == [27, 28, 29, 30]


def test_a_ping_from_before_one_was_let_in_again_says_nothing_of_the_new_following() -> None:
    talk = private(10, have=10).ping()
    talk.session.unfollow("plan")
    talk.session.follow("plan", 10, PLAN[9].chain, talk.now)
    talk.pong(heads={}, rooms=["lobby"])
    assert talk.all(effects.Removed) == []


# ---- without a feed ------------------------------------------------------------------------------------------------


def test_a_guest_opens_no_feed_and_is_live_when_a_ping_told_the_heads() -> None:
    talk = Room("lobby", "plan").let_in(feed=0)
    assert talk.state == "joining"
    assert talk.last(m.Ping).rooms == ["lobby", "plan"]
    talk.pong(heads={"lobby": EMPTY, "plan": EMPTY})
    assert talk.state == "live"
    talk.wait(4.9)
    assert [effect.line for effect in talk.all(effects.Open)] == ["posts"]
    assert len(talk.all(m.Ping)) == 1
    assert talk.wait(0.1).last(m.Ping).rooms == ["lobby", "plan"]


def test_a_guest_hears_the_events_of_open_rooms_on_the_posts_line() -> None:
    talk = private(feed=0)
    event = history(1)[0]
    talk.reply(m.Events(0, "lobby", talk.epoch, [Raw(wire.encode(event))]))
    assert talk.arrived == [1]


def test_a_guest_is_removed_from_an_open_room_as_from_a_private_one() -> None:
    talk = private(feed=0).notice("removed", room="lobby", by="bea")
    assert talk.last(effects.Removed) == effects.Removed("lobby", "bea")


def test_a_guest_who_watches_does_not_ask_who_is_here() -> None:
    talk = Room("lobby", watch=True).let_in(feed=0)
    talk.pong(heads={"lobby": EMPTY})
    assert talk.all(m.Who) == []
    assert talk.state == "live"


def test_whoever_becomes_a_guest_closes_the_feed() -> None:
    talk = private(3, have=3).notice("role", by="bea", role="guest")
    talk.let_in(3, feed=0)
    assert talk.last(effects.Close) == effects.Close("feed")
    talk.pong(heads={"lobby": EMPTY, "plan": plan_head(3)})
    assert talk.state == "live"


def test_whoever_is_no_guest_any_more_opens_the_feed() -> None:
    talk = private(3, have=3, feed=0).notice("role", by="bea", role="member")
    talk.let_in(3)
    assert talk.last(effects.Open).line == "feed"


# ---- waiting -------------------------------------------------------------------------------------------------------


def waiting() -> Room:
    """A session that waits for an admin's yes."""
    talk = Room("lobby")
    talk.reply(m.Waiting(talk.last(m.Hello).id, "u9", "ann", "An admin has to let you in."))
    return talk


def test_whoever_has_to_wait_sees_it_once_and_hears_nothing_of_the_feed() -> None:
    talk = waiting()
    assert talk.state == "waiting"
    assert talk.last(effects.Waits).reply.text == "An admin has to let you in."
    for _ in range(6):
        talk.wait(5)
        talk.reply(m.Waiting(talk.last(m.Hello).id, "u9", "ann", "An admin has to let you in."))
    assert len(talk.all(effects.Waits)) == 1
    assert len(talk.all(m.Hello)) == 7
    assert {effect.line for effect in talk.all(effects.Open)} == {"posts"}
    assert talk.session.posts.generation == 1


def test_whoever_is_admitted_says_hello_at_once() -> None:
    talk = waiting().notice("admitted", by="bea")
    assert len(talk.all(m.Hello)) == 2
    assert talk.let_in().hear_all(lobby=EMPTY).state == "live"


def test_a_lost_admission_is_noticed_by_the_next_hello() -> None:
    talk = waiting()
    talk.wait(5)
    assert talk.let_in().hear_all(lobby=EMPTY).state == "live"


def test_nothing_is_sent_while_one_waits() -> None:
    talk = waiting()
    talk.session.post(rows(), talk.now)
    talk.session.ask(1, m.Who(), talk.now)
    talk.wait(4)
    assert {type(request) for request in talk.sent} == {m.Hello}
    talk.notice("admitted").let_in()
    assert len(talk.all(m.Post)) == len(talk.all(m.Who)) == 1


def test_a_broker_that_is_gone_while_one_waits_is_looked_for() -> None:
    talk = waiting()
    talk.session.lost("posts", 1, talk.now)
    talk.wait(1)
    assert talk.state == "offline"
    assert talk.last(effects.Open).generation > 1


def test_invitation_and_code_are_said_until_we_are_let_in() -> None:
    talk = Room()
    talk.session.invite, talk.session.link = "t0ken", "c0de"
    talk.session.lost("posts", 1, talk.now)
    hello = talk.wait(0.1).last(m.Hello)
    assert (hello.invite, hello.link) == ("t0ken", "c0de")
    talk.let_in()
    talk.session.lost("posts", talk.session.posts.generation, talk.now)
    hello = talk.wait(0.1).last(m.Hello)
    assert (hello.invite, hello.link) == ("", "")


# ---- limits --------------------------------------------------------------------------------------------------------


def test_a_refused_post_waits_as_long_as_it_says_and_that_is_told_once() -> None:
    talk = private()
    talk.session.post(rows(1, 3), talk.now)
    talk.collect()
    for post in talk.all(m.Post):
        talk.refuse(post, "rate" if post.n == 1 else "expected", retry=1500 if post.n == 1 else 0, expected=1)
    assert [held.reply.code for held in talk.all(effects.Held)] == ["rate"]
    talk.forget().wait(1.4)
    assert talk.all(m.Post) == []
    assert [post.n for post in talk.wait(0.1).all(m.Post)] == [1, 2, 3]


def test_a_refused_question_waits_as_long_as_it_says() -> None:
    talk = private()
    talk.session.ask(1, m.Rooms(), talk.now)
    talk.collect()
    talk.refuse(talk.last(m.Rooms), "rate", retry=2000)
    assert [held.reply.code for held in talk.all(effects.Held)] == ["rate"]
    talk.forget().wait(1.9)
    assert talk.all(m.Rooms) == []
    assert len(talk.wait(0.1).all(m.Rooms)) == 1


def test_a_hello_that_is_refused_as_one_too_many_is_said_again_when_it_may() -> None:
    talk = Room()
    talk.refuse(talk.last(m.Hello), "crowded", retry=4000)
    assert [held.reply.code for held in talk.all(effects.Held)] == ["crowded"]
    talk.forget().wait(3.9)
    assert talk.all(m.Hello) == []
    assert len(talk.wait(0.2).all(m.Hello)) == 1


def test_whoever_is_banned_is_turned_away_with_the_reason() -> None:
    talk = private()
    talk.wait(14)  # the broker says nothing more
    assert talk.all(effects.Close)
    talk.refuse(talk.last(m.Hello), "banned", "final")
    assert talk.last(effects.TurnedAway).reply.code == "banned"
    assert talk.state == "refused"
