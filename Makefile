# Everything a fresh machine needs is python3.11+, pip and make: each target sets up what it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready-$(shell cat pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: demo test test-slow test-ray test-frameworks check format bench clean

demo: $(READY)  ## train on 1,797 real pictures that a package ships; no file, no network
	$(BIN)/heldout demo

test: $(READY)  ## everything that is quick
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not gpu and not ray and not frameworks"

test-slow: $(READY)  ## everything else
	$(BIN)/pytest -m "slow and not ray and not frameworks"

test-ray: $(READY)  ## on a Ray cluster of two nodes, on this machine; installs Ray
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[ray]"
	$(BIN)/pytest -m "ray"

test-frameworks: $(READY)  ## on Lightning, transformers, accelerate, fastai, skorch and timm; installs them
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -r tests/auditing/cases/frameworks/requirements.txt
	$(BIN)/pytest -m "frameworks"

check: $(READY)  ## style, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

PHOTOS ?= heldout-demo/digits
bench: $(READY)  ## the benchmarks that need nothing but heldout itself; PHOTOS=folder for your own pictures
	@test -d "$(PHOTOS)" || $(BIN)/heldout demo
	$(BIN)/python benchmarks/features.py "$(PHOTOS)"
	$(BIN)/python benchmarks/accuracy.py "$(PHOTOS)"
	$(BIN)/python benchmarks/training_step.py
	$(BIN)/python benchmarks/scale.py --numbers 1000,4000

clean:
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis runs checks heldout-demo

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "heldout needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@rm -f $(VENV)/.ready-* && touch $@
