"""Where a message is written: a field that grows, a Send button, completion, and what is wrong with the message."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Final

from chat_client.gui.dressing import follow
from chat_client.gui.field import GrowingText
from chat_client.gui.keys import bind_plain
from chat_client.gui.look import Look
from chat_client.gui.popup import ChoiceList
from chat_client.model.shown import Choice
from chat_core.names import TEXT_BYTES

# From so many bytes on, it is said how many there are.
COUNTED_BYTES: Final = 7000
_MOST_CHOICES = 8


class Composer(ttk.Frame):
    """Writes one message.

    ``on_send(text)`` says "" if the message is taken: the field is cleared; else what is wrong with it: that is shown,
    and the text stays. ``on_complete(before)``: how many characters before the cursor can be completed, and to what.
    ``on_edit_last()``: the text to edit when Up is pressed in an empty field; None: there is none.

    While it is *shut*, a sentence stands where the field was, and what is in the field is kept. A slash opens the field
    for a command, until that is sent or taken back.
    """

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        on_send: Callable[[str], str],
        on_complete: Callable[[str], tuple[int, list[Choice]]],
        on_edit_last: Callable[[], str | None],
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._on_send, self._on_complete, self._on_edit_last = on_send, on_complete, on_edit_last
        self._sending = False
        self._wrong = ""  # the text that the error is about
        self._shut = ""  # why nothing can be written
        self._kept: str | None = None  # the draft, while a command is written in a field that is shut
        self._followed = ""  # what stood before the cursor when the choices were found

        self._border = ttk.Frame(self, style="Field.TFrame")
        self._field = GrowingText(self._border, look, on_change=self._changed, on_too_long=self._too_long)
        self._field.pack(fill="both", expand=True)
        self._why = ttk.Label(self._border, style="Dim.TLabel", takefocus=True)
        self._button_place = ttk.Frame(self)
        self._button = ttk.Button(self._button_place, text="Send", style="Accent.TButton", command=self._send)
        self._button.pack(fill="both", expand=True)
        self._button_place.pack_propagate(False)
        self._below = ttk.Frame(self)
        self._error = ttk.Label(self._below, style="Error.TLabel")
        self._wait = ttk.Label(self._below, style="Small.TLabel", compound="left")
        self._count = ttk.Label(self._below, style="Small.TLabel")
        self._list = ChoiceList(self.winfo_toplevel(), look, most_rows=_MOST_CHOICES, on_pick=self._accept)

        self._border.grid(row=0, column=0, sticky="nsew")
        self._button_place.grid(row=0, column=1, sticky="s")
        self._below.columnconfigure(0, weight=1)
        self.columnconfigure(0, weight=1)
        self._bind_keys()
        follow(self, look, self._dress)

    # ---- what the window tells it

    def show_placeholder(self, text: str) -> None:
        """What is said in the field while it is empty."""
        self._field.show_hint(text)

    def text(self) -> str:
        """What is in the field, or kept for it; "" while ``on_send`` is asked, since it is no draft any more."""
        if self._kept is not None:
            return self._kept
        return "" if self._sending else self._field.content()

    def set_text(self, text: str) -> None:
        """Have this text in the field, the cursor behind it."""
        self._close_list()
        self._kept = None
        self._field.show(text)
        self.show_error("")
        self._show_whether_shut()

    def insert(self, text: str) -> None:
        """Put a text in where the cursor is."""
        if not self._is_closed:
            self._field.put(text)
        elif text.startswith("/"):
            self._open_for(text)

    def show_shut(self, text: str) -> None:
        """Say why nothing can be written here, in the place of the field; "": something can."""
        if text == self._shut:
            return
        self._shut = text
        if not text and self._kept is not None:
            self._close_command()
        self._show_whether_shut()

    def show_wait(self, text: str) -> None:
        """Say what keeps a message that was sent from being there; "": nothing does."""
        self._wait.configure(text=f" {self._look.emoji.safe(text)}" if text else "")
        self._show_below()

    def show_error(self, text: str) -> None:
        """Say what is wrong, until the text is changed; "": nothing."""
        self._wrong = self._field.content()
        self._error.configure(text=self._look.emoji.safe(text))
        self._show_below()

    def focus(self) -> None:
        """Have the keys go to the field, or to what stands there."""
        (self._why if self._is_closed else self._field).focus_set()

    def destroy(self) -> None:
        """Go, with the list of choices, which stands in the window."""
        self._list.destroy()
        super().destroy()

    # ---- shut

    @property
    def _is_closed(self) -> bool:
        return bool(self._shut) and self._kept is None

    def _show_whether_shut(self) -> None:
        closed = self._is_closed
        self._why.configure(text=self._look.emoji.safe(self._shut))
        if closed == bool(self._why.winfo_manager()):
            return
        had = self.focus_lastfor() in (self._field, self._why)  # also of a window that others work beside now
        hidden, shown = (self._field, self._why) if closed else (self._why, self._field)
        hidden.pack_forget()
        shown.pack(fill="both", expand=True)
        for widget in (self._border, self._button):
            widget.state(["disabled" if closed else "!disabled"])
        if had:
            self.focus()

    def _open_for(self, command: str) -> None:
        self._kept = self._field.content()
        self._field.show(command)
        self._show_whether_shut()

    def _close_command(self) -> None:
        kept, self._kept = self._kept, None
        self._field.show(kept or "")
        self._show_whether_shut()

    def _typed_at_why(self, event: "tk.Event[tk.Misc]") -> str | None:
        if (
            not self._is_closed and event.char and event.char.isprintable()
        ):  # the field is there, but has not got the keys yet
            self._field.put(event.char)
        elif event.char == "/":
            self._open_for("/")
        else:
            return None
        return "break"

    # ---- sending

    def _send(self) -> None:
        self._close_list()
        if self._is_closed:
            return
        self._field.focus_set()
        content = self._field.content()
        text = content.strip("\n").rstrip()
        if not text:
            return
        self._sending = True
        try:
            problem = self._on_send(text)
        finally:
            self._sending = False
        if problem:
            self.show_error(problem)
        elif self._kept is not None:
            self._close_command()
        elif self._field.content() == content:  # on_send may have put another room's draft there
            self.set_text("")

    def _edit_last(self) -> None:
        text = self._on_edit_last()
        if text is not None:
            self.set_text(text)

    def _changed(self) -> None:
        if self._error.cget("text") and self._field.content() != self._wrong:
            self._error.configure(text="")
        self._show_below()
        self._follow()
        if self._kept is not None and not self._field.content().startswith("/"):
            self._close_command()

    def _too_long(self, characters: int) -> None:
        self.show_error(f"{characters:,} characters are too many to paste: a message has up to {TEXT_BYTES:,} bytes.")

    # ---- completion

    @property
    def choosing(self) -> bool:
        """Whether the list of choices is shown."""
        return bool(self._list.place_info())

    def _complete(self) -> None:
        """Put in what can only be meant; if several things can be, show the list of them."""
        count, choices = self._find()
        if len(choices) == 1:
            self._field.put(choices[0].value, instead_of=count)
        elif choices:
            self._show_list(choices)

    def _find(self) -> tuple[int, list[Choice]]:
        self._followed = self._field.before()
        return self._on_complete(self._followed)

    def _follow(self) -> None:
        """While the list is shown, it holds what is possible at the cursor."""
        if self.choosing and self._field.before() != self._followed:
            choices = self._find()[1]
            if choices:
                self._show_list(choices)
            else:
                self._close_list()

    def _show_list(self, choices: list[Choice]) -> None:
        self._list.show(choices)
        window = self.winfo_toplevel()
        left = self._border.winfo_rootx() - window.winfo_rootx()
        top = self._border.winfo_rooty() - window.winfo_rooty() - self._look.px(4)
        width = min(self._border.winfo_width(), self._look.px(460))
        self._list.place(x=left, y=top, anchor="sw", width=width, height=self._list.height_within(top))
        self._list.lift()

    def _close_list(self) -> None:
        self._list.clear()
        self._list.place_forget()

    def _accept(self, choice: Choice) -> None:
        count = self._find()[0]
        self._close_list()
        self._field.put(choice.value, instead_of=count)

    # ---- keys

    def _bind_keys(self) -> None:
        field = self._field
        for key in ("<Return>", "<KP_Enter>"):
            field.bind(key, self._enter)
        bind_plain(field, "Tab", lambda event: self._tab())
        for key in ("<Shift-Tab>", "<ISO_Left_Tab>"):
            field.bind(key, lambda event: self._choose(-1))
        bind_plain(field, "Up", self._up)
        bind_plain(field, "Down", lambda event: self._choose(1))
        bind_plain(field, "Prior", lambda event: self._choose(1 - _MOST_CHOICES, around=False))
        bind_plain(field, "Next", lambda event: self._choose(_MOST_CHOICES - 1, around=False))
        field.bind("<Escape>", self._escape)
        field.bind("<KeyRelease>", lambda event: self._follow())
        field.bind("<ButtonRelease-1>", lambda event: self._follow())
        field.bind("<FocusIn>", lambda event: self._border.state(["focus"]))
        field.bind("<FocusOut>", self._left)
        self._why.bind("<Key>", self._typed_at_why)
        self._why.bind("<Button-1>", lambda event: self._why.focus_set())
        self.bind("<Configure>", lambda event: self._wrap())
        self._border.bind("<Button-1>", lambda event: self.focus())

    def _enter(self, event: "tk.Event[tk.Misc]") -> str:
        self._follow()  # what was typed just before may not have been noticed yet
        chosen = self._list.chosen if self.choosing else None
        if chosen:
            self._accept(chosen)
        else:
            self._send()
        return "break"

    def _tab(self) -> str:
        if not self._choose(1):
            self._complete()
        return "break"

    def _up(self, event: "tk.Event[tk.Misc]") -> str | None:
        if self.choosing:
            return self._choose(-1)
        if self._field.is_empty():
            self._edit_last()
            return "break"
        return None

    def _choose(self, step: int, *, around: bool = True) -> str | None:
        if not self.choosing:
            return None
        self._list.move(step, around=around)
        return "break"

    def _escape(self, event: "tk.Event[tk.Misc]") -> str | None:
        if not self.choosing:
            return None
        self._close_list()
        return "break"

    def _left(self, event: "tk.Event[tk.Misc]") -> None:
        self._border.state(["!focus"])
        self._close_list()

    # ---- how it looks

    def _show_below(self) -> None:
        size = len(self._field.content().encode())
        self._count.configure(
            text=f"{size:,} / {TEXT_BYTES:,}" if size >= COUNTED_BYTES else "",
            style="Error.TLabel" if size > TEXT_BYTES else "Small.TLabel",
        )
        self._wrap()
        for label, row, column in ((self._error, 0, 0), (self._count, 0, 1), (self._wait, 1, 0)):
            if label.cget("text"):
                label.grid(row=row, column=column, sticky="w" if column == 0 else "ne")
            else:
                label.grid_remove()
        if self._error.cget("text") or self._count.cget("text") or self._wait.cget("text"):
            self._below.grid(row=1, column=0, columnspan=2, sticky="ew")
        else:
            self._below.grid_remove()

    def _dress(self) -> None:
        px = self._look.px
        self.configure(padding=(px(14), px(6), px(14), px(10)))
        self._border.configure(padding=(px(11), px(10)))
        self._below.configure(padding=(px(2), px(4), px(2), 0))
        self._count.configure(padding=(px(12), 0, 0, 0))
        self._wait.configure(image=self._look.mood_dot("busy"))
        high = int(self._look.font("text").metrics("linespace")) + 2 * px(10)
        wide = max(px(96), self._look.font("bold").measure("Send") + 2 * px(16))
        self._button_place.configure(width=wide, height=high)
        self._button_place.grid_configure(padx=(px(8), 0))
        self._wrap()

    def _wrap(self) -> None:
        beside = self._count.winfo_reqwidth() if self._count.cget("text") else 0
        for label in (self._error, self._wait):
            label.configure(wraplength=max(1, self.winfo_width() - beside - 2 * self._look.px(18)))
        self._why.configure(wraplength=max(1, self._border.winfo_width() - 2 * self._look.px(14)))
