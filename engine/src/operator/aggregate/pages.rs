//! Groups that lie in several places of keyed state, put together in order of their keys, so many at
//! a time as fit into memory.

use super::aggregation::Aggregation;
use super::persist::{GROUPS, GroupsLoader, SetLoader};
use crate::error::Result;
use crate::key::KeyGroup;
use crate::state::{Change, KeyedState, Order, TableId};

/// About how many rows are read at a time.
const PAGE_ROWS: usize = if cfg!(test) { 3 } else { 1 << 16 };
/// The least that is read of each place at a time, so that looking for its beginning pays.
const MIN_ROWS: usize = if cfg!(test) { 1 } else { 64 };
/// How many entries are deleted at a time.
const DELETE_ROWS: usize = if cfg!(test) { 3 } else { 1 << 13 };

/// Behind all keys that begin with the columns of `key` and in front of all other greater keys: what
/// follows is a column again, which begins with 0 or 1.
pub(crate) fn behind(key: &[u8]) -> Vec<u8> {
    join(key, &[0xFF])
}

fn join(a: &[u8], b: &[u8]) -> Vec<u8> {
    [a, b].concat()
}

/// Reads the groups of one key group that lie behind some prefixes, one page after the other.
pub(crate) struct Pages<'s> {
    state: &'s dyn KeyedState,
    group: KeyGroup,
    prefixes: &'s [[u8; 8]],
    from: PageStart,
}

/// Where a page begins; `None` behind the last one.
pub(crate) type PageStart = Option<Vec<u8>>;

/// The first page of a key group.
pub(crate) const FIRST_PAGE: PageStart = Some(Vec::new());

/// Some entries, without their prefix.
#[derive(Default)]
struct Entries {
    data: Vec<u8>,
    /// Where keys and rows end.
    ends: Vec<(usize, usize)>,
}

impl Entries {
    fn push(&mut self, key: &[u8], row: &[u8]) {
        self.data.extend_from_slice(key);
        let key = self.data.len();
        self.data.extend_from_slice(row);
        self.ends.push((key, self.data.len()));
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let spans = starts.zip(&self.ends);
        spans.map(|(start, (key, end))| (&self.data[start..*key], &self.data[*key..*end]))
    }
}

/// Entries of every prefix, up to a common last key.
struct Strip {
    entries: Vec<Entries>,
    /// `None` when these are the last.
    last: Option<Vec<u8>>,
}

impl Strip {
    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let all = self.entries.iter().flat_map(Entries::iter);
        let last = self.last.as_deref();
        all.filter(move |(key, _)| last.is_none_or(|last| *key <= last))
    }
}

impl<'s> Pages<'s> {
    pub(crate) fn new(
        state: &'s dyn KeyedState,
        group: KeyGroup,
        prefixes: &'s [[u8; 8]],
        from: PageStart,
    ) -> Self {
        Pages {
            state,
            group,
            prefixes,
            from,
        }
    }

    /// Where it goes on.
    pub(crate) fn into_start(self) -> PageStart {
        self.from
    }

    /// Adds the groups of the next page to an aggregation that has other pages' groups only; false
    /// when there are no more. The entries of its sets are not kept.
    pub(crate) fn next(&mut self, into: &mut Aggregation) -> Result<bool> {
        let Some(from) = self.from.take() else {
            return Ok(false);
        };
        let strip = self.strip(GROUPS, &from, &[0xFF])?;
        // The rows of a single place say it all, if keyed state has what all calls accumulate.
        let whole = self.prefixes.len() == 1 && into.plan.all_stored();
        let mut loader = match whole {
            true => GroupsLoader::new(into)?,
            false => GroupsLoader::of_parts(into)?,
        };
        for (key, row) in strip.iter() {
            loader.push(into, key, row)?;
        }
        loader.flush(into)?;
        let to = strip.last.map_or_else(|| vec![0xFF], |last| behind(&last));
        if !whole {
            for set in 0..into.plan.sets.len() {
                self.add_entries(set, &from, &to, into)?;
            }
        }
        self.from = (to != [0xFF]).then_some(to);
        Ok(true)
    }

    /// Adds the entries of a set, some at a time: all that there are of a value come together.
    fn add_entries(
        &self,
        set: usize,
        from: &[u8],
        to: &[u8],
        into: &mut Aggregation,
    ) -> Result<()> {
        let mut from = from.to_vec();
        let table = into.plan.stored.table(set)?;
        loop {
            let strip = self.strip(table, &from, to)?;
            let mut loader = SetLoader::of_parts(into, set);
            for (key, row) in strip.iter() {
                loader.push(into, key, row)?;
            }
            loader.flush(into)?;
            into.forget_entries(set);
            match strip.last {
                Some(last) => from = behind(&last),
                None => return Ok(()),
            }
        }
    }

    /// The entries from `from` on and before `to`, of every prefix, as many as fit.
    fn strip(&self, table: TableId, from: &[u8], to: &[u8]) -> Result<Strip> {
        let rows = (PAGE_ROWS / self.prefixes.len().max(1)).max(MIN_ROWS);
        let mut strip = Strip {
            entries: Vec::with_capacity(self.prefixes.len()),
            last: None,
        };
        for prefix in self.prefixes {
            // No further than the others have been read.
            let end = strip.last.as_deref().map(behind);
            let end = join(prefix, end.as_deref().unwrap_or(to));
            let start = join(prefix, from);
            let mut found = Entries::default();
            let mut last = Vec::new();
            let range = start.as_slice()..end.as_slice();
            self.state.scan_range(
                table,
                self.group,
                range,
                Order::Ascending,
                &mut |key, row| {
                    let key = key.get(prefix.len()..).unwrap_or_default();
                    found.push(key, row);
                    let full = found.ends.len() >= rows;
                    if full {
                        last = key.to_vec();
                    }
                    Ok(!full)
                },
            )?;
            if found.ends.len() >= rows {
                strip.last = Some(last);
            }
            strip.entries.push(found);
        }
        Ok(strip)
    }
}

/// Deletes all entries of a table whose keys begin with the columns of `prefix`.
pub(crate) fn delete_prefix(
    state: &mut dyn KeyedState,
    table: TableId,
    group: KeyGroup,
    prefix: &[u8],
) -> Result<()> {
    let end = behind(prefix);
    let mut from = prefix.to_vec();
    loop {
        let mut keys: Vec<Box<[u8]>> = Vec::new();
        let range = from.as_slice()..end.as_slice();
        state.scan_range(table, group, range, Order::Ascending, &mut |key, _| {
            keys.push(key.into());
            Ok(keys.len() < DELETE_ROWS)
        })?;
        let mut changes = keys.iter().map(|key| Change {
            group,
            key,
            value: None,
        });
        state.apply(table, &mut changes)?;
        match keys.last() {
            Some(last) if keys.len() >= DELETE_ROWS => from = behind(last),
            _ => return Ok(()),
        }
    }
}
