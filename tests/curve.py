"""CURVE for plain sockets: what a program without the client library does to talk to a broker that encrypts."""

import zmq


def encrypt(socket: "zmq.Socket[bytes]", broker_key: str, pair: tuple[bytes, bytes] | None = None) -> None:
    """Have the socket talk to the broker of this key and nobody else ("": to anybody, unencrypted). ``pair``: public
    and secret key of who speaks; otherwise somebody new."""
    if broker_key:
        public, secret = pair or zmq.curve_keypair()
        socket.setsockopt(zmq.CURVE_SERVERKEY, broker_key.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
