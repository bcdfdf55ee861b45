"""How a row of the transcript is drawn into a Text."""

import re
import tkinter as tk
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from chat_client.gui import emoji
from chat_client.gui.look import Look
from chat_client.gui.palette import name_index
from chat_client.gui.pictures import AVATAR, Pictures
from chat_client.model import markup
from chat_client.model.shown import Line, Row

Tags = tuple[str, ...]

# Heights of emoji, in design pixels. A message that is nothing but a few of them shows them large.
_EMOJI, _LARGE_EMOJI = 17, 34
_MOST_LARGE: Final = 3
_LONGEST_LARGE: Final = 40
# To lay a line out costs Tk the square of its pieces: what comes behind so many in one paragraph is plain.
_MOST_PIECES: Final = 120
_MOST_PICTURES: Final = 400
_STATES: Final = {"sending": " sending…", "sent": " ✓"}
# Hebrew, Arabic and the scripts between and behind them.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_UNKNOWN_TIME: Final = "--:--"


class Writing:
    """Draws rows into ``text``. The tags that others look for: "body" (the text that a row is about), "link", "edit"
    and "discard", and "target" on these three."""

    def __init__(self, text: tk.Text, look: Look, pictures: Pictures) -> None:
        self._text, self._look, self._pictures = text, look, pictures
        self._tk, self._path = text.tk, str(text)
        self.me: Sequence[str] = ()
        self._at = "end"
        self._behind: Tags = ()  # tags of the whole row: its background
        self._pieces: list[tuple[str, Tags]] = []  # to be inserted
        self._pieces_here = self._pictures_here = 0  # in this paragraph

    def write(self, at: str, row: Row) -> None:
        """Draw a row at the mark ``at``, which has to have right gravity."""
        line = row.line
        start = self._text.index(at) if _RIGHT_TO_LEFT.search(line.text) else ""
        said = line.kind in ("message", "me")
        self._at, self._pieces_here, self._pictures_here = at, 0, 0
        self._behind = ("refused",) if line.state == "refused" else ("mention",) if line.mention and said else ()
        if row.day:
            self._rule("dayrule", "day", row.day)
        if row.new:
            self._rule("newrule", "new", "NEW")
        if said:
            self._said(row)
        elif line.kind == "note":
            self._pad("note")
            tags: Tags = ("note", "table") if "\t" in line.text else ("note",)
            self._plain(line.text, (*tags, "body"))
            self._put("\n", tags)
            self._pad("note")
        elif line.kind == "wall":
            self._wall(line)
        else:
            self._plain(line.text, ("event", "body"))
            self._put(f"  {clock(line.time)}\n", ("event",))
        self._flush()
        if start and line.kind == "message":
            self._align(start)

    def url_of(self, row: Row, shown: str) -> str:
        """Where the link goes that shows this, in this row; "" if there is none."""
        found = (span for span in markup.spans(row.line.text, self.me) if "link" in span.styles)
        return next((span.url for span in found if span.text == shown), "")

    def _rule(self, rule: str, tag: str, label: str) -> None:
        self._put("\n", ("gap",))
        self._put("\n", (rule,))
        self._put(f"{label}\n", (tag,))

    def _wall(self, line: Line) -> None:
        """A rule, words and a rule: nothing is missing here that could come."""
        self._put("\n", ("gap",))
        self._put("\n", ("dayrule",))
        self._plain(line.text, ("wall", "body"))
        self._put("\n", ("wall",))
        self._put("\n", ("dayrule",))

    def _pad(self, *tags: str) -> None:
        """A little room at the edge of a background."""
        if tags:
            self._put("\n", (*tags, "pad"))

    def _said(self, row: Row) -> None:
        line = row.line
        if row.head and line.kind == "message":
            self._head(line)
        else:
            self._pad(*self._behind)
        text = ("text", *self._behind)
        if line.deleted:
            self._put(f"{line.text}\n", (*text, "body", "italic", "deleted"))
        elif line.kind == "me":
            self._deed(line, text)
        else:
            last = self._marked_up(line.text, (*text, "body"))
            self._put(f"{_STATES.get(line.state, '')}\n", (*text, *last, "time"))
        if line.state == "refused":
            self._refusal(line)
        self._pad(*self._behind)

    def _head(self, line: Line) -> None:
        tags = ("head", *self._behind)
        self._flush()
        self._pictures.put_image(self._at, self._look.avatar(line.name), AVATAR, tags)
        self._put("\t", tags)
        self._plain(line.name, (*tags, "name", _name_tag(line)))
        self._put(f"  {clock(line.time)}\n", (*tags, "time"))

    def _deed(self, line: Line, text: Tags) -> None:
        body = (*text, "body")
        self._put("* ", (*body, "italic"))
        self._plain(line.name, (*body, "bolditalic", _name_tag(line)))
        self._put(" ", (*body, "italic"))
        self._marked_up(line.text, (*body, "italic"))
        self._put(f"  {clock(line.time)}{_STATES.get(line.state, '')}\n", (*text, "time"))

    def _refusal(self, line: Line) -> None:
        tags = ("refusal", *self._behind)
        self._put("Not sent", tags)
        self._plain(f": {line.reason}" if line.reason else "", tags)
        for label in ("Edit", "Discard"):
            self._put("   ", tags)
            self._put(label, (*tags, "action", label.lower(), "target"))
        self._put("\n", tags)

    def _marked_up(self, text: str, tags: Tags) -> Tags:
        """Write a message's text. The tags that the end of its last line needs too: those of a block of code."""
        large = len(text) <= _LONGEST_LARGE and not text.isascii() and emoji.only_emoji(text, _MOST_LARGE)
        last: Tags = ()
        for span in markup.spans(text, self.me):
            last = _tags_of(span, "italic" in tags)
            self._plain(span.text, (*tags, *last), _LARGE_EMOJI if large else _EMOJI)
        return last if "block" in last else ()

    def _align(self, start: str) -> None:
        """Bring paragraphs to the right that begin in a script written from there.

        That is all that is done: Windows and macOS put the letters in their order, Tk on X11 leaves them as they are.
        """
        text, place = self._text, start
        while text.compare(place, "<", self._at):
            tags = text.tag_names(place)
            if "body" in tags and "block" not in tags and begins_right(text.get(place, f"{place} lineend")):
                text.tag_add("rtl", place, f"{place} lineend +1c")
            place = text.index(f"{place} +1 lines linestart")

    def _plain(self, text: str, tags: Tags, height: int = _EMOJI) -> None:
        """A text with its emoji as images."""
        if text.isascii():
            self._put(text, tags)
            return
        for piece, picture in emoji.segments(text):
            if picture and self._pictures_here < _MOST_PICTURES:
                self._flush()
                if self._pictures.put(self._at, piece, height, tags):
                    self._pictures_here += 1
                    continue
            self._put(self._look.emoji.safe(piece), tags)

    def _put(self, text: str, tags: Tags) -> None:
        if not text:
            return
        last, last_tags = self._pieces[-1] if self._pieces else ("", ())
        crowded = self._pieces_here >= _MOST_PIECES and ("body" in tags) == ("body" in last_tags)
        if last and (tags == last_tags or crowded):
            self._pieces[-1] = last + text, last_tags
        else:
            self._pieces.append((text, tags))
            self._pieces_here += 1
        if "\n" in text:
            self._pieces_here = self._pictures_here = 0

    def _flush(self) -> None:
        if self._pieces:
            self._tk.call(self._path, "insert", self._at, *chain.from_iterable(self._pieces))
            self._pieces = []


def clock(time: int) -> str:
    """The local time of a moment in ms since 1970, as "10:12"."""
    try:
        return f"{datetime.fromtimestamp(time / 1000):%H:%M}"
    except (ValueError, OverflowError, OSError):  # a broker's clock may be anything up to 2^53
        return _UNKNOWN_TIME


def begins_right(text: str) -> bool:
    """Whether the first character that has a direction is one of a script written from right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _name_tag(line: Line) -> str:
    return f"name{name_index(line.name)}"


def _tags_of(span: markup.Span, italic: bool) -> Tags:
    styles = span.styles
    if not styles:
        return ()
    tags: list[str] = []
    if "bold" in styles or "italic" in styles:
        slanted = italic or "italic" in styles
        tags.append(("bolditalic" if slanted else "bold") if "bold" in styles else "italic")
    tags += [tag for tag in ("quote", "code", "block") if tag in styles]
    if "mention" in styles:
        tags.append("called")
    if "link" in styles:
        tags += ["link", "target"]
    return tuple(tags)
