"""Scenes of who may do what: private rooms, roles, what is withheld, what admins look after."""

from typing import Any

from chat_client import effects
from chat_client.gui.controller import Controller
from chat_client.gui.menus import Entry
from chat_core import messages as m
from tools.scenes_door import KEY
from tools.setting import End, Scene, Setting, chat, office_stage, type_in
from tools.stage import Room, Stage, moment, user_of


def _nothing() -> None:
    pass


def remove(setting: Setting) -> End:
    """Somebody is to be put out of a room: why?"""
    return _with_person(setting, "Remove from the room…")


def ban(setting: Setting) -> End:
    """Somebody is to be shut out: why?"""
    return _with_person(setting, "Ban from the chat…")


def _with_person(setting: Setting, label: str) -> End:
    controller = chat(setting, _harbour("admin"), "plan")
    _choose(controller._acting.of_person(user_of("Zoë")), label)
    return _closing(setting, controller)


def _choose(entries: list[Entry], label: str) -> None:
    next(entry.do for entry in entries if entry.label == label and entry.do is not None)()


def rename(setting: Setting) -> End:
    """A room gets another name."""
    return _with_room(setting, "Rename…")


def room_bans(setting: Setting) -> End:
    """Who is banned from a room."""
    found = [m.BanInfo("b1", name="Mallory", room="plan", reason="spam", by="Grace H.")]
    return _with_room(setting, "Bans…", {m.Bans: m.BanList(0, found)})


def _with_room(setting: Setting, label: str, answers: dict[type[m.Request], m.Reply] | None = None) -> End:
    stage = _harbour()
    stage.answers |= answers or {}
    controller = chat(setting, stage, "plan")
    _choose(controller._acting.of_room("plan"), label)
    setting.settle()
    return _closing(setting, controller)


def invited(setting: Setting) -> End:
    """Whether to join a private room."""
    controller = chat(setting, _harbour(), "plan")
    controller._acting.ask_invited("works-council")
    return _closing(setting, controller)


def delete(setting: Setting) -> End:
    """A message of somebody else is to be deleted."""
    controller = chat(setting, _harbour(), "plan")
    _choose(controller._acting.of_line(controller._rows[-1].line, _nothing, _nothing), "Delete…")
    return _closing(setting, controller)


def roles(setting: Setting) -> End:
    """In a narrow window: who is what, over the transcript."""
    controller = chat(setting, _harbour(), "plan")
    assert controller.window is not None
    setting.root.update()
    controller.window._toggle("people")
    return controller.stop


def _harbour(role: m.ChatRole = "member", mine: m.RoomRole = "owner", **more: Any) -> Stage:
    """The office with a private room that I look after, people with whom I talk alone, and an invitation."""
    stage = office_stage()
    plan = Room("plan", ["ada", "Grace H.", "Tomás Vega", "relay-bot", "Zoë"], more={"kind": "private", "role": mine})
    plan.more |= more
    plan.roles = {"ada": mine, "Grace H.": "moderator", "Zoë": "muted"}
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
    stage.chat_roles = {"Grace H.": "admin", "relay-bot": "bot", "Tomás Vega": "guest"}
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


def invitations(setting: Setting) -> End:
    """Invitations that may still be used."""
    found = [
        m.InvitationInfo("i1", 1, 0, moment("14:30", -7), note="Ben", by="ada"),
        m.InvitationInfo("i2", 0, 12, by="Grace H."),
    ]
    return _manage(setting, {m.Invitations: m.InvitationList(0, found)}, "Invitations…")


def revoke(setting: Setting) -> End:
    """Asked again before an invitation is taken back."""
    end = invitations(setting)
    setting.key("<Return>")
    return end


def lift(setting: Setting) -> End:
    """Asked again before a ban is lifted."""
    end = bans(setting)
    setting.key("<Return>")
    return end


def let_in(setting: Setting) -> End:
    """Somebody who waits: yes or no?"""
    end = people_waiting(setting)
    setting.key("<Return>")
    return end


def unlink(setting: Setting) -> End:
    """Asked again before a machine is not mine any more."""
    end = machines(setting)
    setting.key("<Down>", "<Down>", "<Return>")
    return end


def new_room(setting: Setting) -> End:
    """The name of a private room."""
    return _manage(setting, {}, "New private room…")


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
    _choose(controller.menu(), label)
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
    "ask-remove": (remove, 1040, 640),
    "ask-ban": (ban, 480, 360),
    "ask-rename": (rename, 760, 480),
    "ask-invited": (invited, 760, 480),
    "ask-delete": (delete, 760, 480),
    "ask-let-in": (let_in, 760, 480),
    "ask-lift": (lift, 760, 480),
    "ask-revoke": (revoke, 760, 480),
    "ask-unlink": (unlink, 760, 480),
    "ask-new-room": (new_room, 480, 360),
    "roles-narrow": (roles, 480, 480),
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
    "admin-bans-of-room": (room_bans, 1040, 640),
    "admin-invitations": (invitations, 760, 480),
    "admin-machines": (machines, 760, 480),
    "admin-code": (machine_code, 760, 480),
    "admin-invitation": (invitation, 760, 480),
    "forty-rooms": (forty_rooms, 1040, 640),
}
