# Every target does its own set-up: a clone, Python 3.11 or newer and make are enough.
#
#   make run     serve on http://127.0.0.1:8000 with the embedded database (SQLite)
#   make test    the tests, on SQLite and on a real PostgreSQL   (TEST=one/file.py: that alone)
#                (CI=true: the slowest tests and longer random runs, too, and what a test misses fails it)
#   make lint    formatting, lint, types, and the OpenAPI document (needs npm)
#   make fuzz    schemathesis against gunicorn on PostgreSQL   (FUZZ=--short: two minutes)
#   make chaos   servers killed under writers and listeners    (CHAOS=--short: a minute)
#   make bench   cost of a request against three other stacks  (BENCH=--short: two minutes;
#                --distance: the database 10 ms away; --soak: memory under 200,000 requests)
#   make demo    compile examples/typescript again, for the page at /demo (needs npm)
#   make swagger-ui   copy the Swagger UI that vendor/ pins, for the page at /docs (needs npm)
#   make audit   ask for published weaknesses of all that is pinned, where the network has them
#   make wheel   build the wheel into dist/
#   make lock    resolve the dependencies again

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What the tests start with node, where there is one: a Better Auth server, a browser, a typed client.
NODE_MODULES := $(if $(shell command -v npm),$(addsuffix /node_modules,\
    tests/auth_server tests/browser tests/generators examples/typescript vendor))

.PHONY: run test lint demo swagger-ui fuzz chaos bench audit wheel lock clean

run: $(VENV)/.runtime
	$(BIN)/todo serve

test: $(VENV)/.dev $(NODE_MODULES)
	$(BIN)/python -m pytest $(TEST)

lint: build/openapi.json tests/spec_lint/node_modules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npx --prefix tests/spec_lint spectral lint --fail-severity=warn build/openapi.json

# The page at /demo is made of the compiled example; what is compiled is kept, so that running needs no node.
demo: build/openapi.json examples/typescript/node_modules
	npm --prefix examples/typescript run generate --silent -- $(CURDIR)/build/openapi.json
	npm --prefix examples/typescript run build --silent
	cp examples/typescript/dist/live.js examples/typescript/dist/optimistic.js todo/handlers/demo/

# What is copied is kept, too. To take another version: npm --prefix vendor install swagger-ui-dist@VERSION.
SWAGGER_UI := swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt LICENSE NOTICE
swagger-ui: vendor/node_modules
	cp $(addprefix vendor/node_modules/swagger-ui-dist/,$(SWAGGER_UI)) todo/handlers/swagger_ui/

fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz $(FUZZ)

chaos: $(VENV)/.dev
	$(BIN)/python -m tests.chaos $(CHAOS)

bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks $(BENCH)

audit: $(VENV)/.dev
	$(BIN)/python -m tests.audit

wheel: $(VENV)/.dev
	$(BIN)/python -m build --wheel

lock: $(VENV)/.dev
	$(BIN)/uv pip compile setup.cfg --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command "make lock" --quiet -o requirements.lock
	$(BIN)/uv pip compile setup.cfg --universal --python-version 3.11 --generate-hashes \
	    --all-extras --constraint requirements.lock \
	    --custom-compile-command "make lock" --quiet -o requirements-dev.lock

clean:
	rm -rf .venv* build dist *.egg-info vendor/node_modules tests/*/node_modules examples/*/node_modules .mypy_cache .ruff_cache \
	    .pytest_cache .hypothesis .coverage

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@echo "installing the pinned dependencies into $(VENV) ..."

$(VENV)/.runtime: requirements.lock setup.cfg | $(BIN)/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock setup.cfg | $(BIN)/python
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --editable .
	touch $@ $(VENV)/.runtime

build/openapi.json: $(VENV)/.dev $(wildcard openapi/*.yaml openapi/*/*.yaml)
	mkdir -p build
	$(BIN)/python -c 'import json, todo.http.contract.document as d; print(json.dumps(d.load(d.contract_directory()), indent=1))' > $@

%/node_modules: %/package-lock.json
	npm --prefix $* ci --ignore-scripts --no-audit --no-fund --silent
	touch $@
