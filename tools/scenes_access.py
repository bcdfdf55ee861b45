"""Scenes of who is let in and who may do what: the way into a chat, private rooms, roles, what is withheld."""

from typing import Any

from chat_client import effects
from chat_client.gui import confirming
from chat_client.gui.controller import Controller
from chat_client.gui.question import Field
from chat_client.troubles import sentence
from chat_core import messages as m
from tools.setting import End, Scene, Setting, chat, office_stage, sign_in, type_in
from tools.stage import Room, Stage, moment, user_of

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


def _harbour(role: m.ChatRole = "member", mine: m.RoomRole = "owner", **more: Any) -> Stage:
    """The office with a private room that I look after, people with whom I talk alone, and an invitation."""
    stage = office_stage()
    plan = Room("plan", ["ada", "Grace H.", "Tomás Vega", "relay-bot", "Zoë"], more={"kind": "private", "role": mine})
    plan.more |= more
    plan.roles = {"ada": mine, "Grace H.": "moderator", "relay-bot": "muted"}
    plan.say("Grace H.", "the offer of the second yard is in, 14 % below the first", moment("9:41"))
    plan.add("Grace H.", "invited", m.About(user_of("Zoë"), "Zoë"), moment("9:42"))
    plan.add("Zoë", "joined", {}, moment("9:43"))
    plan.add("Tomás Vega", "message", m.Message("", deleted=True), moment("9:44"))
    plan.say("Tomás Vega", "sorry, wrong room", moment("9:44"))
    plan.say("Zoë", "14 % is a lot. What do they leave out?", moment("9:50"))
    me = user_of("ada")
    direct = []
    for names in (["Priya Nair"], ["Wen Li"], ["Grace H.", "Tomás Vega"]):
        people = [(me, "ada"), *((user_of(name), name) for name in names)]
        room = Room("@" + "+".join(sorted(user for user, _ in people)), ["ada", *names], unread=len(names) % 2 * 2)
        room.more = {"kind": "direct", "role": "member", "people": people}
        room.say(names[0], "have you got a minute?", moment("10:02"))
        room.say(names[0], "it is about the yard", moment("10:02"))
        direct.append(room)
    invited = Room("works-council", ["Wen Li"], mine=False, more={"kind": "private", "invited": True})
    old = Room("summer-party", ["ada"], more={"archived": True})
    stage.rooms |= {room.id: room for room in (plan, *direct, invited, old)}
    stage.role = role
    return stage


def private(setting: Setting) -> End:
    """A private room with roles, a deleted message, direct rooms, an invitation, an archived room."""
    return chat(setting, _harbour(), "plan").stop


def direct(setting: Setting) -> End:
    """Talking with somebody alone."""
    stage = _harbour()
    controller = chat(setting, stage)
    controller.chat.open(next(room for room in stage.rooms if room.startswith("@")))
    controller.flush()
    return controller.stop


def walled(setting: Setting) -> End:
    """What was said while one was not in the room, and what came after."""
    stage = _harbour()
    controller = chat(setting, stage, "plan")
    plan = stage.rooms["plan"]
    for number in range(20):
        plan.say("Grace H.", f"not for me {number}", moment("9:55"))
    stage.tell(effects.Walled("plan", 6, len(plan.events) + 1))
    stage.arrive("plan", "Grace H.", "welcome back!", moment("10:20"))
    return controller.stop


def removed(setting: Setting) -> End:
    """Put out of the room that one looks at, with half a message in the composer."""
    stage = _harbour()
    controller = chat(setting, stage, "plan")
    type_in(setting, controller, "but that is not what I")
    stage.tell(effects.Removed("plan", "Grace H.", "this is about your contract"))
    return controller.stop


def muted(setting: Setting) -> End:
    """One may read, and not write, until then."""
    return chat(setting, _harbour(mine="muted", until=moment("14:30", -1)), "plan").stop


def read_only(setting: Setting) -> End:
    """A room of announcements, slow as well."""
    return chat(setting, _harbour(mine="member", read_only=True, slow=30), "plan").stop


def command_when_shut(setting: Setting) -> End:
    """A slash opens the field for a command all the same."""
    controller = chat(setting, _harbour(mine="member", read_only=True), "plan")
    setting.key("/", "l", "e", "<Tab>")
    return controller.stop


def too_fast(setting: Setting) -> End:
    """What was sent waits until the broker takes it."""
    stage = _harbour()
    controller = chat(setting, stage, "plan")
    for text in ("one", "two", "three"):
        type_in(setting, controller, text)
        setting.key("<Return>")
    text = "You write faster than this broker takes: it goes on in 12 s."
    stage.tell(effects.Held(m.Refused(0, "rate", text, "later", retry=12_000)))
    return controller.stop


def person_menu(setting: Setting) -> End:
    """What can be done with somebody, by the right button."""
    controller = chat(setting, _harbour("admin"), "plan")
    assert controller.window is not None
    controller.window.people.focus()
    setting.settle()
    setting.key("<Home>", "<Down>", "<Down>", "<Shift-F10>")
    return _closing(setting, controller)


def room_menu(setting: Setting) -> End:
    """What can be done with a room."""
    controller = chat(setting, _harbour("admin"), "plan")
    assert controller.window is not None
    controller.window.rooms.focus()
    setting.settle()
    setting.key("<Shift-F10>")
    return _closing(setting, controller)


def line_menu(setting: Setting) -> End:
    """What can be done with a message."""
    controller = chat(setting, _harbour("admin"), "plan")
    assert controller.window is not None
    controller.window.transcript.focus_text()
    setting.settle()
    setting.key("<Shift-F10>")
    return _closing(setting, controller)


def main_menu(setting: Setting) -> End:
    """What an admin finds in the window's menu."""
    controller = chat(setting, _harbour("admin"), "plan")
    setting.menus.show(controller.menu(), setting.root.winfo_width(), setting.look.px(44), ends=True)
    setting.settle()
    return _closing(setting, controller)


def _closing(setting: Setting, controller: Controller) -> End:
    def end() -> None:
        setting.menus.close()
        if setting.question.is_open:
            setting.key("<Escape>")
        controller.stop()

    return end


def people_waiting(setting: Setting) -> End:
    """Whom an admin may let in."""
    waiting = [m.Somebody(f"u{n}", name, waiting=True, time=moment("10:11")) for n, name in enumerate(("Ben", "Ötzi"))]
    return _manage(setting, {m.People: m.Crowd(0, waiting)}, "People who wait…")


def bans(setting: Setting) -> End:
    """Who is banned."""
    found = [
        m.BanInfo("b1", name="Mallory", reason="spam", by="Grace H.", until=moment("14:30", -2)),
        m.BanInfo("b2", address="10.0.3.99", by="broker"),
    ]
    return _manage(setting, {m.Bans: m.BanList(0, found)}, "Bans…")


def machines(setting: Setting) -> End:
    """My machines, and the offer of another one."""
    found = [m.Machine(KEY, moment("9:00", 30), this=True), m.Machine(KEY[::-1], moment("12:00", 3))]
    return _manage(setting, {m.Machines: m.MachineList(0, found)}, "My machines…")


def machine_code(setting: Setting) -> End:
    """A code for the other machine."""
    end = _manage(setting, {m.Machines: m.MachineList(0, []), m.Link: m.Done(0)}, "My machines…")
    setting.key("<Return>")
    return end


def invitation(setting: Setting) -> End:
    """A join string to hand out."""
    end = _manage(setting, {m.Invitation: m.Done(0, of="i1")}, "Invite somebody to the chat…")
    setting.key("B", "e", "n", "<Return>")
    return end


def _manage(setting: Setting, answers: dict[type[m.Request], m.Reply], label: str) -> End:
    stage = _harbour("owner")
    stage.answers |= answers
    controller = chat(setting, stage, "plan")
    next(entry for entry in controller.menu() if entry.label == label).do()  # type: ignore[misc]
    setting.settle()
    return _closing(setting, controller)


def forty_rooms(setting: Setting) -> End:
    """Many rooms of all kinds, long names."""
    stage = _harbour("owner")
    for number in range(40):
        kind = ("open", "private")[number % 2]
        name = f"{'a-very-long-name-for-a-' if number % 5 == 0 else ''}room-{number}"
        stage.rooms[name] = Room(name, ["ada"], more={"kind": kind, "read_only": number % 7 == 0, "role": "member"})
    name = "Wolfeschlegelsteinhausenbergerdo"
    plan = stage.rooms["plan"]
    plan.members += [name, "W" * 32]
    plan.roles |= {name: "moderator", "W" * 32: "muted"}
    return chat(setting, stage, "plan").stop


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
    "private": (private, 1040, 640),
    "private-narrow": (private, 480, 480),
    "direct": (direct, 1040, 640),
    "wall": (walled, 1040, 640),
    "removed": (removed, 1040, 640),
    "muted": (muted, 760, 480),
    "read-only": (read_only, 760, 480),
    "read-only-command": (command_when_shut, 760, 480),
    "too-fast": (too_fast, 1040, 640),
    "menu-person": (person_menu, 1040, 640),
    "menu-room": (room_menu, 1040, 640),
    "menu-line": (line_menu, 1040, 640),
    "menu-main": (main_menu, 1040, 640),
    "admin-waiting": (people_waiting, 1040, 640),
    "admin-bans": (bans, 1040, 640),
    "admin-machines": (machines, 760, 480),
    "admin-code": (machine_code, 760, 480),
    "admin-invitation": (invitation, 760, 480),
    "forty-rooms": (forty_rooms, 1040, 640),
}
