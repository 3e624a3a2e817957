# The supported targets; `make help` prints them. Whatever is expensive lives in $(CACHE), outside the tree.
CACHE ?= /var/cache/hps
VENV := $(CACHE)/venv
PYTHON := $(VENV)/bin/python
export PATH := $(VENV)/bin:$(PATH)
export HPS_CACHE := $(CACHE)

.PHONY: help setup check test lab prove bench demo second down features format
help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*  ## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

setup:  ## install what HPS needs on a Debian machine (as root); quick when it is all there
	@tests/setup

check: setup  ## the gate: ruff, mypy, shellcheck, shfmt, bats, unit, contract and web tests
	@tests/check

lab: setup  ## boot real machines against the real IPS
	@$(PYTHON) -m pytest tests/lab

test: check lab  ## the gate and the lab: what CI runs

prove: setup  ## the long sweeps: power cuts, storms, fuzzing
	@$(PYTHON) -m pytest -m prove --override-ini 'addopts=-ra --strict-markers' tests

bench: setup  ## measure, as ratios within one run
	@$(PYTHON) -m tests.bench

demo: setup  ## a blank machine becomes a node, on an embedded virtual network
	@$(PYTHON) -m tests.lab.demo up

second: setup  ## switch on one more blank machine in the demo
	@$(PYTHON) -m tests.lab.demo second

down:  ## stop the demo and leave nothing behind
	@$(PYTHON) -m tests.lab.demo down

features: setup  ## one line for each requirement: proven, failing or open
	@$(PYTHON) -m tests.features

format: setup  ## format the Python and shell sources
	@ruff format lib hps-api tests && ruff check --fix lib hps-api tests
