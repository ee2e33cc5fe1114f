# `make` alone lists what there is. Every target makes the virtual environment first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
WORKERS ?= 2
SOURCES := seedtrust alembic tests scripts $(wildcard bench)
PARALLEL = -n $(WORKERS) --dist loadfile
MONEY_TESTS := tests/domain/ledger tests/domain/payments
MONEY_CODE := seedtrust/core/*,seedtrust/formats/*,seedtrust/domain/ledger/*,seedtrust/domain/payments/*

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.venv/ready: setup.cfg pyproject.toml requirements/dev.lock scripts/make_venv.sh
	@echo "Preparing .venv, which takes a minute the first time"
	@scripts/make_venv.sh
	@touch $@

.PHONY: install
install: .venv/ready ## make .venv with everything that development needs

.PHONY: demo
demo: .venv/ready ## start the product with sample journeys; Ctrl-C ends it
	@exec $(BIN)/seedtrust demo $(ARGS)

.PHONY: test
test: lint ## check everything that a change may break, MariaDB, Redis and Chromium included
	@scripts/run_tests.sh $(PARALLEL) -m "not night" $(ARGS)
	@# The core of the money once more, every test of it on MariaDB.
	@test -n "$(ARGS)" || scripts/run_tests.sh $(PARALLEL) -m "not night" --database mariadb $(MONEY_TESTS)

.PHONY: night
night: lint ## the long versions, and what the tests leave unvisited
	@scripts/run_tests.sh $(PARALLEL) --hypothesis-profile night --cov --cov-report= $(ARGS)
	@$(BIN)/coverage report --include "$(MONEY_CODE)" --fail-under 100
	@$(BIN)/coverage report --fail-under 95

.PHONY: lint
lint: .venv/ready ## style, types and import contracts
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/ruff format --quiet --check $(SOURCES) || { echo "Run: make format" >&2; exit 1; }
	@$(MAKE) types imports

.PHONY: types
types: .venv/ready ## mypy, strict
	@$(BIN)/mypy $(SOURCES)

.PHONY: imports
imports: .venv/ready ## who may import whom
	@$(BIN)/lint-imports --no-cache

.PHONY: format
format: .venv/ready ## put the source into shape
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

.PHONY: bench
bench: .venv/ready ## figures beside a floor measured in the same run
	@$(BIN)/python scripts/with_services.py -- $(BIN)/python -m bench $(ARGS)

.PHONY: bench-quick
bench-quick: .venv/ready ## the same in under 3 minutes
	@$(BIN)/python scripts/with_services.py -- $(BIN)/python -m bench --quick $(ARGS)

.PHONY: screenshots
screenshots: .venv/ready ## photograph the main screens into docs/images
	@$(BIN)/python -m scripts.screenshots $(ARGS)

.PHONY: wheel
wheel: .venv/ready ## build the wheel into dist/
	@rm -rf build dist
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

.PHONY: lock
lock: ## resolve the dependencies of setup.cfg again and write them down
	@scripts/lock.sh

.PHONY: clean
clean: ## remove everything that is not source; the demo's data stay
	@rm -rf .venv build dist *.egg-info .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache tests/output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
