# A thin door to CMake and the scripts; `make help` says what there is.
.PHONY: help build
BUILD = build/release

help:
	@echo "make build   build/release/bin/vitalcached and build/release/bin/vitalcache"

build:
	cmake --preset release
	cmake --build build/release
