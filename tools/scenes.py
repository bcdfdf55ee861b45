"""The scenes of the gallery: each one is a state of the window, set up in a Tk that is there already.

A scene is a function that is given a `Setting` and puts something into its window; what it returns ends it.
"""

import tkinter as tk
from collections.abc import Callable

from chat_client import effects
from chat_client.flight import Settled
from chat_core import messages as m
from tools import scenes_access, scenes_door
from tools.setting import HERE, PEOPLE, End, Scene, Setting, chat, office_stage, sign_in, type_in
from tools.stage import Room, Stage, moment


def office(setting: Setting) -> End:
    """The busy window of the README and of the gallery's first rows."""
    stage = office_stage()
    controller = chat(setting, stage)
    for text in ("deploy of 4181 is through", "@ada 4182 waits for your yes", "queue is empty"):
        stage.arrive("deploys", "relay-bot", text, moment("10:17"))
    return controller.stop


def _members(count: int) -> list[str]:
    """So many more people."""
    names = ("Anna", "Bruno", "Chidi", "Dora", "Emre", "Fatima", "Goran", "Hilde", "Ines", "João", "Kofi", "Lena")
    return [f"{names[number % 12]} {chr(65 + number // 12)}." for number in range(count)]


def crowd(setting: Setting) -> End:
    """Many rooms and people, everything scrolls; code, quotes, /me, joins, own messages, a draft."""
    people = PEOPLE + _members(40)
    room = Room("engineering", people, unread=0)
    for number in range(60):
        room.say(people[number % 7], f"earlier line {number}", moment("8:10"))
    room.say("Grace H.", "Who has seen the assertion in `src/pipe.cpp`? It says:", moment("9:58"))
    code = "Traceback (most recent call last):\n    poller.poll(1000)\nzmq.error.ZMQError: Too many open files"
    room.say("Grace H.", f"```\n{code}\n```", moment("9:58"))
    answer = "> Too many open files\nthat is `ulimit -n`, see https://zeromq.org/socket-api/#high-water-mark"
    room.say("ada", answer, moment("10:01"))
    room.say("ada", "I had it on Tuesday, 4096 is enough for everybody", moment("10:01"))
    room.add("Kofi A.", "joined", {}, moment("10:02"))
    room.say("Wen Li", "nods slowly", moment("10:03"), me=True)
    room.say("Tomás Vega", "Ada: **thank you**, that was it", moment("10:04"))
    names = ("lobby", "general", "deploys", "random", "lunch", "ops-alerts")
    rooms = [Room(name, people, unread=number % 3) for number, name in enumerate(names)]
    rooms += [Room(f"project-{name}", people) for name in ("alpha", "bravo", "coral", "delta", "ember", "flint")]
    rooms += [Room(f"team-{name}", people) for name in ("north", "south", "east", "west", "air", "ground")]
    rooms[1].draft = "not finished"
    for other in rooms:
        for number in range(other.unread + 1):
            other.say("relay-bot", f"line {number}", moment("9:30"))
    stage = Stage("ada", [room, *rooms], HERE + _members(17))
    controller = chat(setting, stage, "engineering")
    stage.tell(effects.Moved([("u-zoë", "Zoë")], []))
    return controller.stop


def signin_empty(setting: Setting) -> End:
    """The card that asks, at the very first start."""
    return sign_in(setting).destroy


def signin_errors(setting: Setting) -> End:
    """Both kinds of trouble: the name's, after the address's."""
    card = sign_in(setting)
    card.fill("Ada", "10.0.3.7")
    card.show_error("name", "The name Ada is taken: somebody else uses it here.")
    return card.destroy


def signin_address(setting: Setting) -> End:
    """A long sentence below the address."""
    card = sign_in(setting)
    card.fill("Ada", "harbuor.lan")
    card.show_error("address", "There is no host 'harbuor.lan' on this network: is the name right?")
    return card.destroy


def signin_busy(setting: Setting) -> End:
    """It is tried."""
    card = sign_in(setting)
    card.fill("Ada", "10.0.3.7")
    card.show_busy("Looking for the chat at 10.0.3.7:5555…")
    return card.destroy


def empty(setting: Setting) -> End:
    """A room in which nothing was said."""
    return chat(setting, Stage("ada", [Room("lobby", ["ada"])], ["ada"]), "lobby").stop


def nowhere(setting: Setting) -> End:
    """In no room at all."""
    return chat(setting, Stage("ada", [], ["ada"]), "").stop


def catching_up(setting: Setting) -> End:
    """Connected, and what was missed is coming in."""
    stage = office_stage()
    controller = chat(setting, stage)
    stage.tell(effects.Status("syncing", ""))
    return controller.stop


def offline(setting: Setting) -> End:
    """The broker is away, and messages wait for it."""
    stage = office_stage()
    controller = chat(setting, stage)
    stage.tell(effects.Status("offline", "no answer"))
    setting.settle()
    for text in ("I'm on it, give me ten minutes", "is anybody there?"):
        type_in(setting, controller, text)
        setting.key("<Return>")
    return controller.stop


def refused(setting: Setting) -> End:
    """One message was not taken, and one is at the broker but not in the log yet."""
    stage = office_stage()
    controller = chat(setting, stage)
    for text in ("this one is too much\nand has a second line", "and this one is fine"):
        type_in(setting, controller, text)
        setting.key("<Return>")
    no = m.Refused(0, "too_fast", "You are writing too fast: wait a few seconds.", "final")
    stage.tell(Settled(stage.kept[0], no), Settled(stage.kept[1], m.Posted(0, "general", 99, moment("10:20"))))
    return controller.stop


def mistyped(setting: Setting) -> End:
    """A command that there is not, and a message that is too long."""
    controller = chat(setting, office_stage())
    type_in(setting, controller, "/jion general " + "and on " * 1165)
    setting.key("<Return>")
    return controller.stop


def writing(setting: Setting) -> End:
    """A composer of many lines."""
    controller = chat(setting, office_stage())
    type_in(setting, controller, "\n".join(f"line {number} of what I have to say" for number in range(1, 16)))
    return controller.stop


def long_texts(setting: Setting) -> End:
    """A word of 8 KiB, 60 lines, long names and long names of rooms."""
    name = "Wolfeschlegelsteinhausenbergerdo"
    people = ["ada", name, "W" * 32, "Grace H."]
    room = Room("a-room-named-as-long-as-it-can-b", people)
    room.say("Grace H.", "\n".join(f"{number} of 60 lines" for number in range(1, 61)), moment("10:02"))
    room.say("W" * 32, "x" * 8192, moment("10:03"))
    room.say(name, "https://harbour.lan/" + "path/" * 40 + " is a long link", moment("10:04"))
    room.say("W" * 32, "a name of thirty-two W", moment("10:05"))
    others = [Room("another-name-that-is-too-long-32", unread=3), Room("w" * 32, unread=1200), Room("b")]
    for other in others:
        for number in range(other.unread):
            other.say(name, f"{number}", moment("9:30"))
    stage = Stage("ada", [room, *others], people, broker="the broker of the third floor, west wing")
    return chat(setting, stage, room.id).stop


def right_to_left(setting: Setting) -> End:
    """Arabic and Hebrew, alone and mixed with what runs the other way; CJK and Thai beside them."""
    people = ["ada", "ليلى", "דנה", "小明", "สมชาย"]
    room = Room("general", people)
    room.say("ليلى", "صباح الخير! هل اجتماع الساعة العاشرة ما زال قائمًا؟", moment("9:58"))
    room.say("דנה", "בוקר טוב, כן. אני מביאה את הקפה ☕", moment("9:59"))
    room.say("ada", "great: שלום and مرحبا in one line, 10:30 in room B", moment("10:00"))
    room.say("小明", "我晚五分钟到，请先开始。", moment("10:01"))
    room.say("สมชาย", "เจอกันครับ", moment("10:01"))
    room.say("ليلى", "النسخة `relay-0.9.1.whl` جاهزة **الآن** https://harbour.lan/ar", moment("10:02"))
    return chat(setting, Stage("ada", [room, Room("ספרים"), Room("قهوة")], people), "general").stop


def emoji(setting: Setting) -> End:
    """Flags, skin tones, families, keycaps; alone, in text, in names, in code."""
    people = ["ada", "Grace 🌻", "Tomás Vega"]
    room = Room("general", people)
    room.say(
        "Grace 🌻",
        "flags 🇩🇪🇫🇷🇯🇵🇧🇷🏴󠁧󠁢󠁳󠁣󠁴󠁿🏳️‍🌈 and tones 👍🏻👍🏼👍🏽👍🏾👍🏿 and families 👨‍👩‍👧‍👦 👩‍💻 🧑‍🚒",
        moment("10:00"),
    )
    room.say("Tomás Vega", "keycaps 1️⃣2️⃣3️⃣ #️⃣ *️⃣, signs ☎️ ❤️ ✅ ⚠️ ™️, faces 😀😅🤣🥹🫠", moment("10:01"))
    room.say("Grace 🌻", "🎉", moment("10:02"))
    room.say("Grace 🌻", "👩🏽‍🤝‍👨🏿🧑🏻‍❤️‍💋‍🧑🏾", moment("10:03"))
    room.say("ada", "in code: `print('👍🏽')`, **bold 🚀**, and a text ☺︎ that is none", moment("10:04"))
    room.say("Tomás Vega", " ".join("😀😃😄😁😆😅🤣😂🙂🙃😉😊😇🥰😍🤩😘😗😚😙🥲😋😛😜🤪😝🤑🤗" * 3), moment("10:05"))
    controller = chat(setting, Stage("ada", [room, Room("party")], people), "general")
    type_in(setting, controller, "a 👍🏽 in the composer")
    return controller.stop


def completion(setting: Setting) -> End:
    """The list above the composer."""
    controller = chat(setting, office_stage())
    type_in(setting, controller, "/")
    setting.key("<Tab>")
    return controller.stop


def names_offered(setting: Setting) -> End:
    """Names and rooms to complete."""
    controller = chat(setting, office_stage())
    type_in(setting, controller, "have you asked @")
    setting.key("<Tab>", "<Down>")
    return controller.stop


def switcher(setting: Setting) -> End:
    """Where to go, Ctrl+K."""
    controller = chat(setting, office_stage())
    setting.key("<Control-k>")
    return controller.stop


def question(setting: Setting) -> End:
    """What is asked before something is lost."""
    controller = chat(setting, office_stage())
    stay: tuple[str, Callable[[], None]] = ("Stay", lambda: None)
    setting.question.ask(
        "The chat runs on this computer",
        "4 others are here. If it stops, nobody can write until it is started again; nothing that was said is lost.",
        [("Leave it running", lambda: None), ("Stop it", lambda: None), stay],
    )

    def end() -> None:
        setting.key("<Escape>")
        controller.stop()

    return end


def help_note(setting: Setting) -> End:
    """Commands and keys, F1."""
    controller = chat(setting, office_stage())
    controller.show_help()
    return controller.stop


def jump(setting: Setting) -> End:
    """Somebody reads further up while more is said."""
    stage = office_stage()
    for number in range(40):
        stage.rooms["general"].say(PEOPLE[number % 5], f"and line {number}", moment("10:19"))
    controller = chat(setting, stage)
    setting.key("<Control-Home>")
    for number in range(12):
        stage.arrive("general", "Grace H.", f"more {number}", moment("10:20"))
    return controller.stop


def rooms_over(setting: Setting) -> End:
    """In a narrow window: the list of rooms over the transcript."""
    return _press(setting, "Rooms")


def people_over(setting: Setting) -> End:
    """In a narrow window: the list of people over the transcript."""
    return _press(setting, "People")


def focus_rooms(setting: Setting) -> End:
    """The keys are with the list of rooms."""
    end = office(setting)
    setting.key("<Shift-F6>", "<Shift-F6>", "<Down>")
    return end


def _press(setting: Setting, label: str) -> End:
    end = office(setting)
    setting.settle()
    for widget in _all_below(setting.root):
        if widget.winfo_class() == "TButton" and widget.cget("text") == label:
            widget.invoke()
    return end


def _all_below(widget: tk.Misc) -> list[tk.Misc]:
    found = []
    for child in widget.winfo_children():
        found += [child, *_all_below(child)]
    return found


# Each with the window's width and height at 1x.
STATES: dict[str, tuple[Scene, int, int]] = {
    "signin-empty": (signin_empty, 760, 560),
    "signin-name-taken": (signin_errors, 760, 560),
    "signin-no-such-host": (signin_address, 480, 360),
    "signin-busy": (signin_busy, 480, 480),
    "empty-room": (empty, 1040, 640),
    "no-room": (nowhere, 480, 480),
    "busy": (office, 1040, 640),
    "crowd": (crowd, 1040, 640),
    "catching-up": (catching_up, 760, 480),
    "offline-unsent": (offline, 1040, 640),
    "refused": (refused, 1040, 640),
    "mistyped": (mistyped, 760, 560),
    "writing": (writing, 760, 560),
    "long-texts": (long_texts, 1040, 760),
    "right-to-left": (right_to_left, 1040, 640),
    "emoji": (emoji, 1040, 640),
    "completion": (completion, 1040, 640),
    "names-offered": (names_offered, 480, 360),
    "switcher": (switcher, 1040, 640),
    "question": (question, 760, 560),
    "help": (help_note, 1040, 640),
    "jump": (jump, 760, 560),
    "focus-rooms": (focus_rooms, 1040, 640),
    "narrow-rooms": (rooms_over, 480, 560),
    "narrow-people": (people_over, 480, 560),
    **scenes_door.STATES,
    **scenes_access.STATES,
}
