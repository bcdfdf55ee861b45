"""The dispatch table and the order of a turn: begin, decide each request, tick, then finish or undo.

turn = hub.begin(time, mono)
hub.decide(turn, peer, request) ...          # memory changes, journalled
hub.tick(turn)
store.commit(turn.batch)                     # the caller's; one transaction
replies, frames = hub.finish(turn)           # or hub.undo(turn) if the commit failed
"""

from collections.abc import Callable
from typing import Any

from chat_broker import (
    bans,
    conversation,
    deletion,
    entry,
    fanout,
    invitations,
    joining,
    limits,
    machines,
    moderation,
    people,
    reading,
    roles,
    rooms,
)  # fmt: skip
from chat_broker.batch import Batch
from chat_broker.desk import ADMIN_PEER, Desk
from chat_broker.tables import LOBBY, RoomRecord, Tables
from chat_broker.turn import Facts, LogView, ReadJob, Turn, refusal, store_refusal
from chat_core import messages as m
from chat_core import wire
from chat_core.errors import RefusedError, StoreError
from chat_core.messages import AnyRequest, Reply
from chat_core.names import BROKER_NAME, BROKER_USER

Handler = Callable[[Turn, bytes, Any], None]

# Decided while the batch is made; refused together with it if its commit fails.
WRITES: dict[type, Handler] = {
    m.Hello: people.hello,
    m.Post: conversation.post,
    m.Create: rooms.create,
    m.Direct: rooms.direct,
    m.Join: joining.join,
    m.Leave: joining.leave,
    m.Invite: moderation.invite,
    m.Remove: moderation.remove,
    m.Appoint: moderation.appoint,
    m.Change: moderation.change,
    m.Delete: deletion.delete,
    m.Report: deletion.report,
    m.Bye: people.bye,
    m.Nick: people.nick,
    m.Link: machines.link,
    m.Unlink: machines.unlink,
    m.Rekey: machines.rekey,
    m.Role: roles.role,
    m.Approve: roles.approve,
    m.Reject: roles.reject,
    m.Release: roles.release,
    m.Ban: bans.ban,
    m.Unban: bans.unban,
    m.Invitation: invitations.invitation,
    m.Revoke: invitations.revoke,
}
# Answered after the commit, from what is then on disk.
READS: dict[type, Handler] = {
    m.Ping: reading.ping,
    m.Marker: reading.marker,
    m.Page: reading.page,
    m.Fork: reading.fork,
    m.Rooms: rooms.rooms,
    m.Room: rooms.room,
    m.Who: people.who,
    m.People: people.people,
    m.Machines: machines.machines,
    m.Bans: bans.bans,
    m.Invitations: invitations.invitations,
}
# What counts as a post for the limits; a post itself is charged when it is one that would be written.
CHARGED = WRITES.keys() - {m.Hello, m.Post, m.Bye}


class Hub:
    """The broker's rules over its tables. Sees no socket, clock or randomness: the same calls give the same batches."""

    def __init__(self, tables: Tables, log: LogView, facts: Facts, commit: int = 0, time: int = 0) -> None:
        self.tables, self.log, self.facts = tables, log, facts
        self.desk = Desk()
        self.commit, self.time = commit, time  # of the last batch that is on disk
        self.k = 0
        self._next_beat = self._next_presence = self._next_sweep = 0.0

    def begin(self, time: int, mono: float) -> Turn:
        """Open a turn. ``time``: the clock in ms since 1970; it may jump, the batch's time does not go back."""
        batch = Batch(self.commit + 1, max(time, self.time))
        return Turn(self.tables, self.desk, self.log, self.facts, batch, mono, self.k)

    def open_lobby(self, turn: Turn) -> None:
        """Make the room that is there from the start."""
        if LOBBY not in self.tables.rooms:
            self.tables.put(turn.batch, "rooms", LOBBY, RoomRecord(LOBBY, LOBBY, BROKER_USER, turn.time))
            turn.append(LOBBY, BROKER_USER, BROKER_NAME, "created")

    def decide(self, turn: Turn, peer: bytes, request: AnyRequest, origin: str = "", key: str = "") -> None:
        """Decide one request of one connection. ``origin``: its network address, asked for with a hello only. ``key``:
        that which the sender of this very frame has proved to have; "" in open mode."""
        connection = self.desk.connections.get(peer) or self.desk.waiting.get(peer)
        if connection is not None and key and connection.key != key:
            # libzmq has given the routing id of one who is gone to somebody else, who may have asked for it.
            people.gone(turn, peer, "somebody else has the connection's id")
            turn.forget(peer)
            connection = None
        if connection is not None:
            connection.heard = turn.mono
        elif peer.startswith(ADMIN_PEER):
            self.desk.seat_admin(peer, turn.time, turn.mono).key = key
        if type(request) is m.Hello:
            turn.origin, turn.key = origin, key
        write = WRITES.get(type(request))
        if write is not None:
            self._handle(turn, peer, request, write)
        elif turn.reads[peer] < self.facts.reads_a_turn:
            turn.reads[peer] += 1
            turn.after_commit(lambda: self._handle(turn, peer, request, READS[type(request)]))
        elif peer in self.desk.shut:
            turn.dropped.append((peer, request.id))
        else:
            # A list of a thousand rooms takes a millisecond: nobody may have the loop to themselves.
            turn.refuse(peer, request.id, RefusedError("busy", "That is too much at once: wait for the first answers."))

    def _handle(self, turn: Turn, peer: bytes, request: AnyRequest, handler: Handler) -> None:
        try:
            if peer not in self.desk.connections and type(request) is not m.Hello:
                self._handle_outsider(turn, peer, request)
                return
            if type(request) in CHARGED:
                limits.charge(turn, self.desk.connections[peer], 0)
            handler(turn, peer, request)
        except RefusedError as error:
            turn.refuse(peer, request.id, error)
        except StoreError:
            turn.answer(peer, store_refusal(request.id))

    def _handle_outsider(self, turn: Turn, peer: bytes, request: AnyRequest) -> None:
        """Somebody asks who has not said hello, who waits to be let in, or who was shut out."""
        waits = self.desk.waiting.get(peer)
        if peer in self.desk.shut:
            turn.dropped.append((peer, request.id))
        elif type(request) is m.Bye:
            people.bye(turn, peer, request)
        elif waits is None or waits.user not in self.tables.waiting:  # somebody said yes to them
            raise RefusedError("hello_first", "Say hello first: the broker does not know this connection.")
        elif type(request) is m.Ping:
            reading.pong_to_waiting(turn, peer, request)
        else:
            raise RefusedError("waiting", entry.PLEASE_WAIT)

    def refuse(self, turn: Turn, peer: bytes, re: int, code: str, text: str) -> None:
        """Answer a frame that could not be decoded."""
        if peer in self.desk.shut:
            turn.dropped.append((peer, re))
            return
        turn.refuse(peer, re, RefusedError(code, f"This is not a request that the broker understands: {text}."))

    def tick(self, turn: Turn) -> None:
        """What is due by itself: who fell silent, presence, the beat."""
        if turn.mono >= self._next_sweep:
            self._next_sweep = turn.mono + min(1.0, self.facts.gone_seconds / 4)
            for peer in self.desk.silent(turn.mono - self.facts.gone_seconds):
                people.gone(turn, peer, "silent")
        if turn.mono >= self._next_presence:
            self._next_presence = turn.mono + self.facts.presence_seconds
            turn.after_commit(lambda: self._tell_presence(turn))
        if turn.mono >= self._next_beat:
            self._next_beat = turn.mono + self.facts.beat_seconds
            turn.after_commit(lambda: self._beat(turn))

    def deadline(self) -> float:
        """When `tick` has something to do next, in monotonic seconds."""
        return min(self._next_beat, self._next_presence, self._next_sweep)

    def finish(self, turn: Turn) -> tuple[list[tuple[bytes, Reply]], list[bytes]]:
        """The batch is on disk (or empty): the replies in order, and the feed's frames in order."""
        if turn.batch:
            self.commit, self.time = turn.batch.number, turn.batch.time
        self.tables.commit()
        for room in turn.batch.chunks:
            self.desk.changed[room] = turn.batch.number
            if room in self.tables.open_rooms:
                self.desk.touched.add(room)
        fanout.push(turn)
        told = [(peer, notice) for user, notice in turn.told for peer in self.desk.reach(user)]
        replies, frames = self._outgoing(turn, turn.writers + told)
        return replies + turn.last_words, frames

    def undo(self, turn: Turn) -> tuple[list[tuple[bytes, Reply]], list[bytes]]:
        """The batch is not on disk: memory is as before; what wrote is refused, what read is answered."""
        self.tables.undo()
        for function in reversed(turn.undos):
            function()
        turn.batch.clear()
        turn.notes.clear()
        refused: list[tuple[bytes, Reply]] = [(peer, store_refusal(reply.re)) for peer, reply in turn.writers]
        # A refusal may rest on what was undone ("taken" by a hello of the same batch): nobody may rely on it.
        turn.replies = [
            (peer, store_refusal(reply.re) if isinstance(reply, m.Refused) else reply) for peer, reply in turn.replies
        ]
        # Nor were they shut out to whom this batch would answer no more.
        refused += [(peer, store_refusal(re)) for peer, re in turn.dropped if peer not in self.desk.shut]
        turn.dropped = [(peer, re) for peer, re in turn.dropped if peer in self.desk.shut]
        turn.shut_out = False
        return self._outgoing(turn, refused)

    def _outgoing(
        self, turn: Turn, writers: list[tuple[bytes, Reply]]
    ) -> tuple[list[tuple[bytes, Reply]], list[bytes]]:
        frames = [
            wire.feed_frame(wire.ROOM_TOPIC + room, payload)
            for room, chunk in turn.batch.chunks.items()
            if room in self.tables.open_rooms
            for _, _, payload in chunk.pieces()
        ]
        for function in turn.afters:
            function()
        # They hold the turn, which holds them: left to the garbage collector, whole turns would pile up.
        turn.afters.clear()
        turn.undos.clear()
        frames += [wire.feed_frame(topic, payload) for topic, payload in turn.markers + turn.published]
        return writers + turn.replies, frames

    def release(self, job: ReadJob, payload: bytes) -> bytes | None:
        """What a read may answer now that it leaves: rights may have changed while it was read. None: nobody is there.

        Between turns, so that the tables are what is on disk.
        """
        connection = self.desk.connections.get(job.peer)
        if connection is None:
            return None
        if connection.user == job.user and reading.is_still_theirs(self.tables, job, self.time):
            return payload
        return wire.encode(refusal(job.re, rooms.missing(job.room)))

    def _tell_presence(self, turn: Turn) -> None:
        delta = self.desk.delta(self.facts.boot)
        if delta is not None:
            turn.publish(wire.PRESENCE_TOPIC, wire.encode(delta))

    def _beat(self, turn: Turn) -> None:
        self.k += 1
        heads = {room: reading.head_of(self.tables, room) for room in sorted(self.desk.touched)}
        self.desk.touched.clear()
        beat = m.Beat(
            self.facts.boot, self.k, self.facts.epoch, self.commit, heads, self.desk.version, self.desk.directory
        )
        turn.publish(wire.BEAT_TOPIC, wire.encode(beat))
