//! Rows in any order, that may be taken back: what is computed for the others is corrected.
//!
//! A batch is taken in partition by partition. Where the rows of one before and after it differ, and as far as
//! functions feel that, values are computed of both, and the difference goes out: first rows that are gone,
//! then those that have other values, then those that are new.

mod difference;

use arrow::array::{ArrayRef, make_comparator};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::SchemaRef;

use super::SPAN_ROWS;
use super::calls::{Reach, columns_of, has_distances, reaches};
use super::span::{Along, Part, Span};
use super::values::{Operands, values};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::{OverCall, OverFunction, OverSpec};
use crate::key::KeyGroup;
use crate::operator::aggregate::persist::key_groups;
use crate::operator::keyed_rows::{Arrival, Kept, Side, comes};
use crate::operator::ordered_rows::{OrderedRows, Place};
use crate::operator::{Operator, OperatorContext, Output};
use crate::state::KeyedState;
use difference::Difference;

/// The only input.
const INPUT: usize = 0;

/// Rows whose values are corrected.
pub(super) struct Corrected {
    spec: OverSpec,
    output: SchemaRef,
    batch_rows: usize,
    /// How far a change is felt in front of it, and behind.
    reach: (Reach, Reach),
    /// The columns that functions read.
    columns: Vec<usize>,
    /// The order column, if frames are bounded by distances in it.
    along: Option<usize>,
    kept: Kept,
    order: OrderedRows,
    /// How often memory had been emptied when the order was last known.
    emptied: u64,
    taking_in: Option<TakingIn>,
}

/// A batch on its way.
struct TakingIn {
    batch: Batch,
    now_ms: i64,
    groups: Vec<KeyGroup>,
    contents: Vec<u128>,
    places: Vec<Place>,
    /// The rows of the batch by partition, each in order of arrival.
    parts: Vec<(u32, Vec<u32>)>,
    /// So many parts are taken in.
    done: usize,
}

/// What a batch makes of a partition.
struct Changed {
    before: Vec<u32>,
    after: Vec<u32>,
}

impl Corrected {
    pub(super) fn new(
        spec: &OverSpec,
        updating: bool,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let batch_rows = context.batch_rows.max(1);
        let side = Side::new(&spec.rows.0, &spec.partition_by, updating, false)?;
        let kept = Kept::new(vec![side], spec.ttl_ms, context)?;
        let distances = spec.calls.iter().any(has_distances);
        let along = spec.order_by.first().filter(|_| distances);
        Ok(Corrected {
            output: output.clone(),
            batch_rows,
            reach: reaches(spec),
            columns: columns_of(spec.calls.iter()),
            along: along.map(|order| order.column),
            order: OrderedRows::new(&spec.order_by, &spec.rows.0)?,
            emptied: kept.emptied,
            kept,
            taking_in: None,
            spec: spec.clone(),
        })
    }

    fn begin(&mut self, batch: Batch, now_ms: i64) -> Result<TakingIn> {
        let mut partitions = Vec::new();
        self.kept.intern(INPUT, &batch, &mut partitions)?;
        self.order.resize(self.kept.keys.table.capacity());
        let side = &mut self.kept.sides[INPUT];
        self.order.take_up(&partitions, side)?;
        let keys = self.spec.partition_by.iter();
        let keys: Vec<ArrayRef> = keys.map(|key| batch.column(*key).clone()).collect();
        let rows = batch.num_rows();
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.sort_by_key(|row| partitions[*row as usize]);
        let same = |a: &u32, b: &u32| partitions[*a as usize] == partitions[*b as usize];
        let parts = order.chunk_by(same);
        let parts = parts.map(|rows| (partitions[rows[0] as usize], rows.to_vec()));
        Ok(TakingIn {
            parts: parts.collect(),
            groups: key_groups(&keys, rows, self.kept.keys.max_parallelism)?,
            contents: self.kept.sides[INPUT].contents_of(batch.rows())?,
            places: self.order.places_of(batch.rows().columns(), rows)?,
            batch,
            now_ms,
            done: 0,
        })
    }

    /// Goes on with the batch, until there is some output or all is taken in.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        let Some(mut taking_in) = self.taking_in.take() else {
            return Ok(());
        };
        while taking_in.done < taking_in.parts.len() {
            let mut changed: Vec<Changed> = Vec::new();
            let mut gone: Vec<u32> = Vec::new();
            let mut rows = 0;
            while rows < SPAN_ROWS && taking_in.done < taking_in.parts.len() {
                let part = self.take_in(&mut taking_in, &mut gone)?;
                if part.before != part.after {
                    rows += part.before.len() + part.after.len();
                    changed.push(part);
                }
            }
            let gave = self.give(&changed, &gone, output)?;
            for row in gone {
                self.kept.sides[INPUT].release(row)?;
            }
            if gave && taking_in.done < taking_in.parts.len() {
                self.taking_in = Some(taking_in);
                return Ok(());
            }
        }
        self.kept.settle()?;
        self.kept.make_room(self.order.size_bytes())?;
        self.follow();
        Ok(())
    }

    /// Takes the rows of a partition in that come, and out those that go.
    fn take_in(&mut self, taking_in: &mut TakingIn, gone: &mut Vec<u32>) -> Result<Changed> {
        let TakingIn { parts, done, .. } = taking_in;
        let (partition, rows) = std::mem::take(&mut parts[*done]);
        *done += 1;
        let before: Vec<u32> = self.order.list(partition).iter().collect();
        let batch = &taking_in.batch;
        let side = &mut self.kept.sides[INPUT];
        let come = rows.iter().copied();
        let come: Vec<u32> = come.filter(|row| comes(batch, *row as usize)).collect();
        let added = side.add(batch.rows(), &come, &taking_in.contents)?;
        let mut added = come.into_iter().zip(added).peekable();
        for row in rows {
            let side = &mut self.kept.sides[INPUT];
            if let Some((at, number)) = added.next_if(|(at, _)| *at == row) {
                let at = at as usize;
                let arrival = Arrival {
                    key: partition,
                    degree: 0,
                    id: self.kept.ids.next(taking_in.groups[at])?,
                    stamp: taking_in.now_ms,
                };
                side.link(number, arrival);
                side.touch(number, 0, arrival.stamp);
                let place = std::mem::take(&mut taking_in.places[at]);
                self.order.insert(partition, number, place, arrival.id);
                continue;
            }
            // Rows that are never taken back have no content; others may have expired.
            let content = taking_in.contents.get(row as usize);
            if let Some(number) = content.and_then(|content| side.find(*content)) {
                if !self.order.remove(partition, number) {
                    return Err(EngineError::internal("a row is not among those in order"));
                }
                side.unlink(number)?;
                gone.push(number);
            }
        }
        Ok(Changed {
            before,
            after: self.order.list(partition).iter().collect(),
        })
    }

    /// Gives what makes the rows before those after; true if there was something to give.
    fn give(&mut self, changed: &[Changed], gone: &[u32], output: &mut Output) -> Result<bool> {
        let mut before = Layout::default();
        let mut after = Layout::default();
        for part in changed {
            self.lay_out(part, &mut before, &mut after);
        }
        let old = self.compute(&mut before)?;
        let new = self.compute(&mut after)?;
        let mut comparators = Vec::new();
        for (old, new) in old.iter().zip(&new) {
            comparators.push(make_comparator(old, new, SortOptions::default())?);
        }
        let same = |old: usize, new: usize| comparators.iter().all(|c| c(old, new).is_eq());
        let mut difference = Difference::new(gone, self.spec.update_before, &same);
        for (before, after) in before.parts().zip(after.parts()) {
            difference.add(before, after);
        }
        let Difference {
            rows,
            values,
            kinds,
            ..
        } = difference;
        let parts = rows.chunks(SPAN_ROWS).zip(values.chunks(SPAN_ROWS));
        for ((rows, values), kinds) in parts.zip(kinds.chunks(SPAN_ROWS)) {
            self.emit(rows, values, kinds, (&old, &new), output)?;
        }
        Ok(!kinds.is_empty())
    }

    fn emit(
        &mut self,
        rows: &[u32],
        places: &[(usize, usize)],
        kinds: &[RowKind],
        (old, new): (&[ArrayRef], &[ArrayRef]),
        output: &mut Output,
    ) -> Result<()> {
        let mut columns = self.kept.sides[INPUT].rows.gather(rows)?;
        for (old, new) in old.iter().zip(new) {
            columns.push(interleave(&[old.as_ref(), new.as_ref()], places)?);
        }
        let rows = rows_of(&self.output, columns, rows.len())?;
        let batch = Batch::with_kinds(rows, kinds.to_vec())?;
        output.emit_chunks(batch, self.batch_rows);
        Ok(())
    }

    /// Lays out as many rows of a partition as are needed for the values of those that feel the change.
    fn lay_out(&self, part: &Changed, before: &mut Layout, after: &mut Layout) {
        let (old, new) = (&part.before, &part.after);
        let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let rest = old.len().min(new.len()) - same;
        let behind = old.iter().rev().zip(new.iter().rev()).take(rest);
        let behind = behind.take_while(|(a, b)| a == b).count();
        // The rows that are there before and after, in front of the change and behind it.
        let (front, back) = self.reach;
        let edges = [old.get(same), new.get(same)];
        let start = self.reached(&front, &edges, new[..same].iter().rev());
        let edges = [
            old[same..old.len() - behind].last(),
            new[same..new.len() - behind].last(),
        ];
        let end = self.reached(&back, &edges, new[new.len() - behind..].iter());
        for (rows, layout) in [(old, before), (new, after)] {
            let wanted = same - start..rows.len() - behind + end;
            let first = wanted.start;
            let first = first - self.reached(&back, &[rows.get(first)], rows[..first].iter().rev());
            let last = wanted.end;
            let edge = last.checked_sub(1).and_then(|last| rows.get(last));
            let last = last + self.reached(&front, &[edge], rows[last..].iter());
            layout.add(rows, first..last, wanted);
        }
    }

    /// How many of the rows that follow one another are reached: so many, all, or those that are equal in order to
    /// one of the edges.
    fn reached<'a>(
        &self,
        reach: &Reach,
        edges: &[Option<&u32>],
        rows: impl ExactSizeIterator<Item = &'a u32>,
    ) -> usize {
        let count = rows.len();
        if reach.all {
            return count;
        }
        let ties = |row: &u32| {
            let place = self.order.place(*row);
            let mut edges = edges.iter().flatten();
            edges.any(|edge| self.order.place(**edge).ties(place))
        };
        let peers = match reach.peers {
            true => rows.take_while(|row| ties(row)).count(),
            false => 0,
        };
        peers.max(reach.rows.min(count))
    }

    /// The values of the rows that are wanted, a column for each call.
    fn compute(&mut self, layout: &mut Layout) -> Result<Vec<ArrayRef>> {
        let rows = &layout.rows;
        let span = &mut layout.span;
        for part in &span.parts {
            for row in part.rows.clone() {
                let ties = row > part.rows.start
                    && self
                        .order
                        .place(rows[row])
                        .ties(self.order.place(rows[row - 1]));
                span.ties.push(ties);
            }
        }
        let side = &mut self.kept.sides[INPUT];
        if let (Some(column), [order]) = (self.along, self.spec.order_by.as_slice()) {
            let along = side.rows.gather_some(rows, &[column])?;
            let along = along.first();
            let along = along.ok_or_else(|| EngineError::internal("the order has no column"))?;
            span.along = Some(Along::of(along, order.descending)?);
        }
        let columns = side.rows.gather_some(rows, &self.columns)?;
        let column = |at: Option<usize>| {
            let place = at.and_then(|at| self.columns.binary_search(&at).ok());
            place.map(|place| columns[place].clone())
        };
        let call = |call: &OverCall| {
            let default = match call.function {
                OverFunction::Shift { default, .. } => default,
                _ => None,
            };
            let operands = Operands {
                argument: column(call.argument),
                filter: column(call.filter),
                default: column(default),
                ..Operands::default()
            };
            Ok(values(call, span, &operands, false)?.column)
        };
        self.spec.calls.iter().map(call).collect()
    }

    /// Forgets the order if the rows are no longer in memory.
    fn follow(&mut self) {
        if std::mem::replace(&mut self.emptied, self.kept.emptied) != self.kept.emptied {
            self.order.clear();
        }
    }
}

/// Rows of partitions, by number, one behind the other.
#[derive(Default)]
struct Layout {
    rows: Vec<u32>,
    span: Span,
}

impl Layout {
    fn add(
        &mut self,
        rows: &[u32],
        needed: std::ops::Range<usize>,
        wanted: std::ops::Range<usize>,
    ) {
        let start = self.rows.len();
        let at = |row: usize| start + row - needed.start;
        self.span.parts.push(Part {
            rows: at(needed.start)..at(needed.end),
            wanted: at(wanted.start)..at(wanted.end),
            carried: false,
        });
        self.rows.extend(&rows[needed]);
    }

    /// By partition: the rows that values are wanted of, and the position of the first among all of them.
    fn parts(&self) -> impl Iterator<Item = (&[u32], usize)> {
        let mut first = 0;
        self.span.parts.iter().map(move |part| {
            let at = first;
            first += part.wanted.len();
            (&self.rows[part.wanted.clone()], at)
        })
    }
}

impl Operator for Corrected {
    fn process(
        &mut self,
        _input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        self.taking_in = Some(self.begin(batch, now_ms)?);
        self.go_on(output)
    }

    fn has_more(&self) -> bool {
        self.taking_in.is_some()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.go_on(output)
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.kept.next_sweep_ms
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        let order = &mut self.order;
        self.kept.sweep(now_ms, &mut |partition, row| {
            // Of partitions that nothing has asked for the order is not known.
            order.remove(partition, row);
        })?;
        self.follow();
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.kept.size_bytes() + self.order.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.kept.save()?;
        Ok(Some(self.kept.state.as_mut()))
    }
}
