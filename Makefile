# Two commands matter to a newcomer: `make demo` and `make test`. The rest is for who stays.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
PORT ?= 8000
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help demo test test-plugin test-postgresql engines test-engines lint bench bench-engines soak run worker messages requirements clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# A stamp for each set, so that a newcomer's demo installs nothing it does not need.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/base.txt requirements/espeak.txt | $(BIN)/python
	@echo "Installing (once) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/base.txt -r requirements/espeak.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(BIN)/python
	@echo "Installing what the tests need (once) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@ $(VENV)/.demo

# Resolved with overrides that pip does not know: every package is named, so none needs its own.
$(VENV)/.engines: requirements/engines.txt | $(VENV)/.demo
	@echo "Installing the neural engines (once, about 6 GB) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements/engines.txt
	@touch $@

engines: $(VENV)/.engines ## install the neural engines (about 6 GB), for a machine that speaks with them

demo: $(VENV)/.demo ## narrate the demo courses and serve them (SERVE=0: stop after the table)
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

run: $(VENV)/.demo ## serve the site alone
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py runserver $(PORT)

worker: $(VENV)/.demo ## work off the queue, supervised
	@$(BIN)/python manage.py narration_worker

# Two cores, and clusters mostly wait. Each test runs once: the plugin's without courses, so that a
# stray import fails; with courses they run in test-postgresql.
test: $(VENV)/.dev ## all tests, the plugin's with courses not installed
	@$(BIN)/python -m pytest -n 3 --dist loadgroup tests --ignore tests/neural -m "not plugin or cluster or browser"
	@$(MAKE) --no-print-directory test-plugin

test-plugin: $(VENV)/.dev ## the plugin's tests, with courses not installed
	@$(BIN)/python -m pytest -n 3 --dist loadgroup --ds config.settings.plugin tests --ignore tests/neural \
		-m "plugin and not cluster and not browser"

# Rooms that know no database have nothing to tell about it.
test-postgresql: $(VENV)/.dev ## what touches a database, on PostgreSQL (TEST_DATABASE_URL)
	@case "$$TEST_DATABASE_URL" in postgres*) ;; *) echo "Set TEST_DATABASE_URL=postgres://…" >&2; exit 2;; esac
	@$(BIN)/python -m pytest -n 2 --dist loadgroup tests --ignore tests/neural --ignore tests/text \
		--ignore tests/markup --ignore tests/audio --ignore tests/engines --ignore tests/packaging --ignore tests/docs

# One thread a process: small models gain nothing by more, and two processes share the cores.
test-engines: $(VENV)/.dev $(VENV)/.engines ## the neural engines' tests, on small models of random weights
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile tests/neural

lint: $(VENV)/.dev ## format, rules, types, import contracts, templates
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/djlint --lint --quiet narration/templates courses/templates templates
	@$(BIN)/python manage.py makemigrations --check --dry-run --settings config.settings.test

bench: $(VENV)/.dev ## measure: lines of JSON and a table; jobs on PostgreSQL too with BENCH_DATABASE_URL
	@$(BIN)/python -m bench

bench-engines: $(VENV)/.dev $(VENV)/.engines ## measure the neural engines against their libraries' own calls
	@$(BIN)/python -m bench.engines $(if $(SIZE),--size $(SIZE))

soak: $(VENV)/.dev ## kill anything for MINUTES=10; on PostgreSQL with SOAK_DATABASE_URL
	@$(BIN)/python -m bench.soak --minutes $(MINUTES)

messages: $(VENV)/.dev ## collect and compile the translations (needs gettext)
	@$(BIN)/python -m config.messages

requirements: $(VENV)/.dev ## compile requirements/*.in to pinned *.txt
	@cd requirements && for set in base espeak s3 redis prod dev; do \
		../$(BIN)/uv pip compile --quiet --upgrade --no-header --no-emit-index-url --python-version 3.11 $$set.in -o $$set.txt; done; \
		../$(BIN)/uv pip compile --quiet --upgrade --no-header --no-emit-index-url --python-version 3.11 \
		--override overrides.txt $(patsubst %,-c %.txt,base espeak s3 redis prod dev) engines.in -o engines.txt

clean: ## remove what was made here: database, audio, environment
	@rm -rf var $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
