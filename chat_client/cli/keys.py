"""``key`` and ``forget``: one's own key, and the brokers that are known; none of it needs a broker."""

import argparse
import os
from pathlib import Path

from chat_client.cli.opening import chosen, identity_folder
from chat_client.cli.output import DONE, REFUSED, print_json, say
from chat_client.identity import export_key, import_key, open_identity
from chat_client.pins import Pins
from chat_core.address import parse_address
from chat_core.keys import fingerprint


def key(args: argparse.Namespace) -> int:
    """Show the public key, or write the secret one to a file, or take it from one."""
    run = {"show": _show, "export": _export, "import": _import}[args.what]
    return run(args, identity_folder(args))


def forget(args: argparse.Namespace) -> int:
    """Trust what is at an address no longer: the next time it has to be confirmed anew."""
    address = parse_address(args.address)
    if not Pins(identity_folder(args)).forget(address):
        return say(f"Nothing is known of a broker at {address.text} here. (Each identity has brokers of its own: say "
                   "which with --name or --identity.)", REFUSED)  # fmt: skip
    text = f"The broker at {address.text} is forgotten: whoever answers there has to be confirmed anew."
    return _tell(args, text, {"forgotten": address.text})


def _show(args: argparse.Namespace, folder: Path) -> int:
    told = _told(folder)
    return _tell(args, "\n".join(f"{name:<12} {value}" for name, value in told.items()), told)


def _export(args: argparse.Namespace, folder: Path) -> int:
    export_key(folder, args.file)
    text = f"The secret key is in {args.file}: whoever has that file can write as you."
    return _tell(args, text, _told(folder) | {"file": os.fspath(args.file)})


def _import(args: argparse.Namespace, folder: Path) -> int:
    # A key by which no broker has let anybody in is nobody's loss; and it is kept all the same.
    aside = import_key(folder, args.file, args.force or not Pins(folder).any())
    kept = f" The one before is kept as {aside}." if aside is not None else ""
    told = _told(folder)
    by = chosen(args)
    used = f"used with {by}" if by else "used without --name; to use it with a name, import it with that --name"
    text = f"The key with the fingerprint {told['fingerprint']} is in {folder} now: it is {used}.{kept}"
    return _tell(args, text, told | {"before": os.fspath(aside or "")})


def _told(folder: Path) -> dict[str, str]:
    identity = open_identity(folder)
    return {"key": identity.public, "fingerprint": fingerprint(identity.public), "folder": os.fspath(folder)}


def _tell(args: argparse.Namespace, text: str, fields: dict[str, str]) -> int:
    """That it is done, for people or for programs."""
    if args.json:
        print_json(fields)
    else:
        print(text)
    return DONE
