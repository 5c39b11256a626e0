#!/usr/bin/env bash
# A real PostgreSQL on this machine: one server on loopback, its data in a folder of its own.
#
#   tests/support/postgres.sh install           install the server's packages
#   tests/support/postgres.sh start  [OPTION…]  start a server; prints its address once it answers
#   tests/support/postgres.sh stop   [OPTION…]  stop it; the data stays, a later start goes on with it
#   tests/support/postgres.sh kill   [OPTION…]  the same with SIGKILL, for crash tests
#   tests/support/postgres.sh status [OPTION…]  prints the address, or says that it is down (status 1)
#   tests/support/postgres.sh sql    [OPTION…]  runs the SQL of standard input by psql: rows on lines of
#                                               their own, | between columns
#
#   --dir DIR         the server's folder (LEVADA_POSTGRES_DIR; default $TMPDIR/levada-postgres).
#                     Servers with different folders run side by side.
#   --port N          its port (LEVADA_POSTGRES_PORT; default: a free one, kept for later starts)
#   --set KEY=VALUE   a setting of your own; may be repeated
#   --wipe            with stop: remove the folder as well
#
# The address is HOST:PORT/DATABASE; user 'levada' is let in without a password, user 'locked' has
# the password 'secret'. Only the address goes to standard output. The log is DIR/server.log.
#
# The server refuses to run as root: as root, everything runs as the user 'postgres' that the
# package creates. The distribution's own clusters are never touched.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=15
database=levada

die() { echo "postgres.sh: $*" >&2; exit 1; }

# The server's programs: Debian's, or those on the path.
program() { # name
  local debian=/usr/lib/postgresql/$version/bin/$1
  if [ -x "$debian" ]; then echo "$debian"; else command -v "$1"; fi
}

installed() { program postgres >/dev/null && program initdb >/dev/null && program psql >/dev/null; }

install() {
  installed || "$here/install.sh" postgres
  installed || die "PostgreSQL $version is lacking"
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

# Runs a program as somebody whom the server accepts, in a folder that this somebody may see.
unprivileged() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

query() { # port, SQL
  (cd / && PGCONNECT_TIMEOUT=2 "$(program psql)" -X -q -A -t -h 127.0.0.1 -p "$1" -U levada -d postgres \
    -v ON_ERROR_STOP=1 -c "$2" 2>/dev/null)
}

access() {
  cat <<'HBA'
host all locked 127.0.0.1/32 scram-sha-256
host all all    127.0.0.1/32 trust
HBA
}

# A server for tests: small, and durable, since tests kill it and look at what it kept.
settings() { # port
  cat <<CONF
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
max_wal_size = 512MB
logging_collector = off
log_min_messages = warning
log_min_error_statement = panic
lc_messages = 'C'
timezone = 'UTC'
CONF
  local setting
  for setting in "${settings[@]}"; do echo "$setting"; done
}

create() {
  local new=$dir/data.new
  rm -rf "$new"
  unprivileged "$(program initdb)" -D "$new" -U levada -E UTF8 --locale=C.UTF-8 --auth=trust \
    >"$dir/server.log" 2>&1 || { tail -n 5 "$dir/server.log" >&2; die "initdb failed"; }
  access >"$new/pg_hba.conf"
  echo "include = '$dir/levada.conf'" >>"$new/postgresql.conf"
  mv "$new" "$dir/data"
}

# The process, if it is still this folder's server.
running() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
  ! [ -r "/proc/$pid/cmdline" ] || tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir/data"
}

launch() { # port
  settings "$1" >"$dir/levada.conf"
  # What a killed server left behind names a process that may be somebody else's by now.
  rm -f "$dir/data/postmaster.pid"
  # A session of its own, so that a Ctrl-C meant for a test does not reach the server; the shell
  # tells its process number and becomes the server.
  rm -f "$dir/run/pid"
  # shellcheck disable=SC2016
  unprivileged setsid bash -c 'echo $$ >"$1"; shift; exec "$@"' launch "$dir/run/pid" \
    "$(program postgres)" -D "$dir/data" >>"$dir/server.log" 2>&1 </dev/null &
  disown
  for _ in $(seq 240); do
    [ -s "$dir/run/pid" ] && cp "$dir/run/pid" "$dir/pid" && { running || return 1; }
    query "$1" 'SELECT 1' >/dev/null && return 0
    sleep 0.25
  done
  return 1
}

populate() { # port
  [ "$(query "$1" "SELECT 1 FROM pg_database WHERE datname = '$database'")" = 1 ] ||
    query "$1" "CREATE DATABASE $database" || die "the database '$database' could not be created"
  [ "$(query "$1" "SELECT 1 FROM pg_roles WHERE rolname = 'locked'")" = 1 ] ||
    query "$1" "CREATE ROLE locked LOGIN PASSWORD 'secret'" || die "the user 'locked' could not be created"
}

start() {
  install
  mkdir -p "$dir/run"
  if running; then cat "$dir/address"; return; fi
  # As root the server's user needs the way to its data, and to own that.
  if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir" "$dir/run"
    unprivileged test -x "$dir" || die "the user 'postgres' cannot reach $dir; choose another --dir"
  fi
  [ -f "$dir/data/PG_VERSION" ] || create
  local asked=$port tries=5
  [ -z "$asked" ] && [ -f "$dir/address" ] && asked=$(sed 's/.*:\([0-9]*\).*/\1/' "$dir/address")
  [ -n "$asked" ] && tries=1
  for _ in $(seq $tries); do
    port=${asked:-$(free_port)}
    if launch "$port"; then
      populate "$port"
      echo "127.0.0.1:$port/$database" | tee "$dir/address"
      return
    fi
    halt KILL
    # Somebody else may have taken the port in between: another one, if none was asked for.
    grep -q 'Address already in use' "$dir/server.log" || break
  done
  tail -n 20 "$dir/server.log" >&2
  die "the server does not answer on 127.0.0.1:$port (log: $dir/server.log)"
}

# ---- stop ----------------------------------------------------------------------------------

# TERM would wait for clients to leave; INT lets the server end their sessions.
halt() { # signal
  local pid children
  running || { rm -f "$dir/pid"; return 0; }
  pid=$(cat "$dir/pid")
  children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
  kill "-$1" "$pid" 2>/dev/null || true
  # A crash takes the server's processes with it, too; no other server may find them alive.
  # shellcheck disable=SC2086
  [ "$1" = KILL ] && [ -n "$children" ] && kill -KILL $children 2>/dev/null
  for _ in $(seq 240); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$dir/pid"
}

status() {
  running || { echo "postgres.sh: no server runs in $dir" >&2; return 1; }
  cat "$dir/address"
}

sql() {
  running || { echo "postgres.sh: no server runs in $dir" >&2; return 1; }
  local port
  port=$(sed 's/.*:\([0-9]*\).*/\1/' "$dir/address")
  (cd / && PGCONNECT_TIMEOUT=10 "$(program psql)" -X -q -A -t -h 127.0.0.1 -p "$port" -U levada \
    -d "$database" -v ON_ERROR_STOP=1)
}

# ---- command line --------------------------------------------------------------------------

command=${1:-}
[ $# -gt 0 ] && shift
dir=${LEVADA_POSTGRES_DIR:-${TMPDIR:-/tmp}/levada-postgres}
port=${LEVADA_POSTGRES_PORT:-}
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
  stop) halt INT; [ -z "$wipe" ] || rm -rf "$dir" ;;
  kill) halt KILL ;;
  status) status ;;
  sql) sql ;;
  *) die "usage: postgres.sh install|start|stop|kill|status|sql [--dir DIR] [--port N] [--set K=V] [--wipe]" ;;
esac
