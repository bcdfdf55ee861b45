"""Which fonts are on this machine: families for Tk, and their files for Pillow, which draws initials and emoji."""

import functools
import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

from PIL import ImageFont

Font = ImageFont.FreeTypeFont

FAMILIES: Final = (
    "Segoe UI",
    "SF Pro Text",
    ".AppleSystemUIFont",
    "Inter",
    "Noto Sans",
    "Cantarell",
    "DejaVu Sans",
)
MONO_FAMILIES: Final = (
    "Cascadia Mono",
    "Consolas",
    "SF Mono",
    "Menlo",
    "Noto Sans Mono",
    "DejaVu Sans Mono",
    "Liberation Mono",
)
# Bold faces by the names that their files have on Windows and macOS, and on a Linux without fontconfig's tools.
_BOLD_FILES = ("segoeuib.ttf", "SFNS.ttf", "Arial Bold.ttf", "NotoSans-Bold.ttf", "DejaVuSans-Bold.ttf")
# Further ones, for initials that those have not: Chinese, Japanese, Korean, Indian scripts, Thai.
_OTHER_FILES = (
    "msyhbd.ttc",
    "meiryob.ttc",
    "malgunbd.ttf",
    "NirmalaB.ttf",
    "LeelaUIb.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "AppleSDGothicNeo.ttc",
    "NotoSansCJK-Bold.ttc",
    "DroidSansFallbackFull.ttf",
)
# A code point that never stands for a character: a font shows for it what it shows for all that it does not know.
_NO_CHARACTER = "\uffff"
_ASK_SECONDS = 3


def first_of(wanted: tuple[str, ...], present: set[str], otherwise: str) -> str:
    """The first of the wanted families that is there, in any case of letters."""
    folded = {family.casefold() for family in present}
    return next((family for family in wanted if family.casefold() in folded), otherwise)


@functools.lru_cache(maxsize=256)
def bold_face(family: str, size: int, text: str) -> Font | None:
    """A bold font of ``size`` pixels that has the text: the family's own if it can. None: there is no such font."""
    for file, index in _candidates(family, text):
        font = _load(file, size, index)
        if font and has(font, text):
            return font
    return None


def has(font: Font, text: str) -> bool:
    """Whether the font has a glyph of its own for the text's first character."""
    unknown, found = font.getmask(_NO_CHARACTER), font.getmask(text[:1])
    return found.getbbox() is not None and (found.size != unknown.size or bytes(found) != bytes(unknown))


def _candidates(family: str, text: str) -> Iterator[tuple[str, int]]:
    for pattern in (f"{family}:bold", f"{family}:bold:charset={ord(text[0]):x}"):
        if found := _ask_fontconfig(pattern):
            yield found
    yield from ((file, 0) for file in _BOLD_FILES + _OTHER_FILES)


@functools.lru_cache(maxsize=256)
def _ask_fontconfig(pattern: str) -> tuple[str, int] | None:
    """The file, and the face in it, that fontconfig takes for a pattern; it answers within a few milliseconds."""
    program = shutil.which("fc-match")
    if not program:
        return None
    command = [program, "--format", "%{file}\n%{index}", pattern]
    try:
        answer = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_ASK_SECONDS)
        file, index = answer.stdout.decode("utf-8", "surrogateescape").split("\n")
        return file, int(index) & 0xFFFF  # above that: which named instance of a variable font
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


@functools.lru_cache(maxsize=256)
def _load(file: str, size: int, index: int = 0) -> Font | None:
    try:
        return ImageFont.truetype(file, size, index=index)
    except (OSError, ValueError):
        return None
