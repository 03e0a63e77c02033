# make           lists the targets
# make VAR=value sets one of the variables below

GO         ?= go
FUZZTIME   ?= 20s
BENCHFLAGS ?=
KILLS      ?= 1000
SOAK       ?= 10m

# Where the built program and the demo's jobs and pictures go.
BIN  := bin/lithops
DEMO := demo

# A race binary sleeps for a second when it exits unless it is told not to; the
# workers inherit the setting.
export GORACE = atexit_sleep_ms=10

# Go records the version in the program from git; where git cannot tell (no git, no
# commit, a checkout of somebody else's), the program says devel.
VCS := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo auto || echo false)
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(VCS)

# The race detector needs a C compiler; without one these packages are tested
# without it.
CC := $(shell command -v $$($(GO) env CC) 2>/dev/null)
RACE_PACKAGES = . ./cmd/... ./internal/executor/... ./internal/localworker/... ./internal/worker/... \
	./internal/store/... ./internal/wire/... ./internal/stats/... ./internal/chart/...

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

##@ Use

.PHONY: build
build: ## build the program, static, as bin/lithops
	$(BUILD) -o $(BIN) ./cmd/lithops

.PHONY: demo
demo: build ## compress all Go source files of the Go installation, show statistics and pictures
	$(BIN) --store $(DEMO)/store run examples/compress.yaml --glob "$$($(GO) env GOROOT)/src/**/*.go"
	$(BIN) --store $(DEMO)/store stats last
	@echo; echo "pictures:"
	@$(BIN) --store $(DEMO)/store plot last -o $(DEMO)/plots --kind timeline,histogram

.PHONY: install
install: ## install the program where go install puts programs
	CGO_ENABLED=0 $(GO) install -trimpath -buildvcs=$(VCS) ./cmd/lithops

.PHONY: clean
clean: ## remove what make made
	rm -rf bin $(DEMO) cover.out

##@ Check

.PHONY: test
test: format vet darwin ## all checks and tests, as CI runs them
	$(GO) test -timeout 5m ./...
ifneq ($(CC),)
	$(GO) test -race -short -timeout 8m $(RACE_PACKAGES)
else
	@echo "no C compiler: the race detector is left out"
endif

.PHONY: format
format: # every file is as gofmt writes it
	@files=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) && if [ -n "$$files" ]; then echo "not formatted:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet:
	$(GO) vet ./...

.PHONY: race
race: ## all tests with the race detector
	$(GO) test -race -timeout 15m ./...

.PHONY: darwin
darwin: ## check that the program and its tests compile for macOS
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (20s)
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: faults
faults: ## kill KILLS (1000) processes of jobs, stop others, fill the disk: nothing may be lost, nobody left
	$(GO) test -count=1 -v -timeout 60m ./internal/faults -skip TestSoak -faults.kills $(KILLS)

.PHONY: soak
soak: ## run jobs for SOAK (10m), kill workers now and then: memory and descriptors may not grow
	$(GO) test -count=1 -v -timeout 0 ./internal/faults -run TestSoak -faults.soak $(SOAK)

.PHONY: cover
cover: ## test coverage by package and in all
	$(GO) test -timeout 10m -coverpkg ./... -coverprofile cover.out ./...
	$(GO) tool cover -func cover.out | tail -n 1

.PHONY: lint
lint: ## staticcheck (downloaded when needed; not part of make test)
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...

.PHONY: notices
notices: ## write THIRD_PARTY_NOTICES.txt anew, after a change of go.mod
	$(GO) test -count=1 -run TestThirdPartyNotices -update .

##@ Measure

.PHONY: calibrate
calibrate: ## compare the figures of a record with a truth known by another road
	$(GO) test -count=1 -v ./internal/calibrate/...

.PHONY: bench
bench: ## commands and calls, side by side with a C program, xargs, pipes and others; BENCHFLAGS=-smoke is short
	$(GO) run ./internal/bench $(BENCHFLAGS)

.PHONY: bench-smoke
bench-smoke: ## run each Go benchmark once, to see that it works
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...
