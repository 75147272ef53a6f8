# penstock: the commands a person types. `make help` lists them.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PYTEST := $(BIN)/python -m pytest -q -p no:cacheprovider

export PATH := $(CURDIR)/$(BIN):$(PATH)
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# uv leaves compiling to Python. Where that is switched off, every dbt command would compile all of dbt again.
export PYTHONDONTWRITEBYTECODE :=
# A notice of the site's theme about its own future.
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help venv venv-dev run ml test all lint audit unit bench docs docs-serve docs-quality docs-reference up down status doctor build hooks changelog dist clean clean-venv lock

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

BOOTSTRAP = command -v $(PYTHON) >/dev/null 2>&1 || { echo "penstock: needed: Python 3.10 to 3.14. found: no $(PYTHON). do: Debian: apt-get install python3 python3-venv"; exit 1; }; $(PYTHON) tools/bootstrap.py
venv: ## .venv with the packages that a run needs, from requirements.lock (once)
	@$(BOOTSTRAP) runtime

venv-dev: ## .venv with the packages of tests and linters too, from requirements-dev.lock
	@$(BOOTSTRAP) development

run: venv ## sample lake, server, dbt build, and a summary
	@penstock quickstart

ml: venv ## machine learning: features, training, registry, predictions, drift; clusters, ranks, stream; a report
	@penstock sample --if-empty
	@code=0; dbt build --select +tag:ml --indirect-selection buildable --exclude-resource-type unit_test || code=$$?; \
	  penstock report ml || code=$$?; exit $$code

SUITE ?= test
test: venv-dev ## lint, unit and integration tests; or SUITE="adapter conformance faults ml reach", any of them
	@$(BIN)/python tools/suites.py $(SUITE) $(ALSO)

all: venv-dev ## every suite, two processes at a time, and a table of tests and seconds
	@$(BIN)/python tools/suites.py all

SPELLED := $(wildcard *.md *.yml *.toml .ci/* .github/workflows/*) Makefile bench changes docs macros models orchestration python_models seeds snapshots src tests tools
lint: venv-dev ## ruff, mypy, the layers of src/, sqlfluff, codespell, names of changelog fragments, links and prose of the docs
	@ruff check .
	@ruff format --check .
	@mypy
	@$(BIN)/python tools/import_layers.py
	@sqlfluff lint --disable-progress-bar --processes 2 models seeds tests/data
	@codespell $(SPELLED)
	@towncrier build --draft >/dev/null
	@mkdocs build --strict --quiet
	@$(BIN)/python tools/prose_lint.py

# Not part of lint: it needs a service that some networks don't reach. --strict fails if the service lacks a package.
AUDIT = pip-audit --strict --require-hashes --disable-pip --progress-spinner off
audit: venv-dev ## known vulnerabilities of the locked packages (asks the package index)
	@for lock in requirements-dev.lock orchestration/airflow/requirements.lock; do \
	  $(AUDIT) -r $$lock || { echo "penstock: needed: no known vulnerability in $$lock, and a service that knows. found: see above. do: make lock UPGRADE=--upgrade, or try again on a network that reaches the service"; exit 1; }; \
	done

unit: venv-dev ## tests that need no Spark
	@$(PYTEST) tests/unit

COMMIT ?= 345e71b
WITHOUT_PAGE := adapter main_job rdd
bench: venv-dev ## measure NAME=against|adapter|batch|diff|duckdb|layout|main_job|rdd|records|scale, and write its page of the docs
	@$(BIN)/python bench/run.py $(NAME) $(if $(filter against,$(NAME)),$(COMMIT)) $(if $(filter $(WITHOUT_PAGE),$(NAME)),,--write-docs) $(OPTIONS)

docs: venv-dev ## the documentation site, in site/; a link that leads nowhere is an error
	@mkdocs build --strict

docs-serve: venv-dev ## the documentation site on http://127.0.0.1:8000, built again when a page changes
	@mkdocs serve --livereload

docs-quality: venv-dev ## the rules' table in docs/reference/quality-rules.md and dbt docs, from the list
	@$(BIN)/python tools/quality_docs.py

docs-reference: venv-dev ## the commands, macros and tests in docs/reference, from the code
	@$(BIN)/python tools/reference_docs.py

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

hooks: venv-dev ## check each commit with ruff, sqlfluff, codespell (installs git's hooks)
	@pre-commit install

changelog: venv-dev ## move the fragments of changes/ to CHANGELOG.md, below the version of src/penstock
	@towncrier build --yes --version $$($(BIN)/python -c "import penstock; print(penstock.__version__)")

dist: venv-dev ## the source distribution and the wheel, in dist/
	@rm -rf dist
	@uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist
	@ls -1 dist

clean: ## stop the server, drop the tables, logs and dbt's output; the lake stays
	@[ ! -x $(BIN)/penstock ] || { penstock down; penstock down --target cluster; penstock cluster down; }
	@rm -rf .penstock/cluster .penstock/cluster-nodes warehouse target logs .penstock/metastore_db .penstock/logs .penstock/tmp .penstock/run .penstock/conf

clean-venv: ## remove the Python environment
	@rm -rf $(VENV)

# Locked versions stay while they fit; `make lock UPGRADE=--upgrade` takes the newest ones.
UPGRADE ?=
COMPILE = --universal --python-version 3.10 --generate-hashes --no-header --no-annotate $(UPGRADE)
lock: ## resolve both locks again from pyproject.toml, and Airflow's (needs uv)
	@uv pip compile pyproject.toml --extra java --extra s3 --extra gs --extra ml --extra report --extra openlineage --group install --group dev $(COMPILE) -o requirements-dev.lock
	@uv pip compile pyproject.toml --extra ml --extra report --group install $(COMPILE) -c requirements-dev.lock -o requirements.lock
	@uv pip compile orchestration/airflow/requirements.in $(COMPILE) -o orchestration/airflow/requirements.lock
