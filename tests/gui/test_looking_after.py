"""What an owner of the chat looks after in the window: who waits, who is invited, who is banned, and the audit log."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_client.gui.app import Wish
from chat_core.address import parse_address
from tests.gui.desk import Desk
from tests.gui.display import need_display
from tests.gui.seat import Seat
from tests.system.processes import LONG, ROOT, BrokerProcess, environment

pytestmark = pytest.mark.real


class House(Desk):
    """A desk whose broker is a process of its own, in which newcomers wait for a yes; Ann is the owner."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        config = folder / "config.toml"
        config.write_text('[access]\njoin = "approve"\n', "utf-8")
        self.process = BrokerProcess(folder / "house", "--config", str(config)).start()
        self.port, self.key = self.process.port, self.process.key

    def admin(self, *words: str) -> None:
        """What whoever runs the broker says on its command line."""
        command = [sys.executable, str(ROOT / "broker.py"), "admin", *words, "--data", str(self.process.data)]
        subprocess.run(command, check=True, timeout=LONG, env=environment(self.process.folder), capture_output=True)

    def owner(self) -> Seat:
        """Ann, once the broker's command line has let her in and made her the owner."""
        seat = self.start(_wish("ann", self.address), settings="ann")
        self.until(lambda: waits(seat), "ann waits")
        self.admin("approve", "ann")
        self.admin("role", "ann", "owner")
        self.until(seat.live, "ann is in")
        self.until(lambda: seat.app.controller.chat.role == "owner", "and owns the chat")  # type: ignore[union-attr]
        return seat

    def close(self) -> None:
        """Close everything, the process too."""
        super().close()
        self.process.close()


def _wish(name: str, address: str) -> Wish:
    return Wish(name, address, theme="light")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    need_display()
    for name in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    (tmp_path / "house").mkdir()
    made = House(tmp_path)
    try:
        yield made
    finally:
        made.close()


def waits(seat: Seat) -> bool:
    """Does the card say that an admin has to let them in?"""
    return seat.app.signin is not None and "An admin has to let you in" in "".join(seat.labels())


def test_whoever_waits_is_let_in_by_a_click_and_needs_to_do_nothing(house: House) -> None:
    ann = house.owner()
    bob = house.start(_wish("bob", house.address), settings="bob")
    house.until(lambda: waits(bob), "bob waits")
    ann.sees("bob waits to be let in")
    ann.menu("People who wait")
    ann.pick()
    ann.answer("Let in")
    house.until(bob.live, "bob is in, by himself")
    ann.send("welcome")
    bob.sees("welcome")


def test_whoever_does_not_want_to_wait_any_more_is_back_at_the_card(house: House) -> None:
    bob = house.start(_wish("bob", house.address), settings="bob")
    house.until(lambda: waits(bob), "bob waits")
    bob.press("Escape")
    bob.button("Quit")
    assert bob.app.controller is None


def test_whoever_is_rejected_hears_so(house: House) -> None:
    ann = house.owner()
    bob = house.start(_wish("bob", house.address), settings="bob")
    house.until(lambda: waits(bob), "bob waits")
    ann.menu("People who wait")
    ann.pick()
    ann.answer("Reject")
    ann.answer("Reject", "nobody knows you")
    told = f"ann did not let you in at 127.0.0.1:{house.port} (nobody knows you)."
    house.until(lambda: told in bob.labels(), "bob is told")
    bob.button("Cancel")


def test_an_invitation_lets_in_at_once_and_is_remembered_by_nobody(house: House) -> None:
    ann = house.owner()
    ann.menu("Invite somebody to the chat")
    ann.answer("Make it", "bob")
    house.until(lambda: "invite=" in ann.app.question.typed, "it is shown")
    join = ann.app.question.typed
    ann.answer("Copy")
    assert ann.clipboard() == join
    here = f"127.0.0.1:{house.port}"
    shown = parse_address(join)
    bob = house.start(_wish("bob", join.replace(f"{shown.host}:{shown.port}", here)), settings="bob")
    house.until(bob.live, "bob is in")
    assert shown.invite not in (house.folder / "bob.json").read_text("utf-8")
    ann.menu("Invitations")
    ann.sees("There is no invitation that can be used.")


def test_the_menu_of_somebody_says_what_they_are_and_offers_nothing_against_those_above(house: House) -> None:
    ann = house.owner()
    house.admin("invitation", "--uses", "1")
    bob = house.start(_wish("bob", house.address), settings="bob")
    house.until(lambda: waits(bob), "bob waits")
    house.admin("approve", "bob")
    house.until(bob.live, "bob is in")
    owner = str(bob.app.look.label("owner", filled=True))
    people = bob.window.people.list
    house.until(lambda: [people.row(user).image for user in people.ids()] == [owner, ""], "he sees who is owner")
    bob.right_click_person("ann")
    assert bob.offers() == ["ann — owner", "Message directly", "Mention", "Invite to a room…"]
    ann.right_click_person("bob")
    assert {"bob", "Mute", "Ban from the chat…"} <= set(ann.offers())


def test_whoever_is_banned_from_a_room_is_found_in_the_menu_of_the_room(house: House) -> None:
    ann = house.owner()
    ann.menu("New private room")
    ann.answer("Make it", "plan")
    house.until(lambda: ann.window.header.texts[0] == "plan", "the room is made")
    ann.right_click_room("plan")
    ann.choose("Bans")
    ann.sees("Nobody is banned from #plan.")


def test_whoever_is_banned_is_out_at_once_and_back_when_that_is_lifted(house: House) -> None:
    ann = house.owner()
    house.admin("invitation", "--uses", "1")
    bob = house.start(_wish("bob", house.address), settings="bob")
    house.until(lambda: waits(bob), "bob waits")
    house.admin("approve", "bob")
    house.until(bob.live, "bob is in")
    ann.right_click_person("bob")
    ann.choose("Ban from the chat")
    ann.answer("Ban", "spam")
    house.until(lambda: not bob.live(), "bob is out")
    house.until(
        lambda: any("ann banned you from the chat" in text and "(spam)" in text for text in bob.labels()),
        "bob is told why",
    )
    assert not any("feed" in text for text in bob.labels())
    ann.menu("Bans")
    ann.pick()
    ann.answer("Lift it")
    ann.sees("The ban of bob is lifted.")
    house.until(bob.live, "bob is back")
    ann.menu("Audit log")
    house.until(lambda: "audit" in ann.window.header.texts[1], "the log is open")
    ann.sees("did: ban bob")
    house.until(lambda: any("nobody else writes" in text for text in ann.labels()), "nobody writes there")
