"""The drawn elements of the ttk styles: rounded fields, buttons, rows and thumbs, made for one size at a time."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from PIL import Image, ImageDraw

from chat_client.gui.images import FINER, add_box, box, encoded, stretched
from chat_client.gui.palette import Palette, rgb
from chat_client.gui.scale import pixels

RADIUS = 8.0
# Elements are drawn with what is behind them: these are for the lists at the sides, and for what is inside a field.
SIDE, FIELD = "side.", "field."
_Draw = Callable[[], Image.Image]
# When it looks like this; the first that fits wins. "active" is ttk's word for the pointer over it.
_State = tuple[tuple[str, ...], _Draw]
_Spec = tuple[*tuple[str, ...], tk.PhotoImage]
_NOTHING = encoded(Image.new("RGBA", (1, 1)))


class Patches:
    """The elements of one Tk, named "look<size>.<kind>"; for its thread only.

    Elements of ttk can be made but never changed: another theme draws their images again in place, and another zoom
    has elements of its own, since the width of their edges is fixed.
    """

    def __init__(self, root: tk.Misc, style: ttk.Style) -> None:
        self._root = root
        self._style = style
        self._images: dict[tuple[str, int], tk.PhotoImage] = {}
        self._made: set[str] = set()
        self._colours: Palette
        self._factor = 1.0

    def change(self, colours: Palette, factor: float) -> None:
        """Make (or draw again) all elements in these colours, at this size."""
        if factor != self._factor:
            # No layout will use the elements of the size before: a session of zooming must not keep every size.
            for image in self._images.values():
                image.configure(data=_NOTHING)
        self._colours = colours
        self._factor = factor
        for prefix, back in (("", colours.bg), (SIDE, colours.side)):
            for make in (self._fields, self._quiet, self._accent, self._links, self._thumbs):
                make(prefix, back)
        self._thumbs(FIELD, colours.field_bg)
        self._rows()
        self._marks()

    def forget(self) -> None:
        """Nothing is shown any more."""
        self._images.clear()

    def name(self, kind: str) -> str:
        """The element of this kind at the present size."""
        return f"look{round(self._factor * 1000)}.{kind}"

    def _px(self, length: float) -> int:
        return pixels(length, self._factor)

    def _element(
        self,
        kind: str,
        edge: int,
        normal: _Draw,
        *states: _State,
        padding: tuple[int, int] = (0, 0),
        size: tuple[int, int] = (0, 0),
    ) -> None:
        """``edge``: how wide the parts are that are not repeated; 0: the picture is shown as it is. ``padding``:
        around what is in it; ``size``: its least width and height."""
        name = self.name(kind)
        drawn = [self._image(name, n, draw) for n, draw in enumerate([normal, *(draw for _, draw in states)])]
        if name in self._made:
            return
        specs: list[_Spec] = [(*state, image) for (state, _), image in zip(states, drawn[1:], strict=True)]
        if edge:
            # Without width and height the image's own size would be the least that the element can have.
            self._style.element_create(
                name,
                "image",
                drawn[0],
                *specs,
                border=edge,
                padding=padding,
                sticky="nsew",
                width=size[0],
                height=size[1],
            )
        else:
            self._style.element_create(name, "image", drawn[0], *specs, sticky="")
        self._made.add(name)

    def _image(self, name: str, number: int, draw: _Draw) -> tk.PhotoImage:
        key = (name, number)
        data = encoded(draw())
        if key in self._images:
            self._images[key].configure(data=data)
        else:
            self._images[key] = tk.PhotoImage(master=self._root, data=data)
        return self._images[key]

    def _box(
        self,
        back: str | None,
        fill: str | None,
        outline: str | None = None,
        line: float = 1,
        radius: float = RADIUS,
        inset: float = 0,
    ) -> _Draw:
        """A nine-patch of a rounded rectangle on ``back``; lengths are the design's."""
        thick = max(1, self._px(line)) if outline else 0
        space, edge, round_by = self._px(inset), self._edge(radius), self._px(radius)

        def draw() -> Image.Image:
            picture = self._blank(edge, back)
            add_box(picture, round_by, fill, outline, thick, space)
            return stretched(picture, edge)

        return draw

    def _edge(self, radius: float = RADIUS) -> int:
        return self._px(radius) + 1

    def _blank(self, edge: int, back: str | None) -> Image.Image:
        """Of the least size that a nine-patch needs. Tk draws what is nowhere see-through ten times as fast, since for
        smooth edges on nothing it has to ask the display what is below each copy of the middle."""
        side = 2 * edge + 2
        return Image.new("RGBA", (side, side), rgb(back) if back else (0, 0, 0, 0))

    def _fields(self, prefix: str, back: str) -> None:
        c = self._colours
        self._element(
            f"{prefix}field",
            self._edge(),
            self._box(back, c.field_bg, c.field_line),
            (("disabled",), self._box(back, c.bg, c.line)),
            (("invalid", "focus"), self._box(back, c.field_bg, c.danger, 2)),
            (("invalid",), self._box(back, c.field_bg, c.danger)),
            (("focus",), self._box(back, c.field_bg, c.accent, 1.5)),
        )

    def _quiet(self, prefix: str, back: str) -> None:
        c = self._colours
        self._element(
            f"{prefix}quiet",
            self._edge(),
            self._box(back, c.field_bg, c.field_line),
            (("disabled",), self._box(back, None, c.line)),
            (("pressed",), self._box(back, c.press, c.field_line)),
            (("focus", "active"), self._box(back, c.hover, c.accent, 2)),
            (("focus",), self._box(back, c.field_bg, c.accent, 2)),
            (("active",), self._box(back, c.hover, c.field_line)),
        )

    def _accent(self, prefix: str, back: str) -> None:
        c = self._colours
        for kind, fill, hover, press in (
            ("accent", c.accent, c.accent_hover, c.accent_press),
            ("danger", c.danger, c.danger, c.danger),
        ):
            self._element(
                f"{prefix}{kind}",
                self._edge(),
                self._box(back, fill),
                (("disabled",), self._box(back, c.press)),
                (("pressed",), self._box(back, press)),
                (("focus", "active"), self._ringed(back, hover)),
                (("focus",), self._ringed(back, fill)),
                (("active",), self._box(back, hover)),
            )

    def _ringed(self, back: str, fill: str) -> _Draw:
        """A filled button with a ring inside it: around it, the accent's colour would be no ring."""
        edge, round_by = self._edge(), self._px(RADIUS)
        line, space, colour = max(1, self._px(1.5)), self._px(2), self._colours.accent_fg

        def draw() -> Image.Image:
            picture = self._blank(edge, back)
            add_box(picture, round_by, fill)
            add_box(picture, round_by - space, None, colour, line, space)
            return stretched(picture, edge)

        return draw

    def _links(self, prefix: str, back: str) -> None:
        c = self._colours
        self._element(
            f"{prefix}link",
            self._edge(6),
            self._box(back, None, radius=6),
            (("disabled",), self._box(back, None, radius=6)),
            (("pressed",), self._box(back, c.press, radius=6)),
            (("focus", "active"), self._box(back, c.hover, c.accent, 2, radius=6)),
            (("focus",), self._box(back, None, c.accent, 2, radius=6)),
            (("active",), self._box(back, c.hover, radius=6)),
        )

    def _rows(self) -> None:
        """The background of a list's rows."""
        c = self._colours
        self._element(
            "row",
            self._edge(6),
            self._box(None, None, radius=6),
            (("selected", "focus"), self._box(c.side, c.selection, c.accent, 1.5, radius=6)),
            (("selected",), self._box(c.side, c.selection, radius=6)),
            (("focus",), self._box(c.side, c.side, c.accent, 1.5, radius=6)),
        )

    def _thumbs(self, prefix: str, back: str) -> None:
        c = self._colours
        wide, long = self._px(11), self._px(32)
        for kind, size in (("thumb", (wide, long)), ("flat.thumb", (long, wide))):
            self._element(
                f"{prefix}{kind}",
                self._edge(5),
                self._box(back, c.scroll, radius=5, inset=2),
                (("disabled",), self._box(back, None, radius=5)),
                (("pressed",), self._box(back, c.scroll_hover, radius=5, inset=2)),
                (("active",), self._box(back, c.scroll_hover, radius=5, inset=2)),
                size=size,
            )

    def _marks(self) -> None:
        c = self._colours
        self._element(
            "tick",
            0,
            self._tick(c.field_bg, c.scroll_hover, False),
            (("disabled", "selected"), self._tick(c.press, None, True)),
            (("disabled",), self._tick(c.bg, c.line, False)),
            (("alternate",), self._tick(c.field_bg, c.scroll_hover, False)),
            (("selected", "focus"), self._tick(c.accent, None, True)),
            (("selected",), self._tick(c.accent, None, True)),
            (("focus",), self._tick(c.field_bg, c.accent, False)),
        )
        ring = self._box(None, None, c.accent, 1.5, radius=5)
        space = (self._px(5), self._px(1))
        self._element("ring", self._edge(5), self._box(None, None, radius=5), (("focus",), ring), padding=space)
        self._element("arrow", 0, self._arrow(c.dim), (("disabled",), self._arrow(c.line)))

    def _tick(self, fill: str, outline: str | None, ticked: bool) -> _Draw:
        def draw() -> Image.Image:
            side = self._px(16)
            picture = box(side, side, self._px(4), fill, outline, max(1, self._px(1.25)))
            if ticked:
                points = [(0.24, 0.52), (0.43, 0.7), (0.76, 0.33)]
                picture.alpha_composite(self._stroke(side, points, self._colours.accent_fg, 0.12))
            return picture

        return draw

    def _arrow(self, colour: str) -> _Draw:
        return lambda: self._stroke(self._px(12), [(0.2, 0.36), (0.5, 0.66), (0.8, 0.36)], colour, 0.13)

    def _stroke(self, side: int, points: list[tuple[float, float]], colour: str, thick: float) -> Image.Image:
        large = Image.new("RGBA", (side * FINER, side * FINER), (*rgb(colour), 0))
        pen = ImageDraw.Draw(large)
        places = [(x * side * FINER, y * side * FINER) for x, y in points]
        width = thick * side * FINER
        pen.line(places, fill=colour, width=round(width), joint="curve")
        for x, y in (places[0], places[-1]):
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)
        return large.resize((side, side), Image.Resampling.BOX)
