"""Ten senders and an audience at one server, driven by one loop: as fast as it goes, or at a given rate."""

import itertools
import select
import statistics
import time
from dataclasses import dataclass

from benchmarks.audience import PATIENCE_SECONDS, Audience
from benchmarks.meters import Meter
from benchmarks.servers import Server, sender_of

SENDERS, IN_FLIGHT = 10, 256


@dataclass(frozen=True)
class Spent:
    """What a run cost the server, in microseconds of a processor, and how fast it was."""

    per_post: float
    per_delivery: float
    posts_a_second: float
    generator: float  # cores that this process used meanwhile


class Sender:
    """One that posts, and counts what is acknowledged."""

    def __init__(self, server: Server, place: int) -> None:
        self._server, self.name = server, sender_of(place)
        greetings = server.hello(place)
        self.peer = server.connect(server.posts, "DEALER", place, greetings).opened()
        answers = 0
        while answers < len(greetings):
            answers += len(self.peer.receive())
        self._numbers = itertools.count(1)
        self._replies: list[bytes] = []
        self.posted = self.checked = 0

    def post(self, count: int = 1) -> None:
        """Send so many posts."""
        self.peer.send(*[self._server.post(self.name, next(self._numbers)) for _ in range(count)])
        self.posted += count

    def take(self) -> int:
        """Take the replies that have come in; returns how many."""
        found = self.peer.receive()
        self._replies += found
        return len(found)

    def check(self) -> None:
        """Every post was acknowledged, each once and in its turn."""
        for reply in self._replies:
            self.checked += 1
            self._server.check_reply(reply, self.checked)
        self._replies.clear()
        assert self.checked == self.posted, f"{self.posted} posts, {self.checked} acknowledgements"


class Load:
    """Senders and receivers at one server, for several runs."""

    def __init__(self, server: Server, receivers: int) -> None:
        self.server = server
        self._poll = select.epoll()
        self._senders = [Sender(server, place) for place in range(SENDERS)]
        self._asker = server.connect(server.posts, "DEALER", 0, server.hello(0)).opened()
        self.audience = Audience(server, receivers, self._asker.send, self._poll)
        self._by_socket = {sender.peer.fileno(): sender for sender in self._senders}
        for number in self._by_socket:
            self._poll.register(number, select.EPOLLIN)

    def close(self) -> None:
        """Everybody goes home."""
        for peer in (self._asker, *(sender.peer for sender in self._senders)):
            peer.close()
        self.audience.close()
        self._poll.close()

    def saturate(self, posts: int) -> Spent:
        """Keep 256 posts in flight until so many have got everywhere."""
        before = self._begin()
        with Meter(self.server.pid) as spent:
            sent = 0
            for place, sender in enumerate(self._senders):
                first = len(range(place, min(IN_FLIGHT, posts), SENDERS))
                sender.post(first)
                sent += first
            answered = 0
            while answered < posts or not self.audience.together or self._unheard(posts):
                ready = self._poll.poll(PATIENCE_SECONDS)
                assert ready, f"{answered} of {posts} posts were answered, and something did not arrive"
                for number, _ in ready:
                    if number in self.audience:
                        self.audience.hear(number)
                        continue
                    sender = self._by_socket[number]
                    done = sender.take()
                    answered += done
                    if more := min(done, posts - sent):
                        sender.post(more)
                        sent += more
        self._check(before)
        return Spent(
            spent.cpu / posts * 1e6,
            spent.cpu / posts / len(self.audience) * 1e6,
            posts / spent.wall,
            spent.own / spent.wall,
        )

    def pace(self, posts: int, rate: int) -> tuple[list[float], float]:
        """So many posts at so many a second, whether the server keeps up or not: for each delivery the seconds from
        when its post was due, and the server's cores."""
        before = self._begin()
        arrivals: list[tuple[int, int, float]] = []  # receiver, how far it had come, when
        with Meter(self.server.pid) as spent:
            begun, sent = time.monotonic() + 0.01, 0
            while sent < posts or not self.audience.together or self._unheard(posts):
                now = time.monotonic()
                while sent < posts and now >= begun + sent / rate:
                    self._senders[sent % SENDERS].post()
                    sent += 1
                wait = begun + sent / rate - now if sent < posts else PATIENCE_SECONDS
                # epoll's own timeout is in ms.
                if not select.select([self._poll], [], [], max(0.0, wait))[0]:
                    assert sent < posts or now < begun + posts / rate + PATIENCE_SECONDS, "something did not arrive"
                    continue
                for number, _ in self._poll.poll(0):
                    if number in self.audience:
                        arrivals.append((number, self.audience.hear(number), time.monotonic()))
                    else:
                        self._by_socket[number].take()
        dues = {
            (self._senders[place % SENDERS].name, before[place % SENDERS] + place // SENDERS + 1): begun + place / rate
            for place in range(posts)
        }
        late = self._latencies(arrivals, dues)
        self._check(before)
        return late, spent.cpu / spent.wall

    def _begin(self) -> list[int]:
        self.audience.forget()
        return [sender.posted for sender in self._senders]

    def _unheard(self, posts: int) -> bool:
        return sum(len(said) for _, said in self.audience.heard) < posts

    def _latencies(self, arrivals: list[tuple[int, int, float]], dues: dict[tuple[str, int], float]) -> list[float]:
        """Each receiver's stretch of the stream, as it came in, against the posts that end in it."""
        late: list[float] = []
        next_message: dict[int, int] = {}
        heard = self.audience.heard
        for receiver, place, at in arrivals:
            number = next_message.get(receiver, 0)
            while number < len(heard) and heard[number][0] <= place:
                late += [at - dues[said] for said in heard[number][1]]
                number += 1
            next_message[receiver] = number
        assert len(late) == len(dues) * len(self.audience), f"{len(late)} deliveries"
        return late

    def _check(self, before: list[int]) -> None:
        """Every post was acknowledged in its turn, and was heard once and in its sender's order."""
        for sender in self._senders:
            sender.check()
        heard: dict[str, list[int]] = {}
        for _, said in self.audience.heard:
            for name, n in said:
                heard.setdefault(name, []).append(n)
        for sender, first in zip(self._senders, before, strict=True):
            assert heard.get(sender.name, []) == list(range(first + 1, sender.posted + 1)), "posts are missing"


def percentile(values: list[float], percent: float) -> float:
    """The value that so many percent do not exceed."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(percent * 10) - 1]
