//! Windows of so many rows.
//!
//! Of a partition are remembered the rows that a window to come may hold. When the last row of a window has come, all of its
//! rows go out in one batch, so that what aggregates them behind has nothing to remember.

mod given;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, SchemaRef};

use super::keyed_rows::{Arrival, Kept, Side};
use super::{Operator, OperatorContext, Output};
use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::graph::CountWindowSpec;
use crate::state::KeyedState;
use given::{Going, Numbered, Part};

/// The rows, among what is kept.
const ROWS: usize = 0;
/// About so many rows leave at a time, but never a part of a window.
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };

/// Keeps rows until their windows are full.
pub(super) struct CountWindow {
    number: usize,
    time: Option<usize>,
    shape: Shape,
    output: SchemaRef,
    kept: Kept,
    /// Partitions whose windows have yet to go out.
    going: VecDeque<Going>,
    /// Scratch: the partition of each row.
    partitions: Vec<u32>,
}

/// How windows lie.
#[derive(Debug, Clone, Copy)]
struct Shape {
    size: i64,
    slide: i64,
}

impl Shape {
    /// The last row of the first window that ends with this row or behind it.
    fn end_from(self, row: i64) -> i64 {
        let before = row.saturating_sub(1) / self.slide;
        before.saturating_add(1).saturating_mul(self.slide)
    }

    /// The row before those of the window that ends with this row.
    fn before(self, end: i64) -> i64 {
        end.saturating_sub(self.size).max(0)
    }
}

impl CountWindow {
    pub(super) fn new(
        spec: &CountWindowSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let own = 2 + usize::from(spec.time.is_some());
        let width = spec.rows.0.fields().len();
        if width + own != output.fields().len() || spec.number >= width {
            return Err(EngineError::internal(format!(
                "windows of rows in {width} columns, for {} output fields",
                output.fields().len()
            )));
        }
        let length = |rows: u64| {
            let rows = i64::try_from(rows).ok().filter(|rows| *rows > 0);
            rows.ok_or_else(|| EngineError::internal("a window has no rows"))
        };
        let side = Side::new(&spec.rows.0, &spec.partition_by, false, false)?;
        Ok(CountWindow {
            number: spec.number,
            time: spec.time,
            shape: Shape {
                size: length(spec.size)?,
                slide: length(spec.slide)?,
            },
            output: output.clone(),
            kept: Kept::new(vec![side], 0, context)?,
            going: VecDeque::new(),
            partitions: Vec::new(),
        })
    }

    /// The rows of a batch with their partitions, in order.
    fn enter(&mut self, batch: &Batch) -> Result<Vec<(u32, Numbered)>> {
        let mut partitions = std::mem::take(&mut self.partitions);
        let interned = self.kept.intern(ROWS, batch, &mut partitions);
        self.partitions = partitions;
        interned?;
        let numbers = cast(batch.column(self.number), &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        let all: Vec<u32> = (0..batch.num_rows() as u32).collect();
        let places = self.kept.sides[ROWS].add(batch.rows(), &all, &[])?;
        let rows = places.into_iter().zip(numbers.values());
        let rows = rows.map(|(place, number)| Numbered {
            number: *number,
            place,
            linked: false,
        });
        let mut rows: Vec<(u32, Numbered)> = self.partitions.iter().copied().zip(rows).collect();
        rows.sort_by_key(|(partition, row)| (*partition, row.number));
        Ok(rows)
    }

    /// Takes rows of a partition, in order.
    fn take(&mut self, partition: u32, new: impl Iterator<Item = Numbered>) -> Result<()> {
        let new: Vec<Numbered> = new.collect();
        let (Some(first), Some(last)) = (new.first(), new.last()) else {
            return Ok(());
        };
        let (end, last) = (self.shape.end_from(first.number), last.number);
        if end > last {
            return self.keep(partition, new, last);
        }
        let side = &self.kept.sides[ROWS];
        let earlier = side.of_key(partition).map(|place| Numbered {
            number: side.entry(place).id as i64,
            place,
            linked: true,
        });
        let mut rows: Vec<Numbered> = earlier.collect();
        rows.sort_unstable_by_key(|row| row.number);
        rows.extend(new);
        self.going.push_back(Going {
            partition,
            rows,
            end,
            last,
        });
        Ok(())
    }

    /// Remembers, of rows up to the last one that has come, those that a window to come may hold.
    fn keep(&mut self, partition: u32, rows: Vec<Numbered>, last: i64) -> Result<()> {
        let next = self.shape.end_from(last.saturating_add(1));
        let before = self.shape.before(next);
        let side = &mut self.kept.sides[ROWS];
        for row in rows {
            match (row.number > before, row.linked) {
                (true, true) => {}
                (true, false) => {
                    let arrival = Arrival {
                        key: partition,
                        degree: 0,
                        id: row.number as u64,
                        stamp: row.number,
                    };
                    side.link(row.place, arrival);
                    side.touch(row.place, 0, arrival.stamp);
                }
                (false, true) => side.remove(row.place)?,
                (false, false) => side.release(row.place)?,
            }
        }
        Ok(())
    }

    /// Gives windows until there are enough rows, or none are left.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        let mut part = Part::default();
        let mut done = Vec::new();
        while part.len() < OUTPUT_ROWS
            && let Some(going) = self.going.front_mut()
        {
            if going.end <= going.last {
                part.add(going, self.shape);
                going.end = going.end.saturating_add(self.shape.slide);
            } else {
                done.extend(self.going.pop_front());
            }
        }
        let rows = &mut self.kept.sides[ROWS].rows;
        if let Some(batch) = part.gather(rows, self.time, &self.output)? {
            output.emit(batch);
        }
        for going in done {
            self.keep(going.partition, going.rows, going.last)?;
        }
        if self.going.is_empty() {
            self.kept.settle()?;
            self.kept.make_room(0)?;
        }
        Ok(())
    }
}

impl Operator for CountWindow {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        _now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        let rows = self.enter(&batch)?;
        for of_partition in rows.chunk_by(|(a, _), (b, _)| a == b) {
            if let Some((partition, _)) = of_partition.first() {
                self.take(*partition, of_partition.iter().map(|(_, row)| *row))?;
            }
        }
        self.go_on(output)
    }

    fn has_more(&self) -> bool {
        !self.going.is_empty()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.go_on(output)
    }

    fn memory_bytes(&self) -> usize {
        self.kept.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.kept.save()?;
        Ok(Some(self.kept.state.as_mut()))
    }
}
