//! `'connector' = 'blackhole'`: takes rows of every kind and forgets them.

use std::sync::Arc;

use async_trait::async_trait;
use levada_engine::Result;
use levada_engine::connector::{
    ConnectorFactory, Sink, SinkContext, SinkFactory, SourceFactory, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode};
use levada_engine::graph::WireBytes;

use crate::options::Options;
use crate::{in_table, write_only};

#[cfg(test)]
mod tests;

/// The connector.
#[derive(Debug)]
pub struct Blackhole;

impl ConnectorFactory for Blackhole {
    fn identifier(&self) -> &'static str {
        "blackhole"
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        Err(write_only(table))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        Options::new(table.options.clone())
            .finish()
            .map_err(in_table(table))?;
        Ok(Arc::new(Factory))
    }
}

struct Factory;

impl SinkFactory for Factory {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        Ok(mode)
    }

    fn create(&self, _context: SinkContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Forget))
    }
}

struct Forget;

#[async_trait]
impl Sink for Forget {
    async fn open(&mut self) -> Result<()> {
        Ok(())
    }

    async fn write(&mut self, _batch: &Batch) -> Result<()> {
        Ok(())
    }

    fn takes_rows_twice(&self) -> bool {
        true
    }

    async fn prepare(&mut self, _checkpoint_id: u64) -> Result<Vec<WireBytes>> {
        Ok(Vec::new())
    }
}
