#![allow(clippy::unwrap_used, clippy::panic)]
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::graph::BackendKind;
use crate::memory::Memory;
use crate::state::blob::Blob;
use crate::state::file::StateFileReader;
use crate::state::fixture::{
    Changed, Model, change, check, entries_of, file_of, file_with, restored,
};
use crate::state::{Resources, Restored, RestoredFile};

const RANGE: KeyGroupRange = KeyGroupRange { start: 1, end: 4 };

struct Opened {
    state: RocksState,
    scratch: tempfile::TempDir,
}

/// State that is read in place and loaded in parts of so many bytes.
fn open(files: &[Vec<u8>], part: u64) -> Opened {
    open_restored(restored(files), part)
}

fn open_restored(restored: Restored, part: u64) -> Opened {
    let scratch = tempfile::tempdir().unwrap();
    let setup = StateSetup {
        kind: BackendKind::RocksDb,
        key_groups: RANGE,
        scratch: scratch.path(),
        checkpointed: true,
        restored,
        resources: &Resources::new(Memory::new(16 << 20)),
    };
    let limits = Limits { in_place: 0, part };
    let state = RocksState::open_with(setup, &limits).unwrap();
    Opened { state, scratch }
}

/// Takes the next part over as soon as it is there; false if everything has been taken.
fn take(state: &mut RocksState) -> bool {
    let started = Instant::now();
    while state.base.is_some() {
        if state.take_next().unwrap().is_some() {
            return state.base.is_some();
        }
        assert!(started.elapsed().as_secs() < 60, "nothing is loaded");
        std::thread::sleep(Duration::from_micros(100));
    }
    false
}

#[derive(Debug, Clone)]
enum Step {
    Change(Changed),
    Many(Vec<Changed>),
    Derive(u16, Vec<u8>, bool),
    Take,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0u8..3, 0..4)
}

fn changed() -> impl Strategy<Value = Changed> {
    let value = proptest::option::weighted(0.7, proptest::collection::vec(any::<u8>(), 0..6));
    (0u8..3, RANGE.start..RANGE.end, key(), value)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => changed().prop_map(Step::Change),
        1 => proptest::collection::vec(changed(), 0..30).prop_map(Step::Many),
        1 => (RANGE.start..RANGE.end, key(), any::<bool>()).prop_map(|(g, k, put)| Step::Derive(g, k, put)),
        3 => Just(Step::Take),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is changed, deleted and written again while restored state is loaded part by part: it reads
    /// as if it had been loaded at once.
    #[test]
    fn restored_state_can_be_used_while_it_is_loaded(
        rounds in proptest::collection::vec(proptest::collection::vec(changed(), 0..60), 1..4),
        steps in proptest::collection::vec(step(), 0..40),
        part in 1u64..200,
    ) {
        let (mut model, mut derived) = (Model::new(), Model::new());
        let mut files: Vec<_> = rounds.iter().map(|r| file_with(r)).collect();
        rounds.iter().flatten().for_each(|c| change(&mut model, c));
        let mut opened = open(&files, part);
        let state = &mut opened.state;
        check(state, RANGE, &model, &derived);
        for step in &steps {
            match step {
                Step::Change(changed) => {
                    let (table, group, key, value) = changed;
                    let one = Change { group: *group, key, value: value.as_deref() };
                    state.write_all(TableId(*table), &mut std::iter::once(one), true).unwrap();
                    change(&mut model, changed);
                }
                Step::Many(many) => {
                    let own: Vec<_> = many.iter().filter(|c| c.0 == 1).collect();
                    let mut changes = own.iter().map(|(_, group, key, value)| Change {
                        group: *group,
                        key,
                        value: value.as_deref(),
                    });
                    state.write_all(TableId(1), &mut changes, true).unwrap();
                    own.iter().for_each(|c| change(&mut model, c));
                }
                Step::Derive(group, key, put) => {
                    let value = put.then(|| vec![7]);
                    let one = Change { group: *group, key, value: value.as_deref() };
                    state.derive(TableId(3), &mut std::iter::once(one)).unwrap();
                    change(&mut derived, &(3, *group, key.clone(), value));
                }
                Step::Take => {
                    take(state);
                }
            }
            check(state, RANGE, &model, &derived);
        }
        while take(state) {
            check(state, RANGE, &model, &derived);
        }
        check(state, RANGE, &model, &derived);
        // Nothing of what it took to load is left.
        prop_assert!(state.base.is_none());
        let everything = KeyRange { from: vec![], to: Some(vec![u8::MAX, u8::MAX]) };
        let db = state.store.db().unwrap();
        let mut entries = Cursor::new(db, &everything, Order::Ascending, Content::Values);
        let mut count = 0;
        while entries.advance().unwrap() {
            count += 1;
        }
        drop(entries);
        prop_assert_eq!(count, model.len() + derived.len());
        // And the next checkpoint adds what has changed, and nothing else.
        files.push(file_of(state.take_delta()));
        let lines = model.iter().map(|((t, g, k), v)| (*t, *g, k.clone(), v.clone()));
        prop_assert_eq!(entries_of(&files), lines.collect::<Vec<_>>());
    }
}

fn numbered(keys: u32, value: &[u8]) -> Vec<Changed> {
    let key = |i: u32| {
        (
            0,
            RANGE.start,
            i.to_be_bytes().to_vec(),
            Some(value.to_vec()),
        )
    };
    (0..keys).map(key).collect()
}

/// A part may have more changes above it than go into a batch.
#[test]
fn many_changes_are_put_on_top_of_a_part() {
    let restored = numbered(5_000, b"restored");
    let mut opened = open(&[file_with(&restored)], 1 << 20);
    let state = &mut opened.state;
    let many = numbered(5_000, &[1; 2_000]);
    let mut changes = many.iter().map(|(_, group, key, value)| Change {
        group: *group,
        key,
        value: value.as_deref(),
    });
    state.write_all(TableId(0), &mut changes, true).unwrap();
    while take(state) {}
    let mut count = 0;
    let scanned = state.scan(TableId(0), &mut |_, _, value| {
        assert_eq!(value, [1; 2_000]);
        count += 1;
        Ok(())
    });
    scanned.unwrap();
    assert_eq!(count, 5_000);
}

/// State may be dropped while a thread writes files for it; none of them stays.
#[test]
fn what_is_loaded_goes_with_the_state() {
    let restored = numbered(50_000, &[1; 100]);
    let opened = open(&[file_with(&restored)], 100);
    let scratch = opened.scratch;
    drop(opened.state);
    let left = || std::fs::read_dir(scratch.path()).unwrap().count();
    let started = Instant::now();
    while left() > 0 && started.elapsed().as_secs() < 60 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(left(), 0);
}

/// An error of the thread is one of whoever uses the state, and does not pass for the end of what there is.
#[test]
fn failures_of_loading_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, file_with(&numbered(50_000, &[1; 100]))).unwrap();
    let file = RestoredFile {
        name: "a file".into(),
        key_groups: RANGE,
        reader: StateFileReader::open(Blob::open(&path).unwrap()).unwrap(),
    };
    // More parts than are made ahead, so that some of the file was not read again yet.
    let mut opened = open_restored(Restored(vec![file]), 10_000);
    let cut = std::fs::File::options().write(true).open(&path).unwrap();
    cut.set_len(100_000).unwrap();
    let state = &mut opened.state;
    let started = Instant::now();
    let failed = loop {
        match state.take_next() {
            Ok(_) if started.elapsed().as_secs() < 60 => {}
            Ok(_) => panic!("no failure was told"),
            Err(error) => break error,
        }
    };
    assert!(failed.to_string().contains("a file"), "{failed}");
}

const EXITS: &str = "LEVADA_TEST_EXITS_WHILE_CLOSING";

/// For the test below, which runs it in a process of its own.
#[test]
fn exits_while_databases_are_closed() {
    if std::env::var_os(EXITS).is_none() {
        return;
    }
    let changes = numbered(500, &[1; 100]);
    let file = file_with(&changes);
    let opened: Vec<Opened> = (0..8)
        .map(|_| open(std::slice::from_ref(&file), 1000))
        .collect();
    let (states, scratch): (Vec<_>, Vec<_>) =
        opened.into_iter().map(|o| (o.state, o.scratch)).unzip();
    drop(states);
    scratch.into_iter().for_each(std::mem::forget);
    std::process::exit(0);
}

#[test]
fn an_exit_does_not_pull_the_rug_from_under_a_close() {
    let name = "state::rocks::tests::exits_while_databases_are_closed";
    let scratch = tempfile::tempdir().unwrap();
    for _ in 0..10 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", name]).env(EXITS, "1");
        let output = child.env("TMPDIR", scratch.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
