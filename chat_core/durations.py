"""Spans of time as people type and read them: "90s", "2h", "1d12h"; and moments, in this machine's time zone."""

import re
from datetime import datetime

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PART = re.compile(r"(\d{1,9})([smhdw])")
_WHOLE = re.compile(rf"({_PART.pattern})+")


def seconds_in(text: str) -> int:
    """How long "2h30m" is. Raises ValueError with a sentence."""
    typed = text.strip().lower().replace(" ", "")
    if not _WHOLE.fullmatch(typed):
        raise ValueError(f"{text!r} is no span of time: write it like 30s, 10m, 2h or 3d.")
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(typed))


def span(seconds: int) -> str:
    """So many seconds for people, in the largest units that give whole numbers: "2h30m"."""
    parts = []
    for unit in ("d", "h", "m", "s"):
        count, seconds = divmod(seconds, _SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def roughly(ms: int) -> str:
    """So many milliseconds for people who wait: in whole seconds."""
    return span(-(-ms // 1000)) if ms > 1000 else "a second"


def moment(ms: int) -> str:
    """A moment in ms since 1970 for people: "2026-11-25 18:30"."""
    try:
        return f"{datetime.fromtimestamp(ms / 1000):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):  # a broker's clock may be anything up to 2^53
        return "some day"
