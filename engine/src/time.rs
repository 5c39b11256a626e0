//! Event time, watermarks and the clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Event time in milliseconds since the epoch.
///
/// A watermark `w` claims that no row with a time `t < w` will follow; a row with `t < w` behind it
/// is late. A window `[start, end)` is complete when `w >= end`.
pub type EventTime = i64;

/// The watermark before anything is known.
pub const MIN_WATERMARK: EventTime = i64::MIN;
/// The watermark at the end of bounded input: every window is complete.
pub const MAX_WATERMARK: EventTime = i64::MAX;

/// Where processing time comes from; tests drive it by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the one place that reads the machine's clock
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is told otherwise.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now_ms`.
    pub fn new(now_ms: i64) -> Arc<Self> {
        Arc::new(ManualClock(AtomicI64::new(now_ms)))
    }

    /// Moves the clock by `by_ms`.
    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Merges the watermarks of several inputs by their minimum, leaving idle and ended ones out.
///
/// The merged watermark never goes back. When every input has ended it is [`MAX_WATERMARK`]; when
/// all that have not ended are idle it is that of the furthest of them, and
/// [`WatermarkMerger::is_idle`] holds.
#[derive(Debug, Clone, Default)]
pub struct WatermarkMerger<K: Ord + Clone = u32> {
    inputs: BTreeMap<K, Input>,
    merged: Option<EventTime>,
}

#[derive(Debug, Clone, Copy)]
struct Input {
    watermark: EventTime,
    idle: bool,
    ended: bool,
}

impl<K: Ord + Clone> WatermarkMerger<K> {
    /// A merger that waits for all of `inputs`.
    pub fn new(inputs: impl IntoIterator<Item = K>) -> Self {
        let mut merger = WatermarkMerger {
            inputs: BTreeMap::new(),
            merged: None,
        };
        for key in inputs {
            merger.add(key, MIN_WATERMARK);
        }
        merger
    }

    /// Adds an input that stands at `watermark`.
    pub fn add(&mut self, key: K, watermark: EventTime) {
        self.inputs.insert(
            key,
            Input {
                watermark,
                idle: false,
                ended: false,
            },
        );
    }

    /// The watermark of one input, if it is known.
    pub fn of(&self, key: &K) -> Option<EventTime> {
        self.inputs.get(key).map(|i| i.watermark)
    }

    /// The inputs with their watermarks, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, EventTime)> {
        self.inputs.iter().map(|(k, i)| (k, i.watermark))
    }

    /// Moves one input forward; returns the merged watermark if that moved.
    pub fn advance(&mut self, key: &K, watermark: EventTime) -> Option<EventTime> {
        if let Some(input) = self.inputs.get_mut(key) {
            input.idle = false;
            input.watermark = input.watermark.max(watermark);
        }
        self.merge()
    }

    /// Marks an input active again without moving it.
    pub fn activate(&mut self, key: &K) {
        if let Some(input) = self.inputs.get_mut(key) {
            input.idle = false;
        }
    }

    /// Takes a silent input out of the minimum; returns the merged watermark if that moved.
    pub fn idle(&mut self, key: &K) -> Option<EventTime> {
        if let Some(input) = self.inputs.get_mut(key) {
            input.idle = true;
        }
        self.merge()
    }

    /// Takes an input out for good; returns the merged watermark if that moved.
    pub fn end(&mut self, key: &K) -> Option<EventTime> {
        if let Some(input) = self.inputs.get_mut(key) {
            input.ended = true;
        }
        self.merge()
    }

    /// Drops an input that has ended; the merged watermark stays.
    pub fn forget(&mut self, key: &K) {
        self.inputs.remove(key);
    }

    /// The merged watermark.
    pub fn current(&self) -> EventTime {
        self.merged.unwrap_or(MIN_WATERMARK)
    }

    /// Whether every input that has not ended is idle (and at least one has not ended).
    pub fn is_idle(&self) -> bool {
        !self.all_ended() && self.inputs.values().all(|i| i.idle || i.ended)
    }

    /// Whether every input has ended.
    pub fn all_ended(&self) -> bool {
        self.inputs.values().all(|i| i.ended)
    }

    /// Whether an input has ended; unknown inputs have.
    pub fn has_ended(&self, key: &K) -> bool {
        self.inputs.get(key).is_none_or(|i| i.ended)
    }

    /// Whether an input is idle.
    pub fn is_input_idle(&self, key: &K) -> bool {
        self.inputs.get(key).is_some_and(|i| i.idle)
    }

    fn merge(&mut self) -> Option<EventTime> {
        // An input at its end holds nobody back and drives nobody on: others that are silent just
        // now may still have rows.
        let at_end = |i: &&Input| i.ended || i.watermark == MAX_WATERMARK;
        let live = self.inputs.values().filter(|i| !i.idle && !at_end(i));
        let minimum = match live.map(|i| i.watermark).min() {
            Some(minimum) => minimum,
            None if self.inputs.values().all(|i| at_end(&i)) => MAX_WATERMARK,
            // Ended and idle inputs only. Nobody waits for an idle one, so it is the furthest of them
            // that counts, whichever fell silent last; what ended ones said does not, since the idle
            // ones may resume.
            None => {
                let idle = self.inputs.values().filter(|i| i.idle && !at_end(i));
                idle.map(|i| i.watermark).max()?
            }
        };
        if minimum > self.current() {
            self.merged = Some(minimum);
            return Some(minimum);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_one_input_does_not_overtake_silent_ones() {
        let mut merger = WatermarkMerger::new([0u32, 1]);
        assert_eq!(merger.idle(&1), None);
        assert_eq!(merger.advance(&0, 10), Some(10));
        assert_eq!(merger.advance(&0, MAX_WATERMARK), None);
        assert_eq!(merger.end(&0), None);
        assert_eq!(merger.advance(&1, 12), Some(12));
        assert_eq!(merger.advance(&1, MAX_WATERMARK), Some(MAX_WATERMARK));
    }

    #[test]
    fn merged_watermark_is_the_minimum_of_live_inputs_and_never_goes_back() {
        let mut merger = WatermarkMerger::new([0u32, 1]);
        assert_eq!(merger.advance(&0, 10), None);
        assert_eq!(merger.advance(&1, 5), Some(5));
        assert_eq!(merger.idle(&1), Some(10));
        assert_eq!(
            merger.advance(&1, 7),
            None,
            "back from idle, behind: no regress"
        );
        assert_eq!(merger.current(), 10);
        assert_eq!(merger.end(&1), None);
        assert_eq!(merger.advance(&0, 12), Some(12));
        assert_eq!(merger.end(&0), Some(MAX_WATERMARK));
    }

    #[test]
    fn it_does_not_matter_which_input_falls_silent_first() {
        let mut merger = WatermarkMerger::new([0u32, 1]);
        merger.advance(&0, 13);
        assert_eq!(merger.idle(&0), None, "input 1 may have something to say");
        assert_eq!(merger.idle(&1), Some(13));
        let mut merger = WatermarkMerger::new([0u32, 1]);
        assert_eq!(merger.idle(&1), None);
        assert_eq!(merger.advance(&0, 13), Some(13));
        assert_eq!(merger.idle(&0), None);
    }

    #[test]
    fn idle_inputs_alone_hold_the_watermark() {
        let mut merger = WatermarkMerger::new([0u32, 1]);
        merger.advance(&0, 3);
        merger.advance(&1, 4);
        assert_eq!(merger.idle(&0), Some(4));
        assert_eq!(merger.idle(&1), None);
        assert!(merger.is_idle());
        assert_eq!(merger.current(), 4);
    }
}
