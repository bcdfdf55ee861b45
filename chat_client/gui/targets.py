"""What the mouse finds in the transcript, and the keyboard: links and actions to press, the time of a message."""

import tkinter as tk
from collections.abc import Callable
from typing import Literal

from chat_client.gui.look import Look
from chat_client.gui.tags import SIDE

Range = tuple[str, str]
Stop = Literal["break"] | None


class Targets:
    """Walks over the ranges of the tag "target" that can be seen: Tab and Shift+Tab go from one to the next, and on
    to the next widget behind the last; Enter and the space bar press. ``on_press(start, end)`` is told the range."""

    def __init__(self, text: tk.Text, on_press: Callable[[str, str], None]) -> None:
        self._text, self._on_press = text, on_press
        self._pressed: Range | None = None
        text.tag_bind("target", "<Enter>", lambda event: self._point("hand2"))
        text.tag_bind("target", "<Leave>", lambda event: self._point(""))
        text.tag_bind("target", "<Button-1>", self._on_button)
        text.tag_bind("target", "<ButtonRelease-1>", self._on_release)
        text.bind("<<NextWindow>>", lambda event: self._step(1))
        text.bind("<<PrevWindow>>", lambda event: self._step(-1))
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            text.bind(key, self._on_key)
        text.bind("<FocusOut>", lambda event: self._focus(None))

    def at(self, index: str) -> Range | None:
        """The target at this place."""
        if "target" not in self._text.tag_names(index):
            return None
        found = self._text.tag_prevrange("target", f"{index}+1c")
        return (found[0], found[1]) if found else None

    def seen(self) -> list[Range]:
        """All that are in view, from the top."""
        text = self._text
        index, end = text.index("@0,0"), text.index(f"@{text.winfo_width()},{text.winfo_height()}+1c")
        found: list[Range] = []
        while ranges := text.tag_nextrange("target", index, end):
            found.append((ranges[0], ranges[1]))
            index = ranges[1]
        return found

    def current(self) -> Range | None:
        """The one that the keyboard has stepped to."""
        ranges = self._text.tag_ranges("focused")
        return (str(ranges[0]), str(ranges[1])) if ranges else None

    def _step(self, by: int) -> Stop:
        seen = self.seen()
        now = self.current()
        if now in seen:
            place = seen.index(now) + by
        else:
            place = 0 if by > 0 else len(seen) - 1
        if 0 <= place < len(seen):
            self._focus(seen[place])
            return "break"
        return None  # Tk goes on to the next widget

    def _focus(self, target: Range | None) -> None:
        self._text.tag_remove("focused", "1.0", "end")
        if target:
            self._text.tag_add("focused", *target)

    def _on_key(self, event: "tk.Event[tk.Text]") -> Stop:
        now = self.current()
        if now is None:
            return None
        self._on_press(*now)
        return "break"

    def _on_button(self, event: "tk.Event[tk.Text]") -> None:
        self._pressed = self.at(f"@{event.x},{event.y}")

    def _on_release(self, event: "tk.Event[tk.Text]") -> None:
        pressed, self._pressed = self._pressed, None
        # With the button held one may also have gone elsewhere, or selected something.
        if pressed and pressed == self.at(f"@{event.x},{event.y}") and not self._text.tag_ranges("sel"):
            self._on_press(*pressed)

    def _point(self, cursor: str) -> None:
        self._text.configure(cursor=cursor)


class TimeHint:
    """Shows, under the pointer and left of a message without a head of its own, when it was said."""

    def __init__(self, text: tk.Text, look: Look, time_at: Callable[[int], tuple[str, str] | None]) -> None:
        """``time_at(y)``: the time to show for what is at that height, and where it begins; None: nothing."""
        self._text, self._look, self._time_at = text, look, time_at
        self._label = tk.Label(text, borderwidth=0, padx=0, pady=0)
        text.bind("<Motion>", lambda event: self._show(event.y), add=True)
        text.bind("<Leave>", lambda event: self.hide(), add=True)

    def hide(self) -> None:
        """What is shown has moved."""
        if self._label.winfo_manager():
            self._label.place_forget()

    def _show(self, y: int) -> None:
        found = self._time_at(y)
        line = self._text.dlineinfo(found[1]) if found else None
        if found is None or line is None:
            self.hide()
            return
        colours, px = self._look.palette, self._look.px
        mention = "mention" in self._text.tag_names(found[1])
        refused = "refused" in self._text.tag_names(found[1])
        back = colours.mention_bg if mention else colours.danger_bg if refused else colours.bg
        self._label.configure(text=found[0], font=self._look.font("small"), foreground=colours.dim, background=back)
        height = self._label.winfo_reqheight()
        self._label.place(bordermode="outside", x=px(SIDE), y=line[1] + max(0, (line[3] - height) // 2))
