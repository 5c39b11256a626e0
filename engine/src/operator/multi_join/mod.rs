//! Joins several inputs on one key: each row is put to all combinations of the rows of its key that the other inputs have
//! brought so far.
//!
//! ```text
//!   rows of a batch ──▶ numbers of keys ──▶ rows of the others, by key ──▶ all combinations ──▶ output
//!        │                                       ▲
//!        └──▶ kept for what other inputs will bring (`keyed_rows`)
//! ```
//!
//! A chain of joins would keep what each of them gives; here the rows of the inputs are kept and nothing else. Conditions
//! are equal keys alone, so what a row gives depends on its key and not on single partners: an input that may be missing
//! (LEFT JOIN) stands beside NULLs as long as it has no row of the key at all.

use std::collections::{HashMap, VecDeque};

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;

use super::keyed_rows::{Kept, NONE, Side, comes};
use super::{Operator, OperatorContext, Output};
use crate::element::{Batch, RowKind, rows_of};
use crate::error::{EngineError, Result};
use crate::graph::MultiJoinSpec;
use crate::state::KeyedState;

#[cfg(test)]
mod tests;

/// So many rows of output are gathered and leave at a time,
const OUTPUT_ROWS: usize = if cfg!(test) { 7 } else { 1 << 14 };
/// or as many as make about so many bytes.
const OUTPUT_BYTES: usize = 16 << 20;

/// The join of several inputs.
pub(super) struct MultiJoin {
    spec: MultiJoinSpec,
    kept: Kept,
    output: SchemaRef,
    batch_rows: usize,
    /// The key of each row of the batch.
    numbers: Vec<u32>,
    /// The batch that is being matched.
    matching: Option<Matching>,
}

/// A batch on its way.
struct Matching {
    input: usize,
    batch: Batch,
    now_ms: i64,
    /// So many rows make a part of the output.
    part_rows: usize,
    /// The row that is looked at next.
    row: usize,
    /// What the row before it gives yet.
    given: VecDeque<Combinations>,
    /// How many rows the input has of keys of the batch, with those of the batch so far; if it may be missing.
    counts: HashMap<u32, u64>,
}

/// All combinations of rows of the inputs.
struct Combinations {
    kind: RowKind,
    /// By input.
    rows: Vec<Vec<u32>>,
    /// The next combination: by input, the place of its row.
    at: Vec<usize>,
    is_over: bool,
}

/// Rows of output: by input, numbers of rows; [`NONE`] for NULLs.
struct Found {
    rows: Vec<Vec<u32>>,
    kinds: Vec<RowKind>,
}

impl Combinations {
    /// None if an input has no row.
    fn new(kind: RowKind, rows: Vec<Vec<u32>>) -> Self {
        Combinations {
            kind,
            at: vec![0; rows.len()],
            is_over: rows.iter().any(Vec::is_empty),
            rows,
        }
    }

    /// Moves some of them, as long as there are less than `most`.
    fn give(&mut self, found: &mut Found, most: usize) {
        while !self.is_over && found.kinds.len() < most {
            for ((numbers, rows), at) in found.rows.iter_mut().zip(&self.rows).zip(&self.at) {
                numbers.push(rows[*at]);
            }
            found.kinds.push(self.kind);
            self.step();
        }
    }

    /// The last input goes first.
    fn step(&mut self) {
        for (at, rows) in self.at.iter_mut().zip(&self.rows).rev() {
            *at += 1;
            if *at < rows.len() {
                return;
            }
            *at = 0;
        }
        self.is_over = true;
    }
}

impl MultiJoin {
    pub(super) fn new(
        spec: &MultiJoinSpec,
        output: &SchemaRef,
        context: OperatorContext,
    ) -> Result<Self> {
        let width = |input: usize| {
            spec.inputs
                .get(input)
                .map_or(0, |i| i.rows.0.fields().len())
        };
        let there = |(input, column): &(usize, usize)| *column < width(*input);
        let fits = spec.columns.len() == output.fields().len() && spec.columns.iter().all(there);
        if !fits || spec.padded.len() != spec.inputs.len() {
            return Err(EngineError::internal(
                "a join of several inputs gives other columns than it has",
            ));
        }
        if spec.ttl_ms > 0 && spec.padded.contains(&true) {
            return Err(EngineError::internal(
                "rows whose partners may be missing have a time to live",
            ));
        }
        let side = |input: &crate::graph::JoinInput| {
            Side::new(&input.rows.0, &input.keys, input.updating, false)
        };
        let sides = spec.inputs.iter().map(side).collect::<Result<Vec<_>>>()?;
        Ok(MultiJoin {
            output: output.clone(),
            batch_rows: context.batch_rows.max(1),
            kept: Kept::new(sides, spec.ttl_ms, context)?,
            spec: spec.clone(),
            numbers: Vec::new(),
            matching: None,
        })
    }

    fn is_padded(&self, input: usize) -> bool {
        self.spec.padded.get(input).copied().unwrap_or(false)
    }

    /// Whether rows of an input come out if no other has a row.
    fn stands_alone(&self, input: usize) -> bool {
        let mut others = (0..self.spec.inputs.len()).filter(|other| *other != input);
        others.all(|other| self.is_padded(other))
    }

    /// Takes off the rows without a key, which have no partner.
    fn with_keys(&self, input: usize, batch: Batch, output: &mut Output) -> Result<Batch> {
        let keys = self.spec.inputs.get(input).map(|input| &input.keys);
        let mut nulls = None;
        for key in keys.into_iter().flatten() {
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
        if !self.is_padded(input) && self.stands_alone(input) {
            let alone = batch.take(&valid(false))?;
            let kinds = (0..alone.num_rows()).map(|row| kind_of(comes(&alone, row)));
            let own: Vec<u32> = (0..alone.num_rows() as u32).collect();
            let own = UInt32Array::from(own);
            let none = vec![NONE; alone.num_rows()];
            let found = Found {
                rows: vec![none; self.spec.inputs.len()],
                kinds: kinds.collect(),
            };
            let mut kept = NoRows(&self.spec);
            let columns = columns(&self.spec, input, (&alone, &own), &found, &mut kept)?;
            self.emit(columns, found.kinds, output)?;
        }
        batch.take(&valid(true))
    }

    /// What the next row of the batch gives.
    fn match_row(&self, matching: &mut Matching) {
        let (input, row) = (matching.input, matching.row);
        let key = self.numbers[row];
        let comes = comes(&matching.batch, row);
        matching.row += 1;
        let mut rows = Vec::with_capacity(self.spec.inputs.len());
        for (other, side) in self.kept.sides.iter().enumerate() {
            if other == input {
                rows.push(vec![row as u32]);
                continue;
            }
            let before = self.kept.expired_before(other, matching.now_ms);
            let alive = |row: &u32| before.is_none_or(|at| side.entry(*row).stamp > at);
            let mut of_key: Vec<u32> = side.of_key(key).filter(alive).collect();
            if of_key.is_empty() && self.is_padded(other) {
                of_key.push(NONE);
            }
            rows.push(of_key);
        }
        let mut missing = None;
        if self.is_padded(input) {
            let own = &self.kept.sides[input];
            let count = matching.counts.entry(key);
            let count = count.or_insert_with(|| own.of_key(key).count() as u64);
            let before = *count;
            *count = match comes {
                true => before + 1,
                false => before.saturating_sub(1),
            };
            let first_or_last = if comes { before == 0 } else { *count == 0 };
            missing = first_or_last.then(|| {
                let mut rows = rows.clone();
                rows[input] = vec![NONE];
                Combinations::new(kind_of(!comes), rows)
            });
        }
        let own = Combinations::new(kind_of(comes), rows);
        // What goes, goes first.
        let mut given = [Some(own), missing];
        if comes {
            given.reverse();
        }
        let given = given.into_iter().flatten();
        matching.given.extend(given.filter(|given| !given.is_over));
    }

    /// Goes on with the batch that is being matched, until there is some output or all is done.
    fn go_on(&mut self, output: &mut Output) -> Result<()> {
        let Some(mut matching) = self.matching.take() else {
            return Ok(());
        };
        let mut found = Found {
            rows: vec![Vec::new(); self.spec.inputs.len()],
            kinds: Vec::new(),
        };
        loop {
            if let Some(first) = matching.given.front_mut() {
                first.give(&mut found, matching.part_rows);
                if first.is_over {
                    matching.given.pop_front();
                }
            } else if matching.row < matching.batch.num_rows() {
                self.match_row(&mut matching);
            } else {
                break;
            }
            if found.kinds.len() >= matching.part_rows {
                break;
            }
        }
        if !found.kinds.is_empty() {
            let own: UInt32Array = nullable(&found.rows[matching.input]);
            let of = (&matching.batch, &own);
            let columns = columns(&self.spec, matching.input, of, &found, &mut self.kept)?;
            self.emit(columns, found.kinds, output)?;
        }
        if !matching.given.is_empty() || matching.row < matching.batch.num_rows() {
            self.matching = Some(matching);
            return Ok(());
        }
        let all: Vec<u32> = (0..matching.batch.num_rows() as u32)
            .filter(|row| comes(&matching.batch, *row as usize))
            .collect();
        let now_ms = matching.now_ms;
        let arrived = |_: usize| (0, now_ms);
        self.kept.take_over(
            matching.input,
            &matching.batch,
            &self.numbers,
            all,
            &arrived,
        )?;
        self.kept.settle()?;
        self.kept.make_room(0)
    }

    fn emit(&self, columns: Vec<ArrayRef>, kinds: Vec<RowKind>, output: &mut Output) -> Result<()> {
        let rows = rows_of(&self.output, columns, kinds.len())?;
        output.emit_chunks(Batch::with_kinds(rows, kinds)?, self.batch_rows);
        Ok(())
    }
}

fn kind_of(comes: bool) -> RowKind {
    match comes {
        true => RowKind::Insert,
        false => RowKind::Delete,
    }
}

fn nullable(rows: &[u32]) -> UInt32Array {
    let rows = rows.iter().map(|row| (*row != NONE).then_some(*row));
    rows.collect()
}

/// Where the columns of the rows of other inputs come from.
trait Gather {
    /// Some columns of rows of an input, by number; NULLs for [`NONE`].
    fn gather(&mut self, input: usize, rows: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>>;
}

impl Gather for Kept {
    fn gather(&mut self, input: usize, rows: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>> {
        self.sides[input].rows.gather_some(rows, columns)
    }
}

/// The other inputs have no rows.
struct NoRows<'a>(&'a MultiJoinSpec);

impl Gather for NoRows<'_> {
    fn gather(&mut self, input: usize, rows: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>> {
        let schema = &self.0.inputs[input].rows.0;
        let null = |column: &usize| {
            arrow::array::new_null_array(schema.field(*column).data_type(), rows.len())
        };
        Ok(columns.iter().map(null).collect())
    }
}

/// The columns of output: those of `input` are taken from a batch, those of the others are gathered.
fn columns(
    spec: &MultiJoinSpec,
    input: usize,
    (batch, own): (&Batch, &UInt32Array),
    found: &Found,
    others: &mut dyn Gather,
) -> Result<Vec<ArrayRef>> {
    let mut by_input = Vec::with_capacity(spec.inputs.len());
    for (other, rows) in found.rows.iter().enumerate() {
        let wanted = spec.columns.iter().filter(|(of, _)| *of == other);
        let wanted: Vec<usize> = wanted.map(|(_, column)| *column).collect();
        let gathered = match other == input {
            true => {
                let taken = wanted
                    .iter()
                    .map(|column| take(batch.column(*column), own, None));
                taken.collect::<std::result::Result<Vec<_>, _>>()?
            }
            false if wanted.is_empty() => Vec::new(),
            false => others.gather(other, rows, &wanted)?,
        };
        by_input.push(gathered.into_iter());
    }
    let mut columns = Vec::with_capacity(spec.columns.len());
    for (of, _) in &spec.columns {
        let next = by_input.get_mut(*of).and_then(Iterator::next);
        columns.push(next.ok_or_else(|| EngineError::internal("a row lacks a column"))?);
    }
    Ok(columns)
}

impl Operator for MultiJoin {
    fn process(
        &mut self,
        input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        if input >= self.spec.inputs.len() {
            return Err(EngineError::internal("a join has no such input"));
        }
        let batch = self.with_keys(input, batch, output)?;
        if batch.is_empty() {
            return Ok(());
        }
        let mut numbers = std::mem::take(&mut self.numbers);
        let interned = self.kept.intern(input, &batch, &mut numbers);
        self.numbers = numbers;
        interned?;
        let own = batch.byte_size() / batch.num_rows();
        let others = self.kept.sides.iter().map(|side| side.rows.row_bytes());
        let row_bytes = own + others.sum::<usize>();
        self.matching = Some(Matching {
            input,
            batch,
            now_ms,
            part_rows: (OUTPUT_BYTES / row_bytes.max(1)).clamp(1, OUTPUT_ROWS),
            row: 0,
            given: VecDeque::new(),
            counts: HashMap::new(),
        });
        self.go_on(output)
    }

    fn has_more(&self) -> bool {
        self.matching.is_some()
    }

    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        self.go_on(output)
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
