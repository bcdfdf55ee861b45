"""``broker.py`` with one line changed: it commits with ``synchronous=NORMAL``, which a power loss has to show."""

import sqlite3
import sys
from typing import Any
from unittest import mock

from chat_broker import store
from chat_broker.serving.process import main

AS_IT_IS, CHANGED = "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"


class Normal(sqlite3.Connection):
    """A connection that hears NORMAL where FULL is said."""

    _changed = False

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        """The same, but for one line."""
        if sql == AS_IT_IS:
            self._changed, sql = True, CHANGED
        assert self._changed or not sql.startswith("BEGIN"), f"the store never says {AS_IT_IS!r}"
        return super().execute(sql, *arguments)


class Changed:
    """The module sqlite3, as the store sees it."""

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """The store's own connection is the changed one."""
        return sqlite3.connect(*arguments, factory=Normal, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)


if __name__ == "__main__":
    with mock.patch.object(store, "sqlite3", Changed()):
        sys.exit(main())
