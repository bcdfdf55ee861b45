"""The identity: a key in a folder, made once, private, and the same for every process that asks."""

import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_client.identity import KEY_FILE, export_key, folder_for, import_key, open_identity
from chat_core import names
from chat_core.errors import IdentityError

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def secret_in(folder: Path) -> bytes:
    return (folder / KEY_FILE).read_bytes().splitlines()[-1]


# ---- the key ---------------------------------------------------------------------------------------------------


def test_an_identity_is_made_with_its_folder_and_is_the_same_ever_after(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    first = open_identity(folder)
    made = (folder / KEY_FILE).read_bytes()
    assert open_identity(folder) == first
    assert (folder / KEY_FILE).read_bytes() == made
    assert first.folder == folder
    assert first.public.encode() == zmq.curve_public(secret_in(folder))


def test_two_folders_are_two_identities(tmp_path: Path) -> None:
    assert open_identity(tmp_path / "one").public != open_identity(tmp_path / "two").public


def test_the_secret_key_is_not_in_what_the_program_carries_around(tmp_path: Path) -> None:
    identity = open_identity(tmp_path)
    assert secret_in(tmp_path).decode() not in repr(identity)


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_their_owner_can_read_key_and_folder_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        open_identity(tmp_path / "me")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "me"), mode(tmp_path / "me" / KEY_FILE)) == (0o700, 0o600)


def test_nothing_is_left_beside_the_key(tmp_path: Path) -> None:
    open_identity(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {KEY_FILE, "making.lock"}


# ---- what can be wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# only a comment\n",
        b"too short\n",
        b"~" * 40 + b"\n",  # 40 characters, but not of Z85
        b" " * 40 + b"\n",
        b"a" * 40 + b"\n" + b"b" * 40 + b"\n",
        b"\xff\xfe\x00\x01" * 10,  # what is left of a disk's block
        "ä".encode() * 40,
        b"\0" * 41,
    ],
)
def test_a_broken_key_is_said_so_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(IdentityError, match=r"The key in .*key is broken"):
        open_identity(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_comments_and_line_ends_of_another_system_do_not_break_a_key(tmp_path: Path) -> None:
    public = open_identity(tmp_path).public
    (tmp_path / KEY_FILE).write_bytes(b"# mine\r\n\r\n" + secret_in(tmp_path) + b"\r\n\r\n")
    assert open_identity(tmp_path).public == public


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am a file.")
    folder = tmp_path / "file" / "me"
    with pytest.raises(IdentityError) as caught:
        open_identity(folder)
    assert str(folder) in str(caught.value)
    assert "--identity" in str(caught.value)


def test_a_key_that_is_a_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(IdentityError, match="--identity"):
        open_identity(tmp_path)


# ---- many at once ----------------------------------------------------------------------------------------------


def test_threads_that_make_it_at_once_get_the_same_key(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def make(_: int) -> str:
        barrier.wait(10)
        return open_identity(tmp_path / "me").public

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1


@pytest.mark.real
def test_processes_that_make_it_at_once_get_the_same_key(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from chat_client.identity import open_identity
print("ready", flush=True)
sys.stdin.readline()
print(open_identity(Path(sys.argv[1])).public)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "me")]
    pipe = subprocess.PIPE
    makers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    assert {maker.communicate(timeout=20)[0] for maker in makers} == {open_identity(tmp_path / "me").public + "\n"}


# ---- where it is -----------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    return tmp_path / "data"


def test_spellings_of_one_name_have_one_folder_and_other_names_others(home: Path) -> None:
    assert folder_for("Ann") == folder_for("ANN") == folder_for("Ａｎｎ")
    assert folder_for("straße") == folder_for("STRASSE")
    assert folder_for("ann") != folder_for("anna")
    assert folder_for("ann").is_relative_to(home)


def test_a_name_that_ends_with_a_full_stop_keeps_its_own_folder_on_windows() -> None:
    for name in ("ann.", "ann"):
        assert not folder_for(name).name.endswith((".", " "))
    assert folder_for("ann.") != folder_for("ann")


def test_32_chinese_characters_make_a_folder_that_a_disk_can_hold(home: Path) -> None:
    longest = "漢" * 32
    assert names.user_name(longest) == longest
    assert open_identity(folder_for(longest)) != open_identity(folder_for("漢" * 31))


@pytest.mark.parametrize("name", ["CON", "nul", "com1", "aux"])
def test_names_that_windows_keeps_for_itself_are_no_folders(name: str) -> None:
    assert folder_for(name).stem.casefold() != name.casefold()


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_is_typed_names_one_folder_among_the_identities(name: str) -> None:
    folder = folder_for(name)
    assert folder.parent == folder_for("ann").parent
    assert len(os.fsencode(folder.name)) < 200
    assert not set(folder.name) & set('/\\:*?"<>|\0')
    assert folder.name.isascii()
    assert folder == folder_for(names.fold(name))


@settings(max_examples=60)
@given(st.text("abcABC.é漢 -_'", min_size=1, max_size=32), st.text("abcABC.é漢 -_'", min_size=1, max_size=32))
def test_two_names_share_a_folder_only_if_they_are_one_name(one: str, other: str) -> None:
    same = names.fold(one) == names.fold(other)
    assert (folder_for(one).name.casefold() == folder_for(other).name.casefold()) == same


def test_what_is_derived_from_a_key_is_the_identitys_own_and_always_the_same(tmp_path: Path) -> None:
    one, other = open_identity(tmp_path / "one"), open_identity(tmp_path / "other")
    assert one.derived("backup") == open_identity(tmp_path / "one").derived("backup")
    assert len({one.derived("backup"), one.derived("Backup"), other.derived("backup")}) == 3
    assert re.fullmatch("[0-9a-f]{32}", one.derived("\udce9"))


# ---- to another machine and back -----------------------------------------------------------------------------


def test_a_key_that_is_exported_and_imported_is_the_same_one(tmp_path: Path) -> None:
    mine = open_identity(tmp_path / "old")
    export_key(tmp_path / "old", tmp_path / "copy")
    assert import_key(tmp_path / "new", tmp_path / "copy") is None
    assert open_identity(tmp_path / "new").public == mine.public
    assert import_key(tmp_path / "new", tmp_path / "copy") is None  # again, which changes nothing


@posix
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_their_owner_can_read_what_is_exported_and_imported(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        export_key(tmp_path / "old", tmp_path / "copy")
        import_key(tmp_path / "new", tmp_path / "copy")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "copy"), mode(tmp_path / "new" / KEY_FILE)) == (0o600, 0o600)


def test_a_file_that_is_there_is_not_exported_over(tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("everything")
    with pytest.raises(IdentityError, match="is there already"):
        export_key(tmp_path / "me", tmp_path / "thesis")
    assert (tmp_path / "thesis").read_text() == "everything"


def test_a_key_of_ones_own_is_only_replaced_by_force_and_kept_aside(tmp_path: Path) -> None:
    export_key(tmp_path / "old", tmp_path / "copy")
    mine = open_identity(tmp_path / "new").public
    before = (tmp_path / "new" / KEY_FILE).read_text()
    with pytest.raises(IdentityError, match="--force"):
        import_key(tmp_path / "new", tmp_path / "copy")
    assert open_identity(tmp_path / "new").public == mine
    aside = import_key(tmp_path / "new", tmp_path / "copy", force=True)
    assert open_identity(tmp_path / "new").public == open_identity(tmp_path / "old").public
    assert aside is not None
    assert aside.read_text() == before
    assert mode(aside) == 0o600 or os.name != "posix"


@pytest.mark.parametrize(
    "content", [b"", b"# nothing\n", b"~" * 40, b"\xff" * 40, b"a" * 39, b"a" * 40 + b"\n" + b"b" * 40]
)
@pytest.mark.parametrize("force", [True, False])
def test_what_is_no_key_is_not_imported(tmp_path: Path, content: bytes, force: bool) -> None:
    mine = open_identity(tmp_path / "me").public
    (tmp_path / "copy").write_bytes(content)
    with pytest.raises(IdentityError, match="holds no key"):
        import_key(tmp_path / "me", tmp_path / "copy", force)
    assert open_identity(tmp_path / "me").public == mine


def test_a_broken_key_can_be_replaced_by_a_copy_that_was_kept(tmp_path: Path) -> None:
    mine = open_identity(tmp_path / "me").public
    export_key(tmp_path / "me", tmp_path / "copy")
    (tmp_path / "me" / KEY_FILE).write_bytes(b"\0" * 80)
    aside = import_key(tmp_path / "me", tmp_path / "copy", force=True)
    assert open_identity(tmp_path / "me").public == mine
    assert aside is not None
    assert aside.exists()


def test_a_copy_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="cannot be read"):
        import_key(tmp_path / "me", tmp_path / "missing")
