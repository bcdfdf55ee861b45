# The inner loop and its friends; everything runs in .venv, which `make` makes when it is missing.
PYTHON ?= python3
BIN = .venv/bin

check: .venv/made            ## before every commit: style, types, the tests without real processes and windows
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	env -u DISPLAY HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q -n 2 -m "not real and not slow"

test: .venv/made             ## all tests
	$(BIN)/python -m pytest

slow: .venv/made             ## the long ones: processes killed, disks full, lines cut, floods of garbage; prints seeds
	$(BIN)/python -m pytest -m slow -rP

gui: .venv/made              ## the tests of the window, on a screen of their own: they have the mouse and the keyboard
	CHAT_GUI_TESTS=required .ci/screen $(BIN)/python -m pytest -q tests/gui

thorough: .venv/made         ## the property tests with twenty times the examples
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q --timeout 3600 tests/core tests/broker tests/client tests/hostile/test_fuzz.py

SECONDS ?= 300
fuzz: .venv/made             ## `make fuzz SECONDS=n`: mutated frames against decoders and rules; what breaks them is kept
	$(BIN)/python -m tests.hostile.fuzz --seconds $(SECONDS)

bench: .venv/made            ## every figure of speed, beside its limit; wants an idle machine
	$(BIN)/python benchmarks/run.py

mutants: .venv/made          ## deliberate bugs, one after the other, and which test catches each
	$(BIN)/python tools/mutants.py

HOURS ?= 1
soak: .venv/made             ## `make soak HOURS=8`: faults and thorough properties at random, so long; a report in soak/
	$(BIN)/python tools/soak.py $(HOURS)

demo: .venv/made             ## a broker, two windows and a bot, to look at; leaves nothing behind
	$(BIN)/python tools/demo.py

shots: .venv/made            ## pictures of the window in every state, in shots/index.html
	$(BIN)/python tools/shots.py

fix: .venv/made              ## what can be put right by a machine
	$(BIN)/ruff check --fix -q .
	$(BIN)/ruff format -q .

.venv/made: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[dev]'
	touch $@

.PHONY: check test slow gui thorough fuzz bench mutants soak demo shots fix
