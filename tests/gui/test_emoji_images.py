"""Emoji as pictures in a window, and as text where there can be no pictures."""

import io
import tkinter as tk

import pytest
from PIL import Image, features

from chat_client.gui import emoji
from chat_client.gui.look import Look


@pytest.fixture
def look(root: tk.Tk) -> Look:
    return Look(root, "light", scale=1)


@pytest.fixture
def drawn(look: Look) -> Look:
    if emoji.draw("😀", 16) is None:
        pytest.skip("no font with colour emoji")
    return look


def test_emoji_come_as_pictures_among_text(drawn: Look) -> None:
    pieces = drawn.emoji.split("hi 👩‍💻🇩🇪, 1️⃣ ❤!")
    shown = [piece if isinstance(piece, str) else piece[0] for piece in pieces]
    assert shown == ["hi ", "👩‍💻", "🇩🇪", ", ", "1️⃣", " ❤!"]
    assert [isinstance(piece, str) for piece in pieces] == [True, False, False, True, False, True]


def test_emoji_are_as_high_as_asked_and_kept(drawn: Look) -> None:
    image = drawn.emoji.image("😀")
    assert image is drawn.emoji.image("😀")
    assert image
    assert image.height() == drawn.px(17)
    large = drawn.emoji.image("😀", 32)
    assert large
    assert large.height() == drawn.px(32)
    drawn.set_zoom(4)
    zoomed = drawn.emoji.image("😀")
    assert zoomed
    assert zoomed.height() == drawn.px(17) > image.height()


def test_emoji_are_in_colour(drawn: Look) -> None:
    data = emoji.draw("🇩🇪", 32)
    assert data
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    shown = picture.resize((1, 3), Image.Resampling.BOX)
    middle = shown.getpixel((0, 1))
    assert isinstance(middle, tuple)
    assert middle[0] > 2 * middle[2]  # red


def test_what_the_font_does_not_have_stays_text(drawn: Look) -> None:
    assert drawn.emoji.split("a\U0001fffdb") == ["a\U0001fffdb"]


def test_without_a_font_emoji_stay_text(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "_font", lambda: None)
    assert look.emoji.split("a 😀 b") == ["a 😀 b"]


def test_where_a_glyph_can_kill_no_glyph_is_given_out(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "dangerous", lambda: True)
    assert look.emoji.safe("a 😀 ❤") == "a :grinning_face: :heavy_black_heart:"
    pieces = look.emoji.split("a ❤ 😀")  # pictures are no danger: Xft has no part in them
    assert pieces[0] == "a :heavy_black_heart: " or pieces == ["a :heavy_black_heart: :grinning_face:"]
    monkeypatch.setattr(emoji, "_font", lambda: None)
    assert look.emoji.split("a 👍") == ["a :thumbs_up_sign:"]


def test_elsewhere_text_is_left_alone(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "dangerous", lambda: False)
    assert look.emoji.safe("a 😀 ❤") == "a 😀 ❤"


def test_without_raqm_a_sequence_is_its_first_emoji(drawn: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda feature: False)
    assert emoji.draw("👩‍💻", 20) == emoji.draw("👩", 20)
    assert emoji.draw("🇩🇪", 20) is None
    assert emoji.draw("1️⃣", 20) is None


def test_pictures_of_old_are_forgotten_but_for_those_that_are_shown(
    drawn: Look, root: tk.Tk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emoji, "CACHED_IMAGES", 8)
    text = tk.Text(root)
    shown = drawn.emoji.image("😀")
    assert shown
    text.image_create("end", image=shown)
    name, unshown = str(shown), str(drawn.emoji.image("😁"))
    del shown
    for n in range(40):
        drawn.emoji.image(chr(0x1F400 + n))
    assert name in root.image_names()
    assert unshown not in root.image_names()
