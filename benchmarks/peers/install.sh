#!/usr/bin/env bash
# Fetches a benchmark peer into the cache folder, once:
#
#   benchmarks/peers/install.sh flink     Apache Flink's jars, from the PyPI package
#                                         apache-flink-libraries, and the runner beside this file
#   benchmarks/peers/install.sh duckdb    DuckDB, from PyPI
#
# Prints the folder that it lies in. Needs a JDK 17 and Python 3 (tests/support/install.sh bench).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${LEVADA_CACHE:-$HOME/.cache/levada}
flink_version=2.3.0
duckdb_version=2.0.0

die() { echo "install.sh: $*" >&2; exit 1; }

# Runs a step with its output in a log that is shown only if the step fails.
quietly() { # log, command…
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { tail -n 5 "$log" >&2; die "failed: $* (log: $log)"; }
}

flink_jars() { # target folder
  local scratch=$1.new
  rm -rf "$scratch"
  mkdir -p "$scratch"
  python3 -m venv "$scratch/venv"
  echo "install.sh: fetching Apache Flink $flink_version (330 MB)" >&2
  quietly "$cache/flink-install.log" "$scratch/venv/bin/python" -m pip download --no-deps \
    --no-binary :all: -d "$scratch" "apache-flink-libraries==$flink_version"
  mkdir "$scratch/flink"
  tar -xzf "$scratch"/apache_flink_libraries-*.tar.gz -C "$scratch/flink" --strip-components=2 \
    --wildcards '*/deps/lib/*.jar'
  ls "$scratch/flink/lib/flink-dist-$flink_version.jar" >/dev/null
  rm -rf "$1"
  mv "$scratch/flink" "$1"
  rm -rf "$scratch"
}

flink_runner() { # target folder
  local new=$1/runner.new
  rm -rf "$new"
  mkdir -p "$new"
  javac -nowarn -cp "$1/lib/*" -d "$new" "$here"/flink/*.java
  cp "$here"/flink/log4j2.properties "$new/"
  mkdir -p "$new/META-INF/services"
  echo 'RowsReporter$Factory' \
    >"$new/META-INF/services/org.apache.flink.metrics.reporter.MetricReporterFactory"
  cksum "$here"/flink/* | cksum >"$new/sources"
  rm -rf "$1/runner"
  mv "$new" "$1/runner"
}

flink() {
  local home=$cache/flink-$flink_version
  [ -d "$home/lib" ] || flink_jars "$home"
  [ "$(cksum "$here"/flink/* | cksum)" = "$(cat "$home/runner/sources" 2>/dev/null)" ] ||
    flink_runner "$home"
  echo "$home"
}

duckdb() {
  local home=$cache/duckdb-$duckdb_version
  if ! [ -d "$home" ]; then
    rm -rf "$home.new"
    python3 -m venv --copies "$home.new"
    echo "install.sh: fetching DuckDB $duckdb_version" >&2
    quietly "$cache/duckdb-install.log" "$home.new/bin/python" -m pip install --only-binary :all: \
      "duckdb==$duckdb_version"
    mv "$home.new" "$home"
  fi
  echo "$home"
}

peer=${1:-}
case $peer in
  flink | duckdb) ;;
  *) die "usage: install.sh flink|duckdb" ;;
esac
"$here/../../tests/support/install.sh" bench
mkdir -p "$cache"
exec 9>"$cache/peers.lock"
flock 9
"$peer"
