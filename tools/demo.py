"""The chat at a glance: a broker, the windows of Ada and Grace side by side, a bot, and a conversation going on.

    python tools/demo.py

Everything is on free ports of this machine and in a temporary folder; your own keys and settings are not touched. It
ends, and the folder goes, when both windows are closed, or with Ctrl-C.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from chat_client.client import Client  # noqa: E402
from chat_client.flight import Settled  # noqa: E402
from chat_client.identity import open_identity  # noqa: E402
from chat_core import messages as m  # noqa: E402
from chat_core.address import Address, parse_address  # noqa: E402
from chat_core.errors import RefusedError, UnreachableError  # noqa: E402
from tools import display  # noqa: E402

# Longer than anything here takes to start.
PATIENCE_SECONDS = 30.0
LIVE_SECONDS = 1.5  # between two messages that come in while one looks
EDGE = 12  # design pixels between a window and the edge of the screen

WINDOWS, TALKERS, LEAVER = ("Ada", "Grace"), ("Priya", "Tomás"), "Wen Li"
LOBBY, ENGINEERING, LUNCH, WATCH = "lobby", "engineering", "lunch", "harbour-watch"
Script = list[tuple[str, str, str]]  # who, where, what

EARLIER: Script = [
    ("Priya", LOBBY, "Good morning! This is the lobby: whoever comes for the first time is here."),
    ("Tomás", LOBBY, "Morning 👋 the coffee machine is **new** ☕ and it is *loud*"),
    ("Wen Li", LOBBY, "There is a dice bot here: `!roll 20` or `!choose tea, coffee`"),
    ("Tomás", LOBBY, "!roll 20"),
    ("Priya", ENGINEERING, "Who has seen this?\n```\npoller.poll(1000)\nzmq.error.ZMQError: Too many open files\n```"),
    ("Tomás", ENGINEERING, "> Too many open files\nthat is `ulimit -n`; 4096 is enough for everybody 🚀"),
    ("Wen Li", LUNCH, "🍜"),
    ("Priya", WATCH, "*Aurora* in at 9:40, *Kestrel* out at 10:05 🇳🇴 ⛴️"),
]
# It counts as unread where nobody looks.
LIVE: Script = [
    ("Tomás", ENGINEERING, "@Ada could you look at `RCVHWM` on the PUB side before the noon deploy?"),
    ("Priya", LUNCH, "noodles at twelve? 👩‍🍳"),
    ("Tomás", LUNCH, "Grace, too 👍🏽"),
    ("Priya", ENGINEERING, "build 4182 passed in 3m12s ✅ https://zeromq.org"),
    ("Tomás", LOBBY, "Ada, Grace: write something to each other! F1 shows the keys."),
]


class Demo:
    """The programs that run, with their files in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.windows: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []

    def start(self, *command: object) -> "subprocess.Popen[bytes]":
        """Start one of our programs; what it has to say goes into a file."""
        # In a group of its own: Ctrl-C is for the demo, which stops them all in order.
        apart = {"creationflags": 0x200} if os.name == "nt" else {"start_new_session": True}
        words = [sys.executable, *(str(word) for word in command)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with (self.folder / "demo.log").open("ab") as log:
            process = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **apart
            )  # type: ignore[call-overload]  # fmt: skip
        self._all.append(process)
        return process

    def start_broker(self) -> Address:
        """Start the broker, on free ports; returns where it is."""
        ready, data = self.folder / "broker.ready", self.folder / "data"
        command = [ROOT / "broker.py", "--port", 0, "--bind", "127.0.0.1", "--data", data, "--ready-file", ready]
        process = self.start(*command)
        if not wait_until(lambda: ready.exists() or process.poll() is not None) or not ready.exists():
            raise SystemExit(f"The broker does not start: {self.log()}")
        return parse_address(json.loads(ready.read_text())["join"])

    def start_window(self, name: str, address: Address) -> None:
        """Open the window of this person, beside those that are open."""
        place, own = len(self.windows), self.folder / name
        self.windows.append(self.start(__file__, "--window", name, address.join, own, place))

    def closed(self) -> bool:
        """Are all windows closed?"""
        return all(window.poll() is not None for window in self.windows)

    def log(self) -> str:
        """What the programs have printed."""
        return (self.folder / "demo.log").read_text("utf-8", "replace")

    def stop(self) -> None:
        """Stop everything, the broker last."""
        for process in reversed(self._all):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until it is true; False if it is not in so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def people(address: Address, folder: Path, *names: str) -> Iterator[dict[str, Client]]:
    """These people, connected and members of all rooms."""
    with contextlib.ExitStack() as stack:
        clients = {}
        for name in names:
            client = stack.enter_context(Client(address, open_identity(folder / name), name))
            client.connect(PATIENCE_SECONDS)
            for room in (ENGINEERING, LUNCH, WATCH):
                try:
                    client.ask(m.Join(room=room))
                except RefusedError:
                    client.ask(m.Create(room=room))
            clients[name] = client
        yield clients


def here(client: Client) -> set[str]:
    """The names of those who are connected."""
    reply = client.ask(m.Who())
    return {person.name for person in reply.people} if isinstance(reply, m.Here) else set()


def say(client: Client, room: str, text: str) -> None:
    """Say something; when this returns it is in the log, and what others say comes behind it."""
    row = client.post(room, text)
    wait_until(lambda: isinstance(news := client.next(0.05), Settled) and news.row == row)


def play(folder: Path) -> int:
    """Run the demo in an empty folder; returns the exit status."""
    demo = Demo(folder)
    try:
        address = demo.start_broker()
        demo.start(ROOT / "bots" / "dice.py", address.join, folder / "dice")
        with people(address, folder, *TALKERS) as clients:
            with people(address, folder, *WINDOWS, LEAVER) as others:
                wait_until(lambda: "dice" in here(clients["Priya"]))
                for name, room, text in EARLIER:
                    say((clients | others)[name], room, text)
            for name in WINDOWS:
                demo.start_window(name, address)
            print("Ada and Grace open their windows. To end: close both, or Ctrl-C here.", flush=True)
            wait_until(lambda: demo.closed() or set(WINDOWS) <= here(clients["Priya"]))
            for name, room, text in LIVE:
                if not wait_until(demo.closed, LIVE_SECONDS):
                    say(clients[name], room, text)
            wait_until(demo.closed, float("inf"))
        if any(window.returncode for window in demo.windows):
            print(demo.log(), file=sys.stderr)
            return 1
        return 0
    except UnreachableError as problem:
        print(f"{problem}\n{demo.log()}", file=sys.stderr)
        return 1
    finally:
        demo.stop()


def show_window(name: str, address: str, folder: Path, place: int) -> int:
    """Be one of the two windows, the left (``place`` 0) or the right one; returns the exit status."""
    from chat_client.gui.app import App, Wish
    from chat_client.gui.window import SMALLEST, USUAL

    app = App(Wish(name, address, identity=folder), settings=folder / "window.json")
    app.start()
    root, edge = app.root, app.look.px(EDGE)
    half = root.winfo_screenwidth() // 2
    wide = min(app.look.px(USUAL[0]), max(half - 2 * edge, app.look.px(SMALLEST[0])))
    high = min(app.look.px(USUAL[1]), root.winfo_screenheight() - 8 * edge)
    root.geometry(f"{wide}x{high}+{half - wide - edge if place == 0 else half + edge}+{4 * edge}")
    root.mainloop()
    return 0


def main() -> int:
    """Run the demo, or one of its windows; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.window:
        name, address, folder, place = args.window
        return show_window(name, address, Path(folder), int(place))
    if not display.there_is_one():
        print(display.ADVICE.format(command="make demo"), file=sys.stderr)
        return 1

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        with tempfile.TemporaryDirectory(prefix="zmq-chat-demo-", ignore_cleanup_errors=True) as folder:
            return play(Path(folder))
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
