"""The broker's key and the admin's in their files: made once, private, and refused where they are broken."""

import logging
import os
import stat
import sys
from pathlib import Path

import pytest
import zmq

from chat_broker.serving import keyfiles
from chat_broker.serving.folder import FolderError
from chat_broker.serving.keyfiles import ADMIN_KEY, BROKER_KEY, open_keyring

FILES = (BROKER_KEY, ADMIN_KEY)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_keys_are_made_once_and_are_the_same_ever_after(tmp_path: Path) -> None:
    made = open_keyring(tmp_path, True)
    assert open_keyring(tmp_path, True) == made
    assert made.broker.public != made.admin.public
    for pair in (made.broker, made.admin):
        assert zmq.curve_public(pair.secret.encode()).decode() == pair.public
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)


@posix
def test_a_key_file_is_complete_and_private_from_its_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def replace(source: Path, target: Path) -> None:
        seen.append((target.name, target.exists(), mode(source), source.read_text().count("\n")))
        source.rename(target)

    monkeypatch.setattr(keyfiles.os, "replace", replace)
    before = os.umask(0)
    try:
        open_keyring(tmp_path, True)
    finally:
        os.umask(before)
    assert seen == [(name, False, 0o600, 2) for name in FILES]
    assert [mode(tmp_path / name) for name in FILES] == [0o600, 0o600]


@posix
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("loose", [0o640, 0o604, 0o666, 0o601])
def test_a_key_that_others_can_reach_is_made_private_and_it_is_said(
    tmp_path: Path, name: str, loose: int, caplog: pytest.LogCaptureFixture
) -> None:
    made = open_keyring(tmp_path, True)
    (tmp_path / name).chmod(loose)
    with caplog.at_level(logging.WARNING):
        assert open_keyring(tmp_path, True) == made
    assert mode(tmp_path / name) == 0o600
    assert f"others could read {tmp_path / name}" in caplog.text


@posix
def test_a_key_that_cannot_be_made_private_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_keyring(tmp_path, True)
    (tmp_path / BROKER_KEY).chmod(0o644)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)  # as on a file system without modes
    with pytest.raises(FolderError, match=r"Others can read .*--data"):
        open_keyring(tmp_path, True)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("text", ["", "# only a comment\n", "short\n", "x" * 41, "~" * 40, "\xff" * 40, "%%%%%" * 8])
def test_a_broken_key_is_refused_with_what_to_do_and_left_as_it_is(tmp_path: Path, name: str, text: str) -> None:
    open_keyring(tmp_path, True)
    (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(FolderError, match="is broken: put a copy of it back") as problem:
        open_keyring(tmp_path, True)
    assert (tmp_path / name).read_text(encoding="latin-1") == text
    assert not text.strip() or text.strip() not in str(problem.value)


def test_a_key_is_not_shown_where_its_owner_is_printed(tmp_path: Path) -> None:
    made = open_keyring(tmp_path, True)
    for pair in (made.broker, made.admin):
        assert pair.secret not in repr(made)
        assert pair.public in repr(made)


def test_a_folder_in_the_place_of_a_key_is_said(tmp_path: Path) -> None:
    (tmp_path / BROKER_KEY).mkdir()
    with pytest.raises(FolderError, match="cannot be used"):
        open_keyring(tmp_path, True)
