"""The status bar tells the truth about the connection, and what is being done about it."""

import pytest

from chat_client.effects import Status
from chat_client.model.shown import StatusLine
from chat_client.model.status import status_line
from chat_core import messages as m

FULL = m.Refused(1, "disk_full", "The broker's disk is full.", "later")


def line(
    state: str,
    text: str = "",
    *,
    was_live: bool = True,
    waited: bool = False,
    round_trip: float | None = None,
    held: m.Refused | None = None,
    turned_away: str = "",
    unsent: int = 0,
    trouble: str = "",
) -> StatusLine:
    """The status bar of a client in this state."""
    return status_line(
        Status(state, text), address="chat://here", was_live=was_live, waited=waited, round_trip=round_trip, held=held,
        turned_away=turned_away, unsent=unsent, trouble=trouble,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "mood", "text"),
    [
        ("joining", "busy", "Connected to chat://here: joining…"),
        ("syncing", "busy", "Connected to chat://here: catching up…"),
        ("live", "good", "Connected to chat://here · not encrypted"),
        ("offline", "bad", "The broker at chat://here is away. Trying again every second. What you write is kept."),
    ],
)
def test_every_state_has_its_sentence(state: str, mood: str, text: str) -> None:
    assert line(state) == StatusLine(mood, text)  # type: ignore[arg-type]


def test_a_first_connection_is_looked_for_not_lost() -> None:
    found = line("offline", was_live=False)
    assert found == StatusLine("busy", "Looking for the broker at chat://here… What you write is kept.")


def test_the_round_trip_is_told_in_milliseconds() -> None:
    assert line("live", round_trip=0.00123).text == "Connected to chat://here · 1.2 ms · not encrypted"


def test_who_is_turned_away_reads_why() -> None:
    assert line("refused", "no", turned_away="The name Ann is taken.") == StatusLine("bad", "The name Ann is taken.")
    assert line("refused", "the broker does not let us in").text == "the broker does not let us in"


def test_what_the_broker_cannot_do_is_told_while_it_is_there() -> None:
    assert line("live", held=FULL) == StatusLine("bad", "The broker's disk is full. Trying again.")
    assert "is away" in line("offline", held=FULL).text


def test_a_blocked_feed_is_told_whatever_else_is_done() -> None:
    for state in ("joining", "syncing"):
        found = line(state, "the feed is blocked: following by asking")
        assert found.mood == "bad"
        assert "firewall" in found.text


def test_unsent_messages_are_counted_at_the_right() -> None:
    assert line("live").right == ""
    assert line("live", unsent=1).right == "1 message not sent yet"
    assert line("offline", unsent=12).right == "12 messages not sent yet"


def test_with_messages_waiting_nobody_is_told_that_they_will_be_kept() -> None:
    assert "is kept" not in line("offline", unsent=1).text
    assert "is kept" not in line("offline", unsent=1, was_live=False).text


def test_the_disks_trouble_stands_beside_the_count() -> None:
    right = line("live", unsent=2, trouble="The disk is full.").right
    assert right == "2 messages not sent yet · The disk is full."


def test_a_broker_that_never_answered_is_told_after_some_time() -> None:
    found = line("offline", was_live=False, waited=True)
    assert found.mood == "bad"
    assert found.text.startswith("No broker answers at chat://here yet. Trying again every second.")
