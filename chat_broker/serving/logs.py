"""Logging of the broker's process: lines for people, or one JSON object a line for machines."""

import logging
import sys

from chat_broker.settings import LogSettings
from chat_core import wire


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time (seconds since 1970), level, logger, message, and the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, str | float] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return wire.encode(entry).decode()


def set_up_logging(settings: LogSettings) -> None:
    """Log to standard error; standard output is for what is asked for."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.json:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logging.getLogger("filelock").setLevel("WARNING")  # says nothing about the chat, and much of it
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
