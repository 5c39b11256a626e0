#!/usr/bin/env bash
# A real S3-compatible object store on this machine: one MinIO server on loopback, its data in a
# folder of its own. It honours conditional writes (If-None-Match and If-Match on PUT).
#
#   tests/support/s3.sh install           build the server once (about 10 minutes on two cores)
#   tests/support/s3.sh start  [OPTION…]  start a server; prints its address once it answers
#   tests/support/s3.sh stop   [OPTION…]  stop it; the data stays, a later start goes on with it
#   tests/support/s3.sh kill   [OPTION…]  the same with SIGKILL, for crash tests
#   tests/support/s3.sh status [OPTION…]  prints the address, or says that it is down (status 1)
#   tests/support/s3.sh env    [OPTION…]  prints what Levada's processes need to use it:
#                                         eval "$(tests/support/s3.sh env)"
#
#   --dir DIR         the server's folder (LEVADA_S3_DIR; default $TMPDIR/levada-s3). Servers with
#                     different folders run side by side.
#   --port N          its port (LEVADA_S3_PORT; default: a free one, kept for later starts)
#   --set KEY=VALUE   a variable of the server's environment (MINIO_…); may be repeated
#   --wipe            with stop: remove the folder as well
#
# The address is http://KEY:SECRET@HOST:PORT/BUCKET; the bucket is there. Only the address goes to
# standard output. The log is DIR/server.log.
#
# The server is built from the Go module proxy into ${LEVADA_CACHE:-~/.cache/levada}; Debian's Go is
# too old for it, and then only fetches a newer one from there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${LEVADA_CACHE:-$HOME/.cache/levada}
version=v0.0.0-20260212201848-7aac2a2c5b7c
toolchain=go1.24.8 # what the server's go.mod asks for
home=$cache/minio-$version
key=levada secret=levada-secret bucket=levada

die() { echo "s3.sh: $*" >&2; exit 1; }

# ---- install -------------------------------------------------------------------------------

# Go, new enough to fetch the rest of what it needs by itself (1.21).
new_enough() { # go
  local minor
  minor=$("$1" env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
  [ "${minor:-0}" -ge 21 ]
}

# Prints the path of a Go that can build the server.
go_program() {
  local go root arch
  go=$(command -v go) || die "Go is lacking"
  if new_enough "$go"; then echo "$go"; return; fi
  case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) die "no Go for $(uname -m): install 1.21 or newer" ;;
  esac
  # A toolchain is a module like any other; modules are kept without the right to run.
  root=$(cd / && "$go" mod download -json "golang.org/toolchain@v0.0.1-$toolchain.linux-$arch" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
  [ -x "$root/bin/go" ] || chmod -R u+w,a+x "$root/bin" "$root/pkg/tool" || die "no Go was fetched"
  new_enough "$root/bin/go" || die "the Go in $root does not run"
  echo "$root/bin/go"
}

build() {
  local go new=$cache/minio-$version.new log=$cache/minio-build.log
  "$here/install.sh" s3
  go=$(go_program)
  rm -rf "$new"
  mkdir -p "$new"
  echo "s3.sh: building MinIO once, about 10 minutes on two cores (log: $log)" >&2
  (cd / && unset GOROOT && GOBIN=$new GOFLAGS=-mod=mod GOTOOLCHAIN=auto CGO_ENABLED=0 GOWORK=off \
    nice "$go" install -trimpath -ldflags '-s -w' "github.com/minio/minio@$version") \
    >"$log" 2>&1 || { tail -n 5 "$log" >&2; die "MinIO could not be built"; }
  rm -rf "$home"
  mv "$new" "$home"
}

built() { [ -x "$home/minio" ]; }

install() {
  built && command -v curl >/dev/null && return 0
  mkdir -p "$cache"
  exec 9>"$cache/minio-$version.lock"
  flock 9
  built || build
  command -v curl >/dev/null || "$here/install.sh" s3
  exec 9>&-
}

# ---- start ---------------------------------------------------------------------------------

# A port that nobody listens on, below the range from which the kernel takes outgoing ports.
free_port() {
  local port
  for _ in $(seq 100); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port found"
}

# The process, if it is still this folder's server.
running() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
  ! [ -r "/proc/$pid/cmdline" ] || tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir/data"
}

request() { # status that is accepted too, curl's arguments…
  local accepted=$1 status
  shift
  status=$(curl -sS -o /dev/null -w '%{http_code}' --max-time 10 --noproxy '*' \
    --aws-sigv4 aws:amz:us-east-1:s3 --user "$key:$secret" "$@" 2>/dev/null) || return 1
  [ "$status" = 200 ] || [ "$status" = "$accepted" ]
}

launch() { # port
  # A session of its own, so that a Ctrl-C meant for a test does not reach the server.
  env -u MINIO_CONFIG_ENV_FILE MINIO_ROOT_USER=$key MINIO_ROOT_PASSWORD=$secret MINIO_BROWSER=off \
    MINIO_UPDATE=off "${settings[@]}" \
    setsid "$home/minio" server --quiet --address "127.0.0.1:$1" --certs-dir "$dir/certs" "$dir/data" \
    >>"$dir/server.log" 2>&1 </dev/null 9>&- &
  local pid=$!
  echo $pid >"$dir/pid"
  disown
  for _ in $(seq 240); do
    # Not `running`: until the server is executed, the process still goes by the name of this script.
    kill -0 $pid 2>/dev/null || return 1
    # 409: the bucket is there already.
    request 409 -X PUT "http://127.0.0.1:$1/$bucket" && return 0
    sleep 0.25
  done
  return 1
}

start() {
  install
  mkdir -p "$dir/data"
  if running; then cat "$dir/address"; return; fi
  rm -f "$dir/server.log"
  local asked=$port tries=5
  [ -z "$asked" ] && [ -f "$dir/address" ] && asked=$(sed 's/.*:\([0-9]*\)\/.*/\1/' "$dir/address")
  [ -n "$asked" ] && tries=1
  for _ in $(seq $tries); do
    port=${asked:-$(free_port)}
    if launch "$port"; then
      echo "http://$key:$secret@127.0.0.1:$port/$bucket" | tee "$dir/address"
      return
    fi
    halt KILL
    # Somebody else may have taken the port in between: another one, if none was asked for.
    grep -q 'address already in use\|port is already in use' "$dir/server.log" || break
  done
  tail -n 20 "$dir/server.log" >&2
  die "the server does not answer on 127.0.0.1:$port (log: $dir/server.log)"
}

# ---- stop ----------------------------------------------------------------------------------

halt() { # signal
  local pid
  running || { rm -f "$dir/pid"; return 0; }
  pid=$(cat "$dir/pid")
  kill "-$1" "$pid" 2>/dev/null || true
  for _ in $(seq 120); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$dir/pid"
}

status() {
  running || { echo "s3.sh: no server runs in $dir" >&2; return 1; }
  cat "$dir/address"
}

environment() {
  local address
  address=$(status) || return 1
  printf 'export AWS_ENDPOINT=%q AWS_ALLOW_HTTP=true AWS_REGION=us-east-1\n' \
    "http://$(sed 's/.*@\(.*\)\/.*/\1/' <<<"$address")"
  printf 'export AWS_ACCESS_KEY_ID=%q AWS_SECRET_ACCESS_KEY=%q LEVADA_TEST_S3=%q\n' \
    "$key" "$secret" "$address"
}

# ---- command line --------------------------------------------------------------------------

command=${1:-}
[ $# -gt 0 ] && shift
dir=${LEVADA_S3_DIR:-${TMPDIR:-/tmp}/levada-s3}
port=${LEVADA_S3_PORT:-}
settings=()
wipe=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    --port) port=${2:?--port needs a number}; shift 2 ;;
    --set) settings+=("${2:?--set needs KEY=VALUE}"); shift 2 ;;
    --wipe) wipe=1; shift ;;
    *) die "unknown option $1; see the head of this file" ;;
  esac
done
dir=$(mkdir -p "$(dirname "$dir")" && cd "$(dirname "$dir")" && pwd)/$(basename "$dir")
case $command in
  install) install ;;
  start) start ;;
  stop) halt TERM; [ -z "$wipe" ] || rm -rf "$dir" ;;
  kill) halt KILL ;;
  status) status ;;
  env) environment ;;
  *) die "usage: s3.sh install|start|stop|kill|status|env [--dir DIR] [--port N] [--set K=V] [--wipe]" ;;
esac
