//! What makes rows with their values before those after.

use hashbrown::HashSet;

use crate::element::RowKind;

/// Rows of a partition in order, and the position of the first one's values.
type Valued<'a> = (&'a [u32], usize);

/// Changes of rows: of each partition first those that are gone, then those with other values, then those that
/// are new.
pub(super) struct Difference<'a> {
    gone: HashSet<u32>,
    update_before: bool,
    same: &'a dyn Fn(usize, usize) -> bool,
    /// The rows,
    pub(super) rows: Vec<u32>,
    /// where their values are: in those before (0) or after (1),
    pub(super) values: Vec<(usize, usize)>,
    /// and what happens to them.
    pub(super) kinds: Vec<RowKind>,
}

impl<'a> Difference<'a> {
    /// `same` says whether values before and after are equal, by position.
    pub(super) fn new(
        gone: &[u32],
        update_before: bool,
        same: &'a dyn Fn(usize, usize) -> bool,
    ) -> Self {
        Difference {
            gone: gone.iter().copied().collect(),
            update_before,
            same,
            rows: Vec::new(),
            values: Vec::new(),
            kinds: Vec::new(),
        }
    }

    fn push(&mut self, row: u32, values: (usize, usize), kind: RowKind) {
        self.rows.push(row);
        self.values.push(values);
        self.kinds.push(kind);
    }

    /// Adds those of a partition. Rows that are in both are in the same order in both.
    pub(super) fn add(&mut self, (before, old): Valued<'_>, (after, new): Valued<'_>) {
        let mut updated: Vec<(u32, usize, usize)> = Vec::new();
        let mut inserted: Vec<(u32, usize)> = Vec::new();
        let mut rest = after.iter().enumerate().peekable();
        for (at, row) in before.iter().enumerate() {
            if self.gone.contains(row) {
                self.push(*row, (0, old + at), RowKind::Delete);
                continue;
            }
            while let Some((at, new_row)) = rest.next_if(|(_, other)| *other != row) {
                inserted.push((*new_row, new + at));
            }
            if let Some((now, _)) = rest.next()
                && !(self.same)(old + at, new + now)
            {
                updated.push((*row, old + at, new + now));
            }
        }
        inserted.extend(rest.map(|(at, row)| (*row, new + at)));
        for (row, old, new) in updated {
            if self.update_before {
                self.push(row, (0, old), RowKind::UpdateBefore);
            }
            self.push(row, (1, new), RowKind::UpdateAfter);
        }
        for (row, new) in inserted {
            self.push(row, (1, new), RowKind::Insert);
        }
    }
}
