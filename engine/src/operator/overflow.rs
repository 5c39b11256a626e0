//! What operators share whose keyed state may be on disk only: when to make room, and where to look for what
//! has expired.

use crate::key::KeyGroup;
use crate::memory::Share;
use crate::state::KeyedState;

/// Keyed state that may have more than what is in memory.
pub(crate) struct Overflow {
    share: Share,
    used: bool,
    /// The key group that is looked through for what has expired next.
    next_group: KeyGroup,
}

impl Overflow {
    /// `None` if the state keeps nothing.
    pub(crate) fn new(state: &dyn KeyedState, share: Share) -> Option<Self> {
        state.keeps().then(|| Overflow {
            share,
            used: !state.is_empty(),
            next_group: state.key_groups().start,
        })
    }

    /// Whether keyed state may have something that is not in memory.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// Notes how many bytes the working set holds; true if it must go to disk, where it is from then on.
    pub(crate) fn must_make_room(&mut self, bytes: usize) -> bool {
        let must = self.share.hold(bytes as u64);
        self.used |= must;
        must
    }

    /// Notes that the working set holds nothing.
    pub(crate) fn emptied(&mut self) {
        self.share.hold(0);
    }

    /// The key group to look through now, and when to look at the next one, in milliseconds, so that all are
    /// looked at once in `pause_ms`.
    pub(crate) fn next_sweep(&mut self, state: &dyn KeyedState, pause_ms: i64) -> (KeyGroup, i64) {
        let range = state.key_groups();
        let group = self.next_group;
        self.next_group = match group + 1 < range.end {
            true => group + 1,
            false => range.start,
        };
        let groups = i64::from(range.end.saturating_sub(range.start)).max(1);
        (group, (pause_ms / groups).max(10))
    }
}
