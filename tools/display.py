"""A screen to show windows on: the one that is there, or one of our own that nobody sees (Xvfb)."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

# Large enough for the widest window of the gallery at twice the design's size.
WIDTH, HEIGHT = 2600, 1700

ADVICE = """There is no display here. Run this in a desktop session (over ssh: with -X), or on a display of its own:

    apt install xvfb
    xvfb-run -s "-screen 0 2600x1700x24 -noreset" {command}"""


def there_is_one() -> bool:
    """Can a window be opened here? On X11 it is only looked whether a display is named."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY"))


@contextlib.contextmanager
def some_screen(command: str) -> Iterator[None]:
    """Have a display as long as this lasts: the one of the session, else a hidden one. Raises SystemExit, saying what
    to do, where there can be none. ``command``: what was to be run, for the advice."""
    if there_is_one():
        yield
    elif shutil.which("Xvfb"):
        with hidden_screen():
            yield
    else:
        raise SystemExit(ADVICE.format(command=command))


@contextlib.contextmanager
def hidden_screen() -> Iterator[None]:
    """An Xvfb of our own, and DISPLAY set to it."""
    # With -noreset it outlives its last client; with -displayfd it finds a free number and says so once it is ready.
    size = f"{WIDTH}x{HEIGHT}x24"
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-noreset", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    before = os.environ.get("DISPLAY")
    try:
        with open(reading) as told:
            number = told.readline().strip()
        if not number:
            raise SystemExit(f"Xvfb does not start (it ended with {server.wait()}).")
        os.environ["DISPLAY"] = f":{number}"
        yield
    finally:
        os.environ.pop("DISPLAY", None)
        if before is not None:
            os.environ["DISPLAY"] = before
        server.terminate()
        server.wait()
