"""How the tags of the transcript look: fonts, colours and lengths, for the theme and the size of now."""

import tkinter as tk
from tkinter import font as tkfont
from typing import Any, Final

from chat_client.gui.look import Look

# Design pixels: from the edge of the view to its content, and from there to where texts begin (an avatar fits in).
SIDE: Final = 14
INDENT: Final = 42
_BAND: Final = 8  # a row's background goes on so far beside its content
_RING: Final = 1.5  # around a transcript that has the focus
_BELOW: Final = 7  # room below the last row
_TAB: Final = 32
_NOTE_TAB: Final = 150  # in the lists of a help text
_FILLED: Final = ("background", "lmargincolor", "rmargincolor")

Options = dict[str, Any]


class TagStyles:
    """Gives a Text its colours, and its tags theirs; again after every change of the look."""

    def __init__(self, text: tk.Text, look: Look) -> None:
        self._text, self._look = text, look
        # Courier is the one family that Tk has everywhere, and its lines are the thinnest: 2 pixels at a size of 1.
        self._hair = tkfont.Font(text, family="Courier", size=-1)
        # The newline that ends every Text is drawn in the font of the widget itself.
        self._tail = tkfont.Font(text, family="Courier", size=-1)
        self.apply()

    def forget(self) -> None:
        """The Text is gone, and its fonts go now: later, the garbage collector might find them in another thread."""
        del self._hair, self._tail

    def apply(self) -> None:
        """Take over what the look says now."""
        look, px = self._look, self._look.px
        self._hair.configure(size=-px(1))
        self._tail.configure(size=-px(_BELOW))
        self._text.configure(
            look.text_colours(),
            font=self._tail,
            padx=px(SIDE) - px(_RING) - px(_BAND),
            pady=0,
            highlightthickness=px(_RING),
            highlightbackground=look.palette.bg,
            highlightcolor=look.palette.accent,
        )
        # Where two tags of a character differ, the one made later wins.
        for options in (self._rows(), self._backgrounds(), self._styles()):
            for name, values in options.items():
                self._text.tag_configure(name, **values)
        # Code within a sentence has no colour of its own on such a background; a block keeps it.
        for name in ("mention", "refused"):
            self._text.tag_raise(name, "code")
        # What is selected is so from edge to edge, also in rows whose margins have a colour.
        self._text.tag_configure("sel", lmargincolor=look.palette.marked, rmargincolor=look.palette.marked)
        self._text.tag_raise("sel")

    def _rows(self) -> dict[str, Options]:
        """Of whole lines."""
        px, colours, font = self._look.px, self._look.palette, self._look.font
        edge = px(_BAND)
        indent = edge + px(INDENT)
        within: Options = {"lmargin1": edge, "rmargin": edge}
        spaced: Options = {"spacing1": px(2), "spacing2": px(2), "spacing3": px(2)}
        walled: Options = {**spaced, "spacing1": px(4), "spacing3": px(4)}
        # The margins have a colour of their own; else that of a piece of code would go on into them.
        margins: Options = {"lmargincolor": colours.bg, "rmargincolor": colours.bg}
        hanging: Options = {"lmargin1": indent, "lmargin2": indent, "rmargin": edge + px(8), **spaced, **margins}
        tabs = (indent + px(_TAB), indent + 2 * px(_TAB))
        small: Options = {**hanging, "font": font("small")}
        return {
            "gap": {"font": self._hair, "spacing1": px(8)},
            "dayrule": {"font": self._hair, "background": colours.line, **within},
            "newrule": {"font": self._hair, "background": colours.danger, **within},
            "day": {"font": font("small_bold"), "foreground": colours.dim, "justify": "center", **within, **spaced},
            "wall": {"font": font("small"), "foreground": colours.dim, "justify": "center", **within, **walled},
            "new": {"font": font("small_bold"), "foreground": colours.danger, "justify": "right", **within, **spaced},
            "head": {"font": font("text"), "spacing1": px(8), **within, "lmargin2": indent, "tabs": (indent,)},
            "text": {"font": font("text"), "tabs": tabs, **hanging},
            "rtl": {"justify": "right"},
            "event": {**small, "foreground": colours.dim},
            "note": {**small, **dict.fromkeys(_FILLED, colours.code_bg)},
            "table": {"tabs": (indent + px(_NOTE_TAB),), "lmargin2": indent + px(_NOTE_TAB)},
            "refusal": {**small, "foreground": colours.danger},
            "pad": {"font": self._hair, "spacing1": px(1), "spacing2": 0, "spacing3": px(1)},
        }

    def _backgrounds(self) -> dict[str, Options]:
        colours = self._look.palette
        return {
            "mention": dict.fromkeys(_FILLED, colours.mention_bg),
            "refused": dict.fromkeys(_FILLED, colours.danger_bg),
        }

    def _styles(self) -> dict[str, Options]:
        """Of parts of a line."""
        px, colours, font = self._look.px, self._look.palette, self._look.font
        indent = px(_BAND) + px(INDENT)
        deeper = indent + px(14)
        code: Options = {"font": font("mono"), "background": colours.code_bg}
        eight = font("mono").measure("0" * 8)
        return {
            "name": {"font": font("name")},
            **{f"name{number}": {"foreground": colour} for number, colour in enumerate(colours.names)},
            "time": {"font": font("small"), "foreground": colours.dim},
            "bold": {"font": font("bold")},
            "italic": {"font": font("italic")},
            "bolditalic": {"font": font("bolditalic")},
            "deleted": {"foreground": colours.dim},
            "quote": {"foreground": colours.dim, "lmargin1": deeper, "lmargin2": deeper},
            "code": code,
            "block": {
                **code,
                "tabs": (indent + eight, indent + 2 * eight),
                "spacing1": 0,
                "spacing2": 0,
                "spacing3": 0,
            },
            "called": {"font": font("bold"), "foreground": colours.mention_fg},
            "link": {"foreground": colours.link, "underline": True},
            "action": {"font": font("small_bold"), "foreground": colours.link, "underline": True},
            "focused": {"background": colours.accent, "foreground": colours.accent_fg},
        }
