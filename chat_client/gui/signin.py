"""The card that asks for a name and an address before there is a chat to show."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import Literal, NamedTuple

from chat_client.gui.dressing import follow
from chat_client.gui.keys import guard, press_by_enter, select_all
from chat_client.gui.look import Look
from chat_client.gui.step import Asked, Step

Field = Literal["name", "address", "code", ""]

_HELP = "Everybody who gives the same address meets in one chat."
_ADDRESS_HELP = "Such as 192.168.1.20, or chat://…"
_OTHER = "I have it on another machine"
_WIDTH = 340


class Wanted(NamedTuple):
    """What somebody has put in. ``serve``: a chat of this computer is to be started, and the address does not count.
    ``code``: another machine of theirs has shown it."""

    name: str
    address: str
    serve: bool = False
    code: str = ""


class SignIn(ttk.Frame):
    """``on_submit(wanted)`` is called when somebody wants to join, ``on_cancel()`` when they want to stop what is going
    on, or leave if nothing is.
    """

    def __init__(
        self,
        parent: tk.Misc,
        look: Look,
        *,
        on_submit: Callable[[Wanted], None],
        on_cancel: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._look, self._on_submit, self._on_cancel = look, on_submit, on_cancel
        self._busy = self._trying = False
        self._step: Step | None = None
        card = self._card = ttk.Frame(self)
        self._title = ttk.Label(card, text="Join a chat", style="Title.TLabel")
        self._help = ttk.Label(card, text=_HELP, style="Small.TLabel")
        self._name_label = ttk.Label(card, text="Your name")
        self._name_field = ttk.Combobox(card, font=look.font("text"))
        self._name_error = ttk.Label(card, style="Error.TLabel")
        self._address_label = ttk.Label(card, text="Address")
        self._address_field = ttk.Combobox(card, font=look.font("text"))
        self._address_error = ttk.Label(card, style="Small.TLabel")
        self._serve = ttk.Checkbutton(card, text="Start a chat on this computer", command=self._serve_changed)
        self._serve.state(["!alternate"])  # which it is until somebody has clicked it
        self._code_label = ttk.Label(card, text="One-time code, as your other machine shows it")
        self._code_field = ttk.Entry(card, font=look.font("mono"))
        self._state = ttk.Label(card, style="Small.TLabel", compound="left")
        self._buttons = ttk.Frame(card)
        self._link = ttk.Button(
            self._buttons, text=_OTHER, style="Small.Link.TButton", command=lambda: self.show_code(True)
        )
        self._link.grid(row=0, column=0, sticky="w")
        self._cancel = ttk.Button(self._buttons, text="Quit", command=on_cancel)
        self._join = ttk.Button(self._buttons, text="Join", style="Accent.TButton", command=self._submit)
        self._cancel.grid(row=0, column=1, sticky="ns")
        self._join.grid(row=0, column=2, sticky="ns")
        self._buttons.columnconfigure(0, weight=1)
        for row, widget in enumerate(self._rows()):
            widget.grid(row=row, column=0, sticky="ew")
        card.columnconfigure(0, weight=1)
        card.grid(row=1, column=1)
        self.rowconfigure((0, 2), weight=1)
        self.columnconfigure((0, 2), weight=1)
        self._bind_keys()
        follow(self, look, self._dress)
        self.show_code(False)
        self._say("", "")

    # ---- what the window tells it

    def show_known(self, names: Sequence[str], addresses: Sequence[str]) -> None:
        """Offer the names and addresses used before."""
        self._name_field.configure(values=[self._look.emoji.safe(name) for name in names])
        self._address_field.configure(values=list(addresses))

    def fill(self, name: str, address: str) -> None:
        """Put these into the fields; the focus goes to the first that is empty."""
        self._name_field.set(self._look.emoji.safe(name))
        self._address_field.set(address)
        self.focus()

    def tick_serve(self) -> None:
        """Have it ticked that a chat of this computer is to be started."""
        self._serve.state(["selected"])
        self._serve_changed()
        self.focus()

    def show_code(self, wanted: bool) -> None:
        """Have a field for the code that another machine of the same user shows, or only the offer of it."""
        for widget in (self._code_label, self._code_field):
            _show(widget, wanted)
        for other in (self._link, self._serve, self._help):  # there is no room for all in the smallest window
            _show(other, not wanted)
        if wanted:
            self._serve.state(["!selected"])
            self._serve_changed()
            self._code_field.focus_set()
        else:
            self._code_field.delete(0, "end")

    def show_step(self, asked: Asked | None) -> None:
        """Ask or tell this in the place of the fields; None: show the fields again."""
        if self._step is not None:
            self._step.destroy()
            self._step = None
            self._card.grid()
        if asked is not None:
            self._card.grid_remove()
            self._step = Step(self, self._look, asked)
            self._step.grid(row=1, column=1)
            self._step.focus()

    def show_trouble(self, text: str) -> None:
        """Say what is wrong at the address while it is tried again and again: until it is changed, or somebody
        cancels."""
        self.show_error("address", text)
        self._trying = True
        _show(self._help, False)  # there is no room for both in the smallest window
        self._say_state("Trying again and again…", "Small.TLabel", str(self._look.mood_dot("busy")))
        self._cancel.configure(text="Cancel")

    def show_error(self, field: Field, text: str) -> None:
        """Say below the field what is wrong with it ("": below all of them), and have the focus go there. The fields
        can be used again."""
        self.show_busy("")
        self._say(field, text)
        if field and text:
            entry = {"name": self._name_field, "address": self._address_field, "code": self._code_field}[field]
            entry.focus_set()
            select_all(entry)

    def show_busy(self, text: str) -> None:
        """Say what is being done; meanwhile nothing can be changed, but Esc and the button stop it. "": it is over."""
        was, self._busy = self._busy or self._trying or self._step is not None, bool(text)
        self._trying = False
        self.show_step(None)
        _show(self._help, not self._code_field.grid_info())
        if text:
            self._say("", "")
        if text or was:
            self._say_state(text, "Small.TLabel", str(self._look.mood_dot("busy")) if text else "")
        for widget in (self._name_field, self._address_field, self._serve, self._join, self._link, self._code_field):
            widget.state(["disabled" if self._busy else "!disabled"])
        self._serve_changed()
        self._cancel.configure(text="Cancel" if self._busy else "Quit")
        if self._busy:
            self._cancel.focus_set()
        elif was:
            self.focus()

    def focus(self) -> None:
        """Have the keys go to the first field that is empty; to the button if none is."""
        needed = [self._name_field] if self._serving() else [self._name_field, self._address_field]
        empty = [field for field in needed if not field.get().strip()]
        (empty[0] if empty else self._join).focus_set()

    # ---- what somebody does

    def _submit(self) -> None:
        if not self._busy:
            self._say("", "")
            name, address, code = (field.get().strip() for field in self._fields())
            self._on_submit(Wanted(name, address, self._serving(), "" if self._serving() else code))

    def _fields(self) -> tuple[ttk.Entry, ...]:
        return self._name_field, self._address_field, self._code_field

    def _edited(self, say: Callable[[str], None]) -> bool:
        """What is tried is not what is wanted any more. True, since as a validation it allows everything."""
        say("")
        if self._trying:
            self._trying = False
            self._say_state("", "Small.TLabel", "")
            self._on_cancel()
        return True

    def _serving(self) -> bool:
        return bool(self._serve.instate(["selected"]))

    def _serve_changed(self) -> None:
        self._address_field.state(["disabled" if self._serving() or self._busy else "!disabled"])
        if self._serving():
            self._say_address("")

    def _bind_keys(self) -> None:
        submitting = (*self._fields(), self._serve, self._join)
        pressed = (self._cancel, self._link)
        for widget in submitting:
            for key in ("<Return>", "<KP_Enter>"):
                widget.bind(key, lambda event: self._submit())
        press_by_enter(*pressed)
        for widget in (*submitting, *pressed):
            widget.bind("<Escape>", lambda event: self._on_cancel())
        says = self._say_name, self._say_address, lambda text: self._say_state(text, "Error.TLabel", "")
        for entry, say in zip(self._fields(), says, strict=True):
            guard(entry, self._look)
            edited = self.register(lambda say=say: self._edited(say))
            entry.configure(validate="key", validatecommand=edited)
            entry.bind("<<ComboboxSelected>>", lambda event, say=say: self._edited(say))  # type: ignore[misc]

    # ---- how it looks

    def _rows(self) -> list[tk.Widget]:
        return [
            self._title,
            self._help,
            self._name_label,
            self._name_field,
            self._name_error,
            self._address_label,
            self._address_field,
            self._address_error,
            self._code_label,
            self._code_field,
            self._serve,
            self._state,
            self._buttons,
        ]

    def _say(self, field: Field, text: str) -> None:
        """Have this be all that is said to be wrong."""
        self._say_name(text if field == "name" else "")
        self._say_address(text if field == "address" else "")
        self._say_state("" if field in ("name", "address") else text, "Error.TLabel", "")

    def _say_name(self, text: str) -> None:
        self._name_error.configure(text=self._look.emoji.safe(text))
        self._name_field.state(["invalid" if text else "!invalid"])
        _show(self._name_error, bool(text))

    def _say_address(self, text: str) -> None:
        """What is wrong with the address; without that, what one may look like."""
        style = "Error.TLabel" if text else "Small.TLabel"
        self._address_error.configure(text=self._look.emoji.safe(text) or _ADDRESS_HELP, style=style)
        self._address_field.state(["invalid" if text else "!invalid"])

    def _say_state(self, text: str, style: str, image: str) -> None:
        self._state.configure(text=self._look.emoji.safe(f" {text}" if image else text), style=style, image=image)
        _show(self._state, bool(text))

    def _dress(self) -> None:
        px = self._look.px
        self.configure(padding=px(10))
        self._card.columnconfigure(0, minsize=px(_WIDTH))
        if self._help.grid_info():
            self._help.grid_configure(pady=(px(2), 0))
        for label in (self._name_label, self._address_label, self._code_label):
            if label.grid_info():
                label.grid_configure(pady=(px(9), px(3)))
        for label in (self._name_error, self._address_error):
            label.grid_configure(pady=(px(3), 0))
        if self._serve.grid_info():
            self._serve.grid_configure(pady=(px(7), 0))
        if self._state.grid_info():
            self._state.grid_configure(pady=(px(6), 0))
        self._buttons.grid_configure(pady=(px(12), 0))
        self._cancel.grid_configure(padx=(0, px(8)))
        for label in (self._help, self._name_error, self._address_error, self._state):
            label.configure(wraplength=px(_WIDTH))


def _show(widget: tk.Widget, wanted: bool) -> None:
    """Have a widget of a grid be there or not, in its old place."""
    if wanted:
        widget.grid()
    else:
        widget.grid_remove()
