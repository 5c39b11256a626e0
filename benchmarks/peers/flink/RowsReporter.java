import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;
import org.apache.flink.metrics.reporter.Scheduled;

/** Prints how many rows the sources of the running job have emitted, as "rows N". */
public final class RowsReporter implements MetricReporter, Scheduled {
    private final List<Counter> counters = new CopyOnWriteArrayList<>();

    @Override
    public void open(MetricConfig config) {}

    @Override
    public void close() {}

    @Override
    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
        String operator = group.getAllVariables().get("<operator_name>");
        if (name.equals("numRecordsOut") && operator != null && operator.startsWith("Source: ")
                && metric instanceof Counter counter) {
            counters.add(counter);
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {
        if (metric instanceof Counter counter) {
            counters.remove(counter);
        }
    }

    @Override
    public void report() {
        System.out.println("rows " + counters.stream().mapToLong(Counter::getCount).sum());
        System.out.flush();
    }

    /** What Flink finds the reporter by. */
    public static final class Factory implements MetricReporterFactory {
        @Override
        public MetricReporter createMetricReporter(Properties properties) {
            return new RowsReporter();
        }
    }
}
