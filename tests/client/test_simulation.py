"""A random world (network.py): whatever breaks, in whatever order, in the end nothing is lost, doubled or reordered."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chat_core import messages as m
from tests.client.network import Replica, World

MOST_CLIENTS = 5

who = st.integers(0, MOST_CLIENTS - 1)
rooms = st.sampled_from(["lobby", "lobby", "a", "a", "b"])
lines = st.sampled_from(["posts", "feed"])
yes = st.booleans()
moments = st.sampled_from([0.0, 0.001, 0.002, 0.003, 0.005, 0.02, 0.3, 1.0, 2.5, 4.0, 9.0])


class Simulation(RuleBasedStateMachine):
    """Each rule breaks something, mends something, or has somebody do something; `flow` lets time pass."""

    world: World

    @initialize(seed=st.integers(0, 2**16), following=st.lists(rooms, min_size=3, max_size=3))
    def begin(self, seed: int, following: list[str]) -> None:
        self.world = World(3, seed)
        for client, room in zip(self.world.clients, following, strict=True):
            client.process.follow("lobby")
            client.process.follow(room)
        self.world.clients[0].process.ask(m.Create(room="a"))
        self.world.run(0.5)
        for client in self.world.clients:
            client.process.ask(m.Join(room="a"))
        self.world.run(1.0)

    def client(self, number: int):  # type: ignore[no-untyped-def]
        return self.world.clients[number % len(self.world.clients)]

    # Time passes while things work as far as they do.

    @rule(seconds=moments)
    def flow(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule(seconds=st.sampled_from([0.5, 3.0]))
    def work(self, seconds: float) -> None:
        self.world.heal()
        self.world.run(seconds)

    # People.

    @rule(number=who, room=rooms, count=st.sampled_from([1, 1, 2, 5, 20, 100]), seconds=moments)
    def post(self, number: int, room: str, count: int, seconds: float) -> None:
        process = self.client(number).process
        if process.alive:
            for _ in range(count):
                process.post(room)
        self.world.run(seconds)

    @rule(number=who, room=rooms)
    def create(self, number: int, room: str) -> None:
        process = self.client(number).process
        if process.alive:
            process.ask(m.Create(room=room, once=f"{self.world.dice.getrandbits(64):016x}"))

    @rule(number=who, room=rooms)
    def join(self, number: int, room: str) -> None:
        process = self.client(number).process
        if process.alive:
            process.ask(m.Join(room=room))

    @rule(number=who, room=rooms)
    def leave(self, number: int, room: str) -> None:
        process = self.client(number).process
        if process.alive:
            process.ask(m.Leave(room=room))

    @rule(number=who, room=rooms, from_head=yes)
    def follow(self, number: int, room: str, from_head: bool) -> None:
        process = self.client(number).process
        log = self.world.store.log(room)
        if process.alive and from_head and log and room not in process.replicas:
            process.follow(room, Replica(len(log) - 1, log[-1:]))
        elif process.alive:
            process.follow(room)

    @rule(number=who, room=rooms)
    def unfollow(self, number: int, room: str) -> None:
        process = self.client(number).process
        if process.alive:
            process.unfollow(room)

    @rule(number=who, room=rooms, lost=st.integers(1, 4), seconds=st.sampled_from([0.0, 0.001, 0.003, 0.01]))
    def talk_past_holes(self, number: int, room: str, lost: int, seconds: float) -> None:
        for client in self.world.clients:
            client.wires["feed"].to_drop = lost
        for _ in range(8):
            self.post(number, room, 1, seconds)
        self.world.run(0.2)

    @rule(number=who, room=rooms, seconds=st.sampled_from([0.001, 0.003, 0.01]), slow=st.sampled_from([0.001, 0.02]))
    def talk_to_one_who_catches_up(self, number: int, room: str, seconds: float, slow: float) -> None:
        late = self.client(number + 1).process
        if late.alive:
            self.world.reader_seconds = slow
            late.unfollow(room)
            late.follow(room)
        for _ in range(10):
            self.post(number, room, 1, seconds)
        self.world.run(0.2)

    # The network.

    @rule(
        number=who, line=lines, state=st.sampled_from(["cut", "paused", "paused", "wrong"]), seconds=moments, room=rooms
    )
    def spoil_for_a_while(self, number: int, line: str, state: str, seconds: float, room: str) -> None:
        wire = self.client(number).wires[line]
        wire.set(state)
        self.post(number, room, 1, 0.0)
        self.post(number + 1, room, 2, seconds)
        wire.set("up")
        self.world.run(0.5)

    @rule(number=who, line=lines, state=st.sampled_from(["cut", "paused", "paused", "wrong"]), prompt=yes)
    def spoil(self, number: int, line: str, state: str, prompt: bool) -> None:
        self.client(number).wires[line].set(state, prompt)

    @rule(number=who, line=lines, prompt=yes)
    def blip(self, number: int, line: str, prompt: bool) -> None:
        wire = self.client(number).wires[line]
        wire.set("cut", prompt)
        wire.set("up", prompt)

    @rule(number=who, line=lines)
    def mend(self, number: int, line: str) -> None:
        self.client(number).wires[line].set("up")

    @rule(number=who, line=lines, seconds=st.sampled_from([0.0, 0.01, 0.1, 1.0]))
    def delay(self, number: int, line: str, seconds: float) -> None:
        self.client(number).wires[line].delay = seconds

    @rule(number=who, count=st.integers(1, 5))
    def drop(self, number: int, count: int) -> None:
        self.client(number).wires["feed"].to_drop = count

    # The broker.

    @rule(lose=yes, prompt=yes)
    def crash_broker(self, lose: bool, prompt: bool) -> None:
        self.world.crash_broker(lose, prompt)

    @rule()
    def crash_after_a_commit(self) -> None:
        if self.world.broker is not None:
            self.world.broker.dies_after_commit = True

    @rule()
    def start_broker(self) -> None:
        self.world.start_broker()

    @rule(failing=yes, seconds=moments)
    def fill_disk(self, failing: bool, seconds: float) -> None:
        self.world.store.failing = failing and self.world.broker is not None
        self.world.run(seconds)

    @rule(seconds=st.sampled_from([0.0, 0.005, 0.2, 2.0]))
    def slow_reader(self, seconds: float) -> None:
        self.world.reader_seconds = seconds

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.3]))
    def slow_outboxes(self, seconds: float) -> None:
        self.world.outbox_seconds = seconds

    @rule(batches=st.integers(1, 6), new_epoch=yes, lose=yes)
    def roll_back(self, batches: int, new_epoch: bool, lose: bool) -> None:
        self.world.roll_back(batches, new_epoch, lose)
        self.world.start_broker()

    # Client processes.

    @rule(
        number=who, room=rooms, batches=st.integers(1, 3), new_epoch=yes, seconds=st.sampled_from([0.001, 0.002, 0.02])
    )
    def roll_back_what_was_just_said(
        self, number: int, room: str, batches: int, new_epoch: bool, seconds: float
    ) -> None:
        self.post(number, room, 2, seconds)
        self.post(number + 1, room, 1, seconds)
        self.roll_back(batches, new_epoch, lose=False)
        self.post(number + 2, room, 1, 0.0)

    @rule(number=who)
    def crash_client(self, number: int) -> None:
        self.client(number).crash()

    @rule(number=who, keep_replicas=yes)
    def restart_client(self, number: int, keep_replicas: bool) -> None:
        self.client(number).restart(keep_replicas)

    @rule(number=who)
    def sleep(self, number: int) -> None:
        self.client(number).process.wake_up()

    @precondition(lambda self: len(self.world.clients) < MOST_CLIENTS)
    @rule(number=who, copied=yes)
    def clone(self, number: int, copied: bool) -> None:
        other = self.client(number)
        clone = self.world.add_client(other.person, other.disk.copy() if copied else other.disk)
        clone.process.follow("lobby")

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            self.world.check()


TestSimulation = Simulation.TestCase
