"""A list of choices with dim hints at the right and one of them chosen, as completion and the switcher show it."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk

from chat_client.gui.dressing import follow
from chat_client.gui.fitting import cut
from chat_client.gui.look import Look
from chat_client.model.shown import Choice

_ROW_SPACE = 5  # above and below the text of a row


class ChoiceList(ttk.Frame):
    """Shows choices and which one is chosen; it never takes the focus: keys are told to it by whoever has it.

    ``on_pick`` is called when one is clicked.
    """

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        most_rows: int,
        on_pick: Callable[[Choice], None],
        style: str = "Field.TFrame",
        padding: float = 4,
    ) -> None:
        super().__init__(parent, style=style)
        self._look, self._most_rows, self._on_pick = look, most_rows, on_pick
        self._padding = padding
        self._choices: list[Choice] = []
        self._chosen = -1
        self._text = tk.Text(
            self,
            height=1,
            width=1,
            wrap="none",
            state="disabled",
            takefocus=False,
            cursor="arrow",
            borderwidth=0,
            highlightthickness=0,
            padx=0,
            pady=0,
            font=look.font("text"),
        )
        self._scrollbar = ttk.Scrollbar(
            self, style="Field.Vertical.TScrollbar", command=self._text.yview, takefocus=False
        )
        self._text.configure(yscrollcommand=self._scrollbar.set)
        self._text.grid(row=0, column=0, sticky="nsew")
        self.rowconfigure(0, weight=1)
        self.columnconfigure(0, weight=1)
        # Nothing in it is to be selected or edited: only its own bindings and the wheel's are wanted.
        self._text.bindtags((str(self._text), "Rolling", str(self.winfo_toplevel()), "all"))
        for wheel in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            self._text.bind_class("Rolling", wheel, self._text.bind_class("Text", wheel))
        self._text.bind("<Motion>", lambda event: self._point(event.x, event.y))
        self._text.bind("<Button-1>", lambda event: "break")  # the focus stays where it is
        self._text.bind("<ButtonRelease-1>", self._click)
        self._text.bind("<Configure>", lambda event: self._write())
        follow(self, look, self._dress)

    # ---- what is in it

    def show(self, choices: Sequence[Choice]) -> None:
        """Show these; the one chosen stays chosen if it is still there, else it is the first."""
        before = self.chosen
        self._choices = list(choices)
        same = [at for at, choice in enumerate(self._choices) if before and choice.value == before.value]
        self._chosen = same[0] if same else 0 if self._choices else -1
        self._text.configure(height=max(1, min(len(self._choices), self._most_rows)))
        if len(self._choices) > self._most_rows:
            self._scrollbar.grid(row=0, column=1, sticky="ns")
        else:
            self._scrollbar.grid_remove()
        self._write()

    def clear(self) -> None:
        """Hold no choices any more, so that the next ones start with the first."""
        self._choices, self._chosen = [], -1

    @property
    def chosen(self) -> Choice | None:
        """The one that is chosen; None if there are none."""
        return self._choices[self._chosen] if self._chosen >= 0 else None

    @property
    def choices(self) -> list[Choice]:
        """All that are shown."""
        return list(self._choices)

    def move(self, step: int, *, around: bool = True) -> None:
        """Choose the one ``step`` further down; behind the last comes the first, unless it is not to go ``around``."""
        if not self._choices:
            return
        to = self._chosen + step
        self._choose(to % len(self._choices) if around else min(max(to, 0), len(self._choices) - 1))

    def height_within(self, room: int) -> int:
        """The height in pixels that shows as many whole rows as there are, as are to be shown at most, and as fit into
        ``room``; one, if not even that fits."""
        around, row = 2 * self._look.px(self._padding), self._row_height()
        rows = min(len(self._choices), self._most_rows, (room - around) // row)
        return row * max(1, rows) + around

    # ---- how it looks

    def _dress(self) -> None:
        colours, px = self._look.palette, self._look.px
        self.configure(padding=px(self._padding))
        self._text.configure(
            background=colours.field_bg, foreground=colours.fg, spacing1=px(_ROW_SPACE), spacing3=px(_ROW_SPACE)
        )
        self._text.tag_configure("row", lmargin1=px(10), rmargin=px(10))
        self._text.tag_configure("hint", foreground=colours.dim, font=self._look.font("small"))
        self._text.tag_configure(
            "chosen",
            background=colours.selection,
            foreground=colours.selection_fg,
            lmargincolor=colours.selection,
            rmargincolor=colours.selection,
        )
        self._write()

    def _row_height(self) -> int:
        return int(self._look.font("text").metrics("linespace")) + 2 * self._look.px(_ROW_SPACE)

    def _write(self) -> None:
        """Write every row anew, cut to the room there is."""
        margin, gap = self._look.px(10), self._look.px(12)
        room = self._text.winfo_width() - 2 * margin
        label_font, hint_font = self._look.font("text"), self._look.font("small")
        parts: list[str | tuple[str, ...]] = []
        for choice in self._choices if room > 0 else ():
            hint = cut(self._look.emoji.safe(choice.hint), room // 2, hint_font.measure)
            left = room - (hint_font.measure(hint) + gap if hint else 0)
            label = cut(self._look.emoji.safe(choice.label), left, label_font.measure)
            parts += [label, ("row",), f"\t{hint}", ("row", "hint"), "\n", ("row",)]
        top = self._text.yview()[0]
        self._text.configure(state="normal", tabs=(margin + max(room, 1), "right"))
        self._text.delete("1.0", "end")
        if parts:
            self._text.insert("1.0", *parts[:2], *parts[2:-2])  # type: ignore[arg-type]
        self._text.configure(state="disabled")
        self._text.yview_moveto(top)
        self._mark()

    def _choose(self, at: int) -> None:
        self._chosen = at
        self._mark()

    def _mark(self) -> None:
        self._text.tag_remove("chosen", "1.0", "end")
        if self._chosen >= 0:
            line = f"{self._chosen + 1}.0"
            self._text.tag_add("chosen", line, f"{line}+1l")
            self._text.see(line)

    # ---- the pointer

    def _row_at(self, x: int, y: int) -> int:
        """The row under the pointer; -1: none."""
        at = int(self._text.index(f"@{x},{y}").split(".")[0]) - 1
        box = self._text.dlineinfo(f"{at + 1}.0")
        inside = box is not None and box[1] <= y < box[1] + box[3]
        return at if inside and 0 <= at < len(self._choices) else -1

    def _point(self, x: int, y: int) -> None:
        at = self._row_at(x, y)
        if at >= 0 and at != self._chosen:
            self._choose(at)

    def _click(self, event: "tk.Event[tk.Text]") -> str:
        at = self._row_at(event.x, event.y)
        if at >= 0:
            self._choose(at)
            self._on_pick(self._choices[at])
        return "break"
