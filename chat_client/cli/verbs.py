"""The smaller verbs: rooms, who, create, join, leave, ping."""

import argparse
import os
import time
from datetime import datetime

from chat_client.cli.opening import open_client
from chat_client.cli.output import DONE, REFUSED, print_json, say
from chat_core import messages as m
from chat_core import wire


def rooms(args: argparse.Namespace) -> int:
    """List the rooms."""
    with open_client(args) as client:
        client.connect(args.timeout)
        rooms: list[m.RoomInfo] = []
        while True:
            reply = client.ask(m.Rooms(after=rooms[-1].id if rooms else ""), args.timeout)
            assert isinstance(reply, m.RoomList_)
            rooms += reply.rooms
            if not reply.more:
                break
    for room in rooms:
        if args.json:
            print_json(wire.plain(room))
        else:
            members = "1 member" if room.members == 1 else f"{room.members} members"
            events = "1 event" if room.head[0] == 1 else f"{room.head[0]} events"
            print(f"{'*' if room.mine else ' '} {room.name:<24} {members:>12} {events:>14}")
    return DONE


def who(args: argparse.Namespace) -> int:
    """List who is here."""
    with open_client(args) as client:
        client.connect(args.timeout)
        reply = client.ask(m.Who(room=args.room or ""), args.timeout)
        assert isinstance(reply, m.Here)
    for person in reply.people:
        if args.json:
            print_json(wire.plain(person))
        else:
            since = datetime.fromtimestamp(person.since / 1000).strftime("%H:%M")
            print(f"{person.name:<32} here since {since}, heard of {person.idle // 1000} s ago")
    return DONE


def create(args: argparse.Namespace) -> int:
    """Make a room."""
    reply = _ask(args, m.Create(room=args.room, once=os.urandom(8).hex()))
    assert isinstance(reply, m.Created)
    return _done(args, reply, f"Room {reply.room.id} is made, and you are in it.")


def join(args: argparse.Namespace) -> int:
    """Become a member."""
    reply = _ask(args, m.Join(room=args.room))
    assert isinstance(reply, m.Joined)
    return _done(args, reply, f"You are in room {reply.room.id}.")


def leave(args: argparse.Namespace) -> int:
    """Cease to be one."""
    reply = _ask(args, m.Leave(room=args.room))
    assert isinstance(reply, m.Left)
    return _done(args, reply, f"You are not in room {reply.room} any more.")


def outbox(args: argparse.Namespace) -> int:
    """Show what is unsent, or give some of it up; needs no broker."""
    client = open_client(args)
    try:
        if args.drop:
            missing = [number for number in args.drop if not client.outbox.drop(number)]
            return say(f"There is no unsent message {missing[0]}.", REFUSED) if missing else DONE
        for number, where, row in client.outbox.everything():
            text = wire.decode_message(row.body).text
            if args.json:
                print_json({"number": number, "broker": where, "room": row.room, "text": text})
            else:
                shown = text.partition("\n")[0]
                print(f"{number:>6}  {where}  {row.room}: {shown[:60]}{'…' if shown[:60] != text else ''}")
        return DONE
    finally:
        client.close()


def ping(args: argparse.Namespace) -> int:
    """Measure round trips to the broker."""
    times: list[float] = []
    with open_client(args) as client:
        welcome = client.connect(args.timeout)
        for n in range(1, args.count + 1):
            began = time.perf_counter()
            client.ask(m.Ping(commit=welcome.commit), args.timeout)
            times.append((time.perf_counter() - began) * 1000)
            if args.json:
                print_json({"n": n, "ms": round(times[-1], 3)})
            else:
                print(f"pong from {welcome.broker} ({client.address.text}): n={n} time={times[-1]:.2f} ms", flush=True)
            if n < args.count:
                client.next(args.interval)
    if not args.json:
        say(f"{len(times)} answered, min/avg/max {min(times):.2f}/{sum(times) / len(times):.2f}/{max(times):.2f} ms", 0)
    return DONE


def _ask(args: argparse.Namespace, request: m.Request) -> m.Reply:
    with open_client(args) as client:
        client.connect(args.timeout)
        return client.ask(request, args.timeout)


def _done(args: argparse.Namespace, reply: m.Reply, text: str) -> int:
    if args.json:
        print_json({key: value for key, value in wire.plain(reply).items() if key not in ("type", "re")})
    else:
        print(text)
    return DONE
