"""What can happen to a line between a client and its broker: a list of faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.faults.impostors import Impostor
from tests.faults.proxy import Line, Weather

# What is behind a silent line is found out by its silence: posts 8 s, feed 6 s, with time to connect anew.
NOTICED_SECONDS = 9.0


@dataclass
class Fault:
    """Something that happens to a line for a while. ``quiet``: nothing breaks, so that it takes its silence to see it;
    ``mild``: the line still works."""

    name: str
    line: str
    seconds: float
    begin: Callable[[Line], object]
    quiet: bool = False
    mild: bool = False

    def __str__(self) -> str:
        return f"{self.line} {self.name}"


def weather(line: str) -> Iterator[Fault]:
    """What can happen to bytes on a line."""
    held, late, thin = Weather(paused=True), Weather(delay=0.4), Weather(rate=20_000)
    yield Fault("cut", line, 4, lambda it: it.cut())
    yield Fault("cut for a moment", line, 0.05, lambda it: it.cut(), mild=True)
    yield Fault("held back both ways", line, 13, lambda it: it.spoil(held, held), quiet=True)
    yield Fault("held back on its way up", line, 4, lambda it: it.spoil(up=held), quiet=True)
    yield Fault("held back on its way down", line, 12, lambda it: it.spoil(down=held), quiet=True)
    yield Fault("half open", line, NOTICED_SECONDS, lambda it: it.forget(), quiet=True)
    yield Fault("late", line, 5, lambda it: it.spoil(late, late), mild=True)
    yield Fault("thin", line, 5, lambda it: it.spoil(thin, thin), mild=True)


def programs(line: str, found: dict[str, Impostor]) -> Iterator[Fault]:
    """Every other program, on this line's port alone."""
    for kind, impostor in found.items():
        quiet = kind not in ("a server that hangs up", "an HTTP server", "a server of garbage")
        target = impostor.target
        yield Fault(f"led to {kind}", line, 4, lambda it, target=target: it.divert(target), quiet=quiet)
