"""Scenes of the way into a chat: whom one meets, why nobody lets one in, what is waited for."""

from chat_client.gui import confirming
from chat_client.troubles import sentence
from chat_core import messages as m
from tools.setting import End, Scene, Setting, sign_in

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


def encrypts_now(setting: Setting) -> End:
    """A broker that did not encrypt before, and does now."""
    return _trouble(setting, "curve_now")


def no_key(setting: Setting) -> End:
    """The own key is lost."""
    return _trouble(setting, "identity")


def stranger(setting: Setting) -> End:
    """Another program has the port, and it is tried on."""
    return _mistyped(setting, "stranger")


def other_version(setting: Setting) -> End:
    """A broker of another version."""
    return _trouble(setting, "version")


def blocked(setting: Setting) -> End:
    """A firewall stands between."""
    return _mistyped(setting, "blocked")


def crowded(setting: Setting) -> End:
    """Too many connections from here."""
    return _mistyped(setting, "crowded")


def nobody(setting: Setting) -> End:
    """Nobody answers."""
    return _mistyped(setting, "nobody")


def _mistyped(setting: Setting, code: str) -> End:
    card = sign_in(setting)
    card.fill("Ada", WHERE)
    card.show_trouble(sentence(code, WHERE))
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
    confirming.ask_to_forget(setting.question, "key_changed", WHERE, _nothing, alone=True)

    def both() -> None:
        setting.key("<Escape>")
        end()

    return both


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
    "door-curve-now": (encrypts_now, 760, 560),
    "door-identity": (no_key, 480, 360),
    "door-version": (other_version, 480, 360),
    "door-blocked": (blocked, 480, 360),
    "door-crowded": (crowded, 480, 360),
    "door-nobody": (nobody, 480, 360),
    "door-waiting": (waiting, 760, 560),
    "door-code": (one_time_code, 480, 360),
    "door-forget": (forget, 760, 560),
}
