# Everything that a person or a machine runs. Needs only make and Python 3.11 or newer;
# the rest is installed into .venv from the lock files. `make help` lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet \
	--strip-extras --allow-unsafe --generate-hashes --build-deps-for editable \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

# A stamp is newer than what it was made from, or its recipe runs again.
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed

.PHONY: help install demo test check bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo '  ARGS="..." adds words to demo, test and bench; PYTHON=... names the Python to use.'

install: $(RUN) ## Make .venv with the command tradewright in it
	@echo "ready: $(BIN)/tradewright"

demo: $(RUN) ## Replay a trading day on a PostgreSQL of its own and check every law
	@$(BIN)/tradewright demo $(ARGS)

test: $(DEV) ## Run all tests
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: $(DEV) ## Lint, formatting, types, the direction of imports, and our migrations on a shadow
	@status=0; \
		$(BIN)/ruff check . || status=1; \
		$(BIN)/ruff format --check . || status=1; \
		$(BIN)/mypy || status=1; \
		$(BIN)/lint-imports || status=1; \
		$(BIN)/tradewright review src/tradewright/migrations --after 0 --prove --fail-on minor \
			|| status=1; \
		exit $$status

bench: $(RUN) ## Measure against pgbench in the same run: orders, or what ARGS names
	@$(BIN)/tradewright bench $(or $(ARGS),orders)

lock: $(DEV) ## Bring the lock files up to pyproject.toml (ARGS=--upgrade for newer releases)
	@$(PIP_COMPILE) --extra embedded --extra mysql --extra server $(ARGS) \
		--output-file requirements/run.lock pyproject.toml
	@$(PIP_COMPILE) --extra embedded --extra mysql --extra server --extra archive --extra dev --constraint requirements/run.lock $(ARGS) \
		--output-file requirements/dev.lock pyproject.toml

clean: ## Remove .venv, build products and caches
	@rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@python=$$(tools/find-python) || exit 1; \
		echo "making $(VENV) with $$python"; \
		"$$python" -m venv --clear $(VENV)

# The interpreter is an order-only prerequisite: its own age says nothing.
$(RUN): pyproject.toml requirements/run.lock | $(BIN)/python
	@echo "installing what requirements/run.lock names"
	@$(PIP) install --require-hashes --requirement requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements/dev.lock
	@echo "installing what requirements/dev.lock names"
	@$(PIP) install --require-hashes --requirement requirements/dev.lock
	@touch $@
