"""From options and environment to a client: which broker, which identity, which name, whom to trust."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from chat_client.cli.output import say
from chat_client.client import Client
from chat_client.identity import folder_for, open_identity
from chat_client.meeting import OPEN
from chat_core import messages as m
from chat_core import names
from chat_core.address import Address, parse_address
from chat_core.errors import RefusedError, UntrustedError
from chat_core.keys import fingerprint, same_fingerprint


def open_client(args: argparse.Namespace, link: str = "") -> Client:
    """The client that the options ask for, not connected yet. ``link``: a one-time code of this user's other machine,
    which has a name already."""
    name, address = _name(args), _address(args)
    identity = open_identity(identity_folder(args))
    accepting = Accepting(address.text, args.accept_key or os.environ.get("CHAT_ACCEPT_KEY", ""), args.security)
    if link:
        return Client(address, identity, link=link, accept=accepting)
    return Client(address, identity, name, "" if name else _login(), accept=accepting)


def identity_folder(args: argparse.Namespace) -> Path:
    """The folder of the identity that the options ask for."""
    folder = args.identity or os.environ.get("CHAT_IDENTITY")
    return Path(folder) if folder else folder_for(_name(args) or _login())


def chosen(args: argparse.Namespace) -> str:
    """The options by which the identity is found that these options ask for."""
    if folder := args.identity or os.environ.get("CHAT_IDENTITY"):
        return f"--identity {folder}"
    name = _name(args)
    return f"--name {name}" if name else ""


def whose_key(args: argparse.Namespace, code: str) -> str:
    """What a refusal does not say that is about a name: on this machine, which key goes with which."""
    if code == "name_differs":
        return f" Its key is in {identity_folder(args)}: with --identity and that folder, no --name is needed."
    if code == "name_taken" and args.verb != "nick" and not (args.identity or os.environ.get("CHAT_IDENTITY")):
        name = _name(args)
        return f" Each name has a key of its own on this machine: `key import FILE --name {name}`." if name else ""
    return ""


class Accepting:
    """Decides at first contact: by the options, or else by whoever sits at the terminal."""

    def __init__(self, where: str, wanted: str, security: str) -> None:
        """``wanted``: the fingerprint that was given."""
        self._where, self._wanted, self._security = where, wanted, security

    def __call__(self, answer: m.Answer) -> bool:
        if answer.security == OPEN:
            return self._security == OPEN
        if self._wanted:
            if not same_fingerprint(self._wanted, fingerprint(answer.key)):
                text = (
                    f"The broker at {self._where} has the key {fingerprint(answer.key)}, not {self._wanted}: it is not "
                    "the broker that was meant."
                )
                raise UntrustedError("unconfirmed", text, answer.key)
            return True
        return is_terminal() and self._asked(answer)

    def _asked(self, answer: m.Answer) -> bool:
        say(
            f"The broker at {self._where}, {answer.name!r}, is not known here yet. The fingerprint of its key is\n\n"
            f"    {fingerprint(answer.key)}\n\nCompare it with the one that the broker shows when it starts."
        )
        print("Is it the same? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")


def is_terminal() -> bool:
    """Is there somebody who can be asked?"""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _name(args: argparse.Namespace) -> str:
    name = args.name or os.environ.get("CHAT_NAME", "")
    return names.user_name(name) if name else ""


def _address(args: argparse.Namespace) -> Address:
    return parse_address(args.broker or os.environ.get("CHAT_BROKER") or "127.0.0.1")


def _login() -> str:
    """The login's name, as far as it can be a name here."""
    try:
        return names.user_name(getpass.getuser())
    except (RefusedError, KeyError, OSError):
        return "somebody"
