"""Everything in the window that depends on theme, scale and zoom: colours, lengths, fonts, styles and images."""

import tkinter as tk
from collections.abc import Callable
from tkinter import font as tkfont
from typing import Any, Literal, TypedDict

from chat_client.gui import scale as scaling
from chat_client.gui import typefaces
from chat_client.gui.emoji import Emoji
from chat_client.gui.images import Images, Mood
from chat_client.gui.marks import Kind as MarkKind
from chat_client.gui.palette import PALETTES, Palette, Theme
from chat_client.gui.styles import Styles

# name: (mono, pixels in the design, bold, italic)
_FONTS = {
    "text": (False, 14, False, False),
    "bold": (False, 14, True, False),
    "italic": (False, 14, False, True),
    "bolditalic": (False, 14, True, True),
    "small": (False, 12, False, False),
    "small_bold": (False, 11, True, False),
    "mono": (True, 13, False, False),
    "code": (True, 20, True, False),
    "title": (False, 16, True, False),
    "name": (False, 14, True, False),
    "avatar": (False, 15, True, False),
}
# Tk's own, for its menus and dialogs: which of ours each follows
_TK_FONTS = {
    "TkDefaultFont": "text",
    "TkTextFont": "text",
    "TkMenuFont": "text",
    "TkHeadingFont": "bold",
    "TkCaptionFont": "bold",
    "TkSmallCaptionFont": "small",
    "TkTooltipFont": "small",
    "TkIconFont": "text",
    "TkFixedFont": "mono",
}


class _FontOptions(TypedDict):
    family: str
    size: int
    weight: Literal["normal", "bold"]
    slant: Literal["roman", "italic"]


class Look:
    """How one Tk looks; there is one for each, made before its first widget, and used in its thread only.

    ``scale``: how many times the design's size; None: as the display asks for. ``zoom``: steps of about 10 % on top,
    -5 to 10. Raises tkinter.TclError if the window is gone.
    """

    def __init__(self, root: tk.Tk, theme: Theme = "light", scale: float | None = None, zoom: int = 0) -> None:
        self.root = root
        self.theme: Theme = theme
        dpi = scaling.settle_dpi(root)  # before any font is made
        self.scale = scale or scaling.scale_of(dpi, str(root.tk.call("tk", "windowingsystem")))
        self.zoom = _within(zoom)
        self._watchers: list[Callable[[], None]] = []
        present = set(tkfont.families(root))
        self.family = typefaces.first_of(typefaces.FAMILIES, present, _family(root, "TkDefaultFont"))
        self.mono_family = typefaces.first_of(typefaces.MONO_FAMILIES, present, _family(root, "TkFixedFont"))
        self.fonts = {name: tkfont.Font(root, name=f"look-{name}", exists=False) for name in _FONTS}
        # Tk forgets a named font that no widget uses, and then needs 0.4 ms to measure a word in it instead of 0.01.
        self._holders = [tk.Label(root, font=font) for font in self.fonts.values()]
        self._images = Images(root, self.palette, self.factor, self.family)
        self.emoji = Emoji(root, self.px)
        self._styles = Styles(root)
        self._restyle()

    @property
    def palette(self) -> Palette:
        return PALETTES[self.theme]

    @property
    def factor(self) -> float:
        """How many times the design's size, the zoom included."""
        return self.scale * scaling.zoom_factor(self.zoom)

    def px(self, length: float) -> int:
        """A length of the design in pixels of this screen, at the present zoom."""
        return scaling.pixels(length, self.factor)

    def font(self, name: str) -> tkfont.Font:
        """A named font ("text", "bold", "mono" ...); it stays the same object, and follows the zoom by itself."""
        return self.fonts[name]

    def set_theme(self, theme: Theme) -> None:
        """Show everything in the other theme, and tell the watchers."""
        if theme != self.theme:
            self.theme = theme
            self._change()

    def set_zoom(self, zoom: int) -> None:
        """Show everything at another zoom (-5 to 10; what is outside is brought inside), and tell the watchers."""
        if _within(zoom) != self.zoom:
            self.zoom = _within(zoom)
            self._change()

    def watch(self, callback: Callable[[], None]) -> None:
        """Call this after every change of theme or zoom: for what does not follow by itself, such as text tags,
        ``rowheight`` and lengths given to widgets."""
        self._watchers.append(callback)

    def unwatch(self, callback: Callable[[], None]) -> None:
        """Do not call this any more; for views that go before the window does."""
        if callback in self._watchers:
            self._watchers.remove(callback)

    def close(self) -> None:
        """The window is gone. Its images go now, in Tk's thread: the garbage collector may run in any, and would wait
        there a second for each."""
        for store in (self._images, self._styles, self.emoji):
            store.forget()

    def avatar(self, name: str, size: float = 30) -> tk.PhotoImage:
        """A rounded square with the name's initial, ``size`` design pixels wide. Like all images of the look: the
        same object each time, and drawn again in place when theme or zoom change."""
        return self._images.avatar(name, size)

    def badge(self, count: int, mention: bool = False) -> tk.PhotoImage:
        """A pill with the count of unread messages, red if one of them mentions me."""
        return self._images.badge(count, mention)

    def dot(self, here: bool) -> tk.PhotoImage:
        """For the list of people; has room on its right, so that a name can follow at once."""
        return self._images.dot(here)

    def mark(self, kind: MarkKind, strong: bool = False) -> tk.PhotoImage:
        """A small sign before a name, quiet or ``strong``."""
        return self._images.mark(kind, strong)

    def label(self, text: str, *, filled: bool = False) -> tk.PhotoImage:
        """A pill with a quiet word behind a name; ``filled``: it holds beyond this room."""
        return self._images.label(text, filled)

    def mood_dot(self, mood: Mood) -> tk.PhotoImage:
        """For the status bar."""
        return self._images.mood_dot(mood)

    def set_icon(self, unread: bool) -> None:
        """The icon of the window, in the sizes that desktops ask for; with a dot if something is unread."""
        self.root.iconphoto(True, *(self._images.icon(size, unread) for size in (64, 32, 16)))

    def text_colours(self, *, field: bool = False) -> dict[str, Any]:
        """Options of a tk.Text in these colours. ``field``: it stands in a Field.TFrame."""
        colours = self.palette
        return {
            "background": colours.field_bg if field else colours.bg,
            "foreground": colours.fg,
            "insertbackground": colours.fg,
            "selectbackground": colours.marked,
            "selectforeground": colours.fg,
            "inactiveselectbackground": colours.marked,
        }

    def _change(self) -> None:
        self._images.change(self.palette, self.factor)
        self._restyle()
        for callback in list(self._watchers):
            callback()

    def _restyle(self) -> None:
        for name, font in self.fonts.items():
            font.configure(**self._font_options(name))
        known = set(tkfont.names(self.root))
        for theirs, ours in _TK_FONTS.items():
            if theirs in known:
                tkfont.nametofont(theirs, self.root).configure(**self._font_options(ours))
        self._styles.change(self.palette, self.factor, self.px, self.fonts)

    def _font_options(self, name: str) -> _FontOptions:
        mono, size, bold, italic = _FONTS[name]
        return {
            "family": self.mono_family if mono else self.family,
            "size": -self.px(size),
            "weight": "bold" if bold else "normal",
            "slant": "italic" if italic else "roman",
        }


def _within(zoom: int) -> int:
    return min(max(zoom, scaling.ZOOM_LEAST), scaling.ZOOM_MOST)


def _family(root: tk.Misc, font: str) -> str:
    return str(tkfont.nametofont(font, root).actual("family"))
