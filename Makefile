# ddb_assets: `make help` lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLIENTS := .venv-clients
SPARK := .venv-spark

.DEFAULT_GOAL := help
.PHONY: help browser install clients demo dev test test-e2e test-all check format bench bench-fleet spark clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(STAMP) ## Create the environment in .venv

$(STAMP): pyproject.toml constraints.txt setup.py $(wildcard ddb_assets/reading/csrc/*)
	@echo "Creating $(VENV) (about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ddb_assets needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install ## Export, publish and query the sample tables in one Dagster run, without AWS
	@$(BIN)/ddb-assets demo

dev: install ## Local AWS with the sample tables and the Dagster UI, until Ctrl-C
	@$(BIN)/ddb-assets dev

clients: $(CLIENTS)/.installed ## AWS clients for the end-to-end suite, in .venv-clients (0.5 GB)

$(CLIENTS)/.installed: constraints-clients.txt
	@echo "Creating $(CLIENTS) (aws CLI, awswrangler, PyAthena) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ddb_assets needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(CLIENTS)/bin/python || $(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-clients.txt awscli awswrangler PyAthena
	@touch $@

browser: ## Chromium for the tests of the UI (Debian's package, if there is none)
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  echo "Installing Debian's chromium ..."; \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

test: install ## The quick test suite
	$(BIN)/python -m pytest -n auto --dist loadscope

test-e2e: install clients browser ## Servers, real clients, real processes
	$(BIN)/python -m pytest -n auto --dist worksteal -m "slow and not e2e"
	$(BIN)/python -m pytest -m e2e -n 2 --dist loadscope tests/e2e

test-all: test test-e2e ## Every test

bench-fleet: install ## Many tables in one Dagster run: time, memory, calls (FLEET="--tables 100")
	@$(BIN)/python benchmarks/fleet.py $(FLEET)

bench: install ## All benchmarks into docs/benchmarks.md (BENCH="waiting loading")
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@case " $(or $(BENCH),reading) " in *" reading "*) $(MAKE) --no-print-directory spark;; esac
	@$(BIN)/python benchmarks/run.py $(BENCH)

spark: ## PySpark for the benchmark of reading, in .venv-spark (0.5 GB); nothing without Java
	@if ! command -v java >/dev/null; then echo "No Java: the benchmark of reading leaves PySpark out"; \
	else $(MAKE) --no-print-directory $(SPARK)/.installed; fi

$(SPARK)/.installed: constraints-spark.txt
	@echo "Creating $(SPARK) (PySpark, a minute or two) ..."
	@test -x $(SPARK)/bin/python || $(PYTHON) -m venv $(SPARK)
	@$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-spark.txt pyspark
	@touch $@

check: install ## ruff (lint and format), pyright strict, import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

format: install ## Apply ruff's fixes and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment and what tools left behind
	rm -rf $(VENV) $(CLIENTS) $(SPARK) .pytest_cache .ruff_cache .hypothesis *.egg-info
