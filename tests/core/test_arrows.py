"""Who may import what (DESIGN.md, section 6), and other rules that only a look at the source can hold."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chat_core import VERSION

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("chat_core", "chat_broker", "chat_client", "bots")
SOURCES = [ROOT / "broker.py", *(file for part in PARTS for file in sorted((ROOT / part).rglob("*.py")))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

SERVING = "chat_broker/serving/"
# module -> where alone it may be imported: folders, files
ALLOWED = {
    "chat_broker": ("chat_broker/", "broker.py"),
    "chat_broker.serving": (SERVING, "broker.py"),
    "chat_client": ("chat_client/", "bots/"),
    "zmq": (SERVING, "chat_client/link.py", "chat_client/identity.py", "bots/"),
    "threading": (
        SERVING,
        *(f"chat_client/{name}.py" for name in ("link", "bot", "client", "backend", "hosting", "gui/system")),
    ),
    "sqlite3": ("chat_broker/schema.py", "chat_broker/store.py", "chat_client/outbox.py", "chat_client/replica.py"),
    "socket": (SERVING, "chat_client/", "bots/"),
    "time": (
        SERVING,
        "chat_client/client.py",
        "chat_client/cli/",
        "chat_client/link.py",
        "chat_client/outbox.py",
        "chat_client/backend.py",
        "chat_client/hosting.py",
    ),
    "tkinter": ("chat_client/gui/", "chat_client/cli/window.py"),
    "msgspec.json": ("chat_core/wire.py",),
    "json": ("bots/",),
}


@functools.cache
def imported(source: str, package: str = "") -> set[str]:
    """The modules that a source imports, and their names: "a" and "a.b" for ``from a import b``; msgspec.json if used.
    ``package``: what its relative imports start from."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "msgspec.json":
            found.add("msgspec.json")
    return found


def sleeps(source: str) -> list[int]:
    """The lines in which something named sleep is called."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if re.fullmatch(r"(.*\.)?sleep", ast.unparse(call.func), re.DOTALL)]


def place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", ALLOWED)
def test_a_module_is_imported_only_where_it_may_be(module: str) -> None:
    wrong = []
    for file in SOURCES:
        names = imported(file.read_text(encoding="utf-8"), ".".join(file.relative_to(ROOT).parent.parts))
        if any(f"{name}.".startswith(f"{module}.") for name in names) and not place(file).startswith(ALLOWED[module]):
            wrong.append(place(file))
    assert wrong == []


def test_every_source_is_looked_at() -> None:
    assert {"chat_core/wire.py", "chat_broker/serving/loop.py", "chat_client/session.py", "broker.py"} <= set(
        map(place, SOURCES)
    )


@pytest.mark.parametrize(
    ("source", "package", "module"),
    [
        ("import zmq", "", "zmq"),
        ("import os, zmq.auth as auth", "", "zmq.auth"),
        ("from zmq import Context", "", "zmq"),
        ("def f():\n    import zmq", "", "zmq"),
        ("from msgspec import json", "", "msgspec.json"),
        ("import msgspec\nmsgspec.json.encode(1)", "", "msgspec.json"),
        ("from . import store", "chat_broker", "chat_broker.store"),
        ("from .serving import loop", "chat_broker", "chat_broker.serving.loop"),
        ("from ..store import Store", "chat_broker.serving", "chat_broker.store"),
    ],
)
def test_every_form_of_import_is_seen(source: str, package: str, module: str) -> None:
    assert module in imported(source, package)


@pytest.mark.parametrize("module", ["cli", "link", "bot"])
@pytest.mark.real
def test_the_client_without_its_window_loads_no_tkinter(module: str) -> None:
    script = f"import sys, chat_client.{module}; sys.exit('tkinter' in sys.modules or '_tkinter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60).returncode == 0


@pytest.mark.parametrize("file", TESTS, ids=place)
def test_no_test_sleeps(file: Path) -> None:
    assert sleeps(file.read_text(encoding="utf-8")) == []


def test_every_form_of_sleep_is_seen() -> None:
    assert sleeps("time.sleep(1)\nsleep(\n1)\nself.clock.sleep()\nasleep(1)\nsleeping.start()\nsleep = 1") == [1, 2, 4]


@pytest.mark.parametrize("file", SOURCES, ids=place)
def test_a_module_begins_with_a_sentence_on_one_line(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")), clean=False) or ""
    assert re.match(r"\S.*?[.!?](\s|$)", docstring.split("\n")[0])


def test_the_version_is_the_same_everywhere() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION
    changes = ROOT / "CHANGELOG.md"
    assert not changes.exists() or re.search(rf"(?<![\d.]){re.escape(VERSION)}(?![\d.])", changes.read_text("utf-8"))
