//! Which numbered things have changed since they were last written to keyed state.

/// Dirty and persisted marks by number.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    dirty: Vec<bool>,
    persisted: Vec<bool>,
    list: Vec<u32>,
}

impl Tracker {
    /// Makes room for `0..count`; new ones are clean and not persisted.
    pub(crate) fn resize(&mut self, count: usize) {
        self.dirty.resize(count, false);
        self.persisted.resize(count, false);
    }

    /// Marks one as changed.
    #[inline]
    pub(crate) fn mark(&mut self, number: u32) {
        let dirty = &mut self.dirty[number as usize];
        if !*dirty {
            *dirty = true;
            self.list.push(number);
        }
    }

    /// Takes the list of what has changed; some of it may have been forgotten since.
    pub(crate) fn take(&mut self) -> Vec<u32> {
        let list = std::mem::take(&mut self.list);
        for number in &list {
            self.dirty[*number as usize] = false;
        }
        list
    }

    /// Notes that keyed state has these.
    pub(crate) fn persist(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.persisted[*number as usize] = true;
        }
    }

    /// Whether keyed state has this one.
    pub(crate) fn is_persisted(&self, number: u32) -> bool {
        self.persisted[number as usize]
    }

    /// Notes that keyed state does not (or will no longer) have this one.
    pub(crate) fn forget(&mut self, number: u32) {
        self.persisted[number as usize] = false;
    }
}
