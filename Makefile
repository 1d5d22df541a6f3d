# `make lab` and `make test` need only git, make and Python >= 3.10: they set up .venv themselves, once.
PYTHON ?= python3
LAB_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
PORT ?=
KERNELS ?=

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# One thread for each of pytest's processes, of which there are three: on two cores, one of them waits for a browser.
# Sums then also have one order on every machine.
# Many containers forbid Python to keep what it compiled; the tests start 300 processes.
SINGLE := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=

# What `make test` leaves out, and `make test-all` and CI run: CONTRIBUTING.md says what is where.
FIRST := -m "not exhaustive"

# Before anything is installed: can $(PYTHON) make an environment?
define CHECK_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
  || { echo "rsl_edu needs Python 3.10 or newer, which '$(PYTHON)' is not; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
  || { echo "'$(PYTHON)' lacks its venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
endef

# Before the book is built: can it be shown on this port?
define CHECK_PORT
@$(PYTHON) -c 'import socket; assert int("$(1)"); socket.create_server(("127.0.0.1", int("$(1)")))' 2>/dev/null \
  || { echo "PORT: expected a free port from 1 to 65535, got '$(1)'; name another: make book-serve PORT=8001" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help lab test test-all quick kernels torch check notebooks bench book book-serve wheel release clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(VENV)/lab.stamp ## open the lessons in JupyterLab (PORT=8890 LAB_ARGS=--no-browser)
	$(BIN)/rsl-edu lab notebooks -- $(if $(PORT),--port=$(PORT)) $(LAB_ARGS)

test: $(VENV)/test.stamp ## run the tests, the notebooks included (TEST_ARGS="-k mlp")
	$(SINGLE) $(BIN)/python -m pytest -n 3 $(FIRST) $(TEST_ARGS)

test-all: $(VENV)/test.stamp ## the same, and what repeats it for every page, robot and answer, as CI does
	$(SINGLE) $(BIN)/python -m pytest -n 3 $(TEST_ARGS)

quick: $(VENV)/test.stamp ## run the tests of modules, explorers and checks that are done within a minute (TEST_ARGS="-k mlp")
	$(SINGLE) $(BIN)/python -m pytest -n 3 -q -m "not slow and not exhaustive" tests/modules tests/explorers tests/course/test_check.py $(TEST_ARGS)

kernels: $(VENV)/test.stamp ## run the tests of numbers with each of torch's CPU kernels (KERNELS="default avx2")
	$(SINGLE) $(BIN)/python tests/kernels.py $(KERNELS) --pytest="$(TEST_ARGS)"

torch: ## try another torch in a throw-away environment (TORCH=2.9.1 PYTHON=python3.12 TEST_ARGS="tests/modules -k rnn")
	@[ -n "$(TORCH)" ] || { echo "Name a release: make torch TORCH=2.9.1" >&2; exit 1; }
	$(CHECK_PYTHON)
	@$(PYTHON) tests/other_torch.py "$(TORCH)" $(TEST_ARGS)

.PHONY: colab
colab: ## run every lesson with the versions that Colab has, in a throw-away environment (PYTHON=python3.13)
	$(CHECK_PYTHON)
	@$(PYTHON) tests/colab.py

check: wheel ## lint, format, types, spelling, workflows, the wheel, and form, hints and solutions of the stored notebooks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/codespell
	PRE_COMMIT_HOME=$(VENV)/pre-commit $(BIN)/pre-commit run --all-files phrases
	$(BIN)/actionlint
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[0-9]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/python -m rsl_edu.course.fold --check notebooks
	$(BIN)/python -m rsl_edu.course.execute --check notebooks

notebooks: $(VENV)/test.stamp ## write what is made of code: lists of explorers, links, hints and solutions, outputs of the notebooks
	$(BIN)/python book/lists.py
	$(BIN)/python book/badges.py
	$(BIN)/python -m rsl_edu.course.fold notebooks
	$(SINGLE) $(BIN)/python -m rsl_edu.course.execute notebooks

bench: $(VENV)/test.stamp ## measure imports, memory, explorers, and speed beside rsl_rl's, also on a GPU (BENCH_ARGS=--readme)
	$(SINGLE) $(BIN)/python tests/bench.py
	$(SINGLE) $(BIN)/python -m pytest -q -p no:nbval -o addopts= tests/browser/bench_latency.py
	$(SINGLE) $(BIN)/python tests/bench_speed.py $(BENCH_ARGS)

.PHONY: hub bench-hub
hub: $(VENV)/hub.stamp ## serve the lessons to a class by JupyterHub, on this machine alone (PORT=8100)
	$(BIN)/python book/hub/serve.py --port $(or $(PORT),8000)

bench-hub: $(VENV)/hub.stamp ## measure what a class costs: 20 learners at JupyterHub, ten minutes (BENCH_ARGS="--learners 2")
	$(SINGLE) $(BIN)/python tests/bench_hub.py $(BENCH_ARGS)

book: $(VENV)/test.stamp ## build the book, with what works without a kernel and without a network, in book/_build/html
	$(BIN)/python book/build.py

book-serve: PORT := $(or $(PORT),8000)
book-serve: ## show the book on port 8000 (PORT=8001)
	$(call CHECK_PORT,$(PORT))
	$(MAKE) --no-print-directory book
	@echo "The book: http://localhost:$(PORT)"
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory book/_build/html

wheel: $(VENV)/test.stamp ## build what a release consists of, in dist, and check it
	$(BIN)/python .ci/release.py

release: $(VENV)/test.stamp ## the same, for a tag that must be that of the version (TAG=v0.1.0)
	@[ -n "$(TAG)" ] || { echo "Name the tag: make release TAG=v0.1.0" >&2; exit 1; }
	$(BIN)/python .ci/release.py "$(TAG)"

clean: ## remove caches and builds (delete .venv by hand to set up anew)
	rm -rf build dist book/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find notebooks rsl_edu tests \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

$(VENV)/test.stamp: EXTRAS := [test,book,peer,onnx,hub,dev]
$(VENV)/hub.stamp: EXTRAS := [hub]
$(VENV)/%.stamp: pyproject.toml constraints.txt
	$(CHECK_PYTHON)
	@echo "Setting up $(VENV); the first time takes some minutes and 2 GB."
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear $(VENV)
	@[ -t 1 ] || quiet=--quiet; $(BIN)/python -m pip install $$quiet -c constraints.txt -e '.$(EXTRAS)'
	@touch $@ $(VENV)/lab.stamp
