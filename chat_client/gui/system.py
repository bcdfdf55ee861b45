"""Whether the system's own theme is light or dark; asking may take a while, so do it in a thread of its own."""

import os
import shutil
import subprocess
import sys
import threading

from chat_client.gui.palette import Theme

_ANSWER_SECONDS = 5
_DESKTOP = "org.gnome.desktop.interface"
_DARK_WORDS = {"dark", "darker", "darkest", "black", "inverse", "noir"}


def theme() -> Theme | None:
    """The system's theme; None if it does not say. Never raises; may be called in any thread."""
    try:
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            return _macos()
        return _linux()
    except Exception:  # a wrong colour is no reason to fail, whatever a desktop may come up with
        return None


class ThemeWatch:
    """Asks for the theme every so often, in a thread of its own; ``last`` is what was found, None: nothing yet."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.last: Theme | None = None
        self._seconds = seconds
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="theme", daemon=True).start()

    def stop(self) -> None:
        """End soon."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.last = theme() or self.last
            self._stopped.wait(self._seconds)


def _linux() -> Theme | None:
    if named := os.environ.get("GTK_THEME"):
        return by_name(named)
    wish = _ask("gsettings", "get", _DESKTOP, "color-scheme")
    if wish and "prefer-" in wish:
        return "dark" if "prefer-dark" in wish else "light"
    # "default" leaves it to the theme, which older desktops, and others than GNOME, have alone.
    named = _ask("gsettings", "get", _DESKTOP, "gtk-theme")
    return by_name(named) if named else None


def by_name(theme_name: str) -> Theme:
    """What the name of a GTK theme tells: "Adwaita:dark", "Yaru-blue-dark", "Mint-Y-Dark-Aqua" are dark."""
    words = set(theme_name.strip(" '\"\n").casefold().replace(":", "-").replace("_", "-").split("-"))
    return "dark" if words & _DARK_WORDS else "light"


def _macos() -> Theme:
    # In the light theme the key is not there at all.
    return "dark" if "dark" in (_ask("defaults", "read", "-g", "AppleInterfaceStyle") or "").casefold() else "light"


if sys.platform == "win32":
    import winreg

    def _windows() -> Theme:
        path = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as key:
            light, _ = winreg.QueryValueEx(key, "AppsUseLightTheme")
        return "light" if light else "dark"


def _ask(*command: str) -> str | None:
    """What a program prints; None if it is not there, fails or takes too long."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, *command[1:]], capture_output=True, stdin=subprocess.DEVNULL, timeout=_ANSWER_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("utf-8", "replace").strip() if answer.returncode == 0 else None
