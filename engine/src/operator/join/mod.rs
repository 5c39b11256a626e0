//! Joins two inputs: each row is put to the rows of its key that the other input has brought so far.
//!
//! ```text
//!   rows of a batch ──▶ numbers of keys ──▶ pairs with rows of the other side ──▶ condition ──▶ output
//!        │                                       ▲
//!        └──▶ kept for what the other input will bring (`keyed_rows`)
//! ```
//!
//! A batch is matched in parts that are as large as their output may be: candidates are numbers of rows, the
//! condition sees them as columns, and what comes out is gathered column by column. A row that comes makes pairs, one that goes takes its pairs
//! back. Where a row is worth something without a partner (outer, semi and anti joins), its partners
//! are counted, and what it says alone comes and goes as their number leaves or reaches zero. Where event time
//! lets rows go (`time`), it comes once, when they go.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take_arrays;
use arrow::datatypes::{Schema, SchemaRef};

use super::keyed_rows::{Entry, Kept, NONE, Side, comes};
use super::{Operator, OperatorContext, Output, check_width};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::expression::Evaluator;
use crate::graph::{JoinKind, JoinSpec};
use crate::state::KeyedState;
use crate::time::{EventTime, MAX_WATERMARK};
use time::Time;

#[cfg(test)]
mod tests;
mod time;

/// With so many candidates, rows are matched before the next ones get any.
const CANDIDATES: usize = if cfg!(test) { 9 } else { 1 << 16 };
/// So many pairs are put to the condition at a time.
const CONDITION_ROWS: usize = if cfg!(test) { 5 } else { 1 << 13 };
/// So many rows of output are gathered and leave at a time,
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };
/// or as many as make about so many bytes.
const OUTPUT_BYTES: usize = 16 << 20;

/// The join of two inputs.
pub(super) struct Join {
    spec: JoinSpec,
    kept: Kept,
    condition: Option<Evaluator>,
    /// The columns of both inputs, all of which may be NULL.
    pair: SchemaRef,
    output: SchemaRef,
    batch_rows: usize,
    /// The key of each row of the batch.
    numbers: Vec<u32>,
    /// The batch that is being matched.
    matching: Option<Matching>,
    /// How far event time has let rows go, if it does.
    time: Option<Time>,
}

/// A batch on its way.
struct Matching {
    input: usize,
    batch: Batch,
    /// About how many bytes a row has.
    row_bytes: usize,
    now_ms: i64,
    /// The last moments at which its rows are wanted, if event time lets rows go.
    stamps: Option<Vec<i64>>,
    /// How many partners each of the first rows has; the others were not looked at yet.
    matched: Vec<u32>,
    /// Of the rows that follow.
    candidates: Option<Candidates>,
}

/// The rows of the other side that some rows of a batch may be partners of.
struct Candidates {
    rows: Vec<u32>,
    /// By row of the batch: where its candidates end.
    ends: Vec<usize>,
    /// Which of them pass the condition, if there is one.
    passing: Option<Vec<bool>>,
    /// So many rows make a part of the output.
    part_rows: usize,
    /// The row that is being matched, its next candidate, and how many partners it has so far.
    row: usize,
    at: usize,
    count: u32,
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
        check_width("a join", width, output)?;
        let counts =
            |input: usize| pads(spec.kind, input) || spec.kind == JoinKind::Semi && input == 0;
        let side = |input: usize| -> Result<Side> {
            let side = side_spec(spec, input);
            let mut kept = Side::new(&side.rows.0, &side.keys, side.updating, counts(input))?;
            let ttl_ms = spec.input_ttl_ms.get(input).copied().flatten();
            kept.ttl_ms = ttl_ms.map(|ttl_ms| i64::try_from(ttl_ms).unwrap_or(i64::MAX));
            Ok(kept)
        };
        let mut sides = vec![side(0)?, side(1)?];
        if spec.time.is_some() {
            let lives = |side: &Side| side.updating || side.ttl_ms.is_some();
            if sides.iter().any(lives) || spec.ttl_ms > 0 {
                return Err(EngineError::internal(
                    "event time lets rows of a join go that are taken back or have a time to live",
                ));
            }
            let by_time = |side: Side| side.by_time().sorted();
            sides = sides.into_iter().map(by_time).collect();
        }
        Ok(Join {
            condition: condition.transpose()?,
            pair: nullable(&pair),
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            kept: Kept::new(sides, spec.ttl_ms, context)?,
            spec: spec.clone(),
            numbers: Vec::new(),
            matching: None,
            time: spec.time.map(Time::new),
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

    /// The partners that the rows of a batch from `first` on may have, of so many rows as have not too many.
    fn candidates(&mut self, matching: &Matching) -> Result<Candidates> {
        let (input, first) = (matching.input, matching.matched.len());
        let other = &self.kept.sides[1 - input];
        let before = self.kept.expired_before(1 - input, matching.now_ms);
        let (mut rows, mut ends) = (Vec::new(), Vec::new());
        for (row, key) in self.numbers.iter().enumerate().skip(first) {
            let alive = |row: &u32| before.is_none_or(|at| other.entry(*row).stamp > at);
            let stamp = matching.stamps.as_ref().and_then(|stamps| stamps.get(row));
            let near = self.time.as_ref().zip(stamp);
            match near.and_then(|(time, stamp)| time.near(input, *stamp)) {
                Some(stamps) => rows.extend(other.near(*key, &stamps).filter(alive)),
                None => rows.extend(other.of_key(*key).filter(alive)),
            }
            ends.push(rows.len());
            if rows.len() >= CANDIDATES {
                break;
            }
        }
        let row_bytes = matching.row_bytes + other.rows.row_bytes();
        let part_rows = (OUTPUT_BYTES / row_bytes.max(1)).clamp(1, OUTPUT_ROWS);
        let passing = self.passing(matching, &rows, &ends, part_rows)?;
        Ok(Candidates {
            rows,
            ends,
            passing,
            part_rows,
            row: 0,
            at: 0,
            count: 0,
        })
    }

    /// Which candidates pass the condition.
    fn passing(
        &mut self,
        matching: &Matching,
        candidates: &[u32],
        ends: &[usize],
        part_rows: usize,
    ) -> Result<Option<Vec<bool>>> {
        let Some(condition) = &self.condition else {
            return Ok(None);
        };
        let (input, first) = (matching.input, matching.matched.len() as u32);
        let mut own: Vec<u32> = Vec::with_capacity(candidates.len());
        for (row, end) in (first..).zip(ends) {
            own.resize(*end, row);
        }
        let mut passing = Vec::with_capacity(candidates.len());
        let part_rows = part_rows.min(CONDITION_ROWS);
        let parts = own.chunks(part_rows);
        for (own, other) in parts.zip(candidates.chunks(part_rows)) {
            let own: UInt32Array = own.to_vec().into();
            let taken = take_arrays(matching.batch.rows().columns(), &own, None)?;
            let others = self.kept.sides[1 - input].rows.gather(other)?;
            let columns = side_by_side(input, taken, others);
            let rows = rows_of(&self.pair, columns, other.len())?;
            let mask = condition.evaluate_filter(&rows)?;
            passing.extend(mask.iter().map(|passes| passes == Some(true)));
        }
        Ok(Some(passing))
    }

    /// Goes on with the batch that is being matched, until there is some output or all is done.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        let Some(mut matching) = self.matching.take() else {
            return Ok(());
        };
        while matching.matched.len() < matching.batch.num_rows() {
            let mut candidates = match matching.candidates.take() {
                Some(candidates) => candidates,
                None => self.candidates(&matching)?,
            };
            let found = self.match_some(&mut matching, &mut candidates);
            if candidates.row < candidates.ends.len() {
                matching.candidates = Some(candidates);
            }
            let gives = !found.kinds.is_empty();
            self.give(&matching, found, output)?;
            if gives && matching.matched.len() < matching.batch.num_rows() {
                self.matching = Some(matching);
                return Ok(());
            }
        }
        self.keep(&matching)?;
        self.kept.settle()?;
        self.kept.make_room(0)
    }

    /// Puts rows to their candidates, until there is enough for a part of the output.
    fn match_some(&mut self, matching: &mut Matching, candidates: &mut Candidates) -> Found {
        let mut found = Found::default();
        while let Some(end) = candidates.ends.get(candidates.row) {
            let row = matching.matched.len();
            let comes = comes(&matching.batch, row);
            while candidates.at < *end {
                if found.kinds.len() >= candidates.part_rows {
                    return found;
                }
                let at = candidates.at;
                candidates.at += 1;
                if candidates.passing.as_ref().is_some_and(|p| !p[at]) {
                    continue;
                }
                candidates.count += 1;
                let pair = (row as u32, candidates.rows[at], comes);
                self.pair_up(matching.input, pair, matching.now_ms, &mut found);
            }
            let alone = match candidates.count {
                // With event time, when it can have none any more.
                0 => self.time.is_none() && pads(self.spec.kind, matching.input),
                _ => self.spec.kind == JoinKind::Semi && matching.input == 0,
            };
            if alone {
                found.push(row as u32, NONE, kind_of(comes));
            }
            matching.matched.push(std::mem::take(&mut candidates.count));
            candidates.row += 1;
        }
        found
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
        let is_timed = self.time.is_some();
        let other = &mut self.kept.sides[1 - input];
        if !other.counts {
            if pairs {
                found.push(row, partner, kind_of(comes));
            }
            return;
        }
        let Entry { degree, stamp, .. } = *other.entry(partner);
        let now = match comes {
            true => degree.saturating_add(1),
            false => degree.saturating_sub(1),
        };
        other.touch(partner, now, if is_timed { stamp } else { now_ms });
        let (first, last) = (degree == 0 && comes, now == 0 && degree > 0);
        let padded = pads(kind, 1 - input) && !is_timed;
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

    fn give(&mut self, matching: &Matching, found: Found, output: &mut Output) -> Result<()> {
        let (input, batch) = (matching.input, &matching.batch);
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
        let columns = take_arrays(batch.columns(), &own, None)?;
        if !self.gives_pairs() {
            return Ok(columns);
        }
        let other = other.unwrap_or_else(|| {
            let fields = side_spec(&self.spec, 1 - input).rows.0.fields().iter();
            let null =
                |field: &arrow::datatypes::FieldRef| new_null_array(field.data_type(), own.len());
            fields.map(null).collect()
        });
        Ok(side_by_side(input, columns, other))
    }

    fn emit(&self, columns: Vec<ArrayRef>, kinds: Vec<RowKind>, output: &mut Output) -> Result<()> {
        let rows = rows_of(&self.output, columns, kinds.len())?;
        output.emit_chunks(Batch::with_kinds(rows, kinds)?, self.batch_rows);
        Ok(())
    }

    /// Which of the rows that come are kept: all that may be asked for again.
    fn kept_rows(&self, matching: &Matching) -> Vec<u32> {
        let (batch, matched) = (&matching.batch, &matching.matched);
        let come = (0..batch.num_rows()).filter(|row| comes(batch, *row));
        let come = come.map(|row| row as u32);
        let right = &self.kept.sides[1];
        let final_matches = !right.updating && self.kept.is_for_ever(1);
        match (self.spec.kind, matching.input) {
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
    fn keep(&mut self, matching: &Matching) -> Result<()> {
        let kept = self.kept_rows(matching);
        let (input, batch) = (matching.input, &matching.batch);
        let stamps = matching.stamps.as_ref();
        let counts = self.kept.sides[input].counts;
        let arrived = |row: usize| {
            let degree = if counts { matching.matched[row] } else { 0 };
            let stamp = stamps.map_or(matching.now_ms, |own| own[row]);
            (degree, stamp)
        };
        self.kept
            .take_over(input, batch, &self.numbers, kept, &arrived)
    }
}

/// The columns of the left input followed by those of the right one; `own` are those of `input`.
fn side_by_side(input: usize, own: Vec<ArrayRef>, other: Vec<ArrayRef>) -> Vec<ArrayRef> {
    let (mut left, right) = match input {
        0 => (own, other),
        _ => (other, own),
    };
    left.extend(right);
    left
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
        let stamps = self.time.as_ref().map(|time| time.stamps(input, &batch));
        self.matching = Some(Matching {
            input,
            stamps: stamps.transpose()?,
            matched: Vec::with_capacity(batch.num_rows()),
            row_bytes: batch.byte_size() / batch.num_rows(),
            batch,
            now_ms,
            candidates: None,
        });
        self.go_on(output)
    }

    fn has_more(&self) -> bool {
        self.matching.is_some() || self.time.as_ref().is_some_and(Time::is_letting_go)
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        match self.matching {
            Some(_) => self.go_on(output),
            None => self.let_go(output),
        }
    }

    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        match &mut self.time {
            Some(time) => time.begin(watermark),
            None => return Ok(()),
        }
        self.let_go(output)
    }

    fn output_watermark(&self, watermark: EventTime) -> EventTime {
        let time = self.time.as_ref();
        time.map_or(watermark, |time| time.behind(watermark))
    }

    fn finish(&mut self, output: &mut Output) -> Result<()> {
        self.watermark(MAX_WATERMARK, output)
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.kept.next_sweep_ms
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        self.kept.sweep(now_ms, &mut |_, _| {})
    }

    fn memory_bytes(&self) -> usize {
        self.kept.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.kept.save()?;
        Ok(Some(self.kept.state.as_mut()))
    }
}
