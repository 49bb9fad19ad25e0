# Needs `make` and Python 3.11 or newer; everything else goes into .venv. `make` alone lists the targets.

PYTHON ?= python3
BACKENDS := numpy torch jax tensorflow
BACKEND ?= numpy
ifeq ($(filter $(BACKENDS),$(BACKEND)),)
$(error BACKEND=$(BACKEND) is none of: $(BACKENDS))
endif

# How long the demonstrations run.
MNIST_FLAGS ?=
G2P_FLAGS ?= --steps 150 --test 1000

PYTEST_FLAGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt

# One stamp per set of extras. They live in the virtual environment, so they vanish together with it.
DEMO_STAMPS := $(foreach name,$(BACKENDS),$(VENV)/.installed-demo-$(name))
ALL_STAMP := $(VENV)/.installed-all

# One thread per process, because several test processes share the cores; and no start-up chatter from TensorFlow.
TEST_ENVIRONMENT := OMP_NUM_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint types docs examples-in-docs doctest unit bench conformance report constraints clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- installing ---------------------------------------------------------------------------------

# pip and not python marks a complete environment: it arrives last.
$(BIN)/pip:
	@command -v $(PYTHON) >/dev/null || { \
		echo "unigrad: no '$(PYTHON)' here; name a Python 3.11 or newer with 'make PYTHON=...'" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "unigrad: needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1);" \
			"name another one with 'make PYTHON=...'" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(ALL_STAMP): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing unigrad with all backends and the development tools into $(VENV) (some minutes, some GB)"
	@$(PIP_INSTALL) -e '.[all,demo,dev]'
	@touch $@ $(DEMO_STAMPS)

$(VENV)/.installed-demo-numpy: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing unigrad with the demonstrations' extras into $(VENV)"
	@$(PIP_INSTALL) -e '.[demo]'
	@touch $@

$(VENV)/.installed-demo-%: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing unigrad with the demonstrations' extras and $* into $(VENV)"
	@$(PIP_INSTALL) -e '.[demo,$*]'
	@touch $@

install: $(ALL_STAMP) ## Install everything into .venv.

# --- using --------------------------------------------------------------------------------------

demo: $(VENV)/.installed-demo-$(BACKEND) ## Train on MNIST and on pronunciation (BACKEND=numpy|torch|jax|tensorflow).
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/mnist_mlp.py --backend $(BACKEND) $(MNIST_FLAGS)
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python examples/g2p.py --backend $(BACKEND) $(G2P_FLAGS)

bench: $(ALL_STAMP) ## Measure the speed beside the frameworks by themselves; renew its page.
	$(BIN)/python -m unigrad bench --page

conformance: $(ALL_STAMP) ## Run the conformance suite on every installed backend and print its report.
	$(TEST_ENVIRONMENT) $(BIN)/python -m unigrad conformance

report: $(ALL_STAMP) ## Renew docs/conformance-report.md, and report.html; an interrupted run goes on.
	$(TEST_ENVIRONMENT) $(BIN)/python -m unigrad conformance --level quick --backend numpy,torch,jax,tensorflow \
		--resume report.jsonl --report docs/conformance-report.md --report report.html

# --- checking -----------------------------------------------------------------------------------

test: ## Run every check, as continuous integration does.
	.ci/run

lint: $(ALL_STAMP) ## Check style and formatting.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(ALL_STAMP) ## Check the type annotations.
	$(BIN)/mypy

docs: $(ALL_STAMP) ## Build the documentation into site/.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

examples-in-docs: $(ALL_STAMP) ## Run the Python code of README.md and docs/.
	$(TEST_ENVIRONMENT) $(BIN)/python .ci/run_markdown.py README.md docs

doctest: $(ALL_STAMP) ## Run the examples in docstrings.
	$(TEST_ENVIRONMENT) $(BIN)/python -m pytest --doctest-modules unigrad $(PYTEST_FLAGS)

unit: $(ALL_STAMP) ## Run the tests.
	$(TEST_ENVIRONMENT) $(BIN)/python -m pytest -n 2 $(PYTEST_FLAGS)

# --- keeping house ------------------------------------------------------------------------------

constraints: ## Resolve everything anew and write constraints.txt.
	$(PYTHON) -m venv --clear build/constraints-venv
	build/constraints-venv/bin/python -m pip install -q --disable-pip-version-check '.[all,demo,dev]'
	sed -n '/^#/p' constraints.txt > build/constraints.txt
	build/constraints-venv/bin/python -m pip freeze --all --exclude pip --exclude unigrad >> build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints-venv

clean: ## Remove what was built and cached; .venv stays.
	rm -rf build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +
