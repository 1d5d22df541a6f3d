# `make lab` and `make test` need only git, make and Python >= 3.10. They set up .venv the first time.
PYTHON ?= python3
LAB_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
PORT ?=
KERNELS ?=

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
# pytest runs three processes with one thread each: on two cores, one of them usually waits for a browser.
# With one thread, sums also have the same order on every machine.
# Many containers set PYTHONDONTWRITEBYTECODE, which would slow down the 300 processes that the tests start.
SINGLE := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=

# `make test` leaves these tests out; `make test-all` and CI run them. CONTRIBUTING.md lists what is where.
FIRST := -m "not exhaustive"

# Before anything is installed: can $(PYTHON) create an environment?
define CHECK_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
  || { echo "rsl_edu needs Python 3.10 or newer, and '$(PYTHON)' is older or missing; choose another: make PYTHON=python3.12 ..." >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
  || { echo "'$(PYTHON)' lacks its venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
endef

# Before the book is built: is this port free?
define CHECK_PORT
@$(PYTHON) -c 'import socket; assert int("$(1)"); socket.create_server(("127.0.0.1", int("$(1)")))' 2>/dev/null \
  || { echo "PORT: expected a free port from 1 to 65535, got '$(1)'; choose another: make book-serve PORT=8001" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help lab test test-all quick kernels torch check notebooks bench book book-serve wheel release clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(VENV)/lab.stamp ## open the lessons in JupyterLab (PORT=8890 LAB_ARGS=--no-browser)
	$(BIN)/rsl-edu lab notebooks -- $(if $(PORT),--port=$(PORT)) $(LAB_ARGS)

test: $(VENV)/test.stamp ## run the tests, including the notebooks (TEST_ARGS="-k mlp")
	$(SINGLE) $(BIN)/python -m pytest -n 3 $(FIRST) $(TEST_ARGS)

test-all: $(VENV)/test.stamp ## run all tests, including those for every page, robot and answer, as CI does
	$(SINGLE) $(BIN)/python -m pytest -n 3 $(TEST_ARGS)

quick: $(VENV)/test.stamp ## run the tests of modules, explorers and checks, within a minute (TEST_ARGS="-k mlp")
	$(SINGLE) $(BIN)/python -m pytest -n 3 -q -m "not slow and not exhaustive" tests/modules tests/explorers tests/course/test_check.py $(TEST_ARGS)

kernels: $(VENV)/test.stamp ## run the tests of numbers with each torch CPU kernel (KERNELS="default avx2")
	$(SINGLE) $(BIN)/python tests/kernels.py $(KERNELS) --pytest="$(TEST_ARGS)"

torch: ## run tests with another torch, in a temporary environment (TORCH=2.9.1 PYTHON=python3.12 TEST_ARGS="tests/modules -k rnn")
	@[ -n "$(TORCH)" ] || { echo "Give a release of torch: make torch TORCH=2.9.1" >&2; exit 1; }
	$(CHECK_PYTHON)
	@$(PYTHON) tests/other_torch.py "$(TORCH)" $(TEST_ARGS)

.PHONY: colab
colab: ## run every lesson with the versions that Colab has, in a temporary environment (PYTHON=python3.13)
	$(CHECK_PYTHON)
	@$(PYTHON) tests/colab.py

check: wheel ## check lint, format, types, spelling, workflows, the wheel, and the form, hints and solutions of the notebooks
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

notebooks: $(VENV)/test.stamp ## write what is generated from code: lists of explorers, links, hints, solutions, outputs of the notebooks
	$(BIN)/python book/lists.py
	$(BIN)/python book/badges.py
	$(BIN)/python -m rsl_edu.course.fold notebooks
	$(SINGLE) $(BIN)/python -m rsl_edu.course.execute notebooks

bench: $(VENV)/test.stamp ## measure imports, memory, explorers, and speed compared with rsl_rl, also on a GPU (BENCH_ARGS=--book)
	$(SINGLE) $(BIN)/python tests/bench.py
	$(SINGLE) $(BIN)/python -m pytest -q -p no:nbval -o addopts= tests/browser/bench_latency.py
	$(SINGLE) $(BIN)/python tests/bench_speed.py $(BENCH_ARGS)

.PHONY: hub bench-hub
hub: $(VENV)/hub.stamp ## serve the lessons to a class with JupyterHub, on this machine only (PORT=8100)
	$(BIN)/python book/hub/serve.py --port $(or $(PORT),8000)

bench-hub: $(VENV)/hub.stamp ## measure what a class costs: 20 learners on JupyterHub, ten minutes (BENCH_ARGS="--learners 2")
	$(SINGLE) $(BIN)/python tests/bench_hub.py $(BENCH_ARGS)

book: $(VENV)/test.stamp ## build the book, which works without a kernel or a network, in book/_build/html
	$(BIN)/python book/build.py

book-serve: PORT := $(or $(PORT),8000)
book-serve: ## show the book on port 8000 (PORT=8001)
	$(call CHECK_PORT,$(PORT))
	$(MAKE) --no-print-directory book
	@echo "The book: http://localhost:$(PORT)"
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory book/_build/html

wheel: $(VENV)/test.stamp ## build the files of a release in dist, and check them
	$(BIN)/python .ci/release.py

release: $(VENV)/test.stamp ## check that a tag matches the version, then build the same files (TAG=v0.1.0)
	@[ -n "$(TAG)" ] || { echo "Give the tag: make release TAG=v0.1.0" >&2; exit 1; }
	$(BIN)/python .ci/release.py "$(TAG)"

clean: ## remove caches and builds (to set up again, delete .venv by hand)
	rm -rf build dist book/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find notebooks rsl_edu tests \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

$(VENV)/test.stamp: EXTRAS := [test,book,peer,onnx,hub,dev]
$(VENV)/hub.stamp: EXTRAS := [hub]
$(VENV)/%.stamp: pyproject.toml constraints.txt
	$(CHECK_PYTHON)
	@echo "Setting up $(VENV); the first time takes a few minutes and 2 GB."
	@[ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear $(VENV)
	@[ -t 1 ] || quiet=--quiet; $(BIN)/python -m pip install $$quiet -c constraints.txt -e '.$(EXTRAS)'
	@touch $@ $(VENV)/lab.stamp
