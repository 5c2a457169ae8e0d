PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test soak lint docs packages clean

demo: .venv/demo.installed
	$(BIN)/emolens run

# Two at a time: most tests wait for a process of their own. A file's tests share what it prepares.
test: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope

soak: .venv/dev.installed
	$(BIN)/python -m pytest -m soak

docs: .venv/dev.installed
	$(BIN)/python -m sphinx -W --keep-going -n -q docs docs/_build/html
	@echo docs/_build/html/index.html

packages: .venv/dev.installed
	$(BIN)/python scripts/check-packages

lint: .venv/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/demo.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "Installing what constraints.txt pins; this takes a few minutes the first time."
	$(INSTALL) --editable '.[starter]'
	touch $@

.venv/dev.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "Installing what constraints.txt pins; this takes a few minutes the first time."
	$(INSTALL) --editable '.[dev]'
	touch $@ .venv/demo.installed

clean:
	rm -rf .venv
