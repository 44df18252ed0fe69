# A thin front door: meson and ninja do the work, the scripts in tools/ the rest. Every target sets up what it needs.
PREFIX ?= /usr/local
DESTDIR ?=
MESON ?= meson

.PHONY: build deps test test-random test-long test-containers unit lint format demo bench install asan tsan clean help

build: ## build/pgfold
	@tools/install-packages build
	@test -f build/build.ninja || $(MESON) setup build
	@ninja -C build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 16

deps: ## install every Debian package that anything here needs
	@tools/install-packages

test: deps build ## all tests: units, tools, and the program against real servers
	@tools/test-servers > /dev/null
	@tools/run-tests --build build

test-random: deps build ## merges of random databases, SEEDS=400 of them
	@PGFOLD_SEEDS=$(or $(SEEDS),400) tools/run-tests --build build --no-unit -- tests/cli/test_merge_random.py tests/tools/test_merging.py

test-long: deps build ## tests that take long, and further cases of others
	@tools/install-packages long
	@tools/test-servers > /dev/null
	@tools/run-tests --no-unit -- tests -m long

test-containers: deps build ## sources in containers, with podman as root
	@tools/install-packages containers
	@tools/test-servers > /dev/null
	@PGFOLD=$(or $(PGFOLD),$(CURDIR)/build/pgfold) /usr/bin/python3 -B -m pytest tests/containers -q

unit: build ## the unit tests only
	@tools/install-packages run test
	@tools/run-tests --build build --no-python

lint: deps build ## layout, static analysis, walls between rooms
	@tools/lint

format: ## lay out the C sources
	@clang-format -i $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]')

demo: ## fold three databases from a "laptop" into a "vps"
	@tools/install-packages build run
	@$(MAKE) --no-print-directory -s build
	@demo/run

bench: build ## time folds, comparisons of large tables, merges, tunnels and scans beside what one would do by hand
	@tools/install-packages run bench
	@bench/fold
	@bench/reconcile
	@bench/merge
	@bench/tunnel
	@bench/scan
	@bench/testdb

install: build ## into $(DESTDIR)$(PREFIX)
	@$(MESON) configure build -Dprefix=$(PREFIX)
	@DESTDIR=$(DESTDIR) $(MESON) install -C build

asan: deps ## tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/test-servers > /dev/null
	@tools/sanitize address,undefined

tsan: deps ## tests under ThreadSanitizer
	@tools/test-servers > /dev/null
	@tools/sanitize thread

clean: ## remove what was built
	rm -rf build build-asan build-tsan build-clang
