"""The broker of a `Desk`: rooms with their logs and members, and what it answers when it is asked."""

from dataclasses import dataclass, field

from msgspec import Raw

from chat_client.flight import Row as Post
from chat_core import messages as m
from chat_core import wire
from chat_core.chain import START, chain_of

NOON = 1_700_049_600_000  # ms since 1970: noon in Greenwich
ME, BOB, CAROL = "u1", "u2", "u3"
NAMES = {ME: "Ann", BOB: "Bob", CAROL: "Carol"}


def body(text: str, me: bool = False) -> bytes:
    """The body of a message."""
    return wire.encode(m.Message(text, me))


def text_of(event: m.Event) -> str:
    """What a message says; "" of another event."""
    return wire.decode_message(event.body).text if event.kind == "message" else ""


@dataclass
class Hall:
    """A room at the broker."""

    id: str
    log: list[m.Event] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=lambda: dict(NAMES))
    open: bool = True

    def add(
        self,
        author: str,
        text: str,
        time: int,
        kind: str = "message",
        post: tuple[str, int] = ("", 0),
        me: bool = False,
    ) -> m.Event:
        """The next event."""
        seq, before = len(self.log) + 1, self.log[-1].chain if self.log else START
        name = NAMES[author]
        chain = chain_of(before, self.id, seq, time, author, name, *post, kind)
        said = Raw(body(text, me) if kind == "message" else b"{}")
        self.log.append(m.Event(self.id, seq, time, author, name, kind, chain, *post, body=said))
        return self.log[-1]

    def info(self) -> m.RoomInfo:
        """As others may know it."""
        head = (self.log[-1].seq, self.log[-1].chain) if self.log else (0, START)
        return m.RoomInfo(self.id, self.id, head, 1, len(self.members), ME in self.members)


class Broker:
    """One that is always right, and never asks twice."""

    def __init__(self, *rooms: str) -> None:
        self.home, self.epoch = "40e0", "e0"
        self.halls = {room: Hall(room) for room in rooms}
        self.here = {ME: "Ann"}
        self.chat_roles: dict[str, m.ChatRole] = {}
        self.taken: dict[tuple[str, int], int] = {}  # posts that are in the log, and their numbers there

    def welcome(self) -> m.Welcome:
        """What Ann is told when she comes."""
        rooms = [hall.info() for hall in self.halls.values() if ME in hall.members]
        return m.Welcome(1, 1, ME, "Ann", self.home, "b0", self.epoch, 0, "Ann's broker", rooms=rooms)

    def reply(self, request: m.Request, time: int) -> m.Reply:
        """What a request is answered."""
        if isinstance(request, m.Rooms):
            return m.RoomList_(1, [hall.info() for hall in self.halls.values()])
        if isinstance(request, m.Create):
            if request.room in self.halls:
                return m.Refused(1, "room_taken", f"There is a room {request.room} already.", "final")
            self.halls[request.room] = hall = Hall(request.room, members={ME: "Ann"})
            hall.add(ME, "", time, "created")
            return m.Created(1, hall.info())
        found = self.halls.get(getattr(request, "room", ""))
        if found is None:
            return m.Refused(1, "no_room", "There is no such room.", "final")
        if isinstance(request, m.Page):
            events = [Raw(wire.encode(event)) for event in found.log[request.after : request.upto]]
            return m.Paged(1, found.id, self.epoch, 1, found.info().head, events[:500])
        if isinstance(request, m.Join):
            found.members[ME] = "Ann"
            return m.Joined(1, found.info(), found.add(ME, "", time, "joined").seq)
        if isinstance(request, m.Leave):
            found.members.pop(ME, None)
            return m.Left(1, found.id, found.add(ME, "", time, "left").seq)
        if isinstance(request, m.Who):
            return m.Here(1, 1, [m.Person(user, name) for user, name in self.here.items() if user in found.members])
        assert isinstance(request, m.Room)
        chat_roles = {user: role for user, role in self.chat_roles.items() if user in found.members}
        return m.RoomState(1, found.info(), sorted(found.members.items()), chat_roles=chat_roles)

    def take(self, row: Post, time: int) -> m.Posted:
        """Put a post into the log, once."""
        post = row.sender, row.n
        if post not in self.taken:
            said = wire.decode_message(row.body)
            self.taken[post] = self.halls[row.room].add(ME, said.text, time, post=post, me=said.me).seq
        return m.Posted(1, row.room, self.taken[post], time)

    def lose(self, room: str, seq: int) -> None:
        """A backup without what came after ``seq`` is the room's log now; whoever connects will see."""
        lost = {(event.sender, event.n) for event in self.halls[room].log[seq:]}
        del self.halls[room].log[seq:]
        self.taken = {post: at for post, at in self.taken.items() if post not in lost}
