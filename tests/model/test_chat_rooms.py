"""Rooms: to go to one, join, make and leave them, by command, by the switcher, or on another machine."""

import pytest

from chat_client import effects
from chat_client.model import choosing, orders
from chat_core import messages as m
from tests.model.desk import Desk
from tests.model.hall import BOB, CAROL, ME, Hall


@pytest.fixture
def desk() -> Desk:
    """Ann is in the lobby and in the plan; there is a garden too."""
    desk = Desk("lobby", "plan", "garden")
    del desk.halls["garden"].members[ME]
    desk.said("hello", room="garden", arrive=False)
    desk.start()
    desk.connect()
    desk.tell(effects.Directory())
    desk.settle()
    return desk


def mine(desk: Desk) -> list[str]:
    """The rooms in the list."""
    return [item.id for item in desk.chat.room_items()]


# ---- switching -----------------------------------------------------------------------------------------------------


def test_another_room_is_another_transcript(desk: Desk) -> None:
    desk.said("in the lobby")
    desk.said("in the plan", room="plan")
    desk.open("plan")
    desk.settle()
    assert desk.texts() == ["in the plan"]
    assert desk.chat.title() == "(1) #plan — Ann's broker"
    assert desk.chat.header() == ("# plan", "3 members")
    assert desk.chat.placeholder().startswith("Message #plan")
    desk.forget()
    desk.open("lobby")
    assert desk.texts() == ["in the lobby"]
    assert desk.changes.rooms
    assert desk.changes.header
    assert desk.changes.people
    assert desk.changes.composer


def test_to_open_the_room_that_is_open_or_none_at_all_changes_nothing(desk: Desk) -> None:
    desk.forget()
    for room in ("lobby", "nowhere", ""):
        desk.open(room)
        assert desk.chat.current == "lobby"
        assert desk.changes.place is None


def test_the_neighbours_go_round(desk: Desk) -> None:
    assert choosing.neighbour(desk.chat, 1) == "plan"
    assert choosing.neighbour(desk.chat, -1) == "plan"
    desk.type("/join garden")
    desk.settle()
    assert mine(desk) == ["lobby", "garden", "plan"]
    assert (choosing.neighbour(desk.chat, 1), choosing.neighbour(desk.chat, -1)) == ("plan", "lobby")


def test_the_next_unread_room_is_a_neighbour_too(desk: Desk) -> None:
    assert choosing.neighbour(desk.chat, 1, unread=True) == ""
    desk.said("one", room="plan")
    assert choosing.neighbour(desk.chat, 1, unread=True) == "plan"
    desk.open("plan")
    desk.scroll(end=True)
    assert choosing.neighbour(desk.chat, 1, unread=True) == ""


def test_the_switcher_shows_rooms_with_something_unread_first_then_those_to_join(desk: Desk) -> None:
    desk.said("one", room="plan")
    assert [(choice.value, choice.hint) for choice in choosing.places(desk.chat)] == [
        ("open:plan", "1 unread"),
        ("open:lobby", "you are here"),
        ("join:garden", "join"),
    ]
    choosing.go(desk.chat, "open:plan", "", desk.at)
    assert desk.chat.current == "plan"
    choosing.go(desk.chat, "join:garden", "", desk.at)
    desk.settle()
    assert desk.chat.current == "garden"


def test_a_room_cannot_be_joined_while_the_broker_is_away(desk: Desk) -> None:
    desk.disconnect()
    choosing.go(desk.chat, "join:garden", "", desk.at)
    desk.flush()
    assert desk.texts()[-1] == "The broker is away: a room can be joined when it is back."
    choosing.go(desk.chat, "open:plan", "", desk.at)
    desk.flush()
    assert desk.chat.current == "plan"


# ---- commands ------------------------------------------------------------------------------------------------------


def test_to_join_a_room_is_to_see_what_was_said_there(desk: Desk) -> None:
    assert desk.type("/join #Garden") == ""
    desk.settle()
    assert desk.chat.current == "garden"
    assert desk.texts() == ["hello", "Ann joined the room"]
    assert mine(desk) == ["lobby", "garden", "plan"]
    assert desk.room.unread == 0
    assert "garden" in desk.copy


def test_to_join_a_room_one_is_in_opens_it(desk: Desk) -> None:
    desk.type("/join plan")
    assert desk.chat.current == "plan"
    assert not [ask for ask in desk.asks if isinstance(ask.request, m.Join)]


def test_a_room_that_is_not_there_can_be_made(desk: Desk) -> None:
    desk.type("/join attic")
    desk.settle()
    assert desk.texts()[-1] == "There is no room #attic: /create attic makes it, Ctrl+K shows which there are."
    desk.type("/create attic")
    desk.settle()
    assert desk.chat.current == "attic"
    assert desk.texts() == ["Ann created the room"]
    assert desk.chat.header() == ("# attic", "1 member")


def test_a_room_that_is_there_can_be_joined(desk: Desk) -> None:
    desk.type("/create garden")
    desk.settle()
    assert desk.texts()[-1] == "There is a room #garden already: /join garden takes you there."


def test_a_retry_of_making_a_room_counts_once(desk: Desk) -> None:
    desk.type("/create attic")
    (ask,) = desk.asks
    assert ask.request == m.Create(room="attic", once="0" * 16)


def test_to_leave_a_room_leads_to_another(desk: Desk) -> None:
    desk.open("plan")
    desk.type("/leave")
    desk.settle()
    assert mine(desk) == ["lobby"]
    assert desk.chat.current == "lobby"
    assert desk.copy.keys() == {"lobby"}
    assert "plan" not in desk.followed


def test_to_leave_another_room_leaves_the_view_where_it_is(desk: Desk) -> None:
    desk.said(*"abc")
    desk.scroll()
    desk.forget()
    desk.type("/leave plan")
    desk.settle()
    assert mine(desk) == ["lobby"]
    assert not desk.follows_end
    assert desk.changes.place is None
    assert not desk.changes.composer


def test_one_leaves_only_rooms_one_is_in(desk: Desk) -> None:
    assert desk.type("/leave garden") == "You are not in room garden."


def test_to_leave_and_come_back_is_a_room_anew(desk: Desk) -> None:
    desk.said("before", room="plan")
    desk.open("plan")
    desk.scroll(end=True)
    desk.type("/leave")
    desk.settle()
    desk.type("/join plan")
    desk.settle()
    assert desk.texts() == ["before", "Ann left the room", "Ann joined the room"]
    assert desk.room.unread == 0
    desk.disk()
    assert desk.copy["plan"].read == 3


def test_the_last_room_can_be_left(desk: Desk) -> None:
    for _ in range(2):
        desk.type("/leave")
        desk.settle()
    assert mine(desk) == []
    assert desk.chat.header()[0] == "No room"
    assert desk.chat.empty_text().startswith("You are in no room.")
    assert desk.type("/leave") == "You are in no room."
    assert desk.type("/who") == "You are in no room: say which one, /who ROOM."
    assert desk.type("/help") == ""
    desk.type("/join attic")
    desk.settle()
    assert desk.texts()[-1] == "There is no room #attic: /create attic makes it, Ctrl+K shows which there are."
    desk.type("/join lobby")
    desk.settle()
    assert desk.texts()[-1] == "Ann joined the room"


def test_who_is_here_is_told_in_the_transcript(desk: Desk) -> None:
    desk.broker.here[BOB] = "Bob"
    desk.type("/who")
    desk.settle()
    assert desk.texts()[-1] == "2 people are here in #lobby: Ann, Bob"
    del desk.broker.here[BOB]
    desk.type("/who garden")
    desk.settle()
    assert desk.texts()[-1] == "Nobody of #garden is here."
    desk.type("/who plan")
    desk.settle()
    assert desk.texts()[-1] == "1 person is here in #plan: Ann"
    desk.type("/who attic")
    desk.settle()
    assert desk.texts()[-1] == "There is no such room."


def test_help_is_shown_with_and_without_a_broker(desk: Desk) -> None:
    desk.disconnect()
    desk.type("/help")
    assert "/join" in desk.texts()[-1]
    assert desk.rows[-1].line.kind == "note"
    assert desk.changes.to_end


def test_what_needs_the_broker_waits_for_it(desk: Desk) -> None:
    desk.disconnect()
    for command in ("/join garden", "/create attic", "/leave", "/who"):
        assert desk.type(command) == "The broker is away: this can be done when it is back."
    assert not desk.asks


def test_what_is_no_command_is_said_to_be_none(desk: Desk) -> None:
    assert desk.type("/jion garden").startswith("There is no command /jion. Did you mean /join?")
    assert desk.texts() == []


def test_the_window_can_be_closed_by_a_command(desk: Desk) -> None:
    desk.type("/quit")
    assert desk.changes.quit


def test_a_refused_leave_is_told(desk: Desk) -> None:
    desk.type("/leave")
    (ask,) = desk.asks
    desk.asks.clear()
    desk.tell(effects.Answered(ask.token, m.Refused(1, "internal", "It cannot be done.", "final")))
    assert desk.texts()[-1] == "It cannot be done."
    assert desk.chat.current == "lobby"


# ---- on another machine --------------------------------------------------------------------------------------------


def test_a_room_joined_on_another_machine_is_in_the_list(desk: Desk) -> None:
    desk.halls["garden"].members[ME] = "Ann"
    desk.tell(effects.MyRooms(["lobby", "plan", "garden"]))
    desk.settle()
    assert mine(desk) == ["lobby", "garden", "plan"]
    assert desk.chat.current == "lobby"
    desk.said("one", room="garden")
    assert [item.unread for item in desk.chat.room_items()] == [0, 1, 0]


def test_a_room_left_on_another_machine_goes(desk: Desk) -> None:
    desk.open("plan")
    desk.tell(effects.MyRooms(["lobby"]))
    desk.settle()
    assert mine(desk) == ["lobby"]
    assert desk.chat.current == "lobby"


def test_a_room_that_goes_and_comes_back_is_read_on_the_disk_too(desk: Desk) -> None:
    desk.said("one", room="plan")
    desk.open("plan")
    desk.scroll(end=True)
    desk.disk()
    for rooms in (["lobby"], ["lobby", "plan"]):
        desk.tell(effects.MyRooms(rooms))
        desk.settle()
    assert desk.copy["plan"].read == 1


def test_a_room_left_while_the_broker_was_away_goes(desk: Desk) -> None:
    desk.disconnect()
    del desk.halls["lobby"].members[ME]
    desk.connect()
    assert mine(desk) == ["plan"]
    assert desk.chat.current == "plan"


def test_the_first_room_of_somebody_who_is_in_none_is_opened(desk: Desk) -> None:
    desk.tell(effects.MyRooms([]))
    assert desk.chat.current == ""
    desk.tell(effects.MyRooms(["plan"]))
    desk.settle()
    assert desk.chat.current == "plan"


def test_a_room_that_is_not_mine_after_all_is_not_added(desk: Desk) -> None:
    desk.tell(effects.MyRooms(["lobby", "plan", "garden"]))
    desk.settle()
    assert mine(desk) == ["lobby", "plan"]


def test_the_list_of_rooms_is_asked_for_page_by_page(desk: Desk) -> None:
    desk.tell(effects.Directory())
    (ask,) = desk.asks
    desk.asks.clear()
    halls = [Hall(f"r{number}") for number in range(4)]
    desk.tell(effects.Answered(ask.token, m.RoomList_(1, [hall.info() for hall in halls[:2]], more=True)))
    (ask,) = desk.asks
    assert ask.request == m.Rooms(after="r1")
    assert "garden" in desk.chat.directory, "what is known stays until all is there"
    desk.asks.clear()
    desk.tell(effects.Answered(ask.token, m.RoomList_(1, [hall.info() for hall in halls[2:]])))
    assert list(desk.chat.directory) == ["r0", "r1", "r2", "r3"]


# ---- completion ----------------------------------------------------------------------------------------------------


def test_members_rooms_and_commands_are_completed(desk: Desk) -> None:
    def labels(before: str) -> list[str]:
        return [choice.value for choice in choosing.complete(desk.chat, before)[1]]

    assert any("Bob" in label for label in labels("Bo"))
    assert not any("Ann" in label for label in labels("An")), "nobody calls themselves"
    assert any("garden" in label for label in labels("/join ga"))
    assert any("/join" in label for label in labels("/jo"))


def test_who_spoke_last_is_completed_first(desk: Desk) -> None:
    desk.halls["lobby"].members["u9"] = "Bert"
    desk.said("hello", who=CAROL)
    desk.said("hello")
    assert choosing._recent(desk.chat) == ["Bob", "Carol"]
    assert "Bob" in choosing.complete(desk.chat, "@B")[1][0].value


def test_orders_for_rooms_come_once(desk: Desk) -> None:
    desk.disk()
    desk.connect(sync=False)
    assert not [job for job in desk.jobs if isinstance(job, orders.Follow)]
