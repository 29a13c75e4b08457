# Targets with a ## are listed by `make help`.
.DEFAULT_GOAL := help
.PHONY: help build image chart docs run attack test test-quick test-repeat test-migrations test-kubernetes test-api test-spring lint fuzz fuzz-long bench bench-growth screenshots tools

FUZZTIME ?= 30s
BENCHTIME ?= 2s
RUNS ?= 10
MIGRATIONS ?= 50
VERSION ?= $(shell git describe --tags --always --dirty)
# Modules beside the main one, which keep what they need out of it.
MODULES := image helm/tests
CLIENTS := cmd/internal/e2e/testdata/clients
ATTACKS := cmd/internal/e2e/attack/others.txt
GOTESTSUM := go run gotest.tools/gotestsum@v1.13.0
# The race detector leaves out SQLite, which is C by origin and doubles the time of all tests under it, and argon2, which
# fills 19 MiB for each password and takes two and a half times as long under it. Neither has a goroutine of ours. No
# package may follow that has a sync.Map, as modernc.org/libc has: of its generic half the linker keeps one copy, perhaps
# that of the package that was left out, and then the detector sees races everywhere that are none.
RACE := -race -gcflags='modernc.org/sqlite/lib=-race=false -d=checkptr=0' -gcflags='golang.org/x/crypto/argon2=-race=false'
PACKAGES := $(CLIENTS)/node_modules/.package-lock.json $(CLIENTS)/python/.venv/complete bin/oauth2-proxy
# A mirror that does not answer is given up soon, and asked again.
NETWORK := -o Acquire::Retries=3 -o Acquire::http::Timeout=60 -o Acquire::https::Timeout=60

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

# nomsgpack leaves out a codec of gin's that nothing uses: a tenth of the binary, and half a minute for its compiler. The
# tests are compiled so, too.
build: ## build bin/wicket, one static binary
	CGO_ENABLED=0 go build -trimpath -tags nomsgpack -ldflags "-s -w -X main.released=$(VERSION)" -o bin/wicket ./cmd/wicket

image: ## make the container image for amd64 and arm64 in dist/image, without an engine, and its SBOMs
	cd image && go run . -out $(CURDIR)/dist/image -version $(VERSION)

chart: ## write anew what the chart's tests compare with: its goldens and the table in its README
	cd helm/tests && go test -run 'Goldens|Readme' -update .

docs: ## write anew what is made from the configuration's struct: docs/configuration.md and the names that the chart knows
	go test ./cmd/internal/server -run DocumentedVariables -update

run: ## run Wicket with a demo user and a sample app, data in ./wicket-data
	go run ./cmd/wicket dev

test: SHELL := bash
test: .SHELLFLAGS := -o pipefail -c
test: tools $(PACKAGES) ## run every test; installs the Debian packages that they need
	@mkdir -p bin
	WICKET_TEST_COMPLETE=1 MODULES='$(MODULES)' $(GOTESTSUM) --format pkgname --jsonfile bin/tests.json --raw-command -- \
		.ci/suite $(TESTFLAGS) $(RACE) -tags nomsgpack -vet=off -timeout 30m | .ci/slowest bin/tests.json

test-quick: ## run the tests that need nothing installed: on SQLite, without a browser, and no whole journeys
	go test -short $$(go list ./... | grep -v /cmd/internal/e2e/)

test-repeat: ## run the whole suite RUNS (10) times beside two busy processes: what fails by chance fails here
	.ci/repeat $(RUNS)

test-migrations: ## change the schema of a loaded PostgreSQL MIGRATIONS (50) times while others read for long; CI does it 15 times
	WICKET_TEST_MIGRATIONS=$(MIGRATIONS) WICKET_TEST_COMPLETE=1 go test -count=1 -v -run MigrationsBesideLoad ./storage

# What Helm asks for the version; the Go module itself does not say.
KUBERNETES := $(shell awk '$$1 == "k8s.io/kubernetes" { print $$2 }' helm/kubernetes/go.mod)
STAMP := k8s.io/component-base/version.git

test-kubernetes: ## install, upgrade and roll back the chart on a real Kubernetes API server; compiling that takes ten minutes once
	cd helm/kubernetes && go build -ldflags "-X $(STAMP)Version=$(KUBERNETES) -X $(STAMP)Major=1 -X $(STAMP)Minor=$(word 2,$(subst ., ,$(KUBERNETES)))" -o $(CURDIR)/bin/kubernetes .
	cd helm/tests && WICKET_TEST_KUBERNETES=$(CURDIR)/bin/kubernetes $(GOTESTSUM) -- -count=1 -tags kubernetes -run Cluster .

SCHEMATHESIS := bin/schemathesis/bin/schemathesis

test-api: $(SCHEMATHESIS) ## call all of the management API as its own description says, and otherwise, by each administrative role
	WICKET_TEST_COMPLETE=1 WICKET_TEST_SCHEMATHESIS=$(CURDIR)/$(SCHEMATHESIS) go test -count=1 -v -timeout 60m -tags schemathesis \
		-run TheDescriptionIsTrue ./cmd/internal/e2e/management

$(SCHEMATHESIS): | tools
	python3 -m venv bin/schemathesis && bin/schemathesis/bin/pip install -q --disable-pip-version-check --timeout 60 schemathesis==4.32.5

# A Maven build and a JVM are too slow for every build.
test-spring: bin/spring/app-1.jar ## sign in to a Spring app, and call a Spring API, as docs/apps/spring.md says; needs a JDK and Maven
	WICKET_TEST_SPRING=$(CURDIR)/bin/spring/app-1.jar go test -count=1 -v -tags 'nomsgpack spring' -run Spring ./cmd/internal/e2e/protocol

bin/spring/app-1.jar: $(shell find $(CLIENTS)/spring -type f)
	@command -v mvn >/dev/null || { echo "make test-spring needs a JDK and Maven (Debian: apt-get install default-jdk-headless maven)" >&2; exit 1; }
	cd $(CLIENTS)/spring && mvn -q -B package && touch $(CURDIR)/bin/spring/app-1.jar

attack: ## throw the attacks that are known at servers that the tests start, or at the one that ATTACK_ISSUER names: docs/security.md
	go test -count=1 ./cmd/internal/e2e/attack
ifndef ATTACK_ISSUER
	go test -count=1 -run "^($$(awk '!/^#/ { print $$2 }' $(ATTACKS) | paste -sd '|'))$$" $$(awk '!/^#/ { print "./" $$1 }' $(ATTACKS) | sort -u)
endif

lint: ## vet, gofmt, staticcheck, govulncheck
	go vet ./...
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	@for module in $(MODULES); do echo "$$module: vet, staticcheck"; (cd $$module && go vet -tags kubernetes ./... && go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags kubernetes ./...) || exit 1; done
	@echo "govulncheck ./..."; out=$$(timeout 10m go run golang.org/x/vuln/cmd/govulncheck@v1.8.0 ./... 2>&1 || { [ $$? != 124 ] || echo "fetching vulnerabilities"; exit 1; }) && echo "$$out" || case "$$out" in \
		*"fetching vulnerabilities"*) echo "NOT CHECKED: the vulnerability database at vuln.go.dev cannot be reached from here.";; \
		*) echo "$$out"; exit 1;; \
	esac

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@grep -rEo '^func Fuzz\w+' --include='*_test.go' . | sed -E 's|/[^/]*:func | |' | while read -r package target; do \
		echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	done

fuzz-long: FUZZTIME := $(if $(filter file,$(origin FUZZTIME)),1h,$(FUZZTIME))
fuzz-long: ## run all fuzz targets at once at low priority, each for FUZZTIME (an hour here), or those that TARGETS matches
	.ci/fuzz $(FUZZTIME) '$(TARGETS)'

bench: ## measure speed, start and memory, and what one, two and three replicas spend
	WICKET_TEST_POSTGRES_DURABLE=1 go test -run '^$$' -bench . -skip Crowd -timeout 30m -benchtime=$(BENCHTIME) ./cmd/internal/e2e/bench

bench-growth: ## compare a database of a million people (WICKET_BENCH_PEOPLE) and ten times as many refresh tokens with a small one
	WICKET_TEST_POSTGRES_DURABLE=1 go test -run '^$$' -bench Crowd -v -timeout 30m -benchtime=500x ./cmd/internal/e2e/bench

screenshots: tools $(PACKAGES) ## save a picture of every page in ./screenshots
	WICKET_TEST_COMPLETE=1 WICKET_SCREENSHOTS=$(CURDIR)/screenshots go test -count=1 -run InABrowser ./cmd/internal/e2e/...

# What the tests need besides Go, as Debian packages, and how to tell that it is here.
tools:
	@missing=; need() { packages=$$1; shift; "$$@" >/dev/null 2>&1 || missing="$$missing $$packages"; }; \
	need "gcc libc6-dev" command -v gcc; \
	need postgresql sh -c 'command -v postgres || ls /usr/lib/postgresql/*/bin/postgres'; \
	need pgbouncer sh -c 'command -v pgbouncer || ls /usr/sbin/pgbouncer'; \
	need redis-server command -v redis-server; \
	need nginx-light sh -c 'command -v nginx || ls /usr/sbin/nginx'; \
	need chromium sh -c 'command -v chromium || command -v chromium-browser'; \
	need nodejs command -v node; \
	need npm command -v npm; \
	need python3-venv python3 -c 'import ensurepip, venv'; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "The tests need what Debian calls:$$missing. There is no apt-get here: install it your way." >&2; exit 1; fi; \
	echo "The tests need Debian packages that are missing; apt-get installs them now:$$missing"; \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	$$sudo apt-get $(NETWORK) update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get $(NETWORK) install -q -y --no-install-recommends $$missing

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json | tools
	cd $(CLIENTS) && npm ci --fetch-timeout=60000 && touch node_modules/.package-lock.json

$(CLIENTS)/python/.venv/complete: $(CLIENTS)/python/requirements.txt | tools
	cd $(CLIENTS)/python && python3 -m venv .venv && .venv/bin/pip install -q --disable-pip-version-check --timeout 60 \
		--require-hashes -r requirements.txt && touch .venv/complete

bin/oauth2-proxy: Makefile
	GOBIN=$(CURDIR)/bin go install github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6
