# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Everything that people and tests do goes through here; `make help` says what there is.
# The work is in scripts/; each step is incremental and logs to build/log.

PREFIX ?= /usr/local
PYTHON := /usr/bin/python3
SECONDS ?= 60
KERNEL ?= debug
PYTEST := $(PYTHON) -m pytest -p no:cacheprovider
# A guest hardly uses more than one processor: two at a time, each with all the tests that want it.
PARALLEL := -n 2 --dist loadgroup

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-full setup setup-dev setup-bench setup-full kernel peer debug kernels kernels-full drivers tools selftests bench bench-check fuzz lint install clean distclean

help: ## this list
	@echo 'iommufd-bpf: an iommufd for Linux 7.3 that can be watched and steered with BPF'
	@echo
	@awk -F':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  scripts/graft TREE   put kernel/ into a Linux 7.3 source tree (--undo takes it out)'
	@echo '  scripts/vm --help    run a command in a guest of any of these kernels'
	@echo
	@echo 'Logs: build/log. Downloads and compiler cache: ~/.cache/iommufd-bpf (IOMMUFD_CACHE).'

demo: setup kernel tools ## from nothing to iommufd-top watching real DMA in a guest
	@scripts/demo

test: setup-dev kernels tools selftests lint ## from nothing: build everything, run all tests that fit CI
	@$(PYTEST) $(PARALLEL) tests/

test-full: setup-full kernels kernels-full drivers tools selftests lint ## also the tests that take long, and all guest tests on the peer
	@$(PYTEST) $(PARALLEL) --full --kernels main,peer,debug,container,peer-container,debug-bpf,builtin tests/

setup: ## install the packages that are needed (Debian 12 or 13)
	@scripts/setup

setup-dev: # what tests and lint use, too
	@scripts/setup --dev

setup-bench: # what draws charts
	@scripts/setup --bench

setup-full: # what test-full uses, too
	@scripts/setup --full

kernel: setup ## the patched kernel and its modules
	@scripts/build-kernel main

peer: setup ## the same kernel with its own, untouched iommufd
	@scripts/build-kernel peer

debug: setup ## the patched kernel with the sanitizers
	@scripts/build-kernel debug

kernels: setup
	@scripts/build-kernel main peer debug

kernels-full: setup # for test-full: iommufd as the VFIO container, BPF under sanitizers, built in, benchmarks
	@scripts/build-kernel container peer-container debug-bpf builtin bench peer-bench

drivers: setup-full kernel # for test-full: compiled for arm64, and without iommufd
	@scripts/build-drivers

tools: setup ## BPF objects, skeletons, tools
	@scripts/build-tools

selftests: setup-dev ## programs for tests, such as the base kernel's own
	@scripts/build-selftests

lint: setup-dev kernel ## checkpatch, sparse, W=1, clang-format, ruff, shellcheck
	@scripts/lint

bench: setup-bench ## what it costs, next to the peer and VFIO type1: table, chart, JSON in build/bench/result
	@scripts/build-kernel bench peer-bench main peer
	@scripts/bench

bench-check: setup ## whether it got dearer than the committed baseline, and which functions did
	@scripts/build-kernel bench main
	@scripts/bench --check

fuzz: setup-dev selftests ## random requests, judged; SECONDS=60, KERNEL=debug, SEED= to repeat
	@scripts/build-kernel $(KERNEL)
	@scripts/fuzz --kernel $(KERNEL) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

install: tools ## tools, under PREFIX and DESTDIR
	@$(MAKE) --no-print-directory -C tools install PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'

clean: ## remove objects, keep the unpacked kernel source
	rm -rf build/kernel build/bin build/tools build/selftests build/log build/linux/*/o-*

distclean: ## remove build/
	rm -rf build
