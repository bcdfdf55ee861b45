"""The look on a real display: sizes, colours and pictures, and that all of it follows theme and zoom."""

import gc
import tkinter as tk
from tkinter import ttk

import pytest

from chat_client.gui import scale
from chat_client.gui.look import Look
from chat_client.gui.palette import PALETTES, rgb

FONTS = ("text", "bold", "italic", "bolditalic", "small", "small_bold", "mono", "title", "name", "avatar")
WIDGETS = {
    ttk.Frame: ("TFrame", "Side.TFrame", "Field.TFrame", "Side.Field.TFrame", "Rule.TFrame"),
    ttk.Label: (
        "TLabel",
        "Dim.TLabel",
        "Small.TLabel",
        "Title.TLabel",
        "Error.TLabel",
        "Side.TLabel",
        "SideDim.TLabel",
    ),
    ttk.Button: ("TButton", "Accent.TButton", "Link.TButton", "Side.TButton", "Side.Link.TButton"),
    ttk.Entry: ("TEntry", "Side.TEntry"),
    ttk.Combobox: ("TCombobox", "Side.TCombobox"),
    ttk.Checkbutton: ("TCheckbutton", "Side.TCheckbutton"),
    ttk.Treeview: ("Rooms.Treeview", "People.Treeview"),
    ttk.Scrollbar: ("Vertical.TScrollbar", "Side.Vertical.TScrollbar", "Field.Vertical.TScrollbar"),
}


@pytest.fixture
def look(root: tk.Tk) -> Look:
    return Look(root, "light", scale=1)


def pixel(image: tk.PhotoImage, x: float, y: float) -> tuple[int, int, int]:
    """The colour at a place of an image, in parts of its width and height."""
    red, green, blue = image.get(int(x * image.width()), int(y * image.height()))
    return red, green, blue


def colours_of(image: tk.PhotoImage) -> set[tuple[int, int, int]]:
    return {image.get(x, y) for x in range(image.width()) for y in range(image.height())}


def see_through(image: tk.PhotoImage, x: int, y: int) -> bool:
    return bool(image.transparency_get(x, y))


# ---- sizes


@pytest.mark.parametrize(("times", "wanted"), [(1, 14), (1.5, 21), (2, 28)])
def test_lengths_and_fonts_have_the_scale(root: tk.Tk, times: float, wanted: int) -> None:
    look = Look(root, scale=times)
    assert look.px(14) == wanted
    assert look.font("text").cget("size") == -wanted


def test_the_scale_is_that_of_the_display(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "xft_dpi", lambda root: 144.0)
    look = Look(root)
    assert look.scale == 1.5
    assert float(root.tk.call("tk", "scaling")) == pytest.approx(2, abs=0.01)


def test_a_scale_that_is_given_counts(root: tk.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "xft_dpi", lambda root: 144.0)
    assert Look(root, scale=1.25).scale == 1.25
    assert float(root.tk.call("tk", "scaling")) == pytest.approx(2, abs=0.01)  # what Xft does does not change with it


def test_all_fonts_are_there_and_of_a_family_that_is(look: Look, root: tk.Tk) -> None:
    assert {look.font(name).cget("family") for name in FONTS} == {look.family, look.mono_family}
    assert look.font("bold").actual("weight") == "bold"
    assert look.font("italic").actual("slant") == "italic"
    assert look.font("mono").measure("i") == look.font("mono").measure("W")


def test_zoom_changes_fonts_in_place_and_stays_within_bounds(look: Look) -> None:
    font, before = look.font("text"), look.font("text").metrics("linespace")
    look.set_zoom(3)
    assert look.font("text") is font
    assert font.metrics("linespace") > before
    look.set_zoom(99)
    assert look.zoom == scale.ZOOM_MOST
    look.set_zoom(-99)
    assert look.zoom == scale.ZOOM_LEAST
    look.set_zoom(0)
    assert font.metrics("linespace") == before


def test_tks_own_dialogs_have_our_fonts(look: Look, root: tk.Tk) -> None:
    look.set_zoom(2)
    for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont"):
        assert tk.font.nametofont(name, root).actual() == look.font("text").actual()


# ---- themes


def test_watchers_are_told_of_changes_and_of_nothing_else(look: Look) -> None:
    told: list[tuple[str, int]] = []

    def watcher() -> None:
        told.append((look.theme, look.px(10)))

    look.watch(watcher)
    look.set_theme("light")
    look.set_zoom(0)
    assert told == []
    look.set_theme("dark")
    look.set_zoom(1)
    assert told == [("dark", 10), ("dark", 11)]
    look.unwatch(watcher)
    look.set_theme("light")
    assert len(told) == 2


def test_a_watcher_can_go_while_being_told(look: Look) -> None:
    told = []

    def once() -> None:
        look.unwatch(once)
        told.append("once")

    look.watch(once)
    look.watch(lambda: told.append("always"))
    look.set_theme("dark")
    assert told == ["once", "always"]


def test_styles_follow_the_theme(look: Look, root: tk.Tk) -> None:
    style = ttk.Style(root)
    for theme in ("dark", "light"):
        look.set_theme(theme)
        colours = PALETTES[theme]
        assert style.lookup("TFrame", "background") == colours.bg
        assert style.lookup("Side.TLabel", "background") == colours.side
        assert style.lookup("SideDim.TLabel", "foreground") == colours.dim
        assert style.lookup("Accent.TButton", "foreground") == colours.accent_fg
        assert style.lookup("Rooms.Treeview", "background", ["selected"]) == colours.selection
        assert root.cget("background") == colours.bg


def test_every_style_can_be_used_at_every_zoom(look: Look, root: tk.Tk) -> None:
    widgets = [kind(root, style=style) for kind, styles in WIDGETS.items() for style in styles]
    for widget in widgets:
        widget.pack()
    for zoom in range(scale.ZOOM_LEAST, scale.ZOOM_MOST + 1, 3):
        look.set_zoom(zoom)
        look.set_theme("dark" if zoom % 2 else "light")
        root.update()
    assert all(widget.winfo_reqwidth() > 0 for widget in widgets)


def test_a_button_grows_with_the_zoom_and_shrinks_back(look: Look, root: tk.Tk) -> None:
    button = ttk.Button(root, text="Send", style="Accent.TButton")
    button.pack()
    root.update()
    before = (button.winfo_reqwidth(), button.winfo_reqheight())
    look.set_zoom(5)
    root.update()
    assert button.winfo_reqheight() > before[1]
    look.set_zoom(0)
    root.update()
    assert (button.winfo_reqwidth(), button.winfo_reqheight()) == before


def test_the_list_of_a_combobox_follows_the_theme(look: Look, root: tk.Tk) -> None:
    box = ttk.Combobox(root, values=["one"])
    popdown = str(root.tk.call("ttk::combobox::PopdownWindow", box))  # the list is there from its first use on
    listed = f"{popdown}.f.l"
    assert str(root.tk.call(listed, "cget", "-background")) == PALETTES["light"].field_bg
    look.set_theme("dark")
    assert str(root.tk.call(listed, "cget", "-background")) == PALETTES["dark"].field_bg
    assert str(root.tk.call(listed, "cget", "-foreground")) == PALETTES["dark"].fg
    other = ttk.Combobox(root)
    listed = f"{root.tk.call('ttk::combobox::PopdownWindow', other)}.f.l"
    assert str(root.tk.call(listed, "cget", "-background")) == PALETTES["dark"].field_bg


def test_menus_and_windows_follow_the_theme(look: Look, root: tk.Tk) -> None:
    menu, window = tk.Menu(root), tk.Toplevel(root)
    assert (str(menu.cget("background")), window.cget("background")) == (look.palette.field_bg, look.palette.bg)
    look.set_theme("dark")
    assert (str(menu.cget("background")), window.cget("background")) == (look.palette.field_bg, look.palette.bg)
    assert str(menu.cget("foreground")) == look.palette.fg
    assert str(tk.Menu(root).cget("background")) == look.palette.field_bg


def test_a_text_can_be_given_the_colours(look: Look, root: tk.Tk) -> None:
    text = tk.Text(root, **look.text_colours(field=True))
    look.set_theme("dark")
    text.configure(**look.text_colours(field=True))
    assert text.cget("background") == PALETTES["dark"].field_bg
    assert text.cget("insertbackground") == PALETTES["dark"].fg


def test_two_windows_look_as_each_wants(root: tk.Tk, look: Look) -> None:
    other = tk.Tk()
    try:
        second = Look(other, "dark", scale=2)
        assert ttk.Style(root).lookup("TFrame", "background") == PALETTES["light"].bg
        assert ttk.Style(other).lookup("TFrame", "background") == PALETTES["dark"].bg
        assert second.avatar("Ann").width() == 2 * look.avatar("Ann").width()
        ttk.Label(other, image=second.avatar("Ann")).pack()
        ttk.Label(root, image=look.avatar("Ann")).pack()
        other.update()
        second.set_theme("light")
    finally:
        other.destroy()
    look.set_theme("dark")
    root.update()


# ---- pictures


@pytest.mark.parametrize("times", [1, 1.5, 2])
def test_an_avatar_has_the_names_colour_and_round_corners(root: tk.Tk, times: float) -> None:
    look = Look(root, scale=times)
    image = look.avatar("Ann")
    assert image.width() == image.height() == look.px(30)
    assert pixel(image, 0.5, 0.1) == rgb(look.palette.name_colour("Ann"))
    assert see_through(image, 0, 0)
    assert rgb(look.palette.avatar_fg) in colours_of(image)  # its initial


@pytest.mark.parametrize("name", ["Ömer", "Жанна", "李雷", "محمد", "ไทย", "ß", "जय", "ᚠ", "", "#", "\U0010ffff"])
def test_every_name_has_an_avatar(look: Look, name: str) -> None:
    assert look.avatar(name).width() == look.px(30)


def test_the_same_name_has_the_same_picture(look: Look) -> None:
    assert look.avatar("Ann") is look.avatar("ANN")
    assert look.avatar("Ann", 20).width() == look.px(20)


def test_pictures_are_drawn_again_in_place(look: Look, root: tk.Tk) -> None:
    avatar, badge, dot = look.avatar("Ann"), look.badge(3), look.dot(True)
    label = ttk.Label(root, image=avatar)
    label.pack()
    look.set_theme("dark")
    assert look.avatar("Ann") is avatar
    assert pixel(avatar, 0.5, 0.1) == rgb(PALETTES["dark"].name_colour("Ann"))
    assert rgb(PALETTES["dark"].good) in colours_of(dot)
    width = badge.width()
    look.set_zoom(5)
    root.update()
    assert avatar.width() == look.px(30)
    assert label.winfo_reqwidth() >= look.px(30)
    assert badge.width() > width


def test_a_badge_is_wide_enough_and_ends_at_99(look: Look) -> None:
    one, two, three = look.badge(1), look.badge(12), look.badge(99)
    assert one.width() == one.height()
    assert one.width() < two.width() < look.badge(100).width()
    assert look.badge(100) is look.badge(5000)
    assert abs(two.width() - three.width()) <= 2
    assert pixel(look.badge(3, True), 0.5, 0.1) == rgb(look.palette.badge_mention_bg)
    assert pixel(look.badge(3), 0.5, 0.1) == rgb(look.palette.badge_bg)


def test_dots_differ_in_shape_as_well_as_in_colour(look: Look) -> None:
    here, away = look.dot(True), look.dot(False)
    middle = here.height() // 2
    assert not see_through(here, middle, middle)
    assert see_through(away, middle, middle)
    good, busy, bad = (look.mood_dot(mood) for mood in ("good", "busy", "bad"))
    middle = good.height() // 2
    assert [see_through(dot, middle, middle) for dot in (good, busy, bad)] == [False, True, False]
    assert [rgb(look.palette.good) in colours_of(dot) for dot in (good, busy, bad)] == [True, False, False]


def test_the_window_has_an_icon(look: Look, root: tk.Tk) -> None:
    look.set_icon(False)
    look.set_icon(True)
    root.update()


def test_no_picture_is_lost_to_the_collector(look: Look, root: tk.Tk) -> None:
    name = str(look.avatar("Ann"))
    gc.collect()
    assert name in root.image_names()
