"""Every verb and option of the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path

from chat_client.cli.keys import forget, key
from chat_client.cli.send import send
from chat_client.cli.tail import tail
from chat_client.cli.verbs import LINK, link, outbox, ping, run
from chat_core import VERSION, verbs

VERBS = ("send", "tail", *(verb.name for verb in verbs.VERBS), "link", "outbox", "ping", "key", "forget")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chat-client", description="A chat for the LAN, from the command line.", parents=[common()]
    )
    parser.add_argument("--version", action="version", version=f"zmq-chat {VERSION}")
    parser.set_defaults(broker=None, name=None, identity=None, timeout=10.0, json=False, accept_key=None, security="")
    subs = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], int], help_: str) -> argparse.ArgumentParser:
        sub = subs.add_parser(name, help=help_, description=_sentence(help_), parents=[common()])
        sub.set_defaults(run=run)
        return sub

    send_ = verb("send", send, "post messages; prints each one's number when it is acknowledged")
    send_.add_argument(
        "room", nargs="?", metavar="ROOM", help="a room; @NAME or @NAME,NAME: who reads it alone (the broker is asked)"
    )
    send_.add_argument(
        "text",
        nargs="*",
        metavar="TEXT",
        help="the message (if it begins with a dash: options before ROOM); else standard input is one",
    )
    send_.add_argument(
        "--lines", action="store_true", help="every line of standard input is a message, sent as it comes"
    )
    send_.add_argument("--key", help="a name for this command: repeated with the same key, it counts once")
    send_.add_argument("--flush", action="store_true", help="send what earlier commands could not")
    tail_ = verb("tail", tail, "print a room's events as they come")
    tail_.add_argument("room", metavar="ROOM", help="a room; @NAME or @NAME,NAME: where you talk with them alone")
    tail_.add_argument(
        "--from", dest="start", type=int, metavar="SEQ", help="begin with this number; 1: the first; -10: the last ten"
    )
    tail_.add_argument("--count", type=count, metavar="N", help="end after so many")
    for asked in verbs.VERBS:
        verbs.add_to(verb(asked.name, run(asked), asked.what), asked)
    verb("link", link, LINK.what).add_argument(
        "--code", action="store_true", help="on the new machine: read the code that the old one shows"
    )
    outbox_ = verb("outbox", outbox, "show what is unsent, for whatever broker")
    outbox_.add_argument("--drop", type=count, nargs="+", metavar="NUMBER", help="give these up")
    forget_ = verb("forget", forget, "trust the key of the broker at an address no longer")
    forget_.add_argument("address", metavar="ADDRESS")
    key_ = verb("key", key, "your own key: show it, or carry it to another machine")
    what = key_.add_subparsers(dest="what", metavar="show|export|import", required=True)

    def part(name: str, help_: str) -> argparse.ArgumentParser:
        return what.add_parser(name, help=help_, description=_sentence(help_), parents=[common()])

    part("show", "print the public key and its fingerprint")
    export_ = part("export", "write the secret key to a new file, for you alone")
    import_ = part("import", "take the secret key from such a file, for the --name or --identity that is given")
    for sub in (export_, import_):
        sub.add_argument("file", type=Path, metavar="FILE")
    import_.add_argument("--force", action="store_true", help="in the place of the key that is there, which is kept")
    ping_ = verb("ping", ping, "measure round trips to the broker")
    ping_.add_argument("--count", type=count, default=4, metavar="N", help="how many (4)")
    ping_.add_argument("--interval", type=seconds, default=0.5, metavar="SECONDS", help="between two (0.5)")
    return parser


def common(exit_on_error: bool = True) -> argparse.ArgumentParser:
    """The options that may stand before the verb and behind it; made anew for each, as argparse shares defaults."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, exit_on_error=exit_on_error)
    option = common.add_argument_group("options of every verb").add_argument
    option("--broker", metavar="ADDRESS", help="host, host:port or join string (or CHAT_BROKER; else this machine)")
    option("--name", help="who you are (or CHAT_NAME; else your login's name)")
    option("--identity", metavar="DIR", help="the folder of your key and outbox (or CHAT_IDENTITY; else by name)")
    option("--accept-key", metavar="FINGERPRINT", help="trust a broker with this key (or CHAT_ACCEPT_KEY)")
    option("--security", choices=("curve", "open"), help="open: trust a broker that does not encrypt")
    option("--timeout", type=seconds, metavar="SECONDS", help="how long to wait for an answer of the broker (10)")
    option("--json", action="store_true", help="one JSON object a line")
    return common


def _sentence(help_: str) -> str:
    return f"{help_[0].upper()}{help_[1:]}."


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError("a number of seconds over 0")
    return value


def count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a number over 0")
    return value
