"""Meeting a broker, without sockets: whom a session tells of, whom it trusts, and what it says when nobody opens."""

import random
from typing import Any

import pytest

from chat_client import effects, troubles
from chat_client import session as s
from chat_client.meeting import CURVE, OPEN, judge
from chat_core import durations, wire
from chat_core import messages as m
from chat_core.keys import fingerprint

KEY, OTHER = "k" * 40, "o" * 40
WHERE = "192.168.1.20:5555"
# Whoever joins is to know within 3 s what is wrong.
FIRST_WORD_SECONDS = 3.0


def answer(key: str = KEY, security: str = CURVE, versions: tuple[int, ...] = (1,)) -> m.Answer:
    """What a door says."""
    return m.Answer(1, "the chat", list(versions), security, 5555, 5556, "40e0", key)


OPEN_ANSWER = answer("", OPEN)


class Newcomer:
    """A session and the test as the network: nobody answers unless the test says so."""

    def __init__(self, pin: str = "") -> None:
        self.now = 50.0
        self.session = s.Session("u" * 40, "ann", dice=random.Random(1), pin=pin, where=WHERE)
        self.seen: list[tuple[float, Any]] = []
        self.do(lambda: self.session.start(self.now))

    def do(self, function: Any) -> None:
        """Have something happen."""
        function()
        self.session.tick(self.now)
        self.seen += [(self.now, effect) for effect in self.session.take()]

    def wait(self, seconds: float) -> "Newcomer":
        """Let time pass."""
        end = self.now + seconds
        for _ in range(1000):
            if (due := self.session.deadline(self.now)) > end:
                break
            self.now = max(self.now, due)
            self.do(lambda: None)
        else:
            raise AssertionError("the session is never content")
        self.now = end
        return self

    def all(self, kind: type) -> list[Any]:
        """Its effects of a kind."""
        return [effect for _, effect in self.seen if type(effect) is kind]

    @property
    def open_lines(self) -> dict[str, effects.Open]:
        """The lines that it has open."""
        lines: dict[str, effects.Open] = {}
        for _, effect in self.seen:
            if isinstance(effect, effects.Open):
                lines[effect.line] = effect
            elif isinstance(effect, effects.Close):
                lines.pop(effect.line, None)
        return lines

    @property
    def troubles(self) -> list[str]:
        """The codes that it told."""
        return [trouble.code for trouble in self.all(effects.Trouble)]

    def lose(self, line: str, why: str = "", reached: bool = False) -> "Newcomer":
        """The connection of a line breaks."""
        generation = self.open_lines[line].generation
        if reached:
            self.do(lambda: self.session.reached(line, generation, self.now))
        if line in self.open_lines:
            self.do(lambda: self.session.lost(line, generation, self.now, why))
        return self

    def opens(self, told: m.Answer | bytes) -> "Newcomer":
        """The door answers."""
        generation = self.open_lines["door"].generation
        frame = told if isinstance(told, bytes) else wire.encode(told)
        self.do(lambda: self.session.answered(generation, frame, self.now))
        return self

    def welcome(self) -> "Newcomer":
        """The broker lets it in."""
        return self._reply(m.Welcome(self._hello().id, 1, "u1", "ann", "40e0", "b1", "e1", 5556))

    def waits(self) -> "Newcomer":
        """An admin has to let it in first."""
        return self._reply(m.Waiting(self._hello().id, "u1", "ann", "wait"))

    def put_off(self, retry: int = 0) -> "Newcomer":
        """The broker cannot let it in at the moment."""
        return self._reply(m.Refused(self._hello().id, "busy", "not now", "later", retry=retry))

    def notice(self, **fields: Any) -> "Newcomer":
        """Something was done that concerns it."""
        return self._reply(m.Notice(0, **fields))

    def _hello(self) -> m.Request:
        return [wire.decode_request(send.payload) for send in self.all(effects.Send) if send.line == "posts"][-1]

    def _reply(self, reply: m.Reply) -> "Newcomer":
        generation = self.open_lines["posts"].generation
        self.do(lambda: self.session.reached("posts", generation, self.now))
        self.do(lambda: self.session.replied(generation, wire.encode(reply), self.now))
        return self


# ---- nobody is known -------------------------------------------------------------------------------------------


def test_without_a_pin_it_only_knocks() -> None:
    newcomer = Newcomer()
    assert list(newcomer.open_lines) == ["door"]
    (knock,) = newcomer.all(effects.Send)
    assert knock.line == "door"
    assert wire.decode_knock(knock.payload) == m.Knock(1)


def test_nothing_about_the_user_is_said_before_somebody_trusts_the_broker() -> None:
    newcomer = Newcomer()
    newcomer.wait(0.1).opens(answer())
    newcomer.wait(100)
    assert newcomer.all(effects.Met) == [effects.Met(answer())]
    assert newcomer.open_lines == {}
    assert [send.line for send in newcomer.all(effects.Send)] == ["door"]


def test_whoever_is_trusted_is_talked_to_under_that_key_and_no_other() -> None:
    newcomer = Newcomer().opens(answer())
    newcomer.do(lambda: newcomer.session.trust(KEY, newcomer.now))
    assert newcomer.open_lines["posts"].key == KEY
    newcomer.welcome()
    assert newcomer.all(effects.Welcomed)[0].encrypted


def test_an_open_broker_that_is_trusted_is_talked_to_without_a_key() -> None:
    newcomer = Newcomer().opens(OPEN_ANSWER)
    newcomer.do(lambda: newcomer.session.trust(OPEN, newcomer.now))
    assert newcomer.open_lines["posts"].key == ""
    newcomer.welcome()
    assert not newcomer.all(effects.Welcomed)[0].encrypted


def test_where_nobody_is_that_is_said_in_time_and_a_broker_that_comes_is_met() -> None:
    newcomer = Newcomer()
    newcomer.lose("door").lose("probe").wait(0)
    assert newcomer.troubles == ["nobody"]
    newcomer.wait(3)
    newcomer.opens(answer())
    assert newcomer.all(effects.Met) == [effects.Met(answer())]


@pytest.mark.parametrize("what", ["silent", "away, with another program at the posts port", "junk", "not of this time"])
def test_another_program_is_called_so_in_time(what: str) -> None:
    newcomer = Newcomer()
    begun = newcomer.now
    generation = newcomer.open_lines["door"].generation
    if what == "silent":
        newcomer.do(lambda: newcomer.session.reached("door", generation, newcomer.now))
    elif what.startswith("away"):
        newcomer.lose("door").lose("probe", "protocol", reached=True)
    elif what == "junk":
        newcomer.do(lambda: newcomer.session.reached("door", generation, newcomer.now))
        newcomer.opens(b"\0HTTP/1.1")
    else:
        newcomer.do(lambda: newcomer.session.reached("door", generation, newcomer.now))
        newcomer.opens(b'{"type":"bouncer"}')
    newcomer.wait(FIRST_WORD_SECONDS - (newcomer.now - begun))
    assert newcomer.troubles == ["stranger"]


def test_where_packets_vanish_nobody_is_said_to_be_there_in_time() -> None:
    newcomer = Newcomer().wait(FIRST_WORD_SECONDS)
    assert newcomer.troubles == ["nobody"]


@pytest.mark.parametrize("told", [answer(versions=(9,)), answer(security="quantum"), answer("short"), answer("")])
def test_a_broker_that_this_version_does_not_understand_is_called_so(told: m.Answer) -> None:
    newcomer = Newcomer().opens(told)
    assert newcomer.troubles == ["version"]
    assert newcomer.all(effects.Met) == []
    newcomer.wait(2.5).opens(answer())
    assert newcomer.all(effects.Met) == [effects.Met(answer())]


# ---- a broker is known ------------------------------------------------------------------------------------------


def test_with_a_pin_the_door_is_left_alone_while_all_goes_well() -> None:
    newcomer = Newcomer(KEY)
    assert list(newcomer.open_lines) == ["posts"]
    newcomer.wait(0.5).welcome().wait(5)
    assert "door" not in [opened.line for opened in newcomer.all(effects.Open)]


@pytest.mark.parametrize("retry", [0, 10_000])
def test_a_broker_that_puts_us_off_is_found_and_asked_again(retry: int) -> None:
    newcomer = Newcomer(KEY)
    for _ in range(10):
        newcomer.wait(0.1).put_off(retry)
        assert "posts" not in newcomer.open_lines
        newcomer.wait(max(retry / 1000, 1.0))  # the session's longest back-off
        if "door" in newcomer.open_lines:
            newcomer.lose("door", reached=True)
    assert newcomer.troubles == []
    assert len(newcomer.all(effects.Held)) == 10
    newcomer.welcome()
    assert len(newcomer.all(effects.Welcomed)) == 1


def test_what_was_wrong_is_over_when_the_right_broker_puts_us_off() -> None:
    newcomer = Newcomer(KEY).wait(0.1)
    newcomer.lose("posts", "handshake", reached=True).opens(answer(OTHER))
    assert newcomer.troubles == ["key_changed"]
    newcomer.wait(1.0).put_off()
    status = newcomer.all(effects.Status)[-1]
    assert (status.state, status.trouble) == ("offline", "")


@pytest.mark.parametrize(
    ("pin", "told", "code"),
    [
        (KEY, answer(OTHER), "key_changed"),
        (KEY, OPEN_ANSWER, "open_now"),
        (KEY, answer(KEY, OPEN), "open_now"),
        (OPEN, answer(), "curve_now"),
        (KEY, answer(versions=(7, 8)), "version"),
        (KEY, answer(), "stranger"),
        (OPEN, OPEN_ANSWER, "stranger"),
    ],
)
def test_a_connection_that_fails_is_explained_by_what_the_door_says(pin: str, told: m.Answer, code: str) -> None:
    newcomer = Newcomer(pin).wait(0.1)
    newcomer.lose("posts", "handshake", reached=True)
    newcomer.opens(told)
    assert newcomer.troubles == [code]
    status = newcomer.all(effects.Status)[-1]
    assert (status.state, status.trouble) == ("offline", code)
    assert status.text == troubles.sentence(code, WHERE, told)


SHUT_OUT = {
    "banned": (
        {"until": 1, "reason": "noise"}, f"Bob banned you from the chat at {WHERE} until {durations.moment(1)} (noise)."
    ),
    "rejected": ({"reason": ""}, f"Bob did not let you in at {WHERE}."),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHUT_OUT)
def test_the_brokers_last_word_is_said_at_once_and_stays_while_the_door_is_shut(kind: str) -> None:
    newcomer = Newcomer(KEY)
    if kind == "banned":
        newcomer.welcome().wait(1.0)
    else:
        newcomer.waits().wait(1.0)
    fields, words = SHUT_OUT[kind]
    newcomer.notice(kind=kind, by="Bob", **fields)
    assert newcomer.open_lines == {}
    assert newcomer.all(effects.Status)[-1] == effects.Status("offline", words, "banned")
    for _ in range(3):
        newcomer.wait(5.0).lose("posts", "auth:400", reached=True)
        if "door" in newcomer.open_lines:
            newcomer.opens(answer())
    assert newcomer.all(effects.Trouble) == [effects.Trouble("banned", words)]
    assert newcomer.all(effects.Status)[-1].text == words
    newcomer.wait(5.0).welcome()
    assert newcomer.all(effects.Status)[-1].state == "live"


def test_a_word_about_a_room_shuts_nobody_out() -> None:
    newcomer = Newcomer(KEY).welcome().notice(kind="banned", room="plan", by="Bob")
    assert "posts" in newcomer.open_lines
    assert newcomer.troubles == []


@pytest.mark.parametrize(("why", "code"), [("auth:400", "banned"), ("auth:500", "crowded"), ("identity", "identity")])
def test_what_the_broker_refuses_itself_needs_no_door(why: str, code: str) -> None:
    newcomer = Newcomer(KEY).lose("posts", why, reached=True)
    assert newcomer.troubles == [code]
    assert newcomer.open_lines == {}


def test_a_banned_one_asks_again_but_seldom() -> None:
    newcomer = Newcomer(KEY)
    for _ in range(60):
        newcomer.wait(1)
        if "posts" in newcomer.open_lines:
            newcomer.lose("posts", "auth:400", reached=True)
    assert 10 <= len([opened for opened in newcomer.all(effects.Open) if opened.line == "posts"]) <= 15
    assert newcomer.troubles == ["banned"]
    newcomer.wait(5).welcome()
    assert newcomer.session.accepted


@pytest.mark.parametrize("reached", [True, False])
def test_a_silent_address_is_explained_in_time(reached: bool) -> None:
    newcomer = Newcomer(KEY)
    if reached:
        generation = newcomer.open_lines["posts"].generation
        newcomer.do(lambda: newcomer.session.reached("posts", generation, newcomer.now))
    newcomer.wait(FIRST_WORD_SECONDS)
    assert newcomer.troubles == ["stranger" if reached else "nobody"]


def test_a_port_that_is_blocked_is_called_so() -> None:
    newcomer = Newcomer(KEY)
    for _ in range(8):
        newcomer.wait(1)
        if "door" in newcomer.open_lines:
            newcomer.opens(answer())
    assert newcomer.troubles == ["blocked"]


@pytest.mark.parametrize("told", [answer(OTHER), OPEN_ANSWER, b"junk"])
@pytest.mark.parametrize("pin", [KEY, OPEN])
def test_whatever_the_door_says_the_pin_stays(pin: str, told: m.Answer | bytes) -> None:
    newcomer = Newcomer(pin)
    for _ in range(30):
        newcomer.wait(0.7)
        if "door" in newcomer.open_lines:
            newcomer.opens(told)
    assert newcomer.session.meeting.pin == pin
    keys = {opened.key for opened in newcomer.all(effects.Open) if opened.line == "posts"}
    assert keys == {"" if pin == OPEN else KEY}
    assert newcomer.all(effects.Met) == []


def test_trouble_is_told_once_until_it_is_another_or_all_was_well() -> None:
    newcomer = Newcomer(KEY)
    for told in [OTHER] * 6:
        newcomer.wait(2.1)
        newcomer.opens(answer(told))
    assert newcomer.troubles == ["key_changed"]
    if "posts" not in newcomer.open_lines:
        newcomer.wait(1)
    newcomer.welcome()
    assert newcomer.session.meeting.trouble is None
    newcomer.lose("posts").wait(1.1)
    newcomer.opens(answer(OTHER))
    assert newcomer.troubles == ["key_changed", "key_changed"]


def test_a_broker_that_restarts_is_no_trouble() -> None:
    newcomer = Newcomer(KEY).welcome()
    newcomer.lose("posts")
    for _ in range(8):
        newcomer.wait(0.1)
        if "posts" in newcomer.open_lines:
            newcomer.lose("posts")
    assert newcomer.troubles == []
    assert "door" not in newcomer.open_lines


def test_while_nobody_is_there_it_knocks_seldom() -> None:
    newcomer = Newcomer(KEY)
    for _ in range(600):
        newcomer.wait(0.1)
        for line in list(newcomer.open_lines):
            newcomer.lose(line)
    knocks = [opened for opened in newcomer.all(effects.Open) if opened.line == "door"]
    assert 20 <= len(knocks) <= 35
    assert newcomer.troubles == ["nobody"]


def test_to_trust_nobody_any_more_closes_all_and_asks_again() -> None:
    newcomer = Newcomer(KEY).welcome()
    newcomer.do(lambda: newcomer.session.trust("", newcomer.now))
    assert list(newcomer.open_lines) == ["door"]
    newcomer.opens(answer(OTHER))
    newcomer.do(lambda: newcomer.session.trust(OTHER, newcomer.now))
    assert newcomer.open_lines["posts"].key == OTHER


# ---- what is told -----------------------------------------------------------------------------------------------


def test_every_code_has_its_sentences_which_name_the_address() -> None:
    codes = {
        judge(pin, told, why, reached)
        for pin in ("", KEY, OPEN)
        for told in (None, answer(), answer(OTHER), OPEN_ANSWER, answer(versions=()))
        for why in ("", "handshake", "protocol", "auth:400", "auth:500", "auth:300", "identity")
        for reached in (True, False)
    }
    assert codes - {""} | {"blocked"} == set(troubles.SENTENCES)
    for code in troubles.SENTENCES:
        assert WHERE in troubles.sentence(code, WHERE, answer())


def test_a_key_that_changed_is_shown_with_what_to_do() -> None:
    text = troubles.sentence("key_changed", WHERE, answer(OTHER))
    assert fingerprint(OTHER) in text
    assert f"python -m chat_client forget {WHERE}" in text


def test_a_broker_that_nobody_confirmed_is_shown_with_what_to_do() -> None:
    assert f"--accept-key {fingerprint(KEY)}" in troubles.unconfirmed(WHERE, answer())
    assert "--security open" in troubles.unconfirmed(WHERE, OPEN_ANSWER)
    other = troubles.unconfirmed(WHERE, answer(), fingerprint(OTHER))
    assert fingerprint(KEY) in other
    assert fingerprint(OTHER) in other
