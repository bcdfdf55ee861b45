"""From the lines of a room to the rows of a transcript, and from one state of it to the next: a diff. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from chat_client.model.shown import Change, Delete, Insert, Line, Op, Row

# Messages of one author within so long stand under one head.
GROUP_MS = 5 * 60 * 1000
_QUARTER_MS = 15 * 60 * 1000  # every time zone's day begins at a full quarter of an hour


def day_of(time: int) -> date:
    """The local day of a moment, in ms since 1970."""
    return _day_of_quarter(time // _QUARTER_MS)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int) -> date:
    try:
        return datetime.fromtimestamp(quarter * _QUARTER_MS / 1000).date()
    except (ValueError, OverflowError, OSError):  # a broker's clock may be anything up to 2^53
        return date.max


def day_label(day: date, today: date) -> str:
    """How the rule above a day reads."""
    if day == date.max:
        return "An unknown day"
    text = f"{day:%A}, {day.day} {day:%B}"
    return text if day.year == today.year else f"{text} {day.year}"


def make_rows(lines: Sequence[Line], new_from: int, today: date) -> list[Row]:
    """Rows for lines in order. The "new" rule stands above event number ``new_from`` (0: nowhere)."""
    rows: list[Row] = []
    last: Line | None = None
    last_day: date | None = None
    for line in lines:
        day = day_of(line.time)
        new = line.seq == new_from != 0
        label = day_label(day, today) if day != last_day else ""
        head = line.kind == "message" and (
            bool(label)
            or new
            or last is None
            or last.kind != "message"
            or last.author != line.author
            or last.name != line.name
            or line.time - last.time > GROUP_MS
        )
        rows.append(Row(line, label, new, head))
        last, last_day = line, day
    return rows


def diff(old: Sequence[Row], new: Sequence[Row]) -> list[Op] | None:
    """The operations that turn what is shown into what is to be shown, or None if rows have changed their order."""
    ops: list[Op] = []
    new_at = {row.line.key: number for number, row in enumerate(new)}
    kept: list[Row] = []
    gone: list[str] = []
    for row in old:
        (kept.append(row) if row.line.key in new_at else gone.append(row.line.key))
    if gone:
        ops.append(Delete(gone))
    place = -1
    for row in kept:
        number = new_at[row.line.key]
        if number <= place:
            return None
        place = number
    begin = 0
    for row in kept:
        number = new_at[row.line.key]
        if number > begin:
            ops.append(Insert(row.line.key, list(new[begin:number])))
        if new[number] is not row and new[number] != row:
            ops.append(Change(new[number]))
        begin = number + 1
    if begin < len(new):
        ops.append(Insert("", list(new[begin:])))
    return ops


def applied(rows: Sequence[Row], ops: Sequence[Op]) -> list[Row]:
    """What is shown after these operations: what a view does, for tests and for views without a screen."""
    result = list(rows)
    for op in ops:
        if isinstance(op, Delete):
            keys = set(op.keys)
            result = [row for row in result if row.line.key not in keys]
        elif isinstance(op, Insert):
            keys_now = [row.line.key for row in result]
            place = keys_now.index(op.before) if op.before else len(result)
            result[place:place] = op.rows
        else:
            keys_now = [row.line.key for row in result]
            result[keys_now.index(op.row.line.key)] = op.row
    return result
