"""A chat of one's own: the broker that this program started, what is told of it, and that it is not lost unasked."""

import tkinter as tk
from collections.abc import Callable

from chat_client.hosting import Host, Hosted, NotHosted
from chat_core.address import Address

_POLL_MS = 50
# A broker that dies so often would die again.
MOST_RESTARTS = 5


class Home:
    """The broker of this program, if there is one. Belongs to Tk's thread."""

    def __init__(self, root: tk.Misc, host: Host) -> None:
        self.host = host
        self.hosted: Hosted | None = None  # the broker that was started here
        self._root = root
        self._to_tell = ""  # once the chat is live
        self._restarts = 0
        self._waiting = ""  # Tk's id

    def open(self, address: Address, answer: Callable[[Hosted | NotHosted], None]) -> None:
        """Have a broker at the address: the one that is there, or a new one. ``answer`` is called once, later."""
        self.host.start(address)
        self._await(lambda news: self._opened(news, answer))

    def cancel(self) -> None:
        """No answer is wanted any more."""
        if self._waiting:
            self._root.after_cancel(self._waiting)
            self._waiting = ""

    def is_at(self, address: Address | None) -> bool:
        """Is the broker at this address the one that was started here?"""
        return self.hosted is not None and self.hosted.address == address

    def news(self) -> str:
        """What is to be told in the chat now that it is live; "": nothing."""
        text, self._to_tell = self._to_tell, ""
        return text

    def revive(self, tell: Callable[[str], None]) -> None:
        """The broker is away: if it has died, start it again. ``tell`` is called with what has come of it."""
        if self.hosted is None or self.host.running or self._waiting or self._restarts >= MOST_RESTARTS:
            return

        def answer(news: Hosted | NotHosted) -> None:
            why = f". {news.text}" if isinstance(news, NotHosted) else ", and was started again."
            tell(f"The chat of this computer had stopped{why}")

        self._restarts += 1
        self.host.start(self.hosted.address)
        self._await(answer)

    def _opened(self, news: Hosted | NotHosted, answer: Callable[[Hosted | NotHosted], None]) -> None:
        if isinstance(news, Hosted) and news.ours:
            self.hosted, self._restarts = news, 0
            self._to_tell = f"The chat runs on this computer. Others join it with: {news.join}"
        answer(news)

    def _await(self, answer: Callable[[Hosted | NotHosted], None]) -> None:
        self._waiting = ""
        if self.host.news.empty():
            self._waiting = self._root.after(_POLL_MS, self._await, answer)
        else:
            answer(self.host.news.get())
