"""The runner of mutants, on a small tree with bugs of every kind: which it says are caught, and which are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools import mutants

pytestmark = pytest.mark.real

TILL = '''"""A till."""


def change(given: int, price: int) -> int:
    return given - price


def unwatched() -> int:
    return 1
'''
TESTS = '''"""Tests of the till."""
import pytest
from shop import till

@pytest.mark.parametrize("price", [0, 3])
def test_change(price):
    assert till.change(5, price) == 5 - price

def test_change_is_a_number():
    assert isinstance(till.change(5, 3), int)

def test_it_counts():
    assert till.unwatched() in (1, 2)

@pytest.mark.skip
def test_skipped():
    assert False

@pytest.mark.slow
def test_a_year():
    assert till.change(365, 300) == 65

@pytest.mark.real
def test_already_broken():
    assert till.change(1, 1) == 1
'''

Maker = Callable[..., Path]
Says = Callable[..., tuple[int, str]]


def patch(old: str, new: str, *tests: str, more: str = "") -> str:
    names = "".join(f"Caught-by: tests/test_till.py::{test}\n" for test in tests)
    return (
        f"A bug.\n\nIt is bad.\n\n{names}{more}\n--- a/shop/till.py\n+++ b/shop/till.py\n@@ -1 +1 @@\n-{old}\n+{new}\n"
    )


CHANGE = "    return given - price"
WRONG = patch(CHANGE, "    return given + price", "test_change")


@pytest.fixture
def shop(tmp_path: Path) -> Maker:
    """Makes a tree with these patches, by name."""

    def make(**patches: str) -> Path:
        files = {
            "pytest.ini": "[pytest]\nmarkers = real\n    slow\n",
            "shop/__init__.py": "",
            "shop/till.py": TILL,
            "tests/test_till.py": TESTS,
            f"{mutants.PATCHES}/test_patches.py": "def test_that_no_patch_is_applied(): assert False",
        } | {f"{mutants.PATCHES}/{name}.patch": text for name, text in patches.items()}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return make


@pytest.fixture
def says(capfd: pytest.CaptureFixture[str]) -> Says:
    """Runs the mutants of a tree; its status and what it says."""

    def run(root: Path, *words: str) -> tuple[int, str]:
        status = mutants.main(list(words), root)
        out, err = capfd.readouterr()
        return status, out + err

    return run


def test_a_bug_that_its_tests_notice_is_caught_and_the_tree_stays_as_it_was(shop: Maker, says: Says) -> None:
    root = shop(wrong=WRONG, none=patch(CHANGE, "    return None", "test_change_is_a_number", "test_change"))
    status, said = says(root)
    assert status == 0
    assert "wrong: tests/test_till.py::test_change[3]\n" in said
    assert "none: tests/test_till.py::test_change_is_a_number and 1 more\n" in said
    assert "2 mutants, 2 caught" in said
    assert (root / "shop" / "till.py").read_text() == TILL


def test_a_bug_that_one_of_its_tests_misses_is_not_caught_and_who_would_is_said(shop: Maker, says: Says) -> None:
    status, said = says(
        shop(
            partly=patch(CHANGE, "    return given + price", "test_change", "test_change_is_a_number"),
            wholly=patch("    return 1", "    return 2", "test_it_counts"),
        )
    )
    assert status == 1
    assert "partly: tests/test_till.py::test_change_is_a_number does not notice it; tests/test_till.py" in said
    assert "wholly: tests/test_till.py::test_it_counts does not notice it; nor does any other fast one" in said
    assert said.count("NOT CAUGHT") == 2
    assert "2 mutants, 0 caught" in said


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("    return given ~ price", "could not run"),  # no Python
        ("    return taken - price", "ends in NameError"),
        ("import nothing_of_this_name", "could not run"),
    ],
)
def test_a_patch_that_is_nonsense_is_not_caught_but_broken(shop: Maker, says: Says, new: str, why: str) -> None:
    status, said = says(shop(nonsense=patch(CHANGE, new, "test_change")))
    assert status == 1
    assert "BROKEN" in said
    assert why in said


def test_a_bug_that_makes_its_test_hang_is_caught_by_hanging(
    shop: Maker, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutants, "TEST_SECONDS", 3.0)
    status, said = says(shop(hangs=patch(CHANGE, "    while True: pass", "test_change_is_a_number")))
    assert status == 0
    assert "test_change_is_a_number by hanging" in said


def test_a_run_that_pytest_cannot_end_is_killed(shop: Maker, says: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "RUN_SECONDS", 10.0)
    deaf = "    import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
    status, said = says(shop(deaf=patch(CHANGE, deaf, "test_change_is_a_number")))
    assert status == 0
    assert "test_change_is_a_number by hanging" in said


@pytest.mark.parametrize("test", ["test_already_broken", "test_skipped", "test_of_another_name"])
def test_a_test_that_does_not_pass_without_the_bug_catches_nothing(shop: Maker, says: Says, test: str) -> None:
    status, said = says(shop(wrong=WRONG, other=patch(CHANGE, "    return 0", test)))
    assert status == 1
    assert "say nothing" in said
    assert test in said


def test_slow_tests_are_asked_only_when_wanted(shop: Maker, says: Says) -> None:
    root = shop(
        year=patch(CHANGE, "    return 2", "test_change", more="Caught-by-slow: tests/test_till.py::test_a_year\n")
    )
    assert "test_change[0]\n" in says(root)[1]
    assert "test_change[0] and 1 more\n" in says(root, "--slow")[1]


def test_one_mutant_alone_can_be_tried_but_all_have_to_fit(shop: Maker, says: Says) -> None:
    root = shop(wrong=WRONG, zero=patch(CHANGE, "    return 0", "test_change"))
    assert "1 mutants, 1 caught" in says(root, "zero")[1]
    status, said = says(root, "one")
    assert (status, "no patch one" in said) == (1, True)
    (root / "shop" / "till.py").write_text(TILL.replace("price", "cost"))
    status, said = says(root, "zero")
    assert status == 1
    assert "shop/till.py any more" in said


def test_what_is_not_the_copy_says_nothing(shop: Maker, says: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    root = shop(wrong=WRONG)
    (root / "tests" / "conftest.py").write_text(f"import sys; sys.path.insert(0, {str(root)!r})\n")
    status, said = says(root)
    assert status == 1
    assert f"not the copy was tested, but {root / 'shop' / '__init__.py'}" in said


def test_a_tree_without_mutants_is_none_that_holds(shop: Maker, says: Says) -> None:
    assert says(shop())[0] == 1
