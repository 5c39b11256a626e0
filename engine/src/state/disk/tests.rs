#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::graph::BackendKind;
use crate::memory::Memory;
use crate::state::fixture::{
    Changed, Model, apply, change, check, entries_of, file_of, file_with, restored,
};
use crate::state::{Change, Resources};

const RANGE: KeyGroupRange = KeyGroupRange { start: 1, end: 4 };

/// Most merges are done by threads, and waited for.
const OFTEN: Pace = Pace {
    at_once: 100,
    most_runs: 12,
};

struct Opened {
    state: DiskState,
    scratch: tempfile::TempDir,
}

fn open(files: &[Vec<u8>], memory: u64) -> Opened {
    let scratch = tempfile::tempdir().unwrap();
    let setup = StateSetup {
        kind: BackendKind::Disk,
        key_groups: RANGE,
        scratch: scratch.path(),
        checkpointed: true,
        restored: restored(files),
        resources: &Resources::new(Memory::new(memory)),
    };
    let state = DiskState::open_with(setup, OFTEN).unwrap();
    Opened { state, scratch }
}

#[derive(Debug, Clone)]
enum Step {
    One(Changed),
    Many(Vec<Changed>),
    Derive(u16, Vec<u8>, bool),
    Checkpoint,
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0u8..3, 0..4)
}

fn changed() -> impl Strategy<Value = Changed> {
    let value = proptest::option::weighted(0.7, proptest::collection::vec(any::<u8>(), 0..30));
    (0u8..3, RANGE.start..RANGE.end, key(), value)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => changed().prop_map(Step::One),
        3 => proptest::collection::vec(changed(), 0..30).prop_map(Step::Many),
        2 => (RANGE.start..RANGE.end, key(), any::<bool>()).prop_map(|(g, k, put)| Step::Derive(g, k, put)),
        1 => Just(Step::Checkpoint),
    ]
}

fn apply_many(state: &mut DiskState, changed: &[&Changed]) {
    let mut changes = changed.iter().map(|(_, group, key, value)| Change {
        group: *group,
        key,
        value: value.as_deref(),
    });
    state.apply(TableId(1), &mut changes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever comes, in whatever order, while runs are merged at once and behind: state reads as what was
    /// applied, and so do its checkpoints.
    #[test]
    fn state_is_what_was_applied(
        rounds in proptest::collection::vec(proptest::collection::vec(changed(), 0..60), 0..3),
        steps in proptest::collection::vec(step(), 0..100),
        memory in prop_oneof![Just(0u64), Just(1 << 13), Just(1 << 24)],
    ) {
        let (mut model, mut derived) = (Model::new(), Model::new());
        let mut files: Vec<_> = rounds.iter().map(|r| file_with(r)).collect();
        rounds.iter().flatten().for_each(|c| change(&mut model, c));
        let Opened { mut state, scratch: _scratch } = open(&files, memory);
        let state = &mut state;
        check(state, RANGE, &model, &derived);
        for step in &steps {
            match step {
                Step::One(one) => {
                    apply(state, one);
                    change(&mut model, one);
                }
                Step::Many(many) => {
                    let own: Vec<_> = many.iter().filter(|c| c.0 == 1).collect();
                    apply_many(state, &own);
                    own.iter().for_each(|c| change(&mut model, c));
                }
                Step::Derive(group, key, put) => {
                    let value = put.then(|| vec![7]);
                    let one = Change { group: *group, key, value: value.as_deref() };
                    state.derive(TableId(3), &mut std::iter::once(one)).unwrap();
                    change(&mut derived, &(3, *group, key.clone(), value));
                }
                Step::Checkpoint => files.push(file_of(state.take_delta())),
            }
            check(state, RANGE, &model, &derived);
        }
        files.push(file_of(state.take_delta()));
        let lines = model.iter().map(|((t, g, k), v)| (*t, *g, k.clone(), v.clone()));
        prop_assert_eq!(entries_of(&files), lines.collect::<Vec<_>>());
        prop_assert!(state.take_delta().is_empty());
    }
}

fn numbered(keys: std::ops::Range<u32>, value: &[u8]) -> Vec<Changed> {
    let key = |i: u32| i.to_be_bytes().to_vec();
    keys.map(|i| (1, RANGE.start, key(i), Some(value.to_vec())))
        .collect()
}

/// Whatever comes in turn with what: few runs, and no more bytes than a few times those that are there.
#[test]
fn runs_are_chosen_whatever_they_weigh() {
    for pattern in [
        &[100, 1][..],
        &[1, 100],
        &[1],
        &[100, 10, 1],
        &[1000, 1, 1, 1],
    ] {
        let (mut weights, mut written, mut added) = (vec![], 0, 0);
        for weight in pattern.iter().cycle().take(4_000) {
            weights.push(*weight);
            added += *weight;
            while let Some(place) = merging::choose(&weights) {
                let together: u64 = weights[place.clone()].iter().sum();
                written += together;
                weights.splice(place, [together]);
            }
            assert!(weights.len() <= 25, "{pattern:?}: {weights:?}");
        }
        assert!(written <= added * 15, "{pattern:?}: {written} of {added}");
    }
}

/// Rows that live for a while, a few tables written at each checkpoint, the last of them little: what has gone does
/// not stay.
#[test]
fn state_of_a_constant_size_stays_so() {
    let Opened {
        mut state,
        scratch: _scratch,
    } = open(&[], 1 << 20);
    let mut most = 0;
    for round in 0..400u32 {
        let new = numbered(round * 50..(round + 1) * 50, &[7; 100]);
        apply_many(&mut state, &new.iter().collect::<Vec<_>>());
        if let Some(gone) = round.checked_sub(20) {
            let mut gone = numbered(gone * 50..(gone + 1) * 50, &[]);
            gone.iter_mut().for_each(|(.., value)| *value = None);
            apply_many(&mut state, &gone.iter().collect::<Vec<_>>());
        }
        let little = (2, RANGE.start, vec![1], Some(vec![round as u8]));
        apply(&mut state, &little);
        state.take_delta();
        most = most.max(state.size_bytes());
    }
    // A thousand rows of 110 bytes are there.
    assert!(most < 500_000, "{most} bytes");
    assert!(state.kept.runs().0.len() <= 25);
}

/// What comes and goes between two checkpoints leaves nothing, neither in memory nor for the next checkpoint.
#[test]
fn deletions_of_what_no_checkpoint_has_go() {
    let Opened {
        mut state,
        scratch: _scratch,
    } = open(&[], 1 << 20);
    let stays = numbered(0..100, &[7; 100]);
    apply_many(&mut state, &stays.iter().collect::<Vec<_>>());
    state.take_delta();
    for round in 2..400u32 {
        let mut rows = numbered(round * 50..(round + 1) * 50, &[7; 100]);
        apply_many(&mut state, &rows.iter().collect::<Vec<_>>());
        rows.iter_mut().for_each(|(.., value)| *value = None);
        apply_many(&mut state, &rows.iter().collect::<Vec<_>>());
    }
    // Fifty rows of 110 bytes come and go, and filters take some keys for others.
    assert!(state.size_bytes() < 60_000, "{} bytes", state.size_bytes());
    let mut gone = numbered(0..50, &[]);
    gone.iter_mut().for_each(|(.., value)| *value = None);
    apply_many(&mut state, &gone.iter().collect::<Vec<_>>());
    let files = [file_with(&stays), file_of(state.take_delta())];
    assert_eq!(entries_of(&files).len(), 50);
}

/// Runs become fewer by themselves, in files and in memory, and what was deleted goes: there is never more than a
/// few times what there was at most.
#[test]
fn runs_are_merged() {
    let Opened {
        mut state,
        scratch: _scratch,
    } = open(&[], 1 << 20);
    let (mut least, mut most) = (u64::MAX, 0);
    for _ in 0..4 {
        let there = numbered(0..40_000, &[7; 100]);
        let mut gone = there.clone();
        gone.iter_mut().for_each(|(.., value)| *value = None);
        for part in there.chunks(1_000).chain(gone.chunks(1_000)) {
            apply_many(&mut state, &part.iter().collect::<Vec<_>>());
            state.take_delta();
            assert!(state.kept.runs().0.len() <= 13);
            most = most.max(state.size_bytes());
        }
        least = least.min(state.size_bytes());
    }
    // What there is at most takes 4.4 MB.
    assert!(most < 12_000_000, "{most} bytes");
    assert!(least < 6_000_000, "{least} bytes");
    let mut left = 0;
    let scanned = state.scan(TableId(1), &mut |_, _, _| {
        left += 1;
        Ok(())
    });
    scanned.unwrap();
    assert_eq!(left, 0);
}

/// What is in memory is bounded: runs go to files without names, which go with the state.
#[test]
fn runs_that_are_not_small_are_files() {
    let scratch = tempfile::tempdir().unwrap();
    let resources = Resources::new(Memory::new(4 << 20));
    let state = DiskState::open(StateSetup {
        kind: BackendKind::Disk,
        key_groups: RANGE,
        scratch: scratch.path(),
        checkpointed: false,
        restored: restored(&[]),
        resources: &resources,
    });
    let mut state = state.unwrap();
    for round in 0..20 {
        let many = numbered(round * 1_000..(round + 1) * 1_000, &[7; 1_000]);
        apply_many(&mut state, &many.iter().collect::<Vec<_>>());
        let held = resources.disk_cache_bytes();
        assert!(held < 1 << 20, "{held} bytes in round {round}");
    }
    assert!(state.size_bytes() > 20_000_000);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

/// A disk that cannot be written is an error of whoever applies, not the end of the process.
#[test]
fn failures_to_write_are_told() {
    let opened = open(&[], 0);
    let folder = opened.scratch.path().to_path_buf();
    let mut state = opened.state;
    drop(opened.scratch);
    std::fs::write(&folder, "no folder any more").unwrap();
    let many = numbered(0..1_000, &[7; 100]);
    let mut changes = many.iter().map(|(_, group, key, value)| Change {
        group: *group,
        key,
        value: value.as_deref(),
    });
    let failed = state.apply(TableId(1), &mut changes);
    std::fs::remove_file(&folder).unwrap();
    let message = failed.unwrap_err().to_string();
    assert!(message.contains("cannot be written"), "{message}");
}
