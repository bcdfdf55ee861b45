"""The program with a window: who joins where, from the card that asks to the chat itself, and how it ends."""

import contextlib
import gc
import logging
import signal
import sys
import tkinter as tk
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chat_client import effects
from chat_client import session as s
from chat_client.backend import Backend
from chat_client.gui import scale as scaling
from chat_client.gui.appearance import Appearance
from chat_client.gui.confirming import ask_to_confirm
from chat_client.gui.controller import Controller, Outside
from chat_client.gui.home import Home
from chat_client.gui.question import Question
from chat_client.gui.signin import SignIn
from chat_client.hosting import Host, Hosted, NotHosted, handed_out, is_loopback
from chat_client.identity import folder_for
from chat_client.model import orders
from chat_client.model.chat import Chat, News
from chat_core import names
from chat_core.address import DEFAULT_PORT, Address, parse_address
from chat_core.errors import AddressError, RefusedError

log = logging.getLogger("chat.window")

# So long nobody answers before the card says so; the session's own patience for a hello is 3 s.
ANSWER_MS = 4000
_SWITCH_SECONDS = 0.0005
# Refusals that are about the name.
_NAME_CODES = {"name_needed", "name_bad", "name_taken", "name_differs"}


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
        self._every, self._answer_ms = every, answer_ms
        scaling.prepare()
        self.root = tk.Tk(className="zmq-chat")
        self.root.withdraw()
        self.root.title("zmq-chat")
        self.root.report_callback_exception = self._broken
        self.appearance = Appearance(self.root, self._wish.theme, self._wish.scale, settings)
        self.look = self.appearance.look
        self.question = Question(self.root, self.look)
        self.signin: SignIn | None = None
        self.controller: Controller | None = None
        self.home = Home(self.root, host or Host())
        self._menu = tk.Menu(self.root, tearoff=False)  # made anew each time
        self._strut: tk.PhotoImage | None = None  # in its entries
        self._joining: tuple[str, str] | None = None  # name and address that are tried
        self._waiting = ""  # Tk's id
        self._joined = False
        self._starting = False  # a broker is started for the chat that is tried
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        for event in ("<FocusIn>", "<FocusOut>"):
            self.root.bind(event, lambda event: self._focus_changed(), add=True)

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
        self.appearance.start()
        self._show_signin()
        name = self._wish.name or self.appearance.last()[0]
        address = self._wish.address or self.appearance.last()[1]
        assert self.signin is not None
        self.signin.fill(name, address)
        self.root.deiconify()
        # The first letter that is drawn asks fontconfig, which is another process: not while messages come in.
        self.look.avatar(name or "A")
        if self._wish.serve:
            self.signin.tick_serve()
            if name:
                self._submit(name, self._wish.address, True)
        elif self._wish.name and self._wish.address:
            self._submit(name, address, False)

    # ---- joining

    def _show_signin(self) -> None:
        self.signin = SignIn(self.root, self.look, on_submit=self._submit, on_cancel=self._cancel)
        self.signin.show_known(*self.appearance.known())
        self.signin.pack(fill="both", expand=True)
        self.root.title("zmq-chat")

    def _submit(self, name: str, address: str, serve: bool) -> None:
        """Somebody wants to join."""
        assert self.signin is not None
        try:
            name = names.user_name(name)
        except RefusedError as problem:
            self.signin.show_error("name", problem.text if name else "Give a name: it is how the others see you.")
            return
        try:
            if serve:
                where = self._own_address(address)
            elif not address:
                self.signin.show_error("address", "Give the address of the chat, as whoever runs it told you.")
                return
            else:
                where = parse_address(address)
        except AddressError as problem:
            self.signin.show_error("address", str(problem))
            return
        self._joining = name, address
        self._starting = serve and not self.home.host.running
        if serve:
            self.signin.show_busy("Starting a chat on this computer…")
            self.home.open(where, lambda news: self._hosted(name, news))
        else:
            self._join(name, where)

    def _own_address(self, typed: str) -> Address:
        """Where to start a chat. What stands in the field, which cannot be changed then, may be another computer's."""
        if self._wish.serve and self._wish.address:
            return parse_address(self._wish.address)
        with contextlib.suppress(AddressError):
            if is_loopback((given := parse_address(typed)).host):
                return given
        return Address("127.0.0.1", DEFAULT_PORT)

    def _hosted(self, name: str, news: Hosted | NotHosted) -> None:
        if self._joining is None or self.signin is None:
            return
        if isinstance(news, NotHosted):
            self._joining = None
            self.signin.show_error("", news.text)
        else:
            self._joining = name, news.address.text
            self._join(name, news.address, sure=news.ours)

    def _join(self, name: str, address: Address, sure: bool = False) -> None:
        assert self.signin is not None
        self.signin.show_busy(f"Looking for the chat at {address.text}…")
        folder = self._wish.identity or folder_for(name)
        backend = Backend(address, folder, name, self._every, sure=sure)
        chat = Chat(address.text, name, address.room)
        outside = Outside(self._close_soon, self.appearance.zoom, self._show_menu, self.appearance.show_title)
        self.controller = Controller(self.root, self.look, backend, chat, outside)
        self._joined = False
        self.controller.start(self._heard)
        self._waiting = self.root.after(self._answer_ms, self._no_answer)

    def _heard(self, news: News) -> None:
        """What matters until the chat is open, and to whoever started one."""
        if isinstance(news, effects.Status) and self._at_home:
            if news.state == "live":
                self.root.after_idle(lambda: self._tell(self.home.news()))
            elif news.state == "offline":
                self.root.after_idle(lambda: self.home.revive(self._tell) if self._at_home else None)
        if self._joined and isinstance(news, effects.TurnedAway):
            # The chat was opened from what is on this machine, and the broker that answers now does not want us.
            self.root.after_idle(self._tell_over, "The broker does not let you in", news.reply.text)
        elif self._joined and isinstance(news, orders.Unusable):
            self.root.after_idle(self._tell_over, "The chat cannot go on", news.text)
        if isinstance(news, effects.Met):
            self.root.after_idle(self._confirm, news)
        if self._joined or self.controller is None:
            return
        if isinstance(news, effects.Welcomed) or (isinstance(news, orders.Opened) and news.rooms):
            self.root.after_idle(self._open_chat)
            self._joined = True
        elif isinstance(news, effects.TurnedAway):
            field: Literal["name", ""] = "name" if news.reply.code in _NAME_CODES else ""
            self._give_up(field, news.reply.text)
        elif isinstance(news, orders.Unusable):
            self._give_up("", news.text)
        elif isinstance(news, orders.Unreachable) or (isinstance(news, effects.Trouble) and news.code != "nobody"):
            self._give_up("address", news.text)

    def _confirm(self, met: effects.Met) -> None:
        """Whoever answers is not known: the user decides."""
        if (controller := self.controller) is None:
            return
        self._cancel_wait()
        backend = controller.backend
        yes = lambda: backend.carry_out(orders.Trust(met.answer))  # noqa: E731
        ask_to_confirm(self.question, backend.address.text, met.answer, yes, self._cancel)

    def _tell_over(self, title: str, text: str) -> None:
        """What the open chat wants does not come any more."""
        self.question.ask(title, text, [("Join another chat", self.sign_in_anew), ("Stay", lambda: None)])

    @property
    def _at_home(self) -> bool:
        """Is the chat that is open the one that was started here?"""
        return self._joined and self.controller is not None and self.home.is_at(self.controller.backend.address)

    def _tell(self, text: str) -> None:
        if text and self.controller is not None and self.controller.window is not None:
            self.controller.note(text)

    def _no_answer(self) -> None:
        self._waiting = ""
        if not self._joined and self.controller is not None:
            self.controller.backend.explain()

    def _give_up(self, field: Literal["name", "address", ""], text: str) -> None:
        """It did not work out; the card says why, and stays."""
        self.root.after_idle(self._end_chat)
        self._cancel_wait()
        if self.signin is not None:
            self.signin.show_error(field, text)

    def _open_chat(self) -> None:
        self._cancel_wait()
        if self.controller is None or self._joining is None:
            return
        if self.signin is not None:
            self.signin.destroy()
            self.signin = None
        name, address = self._joining
        joined = self.controller.backend.address
        self.appearance.remember(name, joined.text if joined.invite else address)  # an invitation is kept nowhere
        self.controller.show()

    def _focus_changed(self) -> None:
        if self.controller is not None and self.controller.window is not None:
            self.controller.focus_changed()

    def _cancel(self) -> None:
        """Esc or the button on the card: stop trying, or else leave."""
        if self._joining is None:
            self.close()
            return
        self._joining = None
        self._cancel_wait()
        self._end_chat()
        if self._starting:
            self.home.host.stop()
        if self.signin is not None:
            self.signin.show_busy("")

    def _end_chat(self, wait: bool = False) -> None:
        controller, self.controller = self.controller, None
        self._joining = None
        if controller is not None:
            controller.stop(wait)

    def _cancel_wait(self) -> None:
        self.home.cancel()
        if self._waiting:
            self.root.after_cancel(self._waiting)
            self._waiting = ""

    def sign_in_anew(self) -> None:
        """Leave this chat, and ask for a name and an address again."""
        recent = self.appearance.last()
        self._end_chat()
        self._show_signin()
        assert self.signin is not None
        self.signin.fill(*recent)

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
        chat = self.controller.chat if self.controller is not None and self._joined else None
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
        self._cancel_wait()
        self._end_chat(wait=True)
        self.home.host.stop()
        self.root.destroy()

    # ---- the window around it

    def _show_menu(self, x: int, y: int) -> None:
        self._menu.destroy()
        menu = self._menu = tk.Menu(self.root, tearoff=False)
        for label, theme in (("Light", "light"), ("Dark", "dark"), ("Like the system", "system")):
            mark = "●" if self.appearance.theme == theme else "○"
            menu.add_command(label=f"{mark} {label}", command=lambda theme=theme: self.appearance.set_theme(theme))  # type: ignore[misc]
        menu.add_separator()
        menu.add_command(label="Larger", accelerator="Ctrl++", command=lambda: self.appearance.zoom(1))
        menu.add_command(label="Smaller", accelerator="Ctrl+-", command=lambda: self.appearance.zoom(-1))
        menu.add_command(label="Usual size", accelerator="Ctrl+0", command=lambda: self.appearance.zoom(0))
        menu.add_separator()
        menu.add_command(label="Copy the address for others", command=self._copy_address)
        menu.add_command(label="Commands and keys", accelerator="F1", command=self._help)
        menu.add_command(label="Join another chat…", command=self.leave)
        menu.add_command(label="Quit", accelerator="Ctrl+Q", command=self.close)
        self._spread(menu)
        if self.controller is not None and self.controller.window is not None:
            self.controller.window.focus_composer()  # where the keys are to go when the menu is gone
        self.root.update_idletasks()
        menu.tk_popup(x - menu.winfo_reqwidth(), y)

    def _spread(self, menu: tk.Menu) -> None:
        """Give the entries of a menu some room: Tk's own way to do that is a raised edge."""
        px = self.look.px
        self._strut = tk.PhotoImage(master=self.root, width=px(6), height=px(26))
        for at in range(int(menu.index("end") or 0) + 1):
            if menu.type(at) == "command":
                behind = str(menu.entrycget(at, "accelerator")) + "  "
                menu.entryconfigure(at, image=self._strut, compound="left", accelerator=behind)

    def _help(self) -> None:
        if self.controller is not None and self.controller.window is not None:
            self.controller.show_help()

    def _copy_address(self) -> None:
        if self.controller is not None:
            here = self.home.hosted if self._at_home else None
            join = here.join if here is not None else handed_out(self.controller.backend.known_address).join
            self.root.clipboard_clear()
            self.root.clipboard_append(join)
            self.controller.note(f"Copied, to be handed out: {join}")

    def _broken(self, kind: object, value: BaseException, trace: object) -> None:
        log.error("something in the window broke", exc_info=value)
