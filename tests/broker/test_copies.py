"""Backups and restores: whole or not at all, for their owner only, each a history of its own."""

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chat_broker import store as store_module
from chat_broker.schema import SCHEMA_VERSION
from chat_broker.serving import copies
from chat_broker.serving.folder import FolderError
from chat_broker.store import FILE, LogReader, Store
from chat_core import wire
from chat_core.errors import ChatError, StoreError
from tests.broker.table import SENDER, Table, decoded, message


def talk(folder: Path, *texts: str) -> None:
    """Let Ann say something in the lobby of the database in a folder, made if it is not there."""
    folder.mkdir(exist_ok=True)
    with closing(Store(folder)) as store:
        table = Table(store).seat("ann")
        for text in texts:
            table.post("ann", "lobby", text)


def said(folder: Path) -> list[str]:
    """What was said in the lobby of a database in a folder."""
    with closing(Store(folder)) as store, closing(LogReader(store.path)) as reader:
        events = decoded(reader.page("lobby", 0, 1000))
    return [wire.decode_message(event.body).text for event in events if event.kind == "message"]


def about(file: Path) -> dict[str, str]:
    """Home, epoch and salt of a database."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as sql:
        return dict(sql.execute("SELECT name, value FROM about"))


def tree(folder: Path) -> dict[str, bytes]:
    """All files in a folder, but for those that SQLite makes for a reader of the database."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.stat().st_size)
    return {str(file.relative_to(folder)): file.read_bytes() for file in files if not file.name.endswith("-shm")}


def killed(folder: Path, *texts: str) -> None:
    """As `talk`, but the broker is killed: what was said is in the write-ahead log alone."""
    work = folder.with_name(f"{folder.name} of the living")
    if folder.exists():
        shutil.copytree(folder, work)
    work.mkdir(exist_ok=True)
    with closing(Store(work)) as store:
        table = Table(store).seat("ann")
        for text in texts:
            table.post("ann", "lobby", text)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(work, folder)
    shutil.rmtree(work)
    assert (folder / f"{FILE}-wal").stat().st_size


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a chat in it."""
    talk(tmp_path / "data", "one", "two")
    return tmp_path / "data"


@pytest.fixture
def backup(tmp_path: Path, data: Path) -> Path:
    """A backup of it."""
    copies.back_up(data, tmp_path / "backup.db", force=False)
    return tmp_path / "backup.db"


def put(file: Path, folder: Path) -> Path:
    """Make a file the database of a fresh data folder."""
    folder.mkdir()
    shutil.copy(file, folder / FILE)
    return folder


def the_folder(data: Path, what: str) -> Path:
    """The one folder in which something was kept aside; its name says when."""
    (found,) = data.glob(f"{what}-*")
    assert re.fullmatch(what + r"-\d{4}-\d\d-\d\d-\d{6}", found.name)
    return found


# ---- backups -------------------------------------------------------------------------------------------------------


def test_a_backup_is_the_same_but_for_its_epoch(data: Path, backup: Path, tmp_path: Path) -> None:
    before, after = about(data / FILE), about(backup)
    assert {**before, "epoch": after["epoch"]} == after
    assert before["epoch"] != after["epoch"]
    with closing(Store(data)) as one, closing(Store(put(backup, tmp_path / "other"))) as other:
        tables, clock = Table(one), one.clock()
        assert (Table(other).snapshot(), other.clock()) == (tables.snapshot(), clock)
    assert said(tmp_path / "other") == ["one", "two"]


def test_every_backup_has_an_epoch_of_its_own(data: Path, tmp_path: Path) -> None:
    for name in "abc":
        copies.back_up(data, tmp_path / name, force=False)
    assert len({about(tmp_path / name)["epoch"] for name in "abc"} | {about(data / FILE)["epoch"]}) == 4


def test_a_backup_of_a_broker_that_is_serving_has_all_that_was_committed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(Store(tmp_path / "data")) as store:
        table = Table(store).seat("ann")
        for number in range(3):
            table.post("ann", "lobby", f"{number}")
            copies.back_up(tmp_path / "data", tmp_path / f"{number}.db", force=False)
        assert said(put(tmp_path / "1.db", tmp_path / "restored")) == ["0", "1"]
        assert table.post("ann", "lobby", "on").seq == 6
    assert said(tmp_path / "data") == ["0", "1", "2", "on"]


def test_a_backup_of_a_broker_that_was_killed_has_all_that_was_committed(tmp_path: Path) -> None:
    killed(tmp_path / "data", "kept")
    copies.back_up(tmp_path / "data", tmp_path / "b.db", force=False)
    assert said(put(tmp_path / "b.db", tmp_path / "other")) == ["kept"]


def test_a_number_that_was_spent_before_a_backup_is_spent_after_it(data: Path, tmp_path: Path) -> None:
    with closing(Store(data)) as store:
        first = Table(store).seat("ann").ask("ann", message("counts once", sender=SENDER, n=1))
    copies.back_up(data, tmp_path / "b.db", force=False)
    with closing(Store(put(tmp_path / "b.db", tmp_path / "other"))) as store:
        again = Table(store).seat("ann").ask("ann", message("counts once", sender=SENDER, n=1))
    assert (first.seq, again.seq) == (5, 5)


def test_a_backup_is_one_sound_file(data: Path, backup: Path, tmp_path: Path) -> None:
    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.db", "data"]
    with closing(sqlite3.connect(f"{backup.as_uri()}?mode=ro", uri=True)) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert sql.execute("PRAGMA journal_mode").fetchall() == [("delete",)]


@pytest.mark.skipif(os.name != "posix", reason="files have modes on POSIX only")
def test_a_backup_is_for_its_owner_only(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_backup_is_on_disk_under_its_name_only_when_it_is_whole(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_copy, real_sync, real_replace = store_module.copy, os.fsync, os.replace

    def step(what: str, real: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            if steps[-1:] != [what]:
                steps.append(what)
            return real(*arguments)

        return noted

    monkeypatch.setattr(store_module, "copy", step("copy", real_copy))
    monkeypatch.setattr(os, "fsync", step("sync", real_sync))
    monkeypatch.setattr(os, "replace", step("replace", real_replace))
    copies.back_up(data, tmp_path / "b.db", force=False)
    assert steps == ["copy", "sync", "replace", "sync"]
    steps.clear()
    copies.restore(data, tmp_path / "b.db")
    assert steps == ["copy", "sync", "replace", "sync"]


def test_people_are_told_what_was_backed_up(data: Path, tmp_path: Path) -> None:
    with closing(Store(data)) as store:
        commit, _ = store.clock()
    told = copies.back_up(data, tmp_path / "b.db", force=False)
    assert f"{data / FILE} to {tmp_path / 'b.db'}: 4 events in 1 room as of commit {commit}, " in told
    assert told.endswith("; 0.1 MB.") or told.endswith("; 0.0 MB.")


# ---- what is refused, and leaves everything as it was --------------------------------------------------------------


def refused(folder: Path, action: Callable[[], object]) -> ChatError:
    """What is said; nothing has changed."""
    before = tree(folder)
    with pytest.raises(ChatError) as caught:
        action()
    assert tree(folder) == before
    return caught.value


def test_a_file_that_is_there_is_replaced_only_by_force(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    file.write_text("dear to somebody")
    assert "--force" in str(refused(tmp_path, lambda: copies.back_up(data, file, force=False)))
    copies.back_up(data, file, force=True)
    assert about(file)["home"] == about(data / FILE)["home"]


@pytest.mark.parametrize("name", [FILE, "link", f"{FILE}-wal", "lock", "new.db", "below/new.db", "../other/new.db"])
def test_a_brokers_folder_is_no_place_for_a_backup(data: Path, tmp_path: Path, name: str) -> None:
    (data / "link").symlink_to(data / FILE)
    (data / "below").mkdir()
    talk(tmp_path / "other", "one")
    (tmp_path / "other" / "lock").touch()
    problem = refused(tmp_path, lambda: copies.back_up(data, data / name, force=True))
    assert "would be among the files of a broker" in str(problem)


def test_a_device_is_no_place_for_a_backup(data: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    copies_made = len(list(tmp_path.iterdir()))
    with pytest.raises(FolderError, match="it is no file"):
        copies.back_up(data, tmp_path / "pipe", force=True)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert len(list(tmp_path.iterdir())) == copies_made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"two"', b'"t\xffo"'),
        (b'"name":"ann"', b'"name":"eve"'),
        (b'"seq":4', b'"seq":5'),
    ],
    ids=["not JSON", "another author", "a hole"],
)
def test_a_backup_in_which_something_was_changed_is_not_restored(
    data: Path, backup: Path, tmp_path: Path, old: bytes, new: bytes
) -> None:
    with closing(sqlite3.connect(backup)) as sql, sql:
        for rowid, events in sql.execute("SELECT rowid, events FROM log WHERE room = 'lobby'").fetchall():
            sql.execute("UPDATE log SET events = ? WHERE rowid = ?", (events.replace(old, new), rowid))
    problem = refused(tmp_path, lambda: copies.restore(data, backup))
    assert isinstance(problem, StoreError)
    assert "is damaged" in str(problem)


@pytest.mark.parametrize("name", ["nowhere/b.db", "a file/b.db", "a folder"])
def test_a_place_that_cannot_be_written_is_named(data: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").write_text("in the way")
    (tmp_path / "a folder").mkdir()
    problem = refused(tmp_path, lambda: copies.back_up(data, tmp_path / name, force=True))
    assert isinstance(problem, FolderError)
    assert f"{tmp_path / name} cannot be written" in str(problem)


def test_a_folder_without_a_database_has_no_backup(tmp_path: Path) -> None:
    problem = refused(tmp_path, lambda: copies.back_up(tmp_path, tmp_path / "b.db", force=False))
    assert f"There is no database in {tmp_path}" in str(problem)


def spoil(file: Path) -> None:
    """Overwrite pages in the middle of a database."""
    size = file.stat().st_size
    with file.open("rb+") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (size - 4096))


def make_newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as sql:
        sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def make_other(file: Path) -> None:
    with closing(sqlite3.connect(file)) as sql:
        sql.execute("PRAGMA application_id = 1")


BAD = [
    pytest.param(spoil, "", False, id="damaged"),
    pytest.param(make_newer, "newer version", True, id="newer"),
    pytest.param(make_other, "not a database of this program", False, id="of another program"),
    pytest.param(lambda file: file.write_text("Dear diary, " * 1000), "not a database", False, id="a text"),
    pytest.param(lambda file: file.write_bytes(b""), "not a database of this program", False, id="empty"),
]


@pytest.mark.parametrize(("spoiled", "text", "newer"), BAD)
def test_what_is_no_sound_database_of_ours_is_not_backed_up(
    data: Path, tmp_path: Path, spoiled: Callable[[Path], object], text: str, newer: bool
) -> None:
    spoiled(data / FILE)
    problem = refused(tmp_path, lambda: copies.back_up(data, tmp_path / "b.db", force=False))
    assert isinstance(problem, StoreError)
    assert problem.newer is newer
    assert text in str(problem)
    assert str(data / FILE) in str(problem)


@pytest.mark.parametrize(("spoiled", "text", "newer"), BAD)
def test_what_is_no_sound_database_of_ours_is_not_restored(
    data: Path, backup: Path, tmp_path: Path, spoiled: Callable[[Path], object], text: str, newer: bool
) -> None:
    spoiled(backup)
    problem = refused(tmp_path, lambda: copies.restore(data, backup))
    assert isinstance(problem, StoreError)
    assert problem.newer is newer
    assert text in str(problem)
    assert str(backup) in str(problem)


def test_a_database_whose_index_lies_is_not_restored(data: Path, backup: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(backup)) as sql, sql:
        sql.execute("UPDATE log SET last = last + 7")
        sql.execute("PRAGMA writable_schema = ON")
        sql.execute("UPDATE sqlite_master SET sql = replace(sql, 'first)', 'last)') WHERE name = 'log_range'")
    problem = refused(tmp_path, lambda: copies.restore(data, backup))
    assert "is damaged" in str(problem)


def test_a_full_disk_leaves_no_half_backup(
    data: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def begin(_: sqlite3.Connection) -> None:
        raise full

    monkeypatch.setattr(store_module, "_begin_history", begin)
    for action in (lambda: copies.back_up(data, tmp_path / "b.db", force=False), lambda: copies.restore(data, backup)):
        assert "The disk is full" in str(refused(tmp_path, action))


def test_a_disk_that_is_full_when_the_backup_is_synced_leaves_no_half_one(
    data: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for action in (lambda: copies.back_up(data, tmp_path / "b.db", force=False), lambda: copies.restore(data, backup)):
        assert "No space left on device" in str(refused(tmp_path, action))
    assert list(data.glob("replaced-*")) == []


# ---- restoring -----------------------------------------------------------------------------------------------------


def test_what_was_there_is_kept_aside_whole(data: Path, backup: Path) -> None:
    killed(data, "in the log alone")
    before = about(data / FILE)
    told = copies.restore(data, backup)
    aside = the_folder(data, "replaced")
    assert f"What was there before is kept in {aside}." in told
    assert sorted(file.name for file in data.iterdir()) == [FILE, aside.name]
    assert said(data) == ["one", "two"]
    assert said(aside) == ["one", "two", "in the log alone"]
    assert about(aside / FILE) == before


def test_a_backup_is_restored_twice_in_a_second_and_nothing_is_lost(data: Path, backup: Path) -> None:
    for text in ("first", "second"):
        talk(data, text)
        copies.restore(data, backup)
    assert sorted(said(aside) for aside in data.glob("replaced-*")) == [
        ["one", "two", "first"],
        ["one", "two", "second"],
    ]


def test_a_backup_that_is_restored_twice_is_two_histories(data: Path, backup: Path) -> None:
    epochs = {about(data / FILE)["epoch"], about(backup)["epoch"]}
    for _ in range(2):
        copies.restore(data, backup)
        epochs.add(about(data / FILE)["epoch"])
    assert len(epochs) == 4


def test_a_backup_is_restored_into_a_folder_without_a_database(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "fresh").mkdir()
    assert "before" not in copies.restore(tmp_path / "fresh", backup)
    assert [file.name for file in (tmp_path / "fresh").iterdir()] == [FILE]
    assert said(tmp_path / "fresh") == ["one", "two"]


def test_a_backup_replaces_a_database_that_is_damaged(data: Path, backup: Path) -> None:
    spoil(data / FILE)
    spoiled = (data / FILE).read_bytes()
    copies.restore(data, backup)
    assert said(data) == ["one", "two"]
    assert (the_folder(data, "replaced") / FILE).read_bytes() == spoiled


def test_a_folder_that_was_copied_is_restored_with_its_log(data: Path, tmp_path: Path) -> None:
    killed(tmp_path / "copied", "from elsewhere")
    copies.restore(data, tmp_path / "copied" / FILE)
    assert said(data) == ["from elsewhere"]


def test_the_database_is_no_backup_of_itself(data: Path, tmp_path: Path) -> None:
    problem = refused(tmp_path, lambda: copies.restore(data, data / FILE))
    assert "is the broker's database itself" in str(problem)


def test_what_is_kept_aside_is_copied_where_there_are_no_links(
    data: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    talk(data, "three")
    monkeypatch.setattr(os, "link", no_links)
    copies.restore(data, backup)
    assert said(the_folder(data, "replaced")) == ["one", "two", "three"]


# ---- a backup that somebody put there by hand, and a log that they left beside it ----------------------------------


def by_hand(data: Path, backup: Path) -> None:
    """What people do: they put the file there, and forget that the old one had a log."""
    killed(data, *(f"of the old database {number}" for number in range(40)))
    shutil.copy(backup, data / FILE)


def test_sqlite_by_itself_would_play_a_log_into_a_database_to_which_it_does_not_belong(
    data: Path, backup: Path
) -> None:
    by_hand(data, backup)
    assert said(data)[2:] == [f"of the old database {number}" for number in range(40)]


def test_a_log_left_beside_a_backup_is_parted_from_it_and_kept(data: Path, backup: Path) -> None:
    by_hand(data, backup)
    stale = (data / f"{FILE}-wal").read_bytes()
    copies.part_from_stale_log(data)
    assert said(data) == ["one", "two"]
    assert (the_folder(data, "stale") / f"{FILE}-wal").read_bytes() == stale


def test_the_own_log_of_a_broker_that_was_killed_is_not_parted_from_it(data: Path, backup: Path) -> None:
    copies.restore(data, backup)
    talk(data, "served")
    killed(data, "in the log alone")
    copies.part_from_stale_log(data)
    assert said(data) == ["one", "two", "served", "in the log alone"]


def test_a_folder_without_a_database_has_nothing_to_be_parted(tmp_path: Path) -> None:
    copies.part_from_stale_log(tmp_path)
    (tmp_path / f"{FILE}-wal").write_bytes(b"left")
    copies.part_from_stale_log(tmp_path)
    assert (tmp_path / f"{FILE}-wal").exists()


def test_a_log_left_beside_a_backup_is_not_in_a_backup_of_that(data: Path, backup: Path, tmp_path: Path) -> None:
    by_hand(data, backup)
    copies.back_up(data, tmp_path / "again.db", force=False)
    assert said(put(tmp_path / "again.db", tmp_path / "other")) == ["one", "two"]


@pytest.mark.parametrize("step", ["unlink", "replace"])
def test_a_restore_that_is_cut_short_mixes_nothing(
    data: Path, backup: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    killed(data, *(f"of the old database {number}" for number in range(40)))
    old = [*said(put(data / FILE, data.with_name("old"))), *(f"of the old database {number}" for number in range(40))]

    def cut(*_: object, **__: object) -> None:
        raise SystemExit

    real = Path.unlink
    with monkeypatch.context() as patch:
        if step == "replace":
            patch.setattr(os, "replace", cut)
        else:
            patch.setattr(Path, "unlink", lambda file, **how: (cut if "-wal" in file.name else real)(file, **how))
        with pytest.raises(SystemExit):
            copies.restore(data, backup)
    copies.part_from_stale_log(data)
    assert said(data) == (old if step == "replace" else ["one", "two"])
