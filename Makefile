# Needs Python 3.11 or newer, make and a package index; everything lands in .venv.
#
#   make demo     run the quickstart sweep and draw its stability map
#   make test     format, lint, types, layers, then the tests
#   make lint     all of that but the tests
#   make docs     the documentation site, docs/_build/html/index.html; runs every example
#   make bench    the benchmarks
#   make faults   kill drivers, nodes and heads, fill disks; then count rows; half an hour
#   make pictures the README's pictures, from sweeps of a quarter of an hour in all
#   make notebooks  run the notebooks on the demo store and keep what they show
#   make format   let ruff rewrite what `make lint` would refuse
#   make clean    remove the demo, the caches and the builds; .venv stays

.PHONY: demo test lint docs bench faults pictures notebooks format clean
.DELETE_ON_ERROR:

# The first of these that runs and is new enough; the pins were tested with 3.11.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# With the pinned setuptools: pip would build in an environment that ignores constraints.txt.
INSTALL := $(PIP_INSTALL) --no-build-isolation --editable

# Charts are written to files: no display is needed.
export MPLBACKEND := Agg
# Sweeps and tests start many processes: only the first compiles the sources.
unexport PYTHONDONTWRITEBYTECODE

demo: .venv/.installed
	@echo "Training 5,120 small networks on digits: about a minute. Ctrl-C stops; 'make demo' goes on."
	$(BIN)/phasesweep run quickstart --store demo/quickstart
	@echo "Drawing where they train:"
	$(BIN)/phasesweep map demo/quickstart --out demo/stability_map.png
	@echo
	@echo "Look at demo/stability_map.png: green is where networks train."
	@echo "Then type"
	@echo
	@echo "    source .venv/bin/activate"
	@echo "    phasesweep report demo/quickstart --out demo/atlas.html"
	@echo
	@echo "and open demo/atlas.html in a browser: a click on a cell shows its run. Each run has an"
	@echo "id; 'phasesweep explain demo/quickstart ID' says why it ended so, and what to change."

# A worker on each core; a file's tests stay on one, as they share what takes long to make. Files go
# in the order of tests/conftest.py: by default those of few tests, however long, would come last.
test: lint
	$(BIN)/pytest -q -n auto --dist loadfile --no-loadscope-reorder

lint: .venv/.installed-test
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Pages and doctests share what was read of the sources.
SPHINX := $(BIN)/sphinx-build --fail-on-warning --keep-going --quiet -d docs/_build/doctrees

docs: .venv/.installed-docs
	$(SPHINX) -b html docs docs/_build/html
	$(SPHINX) -b doctest docs docs/_build/doctest

# The README's pictures: each shipped sweep with the figure of its name.
PICTURES := chi cures trainable_depth critical_learning_rate edge_of_stability adam_edge catapult \
	fractal

pictures: demo
	set -e; for name in $(PICTURES); do \
		$(BIN)/phasesweep run $$name --store demo/$$name; \
		$(BIN)/phasesweep figure $$name demo/$$name --out analysis/pictures/$$name.png; \
	done
	rm -f demo/fractal_zoom.yaml
	$(BIN)/phasesweep zoom demo/fractal --at 1e4,0.75 --by 8 --out demo/fractal_zoom.yaml
	$(BIN)/phasesweep run demo/fractal_zoom.yaml --store demo/fractal_zoom
	$(BIN)/phasesweep figure fractal demo/fractal_zoom --out analysis/pictures/fractal_zoom.png
	sed 's/513\]/129]/' pipeline/sweeps/fractal.yaml > demo/zooms.yaml
	rm -f demo/zooms_8.yaml demo/zooms_64.yaml
	$(BIN)/phasesweep run demo/zooms.yaml --store demo/zooms
	$(BIN)/phasesweep zoom demo/zooms --at 278.493464999,0.902173425539 --by 8 --out demo/zooms_8.yaml
	$(BIN)/phasesweep run demo/zooms_8.yaml --store demo/zooms_8
	$(BIN)/phasesweep zoom demo/zooms_8 --at 178.42497052,1.01864862981 --by 8 --out demo/zooms_64.yaml
	$(BIN)/phasesweep run demo/zooms_64.yaml --store demo/zooms_64
	$(BIN)/phasesweep animate demo/zooms demo/zooms_8 demo/zooms_64 --out analysis/pictures/zooms.png
	$(BIN)/phasesweep run mup --store demo/mup
	$(BIN)/phasesweep map demo/mup --x learning_rate --y width --columns parameterization \
		--out analysis/pictures/mup.png
	$(BIN)/phasesweep run residual --store demo/residual
	$(BIN)/phasesweep map demo/residual --y depth --columns residual --out analysis/pictures/residual.png
	$(BIN)/phasesweep figure thresholds demo/quickstart --out analysis/pictures/thresholds.png
	$(BIN)/phasesweep animate demo/quickstart --out analysis/pictures/moving_map.gif
	cp demo/stability_map.png analysis/pictures/stability_map.png

notebooks: demo .venv/.installed-test
	$(BIN)/python -m tests.keep_notebooks

bench: .venv/.installed-bench
	set -e; for benchmark in tests/benchmarks/bench_*.py; do $(BIN)/python $$benchmark; done

faults: .venv/.installed-test
	$(BIN)/python -m tests.faults

format: .venv/.installed-test
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format

clean:
	rm -rf demo build dist docs/_build docs/gallery *.egg-info .pytest_cache .ruff_cache .mypy_cache \
		.import_linter_cache .hypothesis
	find core pipeline analysis tests -type d -name __pycache__ -prune -exec rm -rf {} +

# A stamp is newer than what it was installed from; pip is missing where .venv is half made.
$(BIN)/pip:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "phasesweep needs Python 3.11 or newer, found $(or $(PYTHON),none) on the PATH;" \
		"install it or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing phasesweep and what it needs into .venv, once: some minutes"
	$(PIP_INSTALL) setuptools
	$(INSTALL) .
	@touch $@

.venv/.installed-test: .venv/.installed
	$(INSTALL) '.[test,docs]'
	@touch $@

.venv/.installed-docs: .venv/.installed
	$(INSTALL) '.[docs]'
	@touch $@

.venv/.installed-bench: .venv/.installed
	$(INSTALL) '.[bench]'
	@touch $@
