//! What a manifest says, as tables.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use levada_engine::checkpoint::{Manifest, OperatorState};

use crate::error::Result;

/// Which contents of a checkpoint are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A row for each operator.
    Operators,
    /// A row for each aggregate whose state is there.
    Aggregates,
    /// A row for each state file.
    Files,
    /// A row for each split of a source: where it stands.
    Positions,
}

impl View {
    /// All of them.
    pub const ALL: [View; 4] = [
        View::Operators,
        View::Aggregates,
        View::Files,
        View::Positions,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            View::Operators => "operators",
            View::Aggregates => "aggregates",
            View::Files => "files",
            View::Positions => "positions",
        }
    }

    /// What it has a row for.
    pub(super) fn what(self) -> &'static str {
        match self {
            View::Operators => "operators that remember anything",
            View::Aggregates => "what aggregations have accumulated, call by call",
            View::Files => "files of keyed state",
            View::Positions => "where sources stand",
        }
    }

    /// Its rows.
    pub(super) fn rows(self, manifest: &Manifest) -> Result<RecordBatch> {
        match self {
            View::Operators => operators(manifest),
            View::Aggregates => aggregates(manifest),
            View::Files => files(manifest),
            View::Positions => positions(manifest),
        }
    }
}

/// Rows about operators, with name and uid in front.
struct Rows<'m, R> {
    rows: Vec<(&'m str, &'m OperatorState, R)>,
    columns: Vec<(&'static str, ArrayRef)>,
}

impl<'m, R> Rows<'m, R> {
    fn new<I: IntoIterator<Item = R>>(
        manifest: &'m Manifest,
        of: impl Fn(&'m OperatorState) -> I,
    ) -> Self {
        let mut rows = Vec::new();
        for (uid, state) in &manifest.operators {
            rows.extend(of(state).into_iter().map(|row| (uid.as_str(), state, row)));
        }
        let names = rows.iter().map(|(_, state, _)| Some(state.name.as_str()));
        let names: ArrayRef = Arc::new(StringArray::from_iter(names));
        let uids = rows.iter().map(|(uid, ..)| Some(*uid));
        let uids: ArrayRef = Arc::new(StringArray::from_iter(uids));
        Rows {
            rows,
            columns: vec![("operator", names), ("uid", uids)],
        }
    }

    fn texts(mut self, name: &'static str, of: impl Fn(&R) -> Option<String>) -> Self {
        let values = self.rows.iter().map(|(.., row)| of(row));
        let column = Arc::new(StringArray::from_iter(values));
        self.columns.push((name, column));
        self
    }

    fn numbers(mut self, name: &'static str, of: impl Fn(&R) -> u64) -> Self {
        let value = |row| i64::try_from(of(row)).unwrap_or(i64::MAX);
        let values = self.rows.iter().map(|(.., row)| value(row));
        let column = Arc::new(Int64Array::from_iter_values(values));
        self.columns.push((name, column));
        self
    }

    fn small(mut self, name: &'static str, of: impl Fn(&R) -> Option<u32>) -> Self {
        let value = |row| of(row).and_then(|value| i32::try_from(value).ok());
        let values = self.rows.iter().map(|(.., row)| value(row));
        let column = Arc::new(Int32Array::from_iter(values));
        self.columns.push((name, column));
        self
    }

    fn add(mut self, name: &'static str, of: impl Fn(&[&R]) -> ArrayRef) -> Self {
        let rows: Vec<&R> = self.rows.iter().map(|(.., row)| row).collect();
        let column = of(&rows);
        self.columns.push((name, column));
        self
    }

    fn finish(self) -> Result<RecordBatch> {
        let columns = self.columns.into_iter();
        let columns = columns.map(|(name, column)| (name, column, true));
        Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
    }
}

fn operators(manifest: &Manifest) -> Result<RecordBatch> {
    let sum = |of: fn(&levada_engine::checkpoint::StateFile) -> u64| {
        move |state: &&OperatorState| state.keyed.iter().map(of).sum::<u64>()
    };
    Rows::new(manifest, |state| [state])
        .texts("coarse", |state| {
            Some(state.coarse.clone()).filter(|coarse| !coarse.is_empty())
        })
        .small("subtasks", |state| Some(state.parallelism))
        .numbers("files", |state| state.keyed.len() as u64)
        .numbers("entries", sum(|file| file.entries))
        .numbers("bytes", sum(|file| file.bytes))
        .numbers("splits", |state| state.splits.len() as u64)
        .numbers("prepared", |state| state.committables.len() as u64)
        .finish()
}

/// What an edited query could take over: aggregates by what they compute.
fn aggregates(manifest: &Manifest) -> Result<RecordBatch> {
    Rows::new(manifest, |state| {
        let layout = state.layouts.last();
        layout
            .into_iter()
            .flat_map(|layout| layout.calls.iter().map(move |call| (layout, call)))
    })
    .texts("keys", |(layout, _)| {
        let keys: Vec<&str> = layout.keys.iter().map(|k| k.name.as_str()).collect();
        Some(keys.join(", "))
    })
    .small("layout", |(layout, _)| Some(layout.id))
    .small("slot", |(_, call)| Some(call.slot))
    .texts("computes", |(_, call)| Some(call.identity.clone()))
    .numbers("columns", |(_, call)| call.columns.len() as u64)
    .small("set", |(layout, call)| {
        let set = layout.sets.iter().find(|s| s.calls.contains(&call.slot));
        set.map(|set| u32::from(set.table))
    })
    .finish()
}

fn files(manifest: &Manifest) -> Result<RecordBatch> {
    Rows::new(manifest, |state| &state.keyed)
        .texts("file", |file| Some(file.path.clone()))
        .small("first_key_group", |file| Some(file.key_groups.start.into()))
        .small("last_key_group", |file| {
            Some(file.key_groups.end.saturating_sub(1).into())
        })
        .numbers("entries", |file| file.entries)
        .numbers("bytes", |file| file.bytes)
        .finish()
}

fn positions(manifest: &Manifest) -> Result<RecordBatch> {
    Rows::new(manifest, |state| &state.splits)
        .texts("split", |split| Some(split.split.clone()))
        .texts("position", |split| {
            Some(String::from_utf8_lossy(&split.position.0).into_owned())
        })
        .add("watermark", |splits| {
            let watermarks = splits.iter().map(|split| split.watermark);
            Arc::new(TimestampMillisecondArray::from_iter(watermarks))
        })
        .add("finished", |splits| {
            let finished = splits.iter().map(|split| Some(split.finished));
            Arc::new(BooleanArray::from_iter(finished))
        })
        .finish()
}
