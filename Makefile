# What CI runs, and what takes longer. `make help` lists the targets.

# Versions of the tools; .ci/run takes them from here.
STATICCHECK   = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

BUILD_FLAGS = -trimpath -ldflags "-s -w"
BUILD_DIR   = .cache/bin
FUZZ_TIME  ?= 30s
SOAK_RUNS  ?= 20
PERTURB_CHOICES ?= 10
REFERENCE_RUNS ?= 1
SOAK_SEEDS ?= 10000
PLATFORMS  ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64

.PHONY: help build test race lint tlc tlc-all golden bench bench-whole microbench interop interop-whole reference-suite bindings fuzz soak \
	perturb plants faults platforms typescript wasm browser

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' Makefile

build: ## the static router, and the simulator, into .cache/bin
	CGO_ENABLED=0 go build $(BUILD_FLAGS) -o $(BUILD_DIR)/hakuban-router ./cmd/hakuban-router
	CGO_ENABLED=0 go build $(BUILD_FLAGS) -o $(BUILD_DIR)/simulate ./cmd/simulate

test: ## all tests; what needs Rust or Java skips without it
	go test ./...

race: ## all tests under the race detector, in random order
	go test -race -shuffle=on -timeout 30m $(RACE_FLAGS) ./...

lint: ## gofmt, go vet, staticcheck, golangci-lint
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')) && \
	if [ -n "$$unformatted" ]; then echo "not as gofmt leaves them:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go run $(GOLANGCI_LINT) run ./...
	cd tests/bench && go vet ./...

platforms: ## build and vet all for each of PLATFORMS, and the library for 386 (the first time is slow: each has a standard library)
	@set -e; export CGO_ENABLED=0; for platform in $(PLATFORMS); do \
		echo "$$platform"; export GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		go build ./...; go vet ./...; \
	done
	CGO_ENABLED=0 GOARCH=386 go vet . ./access ./impl ./transport ./wire/...

tlc: ## model-check the specification: all of it when it has changed, else a sample (needs Java; Maven the first time)
	spec/tlc.sh --ci

tlc-all: ## model-check each configuration, and each that must fail; record the verdicts in spec/golden
	spec/tlc.sh --record

golden: ## regenerate spec/golden from TLC (slow)
	spec/tlc.sh --golden

bench: ## our router against others, in three minutes once all is built; writes docs/benchmarks.md and docs/bench (Linux)
	cd tests/bench && go run . -docs ../../docs

bench-whole: ## the same, longer and with larger sizes: half an hour
	cd tests/bench && go run . -whole -docs ../../docs

microbench: ## benchmarks with allocations
	go test -run '^$$' -bench . -benchmem ./...

interop: ## the scenarios against the reference; a missing Rust is a failure
	HAKUBAN_REQUIRE_INTEROP=1 go test -count=1 ./tests/interop

interop-whole: ## the scenarios of a leaf with every mix of peers, which take turns otherwise (needs Rust, Node, and make typescript wasm)
	HAKUBAN_REQUIRE_INTEROP=1 go test -count=1 -timeout 60m ./tests/interop -whole

bindings: ## C, Ruby and Python, and C against the reference; what is missing is a failure (CI runs them among its tests)
	HAKUBAN_REQUIRE_INTEROP=1 go test -count=1 ./tests/cabi ./tests/bindings

typescript: ## the client in TypeScript: installs its tools, checks types, tests and size (needs Node 20 and npm)
	cd clients/typescript && npm install --no-audit --no-fund && npm run build && npm test

wasm: ## the core in wasm under the client in TypeScript: builds it, runs the client's tests, checks the size (after make typescript)
	cd clients/typescript && npm run wasm

browser: build ## the client in headless Chromium, with the core in TypeScript and with that in wasm (after make typescript wasm)
	cd clients/typescript && export HAKUBAN_ROUTER=$(CURDIR)/$(BUILD_DIR)/hakuban-router && npm run browser && \
		HAKUBAN_CLIENT=hakuban-wasm.min.js npm run browser

reference-suite: ## the crate's own 37 tests with our router, REFERENCE_RUNS times (needs Rust); REFERENCE_FLAGS='-histories 7,8'
	HAKUBAN_REFERENCE_SUITE=1 HAKUBAN_REQUIRE_INTEROP=1 \
		go test -count=$(REFERENCE_RUNS) -failfast -timeout 0 ./tests/reference -args $(REFERENCE_FLAGS)

fuzz: ## each fuzz target for FUZZ_TIME
	@go list ./... | while read -r package; do \
		go test -list '^Fuzz' "$$package" | grep '^Fuzz' | while read -r target; do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME) "$$package" </dev/null || exit 1; \
		done || exit 1; \
	done

plants: ## plant bugs into the library, the transport and the core, each of which their tests must find; PLANTS_FLAGS=-short: those of CI
	go test -tags plants -count=1 -run TestPlants_ $(PLANTS_FLAGS) . ./transport ./impl

soak: ## SOAK_RUNS times all tests under the race detector, then SOAK_SEEDS simulated runs
	for run in $$(seq $(SOAK_RUNS)); do echo "run $$run" && go test -race -shuffle=on -count=1 ./... || exit 1; done
	go run ./cmd/simulate sweep --seeds $(SOAK_SEEDS)

perturb: ## the tests of what has goroutines, while PERTURB_CHOICES choices of statements are slow (Linux)
	go run ./tests/perturb -choices $(PERTURB_CHOICES) -skip TestFlood . ./transport ./cmd/hakuban-router ./cmd/simulate \
		./tests/hostile ./tests/linearizability ./tests/readme ./tests/refinement

faults: ## a tree of processes in network namespaces, broken in every way, and 5,000 clients that come back; writes docs/reliability.md (Linux, root, Rust; 25 minutes)
	HAKUBAN_REQUIRE_FAULTS=1 HAKUBAN_REQUIRE_INTEROP=1 HAKUBAN_FAULTS_WHOLE=1 go test -count=1 -timeout 60m -v ./tests/faults
