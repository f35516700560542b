# Everything a checkout needs, in two commands: `make demo` and `make test`. Both install what is missing first and cost
# next to nothing when it is there. Paths are relative, so the checkout may lie in a folder with spaces in its name.
# `make PYTHON=/path/to/python3.12 ...` chooses the interpreter of a new .venv.

RUN := .venv/bin/python -m

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-rounding install test-tools check lint format lock bench-crossbar bench-circuit bench-training bench-layout bench-kills bench-mutations clean distclean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

demo: install ## install what is missing and run the main job; results in out/demo
	.venv/bin/snn2circuit run -o out/demo

test: test-tools install check ## install what is missing, check style and types, run every test
	$(RUN) pytest -n 2 --dist loadfile

test-rounding: test-tools install ## run the tests as other processors round; ARGS=other for one setting
	@bash scripts/test_rounding.sh $(ARGS)

install: ## install what is missing to run the package (apt, .venv, pip)
	@bash scripts/install_system.sh demo
	@bash scripts/install_python.sh

bench-layout: install ## 784-100-10 from crossbar to judged masks; last line JSON
	.venv/bin/python benchmarks/layout.py

test-tools:
	@bash scripts/install_system.sh test
	@bash scripts/fetch_test_data.sh
	@bash scripts/fetch_node_tools.sh

check:
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

lint: install check ## check style and types only

format: install ## let ruff rewrite what it can
	$(RUN) ruff check --fix
	$(RUN) ruff format

lock: ## resolve requirements.lock again after a change in pyproject.toml; ARGS=--upgrade for newer versions
	@[ -x .venv/bin/python ] || bash scripts/install_python.sh
	$(RUN) pip install --quiet --require-hashes --only-binary :all: --no-deps -r scripts/resolver.txt
	.venv/bin/python scripts/lock.py $(ARGS)

bench-training: install ## how fast training is against plain snnTorch and its own lower bound; last line JSON
	.venv/bin/python benchmarks/training.py

bench-crossbar: install ## the crossbar solver against badcrossbar and ngspice; last line JSON
	$(RUN) benchmarks.crossbar

bench-circuit: install ## MNIST through the circuit in the exact solver and in ngspice; ARGS='--data FOLDER'
	$(RUN) benchmarks.circuit $(ARGS)

bench-kills: install ## kill runs and commands at random moments: nothing left, nothing lost; last line JSON
	.venv/bin/python benchmarks/kills.py $(ARGS)

bench-mutations: test-tools ## 32,000 changed files through every reader, only typed errors; ARGS='FILES READER...'
	.venv/bin/python benchmarks/mutations.py $(ARGS)

clean: ## remove results and caches
	rm -rf out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## also remove .venv, node_modules and fetched test data
	rm -rf .venv node_modules .cache
