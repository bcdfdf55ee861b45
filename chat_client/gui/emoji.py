"""Emoji: found in a text, drawn in colour as images, or spelled out where their glyph could kill the process."""

import ctypes
import functools
import io
import sys
import tkinter as tk
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import regex
from PIL import Image, ImageDraw, ImageFont, features

Piece = str | tuple[str, tk.PhotoImage]

# The first libXft that survives a glyph in colour: before it, X answers BadLength and the process is gone.
SOUND_LIBXFT: Final = 20305
CACHED_IMAGES: Final = 512
# Of a grapheme longer than this (somebody's joke of a thousand accents) no picture is made.
LONGEST: Final = 40

_SIZE_OF_NOTO: Final = 109  # its bitmaps have this one size
_FONTS: Final = (
    ("NotoColorEmoji.ttf", _SIZE_OF_NOTO),
    ("NotoColorEmoji-Regular.ttf", _SIZE_OF_NOTO),
    ("NotoEmoji.ttf", _SIZE_OF_NOTO),
    ("Apple Color Emoji.ttc", 160),
    ("seguiemj.ttf", 128),
    ("Twemoji.ttf", 128),
    ("TwitterColorEmoji-SVGinOT.ttf", 128),
)
_WIDEST = 4  # a sequence that its font does not know as one picture comes as several

_PERHAPS = regex.compile(r"[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]")
_GRAPHEME = regex.compile(r"\X")
# Unicode, UTS #51: shown as a picture by itself, or because VS16 or a skin tone follows; VS15 asks for text.
_EMOJI = regex.compile(
    r"""
      \p{Regional_Indicator}{2}
    | [0-9\#*]\ufe0f?\u20e3
    | (?=\p{Extended_Pictographic}) (?!.\ufe0e)
      (?: .* \p{Emoji_Presentation} (?!\ufe0e) | .* \p{Extended_Pictographic} (?:\ufe0f|\p{Emoji_Modifier}) ) .*
    """,
    regex.VERBOSE | regex.DOTALL,
)
# What a colour font has a glyph for and a text font need not have: emoji, what joins them, and the private characters
# that were emoji once. Not © ® ™ and digits, which every font has.
_RISKY = regex.compile(
    r"""
      [[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\p{Co}]--[\u0000-\u00ff\u2122]]
    | [\u20e3\ufe0e\ufe0f\U000e0020-\U000e007f]
    | (?<![\p{L}\p{M}])\u200d
    """,
    regex.V1 | regex.VERBOSE,
)
# What only changes how the character before it looks.
_MODIFIERS = regex.compile(r"[\u200d\ufe0e\ufe0f\U000e0020-\U000e007f]|\p{Emoji_Modifier}")


def is_emoji(grapheme: str) -> bool:
    """Whether one grapheme is to be shown as a picture."""
    return len(grapheme) <= LONGEST and _EMOJI.fullmatch(grapheme) is not None


def segments(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is one emoji; what is none comes in runs as long as possible."""
    if not _PERHAPS.search(text):
        return [(text, False)] if text else []
    found: list[tuple[str, bool]] = []
    start = 0
    for match in _GRAPHEME.finditer(text):
        if is_emoji(match[0]):
            if start < match.start():
                found.append((text[start : match.start()], False))
            found.append((match[0], True))
            start = match.end()
    if start < len(text):
        found.append((text[start:], False))
    return found


def only_emoji(text: str, at_most: int) -> bool:
    """Whether a text is nothing but emoji, with or without spaces: one to ``at_most`` of them."""
    pieces = [(piece, picture) for piece, picture in segments(text) if picture or piece.strip()]
    return 0 < len(pieces) <= at_most and all(picture for _, picture in pieces)


def shortcode(sequence: str) -> str:
    """An emoji in words: ":grinning_face:", ":woman+personal_computer:", ":flag_de:", ":keycap_1:"."""
    if regex.fullmatch(r"\p{Regional_Indicator}{2}", sequence):
        return f":flag_{''.join(chr(ord(letter) - 0x1F1E6 + ord('a')) for letter in sequence)}:"
    if regex.fullmatch(r"[0-9#*]\ufe0f?\u20e3", sequence):
        return f":keycap_{sequence[0]}:"
    parts = [_MODIFIERS.sub("", part) for part in sequence.split("\u200d")]
    return f":{'+'.join('_'.join(_name(character) for character in part) for part in parts if part)}:"


def spelled(text: str) -> str:
    """The text with a shortcode in the place of everything that a colour font may have a glyph for."""
    if not _RISKY.search(text):
        return text
    return "".join(_spelled(match[0]) for match in _GRAPHEME.finditer(text))


def dangerous() -> bool:
    """Whether a glyph in colour, given to Tk as text, can kill this process: where libXft is older than 2.3.5. Asked
    each time, so that a test can put another one in its place."""
    return 0 < libxft_version() < SOUND_LIBXFT


@functools.cache
def libxft_version() -> int:
    """20306 for 2.3.6; 0 where there is none, as on Windows and macOS."""
    if sys.platform in ("win32", "darwin"):
        return 0
    try:
        return int(ctypes.CDLL("libXft.so.2").XftGetVersion())
    except (OSError, AttributeError):
        return 0


class Emoji:
    """The emoji of one Tk: for its thread only. ``pixels`` turns a height of the design into pixels of the screen."""

    def __init__(self, root: tk.Misc, pixels: Callable[[float], int]) -> None:
        self._root = root
        self._pixels = pixels
        self._images: OrderedDict[tuple[str, int], tk.PhotoImage | None] = OrderedDict()

    def split(self, text: str, height: float = 17) -> list[Piece]:
        """The text as runs of plain text and (sequence, its image). ``height``: of the image, in the design's pixels.

        What cannot be drawn stays text; spelled out if its glyph could kill the process.
        """
        pieces: list[Piece] = []
        plain = ""
        for piece, picture in segments(text):
            image = self.image(piece, height) if picture else None
            if image is None:
                plain += piece
                continue
            if plain:
                pieces.append(self.safe(plain))
                plain = ""
            pieces.append((piece, image))
        if plain:
            pieces.append(self.safe(plain))
        return pieces

    def safe(self, text: str) -> str:
        """The text as a plain widget may show it (a label, a list, the composer)."""
        return spelled(text) if dangerous() else text

    def forget(self) -> None:
        """Nothing is shown any more."""
        self._images.clear()

    def image(self, sequence: str, height: float = 17) -> tk.PhotoImage | None:
        """The picture of one emoji; None if this machine has none of it."""
        key = (sequence, self._pixels(height))
        if key in self._images:
            self._images.move_to_end(key)
            return self._images[key]
        data = draw(*key)
        image = tk.PhotoImage(master=self._root, data=data) if data else None
        self._images[key] = image
        if len(self._images) > CACHED_IMAGES:
            self._forget_some()
        return image

    def _forget_some(self) -> None:
        """Forget the images not asked for of late; never one that a widget shows, which would go blank."""
        for key in list(self._images)[: CACHED_IMAGES // 4]:
            image = self._images[key]
            if image is None or not self._root.tk.getboolean(self._root.tk.call("image", "inuse", str(image))):
                del self._images[key]


def draw(sequence: str, height: int) -> bytes | None:
    """A PNG of one emoji, ``height`` pixels high; None if it cannot be drawn here."""
    font = _font()
    if font is None:
        return None
    if not features.check("raqm"):
        sequence = _without_raqm(sequence)
    if not sequence:
        return None
    left, top, right, bottom = font.getbbox(sequence)
    width, whole = min(right - left, _WIDEST * (bottom - top)), bottom - top
    if width < 1 or whole < 1:
        return None  # its font is older than this emoji
    picture = Image.new("RGBA", (round(width), round(whole)))
    ImageDraw.Draw(picture).text((-left, -top), sequence, font=font, embedded_color=True)
    if picture.getbbox() is None:
        return None
    small = picture.resize((max(1, round(width * height / picture.height)), height), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _without_raqm(sequence: str) -> str:
    """What can be drawn of a sequence one glyph at a time: its first emoji; of flags and keycaps nothing."""
    first = sequence[0]
    return first if regex.match(r"\p{Extended_Pictographic}", first) else ""


@functools.cache
def _font() -> ImageFont.FreeTypeFont | None:
    """The first font that draws in colour: some of the names are also those of files that Pillow cannot draw from."""
    for file, size in _FONTS:
        try:
            font = ImageFont.truetype(file, size)
            picture = Image.new("RGBA", (size * 2, size * 2))
            ImageDraw.Draw(picture).text((0, 0), "\U0001f600", font=font, embedded_color=True)
        except (OSError, ValueError):
            continue
        shown = picture.resize((16, 16)).get_flattened_data()
        if any(isinstance(pixel, tuple) and pixel[3] and max(pixel[:3]) - min(pixel[:3]) > 40 for pixel in shown):
            return font
    return None


def _spelled(grapheme: str) -> str:
    if not _RISKY.search(grapheme):
        return grapheme
    if is_emoji(grapheme):
        return shortcode(grapheme)
    return _RISKY.sub(lambda match: "" if _MODIFIERS.match(match[0]) else f":{_name(match[0])}:", grapheme)


def _name(character: str) -> str:
    name = unicodedata.name(character, f"emoji {ord(character):x}")
    return name.lower().replace(" ", "_")
