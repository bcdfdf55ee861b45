"""The colours of the two themes, and the one of each person's name."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from chat_core import names

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """Every colour of a theme, as "#rrggbb". What is written on what, and how well it can be read, is held by
    tests/client/test_palette.py."""

    bg: str  # behind the transcript, the header and the composer
    side: str  # behind the lists left and right, and the status bar
    fg: str
    dim: str  # times, hints, headings: can still be read on bg, side, field_bg and hover
    line: str  # rules and quiet borders
    field_bg: str
    field_line: str  # the border of a field without the focus
    accent: str  # what can be pressed or has the focus
    accent_hover: str
    accent_press: str
    accent_fg: str  # on accent
    link: str
    hover: str  # a row of a list, or a button, under the pointer
    press: str
    selection: str  # behind the chosen row of a list
    selection_fg: str
    marked: str  # behind selected text
    mention_bg: str  # behind a message that speaks to me
    mention_fg: str  # the name in it
    code_bg: str
    danger: str  # an error's text, and the "new" rule
    danger_bg: str  # behind a refused message
    good: str
    busy: str
    away: str  # the ring of somebody who is not here
    badge_bg: str
    badge_fg: str
    badge_mention_bg: str
    badge_mention_fg: str
    scroll: str  # a scrollbar's thumb
    scroll_hover: str
    avatar_fg: str  # the initial on a name's colour
    names: tuple[str, ...]

    def name_colour(self, name: str) -> str:
        """One of the ten colours for names: the same for a name however it is spelled, in every process."""
        return self.names[name_index(name)]


LIGHT = Palette(
    bg="#ffffff",
    side="#f3f4f6",
    fg="#1c2128",
    dim="#5b6370",
    line="#e1e4e8",
    field_bg="#ffffff",
    field_line="#c9ced6",
    accent="#3563e9",
    accent_hover="#2a55d4",
    accent_press="#2248b8",
    accent_fg="#ffffff",
    link="#2a55d4",
    hover="#e8eaee",
    press="#dcdfe5",
    selection="#dfe7fd",
    selection_fg="#1c3a9e",
    marked="#bcd0ff",
    mention_bg="#fff4d6",
    mention_fg="#855a00",
    code_bg="#f0f2f5",
    danger="#c9282f",
    danger_bg="#fdecec",
    good="#2ea043",
    busy="#b87300",
    away="#858d9b",
    badge_bg="#667080",
    badge_fg="#ffffff",
    badge_mention_bg="#cf3036",
    badge_mention_fg="#ffffff",
    scroll="#b4bac4",
    scroll_hover="#8f97a4",
    avatar_fg="#ffffff",
    names=(
        "#b42318",
        "#c01048",
        "#067647",
        "#1d4fd7",
        "#6941c6",
        "#a21caf",
        "#0b6a8a",
        "#93500a",
        "#4c6a00",
        "#475467",
    ),
)

DARK = Palette(
    bg="#1b1d22",
    side="#15171b",
    fg="#e4e7eb",
    dim="#98a0ae",
    line="#2b2f36",
    field_bg="#22252b",
    field_line="#3c424c",
    accent="#5b8cff",
    accent_hover="#739dff",
    accent_press="#8bafff",
    accent_fg="#0f1115",
    link="#8cb0ff",
    hover="#2a2e36",
    press="#363b45",
    selection="#26324d",
    selection_fg="#dbe5ff",
    marked="#31508f",
    mention_bg="#3a3216",
    mention_fg="#f0c040",
    code_bg="#262a31",
    danger="#ff6b70",
    danger_bg="#3a1f22",
    good="#3fb950",
    busy="#e3a21a",
    away="#6b7380",
    badge_bg="#5c6675",
    badge_fg="#ffffff",
    badge_mention_bg="#cf3036",
    badge_mention_fg="#ffffff",
    scroll="#4a505b",
    scroll_hover="#6a7280",
    avatar_fg="#15171b",
    names=(
        "#ff8a80",
        "#ff87ab",
        "#5fd3a0",
        "#82b1ff",
        "#b9a5ff",
        "#e79cf5",
        "#5ccbe8",
        "#ffb266",
        "#b8d36a",
        "#b4bfcd",
    ),
)

PALETTES: dict[Theme, Palette] = {"light": LIGHT, "dark": DARK}


def name_index(name: str) -> int:
    """Which of the ten colours a name has. A name that is no name yet (just being typed) has one as well."""
    return int.from_bytes(blake2b(names.fold(name).encode("utf-8", "surrogatepass"), digest_size=4).digest()) % 10


def rgb(colour: str) -> tuple[int, int, int]:
    """The three parts of "#rrggbb", 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: str, other: str) -> float:
    """How well one colour can be read on the other, as WCAG 2 reckons it: 1 (not at all) to 21; text needs 4.5."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in rgb(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
