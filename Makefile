# A thin door to CMake and the scripts: what to do stands there, not here. `make help` says what there is.
.PHONY: help build run check lint bench fuzz soak coverage model-full format docs clean
.DEFAULT_GOAL := help

PORT ?= 7379
DATA ?=
STORE ?= vitalcache-data
DB ?= lmdb
DSN ?=
TYPES ?=
SECONDS ?= 60

help:
	@echo "make build              build/release/bin/vitalcached and build/release/bin/vitalcache"
	@echo "make run                start the server with 1 000 made-up students (kept in ./vitalcache-data)"
	@echo "make run DATA=path      the same with your own Synthea CSV files; PORT=n for another port than $(PORT)"
	@echo "make run DB=postgres    the same from a PostgreSQL of its own; DSN=… TYPES=file.yaml: from yours"
	@echo "make check              everything that must hold before a change lands; seconds by stage"
	@echo "make lint               the house rules alone (a second or two)"
	@echo "make bench              speed and memory beside redis-server and memcached; imports; readers meanwhile; PostgreSQL"
	@echo "make fuzz SECONDS=60    each fuzz target for so long"
	@echo "make soak SECONDS=600   the integration tests again and again; each fault with a million reads"
	@echo "make coverage           how much of the code the tests run, by folder"
	@echo "make model-full         the larger searches of the freshness model (long)"
	@echo "make format             clang-format over all C files"
	@echo "make docs               the parts of docs/ that come from tables, written anew"
	@echo "make clean              remove build/ (not your data)"

build:
	@scripts/setup build
	@mkdir -p build && cmake --preset release >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build build/release --target vc_programs

run: build
ifeq ($(DB),postgres)
	@scripts/run-postgres "$(PORT)" "$(STORE)" "$(DSN)" $(TYPES)
else
	@scripts/run "$(PORT)" "$(STORE)" "$(DATA)"
endif

check:
	@scripts/check

lint:
	@scripts/setup check
	@tests/lint/lint

bench: build
	@scripts/setup check
	@cmake --build build/release --target bench_programs
	@bench/speed
	@bench/import
	@bench/live_readers
	@bench/triggers
	@cmake --build build/release --target fault_proxy
	@bench/postgres

fuzz:
	@scripts/setup check
	@cmake --preset fuzz
	@cmake --build build/fuzz --target fuzzers
	@scripts/fuzz $(SECONDS)

soak: build
	@scripts/setup check
	@scripts/soak $(SECONDS)

coverage:
	@scripts/setup check
	@scripts/coverage

model-full: build
	@scripts/setup check
	@cmake --build build/release --target model-full

format:
	@scripts/setup check
	@git ls-files '*.c' '*.h' | xargs clang-format -i

docs: build
	@cmake --build build/release --target docs

clean:
	@rm -rf build
