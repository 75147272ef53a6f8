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
.PHONY: help venv run ml test lint unit integration learning learning-real adapter faults faults-year reach airflow conformance conformance-baseline bench-layout bench-batch bench-rdd bench-scale bench-duckdb docs-quality up down status doctor build clean clean-venv lock

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: ## build .venv from requirements.lock (once)
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "penstock: needed: Python 3.10 to 3.13. found: no $(PYTHON). do: Debian: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) tools/bootstrap.py

run: venv ## sample lake, server, dbt build, and a summary
	@penstock quickstart

ml: venv ## what learns: features, train, registry, predictions, drift; clusters, ranks, stream; and a report
	@penstock sample --if-empty
	@code=0; dbt build --select +tag:ml --indirect-selection buildable --exclude-resource-type unit_test || code=$$?; \
	  penstock report ml || code=$$?; exit $$code

# Two at once: what needs a server leaves a processor idle while dbt waits for Spark, or Spark for dbt.
REAL := tests/integration/test_real_months.py
test: lint ## lint, unit tests, integration tests on servers of their own
	@log=$$(mktemp); code=0; \
	  (code=0; $(PYTEST) tests/unit || code=1; $(PYTEST) $(REAL) || code=1; exit $$code) >$$log 2>&1 & beside=$$!; \
	  $(PYTEST) tests/integration --ignore $(REAL) || code=1; \
	  wait $$beside || code=1; cat $$log; rm -f $$log; exit $$code

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

# Three parts at once, of about the same length: each leaves a processor idle while dbt waits for Spark, or Spark for dbt.
REACH := $(PYTEST) --write-docs
TARGETS := tests/reach/test_targets.py
OTHERS := tests/reach/test_metastore.py tests/reach/test_readers.py
FAR := gcs or hdfs
reach: venv ## tests of clusters, stores (written up in docs/stores.md), other readers, schedulers, Kubernetes
	@logs=$$(mktemp -d); code=0; \
	  $(REACH) $(TARGETS) $(OTHERS) -k "not ($(FAR))" >$$logs/near 2>&1 & near=$$!; \
	  $(REACH) $(TARGETS) tests/reach/test_airflow.py -k "airflow or $(FAR)" >$$logs/far 2>&1 & far=$$!; \
	  $(REACH) tests/reach $(addprefix --ignore ,$(TARGETS) $(OTHERS) tests/reach/test_airflow.py) || code=1; \
	  wait $$near || code=1; wait $$far || code=1; cat $$logs/*; rm -rf $$logs; exit $$code

airflow: venv ## Airflow in an environment of its own, its database, and the DAG's graph
	@orchestration/airflow/setup

learning: venv ## tests of what learns: the chain on a sample, the stream
	@$(PYTEST) tests/ml --ignore tests/ml/test_real_months.py

learning-real: venv ## what learns on the real months in PENSTOCK_TLC_DATA, beside the baseline and scikit-learn
	@$(PYTEST) -s tests/ml/test_real_months.py

conformance: venv ## dbt's published adapter test-suite, written up in docs/conformance.md
	@$(PYTEST) $(SHORT) --record tests/conformance

conformance-baseline: venv ## the same suite by stock dbt-spark; a failure is a result
	@PENSTOCK_CONFORMANCE_ADAPTER=spark $(PYTEST) $(SHORT) --record tests/conformance || [ $$? = 1 ]

bench-layout: venv ## what layouts and hints gain on 25 million trips, into docs/physical-design.md
	@$(BIN)/python bench/layout.py --write-docs

bench-batch: venv ## what one more month costs, beside dbt's microbatch, into docs/operations.md
	@$(BIN)/python bench/batch.py --write-docs

bench-rdd: venv ## the RDD way beside SQL, on two million raw rows
	@$(BIN)/python bench/rdd.py

bench-scale: venv ## what the build takes by rows, workers, months and files, into docs/scaling.md
	@$(BIN)/python bench/scale.py --write-docs

bench-duckdb: venv ## CPU seconds of the SQL models beside DuckDB's, at 5 and 25 million rows, into docs/scaling.md
	@$(BIN)/python bench/duckdb_peer.py --write-docs

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
	@[ ! -x $(BIN)/penstock ] || { penstock down; penstock down --target cluster; penstock cluster down; }
	@rm -rf .penstock/cluster .penstock/cluster-nodes warehouse target logs .penstock/metastore_db .penstock/logs .penstock/tmp .penstock/run .penstock/conf

clean-venv: ## remove the Python environment
	@rm -rf $(VENV)

lock: ## resolve requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --all-extras --universal --python-version 3.10 --generate-hashes \
	  --no-header --no-annotate --upgrade -o requirements.lock
	@uv pip compile orchestration/airflow/requirements.in --universal --python-version 3.10 --generate-hashes \
	  --no-header --no-annotate --upgrade -o orchestration/airflow/requirements.lock
