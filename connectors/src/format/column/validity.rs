//! Which rows of a column are not NULL.

use arrow::buffer::{BooleanBuffer, NullBuffer};

/// A mark per row, kept only from the first NULL on: a column without any costs a comparison a row.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    /// Empty as long as no row is NULL.
    valid: Vec<bool>,
    has_nulls: bool,
}

impl Validity {
    /// Notes a row that is not NULL.
    #[inline(always)]
    pub(crate) fn push_valid(&mut self) {
        if self.has_nulls {
            self.valid.push(true);
        }
    }

    /// Notes a NULL behind `rows` rows.
    #[inline]
    pub(crate) fn push_null(&mut self, rows: usize) {
        if !self.has_nulls {
            self.has_nulls = true;
            self.valid.clear();
            self.valid.resize(rows, true);
        }
        self.valid.push(false);
    }

    /// Takes back the rows from number `rows` on.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.valid.len()
    }

    /// Takes the marks and starts anew.
    pub(crate) fn finish(&mut self) -> Option<NullBuffer> {
        if !self.has_nulls {
            return None;
        }
        self.has_nulls = false;
        let nulls = NullBuffer::new(BooleanBuffer::from(self.valid.as_slice()));
        self.valid.clear();
        (nulls.null_count() > 0).then_some(nulls)
    }
}
