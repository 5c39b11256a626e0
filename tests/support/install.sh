#!/usr/bin/env bash
# Installs the system packages that Levada's build and tests need, with apt where that is possible
# and names what is lacking where it is not.
#
#   tests/support/install.sh build           what `cargo build` needs
#   tests/support/install.sh kafka           a JDK and Maven, for Apache Kafka (kafka.sh)
#   tests/support/install.sh postgres        a PostgreSQL server (postgres.sh)
#   tests/support/install.sh s3              Go and curl, for an S3 server (s3.sh)
#   tests/support/install.sh bench           a JDK and Python, for the benchmark's peers
#   tests/support/install.sh build kafka …   several at once
#
# What is there already is left alone, so a second run costs nothing.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

# The oldest JDK that both Kafka 4 and Flink 2 run on is 17; a newer one will do.
jdk() {
  have javac || return 1
  local major
  major=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
  [ "${major:-0}" -ge 17 ]
}

# The names that bindgen looks for; libclang-cpp.so, which Debian ships alone too, is another library.
libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  local folders=(/usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib /usr/lib64)
  [ -n "$(find -L "${folders[@]}" -maxdepth 1 \( -name 'libclang.so*' -o -name 'libclang-[0-9]*.so*' \) \
    2>/dev/null)" ] || [ -e /opt/homebrew/opt/llvm/lib/libclang.dylib ]
}

library() { have pkg-config && pkg-config --exists "$1"; }

# venv needs ensurepip, which Debian ships apart from python3.
python_venv() { have python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; }

certificates() { [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -d /etc/pki/tls/certs ]; }

postgres() { [ -x /usr/lib/postgresql/15/bin/postgres ] || have postgres; }

missing=() # "what it is|Debian package"
need() { "${@:3}" || missing+=("$1|$2"); }

need_build() {
  need 'a C++ compiler' g++ have c++
  need make make have make
  need pkg-config pkg-config have pkg-config
  need 'libclang (for bindgen)' libclang-dev libclang
  need 'OpenSSL headers' libssl-dev library openssl
  need 'zlib headers' zlib1g-dev library zlib
}

need_kafka() {
  need 'a JDK, 17 or newer' openjdk-17-jdk-headless jdk
  need Maven maven have mvn
}

need_postgres() {
  need 'a PostgreSQL 15 server' postgresql-15 postgres
}

need_s3() {
  need Go golang-go have go
  need curl curl have curl
  need 'certificates of authorities' ca-certificates certificates
}

need_bench() {
  need 'a JDK, 17 or newer' openjdk-17-jdk-headless jdk
  need 'Python 3 with venv' python3-venv python_venv
}

check_all() {
  missing=()
  local group
  for group in "${groups[@]}"; do "need_$group"; done
}

groups=("${@:-build}")
for group in "${groups[@]}"; do
  case $group in
    build | kafka | postgres | s3 | bench) ;;
    *) echo "usage: install.sh [build] [kafka] [postgres] [s3] [bench]" >&2; exit 2 ;;
  esac
done

if ! have cargo; then
  echo "install.sh: cargo is lacking: install Rust 1.95 or newer (https://rustup.rs)" >&2
  exit 1
fi
check_all
[ ${#missing[@]} -eq 0 ] && exit 0

if have apt-get && [ "$(id -u)" = 0 ]; then
  packages=$(printf '%s\n' "${missing[@]#*|}" | sort -u | tr '\n' ' ')
  echo "install.sh: installing $packages" >&2
  export DEBIAN_FRONTEND=noninteractive
  # Debian's package would make a cluster of its own and start it.
  if [[ $packages == *postgresql* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/no-main.conf
  fi
  # shellcheck disable=SC2086
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >&2 || true
  hash -r
  check_all
fi
[ ${#missing[@]} -eq 0 ] && exit 0

echo "install.sh: lacking on this machine:" >&2
for item in "${missing[@]}"; do
  echo "  ${item%%|*} (Debian package ${item##*|})" >&2
done
have apt-get && [ "$(id -u)" != 0 ] &&
  echo "as root: apt-get install $(printf '%s\n' "${missing[@]#*|}" | sort -u | tr '\n' ' ')" >&2
exit 1
