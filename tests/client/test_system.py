"""The system's theme, asked of the programs that know it."""

import os
import sys
from pathlib import Path

import pytest

from chat_client.gui import system

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the programs that are asked are stood in for by scripts")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that alone is searched for programs; the system is a Linux."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GTK_THEME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def script(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)


def gsettings(folder: Path, scheme: str, theme: str) -> None:
    script(folder, "gsettings", f"""case "$3" in color-scheme) {scheme};; gtk-theme) {theme};; esac""")


@pytest.mark.parametrize(
    ("scheme", "theme", "wanted"),
    [
        ("echo \"'prefer-dark'\"", "echo \"'Adwaita'\"", "dark"),
        ("echo \"'prefer-light'\"", "echo \"'Adwaita-dark'\"", "light"),
        ("echo \"'default'\"", "echo \"'Yaru-blue-dark'\"", "dark"),
        ("echo \"'default'\"", "echo \"'Adwaita'\"", "light"),
        ("exit 1", "echo \"'Mint-Y-Dark-Aqua'\"", "dark"),  # a desktop from before there were colour schemes
        ("exit 1", "exit 1", None),
    ],
)
def test_gnome_is_asked_for_its_wish_then_its_theme(
    programs: Path, scheme: str, theme: str, wanted: str | None
) -> None:
    gsettings(programs, scheme, theme)
    assert system.theme() == wanted


def test_a_theme_forced_on_all_programs_counts_most(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gsettings(programs, "echo \"'prefer-light'\"", "echo \"'Adwaita'\"")
    monkeypatch.setenv("GTK_THEME", "Adwaita:dark")
    assert system.theme() == "dark"


def test_a_system_that_does_not_say(programs: Path) -> None:
    assert system.theme() is None


@pytest.mark.parametrize(("answer", "wanted"), [("echo Dark", "dark"), ("exit 1", "light")])
def test_macos(programs: Path, monkeypatch: pytest.MonkeyPatch, answer: str, wanted: str) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    script(programs, "defaults", answer)
    assert system.theme() == wanted


def test_a_program_that_does_not_answer_is_given_up(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_ANSWER_SECONDS", 0.05)
    gsettings(programs, "read never </dev/zero", "exit 1")
    assert system.theme() is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("'Adwaita'", "light"), ("Adwaita:dark", "dark"), ("Breeze_Dark", "dark"), ("Darkling", "light"), ("", "light")],
)
def test_the_name_of_a_theme(name: str, wanted: str) -> None:
    assert system.by_name(name) == wanted
