# make report   measure the four methods on this machine: reports/quick/report.html, and report.md beside it
# make lab      draw the pictures of docs/lab again, each from running code
# make test     all tests, and the examples in docstrings and pages
# make check    style, types and layers
# make format   rewrite the files in the project's style
# make clean    remove what the other targets made
#
# Each needs Python 3.11 or newer with pip and venv; name another one with: make PYTHON=python3.12 ...

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
REPORT := reports/quick/report.html

.DELETE_ON_ERROR:
.PHONY: report lab test check format clean

report: $(REPORT)
	@echo "The report: $(REPORT)"

lab: $(VENV)/.installed-lab
	$(BIN)/diffkit lab --out docs/lab/figures

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.installed-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-check
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) build dist reports/quick .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment must exist, but a new one does not make a report old: order-only.
$(REPORT): pyproject.toml $(shell find diffkit -name '*.py' -o -name '*.toml' -o -path '*/templates/*') | $(VENV)/.installed
	$(BIN)/diffkit bench quick --out $(@D)

# A stamp per extra, renewed when pyproject.toml changes, so that repeats install nothing twice.
$(VENV)/.installed: pyproject.toml | $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(VENV)/.created
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'diffkit needs Python 3.11 or newer, and "$(PYTHON)" is not. Name one that is: make PYTHON=python3.12' >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@
