"""Two brokers on one data folder: the second one is refused, however the folder is spelled, and the first goes on."""

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.processes import BrokerProcess, Person, finish
from tests.system.test_process import one_sentence, run

pytestmark = pytest.mark.real

People = Callable[[str], Person]
TIMES = 20


def refused(folder: Path, data: str) -> None:
    """A second broker on the data."""
    done = run(folder, "--port", "0", "--data", data)
    assert done.returncode == 69
    assert "Another broker is using" in one_sentence(done)


@pytest.mark.slow
def test_a_second_broker_started_again_and_again_disturbs_nothing(
    broker: BrokerProcess, person: People, tmp_path: Path
) -> None:
    ann = person("ann")
    sending = ann.start("send", "lobby", "--lines", given=subprocess.PIPE)
    assert sending.stdin is not None
    said = itertools.count()
    texts = []
    for _ in range(TIMES):
        texts += [f"post {next(said)}" for _ in range(50)]
        sending.stdin.write("".join(f"{text}\n" for text in texts[-50:]))
        sending.stdin.flush()
        refused(tmp_path, "data")
    sending.stdin.close()
    sending.stdin = None
    out, err = finish(sending)
    assert sending.returncode == 0, err
    log = [event for event in ann.history() if event["kind"] == "message"]
    assert [event["text"] for event in log] == texts
    assert [event["seq"] for event in log] == [int(number) for number in out.split()]
    assert "ERROR" not in broker.log()
    assert broker.stop() == 0


def test_another_spelling_of_the_folder_is_the_same_folder(broker: BrokerProcess, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(broker.data)
    (tmp_path / "way").symlink_to(tmp_path)
    for spelled in ("link", "data/../way/data/.", f"{tmp_path}//data"):
        refused(tmp_path, spelled)


def test_after_a_kill_the_next_one_can_start_at_once(broker: BrokerProcess, person: People, tmp_path: Path) -> None:
    ann = person("ann")
    for attempt in range(3):
        refused(tmp_path, "data")
        assert ann.run("send", "lobby", f"post {attempt}").returncode == 0
        broker.kill()
        broker.start()
    assert [event["text"] for event in ann.history() if event["kind"] == "message"] == [f"post {i}" for i in range(3)]


def test_a_lock_that_was_copied_or_left_behind_locks_nothing(broker: BrokerProcess, tmp_path: Path) -> None:
    broker.kill()
    assert (broker.data / "lock").exists()
    (tmp_path / "other").mkdir()
    copied = BrokerProcess(tmp_path / "other")
    shutil.copytree(broker.data, copied.data)
    try:
        broker.start()
        copied.start()
        assert (broker.stop(), copied.stop()) == (0, 0)
    finally:
        copied.close()
