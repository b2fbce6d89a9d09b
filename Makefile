# The front door: `make` lists what can be done.

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sentio

# Outside the working copy, so that a fresh clone does not compile every dependency again.
export CARGO_TARGET_DIR ?= $(cache)/target
# The program sets it for itself; tests load ONNX Runtime in processes of their own.
export ORT_DISABLE_TELEMETRY := 1
# Programs that scripts/setup.sh has compiled.
export PATH := $(cache)/tools/bin:$(PATH)

# Evaluated when used: setup may have installed mold just before. mold makes linking several times faster.
cargo = $(if $(shell command -v mold 2>/dev/null),mold -run )cargo
sentio := $(CARGO_TARGET_DIR)/debug/sentio
# `make bench BENCH_PROFILE=dev` measures what `make test` has built, without compiling every dependency once more.
BENCH_PROFILE ?= release

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-16s %s\n", $$1, $$2 }'

.PHONY: run
run: build ## install what is missing, build, serve on http://127.0.0.1:8000 with sample articles
	@exec "$(sentio)" serve --samples

.PHONY: setup
setup: ## install what building and running need: protoc, ONNX Runtime, the default model
	@scripts/setup.sh

.PHONY: build
build: setup ## compile the program (the first time takes half an hour on two cores)
	$(cargo) build --bin sentio

.PHONY: install
install: build ## copy the program to ~/.local/bin/sentio
	install -D "$(sentio)" "$(HOME)/.local/bin/sentio"

.PHONY: test
test: test-sqlite test-postgres test-browser test-clients ## install what the tests need and run all of them

.PHONY: setup-test
setup-test:
	@scripts/setup.sh test

.PHONY: test-sqlite
test-sqlite: setup-test ## unit, documentation and integration tests, on SQLite
	TEST_DATABASE=sqlite $(cargo) test --workspace

.PHONY: test-postgres
test-postgres: setup-test ## integration tests on a PostgreSQL of their own
	TEST_DATABASE=postgres scripts/with-postgres.sh $(cargo) test --test it

.PHONY: test-browser
test-browser: setup-test ## the playground and the reader in a headless Chromium
	$(cargo) build --bin sentio
	scripts/test-browser.sh

.PHONY: test-clients
test-clients: setup-test ## Apollo, urql, Relay, generated clients and the audits of GraphQL over HTTP
	$(cargo) build --bin sentio
	scripts/test-clients.sh

.PHONY: check
check: ## formatting, lints, documentation, licences, shell scripts, the schema beside that of the last release
	@scripts/setup.sh check
	$(cargo) fmt --all --check
	$(cargo) clippy --locked --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' $(cargo) doc --locked --workspace --no-deps
	shellcheck scripts/*.sh .ci/run
	scripts/compare-schema.sh
	node playground/check.mjs
	node examples/reader/embed.mjs --check
	@if cargo deny --version >/dev/null 2>&1; then \
	  set -x; cargo deny --locked check licenses bans sources; \
	else \
	  echo 'skipped: cargo deny (cargo-deny could not be installed)'; \
	fi

.PHONY: audit
audit: ## look for known vulnerabilities in the dependencies (needs the network)
	@scripts/setup.sh check
	cargo deny --locked check advisories

.PHONY: bench
bench: setup ## measure speed and quality, optimised
	$(cargo) bench --profile $(BENCH_PROFILE) --bench sentio

.PHONY: bench-embedding
bench-embedding: setup ## the engine, measured: WHAT="speed articles.jsonl.gz" (benches/embedding/main.rs lists what there is)
	$(cargo) bench --profile $(BENCH_PROFILE) --bench embedding -- $(or $(WHAT),$(error say what to measure: make bench-embedding WHAT="speed articles.jsonl.gz"))

.PHONY: bench-graphql
bench-graphql: setup ## what GraphQL costs, measured: WHAT=requests (needs wrk; benches/graphql/main.rs lists what there is)
	$(cargo) bench --profile $(BENCH_PROFILE) --bench graphql -- $(or $(WHAT),$(error say what to measure: make bench-graphql WHAT=requests))

.PHONY: bench-ranking
bench-ranking: setup ## searches in a large index, measured: WHAT="speed articles.jsonl.gz folder" (benches/ranking/main.rs lists what there is)
	$(cargo) bench --profile $(BENCH_PROFILE) --bench ranking -- $(or $(WHAT),$(error say what to measure: make bench-ranking WHAT="speed articles.jsonl.gz folder"))

.PHONY: evaluation
evaluation: build ## how good rankings are, as in docs/evaluation.md: DATA is a folder of test collections
	python3 benches/evaluation/tables.py "$(sentio)" $(or $(DATA),$(error say where the collections are: make evaluation DATA=folder))

.PHONY: soak
soak: setup-test ## long runs: 100 kills under load, single writes on a large index and `verify` over a million articles, with a watch on latency, files and memory
	KILLS=100 TEST_DATABASE=sqlite $(cargo) test --test it -- kills::
	$(cargo) bench --profile $(BENCH_PROFILE) --bench soak
	$(cargo) bench --profile $(BENCH_PROFILE) --bench verify

.PHONY: playground
playground: ## bundle the playground anew (playground/dist)
	npm ci --prefix playground --no-audit --no-fund
	npm run build --prefix playground

.PHONY: reader
reader: ## bundle the example front end anew (examples/reader/embedded)
	npm ci --prefix examples/reader --no-audit --no-fund
	npm run build --prefix examples/reader

.PHONY: schema
schema: build ## write schema.graphql
	"$(sentio)" schema > schema.graphql.part
	mv schema.graphql.part schema.graphql

.PHONY: docker
docker: ## build the image sentio:latest
	docker build --tag sentio .

.PHONY: clean
clean: ## delete what was built and installed here; articles (data) and downloads stay
	cargo clean
	rm -rf lib models/all-MiniLM-L6-v2 tests/*/node_modules tests/*/*/node_modules playground/node_modules examples/reader/node_modules examples/reader/dist
