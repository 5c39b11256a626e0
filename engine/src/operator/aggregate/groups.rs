//! From keys to group numbers: a hash table over columns of keys.
//!
//! A batch is looked up by 64-bit hashes alone, column-wise comparison then checks that no two
//! different keys met in a hash, and only rows where they did take the slow path. So a batch costs
//! one probe per row and one tight loop per key column, whatever the types.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;
use xxhash_rust::xxh3::xxh3_64;

use super::lane::{Lane, LaneKind, Values};
use super::store::LaneStore;
use crate::error::{EngineError, Result};

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    group: u32,
}

/// Numbers keys densely, in order of appearance; numbers of removed keys are used again.
#[derive(Debug)]
pub(crate) struct GroupTable {
    table: HashTable<Entry>,
    stores: Vec<LaneStore>,
    /// The hash of every group, live or not.
    hashes: Vec<u64>,
    live: Vec<bool>,
    free: Vec<u32>,
    /// Scratch: the hash of every row.
    row_hashes: Vec<u64>,
    /// Scratch: the groups that the current batch has created, each with its first row.
    created: Vec<(u32, usize)>,
}

impl GroupTable {
    pub(crate) fn new(kinds: impl IntoIterator<Item = LaneKind>) -> Self {
        GroupTable {
            table: HashTable::new(),
            stores: kinds.into_iter().map(LaneStore::new).collect(),
            hashes: Vec::new(),
            live: Vec::new(),
            free: Vec::new(),
            row_hashes: Vec::new(),
            created: Vec::new(),
        }
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Behind the highest group number ever used: what columns by group must have room for.
    pub(crate) fn capacity(&self) -> usize {
        self.hashes.len()
    }

    /// All live groups in ascending order.
    pub(crate) fn groups(&self) -> Vec<u32> {
        let all = 0..self.hashes.len() as u32;
        all.filter(|g| self.live[*g as usize]).collect()
    }

    /// Whether the group has a key.
    pub(crate) fn is_live(&self, group: u32) -> bool {
        self.live[group as usize]
    }

    /// The groups that the last [`GroupTable::intern`] created.
    pub(crate) fn created(&self) -> impl Iterator<Item = u32> + '_ {
        self.created.iter().map(|(group, _)| *group)
    }

    /// Looks up the groups of `rows` keys, creating those that are new.
    pub(crate) fn intern(
        &mut self,
        keys: &[Lane],
        rows: usize,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        let mut hashes = std::mem::take(&mut self.row_hashes);
        hash_rows(keys, rows, &mut hashes);
        let result = self.intern_hashed(keys, &hashes, groups);
        self.row_hashes = hashes;
        result
    }

    pub(super) fn intern_hashed(
        &mut self,
        keys: &[Lane],
        hashes: &[u64],
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        groups.clear();
        self.created.clear();
        // Group numbers and row counts are 32 bits wide.
        if self.hashes.len() + hashes.len() > u32::MAX as usize {
            return Err(EngineError::resource("one subtask holds 4 billion groups"));
        }
        for (row, hash) in hashes.iter().enumerate() {
            let same = |entry: &Entry| entry.hash == *hash;
            match self.table.entry(*hash, same, |entry| entry.hash) {
                TableEntry::Occupied(entry) => groups.push(entry.get().group),
                TableEntry::Vacant(vacant) => {
                    let group = allocate(&mut self.hashes, &mut self.live, &mut self.free, *hash);
                    vacant.insert(Entry { hash: *hash, group });
                    self.created.push((group, row));
                    groups.push(group);
                }
            }
        }
        self.store_created(keys, 0);
        let stores = self.stores.iter().zip(keys);
        let mut checks = stores.map(|(store, lane)| store.all_equal(groups, lane));
        if checks.all(|equal| equal) {
            return Ok(());
        }
        self.resolve_collisions(keys, hashes, groups);
        Ok(())
    }

    /// Looks up groups without creating any.
    pub(crate) fn find(&self, keys: &[Lane], rows: usize) -> Vec<Option<u32>> {
        let mut hashes = Vec::new();
        hash_rows(keys, rows, &mut hashes);
        let find = |(row, hash): (usize, &u64)| {
            let same = |e: &Entry| e.hash == *hash && self.equals(e.group, keys, row);
            self.table.find(*hash, same).map(|e| e.group)
        };
        hashes.iter().enumerate().map(find).collect()
    }

    fn store_created(&mut self, keys: &[Lane], from: usize) {
        for (store, lane) in self.stores.iter_mut().zip(keys) {
            store.resize(self.hashes.len());
            store.set(lane, self.created[from..].iter().copied());
        }
    }

    fn equals(&self, group: u32, keys: &[Lane], row: usize) -> bool {
        let mut stores = self.stores.iter().zip(keys);
        stores.all(|(store, lane)| store.equals(group, lane, row))
    }

    /// Gives rows whose key only shares its hash with the group found the group that is theirs.
    fn resolve_collisions(&mut self, keys: &[Lane], hashes: &[u64], groups: &mut [u32]) {
        for (row, slot) in groups.iter_mut().enumerate() {
            if self.equals(*slot, keys, row) {
                continue;
            }
            let hash = hashes[row];
            let found = self.table.find(hash, |entry| {
                entry.hash == hash && self.equals(entry.group, keys, row)
            });
            *slot = match found {
                Some(entry) => entry.group,
                None => {
                    let group = allocate(&mut self.hashes, &mut self.live, &mut self.free, hash);
                    self.table
                        .insert_unique(hash, Entry { hash, group }, |entry| entry.hash);
                    self.created.push((group, row));
                    self.store_created(keys, self.created.len() - 1);
                    group
                }
            };
        }
    }

    /// Forgets keys; their groups will be used for others.
    pub(crate) fn remove(&mut self, groups: &[u32]) {
        for group in groups {
            let hash = self.hashes[*group as usize];
            if !std::mem::take(&mut self.live[*group as usize]) {
                continue;
            }
            if let Ok(entry) = self.table.find_entry(hash, |entry| entry.group == *group) {
                entry.remove();
            }
            self.free.push(*group);
        }
        for store in &mut self.stores {
            store.clear(groups);
        }
    }

    /// The keys of groups, a lane per key column.
    pub(crate) fn keys(&self, groups: &[u32]) -> Result<Vec<Lane>> {
        self.stores.iter().map(|s| s.lane(groups)).collect()
    }

    /// Roughly the memory in use.
    pub(crate) fn size_bytes(&self) -> usize {
        let stores: usize = self.stores.iter().map(LaneStore::size_bytes).sum();
        stores + self.table.allocation_size() + self.hashes.capacity() * 9
    }
}

fn allocate(hashes: &mut Vec<u64>, live: &mut Vec<bool>, free: &mut Vec<u32>, hash: u64) -> u32 {
    if let Some(group) = free.pop() {
        hashes[group as usize] = hash;
        live[group as usize] = true;
        return group;
    }
    hashes.push(hash);
    live.push(true);
    hashes.len() as u32 - 1
}

const SEED: u64 = 0x243F_6A88_85A3_08D3;
const NULL_HASH: u64 = 0x9E37_79B9_7F4A_7C15;

/// Hashes rows of keys for tables in memory; nothing stored depends on these hashes.
fn hash_rows(keys: &[Lane], rows: usize, hashes: &mut Vec<u64>) {
    hashes.clear();
    hashes.resize(rows, SEED);
    for lane in keys {
        match &lane.values {
            Values::I64(values) => {
                combine(lane, hashes, |row| values[row] as u64);
            }
            Values::I128(values) => combine(lane, hashes, |row| {
                let value = values[row] as u128;
                (value as u64) ^ ((value >> 64) as u64).wrapping_mul(NULL_HASH)
            }),
            Values::Bytes(values) => combine(lane, hashes, |row| xxh3_64(values.value(row))),
        }
    }
}

#[inline]
fn combine(lane: &Lane, hashes: &mut [u64], value: impl Fn(usize) -> u64) {
    match &lane.nulls {
        None => {
            for (row, hash) in hashes.iter_mut().enumerate() {
                *hash = fold(*hash ^ value(row));
            }
        }
        Some(nulls) => {
            for (row, hash) in hashes.iter_mut().enumerate() {
                let value = if nulls.is_valid(row) {
                    value(row)
                } else {
                    NULL_HASH
                };
                *hash = fold(*hash ^ value);
            }
        }
    }
}

/// Multiplies to 128 bits and folds the halves, as wyhash and its kin do.
#[inline]
fn fold(value: u64) -> u64 {
    let product = u128::from(value ^ 0x1319_8A2E_0370_7344) * 0x9E37_79B9_7F4A_7C15_u128;
    (product as u64) ^ ((product >> 64) as u64)
}
