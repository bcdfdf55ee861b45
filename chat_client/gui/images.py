"""The small pictures that Tk has no widgets for: avatars, badges, dots, and the rounded corners of the styles."""

import functools
import io
import tkinter as tk
from collections.abc import Callable
from typing import Literal

import regex
from PIL import Image, ImageChops, ImageDraw

from chat_client.gui import marks, palette, typefaces
from chat_client.gui.palette import Palette
from chat_client.gui.scale import pixels

Mood = Literal["good", "busy", "bad"]

# Everything is drawn this much larger and then made small: edges come out smooth.
FINER = 4
# Of a nine-patch: Tk fills a wide element with copies of the middle, and slowly so if the middle is small.
MIDDLE_WIDTH, MIDDLE_HEIGHT = 96, 32
_MOST_BADGE = 99
# Below this many pixels the icon has no room for the dots in its bubble.
_SMALL_ICON = 24
_FIRST_GRAPHEME = regex.compile(r"\X")


class Images:
    """The pictures of one Tk, each kept for as long as this is: for its thread only.

    When theme or zoom change, all are drawn again *in place*: where they are shown, they follow by themselves.
    """

    def __init__(self, root: tk.Misc, colours: Palette, factor: float, family: str) -> None:
        self._root = root
        self._palette = colours
        self._factor = factor
        self._family = family
        self._drawn: dict[tuple[object, ...], tuple[tk.PhotoImage, Callable[[], Image.Image]]] = {}

    def change(self, colours: Palette, factor: float) -> None:
        """Draw everything in these colours and at this size."""
        self._palette = colours
        self._factor = factor
        for image, draw in self._drawn.values():
            image.configure(data=encoded(draw()))

    def forget(self) -> None:
        """Nothing is shown any more."""
        self._drawn.clear()

    def px(self, length: float) -> int:
        return pixels(length, self._factor)

    def avatar(self, name: str, size: float = 30) -> tk.PhotoImage:
        """A rounded square in the name's colour, with its initial."""
        initial, index = initial_of(name), palette.name_index(name)
        return self._image(("avatar", initial, index, size), lambda: self._draw_avatar(initial, index, size))

    def badge(self, count: int, mention: bool) -> tk.PhotoImage:
        """A pill with a count of unread messages; past 99 it says "99+". For a ``mention`` it is red."""
        text = str(count) if count <= _MOST_BADGE else f"{_MOST_BADGE}+"
        return self._image(("badge", text, mention), lambda: self._draw_badge(text, mention))

    def dot(self, here: bool) -> tk.PhotoImage:
        """Full for somebody who is here, a ring for somebody who is not; with room on its right for a name."""
        return self._image(("dot", here), lambda: self._draw_dot(here))

    def mark(self, kind: marks.Kind, strong: bool) -> tk.PhotoImage:
        """A small sign before a name: "hash", "lock", "group" ...; ``strong``: in the colour of the text."""
        return self._image(("mark", kind, strong), lambda: self._draw_mark(kind, strong))

    def label(self, text: str, filled: bool) -> tk.PhotoImage:
        """A pill with a quiet word behind a name: "invited", "moderator"; a filled one: "admin"."""
        return self._image(("label", text, filled), lambda: self._draw_label(text, filled))

    def mood_dot(self, mood: Mood) -> tk.PhotoImage:
        """The dot of the status bar: each mood has a colour and a shape of its own."""
        return self._image(("mood", mood), lambda: self._draw_mood(mood))

    def icon(self, size: int, unread: bool) -> tk.PhotoImage:
        """The program's icon, ``size`` pixels wide whatever the scale; with a red dot if something is unread."""
        return self._image(("icon", size, unread), lambda: draw_icon(size, unread))

    def _image(self, key: tuple[object, ...], draw: Callable[[], Image.Image]) -> tk.PhotoImage:
        if key not in self._drawn:
            self._drawn[key] = (tk.PhotoImage(master=self._root, data=encoded(draw())), draw)
        return self._drawn[key][0]

    def _draw_avatar(self, initial: str, index: int, size: float) -> Image.Image:
        side = self.px(size)
        picture = box(side, side, self.px(size * 0.24), self._palette.names[index])
        _write(picture, initial, self._family, side * 0.5, self._palette.avatar_fg)
        return picture

    def _draw_badge(self, text: str, mention: bool) -> Image.Image:
        high = self.px(18)
        colours = self._palette
        back = colours.badge_mention_bg if mention else colours.badge_bg
        front = colours.badge_mention_fg if mention else colours.badge_fg
        font = typefaces.bold_face(self._family, max(1, self.px(11)) * FINER, "0")
        wide = font.getlength(text) / FINER if font else len(text) * high / 3
        picture = box(max(high, round(wide) + self.px(11)), high, high / 2, back)
        _write(picture, text, self._family, self.px(11), front)
        return picture

    def _draw_mark(self, kind: marks.Kind, strong: bool) -> Image.Image:
        colour = self._palette.fg if strong else self._palette.dim
        return marks.draw(kind, self.px(14), colour)

    def _draw_label(self, text: str, filled: bool) -> Image.Image:
        high, colours = self.px(17), self._palette
        font = typefaces.bold_face(self._family, max(1, self.px(10)) * FINER, text)
        wide = font.getlength(text) / FINER if font else len(text) * high / 3
        fill, line = (colours.hover, 0) if filled else (None, max(1, self.px(1)))
        picture = box(round(wide) + self.px(12), high, high / 2, fill, colours.field_line, line)
        _write(picture, text, self._family, self.px(10), colours.dim)
        return picture

    def _draw_dot(self, here: bool) -> Image.Image:
        side = self.px(9)
        picture = Image.new("RGBA", (side + self.px(8), side))
        if here:
            picture.paste(box(side, side, side / 2, self._palette.good))
        else:
            picture.paste(box(side, side, side / 2, None, self._palette.away, max(1.0, 1.5 * side / 9)))
        return picture

    def _draw_mood(self, mood: Mood) -> Image.Image:
        side = self.px(9)
        if mood == "good":
            return box(side, side, side / 2, self._palette.good)
        if mood == "busy":
            return box(side, side, side / 2, None, self._palette.busy, max(1.5, side / 4))
        return box(side, side, side / 6, self._palette.danger)


def initial_of(name: str) -> str:
    """What stands in the avatar: the first letter, as a capital where that is still one letter."""
    first = _FIRST_GRAPHEME.match(name.strip().lstrip("#@"))
    if not first:
        return "?"
    capital = first[0].upper()
    return capital if len(capital) == len(first[0]) else first[0]


def box(
    width: float,
    height: float,
    radius: float,
    fill: str | None,
    outline: str | None = None,
    line: float = 0,
    inset: float = 0,
) -> Image.Image:
    """A rounded rectangle on nothing; ``line``: its outline's width; ``inset``: how far from the picture's edge."""
    picture = Image.new("RGBA", (round(width), round(height)))
    add_box(picture, radius, fill, outline, line, inset)
    return picture


def add_box(
    picture: Image.Image, radius: float, fill: str | None, outline: str | None = None, line: float = 0, inset: float = 0
) -> None:
    """Put a rounded rectangle over what is in the picture."""
    width, height = picture.width - 2 * inset, picture.height - 2 * inset
    whole = _shape(picture.size, inset, width, height, radius)
    if not outline or line <= 0:
        if fill:
            _paint(picture, fill, whole)
        return
    inner = _shape(picture.size, inset + line, width - 2 * line, height - 2 * line, max(0.0, radius - line))
    if fill:
        _paint(picture, outline, whole)
        _paint(picture, fill, inner)
    else:
        _paint(picture, outline, ImageChops.subtract(whole, inner))


def stretched(corner: Image.Image, edge: int) -> Image.Image:
    """A nine-patch of a small picture: its edges of ``edge`` pixels stay, what is between them is repeated."""
    across = _widened(corner, edge, MIDDLE_WIDTH)
    turned = _widened(across.transpose(Image.Transpose.TRANSPOSE), edge, MIDDLE_HEIGHT)
    return turned.transpose(Image.Transpose.TRANSPOSE)


def _widened(picture: Image.Image, edge: int, middle: int) -> Image.Image:
    wide = Image.new("RGBA", (2 * edge + middle, picture.height))
    wide.paste(picture.crop((0, 0, edge, picture.height)))
    wide.paste(picture.crop((edge, 0, edge + 1, picture.height)).resize((middle, picture.height)), (edge, 0))
    wide.paste(picture.crop((picture.width - edge, 0, picture.width, picture.height)), (edge + middle, 0))
    return wide


def _paint(picture: Image.Image, colour: str, shape: Image.Image) -> None:
    over = Image.new("RGBA", picture.size, palette.rgb(colour))
    over.putalpha(shape)
    picture.alpha_composite(over)


@functools.lru_cache(maxsize=64)
def _shape(size: tuple[int, int], inset: float, width: float, height: float, radius: float) -> Image.Image:
    large = Image.new("L", (size[0] * FINER, size[1] * FINER))
    corners = [round(corner * FINER) for corner in (inset, inset, inset + width, inset + height)]
    if corners[2] > corners[0] and corners[3] > corners[1]:
        area = (corners[0], corners[1], corners[2] - 1, corners[3] - 1)
        ImageDraw.Draw(large).rounded_rectangle(area, round(radius * FINER), fill=255)
    return large.resize(size, Image.Resampling.BOX)


def encoded(picture: Image.Image) -> bytes:
    """The picture as Tk reads it: as PPM, in a third of the time, if it is nowhere see-through, else as PNG."""
    stream = io.BytesIO()
    if picture.getchannel("A").getextrema() == (255, 255):
        picture.convert("RGB").save(stream, "PPM")
    else:
        picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _write(picture: Image.Image, text: str, family: str, size: float, colour: str) -> None:
    """Write a text in the middle of the picture, bold and ``size`` pixels high; without a font for it, nothing."""
    font = typefaces.bold_face(family, max(1, round(size * FINER)), text)
    if font is None:
        return
    large = Image.new("L", (picture.width * FINER, picture.height * FINER))
    left, top, right, bottom = font.getbbox(text)
    at = ((large.width - left - right) / 2, (large.height - top - bottom) / 2)
    ImageDraw.Draw(large).text(at, text, fill=255, font=font)
    _paint(picture, colour, large.resize(picture.size, Image.Resampling.LANCZOS))


def draw_icon(size: int, unread: bool) -> Image.Image:
    """The program's icon: a speech bubble on the accent's colour."""
    fine = size * FINER
    picture = Image.new("RGBA", (fine, fine))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 0, fine - 1, fine - 1), fine * 0.23, fill=palette.LIGHT.accent)
    left, top, right, bottom = (round(fine * part) for part in (0.17, 0.2, 0.83, 0.66))
    pen.rounded_rectangle((left, top, right, bottom), fine * 0.12, fill="#ffffff")
    pen.polygon([(fine * 0.28, bottom - 1), (fine * 0.52, bottom - 1), (fine * 0.28, fine * 0.86)], fill="#ffffff")
    for part in (0.34, 0.5, 0.66) if size >= _SMALL_ICON else ():
        centre, radius = fine * part, fine * 0.05
        area = (centre - radius, fine * 0.43 - radius, centre + radius, fine * 0.43 + radius)
        pen.ellipse(area, fill=palette.LIGHT.accent)
    if unread:
        pen.ellipse((fine * 0.48, 0, fine - 1, fine * 0.52), fill=palette.LIGHT.accent)
        pen.ellipse((fine * 0.54, 0, fine - 1, fine * 0.46), fill=palette.LIGHT.badge_mention_bg)
    return picture.resize((size, size), Image.Resampling.BOX)
