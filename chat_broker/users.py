"""Users as others name them."""

from chat_broker.tables import User
from chat_broker.turn import Turn
from chat_core import names
from chat_core.errors import RefusedError


def find(turn: Turn, typed: str, waiting: bool = False) -> User:
    """The user of that id or name, in any spelling. Raises RefusedError("no_user").

    ``waiting``: also those who have not been let in, of whom only admins may know.
    """
    tables = turn.tables
    user = tables.users.get(typed) or tables.users.get(tables.names.get(names.fold(typed.removeprefix("@")), ""))
    if user is None or (user.waiting and not waiting):
        raise RefusedError("no_user", f"There is nobody called {names.shown(typed)} here: `people` lists everybody.")
    return user
