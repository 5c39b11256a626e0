//! Sources that make their rows instead of reading them.
//!
//! Every row has a number, and the number alone decides what is in it. So such a source needs no
//! state but numbers: a split is every n-th row, a position is the number of the next one, and a
//! restored job makes exactly the rows that it had not made yet.
//!
//! A fresh job has as many splits as subtasks. A restored one keeps the splits that it had, whatever
//! its parallelism is now, and deals them out among its subtasks.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use levada_engine::connector::{Source, SourceContext, SourceEvent, SplitState};
use levada_engine::element::Batch;
use levada_engine::graph::WireBytes;
use levada_engine::{EngineError, Result};

#[cfg(test)]
mod tests;

/// Makes rows from their numbers.
pub(crate) trait Generator: Send {
    /// How many rows there are; `None` without end.
    fn rows(&self) -> Option<u64>;

    /// The moment at which a row is due, in milliseconds since that of row 0; it never goes back.
    /// `None` if rows are due at once.
    fn due_ms(&self, number: u64) -> Option<i64>;

    /// The rows with these numbers.
    fn batch(&mut self, numbers: Numbers) -> Result<RecordBatch>;
}

/// Some numbers of rows: `first`, `first + stride`, and so on, `count` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub first: u64,
    pub stride: u64,
    pub count: usize,
}

impl Numbers {
    pub(crate) fn iter(self) -> impl Iterator<Item = u64> {
        let Numbers {
            first,
            stride,
            count,
        } = self;
        (0..count as u64).map(move |i| first + i * stride)
    }
}

/// How long to wait at most before looking at the clock again, which may be one that tests drive.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// A source of generated rows.
pub(crate) struct Generated<G> {
    generator: G,
    context: SourceContext,
    splits: Vec<Split>,
    started_ms: i64,
}

/// The rows `residue`, `residue + stride`, and so on.
#[derive(Debug, Clone)]
struct Split {
    name: Arc<str>,
    stride: u64,
    /// The number of the next row.
    next: u64,
    /// The number of the row that was the next one when the source was opened.
    opened_at: u64,
    finished: bool,
    paused: bool,
}

impl Split {
    fn new(residue: u64, stride: u64, next: u64, finished: bool) -> Self {
        let name = format!("{residue}/{stride}").into();
        Self {
            name,
            stride,
            next,
            opened_at: next,
            finished,
            paused: false,
        }
    }

    fn restored(state: &SplitState) -> Result<Self> {
        let parse = || {
            let (residue, stride) = state.split.split_once('/')?;
            let (residue, stride) = (residue.parse().ok()?, stride.parse().ok()?);
            let position: u64 = std::str::from_utf8(&state.position.0).ok()?.parse().ok()?;
            let aligned = stride > 0 && position % stride == residue;
            aligned.then(|| Split::new(residue, stride, position, state.finished))
        };
        parse().ok_or_else(|| {
            EngineError::checkpoint(format!(
                "the checkpoint has a position for '{}' that is not one of generated rows",
                state.split
            ))
            .with_hint("the table had another connector when the checkpoint was taken")
        })
    }

    fn state(&self) -> SplitState {
        SplitState {
            split: self.name.to_string(),
            position: WireBytes(self.next.to_string().into_bytes()),
            watermark: None,
            finished: self.finished,
        }
    }
}

/// What a source does next.
enum Step {
    /// Makes rows of a split, by its place.
    Make(usize, Numbers),
    /// Says that a split has no more rows.
    Finish(usize),
    Wait(Duration),
    End,
}

impl<G: Generator> Generated<G> {
    pub(crate) fn new(generator: G, context: SourceContext) -> Self {
        let started_ms = context.clock.now_ms();
        Self {
            generator,
            context,
            splits: Vec::new(),
            started_ms,
        }
    }

    fn find_splits(&self) -> Result<Vec<Split>> {
        let (index, parallelism) = (
            u64::from(self.context.index),
            u64::from(self.context.parallelism.max(1)),
        );
        let restored = self
            .context
            .restored
            .as_deref()
            .filter(|states| !states.is_empty());
        let Some(states) = restored else {
            return Ok(vec![Split::new(index, parallelism, index, false)]);
        };
        let mut splits = states
            .iter()
            .map(Split::restored)
            .collect::<Result<Vec<_>>>()?;
        splits.sort_by_key(|split| (split.stride, split.next % split.stride));
        let own = splits
            .into_iter()
            .zip(0u64..)
            .filter(|(_, i)| i % parallelism == index);
        Ok(own.map(|(split, _)| split).collect())
    }

    /// Decides what to do at the time `now_ms`, without doing it.
    fn step(&self, now_ms: i64) -> Step {
        let open = self
            .splits
            .iter()
            .enumerate()
            .filter(|(_, split)| !split.finished);
        let furthest_behind = open.clone().filter(|(_, split)| !split.paused);
        let Some((place, split)) = furthest_behind.min_by_key(|(_, split)| split.next) else {
            return if open.count() == 0 {
                Step::End
            } else {
                Step::Wait(LONGEST_WAIT)
            };
        };
        let left = match self.generator.rows() {
            Some(rows) => rows.saturating_sub(split.next).div_ceil(split.stride),
            None => u64::MAX,
        };
        if left == 0 {
            return Step::Finish(place);
        }
        let count = left.min(self.context.batch_rows.max(1) as u64);
        match self.due(split, count, now_ms) {
            Ok(count) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                Step::Make(
                    place,
                    Numbers {
                        first: split.next,
                        stride: split.stride,
                        count,
                    },
                )
            }
            Err(wait) => Step::Wait(wait),
        }
    }

    /// How many of the next `count` rows are due, or how long until the first is.
    fn due(&self, split: &Split, count: u64, now_ms: i64) -> Result<u64, Duration> {
        let moment = |number: u64| {
            let opened = self.generator.due_ms(split.opened_at)?;
            Some(
                self.started_ms
                    .saturating_add(self.generator.due_ms(number)?.saturating_sub(opened)),
            )
        };
        match moment(split.next) {
            None => return Ok(count),
            Some(first) if first > now_ms => {
                let wait = u64::try_from(first.saturating_sub(now_ms)).unwrap_or(0);
                return Err(Duration::from_millis(wait).min(LONGEST_WAIT));
            }
            Some(_) => {}
        }
        // The first is due; look for the last that is.
        let (mut due, mut not_due) = (1, count + 1);
        while not_due - due > 1 {
            let middle = due + (not_due - due) / 2;
            match moment(split.next + (middle - 1) * split.stride) {
                Some(moment) if moment > now_ms => not_due = middle,
                _ => due = middle,
            }
        }
        Ok(due)
    }
}

#[async_trait]
impl<G: Generator> Source for Generated<G> {
    async fn open(&mut self) -> Result<Vec<String>> {
        self.splits = self.find_splits()?;
        self.started_ms = self.context.clock.now_ms();
        let open = self.splits.iter().filter(|split| !split.finished);
        Ok(open.map(|split| split.name.to_string()).collect())
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        loop {
            match self.step(self.context.clock.now_ms()) {
                Step::End => return Ok(SourceEvent::End),
                Step::Wait(wait) => tokio::time::sleep(wait).await,
                Step::Finish(place) => {
                    if let Some(split) = self.splits.get_mut(place) {
                        split.finished = true;
                        return Ok(SourceEvent::SplitFinished(Arc::clone(&split.name)));
                    }
                }
                Step::Make(place, numbers) => {
                    let rows = self.generator.batch(numbers)?;
                    if let Some(split) = self.splits.get_mut(place) {
                        split.next += numbers.count as u64 * split.stride;
                        let split = Arc::clone(&split.name);
                        return Ok(SourceEvent::Rows {
                            split,
                            batch: Batch::inserts(rows),
                        });
                    }
                }
            }
        }
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        Ok(self.splits.iter().map(Split::state).collect())
    }

    fn set_paused(&mut self, split: &str, paused: bool) {
        for known in &mut self.splits {
            if known.name.as_ref() == split {
                known.paused = paused;
            }
        }
    }
}
