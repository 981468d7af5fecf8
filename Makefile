# Every job of the project; `make` alone lists them. Python 3.11 or newer and make are all a machine needs.

PYTHON ?= $(shell for p in python3.11 python3 python python3.12 python3.13; do \
	$$p -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
WORKERS ?= 2
ARGS ?=

.PHONY: help demo test check fix docs bench clean

help:  ## list the jobs
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

# Its matrices are small: threads that find no free core stall each other for minutes.
demo: .venv/.installed  ## run the packaged recipe `demo`; a second time it only says what stands
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-2} $(BIN)/sluice run demo $(ARGS)

# One thread per worker: two on two cores take twice as long. Whoever has nothing left takes over from the others.
test: .venv/.installed-dev  ## the whole suite, offline; ARGS="-k gates" for a part of it
	@HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

check: .venv/.installed-dev  ## style, types and layers; changes nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: .venv/.installed-dev  ## what ruff can put right by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/.installed  ## write docs/config.md from the code
	$(BIN)/sluice docs > .venv/config.md
	@mv .venv/config.md docs/config.md

bench: .venv/.installed-dev  ## every figure beside its peer; ARGS=--quick for a smaller run
	@$(BIN)/python benchmarks $(ARGS)

clean:  ## remove .venv and every cache; runs/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: what is installed once is installed again only when a pin or a dependency changes.

.venv/.installed: pyproject.toml constraints.txt
	$(call install,.)
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt
	$(call install,.[dev])
	@touch $@ .venv/.installed

define install
	@test -n "$(PYTHON)" || { \
		echo "error: no Python 3.11 or newer with venv on the PATH"; \
		echo "hint: install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 2; }
	@echo "installing into .venv (once, some minutes)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '$(1)'
endef
