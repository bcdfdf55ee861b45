"""The way into a chat: the card that asks who joins where, what is met there, and the chat that opens or does not."""

import contextlib
import tkinter as tk
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from chat_client import effects
from chat_client import session as s
from chat_client.backend import Backend
from chat_client.gui import confirming
from chat_client.gui.appearance import Appearance
from chat_client.gui.controller import Controller, Outside
from chat_client.gui.home import Home
from chat_client.gui.question import Question
from chat_client.gui.signin import Field, SignIn, Wanted
from chat_client.hosting import Hosted, NotHosted, is_loopback
from chat_client.identity import folder_for
from chat_client.model import orders
from chat_client.model.chat import Chat, News
from chat_core import codes, names
from chat_core.address import DEFAULT_PORT, Address, parse_address
from chat_core.errors import AddressError, RefusedError

# Which field a refusal is about.
_FIELDS: dict[str, Field] = {
    **dict.fromkeys(("name_needed", "name_bad", "name_taken", "name_differs"), "name"),
    **dict.fromkeys(("invite_needed", "invite_bad"), "address"),
    "link_bad": "code",
}


class Around(Protocol):
    """What the entrance needs of the program around it."""

    def outside(self) -> Outside:
        """What a chat's window asks of the program."""
        ...

    def heard(self, news: News) -> None:
        """A piece of news of the chat that is tried or open, after it was applied."""

    def close(self) -> None:
        """Somebody wants to leave."""


class Entrance:
    """At most one chat at a time, from the moment somebody wants to join: ``controller`` has it, ``joined`` tells
    whether it is open. While there is none, ``signin`` is shown."""

    def __init__(
        self,
        root: tk.Tk,
        appearance: Appearance,
        question: Question,
        home: Home,
        around: Around,
        *,
        identity: Path | None,
        every: s.Intervals | None,
        answer_ms: int,
    ) -> None:
        """``identity``: the folder of it, None: one for each name; ``answer_ms``: so long nobody has to answer."""
        self._root, self._appearance, self._question, self._home = root, appearance, question, home
        self._around, self._identity, self._every, self._answer_ms = around, identity, every, answer_ms
        self.signin: SignIn | None = None
        self.controller: Controller | None = None
        self.joined = False
        self.own_address = ""  # where a chat of this computer is to be started; "": as the card says
        self._joining: Wanted | None = None  # what is tried
        self._remembered = ""  # the address, without what is secret in it
        self._waiting = ""  # Tk's id
        self._starting = False  # a broker is started for the chat that is tried

    # ---- the card

    def show(self, name: str, address: str) -> None:
        """Ask who joins where, with these in the fields."""
        card = self.signin = SignIn(self._root, self._appearance.look, on_submit=self.submit, on_cancel=self.cancel)
        card.show_known(*self._appearance.known())
        card.pack(fill="both", expand=True)
        self._root.title("zmq-chat")
        card.fill(name, address)

    def submit(self, wanted: Wanted) -> None:
        """Somebody wants to join."""
        assert self.signin is not None
        self._stop_trying()
        try:
            name = names.user_name(wanted.name)
        except RefusedError as problem:
            text = problem.text if wanted.name else "Give a name: it is how the others see you."
            self.signin.show_error("name", text)
            return
        try:
            wanted = wanted._replace(name=name, code=codes.typed_code(wanted.code) if wanted.code else "")
        except RefusedError as problem:
            self.signin.show_error("code", problem.text)
            return
        try:
            if wanted.serve:
                where = self._own_address(wanted.address)
            elif not wanted.address:
                text = "Give the address of the chat, as whoever runs it told you."
                self.signin.show_error("address", text)
                return
            else:
                where = parse_address(wanted.address)
        except AddressError as problem:
            self.signin.show_error("address", str(problem))
            return
        self._joining, self._remembered = wanted, without_secret(wanted.address)
        self._starting = wanted.serve and not self._home.host.running
        if wanted.serve:
            self.signin.show_busy("Starting a chat on this computer…")
            self._home.open(where, self._hosted)
        else:
            self._join(where)

    def _own_address(self, typed: str) -> Address:
        """Where to start a chat. What stands in the field, which cannot be changed then, may be another computer's."""
        if self.own_address:
            return parse_address(self.own_address)
        with contextlib.suppress(AddressError):
            if is_loopback((given := parse_address(typed)).host):
                return given
        return Address("127.0.0.1", DEFAULT_PORT)

    def _hosted(self, news: Hosted | NotHosted) -> None:
        if self._joining is None or self.signin is None:
            return
        if isinstance(news, NotHosted):
            self._joining = None
            self.signin.show_error("", news.text)
        else:
            self._remembered = news.address.text
            self._join(news.address, sure=news.ours)

    def _join(self, address: Address, *, sure: bool = False, anew: bool = False) -> None:
        """``sure``: the key in the address is the right one; ``anew``: what was known of the broker is forgotten."""
        assert self.signin is not None
        assert self._joining is not None
        self.signin.show_busy(f"Looking for the chat at {address.text}…")
        name, code = self._joining.name, self._joining.code
        folder = self._identity or folder_for(name)
        backend = Backend(address, folder, name, self._every, sure=sure, anew=anew, link=code)
        chat = Chat(address.text, name, address.room)
        look = self._appearance.look
        self.controller = Controller(self._root, look, backend, chat, self._around.outside())
        self.joined = False
        self.controller.start(self._heard)
        self._waiting = self._root.after(self._answer_ms, self._no_answer)

    # ---- what is heard

    def _heard(self, news: News) -> None:
        """What matters until the chat is open, and to the program around it."""
        self._around.heard(news)
        if self.joined or self.controller is None:
            return
        if isinstance(news, effects.Welcomed) or (isinstance(news, orders.Opened) and news.rooms):
            self._root.after_idle(self._open_chat)
            self.joined = True
        elif isinstance(news, effects.Met):
            self._ask_trust(news)
        elif isinstance(news, effects.Trouble):
            self._tell_trouble(news)
        elif isinstance(news, effects.Waits):
            self._tell_waiting(news)
        elif isinstance(news, effects.TurnedAway):
            self._give_up(_FIELDS.get(news.reply.code, ""), news.reply.text)
        elif isinstance(news, orders.Unusable):
            self._give_up("", news.text)
        elif isinstance(news, orders.Unreachable):
            self._give_up("address", news.text)

    def _ask_trust(self, met: effects.Met) -> None:
        """Whoever answers is not known: the user decides."""
        if self.controller is None or self.signin is None:
            return
        backend, card = self.controller.backend, self.signin
        self.cancel_wait()

        def yes() -> None:
            card.show_busy(f"Joining the chat at {backend.address.text}…")
            backend.carry_out(orders.Trust(met.answer))
            self._waiting = self._root.after(self._answer_ms, self._no_answer)

        card.show_step(confirming.of_meeting(backend.address.text, met.answer, yes, self.cancel))

    def _tell_trouble(self, trouble: effects.Trouble) -> None:
        """Why nobody lets us in. It is tried on, until that helps or somebody changes something."""
        if self.controller is None or self.signin is None or trouble.code == "nobody":
            return  # after a while it is looked for the reason
        self.cancel_wait()
        where = self.controller.backend.address.text
        asked = confirming.of_trouble(
            trouble.code, trouble.text, where, partial(self._ask_forget, trouble.code), self.cancel
        )
        if asked is None:
            self.signin.show_trouble(trouble.text)
        else:
            self.signin.show_step(asked)

    def _tell_waiting(self, waits: effects.Waits) -> None:
        """An admin has to let us in; that is found out without anybody's doing."""
        self.cancel_wait()
        if self.controller is not None and self.signin is not None:
            where = self.controller.backend.address.text
            self.signin.show_step(confirming.of_waiting(waits.reply.name, where, self.cancel))

    def _ask_forget(self, code: str) -> None:
        if self.controller is not None:
            where = self.controller.backend.address.text
            confirming.ask_to_forget(self._question, code, where, self.forget, alone=True)

    def forget(self) -> None:
        """Know nothing of the broker any more, and meet it again."""
        if self.controller is None or self._joining is None:
            return
        backend, wanted = self.controller.backend, self._joining
        address = backend.address
        if address.key == backend.known_address.key:  # the old one stands in the join string that was given
            address = replace(address, key="")
            self._remembered = address.text
        self.end()
        if self.signin is None:
            self.show(wanted.name, self._remembered)
        self._joining = wanted
        self._join(address, anew=True)

    def _no_answer(self) -> None:
        self._waiting = ""
        if not self.joined and self.controller is not None:
            self.controller.backend.explain()

    def _give_up(self, field: Field, text: str) -> None:
        """It did not work out; the card says why, and stays."""
        self._root.after_idle(self.end)
        self.cancel_wait()
        if self.signin is not None:
            self.signin.show_error(field, text)

    def _open_chat(self) -> None:
        self.cancel_wait()
        if self.controller is None or self._joining is None:
            return
        if self.signin is not None:
            self.signin.destroy()
            self.signin = None
        self._appearance.remember(self._joining.name, self._remembered)
        self.controller.show()

    # ---- the end

    def cancel(self) -> None:
        """Esc or the button on the card: stop trying, or else leave."""
        if self._joining is None:
            self._around.close()
            return
        self._stop_trying()
        if self._starting:
            self._home.host.stop()
        if self.signin is not None:
            self.signin.show_busy("")

    def _stop_trying(self) -> None:
        self.cancel_wait()
        self.end()

    def end(self, wait: bool = False) -> None:
        """End the chat that is tried, or open. With ``wait``: all is done when this returns."""
        controller, self.controller = self.controller, None
        self._joining, self.joined = None, False
        if controller is not None:
            controller.stop(wait)

    def cancel_wait(self) -> None:
        """No answer is wanted any more."""
        self._home.cancel()
        if self._waiting:
            self._root.after_cancel(self._waiting)
            self._waiting = ""


def without_secret(typed: str) -> str:
    """An address as it may be remembered: without the invitation that a join string may hold."""
    return replace(parse_address(typed), invite="").join if "?" in typed else typed
