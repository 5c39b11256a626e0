#!/usr/bin/env bash
# Formatting and clippy, warnings being errors. A toolchain without one of them says so and goes on.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
status=0

if cargo fmt --version >/dev/null 2>&1; then
  cargo fmt --all --check || status=1
else
  echo "lint.sh: no rustfmt in this toolchain (rustup component add rustfmt): formatting unchecked" >&2
fi

if cargo clippy --version >/dev/null 2>&1; then
  cargo clippy --workspace --all-targets -- -D warnings || status=1
else
  echo "lint.sh: no clippy in this toolchain (rustup component add clippy): lints unchecked" >&2
fi

if command -v shellcheck >/dev/null 2>&1; then
  shellcheck -S warning tests/support/*.sh benchmarks/peers/*.sh .ci/run || status=1
fi
exit $status
