# Every target makes .venv by itself; nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test test-real replay-real wheel chaos fuzz check audit format bench compatibility screenshot clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON=/path/to/python3 make $(MAKECMDGOALS)" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)  ## the control center on the embedded stack; without a terminal: a headless demonstration
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/streamguard; else exec $(BIN)/streamguard run --headless; fi

test: $(READY)  ## the whole test suite that needs nothing but Python
	$(BIN)/python -m pytest tests --ignore tests/real

test-real: $(READY)  ## the suite against Apache Kafka (by Maven) and PostgreSQL 15
	$(BIN)/python -m tests.real.apache_kafka
	$(BIN)/python -m pytest tests/real -rs

replay-real: $(READY)  ## three weeks of payments on Apache Kafka while worker and broker are killed
	STREAMGUARD_REPLAY=whole $(BIN)/python -m pytest tests/real/test_replay.py -n 0 -s

wheel: $(READY)  ## build the wheel, install it with all it needs into an empty environment, run it from there
	STREAMGUARD_WHEEL=whole $(BIN)/python -m pytest tests/real/test_wheel.py -n 0

chaos: $(READY)  ## the fault tests, longer; then the fault matrix with its table in docs/faults.md
	STREAMGUARD_CHAOS=40 $(BIN)/python -m pytest tests/chaos -n 0
	$(BIN)/python -m tests.chaos.matrix --report docs/faults.md

fuzz: $(READY)  ## a million changed inputs: Kafka values, REST answers, SQL, keys, settings, what is shown
	$(BIN)/python -m tests.fuzz

check: $(READY)  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

audit: $(READY)  ## the pinned packages: whole, not withdrawn, without known flaws, as far as that can be asked
	$(BIN)/python scripts/audit.py $(if $(PYPI),--pypi $(PYPI))

format: $(READY)  ## ruff's fixes and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## every benchmark, or BENCH="name name"
	$(BIN)/python -m benchmarks $(BENCH)

STREAMGUARD_SHARED ?= ../shared
CASES = $(STREAMGUARD_SHARED)/conformance
compatibility: $(READY)  ## ksqlDB's cases and recorded dialogues, into docs/ksqldb-compatibility.md
	$(BIN)/python -m ksqldb.conformance $(CASES)/ksqldb/query-validation $(CASES)/ksqldb/rest-query-validation \
	  $(CASES)/rest-dialogues --report docs/ksqldb-compatibility.md

screenshot: $(READY)  ## the SVG pictures of the README and the guides, from the running product
	$(BIN)/python -m tui.screenshot docs/images

clean:  ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
