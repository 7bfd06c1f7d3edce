# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The entry point for people and for CI; `make help` lists the targets.
# The scripts in scripts/ do the work; each step is incremental and logs to build/log.

PREFIX ?= /usr/local
PYTHON := /usr/bin/python3
SECONDS ?= 60
KERNEL ?= debug
PYTEST := $(PYTHON) -m pytest -p no:cacheprovider
# A guest hardly uses more than one CPU: run two at a time, each with all tests that need it.
PARALLEL := -n 2 --dist loadgroup

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-full setup setup-dev setup-bench setup-deb setup-full stock kernel peer debug kernels kernels-full arm64 drivers tools selftests bench bench-check fuzz lint install dkms deb clean distclean

help: ## show this list
	@echo 'iommufd-bpf: an iommufd for Linux 7.3 that BPF can observe and control'
	@echo
	@awk -F':[^#]*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  scripts/graft TREE   put kernel/ into a Linux 7.3 source tree (--undo removes it)'
	@echo '  scripts/vm --help    run a command in a guest of any of these kernels'
	@echo
	@echo 'Logs: build/log. Downloads and compiler cache: ~/.cache/iommufd-bpf (IOMMUFD_CACHE).'

demo: setup stock tools ## run iommufd-top on real DMA in a guest with Debian's kernel
	@scripts/demo

test: setup-dev kernels tools selftests lint ## build everything, run all tests that fit into CI
	@$(PYTEST) $(PARALLEL) tests/

test-full: setup-full kernels kernels-full arm64 drivers tools selftests lint ## also run the slow tests, and all guest tests on the peer
	@$(PYTEST) $(PARALLEL) --full --kernels main,stock,stock-7.2,replaced,peer,peer-6.12,peer-7.2,debug,debian-6.1,debian-6.12,debian-7.2,debian-7.3,container,peer-container,debug-bpf,builtin,arm64,arm64-peer,arm64-debug,stock-arm64 tests/

setup: ## install the required packages (Debian 12 or 13)
	@scripts/setup

setup-dev: # also packages for tests and lint
	@scripts/setup --dev

setup-bench: # also packages for charts
	@scripts/setup --bench

setup-deb: # also packages that build packages
	@scripts/setup --deb

setup-full: # also packages for test-full
	@scripts/setup --full

stock: setup ## fetch Debian's kernel and build our modules for it
	@scripts/stock-kernel

kernel: setup ## build the patched kernel and its modules
	@scripts/build-kernel main

peer: setup ## build the same kernel with its own, unmodified iommufd
	@scripts/build-kernel peer

debug: setup ## build the patched kernel with the sanitizers
	@scripts/build-kernel debug

kernels: debug stock # of make test: also Debian's kernel as it is, for tests of VFIO type1
	@scripts/debian-kernel 7.3

kernels-full: setup # for test-full: also older series, the VFIO container, BPF under sanitizers, built in, benchmarks
	@scripts/build-kernel main peer peer-6.12 peer-7.2
	@scripts/stock-kernel 7.2
	@scripts/replaced-kernel
	@scripts/debian-kernel
	@scripts/build-kernel container peer-container debug-bpf builtin bench peer-bench lockstat

arm64: setup-full ## build kernels, programs and tools for guests on arm64
	@scripts/guest-programs
	@scripts/build-kernel arm64 arm64-peer arm64-debug
	@scripts/build-tools arm64
	@scripts/build-selftests arm64
	@scripts/stock-arm64

drivers: setup-full kernel # for test-full: drivers for arm64, and drivers without iommufd
	@scripts/build-drivers

tools: setup ## build BPF objects, skeletons, tools
	@scripts/build-tools

selftests: setup-dev ## build the programs of the tests, including the base kernel's own
	@scripts/build-selftests

lint: setup-dev ## check style, English and layers, and run static checkers (scripts/lint --help)
	@scripts/lint

bench: setup-bench ## measure against the peer and VFIO type1: table, chart, JSON in build/bench/result
	@scripts/build-kernel bench peer-bench main peer
	@scripts/bench

bench-check: setup ## compare with the committed baseline, and list the functions that moved
	@scripts/build-kernel bench main
	@scripts/bench --check

fuzz: setup-dev selftests ## check random requests; SECONDS=60, KERNEL=debug, SEED= to repeat
	@scripts/build-kernel $(KERNEL)
	@scripts/fuzz --kernel $(KERNEL) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

install: tools ## install the tools, under PREFIX and DESTDIR
	@$(MAKE) --no-print-directory -C tools install PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'

dkms: ## have DKMS install the modules, for each kernel of this machine that has headers
	@scripts/install-dkms

deb: setup-deb ## build Debian packages of modules and tools, in build/deb; ARCH=arm64: the tools
	@scripts/build-deb $(ARCH)

clean: ## remove objects, keep the unpacked kernel source
	rm -rf build/kernel build/bin build/tools build/selftests build/log build/deb build/deb-arm64 build/replaced build/linux/*/o-* build/stock/*/modules build/arm64

distclean: ## remove build/
	rm -rf build
