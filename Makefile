# One command each. Every target makes ready what it needs; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help install uninstall demo test compiled test-long lint bench screenshots vectors who lock clean

export PATH := $(PATH):/usr/sbin:/sbin
unexport PYTHONDONTWRITEBYTECODE # tests start the program hundreds of times: it is compiled once
PYTHON := .venv/bin/python
TYPED := $(wildcard src tests tools bench vectors)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name words; \
	  do printf '  make %-12s %s\n' "$$name" "$$words"; done

install: ## install the program for good, as root: docs/operators.md (ROOT=folder stands for /)
	@ROOT="$(ROOT)" tools/setup install

uninstall: ## take it away again; data stay
	@ROOT="$(ROOT)" tools/setup uninstall

demo: ## show it all on this machine, over a private Tor network (ARGS="..." go to the program)
	@tools/setup demo
	@.venv/bin/sottovoce demo $(ARGS)

test: ## all checks and all tests but the long ones
	@tools/setup test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint compiled
	$(PYTHON) -m pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder --durations=15

compiled: ## once, beside the lint, and not four times at once; what fails here fails again in `test`, which says why
	@$(PYTHON) -m pytest --collect-only -qq >/dev/null 2>&1 || :

test-long: ## the tests that take minutes
	@tools/setup test
	timeout --signal=INT 3600 $(PYTHON) -m pytest -m long --numprocesses=3 --dist=loadfile --no-loadscope-reorder --timeout=1200 --durations=10

lint: ## style, types, import rules, the catalogues of sentences and what they promise
	@tools/setup python
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy $(TYPED)
	.venv/bin/lint-imports --no-logo --no-cache
	$(PYTHON) tools/strings.py --check
	$(PYTHON) tools/promises.py

bench: ## what is fast and what it costs, into build/bench.json
	@tools/setup demo
	$(PYTHON) -m bench

screenshots: ## pictures of every page of the door
	@tools/setup test
	$(PYTHON) tools/screenshots.py

vectors: ## write the test vectors anew
	@tools/setup python
	$(PYTHON) vectors/generate.py

who: ## try who sees what, and write the table into spec/THREATS.md
	@tools/setup test
	PYTHONPATH=tests $(PYTHON) -m who

lock: ## write requirements.lock and tools/bootstrap.lock anew, with the newest packages
	@tools/setup python
	.tools/bin/uv pip compile --quiet --upgrade pyproject.toml --extra call --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --output-file requirements.lock
	echo uv | .tools/bin/uv pip compile --quiet --upgrade - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --output-file tools/bootstrap.lock

clean: ## remove all that was built, downloaded or installed into the tree
	rm -rf .venv .tools build vectors/readers/node_modules tests/access/node_modules tests/outreach/proof/reader/node_modules .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
