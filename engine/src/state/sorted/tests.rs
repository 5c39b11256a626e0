#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::state::TableId;
use crate::state::fixture::{Changed, file_with, restored};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Keys with beginnings in common, as many as fill several strides.
fn changes() -> impl Strategy<Value = Vec<Changed>> {
    let key = (proptest::collection::vec(0u8..3, 0..3), any::<bool>());
    let key = (key, any::<bool>()).prop_map(|((end, long), longer)| match (long, longer) {
        (true, false) => [vec![9; 20], end].concat(),
        (true, true) => [vec![9; 90], end].concat(),
        (false, _) => end,
    });
    let value = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..6));
    proptest::collection::vec((0u8..2, 0u16..3, key, value), 0..80)
}

/// The file of some changes, which are made to the model as well.
fn file(changes: &[Changed], model: &mut Model) -> Vec<u8> {
    for (table, group, key, value) in changes {
        let full = full_key::of((TableId(*table), *group), key);
        match value {
            Some(value) => model.insert(full, value.clone()),
            None => model.remove(&full),
        };
    }
    file_with(changes)
}

fn open(restored: Restored, key_groups: KeyGroupRange, stride: u32, bits: u32) -> SortedRuns {
    let grain = Grain {
        stride_bytes: stride,
        filter_bits: bits,
    };
    SortedRuns::with_grain(restored, key_groups, &Room::new(1 << 20), Some(grain)).unwrap()
}

fn all(entries: &mut dyn Entries) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = vec![];
    while entries.advance().unwrap() {
        let entry = entries.entry();
        let full = full_key::of(entry.place, entry.key);
        found.push((full, entry.value.unwrap().to_vec()));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn files_are_read_where_they_are(
        rounds in proptest::collection::vec(changes(), 1..4),
        stride in 1u32..100,
        bits in 0u32..12,
        wanted in proptest::collection::vec((0u8..3, 0u16..4, proptest::collection::vec(0u8..3, 0..3)), 2),
        groups in (0u16..3, 0u16..4),
    ) {
        let mut model = Model::new();
        let files: Vec<_> = rounds.iter().map(|r| file(r, &mut model)).collect();
        let key_groups = KeyGroupRange { start: groups.0, end: groups.1.max(groups.0) };
        model.retain(|key, _| key_groups.contains(u16::from_be_bytes([key[1], key[2]])));
        let runs = open(restored(&files), key_groups, stride, bits);
        prop_assert_eq!(all(&mut runs.entries()), model.clone().into_iter().collect::<Vec<_>>());

        let mut keys: Vec<Vec<u8>> = model.keys().cloned().collect();
        keys.extend(rounds.iter().flatten().map(|(t, g, k, _)| full_key::of((TableId(*t), *g), k)));
        keys.extend(wanted.iter().map(|(t, g, k)| full_key::of((TableId(*t), *g), k)));
        for key in &keys {
            let mut found = None;
            runs.get(key, &mut |value| {
                found = Some(value.to_vec());
                Ok(())
            }).unwrap();
            prop_assert_eq!(found.as_ref(), model.get(key));
        }

        keys.sort();
        let all_wanted: Vec<Wanted<'_>> = keys.iter().enumerate().map(|(at, key)| Wanted::new(at, key)).collect();
        let mut found = vec![None; keys.len()];
        runs.get_all(&all_wanted, &mut |at, value| {
            found[at] = Some(value.to_vec());
            Ok(())
        }).unwrap();
        for (key, found) in keys.iter().zip(&found) {
            prop_assert_eq!(found.as_ref(), model.get(key));
        }

        let bounds: Vec<Vec<u8>> = wanted.iter().map(|(t, g, k)| full_key::of((TableId(*t), *g), k)).collect();
        for to in [None, Some(bounds[1].clone()), Some(vec![1])] {
            let range = KeyRange { from: bounds[0].clone(), to };
            let inside = model.iter().filter(|(k, _)| **k >= range.from && range.to.as_ref().is_none_or(|to| *k < to));
            let mut expected: Vec<_> = inside.map(|(k, v)| (k.clone(), v.clone())).collect();
            let sources = runs.sources(&range, Order::Ascending);
            prop_assert_eq!(&all(&mut Merge::new(sources, true)), &expected);
            let sources = runs.sources(&range, Order::Descending);
            expected.reverse();
            prop_assert_eq!(all(&mut Descending::new(sources).unwrap()), expected);
        }
    }
}

/// Ten bits for each key: one in a hundred others passes. Folding keeps what is there.
#[test]
fn filters_have_their_keys_and_few_others() {
    let hash = |key: u32| strides::hash_of((TableId(1), 2), &key.to_be_bytes());
    for (capacity, folded) in [(10_000, false), (160_000, true)] {
        let mut filter = filter::Filter::with_capacity(capacity, 10);
        (0..10_000).for_each(|key| filter.insert(hash(key)));
        let size = filter.size_bytes();
        filter.fit(10_000, 10);
        assert_eq!(filter.size_bytes() < size, folded);
        assert!((0..10_000).all(|key| filter.may_have(hash(key))));
        let others = (10_000..110_000).filter(|key| filter.may_have(hash(*key)));
        assert!(others.count() < 2_500, "of {capacity}");
    }
}

#[test]
fn memory_is_counted_and_given_back() {
    let room = Room::new(1 << 20);
    let changes: Vec<Changed> = (0..5_000u32)
        .map(|i| (0, 1, i.to_be_bytes().to_vec(), Some(vec![1; 50])))
        .collect();
    let files = [file_with(&changes)];
    let runs = SortedRuns::open(restored(&files), KeyGroupRange::EVERY, &room).unwrap();
    let used = room.used();
    assert!(used > files[0].len() as u64, "the file is in memory too");
    assert_eq!(used, runs.0[0].memory_bytes());
    assert_ne!(room.grain(100 << 20, 1 << 20), room.grain(100, 1));
    drop(runs);
    assert_eq!(room.used(), 0);
}
