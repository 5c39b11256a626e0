//! Functions that go back to the beginning of the partition: what they have come to is kept, a row of values for
//! each partition.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::{CARRIED, Release};
use crate::element::rows_of;
use crate::error::Result;
use crate::graph::{OverForm, OverSpec};
use crate::operator::keyed_rows::{Arrival, Kept, NONE, Side};
use crate::operator::ordered_rows::{OrderedRows, Place};
use crate::operator::over::calls::{
    Needs, carried_fields, needs, reads_carried_value, take_carried,
};
use crate::operator::over::span::{Part, Span};
use crate::operator::over::values::{Carried, Operands, values};

/// The functions, and the rows in which is kept what they have come to.
pub(super) struct CarriedCalls {
    /// Their positions among all.
    calls: Vec<usize>,
    /// The partition's columns, its last time if rows wait for it, and what is carried.
    schema: SchemaRef,
    keys: usize,
    /// The column of rows with their time, if rows wait for it.
    time: Option<usize>,
}

impl CarriedCalls {
    pub(super) fn new(spec: &OverSpec) -> Result<Self> {
        let calls = spec.calls.iter().enumerate();
        let calls = calls.filter(|(_, call)| needs(call) == Needs::Carried);
        let calls: Vec<usize> = calls.map(|(at, _)| at).collect();
        let rows = spec.rows.0.fields();
        let nullable = |column: &usize| rows[*column].as_ref().clone().with_nullable(true);
        let mut fields: Vec<Field> = spec.partition_by.iter().map(nullable).collect();
        let time = match spec.form {
            OverForm::Time => spec.order_by.first().map(|order| order.column),
            _ => None,
        };
        fields.extend(time.iter().map(nullable));
        for call in &calls {
            let (value, weight) = carried_fields(&spec.calls[*call]);
            fields.extend(value.into_iter().chain(weight));
        }
        Ok(CarriedCalls {
            calls,
            schema: Arc::new(Schema::new(fields)),
            keys: spec.partition_by.len(),
            time,
        })
    }

    /// Where they are kept.
    pub(super) fn side(&self, _spec: &OverSpec) -> Result<Side> {
        let keys: Vec<usize> = (0..self.keys).collect();
        Side::new(&self.schema, &keys, false, false)
    }

    /// Where the last rows stand that have gone out, of partitions that something is carried of.
    pub(super) fn last_places(
        &self,
        release: &Release,
        kept: &mut Kept,
        order: &OrderedRows,
    ) -> Result<Vec<Option<Place>>> {
        let Some(time) = self.time.filter(|_| !self.calls.is_empty()) else {
            return Ok(vec![None; release.parts.len()]);
        };
        let numbers = self.numbers(release, kept);
        let side = &mut kept.sides[CARRIED];
        let times = side.rows.gather_some(&numbers, &[self.keys])?;
        // The order asks for the column of the rows that has the time.
        let columns: Vec<ArrayRef> = std::iter::repeat_n(times, time + 1).flatten().collect();
        let places = order.places_of(&columns, numbers.len())?;
        let known = numbers.iter().zip(places);
        Ok(known
            .map(|(number, place)| (*number != NONE).then_some(place))
            .collect())
    }

    /// The row of each partition; [`NONE`] if nothing has gone out of it.
    fn numbers(&self, release: &Release, kept: &Kept) -> Vec<u32> {
        let side = &kept.sides[CARRIED];
        let parts = release.parts.iter();
        parts
            .map(|part| side.of_key(part.partition).next().unwrap_or(NONE))
            .collect()
    }

    /// Computes values, and keeps what they have come to.
    pub(super) fn compute(
        &mut self,
        spec: &OverSpec,
        release: &Release,
        kept: &mut Kept,
        found: &mut [Option<ArrayRef>],
    ) -> Result<()> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let numbers = self.numbers(release, kept);
        let (span, places) = self.span(spec, release, &numbers);
        let others: Vec<usize> = (0..self.schema.fields().len())
            .skip(self.keys + usize::from(self.time.is_some()))
            .collect();
        let before = kept.sides[CARRIED].rows.gather_some(&numbers, &others)?;
        let mut before = before.into_iter();
        let mut after: Vec<ArrayRef> = Vec::new();
        for at in &self.calls {
            let call = &spec.calls[*at];
            let carried = take_carried(call, &mut before);
            let value = carried.value.as_ref().filter(|_| reads_carried_value(call));
            let column = |at: Option<usize>, value: Option<&ArrayRef>| match at {
                Some(at) => with_carried(release.rows.column(at), value, &places).map(Some),
                None => Ok(None),
            };
            let operands = Operands {
                argument: column(call.argument, value)?,
                filter: column(call.filter, None)?,
                default: None,
                carried,
            };
            let values = values(call, &span, &operands, true)?;
            found[*at] = Some(values.column);
            let Carried { value, weight } = values.carried;
            after.extend(value.into_iter().chain(weight));
        }
        self.keep(spec, release, &numbers, after, kept)
    }

    /// For each partition the row that stands for those that are gone, if there are any, and those that go out;
    /// and where the columns of each are: in those of the first, by part, or in those of the others.
    fn span(
        &self,
        spec: &OverSpec,
        release: &Release,
        numbers: &[u32],
    ) -> (Span, Vec<(usize, usize)>) {
        let mut span = Span::default();
        let mut places = Vec::new();
        for (index, (part, number)) in release.parts.iter().zip(numbers).enumerate() {
            let start = places.len();
            let carried = *number != NONE;
            if carried {
                places.push((0, index));
                span.ties.push(false);
            }
            let first = places.len();
            places.extend(part.rows.clone().map(|row| (1, row)));
            let ties = part.rows.clone();
            let ties = ties.map(|row| row > part.rows.start && release.ties(row, spec.form));
            span.ties.extend(ties);
            span.parts.push(Part {
                rows: start..places.len(),
                wanted: first..places.len(),
                carried,
            });
        }
        (span, places)
    }

    /// Keeps what the rows up to the last one of each partition have come to.
    fn keep(
        &self,
        spec: &OverSpec,
        release: &Release,
        numbers: &[u32],
        after: Vec<ArrayRef>,
        kept: &mut Kept,
    ) -> Result<()> {
        let side = &mut kept.sides[CARRIED];
        for number in numbers.iter().filter(|number| **number != NONE) {
            side.remove(*number)?;
        }
        let parts = release.parts.iter();
        let last = UInt32Array::from_iter_values(parts.map(|part| part.rows.end as u32 - 1));
        let own = spec.partition_by.iter().chain(&self.time);
        let own = own.map(|column| Ok(take(release.rows.column(*column), &last, None)?));
        let mut columns = own.collect::<Result<Vec<ArrayRef>>>()?;
        columns.extend(after);
        let rows = rows_of(&self.schema, columns, release.parts.len())?;
        let all: Vec<u32> = (0..rows.num_rows() as u32).collect();
        let added = side.add(&rows, &all, &[])?;
        for (part, number) in release.parts.iter().zip(added) {
            let arrival = Arrival {
                key: part.partition,
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

/// A column of rows, with the value of those that are gone, or NULL, where a row stands for them.
fn with_carried(
    column: &ArrayRef,
    value: Option<&ArrayRef>,
    places: &[(usize, usize)],
) -> Result<ArrayRef> {
    if places.iter().all(|(from, _)| *from == 1) {
        return Ok(column.clone());
    }
    match value {
        Some(value) => Ok(interleave(&[value.as_ref(), column.as_ref()], places)?),
        None => {
            let null = new_null_array(column.data_type(), 1);
            let places: Vec<(usize, usize)> = places
                .iter()
                .map(|(from, row)| (*from, if *from == 0 { 0 } else { *row }))
                .collect();
            Ok(interleave(&[null.as_ref(), column.as_ref()], &places)?)
        }
    }
}
