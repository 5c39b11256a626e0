//! Joins two inputs: each row is put to the rows of its key that the other input has brought so far.
//!
//! ```text
//!   rows of a batch ──▶ numbers of keys ──▶ pairs with rows of the other side ──▶ condition ──▶ output
//!        │                                       ▲
//!        └──▶ kept for what the other input will bring (`side`, `rows`, `persist`)
//! ```
//!
//! A batch is matched as a whole: candidates are numbers of rows, the condition sees them as columns, and what
//! comes out is gathered column by column. A row that comes makes pairs, one that goes takes its pairs
//! back. Where a row is worth something without a partner (outer, semi and anti joins), its partners
//! are counted, and what it says alone comes and goes as their number leaves or reaches zero.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{Schema, SchemaRef};

use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, RowKind};
use crate::error::{EngineError, Result};
use crate::expression::Evaluator;
use crate::graph::{JoinKind, JoinSpec};
use crate::state::KeyedState;
use kept::Kept;
use rows::NONE;
use side::{Arrival, Side, comes};

mod kept;
mod persist;
mod rows;
mod side;
#[cfg(test)]
mod tests;

/// With so many candidates, rows are matched before the next ones get any.
const CANDIDATES: usize = if cfg!(test) { 9 } else { 1 << 16 };
/// So many pairs are put to the condition at a time.
const CONDITION_ROWS: usize = if cfg!(test) { 5 } else { 1 << 13 };
/// So many rows of output are gathered at a time.
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };

/// The join of two inputs.
pub(super) struct Join {
    spec: JoinSpec,
    kept: Kept,
    condition: Option<Evaluator>,
    /// The columns of both inputs.
    pair: SchemaRef,
    output: SchemaRef,
    batch_rows: usize,
    /// Scratch: the key of each row.
    numbers: Vec<u32>,
}

/// Rows of output: numbers of rows of the batch and of the other side; [`NONE`] for NULLs.
#[derive(Default)]
struct Found {
    own: Vec<u32>,
    other: Vec<u32>,
    kinds: Vec<RowKind>,
}

impl Found {
    fn push(&mut self, own: u32, other: u32, kind: RowKind) {
        self.own.push(own);
        self.other.push(other);
        self.kinds.push(kind);
    }
}

fn kind_of(comes: bool) -> RowKind {
    match comes {
        true => RowKind::Insert,
        false => RowKind::Delete,
    }
}

impl Join {
    pub(super) fn new(
        spec: &JoinSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let fields = |input: usize| side_spec(spec, input).rows.0.fields().iter().cloned();
        let pair: SchemaRef = Arc::new(Schema::new(fields(0).chain(fields(1)).collect::<Vec<_>>()));
        let condition = spec.condition.as_ref();
        let condition = condition.map(|c| Evaluator::new(c, &pair, &context.functions));
        let width = match spec.kind {
            JoinKind::Semi | JoinKind::Anti => fields(0).count(),
            _ => pair.fields().len(),
        };
        if output.fields().len() != width {
            return Err(EngineError::internal(format!(
                "a join of {width} columns for {} output fields",
                output.fields().len()
            )));
        }
        Ok(Join {
            condition: condition.transpose()?,
            pair,
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            kept: Kept::new(spec, context)?,
            spec: spec.clone(),
            numbers: Vec::new(),
        })
    }

    fn gives_pairs(&self) -> bool {
        !matches!(self.spec.kind, JoinKind::Semi | JoinKind::Anti)
    }

    /// Takes off the rows without a key, which have no partner.
    fn with_keys(&self, input: usize, batch: Batch, output: &mut Output) -> Result<Batch> {
        if self.spec.null_equals_null {
            return Ok(batch);
        }
        let mut nulls = None;
        for key in &side_spec(&self.spec, input).keys {
            let column = batch.column(*key).logical_nulls();
            nulls = arrow::buffer::NullBuffer::union(nulls.as_ref(), column.as_ref());
        }
        let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
            return Ok(batch);
        };
        let valid = |wanted: bool| {
            let rows = (0..batch.num_rows()).filter(|row| nulls.is_valid(*row) == wanted);
            UInt32Array::from_iter_values(rows.map(|row| row as u32))
        };
        if pads(self.spec.kind, input) {
            let alone = batch.take(&valid(false))?;
            let mut found = Found::default();
            for row in 0..alone.num_rows() {
                found.push(row as u32, NONE, kind_of(comes(&alone, row)));
            }
            let columns = self.columns(input, alone.rows(), &found.own, None)?;
            self.emit(columns, found.kinds, output)?;
        }
        batch.take(&valid(true))
    }

    /// The partners that the rows of a batch from `first` on may have: for each row, where its candidates end;
    /// of so many rows as have not too many.
    fn candidates(&self, input: usize, first: usize, now_ms: i64) -> (Vec<u32>, Vec<usize>) {
        let other = &self.kept.sides[1 - input];
        let before = self.kept.expired_before(now_ms);
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        for key in self.numbers.iter().skip(first) {
            let alive = |row: &u32| before.is_none_or(|at| other.entry(*row).stamp > at);
            rows.extend(other.of_key(*key).filter(alive));
            ends.push(rows.len());
            if rows.len() >= CANDIDATES {
                break;
            }
        }
        (rows, ends)
    }

    /// Which candidates pass the condition.
    fn passing(
        &mut self,
        input: usize,
        (batch, first): (&Batch, usize),
        candidates: &[u32],
        ends: &[usize],
    ) -> Result<Option<Vec<bool>>> {
        let Some(condition) = &self.condition else {
            return Ok(None);
        };
        let mut own: Vec<u32> = Vec::with_capacity(candidates.len());
        for (row, end) in (first as u32..).zip(ends) {
            own.resize(*end, row);
        }
        let mut passing = Vec::with_capacity(candidates.len());
        let parts = own.chunks(CONDITION_ROWS);
        for (own, other) in parts.zip(candidates.chunks(CONDITION_ROWS)) {
            let own: UInt32Array = own.to_vec().into();
            let columns = batch.rows().columns().iter();
            let mut columns: Vec<ArrayRef> = columns
                .map(|column| take(column, &own, None))
                .collect::<arrow::error::Result<_>>()?;
            let others = self.kept.sides[1 - input].rows.gather(other)?;
            match input {
                0 => columns.extend(others),
                _ => drop(columns.splice(0..0, others)),
            }
            let options = RecordBatchOptions::new().with_row_count(Some(other.len()));
            let pair = nullable(&self.pair);
            let rows = RecordBatch::try_new_with_options(pair, columns, &options)?;
            let mask = condition.evaluate_filter(&rows)?;
            passing.extend(mask.iter().map(|passes| passes == Some(true)));
        }
        Ok(Some(passing))
    }

    /// Matches the rows of a batch; returns how many partners each has.
    fn match_rows(
        &mut self,
        input: usize,
        batch: &Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<Vec<u32>> {
        let mut matched = Vec::with_capacity(batch.num_rows());
        while matched.len() < batch.num_rows() {
            self.match_some(input, batch, now_ms, &mut matched, output)?;
        }
        Ok(matched)
    }

    /// Matches the rows behind those that have been, as many as have not too many candidates.
    fn match_some(
        &mut self,
        input: usize,
        batch: &Batch,
        now_ms: i64,
        matched: &mut Vec<u32>,
        output: &mut Output,
    ) -> Result<()> {
        let first = matched.len();
        let (candidates, ends) = self.candidates(input, first, now_ms);
        let passing = self.passing(input, (batch, first), &candidates, &ends)?;
        let mut found = Found::default();
        let mut start = 0;
        for (row, end) in (first..).zip(ends) {
            let comes = comes(batch, row);
            let mut count = 0;
            for at in start..end {
                if passing.as_ref().is_some_and(|passing| !passing[at]) {
                    continue;
                }
                count += 1;
                self.pair_up(
                    input,
                    (row as u32, candidates[at], comes),
                    now_ms,
                    &mut found,
                );
            }
            start = end;
            let alone = match count {
                0 => pads(self.spec.kind, input),
                _ => self.spec.kind == JoinKind::Semi && input == 0,
            };
            if alone {
                found.push(row as u32, NONE, kind_of(comes));
            }
            matched.push(count);
            if found.kinds.len() >= OUTPUT_ROWS {
                self.give(input, batch, std::mem::take(&mut found), output)?;
            }
        }
        self.give(input, batch, found, output)
    }

    /// A row has met a partner: what that gives, and what the partner said alone.
    fn pair_up(
        &mut self,
        input: usize,
        (row, partner, comes): (u32, u32, bool),
        now_ms: i64,
        found: &mut Found,
    ) {
        let kind = self.spec.kind;
        let pairs = self.gives_pairs();
        let other = &mut self.kept.sides[1 - input];
        if !other.counts {
            if pairs {
                found.push(row, partner, kind_of(comes));
            }
            return;
        }
        let degree = other.entry(partner).degree;
        let now = match comes {
            true => degree.saturating_add(1),
            false => degree.saturating_sub(1),
        };
        other.touch(partner, now, now_ms);
        let (first, last) = (degree == 0 && comes, now == 0 && degree > 0);
        let padded = pads(kind, 1 - input);
        if first && padded {
            found.push(NONE, partner, RowKind::Delete);
        }
        if pairs {
            found.push(row, partner, kind_of(comes));
        }
        if last && padded {
            found.push(NONE, partner, RowKind::Insert);
        }
        if kind == JoinKind::Semi && input == 1 && (first || last) {
            found.push(NONE, partner, kind_of(first));
        }
    }

    fn give(
        &mut self,
        input: usize,
        batch: &Batch,
        found: Found,
        output: &mut Output,
    ) -> Result<()> {
        if found.kinds.is_empty() {
            return Ok(());
        }
        let other = self.kept.sides[1 - input].rows.gather(&found.other)?;
        let columns = match (self.gives_pairs(), input) {
            (true, _) | (false, 0) => self.columns(input, batch.rows(), &found.own, Some(other))?,
            (false, _) => other,
        };
        self.emit(columns, found.kinds, output)
    }

    /// The columns of output, of rows of a batch and of the other side; NULLs without the latter.
    fn columns(
        &self,
        input: usize,
        batch: &RecordBatch,
        own: &[u32],
        other: Option<Vec<ArrayRef>>,
    ) -> Result<Vec<ArrayRef>> {
        let own: UInt32Array = own
            .iter()
            .map(|row| (*row != NONE).then_some(*row))
            .collect();
        let columns = batch.columns().iter();
        let mut columns: Vec<ArrayRef> = columns
            .map(|column| take(column, &own, None))
            .collect::<arrow::error::Result<_>>()?;
        if !self.gives_pairs() {
            return Ok(columns);
        }
        let other = other.unwrap_or_else(|| {
            let fields = side_spec(&self.spec, 1 - input).rows.0.fields().iter();
            let null =
                |field: &arrow::datatypes::FieldRef| new_null_array(field.data_type(), own.len());
            fields.map(null).collect()
        });
        match input {
            0 => columns.extend(other),
            _ => drop(columns.splice(0..0, other)),
        }
        Ok(columns)
    }

    fn emit(&self, columns: Vec<ArrayRef>, kinds: Vec<RowKind>, output: &mut Output) -> Result<()> {
        let options = RecordBatchOptions::new().with_row_count(Some(kinds.len()));
        let rows = RecordBatch::try_new_with_options(self.output.clone(), columns, &options)?;
        output.emit_chunks(Batch::with_kinds(rows, kinds)?, self.batch_rows);
        Ok(())
    }

    /// Which of the rows that come are kept: all that may be asked for again.
    fn kept_rows(&self, input: usize, batch: &Batch, matched: &[u32]) -> Vec<u32> {
        let come = (0..batch.num_rows()).filter(|row| comes(batch, *row));
        let come = come.map(|row| row as u32);
        let right = &self.kept.sides[1];
        let final_matches = !right.updating && self.kept.ttl_ms == 0;
        match (self.spec.kind, input) {
            // It has a partner that stays.
            (JoinKind::Semi | JoinKind::Anti, 0) if final_matches => {
                come.filter(|row| matched[*row as usize] == 0).collect()
            }
            // One partner is as good as many.
            (JoinKind::Semi | JoinKind::Anti, 1) if final_matches && self.condition.is_none() => {
                let mut seen = std::collections::HashSet::new();
                let key = |row: &u32| self.numbers[*row as usize];
                come.filter(|row| !right.has(key(row)) && seen.insert(key(row)))
                    .collect()
            }
            _ => come.collect(),
        }
    }

    /// Keeps the rows that have come, and forgets those that have gone.
    fn keep(&mut self, input: usize, batch: &Batch, matched: &[u32], now_ms: i64) -> Result<()> {
        let kept = self.kept_rows(input, batch, matched);
        let keys: Vec<u32> = kept.iter().map(|row| self.numbers[*row as usize]).collect();
        let (_, groups) = self.kept.keys.groups_of(&keys)?;
        let side = &mut self.kept.sides[input];
        let contents = side.contents_of(batch.rows())?;
        let places = side.add(batch.rows(), &kept, &contents)?;
        let mut added = kept.into_iter().zip(places).zip(groups).peekable();
        let take_back = |side: &mut Side, row: u32| match side.find(contents[row as usize]) {
            Some(place) => side.remove(place),
            // It has expired, or was not worth keeping.
            None => Ok(()),
        };
        for row in 0..batch.num_rows() as u32 {
            if !comes(batch, row as usize) {
                take_back(side, row)?;
            } else if let Some(((_, place), group)) = added.next_if(|((at, _), _)| *at == row) {
                let degree = if side.counts {
                    matched[row as usize]
                } else {
                    0
                };
                let arrival = Arrival {
                    key: self.numbers[row as usize],
                    degree,
                    id: self.kept.ids.next(group)?,
                    stamp: now_ms,
                };
                side.link(place, arrival);
                side.touch(place, degree, now_ms);
            }
        }
        Ok(())
    }
}

fn side_spec(spec: &JoinSpec, input: usize) -> &crate::graph::JoinInput {
    match input {
        0 => &spec.left,
        _ => &spec.right,
    }
}

/// Whether rows of an input come out alone where they have no partner.
fn pads(kind: JoinKind, input: usize) -> bool {
    match kind {
        JoinKind::Inner | JoinKind::Semi => false,
        JoinKind::Left | JoinKind::Anti => input == 0,
        JoinKind::Right => input == 1,
        JoinKind::Full => true,
    }
}

/// The same columns, all of which may be NULL.
fn nullable(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields = fields.map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

impl Operator for Join {
    fn process(
        &mut self,
        input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        if input > 1 {
            return Err(EngineError::internal("a join of more than two inputs"));
        }
        let batch = self.with_keys(input, batch, output)?;
        if batch.is_empty() {
            return Ok(());
        }
        let mut numbers = std::mem::take(&mut self.numbers);
        let interned = self.kept.intern(input, &batch, &mut numbers);
        self.numbers = numbers;
        interned?;
        let matched = self.match_rows(input, &batch, now_ms, output)?;
        self.keep(input, &batch, &matched, now_ms)?;
        self.kept.settle()?;
        self.kept.make_room(&self.spec)
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.kept.next_sweep_ms
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        self.kept.sweep(&self.spec, now_ms)
    }

    fn memory_bytes(&self) -> usize {
        self.kept.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.kept.save()?;
        Ok(Some(self.kept.state.as_mut()))
    }
}
