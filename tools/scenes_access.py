"""Scenes of who is let in and who may do what: the way into a chat, private rooms, roles, what is withheld."""

from chat_client.gui import confirming
from chat_client.gui.question import Field
from chat_client.troubles import sentence
from chat_core import messages as m
from tools.setting import End, Scene, Setting, chat, office_stage, sign_in

WHERE = "10.0.3.7:5555"
KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


def _answer(security: str = "curve") -> m.Answer:
    return m.Answer(0, "harbour", [1], security, 5555, 5556, "home", KEY if security == "curve" else "")


def _nothing() -> None:
    pass


def fingerprint(setting: Setting) -> End:
    """First contact: a fingerprint to compare."""
    card = sign_in(setting)
    card.fill("Ada", WHERE)
    card.show_step(confirming.of_meeting(WHERE, _answer(), _nothing, _nothing))
    return card.destroy


def not_encrypted(setting: Setting) -> End:
    """First contact with a broker that does not encrypt."""
    card = sign_in(setting)
    card.show_step(confirming.of_meeting(WHERE, _answer("open"), _nothing, _nothing))
    return card.destroy


def key_changed(setting: Setting) -> End:
    """Another key than the one that is known."""
    return _trouble(setting, "key_changed")


def turned_open(setting: Setting) -> End:
    """A broker that encrypted before, and does not now."""
    return _trouble(setting, "open_now")


def banned(setting: Setting) -> End:
    """Nobody is let in from here."""
    return _trouble(setting, "banned")


def _trouble(setting: Setting, code: str) -> End:
    card = sign_in(setting)
    text = sentence(code, WHERE, _answer())
    asked = confirming.of_trouble(code, text, WHERE, _nothing, _nothing)
    assert asked is not None
    card.show_step(asked)
    return card.destroy


def stranger(setting: Setting) -> End:
    """Another program has the port, and it is tried on."""
    card = sign_in(setting)
    card.fill("Ada", WHERE)
    card.show_trouble(sentence("stranger", WHERE))
    return card.destroy


def waiting(setting: Setting) -> End:
    """An admin has to say yes."""
    card = sign_in(setting)
    card.show_step(confirming.of_waiting("Ada", WHERE, _nothing))
    return card.destroy


def one_time_code(setting: Setting) -> End:
    """Another machine of the same user shows a code, which is typed here."""
    card = sign_in(setting)
    card.fill("Ada", WHERE)
    card.show_code(True)
    return card.destroy


def forget(setting: Setting) -> End:
    """Asked again before a key is forgotten."""
    end = key_changed(setting)
    confirming.ask_to_forget(setting.question, WHERE, _nothing)

    def both() -> None:
        setting.key("<Escape>")
        end()

    return both


def remove(setting: Setting) -> End:
    """Somebody is to be put out of a room: why?"""
    controller = chat(setting, office_stage())
    setting.question.ask(
        "Remove Tomás Vega from #general?",
        "Who is removed reads nothing of it any more, and can be invited again. They and the others see the reason.",
        [("Remove", _nothing), ("Cancel", _nothing)],
        field=Field("Reason"),
        harms=True,
    )

    def end() -> None:
        setting.key("<Escape>")
        controller.stop()

    return end


# Each with the window's width and height at 1x.
STATES: dict[str, tuple[Scene, int, int]] = {
    "door-fingerprint": (fingerprint, 760, 560),
    "door-fingerprint-smallest": (fingerprint, 480, 360),
    "door-not-encrypted": (not_encrypted, 760, 560),
    "door-key-changed": (key_changed, 760, 560),
    "door-key-changed-smallest": (key_changed, 480, 360),
    "door-open-now": (turned_open, 760, 560),
    "door-banned": (banned, 480, 360),
    "door-stranger": (stranger, 480, 360),
    "door-waiting": (waiting, 760, 560),
    "door-code": (one_time_code, 480, 360),
    "door-forget": (forget, 760, 560),
    "ask-remove": (remove, 1040, 640),
}
