"""The language that broker and clients share: messages, names, addresses, errors; no sockets, clocks or files."""

# One number for the whole distribution; pyproject.toml and CHANGELOG.md are held to it by a test.
VERSION = "0.1.0"

# The protocol versions this code speaks, newest last (docs/protocol.md, section 2).
PROTOCOL_VERSIONS = (1,)
