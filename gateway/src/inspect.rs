//! What is in a checkpoint or savepoint, for people.

use levada_engine::EngineError;
use levada_engine::checkpoint::{CheckpointStore, Manifest, OperatorState, StateFile};
use levada_engine::connector::SplitState;
use levada_engine::element::BarrierKind;
use levada_engine::key::KeyGroupRange;
use levada_engine::operator::StoredCall;
use levada_engine::state::file::StateFileReader;
use levada_engine::state::merge::Entries;

use crate::error::Result;
use crate::outcome::{Outcome, text_table};
use crate::session::moment;

/// Which of its contents are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// A row for each operator.
    Operators,
    /// A row for each aggregate whose state is there.
    Aggregates,
    /// A row for each state file.
    Files,
    /// A row for each split of a source: where it stands.
    Positions,
}

/// A checkpoint or savepoint.
#[derive(Debug)]
pub struct Inspection {
    manifest: Manifest,
    /// Where its files are.
    folder: String,
}

/// Reads the checkpoint or savepoint at `path`, and checks all of its state files.
///
/// # Errors
/// There is none, or something of it is missing or damaged.
pub async fn inspect(path: &str) -> Result<Inspection> {
    let (manifest, store) = CheckpointStore::load(path).await?;
    let files = manifest.operators.values().flat_map(|o| &o.keyed);
    for file in files {
        let reader = store.open_state(file, &std::env::temp_dir()).await?;
        let read = tokio::task::spawn_blocking(move || read_all(&reader)).await;
        let read = read.map_err(EngineError::from)?;
        read.map_err(|e| e.at(&format!("{}/{}", store.folder(), file.path)))?;
    }
    Ok(Inspection {
        manifest,
        folder: store.folder().to_string(),
    })
}

/// Reads all entries, which checks them.
fn read_all(reader: &StateFileReader) -> levada_engine::Result<()> {
    let mut entries = reader.entries(KeyGroupRange::EVERY, None);
    while entries.advance()? {}
    Ok(())
}

impl Inspection {
    /// One line about all of it.
    pub fn summary(&self) -> String {
        let manifest = &self.manifest;
        let kind = match manifest.barrier.kind == BarrierKind::Final {
            true => "last checkpoint",
            false => "checkpoint",
        };
        format!(
            "{kind} {} of job {}, completed {}, {} key groups, {} bytes of state in {}",
            manifest.barrier.checkpoint_id,
            manifest.job,
            moment(manifest.completed_ms),
            manifest.max_parallelism,
            manifest.state_bytes(),
            self.folder,
        )
    }

    /// The rows of a view.
    ///
    /// # Errors
    /// None that input can cause.
    pub fn table(&self, view: View) -> Result<Outcome> {
        match view {
            View::Operators => self.operators(),
            View::Aggregates => self.aggregates(),
            View::Files => self.files(),
            View::Positions => self.positions(),
        }
    }

    fn rows<'m, R: IntoIterator<Item = Vec<Option<String>>>>(
        &'m self,
        of: impl Fn(&'m str, &'m OperatorState) -> R,
    ) -> Vec<Vec<Option<String>>> {
        let operators = self.manifest.operators.iter();
        operators.flat_map(|(uid, state)| of(uid, state)).collect()
    }

    fn operators(&self) -> Result<Outcome> {
        let names = [
            "operator", "uid", "coarse", "subtasks", "files", "entries", "bytes", "splits",
            "prepared",
        ];
        let rows = self.rows(|uid, state| {
            let sum =
                |of: fn(&StateFile) -> u64| state.keyed.iter().map(of).sum::<u64>().to_string();
            [vec![
                Some(state.name.clone()),
                Some(uid.to_string()),
                Some(state.coarse.clone()).filter(|coarse| !coarse.is_empty()),
                Some(state.parallelism.to_string()),
                Some(state.keyed.len().to_string()),
                Some(sum(|f| f.entries)),
                Some(sum(|f| f.bytes)),
                Some(state.splits.len().to_string()),
                Some(state.committables.len().to_string()),
            ]]
        });
        text_table(&names, rows)
    }

    /// What an edited query could take over: aggregates by what they compute.
    fn aggregates(&self) -> Result<Outcome> {
        let names = [
            "operator", "uid", "keys", "layout", "slot", "computes", "columns", "set",
        ];
        let rows = self.rows(|uid, state| {
            let Some(layout) = state.layouts.last() else {
                return Vec::new();
            };
            let keys: Vec<&str> = layout.keys.iter().map(|k| k.name.as_str()).collect();
            let keys = keys.join(", ");
            let row = |call: &StoredCall| {
                let set = layout.sets.iter().find(|s| s.calls.contains(&call.slot));
                vec![
                    Some(state.name.clone()),
                    Some(uid.to_string()),
                    Some(keys.clone()),
                    Some(layout.id.to_string()),
                    Some(call.slot.to_string()),
                    Some(call.identity.clone()),
                    Some(call.columns.len().to_string()),
                    set.map(|set| set.table.to_string()),
                ]
            };
            layout.calls.iter().map(row).collect()
        });
        text_table(&names, rows)
    }

    fn files(&self) -> Result<Outcome> {
        let names = ["operator", "uid", "file", "key groups", "entries", "bytes"];
        let rows = self.rows(|uid, state| {
            let row = |file: &StateFile| {
                let last = file.key_groups.end.saturating_sub(1);
                vec![
                    Some(state.name.clone()),
                    Some(uid.to_string()),
                    Some(file.path.clone()),
                    Some(format!("{}-{last}", file.key_groups.start)),
                    Some(file.entries.to_string()),
                    Some(file.bytes.to_string()),
                ]
            };
            state.keyed.iter().map(row).collect::<Vec<_>>()
        });
        text_table(&names, rows)
    }

    fn positions(&self) -> Result<Outcome> {
        let names = [
            "operator",
            "uid",
            "split",
            "position",
            "watermark",
            "finished",
        ];
        let rows = self.rows(|uid, state| {
            let row = |split: &SplitState| {
                vec![
                    Some(state.name.clone()),
                    Some(uid.to_string()),
                    Some(split.split.clone()),
                    Some(String::from_utf8_lossy(&split.position.0).into_owned()),
                    split.watermark.map(moment),
                    Some(split.finished.to_string()),
                ]
            };
            state.splits.iter().map(row).collect::<Vec<_>>()
        });
        text_table(&names, rows)
    }
}
