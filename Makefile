# Everything a developer or CI runs. `make help` lists it. Needs python3 (3.11 or newer, with venv) and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
# The environment is remade when, and only when, the lock file's content changes.
STAMP := $(VENV)/.installed-$(shell cksum < requirements-dev.lock | tr ' ' '-')

export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

TEST_DATABASE_URL ?=
TEST_REDIS_URL ?=
export TEST_DATABASE_URL TEST_REDIS_URL
# Compiled once: on a machine that writes no bytecode every process of the tests would compile everything anew.
COMPILED := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/var/pycache
PYTEST := env $(COMPILED) $(PY) -m pytest
PYTEST_ARGS ?=
# Each process takes neighbors, which share what their module starts, until one has nothing left to do.
# Three for two cores: tests of servers and of processes mostly wait.
PARALLEL ?= -n 3 --dist worksteal
# What runs on SQLite too: where the database takes part in what is asserted. That is constraints and triggers, unique
# claims and what a rejected one leaves of its transaction, sums and dates that the database computes, columns of JSON,
# limits and caches that are within the process where there is no Redis; and the journeys, which cross all of them.
# What Stripe answers and charges, pages and the engine are the same code on the same rows: once, on PostgreSQL.
# The demo, the browser's tests and half of tests/deploy run the embedded way on SQLite as well.
ON_SQLITE := tests/journeys tests/customers/services tests/customers/test_namespaces.py tests/customers/test_key_cache.py \
	tests/phases/api/test_store_and_retrieve.py tests/phases/test_services.py tests/phases/test_storage.py \
	tests/phases/test_fixes.py tests/provisioning/services tests/provisioning/api tests/provisioning/test_signup.py \
	tests/customers/api/test_idempotency.py tests/core/api/test_limiter.py tests/rsolv/staff/business_metrics tests/core/redis/test_cache.py \
	tests/core/queue/test_file_transport.py \
	tests/billing/services/webhooks tests/billing/services/corrections/test_correct_usage.py \
	$(patsubst %,tests/billing/services/metering/test_%.py,claim_fix record_usage set_spend_cap settle_usage \
	trial_after_closing trial_pool notify_usage_thresholds)

# What production's settings want beside DATABASE_URL and REDIS_URL; these open nothing.
PRODUCTION := DJANGO_SETTINGS_MODULE=rsolv.settings.prod \
	RSOLV_SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	RSOLV_BASE_URL=https://app.example.com ALLOWED_HOSTS=app.example.com \
	EMAIL_URL=smtp://127.0.0.1:9 STRIPE_SECRET_KEY=sk_test_000000000000000000000000 \
	METRICS_ADDRESSES=127.0.0.1 PROMETHEUS_MULTIPROC_DIR=$(CURDIR)/var/metrics

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Install what the project needs into .venv; does nothing when nothing has changed
	@:

$(STAMP): | requirements-dev.lock
	@$(PYTHON) -c 'import sys, venv; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@echo "Installing into $(VENV) …"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@# The lock names everything: resolving again would look at newer releases, which it does not pin.
	@$(PY) -m pip install -qq --no-compile --no-deps --require-hashes -r requirements-dev.lock
	@$(PY) -m pip check -qq
	@rm -f $(VENV)/.installed-*
	@touch $@

# For what listens on ports of this machine: make run PORT=8080 STRIPE_PORT=12112.
PORTS = $(if $(PORT),--port $(PORT)) $(if $(STRIPE_PORT),--stripe-port $(STRIPE_PORT))

.PHONY: demo
demo: setup ## A customer's whole journey on real input, then a place to explore (ONCE=1: checks only; PORT= STRIPE_PORT=)
	@$(PY) -m sandbox.demo $(if $(ONCE),--once) $(PORTS)

.PHONY: staff-code
staff-code: setup ## The second-factor code of the demo's staff user, as their authenticator app shows it now
	@$(PY) -m sandbox.seed.totp

.PHONY: run
run: setup ## Web, worker, beat and the Stripe sandbox together, until Ctrl-C (PORT=8000 STRIPE_PORT=12111)
	@$(PY) -m sandbox.run $(PORTS)

.PHONY: chaos
chaos: setup ## Check that billing is exactly once under any fault, on PostgreSQL and Redis (SEED= FIXES=)
	@$(COMPILED) $(PY) -m sandbox.chaos $(if $(SEED),--seed $(SEED)) $(if $(FIXES),--fixes $(FIXES))

.PHONY: load
load: setup ## Many signups, webhooks and Action runs at once, on PostgreSQL and Redis (SCENARIOS=a,b SEEDED=10000)
	@$(COMPILED) $(PY) -m sandbox.load $(if $(SCENARIOS),--scenarios $(SCENARIOS)) $(if $(SEEDED),--seeded $(SEEDED))

.PHONY: test-alerts
test-alerts: setup ## Every panel has data and every alert fires by its real fault, in a real Prometheus
	@$(COMPILED) $(PY) -m sandbox.alert_tests

.PHONY: test
test: setup ## All tests on PostgreSQL and Redis, then ON_SQLITE's on SQLite; all on SQLite where there are none
	@if $(PY) -m sandbox.probe --quiet; then \
		$(MAKE) test-services && \
		echo "On SQLite:" && $(PYTEST) -m "not services" $(PARALLEL) $(ON_SQLITE) $(PYTEST_ARGS); \
	elif [ "$${CI:-}" = true ]; then \
		echo "CI never skips the services tests: start PostgreSQL and Redis."; exit 1; \
	else \
		$(PYTEST) -m "not services" $(PARALLEL) $(PYTEST_ARGS) && \
		echo "SKIPPED: the tests that need PostgreSQL and Redis (make test-services)."; \
	fi

.PHONY: test-fast
test-fast: setup ## The tests that a change touches, for half a minute (ARGS="--list", ARGS="--seconds 60 -x")
	@urls="$$($(PY) -m sandbox.probe 2>/dev/null || true)" && \
		env $$urls $(COMPILED) $(PY) -m sandbox.checks.changed_tests $(ARGS)

.PHONY: test-services
test-services: setup ## All tests on PostgreSQL and Redis (TEST_DATABASE_URL, TEST_REDIS_URL)
	@urls="$$($(PY) -m sandbox.probe)" && echo "On PostgreSQL and Redis:" && \
		env $$urls $(PYTEST) $(PARALLEL) $(PYTEST_ARGS)

.PHONY: test-browser
test-browser: setup ## Journeys and every page in Chromium, with axe; pictures in var/screenshots
	$(PYTEST) tests/browser -n 2 --dist loadfile $(PYTEST_ARGS)

.PHONY: lint
lint: setup ## Check the style of Python and templates, and American spelling everywhere
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --check --quiet templates
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/codespell

.PHONY: format
format: setup ## Put Python and templates into the style that lint wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat --quiet templates

.PHONY: types
types: setup ## Static types
	$(BIN)/mypy

.PHONY: layers
layers: setup ## Who may import whom
	$(BIN)/lint-imports

.PHONY: check
check: setup ## Migrations complete, production settings sound
	DJANGO_SETTINGS_MODULE=rsolv.settings.test $(PY) manage.py makemigrations --check --dry-run
	@if urls="$$($(PY) -m sandbox.probe 2>/dev/null)"; then \
		echo "manage.py check --deploy --fail-level WARNING  (production settings)"; \
		env $$urls $(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING; \
	elif [ "$${CI:-}" = true ]; then \
		echo "CI never skips the check of production settings: start PostgreSQL and Redis."; exit 1; \
	else \
		echo "SKIPPED: the check of production settings, which needs PostgreSQL and Redis."; \
	fi

.PHONY: secrets
secrets: setup ## No secret in any tracked file
	@$(PY) -m sandbox.checks.secrets

.PHONY: audit
audit: setup ## No known vulnerability in any pinned dependency, where PyPI can be asked
	@$(PY) -m sandbox.checks.dependencies

.PHONY: qa
qa: lint types layers check secrets audit test ## Everything that CI asks

.PHONY: bench
bench: setup ## Every hot path beside a bare view, on PostgreSQL and Redis; var/bench.json (ONLY=name,…)
	@$(PY) -m sandbox.bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

.PHONY: bench-cpu
bench-cpu: setup ## Microseconds of CPU that each hot path takes, without a server (ARGS="--only name,… --profile")
	@$(PY) -m sandbox.bench.cpu $(ARGS)

.PHONY: bench-servers
bench-servers: setup ## The servers we could run on, compared (ARGS="--python PATH --rounds N")
	@$(PY) -m sandbox.bench.compare_servers $(ARGS)

.PHONY: bench-growth
bench-growth: setup ## What hot paths cost with 100, 10,000 and a million phase rows; var/bench-growth.json
	@$(PY) -m sandbox.bench.growth $(ARGS)

.PHONY: bench-insertion
bench-insertion: setup ## How long inserting a test takes, by framework and size of the file
	@DJANGO_SETTINGS_MODULE=rsolv.settings.test $(PY) manage.py bench_insertion $(ARGS)

.PHONY: corpus
corpus: setup ## How insertion fares over real test files: make corpus DIRS="a b" (ARGS=--json)
	@test -n "$(DIRS)" || { echo 'Which directories? make corpus DIRS="path path"'; exit 2; }
	@DJANGO_SETTINGS_MODULE=rsolv.settings.test $(PY) manage.py insertion_corpus $(DIRS) $(ARGS)

.PHONY: lock
lock: ## Pin the dependencies of pyproject.toml with hashes (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
		pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock

.PHONY: clean
clean: ## Remove what was made here: caches and var/ (keeps .venv)
	rm -rf var staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
