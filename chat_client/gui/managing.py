"""What an owner or admin looks after, and everybody their own machines: lists to choose from, and what is done then."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from chat_client.backend import now
from chat_client.gui.errands import Errands
from chat_client.gui.menus import Entry
from chat_client.gui.question import Field, Question
from chat_client.model import talk
from chat_client.model.shown import Choice
from chat_core import codes, durations, keys, rights
from chat_core import messages as m
from chat_core.address import Address

AUDIT = "!audit"
INVITATION_DAYS = 7
_NEW = "new"  # the value of a choice that makes something; ids have digits in them


class Managing:
    """Makes the entries of the window's menu about the chat, and does what they say."""

    def __init__(
        self, errands: Errands, question: Question, *, address: Callable[[], Address], copy: Callable[[str], None]
    ) -> None:
        """``address``: of the chat, as others can use it; ``copy``: put a text on the clipboard."""
        self._chat, self._errands = errands.chat, errands
        self._question, self._address, self._copy = question, address, copy

    def entries(self) -> list[Entry]:
        """As far as one may."""
        wanted: tuple[tuple[rights.Act, str, Callable[[], None]], ...] = (
            ("create_private", "New private room…", self._new_room),
            ("nick", "Change my name…", self._nick),
            ("link", "My machines…", self.show_machines),
            ("approve", "People who wait…", self.show_waiting),
            ("invitation", "Invite somebody to the chat…", self._invite),
            ("invitation", "Invitations…", self.show_invitations),
            ("ban", "Bans…", self.show_bans),
            ("ban", "Audit log", self.show_audit),
        )
        here = rights.Standing(self._chat.role or "member")
        return [Entry(label, do) for act, label, do in wanted if rights.may(act, here)]

    # ---- who waits

    def show_waiting(self) -> None:
        """Have somebody chosen who waits to be let in."""
        self._errands.everybody(self._show_people)

    def _show_people(self, people: list[m.Somebody]) -> None:
        found = [one for one in people if one.waiting]
        names = {one.user: one.name for one in found}
        choices = [Choice(one.user, one.name, f"since {durations.moment(one.time)}") for one in found]
        self._errands.offer(
            "Who waits to be let in", choices, lambda user: self._decide(user, names[user]), "Nobody waits."
        )

    def _decide(self, user: str, name: str) -> None:
        self._question.ask(
            f"Let {name} in?",
            "Who is let in reads and writes in all open rooms. Who is rejected is banned with that machine.",
            [
                ("Let in", lambda: self._errands.request(m.Approve(user=user), f"{name} is let in.")),
                ("Reject…", lambda: self._reject(user, name)),
                ("Cancel", lambda: None),
            ],
        )

    def _reject(self, user: str, name: str) -> None:
        def reject() -> None:
            self._errands.request(m.Reject(user=user, reason=self._question.typed), f"{name} is not let in.")

        answers = [("Reject", reject), ("Cancel", lambda: None)]
        text = "Their key is banned; the list of bans lifts that."
        self._question.ask(f"Reject {name}?", text, answers, field=Field("Reason"), harms=True)

    # ---- invitations

    def _invite(self) -> None:
        """Make an invitation for one person."""
        self._question.ask(
            "Invite somebody to this chat",
            f"The invitation lets one person in, within {INVITATION_DAYS} days, also where others have to wait.",
            [("Make it", lambda: self._make_invitation(self._question.typed)), ("Cancel", lambda: None)],
            field=Field("For whom (only admins see this)"),
        )

    def _make_invitation(self, note: str) -> None:
        token = codes.letters(secrets.randbits(codes.TOKEN_BITS), codes.TOKEN_BITS)
        until = now().wall + INVITATION_DAYS * 86_400_000
        join = replace(self._address(), invite=token).join
        request = m.Invitation(digest=keys.token_digest(token), until=until, note=note)
        self._errands.ask(request, lambda reply: self._hand_out(join, note))

    def _hand_out(self, join: str, note: str) -> None:
        whom = note or "whoever is to come"
        text = f"Give this to {whom}, and to nobody else: whoever uses it first is in. It is shown only now."
        answers = [("Copy", lambda: self._copy(join)), ("Close", lambda: None)]
        self._question.ask("The invitation is made", text, answers, field=Field("Join string", join, fixed=True))

    def show_invitations(self) -> None:
        """Have an invitation chosen, to be taken back."""

        def answer(reply: m.Reply) -> None:
            assert isinstance(reply, m.InvitationList)
            known = {one.id: one for one in reply.invitations}
            choices = [Choice(one.id, one.note or one.id, _uses(one)) for one in reply.invitations]
            nobody = "There is no invitation that can be used."
            self._errands.offer(
                "Invitations that can be used", choices, lambda chosen: self._revoke(known[chosen]), nobody
            )

        self._errands.ask(m.Invitations(), answer)

    def _revoke(self, one: m.InvitationInfo) -> None:
        done = f"The invitation {one.note or one.id} cannot be used any more."
        self._sure(
            "Take this invitation back?",
            f"{one.note or one.id}, made by {one.by}: {_uses(one)}. Who has come by it stays.",
            ("Take back", lambda: self._errands.request(m.Revoke(invitation=one.id), done)),
        )

    # ---- my machines

    def show_machines(self) -> None:
        """Have one of my machines chosen, or another one linked."""

        def answer(reply: m.Reply) -> None:
            assert isinstance(reply, m.MachineList)
            choices = [Choice(_NEW, "Link another machine…", "shows a code")]
            choices += [Choice(one.key, keys.fingerprint(one.key), _machine(one)) for one in reply.machines]
            self._errands.offer("My machines", choices, self._machine_chosen, "")

        self._errands.ask(m.Machines(), answer)

    def _machine_chosen(self, key: str) -> None:
        if key == _NEW:
            self._link()
            return
        shown = keys.fingerprint(key)
        self._sure(
            "Unlink this machine?",
            f"{shown} is not you any more, at once: it has to be linked again to write under your name.",
            ("Unlink", lambda: self._errands.request(m.Unlink(key=key), f"{shown} is unlinked.")),
        )

    def _link(self) -> None:
        code = codes.letters(secrets.randbits(codes.CODE_BITS), codes.CODE_BITS)
        self._errands.ask(m.Link(digest=keys.token_digest(code)), lambda reply: self._show_code(codes.grouped(code)))

    def _show_code(self, code: str) -> None:
        self._question.ask(
            "Link another machine",
            "Start the chat there, choose “I have it on another machine”, and type this within ten minutes. It works "
            "once.",
            [("Close", lambda: None)],
            field=Field("One-time code", code, fixed=True, large=True),
        )

    # ---- bans, the audit log, rooms, my name

    def show_bans(self, room: str = "") -> None:
        """Have a ban chosen, from this room or from the chat, to be lifted."""

        def answer(reply: m.Reply) -> None:
            assert isinstance(reply, m.BanList)
            known = {ban.id: ban for ban in reply.bans}
            choices = [Choice(ban.id, _banned(ban), _why(ban)) for ban in reply.bans]
            where = f"from #{self._chat.rooms[room].name}" if room in self._chat.rooms else "from the chat"
            nobody = f"Nobody is banned {where}."
            self._errands.offer(f"Who is banned {where}", choices, lambda chosen: self._lift(known[chosen]), nobody)

        self._errands.ask(m.Bans(room=room), answer)

    def _lift(self, ban: m.BanInfo) -> None:
        who = _banned(ban)
        text = f"{who} was banned by {ban.by}{f': {ban.reason}' if ban.reason else '.'}"
        done = f"The ban of {who} is lifted."
        lift = lambda: self._errands.request(m.Unban(ban=ban.id), done)  # noqa: E731
        self._sure("Lift this ban?", text, ("Lift it", lift), harms=False)

    def show_audit(self) -> None:
        """Open the room that the acts of admins and moderators are written in."""
        if AUDIT in self._chat.rooms:
            self._chat.open(AUDIT)
            self._errands.flush()
            return

        def answer(reply: m.Reply) -> None:
            assert isinstance(reply, m.RoomState)
            talk.show(self._chat, reply.room)

        self._errands.ask(m.Room(room=AUDIT), answer)

    def _new_room(self) -> None:
        text = "Only those whom you invite can see it, read it and write in it."
        answers = [("Make it", lambda: self._command("private", self._question.typed)), ("Cancel", lambda: None)]
        self._question.ask("New private room", text, answers, field=Field("Name of the room"))

    def _nick(self) -> None:
        text = "What you said before stays under the name you had then."
        answers = [("Change", lambda: self._command("nick", self._question.typed)), ("Cancel", lambda: None)]
        self._question.ask("Change my name", text, answers, field=Field("Name", self._chat.me.name))

    def _command(self, word: str, what: str) -> None:
        if what:
            self._errands.command(f"/{word} {what}")

    def _sure(self, title: str, text: str, answer: tuple[str, Callable[[], None]], *, harms: bool = True) -> None:
        self._question.ask(title, text, [answer, ("Cancel", lambda: None)], harms=harms)


def _uses(one: m.InvitationInfo) -> str:
    left = "any number of uses" if not one.uses else f"{one.used} of {one.uses} used"
    return f"{left}, until {durations.moment(one.until)}" if one.until else left


def _machine(one: m.Machine) -> str:
    return "this machine" if one.this else f"since {durations.moment(one.time)}"


def _banned(ban: m.BanInfo) -> str:
    return ban.name or ban.user or ban.address or (keys.fingerprint(ban.key) if ban.key else ban.id)


def _why(ban: m.BanInfo) -> str:
    until = f"until {durations.moment(ban.until)}" if ban.until else ""
    return " · ".join(filter(None, (until, ban.reason)))
