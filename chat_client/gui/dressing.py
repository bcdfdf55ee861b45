"""How a view follows the look for as long as it is there."""

import tkinter as tk
from collections.abc import Callable

from chat_client.gui.look import Look


def follow(widget: tk.Misc, look: Look, dress: Callable[[], None]) -> None:
    """Call ``dress`` now, and after every change of theme or zoom until the widget is gone."""

    def gone(event: "tk.Event[tk.Misc]") -> None:
        if event.widget is widget:  # a window is told of its children's end too
            look.unwatch(dress)

    look.watch(dress)
    widget.bind("<Destroy>", gone, add="+")
    dress()
