#![allow(clippy::unwrap_used)]
use super::*;
use crate::element::BarrierKind;
use crate::graph::BackendKind;
use crate::state::blob::Blob;
use crate::state::file::Written;
use crate::state::{Change, Restored, StateSetup, TableId, delta};

fn manifest(id: u64, files: Vec<StateFile>) -> Manifest {
    let state = OperatorState {
        name: "Agg".into(),
        keyed: files,
        ..OperatorState::default()
    };
    Manifest {
        version: MANIFEST_VERSION,
        job: JobId("job".into()),
        barrier: Barrier {
            checkpoint_id: id,
            kind: BarrierKind::Checkpoint,
            overtakes_at_ms: None,
        },
        completed_ms: 1,
        max_parallelism: 128,
        operators: BTreeMap::from([("u1".to_string(), state)]),
        in_flight: Vec::new(),
        channels: Vec::new(),
    }
}

/// A state file with one entry.
fn content(value: &str) -> (Blob, Written) {
    let scratch = tempfile::tempdir().unwrap();
    let mut state = crate::state::create(StateSetup {
        kind: BackendKind::Memory,
        key_groups: KeyGroupRange { start: 0, end: 128 },
        scratch: scratch.path(),
        checkpointed: true,
        restored: Restored::default(),
        resources: &crate::state::Resources::new(crate::memory::Memory::new(1 << 20)),
    })
    .unwrap();
    let change = Change {
        group: 1,
        key: b"key",
        value: Some(value.as_bytes()),
    };
    let changes = &mut std::iter::once(change);
    state.apply(TableId(1), changes).unwrap();
    let mut file = vec![];
    let written = delta::write(&[state.take_delta()], &mut file).unwrap();
    (Blob::Memory(file.into()), written)
}

#[tokio::test]
async fn a_checkpoint_exists_from_its_manifest_to_its_removal() {
    let dir = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(dir.path().to_str().unwrap(), &JobId("job".into())).unwrap();
    let range = KeyGroupRange { start: 0, end: 128 };
    let old = store
        .put_state("1-0-0-u1", range, &content("old").0, content("old").1)
        .await
        .unwrap();
    let new = store
        .put_state("2-0-0-u1", range, &content("new").0, content("new").1)
        .await
        .unwrap();
    assert_eq!(
        store.list().await.unwrap(),
        Vec::<u64>::new(),
        "no manifest, no checkpoint"
    );
    let second = manifest(2, vec![new.clone()]);
    store
        .put_manifest(&manifest(1, vec![old.clone()]))
        .await
        .unwrap();
    store.put_manifest(&second).await.unwrap();
    assert_eq!(store.list().await.unwrap(), [1, 2]);
    assert_eq!(store.get_manifest(2).await.unwrap(), second);
    store.remove(1).await.unwrap();
    store.sweep(2, &[&second]).await.unwrap();
    assert_eq!(store.list().await.unwrap(), [2]);
    assert!(store.open_state(&old, dir.path()).await.is_err());
    let reader = store.open_state(&new, dir.path()).await.unwrap();
    assert_eq!(reader.seal(), new.seal);
}

#[tokio::test]
async fn corruption_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("job");
    let store = CheckpointStore::at(folder.to_str().unwrap()).unwrap();
    let range = KeyGroupRange { start: 0, end: 128 };
    let file = store
        .put_state("1-0-0-u1", range, &content("c").0, content("c").1)
        .await
        .unwrap();
    store
        .put_manifest(&manifest(1, vec![file.clone()]))
        .await
        .unwrap();
    for damaged in [
        content("other")
            .0
            .read(0, content("other").0.len() as usize),
        content("d").0.read(0, content("d").0.len() as usize),
    ] {
        std::fs::write(folder.join(&file.path), damaged.unwrap()).unwrap();
        let error = store.open_state(&file, &folder).await.unwrap_err();
        assert!(
            error.message.contains("1-0-0-u1.state is corrupt"),
            "{error}"
        );
    }
    let path = folder.join("chk-1/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("Agg", "Bgg")).unwrap();
    assert!(
        store
            .get_manifest(1)
            .await
            .unwrap_err()
            .message
            .contains("corrupt")
    );
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    assert!(
        store
            .get_manifest(1)
            .await
            .unwrap_err()
            .message
            .contains("corrupt")
    );
}

fn sized(sizes: &[u64]) -> FileChain {
    let mut chain = FileChain::default();
    for bytes in sizes {
        chain.push(StateFile {
            path: String::new(),
            key_groups: KeyGroupRange { start: 0, end: 128 },
            bytes: *bytes,
            entries: 1,
            seal: 0,
        });
    }
    chain
}

#[test]
fn files_are_merged_when_they_are_many_of_a_size_or_outgrow_the_oldest() {
    const MB: u64 = 1 << 20;
    assert_eq!(sized(&[]).to_merge(), None);
    assert_eq!(sized(&[100 * MB, MB, MB]).to_merge(), None);
    assert_eq!(sized(&[MB, MB, MB]).to_merge(), None, "too few to bother");
    assert_eq!(sized(&[3 * MB, MB, MB, MB]).to_merge(), Some(0..4));
    let mut sizes = vec![100 * MB];
    sizes.extend([MB; 7]);
    assert_eq!(sized(&sizes).to_merge(), None);
    sizes.push(MB);
    assert_eq!(sized(&sizes).to_merge(), Some(1..9));
}

/// One percent of the state changes between checkpoints: how much is written in the long run, how
/// much space it takes, and how many files there are.
#[test]
fn chains_stay_short_and_cheap() {
    let (base, delta) = (100u64 << 20, 1u64 << 20);
    let mut sizes = vec![base];
    let (mut written, mut most_files, mut most_bytes) = (0, 0, 0);
    let rounds = 1000;
    for _ in 0..rounds {
        sizes.push(delta);
        written += delta;
        if let Some(range) = sized(&sizes).to_merge() {
            // No key changes twice before all of them have, the worst case.
            let total: u64 = sizes[range.clone()].iter().sum();
            let merged = if range.start == 0 { base } else { total };
            written += merged;
            sizes.splice(range, [merged]);
        }
        most_files = most_files.max(sizes.len());
        most_bytes = most_bytes.max(sizes.iter().sum());
    }
    let per_checkpoint = written as f64 / f64::from(rounds) / base as f64;
    assert!(per_checkpoint < 0.045, "{per_checkpoint}");
    assert!(most_files <= 24, "{most_files}");
    assert!(most_bytes <= 2 * base + 2 * delta, "{most_bytes}");
}
