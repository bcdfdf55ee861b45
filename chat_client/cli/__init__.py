"""The command line of ``python -m chat_client``: the window, or a verb; options in `options`, statuses in `output`."""

import argparse
import difflib
import io
import os
import signal
import sys

from chat_client.cli import window
from chat_client.cli.opening import whose_key
from chat_client.cli.options import VERBS, common, make_parser
from chat_client.cli.output import (
    CONFIG,
    DONE,
    ENDED,
    INTERRUPTED,
    REFUSED,
    UNAVAILABLE,
    USAGE,
    refused_status,
    say,
    trouble_status,
)
from chat_client.cli.window import open_window
from chat_core.errands import UsageError
from chat_core.errors import (
    AddressError,
    IdentityError,
    RefusedError,
    TroubleError,
    UnreachableError,
    UntrustedError,
    WireError,
)


class _EndedError(Exception):
    """SIGTERM came: an exception, so that the client says bye on the way out."""


def _end(*_: object) -> None:
    raise _EndedError


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    os.umask(0o077)  # what is unsent, and what was read, is for its owner alone
    signal.signal(signal.SIGTERM, _end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # JSON is UTF-8 whatever the system thinks, and a console that cannot show a character shows another one.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    words = sys.argv[1:] if argv is None else argv
    try:
        if not _has_verb(words):
            return _open_window(words)
        args = make_parser().parse_args(words)
        return _run(args)
    except (AddressError, UsageError) as problem:
        return say(problem, USAGE)
    except RefusedError as problem:
        return say(problem, refused_status(problem.code))
    except TroubleError as problem:
        return say(problem, trouble_status(problem.code))
    except UntrustedError as problem:
        return say(problem, CONFIG)
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


def _open_window(words: list[str]) -> int:
    """The window; or, where there are too many words for it, what may have been meant."""
    parser = window.make_parser(", ".join(VERBS))
    args, more = parser.parse_known_args(words)
    if more and args.address and (meant := difflib.get_close_matches(args.address, VERBS, 1)):
        return say(f"There is no verb {args.address!r}: is it {meant[0]!r}? --help lists them.", USAGE)
    return open_window(parser.parse_args(words))


def _run(args: argparse.Namespace) -> int:
    try:
        status: int = args.run(args)
    except RefusedError as problem:
        raise RefusedError(problem.code, f"{problem}{whose_key(args, problem.code)}") from problem
    sys.stdout.flush()
    return status


def _has_verb(words: list[str]) -> bool:
    """Is the first word that is no option a verb? (Else it is an address, and the window is wanted.)"""
    # Its own help would end the program, and a wrong option is told by whoever is meant.
    parser = common(exit_on_error=False)
    try:
        _, others = parser.parse_known_args([word for word in words if word not in ("-h", "--help")])
    except argparse.ArgumentError:
        return any(word in VERBS for word in words)
    return next((word for word in others if not word.startswith("-")), "") in VERBS
