"""Rows: days, groups, the "new" rule; and the difference between two transcripts."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from chat_client.model.shown import Change, Delete, Insert, Kind, Line, Row
from chat_client.model.transcript import GROUP_MS, applied, day_label, day_of, diff, make_rows

TODAY = date(2026, 7, 30)


def ms(*when: int) -> int:
    """A moment of Greenwich as ms since 1970."""
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """The process is in another time zone for a while."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no time zone of a process")
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    day_of.__globals__["_day_of_quarter"].cache_clear()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()
    day_of.__globals__["_day_of_quarter"].cache_clear()


in_zone = pytest.mark.parametrize("zone", ["UTC"], indirect=True)


def line(seq: int, at: int = 0, author: str = "ann", kind: Kind = "message", **more: object) -> Line:
    """A line of the log."""
    return msgspec.structs.replace(Line(str(seq), kind, f"said {seq}", at, author, author, seq), **more)


# ---- days --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("zone")
@in_zone
def test_a_rule_stands_above_the_first_line_of_each_day() -> None:
    times = [ms(2026, 7, 28, 23, 59), ms(2026, 7, 29, 0, 0), ms(2026, 7, 29, 12, 0), ms(2026, 7, 30, 8, 0)]
    rows = make_rows([line(seq, at) for seq, at in enumerate(times)], 0, TODAY)
    assert [row.day for row in rows] == ["Tuesday, 28 July", "Wednesday, 29 July", "", "Thursday, 30 July"]


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("UTC", (2026, 7, 29, 23, 59), date(2026, 7, 29)),
        ("CET-1CEST,M3.5.0,M10.5.0/3", (2026, 7, 29, 21, 59), date(2026, 7, 29)),
        ("CET-1CEST,M3.5.0,M10.5.0/3", (2026, 7, 29, 22, 0), date(2026, 7, 30)),
        ("NPT-5:45", (2026, 7, 29, 18, 14), date(2026, 7, 29)),
        ("NPT-5:45", (2026, 7, 29, 18, 15), date(2026, 7, 30)),
        ("CHAST-12:45", (2026, 7, 29, 11, 15), date(2026, 7, 30)),
        ("HST10", (2026, 7, 30, 9, 59), date(2026, 7, 29)),
    ],
    indirect=["zone"],
)
@pytest.mark.usefixtures("zone")
def test_a_day_begins_at_midnight_where_the_user_is(at: tuple[int, ...], day: date) -> None:
    assert day_of(ms(*at)) == day


def test_the_year_is_told_of_other_years_only() -> None:
    assert day_label(date(2026, 1, 1), TODAY) == "Thursday, 1 January"
    assert day_label(date(2025, 12, 31), TODAY) == "Wednesday, 31 December 2025"


@pytest.mark.parametrize("at", [2**53 - 1, 400_000_000_000_000])
def test_a_time_that_no_calendar_has_is_an_unknown_day(at: int) -> None:
    assert day_label(day_of(at), TODAY) == "An unknown day"


@pytest.mark.usefixtures("zone")
@in_zone
def test_a_clock_that_goes_back_makes_rules_of_its_own() -> None:
    times = [ms(2026, 7, 30), ms(2026, 7, 29), ms(2026, 7, 30)]
    rows = make_rows([line(seq, at) for seq, at in enumerate(times)], 0, TODAY)
    assert [bool(row.day) for row in rows] == [True, True, True]


# ---- groups ------------------------------------------------------------------------------------------------------


def heads(lines: list[Line], new_from: int = 0) -> list[int]:
    """The numbers of those that begin a group."""
    return [row.line.seq for row in make_rows(lines, new_from, TODAY) if row.head]


def test_messages_of_one_author_stand_under_one_head() -> None:
    assert heads([line(1), line(2), line(3, author="bob"), line(4, author="bob"), line(5)]) == [1, 3, 5]


def test_after_five_minutes_a_group_begins_anew() -> None:
    assert heads([line(1, 0), line(2, GROUP_MS), line(3, 2 * GROUP_MS + 1)]) == [1, 3]


@pytest.mark.parametrize("kind", ["me", "event", "passing", "note"])
def test_another_kind_of_line_has_no_head_and_ends_a_group(kind: Kind) -> None:
    assert heads([line(1), line(2, kind=kind), line(3)]) == [1, 3]


def test_somebody_with_another_name_begins_a_group() -> None:
    assert heads([line(1), line(2, name="Ann the second"), line(3, name="Ann the second")]) == [1, 2]


@pytest.mark.usefixtures("zone")
@in_zone
def test_a_rule_begins_a_group() -> None:
    midnight = ms(2026, 7, 30)
    assert heads([line(1, midnight - 1), line(2, midnight), line(3, midnight)]) == [1, 2]
    assert heads([line(1), line(2), line(3)], new_from=2) == [1, 2]


# ---- the "new" rule ----------------------------------------------------------------------------------------------


def test_the_new_rule_stands_above_the_event_that_is_new() -> None:
    rows = make_rows([line(1), line(2), line(3)], 2, TODAY)
    assert [row.new for row in rows] == [False, True, False]


def test_there_is_no_new_rule_if_nothing_is_new_or_it_is_further_up() -> None:
    unsent = Line("p1", "message", "sending", 0, mine=True, state="sending")
    assert not any(row.new for row in make_rows([line(1), line(2), unsent], 0, TODAY))
    assert not any(row.new for row in make_rows([line(7), line(8), unsent], 5, TODAY))


def test_no_lines_make_no_rows() -> None:
    assert make_rows([], 3, TODAY) == []


# ---- the difference ----------------------------------------------------------------------------------------------


def row(key: str, text: str = "") -> Row:
    """A row with a key."""
    return Row(Line(key, "message", text, 0))


def rows(keys: str, text: str = "") -> list[Row]:
    """A row for each letter."""
    return [row(key, text) for key in keys]


texts = st.sampled_from(("", "other"))
transcripts = st.lists(st.builds(row, st.sampled_from("abcdefghij"), texts), unique_by=lambda one: one.line.key)


@given(transcripts, transcripts)
def test_the_difference_applied_gives_the_other_transcript_unless_the_order_has_changed(
    old: list[Row], new: list[Row]
) -> None:
    ops = diff(old, new)
    keys, new_keys = [one.line.key for one in old], [one.line.key for one in new]
    if [key for key in keys if key in new_keys] != [key for key in new_keys if key in keys]:
        assert ops is None
        return
    assert ops is not None
    assert applied(old, ops) == new
    # Nothing is written that is there already.
    written = [one for op in ops if isinstance(op, Insert) for one in op.rows]
    written += [op.row for op in ops if isinstance(op, Change)]
    assert len(written) == sum(one not in old for one in new)
    assert sum(isinstance(op, Delete) for op in ops) <= 1


def test_what_was_equal_is_left_alone() -> None:
    assert diff(rows("abc"), rows("abc")) == []
    assert diff([], []) == []


def test_lines_at_the_end_are_one_insertion() -> None:
    assert diff(rows("ab"), rows("abcde")) == [Insert("", rows("cde"))]


def test_older_lines_are_one_insertion_at_the_top() -> None:
    assert diff(rows("cd"), rows("abcd")) == [Insert("c", rows("ab"))]


def test_a_window_that_moves_on_is_one_deletion_and_one_insertion() -> None:
    assert diff(rows("abcd"), rows("cdef")) == [Delete(["a", "b"]), Insert("", rows("ef"))]


def test_a_line_that_is_another_is_one_change() -> None:
    assert diff(rows("abc"), [row("a"), row("b", "sent"), row("c")]) == [Change(row("b", "sent"))]


def test_another_transcript_is_all_anew() -> None:
    assert diff(rows("ab"), rows("cd")) == [Delete(["a", "b"]), Insert("", rows("cd"))]


def test_rows_that_change_places_have_no_difference_that_can_be_applied() -> None:
    assert diff(rows("abc"), rows("acb")) is None
