#![allow(clippy::unwrap_used)]
use super::*;
use crate::element::BarrierKind;

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
        },
        completed_ms: 1,
        max_parallelism: 128,
        operators: BTreeMap::from([("u1".to_string(), state)]),
    }
}

#[tokio::test]
async fn a_checkpoint_exists_from_its_manifest_to_its_removal() {
    let dir = tempfile::tempdir().unwrap();
    let store = CheckpointStore::open(dir.path().to_str().unwrap(), &JobId("job".into())).unwrap();
    let range = KeyGroupRange { start: 0, end: 128 };
    let old = store
        .put_state("1-0-0-u1", range, b"old".to_vec())
        .await
        .unwrap();
    let new = store
        .put_state("2-0-0-u1", range, b"new".to_vec())
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
    assert!(store.get_state(&old).await.is_err());
    assert_eq!(store.get_state(&new).await.unwrap().as_ref(), b"new");
}

#[tokio::test]
async fn corruption_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("job");
    let store = CheckpointStore::at(folder.to_str().unwrap()).unwrap();
    let range = KeyGroupRange { start: 0, end: 128 };
    let file = store
        .put_state("1-0-0-u1", range, b"content".to_vec())
        .await
        .unwrap();
    store
        .put_manifest(&manifest(1, vec![file.clone()]))
        .await
        .unwrap();
    std::fs::write(folder.join(&file.path), b"cOntent").unwrap();
    let error = store.get_state(&file).await.unwrap_err();
    assert!(
        error.message.contains("1-0-0-u1.state is corrupt"),
        "{error}"
    );
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
