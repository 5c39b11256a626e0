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
    let key = key.prop_map(|(end, long)| match long {
        true => [vec![9; 20], end].concat(),
        false => end,
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
        stride in 1u64..100,
        wanted in proptest::collection::vec((0u8..3, 0u16..4, proptest::collection::vec(0u8..3, 0..3)), 2),
        groups in (0u16..3, 0u16..4),
    ) {
        let mut model = Model::new();
        let files: Vec<_> = rounds.iter().map(|r| file(r, &mut model)).collect();
        let key_groups = KeyGroupRange { start: groups.0, end: groups.1.max(groups.0) };
        model.retain(|key, _| key_groups.contains(u16::from_be_bytes([key[1], key[2]])));
        let in_place = InPlace::with_strides(restored(&files), key_groups, stride).unwrap();
        prop_assert_eq!(all(&mut in_place.entries()), model.clone().into_iter().collect::<Vec<_>>());

        let mut keys: Vec<Vec<u8>> = model.keys().cloned().collect();
        keys.extend(rounds.iter().flatten().map(|(t, g, k, _)| full_key::of((TableId(*t), *g), k)));
        keys.extend(wanted.iter().map(|(t, g, k)| full_key::of((TableId(*t), *g), k)));
        for key in &keys {
            let mut found = None;
            in_place.get(key, &mut |value| {
                found = Some(value.to_vec());
                Ok(())
            }).unwrap();
            prop_assert_eq!(found.as_ref(), model.get(key));
        }

        let bounds: Vec<Vec<u8>> = wanted.iter().map(|(t, g, k)| full_key::of((TableId(*t), *g), k)).collect();
        for to in [None, Some(bounds[1].clone()), Some(vec![1])] {
            let range = KeyRange { from: bounds[0].clone(), to };
            let inside = model.iter().filter(|(k, _)| **k >= range.from && range.to.as_ref().is_none_or(|to| *k < to));
            let mut expected: Vec<_> = inside.map(|(k, v)| (k.clone(), v.clone())).collect();
            let sources = in_place.sources(&range, Order::Ascending);
            prop_assert_eq!(&all(&mut Merge::new(sources, true)), &expected);
            let sources = in_place.sources(&range, Order::Descending);
            expected.reverse();
            prop_assert_eq!(all(&mut Descending::new(sources).unwrap()), expected);
        }
    }
}
