"""The gallery: pictures of the window in both themes, at three scales, three widths and in every state.

    python tools/shots.py [OUT] [--only NAME] [--readme]

Without a network: a script tells the real window what has happened (`scenes.py` on `stage.py`). Without a display it
starts an Xvfb. OUT (``shots``) gets PNGs and an index.html. ``--readme`` makes the two pictures of the README instead.
"""

import argparse
import html
import logging
import os
import sys
import time
import tkinter as tk
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageGrab

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from chat_client.gui.look import Look  # noqa: E402
from chat_client.gui.menus import Menus  # noqa: E402
from chat_client.gui.palette import Theme  # noqa: E402
from chat_client.gui.question import Question  # noqa: E402
from chat_client.gui.window import SMALLEST, USUAL  # noqa: E402
from tools import display, scenes  # noqa: E402
from tools.setting import Setting  # noqa: E402

THEMES: tuple[Theme, ...] = ("light", "dark")
SCALES, STATE_SCALES, README_SCALE = (1.0, 1.5, 2.0), (1.0, 2.0), 2.0
WIDTHS, HEIGHT = (480, 760, 1200), 640
# What is not drawn within this is not in the picture: emoji come in a few at a time.
SETTLE_SECONDS = 0.15


@dataclass(frozen=True)
class Shot:
    """A picture to be taken; width and height are those of the design."""

    name: str
    scene: scenes.Scene
    width: int
    height: int


class Camera:
    """A window at one scale. Belongs to the thread that made it."""

    def __init__(self, scale: float) -> None:
        self.root = tk.Tk()
        self.root.overrideredirect(True)  # no window manager gives it another size
        self.root.report_callback_exception = self._broken
        self.look = Look(self.root, "light", scale)
        self._setting = Setting(
            self.root, self.look, Question(self.root, self.look), Menus(self.root, self.look), self.settle
        )

    def take(self, shot: Shot) -> Image.Image:
        """Set the scene, and take the picture."""
        size = self.look.px(shot.width), self.look.px(shot.height)
        self.root.geometry(f"{size[0]}x{size[1]}+0+0")
        self.root.update()
        self.root.focus_force()
        self.settle()
        end = shot.scene(self._setting)
        self.settle()
        self.settle()
        assert (self.root.winfo_width(), self.root.winfo_height()) == size, "the window has another size"
        picture = ImageGrab.grab((0, 0, *size), xdisplay=os.environ.get("DISPLAY"))
        end()
        return picture

    def settle(self) -> None:
        """Let Tk do what is to be done."""
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until:
            self.root.update()
            time.sleep(0.005)

    def close(self) -> None:
        """Close the window."""
        for waiting in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.after_cancel(waiting)
        self.root.destroy()

    @staticmethod
    def _broken(kind: object, value: BaseException, trace: object) -> None:
        logging.error("the window broke", exc_info=value)


class _Strict(logging.StreamHandler):  # type: ignore[type-arg]
    """What goes wrong in the window is logged there; here nobody would notice that a picture shows half of it."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if record.levelno >= logging.ERROR:
            os._exit(1)  # Tk would catch an exception, and go on


def gallery(only: str) -> Iterator[tuple[str, Theme, float, Shot]]:
    """What there is to take: its name, theme, scale and scene."""
    busy = [Shot(f"busy-{width}", scenes.office, width, HEIGHT) for width in WIDTHS]
    busy.append(Shot("busy-smallest", scenes.office, *SMALLEST))
    states = [Shot(name, *of) for name, of in scenes.STATES.items()]
    for scale in SCALES:
        for theme in THEMES:
            for shot in busy + (states if scale in STATE_SCALES else []):
                if only in shot.name:
                    yield f"{shot.name}-{theme}-{scale:g}x", theme, scale, shot


def take_all(out: Path, only: str) -> list[str]:
    """Take the gallery; returns the names of the pictures."""
    names, camera = [], None
    for name, theme, scale, shot in gallery(only):
        if camera is None or camera.look.scale != scale:
            if camera is not None:
                camera.close()
            camera = Camera(scale)
        camera.look.set_theme(theme)
        camera.take(shot).save(out / f"{name}.png")
        names.append(name)
    if camera is not None:
        camera.close()
    return names


def take_readme() -> None:
    """The two pictures of the README; with so few colours that they load at once."""
    camera = Camera(README_SCALE)
    for theme in THEMES:
        camera.look.set_theme(theme)
        picture = camera.take(Shot("readme", scenes.office, *USUAL))
        file = ROOT / "docs" / f"window-{theme}.png"
        picture.quantize(200, dither=Image.Dither.NONE).save(file, optimize=True)
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
    camera.close()


def index(names: list[str]) -> str:
    """A page of all pictures, the two themes side by side."""
    figures = "\n".join(
        f'<figure><a href="{html.escape(name)}.png"><img src="{html.escape(name)}.png" alt="" loading="lazy"></a>'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name in sorted(names, key=lambda name: (name.rpartition("-")[0].rpartition("-")[0], name[-4:], name))
    )
    style = (
        "body{font:14px sans-serif;display:grid;grid-template-columns:repeat(auto-fill,minmax(420px,1fr));gap:20px}"
        "figure{margin:0}img{width:100%;border:1px solid #888}figcaption{color:#666}"
    )
    return f'<!doctype html><meta charset="utf-8"><title>zmq-chat</title><style>{style}</style>\n{figures}\n'


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "shots", metavar="OUT")
    parser.add_argument("--only", default="", metavar="NAME", help="only those with this in their name")
    parser.add_argument("--readme", action="store_true", help="docs/window-light.png and docs/window-dark.png instead")
    args = parser.parse_args()
    logging.basicConfig(handlers=[_Strict()])
    with display.some_screen("python tools/shots.py"):
        if args.readme:
            take_readme()
            return
        args.out.mkdir(parents=True, exist_ok=True)
        names = take_all(args.out, args.only)
        (args.out / "index.html").write_text(index(names), encoding="utf-8")
        print(f"{len(names)} pictures: {args.out / 'index.html'}")


if __name__ == "__main__":
    main()
