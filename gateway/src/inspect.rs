//! What is in a checkpoint or savepoint, for people.
//!
//! ```text
//!   manifest ──▶ views       operators, aggregates, files, positions
//!            ──▶ names       what the tables of an operator's state are called
//!   files    ──▶ tables      keyed state, decoded by the engine as it is read
//!   SELECT   ──▶ query       views and tables, on the planner's batch execution
//! ```

mod names;
mod query;
mod tables;
#[cfg(test)]
mod tests;
mod views;

use std::sync::Arc;

use levada_engine::EngineError;
use levada_engine::checkpoint::{CheckpointStore, Manifest};
use levada_engine::element::BarrierKind;
use levada_engine::key::KeyGroupRange;
use levada_engine::operator::inspect::{self, Contents, StateTable};
use levada_engine::state::Restored;
use levada_engine::state::file::StateFileReader;
use levada_engine::state::merge::Entries;

use crate::error::Result;
use crate::outcome::Outcome;
use crate::session::moment;

use tables::KeyedFiles;
pub use views::View;

/// A checkpoint or savepoint.
#[derive(Debug)]
pub struct Inspection {
    manifest: Manifest,
    /// Where its files are.
    store: Arc<CheckpointStore>,
}

/// Reads the checkpoint or savepoint at `path`, and checks all of its state files.
///
/// # Errors
/// There is none, or something of it is missing or damaged.
pub async fn inspect(path: &str) -> Result<Inspection> {
    let inspection = open(path).await?;
    let store = &inspection.store;
    let files = inspection.manifest.operators.values();
    for file in files.flat_map(|o| &o.keyed) {
        let reader = store.open_state(file, &std::env::temp_dir()).await?;
        let read = tokio::task::spawn_blocking(move || read_all(&reader)).await;
        let read = read.map_err(EngineError::from)?;
        read.map_err(|e| e.at(&format!("{}/{}", store.folder(), file.path)))?;
    }
    Ok(inspection)
}

/// Reads the checkpoint or savepoint at `path`, whose state files are read when somebody asks for
/// them, and checked then.
///
/// # Errors
/// There is none, or its manifest is damaged.
pub async fn open(path: &str) -> Result<Inspection> {
    Ok(load(path).await?)
}

pub(crate) async fn load(path: &str) -> levada_engine::Result<Inspection> {
    let (manifest, store) = CheckpointStore::load(path).await?;
    Ok(Inspection {
        manifest,
        store: Arc::new(store),
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
            self.store.folder(),
        )
    }

    /// The groups of an operator that aggregates, if it has any.
    ///
    /// # Errors
    /// Its files cannot be opened.
    pub(crate) async fn groups_of(
        &self,
        uid: &str,
    ) -> levada_engine::Result<Option<(Arc<Restored>, StateTable)>> {
        let Some(state) = self.manifest.operators.get(uid) else {
            return Ok(None);
        };
        let mut tables = inspect::tables(&state.name, &state.layouts).into_iter();
        let Some(groups) = tables.find(|table| *table.contents() == Contents::Groups) else {
            return Ok(None);
        };
        let files = KeyedFiles::new(&self.store, state, self.manifest.max_parallelism);
        Ok(Some((files.open().await?, groups)))
    }

    pub(crate) fn max_parallelism(&self) -> u32 {
        self.manifest.max_parallelism
    }

    /// The rows of a view.
    ///
    /// # Errors
    /// None that input can cause.
    pub fn table(&self, view: View) -> Result<Outcome> {
        Ok(Outcome::Table(view.rows(&self.manifest)?))
    }
}
