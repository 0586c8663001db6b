# The whole interface for people and for CI; `make help` lists it. Everything it makes lies in .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/done
# uv trusts what the system trusts, as pip does; where only pip is configured (a mirror in pip.conf), pip it is.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),true,false)
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Some machines forbid bytecode, and every start of everything then compiles a thousand files: twice the time.
unexport PYTHONDONTWRITEBYTECODE
TESTS ?= tests
JOBS ?= 2
GENERATED := src/trigpoint/core/pb/index.json
WEB := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help install demo test test-slow test-all lint format lock clean FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(DONE)/trig $(DONE)/web ## make .venv with the command `trig` in it
	@echo "Ready: $(BIN)/trig up   (or: make demo)"

demo: $(DONE)/trig $(DONE)/web $(DONE)/sdk ## start a server, run examples/penguins on it, and account for what happened
	@$(BIN)/trig demo

test: $(DONE)/trig $(DONE)/web $(DONE)/sdk $(DONE)/dev ## the quick suites
	@$(BIN)/python tools/web.py test
	@$(BIN)/python -m pytest -m "not slow" -n $(JOBS) $(TESTS)

test-slow: $(DONE)/trig $(DONE)/web $(DONE)/sdk $(DONE)/dev ## the slow suites: PostgreSQL, sandboxes, long fault runs
	@bash tools/debian.sh
	@$(BIN)/python tools/web.py install
	@$(BIN)/python -m pytest -m slow $(TESTS)

test-all: test test-slow ## both

lint: $(DONE)/trig $(DONE)/sdk $(DONE)/dev ## style, types, import contracts, sizes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports
	@$(BIN)/mypy
	@$(BIN)/python tools/check_sizes.py
	@$(BIN)/python tools/web.py check

format: $(DONE)/dev ## let ruff format and mend what it can
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

lock: $(DONE)/uv ## renew locks/ from pyproject.toml
	@bash tools/lock.sh

clean: ## remove .venv and everything generated
	rm -rf $(VENV) src/trigpoint/core/pb src/trigpoint/console/static web/node_modules dist build

# Each stamp says that one lock is installed; a changed lock is installed again, an interrupted step is repeated.
$(DONE)/uv: locks/uv.txt
	@bash tools/bootstrap.sh $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/runtime $(DONE)/build $(DONE)/sdk $(DONE)/dev: $(DONE)/%: locks/%.txt $(DONE)/uv
	@echo "Installing locks/$*.txt"
	@$(UV) --require-hashes -r $< || $(PIP) --require-hashes -r $<
	@touch $@

# The build writes the message classes beside the sources; what it needs is locked too, hence no isolated build.
$(DONE)/trig: $(DONE)/runtime $(DONE)/build pyproject.toml $(wildcard tools/*.py) $(if $(wildcard $(GENERATED)),,FORCE)
	@echo "Installing trigpoint"
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

# The console's page, by the machine's Node or, without one, by the one that locks/node.txt brings.
$(DONE)/web: locks/node.txt tools/web.py $(WEB) $(DONE)/uv
	@$(BIN)/python -c 'import sys; sys.path.insert(0, "tools"); import web; web.node()' 2>/dev/null \
	  || $(UV) --require-hashes -r locks/node.txt || $(PIP) --require-hashes -r locks/node.txt
	@$(BIN)/python tools/web.py build
	@touch $@

FORCE:
