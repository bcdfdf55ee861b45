"""Lengths in pixels: what a display says of itself is believed as far as it makes sense."""

import pytest

from chat_client.gui import scale


@pytest.mark.parametrize(
    ("dpi", "wanted"),
    [(96, 1), (100, 1), (90, 1), (120, 1.25), (144, 1.5), (192, 2), (30, 0.75), (1000, 4)],
)
def test_the_scale_of_a_display(dpi: float, wanted: float) -> None:
    assert scale.scale_of(dpi, "x11") == wanted


def test_points_of_macos_are_right_as_they_are() -> None:
    assert scale.scale_of(72, "aqua") == 1


@pytest.mark.parametrize(
    ("text", "dpi"),
    [("192", 192), ("96.5", 96.5), ("", None), ("big", None), ("0", None), ("nan", None), ("1e9", None)],
)
def test_a_resource_is_believed_if_it_is_a_dpi(text: str, dpi: float | None) -> None:
    assert scale.read_dpi(text) == dpi


@pytest.mark.parametrize(
    ("length", "factor", "wanted"),
    [(14, 1, 14), (14, 1.5, 21), (14, 2, 28), (1, 1.5, 2), (1, 0.62, 1), (0.2, 1, 1), (0, 2, 0), (-3, 2, -6)],
)
def test_what_is_there_stays_at_least_a_pixel(length: float, factor: float, wanted: int) -> None:
    assert scale.pixels(length, factor) == wanted


def test_a_step_of_zoom_is_a_tenth() -> None:
    assert scale.zoom_factor(0) == 1
    assert scale.zoom_factor(1) == pytest.approx(1.1)
    assert scale.zoom_factor(-1) == pytest.approx(1 / 1.1)
    assert scale.zoom_factor(99) == scale.zoom_factor(scale.ZOOM_MOST)


def test_preparing_is_harmless_anywhere() -> None:
    scale.prepare()
