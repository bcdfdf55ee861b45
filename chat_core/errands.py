"""What each verb of a command line asks of the broker, and what it answers with (chat_core/verbs.py). Pure.

A verb yields answers: what ``--json`` prints as one object a line, and the line that a person reads.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from chat_core import codes, keys, listing, places, said, wire
from chat_core import messages as m
from chat_core.address import Address
from chat_core.errors import ChatError, RefusedError
from chat_core.names import BROKER_USER

Answer = tuple[Any, str]
Answers = Iterator[Answer]


class UsageError(ChatError):
    """The options of a verb do not go together."""


@dataclass
class Errand:
    """What a verb is given to do its work."""

    args: argparse.Namespace
    ask: Callable[[m.Request], m.Reply]
    now: int  # ms since 1970
    random: Callable[[int], int]  # a random number of so many bits
    address: Address  # the broker's, for the join strings of invitations
    me: str = ""  # my user id
    mine: Sequence[m.RoomInfo] = ()  # the rooms I am in

    def done(self, request: m.Request) -> m.Done:
        """Ask for something that is answered by its being done."""
        reply = self.ask(request)
        assert isinstance(reply, m.Done)
        return reply

    def room(self) -> str:
        """The id of the room that was typed; a direct one is made if there is none yet."""
        people = places.people_in(self.args.room)
        return find_direct(self.ask, self.mine, self.me, people).id if people else self.args.room

    def until(self) -> int:
        """When what was typed as a span of time is over; 0: never."""
        return self.now + self.args.span * 1000 if self.args.span else 0


def find_direct(
    ask: Callable[[m.Request], m.Reply], mine: Sequence[m.RoomInfo], me: str, people: Sequence[str]
) -> m.RoomInfo:
    """The room in which I talk with these people and nobody else; made if there is none yet."""
    known = places.direct_room(mine, me, people)
    if known is not None:
        return known
    reply = ask(m.Direct(people=list(people)))
    assert isinstance(reply, m.Created)
    return reply.room


# ---- rooms -----------------------------------------------------------------------------------------------------


def rooms(errand: Errand) -> Answers:
    after, more = "", True
    while more:
        reply = errand.ask(m.Rooms(after=after))
        assert isinstance(reply, m.RoomList_)
        yield from ((room, listing.room(room, errand.me)) for room in reply.rooms)
        more = reply.more
        after = reply.rooms[-1].id if reply.rooms else ""


def who(errand: Errand) -> Answers:
    reply = errand.ask(m.Who(room=errand.room() if errand.args.room else ""))
    assert isinstance(reply, m.Here)
    yield from ((person, listing.person(person)) for person in reply.people)


def create(errand: Errand) -> Answers:
    kind: Literal["open", "private"] = "private" if errand.args.private else "open"
    if errand.args.history == "all" and kind == "open":
        raise UsageError("--history is for private rooms: of an open one everybody sees everything.")
    once = f"{errand.random(64):016x}"
    reply = errand.ask(m.Create(room=errand.args.room, once=once, kind=kind, history=errand.args.history))
    assert isinstance(reply, m.Created)
    private = " It is private: `invite` lets others in." if kind == "private" else ""
    yield reply, f"Room {reply.room.id} is made, and you are in it.{private}"


def direct(errand: Errand) -> Answers:
    room = find_direct(errand.ask, errand.mine, errand.me, errand.args.people)
    names = places.title(room, errand.me)
    yield room, f"You talk with {names} in {room.id}: send @{names.replace(', ', ',')} …"


def join(errand: Errand) -> Answers:
    reply = errand.ask(m.Join(room=errand.args.room))
    assert isinstance(reply, m.Joined)
    yield reply, f"You are in room {reply.room.id}."


def leave(errand: Errand) -> Answers:
    reply = errand.ask(m.Leave(room=errand.args.room))
    assert isinstance(reply, m.Left)
    yield reply, f"You are not in room {reply.room} any more."


# ---- in a room -------------------------------------------------------------------------------------------------


def invite(errand: Errand) -> Answers:
    args = errand.args
    done = errand.done(m.Invite(room=args.room, user=args.user))
    yield done, f"{args.user} is invited to {args.room}." if done.seq else f"{args.user} is there, or invited already."


def remove(errand: Errand) -> Answers:
    args = errand.args
    done = errand.done(m.Remove(room=args.room, user=args.user, reason=args.reason))
    text = f"{args.user} is not in {args.room} any more."
    yield done, text if done.seq else f"{args.user} is not invited to {args.room} any more."


def appoint(errand: Errand) -> Answers:
    args = errand.args
    if args.span and args.role != "muted":
        raise UsageError("--for goes with being muted: other roles last.")
    request = m.Appoint(room=args.room, user=args.user, role=args.role, until=errand.until(), reason=args.reason)
    yield (
        errand.done(request),
        f"{args.user} is {listing.rank(args.role)} in {args.room}{said.until_and_why(request.until, '')}.",
    )


def mute(errand: Errand) -> Answers:
    errand.args.role = "muted"
    return appoint(errand)


def change(errand: Errand) -> Answers:
    args = errand.args
    changes = {"name": args.rename, "read_only": args.read_only, "slow": args.slow, "archived": args.archived}
    if all(value is None for value in changes.values()):
        raise UsageError("Say what to change: --rename, --read-only or --writable, --slow, --archive or --reopen.")
    done = errand.done(m.Change(room=args.room, **changes))
    yield (
        done,
        f"In {args.room} you {said.changed(m.Changed(**changes))}." if done.seq else f"{args.room} was so already.",
    )


def delete(errand: Errand) -> Answers:
    args = errand.args
    done = errand.done(m.Delete(room=errand.room(), seq=args.seq, reason=args.reason))
    yield done, f"Message {args.seq} is blank for everybody."


def report(errand: Errand) -> Answers:
    args = errand.args
    done = errand.done(m.Report(room=errand.room(), seq=args.seq, reason=args.reason))
    yield done, "Those who look after the room are told."


# ---- who I am --------------------------------------------------------------------------------------------------


def nick(errand: Errand) -> Answers:
    done = errand.done(m.Nick(name=errand.args.new_name))
    yield done, f"You are called {done.of} now."


def link(errand: Errand) -> Answers:
    """Show a one-time code; the other machine's side of it is the client's."""
    code = codes.letters(errand.random(codes.CODE_BITS), codes.CODE_BITS)
    errand.done(m.Link(digest=keys.token_digest(code)))
    shown = codes.grouped(code)
    yield {"code": shown}, f"{shown}\nType it on your other machine within ten minutes: `link --code` asks for it."


def machines(errand: Errand) -> Answers:
    reply = errand.ask(m.Machines())
    assert isinstance(reply, m.MachineList)
    yield from ((machine, listing.machine(machine)) for machine in reply.machines)


def unlink(errand: Errand) -> Answers:
    done = errand.done(m.Unlink(key=errand.args.key))
    yield (
        done,
        f"The machine with the key {keys.fingerprint(done.of) if done.of else errand.args.key} is not yours now.",
    )


# ---- in the chat -----------------------------------------------------------------------------------------------


def people(errand: Errand) -> Answers:
    after, more = "", True
    while more:
        reply = errand.ask(m.People(after=after))
        assert isinstance(reply, m.Crowd)
        shown = (one for one in reply.people if one.waiting or not errand.args.waiting)
        yield from ((one, listing.somebody(one)) for one in shown)
        more = reply.more
        after = reply.people[-1].user if reply.people else ""


def role(errand: Errand) -> Answers:
    args = errand.args
    done = errand.done(m.Role(user=args.user, role=args.role, rooms=args.rooms, post=not args.reads))
    yield done, f"{args.user} is {listing.rank(args.role)} now{listing.scope(args.rooms, not args.reads)}."


def ban(errand: Errand) -> Answers:
    args = errand.args
    if sum(map(bool, (args.user, args.key, args.address))) != 1:
        raise UsageError("ban takes one of these: a NAME, --key KEY or --address ADDRESS.")
    request = m.Ban(
        user=args.user or "", key=args.key, address=args.address, room=args.room, until=errand.until(),
        reason=args.reason,
    )  # fmt: skip
    done = errand.done(request)
    whom, where = args.user or args.key or args.address, f" from {args.room}" if args.room else ""
    yield done, f"{whom} is banned{where}{said.until_and_why(request.until, '')}; `unban {done.of}` lifts it."


def unban(errand: Errand) -> Answers:
    yield errand.done(m.Unban(ban=errand.args.ban)), f"Ban {errand.args.ban} is lifted."


def bans(errand: Errand) -> Answers:
    reply = errand.ask(m.Bans(room=errand.args.room or ""))
    assert isinstance(reply, m.BanList)
    yield from ((ban, listing.ban(ban)) for ban in reply.bans)


def invitation(errand: Errand) -> Answers:
    args = errand.args
    token = codes.letters(errand.random(codes.TOKEN_BITS), codes.TOKEN_BITS)
    done = errand.done(
        m.Invitation(
            digest=keys.token_digest(token), uses=args.uses, until=errand.until(), role=args.role, rooms=args.rooms,
            post=not args.reads, note=args.note,
        )
    )  # fmt: skip
    join = replace(errand.address, invite=token).join
    yield {"id": done.of, "join": join}, join


def invitations(errand: Errand) -> Answers:
    reply = errand.ask(m.Invitations())
    assert isinstance(reply, m.InvitationList)
    yield from ((one, listing.invitation(one)) for one in reply.invitations)


def revoke(errand: Errand) -> Answers:
    yield errand.done(m.Revoke(invitation=errand.args.invitation)), f"{errand.args.invitation} is revoked."


def approve(errand: Errand) -> Answers:
    yield errand.done(m.Approve(user=errand.args.user)), f"{errand.args.user} is let in."


def reject(errand: Errand) -> Answers:
    args = errand.args
    yield errand.done(m.Reject(user=args.user, reason=args.reason)), f"{args.user} is not let in, and their key banned."


def release(errand: Errand) -> Answers:
    done = errand.done(m.Release(name=errand.args.user))
    yield done, f"The name {errand.args.user} is free; who had it is called {done.of or 'by their id'} now."


def rekey(errand: Errand) -> Answers:
    args = errand.args
    yield errand.done(m.Rekey(user=args.user, key=args.key)), f"{args.user} has this key now, and no other."


def audit(errand: Errand) -> Answers:
    """The last acts; the audit log is a room like any other."""
    try:
        state = errand.ask(m.Room(room=AUDIT))
    except RefusedError as problem:
        if problem.code == "no_room" and errand.me == BROKER_USER:
            return  # it begins with the first act
        if problem.code == "no_room":
            text = "There is no audit log that you may read: it is for admins, and begins with the first act."
            raise RefusedError("not_allowed", text) from problem
        raise
    assert isinstance(state, m.RoomState)
    head = state.room.head[0]
    after = max(0, head - errand.args.count)
    while after < head:
        reply = errand.ask(m.Page(room=AUDIT, after=after, upto=head))
        assert isinstance(reply, m.Paged)
        events = [wire.decode_event(event) for event in reply.events]
        yield from ((listing.flat(event), listing.act(event)) for event in events if event.kind == "audit")
        after = events[-1].seq if events else head


AUDIT = "!audit"
