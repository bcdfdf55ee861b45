"""The folder of mutants is sound: every patch fits the source and names tests that are there (tools/mutants.py)."""

import ast
from pathlib import Path

import pytest

from tools.mutants import PATCHES, ROOT
from tools.patches import Patch, PatchError, find_test, read_patch, read_patches

ALL = {patch.name: patch for patch in read_patches(ROOT / PATCHES)}

HEADER = """The shop gives change twice.

It is ruined within a week.

Caught-by: tests/test_till.py::test_change
Caught-by: tests/test_till.py::test_change_of_nothing
Caught-by-slow: tests/test_year.py::test_a_year_of_change

"""
DIFF = """--- a/shop/till.py
+++ b/shop/till.py
@@ -7,3 +7,4 @@ def change(given: int, price: int) -> int:
     rest = given - price
-    return rest
+    rest += rest
+    return rest
"""
SOURCE = '"""A till."""\n\n\ndef change(given: int, price: int) -> int:\n    rest = given - price\n    return rest\n'


# ---- ours ----------------------------------------------------------------------------------------------------------


def test_there_are_mutants() -> None:
    assert len(ALL) >= 18


@pytest.mark.parametrize("patch", ALL.values(), ids=list(ALL))
def test_a_mutant_fits_the_source_and_is_python(patch: Patch) -> None:
    for file, text in patch.mutated(ROOT).items():
        assert ast.dump(ast.parse(text)) != ast.dump(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("patch", ALL.values(), ids=list(ALL))
def test_a_mutant_names_tests_that_are_there(patch: Patch) -> None:
    assert [test for test in patch.tests + patch.slow if find_test(ROOT, test) is None] == []


@pytest.mark.parametrize("patch", ALL.values(), ids=list(ALL))
def test_a_mutant_is_not_left_to_chance(patch: Patch) -> None:
    for test in patch.tests:
        function = find_test(ROOT, test)
        assert function is not None
        assert not any("given(" in ast.unparse(decorator) for decorator in function.decorator_list), test


# ---- reading and applying ------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "till.py").write_text(SOURCE)
    return tmp_path


def test_a_patch_has_a_story_tests_and_a_bug() -> None:
    patch = read_patch("twice", HEADER + DIFF)
    assert (patch.title, patch.story) == ("The shop gives change twice.", "It is ruined within a week.")
    assert patch.tests == ["tests/test_till.py::test_change", "tests/test_till.py::test_change_of_nothing"]
    assert patch.slow == ["tests/test_year.py::test_a_year_of_change"]
    (hunk,) = patch.hunks
    assert (hunk.file, hunk.module) == ("shop/till.py", "shop.till")
    assert hunk.old == ["    rest = given - price", "    return rest"]
    assert hunk.new == ["    rest = given - price", "    rest += rest", "    return rest"]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (HEADER, "a diff"),
        (DIFF, "what the bug would do to people"),
        (HEADER.replace("Caught-by:", "Caught by") + DIFF, "Caught-by: FILE::TEST"),
        (HEADER.replace("\nIt is ruined within a week.\n", "") + DIFF, "what the bug would do to people"),
        ("\n" + HEADER + DIFF, "a first line"),
        (HEADER + DIFF + "rest is silence\n", "no line of a diff"),
    ],
)
def test_a_patch_that_is_not_one_is_refused(text: str, missing: str) -> None:
    with pytest.raises(PatchError, match=f"twice: .*{missing}"):
        read_patch("twice", text)


def test_a_patch_is_applied_where_its_lines_are_now(shop: Path) -> None:
    till = shop / "shop" / "till.py"
    for before in ("", "import this\n" * 50):
        till.write_text(before + SOURCE)
        mutated = read_patch("twice", HEADER + DIFF).mutated(shop)
        assert mutated == {till: before + SOURCE.replace("    return", "    rest += rest\n    return")}


def test_hunks_of_one_file_are_all_applied(shop: Path) -> None:
    more = '@@ -1,1 +1,1 @@\n-"""A till."""\n+"""A trap."""\n--- a/shop/x.py\n+++ b/shop/x.py\n@@ -1 +1 @@\n-x\n+y\n'
    (shop / "shop" / "x.py").write_text("x\n")
    till, other = read_patch("twice", HEADER + DIFF + more).mutated(shop).values()
    assert "trap" in till
    assert "rest += rest" in till
    assert other == "y\n"


def test_a_patch_whose_lines_have_changed_says_which(shop: Path) -> None:
    (shop / "shop" / "till.py").write_text(SOURCE.replace("given - price", "given - 2 * price"))
    with pytest.raises(PatchError, match=r"twice does not fit.*till\.py any more(?s:.*)\?     rest = given - price"):
        read_patch("twice", HEADER + DIFF).mutated(shop)


def test_a_patch_whose_lines_are_there_twice_is_not_applied_to_either(shop: Path) -> None:
    (shop / "shop" / "till.py").write_text(SOURCE + SOURCE)
    with pytest.raises(PatchError, match="2 times"):
        read_patch("twice", HEADER + DIFF).mutated(shop)


def test_a_patch_of_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(PatchError, match=r"no shop/till\.py any more"):
        read_patch("twice", HEADER + DIFF).mutated(tmp_path)


@pytest.mark.parametrize(
    ("test", "there"),
    [
        ("test_a.py::test_one", True),
        ("test_a.py::test_one[3-x]", True),
        ("test_a.py::TestAll::test_two", True),
        ("test_a.py::test_two", False),
        ("test_a.py::TestAll::test_one", False),
        ("test_a.py", False),
        ("test_a.py::TestAll", False),
        ("test_b.py::test_one", False),
    ],
)
def test_a_test_is_there_or_not(tmp_path: Path, test: str, there: bool) -> None:
    (tmp_path / "test_a.py").write_text("def test_one(): ...\nclass TestAll:\n    def test_two(self): ...\n")
    assert (find_test(tmp_path, test) is not None) == there
