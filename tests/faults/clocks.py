"""A wall clock that can be set, for one process or several: Debian's libfaketime. Their monotonic clocks go on."""

import os
from pathlib import Path

from tests.faults.disks import need

DAY = 86_400
# A clock that was set is noticed so much later at the latest.
NOTICED_SECONDS = 1


def _library() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    need(bool(found), "this test sets clocks: it needs libfaketime (on Debian `apt install libfaketime`)")
    return str(found[0])


class WallClock:
    """Shows the time, but for what it is ahead by. Processes started with its ``variables`` go by it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)
        self.variables = {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            # Looking into the file every time would take more of the processor than the chat does.
            "FAKETIME_CACHE_DURATION": str(NOTICED_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, ahead: int) -> None:
        """Set it so many seconds ahead of the time, or behind it."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{ahead:+d}\n")
        os.replace(beside, self._file)
