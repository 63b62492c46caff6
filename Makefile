# `make run` shows a moving screen, `make test` runs the tests; both prepare what they need.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each; done))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PAGES := api/pages/index.html
PAGES_FROM := $(shell find web/src web/farm -type f) web/build.mjs web/package-lock.json
# More arguments for the demo or for pytest: make test ARGS="-k salinity"
ARGS ?=
MINUTES ?= 10
DAYS ?= 25

.PHONY: help run test check fmt pages pictures lock clean servers soak soak-wall soak-telling
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/.app $(PAGES) ## everything with simulated feeds; Ctrl-C stops it
	@exec $(BIN)/songtien demo $(ARGS)

test: $(VENV)/.dev $(PAGES) servers ## all tests; on Debian as root it installs the servers they use
	cd web && npm test --silent
	$(BIN)/python -m pytest $(ARGS)

# SEED repeats the feed and the faults of an earlier run.
soak: $(VENV)/.dev $(PAGES) servers ## faults at random for MINUTES with an exact count; soak-wall
	$(BIN)/python -m tests.soak.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.soak.wall --days $(DAYS) $(if $(SEED),--seed $(SEED))

soak-wall: $(VENV)/.dev $(PAGES) servers ## DAYS of the river on the wall at 600x: is memory flat
	$(BIN)/python -m tests.soak.wall --days $(DAYS) $(if $(SEED),--seed $(SEED))

soak-telling: $(VENV)/.dev $(PAGES) servers ## an event that 5,000 of 50,000 people follow
	$(BIN)/python -m tests.soak.telling $(ARGS)

pictures: $(VENV)/.dev $(PAGES) servers ## the pictures in docs/screens.md, of the screens as they are
	$(BIN)/python -m tests.browser.pictures

check: $(VENV)/.dev web/node_modules/.package-lock.json ## style, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && npm run --silent check

fmt: $(VENV)/.dev ## format, and repair what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

pages: $(PAGES) ## the pages, from web/ into api/pages

lock: $(VENV)/.dev ## newest versions into requirements.lock and requirements-dev.lock
	$(BIN)/python -m pip install --quiet --upgrade uv
	$(BIN)/uv pip compile $(LOCK) --extra broker -o requirements.lock
	$(BIN)/uv pip compile $(LOCK) --extra broker --extra parquet --extra plot --group dev \
		-c requirements.lock -o requirements-dev.lock

clean: ## what was built or cached; data/ stays
	rm -rf $(VENV) api/pages build dist web/node_modules web/build
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- How they are prepared. A stamp says that a step is done and newer than what it came from.

LOCK := pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--no-config --no-header --no-annotate --upgrade --quiet

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; found:" \
		"$$(python3 --version 2>&1). Debian, Ubuntu: apt install python3 python3-venv."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo \
		"$(PYTHON) can't make a virtual environment. Debian, Ubuntu: apt install python3-venv."; \
		exit 1; }

# Without build isolation, so that the builder too comes from the lock, with its hash.
$(VENV)/.app: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV): a minute or two, once."
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.app
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or newer with npm is needed to build the" \
		"pages: https://nodejs.org, or on Debian and Ubuntu: apt install nodejs npm."; exit 1; }
	cd web && npm ci --silent
	@touch $@

$(PAGES): $(PAGES_FROM) web/node_modules/.package-lock.json
	cd web && npm run --silent build
	@touch $@

servers:
	@.ci/servers
