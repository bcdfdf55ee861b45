"""What released versions wrote, in ``tests/released``, as the files that they were."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from chat_broker import store
from chat_client import outbox, replica
from chat_client.identity import KEY_FILE

RELEASED = Path(__file__).resolve().parents[1] / "released"
# file -> the dump from which it is built
DUMPS = {store.FILE: "chat.sql", outbox.FILE: "client.sql", replica.FILE: "replica.sql"}


def build(version: int, file: Path) -> Path:
    """One of the databases, in a folder that is made for it."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(sqlite3.connect(file)) as sql:
        sql.executescript((RELEASED / str(version) / DUMPS[file.name]).read_text(encoding="utf-8"))
    return file


def build_identity(version: int, folder: Path) -> Path:
    """The identity folder of somebody who was there, their key and both databases."""
    for name in (outbox.FILE, replica.FILE):
        build(version, folder / name)
    shutil.copy(RELEASED / str(version) / KEY_FILE, folder / KEY_FILE)
    return folder
