"""The colours can be read, by WCAG's contrast: 4.5 is enough for text, 3 for what is only seen."""

import pytest

from chat_client.gui import palette
from chat_client.gui.palette import PALETTES, Theme, contrast

TEXTS = {
    "fg": ("bg", "side", "field_bg", "hover", "press", "mention_bg", "code_bg", "danger_bg", "marked"),
    "dim": ("bg", "side", "field_bg", "hover", "mention_bg", "selection", "danger_bg", "code_bg"),
    "link": ("bg", "side", "field_bg", "hover", "mention_bg"),
    "danger": ("bg", "side", "field_bg", "mention_bg", "danger_bg"),
    "mention_fg": ("mention_bg",),
    "selection_fg": ("selection",),
    "accent_fg": ("accent", "accent_hover", "accent_press", "danger"),
    "badge_fg": ("badge_bg",),
    "badge_mention_fg": ("badge_mention_bg",),
}
SHAPES = {
    "accent": ("bg", "side", "field_bg", "hover", "selection"),
    "good": ("side", "bg"),
    "busy": ("side", "bg"),
    "away": ("side", "bg"),
    "danger": ("side", "bg"),
}
# What the trial of the look had reached, and is not to be lost.
BETTER = {"fg": 13.0, "dim": 5.2, "badge_fg": 5.0, "badge_mention_fg": 5.0}

both_themes = pytest.mark.parametrize("theme", PALETTES)


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(front, back) for front, backs in table.items() for back in backs]


@both_themes
@pytest.mark.parametrize(("front", "back"), pairs(TEXTS))
def test_a_text_can_be_read(theme: Theme, front: str, back: str) -> None:
    colours = PALETTES[theme]
    assert contrast(getattr(colours, front), getattr(colours, back)) >= 4.5


@both_themes
@pytest.mark.parametrize(("front", "back"), pairs(SHAPES))
def test_a_shape_can_be_seen(theme: Theme, front: str, back: str) -> None:
    colours = PALETTES[theme]
    assert contrast(getattr(colours, front), getattr(colours, back)) >= 3


@both_themes
@pytest.mark.parametrize("front", BETTER)
def test_what_is_read_most_reads_best(theme: Theme, front: str) -> None:
    colours = PALETTES[theme]
    assert contrast(getattr(colours, front), getattr(colours, TEXTS[front][0])) >= BETTER[front]


@pytest.mark.parametrize(("theme", "least"), [("light", 5.2), ("dark", 7.3)])
def test_every_name_can_be_read(theme: Theme, least: float) -> None:
    colours = PALETTES[theme]
    for colour in colours.names:
        assert contrast(colour, colours.bg) >= least
        assert contrast(colour, colours.mention_bg) >= 4.7
        assert contrast(colour, colours.side) >= 4.5
        assert contrast(colour, colours.avatar_fg) >= 4.5


@both_themes
def test_there_are_ten_colours_for_names(theme: Theme) -> None:
    assert len(set(PALETTES[theme].names)) == 10


def test_a_name_has_one_colour_however_it_is_spelled() -> None:
    colours = PALETTES["light"]
    assert colours.name_colour("Ann") == colours.name_colour("ANN") == colours.name_colour("Ａｎｎ")


def test_a_name_has_the_same_colour_in_every_process() -> None:
    assert [palette.name_index(name) for name in ("ann", "bob", "relay-bot", "Zoë", "李雷")] == [8, 8, 0, 9, 5]


def test_many_names_have_all_the_colours() -> None:
    assert {palette.name_index(f"name {n}") for n in range(200)} == set(range(10))


def test_half_a_name_has_a_colour_too() -> None:
    assert palette.name_index("") in range(10)
    assert palette.name_index("\ud800") in range(10)


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1
