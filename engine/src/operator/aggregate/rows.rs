//! How keys and accumulators are written as rows of bytes in keyed state.
//!
//! Per column: a byte that is 0 for NULL and 1 for a value, then the value, big endian: 8 bytes,
//! 16 bytes, or a length (4 bytes) and as many bytes. This is part of the checkpoint format.

use super::lane::{BytesBuilder, Codec, Lane, LaneKind, Values};
use crate::error::{EngineError, Result};

/// Rows of bytes, one after the other.
#[derive(Debug, Default)]
pub(crate) struct EncodedRows {
    data: Vec<u8>,
    ends: Vec<usize>,
}

impl EncodedRows {
    /// Row `index`.
    pub(crate) fn row(&self, index: usize) -> &[u8] {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends[before],
            None => 0,
        };
        &self.data[start..self.ends[index]]
    }

    /// Writes lanes row by row, each behind its prefix.
    pub(crate) fn encode<'p>(
        lanes: &[Lane],
        rows: usize,
        prefix: impl Fn(usize) -> &'p [u8],
    ) -> Result<Self> {
        let mut encoded = EncodedRows::default();
        for row in 0..rows {
            encoded.data.extend_from_slice(prefix(row));
            for lane in lanes {
                put(lane, row, &mut encoded.data)?;
            }
            encoded.ends.push(encoded.data.len());
        }
        Ok(encoded)
    }
}

fn put(lane: &Lane, row: usize, out: &mut Vec<u8>) -> Result<()> {
    if lane.nulls.as_ref().is_some_and(|n| n.is_null(row)) {
        out.push(0);
        return Ok(());
    }
    out.push(1);
    match &lane.values {
        Values::I64(values) => out.extend_from_slice(&values[row].to_be_bytes()),
        Values::I128(values) => out.extend_from_slice(&values[row].to_be_bytes()),
        Values::Bytes(values) => {
            let value = values.value(row);
            let length = u32::try_from(value.len())
                .map_err(|_| EngineError::state("a value of keyed state exceeds 4 GiB"))?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(value);
        }
    }
    Ok(())
}

/// Takes one value off the front of bytes; returns it as it was written, and what follows it.
pub(crate) fn split_value(kind: LaneKind, bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let length = match (bytes.first(), kind) {
        (Some(0), _) => 1,
        (Some(1), LaneKind::I64) => 9,
        (Some(1), LaneKind::I128) => 17,
        (Some(1), LaneKind::Bytes) => {
            let mut length = bytes.get(1..).unwrap_or_default();
            5 + u32::from_be_bytes(take(&mut length)?) as usize
        }
        _ => return Err(damaged()),
    };
    bytes.split_at_checked(length).ok_or_else(damaged)
}

/// Reads rows back into lanes.
pub(crate) struct RowsDecoder {
    columns: Vec<ColumnDecoder>,
}

struct ColumnDecoder {
    values: DecodedValues,
    valid: Vec<bool>,
}

enum DecodedValues {
    I64(Vec<i64>),
    I128(Vec<i128>),
    Bytes(BytesBuilder),
}

impl RowsDecoder {
    pub(crate) fn new<'c>(codecs: impl IntoIterator<Item = &'c Codec>) -> Self {
        Self::of_kinds(codecs.into_iter().map(Codec::kind))
    }

    pub(crate) fn of_kinds(kinds: impl IntoIterator<Item = LaneKind>) -> Self {
        let column = |kind| ColumnDecoder {
            values: match kind {
                LaneKind::I64 => DecodedValues::I64(Vec::new()),
                LaneKind::I128 => DecodedValues::I128(Vec::new()),
                LaneKind::Bytes => DecodedValues::Bytes(BytesBuilder::with_capacity(0)),
            },
            valid: Vec::new(),
        };
        RowsDecoder {
            columns: kinds.into_iter().map(column).collect(),
        }
    }

    /// Reads a row off the front and returns what follows it.
    pub(crate) fn push<'b>(&mut self, mut bytes: &'b [u8]) -> Result<&'b [u8]> {
        for column in &mut self.columns {
            column.push(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Reads a row that nothing may follow.
    pub(crate) fn push_all(&mut self, bytes: &[u8]) -> Result<()> {
        match self.push(bytes)? {
            [] => Ok(()),
            _ => Err(damaged()),
        }
    }

    /// The lanes of the rows read.
    pub(crate) fn finish(self) -> Result<Vec<Lane>> {
        self.columns
            .into_iter()
            .map(ColumnDecoder::finish)
            .collect()
    }
}

pub(super) fn damaged() -> EngineError {
    EngineError::state("a row of keyed state does not fit the operator").with_hint(
        "the state was written by another query or release; start without it or restore another \
         checkpoint",
    )
}

pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or_else(damaged)?;
    *bytes = rest;
    Ok(*head)
}

impl ColumnDecoder {
    fn push(&mut self, bytes: &mut &[u8]) -> Result<()> {
        let valid = match take::<1>(bytes)? {
            [0] => false,
            [1] => true,
            _ => return Err(damaged()),
        };
        self.valid.push(valid);
        match &mut self.values {
            DecodedValues::I64(values) => values.push(match valid {
                true => i64::from_be_bytes(take(bytes)?),
                false => 0,
            }),
            DecodedValues::I128(values) => values.push(match valid {
                true => i128::from_be_bytes(take(bytes)?),
                false => 0,
            }),
            DecodedValues::Bytes(values) if valid => {
                let length = u32::from_be_bytes(take(bytes)?) as usize;
                let (value, rest) = bytes.split_at_checked(length).ok_or_else(damaged)?;
                values.push(value)?;
                *bytes = rest;
            }
            DecodedValues::Bytes(values) => values.push(&[])?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Lane> {
        let nulls = arrow::buffer::NullBuffer::from(self.valid);
        let values = match self.values {
            DecodedValues::I64(values) => Values::I64(values.into()),
            DecodedValues::I128(values) => Values::I128(values.into()),
            DecodedValues::Bytes(values) => Values::Bytes(values.finish()?),
        };
        Ok(Lane {
            values,
            nulls: (nulls.null_count() > 0).then_some(nulls),
        })
    }
}
