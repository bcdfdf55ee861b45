"""The attack matrix against real brokers: none accepted, nothing leaked, the broker serves, and who may still can."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_core import messages as m
from chat_core import wire
from tests.attacks.deeds import HOW
from tests.attacks.stage import Stage
from tests.attacks.story import stage_in
from tests.attacks.table import Cell, Mode, Request, cells
from tests.attacks.words import filled, step

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A broker that encrypts."""
    yield from staged(tmp_path_factory.mktemp("curve"), "curve")


@pytest.fixture(scope="module")
def unencrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A broker that does not."""
    yield from staged(tmp_path_factory.mktemp("open"), "open")


def staged(folder: Path, mode: Mode) -> Iterator[Stage]:
    """One stage for all cells of a mode: what one of them did to the broker, the next would notice."""
    with stage_in(folder, mode) as stage:
        yield stage
        assert stage.broker.stop() == 0
        assert "Traceback" not in stage.broker.log()
        assert stage.in_the_log() == []


@pytest.mark.parametrize("cell", cells("curve"), ids=lambda cell: cell.name)
def test_nobody_gets_what_is_not_theirs(curve: Stage, cell: Cell) -> None:
    strike(curve, cell)


@pytest.mark.parametrize("cell", cells("open"), ids=lambda cell: cell.name)
def test_nobody_gets_what_is_not_theirs_without_encryption_either(unencrypted: Stage, cell: Cell) -> None:
    strike(unencrypted, cell)


def strike(stage: Stage, cell: Cell) -> None:
    """Try, see that nothing came of it, and that who may gets what they want."""
    stage.part_from("newcomer")
    for request in cell.row.first:
        step(stage, request)
    before = stage.noted = stage.stored()
    assert attempt(stage, cell) == cell.expected
    after = stage.stored()
    assert (after.kept, after.log & before.log) == (before.kept, before.log)
    assert {said(event) for event in after.unlike(before)} <= stage.said
    assert stage.leaks() == []
    stage.part_from("newcomer")
    grant(stage, cell)
    stage.part_from("newcomer")
    stage.talk()
    assert stage.leaks() == []


def attempt(stage: Stage, cell: Cell) -> str:
    """What comes of the attempt."""
    row, actor = cell.row, stage.somebody(cell.who)
    return HOW[row.how](stage, actor, filled(stage, row.ask, cell.who), filled(stage, row.word, cell.who))


def grant(stage: Stage, cell: Cell) -> None:
    """The same by one who may."""
    row, twin = cell.row, cell.row.twin
    for before in twin.first:
        step(stage, before)
    actor = stage.somebody(twin.by)
    request: Request = filled(stage, row.ask if twin.ask is None else twin.ask, twin.by)
    came = HOW[twin.how or row.how](stage, actor, request, filled(stage, row.word, twin.by))
    for after in twin.undo:
        step(stage, after)
    assert came == twin.gets, f"{twin.by} may, but gets {came}"


def said(event: m.Event) -> str:
    """What a message says; what else there may be was done by nobody who may."""
    return wire.decode_message(event.body).text if event.kind == "message" else event.kind
