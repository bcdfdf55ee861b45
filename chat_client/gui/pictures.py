"""Emoji as images inside a Text, drawn a few at a time, and turned into text again when it is read."""

import contextlib
import re
import tkinter as tk
from collections.abc import Sequence
from typing import Final

from chat_client.gui.look import Look

AVATAR: Final = "avatar"
# Emoji that may be drawn for the first time in one go (2.4 ms each).
_AT_ONCE: Final = 4
_WIDE: Final = 1.2  # a blank that waits for its emoji is so many times as wide as high
# What the image of an emoji is called: its height and itself; a number behind it makes names different.
_NAME = re.compile(r"(\d+):(.+?)(?:#\d+)?", re.DOTALL)


class Pictures:
    """The images in one Text. An emoji that was never shown before may stand there as a blank until `finish` has come
    to it: the time that drawing takes is shared out."""

    def __init__(self, text: tk.Text, look: Look) -> None:
        self._text, self._look = text, look
        self._factor = look.factor
        self._drawn: set[tuple[str, int]] = set()
        self._left = _AT_ONCE
        self._made = 0  # images so far
        # (emoji, height) -> what the images are called that are blank, or have the size of before
        self._waiting: dict[tuple[str, int], list[str]] = {}
        self._blanks: dict[int, tk.PhotoImage] = {}

    @property
    def unfinished(self) -> bool:
        """Whether `finish` has something to do."""
        return bool(self._waiting)

    def begin(self) -> None:
        """Something is about to be written: some emoji may be drawn."""
        self._left = _AT_ONCE

    def clear(self) -> None:
        """Nothing is shown any more."""
        self._waiting.clear()

    def put(self, at: str, sequence: str, height: int, tags: Sequence[str]) -> bool:
        """Put an emoji in, ``height`` design pixels high. False, and nothing is done, if it cannot be drawn."""
        image = self._image(sequence, height) if self._may_draw(sequence, height) else self._blank(height)
        if image is None:
            return False
        name = self.put_image(at, image, f"{height}:{sequence}", tags)
        if image is self._blanks.get(height):
            self._waiting.setdefault((sequence, height), []).append(name)
        return True

    def put_image(self, at: str, image: tk.PhotoImage, name: str, tags: Sequence[str]) -> str:
        """Put any image in; what Tk calls it there."""
        call, path, place = self._text.tk.call, str(self._text), f"{at}-1c"
        # Tk would add a number itself, but it looks at all images for that: 0.3 ms each time when there are 2,000.
        self._made += 1
        made = str(call(path, "image", "create", at, "-image", image, "-name", f"{name}#{self._made}"))
        # Unlike text, it takes over the tags that are on both of its sides.
        for tag in self._text.tag_names(place):
            if tag not in tags:
                call(path, "tag", "remove", tag, place)
        for tag in tags:
            call(path, "tag", "add", tag, place)
        return made

    def finish(self) -> None:
        """Draw some of the emoji that wait. Those that cannot be drawn become text; the Text has to be writable."""
        self.begin()
        while self._waiting and self._left:
            key = next(iter(self._waiting))
            image = self._image(*key) if self._may_draw(*key) else None
            for name in self._waiting.pop(key):
                with contextlib.suppress(tk.TclError):  # it is not there any more
                    if image:
                        self._text.image_configure(name, image=image)
                    else:
                        self._spell(name, key[0])

    def resize(self) -> None:
        """The look may have another size: then all wait to be drawn anew, the lowest first."""
        if self._factor == self._look.factor:
            return
        self._factor = self._look.factor
        self._drawn.clear()
        self._blanks.clear()
        self._waiting.clear()
        places = [(self._place(name), name) for name in self._text.image_names()]
        for _, name in sorted(places, reverse=True):
            if found := _NAME.fullmatch(name):
                self._waiting.setdefault((found[2], int(found[1])), []).append(name)

    def read(self, start: str, end: str) -> str:
        """What stands between two places of the Text, with its emoji; without avatars."""
        parts: list[str] = []
        for kind, value, _ in self._text.dump(start, end, text=True, image=True):
            if kind == "text":
                parts.append(value)
            elif found := _NAME.fullmatch(value):
                parts.append(found[2])
        return "".join(parts)

    def _may_draw(self, sequence: str, height: int) -> bool:
        if (sequence, height) in self._drawn:
            return True
        if not self._left:
            return False
        self._left -= 1
        self._drawn.add((sequence, height))
        return True

    def _image(self, sequence: str, height: int) -> tk.PhotoImage | None:
        return self._look.emoji.image(sequence, height)

    def _blank(self, height: int) -> tk.PhotoImage:
        if height not in self._blanks:
            px = self._look.px
            self._blanks[height] = tk.PhotoImage(master=self._text, width=px(height * _WIDE), height=px(height))
        return self._blanks[height]

    def _spell(self, name: str, sequence: str) -> None:
        text = self._text
        place, tags = text.index(name), text.tag_names(name)
        text.delete(place)
        text.insert(place, self._look.emoji.safe(sequence), tags)

    def _place(self, name: str) -> tuple[int, int]:
        line, _, column = self._text.index(name).partition(".")
        return int(line), int(column)
