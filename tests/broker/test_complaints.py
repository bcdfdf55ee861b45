"""What is said of peers that misbehave, and of open files: once, and not more than is of use."""

import errno
import logging

import pytest

from chat_broker.serving import openfiles
from chat_broker.serving.complaints import KNOWN, LINES_AT_ONCE, Complaints
from chat_broker.serving.openfiles import OpenFiles, raise_limit, say_if_few


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged since the last call."""
    found = caplog.messages[:]
    caplog.clear()
    return found


def test_a_connection_is_complained_of_once(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints()
    for _ in range(3):
        complaints.about(b"1", "the key a-b", "sends rubbish", 0.0)
    complaints.about(b"2", "10.0.0.1", "sends rubbish", 0.0)
    assert lines(caplog) == ["the key a-b sends rubbish", "10.0.0.1 sends rubbish"]


def test_of_many_connections_few_are_named_and_the_others_counted(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints()
    for place in range(LINES_AT_ONCE + 7):
        complaints.about(b"%d" % place, "somebody", "sends rubbish", 0.0)
    assert len(lines(caplog)) == LINES_AT_ONCE
    complaints.about(b"later", "somebody", "sends rubbish", 10.0)
    assert lines(caplog) == ["somebody sends rubbish (7 more did things like that since the last such line)"]
    complaints.about(b"last", "somebody", "sends rubbish", 20.0)
    assert lines(caplog) == ["somebody sends rubbish"]


def test_only_so_many_connections_are_remembered() -> None:
    complaints = Complaints()
    for place in range(KNOWN + 100):
        complaints.about(b"%d" % place, "somebody", "sends rubbish", 0.0)
    assert len(complaints._known) == KNOWN


# ---- open files ------------------------------------------------------------------------------------------------


def test_that_there_are_no_more_files_is_said_once_and_that_there_are_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, left = OpenFiles(), True

    def dup(_: int) -> int:
        if not left:
            raise OSError(errno.EMFILE, "Too many open files")
        return 99

    monkeypatch.setattr(openfiles.os, "dup", dup)
    monkeypatch.setattr(openfiles.os, "close", lambda _: None)
    with caplog.at_level(logging.INFO):
        files.look(0.0)
        assert lines(caplog) == []
        left = False
        files.look(0.5)  # too soon to look again
        assert lines(caplog) == []
        for mono in (1.0, 2.0, 3.0):
            files.look(mono)
        (said,) = lines(caplog)
        assert said.startswith("no more files can be opened")
        left = True
        for mono in (4.0, 5.0):
            files.look(mono)
        assert lines(caplog) == ["files can be opened again"]


def test_another_failure_is_not_taken_for_a_lack_of_files(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dup(_: int) -> int:
        raise OSError(errno.EBADF, "there is no standard input")

    monkeypatch.setattr(openfiles.os, "dup", dup)
    OpenFiles().look(0.0)
    assert lines(caplog) == []


def test_the_limit_is_raised_as_far_as_it_may_be() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 200:
        pytest.skip("hardly any files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))
    try:
        raised = raise_limit()
        assert raised == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert raised == min(before[1], openfiles.MOST_FILES) or before[1] == resource.RLIM_INFINITY
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("files", "few"), [(0, False), (64, True), (2063, True), (2064, False), (1_000_000, False)])
def test_a_limit_for_few_clients_is_warned_of(files: int, few: bool, caplog: pytest.LogCaptureFixture) -> None:
    say_if_few(files)
    assert bool(lines(caplog)) == few
