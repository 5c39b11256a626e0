//! The rows that a changelog leaves, shown once at the end.

use arrow::datatypes::SchemaRef;
use levada_engine::element::Batch;
use levada_gateway::changelog::Materialized;

use super::{End, Result, RowSink};

/// Applies a changelog and hands the remaining rows to another sink at the end.
pub struct Gather<S> {
    rows: Materialized,
    inner: S,
}

impl<S: RowSink> Gather<S> {
    /// Rows of this schema; with `key` columns, a row replaces the one of its key.
    pub fn new(schema: SchemaRef, key: Option<Vec<usize>>, inner: S) -> Result<Self> {
        Ok(Gather {
            rows: Materialized::new(schema, key)?,
            inner,
        })
    }
}

impl<S: RowSink> RowSink for Gather<S> {
    fn batch(&mut self, batch: &Batch) -> Result<()> {
        Ok(self.rows.apply(batch)?)
    }

    fn finish(&mut self, end: End) -> Result<()> {
        // Rows of a result that was cut short would pass for the answer.
        if end == End::Complete {
            for rows in self.rows.batches()? {
                self.inner.batch(&Batch::inserts(rows?))?;
            }
        }
        self.inner.finish(end)
    }
}
