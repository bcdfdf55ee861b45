"""What two stand-ins for the broker's database have in common: kept rows, the fates of post numbers, the clock."""

from chat_broker.batch import Batch, Outcome
from chat_broker.tables import SenderState


class Disk:
    """Everything of a store but the log, in dicts."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        self.outcomes: dict[tuple[str, int], Outcome] = {}
        self.senders: dict[str, SenderState] = {}
        self.clock = (0, 0)

    def keep(self, batch: Batch) -> None:
        """Write what a batch has apart from events."""
        for sender, run in batch.runs.items():
            for n, outcome in enumerate(run.outcomes, run.first):
                assert (sender, n) not in self.outcomes, "a number was spent twice"
                self.outcomes[sender, n] = outcome
                self.senders[sender] = SenderState(run.user, n)
        for row, value in batch.puts.items():
            if value is None:
                self.kept.pop(row, None)
            else:
                self.kept[row] = value
        self.clock = batch.number, batch.time
