"""The line at the bottom: how the connection is and, at the right, what goes on."""

import tkinter as tk
from tkinter import ttk

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import CutLabel, cut
from chat_client.gui.look import Look
from chat_client.model.shown import StatusLine

# Of the bar's width, which the text at the left needs as well.
_MOST_RIGHT = 0.6


class StatusBar(ttk.Frame):
    """Shows a `StatusLine`. Where there is no room for both texts, the one at the left is cut first."""

    def __init__(self, parent: tk.Misc, look: Look) -> None:
        super().__init__(parent, style="Side.TFrame")
        self._look = look
        self._line = StatusLine("busy", "")
        self._dot = ttk.Label(self, style="SideSmall.TLabel")
        self._text = CutLabel(self, look.font("small"), style="SideSmall.TLabel")
        self._right = ttk.Label(self, style="SideSmall.TLabel")
        self._dot.grid(row=0, column=0)
        self._text.grid(row=0, column=1, sticky="ew")
        self._right.grid(row=0, column=2)
        self.columnconfigure(1, weight=1)
        self.bind("<Configure>", lambda event: self._fit())
        follow(self, look, self._dress)

    def show_status(self, line: StatusLine) -> None:
        """Show this."""
        self._line = line
        self._dot.configure(image=self._look.mood_dot(line.mood))
        self._text.show(self._look.emoji.safe(line.text))
        self._fit()

    @property
    def texts(self) -> tuple[str, str]:
        """What is shown at the left and at the right, cut or not."""
        return str(self._text.cget("text")), str(self._right.cget("text"))

    def _fit(self) -> None:
        right = self._look.emoji.safe(self._line.right)
        shown = cut(right, int(self.winfo_width() * _MOST_RIGHT), self._look.font("small").measure)
        if shown != self._right.cget("text"):
            self._right.configure(text=shown)

    def _dress(self) -> None:
        px = self._look.px
        self.configure(padding=(px(12), px(4)))
        self._text.grid_configure(padx=(px(7), px(16)))
        self._dot.configure(image=self._look.mood_dot(self._line.mood))
        self._text.fit()
        self._fit()
