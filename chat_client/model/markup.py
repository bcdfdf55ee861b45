"""Light markdown as people type it: a message's text as spans to show, and whether it speaks to me.

Understood are ``**bold**``, ``*italic*``, ``_italic_``, ```code```, blocks between three backticks, lines that begin
with ``> ``, links, and my names where a text speaks to me. A backslash before a marker makes it plain; what is not
balanced is plain anyway.

Emphasis and ``code`` stay within a line, and emphasis begins and ends at the borders of words: snake_case, __init__,
2*3*4, *.txt and ^_^ stay as they are. Nothing in code is interpreted. However long and nasty a text is, it is read
once, from left to right: the time is that of its length.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from chat_client.model import mentions
from chat_client.model.letters import in_word, unspaced

Style = Literal["bold", "italic", "code", "block", "link", "mention", "quote"]


class Span(Struct, frozen=True):
    """A run of text in one style. ``url``: what a link opens, with its scheme in lower case; "" for all others.

    A span of a block or a quote includes the line break behind its last line, if more text follows.
    """

    text: str
    styles: frozenset[Style] = frozenset()
    url: str = ""


def spans(text: str, me: Sequence[str] = ()) -> list[Span]:
    """The text as it is shown, without its markers. ``me``: my names, which become mentions where it speaks to me."""
    marked = _marked(text)
    found = _Reader(text).read() if marked else [Span(text)] if text else []
    return _with_mentions(found, me) if me and mentions.possible(text, me) else found


def plain(text: str) -> str:
    """The text without its markers, in one style: for previews."""
    return "".join(span.text for span in spans(text)) if _marked(text) else text


def mentions_me(text: str, me: Sequence[str]) -> bool:
    """Does the text speak to me, outside of code and links? Quick for the many that do not."""
    return mentions.possible(text, me) and any("mention" in span.styles for span in spans(text, me))


def _marked(text: str) -> bool:
    """Could there be a marker or a link in it? Few texts have any of these characters."""
    return (
        "*" in text or "_" in text or "`" in text or "> " in text or "\\" in text or "://" in text or "mailto:" in text
    )


_NONE: frozenset[Style] = frozenset()

# Links end before these, too: nobody writes them in one, or nobody sees them.
_URL = '[^\\s<>"`\\\\“”«»‹›「」『』【】《》、。，；：！？（）\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]'
_TOKEN = re.compile(
    r"(?P<newline>\n)"
    r"|(?P<shrug>¯\\_\(ツ\)_/¯)"  # as it is known: its arm would be taken for a backslash that hides the _
    r"|(?P<escape>(?<!\\)\\+(?=[*_`]))"
    r"|(?P<ticks>`+)"
    r"|(?P<mark>\*+|_+)"
    rf"|(?P<link>(?<![A-Za-z0-9])(?:(?i:https?|ftp|chat)://(?=[^\W_]|\[[0-9a-fA-F:]){_URL}+"
    rf"|mailto:(?=[^\s@:/]{{1,64}}@[^\W_]){_URL}+))"
)
_QUOTED = re.compile(r"> (?=[^\n]*\S)")
_QUOTED_BLANK = re.compile(r">[ \t]*(?=\n|\Z)")
_FIRST_LINE = re.compile(r"([\w+#]*)[ \t]*\n")
_LINE_END = re.compile(r"[ \t]*(\n|\Z)")
# Something to emphasise.
_WORDY = re.compile("[^\\W_]|[\U0001f000-\U0010ffff]")

_BEFORE_ITALIC = frozenset("([{\"'“‘«„¿¡*_~|\\")  # and the backslash, where it stands for itself
_BEFORE_STAR = _BEFORE_ITALIC | frozenset(".,:;!?-–—…")
_AFTER_LINK = frozenset(".,;:!?'*~|…’")
_BRACKETS = {")": "(", "]": "[", "}": "{"}

# What people write behind the first ``` of a block; any other word there is part of the text.
_LANGUAGES = (
    " asm awk bash bat c c# c++ clojure cmake console cpp cs csharp css csv dart diff docker dockerfile elixir erlang"
    " fish fsharp go golang graphql groovy haskell hs html http ini java javascript js json jsx julia kotlin kt latex"
    " less lisp log lua make makefile markdown matlab md nginx nix objc ocaml patch perl php plain plaintext powershell"
    " ps1 py python r rb rs ruby rust sass scala scss sh shell sql svelte swift tcl terraform tex text toml ts tsx txt"
    " typescript vb vim vue xml yaml yml zig zsh "
)


class _Reader:
    """Reads one text. It becomes pieces; where bold or italic begins and ends is noted by the number of the piece."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pieces: list[str] = []
        self.styles: list[frozenset[Style]] = []
        self.urls: list[str] = []
        self.turns: dict[int, list[int]] = defaultdict(lambda: [0, 0])  # piece -> change of (italic, bold) before it
        # (marker, length) -> those not closed yet: (piece, how many wordy pieces were before it)
        self.open: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        self.wordy = 0
        self.quote = False
        self.ticks: dict[int, list[int]] | None = None  # length of a run of backticks -> where such runs begin

    def read(self) -> list[Span]:
        """The spans of the text."""
        at = self._line(0)
        while found := _TOKEN.search(self.text, at):
            self._words(self.text[at : found.start()])
            match found.lastgroup:
                case "newline":
                    self._add("\n")
                    at = self._line(found.end())
                case "escape":
                    at = self._escape(found.start(), found.end())
                case "ticks":
                    at = self._code(found.start(), found.end())
                case "link":
                    at = self._link(found.start(), found.end())
                case "mark":
                    self._mark(found.start(), found.end())
                    at = found.end()
                case _:
                    self._words(found[0])
                    at = found.end()
        self._words(self.text[at:])
        return self._spans()

    def _add(self, piece: str, style: Style | None = None, url: str = "") -> None:
        styles = _NONE if style is None else frozenset((style,))
        self.pieces.append(piece)
        self.styles.append(styles | {"quote"} if self.quote else styles)
        self.urls.append(url)
        self.wordy += style is not None

    def _words(self, piece: str) -> None:
        if piece:
            self._add(piece)
            self.wordy += _WORDY.search(piece) is not None

    def _line(self, at: int) -> int:
        """A line begins: is it quoted? Nothing stays open from the line before."""
        self.open.clear()
        found = _QUOTED.match(self.text, at) or (_QUOTED_BLANK.match(self.text, at) if self.quote else None)
        self.quote = found is not None
        if found:
            return found.end()
        return at + 1 if self.text.startswith("\\> ", at) else at

    def _escape(self, start: int, end: int) -> int:
        """Backslashes before a marker: each second one escapes, as ``\\\\*`` is a backslash before a marker."""
        self._words("\\" * ((end - start) // 2))
        if (end - start) % 2 == 0:
            return end
        self._add(self.text[end])
        return end + 1

    # ---- code ----------------------------------------------------------------------------------------------------

    def _code(self, start: int, end: int) -> int:
        closing = self._closing(end, end - start)
        block = end - start >= 3
        content = self.text[end:closing] if closing >= 0 else ""
        lines = "\n" in content
        if not content.strip() or (lines and (not block or self.quote)):
            self._add(self.text[start:end])
            return end
        after = closing + end - start
        if block:
            return self._block(start, content, after)
        if end - start == 2 and content[0] == content[-1] == " ":  # `` ` ``: so that it can begin with a backtick
            content = content[1:-1]
        self._add(content, "code")
        return after

    def _block(self, start: int, content: str, after: int) -> int:
        lines = "\n" in content
        first = _FIRST_LINE.match(content)
        known = first and (not first[1] or f" {first[1].lower()} " in _LANGUAGES)
        if first and known and content[first.end() :].strip():
            content = content[first.end() :]
            if start and self.text[start - 1] != "\n":
                self._add("\n")
        last = _LINE_END.match(self.text, after)
        if last:
            content = content.removesuffix("\n") + last[1]
        self._add(content, "block")
        if last and last[1]:
            return self._line(last.end())
        if lines:
            self.open.clear()
        return last.end() if last else after

    def _closing(self, at: int, length: int) -> int:
        """Where the next run of so many backticks begins; -1: nowhere."""
        if self.ticks is None:
            self.ticks = defaultdict(list)
            for run in re.finditer("`+", self.text):
                self.ticks[len(run[0])].append(run.start())
        runs = self.ticks.get(length, [])
        number = bisect_left(runs, at)
        return runs[number] if number < len(runs) else -1

    # ---- links ---------------------------------------------------------------------------------------------------

    def _link(self, start: int, end: int) -> int:
        """A link, without what belongs to the sentence around it."""
        url = self.text[start:end]
        spare = {closing: url.count(closing) - url.count(opening) for closing, opening in _BRACKETS.items()}
        while True:
            last = self.text[end - 1]
            if spare.get(last, 0) > 0:
                spare[last] -= 1
            elif last not in _AFTER_LINK and not (last == "_" and self.open["_", 1]):
                break
            end -= 1
        url = self.text[start:end]
        scheme, colon, rest = url.partition(":")
        self._add(url, "link", scheme.lower() + colon + rest)
        return end

    # ---- emphasis ------------------------------------------------------------------------------------------------

    def _mark(self, start: int, end: int) -> None:
        """A run of one marker: it closes what is open, as far as it can, or else may open something."""
        marker, length = self.text[start], end - start
        before = self.text[start - 1] if start else "\n"
        after = self.text[end] if end < len(self.text) else "\n"
        piece = len(self.pieces)
        left = length
        known = length <= (1 if marker == "_" else 3)
        if known and not before.isspace() and not in_word(after):
            while left and (closed := self._close(marker, left, piece)):
                left -= closed
        self._add(marker * left)
        opening = _BEFORE_ITALIC if marker == "_" else _BEFORE_STAR
        if (
            known
            and left == length
            and not after.isspace()
            and (before.isspace() or before in opening or unspaced(before))
        ):
            self.open[marker, length].append((piece, self.wordy))

    def _close(self, marker: str, length: int, piece: int) -> int:
        """Close the nearest opening marker that fits, and tell how many characters of it that took; 0: none fits."""
        # Three are one and two: ***both* bold**.
        fitting = [n for n in (1, 2, 3) if (n == length or 3 in (n, length)) and self.open.get((marker, n))]
        if not fitting:
            return 0
        size = max(fitting, key=lambda n: self.open[marker, n][-1])
        opener, wordy = self.open[marker, size][-1]
        for waiting in self.open.values():  # what was opened in between stays plain
            while waiting and waiting[-1][0] >= opener:
                waiting.pop()
        if wordy == self.wordy:  # *_* and (*^_^*) are faces
            return 0
        taken = min(size, length)
        self.pieces[opener] = marker * (size - taken)
        if size > taken:
            self.open[marker, size - taken].append((opener, wordy))
        for style, bit in ((0, 1), (1, 2)):
            if taken & bit:
                self.turns[opener + 1][style] += 1
                self.turns[piece][style] -= 1
        return taken

    def _spans(self) -> list[Span]:
        italic = bold = 0
        merged: list[Span] = []
        run: list[str] = []
        styles, url = _NONE, ""
        for number, piece in enumerate(self.pieces):
            if number in self.turns:
                italic += self.turns[number][0]
                bold += self.turns[number][1]
            if not piece:
                continue
            now = self.styles[number]
            if italic:
                now |= {"italic"}
            if bold:
                now |= {"bold"}
            if run and (now, self.urls[number]) != (styles, url):
                merged.append(Span("".join(run), styles, url))
                run = []
            run.append(piece)
            styles, url = now, self.urls[number]
        if run:
            merged.append(Span("".join(run), styles, url))
        return merged


_RAW: frozenset[Style] = frozenset(("code", "block", "link"))
_IN_LINE = re.compile(r"[^\n]")


def _with_mentions(found: list[Span], me: Sequence[str]) -> list[Span]:
    """The spans with my names marked where they speak to me, except in code and links."""
    # A character that no name has stands for what is not looked at; but a line that follows a block begins there.
    shown = "".join(_IN_LINE.sub("\0", span.text) if span.styles & _RAW else span.text for span in found)
    places = mentions.places(shown, me)[::-1]
    result: list[Span] = []
    offset = 0
    for span in found:
        at, end = offset, offset + len(span.text)
        while places and places[-1][0] < end:
            start, stop = max(places[-1][0], at), min(places[-1][1], end)
            if at < start:
                result.append(Span(span.text[at - offset : start - offset], span.styles, span.url))
            result.append(Span(span.text[start - offset : stop - offset], span.styles | {"mention"}, span.url))
            at = stop
            if places[-1][1] > end:
                break
            places.pop()
        if at < end:
            result.append(Span(span.text[at - offset :], span.styles, span.url))
        offset = end
    return result
