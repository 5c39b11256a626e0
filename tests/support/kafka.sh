#!/usr/bin/env bash
# A real Apache Kafka on this machine: one KRaft node on loopback, its data in a folder of its own.
#
#   tests/support/kafka.sh install           fetch the jars from Maven once
#   tests/support/kafka.sh start  [OPTION…]  start a broker; prints its address once it answers
#   tests/support/kafka.sh stop   [OPTION…]  stop it; the data stays, a later start goes on with it
#   tests/support/kafka.sh kill   [OPTION…]  the same with SIGKILL, for crash tests
#   tests/support/kafka.sh status [OPTION…]  prints the address, or says that it is down (status 1)
#
#   --dir DIR         the broker's folder (LEVADA_KAFKA_DIR; default $TMPDIR/levada-kafka). Brokers
#                     with different folders run side by side.
#   --port N          its port (LEVADA_KAFKA_PORT; default: a free one, kept for later starts)
#   --set KEY=VALUE   a broker setting of your own; may be repeated
#   --wipe            with stop: remove the folder as well
#
# Only the address goes to standard output. The broker's log is DIR/server.log.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${LEVADA_CACHE:-$HOME/.cache/levada}
version=4.2.0
home=$cache/kafka-$version

die() { echo "kafka.sh: $*" >&2; exit 1; }

# ---- install -------------------------------------------------------------------------------

pom() {
  cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>levada.tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>$version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
      <version>$version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.3</version></dependency>
  </dependencies>
</project>
POM
}

# Everything is built in a folder beside and moved into place in one step.
fetch() {
  local new=$home.new
  "$here/install.sh" kafka
  rm -rf "$new"
  mkdir -p "$new/tools"
  pom >"$new/pom.xml"
  echo "kafka.sh: fetching Apache Kafka $version (log: $cache/kafka-install.log)" >&2
  (cd "$new" && mvn -q -B dependency:copy-dependencies -DoutputDirectory="$new/libs") \
    >"$cache/kafka-install.log" 2>&1 || { tail -n 5 "$cache/kafka-install.log" >&2
    die "Maven could not fetch Kafka"; }
  ls "$new/libs/kafka_2.13-$version.jar" "$new/libs/kafka-tools-$version.jar" >/dev/null ||
    die "Maven fetched no Kafka"
  rm -rf "$home"
  mv "$new" "$home"
}

compile_tools() {
  local new=$home/tools.new
  rm -rf "$new"
  mkdir -p "$new"
  javac -nowarn -cp "$home/libs/*" -d "$new" "$here"/kafka/*.java
  cksum "$here"/kafka/*.java | cksum >"$new/sources"
  rm -rf "$home/tools"
  mv "$new" "$home/tools"
}

fetched() { [ -d "$home/libs" ]; }
compiled() { [ "$(cksum "$here"/kafka/*.java | cksum)" = "$(cat "$home/tools/sources" 2>/dev/null)" ]; }

install() {
  fetched && compiled && command -v java >/dev/null && return 0
  mkdir -p "$cache"
  exec 9>"$cache/kafka-$version.lock"
  flock 9
  fetched || fetch
  command -v javac >/dev/null || "$here/install.sh" kafka
  compiled || compile_tools
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

properties() { # broker port, controller port
  cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$2
listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
advertised.listeners=PLAINTEXT://127.0.0.1:$1
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
  [ ${#settings[@]} -eq 0 ] || printf '%s\n' "${settings[@]}"
}

logging() {
  cat <<'LOG4J'
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %-5p %c: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
LOG4J
}

java_kafka() { java -Dlog4j2.configurationFile="$dir/log4j2.properties" -cp "$home/libs/*" "$@"; }

# The process, if it is still this folder's broker.
running() {
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
  ! [ -r "/proc/$pid/cmdline" ] || tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$dir/server.properties"
}

answers() { # port
  (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null &&
    java_kafka -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 org.apache.kafka.tools.TopicCommand \
      --bootstrap-server "127.0.0.1:$1" --list >/dev/null 2>&1
}

launch() { # port
  properties "$1" "$(free_port)" >"$dir/server.properties"
  [ -f "$dir/data/meta.properties" ] || java_kafka kafka.tools.StorageTool format \
    --cluster-id LevadaTestsLevadaTests --config "$dir/server.properties" >"$dir/server.log" 2>&1 ||
    { tail -n 5 "$dir/server.log" >&2; die "Kafka could not format $dir/data"; }
  # A session of its own, so that a Ctrl-C meant for a test does not reach the broker.
  setsid java -Xms256m -Xmx768m -XX:+UseSerialGC \
    -Dlog4j2.configurationFile="$dir/log4j2.properties" -cp "$home/libs/*" \
    kafka.Kafka "$dir/server.properties" >>"$dir/server.log" 2>&1 </dev/null 9>&- &
  local pid=$!
  echo $pid >"$dir/pid"
  disown
  for _ in $(seq 480); do
    # Not `running`: until Java is executed, the process still goes by the name of this script.
    kill -0 $pid 2>/dev/null || return 1
    answers "$1" && return 0
    sleep 0.25
  done
  return 1
}

start() {
  install
  mkdir -p "$dir"
  if running; then cat "$dir/address"; return; fi
  logging >"$dir/log4j2.properties"
  rm -f "$dir/server.log"
  local asked=$port tries=5
  [ -z "$asked" ] && [ -f "$dir/address" ] && asked=$(sed 's/.*://' "$dir/address")
  [ -n "$asked" ] && tries=1
  for _ in $(seq $tries); do
    port=${asked:-$(free_port)}
    if launch "$port"; then
      echo "127.0.0.1:$port" | tee "$dir/address"
      return
    fi
    halt KILL
    # Somebody else may have taken the port in between: another one, if none was asked for.
    grep -q 'Address already in use' "$dir/server.log" || break
  done
  tail -n 20 "$dir/server.log" >&2
  die "the broker does not answer on 127.0.0.1:$port (log: $dir/server.log)"
}

# ---- stop ----------------------------------------------------------------------------------

halt() { # signal
  local pid
  running || { rm -f "$dir/pid"; return 0; }
  pid=$(cat "$dir/pid")
  kill "-$1" "$pid" 2>/dev/null || true
  for _ in $(seq 120); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.25
  done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$dir/pid"
}

status() {
  running || { echo "kafka.sh: no broker runs in $dir" >&2; return 1; }
  cat "$dir/address"
}

# ---- command line --------------------------------------------------------------------------

command=${1:-}
[ $# -gt 0 ] && shift
dir=${LEVADA_KAFKA_DIR:-${TMPDIR:-/tmp}/levada-kafka}
port=${LEVADA_KAFKA_PORT:-}
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
  *) die "usage: kafka.sh install|start|stop|kill|status [--dir DIR] [--port N] [--set K=V] [--wipe]" ;;
esac
