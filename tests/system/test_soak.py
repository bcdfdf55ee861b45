"""The soak: what it runs, what it says of runs that pass, fail, hang or leave something behind, and how it ends."""

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest

from tests.system.processes import LONG
from tools import soak
from tools.soaking import Result, Scenario
from tools.soaking_report import report

INI = "[pytest]\nmarkers = real\n    slow\naddopts = -m 'not slow'\n"
HEAD = "import os, subprocess, sys, pytest\nfrom hypothesis import given, settings, strategies as st\n"
PASSES = """
@pytest.mark.slow
def test_passes():
    print('CHAT_SEED=' + os.environ['CHAT_SEED'])
    print('p99 4 ms')
"""
FAILS = "@pytest.mark.slow\ndef test_fails():\n    print('the broker said nothing')\n    assert 1 == 2\n"
HANGS = "@pytest.mark.slow\n@pytest.mark.timeout(0)\ndef test_hangs():\n    while True: pass\n"
LEAVES = (
    "@pytest.mark.slow\n@pytest.mark.filterwarnings('ignore')\ndef test_leaves():\n"
    "    subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)\n"
)
SKIPS = "@pytest.mark.slow\ndef test_skips():\n    pytest.skip('not on this machine')\n"
HOLDS = "@given(st.integers())\n@settings(max_examples=5)\ndef test_holds(number):\n    assert number + 0 == number\n"
QUICK = "def test_that_is_no_scenario():\n    assert False\n"

Soak = Callable[..., tuple[int, str]]


@pytest.fixture
def soaked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Soak:
    """Soaks a tree with these scenarios; the status and what was said."""

    def run(*scenarios: str, hours: float = 0.0) -> tuple[int, str]:
        (tmp_path / "pytest.ini").write_text(INI)
        (tmp_path / "test_all.py").write_text(HEAD + "\n\n".join(scenarios))
        status = soak.main([str(hours), "--tests", ".", "--folder", str(tmp_path / "soak"), "--seed", "7"], tmp_path)
        return status, capsys.readouterr().out

    return run


def written(tmp_path: Path) -> str:
    """The report."""
    (file,) = (tmp_path / "soak").glob("*/report.txt")
    return file.read_text()


def lives(pid: int) -> bool:
    """Is there such a process, that has not ended? (One that nobody has waited for has no command line any more.)"""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    return False


@pytest.mark.real
def test_what_passes_is_told_with_its_seed_and_its_figures(soaked: Soak, tmp_path: Path) -> None:
    status, said = soaked(PASSES, QUICK)
    assert status == 0
    assert re.search(r"passed +\d+\.\d s +\d+ MB  test_all\.py::test_passes \(seed \d+\)", said)
    assert "Nothing went wrong." in said
    assert "    p99 4 ms" in said
    assert "CHAT_SEED" not in said
    assert written(tmp_path) in said


@pytest.mark.real
def test_what_fails_is_kept_with_the_command_that_repeats_it(soaked: Soak, tmp_path: Path) -> None:
    status, said = soaked(FAILS)
    assert status == 1
    (kept,) = (tmp_path / "soak").glob("*/test-fails-*.txt")
    assert "assert 1 == 2" in kept.read_text()
    (again,) = re.findall(r"again:  (CHAT_SEED=\d+ \.venv/bin/python -m pytest -m '' test_all\.py::test_fails)", said)
    command = again.replace(".venv/bin/python", sys.executable)
    assert subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, timeout=60).returncode == 1


@pytest.mark.real
def test_what_hangs_is_ended(soaked: Soak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "LONGEST_SECONDS", 3.0)
    status, said = soaked(HANGS)
    assert status == 1
    assert "1 runs: 1 hung." in said


@pytest.mark.real
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells what a process was started with")
def test_a_process_that_is_left_behind_is_told_and_ended(soaked: Soak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.soaking.ENDING_SECONDS", 2.0)
    status, said = soaked(LEAVES)
    assert status == 1
    (pid,) = re.findall(r"^ +left behind: process (\d+): \S+ -c import signal; signal\.pause\(\)$", said, re.M)[:1]
    assert "1 runs: 1 left." in said
    assert not lives(int(pid))


@pytest.mark.real
def test_what_is_skipped_is_not_tried_again_and_skipping_all_is_not_enough(soaked: Soak) -> None:
    status, said = soaked(SKIPS, hours=1.0)
    assert status == 1
    assert "1 runs: 1 skipped." in said


@pytest.mark.real
def test_properties_are_run_in_the_thorough_profile(soaked: Soak) -> None:
    status, said = soaked(HOLDS.replace("assert ", "assert os.environ['HYPOTHESIS_PROFILE'] == 'thorough' and "))
    assert status == 0
    assert "1 runs: 1 passed." in said


@pytest.mark.real
def test_tests_that_cannot_be_collected_are_said_so(soaked: Soak) -> None:
    with pytest.raises(SystemExit, match="cannot be collected"):
        soaked("import nothing_of_this_name")


@pytest.mark.real
def test_ctrl_c_ends_it_with_a_report_and_leaves_nothing(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    says_so = f"open({str(ready)!r}, 'w').write(f'{{os.getpid()}}\\n')"
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "test_all.py").write_text(HEAD + HANGS.replace("while", f"{says_so}\n    while"))
    script = "import sys, pathlib; from tools import soak; sys.exit(soak.main(sys.argv[1:], pathlib.Path.cwd()))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "1", "--tests", "."], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(soak.ROOT)}, start_new_session=True,
    )  # fmt: skip
    try:
        while not ready.exists() or not ready.read_text().endswith("\n"):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=LONG)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 1
    assert "0 runs: none." in said
    assert not lives(int(ready.read_text()))


# ---- without processes ---------------------------------------------------------------------------------------------


def test_everything_is_run_once_before_anything_is_run_twice() -> None:
    kinds = [
        [Scenario(f"{kind}{number}", kind == "b") for number in range(size)] for kind, size in (("a", 3), ("b", 5))
    ]
    chosen = [one.test for one in islice(soak.choose(kinds, random.Random(1), {"b2"}), 400)]
    for kind, size in (("a", 3), ("b", 4)):
        ours = [test for test in chosen if test[0] == kind]
        assert len(ours) > 100
        for start in range(0, len(ours) - size, size):
            assert len(set(ours[start : start + size])) == size
    assert "b2" not in chosen


def test_the_same_seed_gives_the_same_order() -> None:
    kinds = [[Scenario(str(number), False) for number in range(20)]]
    first, again = ([*islice(soak.choose(kinds, random.Random(3), set()), 50)] for _ in range(2))
    assert first == again


def test_the_report_tells_runs_failures_and_figures() -> None:
    slow, quick = Scenario("tests/a.py::test_slow", False), Scenario("tests/b.py::test_quick[x y]", True)
    results = [
        Result(slow, 1, "passed", 10.0, 50, figures=["p99 5 ms"]),
        Result(slow, 2, "failed", 20.0, 70, left=["left behind: process 7"], output=Path("soak/x.txt")),
        Result(slow, 3, "passed", 30.0, 60, figures=["p99 6 ms"]),
        Result(quick, 4, "skipped", 1.0),
    ]
    assert report(results, 9, 0.0, 1800.0, "Memory.").splitlines()[1:] == [
        "4 runs: 2 passed, 1 failed, 1 skipped.",
        "Memory.",
        "",
        "runs   bad    median      most   memory  scenario",
        "   3     1    20.0 s    30.0 s    70 MB  tests/a.py::test_slow",
        "   1     0     1.0 s     1.0 s     0 MB  tests/b.py::test_quick[x y]",
        "",
        "What went wrong",
        "",
        "failed: tests/a.py::test_slow, after 20.0 s",
        "    left behind: process 7",
        "    output: soak/x.txt",
        "    again:  CHAT_SEED=2 .venv/bin/python -m pytest -m '' tests/a.py::test_slow",
        "",
        "What each scenario printed last",
        "",
        "tests/a.py::test_slow",
        "    p99 6 ms",
    ]


def test_a_property_is_repeated_with_its_profile_and_hypothesis_seed() -> None:
    again = Result(Scenario("tests/b.py::test_it[x y]", True), 4, "failed", 1.0).again
    assert again == (
        "CHAT_SEED=4 HYPOTHESIS_PROFILE=thorough .venv/bin/python -m pytest"
        " -m '' --hypothesis-seed=4 --timeout=3600 'tests/b.py::test_it[x y]'"
    )
