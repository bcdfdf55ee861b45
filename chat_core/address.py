"""Where a broker is: what people type, and the join string ``chat://host:port/room?key=...&invite=...`` to hand out."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlsplit

from chat_core.errors import AddressError
from chat_core.keys import is_key

DEFAULT_PORT = 5555
DOOR_OFFSET = 2  # the door's port is the posts port and this: whoever knows an address can knock
_HOST = re.compile(r"[\w.:%-]+\Z")


@dataclass(frozen=True)
class Address:
    """A broker's posts socket, and what a join string says beside it: room, key, invitation ("" if it says nothing)."""

    host: str
    port: int = DEFAULT_PORT
    room: str = ""
    key: str = ""
    invite: str = field(default="", repr=False)  # a secret: whoever has it may come in
    scheme: str = "tcp"

    @property
    def posts(self) -> str:
        """The endpoint of the posts socket, for zmq."""
        return self.endpoint(self.port)

    def endpoint(self, port: int) -> str:
        """The endpoint of another port of the same broker. Over inproc there are names instead of ports."""
        if self.scheme == "inproc":
            return f"inproc://{self.host}-{port}"
        return f"tcp://{_bracketed(self.host)}:{port}"

    @property
    def text(self) -> str:
        """The short form that a person would type, also the name under which an address is remembered."""
        if self.scheme == "inproc":
            return f"inproc://{self.host}"
        return f"{_bracketed(self.host)}:{self.port}"

    @property
    def join(self) -> str:
        """The join string."""
        if self.scheme == "inproc":
            return self.text
        room = f"/{quote(self.room, safe='')}" if self.room else ""
        said = [
            f"{name}={quote(value, safe='')}" for name, value in (("key", self.key), ("invite", self.invite)) if value
        ]
        more = f"?{'&'.join(said)}" if said else ""
        return f"chat://{_bracketed(self.host)}:{self.port}{room}{more}"


def parse_address(text: str) -> Address:
    """Read ``host``, ``host:port``, ``[v6]:port``, ``tcp://host:port`` or a join string.

    Raises AddressError with a sentence that shows what an address looks like.
    """
    typed = text.strip()
    scheme, separator, rest = typed.partition("://")
    if not separator:
        scheme, rest = "tcp", typed
    if scheme == "inproc" and rest:
        return Address(rest, 0, scheme="inproc")
    if scheme not in ("tcp", "chat") or not rest:
        raise _not_an_address(text)
    end = next((place for place, character in enumerate(rest) if character in "/?#"), len(rest))
    where, more = rest[:end], rest[end:]
    if where.count(":") > 1 and "[" not in where and "]" not in where:  # a bare IPv6 address
        where = f"[{where}]"
    try:
        parts = urlsplit(f"chat://{where}{more}")
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise _not_an_address(text) from problem
    if where.count("[") != where.count("]") or not _HOST.match(host) or port == 0 or parts.username is not None:
        raise _not_an_address(text)
    said = parse_qs(parts.query)
    key, invite = (said.get(name, [""])[0] for name in ("key", "invite"))
    if key and not is_key(key):
        raise AddressError("The key in the join string is not whole: copy all of it, up to its last character.")
    return Address(host, port or DEFAULT_PORT, unquote(parts.path.strip("/") or parts.fragment), key, invite)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _not_an_address(text: str) -> AddressError:
    text, question, secret = text.partition("?")  # behind it may stand an invitation, which is nobody's business
    text += f"{question}…" if secret else question
    return AddressError(f"{text!r} is not an address: write it like 192.168.1.20, host:5555 or chat://host:5555/lobby.")
