"""What the window asks of the broker by itself, beside the commands: lists to choose from, and things to be done."""

from collections.abc import Callable

from chat_client.backend import now
from chat_client.model import asking
from chat_client.model.chat import Chat
from chat_client.model.moment import Moment
from chat_client.model.shown import Choice
from chat_core import messages as m

# Have one of these chosen, under a title, and tell which.
Choose = Callable[[list[Choice], Callable[[str], None], str], None]


class Errands:
    """Asks the broker for a chat's window. Refusals are told in the transcript, and so is that the broker is away."""

    def __init__(self, chat: Chat, *, flush: Callable[[], None], choose: Choose) -> None:
        """``flush``: have done what was ordered."""
        self.chat, self.flush = chat, flush
        self._choose = choose

    def ask(self, request: m.Request, answer: Callable[[m.Reply], None]) -> None:
        """Ask; ``answer`` is called with the reply, unless that is a refusal."""
        if not self.chat.connected:
            self.tell(asking.AWAY)
            return

        def answered(reply: m.Reply, at: Moment) -> None:
            if isinstance(reply, m.Refused):
                self.chat.tell(reply.text, at)
            else:
                answer(reply)

        self.chat.ask(request, answered)
        self.flush()

    def request(self, request: m.Request, done: str) -> None:
        """Have something done; ``done``: what to say when it is."""
        self.ask(request, lambda reply: self.chat.tell(done, now()))

    def everybody(self, then: Callable[[list[m.Somebody]], None]) -> None:
        """Ask who was let into the chat, and who waits."""
        found: list[m.Somebody] = []

        def answer(reply: m.Reply) -> None:
            assert isinstance(reply, m.Crowd)
            found.extend(reply.people)
            if reply.more:
                self.ask(m.People(after=reply.people[-1].user), answer)
            else:
                then(found)

        self.ask(m.People(), answer)

    def offer(self, title: str, choices: list[Choice], then: Callable[[str], None], none: str) -> None:
        """Have one of these chosen; ``none``: what to say if there is nothing to choose."""
        if choices:
            self._choose(choices, then, title)
        else:
            self.tell(none)

    def command(self, text: str) -> None:
        """Do what somebody could have typed."""
        if problem := self.chat.say(text, now()):
            self.chat.tell(problem, now())
        self.flush()

    def tell(self, text: str) -> None:
        """Say this in the transcript."""
        self.chat.tell(text, now())
        self.flush()
