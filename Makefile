# Aliases: everything here is a short cargo or script call that can also be typed by hand.
#
#   make run ARGS="--event exec,connect"     options for `sentinel run`
#   make bench ARGS="--quick"                options for the overhead harness
#   make vm-test KERNEL="5.10 7"             only these kernels

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ARGS ?=
CARGO ?= cargo
CLANG_FORMAT ?= clang-format-19
# "sudo" when we are not root: only what needs root is given it.
ROOT := $(shell [ "$$(id -u)" -eq 0 ] || echo sudo)
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
# A Makefile of libbpf's own takes a name with a space for two.
ifneq ($(words $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)),1)
$(error libbpf cannot be built in a directory with a space in its name: move this one, or set CARGO_TARGET_DIR to another)
endif

C_SOURCES := $(shell find bpf crates -name '*.[ch]')
SHELL_SOURCES := .ci/run $(shell find . -name '*.sh' -not -path './target/*' -not -path './.git/*' -not -path '*/node_modules/*')

.PHONY: help
help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build mounts ## Builds, then shows what this machine does (asks for root with sudo)
	@[ -z "$(ROOT)" ] || echo "==> Starting sentinel as root with sudo: loading BPF programs needs it." >&2
	$(ROOT) $(TARGET_DIR)/release/sentinel run $(ARGS)

.PHONY: web
web: setup-build ## Builds the dashboard's web app, which sentinel-dashboard carries
	@scripts/web.sh build

.PHONY: build
build: setup-build web ## Leaves the release programs in target/release
	$(CARGO) build --release --workspace --exclude sentinel-benches --bins

.PHONY: test
test: setup-test fmt-check lint unit vm-smoke test-web test-packaging ## Everything that must hold: formats, lints, all tests (root ones with sudo)

# One build and one run for all tests. test-runner.sh gives root to those of root_*.rs.
.PHONY: unit
unit: setup-test mounts web
	CARGO_TARGET_$(TRIPLE)_RUNNER=$(CURDIR)/scripts/test-runner.sh $(CARGO) test --workspace $(ARGS)

.PHONY: test-web
test-web: setup-test web
	scripts/web.sh test

.PHONY: test-browser
test-browser: build ## The dashboard in a real browser, in front of the real detector (five minutes)
	@scripts/setup.sh browser
	scripts/web.sh e2e

# Units, scripts, chart and flake; nothing of them is installed.
.PHONY: test-packaging
test-packaging: setup-test
	scripts/tests/units.sh
	scripts/tests/scripts.sh
	scripts/tests/helm.sh
	scripts/tests/nix.sh

.PHONY: test-services
test-services: build ## The services in a booted systemd, the images and 500 short lives in podman and containerd (needs root; ten minutes)
	@scripts/setup.sh services
	$(ROOT) scripts/tests/nspawn.sh
	$(ROOT) scripts/tests/nspawn.sh --nixos
	$(ROOT) scripts/tests/images.sh
	$(ROOT) scripts/tests/containerd.sh
	$(ROOT) scripts/tests/lives.sh
	scripts/tests/checkov.sh

.PHONY: test-cluster
test-cluster: build ## The chart in a Kubernetes of one node, which the first run builds (needs root; five minutes, the first time ten more)
	@scripts/setup.sh services
	$(ROOT) scripts/tests/cluster.sh

.PHONY: test-guest
test-guest: build ## The services in a machine of their own, in QEMU (needs root; ten minutes)
	@scripts/setup.sh services
	$(ROOT) scripts/tests/guest.sh
	$(ROOT) scripts/tests/guest.sh --day

.PHONY: reproducible
reproducible: setup-build ## Builds the programs twice in different places and compares the bytes (ARGS="sentinel-agent": only these)
	scripts/reproducible.sh $(ARGS)

.PHONY: lint
lint: setup-test web ## Lints Rust (clippy), C (layout) and shell; no warning is allowed
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	$(if $(C_SOURCES),$(CLANG_FORMAT) --dry-run --Werror $(C_SOURCES))
	shellcheck -x $(SHELL_SOURCES)

.PHONY: fmt
fmt: setup-test ## Formats Rust and C
	$(CARGO) fmt --all
	$(if $(C_SOURCES),$(CLANG_FORMAT) -i $(C_SOURCES))

.PHONY: fmt-check
fmt-check: setup-test
	$(CARGO) fmt --all --check

.PHONY: bench
bench: build ## Measures what watching costs (needs root; ARGS="--quick" for a first look)
	$(CARGO) build --release -p sentinel-benches
	$(ROOT) $(TARGET_DIR)/release/sentinel-benches $(ARGS)

.PHONY: evaluate
evaluate: build ## How well the engine `baseline` finds attacks in a recording of this machine (ARGS="MINUTES [FILE]")
	$(ROOT) scripts/evaluate.sh $(ARGS)

KERNEL ?=
.PHONY: vm-test
vm-test: setup-build ## Runs the kernel tests on other kernels, in QEMU (KERNEL="5.10 6.1 6.12 7"; DOCS=1 writes docs/kernels.md)
	@scripts/setup.sh vm
	scripts/vm-test.sh $(KERNEL)

# It takes the programs of the unit tests: after them nothing is built.
.PHONY: vm-smoke
vm-smoke: setup-test web ## A few kernel tests and attacks on other kernels, in QEMU (eight minutes)
	scripts/vm-test.sh --smoke $(KERNEL)

.PHONY: docs
docs: setup-build ## Builds the API documentation: target/doc/sentinel_event/index.html
	$(CARGO) doc --workspace --no-deps

.PHONY: clean
clean: ## Removes everything that was built
	$(CARGO) clean

.PHONY: setup-build setup-test mounts
setup-build:
	@scripts/setup.sh build
setup-test:
	@scripts/setup.sh test
mounts:
	@scripts/mounts.sh

# Cargo's spelling of the machine's target in an environment variable, e.g. X86_64_UNKNOWN_LINUX_GNU.
TRIPLE = $(shell rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
