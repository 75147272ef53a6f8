# penstock: the commands a person types. `make help` lists them.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PYTEST := $(BIN)/python -m pytest -q -p no:cacheprovider
SHORT := --tb=short --show-capture=stdout --timeout 300

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help venv run test lint unit integration adapter faults faults-year conformance conformance-baseline bench-layout bench-batch docs-quality up down status doctor build clean clean-venv lock

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: ## build .venv from requirements.lock (once)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "penstock: needed: Python 3.10 to 3.13. found: no $(PYTHON). do: Debian: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) tools/bootstrap.py

run: venv ## sample lake, server, dbt build, and a summary
	@penstock quickstart

test: lint unit integration ## lint, unit tests, integration tests on a server of their own

lint: venv ## sqlfluff, ruff, mypy
	@ruff check .
	@ruff format --check .
	@mypy
	@sqlfluff lint --disable-progress-bar --processes 2 models seeds tests/data

unit: venv ## tests that need no Spark
	@$(PYTEST) tests/unit

integration: venv ## tests against a real server, started and stopped by them
	@$(PYTEST) tests/integration

adapter: venv ## tests of the adapter alone, on servers and small projects of its own
	@$(PYTEST) tests/adapter

faults: venv ## dbt, servers, landings killed, disks filled, clocks moved, two runs at once: the rows afterwards
	@$(PYTEST) tests/faults

faults-year: venv ## a year of months backfilled with kills throughout, beside the same undisturbed
	@PYTHONPATH=tests:tests/faults $(BIN)/python tests/faults/year.py

conformance: venv ## dbt's published adapter test-suite, written up in docs/conformance.md
	@$(PYTEST) $(SHORT) --record tests/conformance

conformance-baseline: venv ## the same suite by stock dbt-spark; a failure is a result
	@PENSTOCK_CONFORMANCE_ADAPTER=spark $(PYTEST) $(SHORT) --record tests/conformance || [ $$? = 1 ]

bench-layout: venv ## what layouts and hints gain on 25 million trips, into docs/physical-design.md
	@$(BIN)/python bench/layout.py --write-docs

bench-batch: venv ## what one more month costs, beside dbt's microbatch, into docs/operations.md
	@$(BIN)/python bench/batch.py --write-docs

docs-quality: venv ## the rules' table in docs/quality.md and dbt docs, from the list
	@$(BIN)/python tools/quality_docs.py

up: venv ## start the server
	@penstock up

down: ## stop the server
	@penstock down

status: ## is the server up, and where
	@penstock status

doctor: venv ## what is wrong on this machine
	@penstock doctor

build: venv ## dbt build
	@dbt build

clean: ## stop the server, drop the tables, logs and dbt's output; the lake stays
	@[ ! -x $(BIN)/penstock ] || penstock down
	@rm -rf warehouse target logs .penstock/metastore_db .penstock/logs .penstock/tmp .penstock/run .penstock/conf

clean-venv: ## remove the Python environment
	@rm -rf $(VENV)

lock: ## resolve requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --all-extras --universal --python-version 3.10 --generate-hashes \
	  --no-header --no-annotate --upgrade -o requirements.lock
