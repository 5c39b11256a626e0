//! The watermark up to which an operator has given results, in keyed state.

use arrow::array::{ArrayRef, UInt32Array};

use crate::element::Batch;
use crate::error::{EngineError, Result};
use crate::key::{KeyGroup, KeyGroupRange};
use crate::operator::aggregate::persist::key_groups;
use crate::state::{Change, KeyedState, TableId};
use crate::time::{EventTime, MIN_WATERMARK};

/// Per key group the watermark, under an empty key.
pub(super) const WATERMARKS: TableId = TableId(0);

/// The watermark that an entry of [`WATERMARKS`] says.
pub(super) fn stored_watermark(value: &[u8]) -> Result<EventTime> {
    let bytes = <[u8; 8]>::try_from(value).map_err(|_| damaged())?;
    Ok(i64::from_be_bytes(bytes))
}

fn damaged() -> EngineError {
    EngineError::state("the watermark of an operator is damaged in its state")
        .with_hint("restore from another checkpoint or savepoint")
}

/// Tells a restored operator which windows have fired and which rows are late.
///
/// At an aligned barrier all subtasks stand at one watermark. At an unaligned one they do not, and
/// key groups that come together from several subtasks have got differently far. The operator then
/// stands at the least of their watermarks, and each group keeps its own as a *floor* until the
/// operator has come as far: to the group it is as late as its floor says.
pub(super) struct Watermarks {
    key_groups: KeyGroupRange,
    max_parallelism: u32,
    /// The watermark that was read or last written, of all groups without a floor ahead of it.
    saved: EventTime,
    /// By key group, from the first on; empty when none is ahead of the operator, as ever but after
    /// such a restore.
    floors: Vec<EventTime>,
}

impl Watermarks {
    /// Reads the watermarks. A group without one was saved before the first watermark came.
    pub(super) fn load(state: &dyn KeyedState, max_parallelism: u32) -> Result<Self> {
        let range = state.key_groups();
        let groups = usize::from(range.end.saturating_sub(range.start));
        let mut floors = vec![MIN_WATERMARK; groups];
        state.scan(WATERMARKS, &mut |group, _, value| {
            let at = usize::from(group.checked_sub(range.start).ok_or_else(damaged)?);
            *floors.get_mut(at).ok_or_else(damaged)? = stored_watermark(value)?;
            Ok(())
        })?;
        let least = floors.iter().min().copied().unwrap_or(MIN_WATERMARK);
        let mut watermarks = Watermarks {
            key_groups: range,
            max_parallelism,
            saved: least,
            floors,
        };
        watermarks.pass(least);
        Ok(watermarks)
    }

    /// Where the operator stands: the watermark that was read or last written.
    pub(super) fn current(&self) -> EventTime {
        self.saved
    }

    /// The highest floor; the least watermark when there is none.
    pub(super) fn highest(&self) -> EventTime {
        self.floors.iter().max().copied().unwrap_or(MIN_WATERMARK)
    }

    /// Whether some key groups are ahead of the operator.
    pub(super) fn differ(&self) -> bool {
        !self.floors.is_empty()
    }

    /// How far a key group was when it was saved, if that may be ahead of the operator.
    pub(super) fn floor(&self, group: KeyGroup) -> EventTime {
        let at = usize::from(group.saturating_sub(self.key_groups.start));
        self.floors.get(at).copied().unwrap_or(MIN_WATERMARK)
    }

    /// The floors of rows with these keys, which choose the key group.
    pub(super) fn floors_of(&self, keys: &[ArrayRef], rows: usize) -> Result<Vec<EventTime>> {
        let groups = key_groups(keys, rows, self.max_parallelism)?;
        Ok(groups.iter().map(|group| self.floor(*group)).collect())
    }

    /// The operator has come to `watermark`: floors that are all behind it are forgotten.
    pub(super) fn pass(&mut self, watermark: EventTime) {
        if self.floors.iter().all(|floor| *floor <= watermark) {
            self.floors = Vec::new();
        }
    }

    /// Divides rows by how far their key groups have come, the operator being at `watermark`.
    pub(super) fn divide(
        &self,
        batch: Batch,
        keys: &[ArrayRef],
        watermark: EventTime,
    ) -> Result<Vec<(EventTime, Batch)>> {
        if !self.differ() {
            return Ok(vec![(watermark, batch)]);
        }
        let mut parts: Vec<(EventTime, Vec<u32>)> = Vec::new();
        let floors = self.floors_of(keys, batch.num_rows())?;
        for (row, floor) in floors.into_iter().enumerate() {
            let reached = floor.max(watermark);
            match parts.iter_mut().find(|(of, _)| *of == reached) {
                Some((_, rows)) => rows.push(row as u32),
                None => parts.push((reached, vec![row as u32])),
            }
        }
        let part = |(reached, rows)| Ok((reached, batch.take(&UInt32Array::from(rows))?));
        parts.into_iter().map(part).collect()
    }

    /// Writes the watermark, if it has moved, for every key group that is not ahead of it.
    pub(super) fn save(&mut self, watermark: EventTime, state: &mut dyn KeyedState) -> Result<()> {
        if watermark == self.saved {
            return Ok(());
        }
        let value = watermark.to_be_bytes();
        let range = self.key_groups;
        let behind = (range.start..range.end).filter(|group| self.floor(*group) <= watermark);
        let mut changes = behind.map(|group| Change {
            group,
            key: &[],
            value: Some(&value),
        });
        state.apply(WATERMARKS, &mut changes)?;
        self.saved = watermark;
        Ok(())
    }
}
