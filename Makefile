# Eight verbs. Each does its own set-up; a second run reuses what is there.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PACKAGES := packages/lstta-core packages/lstta-tasks packages/lstta-world packages/lstta-method-peft \
	packages/lstta-backbones/lstta-backbone-tiny packages/lstta-backbones/lstta-backbone-transformers \
	packages/lstta-backbones/lstta-backbone-beats

.PHONY: demo demo-captions test test-slow docs lint format clean

$(VENV)/installed: constraints.txt requirements-test.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt torch
	$(RUN) -m pip install --quiet --constraint constraints.txt -r requirements-test.txt $(addprefix -e ,$(PACKAGES))
	touch $@

$(VENV)/slow: $(VENV)/installed requirements-slow.txt
	$(RUN) -m pip install --quiet --constraint constraints.txt -r requirements-slow.txt
	touch $@

demo: $(VENV)/installed  ## from nothing to a trained adapter and its table
	$(RUN) tools/demo.py

demo-captions: $(VENV)/installed  ## the same for answers in words
	$(RUN) tools/demo.py --captions

test: $(VENV)/installed  ## the fast tests, on all cores
	OMP_NUM_THREADS=1 $(RUN) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

test-slow: $(VENV)/slow  ## the tests that take minutes
	$(RUN) -m pytest -m slow

docs: $(VENV)/slow  ## the docs as a site, in site/
	$(RUN) -m zensical build --strict

lint: $(VENV)/installed  ## ruff and mypy
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m mypy --platform win32 --cache-dir .mypy_cache/win32
	$(RUN) -m mypy --platform darwin --cache-dir .mypy_cache/darwin

format: $(VENV)/installed
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

clean:  ## what the demo made; the environment stays
	rm -rf data work_dirs
