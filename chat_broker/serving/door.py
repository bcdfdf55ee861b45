"""The door: an unencrypted socket with one answer, to "who is here?", for those who do not know the broker yet."""

import logging

import zmq

from chat_broker.serving.sockets import Socket, drain
from chat_core import wire
from chat_core.errors import WireError
from chat_core.messages import Answer

log = logging.getLogger("chat.door")

# In one turn of the loop: whoever knocks in masses waits, the posts do not.
KNOCKS_A_TURN = 20


def answer_door(door: Socket, about: Answer) -> None:
    """Answer those who knocked; what is not the question gets no reply, so that nothing can be made of the door."""
    for peer, frame, whole in drain(door, KNOCKS_A_TURN):
        try:
            if not whole:
                raise WireError("extra frames")
            knock = wire.decode_knock(frame.bytes)
        except WireError as problem:
            log.debug("! the door was asked something else: %s", problem)
            continue
        about.re = knock.id
        try:
            door.send_multipart([peer, wire.encode(about)], zmq.DONTWAIT)
        except zmq.ZMQError as problem:
            log.debug("! nobody waits at the door: %s", problem)
