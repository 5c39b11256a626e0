import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs a SQL script on Apache Flink in this JVM, in an embedded mini cluster.
 *
 * Usage: FlinkPeer measure SCRIPT PARALLELISM RUNS [NAME=VALUE ...]
 *   runs the script RUNS times, each time in a table environment of its own, and prints
 *   "seconds S" after each; a warm-up is the caller's to discard. Every few seconds it prints
 *   "rows N", what the sources have emitted so far, for a run that is ended before it is done.
 * Usage: FlinkPeer rows SCRIPT PARALLELISM FILE [NAME=VALUE ...]
 *   runs it once; the last statement is a SELECT, whose changelog is consolidated into final rows,
 *   written to FILE as JSON arrays, one a line.
 * What follows are settings of Flink.
 */
public final class FlinkPeer {
    public static void main(String[] args) throws Exception {
        if (args.length < 4) {
            System.err.println("usage: FlinkPeer measure|rows SCRIPT PARALLELISM RUNS|FILE [NAME=VALUE ...]");
            System.exit(2);
        }
        List<String> statements = statements(Files.readString(Path.of(args[1])));
        Configuration config = configuration(Integer.parseInt(args[2]));
        for (String setting : List.of(args).subList(4, args.length)) {
            String[] parts = setting.split("=", 2);
            config.setString(parts[0], parts[1]);
        }
        if (args[0].equals("measure")) {
            config.setString("metrics.reporter.rows.factory.class", RowsReporter.Factory.class.getName());
            for (int run = 0; run < Integer.parseInt(args[3]); run++) {
                measure(environment(config), statements);
            }
        } else {
            rows(environment(config), statements, Path.of(args[3]));
        }
        System.exit(0);
    }

    private static Configuration configuration(int parallelism) {
        Configuration config = new Configuration();
        config.setString("parallelism.default", Integer.toString(parallelism));
        config.setString("state.backend.type", "hashmap");
        config.setString("table.local-time-zone", "UTC");
        return config;
    }

    private static TableEnvironment environment(Configuration config) {
        return TableEnvironment.create(
            EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(config).build());
    }

    private static void measure(TableEnvironment environment, List<String> statements)
            throws Exception {
        long start = System.nanoTime();
        for (String statement : statements) {
            var result = environment.executeSql(statement);
            if (result.getJobClient().isPresent()) {
                result.await();
            }
        }
        System.out.printf("seconds %.3f%n", (System.nanoTime() - start) / 1e9);
        System.out.flush();
    }

    private static void rows(TableEnvironment environment, List<String> statements, Path file)
            throws Exception {
        int last = statements.size() - 1;
        for (String statement : statements.subList(0, last)) {
            environment.executeSql(statement);
        }
        Map<String, Integer> counts = new HashMap<>();
        try (CloseableIterator<Row> rows = environment.executeSql(statements.get(last)).collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                RowKind kind = row.getKind();
                boolean added = kind == RowKind.INSERT || kind == RowKind.UPDATE_AFTER;
                counts.merge(json(row), added ? 1 : -1, (a, b) -> a + b == 0 ? null : a + b);
            }
        }
        write(counts, file);
    }

    private static void write(Map<String, Integer> counts, Path file) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            for (var entry : counts.entrySet()) {
                if (entry.getValue() < 0) {
                    throw new IllegalStateException("a row was retracted that never came: " + entry);
                }
                for (int i = 0; i < entry.getValue(); i++) {
                    out.write(entry.getKey());
                    out.write('\n');
                }
            }
        }
    }

    private static String json(Row row) {
        StringBuilder out = new StringBuilder("[");
        for (int i = 0; i < row.getArity(); i++) {
            if (i > 0) {
                out.append(',');
            }
            Object value = row.getField(i);
            if (value == null || value instanceof Number || value instanceof Boolean) {
                out.append(value);
            } else {
                quote(value.toString(), out);
            }
        }
        return out.append(']').toString();
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    /** A statement ends with a semicolon at the end of a line. */
    private static List<String> statements(String script) {
        List<String> statements = new ArrayList<>();
        for (String part : script.split(";[ \t]*(\n|$)")) {
            if (!part.isBlank()) {
                statements.add(part.strip());
            }
        }
        return statements;
    }
}
