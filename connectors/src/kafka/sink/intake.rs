//! From batches to records: encoded, and with `sink.buffer-flush.*` reduced to one for each key.

use std::collections::HashMap;

use arrow::datatypes::SchemaRef;
use levada_engine::Result;
use levada_engine::element::Batch;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::BaseRecord;

use super::parts::{Outgoing, Parts, Placement, Record};
use crate::kafka::config::{BufferFlush, Config};

#[cfg(test)]
mod tests;

/// Takes batches and gives records.
pub(super) struct Intake {
    parts: Parts,
    outgoing: Outgoing,
    placement: Placement,
    reducer: Option<Reducer>,
}

impl Intake {
    /// For subtask `index`, which writes rows of `schema`.
    pub(super) fn new(config: &Config, schema: &SchemaRef, index: u32) -> Result<Self> {
        Ok(Self {
            parts: Parts::new(config, schema)?,
            outgoing: Outgoing::default(),
            placement: Placement::new(config.partitioner, index),
            reducer: config.buffer_flush.map(Reducer::new),
        })
    }

    /// How many partitions the topic has.
    pub(super) fn set_partitions(&mut self, partitions: i32) {
        self.placement.set_partitions(partitions);
    }

    /// Takes a batch at `now_ms`; says whether [`Intake::records`] are to be written now.
    pub(super) fn take(&mut self, batch: &Batch, topic: &str, now_ms: i64) -> Result<bool> {
        self.parts.encode(batch, &mut self.outgoing)?;
        let Some(reducer) = &mut self.reducer else {
            return Ok(true);
        };
        for record in self.outgoing.records(topic, &mut self.placement) {
            reducer.put(&record?, now_ms);
        }
        Ok(reducer.is_full() || reducer.is_due(now_ms))
    }

    /// Whether what is held back has waited for long enough.
    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.reducer.as_ref().is_some_and(|r| r.is_due(now_ms))
    }

    /// When that will be.
    pub(super) fn deadline_ms(&self) -> Option<i64> {
        self.reducer.as_ref().and_then(Reducer::deadline_ms)
    }

    /// Whether rows are held back.
    pub(super) fn holds_back(&self) -> bool {
        self.reducer.as_ref().is_some_and(|r| !r.rows.is_empty())
    }

    /// The records of the last batch, or everything that was held back.
    pub(super) fn records<'a>(
        &'a mut self,
        topic: &'a str,
    ) -> Box<dyn Iterator<Item = Result<Record<'a>>> + Send + 'a> {
        match &mut self.reducer {
            None => Box::new(self.outgoing.records(topic, &mut self.placement)),
            Some(reducer) => Box::new(reducer.drain(topic).map(Ok)),
        }
    }
}

/// Keeps the last row of each key.
struct Reducer {
    limits: BufferFlush,
    rows: Vec<Reduced>,
    places: HashMap<Vec<u8>, usize, foldhash::fast::RandomState>,
    /// When the first of them came.
    since_ms: i64,
    /// Rows on their way out.
    leaving: Vec<Reduced>,
}

/// A record that owns its parts.
struct Reduced {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    partition: Option<i32>,
    timestamp: Option<i64>,
    headers: Option<OwnedHeaders>,
}

impl Reducer {
    fn new(limits: BufferFlush) -> Self {
        Self {
            limits,
            rows: Vec::new(),
            places: HashMap::default(),
            since_ms: 0,
            leaving: Vec::new(),
        }
    }

    fn put(&mut self, record: &Record<'_>, now_ms: i64) {
        if self.rows.is_empty() {
            self.since_ms = now_ms;
        }
        let key = record.key.unwrap_or_default();
        let row = Reduced {
            key: key.to_vec(),
            value: record.payload.map(<[u8]>::to_vec),
            partition: record.partition,
            timestamp: record.timestamp,
            headers: record.headers.clone(),
        };
        let known = self.places.get(key).and_then(|at| self.rows.get_mut(*at));
        match known {
            Some(known) => *known = row,
            None => {
                self.places.insert(row.key.clone(), self.rows.len());
                self.rows.push(row);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.limits.max_rows
    }

    fn deadline_ms(&self) -> Option<i64> {
        let waiting = !self.rows.is_empty();
        waiting.then(|| self.since_ms.saturating_add(self.limits.interval_ms))
    }

    fn is_due(&self, now_ms: i64) -> bool {
        self.deadline_ms().is_some_and(|at| at <= now_ms)
    }

    fn drain<'a>(&'a mut self, topic: &'a str) -> impl Iterator<Item = Record<'a>> {
        self.places.clear();
        self.leaving.clear();
        std::mem::swap(&mut self.rows, &mut self.leaving);
        self.leaving.iter().map(move |row| {
            let mut record: Record<'a> = BaseRecord::to(topic);
            record.key = Some(&row.key);
            record.payload = row.value.as_deref();
            record.partition = row.partition;
            record.timestamp = row.timestamp;
            record.headers = row.headers.clone();
            record
        })
    }
}
