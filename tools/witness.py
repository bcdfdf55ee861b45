"""A pytest plugin for `mutants.py`: writes down what became of each test, and which modules were really loaded.

One JSON object a line, at once, into the file that MUTANT_WITNESS names: a run that has to be killed has left it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path.cwd().resolve()
HUNG = "from pytest-timeout"


def _write(**line: Any) -> None:
    with open(os.environ["MUTANT_WITNESS"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def pytest_runtest_logstart(nodeid: str) -> None:
    _write(test=nodeid, outcome="started")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Any:
    report = yield
    if call.when == "call" or report.outcome != "passed":
        error = call.excinfo.type.__name__ if call.excinfo else ""
        hung = call.excinfo is not None and HUNG in str(call.excinfo.value)
        _write(test=item.nodeid, phase=call.when, outcome=report.outcome, error=error, hung=hung)
    return report


def pytest_sessionfinish() -> None:
    _write(strays=sorted(strays()))


def strays() -> set[str]:
    """Files of modules that the tree under test has as well, but that were loaded from somewhere else."""
    ours = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()}
    loaded = {
        module.__file__
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in ours and getattr(module, "__file__", None)
    }
    return {file for file in loaded if not Path(file).resolve().is_relative_to(ROOT)}
