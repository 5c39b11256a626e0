//! Which rows of a column are not NULL.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A mark per row, kept only from the first NULL on: a column without any costs a comparison a row.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    /// 1 or 0 per row; empty as long as no row is NULL.
    valid: Vec<u8>,
    has_nulls: bool,
}

impl Validity {
    /// Notes a row that is not NULL.
    #[inline(always)]
    pub(crate) fn push_valid(&mut self) {
        if self.has_nulls {
            self.valid.push(1);
        }
    }

    /// Notes a NULL behind `rows` rows.
    #[inline]
    pub(crate) fn push_null(&mut self, rows: usize) {
        if !self.has_nulls {
            self.has_nulls = true;
            self.valid.clear();
            self.valid.resize(rows, 1);
        }
        self.valid.push(0);
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
        let nulls = NullBuffer::new(pack(&self.valid));
        self.valid.clear();
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// Bytes that are 1 or 0 as bits.
pub(super) fn pack(bytes: &[u8]) -> BooleanBuffer {
    // The product brings the lowest bits of eight bytes together in its highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let words = words.iter().chain((!rest.is_empty()).then_some(&last));
    let bits: Vec<u8> = words
        .map(|word| (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56) as u8)
        .collect();
    BooleanBuffer::new(Buffer::from_vec(bits), 0, bytes.len())
}
