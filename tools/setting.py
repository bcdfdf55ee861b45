"""What the scenes of the gallery are set in: a window on the screen, the usual people and rooms, ways to act."""

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass

from chat_client.gui.controller import Controller, Outside
from chat_client.gui.look import Look
from chat_client.gui.menus import Menus
from chat_client.gui.question import Question
from chat_client.gui.signin import SignIn
from chat_client.model.chat import Chat
from tools.stage import Room, Stage, moment


@dataclass
class Setting:
    """A window that is on the screen. ``settle`` lets Tk do everything that is to be done."""

    root: tk.Tk
    look: Look
    question: Question
    menus: Menus
    settle: Callable[[], None]

    def key(self, *keys: str) -> None:
        """Press keys, as Tk calls them, where the focus is."""
        for key in keys:
            (self.root.focus_get() or self.root).event_generate(key if len(key) > 1 else f"<Key-{_KEYS.get(key, key)}>")
            self.settle()


_KEYS = {"/": "slash"}
End = Callable[[], None]
Scene = Callable[[Setting], End]

PEOPLE = ["ada", "Grace H.", "Priya Nair", "relay-bot", "Tomás Vega", "Wen Li", "Zoë"]
HERE = PEOPLE[:5]


def outside(question: Question, menus: Menus, stage: Stage) -> Outside:
    """A program around the window that does nothing but ask and show menus."""
    return Outside(
        lambda: None, lambda step: None, lambda x, y: None, lambda title, unread: None, question, menus,
        lambda: stage.address,
    )  # fmt: skip


def chat(setting: Setting, stage: Stage, room: str = "general") -> Controller:
    """A chat on this stage, connected, with this room open."""
    state = Chat(stage.address.text, stage.me, room)
    around = outside(setting.question, setting.menus, stage)
    controller = Controller(setting.root, setting.look, stage, state, around)  # type: ignore[arg-type]
    controller.start(lambda news: None)
    stage.open()
    stage.connect()
    controller.show()
    setting.settle()
    return controller


def office_stage() -> Stage:
    """The rooms of the pictures that the look was designed with (look-target-light.png)."""
    general = Room("general", list(PEOPLE), unread=2)
    general.say("Tomás Vega", "the switch in the basement is **new**: 48 ports, quiet, and ours", moment("17:51", 1))
    general.say("Tomás Vega", "_finally_", moment("17:52", 1))
    general.say("Wen Li", "nice! 🎉 that was the last unmanaged one 🚀", moment("17:58", 1))
    general.say(
        "Priya Nair", "@ada could you look at the `RCVHWM` on the PUB side before the noon deploy?", moment("10:12")
    )
    general.say(
        "relay-bot", "build 4182 passed in 3m12s — artefact `relay-0.9.1.whl` ready to ship ✅", moment("10:13")
    )
    general.say("Tomás Vega", "here's the view from the new office: https://harbour.lan/webcam", moment("10:16"))
    general.say(
        "Grace H.",
        "**love** it. *when* do we move in? the old one smells of ozone 😅 and this is a long line so that we can see "
        "how wrapping with a hanging indent works in each of the looks",
        moment("10:18"),
    )
    rooms = [Room("engineering", unread=12), Room("deploys"), Room("random"), Room("lunch", unread=1)]
    rooms += [Room("ops-alerts", unread=120), Room("gardening", mine=False)]
    for room in rooms:
        room.members = ["ada", "relay-bot"]
        for number in range(room.unread + 3):
            room.say("relay-bot", f"line {number}", moment("9:30"))
    return Stage("ada", [general, *rooms], HERE)


def sign_in(setting: Setting) -> SignIn:
    """The card that asks for name and address, empty."""
    card = SignIn(setting.root, setting.look, on_submit=lambda *_: None, on_cancel=lambda: None)
    card.pack(fill="both", expand=True)
    card.show_known(["Ada", "Grace H."], ["10.0.3.7:5555"])
    setting.settle()
    card.fill("", "")
    return card


def type_in(setting: Setting, controller: Controller, text: str) -> None:
    """Have a text in the composer."""
    assert controller.window is not None
    controller.window.composer.focus()
    setting.settle()
    controller.window.composer.set_text(text)
    setting.settle()
