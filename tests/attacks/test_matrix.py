"""The attack matrix is sound: its words are known, its twins are others, and all of those who try are there."""

import tomllib
from typing import get_args

from chat_core.errors import CODES
from tests.attacks.attacker import CLOSED, NOT_LET_IN, SILENCE
from tests.attacks.deeds import HEARD, HOW, NOTHING_HEARD
from tests.attacks.table import FILE, Mode, cells, matrix

COLUMNS = {"stranger", "waiting", "member", "removed", "muted", "guest", "bot", "banned"}
# What comes of an attempt to which nobody may say no by a code.
NO_CODES = {CLOSED, NOT_LET_IN, SILENCE, NOTHING_HEARD, "untold"}
# Hardly to be had by one message of one who may not: disks, limits, and what the other tables of bad input have.
OTHER_CODES = {
    "version", "key_bad", "unknown_type", "body_bad", "text_empty", "text_long", "text_bad", "expected", "conflict",
    "store", "busy", "rate", "slow", "crowded", "limit", "room_bad", "no_user", "last_key", "invite_needed", "banned",
}  # fmt: skip


def test_there_are_cells_for_everybody_who_tries() -> None:
    assert len(cells("curve")) >= 60
    assert {cell.who for cell in cells("curve")} == matrix().who.keys() >= COLUMNS
    for column in COLUMNS:
        assert sum(cell.who == column for cell in cells("curve")) >= 5, column


def test_every_cell_says_what_comes_of_it() -> None:
    expected = {cell.expected for mode in get_args(Mode) for cell in cells(mode)}
    assert expected <= CODES.keys() | NO_CODES
    assert expected >= NO_CODES
    assert CODES.keys() - expected <= OTHER_CODES


def test_every_row_has_a_twin_who_gets_what_the_others_do_not() -> None:
    for row in matrix().row:
        granted = row.twin.gets
        assert granted not in NO_CODES | set(row.cells.values()), row.what
        assert granted == "waiting" or granted not in CODES, row.what
        assert (granted == "told") == bool(row.word), row.what
        assert (granted == HEARD) == (NOTHING_HEARD in row.cells.values() or "hearing" in row.how), row.what


def test_every_way_is_taken() -> None:
    taken = {how for row in matrix().row for how in (row.how, row.twin.how) if how}
    assert taken == HOW.keys()


def test_no_row_is_in_the_matrix_twice() -> None:
    assert len({cell.name for cell in cells("curve")}) == len(cells("curve"))
    assert len({(str(row.ask), row.how, row.word, str(row.first)) for row in matrix().row}) == len(matrix().row)


def test_the_file_is_read_as_it_stands() -> None:
    rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["row"]
    assert [row["what"] for row in rows] == [row.what for row in matrix().row]
    assert len(cells("curve")) == sum(len(row["cells"]) for row in rows if "curve" in row.get("modes", ["curve"]))
