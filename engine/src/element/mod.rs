//! What flows along the edges of a job: batches of rows, watermarks and barriers.
//!
//! A [`Batch`] is an Arrow [`RecordBatch`] plus an optional column of [`RowKind`]s. Absent kinds
//! mean that all rows are inserts, so append-only streams pay nothing for changelogs.

use arrow::array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt8Array, UInt32Array,
};
use arrow::compute;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::time::EventTime;

#[cfg(test)]
mod tests;

/// So many rows of these columns, of which there may be none.
pub fn rows_of(schema: &SchemaRef, columns: Vec<ArrayRef>, count: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    let schema = SchemaRef::clone(schema);
    Ok(RecordBatch::try_new_with_options(
        schema, columns, &options,
    )?)
}

/// How a row changes the result that the stream describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum RowKind {
    /// `+I`: a new row.
    Insert = 0,
    /// `-U`: the old content of a row that an update-after replaces.
    UpdateBefore = 1,
    /// `+U`: the new content of a row.
    UpdateAfter = 2,
    /// `-D`: the row goes.
    Delete = 3,
}

impl RowKind {
    /// The kind behind a stored byte; unknown bytes read as inserts cannot occur, because only
    /// [`Batch`] writes the column.
    pub fn from_u8(value: u8) -> RowKind {
        match value {
            1 => RowKind::UpdateBefore,
            2 => RowKind::UpdateAfter,
            3 => RowKind::Delete,
            _ => RowKind::Insert,
        }
    }

    /// `+I`, `-U`, `+U` or `-D`.
    pub fn short(self) -> &'static str {
        match self {
            RowKind::Insert => "+I",
            RowKind::UpdateBefore => "-U",
            RowKind::UpdateAfter => "+U",
            RowKind::Delete => "-D",
        }
    }

    /// Whether the row takes content away (`-U`, `-D`).
    pub fn is_retraction(self) -> bool {
        matches!(self, RowKind::UpdateBefore | RowKind::Delete)
    }
}

/// Which kinds of rows a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChangelogMode {
    /// Inserts only.
    Append,
    /// `+I`, `+U` and `-D` by key; no update-before rows.
    Upsert,
    /// All four kinds.
    Retract,
}

/// Rows with their kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    rows: RecordBatch,
    kinds: Option<UInt8Array>,
}

/// Kinds in which an update is followed by its other half where `mask` lets both pass, and in which
/// a half that passes alone is an insert or a delete.
fn whole_updates(kinds: &UInt8Array, mask: &BooleanArray) -> UInt8Array {
    let passes = |row: usize, kind: RowKind| {
        row < kinds.len() && kinds.value(row) == kind as u8 && mask.is_valid(row) && mask.value(row)
    };
    let kind = |row: usize| match RowKind::from_u8(kinds.value(row)) {
        RowKind::UpdateBefore if !passes(row + 1, RowKind::UpdateAfter) => RowKind::Delete,
        RowKind::UpdateAfter if row == 0 || !passes(row - 1, RowKind::UpdateBefore) => {
            RowKind::Insert
        }
        other => other,
    };
    UInt8Array::from_iter_values((0..kinds.len()).map(|row| kind(row) as u8))
}

impl Batch {
    /// Rows that are all inserts.
    pub fn inserts(rows: RecordBatch) -> Self {
        Batch { rows, kinds: None }
    }

    /// Rows with a kind each. A column of nothing but inserts is dropped.
    /// `kinds` must be as long as `rows`; a shorter column is treated as an internal error.
    pub fn with_kinds(rows: RecordBatch, kinds: Vec<RowKind>) -> Result<Self> {
        if kinds.len() != rows.num_rows() {
            return Err(crate::error::EngineError::internal(format!(
                "{} row kinds for {} rows",
                kinds.len(),
                rows.num_rows()
            )));
        }
        if kinds.iter().all(|k| *k == RowKind::Insert) {
            return Ok(Self::inserts(rows));
        }
        let kinds = UInt8Array::from_iter_values(kinds.into_iter().map(|k| k as u8));
        Ok(Batch {
            rows,
            kinds: Some(kinds),
        })
    }

    /// Rows with an already encoded kind column (from the wire or a kernel), same length as `rows`.
    pub fn from_parts(rows: RecordBatch, kinds: Option<UInt8Array>) -> Self {
        debug_assert!(kinds.as_ref().is_none_or(|k| k.len() == rows.num_rows()));
        Batch { rows, kinds }
    }

    /// The rows without their kinds.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// The kind column; `None` means all inserts.
    pub fn kinds(&self) -> Option<&UInt8Array> {
        self.kinds.as_ref()
    }

    /// Takes the batch apart.
    pub fn into_parts(self) -> (RecordBatch, Option<UInt8Array>) {
        (self.rows, self.kinds)
    }

    /// The kind of row `index`.
    pub fn kind(&self, index: usize) -> RowKind {
        match &self.kinds {
            Some(kinds) => RowKind::from_u8(kinds.value(index)),
            None => RowKind::Insert,
        }
    }

    /// The schema of the rows.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    /// A column of the rows.
    pub fn column(&self, index: usize) -> &ArrayRef {
        self.rows.column(index)
    }

    /// The number of rows.
    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.num_rows() == 0
    }

    /// The memory that the rows refer to, in bytes; what flow control counts.
    pub fn byte_size(&self) -> usize {
        let columns: usize = self.rows.columns().iter().map(sliced_size).sum();
        columns + self.kinds.as_ref().map_or(0, |k| k.len())
    }

    /// Other rows under the same kinds, for instance after a projection.
    pub fn replace_rows(&self, rows: RecordBatch) -> Self {
        Batch::from_parts(rows, self.kinds.clone())
    }

    /// Other rows under the kinds where `mask` is true; all kinds without a mask. Where only one half
    /// of an update passes, it is no update any more: the row comes or goes.
    pub fn filter_kinds(&self, mask: Option<&BooleanArray>, rows: RecordBatch) -> Result<Self> {
        let kinds = match (&self.kinds, mask) {
            (Some(kinds), Some(mask)) => {
                let whole = whole_updates(kinds, mask);
                Some(as_kinds(compute::filter(&whole, mask)?))
            }
            (kinds, _) => kinds.clone(),
        };
        Ok(Batch::from_parts(rows, kinds))
    }

    /// The rows `offset .. offset + length`, without copying.
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        Batch {
            rows: self.rows.slice(offset, length),
            kinds: self.kinds.as_ref().map(|k| k.slice(offset, length)),
        }
    }

    /// The rows where `mask` is true; NULL counts as false.
    pub fn filter(&self, mask: &BooleanArray) -> Result<Self> {
        let rows = compute::filter_record_batch(&self.rows, mask)?;
        let kinds = match &self.kinds {
            Some(kinds) => Some(as_kinds(compute::filter(kinds, mask)?)),
            None => None,
        };
        Ok(Batch { rows, kinds })
    }

    /// The rows at `indices`, in that order.
    pub fn take(&self, indices: &UInt32Array) -> Result<Self> {
        let rows = compute::take_record_batch(&self.rows, indices)?;
        let kinds = match &self.kinds {
            Some(kinds) => Some(as_kinds(compute::take(kinds, indices, None)?)),
            None => None,
        };
        Ok(Batch { rows, kinds })
    }

    /// One batch of all the rows of `batches`, in order. All must have the schema given.
    pub fn concat(schema: &SchemaRef, batches: &[Batch]) -> Result<Self> {
        if let [only] = batches {
            return Ok(only.clone());
        }
        let rows = compute::concat_batches(schema, batches.iter().map(|b| &b.rows))?;
        if batches.iter().all(|b| b.kinds.is_none()) {
            return Ok(Batch::inserts(rows));
        }
        let mut kinds = Vec::with_capacity(rows.num_rows());
        for batch in batches {
            match &batch.kinds {
                Some(k) => kinds.extend_from_slice(k.values()),
                None => kinds.resize(kinds.len() + batch.num_rows(), RowKind::Insert as u8),
            }
        }
        Ok(Batch {
            rows,
            kinds: Some(UInt8Array::from(kinds)),
        })
    }
}

fn as_kinds(array: ArrayRef) -> UInt8Array {
    UInt8Array::from(array.to_data())
}

/// The bytes of an array that its own rows use; a slice of a large array counts only its share.
fn sliced_size(array: &ArrayRef) -> usize {
    array
        .to_data()
        .get_slice_memory_size()
        .unwrap_or_else(|_| array.get_array_memory_size())
}

/// What a barrier asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BarrierKind {
    /// One of those that a job goes on after.
    Checkpoint,
    /// One that another query may start from too.
    Savepoint,
    /// The last one of a job whose input has ended or which is being stopped.
    Final,
}

/// The mark that cuts a stream for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier {
    /// The checkpoint's id, ascending within a job over all its attempts.
    pub checkpoint_id: u64,
    /// What it is for.
    pub kind: BarrierKind,
    /// From when on it overtakes rows that wait, in milliseconds of the clock; `None` never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overtakes_at_ms: Option<i64>,
}

/// What travels on a channel between two subtasks.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// Rows.
    Batch(Batch),
    /// No row with an event time before this will follow, unless it is late.
    Watermark(EventTime),
    /// Everything before belongs to the checkpoint, everything after does not.
    Barrier(Barrier),
    /// The channel has nothing to say about time until the next batch or watermark.
    Idle,
    /// No row follows. Barriers still may: a channel lives until its job ends.
    EndOfInput,
}
