"""Whatever is said, scrolled, refused, lost and begun anew, in whatever order: what a chat shows is true."""

from types import ModuleType
from unittest import mock

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chat_client.model import chat, history, room
from chat_core.wire import decode_message
from tests.model.desk import Desk
from tests.model.hall import BOB, CAROL, ME, text_of

ROOMS = ("lobby", "plan")
# So that a few lines are many.
SMALL: list[tuple[ModuleType, str, int]] = [
    (room, "WINDOW", 24), (room, "SLACK", 4), (room, "ASIDE", 6), (chat, "FIRST_EVENTS", 10),
    (history, "STEP", 5), (history, "UNREAD_AT_ONCE", 16), (history, "BEFORE_UNREAD", 2),
]  # fmt: skip

some_rooms = st.sampled_from(ROOMS)
few = st.integers(1, 4)
many = st.integers(1, 30)


class ChatMachine(RuleBasedStateMachine):
    """Ann at her desk. ``said``: her messages, which have to be somewhere; ``lost``: those that a backup has undone;
    ``coming``: those that were in the log before the program was started, and will come with it."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = [mock.patch.object(module, name, value) for module, name, value in SMALL]
        for patch in self.patches:
            patch.start()
        self.desk = Desk(*ROOMS)
        self.said: dict[str, str] = {}
        self.lost: set[str] = set()
        self.coming: set[str] = set()
        self.inexact: set[str] = set()  # rooms that a backup has taken unread messages from
        self.count = 0
        # Every event there ever was, by its chain: the chain before it, its number, its room.
        self.ever: dict[str, tuple[str, int, str]] = {}

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            for patch in self.patches:
                patch.stop()

    # What happens.

    @initialize(counts=st.tuples(many, many), known=st.booleans())
    def begin(self, counts: tuple[int, int], known: bool) -> None:
        for hall, count in zip(ROOMS, counts, strict=True):
            self.say(hall, count, BOB)
        self.start()
        if known:
            self.desk.connect()

    @rule(hall=some_rooms, count=few, who=st.sampled_from((BOB, CAROL, ME)))
    def others_say(self, hall: str, count: int, who: str) -> None:
        self.say(hall, count, who)

    @rule(hall=some_rooms, count=many)
    def much_is_said(self, hall: str, count: int) -> None:
        self.say(hall, count, CAROL)

    @rule(hall=some_rooms, most=few)
    def some_arrive(self, hall: str, most: int) -> None:
        self.desk.deliver(hall, most)

    @rule()
    def all_arrives(self) -> None:
        for hall in ROOMS:
            self.desk.deliver(hall)

    @rule()
    def all_is_done(self) -> None:
        if self.desk.connected:
            self.desk.catch_up()
        self.desk.settle()

    @rule(most=few)
    def the_disk_does_some(self, most: int) -> None:
        self.desk.disk(most)

    @rule(most=few)
    def the_broker_answers(self, most: int) -> None:
        self.desk.answer(most)

    @precondition(lambda self: self.desk.chat.current)
    @rule()
    def ann_says(self) -> None:
        text = self.fresh("Ann")
        assert not self.desk.type(text)
        self.said[text] = self.desk.chat.current

    @precondition(lambda self: self.undecided())
    @rule(then=st.lists(st.sampled_from(("deliver", "tell")), max_size=2, unique=True), refused=st.booleans())
    def the_broker_decides(self, then: list[str], refused: bool) -> None:
        row = self.desk.refuse() if refused else self.desk.accept()
        self.note_all()
        for step in then:
            if step == "deliver":
                self.desk.deliver(row.room)
            elif step == "tell":
                self.desk.acknowledge()

    @precondition(lambda self: self.undecided())
    @rule()
    def the_broker_takes_it_and_says_nothing(self) -> None:
        self.desk.accept()
        self.note_all()

    @precondition(lambda self: self.desk.decided)
    @rule()
    def the_broker_says_it(self) -> None:
        self.desk.acknowledge()

    @precondition(lambda self: self.desk.connected and self.desk.outbox and not self.desk.decided)
    @rule()
    def posts_are_numbered_anew(self) -> None:
        self.desk.renumber()

    @rule(full=st.booleans())
    def the_disk_is_full_or_not(self, full: bool) -> None:
        self.desk.disk_full = full

    @rule()
    def ann_edits_what_was_refused(self) -> None:
        self.said.pop(self.desk.chat.edit_last() or "", None)
        self.desk.flush()

    @rule(top=st.booleans(), end=st.booleans())
    def ann_scrolls(self, top: bool, end: bool) -> None:
        self.desk.scroll(top=top, end=end)

    @rule(focused=st.booleans())
    def ann_looks_or_looks_away(self, focused: bool) -> None:
        self.desk.chat.focus(focused)
        self.desk.flush()

    @rule(what=st.sampled_from(("jump", "escape")))
    def ann_goes_to_the_end(self, what: str) -> None:
        getattr(self.desk.chat, what)()
        self.desk.flush()

    @rule(hall=some_rooms)
    def ann_opens(self, hall: str) -> None:
        self.desk.open(hall)

    @precondition(lambda self: self.desk.connected)
    @rule()
    def the_connection_breaks(self) -> None:
        self.desk.disconnect()

    @precondition(lambda self: not self.desk.connected)
    @rule(sync=st.booleans())
    def the_broker_is_back(self, sync: bool) -> None:
        self.desk.connect(sync)

    @rule(hall=some_rooms, count=few, more=few)
    def a_backup_is_put_back(self, hall: str, count: int, more: int) -> None:
        self.desk.disconnect()
        self.inexact |= {one for one in ROOMS if one in self.desk.chat.rooms and self.desk.chat.rooms[one].unread}
        log = self.desk.halls[hall].log
        kept = max(1, len(log) - count)
        self.lost |= {text_of(event) for event in log[kept:] if event.author == ME}
        self.desk.broker.lose(hall, kept)
        self.desk.wait(1)  # what is said now has another chain
        self.say(hall, more, CAROL)
        self.desk.connect(sync=False)

    @rule()
    def the_program_is_started_anew(self) -> None:
        self.desk.disk_full = False
        self.desk.disk()
        for text in self.here("refused"):
            self.said.pop(text)  # as it was said when she closed it
        # What it counts from the disk is right, unless a backup has undone some of that, and this is still to be found.
        self.inexact = {
            hall
            for hall, kept in self.desk.copy.items()
            if kept.events and kept.events[-1] not in self.desk.halls[hall].log
        }
        unsent = {decode_message(row.body).text for row in self.desk.outbox}
        self.coming |= self.said.keys() - unsent
        self.start()

    # What holds.

    def check(self) -> None:
        keys = [row.line.key for row in self.desk.rows]
        assert len(keys) == len(set(keys)), keys
        for one in self.desk.chat.rooms.values():
            self.check_lines(one)
            self.check_unread(one)
        for text, hall in self.said.items():
            if hall in self.desk.chat.rooms:
                self.check_post(text, self.desk.chat.rooms[hall])

    def check_lines(self, one: room.RoomState) -> None:
        shown = [line for line in one.shown() if line.seq]
        assert shown == one.lines
        for before, line in zip(one.lines, one.lines[1:], strict=False):
            assert self.ever[line.chain] == (before.chain, line.seq, one.id)
        if one.lines and one.at_end:
            assert one.lines[-1].seq == one.have

    def check_unread(self, one: room.RoomState) -> None:
        read = self.desk.followed.get(one.id)
        if read is None:
            return
        unread = [e for e in read if e is not None and e.seq > one.read and e.author != ME and e.kind == "message"]
        assert one.have == len(read)
        if one.id in self.inexact:
            assert len(unread) <= one.unread <= one.have - one.read
            self.inexact -= {one.id} if not one.unread else set()
        else:
            assert one.unread == len(unread)

    def check_post(self, text: str, one: room.RoomState) -> None:
        shown = [line for line in one.shown() if line.text == text]
        assert len(shown) <= 1, shown
        pending = any(line.text == text for line in one.pending.values())
        in_log = any(event is not None and text_of(event) == text for event in self.desk.followed.get(one.id, ()))
        if text not in [decode_message(row.body).text for row in self.desk.outbox]:
            # It was acknowledged, and will come; or what was refused is pending.
            in_log = in_log or text in [text_of(event) for event in self.desk.halls[one.id].log]
        if text not in self.lost | self.coming and one.id in self.desk.followed:
            assert pending or in_log, "it is nowhere"

    def end(self) -> None:
        """When all works again, and Ann has looked at everything, nothing is left to be done."""
        desk = self.desk
        desk.disk_full = False
        desk.chat.focus(True)
        if desk.connected:
            desk.disconnect()
        desk.connect()
        while self.undecided():
            desk.accept()
            self.note_all()
            desk.acknowledge()
        for hall in ROOMS:  # past everything that a backup has undone: then it is known to be gone
            self.say(hall, max([seq for _, seq, name in self.ever.values() if name == hall]), BOB)
        desk.catch_up()
        for hall in (*ROOMS, *ROOMS):
            desk.open(hall)
            desk.settle()
            desk.chat.jump()
            desk.settle()
            one = desk.room
            assert one.at_end, "the end was not reached"
            assert one.loaded
            assert one.have == len(desk.halls[hall].log)
            assert one.unread == 0
            assert {line.state for line in one.pending.values()} <= {"refused"}
            for _ in range(one.have):
                desk.scroll(top=True)
                desk.settle()
            assert one.lines[0].seq == 1, "the first event was not reached"
        for text, hall in self.said.items():
            in_log = [text_of(event) for event in desk.halls[hall].log].count(text)
            refused = text in [line.text for line in desk.chat.rooms[hall].pending.values()]
            assert in_log + refused == 1 or text in self.lost, text

    # Inside.

    def start(self) -> None:
        self.desk.start()
        self.desk.checks.append(self.check)
        self.desk.flush()

    def fresh(self, name: str) -> str:
        self.count += 1
        return f"{name} {self.count}"

    def say(self, hall: str, count: int, who: str) -> None:
        for _ in range(count):
            self.desk.said(self.fresh(who), room=hall, who=who, arrive=False)
        self.note_all()

    def note_all(self) -> None:
        for hall in self.desk.halls.values():
            before = ""
            for event in hall.log:
                self.ever[event.chain] = before, event.seq, hall.id
                before = event.chain

    def undecided(self) -> bool:
        return self.desk.connected and len(self.desk.outbox) > len(self.desk.decided)

    def here(self, state: str) -> list[str]:
        lines = (line for one in self.desk.chat.rooms.values() for line in one.pending.values())
        return [line.text for line in lines if line.state == state and line.text in self.said]


TestChatMachine = ChatMachine.TestCase
TestChatMachine.settings = settings(stateful_step_count=60)  # what goes wrong takes a while to come about
