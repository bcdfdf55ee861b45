"""The command line of ``python -m chat_client``; a verb a function, options in `options`, statuses in `output`."""

import io
import os
import signal
import sys

from chat_client.cli.options import make_parser
from chat_client.cli.output import CONFIG, DONE, ENDED, INTERRUPTED, REFUSED, UNAVAILABLE, USAGE, refused_status, say
from chat_core.errors import AddressError, IdentityError, RefusedError, UnreachableError, WireError


class _EndedError(Exception):
    """SIGTERM came: an exception, so that the client says bye on the way out."""


def _end(*_: object) -> None:
    raise _EndedError


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    signal.signal(signal.SIGTERM, _end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # JSON is UTF-8 whatever the system thinks, and a console that cannot show a character shows another one.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    parser = make_parser()
    args = parser.parse_args(argv)
    if not args.verb:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except AddressError as problem:
        return say(problem, USAGE)
    except RefusedError as problem:
        return say(problem, refused_status(problem.code))
    except UnreachableError as problem:
        return say(problem, UNAVAILABLE)
    except IdentityError as problem:
        return say(problem, CONFIG)
    except WireError as problem:
        return say(f"The broker sent something that this version cannot read ({problem}).", REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except _EndedError:
        return ENDED
    except BrokenPipeError:
        # Whoever read our output has enough: `tail ... | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
