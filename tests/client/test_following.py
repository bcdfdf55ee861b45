"""One room as a client follows it: order, gaps, what waits, forks."""

import pytest
from msgspec import structs

from chat_client import following as f
from chat_client.following import DivergedError, Following
from chat_core.chain import START
from tests.client.network import history

LOG = history(10)
OTHER = history(10, text="other")


def seqs(events):  # type: ignore[no-untyped-def]
    """The numbers of events."""
    return [event.seq for event in events]


def read(count: int) -> Following:
    """The lobby, its first events read."""
    following = Following("lobby")
    following.take(LOG[:count])
    return following


# ---- order and gaps ------------------------------------------------------------------------------------------------


def test_events_that_fit_are_applied_in_order() -> None:
    following = Following("lobby")
    assert seqs(following.take(LOG[:3])) == [1, 2, 3]
    assert (following.have, following.chain, following.gap()) == (3, LOG[2].chain, None)


def test_an_event_that_was_applied_is_dropped() -> None:
    following = read(3)
    assert following.take(LOG[:3]) == []
    assert seqs(following.take(LOG[1:4])) == [4]


def test_an_event_behind_a_gap_waits_until_the_gap_is_filled() -> None:
    following = read(1)
    assert following.take(LOG[3:5]) == []
    assert following.take(LOG[2:3]) == []
    assert seqs(following.take(LOG[1:2])) == [2, 3, 4, 5]
    assert not following.waiting


def test_a_gap_is_exactly_what_is_missing() -> None:
    following = read(2)
    following.take(LOG[5:7])
    assert following.gap() == (2, 5)


def test_what_was_told_but_nothing_of_it_seen_is_asked_for_without_an_end() -> None:
    following = read(2)
    following.head(7, LOG[6].chain)
    assert following.gap() == (2, 0)


def test_a_lower_head_does_not_lower_what_was_told() -> None:
    following = read(2)
    following.head(7, LOG[6].chain)
    following.head(5, LOG[4].chain)
    assert following.told == 7


def test_at_most_so_many_events_wait_and_the_nearest_to_come_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f, "WAITING", 3)
    following = Following("lobby")
    following.take(LOG[2:9])
    assert sorted(following.waiting) == [3, 4, 5]
    assert following.told == 9


def test_two_thousand_events_may_wait() -> None:
    assert f.WAITING == 2000


def test_an_event_that_waited_and_came_with_a_page_too_is_not_taken_for_the_end_of_the_next_gap() -> None:
    # Found by reading: the page was asked for without an end, event 4 came by the feed meanwhile and stayed in
    # `waiting`; the next gap was then asked for as (5, 3), which the broker answers with nothing, for ever.
    following = read(1)
    following.take(LOG[3:4])
    assert seqs(following.take(LOG[1:5])) == [2, 3, 4, 5]
    assert not following.waiting
    following.head(8, LOG[7].chain)
    assert following.gap() == (5, 0)


def test_a_log_that_was_purged_from_the_front_is_read_from_where_it_begins() -> None:
    following = read(2)
    following.take([*LOG[3:4], *LOG[7:8]])
    following.skip(7)
    assert (following.have, following.gap()) == (6, (6, 7))
    assert seqs(following.take(LOG[6:7])) == [7, 8]


def test_a_log_that_begins_before_what_is_missing_is_not_skipped() -> None:
    following = read(2)
    following.skip(3)
    assert (following.have, following.chain) == (2, LOG[1].chain)


def test_reading_may_begin_in_the_middle_without_a_chain() -> None:
    following = Following("lobby", 4, None)
    assert seqs(following.take(LOG[4:6])) == [5, 6]


# ---- another history -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [OTHER[2], structs.replace(LOG[2], author="u9"), structs.replace(LOG[2], target=1), structs.replace(LOG[2], n=7)],
    ids=["another log's", "another author", "another target", "another number"],
)
def test_an_event_whose_chain_does_not_follow_is_another_history(event) -> None:  # type: ignore[no-untyped-def]
    following = read(2)
    with pytest.raises(DivergedError):
        following.take([event])
    assert following.have == 2


def test_a_deletion_that_blanks_a_body_is_not_another_history() -> None:
    following = read(2)
    assert seqs(following.take([structs.replace(LOG[2], body=LOG[0].body)])) == [3]


def test_an_event_that_was_applied_with_another_chain_is_another_history() -> None:
    with pytest.raises(DivergedError):
        read(3).take([OTHER[1]])


def test_what_fitted_before_the_fork_is_not_lost_with_it() -> None:
    # Found by reading: the events had been applied but were not delivered, and the fork was then found behind them.
    following = read(2)
    following.take(OTHER[5:6])
    with pytest.raises(DivergedError) as caught:
        following.take(LOG[2:5])
    assert seqs(caught.value.applied) == [3, 4, 5]
    assert following.have == 5


def test_a_head_with_another_chain_is_another_history() -> None:
    with pytest.raises(DivergedError):
        read(3).head(2, OTHER[1].chain)


def test_a_head_below_what_was_there_when_it_was_asked_for_is_another_history() -> None:
    with pytest.raises(DivergedError):
        read(3).head(2, LOG[1].chain, had=3)


def test_a_head_that_is_only_old_is_not_another_history() -> None:
    following = read(3)
    following.head(2, LOG[1].chain, had=2)
    following.head(2, LOG[1].chain)


def test_what_waits_beyond_a_head_that_was_asked_for_later_will_never_fit() -> None:
    following = read(3)
    following.take([*LOG[4:6], *LOG[7:9]])
    had = following.reach
    following.take(LOG[9:10])
    following.head(6, LOG[5].chain, had)
    assert (had, sorted(following.waiting)) == (9, [5, 6, 10])


def test_what_waits_beyond_a_head_that_may_be_an_old_one_goes_on_waiting() -> None:
    following = read(3)
    following.take(LOG[4:6])
    following.head(4, LOG[3].chain)
    assert sorted(following.waiting) == [5, 6]


def test_a_room_that_is_read_from_past_its_end_is_not_another_history() -> None:
    following = Following("lobby", 50, None)
    following.head(10, LOG[9].chain, had=following.reach)
    assert following.gap() is None


def test_nothing_is_missing_while_the_fork_is_looked_for() -> None:
    following = read(3)
    following.head(9, LOG[8].chain)
    following.forking = True
    assert following.gap() is None


def test_going_back_to_a_common_point_forgets_what_came_after_it() -> None:
    following = read(5)
    following.take(LOG[7:8])
    following.forking = True
    following.rewind(3)
    assert (following.have, following.chain, following.told, following.forking) == (3, LOG[2].chain, 3, False)
    assert (not following.waiting, list(following.chains)) == (True, [1, 2, 3])
    other = history(2, after=LOG[2], text="other")
    assert seqs(following.take(other)) == [4, 5]


def test_going_back_to_the_start_reads_all_again() -> None:
    following = read(5)
    following.rewind(0)
    assert following.chain == START
    assert seqs(following.take(OTHER)) == list(range(1, 11))


# ---- the points of a fork request ----------------------------------------------------------------------------------


def test_the_points_of_a_short_copy_are_all_of_it_newest_first() -> None:
    assert read(4).points() == [(seq, LOG[seq - 1].chain) for seq in (4, 3, 2, 1)]


def test_the_points_of_a_long_copy_fit_into_a_request_and_reach_its_start() -> None:
    following = Following("lobby")
    following.take(history(1000))
    points = [seq for seq, _ in following.points()]
    assert len(points) <= f.POINTS
    assert points[:64] == list(range(1000, 936, -1))
    assert points == sorted(points, reverse=True)
    assert points[-1] < 40


@pytest.mark.parametrize("count", [63, 64, 65, 66, 128, 129, 200, 4096])
def test_there_are_never_more_points_than_a_request_may_have(count: int) -> None:
    following = Following("lobby")
    following.remember((seq, f"{seq:016x}") for seq in range(1, count + 1))
    assert min(count, 65) <= len(following.points()) <= f.POINTS


def test_chains_are_remembered_so_far_back_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f, "REMEMBERED", 3)
    assert list(read(5).chains) == [3, 4, 5]


def test_what_an_earlier_process_read_is_compared_too() -> None:
    following = Following("lobby", 4, LOG[3].chain)
    following.remember((event.seq, event.chain) for event in LOG[:4])
    assert following.points()[-1] == (1, LOG[0].chain)
    with pytest.raises(DivergedError):
        following.head(2, OTHER[1].chain)


@pytest.mark.parametrize("count", [1, 2, 64, 65, 66, 1000, f.REMEMBERED, f.REMEMBERED + 500])
def test_wherever_the_fork_is_it_is_found_exactly_with_two_questions_at_most(count: int) -> None:
    events = history(count)
    for fork in {0, 1, count // 3, count // 2, count - 65, count - 64, count - 63, count - 1, count}:
        following = Following("lobby")
        following.take(events)
        following.diverge()
        remembered = fork if fork in following.chains else 0
        exact = [following.narrow(max((seq for seq, _ in following.points() if seq <= fork), default=0)) for _ in "12"]
        assert (following.common, exact[-1]) == (remembered, True)


def test_a_history_that_changes_while_the_fork_is_looked_for_is_compared_from_the_start() -> None:
    following = Following("lobby")
    following.take(history(1000))
    following.diverge()
    following.points()
    assert not following.narrow(following.offered[70])
    following.diverge()
    assert [seq for seq, _ in following.points()][:64] == list(range(1000, 936, -1))
