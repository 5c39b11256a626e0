//! Metrics in the text format of Prometheus.

use std::fmt::Write as _;

use crate::client::JobStatus;
use crate::metrics::SubtaskSnapshot;
use crate::state::Resources;
use crate::time::MAX_WATERMARK;

/// One series of metrics: its labels and counts.
pub type Row = (Vec<(&'static str, String)>, SubtaskSnapshot);

type Read = fn(&SubtaskSnapshot) -> Option<f64>;

/// The name, kind, description and value of each series of a subtask.
const SERIES: [(&str, &str, &str, Read); 15] = [
    ("rows_in_total", "counter", "Rows received", |s| {
        Some(s.rows_in as f64)
    }),
    ("rows_out_total", "counter", "Rows sent", |s| {
        Some(s.rows_out as f64)
    }),
    ("bytes_in_total", "counter", "Bytes received", |s| {
        Some(s.bytes_in as f64)
    }),
    ("bytes_out_total", "counter", "Bytes sent", |s| {
        Some(s.bytes_out as f64)
    }),
    ("batches_in_total", "counter", "Batches received", |s| {
        Some(s.batches_in as f64)
    }),
    ("batches_out_total", "counter", "Batches sent", |s| {
        Some(s.batches_out as f64)
    }),
    (
        "late_rows_total",
        "counter",
        "Rows behind the watermark",
        |s| Some(s.late_rows as f64),
    ),
    ("bad_rows_total", "counter", "Rows not decodable", |s| {
        Some(s.bad_rows as f64)
    }),
    (
        "null_time_rows_total",
        "counter",
        "Rows without event time",
        |s| Some(s.null_time_rows as f64),
    ),
    (
        "lookup_keys_total",
        "counter",
        "Keys that tables were asked for",
        |s| Some(s.lookup_keys as f64),
    ),
    (
        "lookup_hits_total",
        "counter",
        "Keys whose rows a lookup cache had",
        |s| Some(s.lookup_hits as f64),
    ),
    (
        "busy_seconds_total",
        "counter",
        "Time spent in operators",
        |s| Some(s.busy_ns as f64 / 1e9),
    ),
    (
        "backpressured_seconds_total",
        "counter",
        "Time spent handing over rows",
        |s| Some(s.backpressured_ns as f64 / 1e9),
    ),
    (
        "watermark_ms",
        "gauge",
        "Event time, milliseconds since the epoch",
        |s| s.watermark.map(|w| w as f64),
    ),
    ("state_bytes", "gauge", "Keyed state", |s| {
        Some(s.state_bytes as f64)
    }),
];

/// Renders the counts of subtasks or vertices, and what is known of jobs and slots.
pub fn render(rows: &[Row], jobs: &[JobStatus], slots: Option<(u32, u32)>, now_ms: i64) -> String {
    let mut page = String::new();
    for (name, kind, help, read) in SERIES {
        let _ = writeln!(
            page,
            "# HELP levada_{name} {help}\n# TYPE levada_{name} {kind}"
        );
        for (labels, counts) in rows {
            if let Some(value) = read(counts) {
                let _ = writeln!(page, "levada_{name}{{{}}} {value}", label_list(labels));
            }
        }
    }
    render_lag(&mut page, rows, now_ms);
    render_jobs(&mut page, jobs);
    if let Some((total, free)) = slots {
        let _ = writeln!(page, "# TYPE levada_slots gauge\nlevada_slots {total}");
        let _ = writeln!(
            page,
            "# TYPE levada_slots_free gauge\nlevada_slots_free {free}"
        );
    }
    page
}

/// Renders a worker's memory: the budget, and what its parts hold.
pub fn render_memory(resources: &Resources) -> String {
    let memory = &resources.memory;
    let parts = [
        ("working_sets", memory.used(), memory.working_sets()),
        (
            "disk_state_cache",
            resources.disk_cache_bytes(),
            memory.disk_cache(),
        ),
    ];
    let mut page = format!(
        "# HELP levada_memory_budget_bytes What the worker may use\n\
         # TYPE levada_memory_budget_bytes gauge\n\
         levada_memory_budget_bytes{{part=\"all\"}} {}\n",
        memory.total()
    );
    for (part, _, budget) in parts {
        let _ = writeln!(
            page,
            "levada_memory_budget_bytes{{part=\"{part}\"}} {budget}"
        );
    }
    let _ = writeln!(
        page,
        "# HELP levada_memory_used_bytes What state holds of it\n\
         # TYPE levada_memory_used_bytes gauge"
    );
    for (part, used, _) in parts {
        let _ = writeln!(page, "levada_memory_used_bytes{{part=\"{part}\"}} {used}");
    }
    page
}

/// How far event time is behind the clock. A finished source is behind nothing.
fn render_lag(page: &mut String, rows: &[Row], now_ms: i64) {
    let _ = writeln!(
        page,
        "# HELP levada_watermark_lag_ms How far the watermark is behind the clock\n\
         # TYPE levada_watermark_lag_ms gauge"
    );
    for (labels, counts) in rows {
        if let Some(watermark) = counts.watermark.filter(|w| *w != MAX_WATERMARK) {
            let lag = now_ms.saturating_sub(watermark);
            let _ = writeln!(
                page,
                "levada_watermark_lag_ms{{{}}} {lag}",
                label_list(labels)
            );
        }
    }
}

fn render_jobs(page: &mut String, jobs: &[JobStatus]) {
    type Read = fn(&JobStatus) -> f64;
    let series: [(&str, &str, &str, Read); 6] = [
        ("job_restarts_total", "counter", "Restarts of a job", |j| {
            f64::from(j.restarts)
        }),
        ("job_running", "gauge", "1 while a job runs", |j| {
            f64::from(u8::from(j.state.name() == "RUNNING"))
        }),
        (
            "checkpoints_completed_total",
            "counter",
            "Checkpoints that exist",
            |j| j.checkpoints.completed as f64,
        ),
        (
            "checkpoints_failed_total",
            "counter",
            "Checkpoints that failed",
            |j| j.checkpoints.failed as f64,
        ),
        (
            "checkpoint_duration_ms",
            "gauge",
            "How long the last checkpoint took",
            |j| j.checkpoints.last_duration_ms as f64,
        ),
        (
            "checkpoint_bytes",
            "gauge",
            "What the last checkpoint wrote",
            |j| j.checkpoints.last_bytes as f64,
        ),
    ];
    for (name, kind, help, read) in series.iter().filter(|_| !jobs.is_empty()) {
        let _ = writeln!(
            page,
            "# HELP levada_{name} {help}\n# TYPE levada_{name} {kind}"
        );
        for job in jobs {
            let labels = [("job", job.id.0.clone()), ("name", job.name.clone())];
            let _ = writeln!(
                page,
                "levada_{name}{{{}}} {}",
                label_list(&labels),
                read(job)
            );
        }
    }
}

fn label_list(labels: &[(&'static str, String)]) -> String {
    let escape = |value: &str| {
        value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let label = |(name, value): &(&'static str, String)| format!("{name}=\"{}\"", escape(value));
    labels.iter().map(label).collect::<Vec<_>>().join(",")
}
