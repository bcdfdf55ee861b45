"""What the window says on the way into a chat: whom it has met, what that means, what it waits for."""

from collections.abc import Callable

from chat_client.gui.question import Question
from chat_client.gui.step import Asked
from chat_client.meeting import OPEN
from chat_client.troubles import UNTRUSTED, without_command
from chat_core import messages as m
from chat_core.keys import fingerprint

# What stands above the sentences of a trouble that is more than an address mistyped.
_TITLES = {
    "key_changed": "The key of this chat has changed",
    "open_now": "This chat is not encrypted any more",
    "curve_now": "This chat is encrypted now",
    "version": "This chat is of another version",
    "banned": "This chat does not let you in",
    "identity": "Your key cannot be read",
}
# What the button says that leads on, and what stands in the question then: what whoever runs the chat has told me.
_FORGET = {
    "key_changed": ("Forget the old key…", "Forget the old key?", "was set up anew"),
    "open_now": ("Forget the old key…", "Forget the old key?", "does not encrypt any more"),
    "curve_now": ("Forget that it was open…", "Forget that it was open?", "encrypts now"),
}


def of_meeting(where: str, answer: m.Answer, yes: Callable[[], None], no: Callable[[], None]) -> Asked:
    """Is this the right broker?"""
    if answer.security == OPEN:
        text = (
            f"{answer.name} at {where} sends everything as it is: anybody on this network can read along, and pose as "
            "others."
        )
        return Asked("This chat is not encrypted", text, [("Join all the same", yes), ("Cancel", no)], warns=True)
    return Asked(
        "Is this the right chat?",
        f"{answer.name} at {where} is not known on this computer yet. This is the fingerprint of its key:",
        [("Join", yes), ("Cancel", no)],
        fingerprint(answer.key),
        "Compare it with what whoever runs the chat told you. It is asked only this once: if another computer should "
        "pose as this chat later, you will be warned.",
    )


def of_waiting(name: str, where: str, cancel: Callable[[], None]) -> Asked:
    """An admin has to say yes."""
    text = f"You wait as {name}. This goes on by itself once you are let in; you can do something else meanwhile."
    return Asked("An admin has to let you in", text, [("Cancel", cancel)], below=where, waits=True)


def of_trouble(
    code: str, text: str, where: str, forget: Callable[[], None], cancel: Callable[[], None]
) -> Asked | None:
    """Why nobody lets us in, where that is more than an address mistyped. ``forget``: know nothing of the chat."""
    if code not in _TITLES:
        return None
    answers = [(_FORGET[code][0], forget)] if code in UNTRUSTED else []
    going_on = "It is tried again and again, and goes on by itself if this changes."
    return Asked(
        _TITLES[code], without_command(text, where), [*answers, ("Cancel", cancel)], below=going_on, warns=True
    )


def ask_to_forget(
    question: Question, code: str, where: str, forget: Callable[[], None], *, alone: bool = False
) -> None:
    """The last word before what is known of a broker is forgotten. ``code``: the trouble with it."""
    _, title, told = _FORGET[code]
    shown = "You are asked anew then." if code == "open_now" else "You are shown its fingerprint then, to compare it."
    question.ask(
        title,
        f"Do this only if whoever runs the chat at {where} told you that it {told}. {shown}",
        [("Forget it", forget), ("Cancel", lambda: None)],
        harms=True,
        alone=alone,
    )
