# `make help` tells what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-unit race lint bench soak shrink bugs report generate doctor deps build clean

MAKEFLAGS += --no-print-directory

FEATURES ?= features/etcd/partition.feature
SEEDS    ?= 5
TIMES    ?= 50

# sudo's own PATH often lacks Go. VCS stamping fails in a clone of another user's.
export PATH := $(PATH):/usr/local/go/bin
export GOFLAGS := $(GOFLAGS) -buildvcs=false

# What needs root gets it, and no more: AS_USER builds as the one who called sudo,
# with that user's caches; AS_ROOT runs one program as root, with our variables.
KEEP := PATH,TERM,NO_COLOR,CONTAINERD_ADDRESS,DOCKER_CONFIG,GOPROXY,HTTP_PROXY,HTTPS_PROXY,NO_PROXY,http_proxy,https_proxy,no_proxy,BRINE_SOAK
ifeq ($(shell id -u),0)
  AS_ROOT :=
  EXEC :=
  ifneq ($(and $(SUDO_USER),$(filter-out root,$(SUDO_USER))),)
    AS_USER := sudo -u $(SUDO_USER) -H --preserve-env=$(KEEP) env PATH="$(PATH)" GOFLAGS="$(GOFLAGS)"
  endif
else
  OURS := $(shell env | sed -n 's/^\(BRINE_[A-Z0-9_]*\)=.*/,\1/p' | tr -d '\n')
  AS_ROOT := sudo --preserve-env=$(KEEP)$(OURS)
  EXEC := -exec '$(AS_ROOT)'
  export BRINE_TEST_AS_ROOT := 1
endif

help: ## this list
	@echo "Brine: acceptance tests for distributed systems in plain English"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "BRINE_FEATURES, BRINE_TAGS, BRINE_NAME, BRINE_SEED, BRINE_CONCURRENCY and BRINE_OUT select what \`go test\` and"
	@echo "\`make test\` run, as \`brine run --help\` has it. As a user, targets that need root call sudo."

run: deps build ## run the features that a newcomer starts with (FEATURES=… for others)
	@$(AS_ROOT) ./brine run $(FEATURES)

test: deps-test lint ## all: linters, and every test, those that need root as well
	@$(MAKE) test-unit

# Built first with all processors, then run one package at a time: tests measure time,
# and share the machine's one container engine. The features run several at a time and
# under the race detector, which is how they show most; those that measure time (@alone) run
# one at a time, without it.
test-unit: ## every test, without the linters
	@nice go test -exec true ./... >/dev/null
	@nice go test -race -exec true . >/dev/null
	@{ \
		go test -json -count=1 -p 1 -timeout 15m $(EXEC) $$(go list ./... | grep -vx "$$(go list -m)") ./.ci/testgate ./.ci/bugtable; \
		go test -json -count=1 -tags browser -timeout 10m $(EXEC) ./reports; \
		BRINE_TAGS='not @alone and not @slow' BRINE_CONCURRENCY=4 go test -json -count=1 -race -timeout 15m $(EXEC) .; \
		BRINE_TAGS='@alone and not @slow' go test -json -count=1 -timeout 15m $(EXEC) .; \
	} | go run ./.ci/testgate

race: ## every test under the race detector
	@nice go test -race -exec true ./... >/dev/null
	@BRINE_TAGS='not @slow' go test -race -json -count=1 -p 1 -timeout 25m $(EXEC) ./... | go run ./.ci/testgate

lint: ## golangci-lint at its pinned version, import rules included
	@.ci/lint

# One package at a time, so that none measures another's noise. What takes
# microseconds is repeated; what repeats itself, or takes long, runs once.
BENCH := go test -run '^$$' -bench . -p 1 -timeout 20m $(EXEC)
bench: ## speed and accuracy, as ratios measured in one run, with a table at the end
	@nice go test -exec true ./... >/dev/null
	@{ \
		$(BENCH) -benchtime 300ms ./netfab ./xdpfault; \
		$(BENCH) -benchtime 3x ./containers; \
		$(BENCH) -benchtime 1x $$(go list ./... | grep -vxE "$$(go list -m)(/netfab|/xdpfault|/containers)?"); \
	} | go run ./.ci/benchtable

soak: build ## kill -9 a running suite at random moments and prove that nothing is left (SEEDS=30 for the long form)
	@BRINE_SOAK=$(SEEDS) go test -count=1 -v -run "^TestSoak" -timeout 30m $(EXEC) ./cmd/brine

KERNELS ?= 6.1
.PHONY: kernels
kernels: ## boot Debian's own kernels in qemu and run tests and features there (KERNELS="5.10 6.1 6.12"; half an hour each)
	@$(AS_ROOT) .ci/kernels $(KERNELS)

shrink: build ## the random faults that matter to a scenario that fails: SCENARIO=features/x.feature:12 [SEED=42] [RUNS=5]
	@$(AS_ROOT) ./brine shrink $(SCENARIO) $(if $(SEED),--seed $(SEED)) $(if $(RUNS),--runs $(RUNS))

# A scenario that looks for a bug passes when it finds it. Those of real programs run once, slow ones too;
# the known mistakes of examples/quorum TIMES times, and the scenario that makes none.
bugs: deps build ## find real bugs of real programs, and each known mistake 50 times (TIMES=3 for a short form)
	@$(AS_ROOT) rm -rf out/bugs && mkdir -p out/bugs
	@$(AS_ROOT) ./brine run --out out/bugs/programs features/bugs || true
	@for i in $$(seq $(TIMES)); do \
		if $(AS_ROOT) ./brine run --concurrency 4 --out out/bugs/mistakes-$$i features/workload/mistakes.feature >out/bugs/mistakes-$$i.txt 2>&1; \
		then $(AS_ROOT) rm -rf out/bugs/mistakes-$$i/artifacts; else echo "run $$i of $(TIMES) of the known mistakes: see out/bugs/mistakes-$$i.txt"; fi; \
	done
	@go run ./.ci/bugtable out/bugs/*/junit.xml

generate: ## rebuild the BPF objects and bindings (needs clang; must change nothing)
	@go generate ./...

report: ## open the last run's report, or print where it is
	@test -f out/report.html || { echo "out/report.html: not there yet; make run makes it"; exit 1; }
	@{ test -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" && command -v xdg-open >/dev/null && xdg-open out/report.html; } || echo "$$PWD/out/report.html"

doctor: build ## what this machine offers and lacks, and what mends it
	@$(AS_ROOT) ./brine doctor

deps: ## install the Debian packages that are missing
	@.ci/deps run

.PHONY: deps-test
deps-test:
	@.ci/deps test

build: ## the command: ./brine
	@$(AS_USER) go build -ldflags "-X main.version=$$(git describe --always --dirty 2>/dev/null || true)" -o brine ./cmd/brine

clean: ## remove what make built and runs left in out/ (the caches in /var/cache/brine stay)
	@rm -rf brine
	@rm -rf out || $(AS_ROOT) rm -rf out
