"""Nobody ever gets anything of a private room outside what they may read, whatever people do there, in any order.

What somebody may read is found out here from the log alone, by another way than the broker's: from who joined, left
and was removed.
"""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_core import messages as m
from chat_core import wire
from tests.broker.table import EPOCH, Table, Told, decoded, examples, hello, message

PEOPLE = ("ann", "bob", "cid", "dan")
OPEN_END = 1 << 40
# Names that occur nowhere by chance.
ROOMS = {"qxjoined": "joined", "qxall": "all"}
DIRECT = "@u1+u2"
SECRET = "psst"

# What somebody does: who, what, to which room, to whom, with which number.
Step = tuple[str, str, str, str, int]


@dataclass
class World:
    """The table, and who has ever had to do with a room."""

    table: Table
    involved: dict[str, set[str]] = field(default_factory=dict)  # room -> people


def request_of(what: str, room: str, whom: str, n: int) -> m.AnyRequest:
    """What is asked."""
    match what:
        case "post":
            return message(f"{SECRET} {n}", room)
        case "direct":
            return m.Direct(people=[whom])
        case "appoint":
            return m.Appoint(room=room, user=whom, role=("owner", "moderator", "member", "muted")[n % 4])
        case "page":
            return m.Page(room=room, after=n % 12 if n % 2 else 0, upto=n % 20 if n % 3 == 0 else 0)
        case "ping":
            return m.Ping(rooms=[*ROOMS, DIRECT])
        case "marker":
            return m.Marker(nonce="0f" * 16, rooms=[*ROOMS, DIRECT])
        case "fork":
            return m.Fork(room=room, points=[(n % 12, "0" * 16)])
        case "hello":
            return hello(whom)
        case "change":
            return m.Change(room=room, slow=n % 2, read_only=n % 7 == 0)
        case "delete" | "report":
            kind = m.Delete if what == "delete" else m.Report
            return kind(room=room, seq=n % 12)
        case "ban" | "remove" | "invite":
            return {"ban": m.Ban, "remove": m.Remove, "invite": m.Invite}[what](room=room, user=whom)
        case "unban":
            return m.Unban(ban=f"b{n % 3}")
        case "rooms":
            return m.Rooms()
        case "bye":
            return m.Bye()
    return {"join": m.Join, "leave": m.Leave, "room": m.Room, "who": m.Who, "bans": m.Bans}[what](room=room)


def steps_of(what: str, who: str, room: str, whom: str, n: int) -> list[Step]:
    """What somebody does; or several things that are seldom done one after the other by chance."""
    match what:
        case "admit":
            return [("ann", "invite", room, whom, n), (whom, "join", room, whom, n)]
        case "expel":
            return [("ann", ("remove", "ban")[n % 8 == 0], room, whom, n)]
        case "return":
            return [step for one in ("expel", "talk", "admit") for step in steps_of(one, who, room, whom, n)]
        case "talk":
            return [("ann", "post", room, whom, number) for number in range(1 + n % 3)]
        case "look":
            return [(who, one, room, whom, n) for one in ("page", "ping", "room", "rooms")]
    return [(who, what, room, whom, n)]


TOGETHER = ["admit", "expel", "return", "talk", "look"]
ALONE = [
    "post", "invite", "join", "leave", "leave", "remove", "page", "page", "appoint", "ping", "marker", "fork", "hello",
    "change", "delete", "report", "ban", "unban", "rooms", "bye", "room", "who", "bans", "direct",
]  # fmt: skip
STEPS = st.builds(
    steps_of,
    st.sampled_from([*TOGETHER] * 4 + ALONE),
    st.sampled_from(PEOPLE),
    st.sampled_from([*ROOMS, *ROOMS, DIRECT]),
    st.sampled_from(["bob", "bob", "cid", "dan", "ann"]),
    st.integers(0, 60),
)
TURNS = st.lists(
    st.tuples(st.lists(STEPS, min_size=1, max_size=5).map(lambda some: [*chain(*some)]), st.integers(0, 19)),
    max_size=25,
)


# ---- who may read what, from the log ---------------------------------------------------------------------------------


def stays(events: list[m.Event]) -> dict[str, list[tuple[int, int]]]:
    """For each user from where to where they were in the room."""
    found: dict[str, list[tuple[int, int]]] = {}

    def end(user: str, seq: int) -> None:
        found[user][-1] = (found[user][-1][0], seq)

    for event in events:
        if event.kind == "created":
            made = wire.decode(event.body, m.Made)
            found |= {user: [(1, OPEN_END)] for user, _ in made.people}
        elif event.kind == "joined":
            # Whoever made a room has its first event as well.
            first = 1 if event.seq == 2 else event.seq
            found.setdefault(event.author, []).append((first, OPEN_END))
        elif event.kind == "left":
            end(event.author, event.seq)
        elif event.kind == "removed":
            end(wire.decode(event.body, m.About).user, event.seq - 1)
    return found


def is_in(events: list[m.Event], user: str) -> bool:
    """Is somebody in the room now?"""
    return stays(events).get(user, [(0, 0)])[-1][1] == OPEN_END


def may_read(events: list[m.Event], user: str, seq: int) -> bool:
    """Was somebody in the room when that was said, or does the room show it to newcomers, as long as they are one?"""
    of_user = stays(events).get(user, [])
    if of_user and ROOMS.get(events[0].room) == "all":
        return seq <= of_user[-1][1]
    return any(first <= seq <= last for first, last in of_user)


# ---- the checks ------------------------------------------------------------------------------------------------------


def check(world: World, told: Told, connected: dict[str, str]) -> None:
    """After a turn. ``connected``: the user of each connection that is there when it ends."""
    logs = {room: events for room, events in world.table.log.events.items() if room in (*ROOMS, DIRECT)}
    everything = b"".join(told.frames)
    for word in (*ROOMS, DIRECT, SECRET):
        assert word.encode() not in everything, "a private room is on the feed"
    for room, events in logs.items():
        _check_sent(room, events, told, connected)
        for who, replies in told.replies.items():
            user = world.table.user(who)
            for reply in replies:
                _check_reply(world, room, events, who, user, reply)


def _check_sent(room: str, events: list[m.Event], told: Told, connected: dict[str, str]) -> None:
    chunk = told.batch.chunks.get(room)
    new = range(chunk.first, chunk.first + len(chunk.events)) if chunk is not None else range(0)
    for who in told.pushed.keys() | connected.keys():
        sent = told.heard(who, room)
        user = connected.get(who)
        assert user is not None or not sent, "somebody who has gone was sent something"
        if user is None:
            continue
        assert all(may_read(events, user, seq) for seq in sent), f"{who} was sent {sent} of {room}"
        assert set(sent) <= set(new)
        assert len(sent) == len(set(sent))
        assert sent == [seq for seq in new if may_read(events, user, seq)], f"{who} was not sent all of {room}"


def _check_reply(world: World, room: str, events: list[m.Event], who: str, user: str, reply: m.Reply) -> None:
    member = is_in(events, user)
    head = (events[-1].seq, events[-1].chain)
    if isinstance(reply, m.Pong | m.Marked) and room in reply.heads:
        assert member
        assert reply.heads[room] == head
    if isinstance(reply, m.Pong) and reply.rooms is not None:
        assert (room in reply.rooms) == member
    for info in _infos(reply):
        if info.id == room:
            assert member or info.invited, f"{who} was told of {room}"
            assert member or (info.head[0], info.members, info.mine) == (0, 0, False)
    if isinstance(reply, m.RoomState) and reply.room.id == room and reply.members:
        assert member
    person = who.partition("/")[0]
    if person not in world.involved.get(room, ()):
        # Whoever never had to do with it is told what they asked for themselves, and that there is no such room.
        assert isinstance(reply, m.Refused) or room.encode() not in wire.encode(reply), f"{who} was told {reply}"
        assert SECRET.encode() not in wire.encode(reply)
        if isinstance(reply, m.Refused) and room in reply.text:
            assert reply.code == "no_room"


def _infos(reply: m.Reply) -> list[m.RoomInfo]:
    if isinstance(reply, m.RoomList_ | m.Welcome):
        return [*reply.rooms, *getattr(reply, "invited", ())]
    return [reply.room] if isinstance(reply, m.RoomState) else []


def check_page(world: World, who: str, user: str, frame: bytes | None) -> None:
    """A page that leaves, some time after it was asked for."""
    reply = wire.decode_reply(frame) if frame is not None else None
    if not isinstance(reply, m.Paged) or reply.room not in (*ROOMS, DIRECT):
        return
    events = world.table.log.events[reply.room]
    assert is_in(events, user), f"{who} has got a page of {reply.room}"
    seqs = [event.seq for event in decoded(reply.events)]
    assert all(may_read(events, user, seq) for seq in seqs), f"{who} has got {seqs} of {reply.room}"
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else True


# ---- the property ----------------------------------------------------------------------------------------------------


def open_world() -> World:
    """Ann has made both rooms; all are in the chat; Bob has two connections."""
    table = Table().seat(*PEOPLE, "bob/2")
    table.make("dan", "owner")
    for room, history in ROOMS.items():
        table.ask("ann", m.Create(room=room, kind="private", history=history))  # type: ignore[arg-type]
    return World(table, {room: {"ann"} for room in ROOMS})


def note_involved(world: World, steps: list[Step]) -> None:
    """Whom a turn may have brought into touch with a room."""
    for _, what, room, whom, _ in steps:
        if what in ("invite", "ban", "remove", "appoint"):
            world.involved.setdefault(room, set()).add(whom)
    world.involved[DIRECT] = {"ann", "bob"}


def play(world: World, steps: list[Step], fails: bool, seconds: float) -> tuple[Told, dict[str, str]]:
    """One turn."""
    asked = [(whom if what == "hello" else who, request_of(what, room, whom, n)) for who, what, room, whom, n in steps]
    told = world.table.turn(*asked, fails=fails, seconds=seconds)
    peers = world.table.hub.desk.connections.items()
    return told, {peer.decode(): connection.user for peer, connection in peers}


@settings(max_examples=examples(200))
@given(TURNS)
def test_nobody_gets_what_they_may_not_read(turns: list[tuple[list[Step], int]]) -> None:
    world = open_world()
    waiting: list[Any] = []
    for steps, chance in turns:
        note_involved(world, steps)
        # Those who come and go look into the rooms all the time.
        steps += [(who, "page", room, who, chance) for who in ("bob", "bob/2", "cid") for room in ROOMS]
        told, connected = play(world, steps, fails=chance == 0, seconds=chance % 2)
        check(world, told, connected)
        for job in waiting:  # they were read while this turn was decided
            payload = wire.encode(_page(world.table, job))
            check_page(world, job.peer.decode(), job.user, world.table.hub.release(job, payload))
        waiting = [job for job in told.jobs if job.points is None]
        if chance == 19:
            world.table = world.table.restart().seat(*PEOPLE)
            waiting = []


def _page(table: Table, job: Any) -> m.Paged:
    events = [msgspec.Raw(wire.encode(event)) for event in table.log.events[job.room][job.after : job.upto]]
    return m.Paged(job.re, job.room, EPOCH, job.head.first, (job.head.seq, job.head.chain), events)


def test_the_property_has_something_to_look_at() -> None:
    world = open_world()
    steps: list[Step] = [
        ("ann", "invite", "qxjoined", "bob", 0), ("bob", "join", "qxjoined", "bob", 0),
        ("ann", "post", "qxjoined", "bob", 1), ("ann", "direct", DIRECT, "bob", 0),
        ("bob", "page", "qxjoined", "bob", 0),
    ]  # fmt: skip
    note_involved(world, steps)
    told, connected = play(world, steps, False, 0.0)
    check(world, told, connected)
    assert (told.heard("bob", "qxjoined"), told.heard("bob/2", "qxjoined")) == ([4, 5], [4, 5])
    assert told.heard("bob", DIRECT) == [1]
    assert len(told.jobs) == 1
