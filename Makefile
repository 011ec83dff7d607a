# Every command that this project needs, and the tools they need, pinned: `make` alone lists them.

GOLANGCI_LINT_VERSION := v2.15.0

TOOLS         := $(CURDIR)/.tmp/bin
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)

# Where every module of the repository lives; `.` is the product, the others only use it.
MODULES := $(patsubst %/go.mod,%,$(shell find . -name go.mod -not -path '*/.tmp/*' -not -path '*/testdata/*' | sort))

# How long each fuzz target runs.
FUZZTIME ?= 30s

# What fails in the middle of a pipe fails the command.
SHELL       := bash
.SHELLFLAGS := -e -o pipefail -c

# The linter's cache names files by path, so each checkout keeps its own.
export GOLANGCI_LINT_CACHE := $(CURDIR)/.tmp/golangci-lint-cache

# The benchmark writes its databases under TMPDIR; /tmp is memory on many machines, where a commit costs nothing.
BENCH := mkdir -p .tmp/bench && cd bench && TMPDIR=$(CURDIR)/.tmp/bench go run ./cmd/bench

.DEFAULT_GOAL := help
.PHONY: help test race lint mutants chaos fuzz bench bench-smoke cover fmt tidy postgres

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Tests on PostgreSQL start a server of their own. It is installed where that is possible; elsewhere those tests are
# skipped, which they say, or use the server in SLUICE_TEST_POSTGRES.
postgres:
	@if [ -z "$$SLUICE_TEST_POSTGRES" ] && ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
		&& command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql-15; \
	fi
	@[ -n "$$SLUICE_TEST_POSTGRES" ] || command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
		|| echo "WARNING: TESTS ON POSTGRESQL ARE SKIPPED: it is not installed (or set SLUICE_TEST_POSTGRES)" >&2

test: postgres ## Run the tests of every module.
	@set -e; for module in $(MODULES); do (cd $$module && go test ./...); done
	@go test -count=1 -v -run '^TestConformance$$' ./manifest | sed -n 's/^.*: conformance:/conformance:/p'
	@go test -count=1 -v -run '^TestBehaviour$$' ./testing | sed -n 's/^.*: behaviour:/behaviour:/p'

race: postgres ## Run the tests of every module under the race detector (needs a C compiler).
	@set -e; for module in $(MODULES); do (cd $$module && CGO_ENABLED=1 go test -timeout 30m -race ./...); done

lint: $(GOLANGCI_LINT) ## Check every module with golangci-lint.
	@set -e; for module in $(MODULES); do (cd $$module && $(GOLANGCI_LINT) run --config $(CURDIR)/.golangci.yml ./...); done

mutants: ## Break each guarantee in turn; its test must fail (MUTANTS="name …" for some).
	@go run ./internal/mutants $(MUTANTS)

chaos: postgres ## Kill processes under load, and simulate up to 1,000 seeds; five minutes.
	@go run ./internal/chaos
	@GOGC=400 go test -count=1 -v -timeout 10m ./internal/simulation -seeds 1000 -within 270s \
		| grep -v '^ *=== \|--- PASS: TestSimulation/\|: accepted '

fuzz: ## Run every fuzz target for FUZZTIME (default 30s).
	@set -e; for module in $(MODULES); do ( \
		cd $$module; \
		for package in $$(go list -f '{{.Dir}}' ./...); do \
			for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$package/*_test.go 2>/dev/null | cut -d' ' -f2); do \
				echo "$$package $$target"; \
				go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
			done; \
		done); done

bench: postgres ## Measure beside a bare handler, raw commits and River, and print the tables (BENCHFLAGS='-many 1000000').
	@$(BENCH) $(BENCHFLAGS)

bench-smoke: postgres ## Run every row of the benchmark once, with tiny counts.
	@$(BENCH) -smoke

cover: postgres ## Write the root module's coverage to .tmp/cover.html and print the total.
	@mkdir -p .tmp
	@go test -coverpkg=./... -coverprofile=.tmp/cover.out ./...
	@go tool cover -html=.tmp/cover.out -o .tmp/cover.html
	@go tool cover -func=.tmp/cover.out | tail -n 1

fmt: $(GOLANGCI_LINT) ## Format every module.
	@set -e; for module in $(MODULES); do (cd $$module && $(GOLANGCI_LINT) fmt --config $(CURDIR)/.golangci.yml); done

tidy: ## Tidy the go.mod of every module.
	@set -e; for module in $(MODULES); do (cd $$module && go mod tidy); done

$(GOLANGCI_LINT):
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(TOOLS)/golangci-lint $@
