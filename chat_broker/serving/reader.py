"""The reader: pages of history and forks, answered in a thread of its own so that no post waits for them."""

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from chat_broker.store import LogReader
from chat_broker.turn import ReadJob, refusal
from chat_core import wire
from chat_core.errors import RefusedError, StoreError, WireError
from chat_core.messages import Forked, Paged, Refused, Reply

log = logging.getLogger("chat.reader")

_END = object()


def answer(reader: LogReader, job: ReadJob, epoch: str) -> Reply:
    """Do a read. The head is the one that was committed when it was asked; events after it are not told."""
    try:
        if job.points is not None:
            return Forked(job.re, job.room, epoch, _fork(reader, job))
        events = reader.page(job.room, job.after, job.upto, job.limit)
        return Paged(job.re, job.room, epoch, job.head.first, (job.head.seq, job.head.chain), events)
    except (StoreError, WireError) as problem:
        log.error("a page of %s cannot be read: %s", job.room, problem)
        return _unreadable(job.re)


def _unreadable(re: int) -> Refused:
    """What whoever asked for history gets that cannot be read."""
    text = "The broker cannot read its history at the moment; its log says why."
    return refusal(re, RefusedError("store", text))


def _fork(reader: LogReader, job: ReadJob) -> int:
    """The highest of the points that the log has: chains once apart stay apart, so the first match from above is it."""
    for seq, chain in sorted(job.points or (), reverse=True):
        if seq <= job.head.seq and reader.chain(job.room, seq) == chain:
            return seq
    return 0


class Reader:
    """Takes jobs from the loop, hands (job, reply) back through ``results`` and calls ``wake``.

    Made, used and stopped by the loop's thread; the database connection lives in the reader's.
    """

    def __init__(self, path: Path, epoch: str, wake: Callable[[], None]) -> None:
        self.results: queue.SimpleQueue[tuple[ReadJob, bytes]] = queue.SimpleQueue()
        self._jobs: queue.SimpleQueue[ReadJob | object] = queue.SimpleQueue()
        self._path, self._epoch, self._wake = path, epoch, wake
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def ask(self, job: ReadJob) -> None:
        """Queue a read."""
        self._jobs.put(job)

    def stop(self) -> None:
        """Do what was asked, then end; harmless if it has ended."""
        self._jobs.put(_END)
        self._thread.join(10)

    def _run(self) -> None:
        reader: LogReader | None = None
        while isinstance(job := self._jobs.get(), ReadJob):
            try:
                reader = reader or LogReader(self._path)
            except StoreError as problem:
                log.error("%s", problem)
                reply: Reply = _unreadable(job.re)
            else:
                reply = answer(reader, job, self._epoch)
            self.results.put((job, wire.encode(reply)))
            self._wake()
        if reader is not None:
            reader.close()


class InlineReader:
    """The same without a thread, for tests that turn the crank themselves."""

    def __init__(self, path: Path, epoch: str) -> None:
        self.results: queue.SimpleQueue[tuple[ReadJob, bytes]] = queue.SimpleQueue()
        self._reader, self._epoch = LogReader(path), epoch

    def ask(self, job: ReadJob) -> None:
        """Read at once."""
        self.results.put((job, wire.encode(answer(self._reader, job, self._epoch))))

    def stop(self) -> None:
        """Release the database."""
        self._reader.close()
