# What people do with a checkout, by name. Everything that is downloaded or compiled lands in the
# cache folder, never in the checkout; a fresh clone on the same machine finds it there again.
#
#   make demo     build, then watch a streaming query's results come in
#   make build    the release binary: $(CARGO_TARGET_DIR)/release/levada
#   make test     all tests, with the real services they need; closes with the counts
#   make soak     the same tests with their counts in full (hours, not minutes)
#   make lint     formatting and clippy, warnings being errors
#   make bench    Nexmark, side by side with the peers that this machine can run
#   make clean    remove what the build made (RocksDB and the downloads stay)

SHELL := /bin/bash

export LEVADA_CACHE ?= $(HOME)/.cache/levada
export CARGO_TARGET_DIR ?= $(LEVADA_CACHE)/target

# RocksDB comes as a static library that is compiled once: see tests/support/rocksdb.sh.
ROCKSDB_VERSION := $(shell sed -n 's/^rocksdb *=.*version *= *"=\{0,1\}\([0-9.]*\)".*/\1/p' Cargo.toml)
export ROCKSDB_LIB_DIR ?= $(LEVADA_CACHE)/rocksdb-$(ROCKSDB_VERSION)/lib
export ROCKSDB_INCLUDE_DIR ?= $(LEVADA_CACHE)/rocksdb-$(ROCKSDB_VERSION)/include
export ROCKSDB_STATIC ?= 1

BIN := $(CARGO_TARGET_DIR)/release

# The size of `make bench`, and which peers to measure against ("none" for Levada alone).
EVENTS ?= 5000000
QUERIES ?= all
PEERS ?= flink,duckdb
RUNS ?= 3
PARALLELISM ?= 2

.PHONY: help demo build test soak lint bench clean deps

help:
	@sed -n '/^#   make/s/^#  //p' Makefile

deps:
	@tests/support/install.sh build
	@tests/support/rocksdb.sh

build: deps
	cargo build --release --workspace
	@echo "the binary: $(BIN)/levada"

demo: build
	@echo
	@echo "Orders arrive, 1,000 a second for half a minute; each second closes a window (examples/demo.sql):"
	@echo
	@$(BIN)/levada sql -f examples/demo.sql

test: deps
	@tests/support/run-tests.sh

soak: export LEVADA_SOAK := 1
soak: test

lint: deps
	@tests/support/lint.sh

bench: deps
	cargo build --release --workspace
	$(BIN)/levada-bench run --events $(EVENTS) --queries $(QUERIES) --peers $(PEERS) \
	  --runs $(RUNS) --parallelism $(PARALLELISM)

clean:
	cargo clean
