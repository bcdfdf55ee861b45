"""Who came and went: what is told, and what is only a connection that broke."""

from chat_client.model.passing import HOLD_SECONDS, LATELY_SECONDS, Passing

ANN, BOB = ("u1", "Ann"), ("u2", "Bob")
NEVER = float("inf")


def test_somebody_who_comes_is_told_at_once() -> None:
    assert Passing().moved([ANN, BOB], [], 10.0) == [ANN, BOB]


def test_somebody_who_goes_is_told_when_they_have_not_come_back() -> None:
    passing = Passing()
    assert passing.moved([], [ANN], 10.0) == []
    assert passing.left(10.0 + HOLD_SECONDS - 0.01) == []
    assert passing.deadline() == 10.0 + HOLD_SECONDS
    assert passing.left(10.0 + HOLD_SECONDS) == [ANN]
    assert passing.left(99.0) == []
    assert passing.deadline() == NEVER


def test_a_connection_that_breaks_and_comes_back_is_not_told() -> None:
    passing = Passing()
    passing.moved([], [ANN], 10.0)
    assert passing.moved([ANN], [], 12.0) == []
    assert passing.left(99.0) == []


def test_somebody_who_goes_and_comes_in_one_piece_of_news_is_not_told() -> None:
    passing = Passing()
    assert passing.moved([ANN], [ANN], 10.0) == []
    assert passing.left(99.0) == []


def test_each_is_told_when_their_own_time_has_come() -> None:
    passing = Passing()
    passing.moved([], [ANN], 10.0)
    passing.moved([], [BOB], 12.0)
    assert passing.deadline() == 10.0 + HOLD_SECONDS
    assert passing.left(13.0) == [ANN]
    assert passing.deadline() == 12.0 + HOLD_SECONDS
    assert passing.left(15.0) == [BOB]


def test_those_who_come_back_after_a_break_are_no_news_for_a_while() -> None:
    passing = Passing()
    passing.snapshot({"u1": "Ann", "u2": "Bob"}, {}, 10.0)
    assert passing.moved([ANN], [], 11.0) == []
    assert passing.moved([BOB], [], 10.0 + LATELY_SECONDS) == [BOB]


def test_only_the_first_return_after_a_break_is_no_news() -> None:
    passing = Passing()
    passing.snapshot({"u1": "Ann"}, {}, 10.0)
    passing.moved([ANN], [], 11.0)
    passing.moved([], [ANN], 12.0)
    assert passing.left(15.0) == [ANN]
    assert passing.moved([ANN], [], 16.0) == [ANN]


def test_a_snapshot_tells_nobody_and_takes_back_that_somebody_is_leaving() -> None:
    passing = Passing()
    passing.moved([], [ANN, BOB], 10.0)
    passing.snapshot({}, {"u1": "Ann"}, 11.0)
    assert passing.left(99.0) == [BOB]


def test_what_was_lately_is_forgotten() -> None:
    passing = Passing()
    passing.snapshot({"u1": "Ann"}, {}, 10.0)
    passing.snapshot({}, {}, 10.0 + LATELY_SECONDS)
    assert passing._lately == {}
