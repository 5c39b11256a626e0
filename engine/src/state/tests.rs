#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

type Model = BTreeMap<(u8, KeyGroup, Vec<u8>), Vec<u8>>;

const RANGE: KeyGroupRange = KeyGroupRange { start: 2, end: 10 };

fn both() -> Vec<(Box<dyn KeyedState>, Option<tempfile::TempDir>)> {
    let dir = tempfile::tempdir().unwrap();
    vec![
        (
            create(BackendKind::Memory, RANGE, Path::new("unused")).unwrap(),
            None,
        ),
        (
            create(BackendKind::RocksDb, RANGE, dir.path()).unwrap(),
            Some(dir),
        ),
    ]
}

fn apply(state: &mut dyn KeyedState, table: u8, group: KeyGroup, key: &[u8], value: Option<&[u8]>) {
    let change = Change { group, key, value };
    state
        .apply(TableId(table), &mut std::iter::once(change))
        .unwrap();
}

fn visit(frozen: &mut dyn FrozenState) -> Vec<(u8, KeyGroup, Vec<u8>, Vec<u8>)> {
    let mut entries = vec![];
    frozen
        .visit(&mut |t, g, k, v| {
            entries.push((t.0, g, k.to_vec(), v.to_vec()));
            Ok(())
        })
        .unwrap();
    entries
}

fn model_entries(model: &Model) -> Vec<(u8, KeyGroup, Vec<u8>, Vec<u8>)> {
    let entry =
        |((t, g, k), v): (&(u8, KeyGroup, Vec<u8>), &Vec<u8>)| (*t, *g, k.clone(), v.clone());
    model.iter().map(entry).collect()
}

fn file_of(state: &mut dyn KeyedState) -> Vec<u8> {
    let mut file = vec![];
    let length = snapshot::write(state.freeze().unwrap().as_mut(), &mut file).unwrap();
    assert_eq!(length as usize, file.len());
    file
}

fn changes() -> impl Strategy<Value = Vec<(u8, KeyGroup, Vec<u8>, Option<Vec<u8>>)>> {
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
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn backends_behave_like_an_ordered_map(before in changes(), after in changes()) {
        for (mut state, _dir) in both() {
            let mut model = Model::new();
            for (t, g, k, v) in &before {
                apply(state.as_mut(), *t, *g, k, v.as_deref());
                match v {
                    Some(v) => model.insert((*t, *g, k.clone()), v.clone()),
                    None => model.remove(&(*t, *g, k.clone())),
                };
            }
            let expected = model_entries(&model);
            let mut frozen = state.freeze().unwrap();
            for (t, g, k, v) in &after {
                apply(state.as_mut(), *t, *g, k, v.as_deref());
            }
            prop_assert_eq!(visit(frozen.as_mut()), expected, "a frozen image does not move");
        }
    }

    #[test]
    fn a_snapshot_moves_between_backends_and_ranges(before in changes(), cut in 2u16..10) {
        for (mut state, _dir) in both() {
            for (t, g, k, v) in &before {
                apply(state.as_mut(), *t, *g, k, v.as_deref());
            }
            let all = visit(state.freeze().unwrap().as_mut());
            let file = file_of(state.as_mut());
            let left = KeyGroupRange { start: 2, end: cut };
            let right = KeyGroupRange { start: cut, end: 10 };
            let mut found = vec![];
            for range in [left, right] {
                let mut part = memory::MemoryState::new(range);
                snapshot::restore(&mut part, &file, range).unwrap();
                found.extend(visit(part.freeze().unwrap().as_mut()));
            }
            found.sort();
            prop_assert_eq!(found, all);
        }
    }
}

proptest! {
    #[test]
    fn no_damage_goes_unnoticed_or_panics(before in changes(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut state = memory::MemoryState::new(RANGE);
        apply(&mut state, 0, 2, b"key", Some(b"value"));
        for (t, g, k, v) in &before {
            apply(&mut state, *t, *g, k, v.as_deref());
        }
        let file = file_of(&mut state);
        let mut damaged = file.clone();
        damaged[at.index(file.len())] ^= 1 << bit;
        let mut target = memory::MemoryState::new(RANGE);
        prop_assert!(snapshot::restore(&mut target, &damaged, RANGE).is_err());
        let cut = &file[..at.index(file.len())];
        prop_assert!(snapshot::restore(&mut target, cut, RANGE).is_err());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut target = memory::MemoryState::new(RANGE);
        prop_assert!(snapshot::restore(&mut target, &bytes, RANGE).is_err());
    }
}

#[test]
fn get_visits_the_positions_that_exist() {
    for (mut state, _dir) in both() {
        apply(state.as_mut(), 1, 3, b"a", Some(b"1"));
        apply(state.as_mut(), 1, 4, b"a", Some(b"2"));
        apply(state.as_mut(), 2, 3, b"a", Some(b"other table"));
        let keys: [(KeyGroup, &[u8]); 4] = [(3, b"b"), (4, b"a"), (3, b"a"), (5, b"a")];
        let mut found = vec![];
        state
            .get(TableId(1), &mut keys.into_iter(), &mut |position, value| {
                found.push((position, value.to_vec()));
                Ok(())
            })
            .unwrap();
        assert_eq!(found, vec![(1, b"2".to_vec()), (2, b"1".to_vec())]);
        let mut scanned = vec![];
        state
            .scan(TableId(1), &mut |group, key, value| {
                scanned.push((group, key.to_vec(), value.to_vec()));
                Ok(())
            })
            .unwrap();
        assert_eq!(
            scanned,
            vec![
                (3, b"a".to_vec(), b"1".to_vec()),
                (4, b"a".to_vec(), b"2".to_vec())
            ]
        );
    }
}

#[test]
fn a_foreign_key_group_is_refused() {
    for (mut state, _dir) in both() {
        let change = Change {
            group: 10,
            key: b"k",
            value: Some(b"v"),
        };
        assert!(
            state
                .apply(TableId(0), &mut std::iter::once(change))
                .is_err()
        );
    }
}

#[test]
fn large_state_takes_many_blocks() {
    let mut state = memory::MemoryState::new(RANGE);
    let value = vec![7u8; 100_000];
    for key in 0u32..20 {
        apply(&mut state, 0, 5, &key.to_be_bytes(), Some(&value));
    }
    let file = file_of(&mut state);
    assert_eq!(snapshot::contents(&file).unwrap(), vec![(TableId(0), 5)]);
    let mut target = memory::MemoryState::new(RANGE);
    snapshot::restore(&mut target, &file, RANGE).unwrap();
    assert_eq!(
        visit(target.freeze().unwrap().as_mut()),
        visit(state.freeze().unwrap().as_mut())
    );
    assert!(target.size_bytes() > 2_000_000);
}

#[test]
fn rocksdb_leaves_no_file_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = create(BackendKind::RocksDb, RANGE, dir.path()).unwrap();
    apply(state.as_mut(), 0, 3, b"k", Some(b"v"));
    let mut frozen = state.freeze().unwrap();
    drop(state);
    assert_eq!(
        visit(frozen.as_mut()).len(),
        1,
        "an image outlives its state"
    );
    drop(frozen);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
