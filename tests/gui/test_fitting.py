"""Cutting texts to a width; here each character is one wide, so that no display is needed."""

import pytest

from chat_client.gui.fitting import cut

CODER = "\U0001f469\u200d\U0001f4bb"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("", 0, ""),
        ("general", 7, "general"),
        ("general", 6, "gener…"),
        ("general", 1, "…"),
        ("general", 0, ""),
        ("two words", 5, "two…"),
        ("two\nlines", 20, "two lines"),
        (f"a{CODER}b", 5, f"a{CODER}b"),
        (f"a{CODER}b", 4, "a…"),
    ],
)
def test_a_text_is_cut_between_letters(text: str, width: int, shown: str) -> None:
    assert cut(text, width, len) == shown


def test_a_very_long_text_is_not_measured_as_a_whole() -> None:
    measured = []

    def measure(text: str) -> int:
        measured.append(len(text))
        return len(text)

    assert cut("x" * 1_000_000, 50, measure) == "x" * 49 + "…"
    assert max(measured) < 3000
