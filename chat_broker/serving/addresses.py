"""Under which addresses the LAN reaches this machine."""

import contextlib
import ipaddress
import socket
from dataclasses import dataclass

import ifaddr


@dataclass(frozen=True)
class Reach:
    """(address, where it is) pairs, and the one to hand out."""

    hosts: tuple[tuple[str, str], ...]
    best: str


def reach(bind: str) -> Reach:
    """The addresses at which a socket bound to ``bind`` is reached; "*" and its likes mean every adapter's."""
    if bind not in ("*", "0.0.0.0", "::"):
        return Reach(((bind, "this address only"),), bind)
    found: list[tuple[bool, str, str]] = []
    for adapter in ifaddr.get_adapters():
        for one in adapter.ips:
            text = one.ip if isinstance(one.ip, str) else one.ip[0]
            address = ipaddress.ip_address(text)
            if not address.is_loopback and not address.is_link_local:
                found.append((address.version != 4, text, f"on the LAN, by {adapter.nice_name}"))
    default = _default()
    # IPv4 first: it is what people can read out; and of those the one that is not a bridge to virtual machines.
    found.sort(key=lambda entry: (entry[0], entry[1] != default))
    hosts = (("127.0.0.1", "on this machine"), *((text, where) for _, text, where in found))
    return Reach(hosts, found[0][1] if found else "127.0.0.1")


def _default() -> str:
    """The address from which this machine would speak to other networks, or "". Nothing is sent to find out."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address that nobody has (RFC 5737); UDP connects without a packet
        return str(probe.getsockname()[0])
    return ""
