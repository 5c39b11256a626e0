#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::blob::{Blob, Spool};
use super::file::StateFileReader;
use super::fixture::{ALL, Line, entries_of, file_of, restored, table_of};
use super::merge::{Entries, Merge};
use super::*;

type Model = BTreeMap<(u8, KeyGroup, Vec<u8>), Vec<u8>>;
type Changes = Vec<(u8, KeyGroup, Vec<u8>, Option<Vec<u8>>)>;

const RANGE: KeyGroupRange = KeyGroupRange { start: 2, end: 10 };
const BACKENDS: [BackendKind; 3] = [BackendKind::Memory, BackendKind::Disk, BackendKind::RocksDb];
const ON_DISK: [BackendKind; 2] = [BackendKind::Disk, BackendKind::RocksDb];

struct Opened {
    state: Box<dyn KeyedState>,
    _scratch: tempfile::TempDir,
}

fn resources() -> Resources {
    Resources::new(Memory::new(16 << 20))
}

fn open(kind: BackendKind, key_groups: KeyGroupRange, files: &[Vec<u8>]) -> Opened {
    let scratch = tempfile::tempdir().unwrap();
    let state = create(StateSetup {
        kind,
        key_groups,
        scratch: scratch.path(),
        checkpointed: true,
        restored: restored(files),
        resources: &resources(),
    });
    Opened {
        state: state.unwrap(),
        _scratch: scratch,
    }
}

impl Opened {
    fn apply(&mut self, table: u8, group: KeyGroup, key: &[u8], value: Option<&[u8]>) {
        let change = Change { group, key, value };
        let changes = &mut std::iter::once(change);
        self.state.apply(TableId(table), changes).unwrap();
    }

    fn apply_all(&mut self, changes: &Changes, model: &mut Model) {
        for (t, g, k, v) in changes {
            self.apply(*t, *g, k, v.as_deref());
            match v {
                Some(v) => model.insert((*t, *g, k.clone()), v.clone()),
                None => model.remove(&(*t, *g, k.clone())),
            };
        }
    }

    fn scan(&self) -> Vec<Line> {
        let mut lines = vec![];
        for table in 0..3 {
            self.state
                .scan(TableId(table), &mut |group, key, value| {
                    lines.push((table, group, key.to_vec(), value.to_vec()));
                    Ok(())
                })
                .unwrap();
        }
        lines
    }
}

fn lines(model: &Model) -> Vec<Line> {
    let line =
        |((t, g, k), v): (&(u8, KeyGroup, Vec<u8>), &Vec<u8>)| (*t, *g, k.clone(), v.clone());
    model.iter().map(line).collect()
}

fn changes() -> impl Strategy<Value = Changes> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
    let change = (
        0u8..3,
        RANGE.start..RANGE.end,
        proptest::collection::vec(0u8..3, 0..3),
        proptest::option::of(bytes()),
    );
    proptest::collection::vec(change, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn deltas_add_up_and_move_between_backends_and_ranges(
        rounds in proptest::collection::vec(changes(), 1..4),
        cut in 2u16..10,
        other in 0..BACKENDS.len(),
    ) {
        for kind in BACKENDS {
            let mut model = Model::new();
            let mut files = vec![];
            let mut opened = open(kind, RANGE, &[]);
            for changes in &rounds {
                opened.apply_all(changes, &mut model);
                files.push(file_of(opened.state.take_delta()));
            }
            prop_assert_eq!(entries_of(&files), lines(&model), "the files are a map");
            if opened.state.keeps() {
                prop_assert_eq!(opened.scan(), lines(&model), "and so is what is kept");
            }
            // The same at another parallelism, and on another backend.
            let other = BACKENDS[other];
            let left = KeyGroupRange { start: 2, end: cut };
            let right = KeyGroupRange { start: cut, end: 10 };
            let mut found = vec![];
            for range in [left, right] {
                found.extend(open(other, range, &files).scan());
            }
            found.sort();
            prop_assert_eq!(found, lines(&model));
        }
    }

    #[test]
    fn ranges_are_visited_in_order_until_it_is_enough(
        changes in changes(),
        group in RANGE.start..RANGE.end,
        bounds in proptest::array::uniform2(proptest::collection::vec(0u8..4, 0..4)),
        enough in 1usize..4,
        kind in 0..ON_DISK.len(),
    ) {
        let mut model = Model::new();
        let mut opened = open(ON_DISK[kind], RANGE, &[]);
        opened.apply_all(&changes, &mut model);
        let [from, to] = bounds;
        for order in [Order::Ascending, Order::Descending] {
            let mut found = vec![];
            let visit = &mut |key: &[u8], value: &[u8]| {
                found.push((key.to_vec(), value.to_vec()));
                Ok(found.len() < enough)
            };
            let range = from.as_slice()..to.as_slice();
            opened.state.scan_range(TableId(1), group, range, order, visit).unwrap();
            let own = model.iter().filter(|((t, g, k), _)| {
                (*t, *g) == (1, group) && *k >= from && *k < to
            });
            let mut expected: Vec<_> = own.map(|((_, _, k), v)| (k.clone(), v.clone())).collect();
            if order == Order::Descending {
                expected.reverse();
            }
            expected.truncate(enough);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn any_part_of_a_chain_can_be_merged(
        rounds in proptest::collection::vec(changes(), 2..6),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        let mut model = Model::new();
        let mut opened = open(BackendKind::Memory, RANGE, &[]);
        let files = rounds.iter().map(|changes| {
            opened.apply_all(changes, &mut model);
            file_of(opened.state.take_delta())
        });
        let mut files: Vec<Vec<u8>> = files.collect();
        let (a, b) = (from.index(files.len()), to.index(files.len()));
        let range = a.min(b)..a.max(b) + 1;
        let mut merged = vec![];
        let part = restored(&files[range.clone()]);
        file::write(&mut part.merged(ALL, None, range.start == 0), &mut merged).unwrap();
        files.splice(range, [merged]);
        prop_assert_eq!(entries_of(&files), lines(&model));
    }
}

fn read_all(content: Vec<u8>) -> Result<usize> {
    let reader = StateFileReader::open(Blob::Memory(content.into()))?;
    let mut entries = reader.entries(ALL, None);
    let mut count = 0;
    while entries.advance()? {
        count += 1;
    }
    Ok(count)
}

/// The same through an index.
fn read_by_key(content: &[u8]) -> Result<()> {
    let reader = StateFileReader::open(Blob::Memory(content.to_vec().into()))?;
    let scratch = tempfile::tempdir().unwrap();
    let file = RestoredFile {
        name: "a file".into(),
        key_groups: ALL,
        reader,
    };
    let state = create(StateSetup {
        kind: BackendKind::Disk,
        key_groups: ALL,
        scratch: scratch.path(),
        checkpointed: true,
        restored: Restored(vec![file]),
        resources: &resources(),
    })?;
    let keys: [(KeyGroup, &[u8]); 3] = [(2, b"key"), (3, &[0, 1]), (9, &[2, 2, 2])];
    for table in 0..3 {
        state.scan(TableId(table), &mut |_, _, _| Ok(()))?;
        state.get(TableId(table), &mut keys.into_iter(), &mut |_, _| Ok(()))?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_damage_goes_unnoticed_or_panics(
        before in changes(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut opened = open(BackendKind::Memory, RANGE, &[]);
        opened.apply(0, 2, b"key", Some(b"value"));
        opened.apply_all(&before, &mut Model::new());
        let file = file_of(opened.state.take_delta());
        let mut damaged = file.clone();
        damaged[at.index(file.len())] ^= 1 << bit;
        prop_assert!(read_by_key(&damaged).is_err());
        prop_assert!(read_all(damaged).is_err());
        let cut = file[..at.index(file.len())].to_vec();
        prop_assert!(read_all(cut).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read_all(bytes).is_err());
    }

    /// Behind right checksums: an error or other entries, never a panic.
    #[test]
    fn resealed_damage_does_not_panic(
        before in changes(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut opened = open(BackendKind::Memory, RANGE, &[]);
        opened.apply(0, 2, b"key", Some(b"value"));
        opened.apply_all(&before, &mut Model::new());
        let mut file = file_of(opened.state.take_delta());
        let end = file.len() - 24;
        let position = at.index(end);
        file[position] = byte;
        reseal(&mut file);
        let _ = read_by_key(&file);
        let _ = read_all(file);
    }
}

/// Computes the checksums of a file anew, as far as its index makes sense.
fn reseal(file: &mut [u8]) {
    let end = file.len() - 24;
    let index_at = u64::from_le_bytes(file[end..end + 8].try_into().unwrap()) as usize;
    for entry in (index_at..end).step_by(23) {
        let offset = u64::from_le_bytes(file[entry + 3..entry + 11].try_into().unwrap());
        let length = u32::from_le_bytes(file[entry + 11..entry + 15].try_into().unwrap());
        let block = usize::try_from(offset)
            .ok()
            .and_then(|start| file.get(start..start.checked_add(length as usize)?));
        if let Some(checksum) = block.map(crc32fast::hash) {
            file[entry + 19..entry + 23].copy_from_slice(&checksum.to_le_bytes());
        }
    }
    let seal = crc32fast::hash(&file[index_at..end + 12]);
    file[end + 12..end + 16].copy_from_slice(&seal.to_le_bytes());
}

#[test]
fn get_visits_the_positions_that_exist() {
    ON_DISK.into_iter().for_each(get_visits_positions);
}

fn get_visits_positions(kind: BackendKind) {
    let mut opened = open(kind, RANGE, &[]);
    opened.apply(1, 3, b"a", Some(b"1"));
    opened.apply(1, 4, b"a", Some(b"2"));
    opened.apply(2, 3, b"a", Some(b"other table"));
    let keys: [(KeyGroup, &[u8]); 4] = [(3, b"b"), (4, b"a"), (3, b"a"), (5, b"a")];
    let mut found = vec![];
    opened
        .state
        .get(TableId(1), &mut keys.into_iter(), &mut |position, value| {
            found.push((position, value.to_vec()));
            Ok(())
        })
        .unwrap();
    found.sort();
    assert_eq!(found, vec![(1, b"2".to_vec()), (2, b"1".to_vec())]);
}

#[test]
fn a_foreign_key_group_is_refused() {
    for kind in BACKENDS {
        let change = Change {
            group: 10,
            key: b"k",
            value: Some(b"v"),
        };
        let mut opened = open(kind, RANGE, &[]);
        let applied = opened.state.apply(TableId(0), &mut std::iter::once(change));
        assert!(applied.is_err());
    }
}

#[test]
fn state_without_checkpoints_collects_no_changes() {
    for kind in BACKENDS {
        let scratch = tempfile::tempdir().unwrap();
        let mut state = create(StateSetup {
            kind,
            key_groups: RANGE,
            scratch: scratch.path(),
            checkpointed: false,
            restored: Restored::default(),
            resources: &resources(),
        })
        .unwrap();
        let change = Change {
            group: 3,
            key: b"k",
            value: Some(b"v"),
        };
        state
            .apply(TableId(0), &mut std::iter::once(change))
            .unwrap();
        assert!(state.take_delta().is_empty());
    }
}

/// More changes than fit into the log's memory: the later of two counts, wherever they lie.
#[test]
fn many_changes_go_through_scratch_files() {
    let mut opened = open(BackendKind::Memory, RANGE, &[]);
    let value = vec![7u8; 1 << 20];
    for round in 0..2u8 {
        for key in 0u8..50 {
            let mut value = value.clone();
            value[0] = round;
            opened.apply(0, 5, &[key], Some(&value));
        }
    }
    opened.apply(0, 5, &[49], None);
    let file = file_of(opened.state.take_delta());
    let entries = table_of(&[file], 0);
    assert_eq!(entries.len(), 49);
    assert!(entries.iter().all(|(.., value)| value[0] == 1));
}

#[test]
fn large_files_are_spooled_to_disk_and_read_by_block() {
    let scratch = tempfile::tempdir().unwrap();
    let mut opened = open(BackendKind::Memory, RANGE, &[]);
    let value = vec![7u8; 100_000];
    for key in 0u32..400 {
        opened.apply(0, 5, &key.to_be_bytes(), Some(&value));
    }
    let mut spool = Spool::new(scratch.path());
    let delta = opened.state.take_delta();
    let written = delta::write(&[delta], &mut spool).unwrap();
    let content = spool.finish().unwrap();
    assert!(matches!(content, Blob::File(..)));
    assert_eq!(content.len(), written.bytes);
    assert_eq!(
        std::fs::read_dir(scratch.path()).unwrap().count(),
        0,
        "it has no name"
    );
    let reader = StateFileReader::open(content).unwrap();
    assert!(reader.blocks().len() > 100);
    let mut merge = Merge::new(vec![Box::new(reader.entries(ALL, None))], true);
    let mut count = 0;
    while merge.advance().unwrap() {
        count += 1;
    }
    assert_eq!(count, 400);
}

#[test]
fn state_on_disk_leaves_no_file_behind() {
    ON_DISK.into_iter().for_each(leaves_no_file_behind);
}

fn leaves_no_file_behind(kind: BackendKind) {
    let scratch = tempfile::tempdir().unwrap();
    let mut opened = open(BackendKind::Memory, RANGE, &[]);
    opened.apply(0, 3, b"k", Some(b"v"));
    let file = file_of(opened.state.take_delta());
    let state = create(StateSetup {
        kind,
        key_groups: RANGE,
        scratch: scratch.path(),
        checkpointed: true,
        restored: restored(&[file]),
        resources: &resources(),
    });
    drop(state.unwrap());
    // Closing is not waited for.
    let left = || std::fs::read_dir(scratch.path()).unwrap().count();
    let started = std::time::Instant::now();
    while left() > 0 && started.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(left(), 0);
}

#[test]
fn derived_tables_are_no_part_of_checkpoints() {
    ON_DISK.into_iter().for_each(derived_tables_stay);
}

fn derived_tables_stay(kind: BackendKind) {
    let mut opened = open(kind, RANGE, &[]);
    opened.apply(1, 3, b"kept", Some(b"1"));
    let derived = Change {
        group: 3,
        key: b"derived",
        value: Some(b""),
    };
    let changes = &mut std::iter::once(derived);
    opened.state.derive(TableId(2), changes).unwrap();
    assert_eq!(opened.scan().len(), 2);
    let file = file_of(opened.state.take_delta());
    assert_eq!(
        entries_of(&[file]),
        [(1, 3, b"kept".to_vec(), b"1".to_vec())]
    );
}
