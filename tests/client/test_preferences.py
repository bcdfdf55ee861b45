"""What the window remembers: whatever is in the file or wrong with it, the window opens."""

import os
import stat
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from chat_client import preferences as p
from chat_client.preferences import Preferences, Recent

HERE, THERE = "localhost:5555", "192.168.1.20:5555"
SET = Preferences("dark", -2, "900x600+10+20", [Recent("Ännchen", HERE), Recent("Bob", THERE)])

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
mortal = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is forbidden to root")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not there yet, in a folder that is not there either."""
    return tmp_path / "config" / "window.json"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- kept between starts ---------------------------------------------------------------------------------------


def test_the_first_start_has_the_defaults_and_writes_nothing(file: Path) -> None:
    assert p.load(file) == Preferences() == Preferences("system", 0, "", [])
    assert not file.parent.exists()


def test_what_was_saved_is_loaded(file: Path) -> None:
    assert p.save(SET, file) == ""
    assert p.load(file) == SET
    assert p.save(Preferences(), file) == ""
    assert p.load(file) == Preferences()
    assert names_in(file.parent) == ["window.json"]


def test_each_login_has_a_file_in_its_folder_for_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folder(program: str, appauthor: bool) -> str:
        assert (program, appauthor) == ("zmq-chat", False)
        return str(tmp_path / "zmq-chat")

    monkeypatch.setattr(platformdirs, "user_config_dir", folder)
    assert p.load() == Preferences()
    assert p.save(SET) == ""
    assert p.load() == SET
    assert names_in(tmp_path / "zmq-chat") == ["window.json"]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_only_their_owner_can_read_them(file: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        p.save(SET, file)
        p.save(SET, file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# ---- who was where ---------------------------------------------------------------------------------------------


def test_what_was_used_comes_first_and_only_once(file: Path) -> None:
    preferences = p.used(p.used(p.used(SET, "Cleo", HERE), "Bob", HERE), "Bob", THERE)
    found = [("Bob", THERE), ("Bob", HERE), ("Cleo", HERE), ("Ännchen", HERE)]
    assert preferences.recent == [Recent(*one) for one in found]
    assert structs.replace(preferences, recent=SET.recent) == SET  # nothing else has changed
    assert len(SET.recent) == 2


def test_another_spelling_of_a_name_is_the_same_person() -> None:
    assert p.used(SET, "ÄNNCHEN", HERE).recent == [Recent("ÄNNCHEN", HERE), Recent("Bob", THERE)]


def test_the_oldest_are_forgotten() -> None:
    preferences = Preferences()
    for number in range(20):
        preferences = p.used(preferences, f"user {number}", HERE)
    assert [one.name for one in preferences.recent] == [f"user {number}" for number in range(19, 7, -1)]


# ---- what can be wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"theme": "pink"}',
        b'{"zoom": "big"}',
        b'{"zoom": 1.5}',
        b'{"geometry": null}',
        b'{"recent": {}}',
        b'{"recent": [{"name": "Ann"}]}',
        b'{"recent": [{"name": "Ann", "address": 5555}]}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_makes_no_sense_is_moved_aside(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    for _ in range(2):
        file.write_bytes(content)
        assert p.load(file) == Preferences()
        assert names_in(file.parent) == ["window.json.broken"]
        assert file.with_name("window.json.broken").read_bytes() == content
    assert p.save(SET, file) == ""
    assert p.load(file) == SET


def test_what_a_newer_window_remembers_beside_is_passed_over(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b'{"theme": "light", "sound": 11, "recent": [{"name": "Ann", "address": "h:1", "room": "den"}]}')
    assert p.load(file) == Preferences("light", recent=[Recent("Ann", "h:1")])


def test_too_many_and_repeated_ones_are_cut(file: Path) -> None:
    many = [Recent(f"user {number // 2}", HERE) for number in range(60)]
    p.save(Preferences(recent=many), file)
    assert [one.name for one in p.load(file).recent] == [f"user {number}" for number in range(12)]


def test_where_nothing_can_be_saved_it_is_said_and_nothing_is_raised(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("I am a file.")
    assert "cannot be saved" in p.save(SET, tmp_path / "config" / "window.json")
    assert p.load(tmp_path / "config" / "window.json") == Preferences()


def test_a_folder_in_the_files_place_is_said_so_and_left_alone(file: Path) -> None:
    file.mkdir(parents=True)
    assert p.load(file) == Preferences()
    assert "cannot be saved" in p.save(SET, file)
    assert names_in(file.parent) == ["window.json"]


@mortal
def test_a_file_that_may_not_be_read_is_left_alone(file: Path) -> None:
    p.save(SET, file)
    file.chmod(0)
    assert p.load(file) == Preferences()
    assert names_in(file.parent) == ["window.json"]


def test_what_was_saved_before_outlives_a_disk_that_is_full(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    p.save(SET, file)
    monkeypatch.setattr(Path, "replace", full)
    assert p.save(Preferences(), file) == f"The window's settings cannot be saved in {file} (No space left on device)."
    assert p.load(file) == SET
    assert names_in(file.parent) == ["window.json"]


def test_half_a_character_is_not_saved_and_nothing_is_raised(file: Path) -> None:
    p.save(SET, file)
    assert "cannot be saved" in p.save(p.used(SET, "half \ud83d", HERE), file)
    assert p.load(file) == SET
    assert names_in(file.parent) == ["window.json"]


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode())))
def test_whatever_is_in_the_file_loading_gives_preferences(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "window.json"
    file.write_bytes(content)
    assert isinstance(p.load(file), Preferences)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ANY = st.builds(
    Preferences,
    st.sampled_from(["system", "light", "dark"]),
    st.integers(-100, 100),
    TEXT,
    st.just([]),
)


@given(preferences=ANY, pairs=st.lists(st.tuples(TEXT, TEXT), max_size=20))
def test_whatever_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, preferences: Preferences, pairs: list[tuple[str, str]]
) -> None:
    file = tmp_path_factory.getbasetemp() / "saved.json"
    for name, address in pairs:
        preferences = p.used(preferences, name, address)
    assert p.save(preferences, file) == ""
    assert p.load(file) == preferences
