//! INSERT OVERWRITE: which files the new ones take the place of.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use levada_engine::Result;

use super::committable::Step;
use crate::filesystem::config::Config;
use crate::filesystem::listing;
use crate::filesystem::partition::Splitter;

/// The folders that are replaced, relative to the table's path: what a reader of the table would find in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Overwrite {
    folders: BTreeSet<String>,
}

impl Overwrite {
    /// The whole table, or the partition that `constants` name, a row of some columns; if they name none, the
    /// partitions that get rows.
    pub(super) fn of(config: &Config, constants: &RecordBatch) -> Result<Self> {
        let mut overwrite = Overwrite::default();
        let schema = constants.schema();
        let all = |name: &String| schema.field_with_name(name).is_ok();
        if config.partitioned_by.iter().all(all) {
            let (fields, columns) = (schema.fields(), &config.partitioned_by);
            let splitter = Splitter::new(fields, columns, &config.default_partition)?;
            let slices = splitter.split(constants)?;
            overwrite.folders = slices.into_iter().map(|slice| slice.folder).collect();
        }
        Ok(overwrite)
    }

    /// A folder gets rows.
    pub(super) fn gets_rows(&mut self, folder: &str) {
        self.folders.insert(folder.to_string());
    }

    /// What goes of what is there now.
    pub(super) fn removal(&self, config: &Config) -> Result<Step> {
        let mut remove = Vec::new();
        for folder in &self.folders {
            let path = match folder.is_empty() {
                true => config.path.clone(),
                false => config.path.join(folder),
            };
            if path.is_dir() {
                let found = listing::list(&path, config.source.pattern.as_ref())?;
                remove.extend(found.into_iter().map(|file| file.path.as_ref().into()));
            }
        }
        Ok(Step::Remove { remove })
    }
}
