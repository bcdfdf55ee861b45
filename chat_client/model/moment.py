"""A moment, as the rules are told it."""

from typing import NamedTuple


class Moment(NamedTuple):
    """``mono``: seconds of a clock that nobody can set; ``wall``: ms since 1970, as people count."""

    mono: float
    wall: int
