//! What a decoder keeps besides its columns: where it stands, and what became of bad rows.

use std::sync::Arc;

use arrow::array::{BinaryArray, RecordBatch, StringArray};
use levada_engine::graph::bad_rows_schema;
use levada_engine::{EngineError, Result};

use crate::format::fault::{Fault, excerpt};
use crate::format::{BadRow, OnBadRow, Position};

/// What becomes of a row that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Fail,
    Ignore,
    Divert,
}

/// Position and bad rows of a decoder.
#[derive(Debug)]
pub(crate) struct Ledger {
    policy: Policy,
    /// Behind the last row consumed from a byte stream.
    pub position: Position,
    bad_rows: Vec<BadRow>,
    ignored: u64,
    /// The option that makes the format ignore bad rows, for the hint.
    ignore_option: Option<String>,
}

impl Ledger {
    /// `ignore` is the name of the format's option that makes it ignore bad rows, if it has one, and
    /// its value.
    pub(crate) fn new(ignore: Option<(&str, bool)>, on_bad_row: OnBadRow) -> Result<Self> {
        let (ignore_option, ignored) = ignore.unwrap_or_default();
        let policy = match (ignored, on_bad_row) {
            (false, OnBadRow::Fail) => Policy::Fail,
            (false, OnBadRow::Divert) => Policy::Divert,
            (true, OnBadRow::Fail) => Policy::Ignore,
            (true, OnBadRow::Divert) => {
                return Err(EngineError::config(format!(
                    "'{ignore_option}' = 'true' contradicts 'bad-rows.table', which is to receive the rows \
                     that would be ignored"
                ))
                .with_hint("use one of the two options"));
            }
        };
        Ok(Self {
            policy,
            position: Position::START,
            bad_rows: Vec::new(),
            ignored: 0,
            ignore_option: ignore.map(|(option, _)| option.to_string()),
        })
    }

    /// Deals with the row `payload`, which begins at `position` and cannot be decoded.
    pub(crate) fn bad_row(
        &mut self,
        payload: &[u8],
        position: Position,
        fault: &Fault,
    ) -> Result<()> {
        match self.policy {
            Policy::Ignore => self.ignored += 1,
            Policy::Divert => self.bad_rows.push(BadRow {
                payload: payload.to_vec(),
                position,
                error: fault.to_string(),
            }),
            Policy::Fail => {
                let Position { offset, line } = position;
                let place = match line {
                    Some(line) => format!("line {line} (at byte {offset})"),
                    None => format!("offset {offset}"),
                };
                let message = format!("bad row at {place}: {fault}; the row: {}", excerpt(payload));
                let divert = "set 'bad-rows.table' to keep what cannot be decoded in a table";
                return Err(
                    EngineError::data(message).with_hint(match &self.ignore_option {
                        Some(option) => format!("{divert}, or '{option}' = 'true' to leave it out"),
                        None => divert.to_string(),
                    }),
                );
            }
        }
        Ok(())
    }

    pub(crate) fn take_bad_rows(&mut self) -> Vec<BadRow> {
        std::mem::take(&mut self.bad_rows)
    }

    pub(crate) fn rows_ignored(&self) -> u64 {
        self.ignored
    }
}

/// The rows that go to the table of bad rows; `place` says in words where a row stands.
pub(crate) fn bad_rows(bad: &[BadRow], place: impl Fn(&Position) -> String) -> Result<RecordBatch> {
    let payloads = BinaryArray::from_iter_values(bad.iter().map(|row| row.payload.as_slice()));
    let places = StringArray::from_iter_values(bad.iter().map(|row| place(&row.position)));
    let errors = StringArray::from_iter_values(bad.iter().map(|row| row.error.as_str()));
    let columns = vec![
        Arc::new(payloads) as _,
        Arc::new(places) as _,
        Arc::new(errors) as _,
    ];
    Ok(RecordBatch::try_new(bad_rows_schema(), columns)?)
}
