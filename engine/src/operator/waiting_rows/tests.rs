#![allow(clippy::unwrap_used)]
use super::*;
use crate::element::Batch;
use crate::graph::BackendKind;
use crate::key::KeyGroupRange;
use crate::memory::Memory;
use crate::operator::testing::{batch, lines, schema};
use crate::state::{self, Resources, Restored, StateSetup};

const ROWS: &str = "n BIGINT, s STRING";

fn on_disk(dir: &tempfile::TempDir) -> Box<dyn KeyedState> {
    let state = state::create(StateSetup {
        kind: BackendKind::RocksDb,
        key_groups: KeyGroupRange::all(4),
        scratch: dir.path(),
        checkpointed: true,
        restored: Restored::default(),
        resources: &Resources::new(Memory::new(1 << 20)),
    });
    state.unwrap()
}

fn add(waiting: &mut WaitingRows, stamps: &[i64]) {
    let text = stamps.iter().map(|stamp| format!("+I | {stamp} | x"));
    let rows = batch(&schema(ROWS), &text.collect::<Vec<_>>().join("\n"));
    let places: Vec<u32> = (0..stamps.len() as u32).collect();
    let entries = stamps.iter().enumerate().map(|(at, stamp)| Waiting {
        group: (stamp.rem_euclid(4)) as KeyGroup,
        id: at as u64,
        stamp: *stamp,
    });
    waiting.add(rows.rows(), &places, entries).unwrap();
}

fn due(waiting: &mut WaitingRows, before: i64, state: &mut dyn KeyedState) -> Vec<i64> {
    let mut found = vec![];
    while let Some((rows, ids)) = waiting.take_due(before, 2, state).unwrap() {
        assert_eq!(rows.num_rows(), ids.len());
        for line in lines(&Batch::inserts(rows)) {
            found.push(line.split(" | ").nth(1).unwrap().parse().unwrap());
        }
    }
    found
}

#[test]
fn rows_come_in_order_of_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = on_disk(&dir);
    let mut waiting = WaitingRows::restore(&schema(ROWS), state.as_ref()).unwrap();
    add(&mut waiting, &[5, -3, 13, 5, 9]);
    assert_eq!(due(&mut waiting, 5, state.as_mut()), [-3, 5, 5]);
    assert_eq!(due(&mut waiting, 6, state.as_mut()), [0i64; 0]);
    assert_eq!(due(&mut waiting, i64::MAX - 1, state.as_mut()), [9, 13]);
}

#[test]
fn rows_on_disk_come_with_those_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = on_disk(&dir);
    let mut waiting = WaitingRows::restore(&schema(ROWS), state.as_ref()).unwrap();
    add(&mut waiting, &[5, -3, 9, 13]);
    waiting.spill(state.as_mut()).unwrap();
    add(&mut waiting, &[4, 1, 17, 21]);
    let held = waiting.size_bytes();
    let mut found = due(&mut waiting, 9, state.as_mut());
    // One key group after the other, each in order.
    assert_eq!(found, [4, -3, 1, 5, 9]);
    assert!(waiting.size_bytes() <= held);
    // What was taken does not come again, what was not does.
    waiting.spill(state.as_mut()).unwrap();
    found = due(&mut waiting, 100, state.as_mut());
    found.sort_unstable();
    assert_eq!(found, [13, 17, 21]);
    waiting.save(state.as_mut()).unwrap();
    let mut left = 0;
    state
        .scan(WAITING, &mut |_, _, _| {
            left += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn keys_are_in_order_of_their_stamps() {
    let stamps = [i64::MIN, -5, -1, 0, 1, 300, i64::MAX];
    let keys = stamps.map(|stamp| {
        Waiting {
            group: 1,
            id: 7,
            stamp,
        }
        .key()
    });
    assert!(keys.is_sorted());
    for (stamp, key) in stamps.into_iter().zip(keys) {
        let read = Waiting::of_key(1, &key).unwrap();
        assert_eq!((read.stamp, read.id), (stamp, 7));
    }
    assert!(Waiting::of_key(1, &[1; 15]).is_err());
    assert!(Waiting::of_key(1, &[1; 17]).is_err());
}
