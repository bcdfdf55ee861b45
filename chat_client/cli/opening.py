"""From options and environment to a client: which broker, which identity, which name."""

import argparse
import getpass
import os
from pathlib import Path

from chat_client.client import Client
from chat_client.identity import folder_for, open_identity
from chat_core import names
from chat_core.address import Address, parse_address
from chat_core.errors import RefusedError


def open_client(args: argparse.Namespace, link: str = "") -> Client:
    """The client that the options ask for, not connected yet. ``link``: a one-time code of this user's other machine,
    which has a name already."""
    name = args.name or os.environ.get("CHAT_NAME", "")
    if name:
        name = names.user_name(name)
    login = "" if name else _login()
    folder = args.identity or os.environ.get("CHAT_IDENTITY")
    identity = open_identity(Path(folder) if folder else folder_for(name or login))
    if link:
        return Client(_address(args), identity, link=link)
    return Client(_address(args), identity, name, login)


def _address(args: argparse.Namespace) -> Address:
    return parse_address(args.broker or os.environ.get("CHAT_BROKER") or "127.0.0.1")


def _login() -> str:
    """The login's name, as far as it can be a name here."""
    try:
        return names.user_name(getpass.getuser())
    except (RefusedError, KeyError, OSError):
        return "somebody"
