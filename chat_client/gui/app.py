"""The program with a window: how it starts, what its menu holds, and how it ends."""

import gc
import logging
import signal
import sys
import tkinter as tk
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from chat_client import effects
from chat_client import session as s
from chat_client.gui import confirming
from chat_client.gui import scale as scaling
from chat_client.gui.appearance import Appearance
from chat_client.gui.controller import Controller, Outside
from chat_client.gui.entrance import Entrance
from chat_client.gui.home import Home
from chat_client.gui.menus import RULE, Entry, Menus
from chat_client.gui.question import Question
from chat_client.gui.signin import SignIn, Wanted
from chat_client.hosting import Host, handed_out
from chat_client.model import orders
from chat_client.model.chat import News
from chat_client.troubles import UNTRUSTED
from chat_core.address import Address, parse_address

log = logging.getLogger("chat.window")

# So long nobody answers before the card says so; the session's own patience for a hello is 3 s.
ANSWER_MS = 4000
_SWITCH_SECONDS = 0.0005


@dataclass(frozen=True)
class Wish:
    """What was given on the command line; "" and None: nothing."""

    name: str = ""
    address: str = ""
    serve: bool = False
    identity: Path | None = None
    theme: Literal["", "system", "light", "dark"] = ""
    scale: float | None = None


def put_window_first() -> None:
    """Have nothing else in this process keep the window's thread waiting; to be called when the program has started.

    Measured while 2,000 messages came in (benchmarks/window.py): the garbage collector took 22 ms to look through what
    stays anyway, and the window stood up to 36 ms in line behind the threads for network and disk, at each call of Tk.
    """
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)


class App:
    """The program. Make it, then call `run`; or, in a test, `start`, and let Tk work."""

    def __init__(
        self,
        wish: Wish | None = None,
        *,
        settings: Path | None = None,
        every: s.Intervals | None = None,
        host: Host | None = None,
        answer_ms: int = ANSWER_MS,
    ) -> None:
        """``settings``: the file of preferences; ``every``: the session's intervals."""
        self._wish = wish or Wish()
        scaling.prepare()
        self.root = tk.Tk(className="zmq-chat")
        self.root.withdraw()
        self.root.title("zmq-chat")
        self.root.report_callback_exception = self._broken
        self.appearance = Appearance(self.root, self._wish.theme, self._wish.scale, settings)
        self.look = self.appearance.look
        self.question = Question(self.root, self.look)
        self.menus = Menus(self.root, self.look)
        self.home = Home(self.root, host or Host())
        self.entrance = Entrance(
            self.root, self.appearance, self.question, self.home, self,
            identity=self._wish.identity, every=every, answer_ms=answer_ms,
        )  # fmt: skip
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        for event in ("<FocusIn>", "<FocusOut>"):
            self.root.bind(event, lambda event: self._focus_changed(), add=True)

    @property
    def signin(self) -> SignIn | None:
        """The card that asks who joins where, while it is shown."""
        return self.entrance.signin

    @property
    def controller(self) -> Controller | None:
        """The chat that is tried, or open."""
        return self.entrance.controller

    def run(self) -> int:
        """Show the window until it is closed; returns the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signalled)
        self.start()
        put_window_first()
        self.root.mainloop()
        return 0

    def _signalled(self, number: int, _frame: object) -> None:
        # Ctrl-C asks as the window's button does, the second time it does not; what is unsent is on disk anyway.
        asks = number == signal.SIGINT and not self.question.is_open
        self.root.after(0, self.close if asks else self.quit)

    def start(self) -> None:
        """Open the window."""
        wish = self._wish
        self.appearance.start()
        name = wish.name or self.appearance.last()[0]
        address = wish.address or self.appearance.last()[1]
        self.entrance.show(name, address)
        self.root.deiconify()
        # The first letter that is drawn asks fontconfig, which is another process: not while messages come in.
        self.look.avatar(name or "A")
        if wish.serve:
            self.entrance.own_address = wish.address
            assert self.signin is not None
            self.signin.tick_serve()
            if name:
                self.entrance.submit(Wanted(name, wish.address, True))
        elif wish.name and wish.address:
            self.entrance.submit(Wanted(name, address))

    # ---- the chat

    def outside(self) -> Outside:
        """What a chat's window asks of the program."""
        return Outside(
            self._close_soon, self.appearance.zoom, self._show_menu, self.appearance.show_title, self.question,
            self.menus, self._address,
        )  # fmt: skip

    def heard(self, news: News) -> None:
        """What matters to the program, whatever the chat makes of it."""
        if isinstance(news, effects.Status) and self._at_home:
            if news.state == "live":
                self.root.after_idle(lambda: self._tell(self.home.news()))
            elif news.state == "offline":
                self.root.after_idle(lambda: self.home.revive(self._tell) if self._at_home else None)
        if not self.entrance.joined:
            return
        # The chat was opened from what is on this machine, and what answers now is another thing.
        if isinstance(news, effects.TurnedAway):
            self.root.after_idle(self._tell_over, "The broker does not let you in", news.reply.text)
        elif isinstance(news, orders.Unusable):
            self.root.after_idle(self._tell_over, "The chat cannot go on", news.text)
        elif isinstance(news, effects.Met):
            self.root.after_idle(self._ask_trust, news)
        elif isinstance(news, effects.Trouble):
            self.root.after_idle(self._tell_trouble, news)

    def _tell_over(self, title: str, text: str) -> None:
        """What the open chat wants does not come any more."""
        self.question.ask(title, text, [("Join another chat", self.sign_in_anew), ("Stay", lambda: None)])

    def _ask_trust(self, met: effects.Met) -> None:
        if self.controller is not None:
            backend = self.controller.backend
            yes = lambda: backend.carry_out(orders.Trust(met.answer))  # noqa: E731
            asked = confirming.of_meeting(backend.address.text, met.answer, yes, self.sign_in_anew)
            self.question.ask(asked.title, f"{asked.text}\n\n{asked.code}\n\n{asked.below}".strip(), asked.answers)

    def _tell_trouble(self, trouble: effects.Trouble) -> None:
        """Another than the broker that the open chat belongs to is at its address. It goes on if that one is back."""
        if self.controller is None or trouble.code not in UNTRUSTED:
            return
        where = self.controller.backend.address.text
        ask = lambda: confirming.ask_to_forget(self.question, trouble.code, where, self.entrance.forget)  # noqa: E731
        asked = confirming.of_trouble(trouble.code, trouble.text, where, ask, lambda: None)
        if asked is not None and not self.question.is_open:
            answers = [asked.answers[0], ("Join another chat", self.sign_in_anew), ("Stay", lambda: None)]
            self.question.ask(asked.title, f"{asked.text}\n\n{asked.below}", answers, harms=True)

    @property
    def _at_home(self) -> bool:
        """Is the chat that is open the one that was started here?"""
        there = self.entrance.joined and self.controller is not None
        return there and self.controller is not None and self.home.is_at(self.controller.backend.address)

    def _tell(self, text: str) -> None:
        if text and self.controller is not None and self.controller.window is not None:
            self.controller.note(text)

    def _focus_changed(self) -> None:
        if self.controller is not None and self.controller.window is not None:
            self.controller.focus_changed()

    def sign_in_anew(self) -> None:
        """Leave this chat, and ask for a name and an address again."""
        self.entrance.end()
        if self.signin is None:
            self.entrance.show(*self.appearance.last())

    def leave(self) -> None:
        """Go to another chat, after a question where something would be lost."""
        chat = self.controller.chat if self.controller is not None else None
        if chat is not None and chat.refused():
            self.question.ask(
                "Leave this chat?",
                "A message was refused, and will be lost.",
                [("Leave", self.sign_in_anew), ("Stay", lambda: None)],
            )
        else:
            self.sign_in_anew()

    # ---- closing

    def close(self) -> None:
        """Close the window, after a question where something would be lost."""
        if self.question.is_open:
            return
        chat = self.controller.chat if self.controller is not None and self.entrance.joined else None
        if chat is not None and (text := chat.closing_question()):
            answers = [("Close", self._close_host), ("Stay", lambda: None)]
            self.question.ask("Close the chat?", text, answers)
        else:
            self._close_host()

    def _close_soon(self) -> None:
        # Whoever asks is a widget in the middle of its work, which must still be there afterwards.
        self.root.after_idle(self.close)

    def _close_host(self) -> None:
        if not self.home.host.running:
            self.quit()
            return
        who = "Others may be in it."
        if self._at_home and self.controller is not None:
            chat = self.controller.chat
            others = len(set(chat.here or {}) - {chat.me.user})
            if not others:
                self.quit()
                return
            who = "1 other is here." if others == 1 else f"{others} others are here."
        self.question.ask(
            "A chat runs on this computer",
            f"{who} If it stops, their messages wait until it is started again; nothing is lost. If you leave it "
            "running, it goes on until this computer is shut down.",
            [("Leave it running", self._leave_host), ("Stop it", self.quit), ("Stay", lambda: None)],
        )

    def _leave_host(self) -> None:
        self.home.host.leave()
        self.quit()

    def quit(self) -> None:
        """Close the window now."""
        self.appearance.stop()
        self.root.withdraw()
        self.entrance.cancel_wait()
        self.entrance.end(wait=True)
        self.home.host.stop()
        self.menus.close()
        self.root.destroy()
        self.look.close()

    # ---- the window around it

    def _show_menu(self, x: int, y: int) -> None:
        if self.controller is not None and self.controller.window is not None:
            self.controller.window.focus_composer()  # where the keys are to go when the menu is gone
        self.menus.show(self._menu(), x, y, ends=True)

    def _menu(self) -> list[Entry]:
        """What the menu of the window holds."""
        appearance, entries = self.appearance, []
        themes: tuple[tuple[str, Literal["light", "dark", "system"]], ...] = (
            ("Light", "light"), ("Dark", "dark"), ("Like the system", "system"),
        )  # fmt: skip
        for label, theme in themes:
            mark = "●" if appearance.theme == theme else "○"
            entries.append(Entry(f"{mark} {label}", partial(appearance.set_theme, theme)))
        return [
            *(self.controller.menu() if self.controller is not None else ()),
            *entries,
            RULE,
            Entry("Larger", lambda: appearance.zoom(1), "Ctrl++"),
            Entry("Smaller", lambda: appearance.zoom(-1), "Ctrl+-"),
            Entry("Usual size", lambda: appearance.zoom(0), "Ctrl+0"),
            RULE,
            Entry("Copy the address for others", self._copy_address),
            Entry("Commands and keys", self._help, "F1"),
            Entry("Join another chat…", self.leave),
            Entry("Quit", self.close, "Ctrl+Q"),
        ]

    def _help(self) -> None:
        if self.controller is not None and self.controller.window is not None:
            self.controller.show_help()

    def _address(self) -> Address:
        """Of the chat that is open, as others can use it."""
        assert self.controller is not None
        if self._at_home and self.home.hosted is not None and self.home.hosted.join:
            return parse_address(self.home.hosted.join)
        return handed_out(self.controller.backend.known_address)

    def _copy_address(self) -> None:
        if self.controller is not None:
            join = self._address().join
            self.root.clipboard_clear()
            self.root.clipboard_append(join)
            self.controller.note(f"Copied, to be handed out: {join}")

    def _broken(self, kind: object, value: BaseException, trace: object) -> None:
        log.error("something in the window broke", exc_info=value)
