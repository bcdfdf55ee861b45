"""What the user looks at: which room, which piece of its log, and what of it is read."""

from chat_client.model import orders
from chat_client.model.history import Fetch
from chat_client.model.moment import Moment
from chat_client.model.room import RoomState
from chat_client.model.state import State
from chat_core import messages as m


class Reading(State):
    """The part of a `Chat` that opens rooms and moves about in them."""

    def open(self, room_id: str, draft: str | None = None) -> None:
        """Look at another room. ``draft``: what stands in the composer of the one before; None: what is known of it."""
        if draft is not None:
            self.keep_draft(draft)
        room = self.rooms.get(room_id)
        if room is None or room_id == self.current:
            return
        if self.room is not None:
            self.room.put_aside()
            self.histories.forget(self.current)
        self.current = room_id
        self.nowhere = RoomState("", "")
        room.below = room.unread
        self.changes.everything()
        self.load(room)
        self.begin_at(self.unread_key(room))
        self.ask_members(room)

    def keep_draft(self, text: str) -> None:
        """Remember what stands in the composer."""
        if self.room is not None:
            self.set_draft(self.room, text)

    def set_draft(self, room: RoomState, text: str) -> None:
        """Remember what stands in the composer of a room; "": nothing."""
        if room.draft != text:
            room.draft = text
            self.order(orders.KeepDraft(room.id, text))
            self.changes.rooms = True

    def scrolled(self, at_top: bool, at_end: bool) -> None:
        """The view of the transcript was moved."""
        room = self.room
        if room is None:
            return
        self.view_at_end = at_end
        self.changes.status = True
        if at_end and not room.at_end:
            self.histories.begin(room, "newer")
        elif at_end:
            self.seen()
        if at_top and room.loaded:
            self.histories.begin(room, "older")

    def focus(self, focused: bool) -> None:
        """The window has the keyboard, or not: what comes in without it is not read."""
        self.focused = focused
        if focused:
            self.seen()

    def jump(self) -> None:
        """Go to the end of the room."""
        room = self.room
        if room is None:
            return
        if not room.at_end:
            self.histories.begin(room, "end")
            return
        if room.loaded and self.histories.loading(room.id) == "show":
            self.histories.forget(room.id)  # it would lead to the unread lines
        self.changes.to_end = True

    def tell(self, text: str, at: Moment) -> None:
        """Answer what the user asked, in the transcript, and go there."""
        self.note(text, at)
        self.jump()

    def escape(self) -> None:
        """All of this room is read, and the "new" rule may go."""
        if self.room is not None:
            self.room.new_from = 0
            self.room.mark_read()
            self.changes.transcript = self.changes.rooms = True
            self.jump()

    # Inside, and for the rest of the chat.

    @property
    def looking(self) -> bool:
        """Does the user see what comes in to the room that is open? Not while what was missed is still coming in, from
        the broker or from further up."""
        room = self.room
        if room is None or not (self.focused and self.view_at_end and room.at_end and room.loaded):
            return False
        return self.status.state == "live" and self.histories.loading(room.id) != "show"

    def caught_up(self) -> None:
        """What was said while we were away is there: it is to be read from its beginning."""
        room = self.room
        if room is None or self.histories.loading(room.id) == "show":
            return
        if not room.loaded:  # what was asked for was not answered, or by another history
            self.load(room)
        elif self.view_at_end and (key := self.unread_key(room)):
            self.begin_at(key)
        else:
            self.seen()

    def seen(self) -> None:
        """All that came in is in view, if the view is at the end."""
        room = self.room
        if room is not None and self.looking:
            if room.unread or room.below:
                self.changes.rooms = self.changes.status = True
            room.mark_read()

    def begin_at(self, key: str) -> None:
        """Have the transcript begun at the line with this key, "": at its end."""
        self.changes.place = key
        self.view_at_end = not key  # until the view tells
        self.seen()

    def unread_key(self, room: RoomState) -> str:
        """Where to begin to read: the first unread line, or "" for the end; the "new" rule stands there."""
        if room.unread == 0:
            return ""
        for line in room.lines:
            if line.seq > room.read and not line.mine and line.kind in ("message", "me"):
                room.new_from = line.seq
                return line.key
        return ""

    def load(self, room: RoomState) -> None:
        """Have what one wants to see first of a room, which is at hand or must be fetched."""
        missing = not room.loaded or (room.unread > 0 and room.read + 1 < room.lowest)
        if missing and not self.histories.loading(room.id) and not self.histories.begin(room, "show"):
            room.loaded = True  # there is nothing

    def show_piece(self, fetch: Fetch) -> None:
        """A piece of a room's log is there."""
        room = self.rooms.get(fetch.room)
        if room is None:
            return
        room.walls |= fetch.walls
        if fetch.from_broker and fetch.events:
            self.order(orders.Store(room.id, fetch.events, fetch.walls))
        if fetch.purpose == "older":
            shown = room.older(fetch.events, self.me, self.own)
        elif fetch.purpose == "newer":
            shown = room.newer(fetch.events, self.me, self.own)
        else:
            shown = room.show(fetch.events, self.me, self.own)
        if room.id != self.current:
            return
        self.changes.transcript = self.changes.status = True
        if shown and fetch.purpose == "show":
            self.begin_at(self.unread_key(room))
        elif shown and fetch.purpose == "end":
            self.begin_at("")
            if not room.at_end:  # much was said meanwhile
                self.histories.begin(room, "end")

    def ask_members(self, room: RoomState) -> None:
        """Have it known who is a member; the room's events tell what changes then."""
        if not self.connected or room.members is not None or room.closed:
            return

        def answer(reply: m.Reply, at: Moment) -> None:
            if isinstance(reply, m.RoomState) and reply.room.id in self.rooms:
                self.rooms[reply.room.id].set_members(reply.members, reply.room.head[0], reply.roles)
                for user, _ in reply.members:
                    self.chat_roles.pop(user, None)
                self.chat_roles |= reply.chat_roles
                self.changes.people = self.changes.header = True

        self.ask(m.Room(room=room.id), answer)
