//! Rows meet the version that is there when they come.

use super::{Change, LEFT, NONE, OUTPUT_ROWS, RIGHT, VersionedTable};
use crate::element::Batch;
use crate::error::Result;
use crate::operator::{Operator, Output};
use crate::state::KeyedState;

/// A temporal join in processing time: keeps the last version of each key.
pub(super) struct ProcessingTimeJoin {
    table: VersionedTable,
}

impl ProcessingTimeJoin {
    pub(super) fn new(table: VersionedTable) -> Self {
        ProcessingTimeJoin { table }
    }

    fn left(&mut self, batch: Batch, now_ms: i64, output: &mut Output) -> Result<()> {
        let table = &mut self.table;
        let batch = table.without(table.null_keys(LEFT, &batch), batch, output)?;
        if batch.is_empty() {
            return Ok(());
        }
        table.intern(LEFT, &batch)?;
        let expired = table.kept.expired_before(RIGHT, now_ms);
        let side = &table.kept.sides[RIGHT];
        let alive = |row: &u32| expired.is_none_or(|at| side.entry(*row).stamp > at);
        let version = |key: &u32| side.of_key(*key).find(alive).unwrap_or(NONE);
        let versions: Vec<u32> = table.numbers.iter().map(version).collect();
        for (part, versions) in versions.chunks(OUTPUT_ROWS).enumerate() {
            let rows = batch.rows().slice(part * OUTPUT_ROWS, versions.len());
            table.give(rows.columns(), versions.to_vec(), output)?;
        }
        Ok(())
    }

    /// Of the changes of a key within a batch the last one counts.
    fn right(&mut self, batch: &Batch, now_ms: i64) -> Result<()> {
        let table = &mut self.table;
        let changes = table.changes(batch)?;
        table.intern(RIGHT, batch)?;
        let mut seen = hashbrown::HashSet::new();
        let mut begin = Vec::new();
        for (row, change) in changes.iter().enumerate().rev() {
            let key = table.numbers[row];
            if *change == Change::Nothing || !seen.insert(key) {
                continue;
            }
            let side = &mut table.kept.sides[RIGHT];
            let before = side.of_key(key).next();
            before.map(|row| side.remove(row)).transpose()?;
            if *change == Change::Begins {
                begin.push(row as u32);
            }
        }
        begin.reverse();
        table.keep(RIGHT, batch, &begin, |_| (now_ms, true))
    }
}

impl Operator for ProcessingTimeJoin {
    fn process(
        &mut self,
        input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()> {
        match input {
            LEFT => self.left(batch, now_ms, output)?,
            _ => self.right(&batch, now_ms)?,
        }
        self.table.kept.settle()?;
        self.table.kept.make_room(0)
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.table.kept.next_sweep_ms
    }

    fn timer(&mut self, now_ms: i64, _output: &mut Output) -> Result<()> {
        self.table.kept.sweep(now_ms, &mut |_, _| {})
    }

    fn memory_bytes(&self) -> usize {
        self.table.kept.size_bytes()
    }

    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        self.table.kept.save()?;
        Ok(Some(self.table.kept.state.as_mut()))
    }
}
