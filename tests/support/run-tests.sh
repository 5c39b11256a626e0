#!/usr/bin/env bash
# Runs every test of the workspace in the release profile, with a Kafka broker of its own, and
# closes with one line: "N passed, N failed, N skipped". Called by `make test`.
#
# A test that needs the broker is marked #[ignore = "needs Kafka"] and reads LEVADA_TEST_KAFKA
# (HOST:PORT). Where a broker can be started those tests run too; where it cannot, they are the
# skipped ones. Arguments are handed to cargo test (e.g. -p levada-engine).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

scratch=$(mktemp -d "${TMPDIR:-/tmp}/levada-test.XXXXXX")
cleanup() {
  "$here/kafka.sh" stop --dir "$scratch/kafka" >/dev/null 2>&1
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

kafka=
if [ -n "${LEVADA_TEST_KAFKA:-}" ]; then
  kafka=$LEVADA_TEST_KAFKA # a broker of the caller's
elif kafka=$("$here/kafka.sh" start --dir "$scratch/kafka"); then
  export LEVADA_TEST_KAFKA=$kafka
else
  kafka=
  echo "run-tests.sh: no Kafka broker could be started (see above); tests that need it are skipped" >&2
fi

# `cargo test`'s output goes to the terminal and to a log, from which the counts are read.
suite() { # log, cargo test's arguments…
  local log=$1
  shift
  cargo test --release --no-fail-fast "$@" 2>&1 | tee "$log"
  return "${PIPESTATUS[0]}"
}

# Adds up one field of the "test result: ok. 3 passed; 0 failed; 1 ignored; …" lines.
count() { # log, field
  awk -v field="$2" '/^test result:/ {
    for (i = 2; i <= NF; i++) if ($i ~ "^" field) sum += $(i - 1)
  } END { print sum + 0 }' "$1"
}

packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(--workspace)
status=0
suite "$scratch/plain.log" "${packages[@]}" || status=1
passed=$(count "$scratch/plain.log" passed)
failed=$(count "$scratch/plain.log" failed)
skipped=$(count "$scratch/plain.log" ignored)

# Documentation examples marked `ignore` are not tests: the second round leaves them out.
if [ -n "$kafka" ] && grep -q '^test .* \.\.\. ignored, needs Kafka' "$scratch/plain.log"; then
  suite "$scratch/kafka.log" "${packages[@]}" --lib --bins --tests -- --ignored || status=1
  more_passed=$(count "$scratch/kafka.log" passed)
  more_failed=$(count "$scratch/kafka.log" failed)
  passed=$((passed + more_passed))
  failed=$((failed + more_failed))
  skipped=$((skipped - more_passed - more_failed))
fi

# What did not build, or died without a verdict, counts as a failure too.
if [ $status -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
