//! Uploads what a barrier has frozen, while processing goes on.

use std::sync::Arc;

use super::chain::NodeSnapshot;
use super::{ReportKind, Reporter};
use crate::checkpoint::{CheckpointStore, OperatorCheckpoint, SubtaskCheckpoint};
use crate::element::Barrier;
use crate::error::{EngineError, Result};
use crate::graph::execution::SubtaskId;
use crate::key::KeyGroupRange;
use crate::state;

/// Makes the snapshots of one subtask durable.
pub(super) struct Uploader {
    /// `None` keeps no keyed state: nobody could restore it.
    pub store: Option<CheckpointStore>,
    pub subtask: SubtaskId,
    pub attempt: u32,
    pub key_groups: KeyGroupRange,
    pub reporter: Reporter,
    /// One upload at a time: a slow store delays checkpoints and piles nothing up.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

impl Uploader {
    /// Whether keyed state goes anywhere.
    pub fn keeps_state(&self) -> bool {
        self.store.is_some()
    }

    /// Starts the upload of a snapshot; its outcome is reported.
    pub async fn upload(
        &self,
        barrier: Barrier,
        mut operators: Vec<OperatorCheckpoint>,
        nodes: Vec<NodeSnapshot>,
    ) -> Result<()> {
        let mut frozen = Vec::new();
        for node in nodes {
            let NodeSnapshot {
                uid,
                name,
                keyed,
                committables,
            } = node;
            let checkpoint = OperatorCheckpoint {
                uid,
                name,
                committables,
                ..OperatorCheckpoint::default()
            };
            match keyed {
                Some(keyed) => frozen.push((checkpoint, keyed)),
                None => operators.push(checkpoint),
            }
        }
        let (subtask, reporter) = (self.subtask, self.reporter.clone());
        let checkpoint_id = barrier.checkpoint_id;
        let share = move |operators| SubtaskCheckpoint { subtask, operators };
        let Some(store) = self.store.clone().filter(|_| !frozen.is_empty()) else {
            let share = share(operators);
            reporter
                .send(ReportKind::Snapshot {
                    checkpoint_id,
                    share,
                    bytes: 0,
                })
                .await;
            return Ok(());
        };
        let (attempt, key_groups, turn) = (self.attempt, self.key_groups, Arc::clone(&self.turn));
        tokio::spawn(async move {
            let _turn = turn.lock().await;
            let mut total = 0;
            for (mut checkpoint, keyed) in frozen {
                let name = format!(
                    "{checkpoint_id}-{attempt}-{}-{}-{}",
                    subtask.vertex.0, subtask.index, checkpoint.uid
                );
                match write(&store, &name, key_groups, keyed).await {
                    Ok(file) => {
                        total += file.bytes;
                        checkpoint.keyed = Some(file);
                        operators.push(checkpoint);
                    }
                    Err(error) => {
                        reporter
                            .send(ReportKind::SnapshotFailed {
                                checkpoint_id,
                                error,
                            })
                            .await;
                        return;
                    }
                }
            }
            let share = share(operators);
            reporter
                .send(ReportKind::Snapshot {
                    checkpoint_id,
                    share,
                    bytes: total,
                })
                .await;
        });
        Ok(())
    }
}

async fn write(
    store: &CheckpointStore,
    name: &str,
    key_groups: KeyGroupRange,
    mut keyed: Box<dyn state::FrozenState>,
) -> Result<crate::checkpoint::StateFile> {
    let encode = move || {
        let mut encoded = Vec::new();
        state::snapshot::write(keyed.as_mut(), &mut encoded).map(|_| encoded)
    };
    let encoded = tokio::task::spawn_blocking(encode);
    let encoded = encoded
        .await
        .map_err(|e| EngineError::internal(e.to_string()))??;
    store.put_state(name, key_groups, encoded).await
}
