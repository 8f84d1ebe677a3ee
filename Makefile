# One developer interface; CI calls the same targets. Needs Python 3.11+ and make, nothing else.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help setup demo test check bench clean

help:          ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(STAMP) ## make the virtual environment and install molvec with its development tools

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)  ## pretrain on 5,000 real molecules, compare with random start, write demo/report.html
	$(BIN)/molvec demo --output demo

test: $(STAMP)  ## run the test suite
	$(BIN)/python -m pytest

check: $(STAMP) ## lint, types, layer contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## measure speed and memory, write benchmarks/results/
	$(BIN)/python -m benchmarks.speed --output benchmarks/results

clean:         ## remove what the other targets made
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
