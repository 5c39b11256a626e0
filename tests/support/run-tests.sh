#!/usr/bin/env bash
# Runs every test of the workspace in the release profile, with a Kafka broker, a PostgreSQL server
# and an S3 server of its own, and closes with one line: "N passed, N failed, N skipped". Called by
# `make test`.
#
# A test that needs the broker is marked #[ignore = "needs Kafka"] and reads LEVADA_TEST_KAFKA
# (HOST:PORT); one that needs the server is marked #[ignore = "needs PostgreSQL"] and reads
# LEVADA_TEST_POSTGRES (HOST:PORT/DATABASE); one that needs the object store is marked
# #[ignore = "needs S3"] and reads LEVADA_TEST_S3 (http://KEY:SECRET@HOST:PORT/BUCKET). Where these
# can be started those tests run too; where they cannot, they are the skipped ones. Arguments are
# handed to cargo test (e.g. -p levada-engine).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.." || exit 1

scratch=$(mktemp -d "${TMPDIR:-/tmp}/levada-test.XXXXXX")
chmod 711 "$scratch" # as root, PostgreSQL runs as another user, who must get to its folder
mkdir -m 1777 "$scratch/tmp"
export TMPDIR=$scratch/tmp # what tests leave behind when they are killed goes as well
cleanup() {
  "$here/kafka.sh" stop --dir "$scratch/kafka" >/dev/null 2>&1
  "$here/postgres.sh" stop --dir "$scratch/postgres" >/dev/null 2>&1
  "$here/s3.sh" stop --dir "$scratch/s3" >/dev/null 2>&1
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

postgres=
if [ -n "${LEVADA_TEST_POSTGRES:-}" ]; then
  postgres=$LEVADA_TEST_POSTGRES # a server of the caller's
elif postgres=$("$here/postgres.sh" start --dir "$scratch/postgres"); then
  export LEVADA_TEST_POSTGRES=$postgres
else
  postgres=
  echo "run-tests.sh: no PostgreSQL server could be started (see above); tests that need it are skipped" >&2
fi

s3=
if [ -n "${LEVADA_TEST_S3:-}" ]; then
  s3=$LEVADA_TEST_S3 # a server of the caller's
elif s3=$("$here/s3.sh" start --dir "$scratch/s3"); then
  export LEVADA_TEST_S3=$s3
else
  s3=
  echo "run-tests.sh: no S3 server could be started (see above); tests that need it are skipped" >&2
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

# Tests run the binary as users do; without it they could not say anything.
binary_failed=0
# The whole workspace: a part of it would have its dependencies built with other features, twice.
if cargo build --release --workspace; then
  LEVADA_BIN=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)/levada
  export LEVADA_BIN
else
  binary_failed=1
fi

packages=("$@")
[ ${#packages[@]} -gt 0 ] || packages=(--workspace)
status=$binary_failed
suite "$scratch/plain.log" "${packages[@]}" || status=1
passed=$(count "$scratch/plain.log" passed)
failed=$(count "$scratch/plain.log" failed)
skipped=$(count "$scratch/plain.log" ignored)

# Names are how the second round picks its tests, so each must be one test.
ambiguous=$(sed -n 's/^test \(.*\) \.\.\. ignored, needs .*/\1/p' "$scratch/plain.log" | sort | uniq -d)
if [ -n "$ambiguous" ]; then
  echo "run-tests.sh: several tests that need a service have the name" $ambiguous >&2
  status=1
fi

# The tests that the first round left out for want of a service, by their names.
second_round() { # service, address
  local needy more_passed more_failed
  mapfile -t needy < <(sed -n "s/^test \(.*\) \.\.\. ignored, needs $1.*/\1/p" "$scratch/plain.log" | sort -u)
  if [ -z "$2" ] || [ ${#needy[@]} -eq 0 ]; then return; fi
  suite "$scratch/$1.log" "${packages[@]}" --lib --bins --tests -- --ignored --exact "${needy[@]}" ||
    status=1
  more_passed=$(count "$scratch/$1.log" passed)
  more_failed=$(count "$scratch/$1.log" failed)
  passed=$((passed + more_passed))
  failed=$((failed + more_failed))
  skipped=$((skipped - more_passed - more_failed))
}
second_round Kafka "$kafka"
second_round PostgreSQL "$postgres"
second_round S3 "$s3"

# A test binary that died without a verdict, and what did not build, count as failures too.
died() { # log
  local targets verdicts
  targets=$(grep -c '^    `-p ' "$1")
  verdicts=$(grep -c '^test result: FAILED' "$1")
  echo $((targets > verdicts ? targets - verdicts : 0))
}
for log in "$scratch"/*.log; do failed=$((failed + $(died "$log"))); done
if [ $status -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
if [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi

# What the long tests say of their rounds (tests/tests/system/crash): how many, and the seeds of those
# that failed.
rounds=$(grep -h -e ' rounds passed, seeds ' -e ': seed [0-9]* FAILED: ' "$scratch"/*.log)
[ -z "$rounds" ] || printf '\n%s\n' "$rounds"

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
