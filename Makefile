# What is needed: make, git, and Python 3.11, 3.12 or 3.13. Everything else comes with 'make setup'.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
ARGS ?=
BIN := .venv/bin
STAMP := .venv/.installed
# A plain word of progress; never on standard output, which belongs to the command that was asked for.
say = printf '%s\n' $(1) >&2

.PHONY: help setup demo test test-deep check golden sentences bench serve wheel lock clean

help:
	@echo 'make setup            install into .venv'
	@echo 'make demo             show a case that passes through many institutions  (ARGS="--no-serve --json")'
	@echo 'make serve            start the server on 127.0.0.1:8440'
	@echo 'make test             run the tests, every harness small: 12 minutes at most  (ARGS="tests/config -k name")'
	@echo 'make test-deep        the same with every harness whole, files in random order: 75 minutes at most'
	@echo 'make check            lint, format, types, imports, architecture, definitions, rights'
	@echo 'make golden           write the table of rights of each agency anew, and print what changed'
	@echo 'make sentences        bring the catalogues of sentences into order and compile them  (docs/sentences.md)'
	@echo 'make bench            measure  (ARGS="name")'
	@echo 'make wheel            build the wheel into dist/'
	@echo 'make lock             write requirements*.txt anew from pyproject.toml (needs uv)'
	@echo 'make clean            remove what was built, .venv too'

setup: $(STAMP)

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@python=''; \
	for name in $${PYTHON:-} python3 python3.13 python3.12 python3.11; do \
	  if "$$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; \
	  then python="$$name"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  $(call say,'Comity needs Python 3.11$(comma) 3.12 or 3.13 with its venv module$(comma) and none was found.'); \
	  $(call say,"Found: $$(python3 --version 2>&1 || echo 'no python3')."); \
	  $(call say,'Debian or Ubuntu: apt-get install python3 python3-venv.  Fedora: dnf install python3.12.  macOS: brew install python@3.12.'); \
	  $(call say,'Elsewhere installed? Name it: make setup PYTHON=/path/to/python3.12'); \
	  exit 1; \
	fi; \
	$(call say,"Setting up .venv with $$("$$python" --version 2>&1). This happens once and takes about a minute."); \
	if ! $(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; then \
	  rm -rf .venv; "$$python" -m venv .venv >&2; \
	fi; \
	$(call say,'Installing the locked packages. Each is checked against its hash.'); \
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt >&2; \
	$(call say,'Installing Comity itself.'); \
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2; \
	touch $@; \
	$(call say,'Ready.')

comma := ,

demo: $(STAMP)
	@$(BIN)/comity demo $(ARGS)

serve: $(STAMP)
	@$(BIN)/comity serve $(ARGS)

# Two speeds, see tests/speeds. PostgreSQL 15 is the oldest server that is supported: where its binaries are found, what
# is marked pg15 runs on it too.
test: $(STAMP)
	@$(BIN)/python -m tests.speeds quick $(ARGS)

test-deep: $(STAMP)
	@$(BIN)/python -m tests.speeds deep $(ARGS)

check: $(STAMP)
	@$(call say,'ruff check');           $(BIN)/ruff check .
	@$(call say,'ruff format --check');  $(BIN)/ruff format --check .
	@$(call say,'mypy');                 $(BIN)/mypy
	@$(call say,'lint-imports');         $(BIN)/lint-imports
	@$(call say,'tests/architecture');   $(BIN)/python -m pytest tests/architecture
	@$(call say,'comity profile check'); $(BIN)/comity profile check
	@$(call say,'tests/golden/rights');  $(BIN)/python -m tests.golden --check

# What every role may do, as the policies decide it: docs/adding_an_agency.md says how to read it.
golden: $(STAMP)
	@$(BIN)/python -m tests.golden $(ARGS)

# The compiled catalogues are part of the source: docs/sentences.md.
sentences: $(STAMP)
	@$(BIN)/python -m comity.sentences.compile

bench: $(STAMP)
	@$(BIN)/python -m bench $(ARGS)

wheel: $(STAMP)
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist >&2
	@ls dist/*.whl

UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock:
	@uv --version >/dev/null 2>&1 || { $(call say,'make lock needs uv: pip install uv'); exit 1; }
	@head='# Locked for Python 3.11 to 3.13. Written by "make lock" from pyproject.toml; do not edit.'; \
	lock=$$($(UV_COMPILE) $(ARGS) pyproject.toml);            printf '%s\n' "$$head" "$$lock" > requirements.txt; \
	lock=$$($(UV_COMPILE) $(ARGS) pyproject.toml --extra dev); printf '%s\n' "$$head" "$$lock" > requirements-dev.txt; \
	if grep -n -i -E 'https?:|file:|index-url|find-links| @ ' requirements*.txt; then $(call say,'A lock names a host or a path: do not commit it.'); exit 1; fi

clean:
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
