"""The attack matrix, read: rows of attempts, cells of who tries and what has to come of it (matrix.toml explains)."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

FILE = Path(__file__).with_name("matrix.toml")
Mode = Literal["curve", "open"]
Request = dict[str, Any]


class Twin(Struct, forbid_unknown_fields=True):
    """The same by one who may: ``by`` whom, what they get, and what is another than in the row. ``first`` and ``undo``:
    what is done before and after, each ``as`` somebody."""

    by: str
    gets: str
    ask: Request | None = None
    how: str = ""
    first: list[Request] = []
    undo: list[Request] = []


class Row(Struct, forbid_unknown_fields=True):
    """An attempt: ``ask`` says what, ``how`` on what connection; ``cells``: what comes of it by who tries; ``open``:
    what is otherwise without encryption. ``word``: what an answer must not tell. ``first``: what is done before."""

    what: str
    cells: dict[str, str]
    twin: Twin
    ask: Request = {}
    how: str = "own"
    word: str = ""
    first: list[Request] = []
    modes: tuple[Mode, ...] = ("curve",)
    open: dict[str, str] = {}


class Matrix(Struct, forbid_unknown_fields=True):
    """The whole file."""

    who: dict[str, str]
    row: list[Row]


class Cell(Struct, frozen=True):
    """One attempt by one of those who try it, under one of the two modes."""

    row: Row
    who: str
    expected: str
    mode: Mode

    @property
    def name(self) -> str:
        """How its test is called, without blanks: "read-a-private-room:member"."""
        return f"{re.sub(r'[^a-z0-9]+', '-', self.row.what.lower())}:{self.who}"


@cache
def matrix() -> Matrix:
    """The file."""
    return msgspec.toml.decode(FILE.read_bytes(), type=Matrix)


def cells(mode: Mode) -> list[Cell]:
    """All that is tried under a mode."""
    return [
        Cell(row, who, expected, mode)
        for row in matrix().row
        if mode in row.modes
        for who, expected in (row.cells | (row.open if mode == "open" else {})).items()
    ]
