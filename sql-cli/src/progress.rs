//! One line on how a job is doing.

use levada_engine::client::{JobState, JobStatus};
use levada_engine::time::MAX_WATERMARK;

/// Events older than this are history: their lag says nothing about the job.
const LAG_WORTH_SHOWING_MS: i64 = 7 * 86_400_000;

/// Follows a job from status to status, to know its rate.
#[derive(Debug, Default)]
pub struct Progress {
    started_ms: Option<i64>,
    last: Option<Sample>,
    rate: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at_ms: i64,
    rows_in: u64,
}

impl Progress {
    /// A line such as `running 12s · in 1.2M rows (98.4k/s) · out 340 · watermark 2024-…`.
    pub fn line(&mut self, status: Option<&JobStatus>, now_ms: i64) -> String {
        let started = *self.started_ms.get_or_insert(now_ms);
        let elapsed = duration(now_ms.saturating_sub(started));
        let Some(status) = status else {
            return format!("running {elapsed}");
        };
        if let Some(waiting) = status.held_up_by() {
            return format!("{} {elapsed} · {waiting}", state(status.state));
        }
        let rows_in = total(status, true);
        self.sample(rows_in, now_ms);
        let mut parts = vec![format!("{} {elapsed}", state(status.state))];
        parts.push(match self.rate {
            Some(rate) => format!("in {} rows ({}/s)", count(rows_in as f64), count(rate)),
            None => format!("in {} rows", count(rows_in as f64)),
        });
        parts.push(format!("out {}", count(total(status, false) as f64)));
        parts.extend(watermark(status, now_ms));
        parts.extend(losses(status));
        if status.restarts > 0 {
            parts.push(format!("restarts {}", status.restarts));
        }
        parts.join(" · ")
    }

    /// Takes a sample twice a second and smooths the rate over a few of them.
    fn sample(&mut self, rows_in: u64, at_ms: i64) {
        let Some(last) = self.last else {
            self.last = Some(Sample { at_ms, rows_in });
            return;
        };
        let elapsed_ms = at_ms.saturating_sub(last.at_ms);
        if elapsed_ms < 500 {
            return;
        }
        let now = rows_in.saturating_sub(last.rows_in) as f64 * 1000.0 / elapsed_ms as f64;
        self.rate = Some(self.rate.map_or(now, |before| 0.5 * before + 0.5 * now));
        self.last = Some(Sample { at_ms, rows_in });
    }
}

/// Rows that came in from outside, or that went out.
fn total(status: &JobStatus, sources: bool) -> u64 {
    let ends = status.vertices.iter().filter(|v| match sources {
        true => v.is_source,
        false => v.is_sink,
    });
    ends.map(|v| match sources {
        true => v.metrics.rows_in,
        false => v.metrics.rows_out,
    })
    .sum()
}

/// How many rows a job has written.
pub fn rows_out(status: &JobStatus) -> u64 {
    total(status, false)
}

/// The least watermark of the job, and how far it is behind now.
fn watermark(status: &JobStatus, now_ms: i64) -> Vec<String> {
    let Some(least) = status
        .vertices
        .iter()
        .filter_map(|v| v.metrics.watermark)
        .min()
    else {
        return Vec::new();
    };
    if least == MAX_WATERMARK {
        return Vec::new();
    }
    let Some(moment) = chrono::DateTime::from_timestamp_millis(least) else {
        return Vec::new();
    };
    let mut parts = vec![format!("watermark {}", moment.format("%Y-%m-%d %H:%M:%S"))];
    let lag = now_ms.saturating_sub(least);
    if (0..LAG_WORTH_SHOWING_MS).contains(&lag) {
        parts.push(format!("lag {}", duration(lag)));
    }
    parts
}

/// Rows that are not in the result.
fn losses(status: &JobStatus) -> Vec<String> {
    let sum = |of: fn(&levada_engine::metrics::SubtaskSnapshot) -> u64| -> u64 {
        status.vertices.iter().map(|v| of(&v.metrics)).sum()
    };
    let late = sum(|m| m.late_rows);
    let bad = sum(|m| m.bad_rows);
    let null_time = sum(|m| m.null_time_rows);
    [(late, "late"), (bad, "bad"), (null_time, "without time")]
        .into_iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, what)| format!("{what} {}", count(rows as f64)))
        .collect()
}

fn state(state: JobState) -> String {
    state.name().to_ascii_lowercase()
}

/// `950`, `12.3k`, `4.5M`.
pub fn count(value: f64) -> String {
    match value {
        v if v < 10_000.0 => format!("{v:.0}"),
        v if v < 1e6 => format!("{:.1}k", v / 1e3),
        v if v < 1e9 => format!("{:.1}M", v / 1e6),
        v => format!("{:.1}G", v / 1e9),
    }
}

/// `350ms`, `4.2s`, `3m 20s`, `2h 5m`.
pub fn duration(ms: i64) -> String {
    let seconds = ms / 1000;
    match ms {
        ms if ms < 1000 => format!("{}ms", ms.max(0)),
        ms if ms < 10_000 => format!("{:.1}s", ms as f64 / 1000.0),
        ms if ms < 60_000 => format!("{}s", ms / 1000),
        ms if ms < 3_600_000 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use levada_engine::client::{CheckpointStatus, VertexStatus};
    use levada_engine::graph::JobId;
    use levada_engine::metrics::SubtaskSnapshot;

    use super::*;

    fn status(rows_in: u64, rows_out: u64, watermark: Option<i64>) -> JobStatus {
        let vertex = |is_source, metrics| VertexStatus {
            name: "v".into(),
            parallelism: 1,
            is_source,
            is_sink: !is_source,
            metrics,
        };
        let source = SubtaskSnapshot {
            rows_in,
            rows_out: 7,
            watermark,
            ..Default::default()
        };
        let sink = SubtaskSnapshot {
            rows_in: 9,
            rows_out,
            late_rows: 3,
            ..Default::default()
        };
        JobStatus {
            id: JobId("j".into()),
            name: "job".into(),
            state: JobState::Running,
            waiting_for: None,
            error: None,
            restarts: 0,
            submitted_ms: 0,
            ended_ms: None,
            vertices: vec![vertex(true, source), vertex(false, sink)],
            checkpoints: CheckpointStatus::default(),
            restored: Vec::new(),
            view: None,
        }
    }

    #[test]
    fn shows_rows_at_the_ends_rate_watermark_and_lag() {
        let mut progress = Progress::default();
        let t0 = 1_700_000_000_000;
        let first = progress.line(Some(&status(0, 0, None)), t0);
        assert_eq!(first, "running 0ms · in 0 rows · out 0 · late 3");
        let line = progress.line(Some(&status(20_000, 5, Some(t0 - 1500))), t0 + 2000);
        assert_eq!(
            line,
            "running 2.0s · in 20.0k rows (10.0k/s) · out 5 \
             · watermark 2023-11-14 22:13:18 · lag 3.5s · late 3"
        );
    }

    #[test]
    fn says_what_a_job_waits_for() {
        let mut waiting = status(0, 0, None);
        waiting.state = JobState::Waiting;
        waiting.waiting_for = Some("waiting for slots: 4 needed, 2 free".into());
        let line = Progress::default().line(Some(&waiting), 5);
        assert_eq!(line, "waiting 0ms · waiting for slots: 4 needed, 2 free");
    }

    #[test]
    fn history_has_no_lag() {
        let line = Progress::default().line(Some(&status(1, 1, Some(0))), 1_700_000_000_000);
        assert!(
            line.contains("watermark 1970-01-01 00:00:00") && !line.contains("lag"),
            "{line}"
        );
    }

    #[test]
    fn short_numbers() {
        let counts = [0.0, 9_999.0, 12_345.0, 4_560_000.0, 7.8e9].map(count);
        assert_eq!(counts, ["0", "9999", "12.3k", "4.6M", "7.8G"]);
        let times = [5, 1_500, 59_000, 200_000, 7_500_000].map(duration);
        assert_eq!(times, ["5ms", "1.5s", "59s", "3m 20s", "2h 5m"]);
    }
}
