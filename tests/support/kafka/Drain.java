import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads a topic from its beginning to the end that it had at the start, and writes each record's
 * value on a line of its own. Where the console consumer can only guess the end by waiting, this
 * knows it: the end offset under the isolation level, which is the last stable offset for
 * read_committed. Records come in order within a partition; partitions come interleaved.
 *
 * Usage: Drain BOOTSTRAP TOPIC ISOLATION FORMAT
 * FORMAT: value | key-value (tab between) | full (partition, offset, timestamp, key, value)
 */
public final class Drain {
    private static final byte[] NULL = "null".getBytes();

    public static void main(String[] args) throws IOException {
        if (args.length != 4) {
            System.err.println("usage: Drain BOOTSTRAP TOPIC ISOLATION FORMAT");
            System.exit(2);
        }
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", args[0]);
        config.put("isolation.level", args[2]);
        config.put("enable.auto.commit", false);
        config.put("max.poll.records", 10_000);
        try (var consumer = new KafkaConsumer<>(
                config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
             OutputStream out = new BufferedOutputStream(System.out, 1 << 20)) {
            var infos = consumer.listTopics(Duration.ofMinutes(2)).get(args[1]);
            if (infos == null) {
                System.err.println("no topic " + args[1] + " at " + args[0]);
                System.exit(1);
            }
            List<TopicPartition> partitions = infos.stream()
                .map(i -> new TopicPartition(i.topic(), i.partition()))
                .collect(Collectors.toList());
            drain(consumer, partitions, out, args[3]);
        }
    }

    private static void drain(
            KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions,
            OutputStream out, String format) throws IOException {
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                var partition = new TopicPartition(record.topic(), record.partition());
                if (record.offset() < ends.get(partition)) {
                    write(record, out, format);
                }
            }
        }
    }

    private static void write(ConsumerRecord<byte[], byte[]> record, OutputStream out, String format)
            throws IOException {
        if (format.equals("full")) {
            out.write((record.partition() + "\t" + record.offset() + "\t" + record.timestamp() + "\t")
                .getBytes());
        }
        if (!format.equals("value")) {
            out.write(record.key() == null ? NULL : record.key());
            out.write('\t');
        }
        out.write(record.value() == null ? NULL : record.value());
        out.write('\n');
    }
}
