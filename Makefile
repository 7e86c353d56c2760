# Two commands need nothing but Python 3.11+, make and git:  make demo   make test
.DEFAULT_GOAL := help
.PHONY: help demo test lint audit evaluate benchmark clean

# The first Python that is new enough and can make virtual environments; override with PYTHON=...
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
# Of 24,000 modules that the tests install, few are imported: they are compiled then, and kept, as each process needs them.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile
export PYTHONDONTWRITEBYTECODE :=

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "persrv needs Python 3.11 or newer with venv; install it or set PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Each stamp is newer than pyproject.toml when its packages are installed, so a second run installs nothing.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing persrv into $(VENV) ..." >&2
	@$(PIP) --upgrade "pip>=25.1"
	@$(PIP) --editable ".[serve]"
	@# The first start of the service would take two seconds longer if it were compiled then.
	@$(BIN)/python -c "import persrv.serve.run, persrv.serve.learning"
	@touch $@

$(VENV)/.tested: pyproject.toml tests/no-deps.txt $(VENV)/.installed
	@echo "installing what the tests need ..." >&2
	@$(PIP) torch==2.13.0
	@$(PIP) --group test --group lint --group audit
	@$(PIP) --no-deps --requirement tests/no-deps.txt
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || echo "four tests need OpenMP: apt-get install libgomp1, dnf install libgomp, or brew install libomp" >&2
	@touch $@

demo: $(VENV)/.installed ## Build the sticker collection that ships with persrv; two people ask for the same thing
	@$(BIN)/persrv demo

test: $(VENV)/.tested ## Run every test, and name the slowest
	@HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal \
		--durations 25 --durations-min 2 $(TESTS)

lint: $(VENV)/.tested ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy

audit: $(VENV)/.tested ## Look for secrets in the files and for known vulnerabilities of what is installed
	@$(BIN)/python scripts/audit.py

evaluate: $(VENV)/.installed ## Show what personal ranking gains on simulated users
	@$(BIN)/persrv demo --evaluate

benchmark: $(VENV)/.tested ## Measure against the named rivals; results go to benchmarks/results
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks

clean: ## Remove the virtual environment
	@rm -rf $(VENV)
