"""The patches of tests/mutants: a story of a bug, the tests that must notice it, and the bug as a unified diff.

The line numbers of a diff are not looked at: the lines of each hunk have to be in the file exactly once. So a patch
fits until somebody changes the very lines that it is about, and is never applied somewhere else.
"""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MEND = "Put the bug into the source again, take its `git diff -U1` for the patch, and take the source back."
_TEST = re.compile(r"Caught-by(-slow)?: (\S+)")


class PatchError(Exception):
    """A patch that is not right, or does not fit the source any more; says what to do."""


@dataclass(frozen=True)
class Hunk:
    """Lines of a file, and what the bug makes of them."""

    file: str
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    @property
    def module(self) -> str:
        """The name under which the file is imported."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def apply(self, lines: list[str]) -> list[str]:
        """The file's lines with the bug in them. Raises PatchError."""
        places = [place for place in range(len(lines)) if lines[place : place + len(self.old)] == self.old]
        if len(places) != 1:
            raise PatchError(self._misfit(lines, len(places)))
        (place,) = places
        return lines[:place] + self.new + lines[place + len(self.old) :]

    def _misfit(self, lines: list[str], found: int) -> str:
        there = set(lines)
        shown = "\n".join(f"  {' ' if line in there else '?'} {line}" for line in self.old)
        if found:
            return f"these lines are in {self.file} {found} times (give the hunk more context):\n{shown}"
        return f"these lines are not in {self.file} any more, those with a ? nowhere in it:\n{shown}"


@dataclass(frozen=True)
class Patch:
    """A deliberate bug. ``tests`` must all fail with it; ``slow`` ones too, but only a slow run tries them."""

    name: str
    title: str
    story: str
    tests: list[str]
    slow: list[str]
    hunks: list[Hunk]

    def named(self, slow: bool) -> list[str]:
        """The tests that have to fail, in a slow run or another one."""
        return self.tests + (self.slow if slow else [])

    def mutated(self, root: Path) -> dict[Path, str]:
        """The files under ``root`` that the bug changes, as they are with it. Raises PatchError."""
        changed: dict[Path, list[str]] = {}
        for hunk in self.hunks:
            file = root / hunk.file
            if not file.is_file():
                raise PatchError(f"{self.name}: there is no {hunk.file} any more.")
            try:
                changed[file] = hunk.apply(changed.get(file) or file.read_text(encoding="utf-8").splitlines())
            except PatchError as problem:
                raise PatchError(f"{self.name} does not fit: {problem}\n{MEND}") from None
        return {file: "\n".join(lines) + "\n" for file, lines in changed.items()}


def read_patches(folder: Path) -> list[Patch]:
    """All patches of a folder, in the order of their names. Raises PatchError."""
    return [read_patch(file.stem, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.patch"))]


def read_patch(name: str, text: str) -> Patch:
    """A patch from its text. Raises PatchError."""
    header, mark, diff = text.partition("\n--- ")
    title, _, rest = header.partition("\n")
    found = _TEST.findall(rest)
    story = _TEST.sub("", rest).strip()
    quick, slow = ([test for kind, test in found if bool(kind) == is_slow] for is_slow in (False, True))
    for missing, there in (
        ("a first line that says what the bug is", title.strip()),
        ("an empty line and what the bug would do to people", rest.startswith("\n") and story),
        ('a line "Caught-by: FILE::TEST"', quick),
        ("a diff", mark),
    ):
        if not there:
            raise PatchError(f"{name}: it needs {missing}.")
    hunks = list(_hunks(name, (mark + diff).rstrip("\n").splitlines()))
    return Patch(name, title.strip(), story, quick, slow, hunks)


def _hunks(name: str, lines: list[str]) -> Iterator[Hunk]:
    file, hunk = "", None
    for line in lines:
        if line.startswith("+++ "):
            file = line.removeprefix("+++ ").removeprefix("b/")
        elif line.startswith(("diff ", "index ", "--- ", "@@ ")):
            if hunk is not None:
                yield hunk
            hunk = Hunk(file) if line.startswith("@@ ") else None
        elif hunk is None or line[:1] not in (" ", "+", "-", ""):
            if line:
                raise PatchError(f"{name}: this is no line of a diff: {line!r}")
        else:
            if line[:1] != "+":
                hunk.old.append(line[1:])
            if line[:1] != "-":
                hunk.new.append(line[1:])
    if hunk is not None:
        yield hunk


def find_test(root: Path, test: str) -> ast.FunctionDef | None:
    """The function of a test "FILE::TEST" or "FILE::CLASS::TEST", whatever parameters follow; None if there is none."""
    file, *names = test.partition("[")[0].split("::")
    if not names or not (root / file).is_file():
        return None
    node: ast.AST = _parsed((root / file).read_text(encoding="utf-8"))
    for name in names:
        inside = [one for one in getattr(node, "body", ()) if getattr(one, "name", "") == name]
        if not inside:
            return None
        node = inside[0]
    return node if isinstance(node, ast.FunctionDef) else None


@functools.cache
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)
