#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::sync::Arc;

use object_store::ObjectStoreExt;

use super::*;
use crate::element::BarrierKind;
use crate::graph::BackendKind;
use crate::state::blob::{Blob, Spool};
use crate::state::file::Written;
use crate::state::merge::Entries;
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
        attempt: 1,
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

/// Writes by coordinators that are gone come late, and answers are lost.
async fn manifests_are_written_once(store: &CheckpointStore) {
    let of_run = |attempt: u32, id: u64| {
        let mut manifest = manifest(id, vec![]).of_run(attempt);
        manifest.completed_ms = i64::from(attempt);
        manifest
    };
    let ours = of_run(7, 5);
    store.put_manifest(&ours).await.unwrap();
    // Another try of the same.
    store.put_manifest(&ours).await.unwrap();
    // What an earlier run still had under way.
    let error = store.put_manifest(&of_run(3, 5)).await.unwrap_err();
    assert!(error.message.contains("runs somewhere else too"), "{error}");
    assert!(!error.kind.retryable());
    assert_eq!(store.get_manifest(5).await.unwrap(), ours);
    // The same with a higher number: it exists, and nobody goes on from it.
    store.put_manifest(&of_run(3, 8)).await.unwrap();
    assert_eq!(store.latest().await.unwrap().unwrap(), ours);
    for id in [6, 7, 8] {
        let next = of_run(7, id);
        store.put_manifest(&next).await.unwrap();
        assert_eq!(store.latest().await.unwrap().unwrap(), next);
    }
    assert_eq!(store.list().await.unwrap(), [5, 6, 7, 8]);
    assert_eq!(store.get_manifest(8).await.unwrap().attempt, 7, "replaced");
    store.remove(8).await.unwrap();
    store.remove(8).await.unwrap();
    assert_eq!(store.latest().await.unwrap().unwrap(), of_run(7, 7));
    store.remove_all().await.unwrap();
    assert_eq!(store.list().await.unwrap(), Vec::<u64>::new());
    assert_eq!(store.latest().await.unwrap(), None);
}

#[tokio::test]
async fn a_late_manifest_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let local = CheckpointStore::at(dir.path().join("job").to_str().unwrap()).unwrap();
    manifests_are_written_once(&local).await;
    one_of_many_wins(&local).await;
    // A process died between draft and name.
    let draft = dir.path().join("job/chk-3");
    std::fs::remove_file(draft.join("manifest.json")).unwrap();
    std::fs::write(draft.join("manifest.json.1-0.draft"), "{").unwrap();
    local.sweep(4, &[]).await.unwrap();
    assert!(!draft.exists());
    let memory = faulty::Faulty::new(None).sound();
    let memory = CheckpointStore::over(memory, "job".into(), "job");
    manifests_are_written_once(&memory).await;
    one_of_many_wins(&memory).await;
}

/// Two coordinators at once: one of them wins, and the other one knows.
async fn one_of_many_wins(store: &CheckpointStore) {
    for id in 1..=10 {
        let writers = (1..=8).map(|at| {
            let mut manifest = manifest(id, vec![]).of_run(1);
            manifest.completed_ms = at;
            async move { (store.put_manifest(&manifest).await.is_ok(), manifest) }
        });
        let outcomes = futures::future::join_all(writers).await;
        let winners: Vec<&Manifest> = outcomes.iter().filter(|o| o.0).map(|o| &o.1).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(&store.get_manifest(id).await.unwrap(), winners[0]);
    }
}

/// The object store that LEVADA_TEST_S3 names (http://KEY:SECRET@HOST:PORT/BUCKET), and a folder in it.
fn on_s3(folder: &str) -> CheckpointStore {
    let address = std::env::var("LEVADA_TEST_S3").expect("LEVADA_TEST_S3 names an object store");
    let url = url::Url::parse(&address).unwrap();
    let endpoint = format!("http://{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let store = object_store::aws::AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_bucket_name(url.path().trim_matches('/'))
        .with_access_key_id(url.username())
        .with_secret_access_key(url.password().unwrap())
        .build()
        .unwrap();
    let folder = format!("{folder}-{}", std::process::id());
    CheckpointStore::over(Arc::new(store), folder.as_str().into(), &folder)
}

#[tokio::test]
#[ignore = "needs S3"]
async fn on_s3_a_late_manifest_changes_nothing_and_one_of_many_wins() {
    manifests_are_written_once(&on_s3("late")).await;
    one_of_many_wins(&on_s3("race")).await;
}

#[tokio::test]
#[ignore = "needs S3"]
async fn on_s3_large_files_go_in_parts_and_come_back() {
    let store = on_s3("parts");
    let scratch = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(scratch.path());
    let entry = |n: u32| (n.to_be_bytes(), vec![n as u8; 1 << 20]);
    let mut state = crate::state::create(StateSetup {
        kind: BackendKind::Memory,
        key_groups: KeyGroupRange { start: 0, end: 128 },
        scratch: scratch.path(),
        checkpointed: true,
        restored: Restored::default(),
        resources: &crate::state::Resources::new(crate::memory::Memory::new(1 << 20)),
    })
    .unwrap();
    for n in 0..40 {
        let (key, value) = entry(n);
        let change = Change {
            group: 1,
            key: &key,
            value: Some(&value),
        };
        state
            .apply(TableId(1), &mut std::iter::once(change))
            .unwrap();
    }
    let written = delta::write(&[state.take_delta()], &mut spool).unwrap();
    let content = spool.finish().unwrap();
    assert!(matches!(content, Blob::File(..)));
    let range = KeyGroupRange { start: 0, end: 128 };
    let file = store
        .put_state("1-0-0-u1", range, &content, written)
        .await
        .unwrap();
    let reader = store.open_state(&file, scratch.path()).await.unwrap();
    let mut entries = reader.entries(range, None);
    let mut count = 0;
    while entries.advance().unwrap() {
        let (key, value) = entry(count);
        assert_eq!(
            (entries.entry().key, entries.entry().value),
            (&key[..], Some(&value[..]))
        );
        count += 1;
    }
    assert_eq!(count, 40);
    // A savepoint elsewhere, from where it is read again.
    let mut whole = manifest(1, vec![file]);
    whole.attempt = 1;
    store.put_manifest(&whole).await.unwrap();
    let savepoint = on_s3("savepoint");
    store.export(&whole, &savepoint).await.unwrap();
    store.remove_all().await.unwrap();
    let copy = savepoint.load_here(savepoint.folder()).await.unwrap();
    assert_eq!(copy, whole);
    let file = &copy.operators["u1"].keyed[0];
    savepoint.open_state(file, scratch.path()).await.unwrap();
    savepoint.remove_all().await.unwrap();
}

proptest::proptest! {
    /// Behind a right checksum too: another manifest or an error, and so for the files it names.
    #[test]
    fn a_damaged_manifest_is_an_error_and_never_a_panic(
        at in proptest::prelude::any::<proptest::sample::Index>(),
        cut in proptest::prelude::any::<proptest::sample::Index>(),
        with in "[\\[\\]{}\",:0-9a-z.-]{0,24}",
        sealed in proptest::prelude::any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let memory = faulty::Faulty::new(None).sound();
            let store = CheckpointStore::over(memory.clone(), "job".into(), "job");
            let (blob, written) = content("value");
            let range = KeyGroupRange { start: 0, end: 128 };
            let file = store.put_state("1-0-0-u1", range, &blob, written).await.unwrap();
            let mut manifest = manifest(1, vec![file]);
            let state = manifest.operators.get_mut("u1").unwrap();
            state.splits.push(SplitState {
                split: "s".into(),
                position: WireBytes(b"7".to_vec()),
                watermark: Some(5),
                finished: false,
            });
            state.committables.push((0, WireBytes(b"c".to_vec())));
            let mut text = serde_json::to_string(&manifest).unwrap();
            let (a, b) = (at.index(text.len()), cut.index(text.len()));
            let end = a.max(b).min(a.min(b) + with.len() + 1);
            text.replace_range(a.min(b)..end, &with);
            let crc32 = match sealed {
                true => crc32fast::hash(text.as_bytes()),
                false => 0,
            };
            let bytes = format!("{{\"crc32\":{crc32},\"manifest\":{text}}}");
            let path = object_store::path::Path::from("job/chk-1/manifest.json");
            memory.put(&path, bytes.into()).await.unwrap();
            let Ok(read) = store.get_manifest(1).await else {
                return;
            };
            assert!(sealed || read == manifest, "nothing vouches for it");
            let scratch = tempfile::tempdir().unwrap();
            for file in read.operators.values().flat_map(|o| &o.keyed) {
                if let Ok(reader) = store.open_state(file, scratch.path()).await {
                    let mut entries = reader.entries(file.key_groups, None);
                    while entries.advance().unwrap() {}
                }
            }
            store.sweep(5, &[&read]).await.unwrap();
        });
    }
}
