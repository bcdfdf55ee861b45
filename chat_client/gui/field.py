"""A text field that grows with what is in it, and in which one key press removes what a person takes for one letter."""

import tkinter as tk
from collections.abc import Callable
from functools import partial
from typing import Final

import regex

from chat_client.gui import keys
from chat_client.gui.dressing import follow
from chat_client.gui.fitting import CutLabel
from chat_client.gui.look import Look

MOST_LINES: Final = 8
# Characters: many times what a message may have; of ten times as many on one line, each key press takes half a second.
MOST_PASTED: Final = 65_536
# Of the window's height, which the transcript needs as well.
_MOST_SHARE: Final = 0.45

_GRAPHEME = regex.compile(r"\X")
_WORD_BEFORE = regex.compile(r"(?:\w+\W*|\W+)$")
_WORD_AFTER = regex.compile(r"\W*\w+|\W+")
# What Tk does in a Text on these keys (cut to the line's end, transpose, open a line ...) surprises who is used to
# other programs, and the window uses some of them: it gets them first, then nobody.
_QUIET: Final = ("b", "e", "f", "i", "k", "n", "o", "p", "t")
_QUIET_TAG: Final = "QuietText"


class GrowingText(tk.Text):
    """As high as its text, from one line to `MOST_LINES`; then it scrolls.

    ``on_change`` is called after every change of the text, by a person or by a program: not at once, but before it
    is drawn. ``on_too_long``: somebody wanted to paste so many characters; they were not taken.
    """

    def __init__(
        self, parent: tk.Misc, look: Look, *, on_change: Callable[[], None], on_too_long: Callable[[int], None]
    ) -> None:
        super().__init__(
            parent,
            height=1,
            width=1,  # as wide as it is made by what it stands in
            wrap="word",
            undo=True,
            borderwidth=0,
            highlightthickness=0,
            padx=0,
            pady=0,
            font=look.font("text"),
        )
        self._look, self._on_change, self._on_too_long = look, on_change, on_too_long
        self._hint = CutLabel(self, look.font("text"), style="Dim.TLabel")
        self._hint.configure(cursor="xterm")
        self._hint.bind("<Button-1>", lambda event: self.focus_set())
        self._hint.bind("<ButtonRelease-2>", self._paste_primary)
        self._bind_keys()
        self.bind("<<Modified>>", self._modified)
        self.bind("<Configure>", lambda event: self.fit())
        follow(self, look, self._dress)

    # ---- what is in it

    def content(self) -> str:
        """The text."""
        return keys.clean(self.get("1.0", "end-1c"))

    def before(self) -> str:
        """The text before the cursor."""
        return self.get("1.0", "insert")

    def is_empty(self) -> bool:
        """Whether there is nothing in it, not even a space."""
        return bool(self.compare("end-1c", "==", "1.0"))

    def show(self, text: str) -> None:
        """Have this text, the cursor behind it; what was typed before cannot be brought back."""
        self.delete("1.0", "end")
        self.insert("1.0", self._fit_to_show(text))
        self.mark_set("insert", "end-1c")
        self.edit_reset()
        self.see("insert")

    def put(self, text: str, *, instead_of: int = 0) -> None:
        """Put a text in at the cursor, in the place of what is selected or of so many characters before the cursor.
        One undo takes it out again."""
        self.edit_separator()
        if self.tag_ranges("sel"):
            self.replace("sel.first", "sel.last", self._fit_to_show(text))
        else:
            self.replace(f"insert-{instead_of}c", "insert", self._fit_to_show(text))
        self.edit_separator()
        self.see("insert")

    def show_hint(self, text: str) -> None:
        """What is said in the field while it is empty."""
        self._hint.show(self._look.emoji.safe(text))
        self._place_hint()

    @property
    def hint_shown(self) -> bool:
        """Whether the hint can be seen."""
        return bool(self._hint.place_info())

    def _fit_to_show(self, text: str) -> str:
        return self._look.emoji.safe(keys.clean(text))

    def _modified(self, event: "tk.Event[tk.Misc]") -> None:
        if self.edit_modified():
            self.edit_modified(False)  # else there would be no further event
            self._place_hint()
            self.fit()
            self._on_change()

    # ---- how it looks

    def fit(self) -> None:
        """Be as high as the text needs at this width."""
        if self.winfo_width() <= 1:
            return  # not shown yet: every letter would be on a line of its own
        linespace = max(1, int(self._look.font("text").metrics("linespace")))
        most = max(2, min(MOST_LINES, int(self.winfo_toplevel().winfo_height() * _MOST_SHARE / linespace)))
        if self.compare(f"1.0 + {most} display lines", "<", "end-1c"):
            lines = most + 1  # how many more need not be counted: a pasted book has many
        else:
            lines = int(self.tk.call(str(self), "count", "-update", "-displaylines", "1.0", "end"))
        height = min(lines, most)
        if height != int(self.cget("height")):
            self.configure(height=height)
        if lines <= most:
            self.yview_moveto(0)  # Tk had scrolled before there was room for the new line
        else:
            self.see("insert")

    def _dress(self) -> None:
        self.configure(insertwidth=self._look.px(1.5))
        colours = self._look.text_colours(field=True)
        self.tk.call(str(self), "configure", *(word for name in colours for word in (f"-{name}", colours[name])))
        self._hint.configure(background=self._look.palette.field_bg)
        self.after_idle(self._fit_again)

    def _fit_again(self) -> None:
        """After another theme or zoom, once Tk has heard of the font's new size."""
        if self.winfo_exists():
            self._hint.fit()
            self._place_hint()
            self.fit()

    def _place_hint(self) -> None:
        if self._hint.full and self.is_empty():
            # A little to the right, so that the cursor is seen.
            self._hint.place(x=self._look.px(2), y=0, relwidth=1.0, width=-self._look.px(2))
        else:
            self._hint.place_forget()

    # ---- keys

    def _bind_keys(self) -> None:
        for key in _QUIET:
            self.bind_class(_QUIET_TAG, f"<Control-{key}>", lambda event: "break")
        self.bindtags((str(self), str(self.winfo_toplevel()), _QUIET_TAG, "Text", "all"))
        self.bind("<Key>", self._key)
        self.bind("<space>", lambda event: self.edit_separator())  # undo goes by words
        for key in ("BackSpace", "Delete", "KP_Delete"):
            keys.bind_plain(self, key, partial(self._remove, key == "BackSpace", _GRAPHEME))
        for key in ("<Control-h>", "<Control-d>"):
            self.bind(key, partial(self._remove, key == "<Control-h>", _GRAPHEME))
        self.bind("<Control-BackSpace>", partial(self._remove, True, _WORD_BEFORE))
        self.bind("<Control-Delete>", partial(self._remove, False, _WORD_AFTER))
        self.bind("<Shift-Delete>", partial(self._virtual, "<<Cut>>"))
        for arrow, back in (("Left", True), ("Right", False)):
            keys.bind_plain(self, arrow, partial(self._step, back, "tk::TextSetCursor"))
            self.bind(f"<Shift-{arrow}>", partial(self._step, back, "tk::TextKeySelect"))
        for key in ("<Shift-Return>", "<Shift-KP_Enter>"):
            self.bind(key, lambda event: self._typed("\n"))
        for key in ("<Control-a>", "<Control-A>", "<<SelectAll>>"):
            self.bind(key, self._select_all)
        for key in ("<<Paste>>", "<Shift-Insert>", "<Control-V>"):
            self.bind(key, lambda event: self._paste("CLIPBOARD"))
        self.bind("<<PasteSelection>>", self._paste_primary)
        self.bind("<Insert>", lambda event: "break")
        self.bind("<Control-Insert>", partial(self._virtual, "<<Copy>>"))
        self.bind("<Control-y>", partial(self._virtual, "<<Redo>>"))

    def _key(self, event: "tk.Event[tk.Misc]") -> str | None:
        return self._typed(event.char) if keys.is_dangerous(event.char, self._look) else None

    def _typed(self, text: str) -> str:
        if text:
            self.put(text)
        return "break"

    def _virtual(self, name: str, event: "tk.Event[tk.Misc]") -> str:
        self.event_generate(name)
        return "break"

    def _remove(self, back: bool, what: "regex.Pattern[str]", event: "tk.Event[tk.Misc]") -> str | None:
        if self.tag_ranges("sel"):
            return None  # Tk removes what is selected
        letters = self._beside(back, what)
        if not letters:
            return None  # at a line's end it joins two lines
        if back:
            self.delete(f"insert-{len(letters)}c", "insert")
        else:
            self.delete("insert", f"insert+{len(letters)}c")
        self.see("insert")
        return "break"

    def _step(self, back: bool, command: str, event: "tk.Event[tk.Misc]") -> str | None:
        letters = self._beside(back, _GRAPHEME)
        if len(letters) < 2:
            return None
        self.tk.call(command, str(self), self.index(f"insert{'-' if back else '+'}{len(letters)}c"))
        return "break"

    def _beside(self, back: bool, what: "regex.Pattern[str]") -> str:
        """What is beside the cursor, on its line: the last that fits the pattern before it, or the first behind it."""
        line = self.get("insert linestart", "insert") if back else self.get("insert", "insert lineend")
        found = what.findall(line) if back else what.findall(line)[:1]
        return str(found[-1]) if found else ""

    def _select_all(self, event: "tk.Event[tk.Misc]") -> str:
        self.tag_add("sel", "1.0", "end-1c")
        return "break"

    def _paste(self, selection: str) -> str:
        text = keys.selected(self, selection)
        if len(text) > MOST_PASTED:
            self._on_too_long(len(text))
            return "break"
        return self._typed(text)

    def _paste_primary(self, event: "tk.Event[tk.Misc]") -> str:
        """The middle button puts what is selected elsewhere where the pointer is."""
        self.focus_set()
        if event.widget is self:
            self.mark_set("insert", f"@{event.x},{event.y}")
            self.tag_remove("sel", "1.0", "end")
        return self._paste("PRIMARY")
