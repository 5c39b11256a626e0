//! What is remembered of a partition beside its rows: where its attempt begins, if rows before it are kept, and how
//! many matches it had, if they are counted.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use super::{NOTES, PatternOperator};
use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::graph::PatternSpec;
use crate::operator::keyed_rows::Arrival;
use crate::operator::pattern::partition::NO_NOTE;

impl PatternOperator {
    /// The id behind that of the last row before the attempt of a partition, and how many matches it had.
    pub(super) fn noted(&mut self, partition: u32) -> Result<(i64, i64)> {
        if self.notes.is_none() {
            return Ok(NO_NOTE);
        }
        let side = &mut self.kept.sides[NOTES];
        let Some(note) = side.of_key(partition).next() else {
            return Ok(NO_NOTE);
        };
        let width = self.spec.partition_by.len();
        let columns = side.rows.gather_some(&[note], &[width, width + 1])?;
        match columns.as_slice() {
            [passed, matches] => {
                let value = |column: &ArrayRef| column.as_primitive::<Int64Type>().value(0);
                Ok((value(passed), value(matches)))
            }
            _ => Err(EngineError::internal("a note lacks a column")),
        }
    }

    /// Writes down where the attempts of partitions begin, and how many matches they had.
    pub(super) fn note(&mut self, touched: &[u32]) -> Result<()> {
        let Some(schema) = &self.notes else {
            return Ok(());
        };
        let side = &mut self.kept.sides[NOTES];
        let mut noting: Vec<(u32, (i64, i64))> = Vec::new();
        for partition in touched {
            let own = &mut self.partitions[*partition as usize];
            let note = own.note(self.counts);
            if own.noted == note {
                continue;
            }
            own.noted = note;
            let old: Vec<u32> = side.of_key(*partition).collect();
            old.into_iter().try_for_each(|row| side.remove(row))?;
            if note != NO_NOTE {
                noting.push((*partition, note));
            }
        }
        if noting.is_empty() {
            return Ok(());
        }
        let numbers: Vec<u32> = noting.iter().map(|(partition, _)| *partition).collect();
        let keys = self.kept.keys.table.keys(&numbers)?;
        let keys = keys.into_iter().zip(&self.kept.keys.codecs);
        let mut columns: Vec<ArrayRef> = keys
            .map(|(lane, codec)| codec.decode(lane))
            .collect::<Result<_>>()?;
        let (passed, matches): (Vec<i64>, Vec<i64>) = noting.iter().map(|(_, note)| *note).unzip();
        columns.push(Arc::new(Int64Array::from(passed)));
        columns.push(Arc::new(Int64Array::from(matches)));
        let rows = rows_of(schema, columns, noting.len())?;
        let all: Vec<u32> = (0..rows.num_rows() as u32).collect();
        let added = side.add(&rows, &all, &[])?;
        for (partition, number) in numbers.into_iter().zip(added) {
            let arrival = Arrival {
                key: partition,
                degree: 0,
                id: 0,
                // Event time does not let it go.
                stamp: i64::MAX,
            };
            side.link(number, arrival);
            side.touch(number, 0, arrival.stamp);
        }
        Ok(())
    }
}

/// What is kept of a partition beside its rows.
pub(super) fn notes_schema(spec: &PatternSpec) -> SchemaRef {
    let rows = spec.rows.0.fields();
    let nullable = |column: &usize| rows[*column].as_ref().clone().with_nullable(true);
    let mut fields: Vec<Field> = spec.partition_by.iter().map(nullable).collect();
    fields.push(Field::new("passed", DataType::Int64, false));
    fields.push(Field::new("matches", DataType::Int64, false));
    Arc::new(Schema::new(fields))
}
