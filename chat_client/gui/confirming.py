"""What the window asks when it meets a broker that nobody has confirmed yet."""

from collections.abc import Callable

from chat_client.gui.question import Question
from chat_client.meeting import OPEN
from chat_core import messages as m
from chat_core.keys import fingerprint


def ask_to_confirm(
    question: Question, where: str, answer: m.Answer, yes: Callable[[], None], no: Callable[[], None]
) -> None:
    """Ask whether this is the right broker."""
    if answer.security == OPEN:
        title, go_on = "This chat is not encrypted", "Join all the same"
        text = (
            f"{answer.name!r} at {where} does not encrypt: everybody on the network can read along, and write under "
            "any name."
        )
    else:
        title, go_on = "Is this the right chat?", "It is the same"
        text = (
            f"{answer.name!r} at {where} is not known here yet. The fingerprint of its key is\n\n"
            f"{fingerprint(answer.key)}\n\nCompare it with the one that the broker shows where it runs."
        )
    question.ask(title, text, [(go_on, yes), ("Cancel", no)])
