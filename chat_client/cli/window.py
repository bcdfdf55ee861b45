"""``python -m chat_client`` without a verb: the window, and what may stand on its command line."""

import argparse
import contextlib
import logging
import os
from pathlib import Path

from chat_client.cli.output import CONFIG, UNAVAILABLE, say
from chat_core import VERSION
from chat_core.address import parse_address


def make_parser(verbs: str) -> argparse.ArgumentParser:
    """``verbs``: those of the command line, for the help."""
    parser = argparse.ArgumentParser(
        prog="chat-client",
        description="A chat for the LAN: opens its window.",
        epilog=f"From the command line: {verbs}. Each has a --help of its own.",
    )
    option = parser.add_argument
    option("address", nargs="?", metavar="ADDRESS", help="the chat: host, host:port or chat://… (or CHAT_BROKER)")
    option("--name", help="who you are (or CHAT_NAME); asked for otherwise")
    option("--serve", action="store_true", help="start a broker on this machine first, if none answers there")
    option("--identity", metavar="DIR", type=Path, help="the folder of your key (or CHAT_IDENTITY; else by name)")
    option("--broker", metavar="ADDRESS", help=argparse.SUPPRESS)  # as the verbs have it
    option("--theme", choices=("system", "light", "dark"), default="", help="how it looks, this time")
    option("--scale", type=_scale, metavar="N", help="how large, if the display says it wrongly: 1, 1.5, 2 …")
    option("--version", action="version", version=f"zmq-chat {VERSION}")
    return parser


def open_window(args: argparse.Namespace) -> int:
    """Run the window; returns the exit status. Raises AddressError."""
    try:
        import tkinter
    except ImportError:
        return say("This Python has no Tk. On Debian: apt install python3-tk. The verbs work without.", CONFIG)
    from chat_client.gui.app import App, Wish

    logging.basicConfig(format="chat-client: %(message)s", level=logging.WARNING)
    address = args.address or args.broker or os.environ.get("CHAT_BROKER", "")
    if address:
        parse_address(address)  # a typing error is told where it was made
    identity = args.identity or os.environ.get("CHAT_IDENTITY")
    wish = Wish(
        args.name or os.environ.get("CHAT_NAME", ""),
        address,
        args.serve,
        Path(identity) if identity else None,
        args.theme,
        args.scale,
    )
    try:
        app = App(wish)
    except tkinter.TclError as problem:
        return say(f"The window cannot be opened ({problem}). The verbs work without: --help lists them.", UNAVAILABLE)
    return app.run()


def _scale(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.5 <= (value := float(text)) <= 4:
            return value
    raise argparse.ArgumentTypeError("a number from 0.5 to 4")
