#!/usr/bin/env bash
# Topics of a Kafka broker, by Kafka's own tools and client: what tests write and read with it owes
# nothing to Levada. The broker is LEVADA_TEST_KAFKA (HOST:PORT).
#
#   kafka-tool.sh topic NAME [PARTITIONS] [KEY=VALUE…]   create a topic (1 partition by default)
#   kafka-tool.sh delete NAME                            delete it
#   kafka-tool.sh list                                   the names of all topics
#   kafka-tool.sh offsets NAME                           the end offset of each partition
#   kafka-tool.sh produce NAME FILE [--keyed]            one record a line; with --keyed a line is
#                                                        KEY<TAB>VALUE and the key picks the partition
#   kafka-tool.sh read NAME [--keyed | --full] [--uncommitted]
#                                                        the topic to its end, read_committed, one
#                                                        value a line; --keyed puts KEY<TAB> in front,
#                                                        --full PARTITION, OFFSET, TIMESTAMP, KEY
#   kafka-tool.sh console NAME COUNT                     the same by the console consumer, which has
#                                                        to be told how many records to wait for
#
# FILE may be - for standard input.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${LEVADA_CACHE:-$HOME/.cache/levada}
die() { echo "kafka-tool.sh: $*" >&2; exit 1; }

address=${LEVADA_TEST_KAFKA:-}
[ -n "$address" ] || die "set LEVADA_TEST_KAFKA to the broker's HOST:PORT (kafka.sh start prints it)"
"$here/kafka.sh" install
home=$cache/kafka-$(sed -n "s/^version=//p" "$here/kafka.sh")
command=${1:-}
[ $# -gt 0 ] && shift

tool() {
  java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dlog4j2.configurationFile="$here/kafka/log4j2.properties" \
    -cp "$home/tools:$home/libs/*" "$@"
}

topic() {
  local name=${1:?a topic name} partitions=${2:-1} configs=()
  for setting in "${@:3}"; do configs+=(--config "$setting"); done
  tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --create \
    --topic "$name" --partitions "$partitions" --replication-factor 1 "${configs[@]}" >/dev/null
}

produce() {
  local name=${1:?a topic name} file=${2:?a file} reader=()
  if [ "${3:-}" = --keyed ]; then
    reader=(--reader-property parse.key=true --reader-property "key.separator=$(printf '\t')")
  fi
  [ "$file" = - ] && file=/dev/stdin
  tool org.apache.kafka.tools.ConsoleProducer --bootstrap-server "$address" --topic "$name" \
    --batch-size 131072 --timeout 20 "${reader[@]}" <"$file"
}

read_topic() {
  local name=${1:?a topic name} isolation=read_committed format=value
  for option in "${@:2}"; do
    case $option in
      --uncommitted) isolation=read_uncommitted ;;
      --keyed) format=key-value ;;
      --full) format=full ;;
      *) die "unknown option $option" ;;
    esac
  done
  tool Drain "$address" "$name" "$isolation" "$format"
}

case $command in
  topic) topic "$@" ;;
  delete) tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --delete --topic "${1:?a topic name}" ;;
  list) tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$address" --list ;;
  offsets) tool org.apache.kafka.tools.GetOffsetShell --bootstrap-server "$address" --topic "${1:?a topic name}" ;;
  produce) produce "$@" ;;
  read) read_topic "$@" ;;
  console) tool org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$address" \
    --topic "${1:?a topic name}" --from-beginning --max-messages "${2:?a count}" \
    --timeout-ms 30000 --isolation-level read_committed ;;
  *) die "usage: kafka-tool.sh topic|delete|list|offsets|produce|read|console …" ;;
esac
