"""The small signs before and behind names in the lists: a hash, a lock, several people, a pencil, an eye."""

from collections.abc import Callable
from typing import Literal

from PIL import Image, ImageDraw

Kind = Literal["hash", "lock", "group", "pencil", "eye"]
_FINER = 4  # as in images.py
_UNITS = 16.0  # the drawings' own width and height
_Pen = tuple[ImageDraw.ImageDraw, float, str]


def draw(kind: Kind, side: int, colour: str) -> Image.Image:
    """The sign on nothing, ``side`` pixels high and wide."""
    fine = side * _FINER
    # What is see-through has the colour too: else the edges would come out darker when it is made small.
    parts = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    large = Image.new("RGBA", (fine, fine), (*parts, 0))
    _DRAWN[kind]((ImageDraw.Draw(large), fine / _UNITS, colour))
    return large.resize((side, side), Image.Resampling.BOX)


def _line(pen: _Pen, thick: float, *points: tuple[float, float]) -> None:
    canvas, unit, colour = pen
    canvas.line([(x * unit, y * unit) for x, y in points], fill=colour, width=round(thick * unit), joint="curve")
    for x, y in (points[0], points[-1]):
        _disc(pen, x, y, thick / 2)


def _disc(pen: _Pen, x: float, y: float, radius: float) -> None:
    canvas, unit, colour = pen
    canvas.ellipse([(part * unit) for part in (x - radius, y - radius, x + radius, y + radius)], fill=colour)


def _hash(pen: _Pen) -> None:
    for start, end in (((6.2, 2.4), (4.8, 13.6)), ((11.2, 2.4), (9.8, 13.6))):
        _line(pen, 1.5, start, end)
    for y in (5.8, 10.2):
        _line(pen, 1.5, (2.6, y), (13.4, y))


def _lock(pen: _Pen) -> None:
    canvas, unit, colour = pen
    canvas.rounded_rectangle([part * unit for part in (2.6, 7, 13.4, 15)], 1.8 * unit, fill=colour)
    canvas.arc([part * unit for part in (4.4, 1, 11.6, 8.6)], 180, 360, fill=colour, width=round(1.7 * unit))
    for x in (5.25, 10.75):
        _line(pen, 1.7, (x, 4.8), (x, 7.5))


def _group(pen: _Pen) -> None:
    canvas, unit, colour = pen
    for x, y, radius in ((5.6, 5.2, 2.7), (11.6, 5.9, 2.1)):
        _disc(pen, x, y, radius)
    canvas.pieslice([part * unit for part in (0.6, 9, 10.6, 19)], 180, 360, fill=colour)
    canvas.pieslice([part * unit for part in (8.6, 9.4, 15.4, 18.2)], 180, 360, fill=colour)
    # A gap between the two, so that they are two.
    canvas.arc([part * unit for part in (-0.6, 7.8, 11.8, 20.2)], 270, 360, fill=(0, 0, 0, 0), width=round(1.2 * unit))


def _pencil(pen: _Pen) -> None:
    canvas, unit, colour = pen
    for outline in (
        [(2, 14), (3, 10), (6, 13)],
        [(3.8, 9.2), (10, 3), (13, 6), (6.8, 12.2)],
        [(10.8, 2.2), (12, 1), (15, 4), (13.8, 5.2)],
    ):
        canvas.polygon([(x * unit, y * unit) for x, y in outline], fill=colour)


def _eye(pen: _Pen) -> None:
    canvas, unit, colour = pen
    for box, start, end in (((0.8, 3.4, 15.2, 16.6), 205, 335), ((0.8, -0.6, 15.2, 12.6), 25, 155)):
        canvas.arc([part * unit for part in box], start, end, fill=colour, width=round(1.5 * unit))
    _disc(pen, 8, 8, 2.5)


_DRAWN: dict[Kind, Callable[[_Pen], None]] = {
    "hash": _hash,
    "lock": _lock,
    "group": _group,
    "pencil": _pencil,
    "eye": _eye,
}
