"""A random world with private rooms and guests: whatever breaks, everybody has what they may read, and nothing more."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from chat_core import messages as m
from tests.client.network import PRIVATE, World

who = st.integers(0, 3)
rooms = st.sampled_from(sorted(PRIVATE))
moments = st.sampled_from([0.0, 0.001, 0.003, 0.02, 0.3, 1.0, 6.0])
yes = st.booleans()


class PrivateSimulation(RuleBasedStateMachine):
    """c0 owns "plan", of which one sees what is said from joining on, and "plot", of which one sees all."""

    world: World

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        self.world = World(4, seed)
        for client in self.world.clients:
            client.process.follow("lobby")
        self.world.run(0.5)
        owner = self.world.clients[0].process
        owner.ask(m.Create(room="plan", kind="private"))
        owner.ask(m.Create(room="plot", kind="private", history="all"))
        self.world.run(1.0)

    def client(self, number: int):  # type: ignore[no-untyped-def]
        return self.world.clients[number % len(self.world.clients)]

    def ask(self, number: int, request: m.Request) -> None:
        process = self.client(number).process
        if process.alive:
            process.ask(request)

    @rule(seconds=moments)
    def flow(self, seconds: float) -> None:
        self.world.run(seconds)

    @rule()
    def work(self) -> None:
        self.world.heal()
        self.world.run(1.0)

    # People.

    @rule(
        number=who,
        room=st.sampled_from(["lobby", *sorted(PRIVATE)]),
        count=st.sampled_from([1, 2, 10]),
        seconds=moments,
    )
    def post(self, number: int, room: str, count: int, seconds: float) -> None:
        process = self.client(number).process
        if process.alive:
            for _ in range(count):
                process.post(room)
        self.world.run(seconds)

    @rule(number=who, room=rooms)
    def invite(self, number: int, room: str) -> None:
        self.ask(0, m.Invite(room=room, user=self.client(number).person))

    @rule(number=who, room=rooms, seconds=moments)
    def come_in(self, number: int, room: str, seconds: float) -> None:
        self.invite(number, room)
        self.world.run(0.1)
        self.ask(number, m.Join(room=room))
        self.world.run(seconds)

    @rule(number=who, room=rooms, seconds=moments)
    def remove(self, number: int, room: str, seconds: float) -> None:
        self.ask(0, m.Remove(room=room, user=self.client(number).person))
        self.world.run(seconds)

    @rule(number=who, room=rooms, count=st.integers(1, 4), seconds=st.sampled_from([0.001, 0.02, 0.3]))
    def go_out_and_in_again(self, number: int, room: str, count: int, seconds: float) -> None:
        self.remove(number, room, seconds)
        self.post(0, room, count, seconds)
        self.come_in(number, room, seconds)
        self.post(0, room, count, seconds)

    @rule(number=who, room=rooms)
    def leave(self, number: int, room: str) -> None:
        self.ask(number, m.Leave(room=room))

    @rule(room=rooms, seq=st.integers(1, 20))
    def delete(self, room: str, seq: int) -> None:
        self.ask(0, m.Delete(room=room, seq=seq))

    @rule(number=st.integers(1, 3), role=st.sampled_from(["guest", "member"]))
    def change_role(self, number: int, role: str) -> None:
        if self.world.broker is not None:
            self.world.broker.administer(m.Role(user=self.client(number).person, role=role))  # type: ignore[arg-type]

    # What breaks.

    @rule(number=who, count=st.integers(1, 4), room=rooms)
    def lose_events(self, number: int, count: int, room: str) -> None:
        for wire in self.client(number).wires.values():
            wire.to_drop = count
        self.post(0, room, count + 1, 0.02)

    @rule(
        number=who,
        line=st.sampled_from(["posts", "feed"]),
        state=st.sampled_from(["cut", "paused", "wrong"]),
        seconds=moments,
        room=rooms,
    )
    def spoil_for_a_while(self, number: int, line: str, state: str, seconds: float, room: str) -> None:
        wire = self.client(number).wires[line]
        wire.set(state)
        self.post(0, room, 2, seconds)
        wire.set("up")
        self.world.run(0.5)

    @rule(number=who, room=rooms, state=st.sampled_from(["cut", "paused"]), back=yes)
    def be_away_while_one_is_removed(self, number: int, room: str, state: str, back: bool) -> None:
        wire = self.client(number).wires["posts"]
        wire.set(state)
        self.remove(number, room, 0.1)
        self.post(0, room, 2, 0.1)
        if back:
            self.invite(number, room)
        wire.set("up")
        self.world.run(0.5)

    @rule(lose=yes, prompt=yes)
    def restart_broker(self, lose: bool, prompt: bool) -> None:
        self.world.crash_broker(lose, prompt)
        self.world.start_broker()

    @rule(seconds=st.sampled_from([0.0, 0.02, 2.0]))
    def slow_reader(self, seconds: float) -> None:
        self.world.reader_seconds = seconds

    @rule(number=who, keep_replicas=yes)
    def restart_client(self, number: int, keep_replicas: bool) -> None:
        self.client(number).restart(keep_replicas)

    @rule(batches=st.integers(1, 4), new_epoch=yes, lose=yes)
    def roll_back(self, batches: int, new_epoch: bool, lose: bool) -> None:
        self.world.roll_back(batches, new_epoch, lose)
        self.world.start_broker()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            self.world.check()


TestPrivateSimulation = PrivateSimulation.TestCase
