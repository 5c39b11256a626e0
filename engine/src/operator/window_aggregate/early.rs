//! Early results: what has changed in windows that have not fired goes out every so often, in processing time, as updates.
//!
//! Of keys that have changed since, the results are remembered that they had then, which are those that were given last:
//! whenever results go out, all that have changed do, and so they do in front of a barrier. So keyed state says nothing of it,
//! and what it has of open windows has been given. When a window fires, what has changed since is what is left to say.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;

use super::refire::{Part, emit_changes, window_of};
use super::sliced::SlicedAggregate;
use crate::error::Result;
use crate::operator::Output;
use crate::operator::window::split::Lateness;

/// Results go out before their time when what is remembered takes so much.
const LIMIT_BYTES: usize = if cfg!(test) { 1 << 14 } else { 32 << 20 };

/// What has changed since early results went out.
pub(super) struct Early {
    delay_ms: i64,
    /// When results go out next; `None` while nothing has changed.
    deadline_ms: Option<i64>,
    /// By window end: the keys that have changed, with what was given last.
    given: BTreeMap<i64, Part>,
}

impl Early {
    pub(super) fn new(delay_ms: u64) -> Self {
        Early {
            delay_ms: i64::try_from(delay_ms).unwrap_or(i64::MAX),
            deadline_ms: None,
            given: BTreeMap::new(),
        }
    }

    pub(super) fn deadline_ms(&self) -> Option<i64> {
        self.deadline_ms
    }

    fn size_bytes(&self) -> usize {
        self.given.values().map(Part::size_bytes).sum()
    }
}

impl SlicedAggregate {
    /// Remembers what was given of keys that are about to change, in the windows of a slice that have not fired.
    pub(super) fn note_given(
        &mut self,
        slice: i64,
        lateness: Lateness,
        keys: &[ArrayRef],
        rows: usize,
        now_ms: i64,
    ) -> Result<()> {
        let Some(mut early) = self.early.take() else {
            return Ok(());
        };
        let ends = self.windows.window_ends(slice);
        let open: Vec<i64> = ends.filter(|end| *end > lateness.watermark).collect();
        self.recall_windows(open.iter().copied(), keys, rows)?;
        for end in &open {
            match early.given.get_mut(end) {
                Some(part) => part.add(self, *end, keys, rows)?,
                None => {
                    let part = window_of(self, *end, keys, rows)?;
                    early.given.insert(*end, part);
                }
            }
        }
        if !open.is_empty() {
            let due = now_ms.saturating_add(early.delay_ms);
            early.deadline_ms.get_or_insert(due);
        }
        self.early = Some(early);
        Ok(())
    }

    /// Gives early results if it is time to, or if too much is remembered.
    pub(super) fn give_early(&mut self, now_ms: i64, output: &mut Output) -> Result<()> {
        let due = |early: &Early| {
            early.deadline_ms.is_some_and(|at| at <= now_ms) || early.size_bytes() > LIMIT_BYTES
        };
        match self.early.as_ref().is_some_and(due) {
            true => self.give_changed(output),
            false => Ok(()),
        }
    }

    /// Gives all that has changed.
    pub(super) fn give_changed(&mut self, output: &mut Output) -> Result<()> {
        let Some(early) = &mut self.early else {
            return Ok(());
        };
        early.deadline_ms = None;
        let given = std::mem::take(&mut early.given);
        for (end, part) in given {
            self.give_changes(end, &part, output)?;
        }
        Ok(())
    }

    /// Gives what has changed in a window that fires.
    pub(super) fn fire_changed(&mut self, window_end: i64, output: &mut Output) -> Result<()> {
        let Some(early) = &mut self.early else {
            return Ok(());
        };
        let given = early.given.remove(&window_end);
        if early.given.is_empty() {
            early.deadline_ms = None;
        }
        match given {
            Some(part) => self.give_changes(window_end, &part, output),
            None => Ok(()),
        }
    }

    fn give_changes(&mut self, window_end: i64, given: &Part, output: &mut Output) -> Result<()> {
        let (keys, rows) = given.keys()?;
        self.recall_windows(std::iter::once(window_end), &keys, rows)?;
        let now = window_of(self, window_end, &keys, rows)?;
        emit_changes(self, window_end, given, &now, output)
    }
}
