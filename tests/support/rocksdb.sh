#!/usr/bin/env bash
# Builds RocksDB once, as a static library outside the checkout, so that no build profile and no
# fresh clone compiles its C++ again.
#
#   tests/support/rocksdb.sh          build it if it is missing (about 8 minutes on two cores)
#   tests/support/rocksdb.sh --env    the same, then print the variables that cargo needs:
#                                     eval "$(tests/support/rocksdb.sh --env)"
#
# The sources are those that the `rocksdb` crate ships; crate, version and features are read from
# the workspace's Cargo.toml, the versions below it from Cargo.lock. The library lands in
# ${LEVADA_CACHE:-~/.cache/levada}/rocksdb-VERSION/{lib,include}.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${LEVADA_CACHE:-$HOME/.cache/levada}
requirement=$(grep -m1 '^rocksdb *=' "$repo/Cargo.toml") || {
  echo "rocksdb.sh: Cargo.toml names no rocksdb dependency" >&2; exit 1; }
version=$(sed -n 's/.*version *= *"=\{0,1\}\([0-9][0-9.]*\)".*/\1/p' <<<"$requirement")
[ -n "$version" ] || { echo "rocksdb.sh: no version in: $requirement" >&2; exit 1; }
home=$cache/rocksdb-$version

ready() { [ -s "$home/lib/librocksdb.a" ] && [ -f "$home/include/rocksdb/c.h" ]; }

print_env() {
  printf 'export ROCKSDB_LIB_DIR=%q ROCKSDB_STATIC=1 ROCKSDB_INCLUDE_DIR=%q\n' \
    "$home/lib" "$home/include"
}

# One scratch project that depends on the crate; its build script compiles the C++.
build() {
  local scratch=$cache/rocksdb-$version-build log out sources
  log=$scratch/build.log
  mkdir -p "$scratch/src"
  printf '[package]\nname = "rocksdb-build"\nversion = "0.0.0"\nedition = "2021"\n\n[dependencies]\n%s\n\n[workspace]\n' \
    "$requirement" >"$scratch/Cargo.toml"
  : >"$scratch/src/lib.rs"
  cp "$repo/Cargo.lock" "$scratch/Cargo.lock"
  echo "rocksdb.sh: compiling RocksDB ${version} once, about 8 minutes on two cores (log: $log)" >&2
  # The variables that point at a ready-made library would make the crate skip its own build.
  if ! (cd "$scratch" && env -u ROCKSDB_LIB_DIR -u ROCKSDB_STATIC -u ROCKSDB_INCLUDE_DIR \
      -u CARGO_ENCODED_RUSTFLAGS -u RUSTFLAGS CARGO_TARGET_DIR="$scratch/target" \
      cargo build --release) >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "rocksdb.sh: the build failed; are the packages of tests/support/install.sh there?" >&2
    exit 1
  fi
  out=$(ls -t "$scratch"/target/release/build/librocksdb-sys-*/out/librocksdb.a | head -n 1)
  sources=$(sed -n 's/^cargo:*cargo_manifest_dir=//p' "${out%/out/librocksdb.a}/output" | tail -n 1)
  [ -d "$sources/rocksdb/include" ] || {
    echo "rocksdb.sh: no header files in '$sources/rocksdb/include'" >&2; exit 1; }
  mkdir -p "$home/lib"
  rm -rf "$home/include.new" "$home/include"
  cp -r "$sources/rocksdb/include" "$home/include.new"
  mv "$home/include.new" "$home/include"
  # The library comes last and in one step: where it is, all of it is.
  cp "$out" "$home/lib/librocksdb.a.new"
  mv "$home/lib/librocksdb.a.new" "$home/lib/librocksdb.a"
  rm -rf "$scratch"
}

case ${1:-} in
  '' | --env) ;;
  *) echo "usage: rocksdb.sh [--env]" >&2; exit 2 ;;
esac
if ! ready; then
  mkdir -p "$cache"
  exec 9>"$cache/rocksdb-$version.lock"
  flock 9
  ready || build
  exec 9>&-
fi
[ "${1:-}" = --env ] && print_env
exit 0
