//! Counters of one subtask, cheap enough for the hot path and readable from anywhere.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::time::MIN_WATERMARK;

/// A counter that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the counter.
    pub fn add(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A value that goes up and down.
#[derive(Debug)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// A gauge that shows `value`.
    pub fn new(value: i64) -> Self {
        Gauge(AtomicI64::new(value))
    }

    /// Shows another value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Changes the value.
    pub fn add(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// The value.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a subtask counts.
#[derive(Debug)]
pub struct SubtaskMetrics {
    /// Rows that came in (from edges, or from the outside for a source).
    pub rows_in: Counter,
    /// Rows that went out (to edges, or to the outside for a sink).
    pub rows_out: Counter,
    /// Bytes that came in.
    pub bytes_in: Counter,
    /// Bytes that went out.
    pub bytes_out: Counter,
    /// Batches that came in.
    pub batches_in: Counter,
    /// Batches that went out.
    pub batches_out: Counter,
    /// Rows dropped or diverted because their window was complete, and those that came to a temporal join
    /// behind the watermark.
    pub late_rows: Counter,
    /// Rows that could not be decoded and were skipped or diverted.
    pub bad_rows: Counter,
    /// Rows dropped because their event time was NULL.
    pub null_time_rows: Counter,
    /// Keys that a table was asked for, in a lookup join.
    pub lookup_keys: Counter,
    /// Keys whose rows a cache had.
    pub lookup_hits: Counter,
    /// Nanoseconds of work.
    pub busy_ns: Counter,
    /// Nanoseconds of waiting for credit to send.
    pub backpressured_ns: Counter,
    /// The watermark, in milliseconds of event time.
    pub watermark: Gauge,
    /// Bytes of keyed state in memory.
    pub state_bytes: Gauge,
    /// What keeps a source or sink from getting on, as long as it tries again.
    trouble: Mutex<Option<String>>,
}

impl Default for SubtaskMetrics {
    fn default() -> Self {
        SubtaskMetrics {
            rows_in: Counter::default(),
            rows_out: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            batches_in: Counter::default(),
            batches_out: Counter::default(),
            late_rows: Counter::default(),
            bad_rows: Counter::default(),
            null_time_rows: Counter::default(),
            lookup_keys: Counter::default(),
            lookup_hits: Counter::default(),
            busy_ns: Counter::default(),
            backpressured_ns: Counter::default(),
            watermark: Gauge::new(MIN_WATERMARK),
            state_bytes: Gauge::new(0),
            trouble: Mutex::default(),
        }
    }
}

/// The counters of one subtask at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the fields are those of `SubtaskMetrics`
pub struct SubtaskSnapshot {
    pub rows_in: u64,
    pub rows_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub batches_in: u64,
    pub batches_out: u64,
    pub late_rows: u64,
    pub bad_rows: u64,
    pub null_time_rows: u64,
    #[serde(default)]
    pub lookup_keys: u64,
    #[serde(default)]
    pub lookup_hits: u64,
    pub busy_ns: u64,
    pub backpressured_ns: u64,
    pub watermark: Option<i64>,
    pub state_bytes: i64,
    pub trouble: Option<String>,
}

impl SubtaskMetrics {
    /// Tells people what keeps the subtask from getting on; `None` when it is over.
    pub fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// All counters now.
    pub fn snapshot(&self) -> SubtaskSnapshot {
        let watermark = self.watermark.get();
        SubtaskSnapshot {
            rows_in: self.rows_in.get(),
            rows_out: self.rows_out.get(),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            batches_in: self.batches_in.get(),
            batches_out: self.batches_out.get(),
            late_rows: self.late_rows.get(),
            bad_rows: self.bad_rows.get(),
            null_time_rows: self.null_time_rows.get(),
            lookup_keys: self.lookup_keys.get(),
            lookup_hits: self.lookup_hits.get(),
            busy_ns: self.busy_ns.get(),
            backpressured_ns: self.backpressured_ns.get(),
            watermark: (watermark != MIN_WATERMARK).then_some(watermark),
            state_bytes: self.state_bytes.get(),
            trouble: {
                let trouble = self.trouble.lock();
                trouble.unwrap_or_else(PoisonError::into_inner).clone()
            },
        }
    }
}

impl SubtaskSnapshot {
    /// Adds the counts of another subtask of the same vertex; `first` takes its watermark as it
    /// is, later ones keep the minimum.
    pub fn merge(&mut self, other: &SubtaskSnapshot, first: bool) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.batches_in += other.batches_in;
        self.batches_out += other.batches_out;
        self.late_rows += other.late_rows;
        self.bad_rows += other.bad_rows;
        self.null_time_rows += other.null_time_rows;
        self.lookup_keys += other.lookup_keys;
        self.lookup_hits += other.lookup_hits;
        self.busy_ns += other.busy_ns;
        self.backpressured_ns += other.backpressured_ns;
        self.state_bytes += other.state_bytes;
        if self.trouble.is_none() {
            self.trouble.clone_from(&other.trouble);
        }
        self.watermark = match (first, self.watermark, other.watermark) {
            (true, _, watermark) => watermark,
            (false, Some(a), Some(b)) => Some(a.min(b)),
            (false, _, _) => None,
        };
    }
}
